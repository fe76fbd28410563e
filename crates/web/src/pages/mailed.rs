//! What mailed links lead to: a new password, a confirmed address. The handlers of `/forgot`, `/reset` and
//! `/confirm-address`.
//!
//! A link's secret stands after its `#` and reaches no log. Whoever asks for a new password is answered the
//! same, whether the address is known or not; nobody is signed in by any of this.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use domain::Secret;
use identity::Error;
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    frame::{Frame, Kind, note},
    handlers::{Looks, problems_of},
    invitation::form::link_code,
    outcome::to_mend,
    setup::form::{advice, password},
    sign_in,
};
use crate::{App, Problem, Visitor, input::Form};

/// Whose password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forgot {
    address: String,
}

/// A new password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reset {
    code: Secret<String>,
    password: Secret<String>,
}

/// A link that confirms.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirm {
    code: Secret<String>,
}

/// `GET /forgot`
pub async fn forgot(State(app): State<App>, visitor: Visitor, looks: Looks) -> Markup {
    let frame = looks.frame(&app, &visitor);
    let no_mail = (!app.identity.sends_mail()).then_some((Kind::Due, frame.words.forgot_no_mail));
    forgot_form(&frame, no_mail)
}

/// `POST /forgot`
pub async fn send(
    State(app): State<App>,
    visitor: Visitor,
    looks: Looks,
    Form(form): Form<Forgot>,
) -> Result<Response, Problem> {
    let frame = looks.frame(&app, &visitor);
    match app.identity.ask_reset(&visitor.ctx, &form.address).await {
        Ok(()) => Ok(forgot_form(&frame, Some((Kind::Good, frame.words.forgot_sent))).into_response()),
        Err(error @ (Error::Email(_) | Error::NoMail)) => {
            let page = forgot_form(&frame, Some((Kind::Bad, &error.to_string())));
            Ok(to_mend(page))
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET /reset`
pub async fn reset(State(app): State<App>, visitor: Visitor, looks: Looks) -> Markup {
    reset_form(&looks.frame(&app, &visitor), "", &[])
}

/// `POST /reset`
pub async fn choose(
    State(app): State<App>,
    visitor: Visitor,
    looks: Looks,
    Form(form): Form<Reset>,
) -> Result<Response, Problem> {
    let frame = looks.frame(&app, &visitor);
    match app.identity.reset_password(&visitor.ctx, form.code.expose(), &form.password).await {
        Ok(()) => {
            let notice = Some((Kind::Good, frame.words.reset_done));
            Ok(sign_in::form::who(&frame, "", "", notice).into_response())
        }
        Err(error @ (Error::Link | Error::Password { .. })) => {
            let page = reset_form(&frame, form.code.expose(), &problems_of(&error));
            Ok(to_mend(page))
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET /confirm-address`
pub async fn address(State(app): State<App>, visitor: Visitor, looks: Looks) -> Markup {
    address_form(&looks.frame(&app, &visitor), None)
}

/// `POST /confirm-address`
pub async fn confirm(
    State(app): State<App>,
    visitor: Visitor,
    looks: Looks,
    Form(form): Form<Confirm>,
) -> Result<Response, Problem> {
    let frame = looks.frame(&app, &visitor);
    match app.identity.confirm_email(&visitor.ctx, form.code.expose()).await {
        Ok(()) => {
            let words = frame.words;
            let main = html! {
                div { h1 { (words.address_title) } }
                (note(Kind::Good, words.address_done))
                a.button href="/account" { (words.account) }
            };
            Ok(frame.single(words.address_title, Some("setup.js"), &main).into_response())
        }
        Err(error @ Error::Link) => {
            let page = address_form(&frame, Some(&error.to_string()));
            Ok(to_mend(page))
        }
        Err(error) => Err(error.into()),
    }
}

fn forgot_form(frame: &Frame, notice: Option<(Kind, &str)>) -> Markup {
    let words = frame.words;
    let main = html! {
        div { h1 { (words.forgot_title) } p { (words.forgot_text) } }
        @if let Some((kind, text)) = notice { (note(kind, text)) }
        form method="post" action="/forgot" {
            div.field {
                label for="address" { (words.email) }
                input #address name="address" type="email" required autocomplete="email" maxlength="254";
            }
            button.button type="submit" { (words.send_link) }
        }
        p.small { a href="/sign-in" { (words.back) } }
    };
    frame.single(words.forgot_title, Some("setup.js"), &main)
}

fn reset_form(frame: &Frame, code: &str, problems: &[String]) -> Markup {
    let words = frame.words;
    let main = html! {
        div { h1 { (words.reset_title) } p { (words.reset_text) } }
        @for problem in problems { (note(Kind::Bad, problem)) }
        form method="post" action="/reset" #who {
            (link_code(words, code))
            div.field { (password(words, "password", words.new_password, "new-password")) (advice(frame)) }
            button.button type="submit" { (words.save) }
        }
    };
    frame.single(words.reset_title, Some("setup.js"), &main)
}

fn address_form(frame: &Frame, problem: Option<&str>) -> Markup {
    let words = frame.words;
    let main = html! {
        div { h1 { (words.address_title) } p { (words.address_text) } }
        @if let Some(problem) = problem { (note(Kind::Bad, problem)) }
        form method="post" action="/confirm-address" #who {
            (link_code(words, ""))
            button.button type="submit" { (words.confirm) }
        }
    };
    frame.single(words.address_title, Some("setup.js"), &main)
}
