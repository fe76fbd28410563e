//! How long things take, and how sure one must be.

use crate::voice::TurnRules;

/// How much sound one frame is: 512 samples of 16 000 a second.
pub const FRAME_MS: u32 = 32;

/// What the machine goes by: the rules of the call, and what no call changes. Times in milliseconds of sound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// The rules of the call.
    pub turn: TurnRules,
    /// In an utterance a frame is speech from this probability on: lower than what begins one.
    pub still_speech: f32,
    /// Speech that long begins an utterance, and ends a pause in one; a click is shorter.
    pub begin_ms: u32,
    /// An utterance with less speech than that, and no words, was a noise.
    pub least_ms: u32,
    /// Silence after which it is judged whether the caller has finished; within a word it is shorter.
    pub judge_ms: u32,
    /// Judged at least this likely to be over, a turn is in doubt; below, it sounds unfinished.
    pub doubtful: f32,
    /// Speech over the agent's voice that hushes it. A word of assent is often shorter.
    pub hush_ms: u32,
    /// Speech over the agent's voice that means to interrupt, when its words are no assent.
    pub interrupt_ms: u32,
    /// The same when nobody could tell the words.
    pub insist_ms: u32,
    /// Silence after which a hushed voice goes on when nobody could tell the words.
    pub resume_ms: u32,
    /// The longest utterance: it ends there, as if by silence.
    pub longest_ms: u32,
}

impl Rules {
    /// What the machine goes by under `turn`, whose numbers are brought within bounds.
    #[must_use]
    pub fn of(turn: TurnRules) -> Self {
        let turn = turn.bounded();
        Self {
            turn,
            still_speech: turn.threshold * 0.7,
            begin_ms: 64,
            least_ms: 128,
            judge_ms: 160.min(turn.pause_ms),
            doubtful: turn.complete / 2.0,
            hush_ms: 256,
            interrupt_ms: 416,
            insist_ms: 800,
            resume_ms: 640,
            longest_ms: 60_000,
        }
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self::of(TurnRules::default())
    }
}
