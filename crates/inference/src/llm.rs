//! A loaded language model: the one door through which text is asked for.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::answer::Answering;
use crate::gguf::Gguf;
use crate::model::Model;
use crate::prefix::Prefixes;
use crate::tokens::Tokens;
use crate::{Error, Finish, Request, Step, Summary, prompt};

/// Tokens of a prompt computed at once; between batches the caller may cancel.
const BATCH: usize = 128;

/// How to load a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadOptions {
    /// Most tokens of prompt and answer together; the model's own limit if that is lower.
    pub context_tokens: u32,
    /// Most bytes kept of earlier conversations, so that their next turn starts at once.
    pub cache_bytes: u64,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self { context_tokens: 8_192, cache_bytes: 512 << 20 }
    }
}

/// A loaded language model. Shareable; requests are answered one after the other.
///
/// It computes on as many threads as the machine has cores (`CANDLE_NUM_THREADS` in the environment says otherwise).
pub struct Llm {
    tokens: Tokens,
    model: Model,
    context: usize,
    /// Also keeps two requests from competing for the same cores.
    prefixes: Mutex<Prefixes>,
}

impl std::fmt::Debug for Llm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Llm").field("context", &self.context).finish_non_exhaustive()
    }
}

impl Llm {
    /// Reads a GGUF file (Qwen2 or Llama architecture, ChatML vocabulary).
    ///
    /// Takes seconds. The file is not verified against any hash; do that before.
    ///
    /// # Errors
    /// [`Error::Unreadable`], [`Error::NotAModel`], [`Error::CutShort`] or [`Error::Unsupported`].
    pub fn load(path: &Path, options: &LoadOptions) -> Result<Self, Error> {
        let started = Instant::now();
        let mut gguf = Gguf::open(path)?;
        let tokens = Tokens::read(&gguf)?;
        let model = Model::read(&mut gguf)?;
        let context = model.context_tokens().min(options.context_tokens as usize);
        let most_bytes = usize::try_from(options.cache_bytes).unwrap_or(usize::MAX);
        let llm = Self { tokens, model, context, prefixes: Mutex::new(Prefixes::new(most_bytes)) };
        tracing::info!(seconds = started.elapsed().as_secs_f32(), context, "language model loaded");
        Ok(llm)
    }

    /// Most tokens of prompt and answer together.
    pub fn context_tokens(&self) -> u32 {
        u32::try_from(self.context).unwrap_or(u32::MAX)
    }

    /// Answers `request`, handing each step to `out` until it breaks off; `cancel` is asked between tokens and
    /// between batches of the prompt. Waits while another request is answered.
    ///
    /// # Errors
    /// [`Error::TooLong`], [`Error::BadRequest`] or [`Error::Broken`].
    pub fn answer(
        &self,
        request: &Request,
        cancel: &dyn Fn() -> bool,
        out: &mut dyn FnMut(Step) -> ControlFlow<()>,
    ) -> Result<Summary, Error> {
        let prompt = prompt::build(&self.tokens, request, self.context)?;
        let length = prompt.tokens.len();
        let mut prefixes = self.prefixes.lock().unwrap_or_else(PoisonError::into_inner);
        let started = Instant::now();
        let mut summary = Summary {
            finish: Finish::Cancelled,
            prompt_tokens: count(length),
            reused_tokens: 0,
            completion_tokens: 0,
            dropped_turns: count(prompt.dropped),
            first_token: started.elapsed(),
            decoding: started.elapsed(),
        };

        let mut sequence = prefixes.take(&self.model, &prompt.tokens);
        summary.reused_tokens = count(sequence.len());
        let mut scores = Vec::new();
        for batch in prompt.tokens[sequence.len()..].chunks(BATCH) {
            if cancel() {
                prefixes.put(sequence);
                return Ok(summary);
            }
            scores = self.model.extend(&mut sequence, batch)?;
        }
        summary.first_token = started.elapsed();

        let room = self.context.saturating_sub(length);
        let limit = request.max_tokens.map_or(room, |most| room.min(most as usize));
        let mut answering = Answering::new(&self.tokens, &self.model, request, sequence, limit)?;
        summary.finish = answering.run(scores, cancel, out)?;
        summary.completion_tokens = count(answering.produced());
        summary.decoding = started.elapsed().saturating_sub(summary.first_token);
        prefixes.put(answering.into_sequence());
        Ok(summary)
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
