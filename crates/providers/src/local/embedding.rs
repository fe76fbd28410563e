//! Sentence embeddings in this process: fetched after the language model, loaded at the first use.

use std::sync::Arc;

use domain::model::{Readiness, Usage};
use inference::Embedder;
use tokio::sync::{Mutex, Semaphore, watch};

use super::keeper::Keeper;
use crate::{Error, fetch::Verified};

/// Calls that may wait; the next one is told that it is busy.
const QUEUE: usize = 16;

/// The embedding model.
pub(super) struct Embedding {
    readiness: watch::Receiver<Readiness>,
    places: Semaphore,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    files: Vec<Verified>,
    loaded: Option<Arc<Embedder>>,
}

impl Embedding {
    pub(super) fn new(readiness: watch::Receiver<Readiness>) -> Self {
        Self { readiness, places: Semaphore::new(QUEUE), state: Mutex::default() }
    }

    pub(super) fn readiness(&self) -> Readiness {
        self.readiness.borrow().clone()
    }

    /// Gets the files here, once the language model no longer needs the line for itself.
    pub(super) async fn keep(self: Arc<Self>, keeper: Keeper, mut language: watch::Receiver<Readiness>) {
        let settled = |now: &Readiness| !matches!(now, Readiness::Fetching { .. } | Readiness::Loading);
        let settled = language.wait_for(settled).await.is_ok();
        if !settled {
            return;
        }
        if let Some(files) = keeper.acquire().await {
            self.state.lock().await.files = files;
            keeper.say(Readiness::Ready);
        }
    }

    /// Embeds `inputs`, one call at a time, in the order of the calls.
    pub(super) async fn embed(&self, inputs: Vec<String>) -> Result<(Vec<Vec<f32>>, Usage), Error> {
        let _place = self.places.try_acquire().map_err(|_| Error::Busy)?;
        let mut state = self.state.lock().await;
        let embedder = match &state.loaded {
            Some(embedder) => Arc::clone(embedder),
            None => {
                let [model, tokenizer] = state.files.as_slice() else {
                    return Err(Error::NotReady(self.readiness()));
                };
                let embedder = Arc::new(load(model.clone(), tokenizer.clone()).await?);
                state.loaded = Some(Arc::clone(&embedder));
                embedder
            }
        };
        let bytes: usize = inputs.iter().map(String::len).sum();
        let prompt_tokens = u32::try_from(bytes.div_ceil(4)).unwrap_or(u32::MAX);
        let embedding = tokio::task::spawn_blocking(move || {
            let texts: Vec<_> = inputs.iter().map(String::as_str).collect();
            embedder.embed(&texts)
        });
        let vectors = embedding.await.map_err(|_| Error::Broke)?.map_err(|error| {
            tracing::error!(%error, "the embedding model failed");
            Error::Broke
        })?;
        Ok((vectors, Usage { prompt_tokens, completion_tokens: 0 }))
    }
}

/// Loads verified files on a thread that may block.
async fn load(model: Verified, tokenizer: Verified) -> Result<Embedder, Error> {
    let loading = tokio::task::spawn_blocking(move || Embedder::load(model.path(), tokenizer.path()));
    loading
        .await
        .map_err(|_| Error::Broke)?
        .map_err(|error| Error::NotReady(Readiness::Failed { why: error.to_string() }))
}
