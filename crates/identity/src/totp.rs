//! The authenticator app: time-based one-time passwords (RFC 6238: SHA-1, 6 digits, 30 seconds).
//!
//! Called by setup and sign-in. A code is good for its own step and one on either side; which step
//! it was is returned, and the store refuses a step that is not newer than the last one used.

use domain::{Ctx, Secret, Timestamp};
use qrcode::{Color, QrCode};
use totp_rs::{Builder, Totp};
use zeroize::Zeroizing;

use crate::{Error, codes, setup::SetupPending};

/// Bytes of a secret: the length of SHA-1's output, which RFC 4226 recommends.
pub(crate) const SECRET_BYTES: usize = 20;
/// Seconds of a step.
const STEP_S: u64 = 30;

/// A fresh secret.
pub(crate) fn fresh_secret(ctx: &Ctx) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Zeroizing::new(ctx.random::<SECRET_BYTES>()).to_vec())
}

/// The step whose code this is, when it is that of now or of a neighbouring step.
pub(crate) fn check(secret: &[u8], code: &str, now: Timestamp) -> Result<Option<i64>, Error> {
    let Some(digits) = digits(code) else { return Ok(None) };
    let Ok(time) = u64::try_from(now.seconds()) else { return Ok(None) };
    let step = builder(secret, "account", None)?.check(&digits, time);
    Ok(step.and_then(|step| i64::try_from(step).ok()))
}

/// The six digits of what somebody typed, blanks left out.
pub(crate) fn digits(typed: &str) -> Option<Zeroizing<String>> {
    if typed.len() > 32 {
        return None;
    }
    let digits = Zeroizing::new(typed.chars().filter(|c| !c.is_whitespace()).collect::<String>());
    (digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_digit())).then_some(digits)
}

/// What the person needs to bring the secret into an authenticator.
pub(crate) fn pending(
    ticket: Secret<String>,
    secret: &[u8],
    name: &str,
    issuer: &str,
) -> Result<SetupPending, Error> {
    // A colon separates issuer and account in these URIs and may stand in neither.
    let (label, issuer) = (name.replace(':', " "), issuer.replace(':', " "));
    let uri = builder(secret, &label, Some(&issuer))?
        .to_url()
        .map(Zeroizing::new)
        .map_err(|_| Error::Broken("the authenticator's address could not be written"))?;
    Ok(SetupPending {
        ticket,
        qr_svg: Secret::new(qr_svg(&uri)?),
        otpauth_uri: Secret::new(uri.to_string()),
        secret_base32: codes::grouped(&codes::base32(secret), ' '),
        name: name.to_owned(),
    })
}

fn builder(secret: &[u8], account: &str, issuer: Option<&str>) -> Result<Totp, Error> {
    Builder::new()
        .with_secret(secret.to_vec())
        .with_digits(6)
        .with_skew(1)
        .with_step_duration(STEP_S)
        .with_account_name(account)
        .with_issuer(issuer)
        .build()
        .map_err(|_| Error::Broken("a TOTP secret is not one"))
}

/// A QR code as one SVG element: black on white in every theme, since scanners expect it.
fn qr_svg(text: &str) -> Result<String, Error> {
    const QUIET: usize = 4;
    let code =
        QrCode::new(text.as_bytes()).map_err(|_| Error::Broken("the address is too long for a QR code"))?;
    let width = code.width();
    let size = width + 2 * QUIET;
    let mut path = String::with_capacity(width * width * 6);
    for (at, color) in code.to_colors().into_iter().enumerate() {
        if color == Color::Dark {
            path.push_str(&format!("M{} {}h1v1h-1z", at % width + QUIET, at / width + QUIET));
        }
    }
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"qr\" viewBox=\"0 0 {size} {size}\" \
         shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{size}v{size}H0z\"/>\
         <path fill=\"#000\" d=\"{path}\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn codes_are_those_of_rfc_6238() {
        // Appendix B, SHA-1 column, last six digits.
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let now = Timestamp(0).plus_seconds(seconds);
            assert_eq!(check(SECRET, code, now).unwrap(), Some(seconds / 30), "{seconds}");
        }
    }

    #[test]
    fn a_code_is_good_for_one_step_on_either_side_and_no_further() {
        let of_step_two = "359152"; // RFC 4226, appendix D, count 2.
        let good: Vec<_> = (0..6)
            .filter(|step| {
                check(SECRET, of_step_two, Timestamp(0).plus_seconds(step * 30)).unwrap().is_some()
            })
            .collect();
        assert_eq!(good, [1, 2, 3]);
    }

    #[test]
    fn blanks_do_not_matter_and_anything_else_is_no_code() {
        let now = Timestamp(0).plus_seconds(59);
        assert!(check(SECRET, " 287 082 ", now).unwrap().is_some());
        for not in ["", "28708", "2870820", "28708a", "２８７０８２", "-87082", "+87082", &"2".repeat(1000)]
        {
            assert!(check(SECRET, not, now).unwrap().is_none(), "{not}");
        }
        assert!(check(SECRET, "287082", Timestamp(-1)).unwrap().is_none());
    }

    #[test]
    fn what_a_person_scans_is_the_key_uri_format() {
        let shown = pending(Secret::new("t".to_owned()), SECRET, "Ada: L", "Troth").unwrap();
        assert_eq!(
            shown.otpauth_uri.expose(),
            "otpauth://totp/Troth:Ada%20%20L?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Troth"
        );
        assert_eq!(shown.secret_base32.expose(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        assert!(shown.qr_svg.expose().starts_with("<svg ") && !shown.qr_svg.expose().contains("style"));
        assert!(!format!("{shown:?}").contains("GEZD"));
    }

    #[test]
    fn the_longest_name_still_fits_a_qr_code() {
        let name = "\u{1F600}".repeat(domain::name::MAX_CHARS);
        assert!(pending(Secret::new("t".to_owned()), SECRET, &name, "Troth").is_ok());
    }
}
