//! Other origins whose pages may call the API: those that are listed, on `/v1` alone, with a key and never
//! with a cookie. By default there are none.

use axum::response::{IntoResponse, Response};
use domain::enforced;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};

use super::origin;

/// Longest list of headers a preflight may ask for, in bytes.
const LONGEST_ASKED: usize = 2048;
/// Seconds a browser may remember the answer to a preflight.
const REMEMBERED: HeaderValue = HeaderValue::from_static("600");
/// What a page may read besides the body.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "retry-after, x-request-id, ratelimit, ratelimit-policy, x-ratelimit-limit-requests, \
     x-ratelimit-remaining-requests, x-ratelimit-reset-requests",
);

/// What a listed origin asked for.
#[derive(Clone, Debug)]
pub struct Cors {
    origin: HeaderValue,
    /// The headers a preflight wants to send.
    asked: Option<HeaderValue>,
}

impl Cors {
    /// What `request` asks for, when it is for the API and its origin is listed.
    #[must_use]
    pub fn of<B>(request: &Request<B>, listed: &[String]) -> Option<Self> {
        let mut origins = request.headers().get_all(header::ORIGIN).iter();
        let origin = origins.next().filter(|_| origins.next().is_none())?;
        let is_listed = listed.iter().any(|one| one.as_bytes() == origin.as_bytes());
        if !origin::is_api(request.uri().path()) || !is_listed {
            enforced!(WEB09);
            return None;
        }
        let asked = is_preflight(request).then(|| tidy(request.headers()));
        Some(Self { origin: origin.clone(), asked: asked.flatten() })
    }

    /// Lets the origin read the answer: over whatever a handler wrote, and without its cookies.
    pub fn put(&self, headers: &mut HeaderMap) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, self.origin.clone());
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        if let Some(asked) = &self.asked {
            let methods = HeaderValue::from_static("GET, POST");
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, REMEMBERED);
        }
    }
}

/// Whether a browser asks before it sends the request itself.
pub fn is_preflight<B>(request: &Request<B>) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to a preflight; what it allows is put on by [`Cors::put`].
#[must_use]
pub fn answer() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// The headers a preflight asks for, those that are names and are no cookie.
fn tidy(headers: &HeaderMap) -> Option<HeaderValue> {
    let asked = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS);
    let asked = asked.and_then(|asked| asked.to_str().ok()).filter(|asked| asked.len() <= LONGEST_ASKED);
    let names =
        asked.unwrap_or_default().split(',').filter_map(|name| name.trim().parse::<HeaderName>().ok());
    let names: Vec<String> =
        names.filter(|name| *name != header::COOKIE).map(|name| name.as_str().to_owned()).collect();
    HeaderValue::try_from(names.join(", ")).ok()
}

#[cfg(test)]
mod tests {
    use domain::verifies;

    use super::*;

    const LISTED: &str = "https://app.example";

    fn told(method: &str, path: &str, headers: &[(&str, &str)]) -> Option<HeaderMap> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let cors = Cors::of(&request.body(()).unwrap(), &[LISTED.to_owned()])?;
        let mut headers = HeaderMap::new();
        cors.put(&mut headers);
        Some(headers)
    }

    #[test]
    fn a_listed_origin_reads_the_api_and_nothing_else_without_cookies() {
        let _proof = verifies!(WEB09);
        let told_it = told("POST", "/v1/chat/completions", &[("origin", LISTED)]).unwrap();
        assert_eq!(told_it["access-control-allow-origin"], LISTED);
        assert!(!told_it.contains_key("access-control-allow-credentials"));
        assert!(!told_it.contains_key("access-control-allow-headers"));
        for path in ["/chat", "/", "/account", "/v10", "/openapi.json"] {
            assert!(told("GET", path, &[("origin", LISTED)]).is_none(), "{path}");
        }
        for origin in
            ["https://app.example:444", "http://app.example", "https://app.example.evil", "null", "*"]
        {
            assert!(told("GET", "/v1/models", &[("origin", origin)]).is_none(), "{origin}");
        }
        assert!(told("GET", "/v1/models", &[]).is_none());
        assert!(told("GET", "/v1/models", &[("origin", LISTED), ("origin", LISTED)]).is_none());
    }

    #[test]
    fn a_preflight_may_ask_for_headers_and_never_for_cookies() {
        let asked = "Authorization, content-type, cookie, not a name, x-stainless-os";
        let preflight = [
            ("origin", LISTED),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", asked),
        ];
        let headers = told("OPTIONS", "/v1/models", &preflight).unwrap();
        assert_eq!(headers["access-control-allow-methods"], "GET, POST");
        assert_eq!(headers["access-control-allow-headers"], "authorization, content-type, x-stainless-os");
    }
}
