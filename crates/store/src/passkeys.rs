//! Passkeys: public keys of authenticators, sealed; found by a keyed hash of their credential id.
//!
//! `identity` calls this and does all verifying. Invariant: a passkey that is suspended, or whose counter
//! did not go up, is not used, whatever was verified before: [`note_use`] decides in the transaction.

use domain::{
    Action, Permit, Timestamp,
    id::{PasskeyId, UserId},
};
use keys::Dek;
use sqlx::{Row, any::AnyRow};
use zeroize::Zeroizing;

use crate::{Error, Store, Tx, cell::Cell, credentials::changing, row};

const NAME: Cell = Cell::new("passkeys", "name");
const PASSKEY: Cell = Cell::new("passkeys", "passkey");
const LOOKUP: &str = "passkey";

/// A passkey of a person.
#[derive(Clone)]
pub struct Passkey {
    /// Its identifier here.
    pub id: PasskeyId,
    /// Whose it is.
    pub user: UserId,
    /// The host name it was made for; it works nowhere else.
    pub party: String,
    /// What its person calls it.
    pub name: String,
    /// What is needed to verify it, as `identity` wrote it.
    pub passkey: Zeroizing<Vec<u8>>,
    /// Whether it may have been copied, and opens nothing any more.
    pub suspended: bool,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last used.
    pub last_used: Option<Timestamp>,
}

impl std::fmt::Debug for Passkey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passkey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A passkey to be kept.
pub struct NewPasskey<'a> {
    /// Its identifier here.
    pub id: PasskeyId,
    /// The authenticator's own identifier of it.
    pub credential: &'a [u8],
    /// The host name it was made for.
    pub party: &'a str,
    /// What its person calls it.
    pub name: &'a str,
    /// What is needed to verify it.
    pub passkey: &'a [u8],
    /// Where its counter stands.
    pub counter: u32,
}

/// Keeps a passkey of the permit's person.
///
/// # Errors
/// [`Error::Conflict`] when this credential is kept already, whoever's it is.
pub async fn create(tx: &mut Tx, permit: &Permit, new: &NewPasskey<'_>, now: Timestamp) -> Result<(), Error> {
    let subject = changing(permit)?;
    let (dek, key) = (tx.dek(subject).await?, new.id.to_string());
    let name = NAME.seal(&dek, &key, new.name.as_bytes(), tx.entropy())?;
    let passkey = PASSKEY.seal(&dek, &key, new.passkey, tx.entropy())?;
    let credential = lookup(tx.store(), new.credential);
    sqlx::query(
        "INSERT INTO passkeys (id, account, credential, party, name, passkey, counter, suspended, created) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8)",
    )
    .bind(key)
    .bind(subject.to_string())
    .bind(credential)
    .bind(new.party)
    .bind(name)
    .bind(passkey)
    .bind(i64::from(new.counter))
    .bind(now.0)
    .execute(tx.db())
    .await?;
    Ok(())
}

/// The passkeys of the permit's person, oldest first.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to read the account.
pub async fn list(store: &Store, permit: &Permit) -> Result<Vec<Passkey>, Error> {
    let subject = permit.subject(Action::ReadAccount)?;
    let found = sqlx::query(
        "SELECT id, account, party, name, passkey, suspended, created, last_used FROM passkeys \
         WHERE account = $1 ORDER BY created, id",
    )
    .bind(subject.to_string())
    .fetch_all(store.readers())
    .await?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let dek = store.dek(subject).await?;
    found.iter().map(|found| read(&dek, found)).collect()
}

/// Notes that a passkey was used, with what changed about it. `false`: it is not there, is suspended, or
/// its counter stands where it stood or higher; then it was not used.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change the account.
pub async fn note_use(
    tx: &mut Tx,
    permit: &Permit,
    id: PasskeyId,
    passkey: &[u8],
    counter: u32,
    now: Timestamp,
) -> Result<bool, Error> {
    let subject = permit.subject(Action::WriteAccount)?;
    let (dek, key) = (tx.dek(subject).await?, id.to_string());
    let sealed = PASSKEY.seal(&dek, &key, passkey, tx.entropy())?;
    // Authenticators without a counter always say 0.
    let done = sqlx::query(
        "UPDATE passkeys SET passkey = $1, counter = $2, last_used = $3 WHERE id = $4 AND account = $5 \
         AND suspended = 0 AND (counter < $2 OR (counter = 0 AND $2 = 0))",
    )
    .bind(sealed)
    .bind(i64::from(counter))
    .bind(now.0)
    .bind(key)
    .bind(subject.to_string())
    .execute(tx.db())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Puts a passkey out of use, because it may have been copied. `false`: it was not in use.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change the account.
pub async fn suspend(tx: &mut Tx, permit: &Permit, id: PasskeyId) -> Result<bool, Error> {
    let account = permit.subject(Action::WriteAccount)?.to_string();
    let done =
        sqlx::query("UPDATE passkeys SET suspended = 1 WHERE id = $1 AND account = $2 AND suspended = 0")
            .bind(id.to_string())
            .bind(account)
            .execute(tx.db())
            .await?;
    Ok(done.rows_affected() == 1)
}

/// Calls a passkey of the permit's person something else.
///
/// # Errors
/// [`Error::NotFound`] when it is not among theirs.
pub async fn rename(tx: &mut Tx, permit: &Permit, id: PasskeyId, name: &str) -> Result<(), Error> {
    let subject = changing(permit)?;
    let (dek, key) = (tx.dek(subject).await?, id.to_string());
    let name = NAME.seal(&dek, &key, name.as_bytes(), tx.entropy())?;
    let done = sqlx::query("UPDATE passkeys SET name = $1 WHERE id = $2 AND account = $3")
        .bind(name)
        .bind(key)
        .bind(subject.to_string())
        .execute(tx.db())
        .await?;
    row::exactly_one(&done)
}

/// Takes a passkey away.
///
/// # Errors
/// [`Error::NotFound`] when it is not among the permit's person's.
pub async fn remove(tx: &mut Tx, permit: &Permit, id: PasskeyId) -> Result<(), Error> {
    let account = changing(permit)?.to_string();
    tx.note_deletion();
    let done = sqlx::query("DELETE FROM passkeys WHERE id = $1 AND account = $2")
        .bind(id.to_string())
        .bind(account)
        .execute(tx.db())
        .await?;
    row::exactly_one(&done)
}

/// Takes all passkeys of the permit's person away; says how many.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change the account.
pub async fn remove_all(tx: &mut Tx, permit: &Permit) -> Result<u64, Error> {
    let account = changing(permit)?.to_string();
    tx.note_deletion();
    let done = sqlx::query("DELETE FROM passkeys WHERE account = $1").bind(account).execute(tx.db()).await?;
    Ok(done.rows_affected())
}

fn lookup(store: &Store, credential: &[u8]) -> Vec<u8> {
    store.mac(LOOKUP, credential).to_vec()
}

fn read(dek: &Dek, found: &AnyRow) -> Result<Passkey, Error> {
    let id: PasskeyId = row::id(found, "id")?;
    let key = id.to_string();
    Ok(Passkey {
        id,
        user: row::id(found, "account")?,
        party: found.try_get("party")?,
        name: NAME.open_text(dek, &key, &row::bytes(found, "name")?)?,
        passkey: PASSKEY.open(dek, &key, &row::bytes(found, "passkey")?)?,
        suspended: row::flag(found, "suspended")?,
        created: row::time(found, "created")?,
        last_used: found.try_get::<Option<i64>, _>("last_used")?.map(Timestamp),
    })
}
