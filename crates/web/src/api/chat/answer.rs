//! What goes out: a completion, or the chunks of one, as OpenAI's clients read them.

use domain::{
    Ctx,
    model::{Finish, ToolCall, Usage},
};
use serde::Serialize;
use utoipa::ToSchema;

/// A whole answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Completion {
    id: String,
    /// Always `chat.completion`.
    object: &'static str,
    /// Unix seconds.
    created: i64,
    model: String,
    /// Always one.
    choices: Vec<Choice>,
    usage: Tokens,
}

/// The answer itself.
#[derive(Debug, Serialize, ToSchema)]
struct Choice {
    index: u32,
    message: Answer,
    #[schema(value_type = Option<Object>)]
    logprobs: (),
    finish_reason: &'static str,
}

/// What the model said.
#[derive(Debug, Serialize, ToSchema)]
struct Answer {
    /// Always `assistant`.
    role: &'static str,
    /// The text; null when there are only tool calls.
    content: Option<String>,
    #[schema(value_type = Option<String>)]
    refusal: (),
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Call>,
}

/// A tool call.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Call {
    /// Which of the calls; in chunks alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u32>,
    id: String,
    /// Always `function`.
    r#type: &'static str,
    function: Function,
}

/// Which function, with which arguments.
#[derive(Debug, Serialize, ToSchema)]
struct Function {
    name: String,
    /// JSON text.
    arguments: String,
}

/// Tokens counted; estimated where the vendor does not say.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Tokens {
    prompt_tokens: u32,
    completion_tokens: u32,
    total_tokens: u32,
}

/// A piece of a streamed answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Chunk {
    id: String,
    /// Always `chat.completion.chunk`.
    object: &'static str,
    /// Unix seconds.
    created: i64,
    model: String,
    /// One; none in the chunk that tells the usage.
    choices: Vec<ChunkChoice>,
    /// Only when asked for with `stream_options.include_usage`; null in all chunks but the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Option<Tokens>>,
}

/// What is new in a chunk.
#[derive(Debug, Serialize, ToSchema)]
struct ChunkChoice {
    index: u32,
    delta: Piece,
    #[schema(value_type = Option<Object>)]
    logprobs: (),
    finish_reason: Option<&'static str>,
}

/// A piece of what the model says.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct Piece {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Call>,
}

impl Piece {
    /// The first piece: who speaks.
    pub(super) fn first() -> Self {
        Self { role: Some("assistant"), content: Some(String::new()), tool_calls: Vec::new() }
    }

    /// More text.
    pub(super) fn text(text: String) -> Self {
        Self { content: Some(text), ..Self::default() }
    }

    /// A whole tool call, the `index`th.
    pub(super) fn call(index: u32, call: ToolCall) -> Self {
        Self { tool_calls: vec![Call { index: Some(index), ..Call::from(call) }], ..Self::default() }
    }
}

/// What gathers until an answer is whole.
#[derive(Default)]
pub(super) struct Completed {
    pub(super) text: String,
    pub(super) tool_calls: Vec<ToolCall>,
}

/// What is the same in all parts of one answer.
#[derive(Clone)]
pub(super) struct Head {
    id: String,
    created: i64,
    model: String,
}

impl Head {
    /// The head of the answer to this request.
    pub(super) fn new(ctx: &Ctx, model: &str) -> Self {
        let id = format!("chatcmpl-{}", ctx.request.0.simple());
        Self { id, created: ctx.now().seconds(), model: model.to_owned() }
    }

    /// The whole answer.
    pub(super) fn completion(self, completed: Completed, finish: Finish, usage: Usage) -> Completion {
        let tool_calls: Vec<_> = completed.tool_calls.into_iter().map(Call::from).collect();
        let content = (tool_calls.is_empty() || !completed.text.is_empty()).then_some(completed.text);
        let message = Answer { role: "assistant", content, refusal: (), tool_calls };
        let choice = Choice { index: 0, message, logprobs: (), finish_reason: reason(finish) };
        Completion {
            id: self.id,
            object: "chat.completion",
            created: self.created,
            model: self.model,
            choices: vec![choice],
            usage: usage.into(),
        }
    }

    /// A chunk with more of the answer; `usage_later` when the last chunk will tell the usage.
    pub(super) fn chunk(&self, delta: Piece, finish: Option<Finish>, usage_later: bool) -> Chunk {
        let choice = ChunkChoice { index: 0, delta, logprobs: (), finish_reason: finish.map(reason) };
        self.with(vec![choice], usage_later.then_some(None))
    }

    /// The chunk that tells the usage.
    pub(super) fn usage(&self, usage: Usage) -> Chunk {
        self.with(Vec::new(), Some(Some(usage.into())))
    }

    fn with(&self, choices: Vec<ChunkChoice>, usage: Option<Option<Tokens>>) -> Chunk {
        Chunk {
            id: self.id.clone(),
            object: "chat.completion.chunk",
            created: self.created,
            model: self.model.clone(),
            choices,
            usage,
        }
    }
}

impl From<ToolCall> for Call {
    fn from(call: ToolCall) -> Self {
        let function = Function { name: call.name, arguments: call.arguments };
        Self { index: None, id: call.id, r#type: "function", function }
    }
}

impl From<Usage> for Tokens {
    fn from(usage: Usage) -> Self {
        Self {
            prompt_tokens: usage.prompt_tokens,
            completion_tokens: usage.completion_tokens,
            total_tokens: usage.prompt_tokens.saturating_add(usage.completion_tokens),
        }
    }
}

const fn reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
        Finish::ToolCalls => "tool_calls",
        Finish::ContentFilter => "content_filter",
    }
}
