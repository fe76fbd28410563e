//! The way back for somebody who lost their factors, which no single person can take or give.
//!
//! Called by the sign-in pages (asking), the page of those who may agree, and the command `troth recover`.
//! The invariants: who asks has shown the password; two other people agree, each with a confirmation of
//! their own and with the word its person told them; then a delay runs, in which every session of the
//! account shows it and can call it off; then the code that was shown to whoever asked, together with the
//! password, leads to a new factor, once. An operator at the machine itself needs nobody to agree: they
//! hold the keys anyway, and it is written down and shown all the same.

use aws_lc_rs::constant_time;
use domain::{
    Action, Ctx, Denied, Resource, Secret, Timestamp,
    audit::{Act, Entry},
    authorize, enforced,
    id::{RecoveryId, UserId},
};
use store::{
    accounts,
    footing::Footing,
    recoveries::{self, Recovery},
};
use zeroize::Zeroizing;

use crate::{
    Error, Identity, Unfit, Waiting, codes, permits, second_person::are_independent, throttle::Count,
};

/// People who must agree.
const AGREEMENTS: usize = 2;
/// Seconds after which an unused request is over.
const LIFE_S: i64 = 7 * 24 * 3600;
/// The same for one the operator made.
const OPERATOR_LIFE_S: i64 = 3600;
/// Characters of the code: 24 of base32 are 120 bits. Neither as long as a recovery code nor six digits.
const CHARS: usize = 24;
/// Characters of the word.
const WORD_CHARS: usize = 6;

/// A recovery that was just asked for.
#[derive(Debug)]
pub struct RecoveryAsked {
    /// What uses it in the end, together with the password. This is the only time it is seen.
    pub code: Secret<String>,
    /// What its person tells the two people who are to agree.
    pub word: Secret<String>,
    /// Hours it will take after they agreed.
    pub delay_hours: u32,
}

/// A recovery as those who may agree see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRecovery {
    /// Its identifier.
    pub id: RecoveryId,
    /// Who lost their factors.
    pub name: String,
    /// When it was asked for.
    pub asked: Timestamp,
    /// How many have agreed.
    pub agreed: usize,
    /// From when it can be used, once enough have.
    pub ready: Option<Timestamp>,
    /// Whether the one who looks may still agree: it is not theirs, and they have not yet.
    pub open_to_me: bool,
}

impl Identity {
    /// Asks for a way back, with a sign-in whose password was right.
    ///
    /// # Errors
    /// [`Error::TicketGone`], [`Error::NobodyToAsk`] when there are not two people who could agree.
    pub async fn ask_recovery(&self, ctx: &Ctx, ticket: &Secret<String>) -> Result<RecoveryAsked, Error> {
        let ctx = &permits::authenticating(ctx);
        let user = self.shown_password(ctx, ticket)?;
        if self.could_agree(ctx, user, Action::ApproveRecovery).await? < AGREEMENTS {
            return Err(Error::NobodyToAsk);
        }
        self.open_recovery(ctx, user, false).await
    }

    /// Makes a way back for the account called `name`, for the operator at the machine itself.
    ///
    /// # Errors
    /// [`Error::NotFound`] when nobody is called that.
    pub async fn operator_recovery(&self, ctx: &Ctx, name: &str) -> Result<RecoveryAsked, Error> {
        let ctx = &permits::authenticating(ctx);
        let found = accounts::find(self.store(), &permits::authenticate(ctx)?, name).await?;
        self.open_recovery(ctx, found.ok_or(Error::NotFound)?.id, true).await
    }

    /// The recoveries under way, for those who may agree.
    ///
    /// # Errors
    /// [`Error::Denied`] unless the actor may approve recoveries.
    pub async fn recoveries(&self, ctx: &Ctx) -> Result<Vec<OpenRecovery>, Error> {
        let permit = authorize(ctx, Action::ApproveRecovery, Resource::Instance)?;
        let me = ctx.actor.user().ok_or(Denied::FLAT)?;
        let all = recoveries::list(self.store(), &permit).await?;
        let living = all.into_iter().filter(|(one, _)| self.recovery_lives(one, ctx.now()) && !one.operator);
        Ok(living
            .map(|(one, name)| OpenRecovery {
                id: one.id,
                name,
                asked: one.asked,
                agreed: one.approvers.len(),
                ready: self.recovery_ready(&one),
                open_to_me: one.user != me && one.agreed.is_none() && !one.approvers.contains(&me),
            })
            .collect())
    }

