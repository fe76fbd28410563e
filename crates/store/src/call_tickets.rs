//! Tickets, each for one voice call. The ticket itself is never kept, only its SHA-256.
//!
//! `identity` calls this. Invariant: of all that present a ticket, on whichever replica, one gets it. It goes
//! with the key it was made with.

use domain::{
    Action, Permit, Timestamp,
    id::{ApiKeyId, CallTicketId, UserId},
};
use sqlx::Row;
use zeroize::Zeroizing;

use crate::{Error, Store, Tx, cell::Cell, row, store::number};

const TERMS: Cell = Cell::new("call_tickets", "terms");

/// A ticket that is made.
#[derive(Clone, Copy, Debug)]
pub struct Making<'a> {
    /// Its identifier.
    pub id: CallTicketId,
    /// What stands for it.
    pub hash: [u8; 32],
    /// The key that asks for it.
    pub key: ApiKeyId,
    /// What the call may be.
    pub terms: &'a [u8],
    /// When it is made.
    pub now: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
}

/// What came of presenting a ticket.
#[derive(Debug)]
pub enum Presented {
    /// It is used now, and by nobody else.
    Taken {
        /// The ticket.
        id: CallTicketId,
    },
    /// It was used before, or has ended.
    Over(CallTicketId),
    /// There is none.
    Unknown,
}

/// Keeps a new ticket of the permit's person.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to hear and speak.
pub async fn create(tx: &mut Tx, permit: &Permit, making: Making<'_>) -> Result<(), Error> {
    let subject = permit.subject(Action::Speech)?;
    let (dek, key) = (tx.dek(subject).await?, making.id.to_string());
    let terms = TERMS.seal(&dek, &key, making.terms, tx.entropy())?;
    sqlx::query(
        "INSERT INTO call_tickets (id, hash, account, api_key, terms, created, expires) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(key)
    .bind(making.hash.to_vec())
    .bind(subject.to_string())
    .bind(making.key.to_string())
    .bind(terms)
    .bind(making.now.0)
    .bind(making.expires.0)
    .execute(tx.db())
    .await?;
    Ok(())
}

/// How many tickets of the permit's person have not ended at `now`, used ones included.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to hear and speak.
pub async fn count(tx: &mut Tx, permit: &Permit, now: Timestamp) -> Result<u64, Error> {
    let account = permit.subject(Action::Speech)?.to_string();
    let found = sqlx::query("SELECT COUNT(*) FROM call_tickets WHERE account = $1 AND expires > $2")
        .bind(account)
        .bind(now.0)
        .fetch_one(tx.db())
        .await?;
    Ok(number(&found)?.unsigned_abs())
}

/// A ticket that could be used.
#[derive(Debug)]
pub struct Good {
    /// The key it was made with.
    pub key: ApiKeyId,
    /// What the call may be.
    pub terms: Zeroizing<Vec<u8>>,
}

/// Looks at the ticket with this hash without using it; `None` when it cannot be used at `now`. The permit is for
/// authentication.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn look(
    store: &Store,
    permit: &Permit,
    hash: [u8; 32],
    now: Timestamp,
) -> Result<Option<Good>, Error> {
    permit.instance(Action::Authenticate)?;
    let found = sqlx::query(
        "SELECT id, account, api_key, terms FROM call_tickets \
         WHERE hash = $1 AND used IS NULL AND expires > $2",
    )
    .bind(hash.to_vec())
    .bind(now.0)
    .fetch_optional(store.readers())
    .await?;
    let Some(found) = found else { return Ok(None) };
    let (id, user): (CallTicketId, UserId) = (row::id(&found, "id")?, row::id(&found, "account")?);
    let dek = store.dek(user).await?;
    let terms = TERMS.open(&dek, &id.to_string(), &found.try_get::<Vec<u8>, _>("terms")?)?;
    Ok(Some(Good { key: row::id(&found, "api_key")?, terms }))
}

/// Uses the ticket with this hash, if nobody has. The permit is for authentication.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn present(
    tx: &mut Tx,
    permit: &Permit,
    hash: [u8; 32],
    now: Timestamp,
) -> Result<Presented, Error> {
    permit.instance(Action::Authenticate)?;
    let taken = sqlx::query(
        "UPDATE call_tickets SET used = $1 WHERE hash = $2 AND used IS NULL AND expires > $1 RETURNING id",
    )
    .bind(now.0)
    .bind(hash.to_vec())
    .fetch_optional(tx.db())
    .await?;
    if let Some(found) = taken {
        return Ok(Presented::Taken { id: row::id(&found, "id")? });
    }
    let known = sqlx::query("SELECT id FROM call_tickets WHERE hash = $1")
        .bind(hash.to_vec())
        .fetch_optional(tx.db())
        .await?;
    known.map_or(Ok(Presented::Unknown), |found| Ok(Presented::Over(row::id(&found, "id")?)))
}

/// Removes everybody's tickets that have ended at `now`; says how many.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change the instance.
pub async fn sweep(tx: &mut Tx, permit: &Permit, now: Timestamp) -> Result<u64, Error> {
    permit.instance(Action::WriteInstance)?;
    let done =
        sqlx::query("DELETE FROM call_tickets WHERE expires <= $1").bind(now.0).execute(tx.db()).await?;
    Ok(done.rows_affected())
}
