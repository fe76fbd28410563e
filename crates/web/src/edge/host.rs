//! Which names we answer to. A page elsewhere that rebinds its own name to our address gets nothing.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use domain::enforced;
use http::{HeaderMap, Request, StatusCode, Uri, header, request::Parts};

use crate::Problem;

/// Refuses a request that names another host than ours, by `Host` or by HTTP/2's `:authority`.
///
/// # Errors
/// A 421 problem (RFC 9110 §15.5.20).
pub fn check<B>(request: &Request<B>, allowed: &[String]) -> Result<(), Problem> {
    match named(request.uri(), request.headers()) {
        Some(name) if allowed.iter().any(|host| host.eq_ignore_ascii_case(&name)) => Ok(()),
        _ => {
            enforced!(WEB03);
            Err(Problem::new(
                StatusCode::MISDIRECTED_REQUEST,
                "unknown-host",
                "Not known by that name",
                "This server does not answer to the host name of this request. \
                 Whoever runs it can add the name under `[web] hosts`.",
            ))
        }
    }
}

/// The host name a request was sent to, which the edge has let pass; empty where the edge was left out.
#[derive(Clone, Debug)]
pub struct Asked(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(named(&parts.uri, &parts.headers).unwrap_or_default()))
    }
}

/// Whether `name`, without port and brackets, can belong to this server alone. Names of the machine itself
/// and addresses are shared with whatever else runs there.
#[must_use]
pub fn is_public(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let local = name == "localhost" || name.ends_with(".localhost");
    !local && !name.is_empty() && name.parse::<std::net::IpAddr>().is_err()
}

/// The one host a request names, without port and brackets. Several, or none, name nothing.
pub(crate) fn named(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let mut name: Option<String> = uri.authority().and_then(|authority| bare(authority.as_str()));
    if uri.authority().is_some() && name.is_none() {
        return None;
    }
    let mut hosts = headers.get_all(header::HOST).iter();
    if let Some(host) = hosts.next() {
        let host = bare(host.to_str().ok()?)?;
        if name.as_ref().is_some_and(|name| *name != host) || hosts.next().is_some() {
            return None;
        }
        name = Some(host);
    }
    name
}

/// `localhost:8443` → `localhost`, `[::1]:8443` → `::1`. User names and empty names are refused.
fn bare(authority: &str) -> Option<String> {
    let (host, rest) = match authority.strip_prefix('[') {
        Some(inner) => inner.split_once(']')?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port_is_fine = match rest.strip_prefix(':') {
        Some(port) => !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()),
        None => rest.is_empty(),
    };
    let host_is_fine = !host.is_empty() && !host.contains(['@', '/', '%']);
    (port_is_fine && host_is_fine).then(|| host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use domain::verifies;

    use super::*;

    fn allowed() -> Vec<String> {
        vec!["localhost".into(), "127.0.0.1".into(), "::1".into(), "Troth.Example".into()]
    }

    fn asks(uri: &str, hosts: &[&str]) -> bool {
        let mut request = Request::builder().uri(uri);
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        check(&request.body(()).unwrap(), &allowed()).is_ok()
    }

    #[test]
    fn our_own_names_are_answered_at_any_port() {
        for host in
            ["localhost", "localhost:8443", "LOCALHOST:1", "127.0.0.1:8443", "[::1]:8443", "troth.example"]
        {
            assert!(asks("/", &[host]), "{host}");
        }
        assert!(asks("https://localhost:8443/", &[]), "HTTP/2 names the host in :authority");
        assert!(asks("https://localhost:8443/", &["localhost:8443"]));
    }

    #[test]
    fn every_other_name_is_refused() {
        let _proof = verifies!(WEB03);
        let strange = [
            "evil.example",
            "localhost.evil.example",
            "localhost.",
            "",
            ":8443",
            "localhost:",
            "localhost:x",
            "a@localhost",
            "[::1",
            "[::1]x",
            "::1",
            "127.1",
            "0.0.0.0",
            "localhost/evil",
        ];
        for host in strange {
            assert!(!asks("/", &[host]), "{host}");
        }
        assert!(!asks("/", &[]), "a request must name a host");
        assert!(!asks("https://evil.example/", &["localhost"]), "the two names must agree");
        assert!(!asks("https://localhost/", &["evil.example"]));
        assert!(!asks("/", &["localhost", "localhost"]), "one name, once");
    }
    #[test]
    fn names_of_the_machine_itself_are_not_public() {
        for name in
            ["localhost", "LOCALHOST", "localhost.", "a.localhost", "127.0.0.1", "::1", "192.0.2.7", ""]
        {
            assert!(!is_public(name), "{name}");
        }
        for name in ["troth.example", "notlocalhost", "localhost.example"] {
            assert!(is_public(name), "{name}");
        }
    }
}