    /// Agrees to a recovery, with the word its person told.
    ///
    /// # Errors
    /// [`Error::Denied`] without the right, without a fresh confirmation and for one's own; [`Error::Unfit`] for
    /// who is no second person; [`Error::Refused`] for another word, [`Error::Throttled`] after many of those;
    /// [`Error::AgreedAlready`], [`Error::NotFound`].
    pub async fn approve_recovery(&self, ctx: &Ctx, id: RecoveryId, word: &str) -> Result<(), Error> {
        let permit = authorize(ctx, Action::ApproveRecovery, Resource::Instance)?;
        let me = ctx.actor.user().ok_or(Denied::FLAT)?;
        let mut tx = self.store().begin(ctx).await?;
        let one = self.find_recovery(ctx, id).await?;
        if one.user == me {
            enforced!(AUT11);
            return Err(Denied::FLAT.into());
        }
        let mine = self.footing(ctx, me).await?;
        let others = self.still_agreeing(ctx, &one).await?;
        // An account made for the purpose does not count as a second person.
        if !self.counts_for(ctx, &mine, Action::ApproveRecovery)
            || others.iter().any(|other| other.user != me && !are_independent(&mine, other))
        {
            enforced!(AUT11);
            return Err(Error::Unfit(Unfit::NotSecond));
        }
        self.check_word(ctx, me, &one, word)?;
        match recoveries::approve(&mut tx, &permit, id, ctx.now()).await {
            Err(store::Error::Conflict) => {
                enforced!(AUT11);
                return Err(Error::AgreedAlready);
            }
            other => other?,
        }
        if others.len() + 1 >= AGREEMENTS && one.agreed.is_none() {
            recoveries::agree(&mut tx, &permit, id, ctx.now()).await?;
        }
        Ok(tx.commit(Entry::new(Act::RecoveryApproved, id)).await?)
    }

    /// Says no to somebody's recovery.
    ///
    /// # Errors
    /// [`Error::Denied`] as for agreeing, [`Error::NotFound`].
    pub async fn refuse_recovery(&self, ctx: &Ctx, id: RecoveryId) -> Result<(), Error> {
        let permit = authorize(ctx, Action::ApproveRecovery, Resource::Instance)?;
        let mut tx = self.store().begin(ctx).await?;
        if !recoveries::refuse(&mut tx, &permit, id).await? {
            return Err(Error::NotFound);
        }
        Ok(tx.commit(Entry::new(Act::RecoveryRefused, id)).await?)
    }

    /// Calls the recovery of the person who asks off.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none.
    pub async fn call_off_recovery(&self, ctx: &Ctx) -> Result<(), Error> {
        let (read, write) =
            (permits::own(ctx, Action::ReadAccount)?, permits::own(ctx, Action::WriteAccount)?);
        let one = recoveries::of(self.store(), &read).await?.ok_or(Error::NotFound)?;
        let mut tx = self.store().begin(ctx).await?;
        if !recoveries::end(&mut tx, &write, one.id).await? {
            return Err(Error::NotFound);
        }
        Ok(tx.commit(Entry::new(Act::RecoveryRefused, one.id)).await?)
    }

    /// The recovery of `user` that `typed` is the code of, when it may be used now. `None` when it is no
    /// such code at all.
    ///
    /// # Errors
    /// [`Error::NotYet`] when people or time are missing, [`Error::Refused`] for the code of none.
    pub(crate) async fn claim(
        &self,
        ctx: &Ctx,
        user: UserId,
        typed: &str,
    ) -> Result<Option<RecoveryId>, Error> {
        let Some(code) = codes::read(typed, CHARS) else { return Ok(None) };
        let permit = authorize(&permits::authenticating(ctx), Action::ReadAccount, Resource::Of(user))?;
        let one =
            recoveries::of(self.store(), &permit).await?.filter(|one| self.recovery_lives(one, ctx.now()));
        let hash = self.claim_hash(user, &code);
        let Some(one) = one.filter(|one| constant_time::verify_slices_are_equal(&one.code, &hash).is_ok())
        else {
            return Err(Error::Refused);
        };
        // Who agreed and was closed or lost the right since does not count any more.
        let agreed = one.operator || self.still_agreeing(ctx, &one).await?.len() >= AGREEMENTS;
        let Some(ready) = self.recovery_ready(&one).filter(|_| agreed) else {
            enforced!(AUT11);
            return Err(Error::NotYet(Waiting::Agreement));
        };
        if ctx.now() < ready {
            enforced!(AUT11);
            let hours = (ready.seconds_since(ctx.now()) + 3600) / 3600;
            return Err(Error::NotYet(Waiting::Hours { hours: u32::try_from(hours).unwrap_or(u32::MAX) }));
        }
        Ok(Some(one.id))
    }

    /// From when a recovery may be used; `None` while people are missing.
    pub(crate) fn recovery_ready(&self, one: &Recovery) -> Option<Timestamp> {
        let delay_s = if one.operator { 0 } else { i64::from(self.numbers().recovery_delay_hours) * 3600 };
        one.agreed.map(|agreed| agreed.plus_seconds(delay_s))
    }

