//! What is asked to find out whether a caller is the customer they say they are. Answers are yes or no.
//!
//! `assistant` calls this with the desk's permit to verify. Invariant: nothing of a record is handed out here,
//! but for the address a code is sent to.

use domain::{
    Action, Permit, Timestamp,
    customer::{Confidential, Day, Restricted},
    enforced,
    id::{CustomerId, MailId},
    mail::{Address, Mail},
};
use sqlx::Row;

use super::{CONFIDENTIAL, Handle, RESTRICTED, orders};
use crate::{
    Error, Store, Tx,
    outbox::{self, Letter},
    row,
};

/// Whom failed tries are counted for: a customer, what was said when there is none, and everybody together.
#[derive(Clone, Copy)]
pub enum Whose<'a> {
    /// This customer.
    Known(CustomerId),
    /// Nobody is found by this.
    Unknown(&'a Handle),
    /// The desk as a whole.
    Anybody,
}

shows_nothing!(Whose<'_>);

/// Whether `reference` is the number of an order of `customer`.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to verify customers.
pub async fn has_order(
    store: &Store,
    permit: &Permit,
    customer: CustomerId,
    reference: &str,
) -> Result<bool, Error> {
    permit.instance(Action::VerifyCustomer)?;
    let found = sqlx::query("SELECT 1 FROM customer_orders WHERE lookup = $1 AND customer = $2")
        .bind(orders::lookup(store, reference))
        .bind(customer.to_string())
        .fetch_optional(store.readers())
        .await?;
    Ok(found.is_some())
}

/// Whether `customer` was born on `day`; no when that is not known.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to verify customers.
pub async fn was_born_on(
    store: &Store,
    permit: &Permit,
    customer: CustomerId,
    day: Day,
) -> Result<bool, Error> {
    permit.instance(Action::VerifyCustomer)?;
    let found = sqlx::query("SELECT restricted FROM customers WHERE id = $1")
        .bind(customer.to_string())
        .fetch_optional(store.readers())
        .await?;
    let sealed = found.map(|found| found.try_get::<Option<Vec<u8>>, _>("restricted")).transpose()?.flatten();
    let Some(sealed) = sealed else { return Ok(false) };
    let dek = store.dek(customer).await?;
    let restricted: Restricted = RESTRICTED.open_json(&dek, &customer.to_string(), &sealed)?;
    Ok(restricted.born == Some(day))
}

/// Counts a failed try, or a code that was sent, in the window that began after `since`; says how many there
/// are now.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to verify customers.
pub async fn count_try(
    tx: &mut Tx,
    permit: &Permit,
    whose: Whose<'_>,
    since: Timestamp,
) -> Result<u32, Error> {
    permit.instance(Action::VerifyCustomer)?;
    let (who, now) = (who(tx.store(), whose), tx.now());
    sqlx::query(
        "INSERT INTO customer_tries (who, since, tries) VALUES ($1, $2, 1) ON CONFLICT (who) DO UPDATE SET \
         tries = CASE WHEN customer_tries.since < $3 THEN 1 ELSE customer_tries.tries + 1 END, \
         since = CASE WHEN customer_tries.since < $3 THEN excluded.since ELSE customer_tries.since END",
    )
    .bind(who.as_slice())
    .bind(now.0)
    .bind(since.0)
    .execute(tx.db())
    .await?;
    let found =
        sqlx::query("SELECT tries FROM customer_tries WHERE who = $1").bind(who).fetch_one(tx.db()).await?;
    Ok(u32::try_from(found.try_get::<i64, _>("tries")?).unwrap_or(u32::MAX))
}

/// How many tries are counted in the window that began after `since`.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to verify customers.
pub async fn tries(store: &Store, permit: &Permit, whose: Whose<'_>, since: Timestamp) -> Result<u32, Error> {
    permit.instance(Action::VerifyCustomer)?;
    let found = sqlx::query("SELECT tries FROM customer_tries WHERE who = $1 AND since >= $2")
        .bind(who(store, whose))
        .bind(since.0)
        .fetch_optional(store.readers())
        .await?;
    let tries = found.map(|found| found.try_get::<i64, _>("tries")).transpose()?.unwrap_or(0);
    Ok(u32::try_from(tries).unwrap_or(u32::MAX))
}

/// Notes that a caller proved to be `customer`: their failed tries are forgotten, and their time begins anew.
///
/// # Errors
/// [`Error::NotFound`] when the customer is gone.
pub async fn succeeded(tx: &mut Tx, permit: &Permit, customer: CustomerId) -> Result<(), Error> {
    permit.instance(Action::VerifyCustomer)?;
    super::touch(tx, customer).await?;
    forget_tries(tx, customer).await
}

/// Takes back `count` tries that were counted for the desk as a whole: they were somebody's who proved to be a
/// customer.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to verify customers.
pub async fn take_back(tx: &mut Tx, permit: &Permit, count: u32) -> Result<(), Error> {
    permit.instance(Action::VerifyCustomer)?;
    let who = who(tx.store(), Whose::Anybody);
    sqlx::query(
        "UPDATE customer_tries SET tries = CASE WHEN tries > $1 THEN tries - $1 ELSE 0 END WHERE who = $2",
    )
    .bind(i64::from(count))
    .bind(who)
    .execute(tx.db())
    .await?;
    Ok(())
}

pub(super) async fn forget_tries(tx: &mut Tx, customer: CustomerId) -> Result<(), Error> {
    let who = who(tx.store(), Whose::Known(customer));
    sqlx::query("DELETE FROM customer_tries WHERE who = $1").bind(who).execute(tx.db()).await?;
    Ok(())
}

/// Removes counts whose window began before `since`; says how many. The permit is to manage customers.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn clear_tries(tx: &mut Tx, permit: &Permit, since: Timestamp) -> Result<u64, Error> {
    permit.instance(Action::ManageCustomers)?;
    let done =
        sqlx::query("DELETE FROM customer_tries WHERE since < $1").bind(since.0).execute(tx.db()).await?;
    Ok(done.rows_affected())
}

pub(super) fn who(store: &Store, whose: Whose<'_>) -> Vec<u8> {
    enforced!(CUS05);
    match whose {
        Whose::Known(customer) => store.mac("customer-tries", customer.0.as_bytes()).to_vec(),
        // The same length and the same row: the table tells nobody whether there is such a customer.
        Whose::Unknown(handle) => store.mac("customer-tries-unknown", &handle.hash(store)).to_vec(),
        Whose::Anybody => store.mac("customer-tries-desk", b"").to_vec(),
    }
}

/// Queues a code for `customer`. `false`: there is no address to send it to.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to verify customers.
pub async fn queue_code(
    tx: &mut Tx,
    permit: &Permit,
    customer: CustomerId,
    id: MailId,
    code: Mail,
) -> Result<bool, Error> {
    permit.instance(Action::VerifyCustomer)?;
    let found = sqlx::query("SELECT confidential FROM customers WHERE id = $1")
        .bind(customer.to_string())
        .fetch_optional(tx.db())
        .await?;
    let Some(found) = found else { return Ok(false) };
    let dek = tx.dek(customer).await?;
    let known: Confidential =
        CONFIDENTIAL.open_json(&dek, &customer.to_string(), &row::bytes(&found, "confidential")?)?;
    let Some(to): Option<Address> = known.email else { return Ok(false) };
    outbox::queue_code(tx, permit, customer, id, &Letter { to, language: String::new(), mail: code }).await?;
    Ok(true)
}
