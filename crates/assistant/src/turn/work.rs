//! The work of one turn after its question was kept: wait for the model, stream, keep the answer, end.
//!
//! Runs on the task tracker under the system's own rights. Invariant: whatever happens, the transcript
//! ends, and before it does the answer (whole, stopped or failed) is kept.

use std::{sync::Arc, time::Duration};

use domain::{
    Clock,
    audit::{Act, Entry},
    chat::{Author, Body, Ending, Message},
    enforced,
    id::MessageId,
    model::{Delta, Finish, ModelFacts, Prompt, Readiness, Usage},
};
use futures::StreamExt;
use providers::Answer;
use store::messages;

use super::{
    Place,
    seats::{Seat, Turn},
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
        let outcome = self.answer().await;
        // An answer that was stopped or broke was read and written as far as it went; nobody counted it.
        let bytes = self.read + self.turn.transcript.text().len();
        let came_to = Assistant::came_to(1, outcome.usage, bytes);
        self.assistant.settle(self.charge.take(), came_to).await;
        let ended = match self.keep(&outcome).await {
            Ok(()) => self.ended(outcome),
            Err(error) => self.ended(Outcome::failed(&error)),
        };
        // The seat first: who hears of the end may ask the next question at once.
        drop(self.seat);
        self.turn.transcript.end(ended);
    }

    fn ended(&self, outcome: Outcome) -> Ended {
        Ended { ending: outcome.ending, error: outcome.error, at: self.rights.ctx.now() }
    }

    /// Waits and streams until the answer's end, the person's stop, or the limit of time.
    async fn answer(&mut self) -> Outcome {
        let Some(prompt) = self.prompt.take() else {
            return Outcome::failed(&NO_MODEL);
        };
        let stop = self.turn.stop.clone();
        let made = tokio::time::timeout(Duration::from_secs(TURN_LASTS_S), async {
            match self.first(prompt).await {
                Ok(answer) => self.stream(answer).await,
                Err(outcome) => outcome,
            }
        });
        tokio::select! {
            biased;
            () = stop.cancelled() => Outcome::of(Ending::Stopped),
            made = made => made.unwrap_or_else(|_| Outcome::failed(&providers::Error::TimedOut)),
        }
    }

    /// Asks, and asks again whenever a model that was not ready may have become so.
    async fn first(&mut self, prompt: Prompt) -> Result<Answer, Outcome> {
        let bytes = prompt.lines.iter().map(|line| line.text.len()).sum();
        let mut changes = self.assistant.0.providers.readiness();
        let since = self.rights.ctx.now();
        loop {
            changes.mark_unchanged();
            let stop = self.turn.stop.clone();
            self.read = bytes;
            let asked = self.assistant.0.providers.answer(&self.rights.asks, prompt.clone(), stop).await;
            let readiness = match asked {
                Ok(answer) => return Ok(answer),
                Err(error) => {
                    self.read = 0;
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
    async fn stream(&self, mut answer: Answer) -> Outcome {
        let transcript = &self.turn.transcript;
        while let Some(piece) = answer.next().await {
            match piece {
                Ok(Delta::Text(text)) => {
                    if !transcript.push(&text, MAX_ANSWER_BYTES) {
                        enforced!(MOD03);
                        return Outcome::of(Ending::Length);
                    }
                }
                // No tools are offered here: a model that calls one anyway has nothing to call.
                Ok(Delta::ToolCall(_)) => (),
                Ok(Delta::Done { finish, usage }) => return self.done(finish, usage),
                Err(error) => return Outcome::from_error(&error),
            }
        }
        Outcome::failed(&providers::Error::Broke)
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

    /// Keeps the answer as it was shown, however it ended.
    async fn keep(&self, outcome: &Outcome) -> Result<(), Error> {
        let model = self.model.as_ref();
        let body = Body {
            text: self.turn.transcript.text().to_string(),
            ending: outcome.ending,
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

const NO_MODEL: &str =
    "no model is configured: turn the local model on, or add an endpoint to the configuration";
const FILTERED: &str = "the model's vendor withheld this answer";
const TORN_DOWN: &str = "the answer broke off inside Troth; try again";
const NO_WORDS: &str = "the model answered without a word; try again";
