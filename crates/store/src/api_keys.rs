//! Personal API keys. The key itself is never kept, only a hash of it and its first characters.
//!
//! `identity` calls this. What opens an account is made with a permit to manage credentials, which takes a
//! fresh confirmation; to revoke it takes none.

use std::net::IpAddr;

use domain::{
    Action, Permit, Timestamp,
    access::{Rights, Roles},
    id::{ApiKeyId, UserId},
};
use keys::Dek;
use sqlx::{Row, any::AnyRow};

use crate::{Error, Store, Tx, accounts, cell::Cell, row, store::number};

const LABEL: Cell = Cell::new("api_keys", "label");
const USED_FROM: Cell = Cell::new("api_keys", "used_from");

/// A personal API key, as its person sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its identifier.
    pub id: ApiKeyId,
    /// What its person calls it.
    pub label: String,
    /// Its first characters, to recognise it by.
    pub prefix: String,
    /// What it may do.
    pub scopes: Rights,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// When it was last used.
    pub last_used: Option<Timestamp>,
    /// From where, when that is known.
    pub used_from: Option<IpAddr>,
    /// The key that takes its place.
    pub successor: Option<ApiKeyId>,
}

/// A key that is made.
#[derive(Clone, Copy, Debug)]
pub struct Making<'a> {
    /// Its identifier.
    pub id: ApiKeyId,
    /// What stands for it.
    pub hash: [u8; 32],
    /// Its first characters.
    pub prefix: &'a str,
    /// What its person calls it.
    pub label: &'a str,
    /// What it may do.
    pub scopes: Rights,
    /// When it is made.
    pub now: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
}

/// A key that was presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presented {
    /// The key.
    pub id: ApiKeyId,
    /// Whose it is.
    pub user: UserId,
    /// What it may do.
    pub scopes: Rights,
    /// What its person may do.
    pub roles: Roles,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
}

/// Keeps a new key of the permit's person.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to manage credentials; [`Error::NotFound`] when there is no such
/// account.
pub async fn create(tx: &mut Tx, permit: &Permit, making: Making<'_>) -> Result<(), Error> {
    let subject = permit.subject(Action::ManageCredentials)?;
    let (dek, key) = (tx.dek(subject).await?, making.id.to_string());
    let label = LABEL.seal(&dek, &key, making.label.as_bytes(), tx.entropy())?;
    sqlx::query(
        "INSERT INTO api_keys (id, account, hash, prefix, label, scopes, created, expires) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(key)
    .bind(subject.to_string())
    .bind(making.hash.to_vec())
    .bind(making.prefix)
    .bind(label)
    .bind(spell(making.scopes))
    .bind(making.now.0)
    .bind(making.expires.0)
    .execute(tx.db())
    .await?;
    Ok(())
}

/// Whose key has this hash, ended or not. `None` also for accounts that may not sign in. The permit is for
/// authentication.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn by_hash(store: &Store, permit: &Permit, hash: [u8; 32]) -> Result<Option<Presented>, Error> {
    permit.instance(Action::Authenticate)?;
    let found = sqlx::query(
        "SELECT k.id, k.account, k.scopes, k.created, k.expires, a.roles \
         FROM api_keys k JOIN accounts a ON a.id = k.account WHERE k.hash = $1 AND a.active = 1",
    )
    .bind(hash.to_vec())
    .fetch_optional(store.readers())
    .await?;
    found.as_ref().map(presented).transpose()
}

/// The key `id` as [`by_hash`] gives it, for whoever presented it before.
///
/// # Errors
/// [`Error::Denied`] unless the permit is for authentication.
pub async fn by_id(store: &Store, permit: &Permit, id: ApiKeyId) -> Result<Option<Presented>, Error> {
    permit.instance(Action::Authenticate)?;
    let found = sqlx::query(
        "SELECT k.id, k.account, k.scopes, k.created, k.expires, a.roles \
         FROM api_keys k JOIN accounts a ON a.id = k.account WHERE k.id = $1 AND a.active = 1",
    )
    .bind(id.to_string())
    .fetch_optional(store.readers())
    .await?;
    found.as_ref().map(presented).transpose()
}

/// How many keys the permit's person has, ended ones included, as they stand for the running transaction.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to manage credentials.
pub async fn count(tx: &mut Tx, permit: &Permit) -> Result<u64, Error> {
    let account = permit.subject(Action::ManageCredentials)?.to_string();
    let found = sqlx::query("SELECT COUNT(*) FROM api_keys WHERE account = $1")
        .bind(account)
        .fetch_one(tx.db())
        .await?;
    Ok(number(&found)?.unsigned_abs())
}

/// Removes the keys of the permit's person that have ended at `now`, or were made before `oldest`; says how
/// many.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to manage credentials.
pub async fn remove_ended(
    tx: &mut Tx,
    permit: &Permit,
    now: Timestamp,
    oldest: Timestamp,
) -> Result<u64, Error> {
    let account = permit.subject(Action::ManageCredentials)?.to_string();
    let done = sqlx::query("DELETE FROM api_keys WHERE account = $1 AND (expires <= $2 OR created <= $3)")
        .bind(account)
        .bind(now.0)
        .bind(oldest.0)
        .execute(tx.db())
        .await?;
    Ok(done.rows_affected())
}

