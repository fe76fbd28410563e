//! Whose turn it is: a pure state machine over the caller's sound, frame by frame.
//!
//! The task of a call feeds it what it hears and does what it answers. It has no clock but the frames, so
//! a recording played through it twice gives the same moves. Invariants, held by property tests: a turn
//! that ends has begun; what was begun ahead is taken back or used, once; a voice that was hushed goes on,
//! is interrupted or ends, once; and whatever was heard, silence ends it.

mod machine;
mod rules;
#[cfg(test)]
mod tests;
mod words;

pub use machine::TurnTaking;
pub use rules::{FRAME_MS, Rules};
pub use words::{is_assent, is_nothing, is_unfinished};

use super::Trigger;

/// What happens, in its order.
#[derive(Clone, Debug, PartialEq)]
pub enum Sign {
    /// The next frame of the caller's sound, and how likely it is speech.
    Frame(f32),
    /// The words of the running utterance so far.
    Words {
        /// All of them.
        text: String,
        /// Whether they reach up to the pause that was to be judged.
        settled: bool,
    },
    /// How likely it is that the caller has finished: the answer to [`Move::Judge`].
    Completeness(f32),
    /// The agent begins a reply: it thinks, or speaks.
    AgentBegan {
        /// Whether it may be interrupted.
        insists: bool,
    },
    /// The caller has heard the reply to its end, or there is none any more.
    AgentEnded,
    /// The client says that the turn is over.
    Finish,
    /// The client wants the utterance forgotten.
    Drop,
}

/// What is to be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// The caller began to speak, so many milliseconds ago.
    Began {
        /// How long ago.
        ago_ms: u32,
    },
    /// A pause: ask whether the caller has finished, and for the words so far.
    Judge,
    /// The caller has probably finished: think, and say nothing yet.
    ThinkAhead,
    /// The caller goes on, or it was nothing: what was thought ahead is void.
    TakeBack,
    /// The caller has finished: answer.
    Over(Trigger),
    /// It was a noise, or a word of assent: forget it.
    Forget,
    /// Be silent for now and ask for the words: perhaps the caller interrupts.
    Hush,
    /// The caller interrupts: drop the rest of the reply, and keep what was heard of it.
    Interrupted,
    /// The caller did not interrupt: go on speaking.
    GoOn,
    /// Nobody has spoken for long: ask whether the caller is there.
    AskIfThere,
}
