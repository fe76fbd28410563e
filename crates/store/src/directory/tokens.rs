//! The bearer tokens of provisioning: hashes, first characters, ends. Never the tokens.

use domain::{Action, Permit, Timestamp};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::maybe_time;
use crate::{Error, Store, Tx, row};

/// A token of provisioning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its identifier.
    pub id: String,
    /// Its first characters, to tell tokens apart.
    pub prefix: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// When it was last used, to the minute.
    pub last_used: Option<Timestamp>,
}

/// Keeps a new token.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to manage the directory.
pub async fn create(tx: &mut Tx, permit: &Permit, token: &Token, hash: [u8; 32]) -> Result<(), Error> {
    permit.instance(Action::ManageDirectory)?;
    sqlx::query(
        "INSERT INTO directory_tokens (id, hash, prefix, created, expires) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(token.id.as_str())
    .bind(hash.to_vec())
    .bind(token.prefix.as_str())
    .bind(token.created.0)
    .bind(token.expires.0)
    .execute(tx.db())
    .await?;
    Ok(())
}

/// The token with this hash, ended or not. The permit is for authentication.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn by_hash(store: &Store, permit: &Permit, hash: [u8; 32]) -> Result<Option<Token>, Error> {
    permit.instance(Action::Authenticate)?;
    let found =
        sqlx::query("SELECT id, prefix, created, expires, last_used FROM directory_tokens WHERE hash = $1")
            .bind(hash.to_vec())
            .fetch_optional(store.readers())
            .await?;
    found.as_ref().map(read).transpose()
}

/// All tokens, newest first.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change the instance.
pub async fn list(store: &Store, permit: &Permit) -> Result<Vec<Token>, Error> {
    permit.instance(Action::WriteInstance)?;
    let found = sqlx::query(
        "SELECT id, prefix, created, expires, last_used FROM directory_tokens ORDER BY created DESC, id DESC",
    )
    .fetch_all(store.readers())
    .await?;
    found.iter().map(read).collect()
}

/// Gives every other token an end at `at` at the latest, as when it got a successor.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to manage the directory.
pub async fn shorten_others(tx: &mut Tx, permit: &Permit, except: &str, at: Timestamp) -> Result<(), Error> {
    permit.instance(Action::ManageDirectory)?;
    sqlx::query("UPDATE directory_tokens SET expires = $1 WHERE id <> $2 AND expires > $1")
        .bind(at.0)
        .bind(except)
        .execute(tx.db())
        .await?;
    Ok(())
}

/// Ends a token. `false`: there was none.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to manage the directory.
pub async fn revoke(tx: &mut Tx, permit: &Permit, id: &str) -> Result<bool, Error> {
    permit.instance(Action::ManageDirectory)?;
    let done = sqlx::query("DELETE FROM directory_tokens WHERE id = $1").bind(id).execute(tx.db()).await?;
    Ok(done.rows_affected() == 1)
}

/// Notes that a token was used. Commit it unaudited: it is no act of its own.
///
/// # Errors
/// [`Error::NotFound`] when it was revoked meanwhile.
pub async fn touch(tx: &mut Tx, permit: &Permit, id: &str, now: Timestamp) -> Result<(), Error> {
    permit.instance(Action::Authenticate)?;
    let done = sqlx::query("UPDATE directory_tokens SET last_used = $1 WHERE id = $2")
        .bind(now.0)
        .bind(id)
        .execute(tx.db())
        .await?;
    row::exactly_one(&done)
}

fn read(found: &AnyRow) -> Result<Token, Error> {
    Ok(Token {
        id: found.try_get("id")?,
        prefix: found.try_get("prefix")?,
        created: row::time(found, "created")?,
        expires: row::time(found, "expires")?,
        last_used: maybe_time(found, "last_used")?,
    })
}
