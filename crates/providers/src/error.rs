//! What can go wrong with a model, in variants a caller can act on.

use domain::{Denied, model::Readiness};

/// Why there is no answer. No variant carries a key, a URL's query or anything that was said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No vendor has a model of that name.
    #[error("there is no model of that name; choose one from the list of models")]
    UnknownModel,
    /// The model exists but cannot answer yet, or not without somebody's help.
    #[error("{}", not_ready(.0))]
    NotReady(Readiness),
    /// No connection to the endpoint.
    #[error(
        "the endpoint `{endpoint}` cannot be reached; check that it is running and that the network is up"
    )]
    Unreachable {
        /// The endpoint's configured name.
        endpoint: String,
    },
    /// The endpoint answered with a status other than success.
    #[error("the endpoint `{endpoint}` refused the request with status {status}{}", advice(*status))]
    Refused {
        /// The endpoint's configured name.
        endpoint: String,
        /// The HTTP status.
        status: u16,
    },
    /// The answer ended before its end. What had arrived was delivered.
    #[error("the answer broke off before its end; try again")]
    Broke,
    /// Nothing came within the configured time.
    #[error("the model took too long to answer; try again")]
    TimedOut,
    /// The question, the answer or a part of it is larger than the limits allow.
    #[error("this is larger than the limits for models allow; make it shorter")]
    TooLarge,
    /// As many wait for this model as may wait.
    #[error("the model is busy with other questions; try again in a moment")]
    Busy,
    /// The endpoint failed too often and is left in peace for a while.
    #[error("the endpoint failed several times in a row; try again in {retry_after_s} s")]
    CircuitOpen {
        /// Seconds until it is tried again.
        retry_after_s: u64,
    },
    /// The question does not make sense to the model.
    #[error("the model cannot take this request: {why}")]
    BadPrompt {
        /// What is wrong with it; never its words.
        why: String,
    },
    /// The configuration contradicts itself or would be unsafe.
    #[error("the configuration of models is not usable: {why}")]
    Config {
        /// What is wrong and what to write instead.
        why: String,
    },
    /// The answer was cancelled, or the instance is stopping.
    #[error("the answer was cancelled")]
    Cancelled,
    /// The permit was for something else.
    #[error(transparent)]
    Denied(#[from] Denied),
}

impl Error {
    /// Whether asking again later, unchanged, may succeed.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Broke
            | Self::TimedOut
            | Self::Busy
            | Self::CircuitOpen { .. } => true,
            Self::NotReady(readiness) => !matches!(readiness, Readiness::Failed { .. }),
            Self::Refused { status, .. } => matches!(status, 408 | 425 | 429 | 500..=599),
            _ => false,
        }
    }
}

/// A sentence for each state in which a model does not answer.
fn not_ready(readiness: &Readiness) -> String {
    match readiness {
        Readiness::Missing { how } => format!("the model is not here: {how}"),
        Readiness::Fetching { done, total } => {
            let percent = done.saturating_mul(100).checked_div(*total).unwrap_or(0).min(100);
            format!("the model is being fetched, {percent} % is here; try again when it has arrived")
        }
        Readiness::Loading => "the model is being loaded; try again in a few seconds".to_owned(),
        Readiness::Ready => "the model has just become ready; try again".to_owned(),
        Readiness::Failed { why } => format!("the model cannot answer: {why}"),
    }
}

/// What to do about the statuses people meet.
fn advice(status: u16) -> &'static str {
    match status {
        300..=399 => ": it redirects, which is not followed; configure the final address",
        401 | 403 => ": check its API key",
        404 => ": check its address and the model's name",
        413 => ": the question is too long for it",
        429 => ": its limit is reached; wait or raise it there",
        500..=599 => ": it has trouble of its own; try again later",
        _ => "",
    }
}
