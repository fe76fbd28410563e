//! Hands for work that blocks: a few at once, a bounded number in line, and then [`Error::Busy`].

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Error;

/// The hands of one kind of work. Cheap to clone; clones share them.
#[derive(Clone)]
pub(super) struct Workers {
    places: Arc<Semaphore>,
    hands: Arc<Semaphore>,
}

/// A place among those who are served or wait, given back on drop.
pub(super) struct Place {
    hands: Arc<Semaphore>,
    place: Arc<OwnedSemaphorePermit>,
}

impl Workers {
    /// `hands` at once, and `places` in all.
    pub(super) fn new(hands: usize, places: usize) -> Self {
        let hands = hands.max(1);
        Self { places: Arc::new(Semaphore::new(places.max(hands))), hands: Arc::new(Semaphore::new(hands)) }
    }

    /// Takes a place.
    pub(super) fn enter(&self) -> Result<Place, Error> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Error::Busy)?;
        Ok(Place { hands: Arc::clone(&self.hands), place: Arc::new(place) })
    }
}

impl Place {
    /// Does `work` on a thread that may block, when a hand is free.
    pub(super) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let hand = Arc::clone(&self.hands).acquire_owned().await.map_err(|_| Error::Cancelled)?;
        let place = Arc::clone(&self.place);
        let done = tokio::task::spawn_blocking(move || {
            // Both belong to the work: whoever asked may be gone long before it ends.
            let _held = (hand, place);
            work()
        });
        done.await.map_err(|_| Error::Broke)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn one_too_many_is_told_so_and_who_leaves_frees_nothing_that_is_in_use() {
        let workers = Workers::new(1, 2);
        let (open, door) = mpsc::channel::<()>();
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let first = workers.enter().unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        let working = tasks.spawn(async move {
            first
                .work(move || {
                    let _ = begun.send(());
                    let _ = door.recv();
                })
                .await
        });
        has_begun.await.unwrap();
        let second = workers.enter().unwrap();
        assert_eq!(workers.enter().err(), Some(Error::Busy));
        working.abort();
        assert!(tasks.join_next().await.is_some_and(|left| left.is_err()));
        assert_eq!(workers.enter().err(), Some(Error::Busy), "the thread still works");
        drop(second);
        let third = workers.enter().unwrap();
        drop(open);
        assert_eq!(third.work(|| 7).await, Ok(7));
    }
}
