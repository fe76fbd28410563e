//! What an organisation's directory says about people: links to sign-in services, provisioned accounts,
//! and the tokens provisioning speaks with.
//!
//! `identity` calls this. Invariants: who somebody is at another service is found by a keyed hash and never
//! stands in a row; what a directory tells about a person is sealed under that person's key; roles change
//! here by the directory's job alone, and never to or from `owner`.

pub mod groups;
pub mod people;
pub mod tokens;

use domain::{
    Action, Actor, Denied, Job, Permit, Timestamp,
    access::{Role, Roles},
    id::UserId,
};
use sqlx::Row;

use crate::{Error, Store, Tx, accounts, row};

const LOOKUP: &str = "directory-link";

/// An account as one sign-in service knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The account.
    pub account: UserId,
    /// The name of the connection it came by.
    pub connection: String,
    /// The roles that came from the service's claims and from nowhere else.
    pub given: Roles,
}

/// The account linked to `subject` of `issuer`. The permit is for authentication.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn link(
    store: &Store,
    permit: &Permit,
    issuer: &str,
    subject: &str,
) -> Result<Option<Link>, Error> {
    permit.instance(Action::Authenticate)?;
    let found = sqlx::query("SELECT account, connection, given FROM directory_links WHERE lookup = $1")
        .bind(lookup(store, issuer, subject))
        .fetch_optional(store.readers())
        .await?;
    let Some(found) = found else { return Ok(None) };
    Ok(Some(Link {
        account: row::id(&found, "account")?,
        connection: found.try_get("connection")?,
        given: accounts::roles(&found.try_get::<String, _>("given")?),
    }))
}

/// The connections by which an account is known to some identity of a service. The permit is for
/// authentication.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn connections_of(store: &Store, permit: &Permit, account: UserId) -> Result<Vec<String>, Error> {
    permit.instance(Action::Authenticate)?;
    let found =
        sqlx::query("SELECT DISTINCT connection FROM directory_links WHERE account = $1 ORDER BY connection")
            .bind(account.to_string())
            .fetch_all(store.readers())
            .await?;
    found.iter().map(|found| Ok(found.try_get("connection")?)).collect()
}

/// Forgets by which identities of services an account is known; says how many those were. The next identity
/// that provisioning names may take their place. The permit is to manage the directory.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn unlink(tx: &mut Tx, permit: &Permit, account: UserId) -> Result<u64, Error> {
    permit.instance(Action::ManageDirectory)?;
    tx.note_deletion();
    let done = sqlx::query("DELETE FROM directory_links WHERE account = $1").bind(account.to_string());
    Ok(done.execute(tx.db()).await?.rows_affected())
}

/// Links the permit's account to `subject` of `issuer`, or notes that the link was used and what came by it.
///
/// # Errors
/// [`Error::Conflict`] when the subject is linked to another account.
pub async fn put_link(
    tx: &mut Tx,
    permit: &Permit,
    issuer: &str,
    subject: &str,
    connection: &str,
    given: Roles,
) -> Result<(), Error> {
    let account = permit.subject(Action::WriteAccount)?.to_string();
    let (lookup, now) = (lookup(tx.store(), issuer, subject), tx.now());
    let done = sqlx::query(
        "INSERT INTO directory_links (lookup, account, connection, given, created, last_used) \
         VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (lookup) DO UPDATE SET given = excluded.given, \
         last_used = excluded.last_used, connection = excluded.connection \
         WHERE directory_links.account = excluded.account",
    )
    .bind(lookup)
    .bind(account)
    .bind(connection)
    .bind(accounts::spell(given))
    .bind(now.0)
    .execute(tx.db())
    .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(Error::Conflict) }
}

/// Sets the roles of the permit's account to what the directory says. `owner` is neither given nor taken.
///
/// # Errors
/// [`Error::Denied`] unless the directory's job asks; [`Error::NotFound`].
pub async fn set_roles(tx: &mut Tx, permit: &Permit, roles: Roles) -> Result<(), Error> {
    let account = provisioned(permit)?.to_string();
    let found = sqlx::query("SELECT roles FROM accounts WHERE id = $1")
        .bind(account.as_str())
        .fetch_optional(tx.db())
        .await?
        .ok_or(Error::NotFound)?;
    let held = accounts::roles(&found.try_get::<String, _>("roles")?);
    let kept = if held.has(Role::Owner) { roles.with(Role::Owner) } else { roles.without(Role::Owner) };
    let done = sqlx::query("UPDATE accounts SET roles = $1 WHERE id = $2")
        .bind(accounts::spell(kept))
        .bind(account.as_str())
        .execute(tx.db())
        .await?;
    row::exactly_one(&done)?;
    note_grants(tx, permit, &account, held, kept).await
}

/// Keeps what is known about each grant in step with the roles, so that reviews see who gave it.
async fn note_grants(
    tx: &mut Tx,
    permit: &Permit,
    account: &str,
    held: Roles,
    kept: Roles,
) -> Result<(), Error> {
    let now = tx.now();
    for role in held.iter().filter(|role| !kept.has(*role)) {
        sqlx::query("DELETE FROM role_grants WHERE account = $1 AND role = $2")
            .bind(account)
            .bind(role.as_str())
            .execute(tx.db())
            .await?;
    }
    for role in kept.iter().filter(|role| !held.has(*role)) {
        sqlx::query(
            "INSERT INTO role_grants (account, role, granted_by, granted) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (account, role) DO UPDATE SET granted_by = excluded.granted_by, \
             granted = excluded.granted, ends = NULL, last_used = NULL",
        )
        .bind(account)
        .bind(role.as_str())
        .bind(permit.actor().audit_name())
        .bind(now.0)
        .execute(tx.db())
        .await?;
    }
    Ok(())
}

/// The account of a permit that the directory's job holds.
fn provisioned(permit: &Permit) -> Result<UserId, Denied> {
    match permit.actor() {
        Actor::System(Job::Provisioning) => permit.subject(Action::WriteAccount),
        _ => Err(Denied::FLAT),
    }
}

/// A keyed hash of both, with the length of the first between, so that no two pairs run together.
fn lookup(store: &Store, issuer: &str, subject: &str) -> Vec<u8> {
    store.mac(LOOKUP, format!("{}:{issuer}:{subject}", issuer.len()).as_bytes()).to_vec()
}

/// A moment that may be absent.
fn maybe_time(found: &sqlx::any::AnyRow, column: &str) -> Result<Option<Timestamp>, Error> {
    Ok(found.try_get::<Option<i64>, _>(column)?.map(Timestamp))
}
