//! Accounts that provisioning made, and what the directory tells about them, sealed.
//!
//! Only these are seen and changed by provisioning; an account somebody made here is none of its business.

use domain::{
    Action, Permit, Timestamp,
    access::{Role, Roles},
    id::UserId,
};
use serde::{Deserialize, Serialize};
use sqlx::{Row, any::AnyRow};

use super::provisioned;
use crate::{
    Error, Store, Tx,
    accounts::{self, Account},
    cell::Cell,
    row,
    store::number,
};

const RECORD: Cell = Cell::new("directory_people", "record");
const NAME: Cell = Cell::new("accounts", "name");
const LOOKUP: &str = "directory-external";

/// What a directory tells about a person, beside the name they sign in with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// The directory's own identifier.
    pub external: Option<String>,
    /// The name in full.
    pub formatted: Option<String>,
    /// The family name.
    pub family: Option<String>,
    /// The given name.
    pub given: Option<String>,
    /// What they like to be called.
    pub display: Option<String>,
    /// What they do.
    pub title: Option<String>,
    /// Where they are written to.
    pub emails: Vec<Email>,
}

/// One address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Email {
    /// The address.
    pub value: String,
    /// `work`, `home`, `other` or a word of the directory's own.
    pub kind: Option<String>,
    /// Whether it is the one to use, if the directory said.
    pub primary: Option<bool>,
}

/// A provisioned account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provisioned {
    /// The account.
    pub account: Account,
    /// What the directory told.
    pub record: Record,
    /// Counts changes.
    pub version: i64,
    /// When provisioning made it.
    pub created: Timestamp,
    /// When it was last changed.
    pub changed: Timestamp,
    /// Whether the directory has deleted it since.
    pub gone: bool,
}

/// How many there are.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to see people.
pub async fn count(store: &Store, permit: &Permit) -> Result<u64, Error> {
    permit.instance(Action::ReadPeople)?;
    let found = sqlx::query("SELECT COUNT(*) FROM directory_people WHERE gone = 0")
        .fetch_one(store.readers())
        .await?;
    Ok(number(&found)?.unsigned_abs())
}

/// The accounts from the `skip`th on, oldest first.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to see people.
pub async fn list(store: &Store, permit: &Permit, skip: u64, limit: u32) -> Result<Vec<UserId>, Error> {
    permit.instance(Action::ReadPeople)?;
    let found = sqlx::query(
        "SELECT account FROM directory_people WHERE gone = 0 ORDER BY created, account LIMIT $1 OFFSET $2",
    )
    .bind(i64::from(limit))
    .bind(i64::try_from(skip).unwrap_or(i64::MAX))
    .fetch_all(store.readers())
    .await?;
    found.iter().map(|found| row::id(found, "account")).collect()
}

/// The account called `name`, provisioned or not, and whether provisioning made it.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to see people.
pub async fn named(
    store: &Store,
    permit: &Permit,
    account_name: &str,
) -> Result<Option<(UserId, bool)>, Error> {
    permit.instance(Action::ReadPeople)?;
    let lookup = accounts::lookup(store, account_name);
    let found = sqlx::query(
        "SELECT a.id, p.version FROM accounts a LEFT JOIN directory_people p ON p.account = a.id \
         WHERE a.lookup = $1",
    )
    .bind(lookup)
    .fetch_optional(store.readers())
    .await?;
    let Some(found) = found else { return Ok(None) };
    Ok(Some((row::id(&found, "id")?, found.try_get::<Option<i64>, _>("version")?.is_some())))
}

/// The account the directory calls `external`, or called so when it deleted it, and whether it did.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to see people.
pub async fn external(
    store: &Store,
    permit: &Permit,
    external: &str,
) -> Result<Option<(UserId, bool)>, Error> {
    permit.instance(Action::ReadPeople)?;
    let found = sqlx::query("SELECT account, gone FROM directory_people WHERE external = $1")
        .bind(external_lookup(store, external))
        .fetch_optional(store.readers())
        .await?;
    found.map(|found| Ok((row::id(&found, "account")?, row::flag(&found, "gone")?))).transpose()
}

/// The permit's account, when provisioning made it.
///
/// # Errors
/// [`Error::NotFound`] when it did not.
pub async fn get(store: &Store, permit: &Permit) -> Result<Provisioned, Error> {
    let subject = permit.subject(Action::ReadAccount)?;
    let found = sqlx::query(
        "SELECT record, version, created, changed, gone FROM directory_people WHERE account = $1",
    )
    .bind(subject.to_string())
    .fetch_optional(store.readers())
    .await?
    .ok_or(Error::NotFound)?;
    read(store, permit, &found).await
}

