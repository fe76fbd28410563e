//! The face of `OpenAI`'s Realtime API (GA): its events to the engine's commands, and back.
//!
//! [`super::talk`] gives it every message and every event in their order and takes the steps it answers with.
//! Invariant: it tells nothing that the engine did not say, except what concerns this wire alone: faults of the
//! client, and the items the client made itself.

mod client;
pub(super) mod fault;
mod items;
mod reply;
mod server;
pub(super) mod session;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet, VecDeque};

use domain::{
    enforced,
    id::{ItemId, ReplyId, ToolCallId},
    voice::{Cause, Command, Event, Failure, NotDone, Over, Settings, Spoken, Why},
};
use zeroize::Zeroizing;

use self::{
    client::{NewItem, Said, What, Wish},
    fault::Fault,
    items::{Held, Items},
    reply::{Asked, Reply},
    server::{
        Conversation, Duration, Event as Tells, Failure as Told, Named, Reason as Wherefore, Role, Status,
    },
    session::{Patch, Session},
};
use super::{
    House,
    step::{BUSY, Names, OVER, Step, sound},
};
use crate::socket::Reason;

/// Most requests for an answer, and texts, that wait for the engine's word.
const MOST_WAITING: usize = 64;
/// Most sessions that do; one may be large.
const MOST_SESSIONS: usize = 8;

/// One connection of a Realtime client.
pub(super) struct Face {
    names: Names,
    house: House,
    conversation: String,
    /// What holds, and what was asked for last.
    session: Session,
    wanted: Session,
    begun: bool,
    /// For each time the engine was configured: whether the client asked.
    waiting: VecDeque<Option<Session>>,
    items: Items,
    reply: Option<Reply>,
    /// Requests of the client the engine has not begun to answer, by their tag.
    asked: BTreeMap<u64, Asked>,
    tags: u64,
    /// What was written, in its order, until it has its place.
    texts: VecDeque<(ItemId, Role, Zeroizing<String>)>,
    /// Tools of the client that owe a result.
    calls: HashSet<ToolCallId>,
    /// Calls of tools whose reply the client has not been told of yet: the engine thinks ahead.
    early: Vec<(ReplyId, ToolCallId, String, Zeroizing<String>)>,
    /// The item that is being spoken, as the client was told.
    speaking: Option<ItemId>,
    /// Items of which the client said where it stopped to hear them.
    truncated: HashSet<ItemId>,
    /// Whether the client asked for events that are none of `OpenAI`'s. Some clients take those for errors.
    extended: bool,
}

impl Face {
    /// A face whose session begins as `session` says.
    pub(super) fn new(names: Names, house: House, session: Session) -> Self {
        Self {
            conversation: names.fresh("conv"),
            names,
            house,
            wanted: session.clone(),
            session,
            begun: false,
            waiting: VecDeque::new(),
            items: Items::default(),
            reply: None,
            asked: BTreeMap::new(),
            tags: 0,
            texts: VecDeque::new(),
            calls: HashSet::new(),
            early: Vec::new(),
            speaking: None,
            truncated: HashSet::new(),
            extended: false,
        }
    }

    /// The same, telling events of our own as well when `extended`.
    pub(super) fn extended(self, extended: bool) -> Self {
        Self { extended, ..self }
    }

    /// What is said first.
    pub(super) fn begins(&self) -> Vec<Step> {
        let conversation = Conversation { id: self.conversation.clone(), object: "realtime.conversation" };
        vec![
            self.say(Tells::SessionCreated { session: Box::new(self.session.clone()) }),
            self.say(Tells::ConversationCreated { conversation }),
        ]
    }

    /// What follows from a text message.
    pub(super) fn hears(&mut self, text: &str) -> Vec<Step> {
        let client::Event { id, said } = client::read(text);
        match said.and_then(|said| self.act(said, id.as_deref())) {
            Ok(steps) => steps,
            Err(fault) => {
                enforced!(VOI11);
                vec![self.fault(fault, id)]
            }
        }
    }

    /// What follows from bytes, of which this wire knows none.
    pub(super) fn hears_bytes(&self) -> Vec<Step> {
        let detail =
            "Sound comes as base64 in `input_audio_buffer.append`; this wire knows no binary messages.";
        vec![self.fault(Fault::new("invalid_json", detail, None), None)]
    }

