//! What anybody may ask for without being known: the whole list, each with its reason.
//!
//! The edge holds every answer against it. Invariant: a route that is not listed here answers nobody but
//! with a refusal, even when its handler forgot to ask who is there.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::response::{IntoResponse, Response};
use domain::enforced;
use http::{Method, StatusCode};

use crate::Problem;

/// A route that is open to anybody.
#[derive(Clone, Copy, Debug)]
pub struct Public {
    /// The method; `HEAD` goes with `GET`.
    pub method: &'static str,
    /// The path, as its route spells it.
    pub path: &'static str,
    /// Why it is open.
    pub why: &'static str,
}

const fn open(method: &'static str, path: &'static str, why: &'static str) -> Public {
    Public { method, path, why }
}

/// Every route that is open to anybody.
pub const PUBLIC: &[Public] = &[
    open("GET", "/", "Leads to where one belongs: setup, sign-in or the chats."),
    open("GET", "/healthz", "A word for load balancers; says nothing about anybody."),
    open("GET", "/openapi.json", "The description of the API; the same for everybody."),
    open("GET", "/assets/{hash}/{name}", "Styles, scripts and fonts; the sign-in page needs them."),
    open("GET", "/setup", "The first account; asks for the setup code, and is closed once there is one."),
    open("POST", "/setup", "Asks for the setup code."),
    open("POST", "/setup/factor", "Asks for the ticket of the step before."),
    open("POST", "/setup/advice", "Advice about a password that is being chosen; keeps nothing."),
    open("GET", "/sign-in", "Where somebody becomes known."),
    open("POST", "/sign-in", "Where somebody becomes known."),
    open("POST", "/sign-in/factor", "Asks for the ticket of the step before, and a factor."),
    open("POST", "/sign-in/password", "Asks for the ticket of the step before."),
    open("POST", "/sign-in/passkey/options", "A question for an authenticator; the same for everybody."),
    open("POST", "/sign-in/passkey", "Asks for an authenticator's answer to such a question."),
    open("POST", "/sign-in/enrol", "Asks for the ticket of the step before, and a code of what is added."),
    open("POST", "/sign-in/lost", "Asks for the ticket of a right password."),
    open("GET", "/sign-in/with/{name}", "Leads to a sign-in service of the configuration."),
    open(
        "GET",
        "/sign-in/with/{name}/done",
        "Asks for an answer of that service to a question of this browser.",
    ),
    open("POST", "/sign-in/with/{name}/factor", "Asks for the ticket of the step before, and a factor."),
    open("POST", "/sign-in/with/{name}/passkey/options", "Asks for the ticket of the step before."),
    open("POST", "/sign-in/with/{name}/passkey", "Asks for the ticket of the step before, and a factor."),
    open("GET", "/invitation", "Where somebody who was invited makes an account; shows an empty form."),
    open("POST", "/invitation", "Asks for the secret of an invitation."),
    open("POST", "/invitation/factor", "Asks for the ticket of the step before."),
    open("GET", "/forgot", "Where somebody asks for a new password; shows an empty form."),
    open("POST", "/forgot", "Answers the same for every address and tells nothing."),
    open("GET", "/reset", "What a mailed link leads to; shows an empty form."),
    open("POST", "/reset", "Asks for the secret of a mailed link; signs nobody in."),
    open("GET", "/confirm-address", "What a mailed link leads to; shows an empty form."),
    open("POST", "/confirm-address", "Asks for the secret of a mailed link."),
];

/// Whether a request was recognised as somebody's, by whichever extractor. Clones say the same.
#[derive(Clone, Debug, Default)]
pub struct Known(Arc<AtomicBool>);

impl Known {
    /// Notes that a credential was recognised.
    pub fn note(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn is_noted(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Whether anybody may ask for this route.
#[must_use]
pub fn is_public(method: &Method, path: &str) -> bool {
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    PUBLIC.iter().any(|route| route.method == method && route.path == path)
}

/// The answer of a route, or a refusal where it would tell a stranger what is not public.
pub fn hold(method: &Method, path: Option<&str>, known: &Known, answer: Response) -> Response {
    // A preflight comes without credentials, and its answer has no content.
    let status = answer.status();
    let tells = status.is_success() || status.is_redirection() || status == StatusCode::SWITCHING_PROTOCOLS;
    let tells = tells && *method != Method::OPTIONS;
    match path {
        Some(path) if tells && !known.is_noted() && !is_public(method, path) => {
            enforced!(ACC03);
            tracing::error!(%method, path, "a route that is not public answered nobody; it was refused");
            Problem::sign_in_needed().into_response()
        }
        _ => answer,
    }
}

#[cfg(test)]
mod tests {
    use domain::verifies;

    use super::*;

    fn told(method: &Method, path: &str, known: &Known) -> StatusCode {
        hold(method, Some(path), known, "a secret".into_response()).status()
    }

    #[test]
    fn a_handler_that_forgot_to_ask_tells_strangers_nothing() {
        let _proof = verifies!(ACC03);
        let (nobody, somebody) = (Known::default(), Known::default());
        somebody.note();
        for (method, path) in
            [(Method::GET, "/forgotten"), (Method::POST, "/healthz"), (Method::HEAD, "/chat")]
        {
            assert_eq!(told(&method, path, &nobody), StatusCode::UNAUTHORIZED, "{method} {path}");
            assert_eq!(told(&method, path, &somebody), StatusCode::OK, "{method} {path}");
        }
        for method in [Method::GET, Method::HEAD] {
            assert_eq!(told(&method, "/healthz", &nobody), StatusCode::OK);
        }
        let refusal = hold(&Method::GET, Some("/chat"), &nobody, StatusCode::NOT_FOUND.into_response());
        assert_eq!(refusal.status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn every_public_route_says_why_and_stands_here_once() {
        for (at, route) in PUBLIC.iter().enumerate() {
            assert!(route.why.len() > 20, "{route:?}");
            assert!(
                PUBLIC[..at].iter().all(|other| (other.method, other.path) != (route.method, route.path))
            );
        }
    }
}
