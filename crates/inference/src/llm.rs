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

/// Instructions if the request has none, for Qwen models (from their own template) and for others.
const QWEN: &str = "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.";
const ANYBODY: &str = "You are a helpful assistant.";

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
    /// What the model was taught to be told when nobody instructs it.
    instructions: &'static str,
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
        let template = gguf.text("tokenizer.chat_template").unwrap_or_default();
        let instructions = if template.contains(QWEN) { QWEN } else { ANYBODY };
        let context = model.context_tokens().min(options.context_tokens as usize);
        let most_bytes = usize::try_from(options.cache_bytes).unwrap_or(usize::MAX);
        let prefixes = Mutex::new(Prefixes::new(most_bytes));
        let llm = Self { tokens, model, context, instructions, prefixes };
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
        let prompt = prompt::build(&self.tokens, request, self.instructions, self.context)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tiny;
    use crate::{Call, Role, Tool, ToolChoice, Turn};
    use serde_json::json;

    fn model(style: tiny::Style) -> Llm {
        let folder = tempfile::tempdir().unwrap();
        Llm::load(&tiny::write(folder.path(), style), &LoadOptions::default()).unwrap()
    }

    fn ask(text: &str) -> Request {
        Request { max_tokens: Some(20), ..Request::new(vec![Turn::new(Role::User, text)]) }
    }

    fn answer(model: &Llm, request: &Request) -> (String, Vec<Call>, Summary) {
        let (mut text, mut calls) = (String::new(), Vec::new());
        let summary = model.answer(request, &|| false, &mut |step| {
            match step {
                Step::Text(more) => text.push_str(&more),
                Step::Call(call) => calls.push(call),
            }
            ControlFlow::Continue(())
        });
        (text, calls, summary.unwrap())
    }

    #[test]
    fn greedy_answers_repeat_and_the_second_prompt_is_warm() {
        for style in [tiny::Style::Qwen, tiny::Style::Llama] {
            let model = model(style);
            let (first, _, cold) = answer(&model, &ask("hello there"));
            let (second, _, warm) = answer(&model, &ask("hello there"));
            assert_eq!(first, second);
            assert_eq!((cold.reused_tokens, warm.reused_tokens), (0, warm.prompt_tokens - 1));
            assert!(cold.completion_tokens <= 20);
        }
    }

    #[test]
    fn the_limit_of_tokens_holds() {
        let model = model(tiny::Style::Qwen);
        for most in [0, 1, 5] {
            let request = Request { max_tokens: Some(most), ..ask("hello") };
            let (_, _, summary) = answer(&model, &request);
            assert!(summary.completion_tokens <= most);
        }
    }

    #[test]
    fn a_cancelled_prompt_is_not_computed_to_the_end() {
        let model = model(tiny::Style::Qwen);
        let asked = std::cell::Cell::new(0);
        let cancel = || asked.replace(asked.get() + 1) == 2;
        let summary =
            model.answer(&ask(&"ab ".repeat(400)), &cancel, &mut |_| ControlFlow::Continue(())).unwrap();
        assert_eq!((summary.finish, summary.completion_tokens), (Finish::Cancelled, 0));
        assert_eq!(asked.get(), 3);
        // What was computed before is kept for the next try.
        let (_, _, again) = answer(&model, &ask(&"ab ".repeat(400)));
        assert_eq!(again.reused_tokens, 2 * 128);
    }

    #[test]
    fn a_listener_that_leaves_ends_the_answer() {
        let model = model(tiny::Style::Qwen);
        let request = Request { temperature: 1.0, seed: 3, max_tokens: Some(200), ..ask("hello") };
        let mut steps = 0;
        let summary = model.answer(&request, &|| false, &mut |_| {
            steps += 1;
            ControlFlow::Break(())
        });
        assert_eq!((summary.unwrap().finish, steps), (Finish::Cancelled, 1));
    }

    #[test]
    fn a_stop_text_ends_the_answer_before_it() {
        let model = model(tiny::Style::Qwen);
        let request = Request { temperature: 1.0, seed: 5, max_tokens: Some(60), ..ask("hello") };
        let (whole, _, _) = answer(&model, &request);
        let stop: String = whole.chars().skip(4).take(3).collect();
        let (text, _, summary) = answer(&model, &Request { stop: vec![stop.clone()], ..request });
        assert_eq!((text.as_str(), summary.finish), (&whole[..whole.find(&stop).unwrap()], Finish::Stop));
    }

    #[test]
    fn even_a_random_model_calls_tools_correctly() {
        let model = model(tiny::Style::Qwen);
        let parameters = json!({"type": "object", "properties": {"unit": {"enum": ["C", "F"]}, "days": {"type": "array", "items": {"type": "boolean"}, "maxItems": 3}}, "required": ["unit", "days"]});
        let tool =
            |name: &str| Tool { name: name.into(), description: "x".into(), parameters: parameters.clone() };
        for choice in [ToolChoice::Required, ToolChoice::Named("b".into())] {
            let request = Request {
                tools: vec![tool("a"), tool("b")],
                tool_choice: choice.clone(),
                max_tokens: Some(400),
                ..ask("hello")
            };
            let (text, calls, summary) = answer(&model, &request);
            assert_eq!((text.as_str(), summary.finish, calls.len()), ("", Finish::ToolCalls, 1));
            assert!(choice == ToolChoice::Required || calls[0].name == "b");
            let arguments: serde_json::Value = serde_json::from_str(&calls[0].arguments).unwrap();
            assert!(arguments["unit"] == "C" || arguments["unit"] == "F");
            assert!(arguments["days"].as_array().unwrap().iter().all(serde_json::Value::is_boolean));
        }
    }

    #[test]
    fn a_call_that_does_not_fit_is_not_made() {
        let model = model(tiny::Style::Qwen);
        let parameters = json!({"type": "object", "properties": {"a": {"type": "string", "minLength": 90}}, "required": ["a"]});
        let tool = Tool { name: "t".into(), description: String::new(), parameters };
        let request = Request {
            tools: vec![tool],
            tool_choice: ToolChoice::Required,
            max_tokens: Some(60),
            ..ask("hello")
        };
        let (_, calls, summary) = answer(&model, &request);
        assert_eq!((calls.len(), summary.finish), (0, Finish::Length));
    }

    #[test]
    fn the_smaller_context_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = tiny::write(folder.path(), tiny::Style::Qwen);
        let options = LoadOptions { context_tokens: 256, ..LoadOptions::default() };
        let model = Llm::load(&path, &options).unwrap();
        assert_eq!(model.context_tokens(), 256);
        let (_, _, summary) = answer(&model, &Request { max_tokens: None, temperature: 1.0, ..ask("a") });
        assert!(summary.prompt_tokens + summary.completion_tokens <= 256);
        let error = model.answer(&ask(&"long ".repeat(60)), &|| false, &mut |_| ControlFlow::Continue(()));
        assert!(matches!(error, Err(Error::TooLong { .. })));
    }
}
