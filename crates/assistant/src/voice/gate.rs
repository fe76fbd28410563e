//! How many calls there are: of one person, and in all. Called before anything of a call is opened.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::{enforced, id::UserId};
use tokio_util::sync::CancellationToken;

use crate::{Error, Limits};

/// What a refused caller is told to wait, in seconds.
const RETRY_AFTER_S: u32 = 30;

/// Counts the calls that are held.
pub(crate) struct Gate {
    limits: Limits,
    inside: Arc<Mutex<Inside>>,
    /// Ends every call.
    closing: CancellationToken,
}

#[derive(Default)]
struct Inside {
    calls: HashMap<UserId, HashMap<u64, CancellationToken>>,
    next: u64,
}

impl Gate {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, inside: Arc::default(), closing: CancellationToken::new() }
    }

    /// Lets one more in.
    ///
    /// # Errors
    /// [`Error::Busy`] when there are too many, of this person or in all; [`Error::Closing`].
    pub(super) fn enter(&self, person: UserId) -> Result<Pass, Error> {
        if self.closing.is_cancelled() {
            return Err(Error::Closing);
        }
        let mut inside = lock(&self.inside);
        let all: usize = inside.calls.values().map(HashMap::len).sum();
        let own = inside.calls.get(&person).map_or(0, HashMap::len);
        if all >= self.limits.calls || own >= self.limits.calls_per_person {
            enforced!(VOI01);
            return Err(Error::Busy { retry_after_s: RETRY_AFTER_S });
        }
        let number = inside.next;
        inside.next += 1;
        let ended = self.closing.child_token();
        inside.calls.entry(person).or_default().insert(number, ended.clone());
        Ok(Pass { person, number, inside: Arc::clone(&self.inside), ended, closing: self.closing.clone() })
    }

    /// Ends every call of a person.
    pub(crate) fn end_person(&self, person: &UserId) {
        lock(&self.inside)
            .calls
            .get(person)
            .into_iter()
            .flat_map(HashMap::values)
            .for_each(CancellationToken::cancel);
    }

    /// Ends every call and lets none in any more.
    pub(crate) fn close(&self) {
        self.closing.cancel();
    }

    /// How many calls are held.
    pub(crate) fn count(&self) -> usize {
        lock(&self.inside).calls.values().map(HashMap::len).sum()
    }
}

/// One place inside the [`Gate`], given back on drop.
pub(super) struct Pass {
    person: UserId,
    number: u64,
    inside: Arc<Mutex<Inside>>,
    ended: CancellationToken,
    closing: CancellationToken,
}

impl Pass {
    /// Waits until the person may not be in any more. Says whether that is because the house closes.
    pub(super) async fn over(&self) -> bool {
        self.ended.cancelled().await;
        self.closing.is_cancelled()
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut inside = lock(&self.inside);
        if let Some(own) = inside.calls.get_mut(&self.person) {
            own.remove(&self.number);
            if own.is_empty() {
                inside.calls.remove(&self.person);
            }
        }
    }
}

fn lock(inside: &Mutex<Inside>) -> MutexGuard<'_, Inside> {
    inside.lock().unwrap_or_else(PoisonError::into_inner)
}
