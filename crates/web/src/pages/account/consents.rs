//! What a person agreed to about their voice, since when, and how they take it back: a section of the account page.

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use domain::consent::{Purpose, Standing};
use http::header::CONTENT_DISPOSITION;
use maud::{Markup, html};
use privacy::Record;
use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::super::{
    frame::{Kind, note, when},
    icons::Icon,
    words::{Own, filled},
};
use crate::{
    App, Problem, SignedIn,
    input::{Form, Json},
};

/// What is taken back: one purpose, or everything.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawal {
    purpose: Option<String>,
}

/// `POST /account/consents/withdraw`
pub async fn withdraw(
    State(app): State<App>,
    person: SignedIn,
    Form(form): Form<Withdrawal>,
) -> Result<Redirect, Problem> {
    let unknown = || Problem::bad_request("There is no such purpose. Reload the page and try again.");
    let purpose = form.purpose.map(|name| Purpose::named(&name).ok_or_else(unknown)).transpose()?;
    app.privacy.withdraw(&person.ctx, purpose).await?;
    Ok(Redirect::to("/account?done=consent#consents"))
}

/// The ledger as a file.
#[derive(Serialize)]
struct File {
    format: &'static str,
    records: Vec<Line>,
}

/// One line of it.
#[derive(Serialize)]
struct Line {
    purpose: Purpose,
    wording: u32,
    given: bool,
    at: String,
    language: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    shared_with: Vec<String>,
}

impl From<Record> for Line {
    fn from(record: Record) -> Self {
        let Record { purpose, version, given, at, language, shared_with } = record;
        let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.0) * 1000);
        let at = moment.unwrap_or(OffsetDateTime::UNIX_EPOCH).format(&Rfc3339).unwrap_or_default();
        Self { purpose, wording: version, given, at, language, shared_with }
    }
}

/// `GET /account/consents`: the ledger to take along, the newest line first.
pub async fn take_along(State(app): State<App>, person: SignedIn) -> Result<Response, Problem> {
    let records = app.privacy.history(&person.ctx).await?.into_iter().map(Line::from).collect();
    let named = [(CONTENT_DISPOSITION, "attachment; filename=\"troth-consents.json\"")];
    Ok((named, Json(File { format: "troth.consents/1", records })).into_response())
}

/// What the section shows.
#[derive(Debug)]
pub struct Consents {
    standing: Standing,
    history: Vec<Record>,
}

impl Consents {
    /// Gathers it for the person who asks.
    ///
    /// # Errors
    /// As `privacy` has it.
    pub async fn of(app: &App, person: &SignedIn) -> Result<Self, Problem> {
        let standing = app.privacy.standing(&person.ctx).await?;
        Ok(Self { standing, history: app.privacy.history(&person.ctx).await? })
    }

    /// When this was agreed to as it stands, by the newest line about it.
    fn given(&self, purpose: Purpose) -> Option<&Record> {
        self.history.iter().find(|record| record.purpose == purpose && record.given)
    }
}

/// The section.
#[must_use]
pub fn section(own: &Own, consents: &Consents) -> Markup {
    let agreed: Vec<_> = consents.standing.agreed().collect();
    html! {
        section #consents {
            h2 { (own.consents_title) }
            p { (own.consents_text) }
            @if consents.standing.is_superseded() { (note(Kind::Due, own.consents_old)) }
            @if agreed.is_empty() {
                p { (own.consents_none) }
            } @else {
                ul.things { @for purpose in &agreed { (standing(own, *purpose, consents.given(*purpose))) } }
                p.hint.small.soft { (own.consents_hint) }
                form.actions method="post" action="/account/consents/withdraw" {
                    button.danger.compact type="submit" { (own.consents_withdraw_all) }
                }
            }
            @if !consents.history.is_empty() { (history(own, &consents.history)) }
        }
    }
}

fn standing(own: &Own, purpose: Purpose, given: Option<&Record>) -> Markup {
    let named = title(own, purpose);
    html! {
        li {
            div.what {
                (named)
                @if let Some(record) = given {
                    span { (filled(own.consents_since, &[when(record.at), html! { (record.version) }])) }
                    (parties(own, record))
                }
            }
            form method="post" action="/account/consents/withdraw" {
                input type="hidden" name="purpose" value=(purpose.as_str());
                button.quiet.compact type="submit" aria-label=(filled(own.consents_withdraw_named, &[html! { (named) }]).into_string()) {
                    (own.consents_withdraw)
                }
            }
        }
    }
}

fn history(own: &Own, history: &[Record]) -> Markup {
    html! {
        details {
            summary { (filled(own.consents_history, &[html! { (history.len()) }])) }
            ul.things {
                @for record in history {
                    li {
                        div.what {
                            (filled(if record.given { own.consents_given } else { own.consents_taken_back }, &[html! { (title(own, record.purpose)) }]))
                            span { (filled(own.consents_line, &[when(record.at), html! { (record.version) }, html! { (language(&record.language)) }])) }
                            (parties(own, record))
                        }
                    }
                }
            }
        }
        div.actions { a.quiet href="/account/consents" download { (Icon::Download.draw()) (own.consents_file) } }
    }
}

/// The third parties that were named, where there are any.
fn parties(own: &Own, record: &Record) -> Markup {
    let named = record.shared_with.join(", ");
    html! { @if !named.is_empty() { span { (filled(own.consents_with, &[html! { (named) }])) } } }
}

fn title(own: &Own, purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::ProcessCall => own.consents_process_call,
        Purpose::KeepTranscript => own.consents_keep_transcript,
        Purpose::KeepAudio => own.consents_keep_audio,
        Purpose::ShareSpeech => own.consents_share_speech,
    }
}

fn language(tag: &str) -> &'static str {
    if tag == "hi" { "हिन्दी" } else { "English" }
}