    fn act(&mut self, said: Said<'_>, event: Option<&str>) -> Result<Vec<Step>, Fault> {
        let ask = |command| Ok(vec![Step::Ask(command)]);
        let follows = match said {
            Said::Session(patch) => return self.configure(*patch),
            Said::Append(text) => self.listen(&text),
            Said::Commit => ask(Command::Commit),
            Said::Clear => ask(Command::Clear),
            Said::Create(item) => self.create(item),
            Said::Retrieve(name) => {
                let item = self.items.get(self.known(&name)?).ok_or_else(no_item)?;
                Ok(vec![self.say(Tells::ItemRetrieved { item })])
            }
            Said::Truncate { item, heard_ms } => {
                let item = self.known(&item)?;
                self.truncated.insert(item);
                ask(Command::Heard { item, ms: heard_ms })
            }
            Said::Delete(name) => ask(Command::Forget { item: self.known(&name)? }),
            Said::Respond(wish) => {
                let Wish { instructions, metadata, .. } = *wish;
                let tag = Some(self.tag(event, metadata));
                ask(Command::Respond { instructions, tag })
            }
            Said::Cancel(_) => ask(Command::Cancel { tag: Some(self.tag(event, None)) }),
        };
        // What is refused begins no call.
        let follows = follows?;
        let mut steps = self.begin();
        steps.extend(follows);
        Ok(steps)
    }

    /// Begins the call as the session says, when the client does before it changed anything.
    fn begin(&mut self) -> Vec<Step> {
        if self.begun {
            return Vec::new();
        }
        self.begun = true;
        self.waiting.push_back(None);
        vec![Step::Ask(Command::Configure(Box::new(Settings::from(&self.wanted))))]
    }

    fn configure(&mut self, mut patch: Patch) -> Result<Vec<Step>, Fault> {
        if self.waiting.len() >= MOST_SESSIONS {
            return Err(Fault::new(
                "rate_limit_exceeded",
                "Wait for `session.updated` between updates.",
                None,
            ));
        }
        // Which model answers is settled when the call begins.
        let model = patch.model.take().filter(|_| !self.begun);
        let next = self.house.fitted(self.wanted.with(patch)?, model.as_deref());
        self.wanted = next.clone();
        self.begun = true;
        let settings = Box::new(Settings::from(&next));
        self.waiting.push_back(Some(next));
        Ok(vec![Step::Ask(Command::Configure(settings))])
    }

    fn listen(&self, text: &str) -> Result<Vec<Step>, Fault> {
        let refuse = |detail: &str| Fault::invalid("audio", detail);
        let bytes = sound(text).ok_or_else(|| refuse("The sound is not base64."))?;
        if bytes.len() % self.wanted.audio.input.format.width() != 0 {
            return Err(refuse("The sound ends in the middle of a sample; a sample of PCM has two bytes."));
        }
        Ok(if bytes.is_empty() { Vec::new() } else { vec![Step::Ask(Command::Audio(bytes))] })
    }

    fn create(&mut self, NewItem { id, what }: NewItem) -> Result<Vec<Step>, Fault> {
        let (role, text) = match what {
            What::User(text) => (Role::User, text),
            What::System(text) => (Role::System, text),
            What::Assistant(text) => (Role::Assistant, text),
            What::Output { call, output } => return self.result(id, call, output),
        };
        if self.texts.len() >= MOST_WAITING {
            return Err(Fault::new("rate_limit_exceeded", "Too many items at once.", None));
        }
        let item = self.name_item(id)?;
        let by = match role {
            Role::User => Spoken::Caller,
            Role::System => Spoken::Application,
            Role::Assistant => Spoken::Agent,
        };
        let text = Zeroizing::new(text);
        self.texts.push_back((item, role, text.clone()));
        Ok(vec![Step::Ask(Command::Text { item: Some(item), by, text, answer: false })])
    }

    /// What a tool of the client gave. The reply goes on when the client asks for it, as this wire has it.
    fn result(&mut self, id: Option<String>, name: String, output: String) -> Result<Vec<Step>, Fault> {
        let call = reply::read_call(&name).filter(|call| self.calls.contains(call));
        let detail = "No tool waits for the result of this call.";
        let call = call.ok_or_else(|| Fault::invalid("item.call_id", detail))?;
        let item = self.name_item(id)?;
        self.calls.remove(&call);
        let output = Zeroizing::new(output);
        let mut steps = self.done(item, Held::Output { call: name, output: output.clone() });
        steps.push(Step::Ask(Command::ToolResult { call, output, answer: false }));
        Ok(steps)
    }

