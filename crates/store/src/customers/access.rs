//! Opening records: for staff, each time with an entry in the audit log.
//!
//! Invariant: [`noted`] has committed before anything is unsealed, so what cannot be written down is not shown.

use domain::{
    Action, Ctx, Permit, Timestamp,
    audit::{Act, Entry},
    customer::{Appointment, Class, Confidential, Internal, Order, Restricted},
    enforced,
    id::CustomerId,
};
use sqlx::Row;

use super::{CONFIDENTIAL, INTERNAL, RESTRICTED, appointments, opens, orders};
use crate::{Error, Store, roles::any, row};

/// A record as staff open it.
#[derive(Clone, Debug)]
pub struct Record {
    /// The identifier.
    pub id: CustomerId,
    /// Whether it is made up.
    pub sample: bool,
    /// When it was made.
    pub created: Timestamp,
    /// When something was last heard of the customer.
    pub touched: Timestamp,
    /// What is internal.
    pub internal: Internal,
    /// What is confidential.
    pub confidential: Confidential,
    /// What is restricted, for those who may see it.
    pub restricted: Option<Restricted>,
    /// Whether there is anything restricted.
    pub has_restricted: bool,
    /// The orders, the newest first.
    pub orders: Vec<Order>,
    /// The appointments, the next first.
    pub appointments: Vec<Appointment>,
}

/// A line of the list: nothing in it tells who somebody is.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The identifier.
    pub id: CustomerId,
    /// What is internal.
    pub internal: Internal,
    /// Whether it is made up.
    pub sample: bool,
    /// When something was last heard of them.
    pub touched: Timestamp,
}

/// Notes that a record is about to be opened.
pub(super) async fn noted(store: &Store, ctx: &Ctx, id: CustomerId, act: Act) -> Result<(), Error> {
    let mut tx = store.begin(ctx).await?;
    let done = sqlx::query("UPDATE customers SET opened = opened + 1 WHERE id = $1")
        .bind(id.to_string())
        .execute(tx.db())
        .await?;
    row::exactly_one(&done)?;
    enforced!(CUS03);
    tx.commit(Entry::new(act, id)).await
}

/// Opens a record. The permit is to read customers, or what is restricted as well.
///
/// # Errors
/// [`Error::NotFound`] when there is no such customer.
pub async fn open(store: &Store, ctx: &Ctx, permit: &Permit, id: CustomerId) -> Result<Record, Error> {
    any(permit, &[Action::ReadCustomers, Action::ReadRestricted])?;
    let sees_restricted = opens(permit, Class::Restricted);
    let act = if sees_restricted { Act::RestrictedOpened } else { Act::CustomerOpened };
    noted(store, ctx, id, act).await?;
    let key = id.to_string();
    let found = sqlx::query(
        "SELECT internal, confidential, restricted, sample, created, touched FROM customers WHERE id = $1",
    )
    .bind(key.as_str())
    .fetch_optional(store.readers())
    .await?
    .ok_or(Error::NotFound)?;
    let dek = store.dek(id).await?;
    let sealed: Option<Vec<u8>> = found.try_get("restricted")?;
    let restricted = match &sealed {
        Some(sealed) if sees_restricted => Some(RESTRICTED.open_json(&dek, &key, sealed)?),
        _ => None,
    };
    Ok(Record {
        id,
        sample: row::flag(&found, "sample")?,
        created: row::time(&found, "created")?,
        touched: row::time(&found, "touched")?,
        internal: INTERNAL.open_json(&dek, &key, &row::bytes(&found, "internal")?)?,
        confidential: CONFIDENTIAL.open_json(&dek, &key, &row::bytes(&found, "confidential")?)?,
        has_restricted: sealed.is_some(),
        restricted,
        orders: orders::of(store, id).await?,
        appointments: appointments::of(store, id).await?,
    })
}

/// The newest customers, at most `most`, without anything that tells who they are. The permit is to read
/// customers.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn list(store: &Store, ctx: &Ctx, permit: &Permit, most: u32) -> Result<Vec<Listed>, Error> {
    permit.instance(Action::ReadCustomers)?;
    let found = sqlx::query(
        "SELECT id, internal, sample, touched FROM customers ORDER BY created DESC, id DESC LIMIT $1",
    )
    .bind(i64::from(most))
    .fetch_all(store.readers())
    .await?;
    store.begin(ctx).await?.commit(Entry::new(Act::CustomersListed, "").times(found.len())).await?;
    let mut listed = Vec::with_capacity(found.len());
    for found in &found {
        let id: CustomerId = row::id(found, "id")?;
        let dek = match store.dek(id).await {
            Ok(dek) => dek,
            // Erased between the two looks.
            Err(Error::NotFound) => continue,
            Err(error) => return Err(error),
        };
        listed.push(Listed {
            id,
            internal: INTERNAL.open_json(&dek, &id.to_string(), &row::bytes(found, "internal")?)?,
            sample: row::flag(found, "sample")?,
            touched: row::time(found, "touched")?,
        });
    }
    Ok(listed)
}
