//! Groups: the handlers of `/admin/groups`. What holds for the people in them, as plain forms.

pub mod view;

use std::collections::BTreeSet;

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use domain::{
    bounds::{Bounds, Quota},
    id::GroupId,
};
use identity::Error;
use maud::Markup;

use super::super::{
    handlers::{Looks, problems_of},
    outcome::{Notice, Outcome, bad, to_mend},
};
use crate::{
    App, Problem, SignedIn,
    input::{Form, Query},
};

/// Where the list is.
const HERE: &str = "/admin/groups";
/// Largest quota that can be written; beyond it nobody means one.
const MOST: u64 = 1_000_000_000_000;
/// Models a group may name, and the longest name of one.
const MOST_MODELS: usize = 100;
const LONGEST_MODEL: usize = 200;
const SECONDS_A_MINUTE: u64 = 60;

/// What a form of a group says.
#[derive(Debug, Default)]
pub struct Typed {
    /// The name.
    pub name: String,
    /// The rules.
    pub bounds: Bounds,
}

/// `GET /admin/groups`
pub async fn show(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Query(outcome): Query<Outcome>,
) -> Result<Markup, Problem> {
    let said = outcome.says(&[
        ("made", "The group is made. Put people into it on their pages."),
        ("deleted", "The group is deleted. Its rules hold for nobody any more."),
    ]);
    list(&app, &person, looks, &Typed::default(), said).await
}

async fn list(
    app: &App,
    person: &SignedIn,
    looks: Looks,
    typed: &Typed,
    notice: Option<Notice>,
) -> Result<Markup, Problem> {
    let groups = app.identity.groups(&person.ctx).await?;
    let main = view::list(&groups, typed, &app.assistant.models(), notice);
    let about = "What holds for the people in a group. Of several groups the strictest word counts, from their next request on.";
    Ok(super::page(&looks.frame_for(app, person), person, HERE, "Groups", about, &main))
}

