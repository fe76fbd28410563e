//! How a call is held: formats, voice, instructions, and whose turn it is by which rules.

use std::fmt;

use crate::model::{Tool, ToolChoice};

/// Most tools a client may bring.
pub const MAX_TOOLS: usize = 128;
/// Longest description of one tool with its parameters, in bytes.
pub const MAX_TOOL_BYTES: usize = 32 * 1024;
/// Longest instructions, in bytes.
pub const MAX_INSTRUCTIONS_BYTES: usize = 64 * 1024;
/// Longest greeting, in bytes.
pub const MAX_GREETING_BYTES: usize = 32 * 1024;

/// How samples are written as bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// 16 bits, signed, the low byte first.
    Pcm16,
    /// G.711 µ-law, 8 bits.
    MuLaw,
    /// G.711 A-law, 8 bits.
    ALaw,
}

impl Encoding {
    /// Bytes of one sample.
    #[must_use]
    pub const fn width(self) -> usize {
        match self {
            Self::Pcm16 => 2,
            Self::MuLaw | Self::ALaw => 1,
        }
    }
}

/// What travels on the wire: one channel of samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Format {
    /// How a sample is written.
    pub encoding: Encoding,
    /// Samples a second.
    pub rate: u32,
}

impl Format {
    /// PCM, 24 000 samples a second: what both wires use when nothing is said.
    pub const DEFAULT: Self = Self { encoding: Encoding::Pcm16, rate: 24_000 };

    /// Whether the engine speaks it: PCM at 8, 16, 24, 44.1 or 48 kHz, µ-law and A-law at 8 kHz.
    #[must_use]
    pub const fn is_known(self) -> bool {
        match self.encoding {
            Encoding::Pcm16 => matches!(self.rate, 8_000 | 16_000 | 24_000 | 44_100 | 48_000),
            Encoding::MuLaw | Encoding::ALaw => self.rate == 8_000,
        }
    }

    /// Bytes of `ms` milliseconds, whole samples alone.
    #[must_use]
    pub const fn bytes_of(self, ms: u64) -> usize {
        (ms.saturating_mul(self.rate as u64) / 1000) as usize * self.encoding.width()
    }

    /// Milliseconds `bytes` last.
    #[must_use]
    pub const fn ms_of(self, bytes: usize) -> u64 {
        (bytes / self.encoding.width()) as u64 * 1000 / self.rate as u64
    }
}

/// Who says that a turn of the caller is over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Turns {
    /// The client, by [`Commit`](super::Command::Commit) and [`Respond`](super::Command::Respond).
    Manual,
    /// The engine, by what it hears.
    Server(TurnRules),
}

impl Default for Turns {
    fn default() -> Self {
        Self::Server(TurnRules::default())
    }
}

/// How the engine decides that a turn is over, and what happens then. The defaults are what both wires
/// get when they say nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TurnRules {
    /// From this probability on a frame of sound is speech, 0 to 1.
    pub threshold: f32,
    /// Sound before the first speech that belongs to the turn, in milliseconds.
    pub before_ms: u32,
    /// Whether it is judged if a pause is an end. Otherwise [`Self::pause_ms`] of silence ends every turn.
    pub judged: bool,
    /// A turn judged this likely to be over counts as complete, 0 to 1.
    pub complete: f32,
    /// Silence that ends a turn which sounds complete, in milliseconds.
    pub pause_ms: u32,
    /// Silence that ends a turn of which nobody knows, in milliseconds.
    pub doubt_ms: u32,
    /// Silence that ends a turn which sounds unfinished, in milliseconds.
    pub longest_pause_ms: u32,
    /// Whether the end of a turn is answered by itself.
    pub answers: bool,
    /// Whether speech over the agent's voice interrupts it.
    pub interrupts: bool,
    /// Silence of both sides after which the caller is asked whether they are there; `None`: never.
    pub idle_ms: Option<u32>,
}

impl Default for TurnRules {
    fn default() -> Self {
        Self {
            threshold: 0.5,
            before_ms: 300,
            judged: true,
            complete: 0.6,
            pause_ms: 256,
            doubt_ms: 800,
            longest_pause_ms: 2_200,
            answers: true,
            interrupts: true,
            idle_ms: Some(15_000),
        }
    }
}

impl TurnRules {
    /// Turns that end after `silence_ms` of silence, however it sounds (`server_vad`).
    #[must_use]
    pub fn by_silence(silence_ms: u32) -> Self {
        Self {
            judged: false,
            pause_ms: silence_ms,
            doubt_ms: silence_ms,
            longest_pause_ms: silence_ms,
            ..Self::default()
        }
    }

    /// Turns that are judged, and last no longer than `longest_pause_ms` of silence (`semantic_vad`).
    #[must_use]
    pub fn judged(longest_pause_ms: u32) -> Self {
        Self { longest_pause_ms, ..Self::default() }
    }

