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
pub fn about(me: &Me) -> Markup {
    html! {
        section #me {
            h2 { "Me" }
            p { "An address lets you choose a new password when you forget yours, and hear of sign-ins from new devices." }
            ul.things {
                li {
                    div.what { "E-mail address" @if let Some(email) = &me.email { span { (email.as_str()) } } @else { span { "None yet" } } }
                    @if me.email.is_some() { span.mark.good { (Icon::Check.draw()) "Confirmed" } }
                }
            }
            @if me.sends_mail {
                form.inline method="post" action="/account/address" {
                    div.field {
                        label for="address" { @if me.email.is_some() { "Another address; leave it empty to have none" } @else { "Your address" } }
                        input #address name="address" type="email" autocomplete="email" maxlength="254";
                    }
                    button.quiet type="submit" { "Save" }
                }
            } @else {
                (note(Kind::Plain, "No mail server is configured here, so an address cannot be confirmed."))
            }
            @if !me.allowances.is_empty() { (left(&me.allowances)) }
        }
    }
}

fn left(allowances: &[Allowance]) -> Markup {
    html! {
        h3 #quota { "What is left of your quota" }
        ul.things {
            @for one in allowances {
                li {
                    div.what {
                        (one.left) " of " (one.most) " " (unit(one.what)) @if one.monthly { " this month" } @else { " today" }
                        progress value=(one.left) max=(one.most.max(1)) aria-label={ (unit(one.what)) " left" } {}
                    }
                    @if one.is_low() { span.mark.due { (Icon::Warn.draw()) "Little left" } }
                }
            }
        }
    }
}

fn unit(what: Counted) -> &'static str {
    match what {
        Counted::Messages => "messages",
        Counted::Tokens => "tokens",
        Counted::VoiceSeconds => "seconds of voice",
    }
}

/// Leaving for good.
#[must_use]
pub fn farewell() -> Markup {
    html! {
        details {
            summary { "Delete my account" }
            form.narrow method="post" action="/account/leave" {
                label.check { input type="checkbox" name="sure" value="yes" required; span { "Delete my account, my chats, my keys and everything else that is mine, and destroy the key that opens it. This cannot be undone." } }
                div.actions { button.danger type="submit" { "Delete my account" } }
            }
        }
    }
}
