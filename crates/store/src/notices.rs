//! What a person is told at their next visit, and from where they signed in before.
//!
//! `identity` calls this. A notice waits until its person has put it away, in a session that began later: whoever
//! a notice is about does not take it out of its person's sight.

use std::net::IpAddr;

use domain::{Action, Permit, Timestamp, id::UserId};
use serde::{Deserialize, Serialize};

use crate::{Error, Store, Tx, cell::Cell, row, store::number};

const NOTICE: Cell = Cell::new("notices", "notice");
/// Notices that wait at most; older ones make way.
const MOST: i64 = 20;

/// Something a person should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Notice {
    /// Somebody signed in with a browser, or from a network, that was not seen before.
    NewDevice {
        /// The browser in a few words.
        device: String,
        /// Where it was, when that is known.
        address: Option<IpAddr>,
    },
    /// A session was ended because its refresh token was shown a second time.
    TokenReused {
        /// The browser in a few words.
        device: String,
    },
    /// The password was changed.
    PasswordChanged,
    /// A factor was added, replaced or taken away.
    FactorsChanged,
    /// The e-mail address was changed, or taken away.
    AddressChanged,
    /// Somebody who knows the password asked for a way back without the factors.
    RecoveryAsked {
        /// Before then nothing happens, and it can be called off.
        not_before: Timestamp,
    },
    /// That way back was used.
    RecoveryUsed,
}

/// Leaves a notice for the permit's person.
///
/// # Errors
/// [`Error::NotFound`] when there is no such account.
pub async fn add(tx: &mut Tx, permit: &Permit, notice: &Notice, now: Timestamp) -> Result<(), Error> {
    let subject = permit.subject(Action::WriteAccount)?;
    let (dek, account) = (tx.dek(subject).await?, subject.to_string());
    let newest = sqlx::query("SELECT COALESCE(MAX(at), 0) FROM notices WHERE account = $1")
        .bind(account.as_str())
        .fetch_one(tx.db())
        .await?;
    // Two at one moment are two.
    let at = now.0.max(number(&newest)? + 1);
    let sealed = NOTICE.seal_json(&dek, &place(subject, at), notice, tx.entropy())?;
    sqlx::query("INSERT INTO notices (account, at, notice) VALUES ($1, $2, $3)")
        .bind(account.as_str())
        .bind(at)
        .bind(sealed)
        .execute(tx.db())
        .await?;
    sqlx::query(
        "DELETE FROM notices WHERE account = $1 AND at < \
         (SELECT MIN(n.at) FROM (SELECT at FROM notices WHERE account = $1 ORDER BY at DESC LIMIT $2) n)",
    )
    .bind(account)
    .bind(MOST)
    .execute(tx.db())
    .await?;
    Ok(())
}

/// What waits for the permit's person, newest first.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to read the account.
pub async fn list(store: &Store, permit: &Permit) -> Result<Vec<(Timestamp, Notice)>, Error> {
    let subject = permit.subject(Action::ReadAccount)?;
    let found = sqlx::query("SELECT at, notice FROM notices WHERE account = $1 ORDER BY at DESC")
        .bind(subject.to_string())
        .fetch_all(store.readers())
        .await?;
    let mut notices = Vec::with_capacity(found.len());
    for found in &found {
        let (dek, at) = (store.dek(subject).await?, row::time(found, "at")?);
        let sealed = row::bytes(found, "notice")?;
        notices.push((at, NOTICE.open_json(&dek, &place(subject, at.0), &sealed)?));
    }
    Ok(notices)
}

/// Puts away what the permit's person has read, up to `until`, in a session that began at `begun`: what was
/// told since then stays. Says how many.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change the account.
pub async fn put_away(
    tx: &mut Tx,
    permit: &Permit,
    until: Timestamp,
    begun: Timestamp,
) -> Result<u64, Error> {
    let account = permit.subject(Action::WriteAccount)?.to_string();
    tx.note_deletion();
    let done = sqlx::query("DELETE FROM notices WHERE account = $1 AND at <= $2 AND at < $3")
        .bind(account)
        .bind(until.0)
        .bind(begun.0)
        .execute(tx.db())
        .await?;
    Ok(done.rows_affected())
}

/// Notes that the permit's person signed in with a device, told by a keyed hash. Whether it is news: not
/// known before, to an account that knew others.
///
/// # Errors
/// [`Error::NotFound`] when there is no such account.
pub async fn note_device(
    tx: &mut Tx,
    permit: &Permit,
    device: [u8; 32],
    now: Timestamp,
) -> Result<bool, Error> {
    let account = permit.subject(Action::WriteAccount)?.to_string();
    let others = sqlx::query("SELECT COUNT(*) FROM known_devices WHERE account = $1")
        .bind(account.as_str())
        .fetch_one(tx.db())
        .await?;
    let before = sqlx::query("SELECT seen FROM known_devices WHERE account = $1 AND device = $2")
        .bind(account.as_str())
        .bind(device.to_vec())
        .fetch_optional(tx.db())
        .await?;
    sqlx::query(
        "INSERT INTO known_devices (account, device, seen) VALUES ($1, $2, $3) \
         ON CONFLICT (account, device) DO UPDATE SET seen = excluded.seen",
    )
    .bind(account)
    .bind(device.to_vec())
    .bind(now.0)
    .execute(tx.db())
    .await?;
    Ok(before.is_none() && number(&others)? > 0)
}

/// Forgets devices not seen since `moment`, but for the newest of each account: who signs in to an account
/// that nobody used for long is news all the same. Says how many.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change the instance.
pub async fn forget_devices(tx: &mut Tx, permit: &Permit, moment: Timestamp) -> Result<u64, Error> {
    permit.instance(Action::WriteInstance)?;
    let done = sqlx::query(
        "DELETE FROM known_devices WHERE seen < $1 AND EXISTS (SELECT 1 FROM known_devices n \
         WHERE n.account = known_devices.account AND n.seen > known_devices.seen)",
    )
    .bind(moment.0)
    .execute(tx.db())
    .await?;
    Ok(done.rows_affected())
}

/// A row of notices has two parts to its key; its sealed value is bound to both.
fn place(subject: UserId, at: i64) -> String {
    format!("{subject}/{at}")
}
