//! Vendors of language models and of speech, each behind one closed enum; and the fetching of model files.
//!
//! `assistant` asks here for answers and embeddings, `server` builds [`Config`] and shows
//! [`Providers::readiness`]. Nothing leaves the machine unless an endpoint was configured, and no
//! question is asked without a [`Permit`] for it. [`speech`] hears and speaks.

mod answer;
mod config;
mod endpoint;
pub mod errand;
mod error;
pub mod fetch;
mod http;
mod local;
mod provider;
mod scripted;
pub mod speech;

use std::sync::Arc;

use domain::{
    Action, Clock, Denied, Permit,
    model::{ModelFacts, Prompt, Readiness, Usage},
};
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use answer::{Answer, Whole};
pub use config::{Config, EndpointConfig, Limits, LocalConfig, TokenLimit};
pub use error::Error;
pub use local::default_entry;
use provider::Provider;
use speech::Speech;

/// Most texts one call of [`Providers::embed`] takes.
pub const MAX_EMBEDDING_INPUTS: usize = 256;

/// All vendors of one instance. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Providers(Arc<Inner>);

struct Inner {
    vendors: Vec<Provider>,
    default: Option<String>,
    readiness: watch::Receiver<Readiness>,
    speech: Speech,
    stop: CancellationToken,
}

impl Providers {
    /// Takes up `config` and returns at once. A local model is fetched and loaded in the background,
    /// on `tasks` and one thread of its own; [`Self::readiness`] tells how far it is.
    /// Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`Error::Config`] with a sentence when `config` contradicts itself or would be unsafe.
    pub fn start(config: Config, tasks: &TaskTracker, clock: Clock) -> Result<Self, Error> {
        let stop = CancellationToken::new();
        let vendors = provider::all(&config, tasks, &clock, &stop)?;
        let default = choose_default(&config, &vendors)?;
        let readiness = readiness_of(&vendors, default.as_deref());
        // Files of speech are fetched when those of the language model are here, or will not come.
        let language = vendors.iter().find_map(Provider::readiness);
        let speech = Speech::start(&config, tasks, &clock, &stop, language)?;
        Ok(Self(Arc::new(Inner { vendors, default, readiness, speech, stop })))
    }

    /// What can be asked, the default first.
    #[must_use]
    pub fn models(&self) -> Vec<ModelFacts> {
        let mut models: Vec<_> = self.0.vendors.iter().flat_map(Provider::models).collect();
        models.sort_by_key(|facts| Some(&facts.id) != self.0.default.as_ref());
        models
    }

    /// What can make embeddings.
    #[must_use]
    pub fn embedding_models(&self) -> Vec<ModelFacts> {
        self.0.vendors.iter().flat_map(Provider::embedding_models).collect()
    }

    /// The model that answers when nobody chose one.
    #[must_use]
    pub fn default_model(&self) -> Option<String> {
        self.0.default.clone()
    }

    /// How far the default model is. Endpoints count as ready: only asking would tell.
    #[must_use]
    pub fn readiness(&self) -> watch::Receiver<Readiness> {
        self.0.readiness.clone()
    }

    /// Asks `prompt.model`. The answer streams until [`domain::model::Delta::Done`], an error, or
    /// until `cancel` fires or the [`Answer`] is dropped.
    ///
    /// # Errors
    /// [`Error::Denied`] when `permit` is for something else; [`Error::UnknownModel`],
    /// [`Error::NotReady`], [`Error::Busy`], [`Error::CircuitOpen`], [`Error::BadPrompt`] and what
    /// the vendor answered before the first token.
    pub async fn answer(
        &self,
        permit: &Permit,
        prompt: Prompt,
        cancel: CancellationToken,
    ) -> Result<Answer, Error> {
        may(permit, Action::UseModel)?;
        let vendor = self.0.vendors.iter().find(|vendor| vendor.answers(&prompt.model));
        vendor.ok_or(Error::UnknownModel)?.answer(prompt, cancel).await
    }

    /// Embeds `inputs` with `model`: one vector for each, in their order.
    ///
    /// # Errors
    /// As [`Self::answer`]; [`Error::TooLarge`] beyond [`MAX_EMBEDDING_INPUTS`].
    pub async fn embed(
        &self,
        permit: &Permit,
        model: &str,
        inputs: Vec<String>,
    ) -> Result<(Vec<Vec<f32>>, Usage), Error> {
        may(permit, Action::Embed)?;
        if inputs.len() > MAX_EMBEDDING_INPUTS {
            return Err(Error::TooLarge);
        }
        let vendor = self.0.vendors.iter().find(|vendor| vendor.embeds(model));
        vendor.ok_or(Error::UnknownModel)?.embed(model, inputs).await
    }

    /// What hears and speaks.
    #[must_use]
    pub fn speech(&self) -> &Speech {
        &self.0.speech
    }

    /// Ends every answer, fetch and load. Asking afterwards fails with [`Error::Cancelled`].
    pub fn stop(&self) {
        self.0.stop.cancel();
    }
}

/// A permit for anything else is not a permit for `action`.
fn may(permit: &Permit, action: Action) -> Result<(), Error> {
    if permit.action() == action { Ok(()) } else { Err(Denied::FLAT.into()) }
}

/// The configured default, or the first model there is: local, then endpoints, then scripted.
fn choose_default(config: &Config, vendors: &[Provider]) -> Result<Option<String>, Error> {
    match &config.default_model {
        None => Ok(vendors.iter().flat_map(Provider::models).next().map(|facts| facts.id)),
        Some(id) if vendors.iter().any(|vendor| vendor.answers(id)) => Ok(Some(id.clone())),
        Some(id) => Err(Error::Config {
            why: format!("the default model `{id}` is not among the configured models; check its spelling"),
        }),
    }
}

/// The watch channel of the default model, or a fixed answer where there is nothing to watch.
fn readiness_of(vendors: &[Provider], default: Option<&str>) -> watch::Receiver<Readiness> {
    let Some(id) = default else {
        let how = "no model is configured: turn the local model on, or add an endpoint to the configuration";
        return watch::channel(Readiness::Missing { how: how.to_owned() }).1;
    };
    let local = vendors.iter().find(|vendor| vendor.answers(id)).and_then(Provider::readiness);
    local.unwrap_or_else(|| watch::channel(Readiness::Ready).1)
}
