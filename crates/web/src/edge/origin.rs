//! Whose page is asking. Writes come from our own pages alone; reads of ours cannot be embedded elsewhere.
//!
//! `/v1` is not ours to guard here: it knows no cookie, so another site's page has nothing to borrow.

use domain::enforced;
use http::{HeaderMap, Method, Request, StatusCode, Uri, header};

use crate::{
    Problem,
    edge::{
        cors::{self, Cors},
        host,
    },
};

/// Refuses preflights of origins that are not `listed`, writes from other sites, and other sites' pages that
/// embed ours.
///
/// # Errors
/// A 403 problem.
pub fn check<B>(request: &Request<B>, listed: &[String]) -> Result<(), Problem> {
    let headers = request.headers();
    if cors::is_preflight(request) && Cors::of(request, listed).is_none() {
        enforced!(WEB09);
        return Err(refusal("This server answers no page of another site."));
    }
    if is_api(request.uri().path()) || is_scim(request.uri().path()) {
        return Ok(());
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    match (reads, site(headers)) {
        (false, Site::Same) | (true, Site::Same | Site::None | Site::Untold) => Ok(()),
        (false, Site::Untold) if is_own(request.uri(), headers) => Ok(()),
        (true, Site::Other) if is_navigation(headers) && is_page(request.uri().path()) => Ok(()),
        _ => {
            enforced!(WEB04);
            Err(refusal("Only this server's own pages may do this. Open the page here and try again."))
        }
    }
}

/// Whether a path belongs to the API for programs.
#[must_use]
pub fn is_api(path: &str) -> bool {
    path == "/v1" || path.starts_with("/v1/")
}

/// Whether a path belongs to provisioning, which like `/v1` knows no cookie.
#[must_use]
pub fn is_scim(path: &str) -> bool {
    path == "/scim/v2" || path.starts_with("/scim/v2/")
}

/// Whether a path is somewhere people go. What scripts ask for is not: a link on another site to an
/// export would put somebody's conversations on their disk, unasked.
fn is_page(path: &str) -> bool {
    !path.starts_with("/chat/api/")
}

fn refusal(detail: &'static str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "cross-site", "That came from somewhere else", detail)
}

/// What the browser says about the page behind a request (Fetch Metadata).
enum Site {
    Same,
    Other,
    /// Typed by the person, or opened from outside the browser.
    None,
    /// Not a browser, or an old one.
    Untold,
}

fn site(headers: &HeaderMap) -> Site {
    match headers.get("sec-fetch-site").map(http::HeaderValue::as_bytes) {
        None => Site::Untold,
        Some(b"same-origin") => Site::Same,
        Some(b"none") => Site::None,
        Some(_) => Site::Other,
    }
}

/// Following a link to us is not embedding us.
fn is_navigation(headers: &HeaderMap) -> bool {
    let says = |name: &str, value: &str| headers.get(name).is_some_and(|found| found == value);
    says("sec-fetch-mode", "navigate") && says("sec-fetch-dest", "document")
}

/// Whether `Origin` names the very host and port the request was sent to, over HTTPS.
#[must_use]
pub fn is_own(uri: &Uri, headers: &HeaderMap) -> bool {
    let asked = uri.authority().map(http::uri::Authority::as_str);
    let asked = asked.or_else(|| headers.get(header::HOST)?.to_str().ok());
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    let known = host::named(uri, headers).is_some();
    match (origin.and_then(|origin| origin.strip_prefix("https://")), asked) {
        (Some(origin), Some(asked)) => known && origin.eq_ignore_ascii_case(asked),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use domain::verifies;

    use super::*;

    fn asks(method: &str, path: &str, headers: &[(&str, &str)]) -> bool {
        let mut request = Request::builder().method(method).uri(path).header("host", "localhost:8443");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        check(&request.body(()).unwrap(), &["https://app.example".to_owned()]).is_ok()
    }

    #[test]
    fn writes_come_from_our_own_pages_alone() {
        let _proof = verifies!(WEB04);
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            assert!(asks(method, "/sign-in", &[("sec-fetch-site", "same-origin")]));
            assert!(asks(method, "/sign-in", &[("sec-fetch-site", "same-origin"), ("origin", "null")]));
            assert!(asks(method, "/sign-in", &[("origin", "https://localhost:8443")]));
            for told in ["cross-site", "same-site", "none", "SAME-ORIGIN", ""] {
                let both = [("sec-fetch-site", told), ("origin", "https://localhost:8443")];
                assert!(!asks(method, "/sign-in", &both), "{method} {told:?}");
            }
            for origin in ["https://evil.example", "http://localhost:8443", "https://localhost", "null", ""] {
                assert!(!asks(method, "/sign-in", &[("origin", origin)]), "{method} {origin:?}");
            }
            assert!(!asks(method, "/sign-in", &[]), "saying nothing is not enough to write");
        }
    }

    #[test]
    fn our_pages_can_be_linked_to_and_not_embedded() {
        let _proof = verifies!(WEB04);
        let link = [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        let frame =
            [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")];
        let image =
            [("sec-fetch-site", "same-site"), ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")];
        assert!(asks("GET", "/chat", &link));
        assert!(!asks("GET", "/chat", &frame));
        assert!(!asks("GET", "/chat", &image));
        assert!(!asks("GET", "/chat/api/export?format=json", &link), "another site may not start a download");
        for ours in ["same-origin", "none"] {
            assert!(asks("GET", "/chat/api/export?format=json", &[("sec-fetch-site", ours)]), "{ours}");
        }
        assert!(asks("GET", "/chat", &[]) && asks("GET", "/chat", &[("sec-fetch-site", "none")]));
    }

    #[test]
    fn no_preflight_is_answered_but_of_a_listed_origin_on_the_api() {
        let _proof = verifies!(WEB09);
        let preflight = [("origin", "https://evil.example"), ("access-control-request-method", "POST")];
        assert!(!asks("OPTIONS", "/v1/chat/completions", &preflight));
        assert!(!asks("OPTIONS", "/sign-in", &preflight));
        let listed = [("origin", "https://app.example"), ("access-control-request-method", "POST")];
        assert!(asks("OPTIONS", "/v1/chat/completions", &listed));
        assert!(!asks("OPTIONS", "/sign-in", &listed));
        assert!(asks("POST", "/v1/chat/completions", &[]), "a program needs no origin");
        assert!(!asks("POST", "/v10", &[]), "only /v1 is the API");
        assert!(asks("POST", "/scim/v2/Users", &[]), "nor does a directory");
        assert!(!asks("POST", "/scim/v20", &[]) && !asks("OPTIONS", "/scim/v2/Users", &preflight));
    }
}
