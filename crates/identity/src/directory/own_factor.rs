//! A factor of one's own, where a sign-in service showed none that counts: a code, a recovery code, a passkey.
//!
//! Called by the pages under `/sign-in/with`. The invariants: the service has proven who it is; wrong tries are
//! counted with those of the sign-in; the account is looked at again under the writers' turn.

use domain::{
    Action, Ctx, Resource, Secret,
    audit::{Act, Entry},
    authorize,
    id::UserId,
};
use store::{Tx, accounts, credentials};

use super::SsoProblem;
use crate::{Challenge, Error, Identity, NewSession, permits, sign_in::Shown};

/// Somebody a service has proven, whose own second factor is asked for.
pub(crate) struct FactorWanted {
    pub(super) user: UserId,
    pub(super) wish: String,
}

impl Identity {
    /// The third step where one is asked for: a code of one's own authenticator, or a recovery code.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Throttled`], [`Error::TicketGone`].
    pub async fn finish_sso_factor(
        &self,
        ctx: &Ctx,
        ticket: &Secret<String>,
        code: &str,
        device: &str,
    ) -> Result<(NewSession, String), Error> {
        self.finish_own_factor(ctx, ticket, Shown::Code(code), device).await
    }

    /// Asks for a passkey as that step, at the host `host`.
    ///
    /// # Errors
    /// [`Error::TicketGone`], [`Error::NoPasskeysHere`].
    pub async fn begin_sso_passkey(
        &self,
        ctx: &Ctx,
        ticket: &Secret<String>,
        host: &str,
    ) -> Result<Challenge, Error> {
        let user = self.directory().factors.look(ticket.expose(), ctx.now(), |wanted| wanted.user);
        self.ask_for_one(&permits::authenticating(ctx), host, user.ok_or(Error::TicketGone)?, None).await
    }

    /// The third step with a passkey.
    ///
    /// # Errors
    /// As [`Identity::finish_sso_factor`].
    pub async fn finish_sso_passkey(
        &self,
        ctx: &Ctx,
        ticket: &Secret<String>,
        ceremony: &Secret<String>,
        answer: &str,
        device: &str,
    ) -> Result<(NewSession, String), Error> {
        self.finish_own_factor(ctx, ticket, Shown::Passkey { ceremony, answer }, device).await
    }

    async fn finish_own_factor(
        &self,
        ctx: &Ctx,
        ticket: &Secret<String>,
        shown: Shown<'_>,
        device: &str,
    ) -> Result<(NewSession, String), Error> {
        let ctx = &permits::authenticating(ctx);
        let held = self.directory().factors.take(ticket.expose(), ctx.now()).ok_or(Error::TicketGone)?;
        match self.check_own_factor(ctx, held.value.user, shown, device).await {
            Ok(session) => Ok((session, held.value.wish)),
            Err(Error::Refused) => {
                self.directory().factors.put_back_tried(held);
                Err(Error::Refused)
            }
            Err(error) => {
                self.directory().factors.put_back(held);
                Err(error)
            }
        }
    }

    async fn check_own_factor(
        &self,
        ctx: &Ctx,
        user: UserId,
        shown: Shown<'_>,
        device: &str,
    ) -> Result<NewSession, Error> {
        let permit = authorize(ctx, Action::WriteAccount, Resource::Of(user))?;
        let read = authorize(ctx, Action::ReadAccount, Resource::Of(user))?;
        let key = self.throttle_key(&accounts::get(self.store(), &read).await?.name);
        let mut tx = match shown {
            Shown::Code(code) => {
                // Counts as wrong until it is cleared below, also when the caller goes away meanwhile.
                let _counted = self.admit_try(ctx, key).await?;
                let mut tx = self.begin_active(ctx, user).await?;
                if !self.use_code(&mut tx, ctx, &permit, code).await? {
                    drop(tx);
                    self.note_failure(ctx, &key, Some(user)).await?;
                    return Err(Error::Refused);
                }
                tx
            }
            Shown::Passkey { ceremony, answer } => {
                let shown = match self.verify_one(ctx, user, None, ceremony, answer).await {
                    Err(Error::Refused) => {
                        self.note_failure(ctx, &key, Some(user)).await?;
                        return Err(Error::Refused);
                    }
                    other => other?,
                };
                let mut tx = self.begin_active(ctx, user).await?;
                self.use_passkey(&mut tx, ctx, user, &shown).await?;
                tx
            }
        };
        credentials::clear_failures(&mut tx, &permits::authenticate(ctx)?, &key).await?;
        let session = self.open_session(&mut tx, ctx, &permit, device, true).await?;
        tx.commit(Entry::new(Act::SignedIn, user)).await?;
        self.throttle().clear(&key);
        Ok(session)
    }

    /// The writers' turn, with an account that may sign in while it is held.
    async fn begin_active(&self, ctx: &Ctx, user: UserId) -> Result<Tx, Error> {
        let read = authorize(ctx, Action::ReadAccount, Resource::Of(user))?;
        let tx = self.store().begin(ctx).await?;
        if accounts::get(self.store(), &read).await?.active {
            Ok(tx)
        } else {
            Err(Error::Sso(SsoProblem::Closed))
        }
    }
}
