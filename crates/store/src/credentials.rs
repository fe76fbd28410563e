//! What a person proves themselves with: password verifiers, TOTP secrets, recovery codes, and how often
//! somebody failed.
//!
//! `identity` calls this and does all hashing; here things are kept. Verifiers and secrets are sealed on
//! top. Invariants: a TOTP step and a recovery code are used up in the transaction that accepts them; with a
//! new password every mailed link of the account ends.

use domain::{Action, Denied, Permit, Timestamp, id::UserId};
use sqlx::Row;
use zeroize::Zeroizing;

use crate::{Error, Store, Tx, cell::Cell, emails, row, store::number};

const VERIFIER: Cell = Cell::new("passwords", "verifier");
const SECRET: Cell = Cell::new("totp", "secret");
/// Names whose failed sign-ins are counted at the same time.
const MOST_NAMES: i64 = 10_000;

/// The person whose credentials `permit` may change: their own right to, or that of a job of the system.
pub(crate) fn changing(permit: &Permit) -> Result<UserId, Denied> {
    permit.subject_of(&[Action::ManageCredentials, Action::WriteAccount])
}

/// The password in force.
#[derive(Clone)]
pub struct Password {
    /// PHC string of the verifier.
    pub verifier: String,
    /// When it was set.
    pub changed: Timestamp,
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Password").field("changed", &self.changed).finish_non_exhaustive()
    }
}

/// The password in force, if one is set.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to read the account.
pub async fn password(store: &Store, permit: &Permit) -> Result<Option<Password>, Error> {
    Ok(passwords(store, permit, 1).await?.pop())
}

/// The verifiers in force and before, newest first.
///
/// # Errors
/// As [`password`].
pub async fn earlier_passwords(store: &Store, permit: &Permit, limit: u32) -> Result<Vec<String>, Error> {
    Ok(passwords(store, permit, limit).await?.into_iter().map(|password| password.verifier).collect())
}

async fn passwords(store: &Store, permit: &Permit, limit: u32) -> Result<Vec<Password>, Error> {
    let account = permit.subject(Action::ReadAccount)?.to_string();
    let found = sqlx::query(
        "SELECT ordinal, verifier, changed FROM passwords WHERE account = $1 ORDER BY ordinal DESC LIMIT $2",
    )
    .bind(account.as_str())
    .bind(i64::from(limit))
    .fetch_all(store.readers())
    .await?;
    let mut passwords = Vec::with_capacity(found.len());
    for found in &found {
        let dek = store.dek(permit.subject(Action::ReadAccount)?).await?;
        let place = password_place(&account, found.try_get("ordinal")?);
        passwords.push(Password {
            verifier: VERIFIER.open_text(&dek, &place, &row::bytes(found, "verifier")?)?,
            changed: row::time(found, "changed")?,
        });
    }
    Ok(passwords)
}

/// Sets the password; earlier ones stay, so that they are not used again. The account's mailed links end.
///
/// # Errors
/// [`Error::NotFound`] when there is no such account.
pub async fn set_password(tx: &mut Tx, permit: &Permit, verifier: &str, now: Timestamp) -> Result<(), Error> {
    let subject = changing(permit)?;
    let (dek, account) = (tx.dek(subject).await?, subject.to_string());
    let last = sqlx::query("SELECT COALESCE(MAX(ordinal), 0) FROM passwords WHERE account = $1")
        .bind(account.as_str())
        .fetch_one(tx.db())
        .await?;
    let ordinal = number(&last)? + 1;
    let sealed =
        VERIFIER.seal(&dek, &password_place(&account, ordinal), verifier.as_bytes(), tx.entropy())?;
    sqlx::query("INSERT INTO passwords (account, ordinal, verifier, changed) VALUES ($1, $2, $3, $4)")
        .bind(account)
        .bind(ordinal)
        .bind(sealed)
        .bind(now.0)
        .execute(tx.db())
        .await?;
    emails::end_links(tx, permit).await
}

/// Keeps another verifier of the password in force: the password is the same, and so are its date, its place
/// in the history and the account's mailed links.
///
/// # Errors
/// [`Error::NotFound`] when no password is set.
pub async fn strengthen_password(tx: &mut Tx, permit: &Permit, verifier: &str) -> Result<(), Error> {
    let subject = changing(permit)?;
    let (dek, account) = (tx.dek(subject).await?, subject.to_string());
    let newest = sqlx::query("SELECT COALESCE(MAX(ordinal), 0) FROM passwords WHERE account = $1")
        .bind(account.as_str())
        .fetch_one(tx.db())
        .await?;
    let ordinal = number(&newest)?;
    let sealed =
        VERIFIER.seal(&dek, &password_place(&account, ordinal), verifier.as_bytes(), tx.entropy())?;
    tx.note_deletion();
    let done = sqlx::query("UPDATE passwords SET verifier = $1 WHERE account = $2 AND ordinal = $3")
        .bind(sealed)
        .bind(account)
        .bind(ordinal)
        .execute(tx.db())
        .await?;
    row::exactly_one(&done)
}

