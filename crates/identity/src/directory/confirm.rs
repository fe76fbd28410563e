//! Confirming who one is at a sign-in service, by those who have nothing else to show.
//!
//! Called by the page `/confirm` and the way back from the service. The invariants: the service is asked to have
//! its person sign in anew, and must say when they did; it names the person of the session that asked; an owner
//! shows a credential of their own.

use domain::{
    Action, Actor, Ctx, Denied, Resource,
    access::Role,
    audit::{Act, Entry},
    authorize, enforced,
    id::{SessionId, UserId},
};
use store::{directory, sessions};

use super::{SsoBegun, SsoEnd, SsoProblem, proof::Assertion, sign_in::Purpose};
use crate::{Error, Identity, Next, permits};

impl Identity {
    /// The services by which the person who asks can confirm who they are: names and labels.
    ///
    /// # Errors
    /// [`Error::Denied`] unless a signed-in person asks.
    pub async fn services_to_confirm_by(&self, ctx: &Ctx) -> Result<Vec<(String, String)>, Error> {
        let user = ctx.actor.user().ok_or(Denied::ANONYMOUS)?;
        if self.footing(ctx, user).await?.roles().has(Role::Owner) {
            return Ok(Vec::new());
        }
        let permit = permits::authenticate(&permits::authenticating(ctx))?;
        let known = directory::connections_of(self.store(), &permit, user).await?;
        let mut choices = self.sso_choices();
        choices.retain(|(name, _)| known.contains(name));
        Ok(choices)
    }

    /// Sends the person who asks to a service, to sign in there anew.
    ///
    /// # Errors
    /// [`Error::Sso`] as for a sign-in; [`Error::Denied`] unless a signed-in person asks.
    pub async fn begin_sso_confirmation(
        &self,
        ctx: &Ctx,
        name: &str,
        held: Option<&str>,
        wish: &str,
    ) -> Result<SsoBegun, Error> {
        let Actor::Person { user, session, .. } = ctx.actor else { return Err(Denied::ANONYMOUS.into()) };
        if self.footing(ctx, user).await?.roles().has(Role::Owner) {
            return Err(Error::Sso(SsoProblem::OwnFactor));
        }
        self.ask_service(ctx, name, held, wish, Purpose::Confirm { user, session }).await
    }

    /// Notes in the session that asked that its person has just signed in at the service.
    pub(super) async fn confirmed_by_service(
        &self,
        ctx: &Ctx,
        proven: &Assertion,
        (user, session): (UserId, SessionId),
        wish: String,
    ) -> Result<SsoEnd, Error> {
        let permit = authorize(ctx, Action::WriteAccount, Resource::Of(user))?;
        let mut tx = self.store().begin(ctx).await?;
        let known = permits::authenticate(ctx)?;
        let link = directory::link(self.store(), &known, &proven.issuer, &proven.subject).await?;
        if link.is_none_or(|link| link.account != user) {
            drop(tx);
            enforced!(SSO01);
            self.note_failure(ctx, &self.proof_key(user), Some(user)).await?;
            return Err(Error::Sso(SsoProblem::SomebodyElse));
        }
        let at = proven.authenticated.map_or(ctx.now(), |at| at.min(ctx.now()));
        let shown = self.confirmation(ctx, at, proven.second_factor);
        match sessions::confirm(&mut tx, &permit, session, shown).await {
            Err(store::Error::NotFound) => return Err(Error::Sso(SsoProblem::Stray)),
            other => other?,
        }
        tx.commit(Entry::new(Act::StepUpConfirmed, session)).await?;
        Ok(SsoEnd { next: Next::Confirmed, wish })
    }
}
