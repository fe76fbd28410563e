//! Groups of people, and what holds for those in them.
//!
//! `identity` makes and fills them for administrators and directories, and reads what holds for whoever it
//! recognises. Names are sealed under the system's key and found by a keyed hash. Invariant: what holds for
//! an account is the strictest word of all its groups, read from the rows themselves, so a change acts on
//! the next request.

use std::collections::BTreeMap;

use domain::{
    Action, Permit, Timestamp,
    bounds::Bounds,
    id::{GroupId, UserId},
    name,
};
use sqlx::{Row, any::AnyRow};

use crate::{Error, Store, Tx, cell::Cell, roles::any, row};

const NAME: Cell = Cell::new("account_groups", "name");
const LOOKUP: &str = "group-name";
/// What may look at groups.
const LOOKS: [Action; 3] = [Action::ReadPeople, Action::ManageGroups, Action::ReviewAccess];
/// What may take somebody out of one.
const TAKES: [Action; 2] = [Action::ManageGroups, Action::ReviewAccess];

/// A group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its identifier.
    pub id: GroupId,
    /// What it is called.
    pub name: String,
    /// What holds for the people in it.
    pub bounds: Bounds,
    /// When it was made.
    pub created: Timestamp,
    /// How many people are in it.
    pub members: u32,
}

const SELECT: &str = "SELECT g.id, g.name, g.bounds, g.created, \
    (SELECT COUNT(*) FROM group_members m WHERE m.member_of = g.id) AS members FROM account_groups g";

/// Makes a group. The permit is to manage groups, here and below.
///
/// # Errors
/// [`Error::Conflict`] when the name is taken.
pub async fn create(
    tx: &mut Tx,
    permit: &Permit,
    id: GroupId,
    group_name: &str,
    bounds: &Bounds,
) -> Result<(), Error> {
    permit.instance(Action::ManageGroups)?;
    let (sealed, lookup) = (seal(tx, id, group_name)?, lookup(tx.store(), group_name));
    sqlx::query("INSERT INTO account_groups (id, lookup, name, bounds, created) VALUES ($1, $2, $3, $4, $5)")
        .bind(id.to_string())
        .bind(lookup)
        .bind(sealed)
        .bind(spell(bounds)?)
        .bind(tx.now().0)
        .execute(tx.db())
        .await?;
    Ok(())
}

/// Gives a group another name and other bounds.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] when the name is another group's.
pub async fn change(
    tx: &mut Tx,
    permit: &Permit,
    id: GroupId,
    group_name: &str,
    bounds: &Bounds,
) -> Result<(), Error> {
    permit.instance(Action::ManageGroups)?;
    let (sealed, lookup) = (seal(tx, id, group_name)?, lookup(tx.store(), group_name));
    let done = sqlx::query("UPDATE account_groups SET lookup = $1, name = $2, bounds = $3 WHERE id = $4")
        .bind(lookup)
        .bind(sealed)
        .bind(spell(bounds)?)
        .bind(id.to_string())
        .execute(tx.db())
        .await?;
    row::exactly_one(&done)
}

/// Deletes a group; the people stay.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn delete(tx: &mut Tx, permit: &Permit, id: GroupId) -> Result<(), Error> {
    permit.instance(Action::ManageGroups)?;
    tx.note_deletion();
    let done =
        sqlx::query("DELETE FROM account_groups WHERE id = $1").bind(id.to_string()).execute(tx.db()).await?;
    row::exactly_one(&done)
}

