//! The work of one turn: wait for the model, stream, run the tools it calls, keep the answer, end.
//!
//! Runs on the task tracker under the system's own rights. Invariant: whatever happens, the transcript
//! ends, and before it does the answer (whole, stopped or failed) is kept: in writing as it was shown, aloud as it
//! was heard, and not at all when the turn never was one.

use std::{sync::Arc, time::Duration};

use domain::{
    Clock,
    audit::{Act, Entry},
    chat::{Author, Body, Ending, Message},
    enforced,
    id::MessageId,
    model::{Delta, Finish, ModelFacts, Prompt, Readiness, ToolCall, ToolChoice, Usage},
};
use futures::StreamExt;
use providers::Answer;
use store::{conversations, messages};
use tokio::sync::{oneshot, watch};
use zeroize::Zeroizing;

use super::{
    Place, prompt,
    seats::{Seat, Turn},
    spoken::{self, Fate, FromTurn, Held, Made, Manner, Ran},
    transcript::Ended,
};
use crate::{
    Assistant, Error, MAX_ANSWER_BYTES,
    bounds::Charge,
    error::sentence,
    limits::{TURN_LASTS_S, WAITS_FOR_MISSING_S},
    rights::TurnRights,
};

/// How often a model that nobody announces is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// One turn's work, and all it needs.
pub(super) struct Work {
    pub(super) assistant: Assistant,
    pub(super) rights: TurnRights,
    pub(super) seat: Seat,
    pub(super) turn: Arc<Turn>,
    pub(super) place: Place,
    /// The message to be answered.
    pub(super) answers: Option<MessageId>,
    /// The id the answer will have.
    pub(super) answer: MessageId,
    pub(super) model: Option<ModelFacts>,
    pub(super) prompt: Option<Prompt>,
    /// In writing or aloud.
    pub(super) manner: Manner,
    /// The question, when it is a new one,
    pub(super) question: Option<MessageId>,
    /// and all of it while it is not kept yet.
    pub(super) held: Option<Held>,
    /// What was taken from the person's quota, when there is one.
    pub(super) charge: Option<Charge>,
    /// Bytes of text a model was given to read so far.
    pub(super) read: usize,
}

/// How the making of an answer came out.
#[derive(Debug, Default)]
struct Outcome {
    ending: Ending,
    error: Option<String>,
    usage: Option<Usage>,
}

impl Outcome {
    fn of(ending: Ending) -> Self {
        Self { ending, ..Self::default() }
    }

    fn failed(error: &impl std::fmt::Display) -> Self {
        Self { ending: Ending::Failed, error: Some(sentence(error)), usage: None }
    }

    /// The same after rounds of tools that used `before`.
    fn after(self, before: Option<Usage>) -> Self {
        Self { usage: sum(before, self.usage), ..self }
    }

    /// What a vendor's error means for the answer. One that was cancelled from our side is stopped.
    fn from_error(error: &providers::Error) -> Self {
        match error {
            providers::Error::Cancelled => Self::of(Ending::Stopped),
            error => Self::failed(error),
        }
    }
}

/// Ends the transcript even if the work is torn down half-way, so that no watcher waits for ever.
struct EndsAnyway {
    turn: Arc<Turn>,
    clock: Clock,
}

impl Drop for EndsAnyway {
    fn drop(&mut self) {
        let error = Some(sentence(&TORN_DOWN));
        self.turn.transcript.end(Ended { ending: Ending::Failed, error, at: self.clock.now() });
    }
}

