//! How calls of the voice desk ended: times and words of closed lists, nothing about anybody.
//!
//! `assistant` keeps, lists and clears them. Invariant: there is no column in which anything of a call could stand that
//! was said in it, or that tells whose it was.

use domain::{
    Action, Permit, Timestamp,
    audit::Act,
    id::CallId,
    voice::{Category, Outcome, Way},
};
use sqlx::{Row, any::AnyRow};

use crate::{Error, Store, Tx, row, store::number};

/// A call that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndedCall {
    /// The call.
    pub id: CallId,
    /// When it began.
    pub began: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// How it came in.
    pub way: Way,
    /// How it ended.
    pub outcome: Outcome,
    /// What it was about, once somebody has said so.
    pub category: Option<Category>,
    /// Whether staff held it.
    pub held: bool,
}

impl EndedCall {
    /// How long it lasted, in seconds.
    #[must_use]
    pub fn seconds(&self) -> i64 {
        self.ended.seconds_since(self.began).max(0)
    }
}

/// Keeps how a call ended. The permit is to hold calls of the desk.
///
/// # Errors
/// [`Error::Denied`] for any other permit, [`Error::Conflict`] when it is kept already.
pub async fn keep(tx: &mut Tx, permit: &Permit, call: &EndedCall) -> Result<(), Error> {
    permit.instance(Action::HoldDesk)?;
    sqlx::query(
        "INSERT INTO desk_calls (id, began, ended, way, outcome, category, held) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(call.id.to_string())
    .bind(call.began.0)
    .bind(call.ended.0)
    .bind(call.way.as_str())
    .bind(call.outcome.as_str())
    .bind(call.category.map(Category::as_str))
    .bind(i64::from(call.held))
    .execute(tx.db())
    .await?;
    Ok(())
}

/// The calls that ended last, at most `limit`. The permit is to see calls.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn list(store: &Store, permit: &Permit, limit: u32) -> Result<Vec<EndedCall>, Error> {
    permit.instance(Action::SeeCalls)?;
    let found = sqlx::query(
        "SELECT id, began, ended, way, outcome, category, held FROM desk_calls ORDER BY ended DESC, id DESC LIMIT $1",
    )
    .bind(i64::from(limit))
    .fetch_all(store.readers())
    .await?;
    found.iter().map(ended).collect()
}

/// Says what a call was about. The permit is to follow calls.
///
/// # Errors
/// [`Error::Denied`] for any other permit, [`Error::NotFound`] when no such call is kept.
pub async fn sort(tx: &mut Tx, permit: &Permit, id: CallId, category: Category) -> Result<(), Error> {
    permit.instance(Action::WatchCalls)?;
    let done = sqlx::query("UPDATE desk_calls SET category = $1 WHERE id = $2")
        .bind(category.as_str())
        .bind(id.to_string())
        .execute(tx.db())
        .await?;
    row::exactly_one(&done)
}

/// Removes what ended before `before`, and says how much. The permit is to change the instance.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn clear(tx: &mut Tx, permit: &Permit, before: Timestamp) -> Result<u64, Error> {
    permit.instance(Action::WriteInstance)?;
    let done = sqlx::query("DELETE FROM desk_calls WHERE ended < $1").bind(before.0).execute(tx.db()).await?;
    Ok(done.rows_affected())
}

/// What a look at the desk found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// Calls whose end is kept.
    pub kept: u64,
    /// Those kept beyond their time.
    pub overdue: u64,
    /// Entries about staff who began to follow a call.
    pub watched: u64,
}

/// Looks at what is kept: what ended before `before` is overdue, entries count from `since` on.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to read the instance.
pub async fn look(
    store: &Store,
    permit: &Permit,
    before: Timestamp,
    since: Timestamp,
) -> Result<Looked, Error> {
    permit.instance(Action::ReadInstance)?;
    let kept = sqlx::query("SELECT COUNT(*) FROM desk_calls").fetch_one(store.readers()).await?;
    let overdue = sqlx::query("SELECT COUNT(*) FROM desk_calls WHERE ended < $1")
        .bind(before.0)
        .fetch_one(store.readers())
        .await?;
    let watched = sqlx::query("SELECT COUNT(*) FROM audit WHERE act = $1 AND at >= $2")
        .bind(Act::CallWatched.name())
        .bind(since.0)
        .fetch_one(store.readers())
        .await?;
    let count = |found: &AnyRow| number(found).map(i64::unsigned_abs);
    Ok(Looked { kept: count(&kept)?, overdue: count(&overdue)?, watched: count(&watched)? })
}

fn ended(found: &AnyRow) -> Result<EndedCall, Error> {
    let strange = || Error::damaged("how a call ended is spelt in a way nobody knows");
    let way: String = found.try_get("way")?;
    let outcome: String = found.try_get("outcome")?;
    let category: Option<String> = found.try_get("category")?;
    Ok(EndedCall {
        id: row::id(found, "id")?,
        began: row::time(found, "began")?,
        ended: row::time(found, "ended")?,
        way: Way::named(&way).ok_or_else(strange)?,
        outcome: Outcome::named(&outcome).ok_or_else(strange)?,
        category: category.map(|word| Category::named(&word).ok_or_else(strange)).transpose()?,
        held: row::flag(found, "held")?,
    })
}
