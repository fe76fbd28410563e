//! The face of Deepgram's Voice Agent, version 1: its messages to the engine's commands, and back.
//!
//! [`super::talk`] gives it every message and every event in their order and takes the steps it answers with. On
//! this wire a fault ends the connection: an `Error` says which, then comes the goodbye.

mod client;
mod fault;
mod server;
mod settings;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashSet, VecDeque},
    time::Duration,
};

use bytes::Bytes;
use domain::{
    enforced,
    id::{ItemId, ReplyId, ToolCallId},
    voice::{Command, Event, Failure, Latency, NotDone, ReplyEnd, SayWhen, Spoken, Why},
};
use zeroize::Zeroizing;

use self::{
    client::{Behavior, Said},
    fault::Fault,
    server::{Call, Cancelled, Role, Tells},
    settings::Held,
};
use super::{
    House,
    step::{BUSY, FAULTY, Names, OVER, Step},
};
use crate::socket::Reason;

/// Longest time without a message of the client; Deepgram's clients say `KeepAlive` every 8 seconds.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);
/// Most updates that wait for the engine's word, and texts on their way.
const MOST_WAITING: usize = 64;

/// What a configuration of the engine is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Settings,
    Prompt,
    Speak,
    Think,
    Listen,
}

/// One connection of an Agent client.
pub(super) struct Face {
    names: Names,
    house: House,
    held: Option<Held>,
    waiting: VecDeque<Change>,
    /// What was written for the caller, until it has its place.
    texts: VecDeque<(ItemId, Zeroizing<String>)>,
    /// Functions of the client that owe a result, in the order they were called.
    calls: Vec<(ToolCallId, String)>,
    /// Functions of the server that run.
    own: HashSet<ToolCallId>,
    /// The reply that is heard, and what is known of how long it took.
    sounding: Option<ReplyId>,
    stages: Option<(ReplyId, Latency)>,
}

impl Face {
    /// A face that waits for its settings.
    pub(super) fn new(names: Names, house: House) -> Self {
        Self {
            names,
            house,
            held: None,
            waiting: VecDeque::new(),
            texts: VecDeque::new(),
            calls: Vec::new(),
            own: HashSet::new(),
            sounding: None,
            stages: None,
        }
    }

    /// What is said first.
    pub(super) fn begins(request: &str) -> Vec<Step> {
        vec![say(&Tells::Welcome { request_id: request.to_owned() })]
    }

    /// What follows from a text message.
    pub(super) fn hears(&mut self, text: &str) -> Vec<Step> {
        match client::read(text).and_then(|said| self.act(said)) {
            Ok(steps) => steps,
            Err(fault) => {
                enforced!(VOI11);
                over(fault)
            }
        }
    }

    /// What follows from bytes: sound, in any pieces.
    pub(super) fn hears_bytes(&self, bytes: &Bytes) -> Vec<Step> {
        match self.held {
            None => over(settings_first()),
            Some(_) if bytes.is_empty() => Vec::new(),
            Some(_) => vec![Step::Ask(Command::Audio(Zeroizing::new(bytes.to_vec())))],
        }
    }

    /// Nothing came for too long.
    pub(super) fn silent() -> Vec<Step> {
        let detail = "No message came for too long; send sound, or `KeepAlive` every 8 seconds.";
        over(Fault::new("CLIENT_MESSAGE_TIMEOUT", detail))
    }

    fn act(&mut self, said: Said) -> Result<Vec<Step>, Fault> {
        let said = match (said, &self.held) {
            (Said::KeepAlive, _) => return Ok(Vec::new()),
            (Said::Settings(_), Some(_)) => {
                let detail = "The settings were applied already; change them by the `Update` messages.";
                return Err(Fault::new("SETTINGS_ALREADY_APPLIED", detail));
            }
            (Said::Settings(settings), None) => return self.settle(settings.held(&self.house)?),
            (_, None) => return Err(settings_first()),
            (said, Some(_)) => said,
        };
        match said {
            Said::Prompt(prompt) => self.change(Change::Prompt, |held, _| {
                held.settings.instructions = prompt;
                Ok(())
            }),
            Said::Speak(speak) => self.change(Change::Speak, |held, house| held.speak(speak, house)),
            Said::Think(think) => self.change(Change::Think, |held, house| held.think(*think, house)),
            Said::Listen(listen) => self.change(Change::Listen, |held, _| {
                held.listen(listen);
                Ok(())
            }),
            Said::UserMessage(text) => self.write(Spoken::Caller, text, true),
            Said::AgentMessage { message, behavior } => {
                let when = match behavior {
                    Behavior::Default => SayWhen::Quiet,
                    Behavior::Queue => SayWhen::Next,
                    Behavior::Interrupt => SayWhen::Now,
                };
                Ok(vec![Step::Ask(Command::Say { text: Zeroizing::new(message), when })])
            }
            Said::Result { id, name, content } => Ok(self.result(id, &name, content)),
            Said::EndTurn => Ok(vec![Step::Ask(Command::Commit)]),
            Said::Settings(_) | Said::KeepAlive => Ok(Vec::new()),
        }
    }

