//! What went wrong, in the form the caller can read.
//!
//! A handler returns a [`Problem`]; [`crate::edge`] alone turns it into bytes, once it knows who asks:
//! RFC 9457 `application/problem+json` for programs, a page for people, `OpenAI`'s error envelope on
//! `/v1`. This file alone knows which failure is which status. No problem carries content, names or
//! causes: those stay in the log, found by the reference the caller sees.

use std::{borrow::Cow, fmt};

use axum::response::{IntoResponse, Response};
use domain::{Denied, Missing, consent::Purpose, enforced};
use http::StatusCode;

/// A failure as its caller may see it.
#[derive(Clone, PartialEq, Eq)]
pub struct Problem {
    /// The status it is sent with.
    pub status: StatusCode,
    /// A stable word for programs, e.g. `not-found`; the last part of the RFC 9457 `type`.
    pub code: &'static str,
    /// What happened, in a few words that never vary.
    pub title: &'static str,
    /// What happened this time and what to do next, in a sentence or two.
    pub detail: Cow<'static, str>,
    /// The field of the request that is at fault.
    pub param: Option<String>,
    /// Seconds after which it is worth trying again.
    pub retry_after: Option<u32>,
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Problem({} {})", self.status.as_u16(), self.code)
    }
}

impl Problem {
    /// A problem with its own words.
    pub fn new(
        status: StatusCode,
        code: &'static str,
        title: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { status, code, title, detail: detail.into(), param: None, retry_after: None }
    }

    /// 400: the request cannot be understood.
    pub fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", "The request cannot be understood", detail)
    }

    /// 422: the request is understood and its content is refused.
    pub fn invalid(param: &str, detail: impl Into<Cow<'static, str>>) -> Self {
        let mut problem =
            Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "Something in it is not right", detail);
        problem.param = Some(param.to_owned());
        problem
    }

    /// 401: somebody must sign in first. People who ask for a page are sent to the sign-in page.
    #[must_use]
    pub fn sign_in_needed() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "sign-in-needed", "Please sign in", "Sign in, then try again.")
    }

    /// 401 on the API: no key, or none we know.
    #[must_use]
    pub fn key_needed() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "invalid-api-key",
            "The API key is missing or not known",
            "Send a personal API key as `Authorization: Bearer troth_…`; make one on your account page.",
        )
    }

    /// 403: known, and not allowed to do this.
    #[must_use]
    pub fn forbidden() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            "This is not yours to do",
            "Your account has no right to do this.",
        )
    }

    /// 403: the right is there, and this session has shown no second factor.
    #[must_use]
    pub fn second_factor_needed() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "second-factor-needed",
            "This needs a second factor",
            "Add an authenticator or a passkey on your account page, then sign in with it.",
        )
    }

    /// 403: the right is there, and the last confirmation is too long ago.
    #[must_use]
    pub fn step_up_needed() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "step-up-needed",
            "Please confirm that it is you",
            "Confirm with your password or a factor, then do this again.",
        )
    }

    /// 403: the person has not agreed to what this takes.
    pub fn consent_needed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "consent-needed", "This needs your consent", detail)
    }

    /// 404: not there, or not one's own; the answer is the same.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "There is nothing here",
            "Check the address, or go back to the start.",
        )
    }

    /// 409: it changed meanwhile.
    pub fn conflict(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", "It changed meanwhile", detail)
    }

    /// 413: the body is larger than this route takes.
    #[must_use]
    pub fn too_large() -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            "That is too much at once",
            "Send less at a time.",
        )
    }

    /// 429: too many tries.
    #[must_use]
    pub fn throttled(retry_after: u32) -> Self {
        let mut problem = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too-many-requests",
            "Too many tries",
            "Wait a little, then try again.",
        );
        problem.retry_after = Some(retry_after);
        problem
    }

    /// 429: a quota is used up.
    pub fn used_up(detail: impl Into<Cow<'static, str>>, retry_after: u32) -> Self {
        let mut problem =
            Self::new(StatusCode::TOO_MANY_REQUESTS, "quota-used-up", "Your quota is used up", detail);
        problem.retry_after = Some(retry_after);
        problem
    }

    /// 500: our fault. Logs `cause` once; nothing of it reaches the caller.
    pub fn internal(cause: &(dyn std::error::Error + 'static)) -> Self {
        let mut causes = cause.to_string();
        let mut next = cause.source();
        while let Some(source) = next {
            causes.push_str(": ");
            causes.push_str(&source.to_string());
            next = source.source();
        }
        enforced!(WEB07);
        tracing::error!(cause = %causes, "a request failed");
        Self::broken()
    }

    /// 500 whose cause is already in the log.
    #[must_use]
    pub fn broken() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something went wrong here",
            "It is not your fault. Try again; if it stays, tell whoever runs this server the reference below.",
        )
    }

    /// 503: too much at once, or a part that is not there yet.
    pub fn busy(detail: impl Into<Cow<'static, str>>, retry_after: u32) -> Self {
        let mut problem =
            Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "Too busy at the moment", detail);
        problem.retry_after = Some(retry_after);
        problem
    }

    /// The same problem, about one field of the request.
    #[must_use]
    pub fn about(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }
}