impl Work {
    /// From the waiting model to the kept answer.
    pub(super) async fn run(mut self) {
        let _anyway = EndsAnyway { turn: Arc::clone(&self.turn), clock: self.rights.ctx.clock().clone() };
        let (question, answers, answer) = (self.question, self.answers, self.answer);
        self.tell(FromTurn::Began { question, answers, answer }).await;
        let keeping = self.keeps_question();
        let (mut outcome, was) = tokio::join!(self.make(), keeping);
        // An answer that was stopped or broke was read and written as far as it went; nobody counted it.
        let bytes = self.read + self.turn.transcript.text().len();
        let counts = !matches!(was, Ok(false));
        let came_to = Assistant::came_to(u64::from(counts), outcome.usage, bytes);
        self.assistant.settle(self.charge.take(), came_to).await;
        let kept = match was {
            Ok(true) => self.keep(&outcome).await,
            Ok(false) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = kept {
            self.tell(FromTurn::NotKept).await;
            outcome = Outcome::failed(&error);
        }
        let ended = self.ended(outcome);
        // The seat first: who hears of the end may ask the next question at once.
        drop(self.seat);
        self.turn.transcript.end(ended);
        if !counts {
            // It never was a turn: nobody can watch what was thought for it.
            self.assistant.0.seats.forget(|turn| turn.id == self.turn.id);
        }
    }

    fn ended(&self, outcome: Outcome) -> Ended {
        Ended { ending: outcome.ending, error: outcome.error, at: self.rights.ctx.now() }
    }

    /// Tells the call, when there is one.
    async fn tell(&self, what: FromTurn) {
        if let Manner::Spoken(spoken) = &self.manner {
            spoken.tell(what).await;
        }
    }

    /// Makes the answer and says when no more of it will come.
    async fn make(&mut self) -> Outcome {
        let outcome = self.answer().await;
        self.tell(FromTurn::Made(Made { ending: outcome.ending, usage: outcome.usage })).await;
        outcome
    }

    /// Waits and streams until the answer's end, the person's stop, or the limit of time.
    async fn answer(&mut self) -> Outcome {
        let Some(prompt) = self.prompt.take() else {
            return Outcome::failed(&NO_MODEL);
        };
        let stop = self.turn.stop.clone();
        let made = tokio::time::timeout(Duration::from_secs(TURN_LASTS_S), self.rounds(prompt));
        tokio::select! {
            biased;
            () = stop.cancelled() => Outcome::of(Ending::Stopped),
            made = made => made.unwrap_or_else(|_| Outcome::failed(&providers::Error::TimedOut)),
        }
    }

    /// Asks; has the tools run that the model calls, and asks again with their results, until it answers in
    /// words alone. After so many rounds it has to.
    async fn rounds(&mut self, mut prompt: Prompt) -> Outcome {
        let mut usage = None;
        for round in 0.. {
            if round == spoken::ROUNDS {
                prompt.tool_choice = ToolChoice::None;
            }
            let from = self.turn.transcript.text().len();
            let streamed = match self.first(&prompt).await {
                Ok(answer) => self.stream(answer).await,
                Err(outcome) => return outcome.after(usage),
            };
            if streamed.calls.is_empty() || round == spoken::ROUNDS {
                return streamed.outcome.after(usage);
            }
            usage = sum(usage, streamed.outcome.usage);
            let Some(Ran { results, tools }) = self.have_run(&streamed.calls).await else {
                return Outcome { usage, ..Outcome::of(Ending::Stopped) };
            };
            let said = self.turn.transcript.text().get(from..).unwrap_or_default().to_owned();
            prompt.lines.extend(spoken::exchange(said, &streamed.calls, &results));
            prompt.tools = tools.unwrap_or(prompt.tools);
            if let Some(model) = &self.model {
                prompt::fit(model, &mut prompt);
            }
            // It was to call one, and it did.
            prompt.tool_choice = match prompt.tool_choice {
                ToolChoice::Required | ToolChoice::Named(_) => ToolChoice::Auto,
                choice => choice,
            };
            if !self.turn.transcript.text().is_empty() {
                self.say(" ").await;
            }
        }
        Outcome::failed(&NO_WORDS)
    }

    /// Has the call run tools; `None` when it is over.
    async fn have_run(&self, calls: &[ToolCall]) -> Option<Ran> {
        let (results, done) = oneshot::channel();
        self.tell(FromTurn::Tools { calls: calls.to_vec(), results }).await;
        done.await.ok().filter(|ran| ran.results.len() == calls.len())
    }

    /// Asks, and asks again whenever a model that was not ready may have become so.
    async fn first(&mut self, prompt: &Prompt) -> Result<Answer, Outcome> {
        let bytes: usize = prompt.lines.iter().map(|line| line.text.len()).sum();
        let mut changes = self.assistant.0.providers.readiness();
        let since = self.rights.ctx.now();
        loop {
            changes.mark_unchanged();
            let stop = self.turn.stop.clone();
            self.read += bytes;
            let asked = self.assistant.0.providers.answer(&self.rights.asks, prompt.clone(), stop).await;
            let readiness = match asked {
                Ok(answer) => return Ok(answer),
                Err(error) => {
                    self.read -= bytes;
                    match error {
                        providers::Error::NotReady(readiness) => readiness,
                        error => return Err(Outcome::from_error(&error)),
                    }
                }
            };
            let waited = self.rights.ctx.now().seconds_since(since);
            let hopeless = match &readiness {
                Readiness::Failed { .. } => true,
                Readiness::Missing { .. } => waited >= WAITS_FOR_MISSING_S,
                Readiness::Fetching { .. } | Readiness::Loading | Readiness::Ready => false,
            };
            if hopeless {
                return Err(Outcome::failed(&providers::Error::NotReady(readiness)));
            }
            self.turn.transcript.wait_for(readiness);
            tokio::select! {
                Ok(()) = changes.changed() => (),
                () = tokio::time::sleep(LOOK_EVERY) => (),
            }
        }
    }

    /// Takes the answer piece by piece until its end or until it is too long.
    async fn stream(&self, mut answer: Answer) -> Streamed {
        let mut calls: Vec<ToolCall> = Vec::new();
        while let Some(piece) = answer.next().await {
            match piece {
                Ok(Delta::Text(text)) => {
                    if !self.say(&text).await {
                        enforced!(MOD03);
                        return Outcome::of(Ending::Length).into();
                    }
                }
                Ok(Delta::ToolCall(call)) => {
                    // In writing no tools are offered: a model that calls one anyway has nothing to call. Aloud,
                    // a call is made once, however often it is repeated.
                    let offered =
                        matches!(&self.manner, Manner::Spoken(spoken) if !spoken.offer.tools.is_empty());
                    let again = calls.iter().any(|earlier| earlier.id == call.id);
                    if offered && !again && calls.len() < spoken::CALLS {
                        calls.push(call);
                    }
                }
                Ok(Delta::Done { finish, usage }) if calls.is_empty() => {
                    return self.done(finish, usage).into();
                }
                Ok(Delta::Done { usage, .. }) => {
                    return Streamed { outcome: Outcome { usage: Some(usage), ..Outcome::default() }, calls };
                }
                Err(error) => return Outcome::from_error(&error).into(),
            }
        }
        Outcome::failed(&providers::Error::Broke).into()
    }

    /// Adds text to the answer, as much as fits; `false` when not all of it did.
    async fn say(&self, text: &str) -> bool {
        let fits = self.turn.transcript.push(text, MAX_ANSWER_BYTES);
        if matches!(self.manner, Manner::Spoken(_)) {
            self.tell(FromTurn::Text(Zeroizing::new(text.to_owned()))).await;
        }
        fits
    }

    fn done(&self, finish: Finish, usage: Usage) -> Outcome {
        let outcome = match finish {
            Finish::ContentFilter => Outcome::failed(&FILTERED),
            Finish::Length => Outcome::of(Ending::Length),
            Finish::Stop | Finish::ToolCalls if self.turn.transcript.text().trim().is_empty() => {
                Outcome::failed(&NO_WORDS)
            }
            Finish::Stop | Finish::ToolCalls => Outcome::of(Ending::Complete),
        };
        Outcome { usage: Some(usage), ..outcome }
    }

    /// Keeps a question that was held, once its turn is over for certain. Says whether there was a turn at all.
    fn keeps_question(&mut self) -> impl Future<Output = Result<bool, Error>> + Send + use<> {
        let fate = match &self.manner {
            Manner::Written => None,
            Manner::Spoken(spoken) => Some(spoken.fate.clone()),
        };
        let (held, place, person) = (self.held.take(), self.place, self.turn.person);
        let (assistant, rights) = (self.assistant.clone(), self.rights.clone());
        async move {
            let Some(fate) = fate else { return Ok(true) };
            if !is_confirmed(fate).await {
                return Ok(false);
            }
            let Some(Held { question, title }) = held else { return Ok(true) };
            match place {
                Place::Kept(id) => {
                    let mut tx = assistant.0.store.begin(&rights.ctx).await?;
                    messages::append(&mut tx, &rights.writes, id, &question).await?;
                    if let Some(title) = title {
                        conversations::rename(&mut tx, &rights.writes, id, &title).await?;
                    }
                    tx.commit(Entry::new(Act::MessageWritten, question.id)).await?;
                }
                Place::Temporary(id) => {
                    // What was asked aloud in a temporary chat: memory, no transaction.
                    enforced!(DAT03);
                    assistant.0.temporary.append(person, id, question, rights.ctx.now())?;
                }
            }
            Ok(true)
        }
    }

    /// Keeps the answer: in writing as it was shown, however it ended; aloud as it was heard.
    async fn keep(&mut self, outcome: &Outcome) -> Result<(), Error> {
        let mut ending = outcome.ending;
        let text = match &mut self.manner {
            Manner::Written => self.turn.transcript.text(),
            Manner::Spoken(spoken) => {
                let (text, cut) = spoken.heard().await;
                if text.is_empty() {
                    return Ok(());
                }
                if cut {
                    ending = Ending::Stopped;
                }
                Zeroizing::new(text.to_string())
            }
        };
        let model = self.model.as_ref();
        let body = Body {
            text: text.to_string(),
            ending,
            model: model.map(|model| model.id.clone()),
            place: model.map(|model| model.place.to_string()),
            usage: outcome.usage,
        };
        let (ctx, author) = (&self.rights.ctx, Author::Assistant);
        let message = Message { id: self.answer, parent: self.answers, author, body, at: ctx.now() };
        match self.place {
            Place::Kept(conversation) => {
                let mut tx = self.assistant.0.store.begin(ctx).await?;
                messages::append(&mut tx, &self.rights.writes, conversation, &message).await?;
                Ok(tx.commit(Entry::new(Act::MessageWritten, message.id)).await?)
            }
            Place::Temporary(chat) => {
                // The answer's half of the same promise: memory, no transaction.
                enforced!(DAT03);
                self.assistant.0.temporary.append(self.turn.person, chat, message, ctx.now())
            }
        }
    }
}

/// What came of asking once.
struct Streamed {
    outcome: Outcome,
    /// The tools that are to be run before it can go on.
    calls: Vec<ToolCall>,
}

impl From<Outcome> for Streamed {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, calls: Vec::new() }
    }
}

/// Waits until it is certain whether there was a turn.
async fn is_confirmed(mut fate: watch::Receiver<Fate>) -> bool {
    let settled = fate.wait_for(|fate| !matches!(fate, Fate::Open)).await;
    settled.is_ok_and(|fate| !matches!(*fate, Fate::Void))
}

fn sum(one: Option<Usage>, other: Option<Usage>) -> Option<Usage> {
    match (one, other) {
        (Some(one), Some(other)) => Some(Usage {
            prompt_tokens: one.prompt_tokens.saturating_add(other.prompt_tokens),
            completion_tokens: one.completion_tokens.saturating_add(other.completion_tokens),
        }),
        (one, other) => one.or(other),
    }
}

const NO_MODEL: &str =
    "no model is configured: turn the local model on, or add an endpoint to the configuration";
const FILTERED: &str = "the model's vendor withheld this answer";
const TORN_DOWN: &str = "the answer broke off inside Troth; try again";
const NO_WORDS: &str = "the model answered without a word; try again";
