//! What the client asks.

use std::sync::Arc;

use domain::{
    chat::{Author, MAX_MESSAGE_BYTES},
    enforced,
    id::{ItemId, MessageId, ToolCallId},
    voice::{
        Cause, Command, Event, Failure, MAX_GREETING_BYTES, MAX_INSTRUCTIONS_BYTES, MAX_TOOL_BYTES,
        MAX_TOOLS, NotDone, ReplyEnd, SayWhen, Settings, Spoken, Trigger, Turns, Why,
        turn_taking::{Rules, Sign, TurnTaking},
    },
};
use futures::FutureExt;
use providers::speech::{
    Decoder,
    SpeechKind::{self, Recognition, Synthesis},
};
use zeroize::Zeroizing;

use super::{Done, Reply, Session, Wanted, turns::wait_for};
use crate::{
    Error,
    turn::AskKind,
    voice::{consent::may_hear_or_speak, mouth},
};

/// Most things a call may have under way when another text comes: each text is one.
const UNDER_WAY: usize = 32;

impl Session {
    pub(super) async fn command(&mut self, command: Command) {
        if self.settings.is_none() && !matches!(command, Command::Configure(_) | Command::HangUp) {
            return self.breaks(Failure::Order).await;
        }
        match command {
            Command::Configure(settings) => self.configure(*settings).await,
            Command::Audio(bytes) => self.audio(bytes).await,
            Command::Commit => self.commit().await,
            Command::Clear => self.clear().await,
            Command::Text { item, by, text, answer } => self.text(item, by, text, answer).await,
            Command::Respond { instructions, tag } => {
                self.respond(instructions.map(Zeroizing::new), tag).await;
            }
            Command::Cancel { tag } => self.cancel(tag).await,
            Command::ToolResult { call, output, answer } => self.tool_result(call, output, answer).await,
            Command::Say { text, when } => self.say_for_client(text, when).await,
            Command::Heard { item, ms } => self.heard(item, ms).await,
            Command::Forget { item } => self.forget_item(item).await,
            Command::HangUp => self.over = Some(Why::HungUp),
        }
    }

    async fn configure(&mut self, settings: Settings) {
        let first = self.settings.is_none();
        if !self.can_be_kept(&settings) {
            return if first {
                self.breaks(Failure::Settings).await;
            } else {
                self.failed(Failure::Settings).await;
            };
        }
        if self.settings.as_ref().is_none_or(|old| old.input != settings.input) {
            if self.came_ms > 0 {
                return self.failed(Failure::Order).await;
            }
            let Ok(decoder) = Decoder::new(mouth::wire(settings.input)) else {
                return self.breaks(Failure::Settings).await;
            };
            self.decoder = Some(decoder);
        }
        match settings.turns {
            Turns::Server(rules) if first => self.machine = TurnTaking::new(Rules::of(rules)),
            Turns::Server(rules) => self.machine.change(Rules::of(rules)),
            Turns::Manual => self.machine_says(Sign::Drop).await,
        }
        let greeting = settings.greeting.clone().filter(|greeting| first && !greeting.trim().is_empty());
        self.settings = Some(Arc::new(settings));
        self.tell(Event::Ready).await;
        // In writing it is said at the beginning; aloud, before the first sound.
        let aloud = self.settings.as_ref().is_some_and(|settings| settings.speaks);
        if first || (aloud && !self.introduced) {
            self.disclose();
        }
        if let Some(greeting) = greeting {
            self.say(&greeting, Cause::Greeting, false);
        }
    }

