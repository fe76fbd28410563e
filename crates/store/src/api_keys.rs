//! Personal API keys. The key itself is never kept, only a hash of it and its first characters.
//!
//! `identity` calls this.

use domain::{
    Action, Permit, Timestamp,
    id::{ApiKeyId, UserId},
};
use keys::Dek;
use sqlx::{Row, any::AnyRow};

use crate::{Error, Store, Tx, cell::Cell, row};

const LABEL: Cell = Cell::new("api_keys", "label");

/// A personal API key, as its person sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its identifier.
    pub id: ApiKeyId,
    /// What its person calls it.
    pub label: String,
    /// Its first characters, to recognise it by.
    pub prefix: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last used.
    pub last_used: Option<Timestamp>,
}

/// Keeps a new key of the permit's person.
///
/// # Errors
/// [`Error::NotFound`] when there is no such account.
pub async fn create(
    tx: &mut Tx,
    permit: &Permit,
    id: ApiKeyId,
    hash: [u8; 32],
    prefix: &str,
    label: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let subject = permit.subject(Action::WriteAccount)?;
    let (dek, key) = (tx.dek(subject).await?, id.to_string());
    let label = LABEL.seal(&dek, &key, label.as_bytes(), tx.entropy())?;
    sqlx::query(
        "INSERT INTO api_keys (id, account, hash, prefix, label, created) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(key)
    .bind(subject.to_string())
    .bind(hash.to_vec())
    .bind(prefix)
    .bind(label)
    .bind(now.0)
    .execute(tx.db())
    .await?;
    Ok(())
}

/// Whose key has this hash. `None` also for accounts that may not sign in. The permit is for authentication.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn by_hash(
    store: &Store,
    permit: &Permit,
    hash: [u8; 32],
) -> Result<Option<(ApiKeyId, UserId)>, Error> {
    permit.instance(Action::Authenticate)?;
    let found = sqlx::query(
        "SELECT k.id, k.account FROM api_keys k JOIN accounts a ON a.id = k.account \
         WHERE k.hash = $1 AND a.active = 1",
    )
    .bind(hash.to_vec())
    .fetch_optional(store.readers())
    .await?;
    found.map(|found| Ok((row::id(&found, "id")?, row::id(&found, "account")?))).transpose()
}

/// The keys of the permit's person, newest first.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to read the account.
pub async fn list(store: &Store, permit: &Permit) -> Result<Vec<ApiKey>, Error> {
    let subject = permit.subject(Action::ReadAccount)?;
    let found = sqlx::query(
        "SELECT id, label, prefix, created, last_used FROM api_keys WHERE account = $1 \
         ORDER BY created DESC, id DESC",
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
pub async fn touch(tx: &mut Tx, permit: &Permit, id: ApiKeyId, now: Timestamp) -> Result<(), Error> {
    let account = permit.subject(Action::WriteAccount)?.to_string();
    let done = sqlx::query("UPDATE api_keys SET last_used = $1 WHERE id = $2 AND account = $3")
        .bind(now.0)
        .bind(id.to_string())
        .bind(account)
        .execute(tx.db())
        .await?;
    row::exactly_one(&done)
}

fn read(dek: &Dek, found: &AnyRow) -> Result<ApiKey, Error> {
    let id: ApiKeyId = row::id(found, "id")?;
    Ok(ApiKey {
        id,
        label: LABEL.open_text(dek, &id.to_string(), &row::bytes(found, "label")?)?,
        prefix: found.try_get("prefix")?,
        created: row::time(found, "created")?,
        last_used: found.try_get::<Option<i64>, _>("last_used")?.map(Timestamp),
    })
}
