//! Failures in SCIM's form (RFC 7644, 3.12): a status as text, a kind, a sentence with the reference.

use axum::{body::Body, response::Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use crate::Problem;

/// A failing response's body. The edge sets the status and its headers.
pub fn envelope(problem: &Problem, reference: &str) -> Response {
    let mut told = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": problem.status.as_u16().to_string(),
        "detail": format!("{} (reference {reference})", problem.detail),
    });
    if let Some(kind) = kind(problem) {
        told["scimType"] = kind.into();
    }
    let mut response = Response::new(Body::from(serde_json::to_vec(&told).unwrap_or_default()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(super::MEDIA_TYPE));
    response
}

/// RFC 7644, table 9: the problem's code is the kind in our spelling.
fn kind(problem: &Problem) -> Option<&'static str> {
    Some(match problem.code {
        "scim-filter" => "invalidFilter",
        "scim-syntax" => "invalidSyntax",
        "scim-path" => "invalidPath",
        "scim-target" => "noTarget",
        "scim-value" => "invalidValue",
        "scim-mutability" => "mutability",
        "conflict" => "uniqueness",
        _ => return None,
    })
}

fn refused(code: &'static str, detail: impl Into<String>) -> Problem {
    let title = "The request cannot be understood";
    Problem::new(StatusCode::BAD_REQUEST, code, title, detail.into())
}

/// The body is not what SCIM sends.
pub(super) fn syntax(detail: impl Into<String>) -> Problem {
    refused("scim-syntax", detail)
}

/// A value is missing, of the wrong kind or beyond its bounds.
pub(super) fn value(attribute: &str, detail: &str) -> Problem {
    refused("scim-value", format!("`{attribute}` {detail}."))
}

/// The filter cannot be read.
pub(super) fn filter(detail: &str) -> Problem {
    refused("scim-filter", detail)
}

/// The path of a change cannot be read, or leads nowhere.
pub(super) fn path(detail: &str) -> Problem {
    refused("scim-path", detail)
}

/// A change needs a target and found none.
pub(super) fn target() -> Problem {
    refused("scim-target", "Nothing matches the path of the change.")
}

/// What is to be changed cannot be.
pub(super) fn read_only(attribute: &str) -> Problem {
    refused("scim-mutability", format!("`{attribute}` is not yours to change."))
}
