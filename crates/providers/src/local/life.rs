//! The life of the language model: files here, loaded, answering; and again from the start if its
//! thread ever ends.

use std::{
    sync::{Arc, PoisonError},
    thread,
    time::Duration,
};

use domain::model::Readiness;
use inference::LoadOptions;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::{QUEUE, Queue, keeper::Keeper, worker};
use crate::fetch::Verified;

/// The pause before a model that stopped working is loaded again.
const BREATH: Duration = Duration::from_secs(2);

/// What the background task of the language model owns.
pub(super) struct Life {
    pub(super) keeper: Keeper,
    pub(super) options: LoadOptions,
    pub(super) queue: Queue,
    pub(super) stop: CancellationToken,
}

impl Life {
    /// Runs until the instance stops.
    pub(super) async fn live(self) {
        while let Some(files) = self.keeper.acquire().await {
            let Some(model) = files.into_iter().next() else { return };
            self.keeper.say(Readiness::Loading);
            let wait = match self.answer_with(model).await {
                Ended::Stopped => return,
                Ended::NotLoaded(why) => {
                    tracing::warn!(error = %why, "the model cannot be loaded");
                    self.keeper.say(Readiness::Failed { why });
                    None
                }
                Ended::Died => {
                    tracing::error!("the model's thread ended unexpectedly; it is loaded again");
                    self.keeper.say(Readiness::Loading);
                    Some(BREATH)
                }
            };
            if self.keeper.changed_within(wait).await.is_none() {
                return;
            }
        }
    }

    /// Loads `model` on a thread of its own and lets it answer until something ends that.
    async fn answer_with(&self, model: Verified) -> Ended {
        let (sender, jobs) = mpsc::channel(QUEUE);
        let (loaded, is_loaded) = oneshot::channel();
        let (running, is_over) = oneshot::channel::<()>();
        let options = self.options.clone();
        let started = thread::Builder::new().name("language-model".to_owned()).spawn(move || {
            // Dropped when the thread ends, however it ends.
            let _running = running;
            worker::run(&model, &options, loaded, jobs);
        });
        if started.is_err() {
            return Ended::NotLoaded(
                "the system gives no thread to it; close other programs and restart".to_owned(),
            );
        }
        tokio::select! {
            () = self.stop.cancelled() => return Ended::Stopped,
            loaded = is_loaded => match loaded {
                Ok(Ok(())) => (),
                Ok(Err(error)) => return Ended::NotLoaded(error.to_string()),
                Err(_) => return Ended::NotLoaded("its file made the loader fail; fetch it again".to_owned()),
            },
        }
        self.set_queue(Some(sender));
        self.keeper.say(Readiness::Ready);
        let mut is_over = is_over;
        let ended = tokio::select! {
            () = self.stop.cancelled() => Ended::Stopped,
            _ = &mut is_over => Ended::Died,
        };
        self.set_queue(None);
        if matches!(ended, Ended::Stopped) {
            // The question being answered ends at its next token; what waits is told so.
            drop(is_over.await);
        }
        ended
    }

    fn set_queue(&self, sender: Option<mpsc::Sender<worker::Job>>) {
        *Arc::clone(&self.queue).lock().unwrap_or_else(PoisonError::into_inner) = sender;
    }
}

/// How a time of answering ended.
enum Ended {
    /// The instance stops.
    Stopped,
    /// It never began: a sentence that says why.
    NotLoaded(String),
    /// The thread panicked.
    Died,
}
