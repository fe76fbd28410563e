//! How many files may be in memory on their way out or in.
//!
//! A room is taken before anything of a file is there, and left when nothing of it is there any more. One for
//! each person, so that nobody keeps all others out by holding every one.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::id::UserId;

use crate::{Error, Limits};

/// What somebody is told to wait when there is no room, in seconds.
const RETRY_AFTER_S: u32 = 5;

/// The rooms for files on their way.
pub(crate) struct Gate {
    exports: Rooms,
    imports: Rooms,
}

impl Gate {
    pub(crate) fn new(limits: Limits) -> Self {
        let rooms = |most| Rooms { most, taken: Arc::default() };
        Self { exports: rooms(limits.exports), imports: rooms(limits.imports) }
    }

    /// # Errors
    /// [`Error::Transferring`] when the person has one already, or all are taken.
    pub(super) fn export(&self, person: UserId) -> Result<Room, Error> {
        self.exports.enter(person)
    }

    /// # Errors
    /// As for [`Self::export`].
    pub(super) fn import(&self, person: UserId) -> Result<Room, Error> {
        self.imports.enter(person)
    }
}

type Taken = Arc<Mutex<HashSet<UserId>>>;

struct Rooms {
    most: usize,
    taken: Taken,
}

impl Rooms {
    fn enter(&self, person: UserId) -> Result<Room, Error> {
        let mut taken = lock(&self.taken);
        if taken.len() >= self.most || !taken.insert(person) {
            return Err(Error::Transferring { retry_after_s: RETRY_AFTER_S });
        }
        Ok(Room { person, taken: self.taken.clone() })
    }
}

/// One room, left on drop.
pub(super) struct Room {
    person: UserId,
    taken: Taken,
}

impl Drop for Room {
    fn drop(&mut self) {
        lock(&self.taken).remove(&self.person);
    }
}

fn lock(taken: &Taken) -> MutexGuard<'_, HashSet<UserId>> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}
