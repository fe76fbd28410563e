//! Language models as people and programs see them: facts, requests, answers.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a model runs, which decides what leaves the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Place {
    /// In this process: nothing leaves the machine.
    ThisMachine,
    /// At an endpoint somebody configured.
    Endpoint {
        /// The host it is reached at.
        host: String,
        /// Whether that host is this machine's loopback.
        loopback: bool,
    },
}

impl fmt::Display for Place {
    /// Words for people, as they stand under an answer.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ThisMachine => f.write_str("on this machine"),
            Self::Endpoint { host, loopback: true } => write!(f, "on this machine, at {host}"),
            Self::Endpoint { host, loopback: false } => write!(f, "at {host}"),
        }
    }
}

/// What the model switcher and `/v1/models` say about a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModelFacts {
    /// The name requests use, e.g. `qwen2.5-coder-1.5b` or `work/gpt-4o`.
    pub id: String,
    /// The name people read.
    pub title: String,
    /// Who made it.
    pub maker: String,
    /// Its licence, as an SPDX expression, where known.
    pub licence: Option<String>,
    /// Where it runs.
    pub place: Place,
    /// Tokens it can attend to.
    pub context_tokens: u32,
    /// Bytes of its file, for local models.
    pub bytes: Option<u64>,
    /// One sentence about what it is good for and what not.
    pub note: String,
    /// Whether it can answer now.
    pub readiness: Readiness,
}

/// How far a model is from answering.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Readiness {
    /// Its file is not here and nobody is fetching it.
    Missing {
        /// How to get it, in one sentence.
        how: String,
    },
    /// Its file is on its way.
    Fetching {
        /// Bytes here.
        done: u64,
        /// Bytes in all.
        total: u64,
    },
    /// Its file is being read into memory.
    Loading,
    /// It answers.
    Ready,
    /// It cannot answer.
    Failed {
        /// What happened and what to do, in one sentence.
        why: String,
    },
}

/// Who said something in a request to a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Speaker {
    /// Instructions of the application.
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
    /// The result of a tool.
    Tool,
}

/// One line of a request to a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Who said it.
    pub speaker: Speaker,
    /// What was said.
    pub text: String,
    /// Tools the assistant called in this line.
    pub tool_calls: Vec<ToolCall>,
    /// Which call this line answers, for [`Speaker::Tool`].
    pub answers: Option<String>,
}

impl Line {
    /// A line of plain text.
    pub fn new(speaker: Speaker, text: impl Into<String>) -> Self {
        Self { speaker, text: text.into(), tool_calls: Vec::new(), answers: None }
    }
}

/// A tool the model may call.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    /// Its name, `[A-Za-z0-9_-]{1,64}`.
    pub name: String,
    /// What it does.
    pub description: String,
    /// JSON Schema of its arguments.
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

/// A tool call as the model made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Unique within the answer.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// Its arguments: JSON text.
    pub arguments: String,
}

/// What a model is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompt {
    /// [`ModelFacts::id`].
    pub model: String,
    /// The lines, oldest first.
    pub lines: Vec<Line>,
    /// Tools it may call.
    pub tools: Vec<Tool>,
    /// Whether it may call them.
    pub tool_choice: ToolChoice,
    /// Most tokens it may answer with; `None` leaves it to the model's own limit.
    pub max_tokens: Option<u32>,
    /// 0 is greedy; `None` leaves it to the model.
    pub temperature: Option<f32>,
    /// Nucleus sampling; `None` leaves it to the model.
    pub top_p: Option<f32>,
    /// Text at which the answer ends, not included in it.
    pub stop: Vec<String>,
    /// Makes sampling repeatable.
    pub seed: Option<u64>,
}

impl Prompt {
    /// A plain question to `model`.
    pub fn new(model: impl Into<String>, lines: Vec<Line>) -> Self {
        Self {
            model: model.into(),
            lines,
            tools: Vec::new(),
            tool_choice: ToolChoice::Auto,
            max_tokens: None,
            temperature: None,
            top_p: None,
            stop: Vec::new(),
            seed: None,
        }
    }
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// It was done.
    Stop,
    /// It reached the limit of tokens.
    Length,
    /// It calls tools and waits for their results.
    ToolCalls,
    /// It was filtered.
    ContentFilter,
}

/// Tokens counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Read.
    pub prompt_tokens: u32,
    /// Written.
    pub completion_tokens: u32,
}

/// One step of an answer while it streams. The last is always [`Delta::Done`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delta {
    /// More text.
    Text(String),
    /// A whole tool call.
    ToolCall(ToolCall),
    /// The end.
    Done {
        /// Why.
        finish: Finish,
        /// How much; estimated where the vendor does not say.
        usage: Usage,
    },
}