    fn settle(&mut self, mut held: Held) -> Result<Vec<Step>, Fault> {
        let history = std::mem::take(&mut held.history);
        self.waiting.push_back(Change::Settings);
        let mut steps = vec![Step::Ask(Command::Configure(Box::new(held.settings.clone())))];
        steps.extend(replaced(&mut held));
        self.held = Some(held);
        for (by, text) in history {
            let text = Zeroizing::new(text);
            steps.push(Step::Ask(Command::Text { item: None, by, text, answer: false }));
        }
        Ok(steps)
    }

    fn change(
        &mut self,
        change: Change,
        act: impl FnOnce(&mut Held, &House) -> Result<(), Fault>,
    ) -> Result<Vec<Step>, Fault> {
        let (Some(held), true) = (&mut self.held, self.waiting.len() < MOST_WAITING) else {
            return Err(Fault::unreadable("Too many updates at once."));
        };
        act(held, &self.house)?;
        self.waiting.push_back(change);
        let mut steps = vec![Step::Ask(Command::Configure(Box::new(held.settings.clone())))];
        steps.extend(replaced(held));
        Ok(steps)
    }

    fn write(&mut self, by: Spoken, text: String, answer: bool) -> Result<Vec<Step>, Fault> {
        // One that was refused has no word of its own; the oldest goes.
        if self.texts.len() >= MOST_WAITING {
            self.texts.pop_front();
        }
        let (item, text) = (self.names.item(), Zeroizing::new(text));
        self.texts.push_back((item, text.clone()));
        Ok(vec![Step::Ask(Command::Text { item: Some(item), by, text, answer })])
    }

    /// A function of the client gave its result. One that is late, or answered twice, is no reason to hang up.
    fn result(&mut self, id: Option<String>, name: &str, content: String) -> Vec<Step> {
        let wanted = |(call, tool): &(ToolCallId, String)| match &id {
            Some(id) => call.to_string() == *id,
            None => tool == name,
        };
        let Some(at) = self.calls.iter().position(wanted) else {
            let detail = "No call of this function waits for a result.";
            return vec![warn("FUNCTION_CALL_FAILED", detail)];
        };
        let (call, _) = self.calls.remove(at);
        vec![Step::Ask(Command::ToolResult { call, output: Zeroizing::new(content), answer: true })]
    }