/// People who may sign in and have an address, whose password was set before `moment` and who were not told
/// that it must be changed, with when it was set. The permit is to change the instance.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn passwords_due(
    store: &Store,
    permit: &Permit,
    moment: Timestamp,
    most: u32,
) -> Result<Vec<(UserId, Timestamp)>, Error> {
    permit.instance(Action::WriteInstance)?;
    let found = sqlx::query(
        "SELECT p.account, p.changed FROM passwords p JOIN accounts a ON a.id = p.account \
         WHERE a.active = 1 AND p.told = 0 AND p.changed <= $1 \
         AND EXISTS (SELECT 1 FROM emails e WHERE e.account = p.account) \
         AND p.ordinal = (SELECT MAX(n.ordinal) FROM passwords n WHERE n.account = p.account) \
         ORDER BY p.changed, p.account LIMIT $2",
    )
    .bind(moment.0)
    .bind(i64::from(most))
    .fetch_all(store.readers())
    .await?;
    found.iter().map(|found| Ok((row::id(found, "account")?, row::time(found, "changed")?))).collect()
}

/// Notes that the permit's person was told that their password must be changed.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change the account.
pub async fn note_told(tx: &mut Tx, permit: &Permit) -> Result<(), Error> {
    let account = permit.subject(Action::WriteAccount)?.to_string();
    sqlx::query("UPDATE passwords SET told = 1 WHERE account = $1").bind(account).execute(tx.db()).await?;
    Ok(())
}

/// A row of passwords has two parts to its key; its sealed value is bound to both.
fn password_place(account: &str, ordinal: i64) -> String {
    format!("{account}/{ordinal}")
}

/// A time-based one-time-password factor (RFC 6238).
#[derive(Clone)]
pub struct Totp {
    /// The shared secret.
    pub secret: Zeroizing<Vec<u8>>,
    /// The last time step a code was accepted for; 0 when none was.
    pub last_step: i64,
    /// Whether the person has shown that their device knows the secret.
    pub confirmed: bool,
}

impl std::fmt::Debug for Totp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Totp").field("confirmed", &self.confirmed).finish_non_exhaustive()
    }
}

/// The TOTP factor, if there is one.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to read the account.
pub async fn totp(store: &Store, permit: &Permit) -> Result<Option<Totp>, Error> {
    let subject = permit.subject(Action::ReadAccount)?;
    let account = subject.to_string();
    let found = sqlx::query("SELECT secret, last_step, confirmed FROM totp WHERE account = $1")
        .bind(account.as_str())
        .fetch_optional(store.readers())
        .await?;
    let Some(found) = found else { return Ok(None) };
    let dek = store.dek(subject).await?;
    Ok(Some(Totp {
        secret: SECRET.open(&dek, &account, &row::bytes(&found, "secret")?)?,
        last_step: found.try_get("last_step")?,
        confirmed: row::flag(&found, "confirmed")?,
    }))
}

/// Sets or replaces the TOTP factor; no step of it has been used.
///
/// # Errors
/// [`Error::NotFound`] when there is no such account.
pub async fn set_totp(tx: &mut Tx, permit: &Permit, secret: &[u8], confirmed: bool) -> Result<(), Error> {
    let subject = changing(permit)?;
    let (dek, account) = (tx.dek(subject).await?, subject.to_string());
    let sealed = SECRET.seal(&dek, &account, secret, tx.entropy())?;
    sqlx::query(
        "INSERT INTO totp (account, secret, last_step, confirmed) VALUES ($1, $2, 0, $3) ON CONFLICT (account) \
         DO UPDATE SET secret = excluded.secret, last_step = 0, confirmed = excluded.confirmed",
    )
    .bind(account)
    .bind(sealed)
    .bind(i64::from(confirmed))
    .execute(tx.db())
    .await?;
    Ok(())
}

/// Takes the TOTP factor away. `false`: there was none.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change credentials.
pub async fn remove_totp(tx: &mut Tx, permit: &Permit) -> Result<bool, Error> {
    let account = changing(permit)?.to_string();
    tx.note_deletion();
    let done = sqlx::query("DELETE FROM totp WHERE account = $1").bind(account).execute(tx.db()).await?;
    Ok(done.rows_affected() == 1)
}

