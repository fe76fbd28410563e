//! Accounts: who has one, what they may do, how they like their pages.
//!
//! `identity` calls this. Names are sealed under the person's key and found by a keyed hash of the folded
//! name, so that the table says nobody's name.

use domain::{
    Action, Permit, Timestamp,
    access::{Role, Roles},
    id::UserId,
    name,
};
use serde::{Deserialize, Serialize};
use sqlx::{Row, any::AnyRow};

use crate::{Error, Store, Tx, cell::Cell, roles as grants, row, store::number};

const NAME: Cell = Cell::new("accounts", "name");
const SETTINGS: Cell = Cell::new("accounts", "settings");
const LOOKUP: &str = "account-name";

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its identifier.
    pub id: UserId,
    /// The name its person signs in with.
    pub name: String,
    /// What it may do.
    pub roles: Roles,
    /// When it was made.
    pub created: Timestamp,
    /// Whether it may sign in.
    pub active: bool,
    /// How its person likes things.
    pub settings: Settings,
}

/// What a person chose for themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Language of the pages, a BCP 47 tag; empty follows the browser.
    pub language: String,
    /// `light`, `dark`, or empty to follow the system.
    pub theme: String,
    /// The model chosen last.
    pub model: Option<String>,
}

/// How many accounts there are.
///
/// # Errors
/// When the store cannot be read.
pub async fn count(store: &Store) -> Result<u64, Error> {
    let found = sqlx::query("SELECT COUNT(*) FROM accounts").fetch_one(store.readers()).await?;
    Ok(number(&found)?.unsigned_abs())
}

/// Makes the account `id` and its key.
///
/// # Errors
/// [`Error::Conflict`] when the name or the identifier is taken.
pub async fn create(tx: &mut Tx, permit: &Permit, id: UserId, name: &str, roles: Roles) -> Result<(), Error> {
    if permit.subject(Action::WriteAccount)? != id {
        return Err(Error::NotFound);
    }
    let dek = tx.new_dek(id).await?;
    let (key, lookup, now) = (id.to_string(), lookup(tx.store(), name), tx.now());
    let sealed_name = NAME.seal(&dek, &key, name.as_bytes(), tx.entropy())?;
    let settings = SETTINGS.seal_json(&dek, &key, &Settings::default(), tx.entropy())?;
    sqlx::query(
        "INSERT INTO accounts (id, lookup, name, roles, active, settings, created) VALUES ($1, $2, $3, $4, 1, $5, $6)",
    )
    .bind(key)
    .bind(lookup)
    .bind(sealed_name)
    .bind(spell(roles))
    .bind(settings)
    .bind(now.0)
    .execute(tx.db())
    .await?;
    grants::remember(tx, id, roles).await
}

/// The account called `name`, in whatever spelling. The permit is for authentication.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn find(store: &Store, permit: &Permit, name: &str) -> Result<Option<Account>, Error> {
    permit.instance(Action::Authenticate)?;
    let found =
        sqlx::query("SELECT id, name, roles, active, settings, created FROM accounts WHERE lookup = $1")
            .bind(lookup(store, name))
            .fetch_optional(store.readers())
            .await?;
    match found {
        Some(found) => Ok(Some(read(store, &found).await?)),
        None => Ok(None),
    }
}

/// The permit's account.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn get(store: &Store, permit: &Permit) -> Result<Account, Error> {
    let subject = permit.subject(Action::ReadAccount)?;
    let found = sqlx::query("SELECT id, name, roles, active, settings, created FROM accounts WHERE id = $1")
        .bind(subject.to_string())
        .fetch_optional(store.readers())
        .await?
        .ok_or(Error::NotFound)?;
    read(store, &found).await
}

/// Keeps what the permit's person chose.
///
/// # Errors
/// [`Error::NotFound`] when there is no such account.
pub async fn save_settings(tx: &mut Tx, permit: &Permit, settings: &Settings) -> Result<(), Error> {
    let subject = permit.subject(Action::WriteAccount)?;
    let (dek, key) = (tx.dek(subject).await?, subject.to_string());
    let sealed = SETTINGS.seal_json(&dek, &key, settings, tx.entropy())?;
    let done = sqlx::query("UPDATE accounts SET settings = $1 WHERE id = $2")
        .bind(sealed)
        .bind(key)
        .execute(tx.db())
        .await?;
    row::exactly_one(&done)
}

/// The name and the settings in a row that has them beside others'.
pub(crate) async fn open_own(store: &Store, id: UserId, found: &AnyRow) -> Result<(String, Settings), Error> {
    let (dek, key) = (store.dek(id).await?, id.to_string());
    let name = NAME.open_text(&dek, &key, &row::bytes(found, "name")?)?;
    Ok((name, SETTINGS.open_json(&dek, &key, &row::bytes(found, "settings")?)?))
}

/// What somebody is called. The caller has shown a permit that lets it say so.
pub(crate) async fn name_of(store: &Store, id: UserId) -> Result<String, Error> {
    let found = sqlx::query("SELECT name FROM accounts WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(store.readers())
        .await?
        .ok_or(Error::NotFound)?;
    open_name(store, id, &found).await
}

/// The name in a row of accounts.
pub(crate) async fn open_name(store: &Store, id: UserId, found: &AnyRow) -> Result<String, Error> {
    NAME.open_text(&*store.dek(id).await?, &id.to_string(), &row::bytes(found, "name")?)
}

async fn read(store: &Store, found: &AnyRow) -> Result<Account, Error> {
    let id: UserId = row::id(found, "id")?;
    let (dek, key) = (store.dek(id).await?, id.to_string());
    Ok(Account {
        id,
        name: NAME.open_text(&dek, &key, &row::bytes(found, "name")?)?,
        roles: roles(&found.try_get::<String, _>("roles")?),
        created: row::time(found, "created")?,
        active: row::flag(found, "active")?,
        settings: SETTINGS.open_json(&dek, &key, &row::bytes(found, "settings")?)?,
    })
}

pub(crate) fn lookup(store: &Store, account_name: &str) -> Vec<u8> {
    store.mac(LOOKUP, name::fold(account_name).as_bytes()).to_vec()
}

/// Roles as the table spells them: names with commas between.
pub(crate) fn spell(roles: Roles) -> String {
    let held: Vec<_> = Role::ALL.into_iter().filter(|role| roles.has(*role)).map(Role::as_str).collect();
    held.join(",")
}

/// Roles from their spelling. A role this version does not know gives no right.
pub(crate) fn roles(spelt: &str) -> Roles {
    spelt.split(',').filter_map(|name| Role::ALL.into_iter().find(|role| role.as_str() == name)).collect()
}