    /// What follows from an event of the engine.
    pub(super) fn tells(&mut self, event: Event) -> Vec<Step> {
        match event {
            Event::Ready => self.waiting.pop_front().map(applied).into_iter().collect(),
            Event::SpeechStarted { .. } => vec![say(&Tells::UserStartedSpeaking)],
            Event::UserText { text, finished: true, .. } => spoken(Role::User, &text),
            Event::TextTaken { item, .. } => {
                let found = self.texts.iter().position(|(one, _)| *one == item);
                match found.and_then(|at| self.texts.remove(at)) {
                    Some((_, text)) => spoken(Role::User, &text),
                    None => Vec::new(),
                }
            }
            Event::ReplyText { text, .. } => spoken(Role::Assistant, &text),
            Event::ReplyAudio { reply, bytes, .. } => self.sounds(reply, bytes),
            Event::ToolCall { call, name, arguments, client, .. } => {
                match client {
                    true => self.calls.push((call, name.clone())),
                    false => _ = self.own.insert(call),
                }
                // What the server's own tools are given may speak of people, and stays here.
                let arguments = if client { arguments.as_str() } else { "{}" }.into();
                let call = Call { id: call.to_string(), name, arguments, client_side: client };
                vec![say(&Tells::FunctionCallRequest { functions: vec![call] })]
            }
            Event::ToolDone { call, name, worked } if self.own.remove(&call) => {
                let content = format!("{{\"worked\":{worked}}}");
                vec![say(&Tells::FunctionCallResponse { id: call.to_string(), name, content })]
            }
            // Of a client's own: its result came, or is not waited for any more.
            Event::ToolDone { call, .. } => {
                self.calls.retain(|(one, _)| *one != call);
                Vec::new()
            }
            Event::ToolCancelled { call, name } => {
                self.calls.retain(|(one, _)| *one != call);
                let functions = vec![Cancelled { id: call.to_string(), name }];
                vec![say(&Tells::FunctionCallCancelled { functions })]
            }
            Event::ReplyDone { reply, end, .. } => {
                let sounded = self.sounding.take_if(|one| *one == reply).is_some();
                let whole = matches!(end.how, ReplyEnd::Finished | ReplyEnd::WaitsForTools);
                let mut steps = Vec::new();
                if let ReplyEnd::Failed(failure) = end.how {
                    steps.extend(trouble(failure));
                }
                // After an interruption the client has thrown away what it had; there is nothing to be done with.
                if sounded && whole {
                    steps.push(say(&Tells::AgentAudioDone));
                }
                steps
            }
            Event::Latency { reply, stages } => {
                self.stages = Some((reply, stages));
                vec![say(&Tells::LatencyReport(stages.into()))]
            }
            Event::NotDone { what, .. } => not_done(what),
            Event::UserTextFailed { failure, .. } => trouble(failure),
            Event::Failed { failure } => self.failed(failure),
            Event::Watched { by_staff: true } => {
                vec![warn("STAFF_FOLLOWS", "A member of staff follows this call.")]
            }
            Event::Watched { by_staff: false } => {
                vec![warn("STAFF_FOLLOWS_NO_MORE", "No member of staff follows this call any more.")]
            }
            Event::Held { by_staff: true } => {
                vec![warn("STAFF_HOLDS", "A member of staff speaks in the agent's place.")]
            }
            Event::Held { by_staff: false } => vec![warn("STAFF_HOLDS_NO_MORE", "The agent speaks again.")],
            Event::Ended { why } => ended(why),
            Event::SpeechStopped { .. }
            | Event::Cleared
            | Event::UserText { finished: false, .. }
            | Event::Thinking
            | Event::ReplyBegan { .. }
            | Event::Hushed { .. }
            | Event::WentOn { .. }
            | Event::Truncated { .. }
            | Event::Forgotten { .. } => Vec::new(),
        }
    }

    fn sounds(&mut self, reply: ReplyId, bytes: Zeroizing<Vec<u8>>) -> Vec<Step> {
        let mut steps = Vec::new();
        if self.sounding != Some(reply) {
            self.sounding = Some(reply);
            let stages = self.stages.take().filter(|(of, _)| *of == reply);
            steps.push(say(&Tells::started(stages.map(|(_, stages)| stages))));
        }
        steps.push(Step::Bytes(bytes));
        steps
    }

    fn failed(&mut self, failure: Failure) -> Vec<Step> {
        match failure {
            // A call that never began has nothing to fall back on; one that runs goes on as it was.
            Failure::Settings | Failure::Order => {
                self.waiting.pop_front();
                let detail =
                    "These settings cannot be kept: a model or voice nobody knows, or a format that changed.";
                over(Fault::settings(detail))
            }
            other => trouble(other),
        }
    }
}

fn settings_first() -> Fault {
    let detail = "`Settings` come first; everything else after them.";
    Fault::new("NON_SETTINGS_MESSAGE_BEFORE_SETTINGS", detail)
}

fn replaced(held: &mut Held) -> Vec<Step> {
    std::mem::take(&mut held.replaced).into_iter().map(|detail| warn("PROVIDER_REPLACED", detail)).collect()
}

fn applied(change: Change) -> Step {
    say(&match change {
        Change::Settings => Tells::SettingsApplied,
        Change::Prompt => Tells::PromptUpdated,
        Change::Speak => Tells::SpeakUpdated,
        Change::Think => Tells::ThinkUpdated,
        Change::Listen => Tells::ListenUpdated,
    })
}

fn spoken(role: Role, text: &str) -> Vec<Step> {
    let content = text.trim();
    if content.is_empty() {
        return Vec::new();
    }
    let content = content.into();
    vec![say(&Tells::ConversationText { role, content, conversational_behavior: "default" })]
}

