//! Failures as Deepgram's clients read them.

use axum::{body::Body, response::Response};
use http::{HeaderValue, header};
use serde_json::json;

use crate::Problem;

/// The routes whose failures are written so.
const ROUTES: [&str; 2] = ["/v1/listen", "/v1/speak"];

/// Whether failures of this path are written so.
pub(in crate::api) fn is_of(path: &str) -> bool {
    ROUTES.contains(&path)
}

/// A failing response's body. The edge sets the status and its headers.
pub(in crate::api) fn envelope(problem: &Problem, reference: &str) -> Response {
    let code = problem.code.replace('-', "_").to_uppercase();
    let told = json!({ "err_code": code, "err_msg": problem.detail, "request_id": reference });
    let mut response = Response::new(Body::from(told.to_string()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
