//! The wire of our own page: sound as bytes, everything else as small JSON objects.
//!
//! Private between this file and `js/voice.js`, and free to change with both. Programs use the two wires that are
//! documented; this one exists because a page should pay neither for base64 nor for what it has no use for. Pure,
//! as the other faces are. Invariant: sentences are the page's, in the reader's language; here are only codes.

use std::collections::HashMap;

use bytes::Bytes;
use domain::{
    id::{ConversationId, ItemId, ReplyId},
    voice::{Command, Event, Failure, Latency, NotDone, ReplyEnd, Spoken, Why},
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::step::{BUSY, FAULTY, Names, OVER, Step};
use crate::socket::Reason;

/// Texts that were written and not yet taken.
const MOST_WRITTEN: usize = 32;

/// What the page says.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Said {
    /// Somebody wrote instead of speaking.
    Text { text: String },
    /// The agent shall be silent.
    Stop {},
    /// So much of this was heard.
    Heard { item: ItemId, ms: u64 },
    /// The call is over.
    HangUp {},
}

/// What the page is told.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Tells<'a> {
    /// It may begin. The chat is there afterwards, if it is kept.
    Ready { chat: Option<ConversationId> },
    /// Somebody speaks.
    Hearing,
    /// Nobody speaks any more.
    Quiet,
    /// What was said or written.
    You { item: ItemId, text: &'a str, finished: bool },
    /// What was said could not be recognised.
    NotHeard { item: ItemId },
    /// An answer is being made.
    Thinking,
    /// The sound that follows belongs to this.
    Sound { item: ItemId },
    /// More of an answer.
    Agent { item: ItemId, text: &'a str },
    /// Play no more for now; it may go on.
    Hush,
    /// It goes on.
    GoOn,
    /// An answer is over; what is not yet played of it goes when it was `cut`.
    Done { item: ItemId, cut: bool },
    /// Something of the desk's is being looked up or done.
    Tool { name: &'a str, running: bool },
    /// How long the stages of an answer took.
    Latency { stages: Stages },
    /// Whether staff read along.
    Watched { by_staff: bool },
    /// Whether a member of staff speaks in the agent's place.
    Held { by_staff: bool },
    /// Something did not work, and the call goes on.
    Trouble { code: &'static str },
    /// The call is over.
    Ended { code: &'static str },
}

/// Milliseconds.
#[derive(Serialize)]
struct Stages {
    pause: Option<u32>,
    words: Option<u32>,
    thought: Option<u32>,
    sentence: Option<u32>,
    tools: Option<u32>,
    voice: Option<u32>,
    total: Option<u32>,
}

impl From<Latency> for Stages {
    fn from(of: Latency) -> Self {
        Self {
            pause: of.endpointing_ms,
            words: of.recognition_ms,
            thought: of.first_token_ms,
            sentence: of.first_clause_ms,
            tools: of.tools_ms,
            voice: of.speech_ms,
            total: of.total_ms,
        }
    }
}

/// The page's face of a call.
pub(super) struct Face {
    names: Names,
    /// Where the call is kept, if it is.
    chat: Option<ConversationId>,
    /// What was written and not yet taken.
    written: HashMap<ItemId, Zeroizing<String>>,
    /// What sounds.
    sounding: Option<ReplyId>,
}

impl Face {
    pub(super) fn new(names: Names, chat: Option<ConversationId>) -> Self {
        Self { names, chat, written: HashMap::new(), sounding: None }
    }

    /// What every call of the page begins with: the models of this house, PCM at 24 kHz both ways.
    pub(super) fn begins() -> Vec<Step> {
        vec![Step::Ask(Command::Configure(Box::default()))]
    }

    /// What follows from a message.
    pub(super) fn hears(&mut self, text: &str) -> Vec<Step> {
        match serde_json::from_str(text) {
            Ok(Said::Text { text }) if self.written.len() < MOST_WRITTEN => {
                let (item, text) = (self.names.item(), Zeroizing::new(text));
                self.written.insert(item, text.clone());
                let by = Spoken::Caller;
                vec![Step::Ask(Command::Text { item: Some(item), by, text, answer: true })]
            }
            Ok(Said::Text { .. }) => vec![trouble("busy")],
            Ok(Said::Stop {}) => vec![Step::Ask(Command::Cancel { tag: None })],
            Ok(Said::Heard { item, ms }) => vec![Step::Ask(Command::Heard { item, ms })],
            Ok(Said::HangUp {}) => vec![Step::Ask(Command::HangUp)],
            Err(_) => vec![say(&Tells::Ended { code: "broken" }), Step::Leave(FAULTY)],
        }
    }

    /// Sound of the microphone.
    #[expect(clippy::unused_self, reason = "as the other faces are asked")]
    pub(super) fn hears_bytes(&mut self, bytes: &Bytes) -> Vec<Step> {
        vec![Step::Ask(Command::Audio(Zeroizing::new(bytes.to_vec())))]
    }

    /// What follows from an event of the engine.
    pub(super) fn tells(&mut self, event: Event) -> Vec<Step> {
        match event {
            Event::Ready => vec![say(&Tells::Ready { chat: self.chat })],
            Event::SpeechStarted { .. } => vec![say(&Tells::Hearing)],
            Event::SpeechStopped { .. } => vec![say(&Tells::Quiet)],
            Event::UserText { item, text, finished, .. } => {
                vec![say(&Tells::You { item, text: &text, finished })]
            }
            Event::TextTaken { item, .. } => match self.written.remove(&item) {
                Some(text) => vec![say(&Tells::You { item, text: &text, finished: true })],
                None => Vec::new(),
            },
            Event::UserTextFailed { item, .. } => vec![say(&Tells::NotHeard { item })],
            Event::Thinking => vec![say(&Tells::Thinking)],
            Event::ReplyText { item, text, .. } => vec![say(&Tells::Agent { item, text: &text })],
            Event::ReplyAudio { reply, item, bytes } => self.sounds(reply, item, bytes),
            Event::Hushed { .. } => vec![say(&Tells::Hush)],
            Event::WentOn { .. } => vec![say(&Tells::GoOn)],
            Event::ToolCall { name, client: false, .. } => {
                vec![say(&Tells::Tool { name: &name, running: true })]
            }
            Event::ToolDone { name, .. } | Event::ToolCancelled { name, .. } => {
                vec![say(&Tells::Tool { name: &name, running: false })]
            }
            Event::ReplyDone { reply, item, end } => {
                self.sounding.take_if(|sounding| *sounding == reply);
                let cut = matches!(end.how, ReplyEnd::Interrupted | ReplyEnd::Cancelled);
                vec![say(&Tells::Done { item, cut })]
            }
            Event::Latency { stages, .. } => vec![say(&Tells::Latency { stages: stages.into() })],
            Event::NotDone { what: NotDone::BadText, .. } => {
                self.written.clear();
                vec![trouble("text")]
            }
            Event::Watched { by_staff } => vec![say(&Tells::Watched { by_staff })],
            Event::Held { by_staff } => vec![say(&Tells::Held { by_staff })],
            Event::Failed { failure } => vec![trouble(failure.code())],
            Event::Ended { why } => ended(why),
            // Of what the page does not ask for, or shows by other means.
            Event::Cleared
            | Event::ReplyBegan { .. }
            | Event::ToolCall { client: true, .. }
            | Event::Truncated { .. }
            | Event::Forgotten { .. }
            | Event::NotDone { .. } => Vec::new(),
        }
    }

    fn sounds(&mut self, reply: ReplyId, item: ItemId, bytes: Zeroizing<Vec<u8>>) -> Vec<Step> {
        let is_new = self.sounding.replace(reply) != Some(reply);
        let begins = is_new.then(|| say(&Tells::Sound { item }));
        begins.into_iter().chain([Step::Bytes(bytes)]).collect()
    }
}

fn trouble(code: &'static str) -> Step {
    say(&Tells::Trouble { code })
}

fn ended(why: Why) -> Vec<Step> {
    let (code, reason) = match why {
        Why::HungUp => ("hung_up", Reason::Done),
        Why::Agent => ("agent", Reason::Done),
        Why::Staff => ("staff", Reason::Done),
        Why::HandedOver => ("handed_over", Reason::Done),
        Why::TooLong => ("too_long", Reason::Done),
        Why::Idle => ("idle", Reason::Done),
        Why::UsedUp => ("used_up", OVER),
        Why::SessionEnded => ("session_ended", Reason::Ended),
        Why::Closing => ("closing", Reason::GoingAway),
        Why::Failed(Failure::Busy) => ("busy", BUSY),
        Why::Failed(Failure::TooFast | Failure::NotRead) => ("broken", OVER),
        Why::Failed(_) => ("broken", Reason::Broken),
    };
    vec![say(&Tells::Ended { code }), Step::Leave(reason)]
}

fn say(tells: &Tells<'_>) -> Step {
    Step::json(tells)
}

#[cfg(test)]
mod tests {
    use domain::{Entropy, id::ToolCallId, voice::End};
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;

    fn face() -> Face {
        let entropy = Entropy::new(|bytes: &mut [u8]| {
            bytes.fill(7);
        });
        Face::new(Names(entropy), None)
    }

    fn told(steps: &[Step]) -> Vec<Value> {
        let text = |step: &Step| match step {
            Step::Text(text) => Some(serde_json::from_slice(text).unwrap()),
            _ => None,
        };
        steps.iter().filter_map(text).collect()
    }

    fn reply(number: u128) -> (ReplyId, ItemId) {
        (ReplyId(Uuid::from_u128(number)), ItemId(Uuid::from_u128(number + 100)))
    }

    #[test]
    fn what_is_written_is_said_back_once_it_is_taken() {
        let mut face = face();
        let steps = face.hears(r#"{"type":"text","text":"Where is my order?"}"#);
        let [Step::Ask(Command::Text { item: Some(item), answer: true, .. })] = &steps[..] else {
            unreachable!("{steps:?}")
        };
        let taken = face.tells(Event::TextTaken { item: *item, by: Spoken::Caller });
        assert_eq!(
            told(&taken),
            [json!({ "type": "you", "item": item, "text": "Where is my order?", "finished": true })]
        );
        assert!(face.tells(Event::TextTaken { item: *item, by: Spoken::Caller }).is_empty());
    }

    #[test]
    fn what_it_does_not_know_ends_it() {
        for bad in
            ["", "{}", "[]", r#"{"type":"begin"}"#, r#"{"type":"stop","now":1}"#, r#"{"type":"heard"}"#]
        {
            let steps = face().hears(bad);
            assert!(matches!(&steps[..], [Step::Text(_), Step::Leave(_)]), "{bad:?} {steps:?}");
        }
    }

    #[test]
    fn sound_is_announced_once_a_reply() {
        let mut face = face();
        let ((one, first), (two, second)) = (reply(1), reply(2));
        let bytes = || Zeroizing::new(vec![1, 2]);
        let sound = |reply, item| Event::ReplyAudio { reply, item, bytes: bytes() };
        assert_eq!(told(&face.tells(sound(one, first))), [json!({ "type": "sound", "item": first })]);
        assert!(told(&face.tells(sound(one, first))).is_empty());
        let end = End { how: ReplyEnd::Interrupted, usage: None, sent_ms: 0, heard_ms: 0 };
        let done = face.tells(Event::ReplyDone { reply: one, item: first, end });
        assert_eq!(told(&done), [json!({ "type": "done", "item": first, "cut": true })]);
        assert_eq!(told(&face.tells(sound(two, second))), [json!({ "type": "sound", "item": second })]);
    }

    #[test]
    fn nothing_a_tool_is_given_reaches_the_page() {
        let call = Event::ToolCall {
            reply: reply(1).0,
            call: ToolCallId(Uuid::from_u128(3)),
            name: "find_customer".to_owned(),
            arguments: Zeroizing::new(r#"{"phone":"4155550100"}"#.to_owned()),
            client: false,
        };
        let said = told(&face().tells(call));
        assert_eq!(said, [json!({ "type": "tool", "name": "find_customer", "running": true })]);
    }
}
