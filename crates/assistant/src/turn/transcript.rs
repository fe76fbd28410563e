//! One answer as it grows, kept once and read by any number of watchers.
//!
//! The text is one append-only buffer. A position in the stream of events is a number: 0 before
//! anything, 1 after `Began`, 1 + n after n bytes of text, one more after the end. A watcher holds such
//! a number and nothing else, so that it can leave and come back without losing or repeating a byte,
//! and a slow one costs no memory: whatever gathered since is one piece.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use domain::{Timestamp, chat::Ending, id::MessageId, model::Readiness};
use futures::{Stream, stream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::limits::PIECE_BYTES;

/// One event in the making of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TurnEvent {
    /// The question is kept and the answer has a name. Position 1.
    Began {
        /// The question as it was kept; `None` when an answer is made anew.
        user_message: Option<MessageId>,
        /// The message the answer will be.
        answer: MessageId,
        /// The model that is asked, by its id; `None` when there is none.
        model: Option<String>,
        /// Where it runs, in words.
        place: Option<String>,
    },
    /// The model cannot answer yet; the turn goes on by itself when it can. Position 1: a state, not
    /// history, sent again after coming back while it lasts.
    Waiting(Readiness),
    /// More text.
    Text {
        /// The position after this text.
        seq: u64,
        /// The text.
        text: String,
    },
    /// The end; the answer is kept.
    Ended {
        /// The last position.
        seq: u64,
        /// How it ended.
        ending: Ending,
        /// What went wrong, as a sentence.
        error: Option<String>,
    },
}

impl TurnEvent {
    /// The position after this event: what to give [`crate::Assistant::watch`] to go on from here.
    #[must_use]
    pub fn seq(&self) -> u64 {
        match self {
            Self::Began { .. } | Self::Waiting(_) => 1,
            Self::Text { seq, .. } | Self::Ended { seq, .. } => *seq,
        }
    }
}

/// How an answer ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) ending: Ending,
    pub(crate) error: Option<String>,
    pub(crate) at: Timestamp,
}

/// What is common to all watchers of one answer.
#[derive(Debug)]
pub(crate) struct Transcript {
    began: TurnEvent,
    state: Mutex<State>,
    changed: watch::Sender<()>,
    over: CancellationToken,
}

#[derive(Debug, Default)]
struct State {
    text: Zeroizing<String>,
    waiting: Option<Readiness>,
    ended: Option<Ended>,
}

impl Transcript {
    /// An answer of which only the beginning is known.
    pub(crate) fn new(began: TurnEvent) -> Self {
        let over = CancellationToken::new();
        Self { began, state: Mutex::default(), changed: watch::Sender::new(()), over }
    }

    /// The model is not there yet.
    pub(crate) fn wait_for(&self, readiness: Readiness) {
        self.lock().waiting = Some(readiness);
        self.changed.send_replace(());
    }

    /// Takes more text, as much as fits into `limit` bytes in all; `false` when not all of it did.
    pub(crate) fn push(&self, text: &str, limit: usize) -> bool {
        let mut state = self.lock();
        state.waiting = None;
        let room = limit.saturating_sub(state.text.len());
        let taken = &text[..floor_char(text, room)];
        append(&mut state.text, taken);
        drop(state);
        self.changed.send_replace(());
        taken.len() == text.len()
    }

    /// The text so far.
    pub(crate) fn text(&self) -> Zeroizing<String> {
        self.lock().text.clone()
    }

    /// The end. A second call changes nothing.
    pub(crate) fn end(&self, ended: Ended) {
        let mut state = self.lock();
        state.waiting = None;
        state.ended.get_or_insert(ended);
        drop(state);
        self.changed.send_replace(());
        self.over.cancel();
    }

    /// When it ended, if it has.
    pub(crate) fn ended_at(&self) -> Option<Timestamp> {
        self.lock().ended.as_ref().map(|ended| ended.at)
    }

    /// Everything after position `from`, as it comes. Ends after [`TurnEvent::Ended`].
    pub(crate) fn watch(self: Arc<Self>, from: u64) -> Watch {
        let (changed, over) = (self.changed.subscribe(), self.over.clone());
        let watcher = Watcher { transcript: self, at: from, waiting: None, changed };
        let events = Box::pin(stream::unfold(watcher, |mut watcher| async move {
            let event = watcher.next().await?;
            Some((event, watcher))
        }));
        Watch { events, over }
    }

    /// Nothing is done while this is held but copying bytes, so that a poisoned lock is still whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The events of a turn, for one reader.
pub struct Watch {
    events: Pin<Box<dyn Stream<Item = TurnEvent> + Send + Sync>>,
    over: CancellationToken,
}

impl Watch {
    /// Waits until the turn has ended, whether or not its events have been read: a reader that takes its
    /// time between two of them need not take it any longer.
    pub async fn over(&self) {
        self.over.cancelled().await;
    }
}

impl Stream for Watch {
    type Item = TurnEvent;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<TurnEvent>> {
        self.events.as_mut().poll_next(cx)
    }
}

/// One reader of a transcript.
struct Watcher {
    transcript: Arc<Transcript>,
    at: u64,
    waiting: Option<Readiness>,
    changed: watch::Receiver<()>,
}

/// What a look at the transcript showed.
enum Look {
    Event(TurnEvent),
    NothingYet,
    Over,
}

impl Watcher {
    async fn next(&mut self) -> Option<TurnEvent> {
        loop {
            match self.look() {
                Look::Event(event) => {
                    self.at = event.seq();
                    return Some(event);
                }
                Look::Over => return None,
                // The sender lives in the transcript this watcher holds: an error cannot happen, and
                // would mean that nothing more comes.
                Look::NothingYet => self.changed.changed().await.ok()?,
            }
        }
    }

