//! E-mail addresses of accounts, and the mailed links that are good once.
//!
//! `identity` calls this. Addresses are sealed under their person's key and found by a keyed hash. Only
//! confirmed ones stand in `emails`, so nobody takes another's address by claiming it. Invariant: a link's
//! token is kept as a hash, and following it removes it in the same transaction.

use domain::{Action, Permit, Timestamp, id::UserId, mail::Address};
use sqlx::Row;

use crate::{Error, Store, Tx, cell::Cell, row};

const ADDRESS: Cell = Cell::new("emails", "address");
const PENDING: Cell = Cell::new("mail_links", "address");
const LOOKUP: &str = "account-email";

/// What a mailed link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To confirm an address.
    Confirm,
    /// To choose a new password.
    Reset,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Reset => "reset",
        }
    }
}

/// A link that was followed.
#[derive(Clone, Debug)]
pub struct Link {
    /// Whose it is.
    pub user: UserId,
    /// The address it was sent to, when it confirms one.
    pub address: Option<Address>,
    /// When it ends.
    pub expires: Timestamp,
}

/// The confirmed address of the permit's person.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to read or change the account.
pub async fn get(store: &Store, permit: &Permit) -> Result<Option<Address>, Error> {
    let subject =
        permit.subject_of(&[Action::ReadAccount, Action::WriteAccount, Action::ManageCredentials])?;
    let found = sqlx::query("SELECT address FROM emails WHERE account = $1")
        .bind(subject.to_string())
        .fetch_optional(store.readers())
        .await?;
    let Some(found) = found else { return Ok(None) };
    let dek = store.dek(subject).await?;
    let text = ADDRESS.open_text(&dek, &subject.to_string(), &row::bytes(&found, "address")?)?;
    Address::read(&text).map(Some).map_err(|_| Error::damaged("an address has the wrong shape"))
}

/// Whose confirmed address this is, when its account may sign in. The permit is for authentication.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn find(store: &Store, permit: &Permit, address: &Address) -> Result<Option<UserId>, Error> {
    permit.instance(Action::Authenticate)?;
    let found = sqlx::query(
        "SELECT e.account FROM emails e JOIN accounts a ON a.id = e.account WHERE e.lookup = $1 AND a.active = 1",
    )
    .bind(lookup(store, address))
    .fetch_optional(store.readers())
    .await?;
    found.map(|found| row::id(&found, "account")).transpose()
}

/// Makes `address` that of the permit's person. It has been confirmed.
///
/// # Errors
/// [`Error::Conflict`] when it is another account's.
pub async fn set(tx: &mut Tx, permit: &Permit, address: &Address) -> Result<(), Error> {
    let subject = permit.subject(Action::WriteAccount)?;
    let (dek, key, now) = (tx.dek(subject).await?, subject.to_string(), tx.now());
    let sealed = ADDRESS.seal(&dek, &key, address.as_str().as_bytes(), tx.entropy())?;
    let lookup = lookup(tx.store(), address);
    sqlx::query(
        "INSERT INTO emails (account, lookup, address, confirmed) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (account) DO UPDATE SET lookup = excluded.lookup, address = excluded.address, \
         confirmed = excluded.confirmed",
    )
    .bind(key)
    .bind(lookup)
    .bind(sealed)
    .bind(now.0)
    .execute(tx.db())
    .await?;
    Ok(())
}

/// Makes `address` that of the permit's person, who has none yet, unless it is another account's. It has been
/// confirmed. `false`: it is another's.
///
/// # Errors
/// [`Error::NotFound`] when there is no such account.
pub async fn set_if_free(tx: &mut Tx, permit: &Permit, address: &Address) -> Result<bool, Error> {
    let lookup = lookup(tx.store(), address);
    let taken = sqlx::query("SELECT account FROM emails WHERE lookup = $1").bind(lookup);
    if taken.fetch_optional(tx.db()).await?.is_some() {
        return Ok(false);
    }
    set(tx, permit, address).await?;
    Ok(true)
}

/// Forgets the address of the permit's person. `false`: there was none.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change the account.
pub async fn remove(tx: &mut Tx, permit: &Permit) -> Result<bool, Error> {
    let account = permit.subject_of(&[Action::WriteAccount, Action::ManageCredentials])?.to_string();
    tx.note_deletion();
    let done = sqlx::query("DELETE FROM emails WHERE account = $1").bind(account).execute(tx.db()).await?;
    Ok(done.rows_affected() == 1)
}

