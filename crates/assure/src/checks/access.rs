//! Checks of who may do what: grants, reading chats as staff, reviews, the account in the database.

use domain::{Action, Control, Ctx, Resource, authorize, check::Finding, control::Numbers};
use store::{Store, probe, reviews};

use super::{DAILY, HOURLY, may_look};
use crate::{Check, Unanswered};

/// Seconds a review may begin or end late: the server may have been down for a night.
const LATE_S: i64 = 24 * 60 * 60;
/// Reviews looked at.
const LOOKED_AT: u32 = 20;

pub(super) fn all(store: &Store, numbers: &Numbers) -> [Check; 4] {
    let every_s = i64::from(numbers.review_every_days) * 24 * 60 * 60;
    let (one, two, three, four) = (store.clone(), store.clone(), store.clone(), store.clone());
    [
        Check::new(Control::ACC04, HOURLY, move |ctx| grants_are_explained(ctx, one.clone())),
        Check::new(Control::ACC05, HOURLY, move |ctx| reading_took_two(ctx, two.clone())),
        Check::new(Control::ACC07, DAILY, move |ctx| the_database_gives_little(ctx, three.clone())),
        Check::new(Control::REV01, HOURLY, move |ctx| reviews_are_in_time(ctx, four.clone(), every_s)),
    ]
}

async fn grants_are_explained(ctx: Ctx, store: Store) -> Result<Finding, Unanswered> {
    let (control, now) = (Control::ACC04, ctx.now());
    let grants = probe::grants(&store, &may_look(&ctx)?, now).await?;
    let finding = if grants.accounts > 0 && grants.owners == 0 {
        Finding::not_satisfied(control, now, "Nobody owns this instance for good.")
    } else if grants.unexplained > 0 {
        Finding::not_satisfied(control, now, "An account holds a role of which nobody knows who gave it.")
    } else if grants.overdue > 0 {
        Finding::not_satisfied(control, now, "A grant past its end is still there.")
    } else {
        Finding::satisfied(
            control,
            now,
            "Every role beyond a user's says who gave it, and there is an owner.",
        )
    };
    Ok(finding.fact("accounts", grants.accounts).fact("owners", grants.owners))
}

async fn reading_took_two(ctx: Ctx, store: Store) -> Result<Finding, Unanswered> {
    let (control, now) = (Control::ACC05, ctx.now());
    let glass = probe::glass(&store, &may_look(&ctx)?).await?;
    let finding = if glass.uncovered > 0 {
        Finding::not_satisfied(
            control,
            now,
            "A chat was read without the agreement of somebody else, or too late.",
        )
    } else if glass.entries < glass.reads {
        Finding::not_satisfied(control, now, "A chat was read, and the audit log does not say so.")
    } else {
        Finding::satisfied(
            control,
            now,
            "Whatever staff read of people's chats, somebody else had agreed to.",
        )
    };
    Ok(finding.fact("times something was opened", glass.reads))
}

async fn the_database_gives_little(ctx: Ctx, store: Store) -> Result<Finding, Unanswered> {
    let (control, now) = (Control::ACC07, ctx.now());
    let Some(may) = probe::privileges(&store, &may_look(&ctx)?).await? else {
        let why = "The rows are in a file of this server's own; there is no database account.";
        return Ok(Finding::not_applicable(control, now, why));
    };
    let finding = if may.superuser || may.makes_tables || may.changes_audit {
        let why = "The account in the database may do more than it needs; crates/store/roles.sql makes one that may not.";
        Finding::not_satisfied(control, now, why)
    } else {
        Finding::satisfied(
            control,
            now,
            "The account in the database can make no table and change no audit entry.",
        )
    };
    Ok(finding
        .fact("administers the server", may.superuser)
        .fact("makes tables", may.makes_tables)
        .fact("changes the audit log", may.changes_audit))
}

async fn reviews_are_in_time(ctx: Ctx, store: Store, every_s: i64) -> Result<Finding, Unanswered> {
    let (control, now) = (Control::REV01, ctx.now());
    let permit = authorize(&ctx, Action::ReadInstance, Resource::Instance)?;
    let reviews = reviews::list(&store, &permit, LOOKED_AT).await?;
    let last = match reviews.first() {
        Some(review) => review.begun,
        None => reviews::beginning(&store, &permit).await?,
    };
    let open = reviews.iter().find(|review| review.closed.is_none());
    let sealed = reviews::sealed_reports(&store, &permit).await?;
    let closed = reviews.iter().filter_map(|review| Some((review.id, review.report.as_ref()?)));
    let changed = closed.filter(|(id, report)| !sealed.contains(&reviews::sealed_as(*id, report))).count();
    let finding = if open.is_some_and(|review| now.seconds_since(review.due) >= LATE_S) {
        Finding::not_satisfied(control, now, "An access review is overdue.")
    } else if now.seconds_since(last) >= every_s + LATE_S {
        Finding::not_satisfied(control, now, "No access review has begun in time.")
    } else if changed > 0 {
        Finding::not_satisfied(control, now, "The report of a review is not the one the audit log knows.")
    } else {
        Finding::satisfied(
            control,
            now,
            "Access is reviewed in time, and the reports are as they were written.",
        )
    };
    Ok(finding.fact("reviews", reviews.len()).fact("open", u8::from(open.is_some())))
}
