//! Groups: the handlers of `/scim/v2/Groups`.

use std::collections::BTreeSet;

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use domain::id::{GroupId, UserId};
use http::{HeaderValue, StatusCode, header};
use identity::{Error, GroupChange, ProvisionedGroup};
use serde_json::{Map, Value, json};

use super::{
    Body, MOST_RESULTS, Provisioner, answer,
    attributes::{field, has_schema, moment, place, text},
    error,
    filter::Filter,
    listed, patch,
    wish::Wish,
};
use crate::{App, Problem};

/// The schema of groups.
pub(super) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// Most members named in one group.
const MOST_MEMBERS: usize = 2000;
/// Groups looked at for a filter.
const MOST_LOOKED_AT: u64 = 2000;
/// Tries to apply a change to a group that is being changed.
const TRIES: u32 = 3;

/// `GET /scim/v2/Groups`
pub(super) async fn list(
    State(app): State<App>,
    caller: Provisioner,
    wish: Wish,
) -> Result<Response, Problem> {
    found(&app, &caller, &wish).await
}

/// `POST /scim/v2/Groups/.search`: the same, asked for in the body.
pub(super) async fn search(
    State(app): State<App>,
    caller: Provisioner,
    Body(body): Body,
) -> Result<Response, Problem> {
    found(&app, &caller, &Wish::read(&body)?).await
}

async fn found(app: &App, caller: &Provisioner, wish: &Wish) -> Result<Response, Problem> {
    let Some(filter) = &wish.filter else {
        let (total, found) =
            app.identity.provisioned_groups(&caller.ctx, wish.start() - 1, wish.count()).await?;
        let groups = written(app, caller, &found).await?;
        let groups: Vec<Value> = groups.into_iter().map(|group| wish.of(group)).collect();
        return Ok(listed(total, wish.start(), &groups));
    };
    let filter = Filter::read(filter)?;
    let mut all: Vec<Value> = Vec::new();
    loop {
        let (total, some) =
            app.identity.provisioned_groups(&caller.ctx, all.len() as u64, MOST_RESULTS).await?;
        if total > MOST_LOOKED_AT {
            return Err(error::filter("There are too many groups for a filter; ask for one by its id."));
        }
        all.extend(written(app, caller, &some).await?);
        if some.is_empty() || all.len() as u64 >= total {
            break;
        }
    }
    all.retain(|group| filter.matches(group));
    let total = all.len() as u64;
    let skip = usize::try_from(wish.start() - 1).unwrap_or(usize::MAX);
    let page: Vec<Value> =
        all.into_iter().skip(skip).take(wish.count() as usize).map(|group| wish.of(group)).collect();
    Ok(listed(total, wish.start(), &page))
}

/// `POST /scim/v2/Groups`
pub(super) async fn create(
    State(app): State<App>,
    caller: Provisioner,
    Body(body): Body,
) -> Result<Response, Problem> {
    let made = app.identity.provision_group(&caller.ctx, &read(&body)?).await.map_err(told)?;
    whole(&app, &caller, &made, StatusCode::CREATED).await
}

/// `GET /scim/v2/Groups/{id}`
pub(super) async fn get(
    State(app): State<App>,
    caller: Provisioner,
    Path(id): Path<String>,
    wish: Wish,
) -> Result<Response, Problem> {
    let found = app.identity.provisioned_group(&caller.ctx, named(&id)?).await?;
    Ok(answer(StatusCode::OK, &wish.of(write(&app, &caller, &found).await?)))
}

/// `PUT /scim/v2/Groups/{id}`
pub(super) async fn replace(
    State(app): State<App>,
    caller: Provisioner,
    Path(id): Path<String>,
    Body(body): Body,
) -> Result<Response, Problem> {
    let (id, to) = (named(&id)?, read(&body)?);
    // Told apart from somebody in it who is nobody's.
    app.identity.provisioned_group(&caller.ctx, id).await?;
    let changed = app.identity.change_group_provisioned(&caller.ctx, id, &to, None).await.map_err(told)?;
    whole(&app, &caller, &changed.ok_or_else(busy)?, StatusCode::OK).await
}

