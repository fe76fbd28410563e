//! The checks that need no room above the store; `server` registers the others.

mod access;
mod consents;
mod customers;
mod desk;
mod people;
mod rows;
mod rules;

use std::time::Duration;

use domain::{Action, Ctx, Permit, Resource, authorize, control::Numbers};
use store::Store;

use crate::{Check, Unanswered};

/// How often rules that hold by construction are asked.
const DAILY: Duration = Duration::from_secs(24 * 60 * 60);
/// How often what lies on disk is asked.
const HOURLY: Duration = Duration::from_secs(60 * 60);

/// Every check of this room.
pub(crate) fn all(store: &Store, numbers: &Numbers) -> Vec<Check> {
    let rows = rows::all(store, numbers).into_iter();
    let of_rows = rows.chain(access::all(store, numbers)).chain(people::all(store));
    let of_rows = of_rows.chain(customers::all(store, numbers)).chain(desk::all(store, numbers));
    let of_rows = of_rows.chain(consents::all(store));
    rules::all(numbers).into_iter().chain(of_rows).collect()
}

/// The permit every look at the instance needs.
fn may_look(ctx: &Ctx) -> Result<Permit, Unanswered> {
    Ok(authorize(ctx, Action::ReadInstance, Resource::Instance)?)
}
