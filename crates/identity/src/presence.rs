//! Whether somebody who was recognised still would be. Asked while a stream stays open.
//!
//! Unlike recognising, asking is no activity: an open stream keeps no idle session alive.

use domain::{Actor, Ctx, enforced};
use store::api_keys;
use tokio::sync::watch;

use crate::{Error, Identity, permits};

impl Identity {
    /// Changes when something of this process may have ended somebody's session, key or rights: the moment to ask
    /// [`Identity::is_still_known`] again. What other replicas end is found by asking now and then.
    #[must_use]
    pub fn endings(&self) -> watch::Receiver<()> {
        self.store().endings()
    }

    /// Whether the session or the API key behind `ctx` still opens anything.
    ///
    /// # Errors
    /// [`Error::Store`] when the store cannot answer.
    pub async fn is_still_known(&self, ctx: &Ctx) -> Result<bool, Error> {
        match &ctx.actor {
            Actor::Person { .. } => Ok(self.sessions(ctx).await?.iter().any(|session| session.current)),
            Actor::ApiKey { key, scopes, .. } => {
                let authenticating = permits::authenticating(ctx);
                let permit = permits::authenticate(&authenticating)?;
                let now = match api_keys::by_id(self.store(), &permit, *key).await? {
                    Some(held) => self.acting_for_key(&authenticating, held).await?,
                    None => None,
                };
                // What was opened with rights that are gone is not open any more.
                let lives =
                    matches!(now, Some(Actor::ApiKey { scopes: now, .. }) if scopes.minus(now).is_empty());
                if !lives {
                    enforced!(KEY02);
                }
                Ok(lives)
            }
            Actor::BreakGlass { until, .. } => Ok(ctx.now() < *until),
            Actor::Anonymous | Actor::System(_) => Ok(true),
        }
    }
}
