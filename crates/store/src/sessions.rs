//! Signed-in browsers. No token is kept, nor a hash of one: a row says which generation of refresh token is
//! in force, and `identity` works out what that token is.
//!
//! `identity` calls this and decides when a session has expired; here it is only read, changed and ended.

use std::net::IpAddr;

use domain::{
    Action, Permit, Timestamp,
    access::Roles,
    id::{SessionId, UserId},
};
use keys::Dek;
use sqlx::{Row, any::AnyRow};

use crate::{
    Error, Store, Tx,
    accounts::{self, Settings},
    cell::Cell,
    row,
};

const DEVICE: Cell = Cell::new("sessions", "device");
const BEGUN_FROM: Cell = Cell::new("sessions", "begun_from");
const SEEN_FROM: Cell = Cell::new("sessions", "seen_from");

/// A signed-in browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its identifier.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// Which refresh token is in force, counted from 0.
    pub generation: i64,
    /// Since when it is, or was given a second time.
    pub rotated: Timestamp,
    /// A keyed hash of the network it was asked for from.
    pub rotated_from: [u8; 32],
    /// Whether it was given a second time after the grace.
    pub given_again: bool,
    /// The newest generation the browser has shown to hold.
    pub used: i64,
    /// The generation the last confirmation belongs to; access tokens of earlier ones count no more.
    pub stepped: i64,
    /// Whether a second factor was shown in it.
    pub second_factor: bool,
    /// When its person last confirmed who they are.
    pub confirmed: Timestamp,
    /// When it began.
    pub created: Timestamp,
    /// When it was last used.
    pub last_seen: Timestamp,
    /// When it ends at the latest.
    pub expires: Timestamp,
}

/// A session with its person, as one read gives them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The session.
    pub session: Session,
    /// What the account may do.
    pub roles: Roles,
    /// What its person is called.
    pub name: String,
    /// How they like things.
    pub settings: Settings,
}

/// A session as its person sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The session.
    pub session: Session,
    /// What it is, in words its person understands.
    pub device: String,
    /// Where it began, when that is known.
    pub begun_from: Option<IpAddr>,
    /// Where it was last used from, when that is known.
    pub seen_from: Option<IpAddr>,
}

/// A session that begins.
#[derive(Clone, Copy, Debug)]
pub struct Beginning<'a> {
    /// Its identifier.
    pub id: SessionId,
    /// What it is, in words its person understands.
    pub device: &'a str,
    /// Where it begins, when that is known.
    pub address: Option<IpAddr>,
    /// A keyed hash of the network that is in.
    pub network: [u8; 32],
    /// Whether a second factor was shown on the way in.
    pub second_factor: bool,
    /// When it begins; its person was confirmed then.
    pub now: Timestamp,
    /// When it ends at the latest.
    pub expires: Timestamp,
}

/// A session that was used.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// When.
    pub now: Timestamp,
    /// From where, when that is known.
    pub address: Option<IpAddr>,
    /// Which generation the browser holds.
    pub generation: i64,
}

/// Begins a session of the permit's person.
///
/// # Errors
/// [`Error::NotFound`] when there is no such account.
pub async fn create(tx: &mut Tx, permit: &Permit, begins: Beginning<'_>) -> Result<(), Error> {
    let subject = permit.subject(Action::WriteAccount)?;
    let (dek, key) = (tx.dek(subject).await?, begins.id.to_string());
    let device = DEVICE.seal(&dek, &key, begins.device.as_bytes(), tx.entropy())?;
    let begun_from = BEGUN_FROM.seal_json(&dek, &key, &begins.address, tx.entropy())?;
    let seen_from = SEEN_FROM.seal_json(&dek, &key, &begins.address, tx.entropy())?;
    sqlx::query(
        "INSERT INTO sessions (id, account, generation, rotated, used, device, begun_from, seen_from, \
         second_factor, confirmed, created, last_seen, expires, rotated_from, given_again) \
         VALUES ($1, $2, 0, $3, 0, $4, $5, $6, $7, $3, $3, $3, $8, $9, 0)",
    )
    .bind(key)
    .bind(subject.to_string())
    .bind(begins.now.0)
    .bind(device)
    .bind(begun_from)
    .bind(seen_from)
    .bind(i64::from(begins.second_factor))
    .bind(begins.expires.0)
    .bind(begins.network.to_vec())
    .execute(tx.db())
    .await?;
    Ok(())
}

