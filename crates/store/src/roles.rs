//! Grants: who holds which role, given by whom, until when, used when; and the roles of an organisation's own.
//!
//! `identity` calls this. The built-in roles of an account stand in `accounts.roles`; a row of
//! `role_grants` says what is known about each, and is the grant itself for a custom role. Invariant: a
//! grant past its end gives nothing, whether or not anybody has swept it yet.

use std::{collections::BTreeMap, fmt, str::FromStr};

use domain::{
    Action, Permit, Timestamp,
    access::{Rights, Role, Roles},
    id::{CustomRoleId, UserId},
};
use sqlx::{Row, any::AnyRow};

use crate::{Error, Store, Tx, accounts, cell::Cell, invitations, row};

const NAME: Cell = Cell::new("custom_roles", "name");
const ABOUT: Cell = Cell::new("custom_roles", "about");
/// What may look at everybody's grants.
const LOOKS: [Action; 3] = [Action::ReadPeople, Action::GrantRoles, Action::ReviewAccess];
/// What may learn what people are called.
const NAMES: [Action; 5] = [
    Action::ReadPeople,
    Action::ReadEvidence,
    Action::ReviewAccess,
    Action::RequestContent,
    Action::ApproveContent,
];
/// What may take a grant away.
const TAKES: [Action; 2] = [Action::GrantRoles, Action::ReviewAccess];

/// What somebody was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Granted {
    /// A built-in role.
    BuiltIn(Role),
    /// A role of an organisation's own.
    Custom(CustomRoleId),
}

impl fmt::Display for Granted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn(role) => f.write_str(role.as_str()),
            Self::Custom(id) => id.fmt(f),
        }
    }
}

impl FromStr for Granted {
    type Err = domain::id::NotAnId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Role::named(text).map_or_else(|| text.parse().map(Self::Custom), |role| Ok(Self::BuiltIn(role)))
    }
}

/// One grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// What was given.
    pub what: Granted,
    /// By whom, as the audit log names actors; empty when that was not kept.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Until when, if it ends by itself.
    pub ends: Option<Timestamp>,
    /// When an administrative right of it was last used, to the hour.
    pub last_used: Option<Timestamp>,
}

/// An account with what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The account.
    pub user: UserId,
    /// What its person is called.
    pub name: String,
    /// Whether it may sign in.
    pub active: bool,
    /// Its grants, the built-in roles first.
    pub grants: Vec<Grant>,
}

/// A role of an organisation's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomRole {
    /// Its identifier.
    pub id: CustomRoleId,
    /// What it is called.
    pub name: String,
    /// What it is for; may be empty.
    pub about: String,
    /// What it allows.
    pub rights: Rights,
    /// When it was made.
    pub created: Timestamp,
}

/// What an account may do at `now`: of the built-in `roles` those whose grant has not ended, and what custom
/// roles add. One read. The permit is for authentication.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn effective(
    store: &Store,
    permit: &Permit,
    user: UserId,
    roles: Roles,
    now: Timestamp,
) -> Result<(Roles, Rights), Error> {
    permit.instance(Action::Authenticate)?;
    let found = sqlx::query(
        "SELECT g.role, g.ends, c.rights FROM role_grants g LEFT JOIN custom_roles c ON c.id = g.role \
         WHERE g.account = $1 AND (g.ends IS NOT NULL OR c.id IS NOT NULL)",
    )
    .bind(user.to_string())
    .fetch_all(store.readers())
    .await?;
    let (mut roles, mut extra) = (roles, Rights::NONE);
    for found in &found {
        let over = found.try_get::<Option<i64>, _>("ends")?.is_some_and(|ends| now.0 >= ends);
        match (Role::named(&found.try_get::<String, _>("role")?), over) {
            (Some(role), true) => roles = roles.without(role),
            (None, false) => {
                let spelt = found.try_get::<Option<String>, _>("rights")?;
                extra = extra.and(rights(spelt.as_deref().unwrap_or_default()));
            }
            (Some(_), false) | (None, true) => {}
        }
    }
    Ok((roles, extra))
}

/// Everybody with what they hold, in order of their accounts.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to read people, to grant roles or to review access.
pub async fn holders(store: &Store, permit: &Permit) -> Result<Vec<Holder>, Error> {
    any(permit, &LOOKS)?;
    let accounts = sqlx::query("SELECT id, name, roles, active, created FROM accounts ORDER BY created, id");
    let accounts = accounts.fetch_all(store.readers()).await?;
    let kept = kept(store, "").await?;
    let mut holders = Vec::with_capacity(accounts.len());
    for found in &accounts {
        let user = row::id(found, "id")?;
        let roles = accounts::roles(&found.try_get::<String, _>("roles")?);
        let facts = kept.iter().filter(|one| one.account == user).map(|one| &one.grant);
        let created = row::time(found, "created")?;
        holders.push(Holder {
            user,
            name: accounts::open_name(store, user, found).await?,
            active: row::flag(found, "active")?,
            grants: held(roles, facts, created),
        });
    }
    Ok(holders)
}

