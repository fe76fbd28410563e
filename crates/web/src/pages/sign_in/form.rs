//! What the sign-in shows.

use domain::Secret;
use identity::{RecoveryAsked, SetupPending};
use maud::{Markup, html};

use super::super::{
    frame::{Frame, Kind, note},
    icons::Icon,
    setup::form::{advice, password, scan, six_digits},
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
        (passkey(frame, None, next, words.passkey_sign_in))
        form method="post" action="/sign-in" {
            input type="hidden" name="next" value=(next);
            div.field {
                label for="name" { (words.name) }
                input #name name="name" required autofocus[name.is_empty()] autocomplete="username" spellcheck="false" maxlength="80" value=(name);
            }
            div.field { (password(words, "password", words.password, "current-password")) }
            button.button type="submit" { (words.sign_in) }
        }
        p.small { a href="/forgot" { (words.forgot) } }
    };
    frame.single(words.sign_in, Some("passkey.js"), &main)
}

/// The code of the authenticator, or a recovery code.
#[must_use]
pub fn factor(
    frame: &Frame,
    ticket: &Secret<String>,
    has_passkey: bool,
    next: &str,
    notice: Notice<'_>,
) -> Markup {
    let words = frame.words;
    let main = html! {
        div { h1 { (words.sign_in_factor_title) } p { (words.sign_in_factor_text) } }
        @if let Some((kind, text)) = notice { (note(kind, text)) }
        @if has_passkey { (passkey(frame, Some(ticket), next, words.passkey_show)) }
        form method="post" action="/sign-in/factor" {
            input type="hidden" name="ticket" value=(ticket.expose());
            input type="hidden" name="next" value=(next);
            @if has_passkey { input type="hidden" name="passkey" value="yes"; }
            div.field {
                label for="digits" { (words.code) }
                input.code #digits name="code" required autofocus autocomplete="one-time-code" spellcheck="false" maxlength="40";
            }
            button.button type="submit" { (words.confirm) }
        }
        details {
            summary.small { (words.lost_link) }
            p.small.soft { (words.lost_text) }
            form method="post" action="/sign-in/lost" {
                input type="hidden" name="ticket" value=(ticket.expose());
                button.quiet type="submit" { (words.lost_ask) }
            }
        }
        p.small { a href="/sign-in" { (words.back) } }
    };
    frame.single(words.sign_in_factor_title, Some("passkey.js"), &main)
}

/// The button for a passkey; a script shows it where the browser knows them.
fn passkey(frame: &Frame, ticket: Option<&Secret<String>>, next: &str, word: &str) -> Markup {
    let words = frame.words;
    html! {
        form.passkey method="post" action="/sign-in/passkey" hidden data-options="/sign-in/passkey/options"
            data-waiting=(words.passkey_waiting) data-failed=(words.passkey_failed) {
            @if let Some(ticket) = ticket { input type="hidden" name="ticket" value=(ticket.expose()); }
            input type="hidden" name="next" value=(next);
            input type="hidden" name="ceremony";
            input type="hidden" name="answer";
            button.button type="submit" { (Icon::Key.draw()) (word) }
            p.hint.passkey-word role="status" {}
        }
        div.divide aria-hidden="true" { (words.or) }
    }
}

/// An authenticator that must be added before the account opens.
#[must_use]
pub fn enrol(frame: &Frame, pending: &SetupPending, next: &str, problem: Option<&str>) -> Markup {
    let words = frame.words;
    let main = html! {
        div { h1 { (words.enrol_title) } p { (words.enrol_text) } }
        (scan(words, pending))
        @if let Some(problem) = problem { (note(Kind::Bad, problem)) }
        form method="post" action="/sign-in/enrol" {
            input type="hidden" name="ticket" value=(pending.ticket.expose());
            input type="hidden" name="next" value=(next);
            (six_digits(words))
            button.button type="submit" { (words.confirm) }
        }
    };
    frame.single(words.enrol_title, Some("setup.js"), &main)
}

/// A recovery that was asked for: the code to keep, the word to tell.
#[must_use]
pub fn lost(frame: &Frame, asked: &RecoveryAsked) -> Markup {
    let words = frame.words;
    let main = html! {
        div { h1 { (words.lost_title) } p { (words.lost_asked) } }
        div {
            h2.stepword { (words.lost_code) }
            p.secret #claim { (asked.code.expose()) }
            div.actions.no-print { button.quiet.compact type="button" data-act="copy-text" data-from="claim" data-done=(words.copied) { (Icon::Copy.draw()) (words.copy) } }
        }
        div {
            h2.stepword { (words.lost_word) }
            p.word #word { (asked.word.expose()) }
            p.small.soft { (words.lost_after) " " (asked.delay_hours) "." }
        }
        p.small { a href="/sign-in" { (words.back) } }
    };
    frame.single(words.lost_title, Some("setup.js"), &main)
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
            div.field { (password(words, "password", words.new_password, "new-password")) (advice(frame)) }
            button.button type="submit" { (words.save) }
        }
    };
    frame.single(words.expired_title, Some("setup.js"), &main)
}
