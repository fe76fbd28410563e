//! The part of the account page about oneself: the address, what is left of a quota, leaving for good.

use assistant::{Allowance, Counted};
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use domain::mail::Address;
use identity::Error;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::{
    frame::{Kind, note},
    handlers::problems_of,
    icons::Icon,
    words::{Own, Words, filled},
};
use crate::{App, Problem, SignedIn, input::Form, session};

/// A new address; empty takes the old one away.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressForm {
    address: String,
}

/// The box that must be ticked before one leaves.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leaving {
    sure: String,
}

/// What these sections show.
#[derive(Debug)]
pub struct Me {
    /// The confirmed address.
    pub email: Option<Address>,
    /// Whether there is a mail server to confirm one with.
    pub sends_mail: bool,
    /// What is left of each quota.
    pub allowances: Vec<Allowance>,
}

impl Me {
    /// Gathers it for the person who asks.
    ///
    /// # Errors
    /// As the services have it.
    pub async fn of(app: &App, person: &SignedIn) -> Result<Self, Problem> {
        Ok(Self {
            email: app.identity.email(&person.ctx).await?,
            sends_mail: app.identity.sends_mail(),
            allowances: app.assistant.allowances(&person.ctx).await?,
        })
    }
}

/// `POST /account/address`
pub async fn address(
    State(app): State<App>,
    person: SignedIn,
    Form(form): Form<AddressForm>,
) -> Result<Response, Problem> {
    let changed = match form.address.trim() {
        "" => app.identity.remove_email(&person.ctx).await,
        typed => app.identity.change_email(&person.ctx, typed).await,
    };
    match changed {
        Ok(()) if form.address.trim().is_empty() => {
            Ok(Redirect::to("/account?done=no-address#me").into_response())
        }
        Ok(()) => Ok(Redirect::to("/account?done=address#me").into_response()),
        Err(error @ Error::Email(_)) => Err(Problem::invalid("address", problems_of(&error).join(" "))),
        Err(error) => Err(error.into()),
    }
}

/// `POST /account/leave`: deletes the account and everything that is its person's.
pub async fn leave(
    State(app): State<App>,
    person: SignedIn,
    Form(form): Form<Leaving>,
) -> Result<Response, Problem> {
    if form.sure != "yes" {
        return Err(Problem::bad_request("Tick the box first."));
    }
    app.identity.leave(&person.ctx).await?;
    app.assistant.end_person(&person.person.user);
    let mut response = Redirect::to("/sign-in?out=1").into_response();
    session::end(&mut response);
    Ok(response)
}

/// Me: the address, and what is left.
#[must_use]
pub fn about(words: &Words, me: &Me) -> Markup {
    let own = words.own;
    html! {
        section #me {
            h2 { (own.me_title) }
            p { (own.me_text) }
            ul.things {
                li {
                    div.what { (words.email) @if let Some(email) = &me.email { span { (email.as_str()) } } @else { span { (own.none_yet) } } }
                    @if me.email.is_some() { span.mark.good { (Icon::Check.draw()) (own.confirmed) } }
                }
            }
            @if me.sends_mail {
                form.inline method="post" action="/account/address" {
                    div.field {
                        label for="address" { (if me.email.is_some() { own.another_address } else { own.your_address }) }
                        input #address name="address" type="email" autocomplete="email" maxlength="254";
                    }
                    button.quiet type="submit" { (words.save) }
                }
            } @else {
                (note(Kind::Plain, own.no_mail))
            }
            @if !me.allowances.is_empty() { (left(own, &me.allowances)) }
        }
    }
}

fn left(own: &Own, allowances: &[Allowance]) -> Markup {
    html! {
        h3 #quota { (own.quota_title) }
        ul.things {
            @for one in allowances {
                li {
                    div.what {
                        (filled(if one.monthly { own.quota_month } else { own.quota_today }, &[html! { (one.left) }, html! { (one.most) }, html! { (unit(own, one.what)) }]))
                        progress value=(one.left) max=(one.most.max(1)) aria-label=(filled(own.quota_left, &[html! { (unit(own, one.what)) }]).into_string()) {}
                    }
                    @if one.is_low() { span.mark.due { (Icon::Warn.draw()) (own.quota_low) } }
                }
            }
        }
    }
}

fn unit(own: &Own, what: Counted) -> &'static str {
    match what {
        Counted::Messages => own.messages,
        Counted::Tokens => own.tokens,
        Counted::VoiceSeconds => own.voice_seconds,
    }
}

/// Leaving for good.
#[must_use]
pub fn farewell(own: &Own) -> Markup {
    html! {
        details {
            summary { (own.delete_account) }
            form.narrow method="post" action="/account/leave" {
                label.check { input type="checkbox" name="sure" value="yes" required; span { (own.delete_account_sure) } }
                div.actions { button.danger type="submit" { (own.delete_account) } }
            }
        }
    }
}
