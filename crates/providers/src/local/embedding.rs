//! Sentence embeddings in this process: fetched after the language model, loaded at the first use.
//!
//! Called by the local provider. The invariant: one load or one call at a time, and never more than
//! the queue holds; the place in it belongs to the work, not to whoever asked, so a caller that goes
//! away frees it only when the work is done.

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
    queue: Queue<State>,
}

/// Work on one thing, one piece after the other, on threads that may block.
struct Queue<S> {
    places: Arc<Semaphore>,
    state: Arc<Mutex<S>>,
}

#[derive(Default)]
struct State {
    files: Vec<Verified>,
    loaded: Option<Embedder>,
}

impl Embedding {
    pub(super) fn new(readiness: watch::Receiver<Readiness>) -> Self {
        Self { readiness, queue: Queue::new(State::default()) }
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
            self.queue.state.lock().await.files = files;
            keeper.say(Readiness::Ready);
        }
    }

    /// Embeds `inputs`, one call at a time, in the order of the calls.
    pub(super) async fn embed(&self, inputs: Vec<String>) -> Result<(Vec<Vec<f32>>, Usage), Error> {
        let bytes: usize = inputs.iter().map(String::len).sum();
        let prompt_tokens = u32::try_from(bytes.div_ceil(4)).unwrap_or(u32::MAX);
        let readiness = self.readiness.clone();
        let vectors = self
            .queue
            .run(move |state| {
                let not_ready = || Error::NotReady(readiness.borrow().clone());
                let texts: Vec<_> = inputs.iter().map(String::as_str).collect();
                state.embedder(not_ready)?.embed(&texts).map_err(|error| {
                    tracing::error!(%error, "the embedding model failed");
                    Error::Broke
                })
            })
            .await??;
        Ok((vectors, Usage { prompt_tokens, completion_tokens: 0 }))
    }
}

impl State {
    /// The model, loaded from the verified files when it is not yet. Blocks for as long as that takes.
    fn embedder(&mut self, not_ready: impl FnOnce() -> Error) -> Result<&Embedder, Error> {
        let loaded = match self.loaded.take() {
            Some(embedder) => embedder,
            None => {
                let [model, tokenizer] = self.files.as_slice() else { return Err(not_ready()) };
                Embedder::load(model.path(), tokenizer.path())
                    .map_err(|error| Error::NotReady(Readiness::Failed { why: error.to_string() }))?
            }
        };
        Ok(self.loaded.insert(loaded))
    }
}

impl<S: Send + 'static> Queue<S> {
    fn new(state: S) -> Self {
        Self { places: Arc::new(Semaphore::new(QUEUE)), state: Arc::new(Mutex::new(state)) }
    }

    /// Does `work` on a thread that may block, when those before it are done.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut S) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Error::Busy)?;
        let mut state = Arc::clone(&self.state).lock_owned().await;
        let done = tokio::task::spawn_blocking(move || {
            // Both are given back by the thread: this future may be dropped long before the work ends.
            let _place = place;
            work(&mut state)
        });
        done.await.map_err(|_| Error::Broke)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    };

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn who_asks_and_goes_away_starts_no_second_piece_of_work() {
        let queue = Queue::new(());
        let begun = Arc::new(AtomicUsize::new(0));
        let mut doors = Vec::new();
        let (tell, told) = mpsc::channel();
        for _ in 0..50 {
            let (open, door) = mpsc::channel::<()>();
            doors.push(open);
            let (begun, tell) = (Arc::clone(&begun), tell.clone());
            let work = move |(): &mut ()| {
                begun.fetch_add(1, Ordering::SeqCst);
                let _ = tell.send(());
                door.recv().is_err()
            };
            tokio::select! {
                biased;
                _ = queue.run(work) => unreachable!("its door is closed"),
                // Looked at once, then dropped with its work under way or still waiting.
                () = std::future::ready(()) => {}
            }
            // All but the one at work have left.
            assert_eq!(queue.places.available_permits(), QUEUE - 1);
            assert!(queue.state.try_lock().is_err());
        }
        told.recv().unwrap();
        assert_eq!(begun.load(Ordering::SeqCst), 1);
        drop(doors);
        assert_eq!(queue.run(|()| 7).await, Ok(7));
        assert_eq!(begun.load(Ordering::SeqCst), 1, "what only waited never ran");
    }
}
