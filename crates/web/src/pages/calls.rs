//! Calls of the voice desk, for staff: the handlers of `/desk/calls`. Who runs it sees which calls run and how others
//! ended; who leads it follows one as it is held, takes it over, gives it back, ends it.
//!
//! Lists and sorting work as plain forms; following needs a script, and taking over needs following. What is said comes as
//! events ([`events`]) and never in an address; it is in no page.

mod events;
mod view;

use axum::{
    Router,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use domain::{id::CallId, voice::Category};
use maud::Markup;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{handlers::Looks, outcome::Outcome};
use crate::{
    App, Problem, SignedIn,
    input::{Form, Query},
};

/// Where the pages are.
pub const PATH: &str = "/desk/calls";

/// What somebody who holds a call has said.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    text: String,
}

/// What a call was about.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    category: String,
}

/// The routes of these pages.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/desk/calls", get(show))
        .route("/desk/calls/events", get(events::of_all))
        .route("/desk/calls/{id}", get(one))
        .route("/desk/calls/{id}/events", get(events::of_one))
        .route("/desk/calls/{id}/hold", post(hold))
        .route("/desk/calls/{id}/back", post(back))
        .route("/desk/calls/{id}/say", post(say))
        .route("/desk/calls/{id}/end", post(end))
        .route("/desk/calls/{id}/sort", post(sort))
}

/// `GET /desk/calls`
pub async fn show(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Query(outcome): Query<Outcome>,
) -> Result<Markup, Problem> {
    let running = app.assistant.running_calls(&person.ctx)?;
    let ended = app.assistant.ended_calls(&person.ctx).await?;
    let said =
        outcome.says(&[("sorted", "Noted what that call was about."), ("over", "That call has ended.")]);
    let days = app.assistant.customers().desk().numbers.desk_call_days;
    let page = view::List { running: &running, ended: &ended, days, notice: said.as_ref() };
    Ok(view::list(&looks.frame_for(&app, &person), &person, &page))
}

/// `GET /desk/calls/{id}`: a running call; what is said in it comes as events.
pub async fn one(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Path(id): Path<CallId>,
) -> Result<Response, Problem> {
    match app.assistant.running_call(&person.ctx, id) {
        Ok(call) => Ok(view::one(&looks.frame_for(&app, &person), &person, &call).into_response()),
        Err(assistant::Error::NotFound) => {
            let ended = app.assistant.ended_calls(&person.ctx).await?;
            match ended.iter().any(|call| call.id == id) {
                true => Ok(Redirect::to(&format!("{PATH}?done=over")).into_response()),
                false => Err(Problem::not_found()),
            }
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /desk/calls/{id}/hold`: takes a call over.
pub async fn hold(
    State(app): State<App>,
    person: SignedIn,
    Path(id): Path<CallId>,
) -> Result<Redirect, Problem> {
    app.assistant.hold_call(&person.ctx, id).await?;
    Ok(back_to(id))
}

/// `POST /desk/calls/{id}/back`: gives it back to the agent.
pub async fn back(
    State(app): State<App>,
    person: SignedIn,
    Path(id): Path<CallId>,
) -> Result<Redirect, Problem> {
    app.assistant.hand_call_back(&person.ctx, id).await?;
    Ok(back_to(id))
}

/// `POST /desk/calls/{id}/say`: the agent says this.
pub async fn say(
    State(app): State<App>,
    person: SignedIn,
    Path(id): Path<CallId>,
    Form(said): Form<Said>,
) -> Result<Redirect, Problem> {
    app.assistant.say_in_call(&person.ctx, id, Zeroizing::new(said.text))?;
    Ok(back_to(id))
}

/// `POST /desk/calls/{id}/end`
pub async fn end(
    State(app): State<App>,
    person: SignedIn,
    Path(id): Path<CallId>,
) -> Result<Redirect, Problem> {
    app.assistant.end_call(&person.ctx, id).await?;
    Ok(back_to(id))
}

/// `POST /desk/calls/{id}/sort`: says what a call that ended was about.
pub async fn sort(
    State(app): State<App>,
    person: SignedIn,
    Path(id): Path<CallId>,
    Form(about): Form<About>,
) -> Result<Redirect, Problem> {
    let wrong = || Problem::invalid("category", "Choose one of the kinds that are listed.");
    let category = Category::named(&about.category).ok_or_else(wrong)?;
    app.assistant.sort_call(&person.ctx, id, category).await?;
    Ok(Redirect::to(&format!("{PATH}?done=sorted")))
}

fn back_to(id: CallId) -> Redirect {
    Redirect::to(&format!("{PATH}/{id}"))
}
