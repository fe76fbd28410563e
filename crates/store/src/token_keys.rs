//! The keys that sign access tokens: their seeds, sealed under the system's key.
//!
//! `identity` calls this, makes the keys and decides when they are replaced.

use domain::{Action, Permit, Timestamp};
use sqlx::Row;
use zeroize::Zeroizing;

use crate::{Error, Store, Tx, cell::Cell, row};

const SEED: Cell = Cell::new("token_keys", "seed");

/// A key that signs, or signed before.
pub struct TokenKey {
    /// What tokens call it.
    pub id: String,
    /// What it is made of.
    pub seed: Zeroizing<Vec<u8>>,
    /// When it was made.
    pub created: Timestamp,
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Every key, newest first. The permit is for authentication.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn list(store: &Store, permit: &Permit) -> Result<Vec<TokenKey>, Error> {
    permit.instance(Action::Authenticate)?;
    let found = sqlx::query("SELECT id, seed, created FROM token_keys ORDER BY created DESC, id DESC")
        .fetch_all(store.readers())
        .await?;
    let read = |found: &sqlx::any::AnyRow| {
        let id: String = found.try_get("id")?;
        let seed = SEED.open(store.system_dek(), &id, &row::bytes(found, "seed")?)?;
        Ok(TokenKey { seed, created: row::time(found, "created")?, id })
    };
    found.iter().map(read).collect()
}

/// Keeps a new key. The permit is for authentication.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn add(tx: &mut Tx, permit: &Permit, id: &str, seed: &[u8], now: Timestamp) -> Result<(), Error> {
    permit.instance(Action::Authenticate)?;
    let sealed = SEED.seal(tx.store().system_dek(), id, seed, tx.entropy())?;
    sqlx::query("INSERT INTO token_keys (id, seed, created) VALUES ($1, $2, $3)")
        .bind(id)
        .bind(sealed)
        .bind(now.0)
        .execute(tx.db())
        .await?;
    Ok(())
}

/// Removes the keys made before `moment`; says how many. The permit is for authentication.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn remove_before(tx: &mut Tx, permit: &Permit, moment: Timestamp) -> Result<u64, Error> {
    permit.instance(Action::Authenticate)?;
    tx.note_deletion();
    let done =
        sqlx::query("DELETE FROM token_keys WHERE created < $1").bind(moment.0).execute(tx.db()).await?;
    Ok(done.rows_affected())
}
