//! Turns: heavy work on threads of its own, a few at a time.
//!
//! Called for password hashes and password advice. The invariant: a turn belongs to the work, not to
//! whoever asked for it. A request that goes away while its work runs leaves the turn taken until the
//! work is done, so asking and hanging up starts no more work at once than waiting does.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tokio::sync::Semaphore;

use crate::{Error, workers::Workers};

/// How much of one kind of work may happen at once, and how much may wait for it.
pub(crate) struct Turns {
    turns: Arc<Semaphore>,
    entrance: Arc<Semaphore>,
    runs: AtomicU64,
    workers: Workers,
}

impl Turns {
    /// `at_once` pieces of work run (at least one), `waiting` more may wait.
    ///
    /// # Errors
    /// [`Error::Broken`] when the system gives no threads for it.
    pub(crate) fn new(at_once: usize, waiting: usize) -> Result<Self, Error> {
        let at_once = at_once.max(1);
        Ok(Self {
            turns: Arc::new(Semaphore::new(at_once)),
            entrance: Arc::new(Semaphore::new(at_once.saturating_add(waiting))),
            runs: AtomicU64::new(0),
            workers: Workers::start(at_once)?,
        })
    }

    /// How much work was begun since the start.
    pub(crate) fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }

    /// Runs `work` on a thread for such work, in turn.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many are waiting; [`Error::Broken`] when it panicked.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let inside = Arc::clone(&self.entrance).try_acquire_owned().map_err(|_| Error::Busy)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| Error::Busy)?;
        self.runs.fetch_add(1, Ordering::Relaxed);
        let work = move || {
            // Given back by the thread, because this future may be dropped long before the work ends.
            let _held = (inside, turn);
            work()
        };
        self.workers.run(work).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::task::JoinSet;

    use super::*;

    #[test]
    fn more_than_may_wait_are_told_to_come_back() {
        testkit::run(async {
            let turns = Arc::new(Turns::new(1, 1).unwrap());
            let mut inside = JoinSet::new();
            let mut doors = Vec::new();
            for _ in 0..2 {
                let (open, door) = mpsc::channel::<()>();
                doors.push(open);
                let turns = Arc::clone(&turns);
                inside.spawn(async move { turns.run(move || door.recv().is_err()).await.unwrap() });
            }
            // One is at work, one waits for its turn.
            while turns.entrance.available_permits() > 0 {
                tokio::task::yield_now().await;
            }
            assert!(matches!(turns.run(|| ()).await, Err(Error::Busy)));
            assert!(turns.runs() <= 1, "never two at once");
            drop(doors);
            inside.join_all().await;
            assert!(turns.run(|| ()).await.is_ok());
        });
    }

    #[test]
    fn who_asks_and_goes_away_starts_no_more_work_than_who_waits() {
        testkit::run(async {
            let turns = Turns::new(2, 3).unwrap();
            let mut doors = Vec::new();
            for _ in 0..50 {
                let (open, door) = mpsc::channel::<()>();
                doors.push(open);
                tokio::select! {
                    biased;
                    _ = turns.run(move || door.recv().is_err()) => unreachable!("its door is closed"),
                    // Looked at once, then dropped with its work under way or still waiting.
                    () = std::future::ready(()) => {}
                }
            }
            assert_eq!(turns.runs(), 2, "what was begun goes on, and nothing beside it");
            assert_eq!(turns.entrance.available_permits(), 3, "those that only waited left their place");
            drop(doors);
            // Both turns come back with the end of the work.
            assert!(turns.turns.acquire_many(2).await.is_ok());
        });
    }
}
