//! Customers of a voice desk: what is known about them, and how sensitive each piece of it is.
//!
//! `store` keeps it, `assistant` serves callers with it, `web` shows it to staff. Invariants: every field has
//! a [`Class`], and the class alone decides who sees it, whether it leaves the machine, and how long it is
//! kept; nothing here prints what it holds.

mod class;
mod said;
mod schedule;
mod task;

use std::fmt;

use serde::{Deserialize, Serialize};
use time::{Date, Month};

use crate::mail::Address;

pub use class::{Class, FIELDS, Field};
pub use said::{Country, date, email, phone, reference, said_digits, time_of_day};
pub use schedule::{
    Moment, NoTime, NotAMoment, Open, QUARTER_MINUTES, Rules, Service, Slot, Weekday, weekday,
};
pub use task::Task;

/// Most characters of a name, a thing ordered, a status.
pub const MAX_LINE: usize = 200;
/// Most characters of an address or a note.
pub const MAX_TEXT: usize = 2_000;
/// Most things in one order.
pub const MAX_ITEMS: usize = 100;

/// What begins the numbers people know a record by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Series {
    /// `CUST0042`.
    Customer,
    /// `ORD0042`.
    Order,
    /// `APT0042`.
    Appointment,
}

impl Series {
    /// The letters it begins with.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Customer => "CUST",
            Self::Order => "ORD",
            Self::Appointment => "APT",
        }
    }

    /// The reference number `number` of this series has.
    #[must_use]
    pub fn numbered(self, number: u64) -> String {
        format!("{}{number:04}", self.prefix())
    }
}

/// A telephone number as E.164 has it: `+` and seven to fifteen digits. Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Phone(String);

/// The text is not a telephone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Write a telephone number like +15550100042.")]
pub struct NotAPhone;

impl Phone {
    /// A number from its digits, the country's first.
    ///
    /// # Errors
    /// [`NotAPhone`].
    pub fn from_digits(digits: &str) -> Result<Self, NotAPhone> {
        let fits = (7..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0');
        if fits { Ok(Self(format!("+{digits}"))) } else { Err(NotAPhone) }
    }

    /// The number itself. Never for a log, an error or a URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Phone {
    type Error = NotAPhone;

    fn try_from(text: String) -> Result<Self, NotAPhone> {
        Self::from_digits(text.strip_prefix('+').ok_or(NotAPhone)?)
    }
}

impl From<Phone> for String {
    fn from(phone: Phone) -> Self {
        phone.0
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone(…)")
    }
}

/// A day of the calendar as it is kept and written: `2026-11-24`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(pub Date);

/// The text is not a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Write a day like 2026-11-24.")]
pub struct NotADay;

impl Day {
    /// The day `text` spells as year, month and day with hyphens.
    ///
    /// # Errors
    /// [`NotADay`].
    pub fn read(text: &str) -> Result<Self, NotADay> {
        let mut parts = text.split('-');
        let mut next = |digits: usize| {
            let part = parts.next().filter(|part| part.len() == digits)?;
            part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<u16>().ok())?
        };
        let (year, month, day) = (next(4), next(2), next(2));
        let (Some(year), Some(month), Some(day), None) = (year, month, day, parts.next()) else {
            return Err(NotADay);
        };
        let month = u8::try_from(month).ok().and_then(|month| Month::try_from(month).ok()).ok_or(NotADay)?;
        let day = u8::try_from(day).map_err(|_| NotADay)?;
        Date::from_calendar_date(i32::from(year), month, day).map(Self).map_err(|_| NotADay)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.0.year(), u8::from(self.0.month()), self.0.day())
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Day(…)")
    }
}

impl TryFrom<String> for Day {
    type Error = NotADay;

    fn try_from(text: String) -> Result<Self, NotADay> {
        Self::read(&text)
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

/// What is known about a customer. The parts are kept apart by class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    /// For everybody who works at the desk.
    pub internal: Internal,
    /// For serving the customer.
    pub confidential: Confidential,
    /// For proving who they are and little else; `None` when its time is over or nothing was known.
    pub restricted: Option<Restricted>,
}

/// The internal part of a customer's record.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Internal {
    /// `CUST0042`.
    pub reference: String,
    /// Since when they are a customer.
    pub since: Option<Day>,
}

/// The confidential part.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confidential {
    /// What they are called.
    pub name: String,
    /// Their telephone.
    pub phone: Option<Phone>,
    /// Their e-mail address.
    pub email: Option<Address>,
    /// Where they live.
    pub address: Option<String>,
}

/// The restricted part.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restricted {
    /// When they were born.
    pub born: Option<Day>,
    /// What staff wrote down.
    pub note: Option<String>,
}

/// How far an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It was taken.
    Pending,
    /// It is on its way.
    Shipped,
    /// It arrived.
    Delivered,
    /// It was called off.
    Cancelled,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Shipped, Self::Delivered, Self::Cancelled];

    /// The status as files and tools spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status spelt `name`, in any case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str().eq_ignore_ascii_case(name))
    }
}

/// An order.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// `ORD0042`.
    pub reference: String,
    /// When it was placed.
    pub placed: Day,
    /// How far it is.
    pub status: Status,
    /// When it should arrive.
    pub expected: Option<Day>,
    /// What was ordered.
    pub items: Vec<String>,
    /// What it costs, as people read it: `42.50 EUR`.
    pub total: Option<String>,
}

/// An appointment.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appointment {
    /// `APT0042`.
    pub reference: String,
    /// When it begins.
    pub start: Moment,
    /// For what.
    pub service: String,
}

macro_rules! shows_nothing {
    ($($name:ident),* $(,)?) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )*};
}

shows_nothing!(Internal, Confidential, Restricted, Order, Appointment);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_as_they_are_written_and_nothing_else() {
        for good in ["2026-11-24", "2024-02-29", "0001-01-01"] {
            assert_eq!(Day::read(good).unwrap().to_string(), good);
        }
        for bad in ["", "2026-02-29", "2026-13-01", "26-01-01", "2026-1-1", "2026-01-01-", "+026-01-01"] {
            assert!(Day::read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn nothing_about_a_customer_prints_what_it_holds() {
        let details = Details {
            internal: Internal { reference: "CUST0042".to_owned(), since: Day::read("2026-01-02").ok() },
            confidential: Confidential {
                name: "Marked Name".to_owned(),
                phone: Phone::from_digits("15550100042").ok(),
                email: Address::read("marked@example.com").ok(),
                address: None,
            },
            restricted: Some(Restricted { born: Day::read("1985-07-04").ok(), note: None }),
        };
        let printed = format!("{details:?} {:?} {:?}", details.confidential.phone, details.internal.since);
        for marked in ["CUST0042", "Marked", "1555", "marked", "1985", "2026"] {
            assert!(!printed.contains(marked), "{printed}");
        }
    }
}
