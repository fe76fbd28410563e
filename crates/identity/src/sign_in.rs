//! Sign-in: a name and a password, then a factor, then a session.
//!
//! Called by the sign-in pages. The invariants: whether a name exists shows neither in the answer nor
//! in its time (one Argon2 run and one write either way, and answers leave on a grid of time); every
//! wrong password and every wrong code counts; a password alone opens nothing.

use domain::{
    Action, Ctx, Resource, Secret, Timestamp,
    access::Permit,
    audit::{Act, Entry},
    authorize, enforced,
    id::UserId,
    name,
};
use store::{
    Tx, accounts,
    credentials::{self, Password},
};
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::{
    Error, Identity, NewSession, permits, recovery,
    throttle::{Count, Key},
    tickets::Held,
    totp,
};

/// Seconds from the password to the factor, and from there to a new password.
pub(crate) const LIFE_S: i64 = 5 * 60;
/// Sign-ins under way at the same time; each has shown a right password.
pub(crate) const MOST: usize = 4096;

/// What the person must do next.
#[derive(Debug)]
#[non_exhaustive]
pub enum Next {
    /// Show a factor: a code of the authenticator, or a recovery code.
    Factor {
        /// Names this sign-in in the next step.
        ticket: Secret<String>,
    },
    /// Choose a new password, because the old one is too old.
    NewPassword {
        /// Names this sign-in in the next step.
        ticket: Secret<String>,
    },
    /// Nothing: they are in.
    Done(NewSession),
}

/// How far a sign-in has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    PasswordShown,
    FactorShown,
}

/// What is known between the steps of a sign-in.
pub(crate) struct Pending {
    user: UserId,
    key: Key,
    stage: Stage,
    password_expired: bool,
    /// When the password that was shown was set; one set since ends this sign-in.
    changed: Timestamp,
    /// The password hashed anew, when its verifier had weaker parameters.
    stronger: Option<Zeroizing<String>>,
}

/// An account somebody wants to sign in to.
struct Known {
    user: UserId,
    password: Password,
}

impl Identity {
    /// The first step: a name and a password.
    ///
    /// # Errors
    /// [`Error::Refused`] when the name is unknown or the password wrong, [`Error::Throttled`] after
    /// too many of either, [`Error::Busy`].
    pub async fn sign_in(&self, ctx: &Ctx, name: &str, password: &Secret<String>) -> Result<Next, Error> {
        let came = Instant::now();
        let answer = self.check_password(&permits::authenticating(ctx), name, password).await;
        self.hold_back(came).await;
        answer
    }

    /// The second step: a code of the authenticator or a recovery code.
    ///
    /// # Errors
    /// [`Error::Refused`] for a wrong or used code, [`Error::Throttled`]; [`Error::TicketGone`], also
    /// when the password was changed meanwhile or the account is not active any more.
    pub async fn finish_sign_in(
        &self,
        ctx: &Ctx,
        ticket: &Secret<String>,
        code: &str,
        device: &str,
    ) -> Result<Next, Error> {
        let came = Instant::now();
        let answer = self.check_factor(&permits::authenticating(ctx), ticket, code, device).await;
        self.hold_back(came).await;
        answer
    }

    /// The last step for somebody whose password was too old: a new one.
    ///
    /// # Errors
    /// [`Error::Password`] with what to change, [`Error::Busy`]; [`Error::TicketGone`], also when the
    /// password was changed elsewhere meanwhile.
    pub async fn renew_password(
        &self,
        ctx: &Ctx,
        ticket: &Secret<String>,
        new: &Secret<String>,
        device: &str,
    ) -> Result<NewSession, Error> {
        let ctx = &permits::authenticating(ctx);
        let held = self.take(ctx, ticket, Stage::FactorShown)?;
        let renewed = self.renew(ctx, &held.value, new, device).await;
        match renewed {
            Ok(_) | Err(Error::TicketGone) => {}
            Err(_) => self.sign_ins().put_back_tried(held),
        }
        renewed
    }

    async fn check_password(&self, ctx: &Ctx, name: &str, password: &Secret<String>) -> Result<Next, Error> {
        // What cannot be a name is a name nobody has.
        let name = name::tidy(name).unwrap_or_default();
        let key = self.throttle_key(&name);
        let known = self.find(ctx, &name).await?;
        let kept = match &known {
            Some(known) => self.kept_failures(ctx, known.user).await?,
            None => Count::default(),
        };
        let one = self.throttle().admit(key, kept, ctx.now())?;
        let verifier = known.as_ref().map(|known| known.password.verifier.as_str());
        let right = self.passwords().verify(password.expose(), verifier).await;
        if !matches!(right, Ok(false)) {
            // Right, or not looked at: neither counts as a failure.
            self.throttle().give_back(&one);
        }
        match known {
            Some(known) if right? => {
                let pending = self.pending(ctx, key, known, password).await?;
                Ok(Next::Factor { ticket: self.sign_ins().issue(ctx, pending) })
            }
            other => {
                self.note_failure(ctx, other.map(|known| known.user)).await?;
                Err(Error::Refused)
            }
        }
    }

