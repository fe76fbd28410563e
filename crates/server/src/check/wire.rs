//! What goes over the wire: TLS 1.3 alone, a fresh certificate, nothing in the clear.

use assure::Unanswered;
use domain::{Control, Ctx, check::Finding};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use web::listener::probe::{OldTls, old_tls};

use super::{judge, probe};
use crate::{instance::Face, tls::Facts};

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

pub(super) async fn only_tls_1_3(face: Face, ctx: Ctx) -> Result<Finding, Unanswered> {
    let answer = old_tls(probe::local(&face)?).await?;
    let probe = probe::Probe::of(&face)?;
    let response = probe.get("/healthz").send().await;
    let wrong = match (answer, response) {
        (OldTls::Accepted, _) => Some("A client that speaks TLS 1.2 was let in.".to_owned()),
        (_, Err(_)) => Some("A client that speaks TLS 1.3 was not let in.".to_owned()),
        (OldTls::Refused | OldTls::HungUp, Ok(_)) => None,
    };
    let good = "A client that speaks TLS 1.2 was refused, one that speaks TLS 1.3 was answered.";
    Ok(judge(Control::CRY04, &ctx, wrong, good).fact("answer to TLS 1.2", format!("{answer:?}")))
}

pub(super) async fn the_certificate_is_fresh(face: Face, ctx: Ctx) -> Result<Finding, Unanswered> {
    // The probe trusts this very certificate alone, so an answer shows that it is the one in use.
    probe::Probe::of(&face)?.get("/healthz").send().await?;
    let current = face.certificate.current();
    let facts = current.cert.first().and_then(Facts::read);
    let facts = facts.ok_or_else(|| Unanswered::because("the certificate cannot be read"))?;
    let most = face.config.numbers.certificate_days;
    let left = facts.not_after.seconds_since(ctx.now()) / 86_400;
    let wrong = if facts.days() > most {
        Some(format!("The certificate is valid for {} days, more than {most}.", facts.days()))
    } else if left < 1 {
        Some("The certificate ends within a day or has ended; it was not renewed.".to_owned())
    } else if !facts.covers(&face.config.web.all_hosts()) && face.config.web.certificate.is_none() {
        Some("The certificate does not name every host the instance answers to.".to_owned())
    } else {
        None
    };
    let good = "The certificate in use is short-lived, names every host, and is not near its end.";
    Ok(judge(Control::CRY05, &ctx, wrong, good).fact("days in all", facts.days()).fact("days left", left))
}

pub(super) async fn plain_http_serves_nothing(face: Face, ctx: Ctx) -> Result<Finding, Unanswered> {
    let Some(address) = face.redirects.first() else {
        let why = "There is no plain listener; the TLS listener answers nothing in the clear.";
        let answer = clear(probe::local(&face)?, "GET / HTTP/1.1").await?;
        let wrong = answer.starts_with("HTTP/").then(|| "The TLS listener answered in the clear.".to_owned());
        return Ok(judge(Control::WEB01, &ctx, wrong, why));
    };
    let mut wrong = None;
    for (line, expected) in [
        ("GET / HTTP/1.1", "HTTP/1.1 308"),
        ("GET /v1/models HTTP/1.1", "HTTP/1.1 403"),
        ("POST /sign-in HTTP/1.1", "HTTP/1.1 403"),
    ] {
        let answer = clear(*address, line).await?;
        let elsewhere =
            expected.ends_with("308") && !answer.to_lowercase().contains("\nlocation: https://localhost");
        if !answer.starts_with(expected) || elsewhere {
            wrong = Some(format!("The plain listener answered `{line}` otherwise than it must."));
        }
    }
    Ok(judge(Control::WEB01, &ctx, wrong, "The plain listener led a page to HTTPS and refused the API."))
}

/// What comes back, in the clear, for one request in the clear.
async fn clear(address: std::net::SocketAddr, line: &str) -> Result<String, Unanswered> {
    let ask = async {
        let mut stream = TcpStream::connect(address).await?;
        let request = format!("{line}\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        // A TLS listener that hangs up at once has answered as well.
        let _ = stream.read_to_end(&mut answer).await;
        Ok::<_, std::io::Error>(String::from_utf8_lossy(&answer).into_owned())
    };
    Ok(timeout(PATIENCE, ask).await.map_err(|_| Unanswered::because("no answer within five seconds"))??)
}
