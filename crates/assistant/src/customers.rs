//! Customers of the voice desk: the register for staff, and what a caller must show to be served.
//!
//! `web` and `server` call [`Customers`]; a call holds a [`Caller`], which the tools ([`crate::tools`]) turn
//! from nobody into one customer. Invariant: whose record is opened for a call comes from its [`Caller`] and
//! from nothing a model says.

mod caller;
mod demo;
mod import;
mod register;
mod verify;

use std::{sync::Arc, time::Duration};

use domain::{
    control::Numbers,
    customer::{Country, Rules},
};
use store::Store;

pub use caller::Caller;
pub use import::{Imported, Kind, Problem, Where};
pub use register::{Erasure, Swept, Turnout};
pub use store::customers::{Erased, Listed, Record};
pub(crate) use verify::{Claims, Sent, Verdict, desk};

/// Largest file an import of customers reads, in bytes.
pub const MAX_IMPORT_BYTES: usize = 8 * 1024 * 1024;
/// Most customers one import holds.
pub const MAX_CUSTOMERS: usize = 5_000;
/// Most orders and appointments one import holds together.
pub const MAX_RECORDS: usize = 20_000;
/// Customers a list shows.
pub const LISTED: u32 = 100;

/// Something a caller may know that shows who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fact {
    /// Their number.
    CustomerId,
    /// Their telephone.
    Phone,
    /// Their e-mail address.
    Email,
    /// The number of one of their orders.
    OrderNumber,
    /// When they were born.
    DateOfBirth,
}

impl Fact {
    /// Every fact.
    pub const ALL: [Self; 5] =
        [Self::CustomerId, Self::Phone, Self::Email, Self::OrderNumber, Self::DateOfBirth];

    /// The fact as the configuration and the tools spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CustomerId => "customer_id",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::OrderNumber => "order_number",
            Self::DateOfBirth => "date_of_birth",
        }
    }

    /// The fact spelt `name`, as [`Fact::as_str`] does.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fact| fact.as_str() == name)
    }

    /// How one asks for it.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::CustomerId => "their customer number",
            Self::Phone => "their telephone number",
            Self::Email => "their e-mail address",
            Self::OrderNumber => "the number of one of their orders",
            Self::DateOfBirth => "their date of birth",
        }
    }

    /// Whether a customer is found by it.
    #[must_use]
    pub const fn finds(self) -> bool {
        matches!(self, Self::CustomerId | Self::Phone | Self::Email)
    }
}

/// How the desk works: what an operator decides.
#[derive(Clone, Debug)]
pub struct Desk {
    /// When it is open, and for what.
    pub rules: Rules,
    /// Where a telephone number without a country belongs.
    pub country: Country,
    /// The pairs of facts that show who somebody is; the first of each finds them.
    pub ways: Vec<[Fact; 2]>,
    /// Whether a code sent by e-mail shows it as well.
    pub codes: bool,
    /// How much of everything.
    pub numbers: Numbers,
    /// Answers about who somebody is come at multiples of this, so that they tell nothing by their time.
    pub answer_grid: Duration,
}

impl Default for Desk {
    fn default() -> Self {
        use Fact as F;
        Self {
            rules: Rules::default(),
            country: Country::NORTH_AMERICA,
            ways: vec![
                [F::Phone, F::OrderNumber],
                [F::Email, F::OrderNumber],
                [F::Phone, F::DateOfBirth],
                [F::Email, F::DateOfBirth],
            ],
            codes: false,
            numbers: Numbers::default(),
            answer_grid: Duration::from_millis(100),
        }
    }
}

/// The register, for staff and for the operator. Cheap to clone.
#[derive(Clone)]
pub struct Customers {
    store: Store,
    desk: Arc<Desk>,
}

impl Customers {
    pub(crate) fn new(store: Store, desk: Arc<Desk>) -> Self {
        Self { store, desk }
    }

    /// How the desk works.
    #[must_use]
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }
}
