//! What confirming shows: the password, or a code instead.

use identity::Ways;
use maud::{Markup, html};

use super::super::{
    frame::{Frame, Kind, note},
    icons::Icon,
    setup::form::password,
    words::Words,
};

/// Everything the page shows.
#[derive(Debug)]
pub struct Confirm<'a> {
    /// The account's name, for password managers.
    pub name: &'a str,
    /// Where to go afterwards.
    pub next: &'a str,
    /// Whether a form was interrupted.
    pub again: bool,
    /// Whether only a second factor helps.
    pub factor: bool,
    /// What the person has to show.
    pub ways: Ways,
    /// The services their person can sign in with anew instead: names and labels.
    pub services: &'a [(String, String)],
    /// What was wrong with the last try.
    pub problem: Option<&'a str>,
}

/// The page.
#[must_use]
pub fn page(frame: &Frame, confirm: &Confirm<'_>) -> Markup {
    let words = frame.words;
    let by_password = confirm.ways.password && !confirm.factor;
    let main = html! {
        div {
            h1 { (words.confirm_title) }
            p { (if confirm.factor { words.confirm_factor_text } else { words.confirm_text }) }
        }
        @if confirm.again { (note(Kind::Plain, words.confirm_again)) }
        @if let Some(problem) = confirm.problem { (note(Kind::Bad, problem)) }
        @if !confirm.factor && !confirm.services.is_empty() {
            div.ways {
                @for (name, label) in confirm.services {
                    a.quiet href={ "/sign-in/with/" (name) "/confirm" @if let Some(next) = plain(confirm.next) { "?next=" (next) } } {
                        (words.sign_in_with) " " (label)
                    }
                }
            }
        }
        @if confirm.ways.passkey {
            form.passkey method="post" action="/confirm" hidden data-options="/confirm/options"
                data-waiting=(words.passkey_waiting) data-failed=(words.passkey_failed) {
                (carried(confirm))
                input type="hidden" name="ceremony";
                input type="hidden" name="answer";
                button.button type="submit" { (Icon::Key.draw()) (words.passkey_show) }
                p.hint.passkey-word role="status" {}
            }
            div.divide aria-hidden="true" { (words.or) }
        }
        @if by_password {
            form method="post" action="/confirm" {
                (carried(confirm))
                // For password managers; it has no name and is not sent.
                input type="text" autocomplete="username" value=(confirm.name) readonly hidden;
                div.field { (password(words, "password", words.password, "current-password")) }
                button.button type="submit" { (words.confirm) }
            }
        }
        @if confirm.ways.code {
            @if by_password {
                details { summary { (words.confirm_by_code) } (by_code(words, confirm, false)) }
            } @else { (by_code(words, confirm, true)) }
        } @else if confirm.factor && !confirm.ways.passkey {
            (note(Kind::Due, words.confirm_factor_missing))
            a.button href="/account/factors" { (words.account) }
        }
        p.small.soft { (words.confirm_lasts) }
    };
    frame.single(words.confirm_title, Some("passkey.js"), &main)
}

fn by_code(words: &Words, confirm: &Confirm<'_>, first: bool) -> Markup {
    html! {
        form method="post" action="/confirm" {
            (carried(confirm))
            div.field {
                label for="digits" { (words.code) }
                input.code #digits name="code" required autofocus[first] autocomplete="one-time-code" spellcheck="false" maxlength="40" aria-describedby="digits-hint";
                p.hint.small.soft #digits-hint { (words.sign_in_factor_text) }
            }
            button.button type="submit" { (words.confirm) }
        }
    }
}

/// A wish that can stand in an address as it is.
fn plain(next: &str) -> Option<&str> {
    crate::session::safe_next(next).filter(|next| !next.contains(['&', '#', '%']))
}

/// What the form brings along.
fn carried(confirm: &Confirm<'_>) -> Markup {
    html! {
        input type="hidden" name="next" value=(confirm.next);
        @if confirm.again { input type="hidden" name="again" value="1"; }
        @if confirm.factor { input type="hidden" name="factor" value="1"; }
    }
}
