//! What the agent says: replies begin, speak, end, are cut short.

use std::sync::{Arc, Mutex as Lock};

use domain::{
    chat::{Author, Ending},
    enforced,
    id::{ItemId, ReplyId},
    voice::{Cause, End, Event, Failure, NotDone, ReplyEnd, Why, turn_taking::Sign},
};
use futures::FutureExt;
use providers::speech::Haste;
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::{Done, Reply, Session};
use crate::{
    Error, rights,
    turn::{Ask, AskKind, Fate, FromTurn, Manner, Offer, Spoken, Turn},
    voice::{
        lines,
        mouth::{self, Mouth},
        reply::{Marks, Next, Stall, TurnSide},
        tools,
    },
};

/// Most things that wait to be said, and most of their bytes; one alone may be longer.
const QUEUED: usize = 16;
const QUEUED_BYTES: usize = 64 * 1024;
/// Most items that are known after their end.
const ENDED: usize = 4_096;
/// What a turn may tell before its call reads.
const TOLD: usize = 64;

/// Words that wait to be said.
pub(super) struct Queued {
    text: Zeroizing<String>,
    cause: Cause,
    /// Whether they must be heard.
    pub(super) insists: bool,
}

/// Which of the replies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    Speaks,
    Waits,
    Parked,
}

impl Session {
    pub(super) fn slot(&mut self, slot: Slot) -> &mut Option<Reply> {
        match slot {
            Slot::Speaks => &mut self.reply,
            Slot::Waits => &mut self.ahead,
            Slot::Parked => &mut self.parked,
        }
    }

    /// Whatever can begin now, begins. Called after everything that happens.
    pub(super) async fn go_on(&mut self) {
        while self.reply.is_none() && self.over.is_none() {
            if let Some(Queued { text, cause, insists }) = self.queue.pop_front() {
                let mut reply = self.blank(cause);
                reply.insists = insists;
                reply.add(&text, Instant::now());
                reply.end_words(Instant::now());
                self.begins(reply).await;
            } else if let Some(reply) = self.ahead.take_if(|reply| reply.is_confirmed()) {
                self.begins(reply).await;
            } else if let Some((why, _)) = self.ending {
                self.over = Some(why);
            } else {
                return self.begin_wanted();
            }
        }
    }

    /// A reply with nothing in it, and a mouth to speak it.
    fn blank(&self, cause: Cause) -> Reply {
        let cancel = CancellationToken::new();
        let mouth = self.settings.as_ref().filter(|settings| settings.speaks).map(|settings| {
            let manner = mouth::Manner {
                speech: self.house.speech().in_haste(Haste::Call),
                permit: self.hears.permit.clone(),
                voice: settings.choice.voice.clone(),
                pace: settings.pace,
                format: settings.output,
            };
            Mouth::open(&self.house.0.tasks, manner, cancel.clone())
        });
        Reply::new(ReplyId::fresh(&self.ctx), ItemId::fresh(&self.ctx), cause, mouth, cancel)
    }

    /// A reply may be heard from now on.
    async fn begins(&mut self, mut reply: Reply) {
        if reply.insists {
            enforced!(VOI06);
        }
        reply.released = true;
        let (id, item, cause) = (reply.id, reply.item, reply.cause);
        self.machine_says(Sign::AgentBegan { insists: reply.insists }).await;
        self.reply = Some(reply);
        self.tell(Event::ReplyBegan { reply: id, item, cause }).await;
    }

    /// Says this when it can be said.
    pub(super) fn say(&mut self, text: &str, cause: Cause, insists: bool) {
        if insists || self.may_say(text) {
            self.queue.push_back(Queued { text: Zeroizing::new(text.to_owned()), cause, insists });
        }
    }

    /// Whether there is room for one more thing to be said.
    pub(super) fn may_say(&self, text: &str) -> bool {
        let bytes: usize = self.queue.iter().map(|queued| queued.text.len()).sum();
        self.queue.is_empty() || (self.queue.len() < QUEUED && bytes + text.len() <= QUEUED_BYTES)
    }

