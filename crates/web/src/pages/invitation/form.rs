//! What somebody sees who was invited.

use domain::Secret;
use identity::SetupPending;
use maud::{Markup, html};

use super::super::{
    frame::{Frame, Kind, note},
    setup::form::{Before, enrolment, kept_codes, name_and_password},
    words::Words,
};

/// Name and password.
#[must_use]
pub fn who(frame: &Frame, before: &Before) -> Markup {
    let words = frame.words;
    let main = html! {
        div { h1 { (words.invitation_title) } p { (words.invitation_text) } }
        @for problem in &before.problems { (note(Kind::Bad, problem)) }
        form method="post" action="/invitation" #who {
            (link_code(words, &before.code))
            (name_and_password(frame, before))
            button.button type="submit" { (words.next) }
        }
    };
    frame.single(words.invitation_title, Some("setup.js"), &main)
}

/// The field for what stands after the `#` of a link; a script fills and hides it.
#[must_use]
pub fn link_code(words: &Words, typed: &str) -> Markup {
    html! {
        div.field #code-field {
            label for="code" { (words.link_code) }
            input #code name="code" required autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="64" value=(typed) aria-describedby="code-hint";
            span.hint #code-hint { (words.link_code_hint) }
        }
    }
}

/// An authenticator, for roles that are entered with one or not at all.
#[must_use]
pub fn factor(frame: &Frame, pending: &SetupPending, problem: Option<&str>) -> Markup {
    enrolment(frame, pending, problem, "/invitation/factor", None)
}

/// The account is made.
#[must_use]
pub fn welcome(frame: &Frame, codes: &[Secret<String>]) -> Markup {
    if !codes.is_empty() {
        return kept_codes(frame, codes, None, "/chat");
    }
    let words = frame.words;
    let main = html! {
        div { h1 { (words.begin_title) } p { (words.foot_line) } }
        a.button href="/chat" { (words.new_chat) }
    };
    frame.single(words.begin_title, Some("setup.js"), &main)
}
