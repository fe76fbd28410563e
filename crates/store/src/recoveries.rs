//! The way back for people who lost their factors: a request, and those who agreed to it.
//!
//! `identity` calls this and decides what is enough. Invariants: an account has one request at a time;
//! nobody is written down twice as agreeing to one request.

use domain::{
    Action, Denied, Permit, Timestamp,
    id::{RecoveryId, UserId},
};
use sqlx::{Row, any::AnyRow};

use crate::{Error, Store, Tx, accounts, row};

/// A request of somebody who lost their factors.
#[derive(Clone)]
pub struct Recovery {
    /// Its identifier.
    pub id: RecoveryId,
    /// Whose factors are lost.
    pub user: UserId,
    /// Keyed hash of the code that uses it.
    pub code: Vec<u8>,
    /// When it was asked for.
    pub asked: Timestamp,
    /// When enough people had agreed.
    pub agreed: Option<Timestamp>,
    /// Whether the operator made it on the machine itself.
    pub operator: bool,
    /// Who agreed.
    pub approvers: Vec<UserId>,
}

impl std::fmt::Debug for Recovery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recovery").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Keeps a request of the permit's person, in the place of an earlier one.
///
/// # Errors
/// [`Error::NotFound`] when there is no such account.
pub async fn ask(
    tx: &mut Tx,
    permit: &Permit,
    id: RecoveryId,
    code: &[u8; 32],
    now: Timestamp,
    operator: bool,
) -> Result<(), Error> {
    let account = permit.subject(Action::WriteAccount)?.to_string();
    sqlx::query("DELETE FROM recoveries WHERE account = $1").bind(account.as_str()).execute(tx.db()).await?;
    // What the operator does on the machine itself needs nobody to agree.
    let agreed = if operator { now.0 } else { 0 };
    sqlx::query(
        "INSERT INTO recoveries (id, account, code, asked, agreed, operator) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id.to_string())
    .bind(account)
    .bind(code.to_vec())
    .bind(now.0)
    .bind(agreed)
    .bind(i64::from(operator))
    .execute(tx.db())
    .await?;
    Ok(())
}

/// The request of the permit's person, if there is one.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to read the account.
pub async fn of(store: &Store, permit: &Permit) -> Result<Option<Recovery>, Error> {
    let account = permit.subject(Action::ReadAccount)?.to_string();
    let found =
        sqlx::query("SELECT id, account, code, asked, agreed, operator FROM recoveries WHERE account = $1")
            .bind(account)
            .fetch_optional(store.readers())
            .await?;
    match found {
        Some(found) => Ok(Some(read(store, &found).await?)),
        None => Ok(None),
    }
}

/// Every request with the name of its person, oldest first.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to approve recoveries.
pub async fn list(store: &Store, permit: &Permit) -> Result<Vec<(Recovery, String)>, Error> {
    permit.instance(Action::ApproveRecovery)?;
    let found =
        sqlx::query("SELECT id, account, code, asked, agreed, operator FROM recoveries ORDER BY asked, id")
            .fetch_all(store.readers())
            .await?;
    let mut recoveries = Vec::with_capacity(found.len());
    for found in &found {
        let recovery = read(store, found).await?;
        let name = accounts::name_of(store, recovery.user).await?;
        recoveries.push((recovery, name));
    }
    Ok(recoveries)
}

/// Writes down that the permit's actor agrees.
///
/// # Errors
/// [`Error::Conflict`] when they agreed before, [`Error::NotFound`] when there is no such request.
pub async fn approve(tx: &mut Tx, permit: &Permit, id: RecoveryId, now: Timestamp) -> Result<(), Error> {
    permit.instance(Action::ApproveRecovery)?;
    let approver = permit.actor().user().ok_or(Denied::FLAT)?;
    sqlx::query("INSERT INTO recovery_approvals (recovery, approver, at) VALUES ($1, $2, $3)")
        .bind(id.to_string())
        .bind(approver.to_string())
        .bind(now.0)
        .execute(tx.db())
        .await?;
    Ok(())
}

/// Writes down that enough people agree, from which moment the delay counts.
///
/// # Errors
/// [`Error::NotFound`] when there is no such request.
pub async fn agree(tx: &mut Tx, permit: &Permit, id: RecoveryId, now: Timestamp) -> Result<(), Error> {
    permit.instance(Action::ApproveRecovery)?;
    let done = sqlx::query("UPDATE recoveries SET agreed = $1 WHERE id = $2")
        .bind(now.0)
        .bind(id.to_string())
        .execute(tx.db())
        .await?;
    row::exactly_one(&done)
}

/// Ends the request of the permit's person, because it was used or called off. `false`: there was none.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change the account.
pub async fn end(tx: &mut Tx, permit: &Permit, id: RecoveryId) -> Result<bool, Error> {
    let account = permit.subject(Action::WriteAccount)?.to_string();
    let done = sqlx::query("DELETE FROM recoveries WHERE id = $1 AND account = $2")
        .bind(id.to_string())
        .bind(account)
        .execute(tx.db())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends a request, because somebody who may approve says no. `false`: there was none.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to approve recoveries.
pub async fn refuse(tx: &mut Tx, permit: &Permit, id: RecoveryId) -> Result<bool, Error> {
    permit.instance(Action::ApproveRecovery)?;
    let done =
        sqlx::query("DELETE FROM recoveries WHERE id = $1").bind(id.to_string()).execute(tx.db()).await?;
    Ok(done.rows_affected() == 1)
}

/// Ends every request asked for before `before`; says how many.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change the instance.
pub async fn end_before(tx: &mut Tx, permit: &Permit, before: Timestamp) -> Result<u64, Error> {
    permit.instance(Action::WriteInstance)?;
    let done = sqlx::query("DELETE FROM recoveries WHERE asked < $1").bind(before.0).execute(tx.db()).await?;
    Ok(done.rows_affected())
}

async fn read(store: &Store, found: &AnyRow) -> Result<Recovery, Error> {
    let id: RecoveryId = row::id(found, "id")?;
    let approvers = sqlx::query("SELECT approver FROM recovery_approvals WHERE recovery = $1 ORDER BY at")
        .bind(id.to_string())
        .fetch_all(store.readers())
        .await?;
    let agreed = row::time(found, "agreed")?;
    Ok(Recovery {
        id,
        user: row::id(found, "account")?,
        code: row::bytes(found, "code")?,
        asked: row::time(found, "asked")?,
        agreed: (agreed != Timestamp::default()).then_some(agreed),
        operator: found.try_get::<i64, _>("operator")? != 0,
        approvers: approvers.iter().map(|one| row::id(one, "approver")).collect::<Result<_, _>>()?,
    })
}
