//! The bearer token an organisation's directory speaks with at `/scim/v2`.
//!
//! Made by somebody who may manage the directory, with a fresh confirmation; recognised for provisioning and
//! nothing else. The invariants: shown once, kept as a hash, ends by itself; a new one gives the others a day.

use domain::{
    Action, Actor, Ctx, Job, Resource, Secret, Timestamp,
    audit::{Act, Entry},
    authorize, enforced,
    id::ApiKeyId,
};
use store::directory::tokens::{self as rows, Token};

use crate::{Error, Identity, permits, tokens, touches};

/// What every such token begins with.
const PREFIX: &str = "troth_scim_";
/// Characters of a token that lists show.
const SHOWN_CHARS: usize = PREFIX.len() + 4;
/// Seconds the token before goes on working when there is a new one.
const OVERLAP_S: i64 = 24 * 60 * 60;
/// Most tokens at once.
const MOST: u32 = 5;

/// A token that was just made.
#[derive(Debug)]
pub struct NewScimToken {
    /// The token. This is the only time it is seen.
    pub token: Secret<String>,
    /// When it ends.
    pub expires: Timestamp,
}

/// A token as the administration sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScimTokenInfo {
    /// Its identifier.
    pub id: String,
    /// Its first characters.
    pub prefix: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// When it was last used, to the minute.
    pub last_used: Option<Timestamp>,
    /// Whether it has ended.
    pub ended: bool,
}

impl Identity {
    /// Makes a token. Those from before end within a day.
    ///
    /// # Errors
    /// [`Error::TooMany`]; [`Error::Denied`] unless the actor may manage the directory and just confirmed it.
    pub async fn create_scim_token(&self, ctx: &Ctx) -> Result<NewScimToken, Error> {
        let permit = authorize(ctx, Action::ManageDirectory, Resource::Instance)?;
        let look = authorize(ctx, Action::WriteInstance, Resource::Instance)?;
        let living = rows::list(self.store(), &look).await?;
        if living.iter().filter(|token| token.expires > ctx.now()).count() >= MOST as usize {
            return Err(Error::TooMany { what: "tokens", most: MOST });
        }
        let (random, _) = tokens::fresh(ctx);
        let whole = Secret::new(format!("{PREFIX}{}", random.expose()));
        let (now, days) = (ctx.now(), i64::from(self.numbers().scim_token_days));
        let token = Token {
            id: ApiKeyId::fresh(ctx).to_string(),
            prefix: whole.expose()[..SHOWN_CHARS].to_owned(),
            created: now,
            expires: now.plus_seconds(days * 24 * 60 * 60),
            last_used: None,
        };
        let mut tx = self.store().begin(ctx).await?;
        rows::create(&mut tx, &permit, &token, tokens::hash(whole.expose())).await?;
        rows::shorten_others(&mut tx, &permit, &token.id, now.plus_seconds(OVERLAP_S)).await?;
        tx.commit(Entry::new(Act::DirectoryChanged, &token.id)).await?;
        Ok(NewScimToken { token: whole, expires: token.expires })
    }

    /// Where the directory finds us.
    #[must_use]
    pub fn scim_address(&self) -> String {
        format!("{}/scim/v2", self.address())
    }

    /// The tokens, newest first. Looking at them needs no fresh confirmation.
    ///
    /// # Errors
    /// [`Error::Denied`] unless the actor may change the instance.
    pub async fn scim_tokens(&self, ctx: &Ctx) -> Result<Vec<ScimTokenInfo>, Error> {
        let permit = authorize(ctx, Action::WriteInstance, Resource::Instance)?;
        let now = ctx.now();
        let info = |token: Token| ScimTokenInfo {
            ended: token.expires <= now,
            id: token.id,
            prefix: token.prefix,
            created: token.created,
            expires: token.expires,
            last_used: token.last_used,
        };
        Ok(rows::list(self.store(), &permit).await?.into_iter().map(info).collect())
    }

    /// Ends a token at once.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Denied`] unless the actor may manage the directory.
    pub async fn revoke_scim_token(&self, ctx: &Ctx, id: &str) -> Result<(), Error> {
        let permit = authorize(ctx, Action::ManageDirectory, Resource::Instance)?;
        let mut tx = self.store().begin(ctx).await?;
        if !rows::revoke(&mut tx, &permit, id).await? {
            return Err(Error::NotFound);
        }
        tx.commit(Entry::new(Act::DirectoryChanged, id)).await?;
        Ok(())
    }

    /// Which token was presented and whom it acts for: the directory's job. `None` when it is not one, or
    /// has ended.
    ///
    /// # Errors
    /// [`Error::Store`] when the store cannot answer.
    pub async fn recognise_scim_token(
        &self,
        ctx: &Ctx,
        presented: &str,
    ) -> Result<Option<(ApiKeyId, Actor)>, Error> {
        let shaped = presented.strip_prefix(PREFIX).and_then(tokens::hash_presented).is_some();
        if !shaped {
            return Ok(None);
        }
        let ctx = permits::authenticating(ctx);
        let permit = permits::authenticate(&ctx)?;
        let found = rows::by_hash(self.store(), &permit, tokens::hash(presented)).await?;
        let Some(token) = found.filter(|token| ctx.now() < token.expires) else {
            enforced!(SSO02);
            return Ok(None);
        };
        if token.last_used.is_none_or(|at| ctx.now().seconds_since(at) >= 60) {
            let mut tx = self.store().begin(&ctx).await?;
            let noted = rows::touch(&mut tx, &permit, &token.id, ctx.now()).await;
            match noted {
                Ok(()) => touches::keep(tx).await?,
                Err(error) => tracing::warn!(%error, "the last use of a directory token could not be noted"),
            }
        }
        let id = token.id.parse().map_err(|_| Error::Broken("a directory token without an identifier"))?;
        Ok(Some((id, Actor::System(Job::Provisioning))))
    }
}
