//! Orders of customers.
//!
//! Found by a keyed hash of their number; listed for the one customer a permit is for.

use domain::{
    Action, Ctx, Permit,
    audit::Act,
    customer::Order,
    id::{CustomerId, OrderId},
};
use sqlx::{Row, any::AnyRow};

use super::access::noted;
use crate::{Error, Store, Tx, cell::Cell, row};

const RECORD: Cell = Cell::new("customer_orders", "record");

/// The keyed hash an order's number is kept as.
pub(super) fn lookup(store: &Store, reference: &str) -> Vec<u8> {
    store.mac("order-reference", reference.as_bytes()).to_vec()
}

/// Keeps an order of a customer who is there already. The permit is to manage customers.
///
/// # Errors
/// [`Error::NotFound`] when the customer is not there, [`Error::Conflict`] when the number is taken.
pub async fn add(
    tx: &mut Tx,
    permit: &Permit,
    customer: CustomerId,
    id: OrderId,
    order: &Order,
) -> Result<(), Error> {
    permit.instance(Action::ManageCustomers)?;
    super::touch(tx, customer).await?;
    insert(tx, customer, id, order).await
}

/// Whether an order has this number. The permit is to manage customers.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn exists(store: &Store, permit: &Permit, reference: &str) -> Result<bool, Error> {
    permit.instance(Action::ManageCustomers)?;
    let found = sqlx::query("SELECT 1 FROM customer_orders WHERE lookup = $1")
        .bind(lookup(store, reference))
        .fetch_optional(store.readers())
        .await?;
    Ok(found.is_some())
}

pub(super) async fn insert(
    tx: &mut Tx,
    customer: CustomerId,
    id: OrderId,
    order: &Order,
) -> Result<(), Error> {
    let (dek, now, key) = (tx.dek(customer).await?, tx.now(), id.to_string());
    let record = RECORD.seal_json(&dek, &key, order, tx.entropy())?;
    let lookup = lookup(tx.store(), &order.reference);
    sqlx::query(
        "INSERT INTO customer_orders (id, customer, lookup, record, created) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(key)
    .bind(customer.to_string())
    .bind(lookup)
    .bind(record)
    .bind(now.0)
    .execute(tx.db())
    .await?;
    Ok(())
}

/// The orders of the permit's customer, the newest first; noted. The permit is to serve that customer.
///
/// # Errors
/// [`Error::NotFound`] when the customer is gone.
pub async fn list(store: &Store, ctx: &Ctx, permit: &Permit) -> Result<Vec<Order>, Error> {
    let customer = permit.customer(Action::ServeCustomer)?;
    noted(store, ctx, customer, Act::CustomerOpened).await?;
    of(store, customer).await
}

/// The orders of `customer`, the newest first. The caller has noted it.
pub(super) async fn of(store: &Store, customer: CustomerId) -> Result<Vec<Order>, Error> {
    let found = sqlx::query("SELECT id, record FROM customer_orders WHERE customer = $1")
        .bind(customer.to_string())
        .fetch_all(store.readers())
        .await?;
    let dek = store.dek(customer).await?;
    let open = |found: &AnyRow| -> Result<Order, Error> {
        let key: String = found.try_get("id")?;
        RECORD.open_json(&dek, &key, &row::bytes(found, "record")?)
    };
    let mut orders = found.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    orders.sort_by(|one, other| (other.placed, &other.reference).cmp(&(one.placed, &one.reference)));
    Ok(orders)
}
