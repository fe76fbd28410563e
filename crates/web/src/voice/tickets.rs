//! Tickets for calls, as the two wires ask for them: `OpenAI`'s client secrets and Deepgram's grants.
//!
//! An application's server asks with its API key and hands the ticket to a browser. One kind of ticket opens
//! either wire.

use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{HeaderMap, header},
};
use identity::CallTerms;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    House,
    realtime::session::{Patch, Session},
    step::Names,
};
use crate::{
    ApiCaller, App, Problem,
    api::error::{self, invalid},
    input,
};

/// What `OpenAI`'s clients get when they say nothing, and may ask for, in seconds.
const SECRET_SECONDS: (u32, u32, u32) = (10, 600, 7200);
/// The same for Deepgram's.
const GRANT_SECONDS: (u32, u32, u32) = (1, 30, 3600);
/// Largest request; a ticket holds no larger session.
const MOST_BODY: usize = 128 << 10;
/// Longest origin.
const LONGEST_ORIGIN: usize = 256;

/// What a client secret is to be good for.
#[derive(Deserialize, ToSchema)]
pub(crate) struct SecretRequest {
    /// How long it can be shown; ten minutes when nothing is said.
    #[serde(default)]
    expires_after: Option<ExpiresAfter>,
    /// What the session begins with, as in `session.update`.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    session: Option<Value>,
    /// What binds the call beyond what `OpenAI` knows.
    #[serde(default)]
    call: Option<CallBounds>,
}

/// How long a client secret can be shown.
#[derive(Deserialize, ToSchema)]
struct ExpiresAfter {
    /// Always `created_at`.
    #[serde(default)]
    #[schema(inline)]
    anchor: Option<Anchor>,
    /// Seconds from now.
    #[serde(default)]
    #[schema(minimum = 10, maximum = 7200)]
    seconds: Option<u32>,
}

/// From when it counts.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Anchor {
    /// From the making of the secret.
    CreatedAt,
}

/// What binds the call of a ticket.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CallBounds {
    /// The origin of the page that may use it, e.g. `https://app.example`.
    #[serde(default)]
    origin: Option<String>,
    /// Longest call, in seconds.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 86400)]
    longest_seconds: Option<u32>,
}

/// A client secret. It is shown this once.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClientSecret {
    /// The secret: `ek_troth_…`.
    value: String,
    /// When it ends, in seconds since 1970.
    expires_at: i64,
    /// What the session begins with.
    #[schema(value_type = Object)]
    session: Session,
}

/// How long a token is to be good for.
#[derive(Deserialize, ToSchema)]
pub(crate) struct GrantRequest {
    /// Seconds from now; 30 when nothing is said.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 3600)]
    ttl_seconds: Option<u32>,
    /// What binds the call beyond what Deepgram knows.
    #[serde(default)]
    call: Option<CallBounds>,
}

/// A token. It is shown this once.
#[derive(Serialize, ToSchema)]
pub(crate) struct Grant {
    /// The token: `ek_troth_…`.
    access_token: String,
    /// Seconds until it ends.
    expires_in: u32,
}

