//! The plain listener, off unless configured. It leads people to HTTPS and refuses everything else:
//! a program that sent its key in the clear must learn so at once, not be sent on with it.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::Response,
};
use domain::enforced;
use http::{HeaderValue, Method, StatusCode, header};
use tokio_util::sync::CancellationToken;

use super::{House, Limits};
use crate::{
    Problem,
    edge::{host, origin},
};

/// Where the plain listener leads.
#[derive(Clone, Debug)]
pub struct Target {
    /// The port of the HTTPS listener.
    pub port: u16,
    /// The names we answer to; a request for another is not led anywhere.
    pub hosts: Vec<String>,
}

/// Answers plain HTTP on `sockets` with redirects and refusals until `shutdown`.
///
/// # Errors
/// When a socket cannot be given to the runtime.
pub async fn serve(
    sockets: Vec<std::net::TcpListener>,
    target: Target,
    limits: Limits,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let router = Router::new().fallback(lead).with_state(Arc::new(target));
    House::new(None, router, limits, shutdown).open(sockets).await
}

async fn lead(State(target): State<Arc<Target>>, request: Request) -> Response {
    if let Err(problem) = host::check(&request, &target.hosts) {
        return refuse(&problem);
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let secret = request.headers().contains_key(header::AUTHORIZATION);
    if origin::is_api(request.uri().path()) || !reads || secret {
        enforced!(WEB01);
        return refuse(&Problem::new(
            StatusCode::FORBIDDEN,
            "https-only",
            "HTTPS only",
            "Nothing was done. Send it to the https:// address; if it carried a key, make a new key first.",
        ));
    }
    match location(&target, &request) {
        Some(location) => {
            enforced!(WEB01);
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
            response.headers_mut().insert(header::LOCATION, location);
            plain_headers(response)
        }
        None => refuse(&Problem::not_found()),
    }
}

/// The same page on the same host by HTTPS.
fn location(target: &Target, request: &Request) -> Option<HeaderValue> {
    let host = host::named(request.uri(), request.headers())?;
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let port = if target.port == 443 { String::new() } else { format!(":{}", target.port) };
    let path = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    // A path like `*` or one without its slash could name another host when joined.
    let path = if path.starts_with('/') { path } else { "/" };
    HeaderValue::try_from(format!("https://{host}{port}{path}")).ok()
}

fn refuse(problem: &Problem) -> Response {
    let body = serde_json::json!({
        "type": format!("/problems/{}", problem.code),
        "title": problem.title,
        "status": problem.status.as_u16(),
        "detail": problem.detail,
    });
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = problem.status;
    let kind = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    plain_headers(response)
}

/// What even a redirect says: do not keep it, do not guess at it, run nothing.
fn plain_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

#[cfg(test)]
mod tests {
    use domain::verifies;

    use super::*;

    async fn ask(method: &str, uri: &str, headers: &[(&str, &str)]) -> (u16, Option<String>) {
        let target = Target { port: 8443, hosts: vec!["localhost".into(), "::1".into()] };
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = lead(State(Arc::new(target)), request.body(Body::empty()).unwrap()).await;
        let location = response.headers().get(header::LOCATION).map(|to| to.to_str().unwrap().to_owned());
        (response.status().as_u16(), location)
    }

    #[tokio::test]
    async fn pages_are_led_to_the_same_place_by_https() {
        let _proof = verifies!(WEB01);
        let asked = ask("GET", "/chat?x=1", &[("host", "localhost:8080")]).await;
        assert_eq!(asked, (308, Some("https://localhost:8443/chat?x=1".into())));
        let asked = ask("HEAD", "/", &[("host", "[::1]:8080")]).await;
        assert_eq!(asked, (308, Some("https://[::1]:8443/".into())));
    }

    #[tokio::test]
    async fn the_api_and_every_write_are_refused_and_never_led_on() {
        let _proof = verifies!(WEB01);
        let host = ("host", "localhost");
        assert_eq!(ask("GET", "/v1/models", &[host]).await, (403, None));
        assert_eq!(ask("POST", "/v1/chat/completions", &[host]).await, (403, None));
        assert_eq!(ask("POST", "/sign-in", &[host]).await, (403, None));
        assert_eq!(ask("GET", "/", &[host, ("authorization", "Bearer troth_x")]).await, (403, None));
        assert_eq!(ask("GET", "/", &[("host", "evil.example")]).await, (421, None));
        assert_eq!(ask("GET", "/", &[]).await, (421, None));
        assert_eq!(
            ask("GET", "//evil.example/x", &[host]).await.1.unwrap(),
            "https://localhost:8443//evil.example/x"
        );
    }
}
