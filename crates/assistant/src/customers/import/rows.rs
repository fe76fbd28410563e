//! From rows to customers: each field is held against what it must be, each number against the file and the
//! register.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use domain::{
    Ctx, Permit,
    customer::{
        Appointment, Confidential, Day, Details, Internal, MAX_ITEMS, MAX_LINE, MAX_TEXT, Moment, Order,
        QUARTER_MINUTES, Restricted, Series, Slot, Status, phone,
    },
    id::{CustomerId, OrderId},
    mail::Address,
};
use store::customers::{self, Handle, New, appointments, orders};
use time::Date;

use super::{
    super::Customers,
    Batch, Imported, Where,
    read::{RawAppointment, RawCustomer, RawOrder, Rows},
};
use crate::Error;

const DAY_MINUTES: u16 = 24 * 60;
const MISSING: &str = "is missing";
const TWICE: &str = "comes twice in this file";
const KNOWN: &str = "is in the register already";

/// What the file has used so far, and what the register has taken.
#[derive(Default)]
struct Seen {
    handles: HashSet<(u8, String)>,
    orders: HashSet<String>,
    appointments: HashSet<String>,
    slots: HashSet<Slot>,
    days: BTreeMap<Date, BTreeSet<Slot>>,
}

impl Customers {
    /// Looks at every row. What is wrong stands in `report`; the batch holds the rest.
    pub(super) async fn look(
        &self,
        ctx: &Ctx,
        permit: &Permit,
        rows: Rows,
        report: &mut Imported,
    ) -> Result<Batch, Error> {
        let (mut seen, mut batch) = (Seen::default(), Batch::default());
        for (at, raw) in rows.customers {
            if let Some(new) = self.customer(ctx, permit, at, raw, &mut seen, report).await? {
                batch.customers.push((at, new));
            }
        }
        for (at, raw) in rows.orders {
            let customer = self.owner(permit, at, &raw, report).await?;
            let order = self.order(permit, at, raw, &mut seen, report).await?;
            if let (Some(customer), Some(order)) = (customer, order) {
                batch.orders.push((customer, OrderId::fresh(ctx), order));
            }
        }
        Ok(batch)
    }

    async fn customer(
        &self,
        ctx: &Ctx,
        permit: &Permit,
        at: Where,
        raw: RawCustomer,
        seen: &mut Seen,
        report: &mut Imported,
    ) -> Result<Option<New>, Error> {
        let reference = must(numbered(Series::Customer, raw.customer_id), at, "customer_id", report);
        let name = must(line(raw.name, MAX_LINE), at, "name", report);
        let country = self.desk.country;
        let phone = may(
            parsed(raw.phone, "is no telephone number", |text| phone(country, text)),
            at,
            "phone",
            report,
        );
        let email = parsed(raw.email, "is no e-mail address", |text| Address::read(text).ok());
        let email = may(email, at, "email", report);
        let address = may(line(raw.address, MAX_TEXT), at, "address", report);
        let since = may(day(raw.since), at, "since", report);
        let born = may(day(raw.date_of_birth), at, "date_of_birth", report);
        let note = may(line(raw.note, MAX_TEXT), at, "note", report);
        let mut taken_orders = Vec::new();
        for raw in raw.orders {
            if let Some(order) = self.order(permit, at, raw, seen, report).await? {
                taken_orders.push((OrderId::fresh(ctx), order));
            }
        }
        let mut taken_appointments = Vec::new();
        for raw in raw.appointments {
            taken_appointments.extend(self.appointment(permit, at, raw, seen, report).await?);
        }
        let (Some(reference), Some(name)) = (reference, name) else { return Ok(None) };
        let restricted = (born.is_some() || note.is_some()).then_some(Restricted { born, note });
        let details = Details {
            internal: Internal { reference, since },
            confidential: Confidential { name, phone, email, address },
            restricted,
        };
        for handle in Handle::all(&details) {
            let (kind, field, text) = match &handle {
                Handle::Reference(text) => (0, "customer_id", text.clone()),
                Handle::Phone(phone) => (1, "phone", phone.as_str().to_owned()),
                Handle::Email(address) => (2, "email", address.folded()),
            };
            if !seen.handles.insert((kind, text)) {
                report.bad(at, field, TWICE);
            } else if customers::find(&self.store, permit, &handle).await?.is_some() {
                report.bad(at, field, KNOWN);
            }
        }
        Ok(Some(New {
            id: CustomerId::fresh(ctx),
            details,
            sample: false,
            orders: taken_orders,
            appointments: taken_appointments,
        }))
    }

    /// Whose order a line of a file of orders is.
    async fn owner(
        &self,
        permit: &Permit,
        at: Where,
        raw: &RawOrder,
        report: &mut Imported,
    ) -> Result<Option<CustomerId>, Error> {
        let reference = numbered(Series::Customer, raw.customer_id.clone());
        let Some(reference) = must(reference, at, "customer_id", report) else { return Ok(None) };
        let found = customers::find(&self.store, permit, &Handle::Reference(reference)).await?;
        if found.is_none() {
            report.bad(at, "customer_id", "is nobody in the register");
        }
        Ok(found)
    }

