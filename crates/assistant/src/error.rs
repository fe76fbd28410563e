//! What can go wrong with a conversation, in variants a caller can act on.

use domain::{Denied, Timestamp, consent::Purpose, id::TurnId};

/// Why something was not done. Each message is a sentence for the person; none repeats what was said.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The actor may not do this at all.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// It is not there, or it is somebody else's: the answer is the same.
    #[error("this is not here; it may have been deleted")]
    NotFound,
    /// There is nothing to say or to call it.
    #[error("write something first")]
    Empty,
    /// A text is longer than allowed.
    #[error("{what} may have at most {limit} {unit}; shorten it")]
    TooLong {
        /// What is too long.
        what: &'static str,
        /// How long it may be.
        limit: usize,
        /// Counted in what.
        unit: &'static str,
    },
    /// There is no room for more of something.
    #[error("{what} is full: it holds at most {limit}; {advice}")]
    Full {
        /// What is full.
        what: &'static str,
        /// How many it holds.
        limit: usize,
        /// What to do.
        advice: &'static str,
    },
    /// This conversation is being answered. Watch that turn, or stop it.
    #[error("an answer in this conversation is still on its way; wait for it or stop it")]
    Answering {
        /// The turn that is running.
        turn: TurnId,
    },
    /// Too many answers are on their way, or this conversation is being changed.
    #[error("too many answers are being made at once; try again in {retry_after_s} s")]
    Busy {
        /// Seconds after which trying again makes sense.
        retry_after_s: u32,
    },
    /// The person's own export or import is on its way, or too many of other people's are.
    #[error("chats are being exported or imported already; try again in {retry_after_s} s")]
    Transferring {
        /// Seconds after which trying again makes sense.
        retry_after_s: u32,
    },
    /// No vendor has a model of that name.
    #[error("there is no model of that name; choose one from the list of models")]
    UnknownModel,
    /// The person's group has only chats that are never written down.
    #[error("your group has temporary chats only; begin one of those")]
    TemporaryOnly,
    /// A quota of the person's group is used up.
    #[error("your group's quota of {what} is used up; there is more in {}", in_words(*retry_after_s))]
    UsedUp {
        /// Of what.
        what: &'static str,
        /// When there is more.
        more_at: Timestamp,
        /// Seconds until then.
        retry_after_s: u32,
    },
    /// Somebody else of the staff holds this call.
    #[error("somebody else holds this call; wait until they give it back")]
    HeldByAnother,
    /// Staff asked for something in a call that they do not hold, or do not read along in.
    #[error("you do not hold this call; open its page and take it over first")]
    NotHeld,
    /// The person who wants to call has not agreed to this, or to an earlier wording alone.
    #[error("{}", ask_for(*.0))]
    NotAgreed(Purpose),
    /// The instance is stopping.
    #[error("Troth is stopping; try again when it has started")]
    Closing,
    /// A file to be imported is not what it should be. Nothing of it was taken.
    #[error("this file cannot be imported: {at}: {why}")]
    BadImport {
        /// Where in the file.
        at: String,
        /// What is wrong there; never its words.
        why: String,
    },
    /// A file to be exported could not be put together.
    #[error("the export could not be written; try again, or export conversations one by one")]
    Unwritable,
    /// The model did not answer.
    #[error(transparent)]
    Model(providers::Error),
    /// The store did not do its part.
    #[error(transparent)]
    Store(store::Error),
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::NotFound => Self::NotFound,
            store::Error::Denied(denied) => Self::Denied(denied),
            other => Self::Store(other),
        }
    }
}

impl From<providers::Error> for Error {
    fn from(error: providers::Error) -> Self {
        match error {
            providers::Error::UnknownModel => Self::UnknownModel,
            providers::Error::Denied(denied) => Self::Denied(denied),
            other => Self::Model(other),
        }
    }
}

/// What somebody is to agree to before a call.
fn ask_for(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::ProcessCall => "agree first that your voice is processed for the call",
        Purpose::KeepTranscript => "agree first that what is said is kept, or call without keeping it",
        Purpose::KeepAudio => "agree first that the sound is kept",
        Purpose::ShareSpeech => "agree first that your speech goes to the third party named in the letter",
    }
}

/// A span of time, rounded up to what people count in.
fn in_words(seconds: u32) -> String {
    let (count, unit) = match seconds {
        0..=5_400 => (seconds.div_ceil(60), "minute"),
        5_401..=129_600 => (seconds.div_ceil(3_600), "hour"),
        _ => (seconds.div_ceil(86_400), "day"),
    };
    if count == 1 { format!("1 {unit}") } else { format!("{count} {unit}s") }
}

/// An error's words as a sentence: a capital first and a full stop last.
pub(crate) fn sentence(error: &impl std::fmt::Display) -> String {
    let words = error.to_string();
    let mut letters = words.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    let stop = if words.ends_with(['.', '!', '?', '…']) { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_read_as_sentences() {
        assert_eq!(sentence(&Error::Empty), "Write something first.");
        assert_eq!(sentence(&"done."), "Done.");
        assert_eq!(sentence(&""), ".");
        assert_eq!([in_words(1), in_words(7_200), in_words(200_000)], ["1 minute", "2 hours", "3 days"]);
    }
}
