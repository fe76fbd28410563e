//! What a face asks of a call.

use std::fmt;

use zeroize::Zeroizing;

use super::Settings;
use crate::id::{ItemId, ToolCallId};

/// Who said something that arrives as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Spoken {
    /// The caller.
    Caller,
    /// The agent, as when an earlier conversation is brought along.
    Agent,
    /// The application; the model is told, nobody hears it.
    Application,
}

/// When the agent may say what it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SayWhen {
    /// Now, unless somebody is speaking: then not at all.
    Quiet,
    /// After what is being said.
    Next,
    /// At once, instead of what is being said.
    Now,
}

/// What a face asks of a call. Each is taken in its order; none is answered but by events.
pub enum Command {
    /// How the call is held. The first one begins it; answered by `Ready`.
    Configure(Box<Settings>),
    /// More of the caller's sound, of any length, in the input format.
    Audio(Zeroizing<Vec<u8>>),
    /// The caller's turn is over. Turns by hand: what was heard becomes an item. Turns by the server: it
    /// ends the running turn at once, which is then answered.
    Commit,
    /// Forget the sound that is in no item yet; answered by `Cleared`.
    Clear,
    /// Somebody said something in writing.
    Text {
        /// What the item shall be called; a fresh name when absent.
        item: Option<ItemId>,
        /// Who.
        by: Spoken,
        /// What.
        text: Zeroizing<String>,
        /// Whether it is answered at once, as a spoken turn would be.
        answer: bool,
    },
    /// Say something to what is there.
    Respond {
        /// Told to the model for this reply alone, beside the settings' own.
        instructions: Option<String>,
        /// Given back in the events this causes.
        tag: Option<u64>,
    },
    /// Stop the running reply; what was heard of it is kept.
    Cancel {
        /// Given back in the event this causes when there is no reply.
        tag: Option<u64>,
    },
    /// The result of a tool the client ran.
    ToolResult {
        /// Which call.
        call: ToolCallId,
        /// What came out, as text.
        output: Zeroizing<String>,
        /// Whether the reply goes on by itself once no result is missing; otherwise it waits for `Respond`.
        answer: bool,
    },
    /// The agent shall say this.
    Say {
        /// What.
        text: Zeroizing<String>,
        /// When.
        when: SayWhen,
    },
    /// The caller has heard that much of an item of the agent, and no more.
    Heard {
        /// The item.
        item: ItemId,
        /// How much of its sound, in milliseconds.
        ms: u64,
    },
    /// The model shall not be told of this item any more.
    Forget {
        /// The item.
        item: ItemId,
    },
    /// The call is over.
    HangUp,
}

impl fmt::Debug for Command {
    /// The kind and how much, never what.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configure(settings) => f.debug_tuple("Configure").field(settings).finish(),
            Self::Audio(bytes) => write!(f, "Audio({} bytes)", bytes.len()),
            Self::Commit => f.write_str("Commit"),
            Self::Clear => f.write_str("Clear"),
            Self::Text { by, answer, .. } => write!(f, "Text(by {by:?}, answer: {answer})"),
            Self::Respond { tag, .. } => write!(f, "Respond({tag:?})"),
            Self::Cancel { tag } => write!(f, "Cancel({tag:?})"),
            Self::ToolResult { call, .. } => write!(f, "ToolResult({call})"),
            Self::Say { when, .. } => write!(f, "Say({when:?})"),
            Self::Heard { item, ms } => write!(f, "Heard({item}, {ms} ms)"),
            Self::Forget { item } => write!(f, "Forget({item})"),
            Self::HangUp => f.write_str("HangUp"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_was_said_is_printed() {
        let text = |text: &str| Zeroizing::new(text.to_owned());
        let commands = [
            Command::Text { item: None, by: Spoken::Caller, text: text("secret"), answer: true },
            Command::Say { text: text("secret"), when: SayWhen::Now },
            Command::Respond { instructions: Some("secret".into()), tag: Some(1) },
            Command::Audio(Zeroizing::new(b"secret".to_vec())),
        ];
        for command in commands {
            let printed = format!("{command:?}");
            assert!(!printed.contains("secret") && !printed.contains("115"), "{printed}");
        }
    }
}
