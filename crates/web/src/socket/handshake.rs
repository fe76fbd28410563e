//! The request that opens a socket: RFC 6455 §4.2, and where it comes from.

use axum::{body::Body, response::Response};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::enforced;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header, request::Parts};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::{Problem, edge::origin};

/// Most subprotocols that are looked at.
const MOST_OFFERED: usize = 16;

/// A request in order.
pub(super) struct Asked {
    accept: HeaderValue,
    offered: Vec<String>,
}

impl Asked {
    /// Looks at a request, and at where it comes from.
    ///
    /// # Errors
    /// A problem of the 400s.
    pub(super) fn of(parts: &Parts, listed: &[String]) -> Result<Self, Problem> {
        let Parts { method, version, headers, .. } = parts;
        let upgrades =
            names(headers, &header::CONNECTION, "upgrade") && names(headers, &header::UPGRADE, "websocket");
        if *method != Method::GET || *version != Version::HTTP_11 || !upgrades {
            return Err(no_upgrade());
        }
        if only(headers, &header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
            return Err(Problem::bad_request("This server speaks version 13 of the WebSocket protocol."));
        }
        let key = only(headers, &header::SEC_WEBSOCKET_KEY)
            .filter(|key| STANDARD.decode(key.as_bytes()).is_ok_and(|nonce| nonce.len() == 16));
        let accept = key.and_then(|key| HeaderValue::try_from(derive_accept_key(key.as_bytes())).ok());
        let accept = accept.ok_or_else(|| Problem::bad_request("The WebSocket key is not 16 bytes."))?;
        if !comes_from_a_friend(parts, listed) {
            enforced!(WEB15);
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "cross-site",
                "That came from somewhere else",
                "A page of another site may not open this. A program sends its key in `Authorization`, \
                 and no `Origin`.",
            ));
        }
        let lines = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
        let offered = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','));
        let offered = offered.map(|one| one.trim().to_owned()).take(MOST_OFFERED).collect();
        Ok(Self { accept, offered })
    }

    /// The answer that opens it, with the best of `protocols` that was offered. What else was offered is not
    /// said back: clients put keys there.
    pub(super) fn answer(self, protocols: &[&'static str]) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, self.accept);
        let chosen = protocols.iter().find(|ours| self.offered.iter().any(|theirs| theirs == *ours));
        if let Some(chosen) = chosen {
            headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(chosen));
        }
        response
    }
}

/// The request is none for a socket, or came over a connection that cannot become one.
pub(super) fn no_upgrade() -> Problem {
    Problem::new(
        StatusCode::UPGRADE_REQUIRED,
        "upgrade-required",
        "This is a WebSocket",
        "Open it as a WebSocket over HTTP/1.1 (RFC 6455).",
    )
}

/// Whether one of our own pages asks, a page of a listed origin on the API, or a program with its key. A
/// program has no origin, and a page cannot leave its own out. On the API, which looks at no cookie, the key may
/// also come as a subprotocol.
fn comes_from_a_friend(parts: &Parts, listed: &[String]) -> bool {
    let headers = &parts.headers;
    if !headers.contains_key(header::ORIGIN) {
        let offers = headers.contains_key(header::SEC_WEBSOCKET_PROTOCOL);
        return headers.contains_key(header::AUTHORIZATION) || (offers && origin::is_api(parts.uri.path()));
    }
    let Some(origin) = only(headers, &header::ORIGIN) else { return false };
    let is_listed = listed.iter().any(|one| one == origin) && origin::is_api(parts.uri.path());
    is_listed || origin::is_own(&parts.uri, headers)
}

/// The value of a header that is there once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// Whether a list in a header names something.
fn names(headers: &HeaderMap, name: &HeaderName, wanted: &str) -> bool {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|one| one.trim().eq_ignore_ascii_case(wanted))
}

#[cfg(test)]
mod tests {
    use domain::verifies;
    use http::Request;

    use super::*;

    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
    const OURS: &str = "https://localhost:8443";

    fn asked(path: &str, more: &[(&str, &str)]) -> Result<Asked, Problem> {
        let mut request = Request::builder().uri(path).header("host", "localhost:8443");
        let usual = [("connection", "keep-alive, Upgrade"), ("upgrade", "WebSocket")];
        for (name, value) in usual.iter().chain(more) {
            request = request.header(*name, *value);
        }
        Asked::of(&request.body(()).unwrap().into_parts().0, &["https://app.example".to_owned()])
    }

    fn from(path: &str, more: &[(&str, &str)]) -> bool {
        let sound = [("sec-websocket-version", "13"), ("sec-websocket-key", KEY)];
        asked(path, &[&sound, more].concat()).is_ok()
    }

    #[test]
    fn pages_of_ours_listed_origins_and_programs_may_ask_and_nobody_else() {
        let _proof = verifies!(WEB15);
        let key = ("authorization", "Bearer troth_x");
        assert!(from("/v1/x", &[key]) && from("/voice", &[("origin", OURS)]));
        assert!(from("/v1/x", &[("origin", "https://app.example")]));
        assert!(!from("/voice", &[("origin", "https://app.example")]), "a listed origin has the API alone");
        let offer = ("sec-websocket-protocol", "token, troth_x");
        assert!(from("/v1/x", &[offer]) && !from("/voice", &[offer]));
        for path in ["/voice", "/v1/x"] {
            assert!(!from(path, &[("cookie", "__Host-troth=x")]), "a cookie without an origin is no program");
        }
        for strange in
            ["https://evil.example", "http://localhost:8443", "https://localhost", "null", "", "file://"]
        {
            assert!(!from("/v1/x", &[("origin", strange), key]), "{strange:?}");
            assert!(!from("/voice", &[("origin", strange)]), "{strange:?}");
        }
        assert!(!from("/voice", &[("origin", OURS), ("origin", "https://evil.example")]));
    }

    #[test]
    fn what_is_no_sound_handshake_is_refused() {
        let (version, key) = (("sec-websocket-version", "13"), ("sec-websocket-key", KEY));
        let program = ("authorization", "Bearer troth_x");
        for broken in [
            vec![version],
            vec![key],
            vec![key, ("sec-websocket-version", "8")],
            vec![version, ("sec-websocket-key", "c2hvcnQ=")],
            vec![version, ("sec-websocket-key", "not base64!")],
            vec![version, key, key],
        ] {
            assert!(asked("/v1/x", &[broken, vec![program]].concat()).is_err());
        }
        let plain = Request::get("/v1/x").body(()).unwrap().into_parts().0;
        assert_eq!(Asked::of(&plain, &[]).err().unwrap().status, StatusCode::UPGRADE_REQUIRED);
    }

    #[test]
    fn the_best_offered_subprotocol_is_chosen_and_no_secret_said_back() {
        let answer = |offered: &str| {
            let sound = [
                ("sec-websocket-version", "13"),
                ("sec-websocket-key", KEY),
                ("origin", OURS),
                ("sec-websocket-protocol", offered),
            ];
            let answer = asked("/v1/x", &sound).ok().unwrap().answer(&["realtime", "token"]);
            assert_eq!(answer.headers()["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
            answer.headers().get("sec-websocket-protocol").map(|one| one.to_str().unwrap().to_owned())
        };
        assert_eq!(answer("token, realtime").as_deref(), Some("realtime"));
        assert_eq!(answer("token, troth_secret").as_deref(), Some("token"));
        assert_eq!(answer("troth_secret"), None);
    }
}
