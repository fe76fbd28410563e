//! What a sign-in may need beside name, password and factor: adding a factor, and the way back for those who
//! lost theirs.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use domain::Secret;
use http::StatusCode;
use identity::Error;
use serde::Deserialize;

use super::{super::frame::Kind, form, home};
use crate::{
    App, Problem, Visitor,
    input::Form,
    pages::{
        handlers::{Looks, problems_of},
        outcome::to_mend,
        setup::{form::kept_codes, with_session},
    },
};

/// A code of the authenticator that is being added.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    ticket: Secret<String>,
    code: String,
    #[serde(default)]
    next: String,
}

/// A sign-in whose factors are lost.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lost {
    ticket: Secret<String>,
}

/// `POST /sign-in/enrol`: the authenticator's code; signs in and shows the recovery codes.
pub async fn enrol(
    State(app): State<App>,
    visitor: Visitor,
    looks: Looks,
    Form(form): Form<Enrolment>,
) -> Result<Response, Problem> {
    let frame = looks.frame(&app, &visitor);
    let identity = &app.identity;
    match identity.finish_enrolment(&visitor.ctx, &form.ticket, &form.code, &visitor.device).await {
        Ok(done) => {
            let page = kept_codes(&frame, &done.recovery_codes, None, home(&form.next));
            Ok(with_session(&done.session.tokens, page))
        }
        Err(Error::Refused) => {
            let pending = identity.pending_enrolment(&visitor.ctx, &form.ticket).await?;
            let page = form::enrol(&frame, &pending, &form.next, Some(frame.words.code_refused));
            Ok(to_mend(page))
        }
        Err(error @ Error::TicketGone) => {
            let said = problems_of(&error).join(" ");
            let page = form::who(&frame, "", &form.next, Some((Kind::Due, &said)));
            Ok((StatusCode::UNAUTHORIZED, page).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /sign-in/lost`: asks for a way back and shows what belongs to it, once.
pub async fn lost(
    State(app): State<App>,
    visitor: Visitor,
    looks: Looks,
    Form(form): Form<Lost>,
) -> Result<Response, Problem> {
    let frame = looks.frame(&app, &visitor);
    match app.identity.ask_recovery(&visitor.ctx, &form.ticket).await {
        Ok(asked) => Ok(form::lost(&frame, &asked).into_response()),
        Err(error @ (Error::TicketGone | Error::NobodyToAsk)) => {
            let said = problems_of(&error).join(" ");
            let page = form::who(&frame, "", "", Some((Kind::Due, &said)));
            Ok((StatusCode::CONFLICT, page).into_response())
        }
        Err(error) => Err(error.into()),
    }
}
