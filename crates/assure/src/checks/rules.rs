//! Checks of rules: the running program is asked to decide, and must decide as the policy says.

use domain::{
    Action, Actor, Control, Ctx, Resource,
    access::{Role, Roles, Standing},
    authorize,
    check::Finding,
    control::Numbers,
    id::{SessionId, UserId},
    password::{self, Rules},
};

use super::DAILY;
use crate::{Check, Unanswered};

pub(super) fn all(numbers: &Numbers) -> [Check; 4] {
    let numbers = numbers.clone();
    [
        Check::new(Control::ACC01, DAILY, |ctx| async move { Ok(nobody_may_do_anything(&ctx)) }),
        Check::new(Control::ACC02, DAILY, |ctx| async move { Ok(the_owner_reads_nobody(&ctx)) }),
        Check::new(Control::AUT08, DAILY, |ctx| async move { Ok(danger_is_confirmed(&ctx)) }),
        Check::new(Control::AUT01, DAILY, move |ctx| {
            let numbers = numbers.clone();
            async move { weak_passwords_are_refused(&ctx, &numbers) }
        }),
    ]
}

/// Asks for every action on a person's data and on the instance as nobody.
fn nobody_may_do_anything(ctx: &Ctx) -> Finding {
    let somebody = UserId::fresh(ctx);
    let nobody = ctx.acting_as(Actor::Anonymous);
    let resources = [Resource::Of(somebody), Resource::Instance];
    let tried = Action::ALL.into_iter().flat_map(|action| resources.map(|resource| (action, resource)));
    let (allowed, refused): (Vec<_>, Vec<_>) =
        tried.partition(|(action, resource)| authorize(&nobody, *action, *resource).is_ok());
    let finding = if allowed.is_empty() {
        Finding::satisfied(Control::ACC01, ctx.now(), "Nobody without an account may do anything.")
    } else {
        Finding::not_satisfied(Control::ACC01, ctx.now(), "Somebody without an account was allowed to act.")
            .fact("allowed", format!("{allowed:?}"))
    };
    finding.fact("refused", refused.len())
}

/// Asks for another person's data with every role there is.
fn the_owner_reads_nobody(ctx: &Ctx) -> Finding {
    let (owner, other) = (UserId::fresh(ctx), UserId::fresh(ctx));
    let roles: Roles = Role::ALL.into_iter().collect();
    let standing = Standing::of(roles).proven(ctx.now().plus_seconds(60));
    let owner = ctx.acting_as(Actor::Person { user: owner, session: SessionId::fresh(ctx), standing });
    let allowed =
        Action::ALL.into_iter().filter(|action| authorize(&owner, *action, Resource::Of(other)).is_ok());
    let allowed: Vec<_> = allowed.collect();
    if allowed.is_empty() {
        Finding::satisfied(
            Control::ACC02,
            ctx.now(),
            "An account with every role reaches nobody else's data.",
        )
        .fact("refused", Action::ALL.len())
    } else {
        Finding::not_satisfied(Control::ACC02, ctx.now(), "A role opens other people's data.")
            .fact("allowed", format!("{allowed:?}"))
    }
}

/// Asks for everything dangerous with every role and without having shown enough.
fn danger_is_confirmed(ctx: &Ctx) -> Finding {
    let user = UserId::fresh(ctx);
    let unproven = Standing::of(Role::ALL.into_iter().collect());
    let as_person = |standing| {
        let actor = Actor::Person { user, session: SessionId::fresh(ctx), standing };
        ctx.acting_as(actor)
    };
    let (bare, stale) = (as_person(unproven), as_person(unproven.proven(ctx.now())));
    let granted = |ctx: &Ctx, action: &Action| {
        [Resource::Of(user), Resource::Instance].iter().any(|on| authorize(ctx, *action, *on).is_ok())
    };
    let administrative = Action::ALL.into_iter().filter(|action| action.is_administrative());
    let mut allowed: Vec<_> = administrative.filter(|action| granted(&bare, action)).collect();
    allowed.extend(Action::ALL.into_iter().filter(|one| one.needs_step_up() && granted(&stale, one)));
    if allowed.is_empty() {
        let good = "Without a second factor nobody administers, and without a fresh confirmation nobody takes a \
                    dangerous step.";
        Finding::satisfied(Control::AUT08, ctx.now(), good)
    } else {
        Finding::not_satisfied(Control::AUT08, ctx.now(), "A dangerous step was allowed unconfirmed.")
            .fact("allowed", format!("{allowed:?}"))
    }
}

/// Offers passwords that each break one rule, and one that breaks none.
fn weak_passwords_are_refused(ctx: &Ctx, numbers: &Numbers) -> Result<Finding, Unanswered> {
    let long = usize::try_from(numbers.password_min_chars)?;
    let good = "Kp7#mZ2!qW9$vT4%xB6&hN8*jL3+".repeat(1 + long / 28);
    let short: String = good.chars().take(long.saturating_sub(1)).collect();
    let mut weak = vec![
        ("too short", short),
        ("no capital", good.to_lowercase()),
        ("no small letter", good.to_uppercase()),
        ("no digit", good.chars().filter(|c| !c.is_ascii_digit()).chain("abcdefghijklmno".chars()).collect()),
        (
            "letters and digits only",
            good.chars().filter(|c| c.is_alphanumeric()).chain("Lw5Rt".chars()).collect(),
        ),
    ];
    let rules = Rules::of(numbers, false);
    if !rules.classes {
        weak.truncate(1);
    }
    let accepts = |password: &str| password::problems(password, "checker", rules).is_empty();
    let accepted: Vec<&str> =
        weak.iter().filter(|(_, password)| accepts(password)).map(|(what, _)| *what).collect();
    let finding = if !accepted.is_empty() {
        Finding::not_satisfied(Control::AUT01, ctx.now(), "A weak password would be accepted.")
            .fact("accepted", accepted.join(", "))
    } else if !accepts(&good) {
        Finding::not_satisfied(Control::AUT01, ctx.now(), "No password at all would be accepted.")
    } else {
        Finding::satisfied(Control::AUT01, ctx.now(), "Passwords that break a rule are refused.")
            .fact("refused", weak.len())
    };
    Ok(finding.fact("fewest characters", numbers.password_min_chars))
}
