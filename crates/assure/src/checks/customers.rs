//! Checks of the register of customers: sealed, graded, noted, and gone when they are erased.

use domain::{
    Control, Ctx,
    check::Finding,
    control::Numbers,
    customer::{Class, FIELDS},
    model::Place,
};
use store::{
    Store,
    customers::{self, Register},
};

use super::{HOURLY, may_look};
use crate::{Check, Unanswered};

/// Days something may be kept beyond its time: the server may have been down.
const LATE_DAYS: i64 = 2;

pub(super) fn all(store: &Store, numbers: &Numbers) -> Vec<Check> {
    let of_register = |control: Control, judge: fn(&Ctx, &Numbers, &Register) -> Finding| {
        let (store, numbers) = (store.clone(), numbers.clone());
        Check::new(control, HOURLY, move |ctx| {
            let (store, numbers) = (store.clone(), numbers.clone());
            async move { Ok(judge(&ctx, &numbers, &look(&ctx, &store, &numbers).await?)) }
        })
    };
    vec![
        of_register(Control::CUS01, lie_sealed),
        of_register(Control::CUS02, classes_decide),
        of_register(Control::CUS03, openings_are_noted),
        of_register(Control::CUS05, tries_are_bounded),
        of_register(Control::CUS07, times_are_held),
        of_register(Control::CUS08, keys_are_destroyed),
    ]
}

async fn look(ctx: &Ctx, store: &Store, numbers: &Numbers) -> Result<Register, Unanswered> {
    let before = |days: u32| ctx.now().plus_seconds(-(i64::from(days) + LATE_DAYS) * 24 * 60 * 60);
    let (forgotten, unsealed) =
        (before(Class::Internal.days(numbers)), before(Class::Restricted.days(numbers)));
    Ok(customers::register(store, &may_look(ctx)?, forgotten, unsealed).await?)
}

/// Satisfied with `good`, or not, with the first of `wrong` that holds.
fn judge(control: Control, ctx: &Ctx, wrong: &[(bool, &str)], good: &str) -> Finding {
    match wrong.iter().find(|(holds, _)| *holds) {
        Some((_, why)) => Finding::not_satisfied(control, ctx.now(), *why),
        None => Finding::satisfied(control, ctx.now(), good),
    }
}

fn lie_sealed(ctx: &Ctx, _: &Numbers, register: &Register) -> Finding {
    let wrong = [
        (register.without_key > 0, "A customer has no key of their own."),
        (register.bare_lookups > 0, "Something by which a customer is found is no keyed hash."),
    ];
    judge(
        Control::CUS01,
        ctx,
        &wrong,
        "Every customer has a key of their own, and is found by keyed hashes alone.",
    )
    .fact("customers", register.customers)
}

fn classes_decide(ctx: &Ctx, numbers: &Numbers, register: &Register) -> Finding {
    let away = Place::Endpoint { host: "elsewhere.invalid".to_owned(), loopback: false };
    let leaks = [Class::Confidential, Class::Restricted].iter().any(|class| class.may_be_told_at(&away));
    let wrong = [
        (leaks, "A model elsewhere would be told what is confidential."),
        (
            Class::Restricted.right() == Class::Confidential.right(),
            "What is restricted needs no right of its own.",
        ),
        (register.overdue > 0, "A customer is kept although nothing was heard of them for too long."),
        (register.restricted_overdue > 0, "Restricted fields are kept beyond their time."),
    ];
    let good = "Each field has a class; who sees it, where it goes and how long it stays follow from it.";
    judge(Control::CUS02, ctx, &wrong, good)
        .fact("fields", FIELDS.len())
        .fact("days", Class::Internal.days(numbers))
        .fact("days where restricted", Class::Restricted.days(numbers))
}

fn openings_are_noted(ctx: &Ctx, _: &Numbers, register: &Register) -> Finding {
    let wrong =
        [(register.unnoted > 0, "A customer's record was opened, and the audit log does not say so.")];
    judge(Control::CUS03, ctx, &wrong, "The audit log has an entry for every opening of a record.")
        .fact("times a record was opened", register.opened)
        .fact("entries", register.entries)
}

fn tries_are_bounded(ctx: &Ctx, numbers: &Numbers, register: &Register) -> Finding {
    let wrong = [
        (numbers.caller_tries == 0 || numbers.caller_tries > 20, "A call has no useful bound on its tries."),
        (numbers.customer_tries > 100, "A customer has no useful bound on tries over all calls."),
        (numbers.desk_tries_an_hour > 10_000, "The desk has no useful bound on tries about all customers."),
    ];
    judge(Control::CUS05, ctx, &wrong, "Tries to be a customer are counted and bounded.")
        .fact("tries a call", numbers.caller_tries)
        .fact("tries a customer", numbers.customer_tries)
        .fact("tries at the desk an hour", numbers.desk_tries_an_hour)
        .fact("most that are counted for anybody", register.most_tries)
}

fn times_are_held(ctx: &Ctx, _: &Numbers, register: &Register) -> Finding {
    let wrong = [(register.without_slot > 0, "An appointment takes no time that is kept unique.")];
    judge(Control::CUS07, ctx, &wrong, "Every appointment holds its quarters of an hour, each of them once.")
        .fact("appointments", register.appointments)
}

fn keys_are_destroyed(ctx: &Ctx, _: &Numbers, register: &Register) -> Finding {
    let wrong = [
        (register.keys_left > 0, "The key of an erased customer is still there."),
        (register.stray_codes > 0, "A letter with a code is there for somebody who is no customer."),
    ];
    judge(
        Control::CUS08,
        ctx,
        &wrong,
        "Every key of a customer, and every letter to one, belongs to somebody who is still one.",
    )
    .fact("keys without a customer", register.keys_left)
    .fact("letters without a customer", register.stray_codes)
}
