//! Models in this process: one language model on a thread of its own, and sentence embeddings.
//!
//! Questions stand in one bounded queue and are answered one after the other, in the order in which
//! they came. Only files whose hash was verified are loaded: the loader takes nothing else.

mod choice;
mod embedding;
mod keeper;
mod life;
mod worker;

use std::sync::{Arc, Mutex, PoisonError};

use domain::{
    Clock,
    model::{ModelFacts, Prompt, Readiness, Usage},
};
use inference::{LoadOptions, catalog};
use tokio::sync::{mpsc, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{Config, Error, answer::Answer};
pub(crate) use choice::Wanted;
pub use choice::default_entry;
use embedding::Embedding;
pub(crate) use keeper::Keeper;
use life::Life;
use worker::Job;

/// Questions that may wait for the model; the next one is told that it is busy.
const QUEUE: usize = 16;

/// The door to the thread that answers, while there is one.
type Queue = Arc<Mutex<Option<mpsc::Sender<Job>>>>;

/// The models of this process.
pub(crate) struct Local {
    facts: ModelFacts,
    embedding_facts: ModelFacts,
    readiness: watch::Receiver<Readiness>,
    queue: Queue,
    embedding: Arc<Embedding>,
    clock: Clock,
    stop: CancellationToken,
}

impl Local {
    /// Chooses the models and begins to get them ready, in the background.
    pub(crate) fn start(
        config: &Config,
        tasks: &TaskTracker,
        clock: &Clock,
        stop: &CancellationToken,
    ) -> Result<Self, Error> {
        let wanted = choice::choose(&config.local)?;
        let options = LoadOptions::default();
        let facts = wanted.facts(&options);
        let sentences = Wanted::Catalogue(catalog::default_embedding());
        let embedding_facts = sentences.facts(&options);
        let queue = Queue::default();
        let (keeper, readiness) = Keeper::new(wanted, config, stop.clone());
        let life = Life { keeper, options, queue: Arc::clone(&queue), stop: stop.clone() };
        tasks.spawn(life.live());

        let (keeper, embedding_readiness) = Keeper::new(sentences, config, stop.clone());
        let embedding = Arc::new(Embedding::new(embedding_readiness));
        tasks.spawn(Arc::clone(&embedding).keep(keeper, readiness.clone()));
        Ok(Self {
            facts,
            embedding_facts,
            readiness,
            queue,
            embedding,
            clock: clock.clone(),
            stop: stop.clone(),
        })
    }

    pub(crate) fn models(&self) -> Vec<ModelFacts> {
        vec![ModelFacts { readiness: self.readiness.borrow().clone(), ..self.facts.clone() }]
    }

    pub(crate) fn embedding_models(&self) -> Vec<ModelFacts> {
        vec![ModelFacts { readiness: self.embedding.readiness(), ..self.embedding_facts.clone() }]
    }

    pub(crate) fn readiness(&self) -> watch::Receiver<Readiness> {
        self.readiness.clone()
    }

    /// Puts a question into the queue.
    pub(crate) fn answer(&self, prompt: &Prompt, cancel: CancellationToken) -> Result<Answer, Error> {
        if self.stop.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(queue) = queue else {
            return Err(Error::NotReady(self.readiness.borrow().clone()));
        };
        // The time makes what is sampled differ from one question to the next, and names the calls.
        let fresh = self.clock.now().0.unsigned_abs();
        let (out, answer) = Answer::channel(cancel, self.stop.clone());
        let job =
            Job { request: worker::request(prompt, fresh), call_prefix: format!("call_{fresh:x}"), out };
        match queue.try_send(job) {
            Ok(()) => Ok(answer),
            Err(mpsc::error::TrySendError::Full(_)) => Err(Error::Busy),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(Error::NotReady(Readiness::Loading)),
        }
    }

    /// Embeds `inputs`.
    pub(crate) async fn embed(&self, inputs: Vec<String>) -> Result<(Vec<Vec<f32>>, Usage), Error> {
        tokio::select! {
            () = self.stop.cancelled() => Err(Error::Cancelled),
            embedded = self.embedding.embed(inputs) => embedded,
        }
    }
}