/// Keeps a link of the permit's person; an earlier one for the same purpose ends.
///
/// # Errors
/// [`Error::NotFound`] when there is no such account.
pub async fn keep_link(
    tx: &mut Tx,
    permit: &Permit,
    purpose: Purpose,
    token_hash: [u8; 32],
    address: Option<&Address>,
    expires: Timestamp,
) -> Result<(), Error> {
    let subject = permit.subject_of(&[Action::WriteAccount, Action::ManageCredentials])?;
    let (dek, now) = (tx.dek(subject).await?, tx.now());
    let place = place(subject, purpose);
    let sealed = match address {
        Some(address) => Some(PENDING.seal(&dek, &place, address.as_str().as_bytes(), tx.entropy())?),
        None => None,
    };
    sqlx::query(
        "INSERT INTO mail_links (account, purpose, token, address, created, expires) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (account, purpose) DO UPDATE SET \
         token = excluded.token, address = excluded.address, created = excluded.created, expires = excluded.expires",
    )
    .bind(subject.to_string())
    .bind(purpose.as_str())
    .bind(token_hash.to_vec())
    .bind(sealed)
    .bind(now.0)
    .bind(expires.0)
    .execute(tx.db())
    .await?;
    Ok(())
}

/// The link with this token hash, when its account may sign in. The permit is for authentication.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn link(
    store: &Store,
    permit: &Permit,
    purpose: Purpose,
    token_hash: [u8; 32],
) -> Result<Option<Link>, Error> {
    permit.instance(Action::Authenticate)?;
    let found = sqlx::query(
        "SELECT l.account, l.address, l.expires FROM mail_links l JOIN accounts a ON a.id = l.account \
         WHERE l.token = $1 AND l.purpose = $2 AND a.active = 1",
    )
    .bind(token_hash.to_vec())
    .bind(purpose.as_str())
    .fetch_optional(store.readers())
    .await?;
    let Some(found) = found else { return Ok(None) };
    let user: UserId = row::id(&found, "account")?;
    let address = match found.try_get::<Option<Vec<u8>>, _>("address")? {
        Some(sealed) => {
            let dek = store.dek(user).await?;
            let text = PENDING.open_text(&dek, &place(user, purpose), &sealed)?;
            Some(Address::read(&text).map_err(|_| Error::damaged("an address has the wrong shape"))?)
        }
        None => None,
    };
    Ok(Some(Link { user, address, expires: row::time(&found, "expires")? }))
}

/// Uses up the link of the permit's person with this token hash. `false`: it is gone.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change the account.
pub async fn use_link(tx: &mut Tx, permit: &Permit, token_hash: [u8; 32]) -> Result<bool, Error> {
    let account = permit.subject(Action::WriteAccount)?.to_string();
    let done = sqlx::query("DELETE FROM mail_links WHERE token = $1 AND account = $2")
        .bind(token_hash.to_vec())
        .bind(account)
        .execute(tx.db())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// When the living link of the permit's person for `purpose` was made, if there is one at `now`.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to read or change the account.
pub async fn link_made(
    store: &Store,
    permit: &Permit,
    purpose: Purpose,
    now: Timestamp,
) -> Result<Option<Timestamp>, Error> {
    let account = permit.subject_of(&[Action::ReadAccount, Action::WriteAccount])?.to_string();
    let found =
        sqlx::query("SELECT created FROM mail_links WHERE account = $1 AND purpose = $2 AND expires > $3")
            .bind(account)
            .bind(purpose.as_str())
            .bind(now.0)
            .fetch_optional(store.readers())
            .await?;
    found.map(|found| row::time(&found, "created")).transpose()
}

/// Removes links that ended before `now`; says how many.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change the instance.
pub async fn clear_links(tx: &mut Tx, permit: &Permit, now: Timestamp) -> Result<u64, Error> {
    permit.instance(Action::WriteInstance)?;
    let done = sqlx::query("DELETE FROM mail_links WHERE expires <= $1").bind(now.0).execute(tx.db()).await?;
    Ok(done.rows_affected())
}

fn lookup(store: &Store, address: &Address) -> Vec<u8> {
    store.mac(LOOKUP, address.folded().as_bytes()).to_vec()
}

/// A row of links has two parts to its key; its sealed value is bound to both.
fn place(user: UserId, purpose: Purpose) -> String {
    format!("{user}/{}", purpose.as_str())
}
