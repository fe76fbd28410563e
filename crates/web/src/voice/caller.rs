//! Who opens a voice connection: a program with its API key, or whoever shows a ticket that was made with one.
//!
//! The secret comes in `Authorization` (`Bearer` or `Token`), or among the subprotocols where a browser can put
//! nothing else. Invariants: it never comes in the address, is never said back, and what is not good is refused
//! before the upgrade.

use axum::extract::{FromRef, FromRequestParts};
use domain::{Ctx, Secret};
use http::{HeaderMap, header, request::Parts};
use identity::{CallTerms, SeenTicket, TICKET_PREFIX};

use crate::{
    App, Problem,
    edge::{Arrival, limit::Who},
    session::bearer,
};

/// What stands before a secret of `OpenAI`'s clients, in one word with it.
const BEFORE_KEY: &str = "openai-insecure-api-key.";
/// What stands before one of Deepgram's, as a subprotocol of its own.
const SCHEMES: [&str; 2] = ["token", "bearer"];
/// Most subprotocols that are looked at.
const MOST_OFFERED: usize = 16;

/// Whoever opens a voice connection.
pub(super) struct Caller {
    /// The circumstances, acting as the key.
    pub ctx: Ctx,
    /// What the call may be; the bare key allows everything the policy does.
    pub terms: CallTerms,
    /// The ticket that was shown, not used yet.
    ticket: Option<SeenTicket>,
}

impl Caller {
    /// The call opens now: a ticket is used up by that, and not before.
    pub(super) async fn enters(&self, app: &App) -> Result<(), Problem> {
        match &self.ticket {
            Some(ticket) if !app.identity.use_call_ticket(&self.ctx, ticket).await? => {
                Err(Problem::key_needed())
            }
            _ => Ok(()),
        }
    }
}

impl<S> FromRequestParts<S> for Caller
where
    App: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let app = App::from_ref(state);
        let arrival = Arrival::of(parts, &app);
        let secret = secret(&parts.headers).ok_or_else(Problem::key_needed)?;
        let (actor, ticket) = match secret.expose().starts_with(TICKET_PREFIX) {
            true => {
                let origin = parts.headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
                let seen = app.identity.see_call_ticket(&arrival.ctx, secret.expose(), origin).await?;
                let seen = seen.ok_or_else(Problem::key_needed)?;
                (seen.actor.clone(), Some(seen))
            }
            false => {
                let actor = app.identity.recognise_api_key(&arrival.ctx, secret.expose()).await?;
                (actor.ok_or_else(Problem::key_needed)?, None)
            }
        };
        let terms = ticket.as_ref().map_or_else(CallTerms::default, |ticket| ticket.terms.clone());
        let ctx = app.identity.acting_within_bounds(&arrival.ctx, actor).await?;
        arrival.recognised(&app, &ctx, Who::of(&ctx.actor)).await?;
        Ok(Self { ctx, terms, ticket })
    }
}

/// The key or ticket of a request, wherever its kind of client puts it.
fn secret(headers: &HeaderMap) -> Option<Secret<String>> {
    if headers.contains_key(header::AUTHORIZATION) {
        return bearer(headers);
    }
    let lines = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|line| line.to_str().ok());
    let offered = lines.flat_map(|line| line.split(',')).map(str::trim).take(MOST_OFFERED);
    let offered: Vec<&str> = offered.collect();
    let joined = offered.iter().find_map(|one| one.strip_prefix(BEFORE_KEY));
    let beside = || offered.windows(2).find(|pair| SCHEMES.contains(&pair[0])).map(|pair| pair[1]);
    let secret = joined.or_else(beside).filter(|secret| !secret.is_empty())?;
    Some(Secret::new(secret.to_owned()))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn found(headers: &[(&'static str, &'static str)]) -> Option<String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        secret(&map).map(|secret| secret.expose().clone())
    }

    #[test]
    fn each_kind_of_client_brings_its_secret_in_its_own_way() {
        const OFFER: &str = "sec-websocket-protocol";
        for headers in [
            &[("authorization", "Bearer troth_x")][..],
            &[("authorization", "Token troth_x")],
            &[(OFFER, "realtime, openai-insecure-api-key.troth_x, openai-agents-sdk.1")],
            &[(OFFER, "realtime"), (OFFER, "openai-insecure-api-key.troth_x")],
            &[(OFFER, "token, troth_x")],
            &[(OFFER, "bearer,troth_x,x-deepgram-session-id,7")],
            &[("authorization", "Token troth_x"), (OFFER, "token, troth_y")],
        ] {
            assert_eq!(found(headers).as_deref(), Some("troth_x"), "{headers:?}");
        }
        for headers in [
            &[][..],
            &[("authorization", "Basic troth_x")],
            &[("authorization", "Token ")],
            &[(OFFER, "realtime")],
            &[(OFFER, "token")],
            &[(OFFER, "openai-insecure-api-key.")],
            &[("authorization", "Basic a"), (OFFER, "token, troth_x")],
            &[("cookie", "__Host-troth=troth_x")],
        ] {
            assert_eq!(found(headers), None, "{headers:?}");
        }
    }
}
