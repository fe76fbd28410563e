//! The first account: the handlers of `/setup`.
//!
//! The setup code arrives in the address after `#`, so it reaches no log; a script moves it into the
//! form, and who has no scripts types it. Everything works as plain forms.

pub mod form;

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use domain::Secret;
use identity::{Error, Tokens};
use maud::Markup;
use serde::{Deserialize, Serialize};

use super::{
    handlers::{Looks, problems_of},
    outcome::to_mend,
};
use crate::{
    App, Problem, Visitor,
    input::{Form, Json},
    session,
};

/// The form of the first step, here and at an invitation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Who {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) password: Secret<String>,
}

/// The form of the second step, here and at an invitation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Factor {
    pub(super) ticket: Secret<String>,
    pub(super) code: String,
}

/// What the advice is asked about.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chosen {
    password: Secret<String>,
    #[serde(default)]
    name: String,
}

/// What the advice says.
#[derive(Serialize)]
pub struct Advice {
    length: bool,
    classes: bool,
    guess: bool,
    word: String,
}

/// `GET /setup`
pub async fn show(State(app): State<App>, visitor: Visitor, looks: Looks) -> Result<Response, Problem> {
    if !app.identity.setup_needed().await? {
        return Ok(Redirect::to("/").into_response());
    }
    let frame = looks.frame(&app, &visitor);
    Ok(form::who(&frame, &form::Before::default()).into_response())
}

/// `POST /setup`: name and password; answers with the second step.
pub async fn who(
    State(app): State<App>,
    visitor: Visitor,
    looks: Looks,
    Form(who): Form<Who>,
) -> Result<Response, Problem> {
    let frame = looks.frame(&app, &visitor);
    let code = Secret::new(who.code.clone());
    match app.identity.begin_setup(&visitor.ctx, &code, &who.name, &who.password).await {
        Ok(pending) => Ok(form::factor(&frame, &pending, None).into_response()),
        Err(Error::AlreadySetUp) => Ok(Redirect::to("/sign-in").into_response()),
        Err(error @ (Error::SetupCode | Error::Name(_) | Error::Password { .. })) => {
            let before = form::Before { code: who.code, name: who.name, problems: problems_of(&error) };
            Ok(to_mend(form::who(&frame, &before)))
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /setup/factor`: the authenticator's code; makes the account and shows the recovery codes.
pub async fn factor(
    State(app): State<App>,
    visitor: Visitor,
    looks: Looks,
    Form(factor): Form<Factor>,
) -> Result<Response, Problem> {
    let mut frame = looks.frame(&app, &visitor);
    match app.identity.finish_setup(&visitor.ctx, &factor.ticket, &factor.code, &visitor.device).await {
        Ok(done) => {
            frame.name = None;
            Ok(with_session(&done.session.tokens, form::codes(&frame, &done.recovery_codes)))
        }
        Err(Error::Refused) => {
            let pending = app.identity.setup_factor(&visitor.ctx, &factor.ticket)?;
            let page = form::factor(&frame, &pending, Some(frame.words.code_refused));
            Ok(to_mend(page))
        }
        Err(Error::AlreadySetUp) => Ok(Redirect::to("/sign-in").into_response()),
        Err(error @ Error::TicketGone) => {
            let before = form::Before { problems: problems_of(&error), ..form::Before::default() };
            Ok(to_mend(form::who(&frame, &before)))
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /setup/advice`: what is good and bad about a password, while it is typed.
///
/// Open to anybody: who renews or resets a password is not known yet. It says nothing of anybody, one
/// estimate is made at a time, and few may wait.
pub async fn advice(State(app): State<App>, Json(chosen): Json<Chosen>) -> Result<Json<Advice>, Problem> {
    let advice = app.identity.password_advice(&chosen.password, &chosen.name).await?;
    let word = advice.warning.filter(|_| advice.score < 3).or_else(|| advice.problems.into_iter().next());
    Ok(Json(Advice {
        length: advice.long_enough,
        classes: advice.mixed,
        guess: advice.score >= 3,
        word: word.filter(|_| !chosen.password.expose().is_empty()).unwrap_or_default(),
    }))
}

/// A page that also begins a session.
pub fn with_session(tokens: &Tokens, page: Markup) -> Response {
    let mut response = page.into_response();
    session::begin(&mut response, tokens);
    response
}
