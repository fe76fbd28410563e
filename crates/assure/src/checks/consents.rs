//! The check of the ledger of consent: guarded against change, without gaps, and each row noted.

use domain::{Control, Ctx, check::Finding};
use store::{Store, probe};

use super::{HOURLY, may_look};
use crate::{Check, Unanswered};

pub(super) fn all(store: &Store) -> Vec<Check> {
    let store = store.clone();
    vec![Check::new(Control::CON02, HOURLY, move |ctx| rows_stay(ctx, store.clone()))]
}

async fn rows_stay(ctx: Ctx, store: Store) -> Result<Finding, Unanswered> {
    let ledger = probe::ledger(&store, &may_look(&ctx)?).await?;
    let wrong = if !ledger.guarded {
        Some("The database would let rows of the ledger be changed or deleted.")
    } else if ledger.gaps > 0 {
        Some("Rows of the ledger are missing.")
    } else if ledger.entries < ledger.rows {
        Some("Something was agreed to or taken back, and the audit log does not say so.")
    } else {
        None
    };
    let finding = match wrong {
        Some(wrong) => Finding::not_satisfied(Control::CON02, ctx.now(), wrong),
        None => {
            let good = "The database refuses to change the ledger, no row is missing, and each was noted.";
            Finding::satisfied(Control::CON02, ctx.now(), good)
        }
    };
    Ok(finding
        .fact("rows", ledger.rows)
        .fact("entries", ledger.entries)
        .fact("people with gaps", ledger.gaps))
}
