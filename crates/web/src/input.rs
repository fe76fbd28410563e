//! What requests may bring: every field of every form, address and JSON body of the pages, with its kind and
//! its bound.
//!
//! Handlers take [`Form`], [`Json`] and [`Query`] from here instead of the framework's. Each looks its route up
//! in [`TAKES`] and holds what came against it before a type is made of it. Invariant: what is not written
//! there is not read, and a refusal names at most the field, never what stood in it.

mod decode;
mod field;
mod table;

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, FromRequestParts, MatchedPath, Request},
    response::{IntoResponse, Response},
};
use domain::enforced;
use http::{HeaderMap, Method, StatusCode, header, request::Parts};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{App, Problem};

pub(crate) use decode::pairs;
pub use field::{Field, Kind, Need};
pub use table::{TAKES, Takes, Way};

/// A form of ours that was held against its fields.
pub struct Form<T>(pub T);

/// JSON that was held against its fields; as an answer, what the framework makes of it.
pub struct Json<T>(pub T);

/// The part of the address after `?`, held against its fields.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Form<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let takes = declared(request.method(), request.extensions().get(), Way::Form)?;
        if !is_of(request.headers(), "application/x-www-form-urlencoded") {
            return Err(unsupported("Send a form, with `Content-Type: application/x-www-form-urlencoded`."));
        }
        let (parts, bytes) = whole(request, app).await?;
        takes.hold(pairs(&bytes)?)?;
        let request = Request::from_parts(parts, Body::from(bytes));
        let form = axum::Form::from_request(request, app).await;
        form.map(|axum::Form(form)| Self(form)).map_err(|_| misshapen())
    }
}

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let takes = declared(request.method(), request.extensions().get(), Way::Json)?;
        if !is_json(request.headers()) {
            return Err(unsupported("Send JSON, with `Content-Type: application/json`."));
        }
        let (_, bytes) = whole(request, app).await?;
        let value: Value = serde_json::from_slice(&bytes).map_err(|_| misshapen())?;
        takes.hold_json(&value)?;
        // From the bytes once more: a field that came twice is one in the value.
        serde_json::from_slice(&bytes).map(Self).map_err(|_| misshapen())
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let takes = declared(&parts.method, parts.extensions.get(), Way::Address)?;
        takes.hold(pairs(parts.uri.query().unwrap_or_default().as_bytes())?)?;
        let query = axum::extract::Query::from_request_parts(parts, state).await;
        query.map(|axum::extract::Query(query)| Self(query)).map_err(|_| misshapen())
    }
}

/// What the table says about this route. A route that is missing there reads nothing.
fn declared(method: &Method, path: Option<&MatchedPath>, way: Way) -> Result<&'static Takes, Problem> {
    let path = path.map(MatchedPath::as_str).unwrap_or_default();
    let found = TAKES.iter().find(|takes| takes.is(method, path) && takes.way == way);
    found.ok_or_else(|| {
        enforced!(WEB16);
        tracing::error!(%method, path, "a route reads what it has not declared in `input/table.rs`");
        Problem::broken()
    })
}

async fn whole(request: Request, app: &App) -> Result<(Parts, Bytes), Problem> {
    let (parts, body) = request.into_parts();
    // A body cut for its size or slowness is told apart by the edge, which did the cutting.
    let bytes = Bytes::from_request(Request::new(body), app).await;
    let bytes = bytes.map_err(|_| Problem::bad_request("It could not be read to its end."))?;
    Ok((parts, bytes))
}

/// Whether a request's body is JSON by its own word.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let kind = media_type(headers);
    kind.eq_ignore_ascii_case("application/json") || kind.to_ascii_lowercase().ends_with("+json")
}

fn is_of(headers: &HeaderMap, wanted: &str) -> bool {
    media_type(headers).eq_ignore_ascii_case(wanted)
}

fn media_type(headers: &HeaderMap) -> &str {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim()
}

/// 415: a body of another kind.
pub(crate) fn unsupported(detail: &'static str) -> Problem {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "Not in that form", detail)
}

/// The parser's own words may quote what came, so none of them are told.
fn misshapen() -> Problem {
    Problem::bad_request("Something in it is missing, comes twice, or is not in the expected form.")
}
