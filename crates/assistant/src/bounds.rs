//! What the groups of a person's account say: which models, temporary chats only, how much.
//!
//! Every question, by a person or a program, passes here before a model is asked. [`Ctx::bounds`] holds the
//! rules, worked out when the caller was recognised. Invariants: a quota is taken from before the question
//! and settled after the answer, both in the store, so it holds for any number of tabs, keys and replicas;
//! for people without a quota nothing is counted.

use domain::{
    Ctx, Permit, Timestamp,
    bounds::Quota,
    enforced,
    model::{ModelFacts, Usage},
};
use store::usage::{self, Counted, Use, Used};

use crate::{Assistant, Error, rights, turn::Place};

/// Tokens set aside for an answer until its length is known.
const ANSWER_TOKENS: u64 = 512;
/// Bytes of text that make about one token, where nobody counted.
const BYTES_A_TOKEN: u64 = 4;

/// What a person may still use of one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Of what.
    pub what: Counted,
    /// Whether this is about the month, not the day.
    pub monthly: bool,
    /// How much there is.
    pub most: u64,
    /// How much is left.
    pub left: u64,
}

impl Allowance {
    /// Whether less than a fifth is left: time to say so.
    #[must_use]
    pub const fn is_low(&self) -> bool {
        self.left.saturating_mul(5) < self.most
    }
}

/// What was taken for a question, until it is settled.
#[derive(Clone, Debug)]
pub(crate) struct Charge {
    ctx: Ctx,
    asks: Permit,
    at: Timestamp,
    wanted: Use,
}

impl Assistant {
    /// The models the actor may choose from, the default first.
    #[must_use]
    pub fn models_for(&self, ctx: &Ctx) -> Vec<ModelFacts> {
        allowed(ctx, self.models())
    }

    /// What can make embeddings for the actor.
    #[must_use]
    pub fn embedding_models_for(&self, ctx: &Ctx) -> Vec<ModelFacts> {
        allowed(ctx, self.embedding_models())
    }

    /// The model that answers the actor when none was chosen.
    #[must_use]
    pub fn default_model_for(&self, ctx: &Ctx) -> Option<String> {
        let usual = self.default_model().filter(|model| ctx.bounds.allow_model(model));
        usual.or_else(|| self.models_for(ctx).first().map(|model| model.id.clone()))
    }

    /// What is left of each quota of the person who asks; empty without one.
    ///
    /// # Errors
    /// [`Error::Denied`] unless a person asks; [`Error::Store`].
    pub async fn allowances(&self, ctx: &Ctx) -> Result<Vec<Allowance>, Error> {
        if !usage::is_counted(&ctx.bounds) {
            return Ok(Vec::new());
        }
        let used = usage::used(&self.0.store, &rights::sees_account(ctx)?, ctx.now()).await?;
        Ok(Counted::ALL.into_iter().flat_map(|what| left(what, what.quota(&ctx.bounds), used)).collect())
    }

    /// Refuses a chat that is written down to those who have only the other kind.
    pub(crate) fn may_keep(&self, ctx: &Ctx) -> Result<(), Error> {
        if ctx.bounds.temporary_only {
            enforced!(GRP01);
            return Err(Error::TemporaryOnly);
        }
        Ok(())
    }

    /// [`Self::may_keep`], for a place that is kept.
    pub(crate) fn may_ask_in(&self, ctx: &Ctx, place: Place) -> Result<(), Error> {
        match place {
            Place::Kept(_) => self.may_keep(ctx),
            Place::Temporary(_) => Ok(()),
        }
    }

    /// Refuses a model the actor may not ask, as if it were not there.
    pub(crate) fn may_ask_model(&self, ctx: &Ctx, model: &str) -> Result<(), Error> {
        if ctx.bounds.allow_model(model) {
            return Ok(());
        }
        enforced!(GRP01);
        Err(Error::UnknownModel)
    }

