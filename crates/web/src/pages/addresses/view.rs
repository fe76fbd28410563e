//! What the addresses page shows: the rules there are, and a form for another.

use std::net::IpAddr;

use identity::{AddressRule, Verdict};
use ipnet::IpNet;
use maud::{Markup, html};

use super::{
    super::{
        admin,
        frame::{Frame, Kind, note, when},
        icons::Icon,
    },
    PATH, TIMES, Wanted,
};
use crate::SignedIn;

/// Everything the page shows.
#[derive(Debug)]
pub struct Addresses<'a> {
    /// The rules that are kept.
    pub rules: &'a [AddressRule],
    /// Those of the configuration.
    pub fixed: &'a [(IpNet, Verdict)],
    /// Where the reader comes from.
    pub own: Option<IpAddr>,
    /// What was asked for and refused; empty at first.
    pub wanted: &'a Wanted,
    /// How the last act went.
    pub notices: Vec<(Kind, String)>,
}

/// The page.
#[must_use]
pub fn page(frame: &Frame, person: &SignedIn, addresses: &Addresses<'_>) -> Markup {
    let main = html! {
        @if !addresses.notices.is_empty() {
            div { @for (kind, text) in &addresses.notices { (note(*kind, text)) } }
        }
        (rules(addresses))
        (form(addresses))
    };
    let about = "Who is kept out, and who is let in whatever wider range is kept out. Of several ranges the narrowest decides.";
    admin::page(frame, person, PATH, "Addresses", about, &main)
}

fn rules(addresses: &Addresses<'_>) -> Markup {
    html! {
        section #rules {
            h2 { "What is said" }
            @if addresses.rules.is_empty() && addresses.fixed.is_empty() {
                p { "Nothing yet: everybody may knock, as often as the limits allow." }
            } @else {
                ul.things {
                    @for (network, verdict) in addresses.fixed {
                        li {
                            div.what { code { (network) } span { "By the configuration, until it is changed there" } }
                            (mark(*verdict))
                        }
                    }
                    @for rule in addresses.rules { (kept(rule)) }
                }
            }
        }
    }
}

fn kept(rule: &AddressRule) -> Markup {
    html! {
        li {
            div.what {
                code { (rule.network) }
                span {
                    "Since " (when(rule.created)) " · "
                    @if let Some(ends) = rule.ends { "until " (when(ends)) } @else { "until removed" }
                    @if !rule.note.is_empty() { " · " (rule.note) }
                }
            }
            (mark(rule.verdict))
            form method="post" action={ "/admin/addresses/" (rule.id) "/remove" } {
                button.quiet.compact type="submit" aria-label={ "Remove the rule about " (rule.network) } { "Remove" }
            }
        }
    }
}

fn mark(verdict: Verdict) -> Markup {
    match verdict {
        Verdict::Deny => html! { span.mark.bad { (Icon::Cross.draw()) "Kept out" } },
        Verdict::Allow => html! { span.mark.good { (Icon::Check.draw()) "Let in" } },
    }
}

fn form(addresses: &Addresses<'_>) -> Markup {
    let wanted = addresses.wanted;
    let time = if wanted.time.is_empty() { "day" } else { &wanted.time };
    html! {
        section #new {
            h2 { "Say something about a range" }
            @if let Some(own) = addresses.own { p { "You come from " code { (own) } "." } }
            form.narrow method="post" action="/admin/addresses" {
                div.field {
                    label for="network" { "Address or range" }
                    input #network name="network" required maxlength="64" autocomplete="off" spellcheck="false"
                        placeholder="192.0.2.0/24" value=(wanted.network);
                }
                div.pair {
                    div.field {
                        label for="verdict" { "What happens" }
                        select #verdict name="verdict" {
                            option value="deny" { "Keep it out" }
                            option value="allow" selected[wanted.verdict == "allow"] { "Let it in" }
                        }
                    }
                    div.field {
                        label for="time" { "How long" }
                        select #time name="time" {
                            @for (name, word, _) in TIMES { option value=(name) selected[name == time] { (word) } }
                        }
                    }
                }
                div.field {
                    label for="note" { "Why (optional)" }
                    input #note name="note" maxlength="200" autocomplete="off" value=(wanted.note);
                }
                p.hint.small.soft { "Addresses that are let in are not counted by address; accounts and keys still are." }
                div.actions { button.button type="submit" { "Do it" } }
            }
        }
    }
}
