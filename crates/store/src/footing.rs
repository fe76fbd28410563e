//! Where an account stands: since when there is one, whether its person may sign in, and what each grant allows.
//!
//! `identity` calls this to say what somebody may do now, and who counts as a second person. Invariant: a grant
//! past its end, or of a role that is deleted, is no part of it, whether or not anybody has swept it yet.

use domain::{
    Action, Permit, Timestamp,
    access::{Rights, Roles},
    id::UserId,
};
use sqlx::Row;

use crate::{
    Error, Store, accounts,
    roles::{self, Grant, Granted},
    row,
};

/// Where one account stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Footing {
    /// The account.
    pub user: UserId,
    /// Whether its person may sign in.
    pub active: bool,
    /// When it was made.
    pub created: Timestamp,
    /// The grants that hold, each with what it allows.
    pub grants: Vec<(Grant, Rights)>,
}

impl Footing {
    /// Everything its grants allow together.
    #[must_use]
    pub fn rights(&self) -> Rights {
        self.grants.iter().fold(Rights::NONE, |rights, (_, more)| rights.and(*more))
    }

    /// The built-in roles among them.
    #[must_use]
    pub fn roles(&self) -> Roles {
        let built_in = |(grant, _): &(Grant, Rights)| match grant.what {
            Granted::BuiltIn(role) => Some(role),
            Granted::Custom(_) => None,
        };
        self.grants.iter().filter_map(built_in).collect()
    }

    /// Whether its person may sign in and do `action`.
    #[must_use]
    pub fn may(&self, action: Action) -> bool {
        self.active && self.rights().has(action)
    }
}

/// Where `user` stands at `now`. The permit is for authentication.
///
/// # Errors
/// [`Error::NotFound`] when there is no such account.
pub async fn of(store: &Store, permit: &Permit, user: UserId, now: Timestamp) -> Result<Footing, Error> {
    read(store, permit, Some(user), now).await?.pop().ok_or(Error::NotFound)
}

/// Where everybody stands at `now`. The permit is for authentication.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn all(store: &Store, permit: &Permit, now: Timestamp) -> Result<Vec<Footing>, Error> {
    read(store, permit, None, now).await
}

async fn read(
    store: &Store,
    permit: &Permit,
    only: Option<UserId>,
    now: Timestamp,
) -> Result<Vec<Footing>, Error> {
    permit.instance(Action::Authenticate)?;
    let only = only.map(|user| user.to_string()).unwrap_or_default();
    let accounts =
        sqlx::query("SELECT id, roles, active, created FROM accounts WHERE $1 = '' OR id = $1 ORDER BY id");
    let accounts = accounts.bind(only.as_str()).fetch_all(store.readers()).await?;
    let kept = roles::kept(store, &only).await?;
    let mut footings = Vec::with_capacity(accounts.len());
    for found in &accounts {
        let (user, created) = (row::id(found, "id")?, row::time(found, "created")?);
        let facts: Vec<_> = kept.iter().filter(|one| one.account == user).collect();
        let rights = |grant: &Grant| match grant.what {
            Granted::BuiltIn(role) => role.rights(),
            Granted::Custom(_) => {
                let known = facts.iter().find(|one| one.grant.what == grant.what);
                known.map_or(Rights::NONE, |one| one.rights)
            }
        };
        let built_in = accounts::roles(&found.try_get::<String, _>("roles")?);
        let grants = roles::held(built_in, facts.iter().map(|one| &one.grant), created);
        let holds = grants.into_iter().filter(|grant| grant.ends.is_none_or(|ends| now < ends));
        let grants =
            holds.map(|grant| (rights(&grant), grant)).map(|(rights, grant)| (grant, rights)).collect();
        footings.push(Footing { user, active: row::flag(found, "active")?, created, grants });
    }
    Ok(footings)
}