/// Puts somebody into a group; being in it already changes nothing.
///
/// # Errors
/// [`Error::NotFound`] when there is no such group or account.
pub async fn put_in(tx: &mut Tx, permit: &Permit, id: GroupId, user: UserId) -> Result<(), Error> {
    permit.instance(Action::ManageGroups)?;
    let now = tx.now();
    sqlx::query(
        "INSERT INTO group_members (account, member_of, added) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind(user.to_string())
    .bind(id.to_string())
    .bind(now.0)
    .execute(tx.db())
    .await?;
    Ok(())
}

/// Takes somebody out of a group. `false`: they were not in it.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to manage groups or to review access.
pub async fn take_out(tx: &mut Tx, permit: &Permit, id: GroupId, user: UserId) -> Result<bool, Error> {
    any(permit, &TAKES)?;
    let done = sqlx::query("DELETE FROM group_members WHERE account = $1 AND member_of = $2")
        .bind(user.to_string())
        .bind(id.to_string())
        .execute(tx.db())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Every group, in the order of their names. The permit is to read people, manage groups or review access.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn list(store: &Store, permit: &Permit) -> Result<Vec<Group>, Error> {
    may_read(permit)?;
    let found = sqlx::query(SELECT).fetch_all(store.readers()).await?;
    let mut groups = found.iter().map(|found| read(store, found)).collect::<Result<Vec<_>, _>>()?;
    groups.sort_by_cached_key(|group| (name::fold(&group.name), group.id));
    Ok(groups)
}

/// One group.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn get(store: &Store, permit: &Permit, id: GroupId) -> Result<Group, Error> {
    may_read(permit)?;
    let found = sqlx::query(sqlx::AssertSqlSafe(format!("{SELECT} WHERE g.id = $1")))
        .bind(id.to_string())
        .fetch_optional(store.readers())
        .await?
        .ok_or(Error::NotFound)?;
    read(store, &found)
}

/// Who is in which group, for all of them.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to read people, manage groups or review access.
pub async fn memberships(store: &Store, permit: &Permit) -> Result<BTreeMap<UserId, Vec<GroupId>>, Error> {
    may_read(permit)?;
    let found = sqlx::query("SELECT account, member_of FROM group_members ORDER BY account")
        .fetch_all(store.readers())
        .await?;
    let mut all: BTreeMap<UserId, Vec<GroupId>> = BTreeMap::new();
    for found in &found {
        all.entry(row::id(found, "account")?).or_default().push(row::id(found, "member_of")?);
    }
    Ok(all)
}

/// Everybody's memberships, with since when. The permit is to review access.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn placements(store: &Store, permit: &Permit) -> Result<Vec<(UserId, GroupId, Timestamp)>, Error> {
    permit.instance(Action::ReviewAccess)?;
    let found =
        sqlx::query("SELECT account, member_of, added FROM group_members ORDER BY account, member_of")
            .fetch_all(store.readers())
            .await?;
    let read = |found: &AnyRow| {
        Ok((row::id(found, "account")?, row::id(found, "member_of")?, row::time(found, "added")?))
    };
    found.iter().map(read).collect()
}

/// Who is in one group.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to read people, manage groups or review access.
pub async fn members(store: &Store, permit: &Permit, id: GroupId) -> Result<Vec<UserId>, Error> {
    may_read(permit)?;
    let found = sqlx::query("SELECT account FROM group_members WHERE member_of = $1 ORDER BY account")
        .bind(id.to_string())
        .fetch_all(store.readers())
        .await?;
    found.iter().map(|found| row::id(found, "account")).collect()
}

/// What holds for `user`. The permit is for authentication: this is asked when somebody is recognised.
///
/// # Errors
/// [`Error::Denied`] for any other permit; [`Error::Damaged`] when a group's bounds cannot be read, so that
/// nobody is let in without them.
pub async fn bounds_of(store: &Store, permit: &Permit, user: UserId) -> Result<Bounds, Error> {
    permit.instance(Action::Authenticate)?;
    let found = sqlx::query(
        "SELECT g.id, g.name, g.bounds FROM group_members m JOIN account_groups g ON g.id = m.member_of WHERE m.account = $1",
    )
    .bind(user.to_string())
    .fetch_all(store.readers())
    .await?;
    found.iter().try_fold(Bounds::default(), |mut bounds, found| {
        bounds.groups.insert(name_of(store, found)?);
        Ok(bounds.and(&parse(found)?))
    })
}

fn may_read(permit: &Permit) -> Result<(), Error> {
    any(permit, &LOOKS)
}

fn read(store: &Store, found: &AnyRow) -> Result<Group, Error> {
    let id: GroupId = row::id(found, "id")?;
    Ok(Group {
        id,
        name: name_of(store, found)?,
        bounds: parse(found)?,
        created: row::time(found, "created")?,
        members: u32::try_from(found.try_get::<i64, _>("members")?).unwrap_or(u32::MAX),
    })
}

fn name_of(store: &Store, found: &AnyRow) -> Result<String, Error> {
    let id: GroupId = row::id(found, "id")?;
    NAME.open_text(store.system_dek(), &id.to_string(), &row::bytes(found, "name")?)
}

fn parse(found: &AnyRow) -> Result<Bounds, Error> {
    serde_json::from_str(&found.try_get::<String, _>("bounds")?)
        .map_err(|_| Error::damaged("the bounds of a group have the wrong shape"))
}

fn spell(bounds: &Bounds) -> Result<String, Error> {
    serde_json::to_string(bounds).map_err(|_| Error::damaged("the bounds of a group have the wrong shape"))
}

fn seal(tx: &Tx, id: GroupId, group_name: &str) -> Result<Vec<u8>, Error> {
    NAME.seal(tx.store().system_dek(), &id.to_string(), group_name.as_bytes(), tx.entropy())
}

fn lookup(store: &Store, group_name: &str) -> Vec<u8> {
    store.mac(LOOKUP, name::fold(group_name).as_bytes()).to_vec()
}
