//! What is asked of a language model and what it says, step by step.
//!
//! The `providers` room translates its own prompt into a [`Request`] and each [`Step`] into a
//! delta of the answer.

use std::time::Duration;

/// Who said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Instructions of the application.
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
    /// A tool, reporting its result.
    Tool,
}

/// One turn of the conversation so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Who said it.
    pub role: Role,
    /// What was said.
    pub text: String,
    /// Tools the model called in this turn.
    pub calls: Vec<Call>,
}

impl Turn {
    /// A turn of plain text.
    pub fn new(role: Role, text: impl Into<String>) -> Self {
        Self { role, text: text.into(), calls: Vec::new() }
    }
}

/// A call of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The tool's name.
    pub name: String,
    /// Its arguments: JSON text. When the model made the call, it satisfies the part of the tool's
    /// schema this crate understands.
    pub arguments: String,
}

/// A tool the model may call.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    /// Its name, `[A-Za-z0-9_-]{1,64}`.
    pub name: String,
    /// What it does, in a sentence.
    pub description: String,
    /// JSON Schema of its arguments; an object.
    pub parameters: serde_json::Value,
}

/// Whether the model may, must or must not call a tool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ToolChoice {
    /// As it sees fit.
    #[default]
    Auto,
    /// None.
    None,
    /// At least one.
    Required,
    /// This one.
    Named(String),
}

/// What is asked of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The conversation, oldest turn first.
    pub turns: Vec<Turn>,
    /// Tools the model may call.
    pub tools: Vec<Tool>,
    /// Whether it may call them.
    pub tool_choice: ToolChoice,
    /// Most tokens it may answer with; `None` leaves it to the room in its context.
    pub max_tokens: Option<u32>,
    /// 0 always takes the likeliest token; 1 samples from the model's own distribution.
    pub temperature: f32,
    /// Samples from the likeliest tokens that together have this probability (0 to 1).
    pub top_p: f32,
    /// Text at which the answer ends, not included in it.
    pub stop: Vec<String>,
    /// Makes sampling repeatable; of no effect at temperature 0.
    pub seed: u64,
}

impl Request {
    /// A request without tools, answered greedily.
    pub fn new(turns: Vec<Turn>) -> Self {
        Self {
            turns,
            tools: Vec::new(),
            tool_choice: ToolChoice::Auto,
            max_tokens: None,
            temperature: 0.0,
            top_p: 1.0,
            stop: Vec::new(),
            seed: 0,
        }
    }
}

/// One step of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// More text: whole characters, never empty.
    Text(String),
    /// A whole tool call.
    Call(Call),
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The model was done, or a stop text was reached.
    Stop,
    /// It reached the limit of tokens.
    Length,
    /// It calls tools and waits for their results.
    ToolCalls,
    /// The caller asked to stop.
    Cancelled,
}

/// How an answer went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Why it ended.
    pub finish: Finish,
    /// Tokens of the prompt.
    pub prompt_tokens: u32,
    /// How many of them were still in memory from earlier requests and cost nothing.
    pub reused_tokens: u32,
    /// Tokens of the answer.
    pub completion_tokens: u32,
    /// Oldest turns that were left out because the conversation does not fit.
    pub dropped_turns: u32,
    /// From the start until the first token was known.
    pub first_token: Duration,
    /// From the first token to the end.
    pub decoding: Duration,
}
