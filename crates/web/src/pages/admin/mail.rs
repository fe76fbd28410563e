//! E-mail: the handlers of `/admin/mail`. What waits, left or was given up; no address, no content.

use axum::{extract::State, response::Redirect};
use domain::Action;
use identity::{ListedMail, MailState};
use maud::{Markup, html};
use serde::Deserialize;

use super::super::{
    frame::{Kind, note, when},
    handlers::Looks,
    icons::Icon,
    outcome::Outcome,
};
use crate::{
    App, Problem, SignedIn,
    input::{Form, Query},
};

/// Where this is.
const HERE: &str = "/admin/mail";

/// Where a test goes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    address: String,
}

/// `GET /admin/mail`
pub async fn show(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Query(outcome): Query<Outcome>,
) -> Result<Markup, Problem> {
    let mails = app.identity.outbox(&person.ctx).await?;
    let sends = app.identity.sends_mail();
    let main = html! {
        @if outcome.done == "queued" { (note(Kind::Good, "The test is queued; it leaves within seconds. Reload to see how it went.")) }
        @if !sends { (note(Kind::Plain, "No mail server is configured here. Links are shown to whoever makes them. The section [mail] of the configuration names one.")) }
        section {
            @if mails.is_empty() { p.soft { "No mail waits and none has left." } }
            @else { ul.things { @for mail in &mails { (row(mail)) } } }
        }
        @if sends && person.person.standing.rights().has(Action::ManagePeople) {
            section {
                h2 { "Try it" }
                form.inline method="post" action=(HERE) {
                    div.field {
                        label for="address" { "Send a test to" }
                        input #address name="address" type="email" required autocomplete="email" maxlength="254";
                    }
                    button.quiet type="submit" { "Send" }
                }
            }
        }
    };
    let about = "What this server sends. Kinds and times alone: addresses and words are sealed, and forgotten once a mail has left.";
    Ok(super::page(&looks.frame_for(&app, &person), &person, HERE, "E-mail", about, &main))
}

/// `POST /admin/mail`
pub async fn test(
    State(app): State<App>,
    person: SignedIn,
    Form(form): Form<Test>,
) -> Result<Redirect, Problem> {
    app.identity.send_test_mail(&person.ctx, &form.address).await?;
    Ok(Redirect::to("/admin/mail?done=queued"))
}

fn row(mail: &ListedMail) -> Markup {
    html! {
        li {
            div.what {
                (kind(&mail.kind))
                span {
                    (when(mail.created))
                    @if mail.tries > 1 { " · tried " (mail.tries) " times" }
                    @if mail.state == MailState::Waiting && mail.tries > 0 { " · next try " (when(mail.due)) }
                    @if !mail.problem.is_empty() { " · " (mail.problem) }
                }
            }
            @match mail.state {
                MailState::Waiting if mail.tries == 0 => span.mark { (Icon::Circle.draw()) "Waits" }
                MailState::Waiting => span.mark.due { (Icon::Warn.draw()) "Put off" }
                MailState::Sent => span.mark.good { (Icon::Check.draw()) "Sent" }
                MailState::Failed => span.mark.bad { (Icon::Cross.draw()) "Given up" }
            }
        }
    }
}

/// A kind of mail, as people call it.
fn kind(kind: &str) -> String {
    let words = kind.replace('-', " ");
    let mut letters = words.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}