    async fn check_factor(
        &self,
        ctx: &Ctx,
        ticket: &Secret<String>,
        code: &str,
        device: &str,
    ) -> Result<Next, Error> {
        let mut held = self.take(ctx, ticket, Stage::PasswordShown)?;
        match self.try_factor(ctx, &held.value, code, device).await {
            Ok(Some(session)) => Ok(Next::Done(session)),
            Ok(None) => {
                held.value.stage = Stage::FactorShown;
                Ok(Next::NewPassword { ticket: self.sign_ins().issue(ctx, held.value) })
            }
            Err(Error::Refused) => {
                self.sign_ins().put_back_tried(held);
                Err(Error::Refused)
            }
            Err(Error::TicketGone) => Err(Error::TicketGone),
            Err(not_looked_at) => {
                self.sign_ins().put_back(held);
                Err(not_looked_at)
            }
        }
    }

    /// Opens a session against a right code; `None` when the password must be renewed first.
    async fn try_factor(
        &self,
        ctx: &Ctx,
        pending: &Pending,
        code: &str,
        device: &str,
    ) -> Result<Option<NewSession>, Error> {
        let Pending { user, key, password_expired, .. } = *pending;
        let permit = authorize(ctx, Action::WriteAccount, Resource::Of(user))?;
        let kept = self.kept_failures(ctx, user).await?;
        // Counts as wrong until it is cleared below, also when the caller goes away meanwhile.
        let one = self.throttle().admit(key, kept, ctx.now())?;
        let mut tx = self.store().begin(ctx).await?;
        let in_force = match self.still_stands(ctx, pending).await {
            Ok(in_force) => in_force,
            Err(not_looked_at) => {
                self.throttle().give_back(&one);
                return Err(not_looked_at);
            }
        };
        if !self.use_code(&mut tx, ctx, &permit, code).await? {
            drop(tx);
            self.note_failure(ctx, Some(user)).await?;
            return Err(Error::Refused);
        }
        credentials::clear_failures(&mut tx, &permit).await?;
        let session = if password_expired {
            tx.commit(Entry::new(Act::FactorUsed, user)).await?;
            None
        } else {
            // Another sign-in may have made it stronger meanwhile; once is enough.
            if let Some(verifier) = pending.stronger.as_ref().filter(|_| self.passwords().is_weak(&in_force))
            {
                credentials::set_password(&mut tx, &permit, verifier, pending.changed).await?;
            }
            let session = self.open_session(&mut tx, ctx, &permit, device, true).await?;
            tx.commit(Entry::new(Act::SignedIn, user)).await?;
            Some(session)
        };
        self.throttle().clear(&key);
        Ok(session)
    }

    async fn renew(
        &self,
        ctx: &Ctx,
        pending: &Pending,
        new: &Secret<String>,
        device: &str,
    ) -> Result<NewSession, Error> {
        let verifier = self.acceptable(ctx, pending.user, new).await?;
        let permit = authorize(ctx, Action::WriteAccount, Resource::Of(pending.user))?;
        let mut tx = self.store().begin(ctx).await?;
        self.still_stands(ctx, pending).await?;
        credentials::set_password(&mut tx, &permit, &verifier, ctx.now()).await?;
        let session = self.open_session(&mut tx, ctx, &permit, device, true).await?;
        tx.commit(Entry::new(Act::PasswordSet, pending.user)).await?;
        Ok(session)
    }

    /// The verifier in force, provided it is still that of the password that was shown.
    ///
    /// Called while the caller's transaction holds the writers' turn, so the answer stands until its
    /// commit: who changes a password because it leaked also ends what was begun with it.
    async fn still_stands(&self, ctx: &Ctx, pending: &Pending) -> Result<Zeroizing<String>, Error> {
        let permit =
            authorize(&permits::authenticating(ctx), Action::ReadAccount, Resource::Of(pending.user))?;
        let active = match accounts::get(self.store(), &permit).await {
            Ok(account) => account.active,
            Err(store::Error::NotFound) => false,
            Err(error) => return Err(error.into()),
        };
        let password = if active { credentials::password(self.store(), &permit).await? } else { None };
        let shown = password.filter(|password| password.changed == pending.changed);
        shown.map(|password| Zeroizing::new(password.verifier)).ok_or(Error::TicketGone)
    }