    async fn order(
        &self,
        permit: &Permit,
        at: Where,
        raw: RawOrder,
        seen: &mut Seen,
        report: &mut Imported,
    ) -> Result<Option<Order>, Error> {
        let reference = must(numbered(Series::Order, raw.order_number), at, "order_number", report);
        let placed = must(day(raw.placed), at, "placed", report);
        let status = parsed(raw.status, "is not pending, shipped, delivered or cancelled", Status::named);
        let status = must(status, at, "status", report);
        let expected = may(day(raw.expected), at, "expected", report);
        let total = may(line(raw.total, MAX_LINE), at, "total", report);
        let mut items = Vec::new();
        if raw.items.len() > MAX_ITEMS {
            report.bad(at, "items", "are more than an order holds");
        } else {
            for item in raw.items {
                items.extend(must(line(Some(item), MAX_LINE), at, "items", report));
            }
        }
        if let Some(reference) = &reference {
            if !seen.orders.insert(reference.clone()) {
                report.bad(at, "order_number", TWICE);
            } else if orders::exists(&self.store, permit, reference).await? {
                report.bad(at, "order_number", KNOWN);
            }
        }
        let (Some(reference), Some(placed), Some(status)) = (reference, placed, status) else {
            return Ok(None);
        };
        Ok(Some(Order { reference, placed, status, expected, items, total }))
    }

    async fn appointment(
        &self,
        permit: &Permit,
        at: Where,
        raw: RawAppointment,
        seen: &mut Seen,
        report: &mut Imported,
    ) -> Result<Option<(Appointment, u16)>, Error> {
        let reference =
            must(numbered(Series::Appointment, raw.appointment_number), at, "appointment_number", report);
        let start = parsed(raw.start, "is not a day and a time like 2026-11-24 14:30", |text| {
            Moment::try_from(text.to_owned()).ok()
        });
        let start = must(start, at, "start", report);
        let rules = &self.desk.rules;
        let service = parsed(raw.service, "is no service of this desk", |text| rules.service(text).cloned());
        let service = must(service, at, "service", report);
        let (Some(reference), Some(start), Some(service)) = (reference, start, service) else {
            return Ok(None);
        };
        if start.minute % QUARTER_MINUTES != 0 {
            report.bad(at, "start", "is not on a quarter of an hour");
            return Ok(None);
        }
        if start.minute + service.minutes > DAY_MINUTES {
            report.bad(at, "start", "is too late: the appointment would end after midnight");
            return Ok(None);
        }
        if !seen.appointments.insert(reference.clone()) {
            report.bad(at, "appointment_number", TWICE);
        } else if self.is_known(permit, &reference).await? {
            report.bad(at, "appointment_number", KNOWN);
        }
        if let std::collections::btree_map::Entry::Vacant(day) = seen.days.entry(start.date) {
            day.insert(appointments::taken(&self.store, permit, start.date).await?);
        }
        let taken = &seen.days[&start.date];
        for slot in Slot::from(start, service.minutes) {
            if !seen.slots.insert(slot) || taken.contains(&slot) {
                report.bad(at, "start", "is somebody else's time");
                break;
            }
        }
        Ok(Some((Appointment { reference, start, service: service.name }, service.minutes)))
    }

    async fn is_known(&self, permit: &Permit, reference: &str) -> Result<bool, Error> {
        let number = reference.strip_prefix(Series::Appointment.prefix()).and_then(|text| text.parse().ok());
        match number {
            Some(number) => Ok(appointments::exists(&self.store, permit, number).await?),
            None => Ok(false),
        }
    }
}

/// A field that was read: there, absent, or wrong.
type Read<T> = Result<Option<T>, &'static str>;

fn must<T>(read: Read<T>, at: Where, field: &'static str, report: &mut Imported) -> Option<T> {
    let read = read.and_then(|value| value.ok_or(MISSING));
    read.map_err(|what| report.bad(at, field, what)).ok()
}

fn may<T>(read: Read<T>, at: Where, field: &'static str, report: &mut Imported) -> Option<T> {
    read.unwrap_or_else(|what| {
        report.bad(at, field, what);
        None
    })
}

fn given(raw: Option<String>) -> Option<String> {
    raw.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Text of at most `most` characters, without control characters.
fn line(raw: Option<String>, most: usize) -> Read<String> {
    let Some(text) = given(raw) else { return Ok(None) };
    if text.chars().count() > most {
        return Err("is too long");
    }
    if text.chars().any(char::is_control) {
        return Err("holds control characters");
    }
    Ok(Some(text))
}

fn parsed<T>(raw: Option<String>, otherwise: &'static str, read: impl FnOnce(&str) -> Option<T>) -> Read<T> {
    given(raw).map(|text| read(&text).ok_or(otherwise)).transpose()
}

fn day(raw: Option<String>) -> Read<Day> {
    parsed(raw, "is not a day like 2026-11-24", |text| Day::read(text).ok())
}

/// The number of a record as it is written: letters and digits, `CUST0042`.
fn numbered(series: Series, raw: Option<String>) -> Read<String> {
    let read = |text: &str| {
        let digits = text.strip_prefix(series.prefix())?;
        let plain = (1..=12).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| digits.parse().ok()).flatten().map(|number| series.numbered(number))
    };
    let otherwise = match series {
        Series::Customer => "is not a number like CUST0042",
        Series::Order => "is not a number like ORD0042",
        Series::Appointment => "is not a number like APT0042",
    };
    parsed(raw, otherwise, read)
}
