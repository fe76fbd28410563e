//! People as those who run the instance see them, and what they may do to an account.
//!
//! `identity` calls this with permits on the instance as a whole; none of them opens anybody's data. What
//! is shown here is who has an account, with which roles, in which state: never content. Invariant: an
//! account that may not sign in has no session left, and a deleted one no row and no key.

use domain::{Action, Permit, Timestamp, access::Roles, id::UserId};
use sqlx::Row;

use crate::{Error, Store, Tx, accounts, deks, invitations, roles::any, row, store::number};

/// Somebody with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The account.
    pub id: UserId,
    /// What they are called.
    pub name: String,
    /// What they may do.
    pub roles: Roles,
    /// Whether they may sign in.
    pub active: bool,
    /// When the account was made.
    pub created: Timestamp,
    /// When one of their sessions was last used, if there is one.
    pub last_seen: Option<Timestamp>,
    /// How many sessions there are.
    pub sessions: u32,
    /// Whether an authenticator stands beside the password.
    pub has_factor: bool,
    /// Whether there is a confirmed e-mail address.
    pub has_email: bool,
}

/// What may look at one account.
const LOOKS: [Action; 4] =
    [Action::ReadPeople, Action::ManagePeople, Action::RemovePeople, Action::ManageGroups];

const SELECT: &str = "SELECT a.id, a.name, a.roles, a.active, a.created, \
    (SELECT MAX(s.last_seen) FROM sessions s WHERE s.account = a.id) AS last_seen, \
    (SELECT COUNT(*) FROM sessions s WHERE s.account = a.id) AS sessions, \
    (SELECT COUNT(*) FROM totp t WHERE t.account = a.id AND t.confirmed = 1) AS factors, \
    (SELECT COUNT(*) FROM emails e WHERE e.account = a.id) AS emails FROM accounts a";

/// Everybody, the newest account first, at most `most`. The permit is to read people.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn list(store: &Store, permit: &Permit, most: u32) -> Result<Vec<Person>, Error> {
    permit.instance(Action::ReadPeople)?;
    let found =
        sqlx::query(sqlx::AssertSqlSafe(format!("{SELECT} ORDER BY a.created DESC, a.id DESC LIMIT $1")))
            .bind(i64::from(most))
            .fetch_all(store.readers())
            .await?;
    let mut people = Vec::with_capacity(found.len());
    for found in &found {
        people.push(read(store, found).await?);
    }
    Ok(people)
}

/// One of them. The permit is to read, manage or remove people, or to manage groups.
///
/// # Errors
/// [`Error::NotFound`] when there is no such account.
pub async fn get(store: &Store, permit: &Permit, id: UserId) -> Result<Person, Error> {
    any(permit, &LOOKS)?;
    let found = sqlx::query(sqlx::AssertSqlSafe(format!("{SELECT} WHERE a.id = $1")))
        .bind(id.to_string())
        .fetch_optional(store.readers())
        .await?
        .ok_or(Error::NotFound)?;
    read(store, &found).await
}

async fn read(store: &Store, found: &sqlx::any::AnyRow) -> Result<Person, Error> {
    let id: UserId = row::id(found, "id")?;
    let count = |column| -> Result<u32, Error> {
        Ok(u32::try_from(found.try_get::<i64, _>(column)?).unwrap_or(u32::MAX))
    };
    Ok(Person {
        id,
        name: accounts::open_name(store, id, found).await?,
        roles: accounts::roles(&found.try_get::<String, _>("roles")?),
        active: row::flag(found, "active")?,
        created: row::time(found, "created")?,
        last_seen: found.try_get::<Option<i64>, _>("last_seen")?.map(Timestamp),
        sessions: count("sessions")?,
        has_factor: count("factors")? > 0,
        has_email: count("emails")? > 0,
    })
}

/// Lets an account sign in, or no longer; then its sessions, its API keys, its mailed links and the invitations
/// it made end at once. The permit is to manage people.
///
/// # Errors
/// [`Error::NotFound`] when there is no such account.
pub async fn set_active(tx: &mut Tx, permit: &Permit, id: UserId, active: bool) -> Result<(), Error> {
    permit.instance(Action::ManagePeople)?;
    let done = sqlx::query("UPDATE accounts SET active = $1 WHERE id = $2")
        .bind(i64::from(active))
        .bind(id.to_string())
        .execute(tx.db())
        .await?;
    row::exactly_one(&done)?;
    if !active {
        tx.note_deletion();
        end_sessions(tx, permit, id).await?;
        invitations::withdraw_of(tx, id).await?;
        for statement in
            ["DELETE FROM mail_links WHERE account = $1", "DELETE FROM api_keys WHERE account = $1"]
        {
            sqlx::query(statement).bind(id.to_string()).execute(tx.db()).await?;
        }
    }
    Ok(())
}

/// Ends every session of an account; says how many. The permit is to manage people.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn end_sessions(tx: &mut Tx, permit: &Permit, id: UserId) -> Result<u64, Error> {
    permit.instance(Action::ManagePeople)?;
    let done =
        sqlx::query("DELETE FROM sessions WHERE account = $1").bind(id.to_string()).execute(tx.db()).await?;
    Ok(done.rows_affected())
}

/// Deletes an account with everything that is its person's, and destroys its key. The permit is to remove
/// people, or that of its person to manage what opens the account.
///
/// # Errors
/// [`Error::NotFound`] when there is no such account.
pub async fn remove(tx: &mut Tx, permit: &Permit, id: UserId) -> Result<(), Error> {
    let own = permit.subject(Action::ManageCredentials).ok() == Some(id);
    if !own {
        permit.instance(Action::RemovePeople)?;
    }
    tx.note_deletion();
    invitations::withdraw_of(tx, id).await?;
    let account = id.to_string();
    // Every other table refers to one of these and goes with it.
    let done = sqlx::query("DELETE FROM accounts WHERE id = $1").bind(account).execute(tx.db()).await?;
    row::exactly_one(&done)?;
    deks::destroy(tx, id).await
}

/// What a check wants to know about accounts that are gone or closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// Sessions of accounts that may not sign in.
    pub sessions: u64,
    /// Keys of people who have no account.
    pub keys: u64,
    /// Links and invitations past their end by a day.
    pub links: u64,
}

/// Looks for what should not be there at `now`. The permit is to read the instance.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn leftovers(store: &Store, permit: &Permit, now: Timestamp) -> Result<Leftovers, Error> {
    permit.instance(Action::ReadInstance)?;
    let mut counts = [0; 4];
    let queries = [
        "SELECT COUNT(*) FROM sessions s JOIN accounts a ON a.id = s.account WHERE a.active = 0 AND s.created < $1",
        "SELECT COUNT(*) FROM deks d WHERE d.subject <> 'system' \
         AND d.subject NOT LIKE 'customer:%' AND d.created < $1 AND NOT EXISTS (SELECT 1 FROM accounts a WHERE a.id = d.subject)",
        "SELECT COUNT(*) FROM mail_links WHERE expires < $1",
        "SELECT COUNT(*) FROM invitations WHERE expires < $1",
    ];
    let yesterday = now.plus_seconds(-24 * 60 * 60);
    for (place, (query, before)) in queries.into_iter().zip([now, now, yesterday, yesterday]).enumerate() {
        let found = sqlx::query(query).bind(before.0).fetch_one(store.readers()).await?;
        counts[place] = number(&found)?.unsigned_abs();
    }
    Ok(Leftovers { sessions: counts[0], keys: counts[1], links: counts[2] + counts[3] })
}