/// Removes everybody's keys that have ended at `now`, or were made before `oldest`; says how many.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change the instance.
pub async fn sweep(tx: &mut Tx, permit: &Permit, now: Timestamp, oldest: Timestamp) -> Result<u64, Error> {
    permit.instance(Action::WriteInstance)?;
    let done = sqlx::query("DELETE FROM api_keys WHERE expires <= $1 OR created <= $2")
        .bind(now.0)
        .bind(oldest.0)
        .execute(tx.db())
        .await?;
    Ok(done.rows_affected())
}

/// The keys of the permit's person, newest first.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to read the account.
pub async fn list(store: &Store, permit: &Permit) -> Result<Vec<ApiKey>, Error> {
    let subject = permit.subject(Action::ReadAccount)?;
    let found = sqlx::query(
        "SELECT id, label, prefix, scopes, created, expires, last_used, used_from, successor \
         FROM api_keys WHERE account = $1 ORDER BY created DESC, id DESC",
    )
    .bind(subject.to_string())
    .fetch_all(store.readers())
    .await?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let dek = store.dek(subject).await?;
    found.iter().map(|found| read(&dek, found)).collect()
}

/// Gives a key of the permit's person a successor, and an end that is not later than it had; what an open
/// review is to decide about the key, it decides about its successor. `false`: there is no such key, or it has one.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to manage credentials.
pub async fn replace(
    tx: &mut Tx,
    permit: &Permit,
    id: ApiKeyId,
    successor: ApiKeyId,
    end: Timestamp,
) -> Result<bool, Error> {
    let account = permit.subject(Action::ManageCredentials)?.to_string();
    let done = sqlx::query(
        "UPDATE api_keys SET successor = $1, expires = CASE WHEN expires < $2 THEN expires ELSE $2 END \
         WHERE id = $3 AND account = $4 AND successor IS NULL",
    )
    .bind(successor.to_string())
    .bind(end.0)
    .bind(id.to_string())
    .bind(account.as_str())
    .execute(tx.db())
    .await?;
    if done.rows_affected() != 1 {
        return Ok(false);
    }
    sqlx::query(
        "UPDATE review_items SET what = $1 WHERE account = $2 AND kind = 'api_key' AND what = $3 \
         AND verdict IS NULL AND review IN (SELECT id FROM reviews WHERE closed IS NULL)",
    )
    .bind(successor.to_string())
    .bind(account)
    .bind(id.to_string())
    .execute(tx.db())
    .await?;
    Ok(true)
}

/// Revokes a key of the permit's person. `false`: there was none.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change the account.
pub async fn revoke(tx: &mut Tx, permit: &Permit, id: ApiKeyId) -> Result<bool, Error> {
    let account = permit.subject(Action::WriteAccount)?.to_string();
    let done = sqlx::query("DELETE FROM api_keys WHERE id = $1 AND account = $2")
        .bind(id.to_string())
        .bind(account)
        .execute(tx.db())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes that a key was used. Commit it unaudited: it is no act of its own.
///
/// # Errors
/// [`Error::NotFound`] when the key is revoked or another person's.
pub async fn touch(
    tx: &mut Tx,
    permit: &Permit,
    id: ApiKeyId,
    address: Option<IpAddr>,
    now: Timestamp,
) -> Result<(), Error> {
    let subject = permit.subject(Action::WriteAccount)?;
    let (dek, key) = (tx.dek(subject).await?, id.to_string());
    let used_from = USED_FROM.seal_json(&dek, &key, &address, tx.entropy())?;
    let done =
        sqlx::query("UPDATE api_keys SET last_used = $1, used_from = $2 WHERE id = $3 AND account = $4")
            .bind(now.0)
            .bind(used_from)
            .bind(key)
            .bind(subject.to_string())
            .execute(tx.db())
            .await?;
    row::exactly_one(&done)
}

fn presented(found: &AnyRow) -> Result<Presented, Error> {
    Ok(Presented {
        id: row::id(found, "id")?,
        user: row::id(found, "account")?,
        scopes: scopes(&found.try_get::<String, _>("scopes")?),
        roles: accounts::roles(&found.try_get::<String, _>("roles")?),
        created: row::time(found, "created")?,
        expires: row::time(found, "expires")?,
    })
}

fn read(dek: &Dek, found: &AnyRow) -> Result<ApiKey, Error> {
    let id: ApiKeyId = row::id(found, "id")?;
    let used_from = found.try_get::<Option<Vec<u8>>, _>("used_from")?;
    Ok(ApiKey {
        id,
        label: LABEL.open_text(dek, &id.to_string(), &row::bytes(found, "label")?)?,
        prefix: found.try_get("prefix")?,
        scopes: scopes(&found.try_get::<String, _>("scopes")?),
        created: row::time(found, "created")?,
        expires: row::time(found, "expires")?,
        last_used: found.try_get::<Option<i64>, _>("last_used")?.map(Timestamp),
        used_from: match used_from {
            Some(sealed) => USED_FROM.open_json(dek, &id.to_string(), &sealed)?,
            None => None,
        },
        successor: row::maybe_id(found, "successor")?,
    })
}

/// Scopes as the table spells them: names with commas between.
fn spell(scopes: Rights) -> String {
    scopes.iter().map(Action::as_str).collect::<Vec<_>>().join(",")
}

/// Scopes from their spelling. One this version does not know allows nothing.
fn scopes(spelt: &str) -> Rights {
    spelt.split(',').filter_map(Action::named).collect()
}
