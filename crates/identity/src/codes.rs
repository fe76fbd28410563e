//! Codes a person may have to read or type: base32 (RFC 4648) in groups, forgiving when read back.
//!
//! Called for setup codes, recovery codes and the secret of an authenticator.

use domain::Secret;
use zeroize::Zeroizing;

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Longest text that is looked at when a code is read.
const MAX_TYPED: usize = 128;

/// `bytes` as base32 without padding; a last group of fewer than five bits is filled with zeros.
pub(crate) fn base32(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(bytes.len().div_ceil(5) * 8));
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in bytes {
        bits = (bits << 8 | u32::from(*byte)) & 0xFFFF;
        held += 8;
        while held >= 5 {
            held -= 5;
            text.push(letter(bits >> held));
        }
    }
    if held > 0 {
        text.push(letter(bits << (5 - held)));
    }
    text
}

fn letter(bits: u32) -> char {
    char::from(ALPHABET[(bits & 31) as usize])
}

/// `code` in groups of four with `between` between them.
pub(crate) fn grouped(code: &str, between: char) -> Secret<String> {
    let mut text = String::with_capacity(code.len() + code.len() / 4);
    for (at, letter) in code.chars().enumerate() {
        if at > 0 && at % 4 == 0 {
            text.push(between);
        }
        text.push(letter);
    }
    Secret::new(text)
}

/// What a person typed, as the code was made: upper case, without blanks and hyphens, and with the
/// digits that do not occur read as the letters they look like. `None` when it is not `length` long.
pub(crate) fn read(typed: &str, length: usize) -> Option<Zeroizing<String>> {
    if typed.len() > MAX_TYPED {
        return None;
    }
    let mut code = Zeroizing::new(String::with_capacity(MAX_TYPED));
    for typed in typed.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '–' | '_')) {
        code.push(match typed.to_ascii_uppercase() {
            '0' => 'O',
            '1' => 'I',
            '8' => 'B',
            other => other,
        });
    }
    let whole = code.len() == length && code.bytes().all(|b| ALPHABET.contains(&b));
    whole.then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base32_is_that_of_rfc_4648() {
        // Section 10 of the RFC, padding left out.
        for (plain, coded) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(*base32(plain.as_bytes()), coded);
        }
        assert_eq!(*base32(&[0xFF; 10]), "7777777777777777");
    }

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let code = grouped("ABCDOIB234567XYZ", '-');
        assert_eq!(code.expose(), "ABCD-OIB2-3456-7XYZ");
        for typed in ["ABCD-OIB2-3456-7XYZ", "abcd oib2 3456 7xyz", " abcd01823456 7XYZ "] {
            assert_eq!(read(typed, 16).as_deref().map(String::as_str), Some("ABCDOIB234567XYZ"), "{typed}");
        }
    }

    #[test]
    fn what_is_no_code_is_not_read() {
        for typed in ["", "ABCD", "ABCD-OIB2-3456-7XY9", "ÄBCD-OIB2-3456-7XYZ", &"A".repeat(1 << 20)] {
            assert!(read(typed, 16).is_none());
        }
    }
}
