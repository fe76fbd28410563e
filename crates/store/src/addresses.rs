//! Networks that are kept out or let in, sealed under the system's key.
//!
//! `identity` calls this and knows what the words mean. A row is made and removed, never changed.

use domain::{Action, Permit, Timestamp, id::AddressRuleId};
use sqlx::{Row, any::AnyRow};

use crate::{Error, Store, Tx, cell::Cell, row};

const NETWORK: Cell = Cell::new("addresses", "network");
const NOTE: Cell = Cell::new("addresses", "note");

/// What is said about one network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressRow {
    /// Its identifier.
    pub id: AddressRuleId,
    /// What happens to its requests.
    pub verdict: String,
    /// The network, as it was written.
    pub network: String,
    /// Why.
    pub note: String,
    /// Since when.
    pub created: Timestamp,
    /// Until when; `None` until somebody removes it.
    pub ends: Option<Timestamp>,
}

/// How many rows there are, and the newest: two that are equal mean that nothing changed.
pub type Stamp = (i64, String);

/// The stamp of all rows.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to manage the edge.
pub async fn stamp(store: &Store, permit: &Permit) -> Result<Stamp, Error> {
    permit.instance(Action::ManageEdge)?;
    let found = sqlx::query("SELECT COUNT(*) AS number, COALESCE(MAX(id), '') AS newest FROM addresses")
        .fetch_one(store.readers())
        .await?;
    Ok((found.try_get("number")?, found.try_get("newest")?))
}

/// All rows, oldest first.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to manage the edge.
pub async fn list(store: &Store, permit: &Permit) -> Result<Vec<AddressRow>, Error> {
    permit.instance(Action::ManageEdge)?;
    let found =
        sqlx::query("SELECT id, verdict, network, note, created, ends FROM addresses ORDER BY created, id")
            .fetch_all(store.readers())
            .await?;
    found.iter().map(|found| read(store, found)).collect()
}

/// Keeps a new row.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to manage the edge.
pub async fn add(tx: &mut Tx, permit: &Permit, new: &AddressRow) -> Result<(), Error> {
    permit.instance(Action::ManageEdge)?;
    let key = new.id.to_string();
    let network = NETWORK.seal(tx.store().system_dek(), &key, new.network.as_bytes(), tx.entropy())?;
    let note = NOTE.seal(tx.store().system_dek(), &key, new.note.as_bytes(), tx.entropy())?;
    sqlx::query(
        "INSERT INTO addresses (id, verdict, network, note, created, ends) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(key)
    .bind(&new.verdict)
    .bind(network)
    .bind(note)
    .bind(new.created.0)
    .bind(new.ends.map(|ends| ends.0))
    .execute(tx.db())
    .await?;
    Ok(())
}

/// Removes a row. `false`: there was none.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to manage the edge.
pub async fn remove(tx: &mut Tx, permit: &Permit, id: AddressRuleId) -> Result<bool, Error> {
    permit.instance(Action::ManageEdge)?;
    tx.note_deletion();
    let done =
        sqlx::query("DELETE FROM addresses WHERE id = $1").bind(id.to_string()).execute(tx.db()).await?;
    Ok(done.rows_affected() == 1)
}

/// Removes what has ended by `now`; says how many.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to manage the edge.
pub async fn remove_ended(tx: &mut Tx, permit: &Permit, now: Timestamp) -> Result<u64, Error> {
    permit.instance(Action::ManageEdge)?;
    let done = sqlx::query("DELETE FROM addresses WHERE ends <= $1").bind(now.0).execute(tx.db()).await?;
    if done.rows_affected() > 0 {
        tx.note_deletion();
    }
    Ok(done.rows_affected())
}

fn read(store: &Store, found: &AnyRow) -> Result<AddressRow, Error> {
    let id: AddressRuleId = row::id(found, "id")?;
    let open = |cell: Cell, column: &str| {
        cell.open_text(store.system_dek(), &id.to_string(), &row::bytes(found, column)?)
    };
    Ok(AddressRow {
        id,
        verdict: found.try_get("verdict")?,
        network: open(NETWORK, "network")?,
        note: open(NOTE, "note")?,
        created: row::time(found, "created")?,
        ends: found.try_get::<Option<i64>, _>("ends")?.map(Timestamp),
    })
}
