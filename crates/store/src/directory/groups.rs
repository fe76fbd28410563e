//! Groups that provisioning made: which they are, and what the directory calls them.
//!
//! The group itself, its people and what holds for them stand in [`crate::groups`]; here is only that it is the
//! directory's. Only these are seen and changed by provisioning.

use domain::{Action, Permit, Timestamp, id::GroupId};
use sqlx::Row;

use crate::{
    Error, Store, Tx,
    cell::Cell,
    groups::{self, Group},
    row,
    store::number,
};

const RECORD: Cell = Cell::new("directory_groups", "record");
const LOOKUP: &str = "directory-group";

/// A provisioned group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvisionedGroup {
    /// The group.
    pub group: Group,
    /// The directory's own identifier.
    pub external: Option<String>,
    /// Counts changes.
    pub version: i64,
    /// When it was last changed.
    pub changed: Timestamp,
}

/// How many there are.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to manage groups, here and below.
pub async fn count(store: &Store, permit: &Permit) -> Result<u64, Error> {
    permit.instance(Action::ManageGroups)?;
    let found = sqlx::query("SELECT COUNT(*) FROM directory_groups").fetch_one(store.readers()).await?;
    Ok(number(&found)?.unsigned_abs())
}

/// The groups from the `skip`th on, oldest first.
///
/// # Errors
/// As [`count`].
pub async fn list(store: &Store, permit: &Permit, skip: u64, limit: u32) -> Result<Vec<GroupId>, Error> {
    permit.instance(Action::ManageGroups)?;
    let found = sqlx::query("SELECT id FROM directory_groups ORDER BY created, id LIMIT $1 OFFSET $2")
        .bind(i64::from(limit))
        .bind(i64::try_from(skip).unwrap_or(i64::MAX))
        .fetch_all(store.readers())
        .await?;
    found.iter().map(|found| row::id(found, "id")).collect()
}

/// One of them.
///
/// # Errors
/// [`Error::NotFound`] when provisioning did not make it.
pub async fn get(store: &Store, permit: &Permit, id: GroupId) -> Result<ProvisionedGroup, Error> {
    permit.instance(Action::ManageGroups)?;
    let key = id.to_string();
    let found = sqlx::query("SELECT record, version, changed FROM directory_groups WHERE id = $1")
        .bind(key.as_str())
        .fetch_optional(store.readers())
        .await?
        .ok_or(Error::NotFound)?;
    Ok(ProvisionedGroup {
        group: groups::get(store, permit, id).await?,
        external: RECORD.open_json(store.system_dek(), &key, &row::bytes(&found, "record")?)?,
        version: found.try_get("version")?,
        changed: row::time(&found, "changed")?,
    })
}

/// The group the directory calls `external`.
///
/// # Errors
/// As [`count`].
pub async fn external(store: &Store, permit: &Permit, external: &str) -> Result<Option<GroupId>, Error> {
    permit.instance(Action::ManageGroups)?;
    let found = sqlx::query("SELECT id FROM directory_groups WHERE external = $1")
        .bind(lookup(store, external))
        .fetch_optional(store.readers())
        .await?;
    found.map(|found| row::id(&found, "id")).transpose()
}

/// Notes that a group is the directory's, what it calls it, and that it changed.
///
/// # Errors
/// [`Error::Conflict`] when another group has this external identifier.
pub async fn put(tx: &mut Tx, permit: &Permit, id: GroupId, external: Option<&str>) -> Result<(), Error> {
    permit.instance(Action::ManageGroups)?;
    let (key, now) = (id.to_string(), tx.now());
    let sealed = RECORD.seal_json(tx.store().system_dek(), &key, &external, tx.entropy())?;
    let external = external.map(|external| lookup(tx.store(), external));
    sqlx::query(
        "INSERT INTO directory_groups (id, external, record, version, created, changed) \
         VALUES ($1, $2, $3, 1, $4, $4) ON CONFLICT (id) DO UPDATE SET external = excluded.external, \
         record = excluded.record, version = directory_groups.version + 1, changed = excluded.changed",
    )
    .bind(key)
    .bind(external)
    .bind(sealed)
    .bind(now.0)
    .execute(tx.db())
    .await?;
    Ok(())
}

fn lookup(store: &Store, external: &str) -> Vec<u8> {
    store.mac(LOOKUP, external.as_bytes()).to_vec()
}