    /// Says that an AI speaks, before anything else.
    pub(super) fn disclose(&mut self) {
        self.introduced |= self.settings.as_ref().is_some_and(|settings| settings.speaks);
        let staff = if self.is_desk() { lines::STAFF_MAY_LISTEN } else { "" };
        let text = Zeroizing::new([lines::DISCLOSURE, staff].concat());
        self.queue.push_front(Queued { text, cause: Cause::Greeting, insists: true });
    }

    /// Asks the model, under the same rules as in writing. Until it is confirmed, nothing of it is heard or kept.
    pub(super) fn ask(
        &mut self,
        kind: AskKind,
        cause: Cause,
        aside: Option<Zeroizing<String>>,
        confirmed: bool,
    ) {
        let Some(settings) = self.settings.clone() else { return };
        self.settle_last();
        self.drop_parked();
        let (to_call, from) = mpsc::channel(TOLD);
        let (fate, becomes) = watch::channel(if confirmed { Fate::Confirmed } else { Fate::Open });
        let memory = Arc::clone(&self.memory);
        let reply = self.blank(cause);
        let (id, place, model) = (reply.id, self.place, settings.choice.model.clone());
        let (house, ctx, rights) = (self.house.clone(), self.ctx.clone(), self.rights.clone());
        let (line, last, caller) = (Arc::clone(&self.line), Arc::clone(&self.turn), Arc::clone(&self.caller));
        let desk = self.is_desk();
        let runs_at = self.model_runs_at(model.as_deref());
        let job = async move {
            let _line = line.lock().await;
            wait_for(&last).await;
            if matches!(*becomes.borrow(), Fate::Void) {
                // Taken back while it waited: it never was a turn.
                return Done::Began(id, Err(Error::Closing));
            }
            let mut spoken = Spoken {
                instructions: Zeroizing::new(settings.instructions.clone()),
                aside,
                memory,
                offer: Offer { tools: Vec::new(), choice: settings.tool_choice.clone() },
                max_tokens: settings.max_tokens,
                to_call,
                fate: becomes,
            };
            {
                let mut caller = caller.lock().await;
                runs_at.into_iter().for_each(|place| caller.heard_at(place));
                spoken.offer.tools = tools::offered(&house.tools(), desk, &caller, &settings.tools);
            }
            let begin = async {
                let ask = Ask { place, kind, model };
                let begun = house.respond_in(&ctx, rights, ask, Manner::Spoken(Box::new(spoken))).await?;
                house.0.seats.find(rights::person(&ctx)?, begun.turn, ctx.now())
            };
            let begun = begin.await;
            if let (Ok(turn), Ok(mut last)) = (&begun, last.lock()) {
                *last = Some(Arc::clone(turn));
            }
            Done::Began(id, begun)
        };
        self.jobs.push(job.boxed());
        let turn = TurnSide {
            fate,
            from: Some(from),
            running: None,
            confirmed,
            answers: None,
            question: None,
            usage: None,
            before: Zeroizing::default(),
        };
        // It is not its fault when the turn before it takes its time.
        self.ahead = Some(reply.of_turn(turn, None));
    }

    /// The turn that waits for the client's tools is over; what they do is remembered.
    pub(super) fn drop_parked(&mut self) {
        if let Some(mut parked) = self.parked.take() {
            self.remember_running(parked.id);
            parked.stop();
            parked.settle(true, Instant::now());
        }
    }

    /// Where the model runs that will be asked: what it may be told of a customer depends on it.
    fn model_runs_at(&self, chosen: Option<&str>) -> Option<domain::model::Place> {
        let id = chosen.map(str::to_owned).or_else(|| self.house.default_model_for(&self.ctx))?;
        self.house.models_for(&self.ctx).into_iter().find(|model| model.id == id).map(|model| model.place)
    }

