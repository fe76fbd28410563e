//! Questions about who may do what: grants, what was read under a broken glass, what the database allows us.

use domain::{Action, Permit, Timestamp, access::Role, audit::Act};
use sqlx::Row;

use crate::{Engine, Error, Store, accounts, store::number};

/// What a look at the grants found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Accounts that may sign in.
    pub accounts: u64,
    /// Those that own the instance for good.
    pub owners: u64,
    /// Administrative roles of accounts of which nobody knows who gave them.
    pub unexplained: u64,
    /// Grants an hour or more past their end that are still there.
    pub overdue: u64,
}

/// Looks at the grants at `now`.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to read the instance.
pub async fn grants(store: &Store, permit: &Permit, now: Timestamp) -> Result<Grants, Error> {
    permit.instance(Action::ReadInstance)?;
    let mut grants = Grants::default();
    let known = sqlx::query("SELECT account, role, ends FROM role_grants").fetch_all(store.readers()).await?;
    let mut kept = std::collections::BTreeMap::new();
    for row in &known {
        let ends: Option<i64> = row.try_get("ends")?;
        grants.overdue += u64::from(ends.is_some_and(|ends| now.seconds_since(Timestamp(ends)) >= 3600));
        kept.insert((row.try_get::<String, _>("account")?, row.try_get::<String, _>("role")?), ends);
    }
    let found =
        sqlx::query("SELECT id, roles FROM accounts WHERE active = 1").fetch_all(store.readers()).await?;
    for row in &found {
        let (id, roles): (String, String) = (row.try_get("id")?, row.try_get("roles")?);
        grants.accounts += 1;
        for role in accounts::roles(&roles).iter() {
            let grant = kept.get(&(id.clone(), role.as_str().to_owned()));
            grants.unexplained += u64::from(role.is_administrative() && grant.is_none());
            grants.owners += u64::from(role == Role::Owner && grant.is_none_or(Option::is_none));
        }
    }
    Ok(grants)
}

/// What a look at the reading of chats by staff found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Glass {
    /// Times something was opened.
    pub reads: u64,
    /// Those without a request somebody else had agreed to, or outside its time.
    pub uncovered: u64,
    /// Entries of the audit log about it.
    pub entries: u64,
}

/// Looks at what was read under requests.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to read the instance.
pub async fn glass(store: &Store, permit: &Permit) -> Result<Glass, Error> {
    permit.instance(Action::ReadInstance)?;
    let count = async |query, act: &str| -> Result<u64, Error> {
        let found = sqlx::query(query).bind(act.to_owned()).fetch_one(store.readers()).await?;
        Ok(number(&found)?.unsigned_abs())
    };
    Ok(Glass {
        reads: count("SELECT COUNT(*) FROM content_reads WHERE $1 <> ''", "any").await?,
        uncovered: count(
            "SELECT COUNT(*) FROM content_reads o JOIN content_requests r ON r.id = o.request WHERE r.state <> $1 \
             OR r.decider IS NULL OR r.decider = r.requester OR r.decider = r.subject OR r.requester = r.subject \
             OR r.decided IS NULL OR r.ends IS NULL OR o.at < r.decided OR o.at >= r.ends",
            "agreed",
        )
        .await?,
        entries: count("SELECT COUNT(*) FROM audit WHERE act = $1", &Act::ContentRead.name()).await?,
    })
}

/// What the database lets the account do that this server uses; each should be `false`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Privileges {
    /// Administer the whole database server.
    pub superuser: bool,
    /// Make tables.
    pub makes_tables: bool,
    /// Change, delete or empty the audit log.
    pub changes_audit: bool,
}

/// Asks PostgreSQL what it lets us do; `None` where there is no such server.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to read the instance.
pub async fn privileges(store: &Store, permit: &Permit) -> Result<Option<Privileges>, Error> {
    permit.instance(Action::ReadInstance)?;
    if store.engine() == Engine::Sqlite {
        return Ok(None);
    }
    let found = sqlx::query(
        "SELECT CASE WHEN (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN 1 ELSE 0 END AS super, \
         CASE WHEN has_schema_privilege(current_schema(), 'CREATE') THEN 1 ELSE 0 END AS makes, \
         CASE WHEN has_table_privilege('audit', 'UPDATE') OR has_table_privilege('audit', 'DELETE') \
         OR has_table_privilege('audit', 'TRUNCATE') THEN 1 ELSE 0 END AS changes",
    )
    .fetch_one(store.readers())
    .await?;
    let flag = |column| -> Result<bool, Error> { Ok(found.try_get::<i32, _>(column)? != 0) };
    Ok(Some(Privileges {
        superuser: flag("super")?,
        makes_tables: flag("makes")?,
        changes_audit: flag("changes")?,
    }))
}
