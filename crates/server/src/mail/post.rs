//! The way to the mail server: SMTP (RFC 5321) under TLS, with a verified certificate.
//!
//! Made from `[mail]` by the instance and by the check of it. Invariant: without TLS nothing leaves but to
//! this machine itself; what fails is told in our own words, never the server's, which may repeat addresses.

use std::{
    error::Error as _,
    time::{Duration, UNIX_EPOCH},
};

use domain::{Timestamp, enforced, id::MailId};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, CertificateStore, Tls, TlsParameters, TlsVersion},
        extension::ClientId,
    },
};
use store::outbox::Letter;

use super::words;
use crate::{
    config::{MailSection, MailTls},
    failure::{Exit, Failure},
};

/// Longest the mail server may be silent.
const PATIENCE: Duration = Duration::from_secs(30);

/// How handing over one mail went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The server took it.
    Sent,
    /// It will never take it.
    Refused(String),
    /// It may take it another time.
    Later(String),
}

/// The way to the mail server.
#[derive(Clone)]
pub(crate) struct Post {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    /// Where links lead, e.g. `https://troth.example`.
    links: String,
    /// What this instance is called.
    issuer: String,
}

impl Post {
    /// The way that `section` describes; `None` when it names no server.
    ///
    /// # Errors
    /// [`Exit::Configuration`] when the authority's file cannot be read or is none.
    pub(crate) fn new(section: &MailSection, links: String, issuer: String) -> Result<Option<Self>, Failure> {
        let (Some(server), Some(from)) = (&section.server, section.from()) else { return Ok(None) };
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server)
            .port(section.port())
            .timeout(Some(PATIENCE))
            .hello_name(ClientId::Domain(host(&links).to_owned()))
            .tls(tls(section, server)?);
        if let (Some(user), Some(password)) = (&section.user, &section.password) {
            transport = transport.credentials(Credentials::new(user.clone(), password.expose().clone()));
        }
        Ok(Some(Self { transport: transport.build(), from, links, issuer }))
    }

    /// Hands over `letter`. `id` becomes its Message-ID, so that a repeated one is known as such.
    pub(crate) async fn send(&self, id: MailId, queued: Timestamp, letter: &Letter) -> Outcome {
        let Some(message) = self.message(id, queued, letter) else {
            return Outcome::Refused("it could not be put into the form of an e-mail".to_owned());
        };
        match self.transport.send(message).await {
            Ok(_) => Outcome::Sent,
            Err(error) => outcome(&error),
        }
    }

    /// Connects, goes under TLS and signs in, and sends nothing.
    ///
    /// # Errors
    /// What stands in the way, in our words.
    pub(crate) async fn knock(&self) -> Result<(), String> {
        match self.transport.test_connection().await {
            Ok(true) => Ok(()),
            Ok(false) => Err("the mail server answers, and does not take part".to_owned()),
            Err(error) => Err(why(&error)),
        }
    }

    fn message(&self, id: MailId, queued: Timestamp, letter: &Letter) -> Option<Message> {
        let worded = words::worded(&letter.mail, &letter.language, &self.links, &self.issuer);
        let date = UNIX_EPOCH + Duration::from_secs(u64::try_from(queued.seconds()).unwrap_or(0));
        // RFC 3834: nobody's holiday notice answers it.
        let automatic =
            HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
        Message::builder()
            .message_id(Some(format!("<{id}@{}>", host(&self.links))))
            .date(date)
            .from(self.from.clone())
            .to(Mailbox::new(None, letter.to.as_str().parse().ok()?))
            .subject(worded.subject.clone())
            .raw_header(automatic)
            .multipart(MultiPart::alternative_plain_html(worded.plain(), worded.html()))
            .ok()
    }
}

/// TLS as the section asks for it; without it only to this machine, which the configuration has checked.
fn tls(section: &MailSection, server: &str) -> Result<Tls, Failure> {
    let broken = |what: &str| {
        Failure::new(Exit::Configuration, format!("`mail.ca_file` {what}."))
            .then("It takes a PEM file with the authority that signed the mail server's certificate.")
    };
    let mut parameters = TlsParameters::builder(server.to_owned()).set_min_tls_version(TlsVersion::Tlsv12);
    if let Some(file) = &section.ca_file {
        let pem = std::fs::read(file).map_err(|_| broken("cannot be read"))?;
        let authority = Certificate::from_pem(&pem).map_err(|_| broken("holds no certificate"))?;
        parameters = parameters.certificate_store(CertificateStore::None).add_root_certificate(authority);
    } else {
        parameters = parameters.certificate_store(CertificateStore::WebpkiRoots);
    }
    let parameters = parameters.build_rustls().map_err(|_| broken("holds no certificate we can use"))?;
    let around: fn(TlsParameters) -> Tls = match section.tls {
        MailTls::Starttls => Tls::Required,
        MailTls::Implicit => Tls::Wrapper,
        MailTls::NoneOnLoopback => return Ok(Tls::None),
    };
    enforced!(MAI01);
    Ok(around(parameters))
}

/// What a failure means for the mail. What the server has against us (the sign-in, TLS, a greeting) may be
/// mended; what it has against this mail (a 5xx about the recipient or the message) will not change.
fn outcome(error: &lettre::transport::smtp::Error) -> Outcome {
    let about_us = error
        .status()
        .is_some_and(|code| [502, 503, 504, 521, 530, 534, 535, 538].contains(&u16::from(code)));
    if error.is_permanent() && !about_us { Outcome::Refused(why(error)) } else { Outcome::Later(why(error)) }
}

fn why(error: &lettre::transport::smtp::Error) -> String {
    if let Some(code) = error.status() {
        let code = u16::from(code);
        let what = match code {
            530 | 534 | 535 | 538 => "does not accept our user and password",
            550 | 551 | 553 => "knows no such recipient, or takes nothing for it from us",
            552 | 452 => "has no room for it",
            400..=499 => "asks to try again later",
            _ => "refused it",
        };
        return format!("the mail server {what} ({code})");
    }
    let what = if failed_in_tls(error) {
        "its certificate could not be verified, or TLS failed"
    } else if error.is_timeout() {
        "it did not answer in time"
    } else if error.is_client() {
        "it offers nothing we can use: check `mail.tls`, `mail.user` and `mail.password`"
    } else {
        "it could not be reached, or the connection broke off"
    };
    format!("the mail server: {what}")
}

/// Whether TLS stood in the way. With STARTTLS a refused certificate arrives as an error of the connection,
/// with the reason below it.
fn failed_in_tls(error: &lettre::transport::smtp::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = error.source();
    while let Some(one) = cause {
        let inside = one.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if one.is::<rustls::Error>() || inside.is_some_and(|inside| inside.is::<rustls::Error>()) {
            return true;
        }
        cause = one.source();
    }
    error.is_tls()
}

/// The host in an address of ours.
fn host(links: &str) -> &str {
    let rest = links.strip_prefix("https://").unwrap_or(links);
    let end = rest.rfind(':').filter(|at| rest[*at + 1..].bytes().all(|byte| byte.is_ascii_digit()));
    rest[..end.unwrap_or(rest.len())].trim_matches(['[', ']'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_a_link_is_its_name_alone() {
        for (link, name) in [
            ("https://troth.example", "troth.example"),
            ("https://localhost:8443", "localhost"),
            ("https://[::1]:8443", "::1"),
        ] {
            assert_eq!(host(link), name);
        }
    }
}