/// A row of what is known about grants.
pub(crate) struct Kept {
    pub(crate) account: UserId,
    pub(crate) grant: Grant,
    /// What a custom role allows.
    pub(crate) rights: Rights,
}

/// What is known about the grants of the account spelt `only`, or of everybody's when that is empty.
pub(crate) async fn kept(store: &Store, only: &str) -> Result<Vec<Kept>, Error> {
    let found = sqlx::query(
        "SELECT g.account, g.role, g.granted_by, g.granted, g.ends, g.last_used, c.rights FROM role_grants g \
         LEFT JOIN custom_roles c ON c.id = g.role WHERE $1 = '' OR g.account = $1",
    )
    .bind(only)
    .fetch_all(store.readers())
    .await?;
    let read = |found: &AnyRow| {
        let spelt = found.try_get::<Option<String>, _>("rights")?.unwrap_or_default();
        Ok(Kept { account: row::id(found, "account")?, grant: grant(found)?, rights: rights(&spelt) })
    };
    found.iter().map(read).collect()
}

/// The grants of an account: each built-in role it has, known or not, and its custom roles.
pub(crate) fn held<'a>(
    roles: Roles,
    facts: impl Iterator<Item = &'a Grant> + Clone,
    created: Timestamp,
) -> Vec<Grant> {
    let known = |what| facts.clone().find(|grant| grant.what == what).cloned();
    let unknown = |what| Grant { what, by: String::new(), at: created, ends: None, last_used: None };
    let built_in = roles.iter().map(|role| {
        let what = Granted::BuiltIn(role);
        known(what).unwrap_or_else(|| unknown(what))
    });
    let custom = facts.clone().filter(|grant| matches!(grant.what, Granted::Custom(_)));
    built_in.chain(custom.cloned()).collect()
}

/// Gives `what` to an account, or gives it anew with another end.
///
/// # Errors
/// [`Error::NotFound`] when there is no such account or no such role.
pub async fn give(
    tx: &mut Tx,
    permit: &Permit,
    user: UserId,
    what: Granted,
    ends: Option<Timestamp>,
) -> Result<(), Error> {
    permit.instance(Action::GrantRoles)?;
    let roles = roles_of(tx, user).await?;
    match what {
        Granted::BuiltIn(role) => set_roles(tx, user, roles.with(role)).await?,
        Granted::Custom(id) => {
            let found = sqlx::query("SELECT id FROM custom_roles WHERE id = $1");
            found.bind(id.to_string()).fetch_optional(tx.db()).await?.ok_or(Error::NotFound)?;
        }
    }
    write(tx, user, what, ends, &permit.actor().audit_name()).await
}

/// Takes `what` from an account. `false`: it did not have it.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to grant roles or to review access.
pub async fn take(tx: &mut Tx, permit: &Permit, user: UserId, what: Granted) -> Result<bool, Error> {
    any(permit, &TAKES)?;
    let mut had = false;
    if let Granted::BuiltIn(role) = what {
        let roles = roles_of(tx, user).await?;
        had = roles.has(role);
        set_roles(tx, user, roles.without(role)).await?;
    }
    let done = sqlx::query("DELETE FROM role_grants WHERE account = $1 AND role = $2")
        .bind(user.to_string())
        .bind(what.to_string())
        .execute(tx.db())
        .await?;
    if lets_invite(tx, what).await? {
        invitations::withdraw_of(tx, user).await?;
    }
    Ok(had || done.rows_affected() == 1)
}

/// Takes `what` from an account if its end has come by now. `false`: it was given anew, or is gone.
///
/// # Errors
/// As [`take`].
pub async fn take_ended(tx: &mut Tx, permit: &Permit, user: UserId, what: Granted) -> Result<bool, Error> {
    let over = sqlx::query("SELECT role FROM role_grants WHERE account = $1 AND role = $2 AND ends <= $3")
        .bind(user.to_string())
        .bind(what.to_string())
        .bind(tx.now().0)
        .fetch_optional(tx.db())
        .await?;
    if over.is_some() { take(tx, permit, user, what).await } else { Ok(false) }
}

