//! Addresses kept out or let in: the handlers of `/admin/addresses`. All of it works as plain forms.

pub mod view;

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use domain::id::AddressRuleId;
use identity::{Error, NewAddressRule, Verdict};
use serde::Deserialize;

use super::{
    handlers::{Looks, problems_of},
    outcome::{Notice, Outcome, bad, status},
};
use crate::{
    App, Problem, SignedIn,
    input::{Form, Query},
};

/// Where the page is.
pub const PATH: &str = "/admin/addresses";

/// A new rule.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    network: String,
    verdict: String,
    time: String,
    #[serde(default)]
    note: String,
}

/// How long a rule may run, as the form offers it; no seconds until somebody removes it.
const TIMES: [(&str, &str, Option<u32>); 5] = [
    ("hour", "An hour", Some(3600)),
    ("day", "A day", Some(24 * 3600)),
    ("week", "A week", Some(7 * 24 * 3600)),
    ("month", "30 days", Some(30 * 24 * 3600)),
    ("removed", "Until somebody removes it", None),
];

/// `GET /admin/addresses`
pub async fn show(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Query(outcome): Query<Outcome>,
) -> Result<Response, Problem> {
    let said = outcome.says(&[
        ("set", "Done. It counts at once here, and within seconds on every replica."),
        ("removed", "Removed. Nothing is said about that range any more."),
    ]);
    page(&app, &person, looks, &Wanted::default(), said.into_iter().collect()).await
}

/// `POST /admin/addresses`
pub async fn set(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Form(wanted): Form<Wanted>,
) -> Result<Response, Problem> {
    let verdict = [Verdict::Deny, Verdict::Allow].into_iter().find(|one| one.as_str() == wanted.verdict);
    let time = TIMES.iter().find(|(name, ..)| *name == wanted.time);
    let (Some(verdict), Some((.., seconds))) = (verdict, time) else {
        return Err(Problem::invalid("verdict", "Choose what happens, and for how long."));
    };
    let new = NewAddressRule { network: &wanted.network, verdict, note: &wanted.note, seconds: *seconds };
    let problems = match app.identity.set_address_rule(&person.ctx, new).await {
        Ok(_) => {
            app.lists.refresh(&app.identity, &person.ctx).await?;
            return Ok(Redirect::to("/admin/addresses?done=set").into_response());
        }
        Err(error @ (Error::Address(_) | Error::TooMany { .. })) => problems_of(&error),
        Err(error) => return Err(error.into()),
    };
    page(&app, &person, looks, &wanted, problems.into_iter().map(bad).collect()).await
}

/// `POST /admin/addresses/{id}/remove`
pub async fn remove(
    State(app): State<App>,
    person: SignedIn,
    Path(id): Path<AddressRuleId>,
) -> Result<Response, Problem> {
    app.identity.remove_address_rule(&person.ctx, id).await?;
    app.lists.refresh(&app.identity, &person.ctx).await?;
    Ok(Redirect::to("/admin/addresses?done=removed").into_response())
}

async fn page(
    app: &App,
    person: &SignedIn,
    looks: Looks,
    wanted: &Wanted,
    notices: Vec<Notice>,
) -> Result<Response, Problem> {
    let rules = app.identity.address_rules(&person.ctx).await?;
    let (own, status) = (person.ctx.address, status(&notices));
    let addresses = view::Addresses { rules: &rules, fixed: app.lists.fixed(), own, wanted, notices };
    Ok((status, view::page(&looks.frame_for(app, person), person, &addresses)).into_response())
}
