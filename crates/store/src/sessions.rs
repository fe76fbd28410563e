//! Signed-in browsers. The token itself is never kept, only its SHA-256.
//!
//! `identity` calls this and decides when a session has expired; here it is only read and ended.

use domain::{
    Action, Permit, Timestamp,
    access::Roles,
    id::{SessionId, UserId},
};
use keys::Dek;
use sqlx::{Row, any::AnyRow};

use crate::{Error, Store, Tx, accounts, cell::Cell, row};

const DEVICE: Cell = Cell::new("sessions", "device");

/// A signed-in browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its identifier.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// When it began.
    pub created: Timestamp,
    /// When it was last used.
    pub last_seen: Timestamp,
    /// When it ends at the latest.
    pub expires: Timestamp,
    /// What it is, in words its person understands.
    pub device: String,
    /// Whether a second factor was shown in it.
    pub second_factor: bool,
    /// When its person last confirmed who they are.
    pub confirmed: Timestamp,
}

/// A session that begins.
#[derive(Clone, Copy, Debug)]
pub struct Beginning<'a> {
    /// Its identifier.
    pub id: SessionId,
    /// What stands for its token.
    pub token_hash: [u8; 32],
    /// What it is, in words its person understands.
    pub device: &'a str,
    /// Whether a second factor was shown on the way in.
    pub second_factor: bool,
    /// When it begins; its person was confirmed then.
    pub now: Timestamp,
    /// When it ends at the latest.
    pub expires: Timestamp,
}

/// Begins a session of the permit's person.
///
/// # Errors
/// [`Error::NotFound`] when there is no such account.
pub async fn create(tx: &mut Tx, permit: &Permit, begins: Beginning<'_>) -> Result<(), Error> {
    let subject = permit.subject(Action::WriteAccount)?;
    let (dek, key) = (tx.dek(subject).await?, begins.id.to_string());
    let device = DEVICE.seal(&dek, &key, begins.device.as_bytes(), tx.entropy())?;
    sqlx::query(
        "INSERT INTO sessions (id, account, token, device, created, last_seen, expires, second_factor, confirmed) \
         VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $5)",
    )
    .bind(key)
    .bind(subject.to_string())
    .bind(begins.token_hash.to_vec())
    .bind(device)
    .bind(begins.now.0)
    .bind(begins.expires.0)
    .bind(i64::from(begins.second_factor))
    .execute(tx.db())
    .await?;
    Ok(())
}

/// Notes that the permit's person confirmed who they are in a session, and whether with a second factor;
/// one that was shown before stays shown.
///
/// # Errors
/// [`Error::NotFound`] when the session has ended or is another person's.
pub async fn confirm(
    tx: &mut Tx,
    permit: &Permit,
    id: SessionId,
    second_factor: bool,
    now: Timestamp,
) -> Result<(), Error> {
    let account = permit.subject(Action::WriteAccount)?.to_string();
    let done = sqlx::query(
        "UPDATE sessions SET confirmed = $1, second_factor = CASE WHEN $2 = 1 THEN 1 ELSE second_factor END \
         WHERE id = $3 AND account = $4",
    )
    .bind(now.0)
    .bind(i64::from(second_factor))
    .bind(id.to_string())
    .bind(account)
    .execute(tx.db())
    .await?;
    row::exactly_one(&done)
}

/// The session with this token hash, and what its account may do now. `None` also for accounts that may
/// not sign in. The permit is for authentication.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn by_token(
    store: &Store,
    permit: &Permit,
    token_hash: [u8; 32],
) -> Result<Option<(Session, Roles)>, Error> {
    permit.instance(Action::Authenticate)?;
    let found = sqlx::query(
        "SELECT s.id, s.account, s.device, s.created, s.last_seen, s.expires, s.second_factor, s.confirmed, a.roles \
         FROM sessions s JOIN accounts a ON a.id = s.account WHERE s.token = $1 AND a.active = 1",
    )
    .bind(token_hash.to_vec())
    .fetch_optional(store.readers())
    .await?;
    let Some(found) = found else { return Ok(None) };
    let dek = store.dek(row::id(&found, "account")?).await?;
    Ok(Some((read(&dek, &found)?, accounts::roles(&found.try_get::<String, _>("roles")?))))
}

/// Notes that a session was used. Commit it unaudited: it is no act of its own.
///
/// # Errors
/// [`Error::NotFound`] when the session has ended or is another person's.
pub async fn touch(tx: &mut Tx, permit: &Permit, id: SessionId, now: Timestamp) -> Result<(), Error> {
    let account = permit.subject(Action::WriteAccount)?.to_string();
    let done = sqlx::query("UPDATE sessions SET last_seen = $1 WHERE id = $2 AND account = $3")
        .bind(now.0)
        .bind(id.to_string())
        .bind(account)
        .execute(tx.db())
        .await?;
    row::exactly_one(&done)
}

/// The sessions of the permit's person, the one used last first.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to read the account.
pub async fn list(store: &Store, permit: &Permit) -> Result<Vec<Session>, Error> {
    let subject = permit.subject(Action::ReadAccount)?;
    let found = sqlx::query(
        "SELECT id, account, device, created, last_seen, expires, second_factor, confirmed FROM sessions \
         WHERE account = $1 ORDER BY last_seen DESC, id DESC",
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

/// Ends one session of the permit's person. `false`: there was none.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change the account.
pub async fn end(tx: &mut Tx, permit: &Permit, id: SessionId) -> Result<bool, Error> {
    let account = permit.subject(Action::WriteAccount)?.to_string();
    let done = sqlx::query("DELETE FROM sessions WHERE id = $1 AND account = $2")
        .bind(id.to_string())
        .bind(account)
        .execute(tx.db())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends all sessions of the permit's person but `except`; says how many.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change the account.
pub async fn end_all(tx: &mut Tx, permit: &Permit, except: Option<SessionId>) -> Result<u64, Error> {
    let account = permit.subject(Action::WriteAccount)?.to_string();
    let done = sqlx::query("DELETE FROM sessions WHERE account = $1 AND id <> $2")
        .bind(account)
        .bind(except.map(|id| id.to_string()).unwrap_or_default())
        .execute(tx.db())
        .await?;
    Ok(done.rows_affected())
}

/// Ends every session last used before `idle_before` or past its end at `now`; says how many.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change the instance.
pub async fn end_expired(
    tx: &mut Tx,
    permit: &Permit,
    idle_before: Timestamp,
    now: Timestamp,
) -> Result<u64, Error> {
    permit.instance(Action::WriteInstance)?;
    let done = sqlx::query("DELETE FROM sessions WHERE last_seen < $1 OR expires <= $2")
        .bind(idle_before.0)
        .bind(now.0)
        .execute(tx.db())
        .await?;
    Ok(done.rows_affected())
}

fn read(dek: &Dek, found: &AnyRow) -> Result<Session, Error> {
    let id: SessionId = row::id(found, "id")?;
    Ok(Session {
        id,
        user: row::id(found, "account")?,
        created: row::time(found, "created")?,
        last_seen: row::time(found, "last_seen")?,
        expires: row::time(found, "expires")?,
        device: DEVICE.open_text(dek, &id.to_string(), &row::bytes(found, "device")?)?,
        second_factor: row::flag(found, "second_factor")?,
        confirmed: row::time(found, "confirmed")?,
    })
}
