//! Customers of the voice desk, for staff: the handlers of `/desk/customers`. All of it works as plain forms.
//!
//! What somebody searches for comes in a form and never in an address; each look at a record is in the audit log.

mod view;

use assistant::customers::Record;
use axum::{
    Router,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use domain::id::CustomerId;
use maud::Markup;
use serde::Deserialize;

use super::{
    handlers::Looks,
    outcome::{Notice, bad, status},
};
use crate::{App, Problem, SignedIn, input::Form};

/// Where the pages are.
pub const PATH: &str = "/desk/customers";

/// Who is looked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    who: String,
}

/// Whether somebody meant it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sure {
    sure: String,
}

/// The routes of these pages.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/desk/customers", get(show))
        .route("/desk/customers/find", post(find))
        .route("/desk/customers/{id}", get(one))
        .route("/desk/customers/{id}/restricted", get(restricted))
        .route("/desk/customers/{id}/erase", post(erase))
}

/// `GET /desk/customers`
pub async fn show(State(app): State<App>, person: SignedIn, looks: Looks) -> Result<Response, Problem> {
    list(&app, &person, looks, "", Vec::new()).await
}

/// `POST /desk/customers/find`: one customer, by number, telephone or e-mail address.
pub async fn find(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Form(wanted): Form<Wanted>,
) -> Result<Response, Problem> {
    let found = match app.assistant.customers().find(&person.ctx, &wanted.who).await {
        Ok(found) => found,
        Err(assistant::Error::Empty) => None,
        Err(error) => return Err(error.into()),
    };
    match found {
        Some(id) => Ok(Redirect::to(&format!("{PATH}/{id}")).into_response()),
        None => {
            let nobody =
                "Nobody is found by that. Write a whole customer number, telephone number or e-mail address.";
            list(&app, &person, looks, &wanted.who, vec![bad(nobody)]).await
        }
    }
}

/// `GET /desk/customers/{id}`: a record, without what is restricted.
pub async fn one(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Path(id): Path<CustomerId>,
) -> Result<Markup, Problem> {
    let record = app.assistant.customers().open(&person.ctx, id).await?;
    Ok(shown(&app, &person, looks, &record, None))
}

/// `GET /desk/customers/{id}/restricted`: all of it, after a fresh confirmation.
pub async fn restricted(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Path(id): Path<CustomerId>,
) -> Result<Markup, Problem> {
    let record = app.assistant.customers().open_restricted(&person.ctx, id).await?;
    Ok(shown(&app, &person, looks, &record, None))
}

/// `POST /desk/customers/{id}/erase`: answers with a receipt.
pub async fn erase(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Path(id): Path<CustomerId>,
    Form(form): Form<Sure>,
) -> Result<Response, Problem> {
    let customers = app.assistant.customers();
    if form.sure != "yes" {
        let record = customers.open(&person.ctx, id).await?;
        let notice = bad("Tick the box first: what is erased cannot be brought back.");
        let page = shown(&app, &person, looks, &record, Some(&notice));
        return Ok((status([&notice]), page).into_response());
    }
    let erasure = customers.erase(&person.ctx, id).await?;
    Ok(view::receipt(&looks.frame_for(&app, &person), &person, &erasure).into_response())
}

async fn list(
    app: &App,
    person: &SignedIn,
    looks: Looks,
    who: &str,
    notices: Vec<Notice>,
) -> Result<Response, Problem> {
    let (turnout, listed) = app.assistant.customers().list(&person.ctx).await?;
    let status = status(&notices);
    let page = view::List { turnout, listed: &listed, who, notices: &notices };
    Ok((status, view::list(&looks.frame_for(app, person), person, &page)).into_response())
}

fn shown(app: &App, person: &SignedIn, looks: Looks, record: &Record, notice: Option<&Notice>) -> Markup {
    let now = app.assistant.customers().desk().rules.clock(person.ctx.now());
    view::record(&looks.frame_for(app, person), person, record, now, notice)
}
