//! Checks of accounts: what should be gone is gone, and links end.

use domain::{Control, Ctx, check::Finding};
use store::{Store, people};

use super::{HOURLY, may_look};
use crate::{Check, Unanswered};

pub(super) fn all(store: &Store) -> [Check; 2] {
    let (links, closed) = (store.clone(), store.clone());
    [
        Check::new(Control::ACT01, HOURLY, move |ctx| links_end(ctx, links.clone())),
        Check::new(Control::ACT02, HOURLY, move |ctx| closed_accounts_are_closed(ctx, closed.clone())),
    ]
}

async fn links_end(ctx: Ctx, store: Store) -> Result<Finding, Unanswered> {
    let left = people::leftovers(&store, &may_look(&ctx)?, ctx.now()).await?;
    let finding = if left.links == 0 {
        Finding::satisfied(Control::ACT01, ctx.now(), "No link or invitation is kept past its end.")
    } else {
        let why = "Links or invitations are kept although they ended more than a day ago.";
        Finding::not_satisfied(Control::ACT01, ctx.now(), why)
    };
    Ok(finding.fact("past their end", left.links))
}

async fn closed_accounts_are_closed(ctx: Ctx, store: Store) -> Result<Finding, Unanswered> {
    let left = people::leftovers(&store, &may_look(&ctx)?, ctx.now()).await?;
    let finding = if left.sessions > 0 {
        Finding::not_satisfied(Control::ACT02, ctx.now(), "A closed account still has a session.")
    } else if left.keys > 0 {
        Finding::not_satisfied(Control::ACT02, ctx.now(), "The key of a deleted person is still there.")
    } else {
        let good = "No closed account has a session, and every key belongs to an account.";
        Finding::satisfied(Control::ACT02, ctx.now(), good)
    };
    Ok(finding.fact("sessions of closed accounts", left.sessions).fact("keys without a person", left.keys))
}