/// Uses up the time step of an accepted code. `false`: it, or a later one, was used before.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change the account.
pub async fn use_totp_step(tx: &mut Tx, permit: &Permit, step: i64) -> Result<bool, Error> {
    let account = changing(permit)?.to_string();
    let done = sqlx::query("UPDATE totp SET last_step = $1 WHERE account = $2 AND last_step < $1")
        .bind(step)
        .bind(account)
        .execute(tx.db())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Replaces all recovery codes by codes with these hashes.
///
/// # Errors
/// [`Error::NotFound`] when there is no such account.
pub async fn set_recovery_codes(tx: &mut Tx, permit: &Permit, hashes: &[[u8; 32]]) -> Result<(), Error> {
    let account = changing(permit)?.to_string();
    sqlx::query("DELETE FROM recovery_codes WHERE account = $1")
        .bind(account.as_str())
        .execute(tx.db())
        .await?;
    for hash in hashes {
        sqlx::query("INSERT INTO recovery_codes (account, hash) VALUES ($1, $2)")
            .bind(account.as_str())
            .bind(hash.to_vec())
            .execute(tx.db())
            .await?;
    }
    Ok(())
}

/// Uses up the recovery code with this hash. `false`: there is none, or it was used before.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change the account.
pub async fn use_recovery_code(tx: &mut Tx, permit: &Permit, hash: &[u8; 32]) -> Result<bool, Error> {
    let account = permit.subject(Action::WriteAccount)?.to_string();
    let done = sqlx::query("DELETE FROM recovery_codes WHERE account = $1 AND hash = $2")
        .bind(account)
        .bind(hash.to_vec())
        .execute(tx.db())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// How many recovery codes are left.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to read the account.
pub async fn recovery_codes_left(store: &Store, permit: &Permit) -> Result<u32, Error> {
    let account = permit.subject(Action::ReadAccount)?.to_string();
    let found = sqlx::query("SELECT COUNT(*) FROM recovery_codes WHERE account = $1")
        .bind(account)
        .fetch_one(store.readers())
        .await?;
    Ok(u32::try_from(number(&found)?).unwrap_or(u32::MAX))
}

/// Failed sign-ins with the name behind `lookup` since the last good one, and when the latest was (the epoch
/// when there was none). The permit is for authentication.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn failures(store: &Store, permit: &Permit, lookup: &[u8; 32]) -> Result<(u32, Timestamp), Error> {
    permit.instance(Action::Authenticate)?;
    let found = sqlx::query("SELECT count, latest FROM sign_in_failures WHERE lookup = $1")
        .bind(lookup.to_vec())
        .fetch_optional(store.readers())
        .await?;
    match found {
        Some(found) => Ok((
            u32::try_from(found.try_get::<i64, _>("count")?).unwrap_or(u32::MAX),
            row::time(&found, "latest")?,
        )),
        None => Ok((0, Timestamp::default())),
    }
}

/// Counts one more failed sign-in with the name behind `lookup`; a count from before `forgotten` begins anew.
/// When there is no room, the names tried least make way. The permit is for authentication.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn record_failure(
    tx: &mut Tx,
    permit: &Permit,
    lookup: &[u8; 32],
    forgotten: Timestamp,
    now: Timestamp,
) -> Result<(), Error> {
    permit.instance(Action::Authenticate)?;
    sqlx::query(
        "INSERT INTO sign_in_failures (lookup, count, latest) VALUES ($1, 1, $2) ON CONFLICT (lookup) \
         DO UPDATE SET latest = excluded.latest, \
         count = CASE WHEN sign_in_failures.latest <= $3 THEN 1 ELSE sign_in_failures.count + 1 END",
    )
    .bind(lookup.to_vec())
    .bind(now.0)
    .bind(forgotten.0)
    .execute(tx.db())
    .await?;
    sqlx::query(
        "DELETE FROM sign_in_failures WHERE lookup IN (SELECT lookup FROM sign_in_failures \
         ORDER BY count DESC, latest DESC LIMIT 100 OFFSET $1)",
    )
    .bind(MOST_NAMES)
    .execute(tx.db())
    .await?;
    Ok(())
}

/// Forgets the failed sign-ins with the name behind `lookup`. The permit is for authentication.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn clear_failures(tx: &mut Tx, permit: &Permit, lookup: &[u8; 32]) -> Result<(), Error> {
    permit.instance(Action::Authenticate)?;
    sqlx::query("DELETE FROM sign_in_failures WHERE lookup = $1")
        .bind(lookup.to_vec())
        .execute(tx.db())
        .await?;
    Ok(())
}

/// Forgets the failed sign-ins with names nobody tried since `moment`; says how many names those are.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change the instance.
pub async fn forget_failures(tx: &mut Tx, permit: &Permit, moment: Timestamp) -> Result<u64, Error> {
    permit.instance(Action::WriteInstance)?;
    let done = sqlx::query("DELETE FROM sign_in_failures WHERE latest <= $1")
        .bind(moment.0)
        .execute(tx.db())
        .await?;
    Ok(done.rows_affected())
}
