//! One answer while it is made: its response, the items it consists of, and the events around each.
//!
//! Called by [`super::Face`]. Invariant: what was opened is closed, in the order clients rely on, whatever ends the
//! answer; an answer that says nothing has no item.

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{
    id::{ItemId, ReplyId, ToolCallId},
    voice::{End, ReplyEnd},
};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{
    items::{Held, Items},
    server::{Details, Event, Part, Place, Reason, Response, ResponseAudio, Spoken, Status, Usage},
    session::Session,
};

/// What the client gave with the request for an answer.
#[derive(Default)]
pub(super) struct Asked {
    /// Its own name of the event.
    pub event: Option<String>,
    /// What it wants to know the answer by.
    pub metadata: Option<Map<String, Value>>,
}

/// An answer that is being made.
pub(super) struct Reply {
    /// What the engine calls it.
    pub reply: ReplyId,
    name: String,
    conversation: String,
    metadata: Option<Map<String, Value>>,
    output: Vec<ItemId>,
    /// The message that is being said.
    open: Option<ItemId>,
    speaks: bool,
}

impl Reply {
    /// An answer that begins.
    pub(super) fn begin(
        reply: ReplyId,
        session: &Session,
        conversation: &str,
        metadata: Option<Map<String, Value>>,
    ) -> Self {
        Self {
            reply,
            name: wire_reply(reply),
            conversation: conversation.to_owned(),
            metadata,
            output: Vec::new(),
            open: None,
            speaks: session.speaks(),
        }
    }

    /// The response as it stands.
    pub(super) fn response(&self, session: &Session, items: &Items, status: Status) -> Box<Response> {
        Box::new(Response {
            object: "realtime.response",
            id: self.name.clone(),
            status,
            status_details: None,
            output: self.output.iter().filter_map(|item| items.get(*item)).collect(),
            conversation_id: self.conversation.clone(),
            output_modalities: session.output_modalities.clone(),
            max_output_tokens: session.max_output_tokens,
            audio: ResponseAudio {
                output: Spoken {
                    format: session.audio.output.format,
                    voice: session.audio.output.voice.clone(),
                },
            },
            usage: None,
            metadata: self.metadata.clone(),
        })
    }

    /// More of its words.
    pub(super) fn text(&mut self, items: &mut Items, item: ItemId, text: &str) -> Vec<Event> {
        let mut events = self.message(items, item);
        items.change(item, |_, held| {
            if let Held::Said { text: said, .. } = held {
                *said = Zeroizing::new([said.as_str(), text].concat());
            }
        });
        let (place, delta) = (self.place(items, item), text.into());
        events.push(match self.speaks {
            true => Event::TranscriptDelta { place, delta },
            false => Event::TextDelta { place, delta },
        });
        events
    }

    /// More of its sound.
    pub(super) fn sound(&mut self, items: &mut Items, item: ItemId, bytes: &[u8]) -> Vec<Event> {
        if !self.speaks {
            return Vec::new();
        }
        let mut events = self.message(items, item);
        let place = self.place(items, item);
        events.push(Event::AudioDelta { place, delta: STANDARD.encode(bytes).into() });
        events
    }

    /// A tool of the client is called.
    pub(super) fn call(
        &mut self,
        items: &mut Items,
        call: ToolCallId,
        name: String,
        arguments: &str,
    ) -> Vec<Event> {
        let mut events = self.close(items, Status::Completed);
        let (item, call_id) = (ItemId(call.0), wire_call(call));
        let empty = Held::Call { name: name.clone(), call: call_id.clone(), arguments: Zeroizing::default() };
        events.extend(self.open(items, item, empty));
        let at = self.place(items, item);
        let Place { response_id, item_id, output_index, .. } = at;
        events.push(Event::ArgumentsDelta {
            response_id: response_id.clone(),
            item_id: item_id.clone(),
            output_index,
            call_id: call_id.clone(),
            delta: arguments.into(),
        });
        items.change(item, |_, held| {
            if let Held::Call { arguments: held, .. } = held {
                *held = Zeroizing::new(arguments.to_owned());
            }
        });
        let arguments = arguments.into();
        events.push(Event::ArgumentsDone { response_id, item_id, output_index, call_id, name, arguments });
        events.extend(self.done(items, item, Status::Completed));
        events
    }

