//! Failures as OpenAI's clients expect them: the envelope, and what each failure of a model is here.

use assistant::ModelError;
use axum::{body::Body, response::Response};
use domain::model::Readiness;
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Problem;

/// `{"error": {…}}`, the body of every failure on `/v1`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Envelope {
    /// The failure.
    pub error: Failure,
}

/// What failed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Failure {
    /// What happened and what to do, with the reference to quote.
    pub message: String,
    /// A coarse kind, e.g. `invalid_request_error`.
    pub r#type: String,
    /// The field of the request that is at fault.
    pub param: Option<String>,
    /// A stable word, e.g. `invalid_api_key`.
    pub code: Option<String>,
}

impl Failure {
    fn of(problem: &Problem, reference: Option<&str>) -> Self {
        let reference = reference.map(|reference| format!(" (reference {reference})")).unwrap_or_default();
        Self {
            message: format!("{}{reference}", problem.detail),
            r#type: kind(problem.status).to_owned(),
            param: problem.param.clone(),
            code: Some(problem.code.replace('-', "_")),
        }
    }
}

/// A failing response's body in OpenAI's form. The edge sets the status and its headers.
pub fn envelope(problem: &Problem, reference: &str) -> Response {
    let envelope = Envelope { error: Failure::of(problem, Some(reference)) };
    let mut response = Response::new(Body::from(serde_json::to_vec(&envelope).unwrap_or_default()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The same for a failure after a stream has begun, when no status can say it any more.
pub(super) fn late(problem: &Problem) -> Envelope {
    Envelope { error: Failure::of(problem, None) }
}

/// The kinds OpenAI's clients know.
fn kind(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "authentication_error",
        StatusCode::FORBIDDEN => "permission_error",
        StatusCode::TOO_MANY_REQUESTS => "rate_limit_error",
        status if status.is_server_error() => "server_error",
        _ => "invalid_request_error",
    }
}

/// 400 about one field.
pub(crate) fn invalid(param: impl Into<String>, detail: impl Into<String>) -> Problem {
    let title = "The request cannot be understood";
    Problem::new(StatusCode::BAD_REQUEST, "invalid-value", title, detail.into()).about(param)
}

/// What a failure of the assistant is to a program.
pub(crate) fn of_assistant(error: &assistant::Error) -> Problem {
    match error {
        assistant::Error::Denied(_) | assistant::Error::NotAgreed(_) => Problem::forbidden(),
        assistant::Error::UnknownModel => unknown_model(),
        assistant::Error::Busy { retry_after_s } | assistant::Error::Transferring { retry_after_s } => {
            let mut problem = Problem::throttled(*retry_after_s);
            problem.code = "rate-limit-exceeded";
            problem.detail = error.to_string().into();
            problem
        }
        assistant::Error::UsedUp { retry_after_s, .. } => {
            Problem::used_up(capital(&error.to_string()), *retry_after_s)
        }
        assistant::Error::Model(error) => of_model(error),
        assistant::Error::NotFound => Problem::not_found(),
        other => Problem::internal(other),
    }
}

/// What a failure of a model is to a program.
pub(super) fn of_model(error: &ModelError) -> Problem {
    let says = |status, code, title| Problem::new(status, code, title, capital(&error.to_string()));
    let later = |seconds| Problem::busy(capital(&error.to_string()), seconds);
    match error {
        ModelError::UnknownModel => unknown_model(),
        ModelError::NotReady(Readiness::Failed { .. } | Readiness::Missing { .. }) => later(60),
        ModelError::NotReady(_) => later(5),
        ModelError::Busy => later(2),
        ModelError::CircuitOpen { retry_after_s } => later(u32::try_from(*retry_after_s).unwrap_or(u32::MAX)),
        ModelError::Cancelled => later(5),
        ModelError::Unreachable { .. } | ModelError::Broke | ModelError::Refused { .. } => {
            says(StatusCode::BAD_GATEWAY, "model-failed", "The model failed")
        }
        ModelError::TimedOut => {
            says(StatusCode::GATEWAY_TIMEOUT, "model-timed-out", "The model took too long")
        }
        ModelError::TooLarge => {
            says(StatusCode::BAD_REQUEST, "context-length-exceeded", "That is too long for the model")
        }
        ModelError::BadPrompt { .. } => {
            says(StatusCode::BAD_REQUEST, "invalid-value", "The request cannot be understood")
        }
        ModelError::Denied(_) => Problem::forbidden(),
        other => Problem::internal(other),
    }
}

/// 404 for a model, as OpenAI's clients know it.
pub(super) fn unknown_model() -> Problem {
    let detail = "There is no model of that name here; GET /v1/models lists those there are.";
    Problem::new(StatusCode::NOT_FOUND, "model-not-found", "No such model", detail).about("model")
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_reads_as_openai_clients_expect() {
        let told = late(&unknown_model());
        let json = serde_json::to_value(&told).unwrap();
        assert_eq!(json["error"]["type"], "invalid_request_error");
        assert_eq!(json["error"]["code"], "model_not_found");
        assert_eq!(json["error"]["param"], "model");
    }

    #[test]
    fn a_model_that_is_on_its_way_is_worth_another_try() {
        let problem = of_model(&ModelError::NotReady(Readiness::Fetching { done: 1, total: 4 }));
        assert_eq!((problem.status, problem.retry_after), (StatusCode::SERVICE_UNAVAILABLE, Some(5)));
        assert!(problem.detail.starts_with("The model is being fetched, 25 %"), "{}", problem.detail);
    }
}
