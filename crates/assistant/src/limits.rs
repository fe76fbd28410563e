//! How much of everything: the bounds that keep one person, or one model, from taking all of it.
//!
//! `server` may choose [`Limits`]; the constants are part of the format of things and do not change.

use domain::control::Numbers;

/// Longest answer that is kept, in bytes of UTF-8. A longer one ends there with `Ending::Length`.
pub const MAX_ANSWER_BYTES: usize = 256 * 1024;
/// Largest file an import reads, in bytes.
pub const MAX_IMPORT_BYTES: usize = 32 * 1024 * 1024;
/// Largest export, in bytes. Beyond it conversations are exported one by one.
pub const MAX_EXPORT_BYTES: usize = 256 * 1024 * 1024;
/// Most conversations one list or one import holds.
pub const MAX_CONVERSATIONS: usize = 10_000;
/// Most folders a person has.
pub const MAX_FOLDERS: usize = 200;
/// Most hits of one search.
pub const MAX_HITS: u32 = 50;

/// How long an ended turn can still be watched, in seconds.
pub(crate) const TURN_KEPT_S: i64 = 5 * 60;
/// Ended turns kept for one person, and for all; the oldest go first.
pub(crate) const TURNS_KEPT_PER_PERSON: usize = 16;
pub(crate) const TURNS_KEPT: usize = 1_024;
/// How long one answer may take in all, in seconds.
pub(crate) const TURN_LASTS_S: u64 = 30 * 60;
/// How long a turn waits for a model whose file nobody is fetching, in seconds.
pub(crate) const WAITS_FOR_MISSING_S: i64 = 10 * 60;
/// Most bytes of text in one event, which bounds what one watcher holds.
pub(crate) const PIECE_BYTES: usize = 8 * 1024;

/// How long a temporary chat lives without being touched, in seconds.
pub(crate) const TEMPORARY_IDLE_S: i64 = 30 * 60;
/// Temporary chats one person, and all together, may have open.
pub(crate) const TEMPORARY_PER_PERSON: usize = 8;
pub(crate) const TEMPORARY: usize = 1_024;
/// Most bytes of text in one temporary chat.
pub(crate) const TEMPORARY_BYTES: usize = 2 * 1024 * 1024;

/// How many answers may be on their way at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Turns of all people.
    pub turns: usize,
    /// Turns of one person.
    pub turns_per_person: usize,
    /// Completions and embeddings of all programs.
    pub completions: usize,
    /// Completions and embeddings of one person's programs.
    pub completions_per_person: usize,
    /// Recordings being received or written down; each is in memory whole.
    pub recordings: usize,
    /// Recordings of one person's programs.
    pub recordings_per_person: usize,
    /// Exports being made or sent, at most one of each person; each holds its whole file in memory.
    pub exports: usize,
    /// Imports being received or written, at most one of each person; each holds its whole file in memory.
    pub imports: usize,
    /// Calls of all people.
    pub calls: usize,
    /// Calls of one person.
    pub calls_per_person: usize,
    /// Minutes one call may last.
    pub call_minutes: u32,
}

impl Limits {
    /// The defaults, with the numbers of the policy that is in force.
    #[must_use]
    pub fn of(numbers: &Numbers) -> Self {
        let count = |number| usize::try_from(number).unwrap_or(usize::MAX);
        let (calls, calls_per_person) = (count(numbers.calls), count(numbers.calls_per_person));
        let usual = Self::default();
        Self {
            // Whoever is allowed a call is answered in it.
            turns: usual.turns.max(calls),
            turns_per_person: usual.turns_per_person.max(calls_per_person),
            calls,
            calls_per_person,
            call_minutes: numbers.call_minutes,
            ..usual
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            turns: 1_024,
            turns_per_person: 8,
            completions: 1_024,
            completions_per_person: 256,
            recordings: 8,
            recordings_per_person: 4,
            exports: 2,
            imports: 2,
            calls: 16,
            calls_per_person: 2,
            call_minutes: 60,
        }
    }
}
