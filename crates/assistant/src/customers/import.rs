//! Bringing customers in from a file: every row is looked at, then all of them are taken or none is.
//!
//! `server` calls this for the operator. Two forms: JSON with everything nested, CSV with either customers or
//! orders of customers who are there already (`docs/customers.md`). Invariant: a problem names the line, the
//! field and the fault, and never what stood there.

mod read;
mod rows;

use std::fmt;

use domain::{
    Action, Ctx, Permit, Resource,
    audit::{Act, Entry},
    authorize,
    customer::Order,
    enforced,
    id::{CustomerId, OrderId},
};
use serde::Serialize;
use store::customers::{self, New, orders};

use super::{Customers, MAX_IMPORT_BYTES};
use crate::Error;

/// Problems that are named one by one; the others are counted.
const NAMED: usize = 200;

/// What a file is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Lines of fields with commas between.
    Csv,
    /// One object with everything nested.
    Json,
}

impl Kind {
    /// The kind a file's name ends in.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let ending = name.rsplit_once('.')?.1;
        [(Self::Csv, "csv"), (Self::Json, "json")]
            .into_iter()
            .find_map(|(kind, known)| ending.eq_ignore_ascii_case(known).then_some(kind))
    }
}

/// Where in a file something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Where {
    /// A line, from 1.
    Line(u64),
    /// A customer of the list, from 1.
    Customer(u64),
}

impl fmt::Display for Where {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Customer(number) => write!(f, "customer {number}"),
        }
    }
}

/// What is wrong with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Where.
    pub at: Where,
    /// Which field; empty when it is the row as a whole.
    pub field: &'static str,
    /// What, as the end of a sentence that begins with the field.
    pub what: &'static str,
}

/// What an import came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// Customers in the file.
    pub customers: usize,
    /// Orders in it.
    pub orders: usize,
    /// Appointments in it.
    pub appointments: usize,
    /// What is wrong with it; empty when nothing is.
    pub problems: Vec<Problem>,
    /// How many problems there are beyond those.
    pub more_problems: usize,
    /// Whether it was taken. Never when there are problems.
    pub taken: bool,
}

impl Imported {
    fn bad(&mut self, at: Where, field: &'static str, what: &'static str) {
        if self.problems.len() < NAMED {
            self.problems.push(Problem { at, field, what });
        } else {
            self.more_problems += 1;
        }
    }
}

/// What a good file holds.
#[derive(Default)]
struct Batch {
    customers: Vec<(Where, New)>,
    orders: Vec<(CustomerId, OrderId, Order)>,
}

impl Customers {
    /// Looks at every row of `bytes`, and takes all of them when there is no problem and `dry_run` is not set.
    ///
    /// # Errors
    /// [`Error::TooLong`] beyond [`MAX_IMPORT_BYTES`], [`Error::Denied`], [`Error::Store`];
    /// [`Error::BadImport`] when the register changed while the file was looked at.
    pub async fn import(
        &self,
        ctx: &Ctx,
        bytes: &[u8],
        kind: Kind,
        dry_run: bool,
    ) -> Result<Imported, Error> {
        let permit = authorize(ctx, Action::ManageCustomers, Resource::Instance)?;
        if bytes.len() > MAX_IMPORT_BYTES {
            return Err(Error::TooLong {
                what: "a file of customers",
                limit: MAX_IMPORT_BYTES,
                unit: "bytes",
            });
        }
        let mut report = Imported::default();
        let rows = read::rows(kind, bytes, &mut report);
        let batch = self.look(ctx, &permit, rows, &mut report).await?;
        if !report.problems.is_empty() {
            enforced!(CUS09);
            return Ok(report);
        }
        if !dry_run && (!batch.customers.is_empty() || !batch.orders.is_empty()) {
            self.take(ctx, &permit, &batch).await?;
            report.taken = true;
        }
        Ok(report)
    }

    /// Writes everything in one transaction.
    async fn take(&self, ctx: &Ctx, permit: &Permit, batch: &Batch) -> Result<(), Error> {
        let changed = |error| match error {
            store::Error::Conflict | store::Error::NotFound => Error::BadImport {
                at: "the register".to_owned(),
                why: "somebody changed it meanwhile, so nothing was taken; import the file again".to_owned(),
            },
            other => other.into(),
        };
        let mut tx = self.store.begin(ctx).await?;
        for (_, new) in &batch.customers {
            customers::create(&mut tx, permit, new).await.map_err(changed)?;
        }
        for (customer, id, order) in &batch.orders {
            orders::add(&mut tx, permit, *customer, *id, order).await.map_err(changed)?;
        }
        let count = batch.customers.len() + batch.orders.len();
        tx.commit(Entry::new(Act::CustomersImported, "").times(count)).await?;
        Ok(())
    }
}
