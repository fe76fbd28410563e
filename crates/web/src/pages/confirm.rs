//! Confirming who one is, before something dangerous: the handlers of `/confirm`.
//!
//! People are led here by the edge when a page answered `step-up-needed`; scripts post to `/confirm/api`.
//! A form that was under way is never sent by us: its person is told, led back, and sends it.

pub mod form;

use axum::{
    Form, Json,
    extract::{Query, State},
    response::{IntoResponse, Redirect, Response},
};
use domain::{Missing, Secret, access::Shown};
use http::StatusCode;
use identity::{Error, Proof};
use serde::Deserialize;

use super::handlers::{Looks, problems_of};
use super::{account::factors::Nothing, sign_in::passkey::Question};
use crate::{App, Problem, SignedIn, edge::host::Asked, session};

/// Where to go afterwards, and what for.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Wish {
    #[serde(default)]
    next: String,
    /// Present when a form was interrupted.
    again: Option<String>,
    /// Present when only a second factor helps.
    factor: Option<String>,
}

/// What was shown: one of the two.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shows {
    #[serde(default)]
    next: String,
    again: Option<String>,
    factor: Option<String>,
    password: Option<Secret<String>>,
    code: Option<Secret<String>>,
    ceremony: Option<Secret<String>>,
    answer: Option<String>,
}

/// The same from a script.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShowsJson {
    password: Option<Secret<String>>,
    code: Option<Secret<String>>,
}

/// `GET /confirm`
pub async fn show(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Query(wish): Query<Wish>,
) -> Result<Response, Problem> {
    if missing(&person, &wish).is_none() {
        return Ok(Redirect::to(home(&wish.next)).into_response());
    }
    page(&app, &person, looks, &wish, StatusCode::OK, None).await
}

/// `POST /confirm`
pub async fn form(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Form(shows): Form<Shows>,
) -> Result<Response, Problem> {
    let wish = Wish { next: shows.next, again: shows.again, factor: shows.factor };
    let proof = match (shows.ceremony, shows.answer) {
        (Some(ceremony), Some(answer)) => Proof::Passkey { ceremony, answer },
        _ => proof(shows.password, shows.code)?,
    };
    match app.identity.confirm(&person.ctx, proof).await {
        Ok(()) => Ok(Redirect::to(home(&wish.next)).into_response()),
        Err(Error::Refused) => {
            let words = looks.words(Some(&person.person.settings));
            page(&app, &person, looks, &wish, StatusCode::UNAUTHORIZED, Some(words.confirm_refused)).await
        }
        Err(error @ Error::Throttled { .. }) => {
            let said = problems_of(&error).join(" ");
            page(&app, &person, looks, &wish, StatusCode::TOO_MANY_REQUESTS, Some(&said)).await
        }
        Err(error @ Error::TicketGone) => {
            let said = problems_of(&error).join(" ");
            page(&app, &person, looks, &wish, StatusCode::UNAUTHORIZED, Some(&said)).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /confirm/options`: a question for an authenticator of the person who asks.
pub async fn options(
    State(app): State<App>,
    person: SignedIn,
    Asked(host): Asked,
    Json(Nothing {}): Json<Nothing>,
) -> Result<Json<Question>, Problem> {
    Ok(Json(app.identity.begin_passkey_confirmation(&person.ctx, &host).await?.into()))
}

/// `POST /confirm/api`: nothing comes back when it was right.
pub async fn api(
    State(app): State<App>,
    person: SignedIn,
    Json(shows): Json<ShowsJson>,
) -> Result<StatusCode, Problem> {
    app.identity.confirm(&person.ctx, proof(shows.password, shows.code)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn proof(password: Option<Secret<String>>, code: Option<Secret<String>>) -> Result<Proof, Problem> {
    match (password, code) {
        (Some(password), None) => Ok(Proof::Password(password)),
        (None, Some(code)) => Ok(Proof::Code(code)),
        _ => Err(Problem::bad_request("Send either the password or a code.")),
    }
}

/// What this session still has to show.
fn missing(person: &SignedIn, wish: &Wish) -> Option<Missing> {
    let Shown { second_factor, fresh_until } = person.person.standing.shown;
    if wish.factor.is_some() && !second_factor {
        return Some(Missing::SecondFactor);
    }
    (person.ctx.now() >= fresh_until).then_some(Missing::StepUp)
}

async fn page(
    app: &App,
    person: &SignedIn,
    looks: Looks,
    wish: &Wish,
    status: StatusCode,
    problem: Option<&str>,
) -> Result<Response, Problem> {
    let ways = app.identity.ways_to_confirm(&person.ctx).await?;
    let services = app.identity.services_to_confirm_by(&person.ctx).await?;
    let shown = form::Confirm {
        name: &person.person.name,
        next: &wish.next,
        again: wish.again.is_some(),
        factor: missing(person, wish) == Some(Missing::SecondFactor),
        ways,
        services: &services,
        problem,
    };
    Ok((status, form::page(&looks.frame_for(app, person), &shown)).into_response())
}

fn home(next: &str) -> &str {
    session::safe_next(next).unwrap_or("/account")
}