/// Keeps what the directory tells about the permit's account, and that it is there.
///
/// # Errors
/// [`Error::Conflict`] when another account has this external identifier.
pub async fn put(tx: &mut Tx, permit: &Permit, record: &Record) -> Result<(), Error> {
    let subject = provisioned(permit)?;
    let (dek, key, now) = (tx.dek(subject).await?, subject.to_string(), tx.now());
    let sealed = RECORD.seal_json(&dek, &key, record, tx.entropy())?;
    let external = record.external.as_deref().map(|external| external_lookup(tx.store(), external));
    if let Some(external) = &external {
        // Somebody who is gone gives way to whoever the directory calls so now.
        sqlx::query(
            "UPDATE directory_people SET external = NULL WHERE external = $1 AND gone = 1 AND account <> $2",
        )
        .bind(external.clone())
        .bind(key.as_str())
        .execute(tx.db())
        .await?;
    }
    sqlx::query(
        "INSERT INTO directory_people (account, external, record, gone, version, created, changed) \
         VALUES ($1, $2, $3, 0, 1, $4, $4) ON CONFLICT (account) DO UPDATE SET external = excluded.external, \
         record = excluded.record, gone = 0, version = directory_people.version + 1, changed = excluded.changed",
    )
    .bind(key)
    .bind(external)
    .bind(sealed)
    .bind(now.0)
    .execute(tx.db())
    .await?;
    Ok(())
}

/// Notes that the directory has deleted the permit's account. Its external identifier stays with it until the
/// directory calls somebody else so: it alone tells that somebody made later is the same person.
///
/// # Errors
/// [`Error::NotFound`] when it had not been there.
pub async fn put_gone(tx: &mut Tx, permit: &Permit) -> Result<(), Error> {
    let subject = provisioned(permit)?;
    let done = sqlx::query(
        "UPDATE directory_people SET gone = 1, version = version + 1, changed = $1 \
         WHERE account = $2 AND gone = 0",
    )
    .bind(tx.now().0)
    .bind(subject.to_string())
    .execute(tx.db())
    .await?;
    row::exactly_one(&done)
}

/// Gives the permit's account another name.
///
/// # Errors
/// [`Error::Conflict`] when the name is taken.
pub async fn rename(tx: &mut Tx, permit: &Permit, to: &str) -> Result<(), Error> {
    let subject = provisioned(permit)?;
    let (dek, key, lookup) = (tx.dek(subject).await?, subject.to_string(), accounts::lookup(tx.store(), to));
    let sealed = NAME.seal(&dek, &key, to.as_bytes(), tx.entropy())?;
    let done = sqlx::query("UPDATE accounts SET name = $1, lookup = $2 WHERE id = $3")
        .bind(sealed)
        .bind(lookup)
        .bind(key)
        .execute(tx.db())
        .await?;
    row::exactly_one(&done)
}

/// Takes from the permit's account what its person held here beside what the directory says: passwords, factors,
/// a confirmed address, roles but that of a user. What they wrote stays, and so does who they are at a service.
///
/// # Errors
/// [`Error::NotFound`] when there is no such account.
pub async fn strip(tx: &mut Tx, permit: &Permit) -> Result<(), Error> {
    let subject = provisioned(permit)?;
    tx.note_deletion();
    for statement in [
        "DELETE FROM passwords WHERE account = $1",
        "DELETE FROM totp WHERE account = $1",
        "DELETE FROM recovery_codes WHERE account = $1",
        "DELETE FROM passkeys WHERE account = $1",
        "DELETE FROM recoveries WHERE account = $1",
        "DELETE FROM emails WHERE account = $1",
        "DELETE FROM role_grants WHERE account = $1 AND role <> 'user'",
    ] {
        sqlx::query(statement).bind(subject.to_string()).execute(tx.db()).await?;
    }
    super::set_roles(tx, permit, Roles::NONE.with(Role::User)).await
}

async fn read(store: &Store, permit: &Permit, found: &AnyRow) -> Result<Provisioned, Error> {
    let account = accounts::get(store, permit).await?;
    let (dek, key) = (store.dek(account.id).await?, account.id.to_string());
    Ok(Provisioned {
        account,
        record: RECORD.open_json(&dek, &key, &row::bytes(found, "record")?)?,
        version: found.try_get("version")?,
        created: row::time(found, "created")?,
        changed: row::time(found, "changed")?,
        gone: row::flag(found, "gone")?,
    })
}

fn external_lookup(store: &Store, external: &str) -> Vec<u8> {
    store.mac(LOOKUP, external.as_bytes()).to_vec()
}
