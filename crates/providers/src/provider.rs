//! The closed list of vendors, and the one place where they are told apart.
//!
//! A new kind of vendor is a variant here and a file beside this one; nothing else changes.

use domain::{
    Clock,
    model::{ModelFacts, Prompt, Readiness, Usage},
};
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{Config, Error, answer::Answer, endpoint::Endpoint, local::Local, scripted::Scripted};

/// A vendor of answers and embeddings.
pub(crate) enum Provider {
    /// Models in this process.
    Local(Box<Local>),
    /// An OpenAI-compatible endpoint.
    Endpoint(Endpoint),
    /// Answers by rote, for tests and measurements.
    Scripted(Scripted),
}

/// The vendors `config` names, in the order in which a default is looked for.
pub(crate) fn all(
    config: &Config,
    tasks: &TaskTracker,
    clock: &Clock,
    stop: &CancellationToken,
) -> Result<Vec<Provider>, Error> {
    let mut vendors = Vec::new();
    if config.local.enabled {
        vendors.push(Provider::Local(Box::new(Local::start(config, tasks, clock, stop)?)));
    }
    for endpoint in &config.endpoints {
        if config.endpoints.iter().filter(|other| other.name == endpoint.name).count() > 1 {
            let why = format!("two endpoints are called `{}`; give each its own name", endpoint.name);
            return Err(Error::Config { why });
        }
        vendors.push(Provider::Endpoint(Endpoint::new(endpoint, tasks, clock, stop)?));
    }
    if config.scripted {
        vendors.push(Provider::Scripted(Scripted::new(tasks, stop)));
    }
    Ok(vendors)
}

impl Provider {
    /// Its chat models.
    pub(crate) fn models(&self) -> Vec<ModelFacts> {
        match self {
            Self::Local(local) => local.models(),
            Self::Endpoint(endpoint) => endpoint.models(),
            Self::Scripted(scripted) => scripted.models(),
        }
    }

    /// Its embedding models.
    pub(crate) fn embedding_models(&self) -> Vec<ModelFacts> {
        match self {
            Self::Local(local) => local.embedding_models(),
            Self::Endpoint(endpoint) => endpoint.embedding_models(),
            Self::Scripted(scripted) => scripted.models(),
        }
    }

    /// Whether `model` is one of its chat models.
    pub(crate) fn answers(&self, model: &str) -> bool {
        self.models().iter().any(|facts| facts.id == model)
    }

    /// Whether `model` is one of its embedding models.
    pub(crate) fn embeds(&self, model: &str) -> bool {
        self.embedding_models().iter().any(|facts| facts.id == model)
    }

    /// How far its model is, where that changes.
    pub(crate) fn readiness(&self) -> Option<watch::Receiver<Readiness>> {
        match self {
            Self::Local(local) => Some(local.readiness()),
            Self::Endpoint(_) | Self::Scripted(_) => None,
        }
    }

    /// Asks one of its chat models.
    pub(crate) async fn answer(&self, prompt: Prompt, cancel: CancellationToken) -> Result<Answer, Error> {
        match self {
            Self::Local(local) => local.answer(&prompt, cancel),
            Self::Endpoint(endpoint) => endpoint.answer(&prompt, cancel).await,
            Self::Scripted(scripted) => scripted.answer(&prompt, cancel),
        }
    }

    /// Embeds with one of its embedding models.
    pub(crate) async fn embed(
        &self,
        model: &str,
        inputs: Vec<String>,
    ) -> Result<(Vec<Vec<f32>>, Usage), Error> {
        match self {
            Self::Local(local) => local.embed(inputs).await,
            Self::Endpoint(endpoint) => endpoint.embed(model, &inputs).await,
            Self::Scripted(scripted) => Ok(scripted.embed(&inputs)),
        }
    }
}