    pub(super) async fn turn_began(&mut self, id: ReplyId, begun: Result<Arc<Turn>, Error>) {
        let slot = [Slot::Speaks, Slot::Waits, Slot::Parked]
            .into_iter()
            .find(|slot| self.slot(*slot).as_ref().is_some_and(|reply| reply.id == id));
        match (slot, begun) {
            (Some(slot), Ok(turn)) => {
                if let Some(side) = self.slot(slot).as_mut().and_then(|reply| reply.turn.as_mut()) {
                    side.running = Some(turn);
                }
            }
            // It was taken back, or cut short, before it had begun.
            (None, Ok(turn)) => turn.stop.cancel(),
            (Some(slot), Err(error)) => {
                let busy =
                    matches!(error, Error::Busy { .. } | Error::UsedUp { .. } | Error::Answering { .. });
                let failure = if busy { Failure::Busy } else { Failure::Thinking };
                self.breaks_off(slot, failure).await;
            }
            (None, Err(_)) => (),
        }
    }

    /// The caller has finished, as was thought: what was made ahead counts.
    pub(super) async fn confirm(&mut self, marks: Marks) {
        let now = Instant::now();
        let Some(reply) = &mut self.ahead else { return };
        let made = reply.marks;
        // What was there before it was wanted took no time.
        let at = |mark: Option<Instant>| mark.map(|_| marks.over.unwrap_or(now));
        reply.marks =
            Marks { first_token: at(made.first_token), first_clause: at(made.first_clause), ..marks };
        let Some(turn) = &mut reply.turn else { return };
        turn.confirmed = true;
        turn.fate.send_replace(Fate::Confirmed);
        self.head = turn.question.or(self.head);
        let id = reply.id;
        self.queue.retain(|queued| queued.insists || matches!(queued.cause, Cause::Said | Cause::Staff));
        self.tell(Event::Thinking).await;
        self.run_held(id).await;
    }

    /// What was thought ahead is void: nothing of it is kept or heard, and tools that run for it run in vain.
    pub(super) async fn drop_ahead(&mut self) {
        let Some(mut reply) = self.ahead.take() else { return };
        enforced!(VOI07);
        reply.stop();
        reply.settle(true, Instant::now());
        if !reply.is_confirmed() {
            self.drop_rounds(reply.id).await;
        }
    }

    /// The reply ends where it is.
    pub(super) async fn cut_short(&mut self, how: ReplyEnd) {
        if self.reply.as_ref().is_none_or(|reply| reply.insists && how == ReplyEnd::Interrupted) {
            return;
        }
        let Some(mut reply) = self.reply.take() else { return };
        let now = Instant::now();
        reply.stop();
        self.reply_is_done(&reply, how, now).await;
        if reply.turn.is_some() {
            self.settle_last();
            self.last = Some((reply, now));
        } else {
            self.keep_words(&reply, now);
        }
        self.agent_is_silent();
    }

    /// The machine learns that nobody speaks or thinks on our side.
    pub(super) fn agent_is_silent(&mut self) {
        if self.reply.is_none() && self.ahead.is_none() {
            self.machine.hear(Sign::AgentEnded);
        }
    }

    /// What was heard of the last reply, when it was cut short, is what is kept of it.
    pub(super) fn settle_last(&mut self) {
        if let Some((mut reply, since)) = self.last.take() {
            enforced!(VOI07);
            reply.settle(true, since);
        }
    }

    /// An item has had its end, whether or not anything of it is kept.
    pub(super) fn knows(&mut self, item: ItemId) {
        if self.ended_items.len() < ENDED {
            self.ended_items.insert(item);
        }
    }

    async fn reply_is_done(&mut self, reply: &Reply, how: ReplyEnd, now: Instant) {
        self.knows(reply.item);
        let end = End {
            how,
            usage: reply.turn.as_ref().and_then(|turn| turn.usage),
            sent_ms: reply.played.sent_ms(),
            heard_ms: reply.played.heard_ms(now),
        };
        self.tell(Event::ReplyDone { reply: reply.id, item: reply.item, end }).await;
    }

