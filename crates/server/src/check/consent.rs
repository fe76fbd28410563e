//! Whether the engine of calls asks for consent: it is asked to hold calls that may not be held.

use assistant::{Assistant, Keeping};
use domain::{
    Actor, Control, Ctx, access,
    check::Finding,
    consent::{Basis, Purpose, Standing},
    id::{SessionId, UserId},
};

use super::judge;

/// A call of somebody who does not exist is refused without their consent, and with somebody else's. Nothing is
/// opened by asking.
pub(super) fn nobody_is_heard_unasked(assistant: &Assistant, ctx: &Ctx) -> Finding {
    let (user, other) = (UserId::fresh(ctx), UserId::fresh(ctx));
    let standing = access::Standing::default();
    let actor = Actor::Person { user, session: SessionId::fresh(ctx), standing };
    let agreed = |person, version, purposes: &[Purpose]| {
        Basis::Consent(Standing::new(person, 2, version, purposes.iter().copied()))
    };
    let (kept, unkept) = (Keeping::Kept(None), Keeping::Temporary(None));
    let all = &Purpose::ALL;
    let refusals = [
        (Basis::Consent(Standing::none(user, 2)), unkept, "without consent"),
        (agreed(user, 1, all), unkept, "with consent to an earlier wording"),
        (agreed(other, 2, all), unkept, "with somebody else's consent"),
        (Basis::Program, unkept, "as if a program talked"),
        (
            agreed(user, 2, &[Purpose::ProcessCall, Purpose::ShareSpeech]),
            kept,
            "and kept without consent to that",
        ),
    ];
    let held =
        refusals.iter().find(|(basis, keeping, _)| assistant.may_hold(&actor, basis, *keeping).is_ok());
    let wrong = held.map(|(.., how)| format!("A person's call would be held {how}."));
    let wrong = wrong.or_else(|| {
        let refused = assistant.may_hold(&actor, &agreed(user, 2, all), kept).is_err();
        refused.then(|| "A person who agrees to everything would be refused.".to_owned())
    });
    judge(Control::CON01, ctx, wrong, "Calls are refused to people who did not agree to them.")
        .fact("ways that were tried", refusals.len())
}
