//! What a person should be told wherever they are: a password that is due, a recovery under way, a factor
//! that is missing. Called by every page that shows a frame; costs a few small reads. A password that is due
//! is also told by mail, once, from the sweep.

use domain::{
    Action, Actor, Ctx, Resource, Timestamp,
    audit::{Act, Entry},
    authorize, enforced,
    mail::Mail,
};
use store::{credentials, recoveries};

use crate::{Error, Identity, permits};

const DAY_S: i64 = 24 * 3600;
/// Mails about passwords that are due, in one round.
const MAILED_AT_ONCE: u32 = 100;

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

    /// Mails those whose password must soon be changed, each once for each password.
    ///
    /// # Errors
    /// [`Error::Denied`] unless the actor may change the instance, as the system's upkeep may.
    pub async fn tell_passwords_due(&self, ctx: &Ctx) -> Result<(), Error> {
        let permit = authorize(ctx, Action::WriteInstance, Resource::Instance)?;
        let (most, notice) = (self.numbers().password_max_days, self.numbers().password_notice_days);
        if most == 0 || !self.sends_mail() {
            return Ok(());
        }
        let moment = ctx.now().plus_seconds(-i64::from(most.saturating_sub(notice)) * DAY_S);
        let ctx = permits::authenticating(ctx);
        for (user, changed) in
            credentials::passwords_due(self.store(), &permit, moment, MAILED_AT_ONCE).await?
        {
            let Some(by) = self.expiry(changed) else { continue };
            let write = authorize(&ctx, Action::WriteAccount, Resource::Of(user))?;
            let mut tx = self.store().begin(&ctx).await?;
            enforced!(AUT12);
            self.tell(&mut tx, &ctx, user, Mail::PasswordDue { by }).await?;
            credentials::note_told(&mut tx, &write).await?;
            tx.commit(Entry::new(Act::MailQueued, user)).await?;
        }
        Ok(())
    }
}
