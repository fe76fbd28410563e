//! What the page of the factors shows: the authenticator, the passkeys, the recovery codes.

use identity::{Factors, PasskeyInfo, SetupPending};
use maud::{Markup, html};

use super::super::{
    frame::{Frame, Kind, Place, note, when},
    icons::Icon,
    setup::form::{scan, six_digits},
    words::{Own, filled},
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
    let own = frame.words.own;
    let main = html! {
        div.desk {
            header {
                h1 { (own.ways_title) }
                p {
                    @if factors.required { (own.factors_needed) }
                    @else if factors.count() == 0 { (own.factors_none) }
                    @else { (own.factors_some) }
                }
            }
            @if let Some((kind, text)) = &shown.notice { (note(*kind, text)) }
            @if !shown.fresh {
                div.note.plain role="status" {
                    (Icon::Info.draw())
                    p { (own.factors_confirm) " " a href="/confirm?next=/account/factors" { (frame.words.confirm) } }
                }
            }
            (passkeys(frame, &factors.passkeys))
            (authenticator(own, factors.authenticator))
            (codes(own, factors))
            p.small { a href="/account" { (own.back_to_account) } }
        }
    };
    frame.desk_with(own.ways_title, Place::Account, "passkey.js", &main)
}

fn passkeys(frame: &Frame, passkeys: &[PasskeyInfo]) -> Markup {
    let (words, own) = (frame.words, frame.words.own);
    let text = |text: &str| html! { (text) };
    html! {
        section #passkeys {
            h2 { (own.passkeys) }
            p { (own.passkeys_text) }
            @if !passkeys.is_empty() {
                ul.things {
                    @for one in passkeys {
                        li.suspended[one.suspended] {
                            div.what {
                                (one.name)
                                span {
                                    @if let Some(at) = one.last_used { (filled(own.passkey_used, &[when(one.created), when(at), text(&one.party)])) }
                                    @else { (filled(own.passkey_unused, &[when(one.created), text(&one.party)])) }
                                }
                            }
                            @if one.suspended { span.mark.bad { (Icon::Cross.draw()) (own.passkey_suspended) } }
                            details {
                                summary.small { (words.rename) }
                                form.inline method="post" action={ "/account/passkeys/" (one.id) "/rename" } {
                                    div.field {
                                        label for={ "name-" (one.id) } { (own.name) }
                                        input id={ "name-" (one.id) } name="name" required maxlength="60" autocomplete="off" value=(one.name);
                                    }
                                    button.quiet.compact type="submit" { (words.save) }
                                }
                            }
                            form method="post" action={ "/account/passkeys/" (one.id) "/remove" } {
                                button.danger.compact type="submit" aria-label=(filled(own.passkey_remove, &[text(&one.name)]).into_string()) { (own.remove) }
                            }
                        }
                    }
                }
            }
            form.narrow.passkey method="post" action="/account/passkeys" hidden data-options="/account/passkeys/options"
                data-waiting=(words.passkey_waiting) data-failed=(words.passkey_failed) {
                div.field {
                    label for="passkey-name" { (own.passkey_name) }
                    input #passkey-name name="name" required maxlength="60" autocomplete="off" placeholder=(own.passkey_name_hint);
                }
                input type="hidden" name="ceremony";
                input type="hidden" name="answer";
                div.actions { button.button type="submit" { (Icon::Key.draw()) (own.passkey_add) } }
                p.hint.passkey-word role="status" {}
            }
        }
    }
}

fn authenticator(own: &Own, there: bool) -> Markup {
    html! {
        section #authenticator {
            h2 { (own.authenticator) }
            p { (own.authenticator_text) }
            div.actions {
                @if there { span.mark.good { (Icon::Check.draw()) (own.set) } }
                form method="post" action="/account/authenticator" {
                    button.quiet type="submit" { (if there { own.authenticator_replace } else { own.authenticator_add }) }
                }
                @if there {
                    form method="post" action="/account/authenticator/remove" { button.danger type="submit" { (own.authenticator_remove) } }
                }
            }
        }
    }
}

fn codes(own: &Own, factors: &Factors) -> Markup {
    html! {
        section #codes {
            h2 { (own.codes) }
            @if factors.count() == 0 {
                p { (own.codes_none) }
            } @else {
                p { (filled(own.codes_text, &[html! { (factors.codes_left) }])) }
                @if factors.codes_left < FEW {
                    (note(Kind::Due, own.codes_make_new))
                }
                p.small { a href="/account#ways" { (own.new_codes) } }
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