    /// Whether a recovery is not over.
    pub(crate) fn recovery_lives(&self, one: &Recovery, now: Timestamp) -> bool {
        let (life_s, from) = match one.agreed {
            _ if one.operator => (OPERATOR_LIFE_S, one.asked),
            // Its person has as long again once it can be used.
            Some(_) => (LIFE_S, self.recovery_ready(one).unwrap_or(one.asked)),
            None => (LIFE_S, one.asked),
        };
        now < from.plus_seconds(life_s)
    }

    /// Ends the requests that nobody can use any more.
    pub(crate) async fn end_old_recoveries(&self, ctx: &Ctx) -> Result<(), Error> {
        let permit = authorize(ctx, Action::WriteInstance, Resource::Instance)?;
        let longest = LIFE_S.saturating_mul(2) + i64::from(self.numbers().recovery_delay_hours) * 3600;
        let mut tx = self.store().begin(ctx).await?;
        let ended = recoveries::end_before(&mut tx, &permit, ctx.now().plus_seconds(-longest)).await?;
        if ended > 0 {
            tx.commit(Entry::new(Act::RecoveryRefused, "").times(usize::try_from(ended).unwrap_or(0)))
                .await?;
        }
        Ok(())
    }

    async fn open_recovery(&self, ctx: &Ctx, user: UserId, operator: bool) -> Result<RecoveryAsked, Error> {
        let permit = authorize(ctx, Action::WriteAccount, Resource::Of(user))?;
        let id = RecoveryId::fresh(ctx);
        let code = codes::base32(&*Zeroizing::new(ctx.random::<15>()));
        let hash = self.claim_hash(user, &code);
        let mut tx = self.store().begin(ctx).await?;
        recoveries::ask(&mut tx, &permit, id, &hash, ctx.now(), operator).await?;
        tx.commit(Entry::new(Act::RecoveryRequested, user)).await?;
        let word = self.word_of(id, &hash);
        Ok(RecoveryAsked {
            code: codes::grouped(&code, '-'),
            word: Secret::new(word.to_string()),
            delay_hours: self.numbers().recovery_delay_hours,
        })
    }

    /// Those who agreed to a recovery, may sign in, and still hold the right.
    async fn still_agreeing(&self, ctx: &Ctx, one: &Recovery) -> Result<Vec<Footing>, Error> {
        let mut agreeing = Vec::new();
        for approver in &one.approvers {
            match self.footing(ctx, *approver).await {
                Ok(footing) if footing.may(Action::ApproveRecovery) => agreeing.push(footing),
                Ok(_) | Err(Error::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(agreeing)
    }

    /// Refuses a word that is not the request's. Tries are counted for each who may agree and each request.
    fn check_word(&self, ctx: &Ctx, me: UserId, one: &Recovery, word: &str) -> Result<(), Error> {
        let key = self.store().mac("recovery word tries", format!("{}/{me}", one.id).as_bytes());
        let counted = self.throttle().admit(key, Count::default(), ctx.now())?;
        let typed = codes::read(word, WORD_CHARS).ok_or(Error::Refused)?;
        let right = self.word(one);
        if constant_time::verify_slices_are_equal(typed.as_bytes(), right.as_bytes()).is_err() {
            return Err(Error::Refused);
        }
        self.throttle().give_back(&counted);
        Ok(())
    }

    async fn find_recovery(&self, ctx: &Ctx, id: RecoveryId) -> Result<Recovery, Error> {
        let permit = authorize(ctx, Action::ApproveRecovery, Resource::Instance)?;
        let all = recoveries::list(self.store(), &permit).await?;
        let living = |one: &Recovery| one.id == id && !one.operator && self.recovery_lives(one, ctx.now());
        all.into_iter().map(|(one, _)| one).find(living).ok_or(Error::NotFound)
    }

    fn claim_hash(&self, user: UserId, code: &str) -> [u8; 32] {
        let mut text = Zeroizing::new(Vec::with_capacity(16 + CHARS));
        text.extend_from_slice(user.0.as_bytes());
        text.extend_from_slice(code.as_bytes());
        self.store().mac("recovery claim", &text)
    }

    fn word(&self, one: &Recovery) -> Zeroizing<String> {
        self.word_of(one.id, &one.code)
    }

    /// Follows from the request, so it is kept nowhere; who did not see the page cannot know it.
    fn word_of(&self, id: RecoveryId, code: &[u8]) -> Zeroizing<String> {
        let mut text = Vec::from(id.0.as_bytes());
        text.extend_from_slice(code);
        let mut word = codes::base32(&self.store().mac("recovery word", &text)[..5]);
        word.truncate(WORD_CHARS);
        word
    }
}
