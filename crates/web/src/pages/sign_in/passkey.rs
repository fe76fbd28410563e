//! Signing in with a passkey: alone, or after the password. The script of the page carries the question to
//! the authenticator and sends its answer as a form.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use domain::Secret;
use http::StatusCode;
use identity::{Challenge, Error};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{super::frame::Kind, form, go_on};
use crate::{
    App, Problem, Visitor,
    edge::host::Asked,
    input::{Form, Json},
    pages::handlers::Looks,
};

/// What the question is for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct For {
    /// A sign-in whose password was right; without one, any passkey will do.
    ticket: Option<Secret<String>>,
}

/// A question, as the script reads it.
#[derive(Serialize)]
pub struct Question {
    ticket: String,
    options: Value,
}

impl From<Challenge> for Question {
    fn from(challenge: Challenge) -> Self {
        Self { ticket: challenge.ticket.expose().clone(), options: challenge.options }
    }
}

/// The answer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    ceremony: Secret<String>,
    answer: String,
    ticket: Option<Secret<String>>,
    #[serde(default)]
    next: String,
}

/// `POST /sign-in/passkey/options`
pub async fn options(
    State(app): State<App>,
    visitor: Visitor,
    Asked(host): Asked,
    Json(wish): Json<For>,
) -> Result<Json<Question>, Problem> {
    let challenge = match &wish.ticket {
        None => app.identity.begin_passkey_sign_in(&visitor.ctx, &host)?,
        Some(ticket) => app.identity.begin_passkey_factor(&visitor.ctx, ticket, &host).await?,
    };
    Ok(Json(challenge.into()))
}

/// `POST /sign-in/passkey`
pub async fn show(
    State(app): State<App>,
    visitor: Visitor,
    looks: Looks,
    Form(form): Form<Answer>,
) -> Result<Response, Problem> {
    let frame = looks.frame(&app, &visitor);
    let (identity, ctx, device) = (&app.identity, &visitor.ctx, &visitor.device);
    let next = match &form.ticket {
        None => identity.sign_in_with_passkey(ctx, &form.ceremony, &form.answer, device).await,
        Some(ticket) => {
            identity.finish_sign_in_with_passkey(ctx, ticket, &form.ceremony, &form.answer, device).await
        }
    };
    match (next, &form.ticket) {
        (Ok(next), _) => Ok(go_on(&frame, next, &form.next)),
        (Err(Error::Refused), Some(ticket)) => {
            let notice = Some((Kind::Bad, frame.words.passkey_refused));
            let page = form::factor(&frame, ticket, true, &form.next, notice);
            Ok((StatusCode::UNAUTHORIZED, page).into_response())
        }
        (Err(error @ (Error::Refused | Error::TicketGone)), _) => {
            let said = match error {
                Error::Refused => frame.words.passkey_refused.to_owned(),
                other => other.to_string(),
            };
            let page = form::who(&frame, "", &form.next, Some((Kind::Bad, &said)));
            Ok((StatusCode::UNAUTHORIZED, page).into_response())
        }
        (Err(error), _) => Err(error.into()),
    }
}
