//! What tools do: each call is run once, and its result reaches the model whether or not the reply that asked
//! for it is still being spoken.

use std::{sync::Arc, time::Duration};

use domain::{
    enforced,
    id::{MessageId, ReplyId, ToolCallId},
    model::{self, ToolCall},
    voice::{Cause, Event, Failure, Why},
};
use futures::FutureExt;
use tokio::{sync::oneshot, time::Instant};
use zeroize::Zeroizing;

use super::{Done, Reply, Session, turns::Slot};
use crate::{
    tools::{Effect, Tool, ToolResult},
    turn::{RESULT_BYTES, Ran, Round},
    voice::tools::{self, Whose},
};

/// How long a client may take for a tool.
const PATIENCE: Duration = Duration::from_secs(30);
/// What the model is told of a tool that runs while the caller has gone on,
const RUNS: &str = "The tool still runs; its result comes later.";
/// of a tool nobody has,
const NO_SUCH_TOOL: &str = "There is no tool of that name.";
/// and of one that gave no result.
const NO_RESULT: &str = "The tool gave no result in time.";

/// Tools that were called together, until all have their results.
pub(super) struct OpenRound {
    reply: ReplyId,
    answers: Option<MessageId>,
    calls: Vec<Open>,
    results: oneshot::Sender<Ran>,
    /// Whether the reply goes on without being asked to.
    by_itself: bool,
    since: Instant,
}

struct Open {
    id: ToolCallId,
    call: ToolCall,
    whose: Whose,
    state: State,
}

enum State {
    /// It waits until the turn is over for certain.
    Held,
    Running,
    Done(Zeroizing<String>),
}

impl OpenRound {
    fn is_done(&self) -> bool {
        self.calls.iter().all(|open| matches!(open.state, State::Done(_)))
    }

    pub(super) fn patience_ends(&self) -> Option<Instant> {
        let runs = self.calls.iter().any(|open| matches!(open.state, State::Running));
        runs.then(|| self.since + PATIENCE)
    }
}

impl Session {
    /// The model calls tools.
    pub(super) async fn tools_called(
        &mut self,
        slot: Slot,
        calls: Vec<ToolCall>,
        results: oneshot::Sender<Ran>,
    ) {
        let now = Instant::now();
        let desk = self.is_desk();
        let theirs = self.settings.as_ref().map(|settings| settings.tools.clone()).unwrap_or_default();
        let calls: Vec<Open> = calls
            .into_iter()
            .map(|call| Open {
                id: ToolCallId::fresh(&self.ctx),
                whose: tools::whose(&call, desk, &theirs),
                call,
                state: State::Held,
            })
            .collect();
        let client = calls.iter().any(|open| matches!(open.whose, Whose::Client { .. }));
        let Some(reply) = self.slot(slot) else { return };
        reply.flush(now);
        reply.waits_for_words(false, now);
        if client {
            reply.parks = true;
            reply.end_words(now);
        }
        let (id, confirmed) = (reply.id, reply.is_confirmed());
        let answers = reply.turn.as_ref().and_then(|turn| turn.answers);
        self.rounds.push(OpenRound { reply: id, answers, calls, results, by_itself: !client, since: now });
        self.begin_tools(id, confirmed).await;
    }

    /// The turn is over for certain: tools that waited for that run.
    pub(super) async fn run_held(&mut self, reply: ReplyId) {
        self.begin_tools(reply, true).await;
    }

    /// Runs what may run of a reply's tools.
    async fn begin_tools(&mut self, reply: ReplyId, confirmed: bool) {
        let Some(round) = self.rounds.iter_mut().find(|round| round.reply == reply) else { return };
        let (mut told, mut runs) = (Vec::new(), Vec::new());
        for open in round.calls.iter_mut().filter(|open| matches!(open.state, State::Held)) {
            let name = open.call.name.clone();
            match open.whose {
                Whose::Nobodys => open.state = State::Done(Zeroizing::new(NO_SUCH_TOOL.to_owned())),
                Whose::Own(tool) if tool.is_irreversible() && !confirmed => {
                    enforced!(VOI08);
                }
                Whose::Client { waits: true } if !confirmed => {
                    enforced!(VOI08);
                }
                Whose::Own(_) => {
                    open.state = State::Running;
                    runs.push((open.id, open.call.clone()));
                    let arguments = Zeroizing::default();
                    told.push(Event::ToolCall { reply, call: open.id, name, arguments, client: false });
                }
                Whose::Client { .. } => {
                    open.state = State::Running;
                    let arguments = Zeroizing::new(open.call.arguments.clone());
                    told.push(Event::ToolCall { reply, call: open.id, name, arguments, client: true });
                }
            }
        }
        round.since = Instant::now();
        for event in told {
            self.tell(event).await;
        }
        runs.into_iter().for_each(|(id, call)| self.run_own(id, call));
        self.perhaps_goes_on(reply).await;
    }