/// Whether `what` carries a right that invitations are made with.
async fn lets_invite(tx: &mut Tx, what: Granted) -> Result<bool, Error> {
    let carried = match what {
        Granted::BuiltIn(role) => role.rights(),
        Granted::Custom(id) => {
            let found = sqlx::query("SELECT rights FROM custom_roles WHERE id = $1").bind(id.to_string());
            let found = found.fetch_optional(tx.db()).await?;
            let spelt = found.map(|found| found.try_get::<String, _>("rights")).transpose()?;
            rights(&spelt.unwrap_or_default())
        }
    };
    Ok(carried.has(Action::ManagePeople) || carried.has(Action::GrantRoles))
}

/// The accounts that may sign in and own the instance for good, as they stand for this transaction.
///
/// # Errors
/// When the store cannot be read.
pub async fn lasting_owners(tx: &mut Tx) -> Result<Vec<UserId>, Error> {
    let found = sqlx::query(
        "SELECT a.id, a.roles FROM accounts a LEFT JOIN role_grants g ON g.account = a.id AND g.role = 'owner' \
         WHERE a.active = 1 AND g.ends IS NULL",
    )
    .fetch_all(tx.db())
    .await?;
    let mut owners = Vec::new();
    for found in &found {
        if accounts::roles(&found.try_get::<String, _>("roles")?).has(Role::Owner) {
            owners.push(row::id(found, "id")?);
        }
    }
    Ok(owners)
}

/// What everybody is called. The permit is to read people, evidence or reviews, or to request or approve content.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn names(store: &Store, permit: &Permit) -> Result<BTreeMap<UserId, String>, Error> {
    any(permit, &NAMES)?;
    let found = sqlx::query("SELECT id, name FROM accounts").fetch_all(store.readers()).await?;
    let mut names = BTreeMap::new();
    for found in &found {
        let id = row::id(found, "id")?;
        names.insert(id, accounts::open_name(store, id, found).await?);
    }
    Ok(names)
}

/// The grants whose end has come at `now`. The permit is to review access.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn ended(store: &Store, permit: &Permit, now: Timestamp) -> Result<Vec<(UserId, Granted)>, Error> {
    permit.instance(Action::ReviewAccess)?;
    let found = sqlx::query("SELECT account, role FROM role_grants WHERE ends <= $1").bind(now.0);
    let found = found.fetch_all(store.readers()).await?;
    found.iter().map(|found| Ok((row::id(found, "account")?, what(found)?))).collect()
}

/// Notes that `user` used the right `action`: in every grant of theirs that carries it. The permit is that of
/// the system's upkeep to change the instance. Commit it unaudited: it is no act of its own.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn note_use(
    tx: &mut Tx,
    permit: &Permit,
    user: UserId,
    action: Action,
    at: Timestamp,
) -> Result<(), Error> {
    permit.instance(Action::WriteInstance)?;
    let found = sqlx::query(
        "SELECT g.role, c.rights FROM role_grants g LEFT JOIN custom_roles c ON c.id = g.role WHERE g.account = $1",
    )
    .bind(user.to_string())
    .fetch_all(tx.db())
    .await?;
    for found in &found {
        let spelt: String = found.try_get("role")?;
        let carries = match Role::named(&spelt) {
            Some(role) => role.rights(),
            None => rights(found.try_get::<Option<String>, _>("rights")?.as_deref().unwrap_or_default()),
        };
        if carries.has(action) {
            sqlx::query("UPDATE role_grants SET last_used = $1 WHERE account = $2 AND role = $3")
                .bind(at.0)
                .bind(user.to_string())
                .bind(spelt)
                .execute(tx.db())
                .await?;
        }
    }
    Ok(())
}

/// The roles of an organisation's own, the oldest first.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to read people, to grant roles or to review access.
pub async fn custom_roles(store: &Store, permit: &Permit) -> Result<Vec<CustomRole>, Error> {
    any(permit, &LOOKS)?;
    let found = sqlx::query("SELECT id, name, about, rights, created FROM custom_roles ORDER BY created, id");
    let read = |found: &AnyRow| {
        let id: CustomRoleId = row::id(found, "id")?;
        Ok(CustomRole {
            id,
            name: NAME.open_text(store.system_dek(), &id.to_string(), &row::bytes(found, "name")?)?,
            about: ABOUT.open_text(store.system_dek(), &id.to_string(), &row::bytes(found, "about")?)?,
            rights: rights(&found.try_get::<String, _>("rights")?),
            created: row::time(found, "created")?,
        })
    };
    found.fetch_all(store.readers()).await?.iter().map(read).collect()
}

