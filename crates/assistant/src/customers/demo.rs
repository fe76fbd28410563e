//! Made-up customers to try things with: the same each time, marked as samples, and gone with one call.
//!
//! `troth demo` calls this. Names say what they are, addresses end in `example.com`, and telephones lie in the
//! range kept for fiction, so that none of it can be somebody's.

use std::collections::BTreeSet;

use domain::{
    Action, Ctx, Permit, Resource,
    audit::{Act, Entry},
    authorize,
    customer::{
        Appointment, Confidential, Day, Details, Internal, Moment, Order, Phone, Restricted, Series, Service,
        Slot, Status,
    },
    enforced,
    id::{CustomerId, OrderId},
    mail::Address,
};
use store::customers::{self, New, appointments};
use time::{Date, Duration};

use super::Customers;
use crate::Error;

const NAMES: [&str; 24] = [
    "Asha", "Ben", "Chitra", "Dora", "Emil", "Farah", "Gopal", "Hanna", "Imran", "Jaya", "Karl", "Lata",
    "Milan", "Nina", "Omar", "Priya", "Quinn", "Ravi", "Sara", "Tomas", "Uma", "Vikram", "Wanda", "Yusuf",
];
const THINGS: [&str; 8] = [
    "Desk lamp",
    "Oak shelf",
    "Wool blanket",
    "Tea kettle",
    "Reading chair",
    "Wall clock",
    "Linen curtain",
    "Garden bench",
];
/// Every so manieth sample has an appointment.
const WITH_APPOINTMENT: usize = 4;
/// Days looked through for a free time.
const DAYS: i64 = 30;

impl Customers {
    /// Puts the samples into the register, in place of those that are there; says how many.
    ///
    /// # Errors
    /// [`Error::BadImport`] when a number or an address of theirs is a real customer's.
    pub async fn fill_with_samples(&self, ctx: &Ctx) -> Result<usize, Error> {
        let permit = authorize(ctx, Action::ManageCustomers, Resource::Instance)?;
        let old = customers::samples(&self.store, &permit).await?;
        let mut tx = self.store.begin(ctx).await?;
        for id in &old {
            customers::erase(&mut tx, &permit, *id).await?;
        }
        let mut free = self.free_times(ctx, &permit).await?.into_iter();
        let mut numbers = appointments::next(&mut tx, &permit).await?..;
        for (at, name) in NAMES.into_iter().enumerate() {
            let mut new = sample(ctx, at, name);
            if at % WITH_APPOINTMENT == 0 {
                let next = free.next().zip(numbers.next());
                new.appointments.extend(next.map(|((start, service), number)| {
                    let reference = Series::Appointment.numbered(number);
                    (Appointment { reference, start, service: service.name.clone() }, service.minutes)
                }));
            }
            match customers::create(&mut tx, &permit, &new).await {
                Err(store::Error::Conflict) => {
                    enforced!(CUS09);
                    return Err(Error::BadImport {
                        at: "the register".to_owned(),
                        why: "a real customer has a number that a sample would get, so no sample was put in"
                            .to_owned(),
                    });
                }
                other => other?,
            }
        }
        tx.commit(Entry::new(Act::CustomersImported, "").times(NAMES.len())).await?;
        Ok(NAMES.len())
    }

    /// Takes the samples out again; says how many.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::Store`].
    pub async fn remove_samples(&self, ctx: &Ctx) -> Result<usize, Error> {
        let permit = authorize(ctx, Action::ManageCustomers, Resource::Instance)?;
        let samples = customers::samples(&self.store, &permit).await?;
        if samples.is_empty() {
            return Ok(0);
        }
        let mut tx = self.store.begin(ctx).await?;
        for id in &samples {
            customers::erase(&mut tx, &permit, *id).await?;
        }
        tx.commit(Entry::new(Act::CustomerErased, "").times(samples.len())).await?;
        Ok(samples.len())
    }

    /// The next free times, one a day, and for what. While there are samples their own times count as taken.
    async fn free_times(&self, ctx: &Ctx, permit: &Permit) -> Result<Vec<(Moment, &Service)>, Error> {
        let (rules, now) = (&self.desk.rules, self.desk.rules.clock(ctx.now()));
        let Some(service) = rules.services.first() else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for ahead in 1..=DAYS {
            let Some(day) = now.date.checked_add(Duration::days(ahead)) else { break };
            let taken: BTreeSet<Slot> = appointments::taken(&self.store, permit, day).await?;
            let free = rules.free(now, day, service, &taken);
            let Some(start) = free.get(free.len() / 2) else { continue };
            found.push((*start, service));
            if found.len() == NAMES.len().div_ceil(WITH_APPOINTMENT) {
                break;
            }
        }
        Ok(found)
    }
}

/// The sample number `at`, from zero.
fn sample(ctx: &Ctx, at: usize, name: &str) -> New {
    let number = at as u64 + 1;
    let day = |year: i32, ordinal: u64| {
        let ordinal = u16::try_from(ordinal % 365 + 1).unwrap_or(1);
        Day(Date::from_ordinal_date(year, ordinal).unwrap_or(Date::MIN))
    };
    let order = |which: u64| {
        let reference = Series::Order.numbered(2 * at as u64 + which + 1);
        let thing = |skip: u64| THINGS[((number * 3 + which * 5 + skip) % 8) as usize].to_owned();
        let status = Status::ALL[((number + which) % 4) as usize];
        let placed = day(2026, number * 11 + which * 40);
        let expected = matches!(status, Status::Pending | Status::Shipped);
        Order {
            reference,
            placed,
            status,
            expected: expected.then(|| Day(placed.0.saturating_add(Duration::days(12)))),
            items: vec![thing(0), thing(1)],
            total: Some(format!("{}.50 EUR", 20 + number * 7 + which * 13)),
        }
    };
    New {
        id: CustomerId::fresh(ctx),
        sample: true,
        details: Details {
            internal: Internal {
                reference: Series::Customer.numbered(number),
                since: Some(day(2024, number * 13)),
            },
            confidential: Confidential {
                name: format!("{name} Sample"),
                phone: Phone::from_digits(&format!("12025550{:03}", 100 + number)).ok(),
                email: Address::read(&format!("{}.sample@example.com", name.to_lowercase())).ok(),
                address: Some(format!("{number} Example Street, Sampletown")),
            },
            restricted: Some(Restricted {
                born: Some(day(1960 + i32::try_from(at).unwrap_or(0), number * 17)),
                note: Some("Made up, to try things with.".to_owned()),
            }),
        },
        orders: (0..2).map(|which| (OrderId::fresh(ctx), order(which))).collect(),
        appointments: Vec::new(),
    }
}