    fn name_item(&mut self, id: Option<String>) -> Result<ItemId, Fault> {
        let item = self.names.item();
        if id.is_some_and(|id| !self.items.call(item, id)) {
            return Err(Fault::invalid("item.id", "There is an item of that name."));
        }
        Ok(item)
    }

    fn known(&self, name: &str) -> Result<ItemId, Fault> {
        self.items.find(name).ok_or_else(no_item)
    }

    /// Keeps what the client gave with a request, until the engine answers it.
    fn tag(
        &mut self,
        event: Option<&str>,
        metadata: Option<serde_json::Map<String, serde_json::Value>>,
    ) -> u64 {
        // What was done without a word of its own is still here; the oldest goes.
        if self.asked.len() >= MOST_WAITING {
            self.asked.pop_first();
        }
        self.tags += 1;
        self.asked.insert(self.tags, Asked { event: event.map(str::to_owned), metadata });
        self.tags
    }

    /// What follows from an event of the engine.
    pub(super) fn tells(&mut self, event: Event) -> Vec<Step> {
        match event {
            Event::Ready => self.ready(),
            Event::SpeechStarted { at_ms, item } => {
                self.speaking = Some(item);
                vec![self.say(Tells::SpeechStarted { audio_start_ms: at_ms, item_id: self.items.name(item) })]
            }
            Event::SpeechStopped { at_ms, item, over } => self.stopped(at_ms, item, over),
            Event::Cleared => vec![self.say(Tells::Cleared)],
            Event::UserText { item, text, finished: true, ms } => self.heard(item, text, ms),
            Event::UserTextFailed { item, failure } => self.unheard(item, failure),
            Event::TextTaken { item, .. } => {
                let found = self.texts.iter().position(|(one, ..)| *one == item);
                match found.and_then(|at| self.texts.remove(at)) {
                    Some((_, role, text)) => self.done(item, Held::Written(role, text)),
                    None => Vec::new(),
                }
            }
            Event::ReplyBegan { reply, cause, .. } => self.replies(reply, cause),
            Event::ReplyText { reply, item, text } => {
                self.within(reply, |answer, items| answer.text(items, item, &text))
            }
            Event::ReplyAudio { reply, item, bytes } => {
                self.within(reply, |answer, items| answer.sound(items, item, &bytes))
            }
            Event::ToolCall { reply, call, name, arguments, client: true } => {
                self.calls.insert(call);
                if self.reply.as_ref().is_none_or(|answer| answer.reply != reply) {
                    self.early.push((reply, call, name, arguments));
                    return Vec::new();
                }
                self.within(reply, |answer, items| answer.call(items, call, name, &arguments))
            }
            // Its result came, or is not waited for any more: this wire has no word for that.
            Event::ToolCancelled { call, .. } | Event::ToolDone { call, .. } => {
                self.calls.remove(&call);
                self.early.retain(|(_, early, ..)| *early != call);
                Vec::new()
            }
            Event::ReplyDone { reply, end, .. } => {
                let Some(answer) = self.reply.take_if(|answer| answer.reply == reply) else {
                    return Vec::new();
                };
                let events = answer.end(&self.session, &mut self.items, &end);
                self.say_all(events)
            }
            Event::Truncated { item, ms } if self.truncated.remove(&item) => {
                let item_id = self.items.name(item);
                vec![self.say(Tells::ItemTruncated { item_id, content_index: 0, audio_end_ms: ms })]
            }
            Event::Forgotten { item } => {
                let item_id = self.items.name(item);
                self.items.remove(item);
                vec![self.say(Tells::ItemDeleted { item_id })]
            }
            Event::NotDone { what, tag } => self.not_done(what, tag),
            Event::Failed { failure } => self.failed(failure),
            Event::Ended { why } => self.ended(why),
            Event::UserText { item, text, finished: false, .. } if self.extended => {
                let transcript = text.as_str().into();
                vec![self.say(Tells::PartialTranscript { item_id: self.items.name(item), transcript })]
            }
            Event::Latency { reply, stages } if self.extended => {
                vec![
                    self.say(Tells::Latency { response_id: reply::wire_reply(reply), stages: stages.into() }),
                ]
            }
            // This wire has no words for the rest, or says it when a reply or its words are whole.
            Event::UserText { finished: false, .. }
            | Event::Thinking
            | Event::Hushed { .. }
            | Event::WentOn { .. }
            | Event::ToolCall { client: false, .. }
            | Event::Latency { .. }
            | Event::Watched { .. }
            | Event::Held { .. }
            | Event::Truncated { .. } => Vec::new(),
        }
    }

