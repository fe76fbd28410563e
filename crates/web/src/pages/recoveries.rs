//! Requests of people who lost their factors, for those who may agree: the handlers of `/admin/recoveries`.

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use domain::{Missing, Secret, id::RecoveryId};
use identity::{Error, OpenRecovery};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    admin,
    frame::{note, when},
    handlers::{Looks, problems_of},
    outcome::{Notice, Outcome, bad, status},
};
use crate::{
    App, Problem, SignedIn,
    input::{Form, Query},
};

/// Where this page is.
pub const PATH: &str = "/admin/recoveries";

/// The word the person told.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Word {
    word: Secret<String>,
}

/// `GET /admin/recoveries`
pub async fn show(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Query(outcome): Query<Outcome>,
) -> Result<Response, Problem> {
    let said = outcome.says(&[
        ("agreed", "You have agreed. The person and everybody who may agree see it."),
        ("refused", "The request is refused. Its code opens nothing."),
    ]);
    page(&app, &person, looks, said).await
}

/// `POST /admin/recoveries/{id}/agree`
pub async fn agree(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Path(id): Path<RecoveryId>,
    Form(form): Form<Word>,
) -> Result<Response, Problem> {
    match app.identity.approve_recovery(&person.ctx, id, form.word.expose()).await {
        Ok(()) => Ok(Redirect::to(&format!("{PATH}?done=agreed")).into_response()),
        Err(Error::Refused) => {
            let said =
                "That is not the word its person was shown. Ask them again, in person or by telephone.";
            page(&app, &person, looks, Some(bad(said))).await
        }
        Err(Error::Denied(denied)) if denied.missing.is_none() => {
            let said = "Nobody agrees to their own request.";
            page(&app, &person, looks, Some(bad(said))).await
        }
        Err(error @ (Error::AgreedAlready | Error::Unfit(_) | Error::Throttled { .. })) => {
            page(&app, &person, looks, Some(bad(problems_of(&error).join(" ")))).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /admin/recoveries/{id}/refuse`
pub async fn refuse(
    State(app): State<App>,
    person: SignedIn,
    Path(id): Path<RecoveryId>,
) -> Result<Redirect, Problem> {
    app.identity.refuse_recovery(&person.ctx, id).await?;
    Ok(Redirect::to(&format!("{PATH}?done=refused")))
}

async fn page(
    app: &App,
    person: &SignedIn,
    looks: Looks,
    notice: Option<Notice>,
) -> Result<Response, Problem> {
    let asked = match app.identity.recoveries(&person.ctx).await {
        Err(Error::Denied(denied)) if denied.missing == Some(Missing::StepUp) => return Err(denied.into()),
        other => other?,
    };
    let status = status(&notice);
    let main = html! {
        @if let Some((kind, text)) = &notice { (note(*kind, text)) }
        @if asked.is_empty() { p.soft { "Nobody has asked." } }
        @else { ul.things { @for one in &asked { (line(one)) } } }
    };
    let about = "People who lost every factor ask here with their password. Talk to them before you agree: they tell \
                 you a word. Two of you have to agree, and a day passes before it counts.";
    let frame = looks.told(app, person).await?;
    Ok((status, admin::page(&frame, person, PATH, "Lost factors", about, &main)).into_response())
}

fn line(one: &OpenRecovery) -> Markup {
    html! {
        li {
            div.what {
                (one.name)
                span {
                    "Asked " (when(one.asked)) " · " (one.agreed) " of 2 agree"
                    @if let Some(ready) = one.ready { " · counts from " (when(ready)) }
                }
            }
            @if one.open_to_me {
                form.inline method="post" action={ (PATH) "/" (one.id) "/agree" } {
                    div.field {
                        label for={ "word-" (one.id) } { "The word they told you" }
                        input id={ "word-" (one.id) } name="word" required maxlength="12" autocomplete="off" autocapitalize="characters" spellcheck="false";
                    }
                    button.quiet type="submit" { "Agree" }
                }
            }
            form method="post" action={ (PATH) "/" (one.id) "/refuse" } {
                button.danger.compact type="submit" aria-label={ "Refuse the request of " (one.name) } { "Refuse" }
            }
        }
    }
}