    /// Takes a question of `bytes` from the quota of the person; `None` when they have none.
    ///
    /// # Errors
    /// [`Error::UsedUp`] when there is nothing left.
    pub(crate) async fn charge(
        &self,
        ctx: &Ctx,
        messages: u64,
        bytes: usize,
    ) -> Result<Option<Charge>, Error> {
        let tokens = tokens_of(bytes) + if messages > 0 { ANSWER_TOKENS } else { 0 };
        self.take(ctx, rights::asks(ctx)?, Use { messages, tokens, voice_seconds: 0 }).await
    }

    /// Takes seconds of voice from the quota of the person; `None` when they have none.
    ///
    /// # Errors
    /// [`Error::UsedUp`] when there is nothing left.
    pub(crate) async fn charge_voice(&self, ctx: &Ctx, seconds: u64) -> Result<Option<Charge>, Error> {
        self.take(ctx, rights::speaks(ctx)?, Use { voice_seconds: seconds, ..Use::default() }).await
    }

    async fn take(&self, ctx: &Ctx, asks: Permit, wanted: Use) -> Result<Option<Charge>, Error> {
        if !usage::is_counted(&ctx.bounds) {
            return Ok(None);
        }
        let charge = Charge { asks, at: ctx.now(), wanted, ctx: ctx.clone() };
        let mut tx = self.0.store.begin(ctx).await?;
        let taken = usage::take(&mut tx, &charge.asks, &ctx.bounds, charge.wanted).await?;
        if let Err(gone) = taken {
            enforced!(GRP02);
            return Err(Error::UsedUp {
                what: named(gone.what),
                more_at: gone.more_at,
                retry_after_s: until(ctx, gone.more_at),
            });
        }
        usage::keep(tx).await?;
        Ok(Some(charge))
    }

    /// Corrects what was taken for voice by the seconds it came to.
    pub(crate) async fn settle_voice(&self, charge: Charge, seconds: u64) {
        self.settle(Some(charge), Use { voice_seconds: seconds, ..Use::default() }).await;
    }

    /// Corrects what was taken by what it came to. Says so in the log when it cannot: then it stays as taken.
    pub(crate) async fn settle(&self, charge: Option<Charge>, had: Use) {
        let Some(charge) = charge else { return };
        let settled = async {
            let mut tx = self.0.store.begin(&charge.ctx).await?;
            usage::settle(&mut tx, &charge.asks, charge.at, charge.wanted, had).await?;
            usage::keep(tx).await
        };
        if let Err(error) = settled.await {
            tracing::warn!(%error, "what a question used could not be corrected; it counts as estimated");
        }
    }

    /// Gives back what was taken for a question that was then refused.
    pub(crate) async fn give_back(&self, charge: Option<Charge>) {
        self.settle(charge, Use::default()).await;
    }

    /// What one question with this outcome came to; `bytes` of text where nobody counted tokens.
    pub(crate) fn came_to(messages: u64, usage: Option<Usage>, bytes: usize) -> Use {
        let counted = usage.map(|usage| u64::from(usage.prompt_tokens) + u64::from(usage.completion_tokens));
        let tokens = counted.filter(|tokens| *tokens > 0).unwrap_or_else(|| tokens_of(bytes));
        Use { messages, tokens, voice_seconds: 0 }
    }
}

fn allowed(ctx: &Ctx, mut models: Vec<ModelFacts>) -> Vec<ModelFacts> {
    models.retain(|model| ctx.bounds.allow_model(&model.id));
    models
}

fn left(what: Counted, quota: Quota, used: Used) -> impl Iterator<Item = Allowance> {
    let of = move |most: Option<u64>, used: u64, monthly| {
        most.map(|most| Allowance { what, monthly, most, left: most.saturating_sub(used) })
    };
    let today = of(quota.a_day, what.of(used.today), false);
    today.into_iter().chain(of(quota.a_month, what.of(used.this_month), true))
}

fn tokens_of(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX / 8) / BYTES_A_TOKEN
}

fn named(what: Counted) -> &'static str {
    match what {
        Counted::Messages => "messages",
        Counted::Tokens => "tokens",
        Counted::VoiceSeconds => "voice",
    }
}

fn until(ctx: &Ctx, at: Timestamp) -> u32 {
    u32::try_from(at.seconds_since(ctx.now()).max(1)).unwrap_or(u32::MAX)
}