/// `POST /admin/groups`
pub async fn make(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let typed = read(fields)?;
    match app.identity.make_group(&person.ctx, &typed.name, &typed.bounds).await {
        Ok(_) => Ok(Redirect::to("/admin/groups?done=made").into_response()),
        Err(error @ (Error::Name(_) | Error::GroupTaken | Error::TooMany { .. })) => {
            let notice = Some(bad(problems_of(&error).join(" ")));
            let page = list(&app, &person, looks, &typed, notice).await?;
            Ok(to_mend(page))
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET /admin/groups/{id}`
pub async fn one(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Path(id): Path<GroupId>,
    Query(outcome): Query<Outcome>,
) -> Result<Markup, Problem> {
    let group = app.identity.group(&person.ctx, id).await?;
    let said = outcome.says(&[("saved", "Saved. It holds from the next request on.")]);
    edit(&app, &person, looks, id, &Typed { name: group.name, bounds: group.bounds }, said).await
}

async fn edit(
    app: &App,
    person: &SignedIn,
    looks: Looks,
    id: GroupId,
    typed: &Typed,
    notice: Option<Notice>,
) -> Result<Markup, Problem> {
    let (identity, ctx) = (&app.identity, &person.ctx);
    let group = identity.group(ctx, id).await?;
    let members = identity.members(ctx, id).await?;
    let main = view::one(id, typed, &members, &app.assistant.models(), notice);
    let about = "What holds for the people in this group.";
    Ok(super::page(&looks.frame_for(app, person), person, HERE, &group.name, about, &main))
}

/// `POST /admin/groups/{id}`
pub async fn change(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Path(id): Path<GroupId>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let typed = read(fields)?;
    match app.identity.change_group(&person.ctx, id, &typed.name, &typed.bounds).await {
        Ok(()) => Ok(Redirect::to(&format!("{HERE}/{id}?done=saved")).into_response()),
        Err(error @ (Error::Name(_) | Error::GroupTaken)) => {
            let notice = Some(bad(problems_of(&error).join(" ")));
            let page = edit(&app, &person, looks, id, &typed, notice).await?;
            Ok(to_mend(page))
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /admin/groups/{id}/delete`
pub async fn delete(
    State(app): State<App>,
    person: SignedIn,
    Path(id): Path<GroupId>,
) -> Result<Redirect, Problem> {
    app.identity.delete_group(&person.ctx, id).await?;
    Ok(Redirect::to("/admin/groups?done=deleted"))
}

/// Reads the form of a group: every field known, none twice but the models, every number in bounds.
fn read(fields: Vec<(String, String)>) -> Result<Typed, Problem> {
    let mut typed = Typed::default();
    let (mut seen, mut models, mut only_some) = (BTreeSet::new(), BTreeSet::new(), false);
    for (name, value) in fields {
        if name != "model" && !seen.insert(name.clone()) {
            return Err(Problem::bad_request("A field of the form came twice."));
        }
        let bounds = &mut typed.bounds;
        match (name.as_str(), value.as_str()) {
            ("name", _) => typed.name = value,
            ("temporary_only", "yes") => bounds.temporary_only = true,
            ("models", "some") => only_some = true,
            ("models", "all") => {}
            ("model", _) if value.len() <= LONGEST_MODEL && models.len() < MOST_MODELS => {
                models.insert(value);
            }
            ("messages_a_day", _) => bounds.messages.a_day = number("messages_a_day", &value, 1)?,
            ("messages_a_month", _) => bounds.messages.a_month = number("messages_a_month", &value, 1)?,
            ("tokens_a_day", _) => bounds.tokens.a_day = number("tokens_a_day", &value, 1)?,
            ("tokens_a_month", _) => bounds.tokens.a_month = number("tokens_a_month", &value, 1)?,
            ("voice_a_day", _) => {
                bounds.voice_seconds.a_day = number("voice_a_day", &value, SECONDS_A_MINUTE)?;
            }
            ("voice_a_month", _) => {
                bounds.voice_seconds.a_month = number("voice_a_month", &value, SECONDS_A_MINUTE)?;
            }
            _ => return Err(Problem::bad_request("The form has fields this page does not know.")),
        }
    }
    typed.bounds.models = only_some.then_some(models);
    Ok(typed)
}

/// A number that may be left out, times `unit`.
fn number(param: &str, typed: &str, unit: u64) -> Result<Option<u64>, Problem> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(None);
    }
    let number = typed.parse::<u64>().ok().filter(|number| *number <= MOST);
    let wrong = || Problem::invalid(param, "A quota is a whole number, or nothing for no limit.");
    Ok(Some(number.ok_or_else(wrong)? * unit))
}

/// The fields of a quota: what a form calls them, and how much stands in them.
pub(super) fn minutes(quota: Quota) -> Quota {
    let minutes = |seconds: Option<u64>| seconds.map(|seconds| seconds.div_ceil(SECONDS_A_MINUTE));
    Quota { a_day: minutes(quota.a_day), a_month: minutes(quota.a_month) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &[(&str, &str)]) -> Result<Typed, Problem> {
        read(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn a_form_says_what_holds() {
        let typed = form(&[
            ("name", "Interns"),
            ("temporary_only", "yes"),
            ("models", "some"),
            ("model", "small"),
            ("model", "tiny"),
            ("messages_a_day", "20"),
            ("tokens_a_month", ""),
            ("voice_a_day", "5"),
        ])
        .unwrap();
        assert_eq!(typed.name, "Interns");
        assert!(
            typed.bounds.temporary_only
                && !typed.bounds.allow_model("large")
                && typed.bounds.allow_model("tiny")
        );
        assert_eq!((typed.bounds.messages.a_day, typed.bounds.voice_seconds.a_day), (Some(20), Some(300)));
        assert_eq!(typed.bounds.tokens, Quota::default());
        assert_eq!(
            form(&[("name", "x"), ("models", "all"), ("model", "small")]).unwrap().bounds,
            Bounds::default()
        );
    }

    #[test]
    fn strange_and_doubled_fields_and_wild_numbers_are_refused() {
        for wrong in [
            &[("name", "x"), ("owner", "yes")][..],
            &[("name", "x"), ("name", "y")],
            &[("temporary_only", "maybe")],
            &[("messages_a_day", "-1")],
            &[("messages_a_day", "1e9")],
            &[("messages_a_day", "99999999999999999999")],
            &[("voice_a_day", "1000000000001")],
        ] {
            assert!(form(wrong).is_err(), "{wrong:?}");
        }
    }
}
