//! Invitations to make an account. The token itself is never kept, only its SHA-256.
//!
//! `identity` calls this. The address is sealed under the system's key: its person has none yet. Invariant:
//! an invitation is used up in the transaction that makes the account.

use domain::{
    Action, Permit, Timestamp,
    access::Roles,
    id::{InvitationId, UserId},
    mail::Address,
};
use sqlx::{Row, any::AnyRow};

use crate::{Error, Store, Tx, accounts, cell::Cell, row, store::number};

const ADDRESS: Cell = Cell::new("invitations", "address");
const COLUMNS: &str = "SELECT id, address, roles, inviter, created, expires FROM invitations";

/// An invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Its identifier.
    pub id: InvitationId,
    /// Where it was sent; `None` when it is a link to hand over.
    pub address: Option<Address>,
    /// What the account may do.
    pub roles: Roles,
    /// Who invited; `None` when it was no person. Goes with that account.
    pub inviter: Option<UserId>,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
}

/// Keeps an invitation. The permit is to manage people.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn create(
    tx: &mut Tx,
    permit: &Permit,
    invitation: &Invitation,
    token_hash: [u8; 32],
) -> Result<(), Error> {
    permit.instance(Action::ManagePeople)?;
    let key = invitation.id.to_string();
    let address = match &invitation.address {
        Some(address) => {
            let system = tx.store().system_dek();
            Some(ADDRESS.seal(system, &key, address.as_str().as_bytes(), tx.entropy())?)
        }
        None => None,
    };
    sqlx::query(
        "INSERT INTO invitations (id, token, address, roles, inviter, created, expires) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(key)
    .bind(token_hash.to_vec())
    .bind(address)
    .bind(accounts::spell(invitation.roles))
    .bind(invitation.inviter.map(|inviter| inviter.to_string()))
    .bind(invitation.created.0)
    .bind(invitation.expires.0)
    .execute(tx.db())
    .await?;
    Ok(())
}

/// The invitation with this token hash. The permit is for authentication.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn by_token(
    store: &Store,
    permit: &Permit,
    token_hash: [u8; 32],
) -> Result<Option<Invitation>, Error> {
    permit.instance(Action::Authenticate)?;
    let found = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE token = $1")))
        .bind(token_hash.to_vec())
        .fetch_optional(store.readers())
        .await?;
    found.map(|found| read(store, &found)).transpose()
}

/// Every invitation, newest first. The permit is to read people.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn list(store: &Store, permit: &Permit) -> Result<Vec<Invitation>, Error> {
    permit.instance(Action::ReadPeople)?;
    let found = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} ORDER BY created DESC, id DESC")))
        .fetch_all(store.readers())
        .await?;
    found.iter().map(|found| read(store, found)).collect()
}

/// Takes an invitation back. `false`: there is none. The permit is to manage people.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn withdraw(tx: &mut Tx, permit: &Permit, id: InvitationId) -> Result<bool, Error> {
    permit.instance(Action::ManagePeople)?;
    delete(tx, id).await
}

/// Uses an invitation up, for the account of `permit` that is being made. `false`: it is gone.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change an account.
pub async fn use_up(tx: &mut Tx, permit: &Permit, id: InvitationId) -> Result<bool, Error> {
    permit.subject(Action::WriteAccount)?;
    delete(tx, id).await
}

/// Takes back every invitation `inviter` has open, because they may not invite any more.
pub(crate) async fn withdraw_of(tx: &mut Tx, inviter: UserId) -> Result<(), Error> {
    tx.note_deletion();
    sqlx::query("DELETE FROM invitations WHERE inviter = $1")
        .bind(inviter.to_string())
        .execute(tx.db())
        .await?;
    Ok(())
}

async fn delete(tx: &mut Tx, id: InvitationId) -> Result<bool, Error> {
    tx.note_deletion();
    let done =
        sqlx::query("DELETE FROM invitations WHERE id = $1").bind(id.to_string()).execute(tx.db()).await?;
    Ok(done.rows_affected() == 1)
}

/// Removes invitations that ended before `now`; says how many.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change the instance.
pub async fn clear(tx: &mut Tx, permit: &Permit, now: Timestamp) -> Result<u64, Error> {
    permit.instance(Action::WriteInstance)?;
    let done =
        sqlx::query("DELETE FROM invitations WHERE expires <= $1").bind(now.0).execute(tx.db()).await?;
    Ok(done.rows_affected())
}

fn read(store: &Store, found: &AnyRow) -> Result<Invitation, Error> {
    let id: InvitationId = row::id(found, "id")?;
    let address = match found.try_get::<Option<Vec<u8>>, _>("address")? {
        Some(sealed) => {
            let text = ADDRESS.open_text(store.system_dek(), &id.to_string(), &sealed)?;
            Some(Address::read(&text).map_err(|_| Error::damaged("an address has the wrong shape"))?)
        }
        None => None,
    };
    Ok(Invitation {
        id,
        address,
        roles: accounts::roles(&found.try_get::<String, _>("roles")?),
        inviter: row::maybe_id(found, "inviter")?,
        created: row::time(found, "created")?,
        expires: row::time(found, "expires")?,
    })
}

/// How many there are, as they stand for the running transaction.
///
/// # Errors
/// When the store cannot be read.
pub async fn count(tx: &mut Tx) -> Result<u64, Error> {
    let found = sqlx::query("SELECT COUNT(*) FROM invitations").fetch_one(tx.db()).await?;
    Ok(number(&found)?.unsigned_abs())
}
