//! What programs ask for with an API key: completions and embeddings, without a conversation.
//!
//! Nothing of it is kept. Bounded for each person and in all; dropping a [`Completion`] cancels the
//! model.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use domain::{
    Ctx, enforced,
    id::UserId,
    model::{Delta, Finish, ModelFacts, Prompt, Usage},
};
use futures::{Stream, StreamExt};
use providers::Answer;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{Assistant, Error, MAX_ANSWER_BYTES, bounds::Charge, rights};

/// What a refused program is told to wait, in seconds.
const RETRY_AFTER_S: u32 = 2;

impl Assistant {
    /// What can make embeddings.
    #[must_use]
    pub fn embedding_models(&self) -> Vec<ModelFacts> {
        self.0.providers.embedding_models()
    }

    /// Asks a model what a program wants to know.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::Busy`], [`Error::UnknownModel`], [`Error::UsedUp`], [`Error::Model`].
    pub async fn complete(&self, ctx: &Ctx, prompt: Prompt) -> Result<Completion, Error> {
        let permit = rights::asks(ctx)?;
        self.may_ask_model(ctx, &prompt.model)?;
        let pass = self.0.programs.enter(rights::person(ctx)?)?;
        let bytes = prompt.lines.iter().map(|line| line.text.len()).sum();
        let charge = self.charge(ctx, 1, bytes).await?;
        let cancel = CancellationToken::new();
        let answer = match self.0.providers.answer(&permit, prompt, cancel.clone()).await {
            Ok(answer) => answer,
            Err(refused) => {
                self.give_back(charge).await;
                return Err(refused.into());
            }
        };
        Ok(Completion {
            answer,
            room: MAX_ANSWER_BYTES,
            ended: false,
            bill: charge.map(|charge| Bill { assistant: self.clone(), charge, usage: None, bytes }),
            _cancel: cancel.drop_guard(),
            _pass: pass,
        })
    }

    /// One vector for each of `inputs`.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::Busy`], [`Error::UnknownModel`], [`Error::UsedUp`], [`Error::Model`].
    pub async fn embed(
        &self,
        ctx: &Ctx,
        model: &str,
        inputs: Vec<String>,
    ) -> Result<(Vec<Vec<f32>>, Usage), Error> {
        let permit = rights::embeds(ctx)?;
        self.may_ask_model(ctx, model)?;
        let _pass = self.0.programs.enter(rights::person(ctx)?)?;
        let bytes = inputs.iter().map(String::len).sum();
        let charge = self.charge(ctx, 0, bytes).await?;
        match self.0.providers.embed(&permit, model, inputs).await {
            Ok((vectors, usage)) => {
                self.settle(charge, Self::came_to(0, Some(usage), bytes)).await;
                Ok((vectors, usage))
            }
            Err(refused) => {
                self.give_back(charge).await;
                Err(refused.into())
            }
        }
    }
}

/// An answer to a program, as it comes. The last item is [`Delta::Done`] or an error.
#[must_use = "dropping it cancels the model"]
pub struct Completion {
    answer: Answer,
    /// Bytes that may still come.
    room: usize,
    ended: bool,
    bill: Option<Bill>,
    _cancel: DropGuard,
    _pass: Pass,
}

/// What a program with a quota is to be charged once its answer has ended, or was left.
struct Bill {
    assistant: Assistant,
    charge: Charge,
    usage: Option<Usage>,
    /// Text of question and answer so far.
    bytes: usize,
}

impl Drop for Completion {
    fn drop(&mut self) {
        let Some(Bill { assistant, charge, usage, bytes }) = self.bill.take() else { return };
        // Outside a runtime nobody can settle; then it stays as estimated.
        if tokio::runtime::Handle::try_current().is_ok() {
            let came_to = Assistant::came_to(1, usage, bytes);
            let tasks = assistant.0.tasks.clone();
            tasks.spawn(async move { assistant.settle(Some(charge), came_to).await });
        }
    }
}

impl Stream for Completion {
    type Item = Result<Delta, providers::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let polled = std::task::ready!(self.answer.poll_next_unpin(cx));
        let item = match polled {
            Some(Ok(delta)) => {
                let size = size(&delta);
                if let Some(bill) = &mut self.bill {
                    bill.bytes += size;
                    if let Delta::Done { usage, .. } = &delta {
                        bill.usage = Some(*usage);
                    }
                }
                if size > self.room {
                    enforced!(MOD03);
                    Ok(Delta::Done { finish: Finish::Length, usage: Usage::default() })
                } else {
                    self.room -= size;
                    Ok(delta)
                }
            }
            Some(Err(error)) => Err(error),
            None => Err(providers::Error::Broke),
        };
        self.ended = matches!(item, Ok(Delta::Done { .. }) | Err(_));
        Poll::Ready(Some(item))
    }
}

/// Bytes of what the model wrote in this step.
fn size(delta: &Delta) -> usize {
    match delta {
        Delta::Text(text) => text.len(),
        Delta::ToolCall(call) => call.id.len() + call.name.len() + call.arguments.len(),
        Delta::Done { .. } => 0,
    }
}

/// Counts the programs that are being answered.
pub(crate) struct Gate {
    /// Most in all, and of one person.
    most: usize,
    most_each: usize,
    inside: Arc<Mutex<HashMap<UserId, usize>>>,
}

impl Gate {
    pub(crate) fn new(most: usize, most_each: usize) -> Self {
        Self { most, most_each, inside: Arc::default() }
    }

    /// Lets one more in.
    ///
    /// # Errors
    /// [`Error::Busy`] when there are too many, of this person or in all.
    pub(crate) fn enter(&self, person: UserId) -> Result<Pass, Error> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = inside.values().sum();
        let own = inside.get(&person).copied().unwrap_or(0);
        if all >= self.most || own >= self.most_each {
            return Err(Error::Busy { retry_after_s: RETRY_AFTER_S });
        }
        inside.insert(person, own + 1);
        Ok(Pass { person, inside: Arc::clone(&self.inside) })
    }
}

/// One place inside the [`Gate`], given back on drop.
pub(crate) struct Pass {
    person: UserId,
    inside: Arc<Mutex<HashMap<UserId, usize>>>,
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let left = inside.get(&self.person).map_or(0, |count| count.saturating_sub(1));
        match left {
            0 => inside.remove(&self.person),
            left => inside.insert(self.person, left),
        };
    }
}