    /// Keeps words that were given and not made, but for the engine's own.
    fn keep_words(&mut self, reply: &Reply, now: Instant) {
        let own = reply.insists || reply.cause == Cause::Engine;
        let (heard, _) = reply.played.heard(now);
        if !own && !heard.trim().is_empty() {
            self.keep(reply.item, Author::Assistant, heard);
        }
    }

    pub(super) async fn speaks(&mut self, next: Next) {
        let Some(reply) = &mut self.reply else { return };
        let (id, item) = (reply.id, reply.item);
        match next {
            Next::Turn(told) => self.told(Slot::Speaks, told).await,
            Next::Words(text) => {
                reply.played.begin(text.clone());
                if self.settings.as_ref().is_none_or(|settings| !settings.speaks) {
                    reply.played.end();
                }
                self.tell(Event::ReplyText { reply: id, item, text }).await;
            }
            Next::Sound(bytes) => {
                let stages = reply.latency(Instant::now());
                let first = reply.marks.speech_ended.take().is_some();
                if first {
                    self.tell(Event::Latency { reply: id, stages }).await;
                }
                self.tell(Event::ReplyAudio { reply: id, item, bytes }).await;
            }
            Next::Mute => self.breaks_off(Slot::Speaks, Failure::Speaking).await,
            Next::Heard => self.was_heard().await,
        }
    }

    pub(super) async fn waits(&mut self, next: Next) {
        if let Next::Turn(told) = next {
            self.told(Slot::Waits, told).await;
        }
    }

    pub(super) async fn parked(&mut self, next: Next) {
        if let Next::Turn(told) = next {
            self.told(Slot::Parked, told).await;
        }
    }

    /// All of the reply has been heard.
    async fn was_heard(&mut self) {
        let now = Instant::now();
        let Some(mut reply) = self.reply.take() else { return };
        let how = match reply.failure {
            Some(failure) => ReplyEnd::Failed(failure),
            None if reply.parks => ReplyEnd::WaitsForTools,
            None => ReplyEnd::Finished,
        };
        self.reply_is_done(&reply, how, now).await;
        if how == ReplyEnd::WaitsForTools {
            let id = reply.id;
            let turn = reply.hand_on(now);
            self.park(id, turn).await;
        } else if reply.turn.is_some() {
            reply.settle(false, now);
        } else {
            self.keep_words(&reply, now);
        }
        self.agent_is_silent();
    }

    /// A turn told something.
    async fn told(&mut self, slot: Slot, told: FromTurn) {
        let now = Instant::now();
        let Some(reply) = self.slot(slot) else { return };
        match told {
            FromTurn::Began { question, answers, answer } => {
                let (cause, item, confirmed) = (reply.cause, reply.item, reply.is_confirmed());
                reply.waits_for_words(true, now);
                if let Some(turn) = &mut reply.turn {
                    (turn.question, turn.answers) = (question, answers);
                }
                if let (Cause::Turn(item), Some(question)) = (cause, question) {
                    self.items.insert(item, question);
                }
                self.items.insert(item, answer);
                if confirmed {
                    self.head = question.or(self.head);
                }
            }
            FromTurn::Text(text) => reply.add(&text, now),
            FromTurn::Tools { calls, results } => self.tools_called(slot, calls, results).await,
            FromTurn::Made(made) => {
                if let Some(turn) = &mut reply.turn {
                    turn.usage = made.usage;
                }
                match made.ending {
                    Ending::Failed => self.breaks_off(slot, Failure::Thinking).await,
                    Ending::Complete | Ending::Length | Ending::Stopped => reply.end_words(now),
                }
            }
            FromTurn::NotKept => self.failed(Failure::Keeping).await,
        }
    }

