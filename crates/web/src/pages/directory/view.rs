//! What the directory page shows.

use identity::{Connection, NewScimToken, ScimTokenInfo};
use maud::{Markup, html};

use super::super::{
    admin,
    frame::{Frame, Kind, note, when},
    icons::Icon,
};
use crate::SignedIn;

/// The page.
#[must_use]
pub fn page(
    frame: &Frame,
    person: &SignedIn,
    connections: &[Connection],
    tokens: &[ScimTokenInfo],
    scim_address: &str,
    notice: Option<(Kind, &str)>,
) -> Markup {
    let main = html! {
        @if let Some((kind, text)) = notice { (note(kind, text)) }
            section #connections {
                h2 { "Sign in with your own service" }
                p { "Connections stand in the configuration, under " code { "[[identity.sso]]" } ". A service proves who somebody is; it makes nobody an owner." }
                @if connections.is_empty() {
                    p { "There is none yet. The runbook “connect a sign-in service” says how to make one." }
                } @else {
                    ul.things { @for one in connections { li { (connection(one)) } } }
                }
            }
            section #provisioning {
                h2 { "Provisioning (SCIM 2.0)" }
                p { "Give your directory this address and a token. It then makes, changes and closes accounts here; it sees only those it made." }
                p.secret { (scim_address) }
                @if !tokens.is_empty() {
                    ul.things { @for one in tokens { li { (token(one)) } } }
                }
                form.actions method="post" action="/admin/directory/tokens" {
                    button.quiet type="submit" { "Make a token" }
                }
                p.small.soft { "A new token gives the ones before it a day, so that the directory can change over." }
            }
    };
    let about = "How your organisation's own directory decides who comes in here, and who no longer does.";
    admin::page(frame, person, "/admin/directory", "Directory", about, &main)
}

fn connection(one: &Connection) -> Markup {
    html! {
        div.what {
            (one.label)
            span { "Issuer " code { (one.issuer) } }
            span { "Send people back to " code { (one.redirect_uri) } }
            span {
                @if one.creates_accounts { "New people get an account" } @else { "Only people who have an account come in" }
                @if one.honours_factors { " · its second factor counts here" } @else { " · its second factor does not count here" }
            }
            @if let Some(problem) = one.problem { span { (problem) } }
        }
        @match (one.problem, one.last_good) {
            (Some(_), _) => span.mark.bad { (Icon::Cross.draw()) "Does not work" },
            (None, Some(at)) => span.mark.good { (Icon::Check.draw()) "Worked " (when(at)) },
            (None, None) => span.mark.due { (Icon::Warn.draw()) "Not asked yet" },
        }
        form method="post" action={ "/admin/directory/connections/" (one.name) "/try" } {
            button.quiet.compact type="submit" aria-label={ "Try it: " (one.label) } { "Try it" }
        }
    }
}

fn token(one: &ScimTokenInfo) -> Markup {
    html! {
        div.what {
            code { (one.prefix) "…" }
            span {
                "Made " (when(one.created)) " · "
                @if let Some(at) = one.last_used { "last used " (when(at)) } @else { "never used" }
            }
        }
        @if one.ended { span.mark.bad { (Icon::Cross.draw()) "Ended" } }
        @else { span.mark.good { (Icon::Check.draw()) "Until " (when(one.expires)) } }
        form method="post" action={ "/admin/directory/tokens/" (one.id) "/revoke" } {
            button.danger.compact type="submit" aria-label={ "End the token " (one.prefix) } { "End" }
        }
    }
}

/// A token that was just made, shown this once.
#[must_use]
pub fn new_token(frame: &Frame, made: &NewScimToken) -> Markup {
    let main = html! {
        div lang="en" {
            h1 { "Your directory's token" }
            p { "Copy it now. It is shown this one time, and only its hash is kept. It ends " (when(made.expires)) "." }
        }
        p.secret #key { (made.token.expose()) }
        div.actions {
            button.button type="button" data-act="copy-text" data-from="key" data-done=(frame.words.copied) { (Icon::Copy.draw()) (frame.words.copy) }
        }
        a.quiet href="/admin/directory" { "Back to the directory" }
    };
    frame.single("Your directory's token", Some("setup.js"), &main)
}