    /// The same within what makes sense: probabilities between 0.05 and 0.95, pauses between 100 ms and
    /// 20 s and in their order. What is no number becomes the default.
    #[must_use]
    pub fn bounded(self) -> Self {
        let usual = Self::default();
        let likely = |value: f32, usual: f32| if value.is_finite() { value.clamp(0.05, 0.95) } else { usual };
        let pause_ms = self.pause_ms.clamp(100, 20_000);
        let doubt_ms = self.doubt_ms.clamp(pause_ms, 20_000);
        Self {
            threshold: likely(self.threshold, usual.threshold),
            complete: likely(self.complete, usual.complete),
            before_ms: self.before_ms.min(2_000),
            pause_ms,
            doubt_ms,
            longest_pause_ms: self.longest_pause_ms.clamp(doubt_ms, 20_000),
            idle_ms: self.idle_ms.map(|ms| ms.clamp(2_000, 600_000)),
            ..self
        }
    }
}

/// A tool the client runs: the engine announces the call and waits for its result.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientTool {
    /// What the model is told about it.
    pub tool: Tool,
    /// Whether it is called only when the caller's turn is over for certain, because it cannot be undone.
    pub waits: bool,
}

/// Which models do the work; `None` leaves the choice to the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// The language model, by its id.
    pub model: Option<String>,
    /// What recognises speech, by its id.
    pub recognition: Option<String>,
    /// The voice, by its name.
    pub voice: Option<String>,
}

/// How a call is held. A second [`Configure`](super::Command::Configure) replaces all of it, but the
/// formats, which are fixed once sound has travelled.
#[derive(Clone, PartialEq)]
pub struct Settings {
    /// What the model is told beside what every call tells it.
    pub instructions: String,
    /// Which models.
    pub choice: Choice,
    /// The language that is spoken, as a code like `en`; `None`: English.
    pub language: Option<String>,
    /// How the caller's sound arrives.
    pub input: Format,
    /// How the agent's sound leaves.
    pub output: Format,
    /// How fast the agent speaks: 1 is as the voice does.
    pub pace: f32,
    /// Whether replies are spoken; otherwise they are text alone.
    pub speaks: bool,
    /// Who says that a turn is over.
    pub turns: Turns,
    /// Tools the client runs.
    pub tools: Vec<ClientTool>,
    /// Whether the model may, must or must not call tools.
    pub tool_choice: ToolChoice,
    /// Most tokens of one reply; `None` leaves it to the model.
    pub max_tokens: Option<u32>,
    /// What is said when the call begins, after the disclosure that an AI speaks.
    pub greeting: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            instructions: String::new(),
            choice: Choice::default(),
            language: None,
            input: Format::DEFAULT,
            output: Format::DEFAULT,
            pace: 1.0,
            speaks: true,
            turns: Turns::default(),
            tools: Vec::new(),
            tool_choice: ToolChoice::Auto,
            max_tokens: None,
            greeting: None,
        }
    }
}

impl fmt::Debug for Settings {
    /// Without instructions, greeting and tools: they may speak of people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("choice", &self.choice)
            .field("input", &self.input)
            .field("output", &self.output)
            .field("turns", &self.turns)
            .field("tools", &self.tools.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_count_whole_samples() {
        let tone = Format { encoding: Encoding::Pcm16, rate: 44_100 };
        assert_eq!((tone.bytes_of(1_000), tone.bytes_of(1)), (88_200, 88));
        assert_eq!((tone.ms_of(88_200), tone.ms_of(88_199)), (1_000, 999));
        assert!(tone.is_known() && Format::DEFAULT.is_known());
        assert!(!Format { encoding: Encoding::MuLaw, rate: 16_000 }.is_known());
        assert!(!Format { encoding: Encoding::Pcm16, rate: 0 }.is_known());
    }

    #[test]
    fn rules_from_outside_are_brought_within_bounds() {
        let wild = TurnRules {
            threshold: f32::NAN,
            complete: 7.0,
            before_ms: u32::MAX,
            pause_ms: 0,
            doubt_ms: 0,
            longest_pause_ms: u32::MAX,
            idle_ms: Some(1),
            ..TurnRules::default()
        };
        let bounded = wild.bounded();
        assert_eq!((bounded.threshold, bounded.complete), (0.5, 0.95));
        assert_eq!((bounded.pause_ms, bounded.doubt_ms, bounded.longest_pause_ms), (100, 100, 20_000));
        assert_eq!((bounded.before_ms, bounded.idle_ms), (2_000, Some(2_000)));
        assert_eq!(TurnRules::default().bounded(), TurnRules::default());
        assert_eq!(TurnRules::by_silence(500).bounded(), TurnRules::by_silence(500));
    }

    #[test]
    fn nothing_that_was_told_is_printed() {
        let settings = Settings { instructions: "secret".into(), ..Settings::default() };
        assert!(!format!("{settings:?}").contains("secret"));
    }
}