    fn ready(&mut self) -> Vec<Step> {
        match self.waiting.pop_front() {
            Some(Some(session)) => {
                self.session = session;
                vec![self.say(Tells::SessionUpdated { session: Box::new(self.session.clone()) })]
            }
            _ => Vec::new(),
        }
    }

    /// A turn of the caller is over: its sound is an item now, or nothing.
    fn stopped(&mut self, at_ms: u64, item: ItemId, over: Over) -> Vec<Step> {
        let mut steps = Vec::new();
        let item_id = self.items.name(item);
        if self.speaking.take_if(|speaking| *speaking == item).is_some() {
            steps.push(self.say(Tells::SpeechStopped { audio_end_ms: at_ms, item_id: item_id.clone() }));
        }
        if let Over::Item(_) = over {
            let before = self.items.last_name();
            steps.push(self.say(Tells::Committed { previous_item_id: before, item_id }));
            steps.extend(self.done(item, Held::Heard(None)));
        }
        steps
    }

    fn heard(&mut self, item: ItemId, text: Zeroizing<String>, ms: u64) -> Vec<Step> {
        self.items.change(item, |_, held| *held = Held::Heard(Some(text.clone())));
        if self.session.audio.input.transcription.is_none() {
            return Vec::new();
        }
        let (item_id, content_index) = (self.items.name(item), 0);
        let delta = text.as_str().into();
        let delta = Tells::TranscriptionDelta { item_id: item_id.clone(), content_index, delta };
        // Sound of a call is far below 2^52 milliseconds.
        let usage = Duration { r#type: "duration", seconds: ms as f64 / 1000.0 };
        let transcript = text.as_str().into();
        let whole = Tells::TranscriptionCompleted { item_id, content_index, transcript, usage };
        vec![self.say(delta), self.say(whole)]
    }

    fn unheard(&self, item: ItemId, failure: Failure) -> Vec<Step> {
        if self.session.audio.input.transcription.is_none() {
            return Vec::new();
        }
        let message = "The words could not be recognised.";
        let error = Wherefore { r#type: "server_error", code: failure.code(), message };
        let item_id = self.items.name(item);
        vec![self.say(Tells::TranscriptionFailed { item_id, content_index: 0, error })]
    }

    fn replies(&mut self, reply: ReplyId, cause: Cause) -> Vec<Step> {
        let asked = match cause {
            Cause::Asked(Some(tag)) => self.asked.remove(&tag),
            _ => None,
        };
        let metadata = asked.and_then(|asked| asked.metadata);
        let answer = Reply::begin(reply, &self.session, &self.conversation, metadata);
        let response = answer.response(&self.session, &self.items, Status::InProgress);
        self.reply = Some(answer);
        let mut steps = vec![self.say(Tells::ResponseCreated { response })];
        let own: Vec<_> = self.early.extract_if(.., |(of, ..)| *of == reply).collect();
        for (_, call, name, arguments) in own {
            steps.extend(self.within(reply, |answer, items| answer.call(items, call, name, &arguments)));
        }
        steps
    }

    /// What follows within the running reply.
    fn within(
        &mut self,
        reply: ReplyId,
        act: impl FnOnce(&mut Reply, &mut Items) -> Vec<Tells>,
    ) -> Vec<Step> {
        let Some(answer) = self.reply.as_mut().filter(|answer| answer.reply == reply) else {
            return Vec::new();
        };
        let events = act(answer, &mut self.items);
        self.say_all(events)
    }

    fn not_done(&mut self, what: NotDone, tag: Option<u64>) -> Vec<Step> {
        // Texts are taken or refused in their order, and what else may be refused so has a tag.
        if tag.is_none()
            && matches!(what, NotDone::BadText | NotDone::AlreadyReplying)
            && let Some((item, ..)) = self.texts.pop_front()
        {
            self.items.unname(item);
        }
        let event = tag.and_then(|tag| self.asked.remove(&tag)).and_then(|asked| asked.event);
        let fault = match what {
            // Clients know these three by their codes, and go on.
            NotDone::AlreadyReplying => {
                let detail = "There is an answer already; wait for `response.done`, or cancel it.";
                Fault::new("conversation_already_has_active_response", detail, None)
            }
            NotDone::NothingToCancel => {
                Fault::new("response_cancel_not_active", "There is no answer to cancel.", None)
            }
            NotDone::NothingToCommit => {
                Fault::new("input_audio_buffer_commit_empty", "There is no sound in the buffer.", None)
            }
            NotDone::UnknownItem => no_item(),
            NotDone::UnknownToolCall => {
                Fault::invalid("item.call_id", "No tool waits for the result of this call.")
            }
            NotDone::HeardTooMuch => {
                Fault::invalid("audio_end_ms", "That is more than was sent of the item.")
            }
            NotDone::NothingSaid => Fault::new(
                "conversation_empty",
                "There is nothing to answer yet; say or write something.",
                None,
            ),
            NotDone::BadText => Fault::invalid("item.content", "The text is empty or too long."),
            NotDone::CallerSpeaks | NotDone::AgentSpeaks | NotDone::SlowThinking | NotDone::SlowSpeaking => {
                return Vec::new();
            }
        };
        vec![self.fault(fault, event)]
    }

    fn failed(&mut self, failure: Failure) -> Vec<Step> {
        if matches!(failure, Failure::Settings | Failure::Order) {
            // What was asked for does not hold; what held before does, and what was asked for since.
            self.waiting.pop_front();
            let since = self.waiting.iter().rev().flatten().next();
            self.wanted = since.unwrap_or(&self.session).clone();
        }
        let (code, detail) = match failure {
            Failure::Settings => {
                ("invalid_session", "This session cannot be held; what held before still does.")
            }
            Failure::Order => ("invalid_session", "The format of sound cannot change once there was some."),
            Failure::TooFast => ("rate_limit_exceeded", "Sound came much faster than it is spoken."),
            Failure::NotRead => ("rate_limit_exceeded", "The connection was not read."),
            Failure::Keeping => ("server_error", "The conversation could not be kept."),
            Failure::Busy => {
                ("rate_limit_exceeded", "Too much is being asked at once; try again in a moment.")
            }
            // Told with the reply or the words it befell.
            Failure::Listening | Failure::Thinking | Failure::Speaking | Failure::Tool | Failure::Stalled => {
                return Vec::new();
            }
        };
        vec![self.trouble(code, detail)]
    }

    fn ended(&self, why: Why) -> Vec<Step> {
        let last = |code, detail, reason| vec![self.trouble(code, detail), Step::Leave(reason)];
        match why {
            Why::HungUp | Why::Agent | Why::HandedOver | Why::Staff => vec![Step::Leave(Reason::Done)],
            Why::Idle => last("session_idle", "Nobody spoke for long.", Reason::Done),
            Why::TooLong => last("session_expired", "The call has reached its longest time.", Reason::Done),
            Why::UsedUp => last("insufficient_quota", "The quota of voice is used up.", OVER),
            Why::SessionEnded => vec![Step::Leave(Reason::Ended)],
            Why::Closing => vec![Step::Leave(Reason::GoingAway)],
            Why::Failed(Failure::TooFast | Failure::NotRead) => vec![Step::Leave(OVER)],
            Why::Failed(Failure::Busy) => vec![Step::Leave(BUSY)],
            Why::Failed(_) => last("server_error", "The call broke off.", Reason::Broken),
        }
    }

    /// An item that is whole at once.
    fn done(&mut self, item: ItemId, held: Held) -> Vec<Step> {
        let previous_item_id = self.items.put(item, Status::Completed, held);
        let Some(item) = self.items.get(item) else { return Vec::new() };
        vec![
            self.say(Tells::ItemAdded { previous_item_id: previous_item_id.clone(), item: item.clone() }),
            self.say(Tells::ItemDone { previous_item_id, item }),
        ]
    }

    fn fault(&self, Fault { code, message, param }: Fault, event_id: Option<String>) -> Step {
        let r#type = "invalid_request_error";
        self.say(Tells::Error { error: Told { r#type, code, message, param, event_id } })
    }

    fn trouble(&self, code: &'static str, detail: &str) -> Step {
        let message = detail.to_owned();
        let error = Told { r#type: "server_error", code, message, param: None, event_id: None };
        self.say(Tells::Error { error })
    }

    fn say_all(&self, events: Vec<Tells>) -> Vec<Step> {
        events.into_iter().map(|event| self.say(event)).collect()
    }

    fn say(&self, event: Tells) -> Step {
        Step::json(&Named { event_id: self.names.fresh("event"), event })
    }
}

fn no_item() -> Fault {
    Fault::invalid("item_id", "There is no item of that name in the conversation.")
}
