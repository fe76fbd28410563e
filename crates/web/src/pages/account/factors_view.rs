//! What the page of the factors shows: the authenticator, the passkeys, the recovery codes.

use identity::{Factors, PasskeyInfo, SetupPending};
use maud::{Markup, html};

use super::super::{
    frame::{Frame, Kind, Place, note, when},
    icons::Icon,
    setup::form::{scan, six_digits},
};

/// Fewer recovery codes than this are few.
pub(super) const FEW: u32 = 3;

/// Everything the page shows.
#[derive(Debug)]
pub struct Shown<'a> {
    /// The factors.
    pub factors: &'a Factors,
    /// Whether its person confirmed lately who they are; changing anything asks for it.
    pub fresh: bool,
    /// How the last act went.
    pub notice: Option<(Kind, String)>,
}

/// The page.
#[must_use]
pub fn page(frame: &Frame, shown: &Shown<'_>) -> Markup {
    let factors = shown.factors;
    let main = html! {
        div.desk lang="en" {
            header {
                h1 { "Ways to sign in" }
                p {
                    @if factors.required { "Your account needs a second factor: the last one stays." }
                    @else if factors.count() == 0 { "Your password alone opens this account. A second factor keeps it shut when the password leaks." }
                    @else { "Beside your password. A passkey also opens your account by itself." }
                }
            }
            @if let Some((kind, text)) = &shown.notice { (note(*kind, text)) }
            @if !shown.fresh {
                div.note.plain role="status" {
                    (Icon::Info.draw())
                    p { "To change anything here, first confirm that it is you. " a href="/confirm?next=/account/factors" { "Confirm" } }
                }
            }
            (passkeys(frame, &factors.passkeys))
            (authenticator(factors.authenticator))
            (codes(factors))
            p.small { a href="/account" { "Back to the account" } }
        }
    };
    frame.desk_with("Ways to sign in", Place::Account, "passkey.js", &main)
}

fn passkeys(frame: &Frame, passkeys: &[PasskeyInfo]) -> Markup {
    let words = frame.words;
    html! {
        section #passkeys {
            h2 { "Passkeys" }
            p { "Your device asks for your finger, your face or a PIN, and signs you in. Nothing can be copied from a screen." }
            @if !passkeys.is_empty() {
                ul.things {
                    @for one in passkeys {
                        li.suspended[one.suspended] {
                            div.what {
                                (one.name)
                                span {
                                    "Made " (when(one.created)) " · "
                                    @if let Some(at) = one.last_used { "last used " (when(at)) } @else { "never used" }
                                    " · works at " (one.party)
                                }
                            }
                            @if one.suspended { span.mark.bad { (Icon::Cross.draw()) "May be copied: out of use" } }
                            details {
                                summary.small { "Rename" }
                                form.inline method="post" action={ "/account/passkeys/" (one.id) "/rename" } {
                                    div.field {
                                        label for={ "name-" (one.id) } { "Name" }
                                        input id={ "name-" (one.id) } name="name" required maxlength="60" autocomplete="off" value=(one.name);
                                    }
                                    button.quiet.compact type="submit" { "Save" }
                                }
                            }
                            form method="post" action={ "/account/passkeys/" (one.id) "/remove" } {
                                button.danger.compact type="submit" aria-label={ "Remove the passkey " (one.name) } { "Remove" }
                            }
                        }
                    }
                }
            }
            form.narrow.passkey method="post" action="/account/passkeys" hidden data-options="/account/passkeys/options"
                data-waiting=(words.passkey_waiting) data-failed=(words.passkey_failed) {
                div.field {
                    label for="passkey-name" { "A name for the new passkey" }
                    input #passkey-name name="name" required maxlength="60" autocomplete="off" placeholder="my telephone";
                }
                input type="hidden" name="ceremony";
                input type="hidden" name="answer";
                div.actions { button.button type="submit" { (Icon::Key.draw()) "Add a passkey" } }
                p.hint.passkey-word role="status" {}
            }
        }
    }
}

fn authenticator(there: bool) -> Markup {
    html! {
        section #authenticator {
            h2 { "Authenticator app" }
            p { "An app on your telephone shows six digits that change every half minute." }
            div.actions {
                @if there { span.mark.good { (Icon::Check.draw()) "Set" } }
                form method="post" action="/account/authenticator" {
                    button.quiet type="submit" { @if there { "Replace it" } @else { "Add an authenticator" } }
                }
                @if there {
                    form method="post" action="/account/authenticator/remove" { button.danger type="submit" { "Remove it" } }
                }
            }
        }
    }
}

fn codes(factors: &Factors) -> Markup {
    html! {
        section #codes {
            h2 { "Recovery codes" }
            @if factors.count() == 0 {
                p { "They come with your first factor, for the day you lose it." }
            } @else {
                p { (factors.codes_left) " left; each opens your account once, after the password." }
                @if factors.codes_left < FEW {
                    (note(Kind::Due, "Few are left. Make new ones on the account page, and keep them where your telephone is not."))
                }
                p.small { a href="/account#ways" { "Make new recovery codes" } }
            }
        }
    }
}

/// An authenticator that is being added: what it scans, and the field for its code.
#[must_use]
pub fn scanned(frame: &Frame, pending: &SetupPending, problem: Option<&str>) -> Markup {
    let words = frame.words;
    let main = html! {
        div { h1 { (words.factor_title) } p { (words.factor_text) } }
        (scan(words, pending))
        @if let Some(problem) = problem { (note(Kind::Bad, problem)) }
        form method="post" action="/account/authenticator/confirm" {
            input type="hidden" name="ticket" value=(pending.ticket.expose());
            (six_digits(words))
            button.button type="submit" { (words.confirm) }
        }
        p.small { a href="/account/factors" { (words.back) } }
    };
    frame.single(words.factor_title, Some("setup.js"), &main)
}
