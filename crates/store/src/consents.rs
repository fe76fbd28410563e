//! The ledger of consent: what each person agreed to and took back, in which wording, when.
//!
//! `privacy` calls this. Invariants: rows are only added, never changed, and go with their account alone (triggers
//! of both databases hold to that); a row says all that holds since then, so that the newest one is enough.

use domain::{Action, Permit, Timestamp, consent::Purpose, enforced, id::UserId};
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;

use crate::{Error, Store, Tx, cell::Cell, row, store::number};

const CONSENT: Cell = Cell::new("consents", "consent");

/// What somebody agrees to since one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The version of the letter they read.
    pub version: u32,
    /// The language they read it in.
    pub language: String,
    /// What they agree to, all of it; empty when everything was taken back.
    pub agreed: Vec<Purpose>,
    /// The third parties the letter named.
    pub shared_with: Vec<String>,
}

/// A row of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The how-manieth of its person, from 1.
    pub number: i64,
    /// When it was written.
    pub at: Timestamp,
    /// What holds since then.
    pub consent: Consent,
}

/// Adds a row for the permit's person.
///
/// # Errors
/// [`Error::NotFound`] when there is no such account.
pub async fn add(tx: &mut Tx, permit: &Permit, consent: &Consent) -> Result<(), Error> {
    let subject = permit.subject(Action::WriteAccount)?;
    let (dek, account, at) = (tx.dek(subject).await?, subject.to_string(), tx.now());
    let last = sqlx::query("SELECT COALESCE(MAX(number), 0) FROM consents WHERE account = $1")
        .bind(account.as_str())
        .fetch_one(tx.db())
        .await?;
    // Always a row of its own after the last: what was said before stays beside it.
    let next = number(&last)? + 1;
    enforced!(CON02);
    let sealed = CONSENT.seal_json(&dek, &place(subject, next), consent, tx.entropy())?;
    sqlx::query("INSERT INTO consents (account, number, consent, at) VALUES ($1, $2, $3, $4)")
        .bind(account)
        .bind(next)
        .bind(sealed)
        .bind(at.0)
        .execute(tx.db())
        .await?;
    Ok(())
}

/// What holds for the permit's person, read within a write: nobody else writes meanwhile.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change the account.
pub async fn newest_within(tx: &mut Tx, permit: &Permit) -> Result<Option<Kept>, Error> {
    let subject = permit.subject(Action::WriteAccount)?;
    let found = sqlx::query(NEWEST).bind(subject.to_string()).bind(1_i64).fetch_optional(tx.db()).await?;
    let Some(found) = found else { return Ok(None) };
    let dek = tx.dek(subject).await?;
    read(&dek, subject, &found).map(Some)
}

/// The newest rows of the permit's person, `most` at most, the newest first.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to read the account.
pub async fn list(store: &Store, permit: &Permit, most: u32) -> Result<Vec<Kept>, Error> {
    let subject = permit.subject(Action::ReadAccount)?;
    let found = sqlx::query(NEWEST)
        .bind(subject.to_string())
        .bind(i64::from(most))
        .fetch_all(store.readers())
        .await?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let dek = store.dek(subject).await?;
    found.iter().map(|found| read(&dek, subject, found)).collect()
}

const NEWEST: &str =
    "SELECT number, consent, at FROM consents WHERE account = $1 ORDER BY number DESC LIMIT $2";

fn read(dek: &keys::Dek, subject: UserId, found: &AnyRow) -> Result<Kept, Error> {
    let (number, at) = (number(found)?, row::time(found, "at")?);
    let consent = CONSENT.open_json(dek, &place(subject, number), &row::bytes(found, "consent")?)?;
    Ok(Kept { number, at, consent })
}

/// A row has two parts to its key; its sealed value is bound to both.
fn place(subject: UserId, number: i64) -> String {
    format!("{subject}/{number}")
}
