//! Where somebody is signed in, and what they were told about it: a section of the account page.

use std::net::IpAddr;

use axum::{
    extract::{Path, State},
    response::Redirect,
};
use domain::{Timestamp, control::Numbers, id::SessionId};
use identity::{News, SessionInfo};
use maud::{Markup, html};
use serde::Deserialize;

use super::super::{
    frame::{Kind, when},
    icons::Icon,
};
use crate::{App, Problem, SignedIn, input::Form};

/// Up to when notices were read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Until {
    until: i64,
}

/// `POST /account/sessions/{id}/end`
pub async fn end(
    State(app): State<App>,
    person: SignedIn,
    Path(id): Path<SessionId>,
) -> Result<Redirect, Problem> {
    app.identity.end_session(&person.ctx, id).await?;
    Ok(Redirect::to("/account?done=session#sessions"))
}

/// `POST /account/sessions/end`: all but this one.
pub async fn end_others(State(app): State<App>, person: SignedIn) -> Result<Redirect, Problem> {
    app.identity.end_other_sessions(&person.ctx).await?;
    Ok(Redirect::to("/account?done=session#sessions"))
}

/// `POST /account/notices`: what was read is put away.
pub async fn put_away(
    State(app): State<App>,
    person: SignedIn,
    Form(form): Form<Until>,
) -> Result<Redirect, Problem> {
    app.identity.put_news_away(&person.ctx, Timestamp(form.until)).await?;
    Ok(Redirect::to("/account"))
}

/// What waits to be read; nothing when nothing does. What was told since this session began, at `begun`, stays
/// until another one reads it: it may be about this very session.
#[must_use]
pub fn notices(waiting: &[(Timestamp, News)], begun: Option<Timestamp>) -> Markup {
    let readable = waiting.iter().find(|(at, _)| begun.is_some_and(|begun| *at < begun));
    html! {
        @if !waiting.is_empty() {
            section.told #told aria-labelledby="told-title" {
                h2 #told-title { "Since your last visit" }
                ul.things {
                    @for (at, notice) in waiting {
                        li { (Kind::Due.icon().draw()) div.what { (told(notice)) span { (when(*at)) } } }
                    }
                }
                p { "Was it not you? End that session below, then change your password." }
                @if readable.is_none_or(|(at, _)| waiting.first().is_some_and(|(newest, _)| newest != at)) {
                    p { "What was told since you signed in stays until you read it after another sign-in: so nobody can sign in here and hide that they did." }
                }
                @if let Some((newest, _)) = readable {
                    form.actions method="post" action="/account/notices" {
                        input type="hidden" name="until" value=(newest.0);
                        button.quiet.compact type="submit" { (Icon::Check.draw()) "I have read this" }
                    }
                }
            }
        }
    }
}

fn told(notice: &News) -> Markup {
    html! {
        @match notice {
            News::NewDevice { device, address } => {
                "A sign-in with " (device) ", from " (place(*address)) ". It was not seen before."
            }
            News::TokenReused { device } => {
                "The session in " (device) " was ended: somebody showed a copy of what it is carried by."
            }
            News::PasswordChanged => { "Your password was changed." }
            News::FactorsChanged => {
                "An authenticator, a passkey or your recovery codes were added, replaced or taken away."
            }
            News::AddressChanged => { "The e-mail address of your account was changed or taken away." }
            News::RecoveryAsked { not_before } => {
                "Somebody who knows your password asked to replace your factors. That cannot be done before " (when(*not_before)) "."
            }
            News::RecoveryUsed => { "Your factors were replaced through a recovery." }
        }
    }
}

/// The section.
#[must_use]
pub fn section(sessions: &[SessionInfo], numbers: &Numbers) -> Markup {
    html! {
        section #sessions {
            h2 { "Where you are signed in" }
            p { "A session ends after " (numbers.idle_minutes) " quiet minutes, or after " (numbers.absolute_hours) " hours however busy." }
            ul.things {
                @for session in sessions {
                    li {
                        div.what {
                            (session.device)
                            span { "Since " (when(session.created)) ", from " (place(session.begun_from)) }
                            span {
                                "Last seen " (when(session.last_seen))
                                @if session.seen_from != session.begun_from { ", from " (place(session.seen_from)) }
                                " · " (if session.second_factor { "second factor shown" } else { "password alone" })
                            }
                        }
                        @if session.current { span.mark.good { (Icon::Check.draw()) "This one" } }
                        @else {
                            form method="post" action={ "/account/sessions/" (session.id) "/end" } {
                                button.quiet.compact type="submit" aria-label={ "End the session on " (session.device) } { "End" }
                            }
                        }
                    }
                }
            }
            @if sessions.len() > 1 {
                form.actions method="post" action="/account/sessions/end" { button.quiet.compact type="submit" { "End all others" } }
            }
        }
    }
}

/// A place in words a person can tell apart.
pub(super) fn place(address: Option<IpAddr>) -> String {
    let Some(address) = address.map(|address| address.to_canonical()) else {
        return "a place that is not known".to_owned();
    };
    let local = match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
    };
    match address {
        address if address.is_loopback() => "this machine".to_owned(),
        address if local => format!("the local network ({address})"),
        address => address.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_said_in_words() {
        let said = |text: &str| place(text.parse().ok());
        for here in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(said(here), "this machine");
        }
        for near in ["192.168.1.7", "10.0.0.1", "fe80::1", "fd00::1"] {
            assert_eq!(said(near), format!("the local network ({near})"));
        }
        assert_eq!(said("198.51.100.7"), "198.51.100.7");
        assert_eq!(said(""), "a place that is not known");
    }
}
