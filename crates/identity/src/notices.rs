//! What a person should be told wherever they are: a password that is due, a recovery under way, a factor
//! that is missing. Called by every page that shows a frame; costs a few small reads.

use domain::{Action, Actor, Ctx, Timestamp, enforced};
use store::{credentials, recoveries};

use crate::{Error, Identity, permits};

const DAY_S: i64 = 24 * 3600;

/// What is to be told now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notices {
    /// When the password must be changed, once that is near.
    pub password_due: Option<Timestamp>,
    /// Somebody who knows the password asked to replace the factors.
    pub recovery: Option<RecoveryNotice>,
    /// There is news about sign-ins and sessions that was not read yet.
    pub news: bool,
    /// The account administers, and this session has shown no second factor.
    pub factor_missing: bool,
}

/// A recovery under way, as the person it is about sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecoveryNotice {
    /// When it was asked for.
    pub asked: Timestamp,
    /// From when it can be used, once two people have agreed.
    pub ready: Option<Timestamp>,
    /// Whether the operator made it on the machine itself.
    pub operator: bool,
}

impl Identity {
    /// What the person who asks should be told.
    ///
    /// # Errors
    /// [`Error::Denied`] unless a signed-in person asks.
    pub async fn notices(&self, ctx: &Ctx) -> Result<Notices, Error> {
        let permit = permits::own(ctx, Action::ReadAccount)?;
        let Actor::Person { standing, .. } = ctx.actor else { return Ok(Notices::default()) };
        let kept = credentials::password(self.store(), &permit).await?;
        let notice_s = i64::from(self.numbers().password_notice_days) * DAY_S;
        let due = kept.and_then(|kept| self.expiry(kept.changed));
        let password_due = due.filter(|due| ctx.now() >= due.plus_seconds(-notice_s));
        if password_due.is_some() {
            enforced!(AUT12);
        }
        let recovery =
            recoveries::of(self.store(), &permit).await?.filter(|one| self.recovery_lives(one, ctx.now()));
        Ok(Notices {
            news: !self.news(ctx).await?.is_empty(),
            password_due,
            recovery: recovery.map(|one| RecoveryNotice {
                asked: one.asked,
                ready: self.recovery_ready(&one),
                operator: one.operator,
            }),
            factor_missing: standing.rights().iter().any(Action::is_administrative)
                && !standing.shown.second_factor,
        })
    }
}
