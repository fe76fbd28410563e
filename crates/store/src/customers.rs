//! The register of customers: each a data subject with a key of its own, sealed by class.
//!
//! `assistant` calls this, for staff with permits on the instance as a whole and for callers with a permit for
//! one customer. Invariants: a customer is found by keyed hashes alone; nothing of a record is handed out
//! before the audit log has an entry about it; erasing a customer destroys the key.

/// `Debug` for what tells who somebody is: the name of the type alone.
macro_rules! shows_nothing {
    ($name:ident $(<$life:lifetime>)?) => {
        impl std::fmt::Debug for $name $(<$life>)? {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}

mod access;
pub mod appointments;
pub mod orders;
mod probe;
pub mod verification;

use domain::{
    Action, Permit, Timestamp,
    customer::{Appointment, Class, Details, Order},
    enforced,
    id::{CustomerId, OrderId},
    mail::Address,
};
use sqlx::Row;

use crate::{Error, Store, Tx, cell::Cell, deks, roles::any, row, store::number};

pub use access::{Listed, Record, list, open};
pub use probe::{Register, register};

const INTERNAL: Cell = Cell::new("customers", "internal");
const CONFIDENTIAL: Cell = Cell::new("customers", "confidential");
const RESTRICTED: Cell = Cell::new("customers", "restricted");

/// What a customer is found by.
#[derive(Clone, PartialEq, Eq)]
pub enum Handle {
    /// `CUST0042`.
    Reference(String),
    /// A telephone number.
    Phone(domain::customer::Phone),
    /// An e-mail address.
    Email(Address),
}

shows_nothing!(Handle);

impl Handle {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Reference(_) => "reference",
            Self::Phone(_) => "phone",
            Self::Email(_) => "email",
        }
    }

    /// The keyed hash it is kept as. Nothing else of it reaches the database in a form that can be searched.
    fn hash(&self, store: &Store) -> Vec<u8> {
        enforced!(CUS01);
        let (purpose, text) = match self {
            Self::Reference(reference) => ("customer-reference", reference.clone()),
            Self::Phone(phone) => ("customer-phone", phone.as_str().to_owned()),
            Self::Email(address) => ("customer-email", address.folded()),
        };
        store.mac(purpose, text.as_bytes()).to_vec()
    }

    /// The ways `details` can be found.
    #[must_use]
    pub fn all(details: &Details) -> Vec<Self> {
        let reference = Self::Reference(details.internal.reference.clone());
        let phone = details.confidential.phone.clone().map(Self::Phone);
        let email = details.confidential.email.clone().map(Self::Email);
        std::iter::once(reference).chain(phone).chain(email).collect()
    }
}

/// A customer to be kept.
#[derive(Clone, Debug)]
pub struct New {
    /// The identifier.
    pub id: CustomerId,
    /// What is known.
    pub details: Details,
    /// Whether it is made up, to try things with.
    pub sample: bool,
    /// The orders, each with its identifier.
    pub orders: Vec<(OrderId, Order)>,
    /// The appointments, with the minutes each takes.
    pub appointments: Vec<(Appointment, u16)>,
}

/// Keeps a new customer under a key of its own. The permit is to manage customers.
///
/// # Errors
/// [`Error::Conflict`] when the number, the telephone, the address, an order's number or a time is taken.
pub async fn create(tx: &mut Tx, permit: &Permit, new: &New) -> Result<(), Error> {
    permit.instance(Action::ManageCustomers)?;
    let (key, now) = (new.id.to_string(), tx.now());
    let dek = tx.new_dek(new.id).await?;
    let internal = INTERNAL.seal_json(&dek, &key, &new.details.internal, tx.entropy())?;
    let confidential = CONFIDENTIAL.seal_json(&dek, &key, &new.details.confidential, tx.entropy())?;
    let restricted = match &new.details.restricted {
        Some(restricted) => Some(RESTRICTED.seal_json(&dek, &key, restricted, tx.entropy())?),
        None => None,
    };
    sqlx::query(
        "INSERT INTO customers (id, internal, confidential, restricted, sample, opened, created, touched) \
         VALUES ($1, $2, $3, $4, $5, 0, $6, $6)",
    )
    .bind(key.as_str())
    .bind(internal)
    .bind(confidential)
    .bind(restricted)
    .bind(i64::from(new.sample))
    .bind(now.0)
    .execute(tx.db())
    .await?;
    for handle in Handle::all(&new.details) {
        let hash = handle.hash(tx.store());
        sqlx::query("INSERT INTO customer_lookups (kind, hash, customer) VALUES ($1, $2, $3)")
            .bind(handle.kind())
            .bind(hash)
            .bind(key.as_str())
            .execute(tx.db())
            .await?;
    }
    for (id, order) in &new.orders {
        orders::insert(tx, new.id, *id, order).await?;
    }
    for (appointment, minutes) in &new.appointments {
        appointments::insert(tx, new.id, appointment, *minutes).await?;
    }
    Ok(())
}

