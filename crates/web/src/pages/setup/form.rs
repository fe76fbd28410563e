//! What the setup shows: three short steps, each one question.

use domain::Secret;
use identity::SetupPending;
use maud::{Markup, PreEscaped, html};

use super::super::{
    frame::{Frame, Kind, note},
    icons::Icon,
    words::Words,
};

/// How many steps there are.
const STEPS: usize = 3;

/// What was typed before, and what was wrong with it.
#[derive(Debug, Default)]
pub struct Before {
    /// The setup code.
    pub code: String,
    /// The name.
    pub name: String,
    /// What to change, a sentence each.
    pub problems: Vec<String>,
}

/// The first step: who, and with which password.
#[must_use]
pub fn who(frame: &Frame, before: &Before) -> Markup {
    let words = frame.words;
    let main = html! {
        (progress(words, 1))
        div { h1 { (words.setup_title) } p { (words.setup_text) } }
        @for problem in &before.problems { (note(Kind::Bad, problem)) }
        form method="post" action="/setup" #who {
            div.field #code-field {
                label for="code" { (words.setup_code) }
                input #code name="code" required autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="64" value=(before.code) aria-describedby="code-hint";
                span.hint #code-hint { (words.setup_code_hint) }
            }
            (name_and_password(frame, before))
            button.button type="submit" { (words.next) }
        }
    };
    frame.single(words.setup_title, Some("setup.js"), &main)
}

/// The fields of who is to have an account: a name and a password.
#[must_use]
pub fn name_and_password(frame: &Frame, before: &Before) -> Markup {
    let words = frame.words;
    html! {
        div.field {
            label for="name" { (words.name) }
            input #name name="name" required autocomplete="username" spellcheck="false" maxlength="80" value=(before.name) aria-describedby="name-hint";
            span.hint #name-hint { (words.name_hint) }
        }
        div.field {
            (password(words, "password", words.password, "new-password"))
            (advice(frame))
        }
    }
}

/// A field for a password, with a button that shows it.
#[must_use]
pub fn password(words: &Words, name: &str, label: &str, autocomplete: &str) -> Markup {
    html! {
        label for=(name) { (label) }
        div.reveal {
            input id=(name) name=(name) type="password" required autocomplete=(autocomplete) maxlength="256" aria-describedby=[(autocomplete == "new-password").then_some("password-advice")];
            button.bare type="button" data-act="reveal" data-for=(name) aria-pressed="false" aria-label=(words.show_password) hidden { (Icon::Eye.draw()) }
        }
    }
}

/// The rules of a new password; the script ticks them off.
#[must_use]
pub fn advice(frame: &Frame) -> Markup {
    let words = frame.words;
    let length = words.rule_length.replace("{}", &frame.rules.min_chars.to_string());
    let rule = |name: &str, text: &str| {
        html! { li data-rule=(name) { (Icon::Circle.draw()) (Icon::Check.classed("icon tick")) span { (text) } } }
    };
    html! {
        ul.advice #password-advice {
            (rule("length", &length))
            @if frame.rules.classes { (rule("classes", words.rule_classes)) }
            (rule("guess", words.rule_guess))
        }
        p.hint #password-word role="status" {}
    }
}

/// The second step: an authenticator.
#[must_use]
pub fn factor(frame: &Frame, pending: &SetupPending, problem: Option<&str>) -> Markup {
    enrolment(frame, pending, problem, "/setup/factor", Some(2))
}

/// An authenticator to be added, by a form that is sent to `action`; `step` of the setup.
#[must_use]
pub fn enrolment(
    frame: &Frame,
    pending: &SetupPending,
    problem: Option<&str>,
    action: &str,
    step: Option<usize>,
) -> Markup {
    let words = frame.words;
    let main = html! {
        @if let Some(step) = step { (progress(words, step)) }
        div { h1 { (words.factor_title) } p { (words.factor_text) } }
        (scan(words, pending))
        @if let Some(problem) = problem { (note(Kind::Bad, problem)) }
        form method="post" action=(action) {
            input type="hidden" name="ticket" value=(pending.ticket.expose());
            (six_digits(words))
            button.button type="submit" { (words.confirm) }
        }
    };
    frame.single(words.factor_title, Some("setup.js"), &main)
}

/// What an authenticator scans, or a person types into it.
#[must_use]
pub fn scan(words: &Words, pending: &SetupPending) -> Markup {
    html! {
        div.qr {
            div role="img" aria-label=(words.qr_label) { (PreEscaped(pending.qr_svg.expose())) }
            details { summary.small { (words.manual) } p.secret { (pending.secret_base32.expose()) } }
        }
    }
}

/// The field for a code of the authenticator.
#[must_use]
pub fn six_digits(words: &Words) -> Markup {
    html! {
        div.field {
            label for="digits" { (words.six_digits) }
            input.code #digits name="code" required autofocus inputmode="numeric" autocomplete="one-time-code" pattern="[0-9 ]{6,8}" maxlength="8";
        }
    }
}

/// The last step: recovery codes, shown this once.
#[must_use]
pub fn codes(frame: &Frame, codes: &[Secret<String>]) -> Markup {
    kept_codes(frame, codes, Some(STEPS), "/chat")
}

/// Recovery codes, shown this once, and the way on.
#[must_use]
pub fn kept_codes(frame: &Frame, codes: &[Secret<String>], step: Option<usize>, next: &str) -> Markup {
    let words = frame.words;
    let main = html! {
        @if let Some(step) = step { (progress(words, step)) }
        div { h1 { (words.codes_title) } p { (words.codes_text) } }
        (code_list(words, codes))
        a.button href=(next) { (words.codes_kept) }
    };
    frame.single(words.codes_title, Some("setup.js"), &main)
}

/// Recovery codes with the ways to keep them.
#[must_use]
pub fn code_list(words: &Words, codes: &[Secret<String>]) -> Markup {
    html! {
        ol.codes #codes { @for code in codes { li { (code.expose()) } } }
        div.actions.no-print {
            button.quiet.compact type="button" data-act="copy-codes" data-done=(words.copied) { (Icon::Copy.draw()) (words.copy) }
            button.quiet.compact type="button" data-act="download-codes" { (Icon::Download.draw()) (words.download) }
            button.quiet.compact type="button" data-act="print" { (Icon::Print.draw()) (words.print) }
        }
    }
}

fn progress(words: &Words, step: usize) -> Markup {
    html! {
        div {
            p.stepword { (words.step) " " (step) " " (words.of) " " (STEPS) }
            div.steps aria-hidden="true" { @for n in 1..=STEPS { i.done[n <= step] {} } }
        }
    }
}
