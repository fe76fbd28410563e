//! The headers every response carries: what browsers may do with it, and that nobody may keep it.

use axum::response::Response;
use domain::enforced;
use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::{
    Settings,
    edge::{Arrival, Nonce, answer::Caller, host, origin},
};

/// What a page's answer carries when the page has a microphone: the browser may give it one, and run the one script
/// of ours that handles sound beside the page (an audio worklet, which no nonce can be put on).
#[derive(Clone, Copy, Debug)]
pub struct Microphone;

/// What no page of ours may have, but for a microphone.
const DEVICES: &str = "accelerometer=(), autoplay=(), browsing-topics=(), camera=(), display-capture=(), geolocation=(), \
                       gyroscope=(), magnetometer=(), midi=(), payment=(), usb=()";

/// Headers that never change.
const ALWAYS: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    // Our own requests keep their Origin; other sites learn nothing, not even that we exist.
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// The name of the header that carries the request's id, the reference people quote.
pub const REQUEST_ID: &str = "x-request-id";

/// Puts the headers of this house on a response, over whatever a handler wrote.
pub fn put(response: &mut Response, caller: &Caller, arrival: &Arrival, settings: &Settings) {
    let microphone = response.extensions().get::<Microphone>().is_some();
    let headers = response.headers_mut();
    enforced!(WEB02);
    for (name, value) in ALWAYS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let (scripts, heard) = if microphone { (" 'self'", "(self)") } else { ("", "()") };
    set(headers, header::CONTENT_SECURITY_POLICY, &policy(&arrival.nonce, scripts));
    set(headers, HeaderName::from_static("permissions-policy"), &format!("{DEVICES}, microphone={heard}"));
    // Browsers keep this for the whole name, at every port: on `localhost` it would break the plain HTTP
    // servers of the machine's other users and programs.
    let is_ours_alone = caller.host.as_deref().is_some_and(host::is_public);
    if settings.hsts_seconds > 0 && is_ours_alone {
        set(headers, header::STRICT_TRANSPORT_SECURITY, &format!("max-age={}", settings.hsts_seconds));
    }
    set(headers, HeaderName::from_static(REQUEST_ID), &arrival.ctx.request.to_string());
    forget(headers, caller);
    share_nothing(headers);
    if let Some(cors) = &caller.cors {
        cors.put(headers);
    }
    if !settings.cors_origins.is_empty() && origin::is_api(&caller.path) {
        headers.append(header::VARY, HeaderValue::from_static("origin"));
    }
}

/// Nothing is kept by browsers or proxies, but files whose address is their hash.
fn forget(headers: &mut HeaderMap, caller: &Caller) {
    enforced!(WEB08);
    let hashed = caller.path.starts_with("/assets/") && headers.contains_key(header::CACHE_CONTROL);
    if !hashed {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// No other site's page may read us: whatever a handler thought, no CORS header of its own leaves.
fn share_nothing(headers: &mut HeaderMap) {
    enforced!(WEB09);
    let cors: Vec<HeaderName> =
        headers.keys().filter(|name| name.as_str().starts_with("access-control-")).cloned().collect();
    for name in cors {
        headers.remove(name);
    }
}

/// The content security policy: our own files, scripts only with this response's nonce or from `scripts`, and no text
/// becomes a script or markup without passing the one trusted-types policy `troth`.
fn policy(nonce: &Nonce, scripts: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}'{scripts}; style-src 'self'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types troth"
    )
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    // Every value here is made of ASCII of ours; one that is not is left out rather than half sent.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use domain::verifies;

    use super::*;

    #[test]
    fn what_a_handler_lets_other_sites_read_does_not_leave() {
        let _proof = verifies!(WEB09);
        let names = [
            header::ACCESS_CONTROL_ALLOW_ORIGIN,
            header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            header::CONTENT_TYPE,
        ];
        let mut headers: HeaderMap =
            names.into_iter().map(|name| (name, HeaderValue::from_static("*"))).collect();
        share_nothing(&mut headers);
        assert_eq!(headers.keys().collect::<Vec<_>>(), [header::CONTENT_TYPE]);
    }
}
