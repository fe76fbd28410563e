//! Signing in and out: the handlers of `/sign-in` and `/sign-out`.
//!
//! Unknown names, wrong passwords and wrong codes get the same words and the same status.

pub mod form;
pub mod passkey;
pub mod steps;

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use domain::Secret;
use http::StatusCode;
use identity::{Error, NewSession, Next};
use serde::Deserialize;

use super::{
    frame::Kind,
    handlers::{Looks, problems_of},
    outcome::to_mend,
};
use crate::{
    App, Problem, SignedIn, Visitor,
    input::{Form, Query},
    session,
};

/// Where to go afterwards.
#[derive(Deserialize)]
pub struct Wish {
    #[serde(default)]
    next: String,
    /// Present after signing out.
    out: Option<String>,
}

/// The form of the first step.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Who {
    name: String,
    password: Secret<String>,
    #[serde(default)]
    next: String,
}

/// The form of the second step.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Factor {
    ticket: Secret<String>,
    code: String,
    #[serde(default)]
    next: String,
    /// Present when the account has a passkey, so that a second page offers it too.
    passkey: Option<String>,
}

/// The form of a new password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Renewal {
    ticket: Secret<String>,
    password: Secret<String>,
    #[serde(default)]
    next: String,
}

/// `GET /sign-in`
pub async fn show(
    State(app): State<App>,
    visitor: Visitor,
    looks: Looks,
    Query(wish): Query<Wish>,
) -> Result<Response, Problem> {
    if visitor.person.is_some() {
        return Ok(Redirect::to(home(&wish.next)).into_response());
    }
    if app.identity.setup_needed().await? {
        return Ok(Redirect::to("/setup").into_response());
    }
    let frame = looks.frame(&app, &visitor);
    if wish.out.is_some() {
        let there = app.identity.sso_sign_outs().await;
        if !there.is_empty() {
            return Ok(super::sso::view::signed_out(&frame, &there).into_response());
        }
    }
    let notice = wish.out.is_some().then_some((Kind::Good, frame.words.signed_out));
    Ok(form::who(&frame, "", &wish.next, notice).into_response())
}

/// `POST /sign-in`
pub async fn who(
    State(app): State<App>,
    visitor: Visitor,
    looks: Looks,
    Form(who): Form<Who>,
) -> Result<Response, Problem> {
    let frame = looks.frame(&app, &visitor);
    let refuse = |status: StatusCode, text: &str| {
        (status, form::who(&frame, &who.name, &who.next, Some((Kind::Bad, text)))).into_response()
    };
    match app.identity.sign_in(&visitor.ctx, &who.name, &who.password, &visitor.device).await {
        Ok(next) => Ok(go_on(&frame, next, &who.next)),
        Err(Error::Refused) => Ok(refuse(StatusCode::UNAUTHORIZED, frame.words.refused)),
        Err(Error::Throttled { .. }) => Ok(refuse(StatusCode::TOO_MANY_REQUESTS, frame.words.throttled)),
        Err(error) => Err(error.into()),
    }
}

/// `POST /sign-in/factor`
pub async fn factor(
    State(app): State<App>,
    visitor: Visitor,
    looks: Looks,
    Form(factor): Form<Factor>,
) -> Result<Response, Problem> {
    let frame = looks.frame(&app, &visitor);
    let identity = &app.identity;
    match identity.finish_sign_in(&visitor.ctx, &factor.ticket, &factor.code, &visitor.device).await {
        Ok(next) => Ok(go_on(&frame, next, &factor.next)),
        Err(Error::Refused) => {
            let notice = Some((Kind::Bad, frame.words.code_refused));
            let page = form::factor(&frame, &factor.ticket, factor.passkey.is_some(), &factor.next, notice);
            Ok((StatusCode::UNAUTHORIZED, page).into_response())
        }
        Err(error @ Error::NotYet(_)) => {
            let said = error.to_string();
            let page = form::who(&frame, "", &factor.next, Some((Kind::Due, &said)));
            Ok((StatusCode::CONFLICT, page).into_response())
        }
        Err(error @ (Error::TicketGone | Error::Throttled { .. })) => {
            let notice = Some((Kind::Due, problems_of(&error).join(" ")));
            let notice = notice.as_ref().map(|(kind, text)| (*kind, text.as_str()));
            Ok((StatusCode::UNAUTHORIZED, form::who(&frame, "", &factor.next, notice)).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /sign-in/password`
pub async fn renew(
    State(app): State<App>,
    visitor: Visitor,
    looks: Looks,
    Form(form): Form<Renewal>,
) -> Result<Response, Problem> {
    let frame = looks.frame(&app, &visitor);
    let identity = &app.identity;
    match identity.renew_password(&visitor.ctx, &form.ticket, &form.password, &visitor.device).await {
        Ok(next) => Ok(go_on(&frame, next, &form.next)),
        Err(error @ Error::Password { .. }) => {
            let page = form::renew(&frame, &form.ticket, &form.next, &problems_of(&error));
            Ok(to_mend(page))
        }
        Err(error @ Error::TicketGone) => {
            let text = problems_of(&error).join(" ");
            let page = form::who(&frame, "", &form.next, Some((Kind::Due, &text)));
            Ok((StatusCode::UNAUTHORIZED, page).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /sign-out`: ends the session and everything that lives in memory for it.
pub async fn out(State(app): State<App>, person: SignedIn) -> Result<Response, Problem> {
    app.assistant.forget_person(&person.person.user);
    app.identity.sign_out(&person.ctx).await?;
    let mut response = Redirect::to("/sign-in?out=1").into_response();
    session::end(&mut response);
    Ok(response)
}

fn go_on(frame: &super::frame::Frame, next: Next, wish: &str) -> Response {
    match next {
        Next::Factor { ticket, passkey } => form::factor(frame, &ticket, passkey, wish, None).into_response(),
        Next::Enrol(pending) => form::enrol(frame, &pending, wish, None).into_response(),
        Next::NewPassword { ticket } => form::renew(frame, &ticket, wish, &[]).into_response(),
        Next::Done(session) => enter(&session, wish),
        // A step this page does not know yet: nobody gets in by it.
        _ => Problem::sign_in_needed().into_response(),
    }
}

pub(super) fn enter(session: &NewSession, wish: &str) -> Response {
    let mut response = Redirect::to(home(wish)).into_response();
    session::begin(&mut response, &session.tokens);
    response
}

pub(super) fn home(wish: &str) -> &str {
    session::safe_next(wish).unwrap_or("/chat")
}