    /// Whether these settings are within bounds and name what there is.
    fn can_be_kept(&self, settings: &Settings) -> bool {
        // Also where nobody chose: a group may keep what people say from the vendor that is usual.
        let known = |kind: SpeechKind, name: &Option<String>| {
            let found = self.house.speech_model(&self.ctx, kind, name.as_deref());
            found.is_ok_and(|facts| may_hear_or_speak(&self.ctx.actor, &self.hears.basis, &facts).is_ok())
        };
        let model = settings.choice.model.as_ref();
        let mut tools = settings.tools.iter().map(|tool| &tool.tool);
        settings.input.is_known()
            && settings.output.is_known()
            && (0.25..=4.0).contains(&settings.pace)
            && settings.instructions.len() <= MAX_INSTRUCTIONS_BYTES
            && settings.greeting.as_ref().is_none_or(|greeting| greeting.len() <= MAX_GREETING_BYTES)
            && settings.tools.len() <= MAX_TOOLS
            && tools.all(|tool| tool.description.len() + tool.parameters.to_string().len() <= MAX_TOOL_BYTES)
            && known(Recognition, &settings.choice.recognition)
            && known(Synthesis, &settings.choice.voice)
            && model.is_none_or(|id| self.house.models_for(&self.ctx).iter().any(|model| model.id == *id))
    }

    async fn commit(&mut self) {
        self.flush_sound().await;
        match self.turns() {
            Turns::Manual if self.tape.len() > 0 => self.close_by_hand(Trigger::Client).await,
            Turns::Server(_) if self.machine.is_caller_speaking() => self.machine_says(Sign::Finish).await,
            Turns::Manual | Turns::Server(_) => self.not_done(NotDone::NothingToCommit, None).await,
        }
    }

    async fn clear(&mut self) {
        self.machine_says(Sign::Drop).await;
        self.tape.keep_last(0);
        self.tell(Event::Cleared).await;
    }

    async fn text(&mut self, item: Option<ItemId>, by: Spoken, text: Zeroizing<String>, answer: bool) {
        if text.trim().is_empty() || text.len() > MAX_MESSAGE_BYTES {
            return self.not_done(NotDone::BadText, None).await;
        }
        let item = item.unwrap_or_else(|| ItemId::fresh(&self.ctx));
        if self.jobs.len() >= UNDER_WAY {
            enforced!(VOI01);
            return self.not_done(NotDone::AlreadyReplying, None).await;
        }
        if by == Spoken::Application && !self.memory.note(item, self.head, text.clone()) {
            return self.not_done(NotDone::BadText, None).await;
        }
        self.caption_text(item, by, &text);
        self.tell(Event::TextTaken { item, by }).await;
        self.asked_in_vain = 0;
        // Who holds the call answers it.
        let answer = answer && !self.is_held();
        match by {
            Spoken::Caller if answer => {
                self.drop_ahead().await;
                self.cut_short(ReplyEnd::Interrupted).await;
                let kind = AskKind::Say { text: text.to_string(), after: None };
                return self.ask(kind, Cause::Turn(item), None, true);
            }
            Spoken::Caller => self.keep(item, Author::User, text),
            Spoken::Agent => self.keep(item, Author::Assistant, text),
            // It was noted above.
            Spoken::Application => (),
        }
        if answer {
            self.respond(None, None).await;
        }
    }

    /// Keeps something that was said, without answering it.
    pub(super) fn keep(&mut self, item: ItemId, author: Author, text: Zeroizing<String>) {
        self.settle_last();
        let (house, ctx, rights, place) =
            (self.house.clone(), self.ctx.clone(), self.rights.clone(), self.place);
        let (line, turn) = (Arc::clone(&self.line), Arc::clone(&self.turn));
        self.keeping += 1;
        let job = async move {
            let _line = line.lock().await;
            wait_for(&turn).await;
            Done::Kept(item, house.keep_said(&ctx, &rights, place, author, text).await)
        };
        self.jobs.push(job.boxed());
    }

    pub(super) async fn was_kept(&mut self, item: ItemId, kept: Result<MessageId, Error>) {
        self.keeping = self.keeping.saturating_sub(1);
        match kept {
            Ok(message) => {
                self.head = Some(message);
                self.items.insert(item, message);
            }
            Err(_) => self.failed(Failure::Keeping).await,
        }
    }

