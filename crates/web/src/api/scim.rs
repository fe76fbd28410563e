//! SCIM 2.0 (RFC 7643, RFC 7644) at `/scim/v2`: how an organisation's directory makes, changes and closes
//! accounts here.
//!
//! Every route asks for the directory's own bearer token through [`Provisioner`] and acts as its job. What a
//! directory sends beyond what the schemas here know is ignored, as the RFC asks; what it sends in the wrong
//! kind or beyond its bounds is refused. A password is never taken. Failures are [`crate::Problem`]s, which
//! the edge writes as SCIM's error bodies ([`error`]).

mod about;
mod attributes;
pub mod error;
mod filter;
mod groups;
mod patch;
mod users;
mod wish;

use axum::{
    Router,
    body::Bytes,
    extract::{FromRef, FromRequest, FromRequestParts, Request},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use domain::Ctx;
use http::{HeaderValue, StatusCode, header, request::Parts};
use serde_json::Value;

use crate::{
    App, Problem,
    edge::{Arrival, limit::Who},
    input, session,
};

/// Most resources in one answer.
const MOST_RESULTS: u32 = 200;
const MEDIA_TYPE: &str = "application/scim+json";

/// Everything under `/scim/v2`.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/scim/v2/ServiceProviderConfig", get(about::config))
        .route("/scim/v2/ResourceTypes", get(about::resource_types))
        .route("/scim/v2/ResourceTypes/{id}", get(about::resource_type))
        .route("/scim/v2/Schemas", get(about::schemas))
        .route("/scim/v2/Schemas/{id}", get(about::schema))
        .route("/scim/v2/.search", post(about::search_everything))
        .route("/scim/v2/Users", get(users::list).post(users::create))
        .route("/scim/v2/Users/.search", post(users::search))
        .route(
            "/scim/v2/Users/{id}",
            get(users::get).put(users::replace).patch(users::patch).delete(users::delete),
        )
        .route("/scim/v2/Groups", get(groups::list).post(groups::create))
        .route("/scim/v2/Groups/.search", post(groups::search))
        .route(
            "/scim/v2/Groups/{id}",
            get(groups::get).put(groups::replace).patch(groups::patch).delete(groups::delete),
        )
}

/// An organisation's directory, with its own token.
pub struct Provisioner {
    /// The circumstances, acting as the directory's job.
    pub ctx: Ctx,
}

impl<S> FromRequestParts<S> for Provisioner
where
    App: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let app = App::from_ref(state);
        let arrival = Arrival::of(parts, &app);
        let token = session::bearer(&parts.headers).ok_or_else(token_needed)?;
        let known = app.identity.recognise_scim_token(&arrival.ctx, token.expose()).await?;
        let (token, actor) = known.ok_or_else(token_needed)?;
        let ctx = arrival.ctx.acting_as(actor);
        arrival.recognised(&app, &ctx, Some(Who::Key(token.0))).await?;
        Ok(Self { ctx })
    }
}

fn token_needed() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "invalid-scim-token",
        "The token is missing or not known",
        "Send the directory's token as `Authorization: Bearer troth_scim_…`; it is made on the directory page.",
    )
}

/// A body that was a JSON object.
struct Body(serde_json::Map<String, Value>);

impl FromRequest<App> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        if !input::is_json(request.headers()) {
            return Err(input::unsupported("Send JSON, with `Content-Type: application/scim+json`."));
        }
        let body = Bytes::from_request(request, app).await;
        let body = body.map_err(|_| error::syntax("The body could not be read to its end."))?;
        match serde_json::from_slice(&body) {
            Ok(Value::Object(body)) => Ok(Self(body)),
            _ => Err(error::syntax("The body is not a JSON object.")),
        }
    }
}

/// A resource, or several, as SCIM's clients read it.
fn answer(status: StatusCode, value: &Value) -> Response {
    let mut response = (status, serde_json::to_vec(value).unwrap_or_default()).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    response
}

/// A list response (RFC 7644, 3.4.2).
fn listed(total: u64, start: u64, resources: &[Value]) -> Response {
    let list = serde_json::json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": resources.len(),
        "Resources": resources,
    });
    answer(StatusCode::OK, &list)
}
