//! Questions about the ledger of consent: whether its guards stand, and whether a row is missing.

use domain::{Action, Permit, audit::Act};

use crate::{Engine, Error, Store, store::number};

/// What a look at the ledger found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Rows there are.
    pub rows: u64,
    /// People with a row missing, or one too many.
    pub gaps: u64,
    /// Entries of the audit log about consent.
    pub entries: u64,
    /// Whether the database itself refuses to change and to delete rows.
    pub guarded: bool,
}

/// Looks at the ledger.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to read the instance.
pub async fn ledger(store: &Store, permit: &Permit) -> Result<Ledger, Error> {
    permit.instance(Action::ReadInstance)?;
    let count = async |query: &'static str| -> Result<u64, Error> {
        Ok(number(&sqlx::query(query).fetch_one(store.readers()).await?)?.unsigned_abs())
    };
    let entries = sqlx::query("SELECT COUNT(*) FROM audit WHERE act IN ($1, $2)")
        .bind(Act::ConsentGiven.name())
        .bind(Act::ConsentWithdrawn.name())
        .fetch_one(store.readers())
        .await?;
    let (guards, all) = match store.engine() {
        Engine::Sqlite => {
            ("SELECT COUNT(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'consents'", 2)
        }
        Engine::Postgres => (
            "SELECT COUNT(*) FROM pg_trigger WHERE tgrelid = 'consents'::regclass AND NOT tgisinternal \
             AND tgenabled IN ('O', 'A')",
            2,
        ),
    };
    Ok(Ledger {
        rows: count("SELECT COUNT(*) FROM consents").await?,
        gaps: count(
            "SELECT COUNT(*) FROM (SELECT account FROM consents GROUP BY account \
             HAVING COUNT(*) <> MAX(number) OR MIN(number) <> 1) g",
        )
        .await?,
        entries: number(&entries)?.unsigned_abs(),
        guarded: count(guards).await? == all,
    })
}
