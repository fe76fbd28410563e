//! One model of speech: its files on their way here, and the model itself once somebody used it.

use std::sync::Arc;

use domain::{enforced, model::Readiness};
use inference::catalog::Entry;
use tokio::sync::{Mutex, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Config, Error,
    fetch::Verified,
    local::{Keeper, Wanted},
};

/// How a model is made of its files.
type Load<M> = fn(&[Verified]) -> Result<M, inference::Error>;

/// A model and its files.
pub(super) struct Slot<M> {
    readiness: watch::Receiver<Readiness>,
    keeper: Option<Arc<Keeper>>,
    state: Arc<Mutex<State<M>>>,
    load: Load<M>,
}

struct State<M> {
    files: Vec<Verified>,
    model: Option<Arc<M>>,
}

impl<M: Send + Sync + 'static> Slot<M> {
    /// Begins to get the files of `entry` here, once the language model no longer needs the line for itself.
    pub(super) fn new(
        entry: Option<&'static Entry>,
        config: &Config,
        tasks: &TaskTracker,
        stop: &CancellationToken,
        language: Option<watch::Receiver<Readiness>>,
        load: Load<M>,
    ) -> Self {
        let state = Arc::new(Mutex::new(State { files: Vec::new(), model: None }));
        let Some(entry) = entry else {
            let how = "this build knows no such model; use an endpoint".to_owned();
            let readiness = watch::channel(Readiness::Missing { how }).1;
            return Self { readiness, keeper: None, state, load };
        };
        let (keeper, readiness) = Keeper::new(Wanted::Catalogue(entry), config, stop.clone());
        let keeper = Arc::new(keeper);
        let (keeps, files) = (Arc::clone(&keeper), Arc::clone(&state));
        tasks.spawn(async move {
            if let Some(mut language) = language {
                let settled =
                    |now: &Readiness| !matches!(now, Readiness::Fetching { .. } | Readiness::Loading);
                if language.wait_for(settled).await.is_err() {
                    return;
                }
            }
            if let Some(verified) = keeps.acquire().await {
                files.lock().await.files = verified;
                keeps.say(Readiness::Ready);
            }
        });
        Self { readiness, keeper: Some(keeper), state, load }
    }

    /// How far it is. Ready means that its files are here: it is loaded when it is first used.
    pub(super) fn readiness(&self) -> Readiness {
        self.readiness.borrow().clone()
    }

    /// The model, loaded when it is not yet.
    pub(super) async fn get(&self) -> Result<Arc<M>, Error> {
        let mut state = Arc::clone(&self.state).lock_owned().await;
        if let Some(model) = &state.model {
            return Ok(Arc::clone(model));
        }
        let Some(keeper) = self.keeper.clone().filter(|_| !state.files.is_empty()) else {
            return Err(Error::NotReady(self.readiness()));
        };
        let load = self.load;
        // The thread holds the lock: whoever asked may leave, and nobody loads it a second time.
        let loaded = tokio::task::spawn_blocking(move || {
            enforced!(MOD01);
            match load(&state.files) {
                Ok(model) => Ok(Arc::clone(state.model.insert(Arc::new(model)))),
                Err(error) => {
                    tracing::warn!(%error, "a model of speech cannot be loaded");
                    let failed = Readiness::Failed { why: error.to_string() };
                    keeper.say(failed.clone());
                    Err(Error::NotReady(failed))
                }
            }
        });
        loaded.await.map_err(|_| Error::Broke)?
    }
}
