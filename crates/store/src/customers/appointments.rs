//! Appointments of customers.
//!
//! Invariant: a quarter of an hour is taken once, by the primary key of its table; whoever comes second gets
//! [`Error::Conflict`] and nothing of theirs remains.

use std::collections::BTreeSet;

use domain::{
    Action, Ctx, Permit,
    audit::Act,
    customer::{Appointment, Moment, Series, Slot},
    enforced,
    id::{AppointmentId, CustomerId},
};
use sqlx::{Row, any::AnyRow};
use time::Date;

use super::access::noted;
use crate::{Error, Store, Tx, cell::Cell, roles::any, row, store::number};

const RECORD: Cell = Cell::new("appointments", "record");

/// Makes an appointment for the permit's customer, with the next number. The permit is to serve that customer.
/// What the rules of the desk say is the caller's to ask before.
///
/// # Errors
/// [`Error::Conflict`] when a quarter of it is taken, [`Error::NotFound`] when the customer is gone.
pub async fn make(
    tx: &mut Tx,
    permit: &Permit,
    start: Moment,
    service: &str,
    minutes: u16,
) -> Result<Appointment, Error> {
    let customer = permit.customer(Action::ServeCustomer)?;
    super::touch(tx, customer).await?;
    let reference = Series::Appointment.numbered(next_number(tx).await?);
    let appointment = Appointment { reference, start, service: service.to_owned() };
    insert(tx, customer, &appointment, minutes).await?;
    Ok(appointment)
}

/// The number the next appointment gets.
async fn next_number(tx: &mut Tx) -> Result<u64, Error> {
    let found =
        sqlx::query("SELECT COALESCE(MAX(number), 0) + 1 FROM appointments").fetch_one(tx.db()).await?;
    Ok(number(&found)?.unsigned_abs())
}

/// The number the next appointment gets, for those that are brought in. The permit is to manage customers.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn next(tx: &mut Tx, permit: &Permit) -> Result<u64, Error> {
    permit.instance(Action::ManageCustomers)?;
    next_number(tx).await
}

/// How many appointments of the permit's customer begin or go on after `now`, those of this transaction
/// included. The permit is to serve that customer.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn ahead(tx: &mut Tx, permit: &Permit, now: Moment) -> Result<u64, Error> {
    let customer = permit.customer(Action::ServeCustomer)?;
    let found = sqlx::query(
        "SELECT COUNT(DISTINCT a.id) FROM appointments a JOIN appointment_slots s ON s.appointment = a.id \
         WHERE a.customer = $1 AND s.slot > $2",
    )
    .bind(customer.to_string())
    .bind(Slot::of(now).0)
    .fetch_one(tx.db())
    .await?;
    Ok(number(&found)?.unsigned_abs())
}

pub(super) async fn insert(
    tx: &mut Tx,
    customer: CustomerId,
    appointment: &Appointment,
    minutes: u16,
) -> Result<(), Error> {
    let (dek, now) = (tx.dek(customer).await?, tx.now());
    let id = tx.fresh(AppointmentId::fresh);
    let number = appointment.reference.strip_prefix(Series::Appointment.prefix());
    let number: i64 = number
        .and_then(|number| number.parse().ok())
        .ok_or_else(|| Error::damaged("the number of an appointment has the wrong shape"))?;
    let record = RECORD.seal_json(&dek, &id.to_string(), appointment, tx.entropy())?;
    sqlx::query(
        "INSERT INTO appointments (id, customer, number, record, created) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(id.to_string())
    .bind(customer.to_string())
    .bind(number)
    .bind(record)
    .bind(now.0)
    .execute(tx.db())
    .await?;
    for slot in Slot::from(appointment.start, minutes) {
        enforced!(CUS07);
        sqlx::query("INSERT INTO appointment_slots (slot, appointment) VALUES ($1, $2)")
            .bind(slot.0)
            .bind(id.to_string())
            .execute(tx.db())
            .await?;
    }
    Ok(())
}

/// The quarters of `date` that are taken, by nobody in particular. The permit is to find out who calls, or to
/// manage customers.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn taken(store: &Store, permit: &Permit, date: Date) -> Result<BTreeSet<Slot>, Error> {
    any(permit, &[Action::VerifyCustomer, Action::ManageCustomers])?;
    let (from, to) = Slot::day(date);
    let found = sqlx::query("SELECT slot FROM appointment_slots WHERE slot >= $1 AND slot < $2")
        .bind(from.0)
        .bind(to.0)
        .fetch_all(store.readers())
        .await?;
    found.iter().map(|found| Ok(Slot(number(found)?))).collect()
}

/// Whether an appointment has this number. The permit is to manage customers.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn exists(store: &Store, permit: &Permit, number: i64) -> Result<bool, Error> {
    permit.instance(Action::ManageCustomers)?;
    let found = sqlx::query("SELECT 1 FROM appointments WHERE number = $1")
        .bind(number)
        .fetch_optional(store.readers())
        .await?;
    Ok(found.is_some())
}

/// The appointments of the permit's customer, the next first; noted. The permit is to serve that customer.
///
/// # Errors
/// [`Error::NotFound`] when the customer is gone.
pub async fn list(store: &Store, ctx: &Ctx, permit: &Permit) -> Result<Vec<Appointment>, Error> {
    let customer = permit.customer(Action::ServeCustomer)?;
    noted(store, ctx, customer, Act::CustomerOpened).await?;
    of(store, customer).await
}

/// The appointments of `customer`, the earliest first. The caller has noted it.
pub(super) async fn of(store: &Store, customer: CustomerId) -> Result<Vec<Appointment>, Error> {
    let found = sqlx::query("SELECT id, record FROM appointments WHERE customer = $1")
        .bind(customer.to_string())
        .fetch_all(store.readers())
        .await?;
    let dek = store.dek(customer).await?;
    let open = |found: &AnyRow| -> Result<Appointment, Error> {
        let key: String = found.try_get("id")?;
        RECORD.open_json(&dek, &key, &row::bytes(found, "record")?)
    };
    let mut appointments = found.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    appointments.sort_by_key(|appointment| appointment.start);
    Ok(appointments)
}
