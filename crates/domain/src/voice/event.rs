//! What a call tells its face.

use std::fmt;

use zeroize::Zeroizing;

use crate::{
    id::{ItemId, ReplyId, ToolCallId},
    model::Usage,
};

/// Why a turn of the caller counts as over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// It sounded complete.
    Judged,
    /// The silence was long enough, or the turn too long.
    Silence,
    /// The client said so.
    Client,
}

/// What became of the sound of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Over {
    /// It is an item of the conversation now.
    Item(Trigger),
    /// It was a noise, or a word of assent over the agent's voice: the item does not come to be.
    Nothing,
}

/// Why a reply began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The disclosure and the greeting.
    Greeting,
    /// The caller's turn, this item.
    Turn(ItemId),
    /// [`Respond`](super::Command::Respond), with its tag.
    Asked(Option<u64>),
    /// [`Say`](super::Command::Say).
    Said,
    /// A member of staff, who holds the call.
    Staff,
    /// Results of the client's tools.
    Tools,
    /// The engine's own words: nobody has spoken for long, or something failed.
    Engine,
}

/// How a reply ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReplyEnd {
    /// All of it was said, and by the clock heard.
    Finished,
    /// It calls tools of the client, and goes on as another reply when their results are there.
    WaitsForTools,
    /// The caller interrupted.
    Interrupted,
    /// The client cancelled it.
    Cancelled,
    /// It broke off. An audible sentence said so.
    Failed(Failure),
}

/// How a reply came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// How it ended.
    pub how: ReplyEnd,
    /// Tokens counted, when a model was asked.
    pub usage: Option<Usage>,
    /// How much of its sound was sent, in milliseconds.
    pub sent_ms: u64,
    /// How much of it was heard, by the clock or as the client said, in milliseconds.
    pub heard_ms: u64,
}

/// What went wrong, as a code: never content, never a vendor's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// Nothing that recognises speech is ready, or it failed.
    Listening,
    /// The language model failed or is not ready.
    Thinking,
    /// Nothing that speaks is ready, or it failed.
    Speaking,
    /// A tool failed or gave no result in time.
    Tool,
    /// Something of the above took too long.
    Stalled,
    /// The settings cannot be kept: a format nobody knows, an unknown model or voice, too many tools.
    Settings,
    /// Sound or settings came before the settings, or a format was changed after sound had travelled.
    Order,
    /// Sound came much faster than anybody speaks.
    TooFast,
    /// The client did not read what it was sent.
    NotRead,
    /// The conversation could not be kept.
    Keeping,
    /// A quota is used up, or too many answers are being made.
    Busy,
}

impl Failure {
    /// The failure as logs spell it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Listening => "listening",
            Self::Thinking => "thinking",
            Self::Speaking => "speaking",
            Self::Tool => "tool",
            Self::Stalled => "stalled",
            Self::Settings => "settings",
            Self::Order => "order",
            Self::TooFast => "too-fast",
            Self::NotRead => "not-read",
            Self::Keeping => "keeping",
            Self::Busy => "busy",
        }
    }
}

/// A command that was not done. The call goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NotDone {
    /// `Respond` while a reply is running (`conversation_already_has_active_response`).
    AlreadyReplying,
    /// `Cancel` while there is no reply (`response_cancel_not_active`).
    NothingToCancel,
    /// `Commit` without any sound (`input_audio_buffer_commit_empty`).
    NothingToCommit,
    /// An item nobody knows.
    UnknownItem,
    /// A tool call nobody made, or one that is over.
    UnknownToolCall,
    /// `Heard` says more than was sent of the item.
    HeardTooMuch,
    /// `Say` while the caller speaks.
    CallerSpeaks,
    /// `Say` while the agent speaks.
    AgentSpeaks,
    /// `Respond` while nothing has been said.
    NothingSaid,
    /// A text is empty or longer than a message may be.
    BadText,
    /// The first token takes long; the reply goes on. Said again every few seconds.
    SlowThinking,
    /// The first sound takes long; the reply goes on.
    SlowSpeaking,
}

