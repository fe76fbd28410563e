//! What the sign-in shows.

use domain::Secret;
use maud::{Markup, html};

use super::super::{
    frame::{Frame, Kind, note},
    setup::form::{advice, password},
};

/// A notice above the form.
pub type Notice<'a> = Option<(Kind, &'a str)>;

/// Name and password.
#[must_use]
pub fn who(frame: &Frame, name: &str, next: &str, notice: Notice<'_>) -> Markup {
    let words = frame.words;
    let main = html! {
        div { h1 { (words.sign_in_title) } p { (words.foot_line) } }
        @if let Some((kind, text)) = notice { (note(kind, text)) }
        (super::super::sso::view::ways(frame, next))
        form method="post" action="/sign-in" {
            input type="hidden" name="next" value=(next);
            div.field {
                label for="name" { (words.name) }
                input #name name="name" required autofocus[name.is_empty()] autocomplete="username" spellcheck="false" maxlength="80" value=(name);
            }
            div.field { (password(words, "password", words.password, "current-password")) }
            button.button type="submit" { (words.sign_in) }
        }
    };
    frame.single(words.sign_in, Some("setup.js"), &main)
}

/// The code of the authenticator, or a recovery code.
#[must_use]
pub fn factor(frame: &Frame, ticket: &Secret<String>, next: &str, notice: Notice<'_>) -> Markup {
    let words = frame.words;
    let main = html! {
        div { h1 { (words.sign_in_factor_title) } p { (words.sign_in_factor_text) } }
        @if let Some((kind, text)) = notice { (note(kind, text)) }
        form method="post" action="/sign-in/factor" {
            input type="hidden" name="ticket" value=(ticket.expose());
            input type="hidden" name="next" value=(next);
            div.field {
                label for="digits" { (words.code) }
                input.code #digits name="code" required autofocus autocomplete="one-time-code" spellcheck="false" maxlength="40";
            }
            button.button type="submit" { (words.confirm) }
        }
        p.small { a href="/sign-in" { (words.back) } }
    };
    frame.single(words.sign_in_factor_title, Some("setup.js"), &main)
}

/// A new password, because the old one is too old.
#[must_use]
pub fn renew(frame: &Frame, ticket: &Secret<String>, next: &str, problems: &[String]) -> Markup {
    let words = frame.words;
    let main = html! {
        div { h1 { (words.expired_title) } p { (words.expired_text) } }
        @for problem in problems { (note(Kind::Bad, problem)) }
        form method="post" action="/sign-in/password" {
            input type="hidden" name="ticket" value=(ticket.expose());
            input type="hidden" name="next" value=(next);
            div.field { (password(words, "password", words.new_password, "new-password")) (advice(words)) }
            button.button type="submit" { (words.save) }
        }
    };
    frame.single(words.expired_title, Some("setup.js"), &main)
}