/// Who is found by `handle`. The permit is to read or manage customers, or to find out who calls.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn find(store: &Store, permit: &Permit, handle: &Handle) -> Result<Option<CustomerId>, Error> {
    any(permit, &[Action::ReadCustomers, Action::ManageCustomers, Action::VerifyCustomer])?;
    let found = sqlx::query("SELECT customer FROM customer_lookups WHERE kind = $1 AND hash = $2")
        .bind(handle.kind())
        .bind(handle.hash(store))
        .fetch_optional(store.readers())
        .await?;
    found.map(|found| row::id(&found, "customer")).transpose()
}

/// What went with a customer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Orders.
    pub orders: u64,
    /// Appointments; their times are free again.
    pub appointments: u64,
}

/// Erases a customer: every row, every letter that waits for them, every way to find them, and the key. A copy of
/// the database that was made before holds all of it still. The permit is to manage customers.
///
/// # Errors
/// [`Error::NotFound`] when there is no such customer.
pub async fn erase(tx: &mut Tx, permit: &Permit, id: CustomerId) -> Result<Erased, Error> {
    // Everybody was heard of before the end of time.
    erase_unheard(tx, permit, id, Timestamp(i64::MAX)).await
}

/// Erases a customer as [`erase`] does, if nothing was heard of them since `before`.
///
/// # Errors
/// [`Error::NotFound`] when there is no such customer, or something was heard of them meanwhile.
pub async fn erase_unheard(
    tx: &mut Tx,
    permit: &Permit,
    id: CustomerId,
    before: Timestamp,
) -> Result<Erased, Error> {
    permit.instance(Action::ManageCustomers)?;
    let key = id.to_string();
    let mut counts = [0; 2];
    let queries = [
        "SELECT COUNT(*) FROM customer_orders WHERE customer = $1",
        "SELECT COUNT(*) FROM appointments WHERE customer = $1",
    ];
    for (count, query) in counts.iter_mut().zip(queries) {
        let found = sqlx::query(query).bind(key.as_str()).fetch_one(tx.db()).await?;
        *count = number(&found)?.unsigned_abs();
    }
    // Orders, appointments, lookups and letters refer to it and go with it.
    let done = sqlx::query("DELETE FROM customers WHERE id = $1 AND touched < $2")
        .bind(key)
        .bind(before.0)
        .execute(tx.db())
        .await?;
    row::exactly_one(&done)?;
    verification::forget_tries(tx, id).await?;
    enforced!(CUS08);
    deks::destroy(tx, id).await?;
    Ok(Erased { orders: counts[0], appointments: counts[1] })
}

/// The customers that are made up. The permit is to manage customers.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn samples(store: &Store, permit: &Permit) -> Result<Vec<CustomerId>, Error> {
    permit.instance(Action::ManageCustomers)?;
    let found = sqlx::query("SELECT id FROM customers WHERE sample = 1 ORDER BY created, id")
        .fetch_all(store.readers())
        .await?;
    found.iter().map(|found| row::id(found, "id")).collect()
}

/// Customers of whom nothing was heard since `before`, at most `most`. The permit is to manage customers.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn unheard_since(
    store: &Store,
    permit: &Permit,
    before: Timestamp,
    most: u32,
) -> Result<Vec<CustomerId>, Error> {
    permit.instance(Action::ManageCustomers)?;
    let found = sqlx::query("SELECT id FROM customers WHERE touched < $1 ORDER BY touched, id LIMIT $2")
        .bind(before.0)
        .bind(i64::from(most))
        .fetch_all(store.readers())
        .await?;
    found.iter().map(|found| row::id(found, "id")).collect()
}

/// Removes the restricted fields of customers of whom nothing was heard since `before`; says of how many. The
/// permit is to manage customers.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn remove_restricted(tx: &mut Tx, permit: &Permit, before: Timestamp) -> Result<u64, Error> {
    permit.instance(Action::ManageCustomers)?;
    let done =
        sqlx::query("UPDATE customers SET restricted = NULL WHERE touched < $1 AND restricted IS NOT NULL")
            .bind(before.0)
            .execute(tx.db())
            .await?;
    if done.rows_affected() > 0 {
        enforced!(CUS02);
        tx.note_deletion();
    }
    Ok(done.rows_affected())
}

/// Notes that something was heard of a customer, which begins the time after which they are forgotten anew.
async fn touch(tx: &mut Tx, id: CustomerId) -> Result<(), Error> {
    let now = tx.now();
    let done = sqlx::query("UPDATE customers SET touched = $1 WHERE id = $2")
        .bind(now.0)
        .bind(id.to_string())
        .execute(tx.db())
        .await?;
    row::exactly_one(&done)
}

/// How many customers there are, and how many of them are made up. The permit is to read or manage customers.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn count(store: &Store, permit: &Permit) -> Result<(u64, u64), Error> {
    any(permit, &[Action::ReadCustomers, Action::ManageCustomers])?;
    let found = sqlx::query(
        "SELECT COUNT(*) AS everybody, CAST(COALESCE(SUM(sample), 0) AS BIGINT) AS samples FROM customers",
    )
    .fetch_one(store.readers())
    .await?;
    let count = |column: &str| -> Result<u64, Error> { Ok(found.try_get::<i64, _>(column)?.unsigned_abs()) };
    Ok((count("everybody")?, count("samples")?))
}

/// Whether `permit` opens what is of `class`.
fn opens(permit: &Permit, class: Class) -> bool {
    permit.action() == class.right() || permit.action() == Action::ReadRestricted
}