    /// A reply breaks off, and says so.
    async fn breaks_off(&mut self, slot: Slot, failure: Failure) {
        enforced!(VOI05);
        let now = Instant::now();
        let Some(reply) = self.slot(slot) else { return };
        if reply.are_words_over() && failure != Failure::Speaking {
            return;
        }
        reply.failure = Some(failure);
        if let Some(running) = reply.turn.as_ref().and_then(|turn| turn.running.as_ref()) {
            running.stop.cancel();
        }
        let apology = match failure {
            Failure::Busy => lines::BUSY,
            _ if reply.has_words() => lines::BROKE_OFF,
            _ => lines::NO_ANSWER,
        };
        if failure != Failure::Speaking {
            reply.add(apology, now);
            reply.end_words(now);
            return self.failed(failure).await;
        }
        self.failed(failure).await;
        self.falls_silent().await;
    }

    /// There is no voice: a tone says so, and the reply ends.
    async fn falls_silent(&mut self) {
        let Some(mut reply) = self.reply.take() else { return };
        reply.stop();
        if let Some(bytes) = self.settings.as_ref().and_then(|settings| mouth::tone(settings.output)) {
            self.tell(Event::ReplyAudio { reply: reply.id, item: reply.item, bytes }).await;
        }
        let now = Instant::now();
        self.reply_is_done(&reply, ReplyEnd::Failed(Failure::Speaking), now).await;
        reply.settle(true, now);
        self.agent_is_silent();
        if reply.insists && reply.cause == Cause::Greeting {
            // Nobody is talked to who was not told that an AI speaks.
            enforced!(VOI06);
            self.over = Some(Why::Failed(Failure::Speaking));
        }
    }

    /// Replies that take too long are helped, or given up.
    pub(super) async fn look_at_replies(&mut self, now: Instant) {
        for slot in [Slot::Speaks, Slot::Waits] {
            match self.slot(slot).as_mut().and_then(|reply| reply.stalls(now)) {
                Some(Stall::Slow(first)) => {
                    let confirmed = self.slot(slot).as_ref().is_some_and(Reply::is_confirmed);
                    if let Some(reply) = self.slot(slot).as_mut().filter(|_| first && confirmed) {
                        reply.interject(lines::ONE_MOMENT, now);
                    }
                    if confirmed {
                        self.not_done(NotDone::SlowThinking, None).await;
                    }
                }
                Some(Stall::Over(failure)) => self.breaks_off(slot, failure).await,
                None => (),
            }
        }
    }

    /// The call ends once everything has been said.
    pub(super) fn ends_after_this(&mut self, why: Why) {
        self.ending.get_or_insert((why, Instant::now() + super::LAST_WORDS));
    }

    /// Goes on with the turn whose reply waits for the client's tools, when it has all results. Says whether it
    /// does; `None` when there is none.
    pub(super) async fn go_on_parked(&mut self, cause: Cause) -> Option<bool> {
        let id = self.parked.as_ref().map(|parked| parked.id)?;
        if !self.resolve(id) {
            return Some(false);
        }
        let turn = self.parked.take().and_then(|mut parked| parked.turn.take());
        if let Some(turn) = turn {
            self.ahead = Some(self.blank(cause).of_turn(turn, Some(Instant::now())));
        }
        Some(true)
    }

    /// A reply waits for the client's tools.
    async fn park(&mut self, id: ReplyId, turn: Option<TurnSide>) {
        let Some(turn) = turn else { return };
        let mut parked =
            Reply::new(id, ItemId::fresh(&self.ctx), Cause::Tools, None, CancellationToken::new());
        parked.turn = Some(turn);
        self.parked = Some(parked);
        if self.answers_by_itself(id) {
            self.go_on_parked(Cause::Tools).await;
        }
    }
}

/// Waits until the last turn of the call is over: its conversation can be changed then.
pub(super) async fn wait_for(last: &Lock<Option<Arc<Turn>>>) {
    let turn = last.lock().map(|turn| turn.clone()).unwrap_or_default();
    if let Some(turn) = turn {
        Arc::clone(&turn.transcript).watch(0).over().await;
    }
}
