//! Who is being answered: at most one turn in a conversation, a bounded number per person and in all,
//! and the ended turns that can still be watched.
//!
//! Called by [`super`] for turns and by the rooms that change a conversation under a running turn.
//! Invariant: a conversation with a seat is changed by the holder of the seat alone.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::{
    Timestamp,
    id::{ConversationId, TurnId, UserId},
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::transcript::Transcript;
use crate::{
    Error, Limits,
    limits::{TURN_KEPT_S, TURNS_KEPT, TURNS_KEPT_PER_PERSON},
};

/// What a refused caller is told to wait, in seconds.
const RETRY_AFTER_S: u32 = 5;

/// One answer being made, or made a short while ago.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) id: TurnId,
    pub(crate) person: UserId,
    pub(crate) conversation: ConversationId,
    pub(crate) transcript: Arc<Transcript>,
    /// Ends the answer; what was shown is kept.
    pub(crate) stop: CancellationToken,
}

/// All turns of one instance.
#[derive(Debug)]
pub(crate) struct Seats {
    limits: Limits,
    book: Mutex<Book>,
    /// Told whenever a seat is left.
    left: Notify,
}

#[derive(Debug, Default)]
struct Book {
    /// The person is part of the key, so that nobody learns of, or blocks, another's conversation.
    taken: HashMap<(UserId, ConversationId), Option<TurnId>>,
    turns: HashMap<TurnId, Arc<Turn>>,
    closed: bool,
}

/// The right to change one conversation. Given up on drop.
#[derive(Debug)]
pub(crate) struct Seat {
    seats: Arc<Seats>,
    person: UserId,
    conversation: ConversationId,
}

impl Seats {
    pub(crate) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { limits, book: Mutex::default(), left: Notify::new() })
    }

    /// Takes the seat of a conversation for a turn.
    ///
    /// # Errors
    /// [`Error::Answering`] when it is taken, [`Error::Busy`] when there are too many,
    /// [`Error::Closing`] after [`Self::close`].
    pub(crate) fn take(
        self: &Arc<Self>,
        person: UserId,
        conversation: ConversationId,
        now: Timestamp,
    ) -> Result<Seat, Error> {
        self.sweep(now);
        let mut book = self.lock();
        if book.closed {
            return Err(Error::Closing);
        }
        let of_person = book.taken.keys().filter(|(of, _)| *of == person).count();
        if book.taken.len() >= self.limits.turns || of_person >= self.limits.turns_per_person {
            return Err(Error::Busy { retry_after_s: RETRY_AFTER_S });
        }
        self.sit(&mut book, person, conversation)
    }

    /// Takes the seat of a conversation to change it, after stopping the turn that has it.
    pub(crate) async fn hush(self: &Arc<Self>, person: UserId, conversation: ConversationId) -> Seat {
        loop {
            let left = self.left.notified();
            tokio::pin!(left);
            // Before looking, or a seat left in between would not be noticed.
            left.as_mut().enable();
            let taken = self.sit(&mut self.lock(), person, conversation);
            match taken {
                Ok(seat) => return seat,
                Err(_) => self.stop_in(person, conversation),
            }
            left.await;
        }
    }

    fn sit(
        self: &Arc<Self>,
        book: &mut Book,
        person: UserId,
        conversation: ConversationId,
    ) -> Result<Seat, Error> {
        match book.taken.get(&(person, conversation)) {
            Some(Some(turn)) => return Err(Error::Answering { turn: *turn }),
            Some(None) => return Err(Error::Busy { retry_after_s: 1 }),
            None => book.taken.insert((person, conversation), None),
        };
        Ok(Seat { seats: Arc::clone(self), person, conversation })
    }

    /// The turn called `id`, if it is `person`'s.
    pub(crate) fn find(&self, person: UserId, id: TurnId, now: Timestamp) -> Result<Arc<Turn>, Error> {
        self.sweep(now);
        let book = self.lock();
        book.turns.get(&id).filter(|turn| turn.person == person).cloned().ok_or(Error::NotFound)
    }

    /// The turn that is answering in a conversation.
    pub(crate) fn running(&self, person: UserId, conversation: ConversationId) -> Option<TurnId> {
        self.lock().taken.get(&(person, conversation)).copied().flatten()
    }

    /// Stops the turn that is answering in a conversation, if there is one.
    fn stop_in(&self, person: UserId, conversation: ConversationId) {
        let book = self.lock();
        let turn = book.taken.get(&(person, conversation)).copied().flatten();
        if let Some(turn) = turn.and_then(|id| book.turns.get(&id)) {
            turn.stop.cancel();
        }
    }

    /// Stops and forgets every turn `which` picks: nothing of it can be watched any more.
    pub(crate) fn forget(&self, which: impl Fn(&Turn) -> bool) {
        self.lock().turns.retain(|_, turn| {
            let gone = which(turn);
            if gone {
                turn.stop.cancel();
            }
            !gone
        });
    }

    /// Takes no more turns and stops those that run.
    pub(crate) fn close(&self) {
        let mut book = self.lock();
        book.closed = true;
        book.turns.values().for_each(|turn| turn.stop.cancel());
    }

    /// Drops what ended too long ago, and the oldest of too many.
    pub(crate) fn sweep(&self, now: Timestamp) {
        let mut book = self.lock();
        book.turns.retain(|_, turn| {
            turn.transcript.ended_at().is_none_or(|ended| now.seconds_since(ended) < TURN_KEPT_S)
        });
        let mut ended: Vec<_> = book
            .turns
            .values()
            .filter_map(|turn| turn.transcript.ended_at().map(|at| (at, turn.id, turn.person)))
            .collect();
        ended.sort_unstable_by(|one, other| other.cmp(one));
        let mut of: HashMap<UserId, usize> = HashMap::new();
        for (place, (_, id, person)) in ended.into_iter().enumerate() {
            let count = of.entry(person).or_default();
            *count += 1;
            if *count > TURNS_KEPT_PER_PERSON || place >= TURNS_KEPT {
                book.turns.remove(&id);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Begins a turn in this seat; from now on it can be watched and stopped.
    pub(crate) fn begin(&self, id: TurnId, transcript: Transcript) -> Arc<Turn> {
        let (person, conversation) = (self.person, self.conversation);
        let stop = CancellationToken::new();
        let turn = Arc::new(Turn { id, person, conversation, transcript: Arc::new(transcript), stop });
        let mut book = self.seats.lock();
        book.taken.insert((person, conversation), Some(id));
        book.turns.insert(id, Arc::clone(&turn));
        if book.closed {
            turn.stop.cancel();
        }
        turn
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.lock().taken.remove(&(self.person, self.conversation));
        self.seats.left.notify_waiters();
    }
}
