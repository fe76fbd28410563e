//! Accepting an invitation: the handlers of `/invitation`.
//!
//! The link's secret arrives in the address after `#`, so it reaches no log; a script moves it into the
//! form, and who has no scripts types it. All of it works as plain forms.

pub mod form;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use domain::Secret;
use http::StatusCode;
use identity::{Accepted, Error};
use maud::Markup;
use serde::Deserialize;

use super::{
    handlers::{Looks, problems_of},
    setup::{self, form::Before},
};
use crate::{App, Problem, Visitor, input::Form};

/// The form of the first step.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Who {
    code: String,
    name: String,
    password: Secret<String>,
}

/// The form of the second step.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Factor {
    ticket: Secret<String>,
    code: String,
}

/// `GET /invitation`
pub async fn show(State(app): State<App>, visitor: Visitor, looks: Looks) -> Markup {
    form::who(&looks.frame(&app, &visitor), &Before::default())
}

/// `POST /invitation`: name and password.
pub async fn who(
    State(app): State<App>,
    visitor: Visitor,
    looks: Looks,
    Form(who): Form<Who>,
) -> Result<Response, Problem> {
    let frame = looks.frame(&app, &visitor);
    let accepted =
        app.identity.accept(&visitor.ctx, &who.code, &who.name, &who.password, &visitor.device).await;
    match accepted {
        Ok(accepted) => Ok(go_on(&app, &visitor, looks, accepted)),
        Err(error @ (Error::Link | Error::Name(_) | Error::NameTaken | Error::Password { .. })) => {
            let before = Before { code: who.code, name: who.name, problems: problems_of(&error) };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, form::who(&frame, &before)).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /invitation/factor`: the authenticator's code.
pub async fn factor(
    State(app): State<App>,
    visitor: Visitor,
    looks: Looks,
    Form(factor): Form<Factor>,
) -> Result<Response, Problem> {
    let frame = looks.frame(&app, &visitor);
    let identity = &app.identity;
    match identity.finish_acceptance(&visitor.ctx, &factor.ticket, &factor.code, &visitor.device).await {
        Ok(accepted) => Ok(go_on(&app, &visitor, looks, accepted)),
        Err(Error::Refused) => {
            let pending = identity.acceptance_factor(&visitor.ctx, &factor.ticket)?;
            let page = form::factor(&frame, &pending, Some(frame.words.code_refused));
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Err(error @ (Error::TicketGone | Error::Link | Error::NameTaken)) => {
            let before = Before { problems: problems_of(&error), ..Before::default() };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, form::who(&frame, &before)).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

fn go_on(app: &App, visitor: &Visitor, looks: Looks, accepted: Accepted) -> Response {
    let mut frame = looks.frame(app, visitor);
    match accepted {
        Accepted::Factor(pending) => form::factor(&frame, &pending, None).into_response(),
        Accepted::Done { recovery_codes, session } => {
            frame.name = None;
            setup::with_session(&session.tokens, form::welcome(&frame, &recovery_codes))
        }
        // A step this page does not know yet: nobody gets in by it.
        _ => Problem::sign_in_needed().into_response(),
    }
}
