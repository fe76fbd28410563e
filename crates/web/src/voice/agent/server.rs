//! What the server of the Agent wire says: every message, as released clients read it.

use domain::voice::Latency;
use serde::Serialize;

use crate::voice::step::Words;

/// A message.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type")]
pub(super) enum Tells {
    Welcome { request_id: String },
    SettingsApplied,
    ConversationText { role: Role, content: Words, conversational_behavior: &'static str },
    UserStartedSpeaking,
    FunctionCallRequest { functions: Vec<Call> },
    FunctionCallResponse { id: String, name: String, content: String },
    FunctionCallCancelled { functions: Vec<Cancelled> },
    AgentStartedSpeaking { total_latency: f64, tts_latency: f64, ttt_latency: f64 },
    LatencyReport(Stages),
    AgentAudioDone,
    PromptUpdated,
    SpeakUpdated,
    ThinkUpdated,
    ListenUpdated,
    InjectionRefused { message: &'static str },
    Warning { description: String, code: &'static str },
    Error { description: String, code: &'static str },
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Role {
    User,
    Assistant,
}

/// A call of a function.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Call {
    pub id: String,
    pub name: String,
    pub arguments: Words,
    pub client_side: bool,
}

/// One that is not needed any more.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Cancelled {
    pub id: String,
    pub name: String,
}

/// How long the stages took, in seconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Stages {
    #[serde(skip_serializing_if = "Option::is_none")]
    stt_latency: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttt_token_latency: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttt_text_latency: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttt_tool_latency: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tts_latency: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_latency: Option<f64>,
}

impl From<Latency> for Stages {
    fn from(stages: Latency) -> Self {
        let sum = |one: Option<u32>, other: Option<u32>| match (one, other) {
            (None, None) => None,
            (one, other) => Some(one.unwrap_or(0).saturating_add(other.unwrap_or(0))),
        };
        Self {
            stt_latency: stages.recognition_ms.map(seconds),
            ttt_token_latency: stages.first_token_ms.map(seconds),
            ttt_text_latency: sum(stages.first_token_ms, stages.first_clause_ms).map(seconds),
            ttt_tool_latency: stages.tools_ms.map(seconds),
            tts_latency: stages.speech_ms.map(seconds),
            total_latency: stages.total_ms.map(seconds),
        }
    }
}

impl Tells {
    /// The first sound of a reply, and what is known of how long it took.
    pub(super) fn started(stages: Option<Latency>) -> Self {
        let stages = Stages::from(stages.unwrap_or_default());
        Self::AgentStartedSpeaking {
            total_latency: stages.total_latency.unwrap_or_default(),
            tts_latency: stages.tts_latency.unwrap_or_default(),
            ttt_latency: stages.ttt_text_latency.unwrap_or_default(),
        }
    }
}

fn seconds(ms: u32) -> f64 {
    f64::from(ms) / 1000.0
}