    async fn respond(&mut self, instructions: Option<Zeroizing<String>>, tag: Option<u64>) {
        if self.is_held() {
            return self.not_done(NotDone::AlreadyReplying, tag).await;
        }
        match self.go_on_parked(Cause::Asked(tag)).await {
            Some(true) => return,
            // While a tool's result is missing the reply is not over.
            Some(false) => return self.not_done(NotDone::AlreadyReplying, tag).await,
            None => (),
        }
        let speaks = self.reply.as_ref().is_some_and(|reply| reply.cause != Cause::Greeting);
        if speaks || self.ahead.is_some() || self.wanted.is_some() {
            return self.not_done(NotDone::AlreadyReplying, tag).await;
        }
        self.wanted = Some(Wanted { instructions, tag });
    }

    /// Begins the reply the client asked for once everything before it is in its place.
    pub(super) fn begin_wanted(&mut self) {
        let clear =
            self.closing.is_empty() && self.keeping == 0 && self.reply.is_none() && self.ahead.is_none();
        if clear && let Some(Wanted { instructions, tag }) = self.wanted.take() {
            self.ask(AskKind::GoOn, Cause::Asked(tag), instructions, true);
        }
    }

    async fn cancel(&mut self, tag: Option<u64>) {
        let speaks = self.reply.as_ref().is_some_and(|reply| !reply.insists);
        let waits = self.ahead.as_ref().is_some_and(Reply::is_confirmed);
        if let Some(Wanted { tag: wanted, .. }) = self.wanted.take() {
            // It had not begun: who asked for it learns that it will not.
            self.not_done(NotDone::NothingToCancel, wanted.or(tag)).await;
        } else if !speaks && !waits {
            return self.not_done(NotDone::NothingToCancel, tag).await;
        }
        if waits {
            self.drop_ahead().await;
        }
        if speaks {
            self.cut_short(ReplyEnd::Cancelled).await;
        }
    }

    async fn say_for_client(&mut self, text: Zeroizing<String>, when: SayWhen) {
        if text.trim().is_empty() || text.len() > MAX_MESSAGE_BYTES {
            return self.not_done(NotDone::BadText, None).await;
        }
        // In a call that is held its holder speaks, and nobody else.
        if !self.may_say(&text) || self.is_held() {
            enforced!(VOI01);
            return self.not_done(NotDone::AgentSpeaks, None).await;
        }
        let agent_speaks = self.reply.is_some() || !self.queue.is_empty();
        match when {
            SayWhen::Quiet if self.machine.is_caller_speaking() => {
                return self.not_done(NotDone::CallerSpeaks, None).await;
            }
            SayWhen::Quiet if agent_speaks => return self.not_done(NotDone::AgentSpeaks, None).await,
            SayWhen::Now => self.cut_short(ReplyEnd::Interrupted).await,
            SayWhen::Quiet | SayWhen::Next => (),
        }
        self.say(&text, Cause::Said, false);
    }

    async fn heard(&mut self, item: ItemId, ms: u64) {
        let last = self.last.as_mut().map(|(reply, _)| reply);
        let reply = self.reply.iter_mut().chain(last).find(|reply| reply.item == item);
        let Some(reply) = reply else {
            // What has ended stays as it was heard.
            if self.is_known(item) {
                return self.tell(Event::Truncated { item, ms }).await;
            }
            return self.not_done(NotDone::UnknownItem, None).await;
        };
        if !reply.played.told(ms) {
            return self.not_done(NotDone::HeardTooMuch, None).await;
        }
        self.tell(Event::Truncated { item, ms }).await;
    }

    async fn forget_item(&mut self, item: ItemId) {
        match self.items.get(&item) {
            Some(message) => self.memory.leave_out(*message),
            None if self.memory.forget_note(item) || self.is_known(item) => (),
            None => return self.not_done(NotDone::UnknownItem, None).await,
        }
        self.tell(Event::Forgotten { item }).await;
    }

    fn is_known(&self, item: ItemId) -> bool {
        self.items.contains_key(&item) || self.ended_items.contains(&item)
    }

    async fn tool_result(&mut self, call: ToolCallId, output: Zeroizing<String>, answer: bool) {
        if !self.result_came(call, output, answer).await {
            self.not_done(NotDone::UnknownToolCall, None).await;
        }
    }

    pub(super) fn turns(&self) -> Turns {
        self.settings.as_ref().map_or(Turns::Manual, |settings| settings.turns)
    }
}