    /// It has ended.
    pub(super) fn end(mut self, session: &Session, items: &mut Items, end: &End) -> Vec<Event> {
        let (status, reason) = match end.how {
            ReplyEnd::Finished | ReplyEnd::WaitsForTools => (Status::Completed, None),
            ReplyEnd::Interrupted => (Status::Cancelled, Some("turn_detected")),
            ReplyEnd::Cancelled => (Status::Cancelled, Some("client_cancelled")),
            ReplyEnd::Failed(_) => (Status::Failed, None),
        };
        let whole = if status == Status::Completed { Status::Completed } else { Status::Incomplete };
        let mut events = self.close(items, whole);
        let mut response = self.response(session, items, status);
        response.usage =
            Some(end.usage.map_or_else(Usage::default, |usage| {
                Usage::of(usage.prompt_tokens, usage.completion_tokens)
            }));
        if status != Status::Completed {
            let error = match end.how {
                ReplyEnd::Failed(failure) => Some(Reason {
                    r#type: "server_error",
                    code: failure.code(),
                    message: "The answer broke off; what was said of it stays.",
                }),
                _ => None,
            };
            response.status_details = Some(Details { r#type: status, reason, error });
        }
        events.push(Event::ResponseDone { response });
        events
    }

    /// Opens the message of its words, once.
    fn message(&mut self, items: &mut Items, item: ItemId) -> Vec<Event> {
        if self.open == Some(item) {
            return Vec::new();
        }
        let mut events = self.close(items, Status::Completed);
        let held = Held::Said { text: Zeroizing::default(), spoken: self.speaks };
        events.extend(self.open(items, item, held));
        events.push(Event::PartAdded { place: self.place(items, item), part: self.part("") });
        self.open = Some(item);
        events
    }

    fn open(&mut self, items: &mut Items, item: ItemId, held: Held) -> Vec<Event> {
        let previous_item_id = items.put(item, Status::InProgress, held);
        self.output.push(item);
        let Some(mut said) = items.get(item) else { return Vec::new() };
        if let super::server::Kind::Message { content, .. } = &mut said.kind {
            content.clear();
        }
        let place = self.place(items, item);
        vec![
            Event::OutputItemAdded {
                response_id: place.response_id,
                output_index: place.output_index,
                item: said.clone(),
            },
            Event::ItemAdded { previous_item_id, item: said },
        ]
    }

    /// Closes the message that is being said, if one is.
    fn close(&mut self, items: &mut Items, status: Status) -> Vec<Event> {
        let Some(item) = self.open.take() else { return Vec::new() };
        let place = self.place(items, item);
        let mut text = Zeroizing::default();
        items.change(item, |_, held| {
            if let Held::Said { text: said, .. } = held {
                text = said.clone();
            }
        });
        let text = text.as_str();
        let part = Event::PartDone { place: place.clone(), part: self.part(text) };
        let mut events = match self.speaks {
            true => vec![
                Event::AudioDone { place: place.clone() },
                Event::TranscriptDone { place, transcript: text.into() },
            ],
            false => vec![Event::TextDone { place, text: text.into() }],
        };
        events.push(part);
        events.extend(self.done(items, item, status));
        events
    }

    fn done(&self, items: &mut Items, item: ItemId, status: Status) -> Vec<Event> {
        items.change(item, |held, _| *held = status);
        let Some(said) = items.get(item) else { return Vec::new() };
        let place = self.place(items, item);
        vec![
            Event::ItemDone { previous_item_id: items.before(item), item: said.clone() },
            Event::OutputItemDone {
                response_id: place.response_id,
                output_index: place.output_index,
                item: said,
            },
        ]
    }

    fn place(&self, items: &Items, item: ItemId) -> Place {
        let at = self.output.iter().position(|one| *one == item).unwrap_or(self.output.len());
        Place {
            response_id: self.name.clone(),
            item_id: items.name(item),
            output_index: u32::try_from(at).unwrap_or(u32::MAX),
            content_index: 0,
        }
    }

    fn part(&self, text: &str) -> Part {
        if self.speaks { Part::Audio { transcript: text.into() } } else { Part::Text { text: text.into() } }
    }
}

/// What the client calls an answer.
pub(super) fn wire_reply(reply: ReplyId) -> String {
    format!("resp_{}", reply.0.simple())
}

/// What the client calls a call of a tool.
pub(super) fn wire_call(call: ToolCallId) -> String {
    format!("call_{}", call.0.simple())
}

/// The call a client means.
pub(super) fn read_call(name: &str) -> Option<ToolCallId> {
    uuid::Uuid::try_parse(name.strip_prefix("call_")?).ok().map(ToolCallId)
}
