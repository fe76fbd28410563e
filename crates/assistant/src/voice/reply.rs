//! One reply of the agent: words in, sound out in time.
//!
//! [`super::session`] owns at most one that speaks and one that waits for its turn. The sound leaves as it is
//! played, a little ahead: what was sent and not yet heard when the caller interrupts is lost. Invariant:
//! nothing of a reply leaves before it is released.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use domain::{
    id::{ItemId, MessageId, ReplyId},
    model::Usage,
    voice::{Cause, Failure, Latency},
};
use tokio::{
    sync::{mpsc, mpsc::error::TrySendError, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::{
    clauses::Clauses,
    mouth::{Mouth, Uttered},
    played::Played,
};
use crate::turn::{Fate, FromTurn, Turn};

/// Most pieces that wait for room in the mouth: more than any reply has. What a runaway brings beyond is not said.
const WAITING: usize = 2_048;
/// Sound that is sent before it is due: what a client may have buffered.
const LEAD: Duration = Duration::from_millis(400);
/// Nobody waits longer for the first words,
const FIRST_WORDS: Duration = Duration::from_secs(25);
/// for more words,
const MORE_WORDS: Duration = Duration::from_secs(12);
/// and for their sound.
const SOUND: Duration = Duration::from_secs(8);
/// After that long without a word the agent asks for patience, and again after as long.
const SLOW: Duration = Duration::from_secs(4);

/// A reply.
pub(super) struct Reply {
    pub(super) id: ReplyId,
    pub(super) item: ItemId,
    pub(super) cause: Cause,
    /// Whether it must be heard to its end.
    pub(super) insists: bool,
    /// The turn that makes its words; `None` when they were given.
    pub(super) turn: Option<TurnSide>,
    /// Whether it may be heard.
    pub(super) released: bool,
    /// Whether it is silent for a moment.
    pub(super) hushed: bool,
    pub(super) played: Played,
    /// When its stages were reached.
    pub(super) marks: Marks,
    /// What broke it, when something did.
    pub(super) failure: Option<Failure>,
    /// Whether its turn goes on in another reply when the client's tools have their results.
    pub(super) parks: bool,
    clauses: Clauses,
    mouth: Option<Mouth>,
    /// Words that were given before there was a mouth, or without one.
    unspoken: Vec<Zeroizing<String>>,
    /// Pieces the mouth has no room for yet,
    waiting: VecDeque<Zeroizing<String>>,
    /// and whether there were so many that the rest is left out.
    overflowed: bool,
    next: Option<(Zeroizing<Vec<u8>>, Duration)>,
    cancel: CancellationToken,
    words_over: bool,
    sound_over: bool,
    /// Since when words are waited for; `None`: they are not.
    wants_words: Option<Instant>,
    /// Since when sound is waited for.
    wants_sound: Option<Instant>,
    slow: u32,
    any_words: bool,
}

/// The reply's end of a turn.
pub(super) struct TurnSide {
    pub(super) fate: watch::Sender<Fate>,
    pub(super) from: Option<mpsc::Receiver<FromTurn>>,
    pub(super) running: Option<Arc<Turn>>,
    /// Whether the caller's turn is over for certain.
    pub(super) confirmed: bool,
    /// What is being answered, and the question when it is a new one.
    pub(super) answers: Option<MessageId>,
    pub(super) question: Option<MessageId>,
    pub(super) usage: Option<Usage>,
    /// What was heard of the turn in earlier replies.
    pub(super) before: Zeroizing<String>,
}

/// When the stages of a reply were reached.
#[derive(Clone, Copy, Default)]
pub(super) struct Marks {
    /// The caller's last speech.
    pub(super) speech_ended: Option<Instant>,
    /// The end of the turn.
    pub(super) over: Option<Instant>,
    /// The words were there.
    pub(super) recognised: Option<Instant>,
    pub(super) first_token: Option<Instant>,
    pub(super) first_clause: Option<Instant>,
    pub(super) first_sound: Option<Instant>,
    /// Time in tools.
    pub(super) tools: Option<Duration>,
}

/// What a reply does next.
pub(super) enum Next {
    /// Its turn told something.
    Turn(FromTurn),
    /// A piece of its words begins.
    Words(Zeroizing<String>),
    /// Sound leaves.
    Sound(Zeroizing<Vec<u8>>),
    /// It cannot be spoken.
    Mute,
    /// All of it has been heard.
    Heard,
}

/// What takes too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stall {
    /// The first words; they may still come. Whether it is the first time this is said.
    Slow(bool),
    /// Something that is given up.
    Over(Failure),
}

impl Reply {
    /// A reply with nothing in it yet. `mouth` speaks it; without one it is text alone.
    pub(super) fn new(
        id: ReplyId,
        item: ItemId,
        cause: Cause,
        mouth: Option<Mouth>,
        cancel: CancellationToken,
    ) -> Self {
        Self {
            id,
            item,
            cause,
            insists: false,
            turn: None,
            released: false,
            hushed: false,
            played: Played::default(),
            marks: Marks::default(),
            failure: None,
            parks: false,
            clauses: Clauses::default(),
            sound_over: mouth.is_none(),
            mouth,
            unspoken: Vec::new(),
            waiting: VecDeque::new(),
            overflowed: false,
            next: None,
            cancel,
            words_over: false,
            wants_words: None,
            wants_sound: None,
            slow: 0,
            any_words: false,
        }
    }

    /// Words come from a turn from now on. They are waited for since `since`; `None`: once it has begun.
    pub(super) fn of_turn(mut self, turn: TurnSide, since: Option<Instant>) -> Self {
        (self.turn, self.wants_words) = (Some(turn), since);
        self
    }

    /// Whether its caller's turn is over for certain.
    pub(super) fn is_confirmed(&self) -> bool {
        self.turn.as_ref().is_none_or(|turn| turn.confirmed)
    }

    /// More words.
    pub(super) fn add(&mut self, text: &str, now: Instant) {
        self.marks.first_token.get_or_insert(now);
        self.any_words |= !text.trim().is_empty();
        if self.wants_words.is_some() {
            self.wants_words = Some(now);
        }
        for piece in self.clauses.push(text) {
            self.speak(piece, now);
        }
    }

    /// Says something while words are waited for.
    pub(super) fn interject(&mut self, text: &str, now: Instant) {
        let mark = self.marks.first_clause;
        self.speak(Zeroizing::new(text.to_owned()), now);
        self.marks.first_clause = mark;
    }

    /// Says what is there without waiting for the end of its sentence.
    pub(super) fn flush(&mut self, now: Instant) {
        if let Some(piece) = self.clauses.finish() {
            self.speak(piece, now);
        }
    }

    /// No more words will come.
    pub(super) fn end_words(&mut self, now: Instant) {
        self.flush(now);
        (self.words_over, self.wants_words) = (true, None);
        self.hand_over();
    }

    /// Words are not waited for while tools run, and again when they have.
    pub(super) fn waits_for_words(&mut self, waits: bool, now: Instant) {
        self.wants_words = waits.then_some(now);
    }

    /// Whether any words were said so far.
    pub(super) const fn has_words(&self) -> bool {
        self.any_words
    }

    /// Whether its last word has been given.
    pub(super) const fn are_words_over(&self) -> bool {
        self.words_over
    }

    fn speak(&mut self, piece: Zeroizing<String>, now: Instant) {
        self.marks.first_clause.get_or_insert(now);
        if self.mouth.is_none() || self.words_over {
            self.unspoken.push(piece);
            return;
        }
        self.overflowed |= self.waiting.len() >= WAITING;
        if self.overflowed {
            return;
        }
        self.waiting.push_back(piece);
        self.wants_sound.get_or_insert(now);
        self.hand_over();
    }

    /// Hands the mouth what there is room for, in its order; after the last piece it learns that no more will come.
    fn hand_over(&mut self) {
        let Some(mouth) = &mut self.mouth else { return };
        let Some(text) = &mouth.text else { return };
        while let Some(piece) = self.waiting.pop_front() {
            match text.try_send(piece) {
                Ok(()) => (),
                // Room comes with the sound of what it has, and that is asked for in `next`.
                Err(TrySendError::Full(piece)) => return self.waiting.push_front(piece),
                Err(TrySendError::Closed(_)) => self.waiting.clear(),
            }
        }
        if self.words_over {
            mouth.text = None;
        }
    }

    /// What happens next. Can be dropped and asked again without loss.
    pub(super) async fn next(&mut self) -> Next {
        loop {
            self.hand_over();
            if self.released && !self.unspoken.is_empty() {
                return Next::Words(self.unspoken.remove(0));
            }
            let may_sound = self.released && !self.hushed;
            let (has_sound, all_sent, due) = (self.next.is_some(), self.is_all_sent(), self.due());
            let hears = may_sound && !has_sound && !self.sound_over;
            let turn = received(self.turn.as_mut().and_then(|turn| turn.from.as_mut()));
            let sound = received(self.mouth.as_mut().map(|mouth| &mut mouth.sound));
            tokio::select! {
                biased;
                () = tokio::time::sleep_until(due), if may_sound && has_sound => {
                    if let Some((bytes, lasts)) = self.next.take() {
                        self.played.sent(lasts, Instant::now());
                        return Next::Sound(bytes);
                    }
                }
                told = turn => match told {
                    Some(told) => return Next::Turn(told),
                    None => self.turn.iter_mut().for_each(|turn| turn.from = None),
                },
                uttered = sound, if hears => match uttered {
                    Some(Uttered::Begins(text)) => return Next::Words(text),
                    Some(Uttered::Sound(bytes, lasts)) => {
                        let now = Instant::now();
                        self.wants_sound = Some(now);
                        self.marks.first_sound.get_or_insert(now);
                        self.next = Some((bytes, lasts));
                    }
                    Some(Uttered::Said) => {
                        self.played.end();
                        self.wants_sound = self.wants_sound.filter(|_| !self.words_over);
                    }
                    Some(Uttered::Failed) => return Next::Mute,
                    None => (self.sound_over, self.wants_sound) = (true, None),
                },
                () = tokio::time::sleep_until(due), if may_sound && all_sent => return Next::Heard,
            }
        }
    }

    /// Whether all of its words and all of their sound have left.
    fn is_all_sent(&self) -> bool {
        self.words_over && self.sound_over && self.next.is_none() && self.unspoken.is_empty()
    }

    /// When the next sound may leave, or all of it has been heard.
    fn due(&self) -> Instant {
        let now = Instant::now();
        let ahead = self.played.ahead(now);
        if self.next.is_some() { now + ahead.saturating_sub(LEAD) } else { now + ahead }
    }

    /// When it is to be asked whether something takes too long.
    pub(super) fn patience_ends(&self) -> Option<Instant> {
        let words = self
            .wants_words
            .map(|since| since + if self.any_words { MORE_WORDS } else { self.first_words() });
        [words, self.sound_stalls()].into_iter().flatten().min()
    }

    fn first_words(&self) -> Duration {
        FIRST_WORDS.min(SLOW * (self.slow + 1))
    }

    fn sound_stalls(&self) -> Option<Instant> {
        let waits = self.released && !self.hushed && self.next.is_none() && !self.sound_over;
        self.wants_sound.filter(|_| waits).map(|since| since + SOUND)
    }

    /// What takes too long at `now`.
    pub(super) fn stalls(&mut self, now: Instant) -> Option<Stall> {
        if self.sound_stalls().is_some_and(|at| at <= now) {
            return Some(Stall::Over(Failure::Speaking));
        }
        let since = self.wants_words?;
        let waited = now.saturating_duration_since(since);
        if waited >= if self.any_words { MORE_WORDS } else { FIRST_WORDS } {
            return Some(Stall::Over(Failure::Stalled));
        }
        if !self.any_words && waited >= self.first_words() {
            self.slow += 1;
            return Some(Stall::Slow(self.slow == 1));
        }
        None
    }

    /// Stops making words and sound. What was sent stays known.
    pub(super) fn stop(&mut self) {
        self.cancel.cancel();
        (self.mouth, self.next) = (None, None);
        self.waiting.clear();
        (self.wants_words, self.wants_sound) = (None, None);
        if let Some(turn) = &mut self.turn {
            if let Some(running) = &turn.running {
                running.stop.cancel();
            }
            turn.from = None;
        }
    }

    /// Its turn, for the reply it goes on in, with what was heard of it so far.
    pub(super) fn hand_on(&mut self, now: Instant) -> Option<TurnSide> {
        let mut turn = self.turn.take()?;
        let (heard, _) = self.played.heard(now);
        let mut before = Zeroizing::new(String::with_capacity(turn.before.len() + heard.len() + 1));
        [turn.before.as_str(), heard.as_str(), " "].into_iter().for_each(|part| before.push_str(part));
        turn.before = before;
        Some(turn)
    }

    /// Lets its turn know what was heard of it, and that nothing more will be.
    pub(super) fn settle(&mut self, cut: bool, now: Instant) {
        let Some(turn) = &self.turn else { return };
        let (heard, all) = self.played.heard(now);
        let mut text = Zeroizing::new(String::with_capacity(turn.before.len() + heard.len()));
        text.push_str(&turn.before);
        text.push_str(&heard);
        let fate = if turn.confirmed {
            Fate::Heard {
                text: Arc::new(Zeroizing::new(text.trim_end().to_owned())),
                cut: cut || !all || self.overflowed,
            }
        } else {
            Fate::Void
        };
        turn.fate.send_replace(fate);
    }

    /// The stages up to the first sound.
    pub(super) fn latency(&self, now: Instant) -> Latency {
        let marks = self.marks;
        let between = |from: Option<Instant>, to: Option<Instant>| {
            let lasts = to?.saturating_duration_since(from?);
            u32::try_from(lasts.as_millis()).ok()
        };
        Latency {
            endpointing_ms: between(marks.speech_ended, marks.over),
            recognition_ms: between(marks.over, marks.recognised),
            first_token_ms: between(marks.recognised.max(marks.over), marks.first_token),
            first_clause_ms: between(marks.first_token, marks.first_clause),
            tools_ms: marks.tools.and_then(|lasts| u32::try_from(lasts.as_millis()).ok()),
            speech_ms: between(marks.first_clause, marks.first_sound.or(Some(now))),
            total_ms: between(marks.speech_ended, Some(now)),
        }
    }
}

/// What comes next through a channel; nothing ever comes through none.
async fn received<T>(channel: Option<&mut mpsc::Receiver<T>>) -> Option<T> {
    match channel {
        Some(channel) => channel.recv().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn no_sentence_is_lost_while_the_mouth_is_full() {
        let (text, mut pieces) = mpsc::channel(2);
        let (_out, sound) = mpsc::channel(1);
        let mouth = Mouth { text: Some(text), sound };
        let ids = (ReplyId(Uuid::from_u128(1)), ItemId(Uuid::from_u128(2)));
        let mut reply = Reply::new(ids.0, ids.1, Cause::Said, Some(mouth), CancellationToken::new());
        let now = Instant::now();
        (0..6).for_each(|n| reply.speak(Zeroizing::new(n.to_string()), now));
        reply.end_words(now);
        let mut said = Vec::new();
        loop {
            match pieces.try_recv() {
                Ok(piece) => said.push(piece.to_string()),
                Err(mpsc::error::TryRecvError::Empty) => reply.hand_over(),
                Err(mpsc::error::TryRecvError::Disconnected) => break,
            }
            assert!(said.len() <= 6);
        }
        assert_eq!(said, ["0", "1", "2", "3", "4", "5"]);
    }
}