    fn look(&mut self) -> Look {
        if self.at == 0 {
            return Look::Event(self.transcript.began.clone());
        }
        let state = self.transcript.lock();
        if let Some(readiness) = state.waiting.as_ref().filter(|now| self.waiting.as_ref() != Some(*now)) {
            self.waiting = Some(readiness.clone());
            return Look::Event(TurnEvent::Waiting(readiness.clone()));
        }
        let seen = usize::try_from(self.at - 1).unwrap_or(usize::MAX);
        if let Some(text) = piece(&state.text, seen) {
            let seq = 1 + (floor_char(&state.text, seen) + text.len()) as u64;
            return Look::Event(TurnEvent::Text { seq, text: text.to_owned() });
        }
        let last = 2 + state.text.len() as u64;
        match &state.ended {
            Some(_) if self.at >= last => Look::Over,
            Some(Ended { ending, error, .. }) => {
                Look::Event(TurnEvent::Ended { seq: last, ending: *ending, error: error.clone() })
            }
            None => Look::NothingYet,
        }
    }
}

/// The next piece of `text` after `seen` bytes, of at most [`PIECE_BYTES`].
fn piece(text: &str, seen: usize) -> Option<&str> {
    let rest = &text[floor_char(text, seen)..];
    (!rest.is_empty()).then(|| &rest[..floor_char(rest, PIECE_BYTES)])
}

/// The last boundary of a character at or before `at`. A position from outside may be any number.
fn floor_char(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Appends without leaving a copy behind: a buffer that must move is wiped where it was.
fn append(buffer: &mut Zeroizing<String>, text: &str) {
    let needed = buffer.len() + text.len();
    if needed > buffer.capacity() {
        let mut larger = Zeroizing::new(String::with_capacity(needed.next_power_of_two().max(512)));
        larger.push_str(buffer);
        *buffer = larger;
    }
    buffer.push_str(text);
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, StreamExt};
    use proptest::prelude::*;

    use super::*;

    fn began() -> TurnEvent {
        let answer = MessageId("01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap());
        TurnEvent::Began { user_message: None, answer, model: None, place: None }
    }

    fn ended() -> Ended {
        Ended { ending: Ending::Complete, error: None, at: Timestamp(7) }
    }

    /// All events that can be had at once from `from`, and whether the stream ended.
    fn now(transcript: &Arc<Transcript>, from: u64) -> (Vec<TurnEvent>, bool) {
        let mut stream = Arc::clone(transcript).watch(from);
        let mut events = Vec::new();
        loop {
            match stream.next().now_or_never() {
                Some(Some(event)) => events.push(event),
                Some(None) => return (events, true),
                None => return (events, false),
            }
        }
    }

    #[test]
    fn a_watcher_sees_the_beginning_the_waiting_the_text_and_the_end() {
        let transcript = Arc::new(Transcript::new(began()));
        assert_eq!(now(&transcript, 0), (vec![began()], false));
        transcript.wait_for(Readiness::Loading);
        assert_eq!(now(&transcript, 1), (vec![TurnEvent::Waiting(Readiness::Loading)], false));
        assert!(transcript.push("né", 100));
        let text = TurnEvent::Text { seq: 4, text: "né".into() };
        assert_eq!(now(&transcript, 0), (vec![began(), text.clone()], false));
        let watch = Arc::clone(&transcript).watch(0);
        assert!(watch.over().now_or_never().is_none());
        transcript.end(ended());
        transcript.end(Ended { ending: Ending::Failed, ..ended() });
        assert!(watch.over().now_or_never().is_some(), "over, though nothing has been read");
        let end = TurnEvent::Ended { seq: 5, ending: Ending::Complete, error: None };
        assert_eq!(now(&transcript, 0), (vec![began(), text, end.clone()], true));
        assert_eq!(now(&transcript, 4), (vec![end], true));
        assert_eq!(now(&transcript, 5), (vec![], true));
        assert_eq!(now(&transcript, u64::MAX), (vec![], true));
    }

    #[test]
    fn text_is_bounded_at_a_character() {
        let transcript = Transcript::new(began());
        assert!(transcript.push("aé", 4));
        assert!(!transcript.push("éb", 4));
        assert_eq!(*transcript.text(), "aé");
    }

    proptest! {
        /// Whoever leaves and comes back at any position, as often as they like, reads the same text.
        #[test]
        fn coming_back_loses_and_repeats_nothing(
            parts in proptest::collection::vec("[a-zé猫\n]{0,9}", 0..40),
            cuts in proptest::collection::vec(0usize..40, 0..20),
        ) {
            let transcript = Arc::new(Transcript::new(began()));
            let (mut read, mut at) = (String::new(), 0);
            for (step, part) in parts.iter().enumerate() {
                transcript.push(part, usize::MAX);
                if cuts.contains(&step) {
                    for event in now(&transcript, at).0 {
                        at = event.seq();
                        if let TurnEvent::Text { text, .. } = event { read.push_str(&text); }
                    }
                }
            }
            transcript.end(ended());
            for event in now(&transcript, at).0 {
                if let TurnEvent::Text { text, .. } = event { read.push_str(&text); }
            }
            prop_assert_eq!(read, parts.concat());
        }
    }
}