/// How long each stage took before the first sound of a reply, in milliseconds. `None`: it had no part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// From the end of speech, as it was heard, to the end of the turn.
    pub endpointing_ms: Option<u32>,
    /// From the end of the turn until its words were there; 0 when they were there before.
    pub recognition_ms: Option<u32>,
    /// Until the model's first token; 0 when it had begun ahead.
    pub first_token_ms: Option<u32>,
    /// From there until the first words that could be spoken.
    pub first_clause_ms: Option<u32>,
    /// In tools of the reply.
    pub tools_ms: Option<u32>,
    /// From the first words until their first sound.
    pub speech_ms: Option<u32>,
    /// From the end of speech, as it was heard, to the first sound.
    pub total_ms: Option<u32>,
}

/// Why a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// The client hung up, or went away.
    HungUp,
    /// The agent ended it, after its farewell.
    Agent,
    /// The agent hands the caller over to a person.
    HandedOver,
    /// The member of staff who held it ended it.
    Staff,
    /// Its time is over.
    TooLong,
    /// Nobody spoke for long.
    Idle,
    /// The person's quota of voice is used up.
    UsedUp,
    /// Its session has ended, or its person may not any more.
    SessionEnded,
    /// The instance is stopping.
    Closing,
    /// It broke; the last `Failed` says how.
    Failed(Failure),
}

/// What a call tells its face, in its order.
pub enum Event {
    /// The settings hold. Sent for each `Configure`.
    Ready,
    /// The caller began to speak, as it was heard that many milliseconds into the sound that arrived: stop
    /// playing. Over the agent's voice this is said only when the caller means to interrupt.
    SpeechStarted {
        /// Where in the caller's sound.
        at_ms: u64,
        /// The item this will be.
        item: ItemId,
    },
    /// The caller's turn is over.
    SpeechStopped {
        /// Where in the caller's sound the speech ended.
        at_ms: u64,
        /// The item.
        item: ItemId,
        /// What becomes of it.
        over: Over,
    },
    /// The sound that was waiting is forgotten.
    Cleared,
    /// What was recognised so far of an item, or all of it. Each replaces the one before.
    UserText {
        /// The item.
        item: ItemId,
        /// All words of the item so far; numbers in digits.
        text: Zeroizing<String>,
        /// Whether these are the last.
        finished: bool,
        /// How much sound was recognised, in milliseconds.
        ms: u64,
    },
    /// The words of an item could not be recognised; the agent says so.
    UserTextFailed {
        /// The item.
        item: ItemId,
        /// Why.
        failure: Failure,
    },
    /// Something in writing has its place in the conversation.
    TextTaken {
        /// The item.
        item: ItemId,
        /// Who said it.
        by: super::Spoken,
    },
    /// The model is being asked.
    Thinking,
    /// A reply begins.
    ReplyBegan {
        /// The reply.
        reply: ReplyId,
        /// The item its words will be.
        item: ItemId,
        /// Why.
        cause: Cause,
    },
    /// More of a reply's words, before their sound.
    ReplyText {
        /// The reply.
        reply: ReplyId,
        /// The item.
        item: ItemId,
        /// The words, with the space before or after them.
        text: Zeroizing<String>,
    },
    /// More of a reply's sound, in the output format.
    ReplyAudio {
        /// The reply.
        reply: ReplyId,
        /// The item.
        item: ItemId,
        /// The sound.
        bytes: Zeroizing<Vec<u8>>,
    },
    /// A reply is silent for a moment, because the caller may be about to interrupt. What was sent may be played.
    Hushed {
        /// The reply.
        reply: ReplyId,
    },
    /// The caller did not interrupt: the reply goes on where it was.
    WentOn {
        /// The reply.
        reply: ReplyId,
    },
    /// A tool is called.
    ToolCall {
        /// The reply that calls it.
        reply: ReplyId,
        /// Unique for ever.
        call: ToolCallId,
        /// The tool.
        name: String,
        /// Its arguments, JSON text; empty for the server's own tools, whose arguments may speak of people.
        arguments: Zeroizing<String>,
        /// Whether the client runs it and owes a `ToolResult`.
        client: bool,
    },
    /// A tool gave its result. What it was stays with the model.
    ToolDone {
        /// The call.
        call: ToolCallId,
        /// The tool.
        name: String,
        /// Whether it did what it was asked.
        worked: bool,
    },
    /// A tool of the client that was called is not needed any more: its result will not be read.
    ToolCancelled {
        /// The call.
        call: ToolCallId,
        /// The tool.
        name: String,
    },
    /// A reply has ended: nothing more of it comes.
    ReplyDone {
        /// The reply.
        reply: ReplyId,
        /// The item.
        item: ItemId,
        /// How it came out.
        end: End,
    },
    /// How long the stages took, with the first sound of a reply.
    Latency {
        /// The reply.
        reply: ReplyId,
        /// The stages.
        stages: Latency,
    },
    /// The words of an item end where the caller stopped hearing them.
    Truncated {
        /// The item.
        item: ItemId,
        /// How much of its sound was heard, in milliseconds.
        ms: u64,
    },
    /// The model is not told of an item any more.
    Forgotten {
        /// The item.
        item: ItemId,
    },
    /// A command was not done, or something is slow. The call goes on.
    NotDone {
        /// What.
        what: NotDone,
        /// The tag of the command.
        tag: Option<u64>,
    },
    /// Whether staff read along from now on.
    Watched {
        /// Whether anybody does.
        by_staff: bool,
    },
    /// Whether a member of staff holds the call from now on, in the agent's place.
    Held {
        /// Whether somebody does.
        by_staff: bool,
    },
    /// Something broke. The call goes on unless `Ended` follows.
    Failed {
        /// What.
        failure: Failure,
    },
    /// The end; nothing comes after it.
    Ended {
        /// Why.
        why: Why,
    },
}

