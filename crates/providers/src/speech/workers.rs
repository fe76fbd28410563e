//! Hands for work that blocks: a few at once, a bounded number in line, and then [`Error::Busy`].
//!
//! Invariant: programs never take the places kept for calls, and no person's programs more than half of the rest.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use domain::{enforced, id::UserId};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Haste;
use crate::Error;

/// For whom work is done. Work that is for nobody in particular shares one share.
#[derive(Clone, Copy)]
pub(super) struct Asker {
    pub(super) haste: Haste,
    pub(super) person: Option<UserId>,
}

impl Asker {
    /// Somebody in a call.
    pub(super) const CALL: Self = Self { haste: Haste::Call, person: None };
}

/// The hands of one kind of work. Cheap to clone; clones share them.
#[derive(Clone)]
pub(super) struct Workers {
    places: Arc<Semaphore>,
    hands: Arc<Semaphore>,
    programs: Arc<Semaphore>,
    /// What each person's programs may take, while they take any.
    shares: Arc<Mutex<HashMap<Option<UserId>, Weak<Semaphore>>>>,
    /// Places, and how many of them one person's programs may have.
    all: usize,
    each: usize,
}

/// A place among those who are served or wait, given back on drop.
pub(super) struct Place {
    hands: Arc<Semaphore>,
    held: Vec<OwnedSemaphorePermit>,
}

impl Workers {
    /// `hands` at once, and `places` in all; a quarter of them is kept for calls.
    pub(super) fn new(hands: usize, places: usize) -> Self {
        let hands = hands.max(1);
        let all = places.max(hands);
        let programs = (all - all / 4).max(1);
        Self {
            places: Arc::new(Semaphore::new(all)),
            hands: Arc::new(Semaphore::new(hands)),
            programs: Arc::new(Semaphore::new(programs)),
            shares: Arc::default(),
            all,
            each: programs.div_ceil(2),
        }
    }

    /// A place: whoever was let in already waits for it, others are told that there is none.
    pub(super) async fn place(&self, asker: Asker) -> Result<Place, Error> {
        match asker.haste {
            Haste::Stream => self.wait(asker).await,
            Haste::Call | Haste::Program | Haste::Interim => self.enter(asker),
        }
    }

    /// Takes a place, or tells that there is none.
    pub(super) fn enter(&self, asker: Asker) -> Result<Place, Error> {
        if asker.haste == Haste::Interim && self.places.available_permits() < self.all.div_ceil(2) {
            enforced!(SPE03);
            return Err(Error::Busy);
        }
        let mut held = Vec::new();
        for line in self.lines(asker) {
            let Ok(place) = line.try_acquire_owned() else {
                enforced!(SPE03);
                return Err(Error::Busy);
            };
            held.push(place);
        }
        Ok(Place { hands: Arc::clone(&self.hands), held })
    }

    /// Waits for a place: for work that goes on. Those who wait are bounded by those who were let in to begin.
    pub(super) async fn wait(&self, asker: Asker) -> Result<Place, Error> {
        let mut held = Vec::new();
        // Always in this order, so nobody waits for somebody who waits for them.
        for line in self.lines(asker) {
            held.push(line.acquire_owned().await.map_err(|_| Error::Cancelled)?);
        }
        Ok(Place { hands: Arc::clone(&self.hands), held })
    }

    /// Where there must be room for this asker, the narrowest first.
    fn lines(&self, asker: Asker) -> Vec<Arc<Semaphore>> {
        let places = Arc::clone(&self.places);
        match asker.haste {
            Haste::Call => vec![places],
            Haste::Program | Haste::Stream | Haste::Interim => {
                vec![self.share(asker.person), Arc::clone(&self.programs), places]
            }
        }
    }

    fn share(&self, person: Option<UserId>) -> Arc<Semaphore> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = shares.get(&person).and_then(Weak::upgrade) {
            return share;
        }
        // Shares nobody holds are forgotten, so the list is as long as those who are served.
        shares.retain(|_, share| share.strong_count() > 0);
        let share = Arc::new(Semaphore::new(self.each));
        shares.insert(person, Arc::downgrade(&share));
        share
    }
}

impl Place {
    /// Does `work` on a thread that may block, when a hand is free, and gives the place back.
    pub(super) async fn work<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let Self { hands, held } = self;
        let hand = hands.acquire_owned().await.map_err(|_| Error::Cancelled)?;
        let done = tokio::task::spawn_blocking(move || {
            // Both belong to the work: whoever asked may be gone long before it ends.
            let _held = (hand, held);
            work()
        });
        done.await.map_err(|_| Error::Broke)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        atomic::{AtomicU8, Ordering::Relaxed},
        mpsc,
    };

    use domain::{Actor, Clock, Ctx, Entropy, Timestamp, verifies};

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn one_too_many_is_told_so_and_who_leaves_frees_nothing_that_is_in_use() {
        let workers = Workers::new(1, 2);
        let (open, door) = mpsc::channel::<()>();
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let first = workers.enter(Asker::CALL).unwrap();
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
        let second = workers.enter(Asker::CALL).unwrap();
        assert_eq!(workers.enter(Asker::CALL).err(), Some(Error::Busy));
        working.abort();
        assert!(tasks.join_next().await.is_some_and(|left| left.is_err()));
        assert_eq!(workers.enter(Asker::CALL).err(), Some(Error::Busy), "the thread still works");
        drop(second);
        let third = workers.enter(Asker::CALL).unwrap();
        drop(open);
        assert_eq!(third.work(|| 7).await, Ok(7));
    }

    #[tokio::test]
    async fn one_person_takes_nobody_elses_place_and_calls_have_some_of_their_own() {
        let _proof = verifies!(SPE03);
        let entropy = Entropy::new({
            let made = AtomicU8::new(0);
            move |bytes| bytes.fill(made.fetch_add(1, Relaxed))
        });
        let ctx = Ctx::new(Actor::Anonymous, Clock::new(|| Timestamp(0)), entropy);
        let ask = |person, haste| Asker { haste, person: Some(person) };
        let [ann, ben] = [UserId::fresh(&ctx), UserId::fresh(&ctx)];
        let workers = Workers::new(1, 16);
        let mut held: Vec<_> = (0..6).map(|_| workers.enter(ask(ann, Haste::Program)).unwrap()).collect();
        assert_eq!(workers.enter(ask(ann, Haste::Program)).err(), Some(Error::Busy), "her share is taken");
        held.extend((0..3).map(|_| workers.enter(ask(ben, Haste::Program)).unwrap()));
        assert_eq!(workers.enter(ask(ben, Haste::Interim)).err(), Some(Error::Busy), "interim goes first");
        held.extend((0..3).map(|_| workers.enter(ask(ben, Haste::Program)).unwrap()));
        let mut calls: Vec<_> = (0..4).map(|_| workers.enter(Asker::CALL).unwrap()).collect();
        assert_eq!(workers.enter(Asker::CALL).err(), Some(Error::Busy));

        let mut next = Box::pin(workers.wait(ask(ann, Haste::Program)));
        assert!(futures::poll!(&mut next).is_pending());
        held.remove(0);
        assert!(next.await.is_ok(), "who waits is next");
        let mut stream = Box::pin(workers.place(ask(ben, Haste::Stream)));
        assert!(futures::poll!(&mut stream).is_pending(), "a stream was let in and waits");
        assert_eq!(workers.place(ask(ben, Haste::Program)).await.err(), Some(Error::Busy));
        calls.clear();
        held.clear();
        assert!(stream.await.is_ok());
        assert!(workers.enter(ask(ann, Haste::Interim)).is_ok());
    }
}