    /// Runs a tool of the desk, beside the call: once begun, no interruption stops it.
    fn run_own(&mut self, id: ToolCallId, call: ToolCall) {
        let (tools, ctx, caller) = (self.house.tools(), self.ctx.clone(), Arc::clone(&self.caller));
        // Under a name of its own: models use theirs again.
        let call = ToolCall { id: id.to_string(), ..call };
        let ran = self.house.0.tasks.spawn(async move {
            let mut caller = caller.lock().await;
            tools.run(&ctx, &mut caller, call).await
        });
        self.jobs.push(async move { Done::Ran(id, ran.await.ok()) }.boxed());
    }

    /// A tool of the desk ran.
    pub(super) async fn own_ran(&mut self, id: ToolCallId, result: Option<ToolResult>) {
        let (output, worked, effect) = match result {
            Some(result) => (Zeroizing::new(result.output), !result.failed, result.effect),
            None => (Zeroizing::new(NO_RESULT.to_owned()), false, None),
        };
        // Whoever holds the call decides how long it lasts.
        match effect.filter(|_| !self.is_held()) {
            Some(Effect::EndCall) => self.ends_after_this(Why::Agent),
            Some(Effect::HandOver { .. }) => self.ends_after_this(Why::HandedOver),
            None => (),
        }
        self.tool_ran(id, worked);
        self.has_result(id, output, false, worked).await;
    }

    /// Whether this is a call of that tool of ours.
    pub(super) fn is_call_of(&self, id: ToolCallId, tool: Tool) -> bool {
        let calls = self.rounds.iter().flat_map(|round| &round.calls);
        calls.into_iter().any(|open| open.id == id && open.whose == Whose::Own(tool))
    }

    /// The client's result of a tool. `false` when nobody waits for one.
    pub(super) async fn result_came(
        &mut self,
        id: ToolCallId,
        output: Zeroizing<String>,
        answer: bool,
    ) -> bool {
        if self.void_calls.remove(&id) {
            return true;
        }
        let client = |open: &Open| open.id == id && matches!(open.whose, Whose::Client { .. });
        if !self.rounds.iter().any(|round| round.calls.iter().any(client)) {
            return false;
        }
        self.has_result(id, output, answer, true).await
    }

    /// A tool that ran has its result. `false` when it had one before.
    async fn has_result(
        &mut self,
        id: ToolCallId,
        output: Zeroizing<String>,
        answer: bool,
        worked: bool,
    ) -> bool {
        let open = |open: &&mut Open| open.id == id && matches!(open.state, State::Running);
        let found = self.rounds.iter_mut().find_map(|round| {
            let (reply, by_itself) = (round.reply, &mut round.by_itself);
            let open = round.calls.iter_mut().find(open)?;
            Some((reply, by_itself, open))
        });
        let Some((reply, by_itself, open)) = found else { return false };
        enforced!(VOI08);
        *by_itself |= answer;
        open.state = State::Done(shortened(output));
        let name = open.call.name.clone();
        self.tell(Event::ToolDone { call: id, name, worked }).await;
        self.perhaps_goes_on(reply).await;
        true
    }

    /// Goes on with a reply whose tools have all their results.
    async fn perhaps_goes_on(&mut self, reply: ReplyId) {
        let Some(round) = self.rounds.iter().find(|round| round.reply == reply && round.is_done()) else {
            return;
        };
        let by_itself = round.by_itself;
        let of = |slot: &Option<Reply>| slot.as_ref().filter(|one| one.id == reply).map(|one| one.parks);
        match (of(&self.reply).or(of(&self.ahead)), of(&self.parked)) {
            // Its words are still being said: it goes on once they have been heard.
            (Some(true), _) => (),
            (Some(false), _) => drop(self.resolve(reply)),
            (None, Some(_)) if by_itself => drop(self.go_on_parked(Cause::Tools).await),
            (None, Some(_)) => (),
            // Interrupted long ago: what came of it is for later.
            (None, None) => drop(self.resolve(reply)),
        }
    }

