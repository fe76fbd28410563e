//! An OpenAI-compatible endpoint: asked with time-outs, size limits, retries before the first byte
//! alone, and a circuit breaker.
//!
//! What cannot happen here: a second question after a piece of the answer was delivered, a redirect
//! followed, the key in an error.

pub(crate) mod breaker;
mod link;
mod sse;
mod wire;

use std::sync::Arc;

use domain::{
    Clock,
    model::{ModelFacts, Place, Prompt, Readiness, Usage},
};
use tokio::time::Instant;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{EndpointConfig, Error, answer::Answer, http};
use link::Link;

/// One endpoint.
pub(crate) struct Endpoint {
    facts: Vec<ModelFacts>,
    embedding_facts: Vec<ModelFacts>,
    prefix: String,
    tasks: TaskTracker,
    stop: CancellationToken,
    link: Arc<Link>,
}

impl Endpoint {
    pub(crate) fn new(
        config: &EndpointConfig,
        tasks: &TaskTracker,
        clock: &Clock,
        stop: &CancellationToken,
    ) -> Result<Self, Error> {
        let name = &config.name;
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > 32 || !name.chars().all(allowed) {
            let why = "an endpoint's name is 1 to 32 letters a to z, digits and hyphens".to_owned();
            return Err(Error::Config { why });
        }
        let base = http::checked_url(name, &config.base_url, config.allow_plain_http_loopback)?;
        let host = base.host_str().unwrap_or_default().to_owned();
        let loopback = http::is_loopback(&base);
        let facts = |model: &String| facts(config, model, &host, loopback);
        Ok(Self {
            facts: config.models.iter().map(facts).collect(),
            embedding_facts: config.embedding_models.iter().map(facts).collect(),
            prefix: format!("{name}/"),
            tasks: tasks.clone(),
            stop: stop.clone(),
            link: Arc::new(Link::new(config, base, clock)?),
        })
    }

    pub(crate) fn models(&self) -> Vec<ModelFacts> {
        self.facts.clone()
    }

    pub(crate) fn embedding_models(&self) -> Vec<ModelFacts> {
        self.embedding_facts.clone()
    }

    /// Asks; comes back when the endpoint has accepted the question.
    pub(crate) async fn answer(&self, prompt: &Prompt, cancel: CancellationToken) -> Result<Answer, Error> {
        let model = prompt.model.strip_prefix(&self.prefix).ok_or(Error::UnknownModel)?;
        let body = wire::request(prompt, model, self.link.token_limit());
        let asked = Instant::now();
        let accepted = tokio::select! {
            () = cancel.cancelled() => return Err(Error::Cancelled),
            () = self.stop.cancelled() => return Err(Error::Cancelled),
            accepted = self.link.ask("chat/completions", &body) => accepted?,
        };
        let prompt_tokens = wire::estimate_prompt(prompt);
        let (out, answer) = Answer::channel(cancel, self.stop.clone());
        let link = Arc::clone(&self.link);
        self.tasks.spawn(async move {
            let ended = tokio::select! {
                biased;
                ended = link.stream(accepted, prompt_tokens, asked, &out) => ended,
                () = out.until_unwanted() => Err(Error::Cancelled),
            };
            if let Err(error) = ended {
                out.fail(error).await;
            }
        });
        Ok(answer)
    }

    /// Embeds `inputs`.
    pub(crate) async fn embed(
        &self,
        model: &str,
        inputs: &[String],
    ) -> Result<(Vec<Vec<f32>>, Usage), Error> {
        let model = model.strip_prefix(&self.prefix).ok_or(Error::UnknownModel)?;
        tokio::select! {
            () = self.stop.cancelled() => Err(Error::Cancelled),
            embedded = self.link.embed(model, inputs) => embedded,
        }
    }
}

fn facts(config: &EndpointConfig, model: &str, host: &str, loopback: bool) -> ModelFacts {
    let note = if loopback {
        "Runs in another program on this machine.".to_owned()
    } else {
        format!("Questions and answers go to {host}.")
    };
    ModelFacts {
        id: format!("{}/{model}", config.name),
        title: model.to_owned(),
        maker: config.maker.clone().unwrap_or_else(|| host.to_owned()),
        licence: None,
        place: Place::Endpoint { host: host.to_owned(), loopback },
        context_tokens: config.context_tokens,
        bytes: None,
        note,
        readiness: Readiness::Ready,
    }
}
