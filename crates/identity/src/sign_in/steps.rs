//! The later steps of a sign-in: what still has to be done, and the session at its end.
//!
//! Called by [`super`] and the pages of each step. The invariant: every step looks again, while it holds the
//! writers' turn, whether the account is active and the password still the one that was shown.

use domain::{
    Action, Ctx, Resource, Secret, Timestamp,
    access::Permit,
    audit::{Act, Entry},
    authorize, enforced,
    id::UserId,
};
use store::{Tx, accounts, credentials, passkeys, recoveries, sessions};
use zeroize::Zeroizing;

use super::{Enrol, Next, Pending, Stage};
use crate::{
    Error, Identity, NewSession, SetupDone, SetupPending, permits, throttle::Key, tickets::Held, totp,
};

impl Identity {
    /// The step of somebody whose password was too old: a new one.
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
    ) -> Result<Next, Error> {
        let ctx = &permits::authenticating(ctx);
        let mut held = self.take(ctx, ticket, Stage::Renewing)?;
        match self.renew(ctx, &mut held.value, new, device).await {
            Ok(Some(session)) => Ok(Next::Done(session)),
            Ok(None) => self.next_step(ctx, held.value).await,
            Err(Error::TicketGone) => Err(Error::TicketGone),
            Err(error) => {
                self.sign_ins().put_back_tried(held);
                Err(error)
            }
        }
    }

    /// Shows the authenticator that must be added again, as after a wrong code.
    ///
    /// # Errors
    /// [`Error::TicketGone`] when the sign-in must start again.
    pub async fn pending_enrolment(&self, ctx: &Ctx, ticket: &Secret<String>) -> Result<SetupPending, Error> {
        let ctx = &permits::authenticating(ctx);
        let secret = |one: &Pending| Some((one.user, one.enrol.as_ref()?.secret.clone()));
        let known = self.sign_ins().look(ticket.expose(), ctx.now(), secret).flatten();
        let (user, secret) = known.ok_or(Error::TicketGone)?;
        totp::pending(ticket.clone(), &secret, &self.name_of(ctx, user).await?, self.issuer())
    }

    /// The step of somebody who must add an authenticator: a code of it. Signs them in.
    ///
    /// # Errors
    /// [`Error::Refused`] for a wrong code, [`Error::TicketGone`].
    pub async fn finish_enrolment(
        &self,
        ctx: &Ctx,
        ticket: &Secret<String>,
        code: &str,
        device: &str,
    ) -> Result<SetupDone, Error> {
        let ctx = &permits::authenticating(ctx);
        let held = self.take(ctx, ticket, Stage::Enrolling)?;
        let Some(enrol) = &held.value.enrol else { return Err(Error::TicketGone) };
        let Some(step) = totp::check(&enrol.secret, code, ctx.now())? else {
            self.sign_ins().put_back_tried(held);
            return Err(Error::Refused);
        };
        self.enrol(ctx, &held.value, step, device).await
    }

    /// The step of somebody whom a sign-in service has proven, whose account must have a factor and has none.
    pub(crate) async fn must_enrol(&self, ctx: &Ctx, user: UserId) -> Result<Next, Error> {
        enforced!(AUT10);
        let permit = authorize(ctx, Action::ReadAccount, Resource::Of(user))?;
        let key = self.throttle_key(&self.name_of(ctx, user).await?);
        let changed = credentials::password(self.store(), &permit).await?.map(|kept| kept.changed);
        let enrol = Some(Enrol { secret: totp::fresh_secret(ctx), recovery: None });
        let (stage, stronger, second_factor, password_expired) = (Stage::Enrolling, None, false, false);
        let pending = Pending { user, key, stage, password_expired, changed, stronger, second_factor, enrol };
        self.next_step(ctx, pending).await
    }

    /// Whose right password a ticket stands for. The ticket is gone with it.
    pub(crate) fn shown_password(&self, ctx: &Ctx, ticket: &Secret<String>) -> Result<UserId, Error> {
        Ok(self.take(ctx, ticket, Stage::PasswordShown)?.value.user)
    }

    /// What is known of a sign-in of `user`, whose password was set at `changed`.
    pub(super) fn pending(&self, ctx: &Ctx, key: Key, user: UserId, changed: Option<Timestamp>) -> Pending {
        let expiry = changed.and_then(|changed| self.expiry(changed));
        let password_expired = expiry.is_some_and(|end| ctx.now() >= end);
        if password_expired {
            enforced!(AUT01);
        }
        let (stage, stronger, second_factor, enrol) = (Stage::PasswordShown, None, false, None);
        Pending { user, key, stage, password_expired, changed, stronger, second_factor, enrol }
    }

    /// Takes a ticket of the right stage; one of another stage stays where it is.
    pub(super) fn take(
        &self,
        ctx: &Ctx,
        ticket: &Secret<String>,
        stage: Stage,
    ) -> Result<Held<Pending>, Error> {
        let held = self.sign_ins().take(ticket.expose(), ctx.now()).ok_or(Error::TicketGone)?;
        if held.value.stage != stage {
            self.sign_ins().put_back(held);
            return Err(Error::TicketGone);
        }
        Ok(held)
    }

    /// The verifier in force, provided it is still that of the password that was shown.
    ///
    /// Called while the caller's transaction holds the writers' turn, so the answer stands until its
    /// commit: who changes a password because it leaked also ends what was begun with it.
    pub(super) async fn still_stands(
        &self,
        ctx: &Ctx,
        pending: &Pending,
    ) -> Result<Option<Zeroizing<String>>, Error> {
        let permit =
            authorize(&permits::authenticating(ctx), Action::ReadAccount, Resource::Of(pending.user))?;
        let active = match accounts::get(self.store(), &permit).await {
            Ok(account) => account.active,
            Err(store::Error::NotFound) => false,
            Err(error) => return Err(error.into()),
        };
        let password = credentials::password(self.store(), &permit).await?;
        if !active || password.as_ref().map(|password| password.changed) != pending.changed {
            return Err(Error::TicketGone);
        }
        Ok(password.map(|password| Zeroizing::new(password.verifier)))
    }

    /// Opens the session of somebody who has shown enough; `None` when something is to be done first.
    pub(super) async fn conclude(
        &self,
        mut tx: Tx,
        ctx: &Ctx,
        pending: &Pending,
        in_force: Option<Zeroizing<String>>,
        device: &str,
    ) -> Result<Option<NewSession>, Error> {
        let permit = authorize(ctx, Action::WriteAccount, Resource::Of(pending.user))?;
        credentials::clear_failures(&mut tx, &permit).await?;
        let session = if pending.stage_after().is_none() {
            self.strengthen(&mut tx, &permit, pending, in_force).await?;
            let session = self.open_session(&mut tx, ctx, &permit, device, pending.second_factor).await?;
            tx.commit(Entry::new(Act::SignedIn, pending.user)).await?;
            Some(session)
        } else if pending.second_factor {
            tx.commit(Entry::new(Act::FactorUsed, pending.user)).await?;
            None
        } else {
            // Nothing was used up yet.
            drop(tx);
            return Ok(None);
        };
        self.throttle().clear(&pending.key);
        Ok(session)
    }

    /// What somebody is shown who has shown enough and has something to do first.
    pub(super) async fn next_step(&self, ctx: &Ctx, mut pending: Pending) -> Result<Next, Error> {
        match pending.stage_after() {
            Some(Stage::Renewing) => {
                pending.stage = Stage::Renewing;
                Ok(Next::NewPassword { ticket: self.sign_ins().issue(ctx, pending) })
            }
            _ => {
                let Some(enrol) = &pending.enrol else { return Err(Error::TicketGone) };
                let (secret, name) = (enrol.secret.clone(), self.name_of(ctx, pending.user).await?);
                pending.stage = Stage::Enrolling;
                let ticket = self.sign_ins().issue(ctx, pending);
                Ok(Next::Enrol(totp::pending(ticket, &secret, &name, self.issuer())?))
            }
        }
    }

    async fn renew(
        &self,
        ctx: &Ctx,
        pending: &mut Pending,
        new: &Secret<String>,
        device: &str,
    ) -> Result<Option<NewSession>, Error> {
        let verifier = self.acceptable(ctx, pending.user, new).await?;
        let permit = authorize(ctx, Action::WriteAccount, Resource::Of(pending.user))?;
        let mut tx = self.store().begin(ctx).await?;
        self.still_stands(ctx, pending).await?;
        let now = ctx.now();
        credentials::set_password(&mut tx, &permit, &verifier, now).await?;
        (pending.password_expired, pending.changed, pending.stronger) = (false, Some(now), None);
        let session = if pending.enrol.is_none() {
            Some(self.open_session(&mut tx, ctx, &permit, device, pending.second_factor).await?)
        } else {
            None
        };
        tx.commit(Entry::new(Act::PasswordSet, pending.user)).await?;
        Ok(session)
    }

    async fn enrol(&self, ctx: &Ctx, pending: &Pending, step: i64, device: &str) -> Result<SetupDone, Error> {
        let Some(enrol) = &pending.enrol else { return Err(Error::TicketGone) };
        let permit = authorize(ctx, Action::WriteAccount, Resource::Of(pending.user))?;
        let mut tx = self.store().begin(ctx).await?;
        let in_force = self.still_stands(ctx, pending).await?;
        self.strengthen(&mut tx, &permit, pending, in_force).await?;
        let act = match enrol.recovery {
            None => Act::FactorSet,
            Some(id) => {
                // Called off or used meanwhile: nothing is left to be claimed.
                if !recoveries::end(&mut tx, &permit, id).await? {
                    enforced!(AUT11);
                    return Err(Error::TicketGone);
                }
                // What was lost may be in somebody's hands, and so may a session.
                passkeys::remove_all(&mut tx, &permit).await?;
                sessions::end_all(&mut tx, &permit, None).await?;
                Act::RecoveryUsed
            }
        };
        credentials::set_totp(&mut tx, &permit, &enrol.secret, true).await?;
        credentials::use_totp_step(&mut tx, &permit, step).await?;
        credentials::clear_failures(&mut tx, &permit).await?;
        let recovery_codes = self.fresh_codes(&mut tx, ctx, &permit).await?;
        let session = self.open_session(&mut tx, ctx, &permit, device, true).await?;
        tx.commit(Entry::new(act, pending.user)).await?;
        self.throttle().clear(&pending.key);
        Ok(SetupDone { recovery_codes, session })
    }

    /// Keeps the password hashed anew, unless another sign-in did meanwhile.
    async fn strengthen(
        &self,
        tx: &mut Tx,
        permit: &Permit,
        pending: &Pending,
        in_force: Option<Zeroizing<String>>,
    ) -> Result<(), Error> {
        let weak = in_force.is_some_and(|verifier| self.passwords().is_weak(&verifier));
        if let (Some(verifier), Some(changed), true) = (&pending.stronger, pending.changed, weak) {
            credentials::set_password(tx, permit, verifier, changed).await?;
        }
        Ok(())
    }

    async fn name_of(&self, ctx: &Ctx, user: UserId) -> Result<String, Error> {
        let permit = authorize(ctx, Action::ReadAccount, Resource::Of(user))?;
        Ok(accounts::get(self.store(), &permit).await?.name)
    }
}
