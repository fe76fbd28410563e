//! Questions about the register for the checks of the policy: counts, never content.

use domain::{Action, Permit, Timestamp, audit::Act};
use sqlx::Row;

use super::verification::{Whose, who};
use crate::{Error, Store, store::number};

/// What a look at the register found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Register {
    /// Customers.
    pub customers: u64,
    /// Those without a key of their own.
    pub without_key: u64,
    /// Keys of customers who are gone.
    pub keys_left: u64,
    /// Ways to find somebody that are no keyed hash of 32 bytes.
    pub bare_lookups: u64,
    /// Customers of whom nothing was heard for too long.
    pub overdue: u64,
    /// Restricted fields of customers of whom nothing was heard for too long.
    pub restricted_overdue: u64,
    /// How often records were opened, of customers who are still there.
    pub opened: u64,
    /// Entries of the audit log about that.
    pub entries: u64,
    /// Appointments.
    pub appointments: u64,
    /// Those that take no time.
    pub without_slot: u64,
    /// Most tries that are counted for anybody.
    pub most_tries: u64,
    /// Customers whose record was opened more often than the audit log says.
    pub unnoted: u64,
    /// Codes that wait to be sent to nobody in the register.
    pub stray_codes: u64,
}

/// Looks at the register: what was last heard of before `forgotten` should be gone, restricted fields before
/// `unsealed`. The permit is to read the instance.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn register(
    store: &Store,
    permit: &Permit,
    forgotten: Timestamp,
    unsealed: Timestamp,
) -> Result<Register, Error> {
    permit.instance(Action::ReadInstance)?;
    let count = async |query: &'static str| -> Result<u64, Error> {
        Ok(number(&sqlx::query(query).fetch_one(store.readers()).await?)?.unsigned_abs())
    };
    let before = async |query: &'static str, moment: Timestamp| -> Result<u64, Error> {
        Ok(number(&sqlx::query(query).bind(moment.0).fetch_one(store.readers()).await?)?.unsigned_abs())
    };
    let entries = sqlx::query("SELECT COUNT(*) AS entries FROM audit WHERE act = $1 OR act = $2")
        .bind(Act::CustomerOpened.name())
        .bind(Act::RestrictedOpened.name());
    let most_tries = sqlx::query(
        "SELECT CAST(COALESCE(MAX(tries), 0) AS BIGINT) AS most FROM customer_tries WHERE who <> $1",
    )
    .bind(who(store, Whose::Anybody));
    // One statement, so one moment: customer by customer, for one with too many does not make up for another.
    let unnoted = sqlx::query(
        "SELECT COUNT(*) AS unnoted FROM customers c LEFT JOIN (SELECT target, COUNT(*) AS entries FROM audit \
         WHERE act = $1 OR act = $2 GROUP BY target) a ON a.target = c.id \
         WHERE c.opened > COALESCE(a.entries, 0)",
    )
    .bind(Act::CustomerOpened.name())
    .bind(Act::RestrictedOpened.name());
    Ok(Register {
        customers: count("SELECT COUNT(*) FROM customers").await?,
        without_key: count(
            "SELECT COUNT(*) FROM customers c WHERE NOT EXISTS \
             (SELECT 1 FROM deks d WHERE d.subject = 'customer:' || c.id)",
        )
        .await?,
        keys_left: count(
            "SELECT COUNT(*) FROM deks d WHERE d.subject LIKE 'customer:%' AND NOT EXISTS \
             (SELECT 1 FROM customers c WHERE d.subject = 'customer:' || c.id)",
        )
        .await?,
        bare_lookups: count(
            "SELECT (SELECT COUNT(*) FROM customer_lookups WHERE length(hash) <> 32) \
             + (SELECT COUNT(*) FROM customer_orders WHERE length(lookup) <> 32)",
        )
        .await?,
        overdue: before("SELECT COUNT(*) FROM customers WHERE touched < $1", forgotten).await?,
        restricted_overdue: before(
            "SELECT COUNT(*) FROM customers WHERE restricted IS NOT NULL AND touched < $1",
            unsealed,
        )
        .await?,
        // Read before the entries: what is opened between the two looks is in the second alone.
        opened: count("SELECT CAST(COALESCE(SUM(opened), 0) AS BIGINT) FROM customers").await?,
        entries: entries.fetch_one(store.readers()).await?.try_get::<i64, _>("entries")?.unsigned_abs(),
        appointments: count("SELECT COUNT(*) FROM appointments").await?,
        without_slot: count(
            "SELECT COUNT(*) FROM appointments a WHERE NOT EXISTS \
             (SELECT 1 FROM appointment_slots s WHERE s.appointment = a.id)",
        )
        .await?,
        most_tries: most_tries.fetch_one(store.readers()).await?.try_get::<i64, _>("most")?.unsigned_abs(),
        unnoted: unnoted.fetch_one(store.readers()).await?.try_get::<i64, _>("unnoted")?.unsigned_abs(),
        stray_codes: count(
            "SELECT COUNT(*) FROM outbox o WHERE o.kind = 'caller-code' AND NOT EXISTS \
             (SELECT 1 FROM customers c WHERE c.id = o.customer)",
        )
        .await?,
    })
}