/// The session `id` and its person, in one read. `None` also for accounts that may not sign in. The permit is
/// for authentication.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn find(store: &Store, permit: &Permit, id: SessionId) -> Result<Option<Known>, Error> {
    permit.instance(Action::Authenticate)?;
    let found = sqlx::query(
        "SELECT s.id, s.account, s.generation, s.rotated, s.rotated_from, s.given_again, s.used, s.stepped, s.second_factor, s.confirmed, s.created, \
         s.last_seen, s.expires, a.roles, a.name, a.settings \
         FROM sessions s JOIN accounts a ON a.id = s.account WHERE s.id = $1 AND a.active = 1",
    )
    .bind(id.to_string())
    .fetch_optional(store.readers())
    .await?;
    let Some(found) = found else { return Ok(None) };
    let session = read(&found)?;
    let (name, settings) = accounts::open_own(store, session.user, &found).await?;
    let roles = accounts::roles(&found.try_get::<String, _>("roles")?);
    Ok(Some(Known { session, roles, name, settings }))
}

/// Puts the next refresh token in force, asked for from a `network`, provided `from` still is. `false`:
/// another request was quicker, or the session has ended.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change the account.
pub async fn rotate(
    tx: &mut Tx,
    permit: &Permit,
    id: SessionId,
    from: i64,
    network: [u8; 32],
    now: Timestamp,
) -> Result<bool, Error> {
    let account = permit.subject(Action::WriteAccount)?.to_string();
    let done = sqlx::query(
        "UPDATE sessions SET generation = generation + 1, rotated = $1, used = $2, rotated_from = $5, \
         given_again = 0 WHERE id = $3 AND account = $4 AND generation = $2",
    )
    .bind(now.0)
    .bind(from)
    .bind(id.to_string())
    .bind(account)
    .bind(network.to_vec())
    .execute(tx.db())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes that the refresh token of `generation`, which nobody has shown, is given a second time after its
/// grace; a new grace begins. `false`: it was before, or another one is in force.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change the account.
pub async fn give_again(
    tx: &mut Tx,
    permit: &Permit,
    id: SessionId,
    generation: i64,
    now: Timestamp,
) -> Result<bool, Error> {
    let account = permit.subject(Action::WriteAccount)?.to_string();
    let done = sqlx::query(
        "UPDATE sessions SET given_again = 1, rotated = $1 \
         WHERE id = $2 AND account = $3 AND generation = $4 AND used < $4 AND given_again = 0",
    )
    .bind(now.0)
    .bind(id.to_string())
    .bind(account)
    .bind(generation)
    .execute(tx.db())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes that the browser has shown to hold `generation`, though nobody need be there. Commit it unaudited: it
/// is no act of its own.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change the account.
pub async fn note_used(tx: &mut Tx, permit: &Permit, id: SessionId, generation: i64) -> Result<(), Error> {
    let account = permit.subject(Action::WriteAccount)?.to_string();
    sqlx::query("UPDATE sessions SET used = $1 WHERE id = $2 AND account = $3 AND used < $1")
        .bind(generation)
        .bind(id.to_string())
        .bind(account)
        .execute(tx.db())
        .await?;
    Ok(())
}

/// Notes that a session was used. Commit it unaudited: it is no act of its own.
///
/// # Errors
/// [`Error::NotFound`] when the session has ended or is another person's.
pub async fn touch(tx: &mut Tx, permit: &Permit, id: SessionId, seen: Seen) -> Result<(), Error> {
    let subject = permit.subject(Action::WriteAccount)?;
    let (dek, key) = (tx.dek(subject).await?, id.to_string());
    let seen_from = SEEN_FROM.seal_json(&dek, &key, &seen.address, tx.entropy())?;
    let done = sqlx::query(
        "UPDATE sessions SET last_seen = $1, seen_from = $2, used = CASE WHEN used < $3 THEN $3 ELSE used END \
         WHERE id = $4 AND account = $5",
    )
    .bind(seen.now.0)
    .bind(seen_from)
    .bind(seen.generation)
    .bind(key)
    .bind(subject.to_string())
    .execute(tx.db())
    .await?;
    row::exactly_one(&done)
}

/// A confirmation that was shown in a session.
#[derive(Clone, Copy, Debug)]
pub struct Confirmation {
    /// Since when it counts.
    pub at: Timestamp,
    /// Whether it was a second factor; one that was shown before stays shown.
    pub second_factor: bool,
    /// A keyed hash of the network it was shown from.
    pub network: [u8; 32],
    /// Seconds for which a generation counts as new: one that came in force within them stays.
    pub grace_s: i64,
}

/// Notes that the permit's person confirmed who they are in a session. The next generation comes in force, which
/// the browser gets with its next request, and access tokens of earlier ones count no more.
///
/// # Errors
/// [`Error::NotFound`] when the session has ended or is another person's.
pub async fn confirm(
    tx: &mut Tx,
    permit: &Permit,
    id: SessionId,
    confirmation: Confirmation,
) -> Result<(), Error> {
    let account = permit.subject(Action::WriteAccount)?.to_string();
    let now = tx.now();
    let done = sqlx::query(
        "UPDATE sessions SET confirmed = $1, second_factor = CASE WHEN $2 = 1 THEN 1 ELSE second_factor END, \
         stepped = generation WHERE id = $3 AND account = $4",
    )
    .bind(confirmation.at.0)
    .bind(i64::from(confirmation.second_factor))
    .bind(id.to_string())
    .bind(account.as_str())
    .execute(tx.db())
    .await?;
    row::exactly_one(&done)?;
    // One that just came in force may still be on its way to another tab, which must not look like a thief.
    sqlx::query(
        "UPDATE sessions SET generation = generation + 1, stepped = generation + 1, rotated = $1, \
         rotated_from = $2, given_again = 0 WHERE id = $3 AND account = $4 AND rotated <= $5",
    )
    .bind(now.0)
    .bind(confirmation.network.to_vec())
    .bind(id.to_string())
    .bind(account)
    .bind(now.plus_seconds(-confirmation.grace_s).0)
    .execute(tx.db())
    .await?;
    Ok(())
}

/// Sets when the permit's person confirmed who they are, in a session that just began: before it did, where a
/// sign-in service knew them from earlier.
///
/// # Errors
/// [`Error::NotFound`] when the session has ended or is another person's.
pub async fn confirmed_at(tx: &mut Tx, permit: &Permit, id: SessionId, at: Timestamp) -> Result<(), Error> {
    let account = permit.subject(Action::WriteAccount)?.to_string();
    let done = sqlx::query("UPDATE sessions SET confirmed = $1 WHERE id = $2 AND account = $3")
        .bind(at.0)
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
pub async fn list(store: &Store, permit: &Permit) -> Result<Vec<Listed>, Error> {
    let subject = permit.subject(Action::ReadAccount)?;
    let found = sqlx::query(
        "SELECT id, account, generation, rotated, rotated_from, given_again, used, stepped, second_factor, confirmed, created, last_seen, \
         expires, device, begun_from, seen_from FROM sessions WHERE account = $1 ORDER BY last_seen DESC, id DESC",
    )
    .bind(subject.to_string())
    .fetch_all(store.readers())
    .await?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let dek = store.dek(subject).await?;
    found.iter().map(|found| listed(&dek, found)).collect()
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

fn read(found: &AnyRow) -> Result<Session, Error> {
    Ok(Session {
        id: row::id(found, "id")?,
        user: row::id(found, "account")?,
        generation: found.try_get("generation")?,
        rotated: row::time(found, "rotated")?,
        rotated_from: row::hash(found, "rotated_from")?,
        given_again: row::flag(found, "given_again")?,
        used: found.try_get("used")?,
        stepped: found.try_get("stepped")?,
        second_factor: row::flag(found, "second_factor")?,
        confirmed: row::time(found, "confirmed")?,
        created: row::time(found, "created")?,
        last_seen: row::time(found, "last_seen")?,
        expires: row::time(found, "expires")?,
    })
}

fn listed(dek: &Dek, found: &AnyRow) -> Result<Listed, Error> {
    let session = read(found)?;
    let key = session.id.to_string();
    Ok(Listed {
        device: DEVICE.open_text(dek, &key, &row::bytes(found, "device")?)?,
        begun_from: BEGUN_FROM.open_json(dek, &key, &row::bytes(found, "begun_from")?)?,
        seen_from: SEEN_FROM.open_json(dek, &key, &row::bytes(found, "seen_from")?)?,
        session,
    })
}
