//! Cookies that a request earned before its handler ran: the next pair of tokens.
//!
//! An extractor puts them in, the edge puts them on the response, whatever it is: a page, a stream, a
//! refusal. Invariant: a handler that begins or ends a session itself has the last word.

use std::sync::{Arc, Mutex, PoisonError};

use axum::response::Response;
use http::{HeaderValue, header};

use super::COOKIE;

/// The cookies of one request.
#[derive(Clone, Debug, Default)]
pub struct Jar(Arc<Mutex<Vec<HeaderValue>>>);

impl Jar {
    /// Keeps `cookies` for the response.
    pub(super) fn put(&self, cookies: Vec<HeaderValue>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = cookies;
    }

    /// Puts them on the response.
    pub fn pour(self, response: &mut Response) {
        let headers = response.headers_mut();
        let ours = |value: &HeaderValue| {
            value.as_bytes().strip_prefix(COOKIE.as_bytes()).is_some_and(|rest| rest.starts_with(b"="))
        };
        if headers.get_all(header::SET_COOKIE).iter().any(ours) {
            return;
        }
        for cookie in std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)) {
            headers.append(header::SET_COOKIE, cookie);
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn poured(own: Option<&'static str>) -> Vec<HeaderValue> {
        let jar = Jar::default();
        jar.put(vec![HeaderValue::from_static("__Host-troth=new")]);
        let mut response = Response::new(Body::empty());
        if let Some(own) = own {
            response.headers_mut().append(header::SET_COOKIE, HeaderValue::from_static(own));
        }
        jar.pour(&mut response);
        response.headers().get_all(header::SET_COOKIE).iter().cloned().collect()
    }

    #[test]
    fn a_handler_that_ends_the_session_has_the_last_word() {
        assert_eq!(poured(None), ["__Host-troth=new"]);
        assert_eq!(poured(Some("__Host-troth=; Max-Age=0")), ["__Host-troth=; Max-Age=0"]);
    }
}