impl fmt::Debug for Event {
    /// The kind, names and numbers, never words or sound.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => f.write_str("Ready"),
            Self::SpeechStarted { at_ms, .. } => write!(f, "SpeechStarted({at_ms} ms)"),
            Self::SpeechStopped { at_ms, over, .. } => write!(f, "SpeechStopped({at_ms} ms, {over:?})"),
            Self::Cleared => f.write_str("Cleared"),
            Self::UserText { finished, ms, .. } => write!(f, "UserText(finished: {finished}, {ms} ms)"),
            Self::UserTextFailed { failure, .. } => write!(f, "UserTextFailed({failure:?})"),
            Self::TextTaken { by, .. } => write!(f, "TextTaken({by:?})"),
            Self::Thinking => f.write_str("Thinking"),
            Self::ReplyBegan { cause, .. } => write!(f, "ReplyBegan({cause:?})"),
            Self::ReplyText { text, .. } => write!(f, "ReplyText({} bytes)", text.len()),
            Self::ReplyAudio { bytes, .. } => write!(f, "ReplyAudio({} bytes)", bytes.len()),
            Self::Hushed { .. } => f.write_str("Hushed"),
            Self::WentOn { .. } => f.write_str("WentOn"),
            Self::ToolCall { name, client, .. } => write!(f, "ToolCall({name}, client: {client})"),
            Self::ToolDone { name, worked, .. } => write!(f, "ToolDone({name}, worked: {worked})"),
            Self::ToolCancelled { name, .. } => write!(f, "ToolCancelled({name})"),
            Self::ReplyDone { end, .. } => f.debug_tuple("ReplyDone").field(end).finish(),
            Self::Latency { stages, .. } => f.debug_tuple("Latency").field(stages).finish(),
            Self::Truncated { ms, .. } => write!(f, "Truncated({ms} ms)"),
            Self::Forgotten { .. } => f.write_str("Forgotten"),
            Self::NotDone { what, tag } => write!(f, "NotDone({what:?}, {tag:?})"),
            Self::Watched { by_staff } => write!(f, "Watched({by_staff})"),
            Self::Held { by_staff } => write!(f, "Held({by_staff})"),
            Self::Failed { failure } => write!(f, "Failed({failure:?})"),
            Self::Ended { why } => write!(f, "Ended({why:?})"),
        }
    }
}
