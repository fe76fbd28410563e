//! Who counts as a second person, where two must agree: reading somebody's chats, giving factors back.
//!
//! Called by the break-glass requests and the recoveries. The invariant: nobody is both people by way of an
//! account made for it. An account, and the grant that carries the right, are some days old before they count;
//! and of two people neither was invited by the other or given a role by them.

use domain::{Action, Ctx, id::UserId};
use store::footing::{self, Footing};

use crate::{Error, Identity, permits};

const DAY_S: i64 = 24 * 60 * 60;

impl Identity {
    /// Whether where somebody stands lets them be one of two people for `action`.
    pub(crate) fn counts_for(&self, ctx: &Ctx, one: &Footing, action: Action) -> bool {
        let days = i64::from(self.numbers().second_person_days);
        let latest = ctx.now().plus_seconds(-days * DAY_S);
        let carries = one.grants.iter().any(|(grant, rights)| rights.has(action) && grant.at <= latest);
        one.active && one.created <= latest && carries
    }

    /// How many accounts other than `besides` could be one of two people for `action`.
    pub(crate) async fn could_agree(
        &self,
        ctx: &Ctx,
        besides: UserId,
        action: Action,
    ) -> Result<usize, Error> {
        let permit = permits::authenticate(&permits::authenticating(ctx))?;
        let everybody = footing::all(self.store(), &permit, ctx.now()).await?;
        let could = |one: &&Footing| one.user != besides && self.counts_for(ctx, one, action);
        Ok(everybody.iter().filter(could).count())
    }
}

/// Whether neither was invited by the other, nor given a role by them.
pub(crate) fn are_independent(one: &Footing, other: &Footing) -> bool {
    let gave = |giver: &Footing, taker: &Footing| {
        let giver = format!("person:{}", giver.user);
        taker.grants.iter().any(|(grant, _)| grant.by == giver)
    };
    one.user != other.user && !gave(one, other) && !gave(other, one)
}