/// Makes a role, or changes what it is called, is for and allows.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to grant roles.
pub async fn save_custom(
    tx: &mut Tx,
    permit: &Permit,
    id: CustomRoleId,
    (name, about): (&str, &str),
    rights: Rights,
) -> Result<(), Error> {
    permit.instance(Action::GrantRoles)?;
    let (key, now) = (id.to_string(), tx.now());
    let sealed = NAME.seal(tx.store().system_dek(), &key, name.as_bytes(), tx.entropy())?;
    let about = ABOUT.seal(tx.store().system_dek(), &key, about.as_bytes(), tx.entropy())?;
    let spelt: Vec<_> = rights.iter().filter(|right| right.is_grantable()).map(Action::as_str).collect();
    sqlx::query(
        "INSERT INTO custom_roles (id, name, about, rights, created) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, about = excluded.about, rights = excluded.rights",
    )
    .bind(key)
    .bind(sealed)
    .bind(about)
    .bind(spelt.join(","))
    .bind(now.0)
    .execute(tx.db())
    .await?;
    Ok(())
}

/// Deletes a role with its grants; says how many those were.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn delete_custom(tx: &mut Tx, permit: &Permit, id: CustomRoleId) -> Result<u64, Error> {
    permit.instance(Action::GrantRoles)?;
    let grants = sqlx::query("DELETE FROM role_grants WHERE role = $1").bind(id.to_string());
    let grants = grants.execute(tx.db()).await?.rows_affected();
    let done = sqlx::query("DELETE FROM custom_roles WHERE id = $1").bind(id.to_string());
    row::exactly_one(&done.execute(tx.db()).await?)?;
    Ok(grants)
}

/// Writes down who gave the roles of the permit's new account: `giver`, whose invitation made it.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change the account.
pub async fn given_by(tx: &mut Tx, permit: &Permit, giver: UserId) -> Result<(), Error> {
    let account = permit.subject(Action::WriteAccount)?.to_string();
    sqlx::query("UPDATE role_grants SET granted_by = $1 WHERE account = $2")
        .bind(format!("person:{giver}"))
        .bind(account)
        .execute(tx.db())
        .await?;
    Ok(())
}

/// Writes down that a new account was given `roles` by whoever makes it.
pub(crate) async fn remember(tx: &mut Tx, user: UserId, roles: Roles) -> Result<(), Error> {
    let by = tx.actor_name();
    for role in roles.iter() {
        write(tx, user, Granted::BuiltIn(role), None, &by).await?;
    }
    Ok(())
}

async fn write(
    tx: &mut Tx,
    user: UserId,
    what: Granted,
    ends: Option<Timestamp>,
    by: &str,
) -> Result<(), Error> {
    let now = tx.now();
    sqlx::query(
        "INSERT INTO role_grants (account, role, granted_by, granted, ends) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (account, role) DO UPDATE SET granted_by = excluded.granted_by, granted = excluded.granted, \
         ends = excluded.ends",
    )
    .bind(user.to_string())
    .bind(what.to_string())
    .bind(by)
    .bind(now.0)
    .bind(ends.map(|ends| ends.0))
    .execute(tx.db())
    .await?;
    Ok(())
}

async fn roles_of(tx: &mut Tx, user: UserId) -> Result<Roles, Error> {
    let found = sqlx::query("SELECT roles FROM accounts WHERE id = $1").bind(user.to_string());
    let found = found.fetch_optional(tx.db()).await?.ok_or(Error::NotFound)?;
    Ok(accounts::roles(&found.try_get::<String, _>("roles")?))
}

async fn set_roles(tx: &mut Tx, user: UserId, roles: Roles) -> Result<(), Error> {
    let done = sqlx::query("UPDATE accounts SET roles = $1 WHERE id = $2")
        .bind(accounts::spell(roles))
        .bind(user.to_string())
        .execute(tx.db())
        .await?;
    row::exactly_one(&done)
}

/// Succeeds when the permit is for one of `actions` on the instance.
pub(crate) fn any(permit: &Permit, actions: &[Action]) -> Result<(), Error> {
    match actions.contains(&permit.action()) {
        true => Ok(permit.instance(permit.action())?),
        false => Err(domain::Denied::FLAT.into()),
    }
}

fn grant(found: &AnyRow) -> Result<Grant, Error> {
    Ok(Grant {
        what: what(found)?,
        by: found.try_get("granted_by")?,
        at: row::time(found, "granted")?,
        ends: found.try_get::<Option<i64>, _>("ends")?.map(Timestamp),
        last_used: found.try_get::<Option<i64>, _>("last_used")?.map(Timestamp),
    })
}

fn what(found: &AnyRow) -> Result<Granted, Error> {
    let spelt: String = found.try_get("role")?;
    spelt.parse().map_err(|_| Error::damaged("a grant is of no role"))
}

/// Rights from their spelling. One this version does not know, or that no role may carry, gives nothing.
fn rights(spelt: &str) -> Rights {
    spelt.split(',').filter_map(Action::named).filter(|action| action.is_grantable()).collect()
}