/// `PATCH /scim/v2/Groups/{id}`
pub(super) async fn patch(
    State(app): State<App>,
    caller: Provisioner,
    Path(id): Path<String>,
    Body(body): Body,
) -> Result<Response, Problem> {
    let id = named(&id)?;
    for _ in 0..TRIES {
        let now = app.identity.provisioned_group(&caller.ctx, id).await?;
        let Value::Object(mut group) = write(&app, &caller, &now).await? else {
            return Err(Problem::broken());
        };
        patch::apply(&mut group, &body)?;
        let to = read(&group)?;
        let changed = app.identity.change_group_provisioned(&caller.ctx, id, &to, Some(now.version)).await;
        if let Some(changed) = changed.map_err(told)? {
            return whole(&app, &caller, &changed, StatusCode::OK).await;
        }
    }
    Err(busy())
}

/// `DELETE /scim/v2/Groups/{id}`
pub(super) async fn delete(
    State(app): State<App>,
    caller: Provisioner,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    app.identity.unprovision_group(&caller.ctx, named(&id)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn read(body: &Map<String, Value>) -> Result<GroupChange, Problem> {
    has_schema(body, GROUP)?;
    let list = match field(body, "members") {
        None => &Vec::new(),
        Some(Value::Array(list)) if list.len() <= MOST_MEMBERS => list,
        Some(_) => return Err(error::value("members", "must be a list of at most 2,000")),
    };
    let mut members = BTreeSet::new();
    for one in list {
        let id = one.as_object().and_then(|one| field(one, "value")).and_then(Value::as_str);
        let id: Option<UserId> = id.and_then(|id| id.parse().ok());
        members.insert(id.ok_or_else(|| error::value("members.value", "must be the id of a user"))?);
    }
    let name = text(body, "displayName")?.ok_or_else(|| error::value("displayName", "is missing"))?;
    Ok(GroupChange { name, external: text(body, "externalId")?, members })
}

async fn written(
    app: &App,
    caller: &Provisioner,
    groups: &[ProvisionedGroup],
) -> Result<Vec<Value>, Problem> {
    let mut all = Vec::with_capacity(groups.len());
    for group in groups {
        all.push(write(app, caller, group).await?);
    }
    Ok(all)
}

async fn write(app: &App, caller: &Provisioner, found: &ProvisionedGroup) -> Result<Value, Problem> {
    let (base, id) = (app.identity.scim_address(), found.group.id);
    let members = match app.identity.provisioned_members(&caller.ctx, id).await {
        Ok(members) => members,
        // Deleted meanwhile.
        Err(Error::NotFound) => BTreeSet::new(),
        Err(error) => return Err(error.into()),
    };
    let member =
        |user: UserId| json!({ "value": user.to_string(), "type": "User", "$ref": place(&base, user) });
    let mut group = Map::new();
    group.insert("schemas".into(), json!([GROUP]));
    group.insert("id".into(), id.to_string().into());
    if let Some(external) = &found.external {
        group.insert("externalId".into(), external.clone().into());
    }
    group.insert("displayName".into(), found.group.name.clone().into());
    if !members.is_empty() {
        group.insert("members".into(), members.into_iter().map(member).collect());
    }
    let meta = json!({
        "resourceType": "Group",
        "created": moment(found.group.created),
        "lastModified": moment(found.changed),
        "location": format!("{base}/Groups/{id}"),
    });
    group.insert("meta".into(), meta);
    Ok(group.into())
}

async fn whole(
    app: &App,
    caller: &Provisioner,
    group: &ProvisionedGroup,
    status: StatusCode,
) -> Result<Response, Problem> {
    let mut response = answer(status, &write(app, caller, group).await?);
    if status == StatusCode::CREATED
        && let Ok(place) =
            HeaderValue::try_from(format!("{}/Groups/{}", app.identity.scim_address(), group.group.id))
    {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

/// What is no identifier is no group's.
fn named(id: &str) -> Result<GroupId, Problem> {
    id.parse().map_err(|_| Problem::not_found())
}

fn told(problem: Error) -> Problem {
    match &problem {
        Error::Name(_) => error::value("displayName", &format!("cannot be a name here: {problem}")),
        Error::NotFound => error::value("members.value", "names somebody the directory does not know"),
        _ => problem.into(),
    }
}

fn busy() -> Problem {
    Problem::busy("Somebody else is changing this group. Try again in a moment.", 1)
}
