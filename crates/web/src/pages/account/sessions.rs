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
    words::{Own, filled},
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
pub fn notices(own: &Own, waiting: &[(Timestamp, News)], begun: Option<Timestamp>) -> Markup {
    let readable = waiting.iter().find(|(at, _)| begun.is_some_and(|begun| *at < begun));
    html! {
        @if !waiting.is_empty() {
            section.told #told aria-labelledby="told-title" {
                h2 #told-title { (own.told_title) }
                ul.things {
                    @for (at, notice) in waiting {
                        li { (Kind::Due.icon().draw()) div.what { (told(own, notice)) span { (when(*at)) } } }
                    }
                }
                p { (own.told_not_you) }
                @if readable.is_none_or(|(at, _)| waiting.first().is_some_and(|(newest, _)| newest != at)) {
                    p { (own.told_stays) }
                }
                @if let Some((newest, _)) = readable {
                    form.actions method="post" action="/account/notices" {
                        input type="hidden" name="until" value=(newest.0);
                        button.quiet.compact type="submit" { (Icon::Check.draw()) (own.told_read) }
                    }
                }
            }
        }
    }
}

fn told(own: &Own, notice: &News) -> Markup {
    let text = |text: &str| html! { (text) };
    html! {
        @match notice {
            News::NewDevice { device, address } => {
                (filled(own.told_device, &[text(device), text(&place(own, *address))]))
            }
            News::TokenReused { device } => {
                (filled(own.told_token, &[text(device)]))
            }
            News::PasswordChanged => { (own.told_password) }
            News::FactorsChanged => { (own.told_factors) }
            News::AddressChanged => { (own.told_address) }
            News::RecoveryAsked { not_before } => {
                (filled(own.told_recovery, &[when(*not_before)]))
            }
            News::RecoveryUsed => { (own.told_recovered) }
        }
    }
}

/// The section.
#[must_use]
pub fn section(own: &Own, sessions: &[SessionInfo], numbers: &Numbers) -> Markup {
    let text = |text: &str| html! { (text) };
    html! {
        section #sessions {
            h2 { (own.sessions_title) }
            p { (filled(own.sessions_text, &[html! { (numbers.idle_minutes) }, html! { (numbers.absolute_hours) }])) }
            ul.things {
                @for session in sessions {
                    li {
                        div.what {
                            (session.device)
                            span { (filled(own.session_since, &[when(session.created), text(&place(own, session.begun_from))])) }
                            span {
                                (filled(own.session_seen, &[when(session.last_seen)]))
                                @if session.seen_from != session.begun_from { (filled(own.session_seen_from, &[text(&place(own, session.seen_from))])) }
                                " · " (if session.second_factor { own.second_factor_shown } else { own.password_alone })
                            }
                        }
                        @if session.current { span.mark.good { (Icon::Check.draw()) (own.this_one) } }
                        @else {
                            form method="post" action={ "/account/sessions/" (session.id) "/end" } {
                                button.quiet.compact type="submit" aria-label=(filled(own.end_session_on, &[text(&session.device)]).into_string()) { (own.end_session) }
                            }
                        }
                    }
                }
            }
            @if sessions.len() > 1 {
                form.actions method="post" action="/account/sessions/end" { button.quiet.compact type="submit" { (own.end_others) } }
            }
        }
    }
}

/// A place in words a person can tell apart.
pub(super) fn place(own: &Own, address: Option<IpAddr>) -> String {
    let Some(address) = address.map(|address| address.to_canonical()) else {
        return own.place_unknown.to_owned();
    };
    let local = match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
    };
    match address {
        address if address.is_loopback() => own.place_here.to_owned(),
        address if local => own.place_near.replace("{}", &address.to_string()),
        address => address.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::words::Words;

    #[test]
    fn places_are_said_in_words() {
        let said = |text: &str| place(Words::of("en").own, text.parse().ok());
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
