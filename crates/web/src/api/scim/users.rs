//! Users: the handlers of `/scim/v2/Users`.

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use domain::id::UserId;
use http::{HeaderValue, StatusCode, header};
use identity::{Error, PersonChange, Provisioned};
use serde_json::Value;

use super::{
    Body, MOST_RESULTS, Provisioner, answer, attributes, error, filter::Filter, listed, patch, wish::Wish,
};
use crate::{App, Problem};

/// People looked at for a filter that no index answers.
const MOST_LOOKED_AT: u64 = 20_000;
/// Tries to apply a change to somebody who is being changed.
const TRIES: u32 = 3;

/// `GET /scim/v2/Users`
pub(super) async fn list(
    State(app): State<App>,
    caller: Provisioner,
    wish: Wish,
) -> Result<Response, Problem> {
    found(&app, &caller, &wish).await
}

/// `POST /scim/v2/Users/.search`: the same, asked for in the body.
pub(super) async fn search(
    State(app): State<App>,
    caller: Provisioner,
    Body(body): Body,
) -> Result<Response, Problem> {
    found(&app, &caller, &Wish::read(&body)?).await
}

async fn found(app: &App, caller: &Provisioner, wish: &Wish) -> Result<Response, Problem> {
    let base = app.identity.scim_address();
    let Some(filter) = &wish.filter else {
        let (total, found) =
            app.identity.provisioned_list(&caller.ctx, wish.start() - 1, wish.count()).await?;
        let users: Vec<_> = found.iter().map(|one| wish.of(attributes::write(one, &base))).collect();
        return Ok(listed(total, wish.start(), &users));
    };
    let filter = Filter::read(filter)?;
    let found = if let Some(name) = filter.only_equal("userName") {
        app.identity.provisioned_named(&caller.ctx, name).await?.into_iter().collect()
    } else if let Some(external) = filter.only_equal("externalId") {
        app.identity.provisioned_external(&caller.ctx, external).await?.into_iter().collect()
    } else {
        everybody(app, caller).await?
    };
    let users: Vec<Value> = found.iter().map(|one| attributes::write(one, &base)).collect();
    let matching: Vec<Value> = users.into_iter().filter(|user| filter.matches(user)).collect();
    let total = matching.len() as u64;
    let skip = usize::try_from(wish.start() - 1).unwrap_or(usize::MAX);
    let page: Vec<Value> =
        matching.into_iter().skip(skip).take(wish.count() as usize).map(|user| wish.of(user)).collect();
    Ok(listed(total, wish.start(), &page))
}

/// All provisioned people, for a filter that must look at each.
async fn everybody(app: &App, caller: &Provisioner) -> Result<Vec<Provisioned>, Problem> {
    let mut all: Vec<Provisioned> = Vec::new();
    loop {
        let (total, some) =
            app.identity.provisioned_list(&caller.ctx, all.len() as u64, MOST_RESULTS).await?;
        if total > MOST_LOOKED_AT {
            return Err(error::filter(
                "There are too many people for this filter; ask for a userName or an externalId.",
            ));
        }
        let last = some.is_empty();
        all.extend(some);
        if last || all.len() as u64 >= total {
            return Ok(all);
        }
    }
}

/// `POST /scim/v2/Users`
pub(super) async fn create(
    State(app): State<App>,
    caller: Provisioner,
    Body(body): Body,
) -> Result<Response, Problem> {
    let new = attributes::read(&body)?;
    let made = app.identity.provision(&caller.ctx, &new).await.map_err(told)?;
    Ok(whole(&app, &made, StatusCode::CREATED))
}

/// `GET /scim/v2/Users/{id}`
pub(super) async fn get(
    State(app): State<App>,
    caller: Provisioner,
    Path(id): Path<String>,
    wish: Wish,
) -> Result<Response, Problem> {
    let found = app.identity.provisioned(&caller.ctx, named(&id)?).await?;
    Ok(answer(StatusCode::OK, &wish.of(attributes::write(&found, &app.identity.scim_address()))))
}

/// `PUT /scim/v2/Users/{id}`
pub(super) async fn replace(
    State(app): State<App>,
    caller: Provisioner,
    Path(id): Path<String>,
    Body(body): Body,
) -> Result<Response, Problem> {
    let id = named(&id)?;
    let to = attributes::read(&body)?;
    let changed = change(&app, &caller, id, &to, None).await?;
    changed.map(|one| whole(&app, &one, StatusCode::OK)).ok_or_else(busy)
}

/// `PATCH /scim/v2/Users/{id}`
pub(super) async fn patch(
    State(app): State<App>,
    caller: Provisioner,
    Path(id): Path<String>,
    Body(body): Body,
) -> Result<Response, Problem> {
    let id = named(&id)?;
    for _ in 0..TRIES {
        let now = app.identity.provisioned(&caller.ctx, id).await?;
        let Value::Object(mut user) = attributes::write(&now, &app.identity.scim_address()) else {
            return Err(Problem::broken());
        };
        patch::apply(&mut user, &body)?;
        let to = attributes::read(&user)?;
        // Somebody else may have changed them since; then it is tried on what they are now.
        if let Some(changed) = change(&app, &caller, id, &to, Some(now.version)).await? {
            return Ok(whole(&app, &changed, StatusCode::OK));
        }
    }
    Err(busy())
}

/// `DELETE /scim/v2/Users/{id}`
pub(super) async fn delete(
    State(app): State<App>,
    caller: Provisioner,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = named(&id)?;
    app.identity.unprovision(&caller.ctx, id).await?;
    app.assistant.end_person(&id);
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn change(
    app: &App,
    caller: &Provisioner,
    id: UserId,
    to: &PersonChange,
    version: Option<i64>,
) -> Result<Option<Provisioned>, Problem> {
    let changed = app.identity.change_provisioned(&caller.ctx, id, to, version).await.map_err(told)?;
    if !to.active {
        app.assistant.end_person(&id);
    }
    Ok(changed)
}

/// One user, with where it is.
fn whole(app: &App, person: &Provisioned, status: StatusCode) -> Response {
    let base = app.identity.scim_address();
    let mut response = answer(status, &attributes::write(person, &base));
    let place = attributes::place(&base, person.account.id);
    if let Ok(place) = HeaderValue::try_from(place) {
        let name = if status == StatusCode::CREATED { header::LOCATION } else { header::CONTENT_LOCATION };
        response.headers_mut().insert(name, place);
    }
    response
}

/// What is no identifier is nobody's.
fn named(id: &str) -> Result<UserId, Problem> {
    id.parse().map_err(|_| Problem::not_found())
}

fn told(problem: Error) -> Problem {
    match &problem {
        Error::Name(_) => error::value("userName", &format!("cannot be a name here: {problem}")),
        _ => problem.into(),
    }
}

fn busy() -> Problem {
    Problem::busy("Somebody else is changing this person. Try again in a moment.", 1)
}