    /// Whether a reply's tools have all their results, and it need not be asked to go on.
    pub(super) fn answers_by_itself(&self, reply: ReplyId) -> bool {
        self.rounds.iter().any(|round| round.reply == reply && round.is_done() && round.by_itself)
    }

    /// The model learns that tools still run whose reply is over.
    pub(super) fn remember_running(&mut self, reply: ReplyId) {
        for round in self.rounds.iter().filter(|round| round.reply == reply) {
            let key = round.calls.first().map(|open| open.id);
            let calls: Vec<_> = round.calls.iter().map(|open| open.call.clone()).collect();
            let result = |open: &Open| match &open.state {
                State::Done(result) => result.clone(),
                State::Held | State::Running => Zeroizing::new(RUNS.to_owned()),
            };
            let results = round.calls.iter().map(result).collect();
            self.memory.remember(Round { key, answers: round.answers, calls, results });
        }
    }

    /// Hands the results of a reply's tools to its turn, and remembers them. `false` while one is missing.
    pub(super) fn resolve(&mut self, reply: ReplyId) -> bool {
        let now = Instant::now();
        let Some(at) = self.rounds.iter().position(|round| round.reply == reply) else { return true };
        if !self.rounds[at].is_done() {
            return false;
        }
        let round = self.rounds.remove(at);
        let key = round.calls.first().map(|open| open.id);
        let (calls, results): (Vec<_>, Vec<_>) = round
            .calls
            .into_iter()
            .filter_map(|open| match open.state {
                State::Done(result) => Some((open.call, result)),
                State::Held | State::Running => None,
            })
            .unzip();
        self.memory.remember(Round { key, answers: round.answers, calls, results: results.clone() });
        // A turn that was cut short does not wait any more.
        drop(round.results.send(Ran { results, tools: self.offered() }));
        for slot in [&mut self.reply, &mut self.ahead] {
            if let Some(reply) = slot.as_mut().filter(|one| one.id == reply) {
                reply.waits_for_words(true, now);
                let before = reply.marks.tools.unwrap_or_default();
                reply.marks.tools = Some(before + now.saturating_duration_since(round.since));
            }
        }
        true
    }

    /// The tools that make sense now; `None` while that is being decided.
    fn offered(&self) -> Option<Vec<model::Tool>> {
        let (settings, caller) = (self.settings.as_ref()?, self.caller.try_lock().ok()?);
        Some(tools::offered(&self.house.tools(), self.is_desk(), &caller, &settings.tools))
    }

    /// What a reply that never was asked of tools is void.
    pub(super) async fn drop_rounds(&mut self, reply: ReplyId) {
        let gone: Vec<_> = self.rounds.extract_if(.., |round| round.reply == reply).collect();
        for open in gone.into_iter().flat_map(|round| round.calls) {
            if matches!(open.state, State::Running) {
                self.void_calls.insert(open.id);
                self.tell(Event::ToolCancelled { call: open.id, name: open.call.name }).await;
            }
        }
    }

    /// Tools whose client takes too long have no result.
    pub(super) async fn look_at_rounds(&mut self, now: Instant) {
        let late: Vec<_> = self
            .rounds
            .iter_mut()
            .filter(|round| round.patience_ends().is_some_and(|at| at <= now))
            .flat_map(|round| {
                round.by_itself = true;
                let reply = round.reply;
                round.calls.iter_mut().filter(|open| matches!(open.state, State::Running)).map(move |open| {
                    open.state = State::Done(Zeroizing::new(NO_RESULT.to_owned()));
                    (reply, open.id, open.call.name.clone())
                })
            })
            .collect();
        for (reply, call, name) in late {
            self.failed(Failure::Tool).await;
            self.tell(Event::ToolDone { call, name, worked: false }).await;
            self.perhaps_goes_on(reply).await;
        }
    }
}

/// A result no longer than a model is told.
fn shortened(mut output: Zeroizing<String>) -> Zeroizing<String> {
    let mut end = output.len().min(RESULT_BYTES);
    while !output.is_char_boundary(end) {
        end -= 1;
    }
    output.truncate(end);
    output
}