/// Makes a ticket for one call, as `OpenAI`'s clients ask for it.
#[utoipa::path(
    post, path = "/v1/realtime/client_secrets", tag = "Voice", operation_id = "createClientSecret",
    security(("key" = [])), request_body = SecretRequest,
    responses(
        (status = 200, description = "A secret that opens one call.", body = ClientSecret),
        (status = 400, description = "Something in the request is not right.", body = error::Envelope),
        (status = 401, description = "The API key is missing or not known.", body = error::Envelope),
        (status = 403, description = "The key may not do this, or requests from this address are not answered.", body = error::Envelope),
        (status = 408, description = "The body came too slowly.", body = error::Envelope),
        (status = 409, description = "There are too many tickets that have not ended.", body = error::Envelope),
        (status = 413, description = "The body is too large.", body = error::Envelope),
        (status = 415, description = "The body is not said to be JSON.", body = error::Envelope),
        (status = 422, description = "The session is larger than a ticket can hold.", body = error::Envelope),
        (status = 429, description = "Too much at once; see Retry-After.", body = error::Envelope),
    )
)]
pub(crate) async fn client_secret(
    caller: ApiCaller,
    State(app): State<App>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<ClientSecret>, Problem> {
    let SecretRequest { expires_after, session, call } = read(&headers, &body)?;
    let asked =
        expires_after.and_then(|ExpiresAfter { anchor: None | Some(Anchor::CreatedAt), seconds }| seconds);
    let seconds = within(asked, SECRET_SECONDS, "expires_after.seconds")?;
    let house = House::of(&app, &caller.ctx);
    let fresh = house.session(&Names::of(&caller.ctx), None);
    let session = session.filter(|session| !session.is_null());
    let effective = match &session {
        Some(session) => begin(fresh, &house, session)?,
        None => fresh,
    };
    let terms = CallTerms { session, ..terms(&headers, call)? };
    let ticket = app.identity.give_call_ticket(&caller.ctx, seconds, &terms).await?;
    Ok(Json(ClientSecret {
        value: ticket.token.expose().clone(),
        expires_at: ticket.expires.0.div_euclid(1_000_000),
        session: effective,
    }))
}

/// Makes a ticket for one call, as Deepgram's clients ask for it.
#[utoipa::path(
    post, path = "/v1/auth/grant", tag = "Voice", operation_id = "grantToken",
    security(("key" = [])), request_body = GrantRequest,
    responses(
        (status = 200, description = "A token that opens one call.", body = Grant),
        (status = 400, description = "Something in the request is not right.", body = error::Envelope),
        (status = 401, description = "The API key is missing or not known.", body = error::Envelope),
        (status = 403, description = "The key may not do this, or requests from this address are not answered.", body = error::Envelope),
        (status = 408, description = "The body came too slowly.", body = error::Envelope),
        (status = 409, description = "There are too many tickets that have not ended.", body = error::Envelope),
        (status = 413, description = "The body is too large.", body = error::Envelope),
        (status = 415, description = "The body is not said to be JSON.", body = error::Envelope),
        (status = 429, description = "Too much at once; see Retry-After.", body = error::Envelope),
    )
)]
pub(crate) async fn grant(
    caller: ApiCaller,
    State(app): State<App>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Grant>, Problem> {
    let GrantRequest { ttl_seconds, call } = read(&headers, &body)?;
    let seconds = within(ttl_seconds, GRANT_SECONDS, "ttl_seconds")?;
    let ticket = app.identity.give_call_ticket(&caller.ctx, seconds, &terms(&headers, call)?).await?;
    Ok(Json(Grant { access_token: ticket.token.expose().clone(), expires_in: seconds }))
}

/// A session that begins as a ticket, or its maker, says.
///
/// # Errors
/// A 400 problem that names the field which cannot be.
pub(super) fn begin(fresh: Session, house: &House, session: &Value) -> Result<Session, Problem> {
    if session.get("type").is_some_and(|kind| kind != "realtime") {
        return Err(invalid("session.type", "The type of a session is `realtime`."));
    }
    let patch = serde_json::from_value::<Patch>(session.clone());
    let mut patch = patch.map_err(|_| invalid("session", "A field of the session is of the wrong kind."))?;
    let model = patch.model.take();
    let changed =
        fresh.with(patch).map_err(|fault| invalid(fault.param.unwrap_or_default(), fault.message))?;
    Ok(house.fitted(changed, model.as_deref()))
}

/// The request in a body; `{}` asks for what is usual.
fn read<T: for<'a> Deserialize<'a>>(headers: &HeaderMap, body: &Bytes) -> Result<T, Problem> {
    if !input::is_json(headers) {
        return Err(input::unsupported("Send JSON, with `Content-Type: application/json`."));
    }
    if body.len() > MOST_BODY {
        return Err(Problem::too_large());
    }
    // What is skipped is not looked at by the parser, and a list would be read as the fields in their order.
    let text = std::str::from_utf8(body).ok().filter(|text| text.trim_start().starts_with('{'));
    let text = text.ok_or_else(|| Problem::bad_request("The body is not a JSON object in UTF-8."))?;
    serde_json::from_str(text).map_err(|error| crate::api::refusal(&error))
}

fn within(asked: Option<u32>, (least, usual, most): (u32, u32, u32), param: &str) -> Result<u32, Problem> {
    match asked.unwrap_or(usual) {
        seconds if (least..=most).contains(&seconds) => Ok(seconds),
        _ => Err(invalid(param, format!("Choose between {least} and {most} seconds."))),
    }
}

/// What binds the call. A page that asks for itself binds the ticket to its own origin.
fn terms(headers: &HeaderMap, bounds: Option<CallBounds>) -> Result<CallTerms, Problem> {
    let CallBounds { origin, longest_seconds } = bounds.unwrap_or_default();
    let own = || headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok()).map(str::to_owned);
    let origin = origin.or_else(own);
    let is_origin = |origin: &String| {
        let rest = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        let host = rest.is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#', '@']));
        host && origin.len() <= LONGEST_ORIGIN && origin.bytes().all(|byte| byte.is_ascii_graphic())
    };
    if origin.as_ref().is_some_and(|origin| !is_origin(origin)) {
        let detail = "An origin is a scheme, a host and perhaps a port, e.g. `https://app.example`.";
        return Err(invalid("call.origin", detail));
    }
    if longest_seconds.is_some_and(|seconds| !(1..=86_400).contains(&seconds)) {
        return Err(invalid("call.longest_seconds", "A call lasts between 1 and 86400 seconds."));
    }
    Ok(CallTerms { origin, longest_s: longest_seconds, session: None })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_ticket_lives_as_long_as_its_wire_lets_it() {
        assert_eq!(within(None, SECRET_SECONDS, "x").unwrap(), 600);
        assert_eq!(within(None, GRANT_SECONDS, "x").unwrap(), 30);
        for (asked, bounds) in
            [(9, SECRET_SECONDS), (7201, SECRET_SECONDS), (0, GRANT_SECONDS), (3601, GRANT_SECONDS)]
        {
            assert!(within(Some(asked), bounds, "x").is_err(), "{asked}");
        }
    }

    #[test]
    fn a_ticket_is_bound_to_the_origin_that_is_named_or_asks() {
        let mut headers = HeaderMap::new();
        let bound = |headers: &HeaderMap, origin: Option<&str>| {
            let bounds = CallBounds { origin: origin.map(str::to_owned), ..CallBounds::default() };
            terms(headers, Some(bounds)).map(|terms| terms.origin)
        };
        assert_eq!(bound(&headers, None).unwrap(), None);
        headers.insert(header::ORIGIN, HeaderValue::from_static("https://app.example"));
        assert_eq!(bound(&headers, None).unwrap().as_deref(), Some("https://app.example"));
        assert_eq!(
            bound(&headers, Some("http://localhost:3000")).unwrap().as_deref(),
            Some("http://localhost:3000")
        );
        for none in
            ["", "null", "app.example", "https://", "https://a/b", "https://u@a", "ftp://a", "https://a b"]
        {
            assert!(bound(&headers, Some(none)).is_err(), "{none:?}");
        }
    }
}
