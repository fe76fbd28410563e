//! Who holds which roles, and the roles of an organisation's own: the handlers of `/admin/roles`.
//!
//! All of it works as plain forms. Every decision is identity's; what it refuses is shown on the page.

mod view;

use axum::{
    Router,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use domain::{
    Action, Timestamp,
    access::Rights,
    id::{CustomRoleId, UserId},
};
use identity::Error;
use serde::Deserialize;
use time::{Date, macros::format_description};

use super::{
    handlers::Looks,
    outcome::{Notice, Outcome, bad, status},
};
use crate::{
    App, Problem, SignedIn,
    input::{Form, Query},
};

const HERE: &str = "/admin/roles";
/// Fields a form of this page may have at most.
const MOST_FIELDS: usize = 40;

/// A role to be given.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantForm {
    account: UserId,
    role: String,
    #[serde(default)]
    until: String,
}

/// A role to be taken.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TakeForm {
    account: UserId,
    role: String,
}

/// The routes of this page.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/admin/roles", get(show))
        .route("/admin/roles/grant", post(grant))
        .route("/admin/roles/take", post(take))
        .route("/admin/roles/own", post(save))
        .route("/admin/roles/own/{id}/delete", post(delete))
}

/// `GET /admin/roles`
pub async fn show(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Query(outcome): Query<Outcome>,
) -> Result<Response, Problem> {
    let said = outcome.says(&[
        ("granted", "The role is given. It holds from the next request on."),
        ("taken", "The role is taken. It holds no longer."),
        ("saved", "The role is kept."),
        ("deleted", "The role is deleted, and nobody holds it any more."),
    ]);
    page(&app, &person, looks, said).await
}

async fn page(
    app: &App,
    person: &SignedIn,
    looks: Looks,
    notice: Option<Notice>,
) -> Result<Response, Problem> {
    let held = app.identity.held_roles(&person.ctx).await?;
    let status = status(&notice);
    let shown = view::Page { held: &held, person, notice, now: person.ctx.now() };
    Ok((status, view::page(&looks.frame_for(app, person), &shown)).into_response())
}

/// What became of an act: on to the page, or the page again with what stands against it.
async fn after(
    app: &App,
    person: &SignedIn,
    looks: Looks,
    done: Result<(), Error>,
    word: &str,
) -> Result<Response, Problem> {
    match done {
        Ok(()) => Ok(Redirect::to(&format!("{HERE}?done={word}")).into_response()),
        Err(error @ (Error::Unfit(_) | Error::TooMany { .. })) => {
            page(app, person, looks, Some(bad(error))).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /admin/roles/grant`
pub async fn grant(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Form(form): Form<GrantForm>,
) -> Result<Response, Problem> {
    let role = form.role.parse().map_err(|_| Problem::invalid("role", "Choose a role from the list."))?;
    let ends = match form.until.as_str() {
        "" => None,
        day => Some(end_of(day).ok_or_else(|| {
            Problem::invalid("until", "Write the last day as year-month-day, for example 2027-01-31.")
        })?),
    };
    let done = app.identity.grant_role(&person.ctx, form.account, role, ends).await;
    after(&app, &person, looks, done, "granted").await
}

/// `POST /admin/roles/take`
pub async fn take(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Form(form): Form<TakeForm>,
) -> Result<Response, Problem> {
    let role = form.role.parse().map_err(|_| Problem::invalid("role", "Choose a role from the list."))?;
    let done = app.identity.take_role(&person.ctx, form.account, role).await;
    after(&app, &person, looks, done, "taken").await
}

/// `POST /admin/roles/own`: a role of the organisation's own, new or changed.
pub async fn save(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let (mut id, mut name, mut about, mut rights) = (None, None, None, Rights::NONE);
    if fields.len() > MOST_FIELDS {
        return Err(Problem::bad_request("The form has more fields than this page."));
    }
    for (field, value) in fields {
        let unreadable = || Problem::invalid(&field, "Reload the page and choose from what it offers.");
        match field.as_str() {
            "id" if id.is_none() => id = Some(value.parse::<CustomRoleId>().map_err(|_| unreadable())?),
            "name" if name.is_none() => name = Some(value),
            "about" if about.is_none() => about = Some(value),
            "right" => rights = rights.with(Action::named(&value).ok_or_else(unreadable)?),
            _ => return Err(unreadable()),
        }
    }
    let words = (name.unwrap_or_default(), about.unwrap_or_default());
    let words = (words.0.as_str(), words.1.as_str());
    let done = app.identity.save_custom_role(&person.ctx, id, words, rights).await.map(|_| ());
    after(&app, &person, looks, done, "saved").await
}

/// `POST /admin/roles/own/{id}/delete`
pub async fn delete(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Path(id): Path<CustomRoleId>,
) -> Result<Response, Problem> {
    let done = app.identity.delete_custom_role(&person.ctx, id).await;
    after(&app, &person, looks, done, "deleted").await
}

/// The end of a day (UTC) as a browser's date field writes it.
fn end_of(day: &str) -> Option<Timestamp> {
    let date = Date::parse(day, format_description!("[year]-[month]-[day]")).ok()?;
    Some(Timestamp(date.next_day()?.midnight().assume_utc().unix_timestamp().checked_mul(1_000_000)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_when_the_next_begins() {
        assert_eq!(end_of("1970-01-01"), Some(Timestamp(86_400_000_000)));
        for not in ["", "tomorrow", "2027-02-30", "2027-1-1", "9999-12-31", "2027-01-01T00:00"] {
            assert_eq!(end_of(not), None, "{not}");
        }
    }
}