    /// Uses up a code of the authenticator or a recovery code; false when it is neither, or used.
    pub(crate) async fn use_code(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        permit: &Permit,
        code: &str,
    ) -> Result<bool, Error> {
        let user = permit.subject(Action::WriteAccount)?;
        if let Some(hash) = recovery::hash_typed(self.store(), user, code) {
            let used_up = credentials::use_recovery_code(tx, permit, &hash).await?;
            if !used_up {
                enforced!(AUT04);
            }
            return Ok(used_up);
        }
        self.use_totp(tx, ctx, permit, code).await
    }

    /// Uses up a code of the authenticator; false when it is wrong or its step was used before.
    pub(crate) async fn use_totp(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        permit: &Permit,
        code: &str,
    ) -> Result<bool, Error> {
        let user = permit.subject(Action::WriteAccount)?;
        let read = authorize(&permits::authenticating(ctx), Action::ReadAccount, Resource::Of(user))?;
        let Some(factor) = credentials::totp(self.store(), &read).await?.filter(|f| f.confirmed) else {
            return Ok(false);
        };
        let Some(step) = totp::check(&factor.secret, code, ctx.now())? else { return Ok(false) };
        let used_up = credentials::use_totp_step(tx, permit, step).await?;
        if !used_up {
            enforced!(AUT03);
        }
        Ok(used_up)
    }

    async fn find(&self, ctx: &Ctx, name: &str) -> Result<Option<Known>, Error> {
        let found = accounts::find(self.store(), &permits::authenticate(ctx)?, name).await?;
        let Some(account) = found.filter(|account| account.active) else { return Ok(None) };
        let permit = authorize(ctx, Action::ReadAccount, Resource::Of(account.id))?;
        let password = credentials::password(self.store(), &permit).await?;
        Ok(password.map(|password| Known { user: account.id, password }))
    }

    async fn pending(
        &self,
        ctx: &Ctx,
        key: Key,
        known: Known,
        password: &Secret<String>,
    ) -> Result<Pending, Error> {
        let Known { user, password: kept } = known;
        let stronger = if self.passwords().is_weak(&kept.verifier) {
            Some(Zeroizing::new(self.passwords().hash(ctx, password.expose()).await?))
        } else {
            None
        };
        let changed = kept.changed;
        let password_expired = self.expiry(changed).is_some_and(|end| ctx.now() >= end);
        if password_expired {
            enforced!(AUT01);
        }
        Ok(Pending { user, key, stage: Stage::PasswordShown, password_expired, changed, stronger })
    }

    /// Takes a ticket of the right stage; one of another stage stays where it is.
    fn take(&self, ctx: &Ctx, ticket: &Secret<String>, stage: Stage) -> Result<Held<Pending>, Error> {
        let held = self.sign_ins().take(ticket.expose(), ctx.now()).ok_or(Error::TicketGone)?;
        if held.value.stage != stage {
            self.sign_ins().put_back(held);
            return Err(Error::TicketGone);
        }
        Ok(held)
    }

    /// How often this account was tried wrongly, as the store remembers it.
    pub(crate) async fn kept_failures(&self, ctx: &Ctx, user: UserId) -> Result<Count, Error> {
        let permit = authorize(ctx, Action::ReadAccount, Resource::Of(user))?;
        let (failures, last) = credentials::failures(self.store(), &permit).await?;
        Ok(Count { failures, last })
    }

    /// Writes down a wrong try. Unknown names cost one durable write as well.
    pub(crate) async fn note_failure(&self, ctx: &Ctx, user: Option<UserId>) -> Result<(), Error> {
        let Some(user) = user else { return self.note_stranger(ctx).await };
        let mut tx = self.store().begin(ctx).await?;
        let permit = authorize(ctx, Action::WriteAccount, Resource::Of(user))?;
        credentials::record_failure(&mut tx, &permit, ctx.now()).await?;
        tx.commit(Entry::new(Act::SignInFailed, user)).await?;
        Ok(())
    }

    /// Under which key the tries for a name are counted.
    pub(crate) fn throttle_key(&self, name: &str) -> Key {
        self.store().mac("sign-in throttle", name::fold(name).as_bytes())
    }

    /// Waits for the next line of the time grid, so that an answer's time says less about its way.
    async fn hold_back(&self, came: Instant) {
        let grid = self.answer_grid().as_nanos();
        if grid > 0 {
            let over = came.elapsed().as_nanos() % grid;
            let rest = u64::try_from(grid - over).unwrap_or(0);
            tokio::time::sleep(std::time::Duration::from_nanos(rest)).await;
        }
    }
}