fn not_done(what: NotDone) -> Vec<Step> {
    let refused = |code, message| vec![say(&Tells::InjectionRefused { message }), warn(code, message)];
    match what {
        NotDone::CallerSpeaks => {
            refused("INJECT_AGENT_MESSAGE_DURING_USER_SPEECH", "The caller is speaking.")
        }
        NotDone::AgentSpeaks => refused("INJECT_AGENT_MESSAGE_DURING_AGENT_SPEECH", "The agent is speaking."),
        NotDone::BadText => vec![say(&Tells::InjectionRefused { message: "The text is empty or too long." })],
        NotDone::UnknownToolCall => {
            vec![warn("FUNCTION_CALL_FAILED", "No call of this function waits for a result.")]
        }
        NotDone::SlowThinking => vec![warn("SLOW_THINK_REQUEST", "The model takes long; the call goes on.")],
        NotDone::SlowSpeaking => vec![warn("SLOW_SPEAK_REQUEST", "The voice takes long; the call goes on.")],
        // Clients of this wire cannot ask for what these answer, or did so at a moment when it means nothing.
        NotDone::AlreadyReplying
        | NotDone::NothingToCancel
        | NotDone::NothingToCommit
        | NotDone::UnknownItem
        | NotDone::HeardTooMuch
        | NotDone::NothingSaid => Vec::new(),
    }
}

/// Something broke, and the call goes on: an audible sentence has said so.
fn trouble(failure: Failure) -> Vec<Step> {
    let (code, description) = match failure {
        Failure::Listening => ("LISTEN_REQUEST_FAILED", "What was said could not be recognised."),
        Failure::Thinking => ("THINK_REQUEST_FAILED", "The model failed."),
        Failure::Speaking => ("SPEAK_REQUEST_FAILED", "The voice failed."),
        Failure::Tool => ("FUNCTION_CALL_FAILED", "A function failed, or gave no result in time."),
        Failure::Stalled => ("THINK_REQUEST_FAILED", "The answer took too long and was given up."),
        Failure::Keeping => ("CONVERSATION_NOT_KEPT", "The conversation could not be kept."),
        Failure::Busy => ("BUSY", "Too much is being asked at once."),
        Failure::TooFast => ("USER_AUDIO_FORMAT", "Sound came much faster than it is spoken."),
        // Said by the error that ends the call.
        Failure::NotRead | Failure::Settings | Failure::Order => return Vec::new(),
    };
    vec![warn(code, description)]
}

fn ended(why: Why) -> Vec<Step> {
    let last = |code, detail: &str, reason| {
        vec![say(&Tells::Error { description: detail.to_owned(), code }), Step::Leave(reason)]
    };
    match why {
        Why::HungUp | Why::Agent | Why::HandedOver | Why::Staff | Why::TooLong => {
            vec![Step::Leave(Reason::Done)]
        }
        Why::Idle => last("CLIENT_MESSAGE_TIMEOUT", "Nobody spoke for long.", Reason::Done),
        Why::UsedUp => last("QUOTA_USED_UP", "The quota of voice is used up.", OVER),
        Why::SessionEnded => vec![Step::Leave(Reason::Ended)],
        Why::Closing => last("SERVER_GOING_AWAY", "This server ends; call again.", Reason::GoingAway),
        Why::Failed(Failure::Settings | Failure::Order) => {
            last("INVALID_SETTINGS", "These settings cannot be kept.", Reason::Protocol)
        }
        Why::Failed(Failure::Listening) => {
            last("FAILED_TO_START_LISTENING", "Speech cannot be recognised now.", Reason::Broken)
        }
        Why::Failed(Failure::Speaking) => last("FAILED_TO_SPEAK", "The voice failed.", Reason::Broken),
        Why::Failed(Failure::Thinking | Failure::Stalled) => {
            last("FAILED_TO_THINK", "The model failed.", Reason::Broken)
        }
        Why::Failed(Failure::TooFast | Failure::NotRead) => {
            last("USER_AUDIO_FORMAT", "Sound came much faster than it is spoken, or was not read.", OVER)
        }
        Why::Failed(Failure::Busy) => last("INTERNAL_SERVER_ERROR", "Too busy at the moment.", BUSY),
        Why::Failed(Failure::Tool | Failure::Keeping) => {
            last("INTERNAL_SERVER_ERROR", "The call broke off.", Reason::Broken)
        }
    }
}

fn warn(code: &'static str, description: &str) -> Step {
    say(&Tells::Warning { description: description.to_owned(), code })
}

fn over(Fault { code, description }: Fault) -> Vec<Step> {
    vec![say(&Tells::Error { description, code }), Step::Leave(FAULTY)]
}

fn say(tells: &Tells) -> Step {
    Step::json(tells)
}
