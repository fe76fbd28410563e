//! Cookies that a request earned before its handler ran: the next pair of tokens.
//!
//! An extractor puts them in, the edge puts them on the response, whatever it is: a page, a stream, a
//! refusal. Invariants: a handler that begins or ends a session itself has the last word; an answer that took
//! so long that the browser may hold a later pair brings none.

use std::sync::{Arc, Mutex, PoisonError};

use axum::response::Response;
use domain::Timestamp;
use http::{HeaderValue, header};

use super::COOKIE;

/// The cookies of one request.
#[derive(Clone, Debug, Default)]
pub struct Jar(Arc<Mutex<Earned>>);

/// Cookies, and when they were made.
#[derive(Debug, Default)]
struct Earned {
    cookies: Vec<HeaderValue>,
    at: Timestamp,
}

impl Jar {
    /// Keeps `cookies` for the response, made at `at`.
    pub(super) fn put(&self, cookies: Vec<HeaderValue>, at: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Earned { cookies, at };
    }

    /// Puts them on the response, unless they were made longer than `grace_s` ago.
    pub fn pour(self, response: &mut Response, now: Timestamp, grace_s: i64) {
        let headers = response.headers_mut();
        let ours = |value: &HeaderValue| {
            value.as_bytes().strip_prefix(COOKIE.as_bytes()).is_some_and(|rest| rest.starts_with(b"="))
        };
        if headers.get_all(header::SET_COOKIE).iter().any(ours) {
            return;
        }
        let Earned { cookies, at } =
            std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if now.seconds_since(at) > grace_s {
            return;
        }
        for cookie in cookies {
            headers.append(header::SET_COOKIE, cookie);
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn poured(own: Option<&'static str>, after_s: i64) -> Vec<HeaderValue> {
        let (jar, made) = (Jar::default(), Timestamp(1_000_000_000));
        jar.put(vec![HeaderValue::from_static("__Host-troth=new")], made);
        let mut response = Response::new(Body::empty());
        if let Some(own) = own {
            response.headers_mut().append(header::SET_COOKIE, HeaderValue::from_static(own));
        }
        jar.pour(&mut response, made.plus_seconds(after_s), 30);
        response.headers().get_all(header::SET_COOKIE).iter().cloned().collect()
    }

    #[test]
    fn a_handler_that_ends_the_session_has_the_last_word() {
        assert_eq!(poured(None, 0), ["__Host-troth=new"]);
        assert_eq!(poured(Some("__Host-troth=; Max-Age=0"), 0), ["__Host-troth=; Max-Age=0"]);
    }

    #[test]
    fn an_answer_that_took_long_brings_no_old_pair() {
        assert_eq!(poured(None, 30), ["__Host-troth=new"]);
        assert_eq!(poured(None, 31), [""; 0], "the browser may hold a later one by now");
    }
}
