//! What signing in with a service shows: its buttons, our own factor, the way out there as well.

use domain::Secret;
use maud::{Markup, html};

use super::super::{
    frame::{Frame, Kind, note},
    icons::Icon,
    sign_in::form::Notice,
};

/// A button for each service, above the password; nothing where there is none.
#[must_use]
pub fn ways(frame: &Frame, next: &str) -> Markup {
    let words = frame.words;
    let next = crate::session::safe_next(next).filter(|next| !next.contains(['&', '#', '%']));
    html! {
        @if !frame.ways.is_empty() {
            div.ways {
                @for (name, label) in &frame.ways {
                    a.quiet href={ "/sign-in/with/" (name) @if let Some(next) = next { "?next=" (next) } } {
                        (words.sign_in_with) " " (label)
                    }
                }
                p.or { (words.or_password) }
            }
        }
    }
}

/// Who is asked for a factor of their own.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The connection they came by.
    pub name: &'a str,
    /// Names their sign-in.
    pub ticket: &'a Secret<String>,
    /// Whether they have a passkey.
    pub passkey: bool,
}

/// The code of one's own authenticator, or a passkey.
#[must_use]
pub fn factor(frame: &Frame, asked: &Asked<'_>, notice: Notice<'_>) -> Markup {
    let words = frame.words;
    let Asked { name, ticket, passkey } = *asked;
    let main = html! {
        div { h1 { (words.sign_in_factor_title) } p { (words.sign_in_factor_text) } }
        @if let Some((kind, text)) = notice { (note(kind, text)) }
        @if passkey {
            form.passkey method="post" action={ "/sign-in/with/" (name) "/passkey" } hidden
                data-options={ "/sign-in/with/" (name) "/passkey/options" }
                data-waiting=(words.passkey_waiting) data-failed=(words.passkey_failed) {
                input type="hidden" name="ticket" value=(ticket.expose());
                input type="hidden" name="ceremony";
                input type="hidden" name="answer";
                button.button type="submit" { (Icon::Key.draw()) (words.passkey_show) }
                p.hint.passkey-word role="status" {}
            }
            div.divide aria-hidden="true" { (words.or) }
        }
        form method="post" action={ "/sign-in/with/" (name) "/factor" } {
            input type="hidden" name="ticket" value=(ticket.expose());
            @if passkey { input type="hidden" name="passkey" value="yes"; }
            div.field {
                label for="digits" { (words.code) }
                input.code #digits name="code" required autofocus autocomplete="one-time-code" spellcheck="false" maxlength="40";
            }
            button.button type="submit" { (words.confirm) }
        }
        p.small { a href="/sign-in" { (words.back) } }
    };
    frame.single(words.sign_in_factor_title, Some("passkey.js"), &main)
}

/// Signed out here; the service may still know the browser.
#[must_use]
pub fn signed_out(frame: &Frame, there: &[(String, String)]) -> Markup {
    let words = frame.words;
    let main = html! {
        div { h1 { (words.sign_in_title) } p { (words.foot_line) } }
        (note(Kind::Good, words.signed_out))
        p.soft { (words.sign_out_there) }
        div.ways { @for (label, address) in there { a.quiet href=(address) { (label) } } }
        a.button href="/sign-in" { (words.sign_in) }
    };
    frame.single(words.sign_in, None, &main)
}
