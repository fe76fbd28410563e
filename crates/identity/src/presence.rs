//! Whether somebody who was recognised still would be. Asked while a stream stays open.
//!
//! Unlike recognising, asking is no activity: an open stream keeps no idle session alive.

use domain::{Actor, Ctx, enforced};
use store::api_keys;

use crate::{Error, Identity, permits};

impl Identity {
    /// Whether the session or the API key behind `ctx` still opens anything.
    ///
    /// # Errors
    /// [`Error::Store`] when the store cannot answer.
    pub async fn is_still_known(&self, ctx: &Ctx) -> Result<bool, Error> {
        match &ctx.actor {
            Actor::Person { .. } => Ok(self.sessions(ctx).await?.iter().any(|session| session.current)),
            Actor::ApiKey { key, .. } => {
                let permit = permits::authenticate(&permits::authenticating(ctx))?;
                let held = api_keys::by_id(self.store(), &permit, *key).await?;
                let lives = held.is_some_and(|held| ctx.now() < self.key_end(held.created, held.expires));
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
