//! The ways into one's account beside the password: the handlers of `/account/factors`. Everything but
//! making a passkey works as plain forms.

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use domain::{Missing, Secret, id::PasskeyId};
use identity::{Error, SetupPending};
use maud::Markup;
use serde::Deserialize;

use super::factors_view as view;
use crate::{
    App, Problem, SignedIn,
    edge::host::Asked,
    input::{Form, Json, Query},
    pages::{
        handlers::{Looks, problems_of},
        outcome::{Notice, Outcome, bad, status, to_mend},
        setup::form::kept_codes,
        sign_in::passkey::Question,
    },
};

const HERE: &str = "/account/factors";

/// A passkey that was made.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Made {
    ceremony: Secret<String>,
    answer: String,
    name: String,
}

/// Another name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Name {
    name: String,
}

/// A code of the authenticator that is being added.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Added {
    ticket: Secret<String>,
    code: String,
}

/// Nothing: what is asked for stands in the address.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// `GET /account/factors`
pub async fn show(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Query(outcome): Query<Outcome>,
) -> Result<Response, Problem> {
    let own = looks.words(Some(&person.person.settings)).own;
    let said = outcome.says(&[
        ("passkey", own.done_passkey),
        ("renamed", own.done_looks),
        ("authenticator", own.done_authenticator),
        ("removed", own.done_removed),
        ("called-off", own.done_called_off),
    ]);
    page(&app, &person, looks, said).await
}

async fn page(
    app: &App,
    person: &SignedIn,
    looks: Looks,
    notice: Option<Notice>,
) -> Result<Response, Problem> {
    let factors = app.identity.factors(&person.ctx).await?;
    let status = status(&notice);
    let fresh = person.ctx.now() < person.person.standing.shown.fresh_until;
    let shown = view::Shown { factors: &factors, fresh, notice };
    Ok((status, view::page(&looks.told(app, person).await?, &shown)).into_response())
}

/// Shows the page with what was wrong, when it is something the person can mend.
async fn refused(app: &App, person: &SignedIn, looks: Looks, error: Error) -> Result<Response, Problem> {
    match &error {
        Error::Denied(denied) if denied.missing == Some(Missing::StepUp) => Err(error.into()),
        Error::Refused | Error::TicketGone | Error::Label | Error::LastFactor | Error::TooMany { .. } => {
            let own = looks.words(Some(&person.person.settings)).own;
            let said = match error {
                Error::Refused => own.not_accepted.to_owned(),
                Error::Label => own.name_it.to_owned(),
                other => problems_of(&other).join(" "),
            };
            page(app, person, looks, Some(bad(said))).await
        }
        _ => Err(error.into()),
    }
}

/// `POST /account/passkeys/options`
pub async fn options(
    State(app): State<App>,
    person: SignedIn,
    Asked(host): Asked,
    Json(Nothing {}): Json<Nothing>,
) -> Result<Json<Question>, Problem> {
    Ok(Json(app.identity.begin_passkey(&person.ctx, &host).await?.into()))
}

/// `POST /account/passkeys`
pub async fn make(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Form(made): Form<Made>,
) -> Result<Response, Problem> {
    match app.identity.finish_passkey(&person.ctx, &made.ceremony, &made.name, &made.answer).await {
        Ok(codes) => Ok(done(&app, &person, looks, codes.as_deref(), "passkey")),
        Err(error) => refused(&app, &person, looks, error).await,
    }
}

/// `POST /account/passkeys/{id}/rename`
pub async fn rename(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Path(id): Path<PasskeyId>,
    Form(form): Form<Name>,
) -> Result<Response, Problem> {
    match app.identity.rename_passkey(&person.ctx, id, &form.name).await {
        Ok(()) => Ok(back("renamed")),
        Err(error) => refused(&app, &person, looks, error).await,
    }
}

/// `POST /account/passkeys/{id}/remove`
pub async fn remove(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Path(id): Path<PasskeyId>,
) -> Result<Response, Problem> {
    match app.identity.remove_passkey(&person.ctx, id).await {
        Ok(()) => Ok(back("removed")),
        Err(error) => refused(&app, &person, looks, error).await,
    }
}

/// `POST /account/authenticator`: shows what an authenticator scans.
pub async fn begin(State(app): State<App>, person: SignedIn, looks: Looks) -> Result<Markup, Problem> {
    let pending = app.identity.begin_authenticator(&person.ctx).await?;
    Ok(scanned(&app, &person, looks, &pending, None))
}

/// `POST /account/authenticator/confirm`
pub async fn confirm(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Form(added): Form<Added>,
) -> Result<Response, Problem> {
    match app.identity.finish_authenticator(&person.ctx, &added.ticket, &added.code).await {
        Ok(codes) => Ok(done(&app, &person, looks, codes.as_deref(), "authenticator")),
        Err(Error::Refused) => {
            let words = looks.words(Some(&person.person.settings));
            match app.identity.pending_authenticator(&person.ctx, &added.ticket).await {
                Ok(pending) => {
                    let page = scanned(&app, &person, looks, &pending, Some(words.code_refused));
                    Ok(to_mend(page))
                }
                Err(error) => refused(&app, &person, looks, error).await,
            }
        }
        Err(error) => refused(&app, &person, looks, error).await,
    }
}

/// `POST /account/authenticator/remove`
pub async fn remove_authenticator(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
) -> Result<Response, Problem> {
    match app.identity.remove_authenticator(&person.ctx).await {
        Ok(()) => Ok(back("removed")),
        Err(error) => refused(&app, &person, looks, error).await,
    }
}

/// `POST /account/recovery/off`: the person calls a recovery off.
pub async fn call_off(State(app): State<App>, person: SignedIn) -> Result<Response, Problem> {
    match app.identity.call_off_recovery(&person.ctx).await {
        // It was called off or is over meanwhile: what was asked for is so.
        Ok(()) | Err(Error::NotFound) => Ok(back("called-off")),
        Err(error) => Err(error.into()),
    }
}

fn scanned(
    app: &App,
    person: &SignedIn,
    looks: Looks,
    pending: &SetupPending,
    problem: Option<&str>,
) -> Markup {
    view::scanned(&looks.frame_for(app, person), pending, problem)
}

/// Recovery codes when there are fresh ones, else the page again.
fn done(
    app: &App,
    person: &SignedIn,
    looks: Looks,
    codes: Option<&[Secret<String>]>,
    what: &str,
) -> Response {
    match codes {
        Some(codes) => kept_codes(&looks.frame_for(app, person), codes, None, HERE).into_response(),
        None => back(what),
    }
}

fn back(done: &str) -> Response {
    Redirect::to(&format!("{HERE}?done={done}")).into_response()
}
