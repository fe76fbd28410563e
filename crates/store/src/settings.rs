//! Settings of the instance, secrets of providers among them; sealed under the system's key.
//!
//! `server` and `identity` call this.

use domain::{Action, Permit};

use crate::{Error, Store, Tx, cell::Cell, row};

const VALUE: Cell = Cell::new("settings", "value");

/// The setting `key`, if it is set.
///
/// # Errors
/// When it cannot be read or opened.
pub async fn get(store: &Store, key: &str) -> Result<Option<String>, Error> {
    let found = sqlx::query("SELECT value FROM settings WHERE name = $1")
        .bind(key)
        .fetch_optional(store.readers())
        .await?;
    found.map(|found| VALUE.open_text(store.system_dek(), key, &row::bytes(&found, "value")?)).transpose()
}

/// Sets `key` to `value`.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change the instance.
pub async fn set(tx: &mut Tx, permit: &Permit, key: &str, value: &str) -> Result<(), Error> {
    permit.instance(Action::WriteInstance)?;
    let sealed = VALUE.seal(tx.store().system_dek(), key, value.as_bytes(), tx.entropy())?;
    sqlx::query(
        "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(key)
    .bind(sealed)
    .execute(tx.db())
    .await?;
    Ok(())
}

/// Removes `key`. `false`: it was not set.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change the instance.
pub async fn remove(tx: &mut Tx, permit: &Permit, key: &str) -> Result<bool, Error> {
    permit.instance(Action::WriteInstance)?;
    tx.note_deletion();
    let done = sqlx::query("DELETE FROM settings WHERE name = $1").bind(key).execute(tx.db()).await?;
    Ok(done.rows_affected() == 1)
}
