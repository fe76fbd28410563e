//! A check of the voice desk: what is kept of its calls goes in time.

use domain::{Control, Ctx, check::Finding, control::Numbers};
use store::{Store, desk_calls};

use super::{HOURLY, may_look};
use crate::{Check, Unanswered};

/// Days something may be kept beyond its time: the server may have been down.
const LATE_DAYS: i64 = 2;

pub(super) fn all(store: &Store, numbers: &Numbers) -> [Check; 1] {
    let (store, days) = (store.clone(), numbers.desk_call_days);
    [Check::new(Control::DSK04, HOURLY, move |ctx| ends_go_in_time(ctx, store.clone(), days))]
}

async fn ends_go_in_time(ctx: Ctx, store: Store, days: u32) -> Result<Finding, Unanswered> {
    let before = ctx.now().plus_seconds(-(i64::from(days) + LATE_DAYS) * 24 * 60 * 60);
    let looked = desk_calls::look(&store, &may_look(&ctx)?, before, ctx.now()).await?;
    let finding = if looked.overdue > 0 {
        let why = "How a call ended is kept beyond its time.";
        Finding::not_satisfied(Control::DSK04, ctx.now(), why)
    } else {
        let good = "How calls of the desk ended is kept for as long as is said, and nothing else of them.";
        Finding::satisfied(Control::DSK04, ctx.now(), good)
    };
    Ok(finding.fact("calls", looked.kept).fact("days", days))
}