/// Carries the problem to the edge, which knows the caller and writes the body.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<identity::Error> for Problem {
    fn from(error: identity::Error) -> Self {
        use identity::Error as E;
        let said = error.to_string();
        match error {
            E::Refused => Self::new(StatusCode::UNAUTHORIZED, "refused", "That did not fit", said),
            E::Throttled { retry_after_s } => Self { detail: said.into(), ..Self::throttled(retry_after_s) },
            E::Busy => Self::busy(said, 2),
            E::TicketGone => Self::conflict(said),
            E::SetupCode => {
                Self::new(StatusCode::FORBIDDEN, "setup-code", "That setup link is not valid", said)
            }
            E::AlreadySetUp => Self::conflict(said),
            E::Name(_) => Self::invalid("name", said),
            E::Password { .. } => Self::invalid("password", said),
            E::Label => Self::invalid("label", said),
            E::Scopes => Self::invalid("scopes", said),
            E::Days { .. } => Self::invalid("days", said),
            E::Life { .. } => Self::invalid("seconds", said),
            E::Terms => Self::invalid("session", said),
            E::Overlap { .. } => Self::invalid("overlap_hours", said),
            E::Setting => Self::invalid("setting", said),
            E::Address(_) => Self::invalid("network", said),
            E::TooMany { .. } => Self::conflict(said),
            E::Taken => Self::conflict(said),
            E::Sso(_) => Self::new(StatusCode::FORBIDDEN, "sso", "You are not signed in", said),
            E::NameTaken | E::GroupTaken => Self::invalid("name", said),
            E::Email(_) => Self::invalid("address", said),
            E::Link | E::LastOwner | E::NoMail | E::MailWaits => Self::conflict(said),
            E::Unfit(_) => Self::conflict(said),
            E::NotFound => Self::not_found(),
            E::NoPasskeysHere => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "no-passkeys-here",
                "Passkeys do not work at this address",
                said,
            ),
            E::LastFactor | E::NobodyToAsk | E::NotYet(_) | E::AgreedAlready => Self::conflict(said),
            E::Denied(denied) => denied.into(),
            E::Store(_) | E::Broken(_) => Self::internal(&error),
        }
    }
}

impl From<assistant::Error> for Problem {
    fn from(error: assistant::Error) -> Self {
        use assistant::Error as E;
        let said = sentence(&error);
        match error {
            E::Denied(denied) => denied.into(),
            E::NotFound => Self::not_found(),
            E::Empty => Self::invalid("text", said),
            E::TooLong { .. } => Self::invalid("text", said),
            E::Full { .. } | E::Answering { .. } | E::HeldByAnother | E::NotHeld => Self::conflict(said),
            E::Busy { retry_after_s } | E::Transferring { retry_after_s } => Self::busy(said, retry_after_s),
            E::UnknownModel => {
                Self::new(StatusCode::NOT_FOUND, "model-not-found", "There is no such model", said)
                    .about("model")
            }
            E::TemporaryOnly => {
                Self::new(StatusCode::FORBIDDEN, "temporary-only", "Only temporary chats here", said)
            }
            E::NotAgreed(purpose) => Self::consent_needed(said).about(purpose.as_str()),
            E::UsedUp { retry_after_s, .. } => Self::used_up(said, retry_after_s),
            E::Closing => Self::busy(said, 5),
            E::BadImport { .. } => Self::invalid("file", said),
            E::Model(model) if model.is_temporary() => Self::busy(said, 5),
            E::Model(_) => {
                Self::new(StatusCode::BAD_GATEWAY, "model-failed", "The model did not answer", said)
            }
            _ => Self::internal(&error),
        }
    }
}

impl From<privacy::Error> for Problem {
    fn from(error: privacy::Error) -> Self {
        use privacy::Error as E;
        let said = sentence(&error);
        match error {
            E::Denied(denied) => denied.into(),
            E::Superseded => Self::conflict(said),
            E::Purposes => Self::invalid("purposes", said),
            E::Required => Self::invalid(Purpose::ProcessCall.as_str(), said),
            E::NotAgreed(purpose) => Self::consent_needed(said).about(purpose.as_str()),
            _ => Self::internal(&error),
        }
    }
}

impl From<assure::Error> for Problem {
    fn from(error: assure::Error) -> Self {
        match error {
            assure::Error::Denied(denied) => denied.into(),
            error => Self::internal(&error),
        }
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        match denied.missing {
            Some(Missing::SignIn) => Self::sign_in_needed(),
            Some(Missing::SecondFactor) => Self::second_factor_needed(),
            Some(Missing::StepUp) => Self::step_up_needed(),
            None => Self::forbidden(),
        }
    }
}

/// An error's words as a sentence for a person.
fn sentence(error: &dyn fmt::Display) -> String {
    let words = error.to_string();
    let mut letters = words.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    let stop = if words.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}

#[cfg(test)]
mod tests {
    use domain::verifies;

    use super::*;

    #[test]
    fn a_cause_stays_in_the_log() {
        let _proof = verifies!(WEB07);
        let cause = std::io::Error::other("no relation \"accounts\" at db.internal");
        assert!(Problem::internal(&cause) == Problem::broken(), "nothing of it is told");
    }
}
