//! The HTTP clients of this room: where they may go and what they trust.
//!
//! TLS verified by default, no redirects, no proxies of the environment, plain HTTP to this machine alone.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
    time::Duration,
};

use domain::enforced;
use reqwest::{Certificate, Client, ClientBuilder, Url, redirect};

use crate::Error;

/// How long an unused connection is kept for the next question.
const KEEP_ALIVE: Duration = Duration::from_secs(90);
/// Largest file of certificates that is read.
const MAX_CA_BYTES: u64 = 1024 * 1024;
/// Most redirects on the way to a model file.
const MAX_REDIRECTS: usize = 5;

/// Reads an address that requests will be sent to.
///
/// # Errors
/// [`Error::Config`] naming `name` when it is not `https`, or `http` to loopback with `allow_plain`,
/// or carries a name and password, a query or a fragment.
pub(crate) fn checked_url(name: &str, text: &str, allow_plain: bool) -> Result<Url, Error> {
    let refuse = |why: &str| Error::Config { why: format!("the address of `{name}` {why}") };
    let url = Url::parse(text.trim_end_matches('/'))
        .map_err(|_| refuse("is not an address like https://host/v1"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("carries a name or password; put the key into `api_key`"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refuse("carries a query or fragment; leave it out"));
    }
    let local = is_loopback(&url);
    match url.scheme() {
        "https" => Ok(url),
        "http" if local && allow_plain => Ok(url),
        "http" if local => Err(refuse("is plain http; set `allow_plain_http_loopback` if that is meant")),
        _ => {
            enforced!(MOD02);
            Err(refuse("must begin with https://; plain http is for this machine alone"))
        }
    }
}

/// Whether `url` names this machine itself.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// A client with our habits, which follows no redirects. `ca_file` replaces the public certificate
/// authorities.
pub(crate) fn client(connect: Duration, ca_file: Option<&Path>) -> Result<Client, Error> {
    let Some(path) = ca_file else { return build(|| builder(connect)) };
    let unusable = |_| Error::Config { why: format!("the CA file {} is not a PEM file", path.display()) };
    let certificates = Certificate::from_pem_bundle(&read_ca(path)?).map_err(unusable)?;
    builder(connect).tls_certs_only(certificates).build().map_err(unusable)
}

/// A client for model files: it follows redirects, as hubs send one on to where their files lie, but
/// to safe addresses only. It never carries a key.
pub(crate) fn following_client(connect: Duration, allow_plain: bool) -> Result<Client, Error> {
    let policy = move || {
        redirect::Policy::custom(move |attempt| {
            let url = attempt.url();
            let safe = url.scheme() == "https" || allow_plain && url.scheme() == "http" && is_loopback(url);
            if safe && attempt.previous().len() <= MAX_REDIRECTS { attempt.follow() } else { attempt.stop() }
        })
    };
    build(|| builder(connect).redirect(policy()))
}

/// Builds with the machine's certificates, or, on a machine that has none, with those of the
/// browsers' common programme.
fn build(builder: impl Fn() -> ClientBuilder) -> Result<Client, Error> {
    builder().build().or_else(|_| {
        let failed = |_| Error::Config { why: "the HTTP client cannot be made on this machine".to_owned() };
        let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
        let roots =
            roots.map(|der| Certificate::from_der(der)).collect::<Result<Vec<_>, _>>().map_err(failed)?;
        builder().tls_certs_only(roots).build().map_err(failed)
    })
}

fn builder(connect: Duration) -> ClientBuilder {
    // The server installs the provider first thing; elsewhere this does. A second time changes nothing.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let v4 = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
    let v6 = SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 0);
    Client::builder()
        .user_agent(concat!("troth/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(connect)
        .redirect(redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .tcp_nodelay(true)
        .tcp_keepalive(Duration::from_secs(30))
        .pool_idle_timeout(KEEP_ALIVE)
        .tls_version_min(reqwest::tls::Version::TLS_1_2)
        // Whatever the resolver says, this name is this machine.
        .resolve_to_addrs("localhost", &[v4, v6])
}

fn read_ca(path: &Path) -> Result<Vec<u8>, Error> {
    let too_large = std::fs::metadata(path).is_ok_and(|facts| facts.len() > MAX_CA_BYTES);
    let bytes = if too_large { None } else { std::fs::read(path).ok() };
    bytes.ok_or_else(|| Error::Config { why: format!("the CA file {} cannot be read", path.display()) })
}

#[cfg(test)]
mod tests {
    use domain::verifies;

    use super::*;

    #[test]
    fn only_safe_addresses_are_taken() {
        let _proof = verifies!(MOD02);
        for good in ["https://models.example/v1", "https://10.0.0.7:8000/v1/"] {
            assert!(checked_url("x", good, false).is_ok(), "{good}");
        }
        for good in ["http://127.0.0.1:9/v1", "http://[::1]:9", "http://localhost:9/v1"] {
            assert!(checked_url("x", good, true).is_ok(), "{good}");
            assert!(checked_url("x", good, false).is_err(), "{good} without leave");
        }
        for bad in [
            "http://models.example/v1",
            "http://127.0.0.1.example/v1",
            "http://localhost.example/v1",
            "http://192.168.1.5/v1",
            "ftp://models.example",
            "https://me:secret@models.example/v1",
            "https://models.example/v1?key=secret",
            "models.example",
        ] {
            let error = checked_url("x", bad, true).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
