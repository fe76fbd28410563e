//! What the server of the Realtime API says: every event, as released clients read it.
//!
//! Made by [`super::Face`]. Absent fields are left out rather than null where a client asks for a string.

use domain::voice::Latency;
use serde::Serialize;

use super::{super::step::Words, session::Session};

/// An event, and its own name.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Named {
    /// Its name, different from any other of the call.
    pub event_id: String,
    /// What is said.
    #[serde(flatten)]
    pub event: Event,
}

/// What is said.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type")]
pub(super) enum Event {
    #[serde(rename = "error")]
    Error { error: Failure },
    #[serde(rename = "session.created")]
    SessionCreated { session: Box<Session> },
    #[serde(rename = "session.updated")]
    SessionUpdated { session: Box<Session> },
    #[serde(rename = "conversation.created")]
    ConversationCreated { conversation: Conversation },
    #[serde(rename = "input_audio_buffer.speech_started")]
    SpeechStarted { audio_start_ms: u64, item_id: String },
    #[serde(rename = "input_audio_buffer.speech_stopped")]
    SpeechStopped { audio_end_ms: u64, item_id: String },
    #[serde(rename = "input_audio_buffer.committed")]
    Committed { previous_item_id: Option<String>, item_id: String },
    #[serde(rename = "input_audio_buffer.cleared")]
    Cleared,
    #[serde(rename = "conversation.item.added")]
    ItemAdded { previous_item_id: Option<String>, item: Item },
    #[serde(rename = "conversation.item.done")]
    ItemDone { previous_item_id: Option<String>, item: Item },
    #[serde(rename = "conversation.item.retrieved")]
    ItemRetrieved { item: Item },
    #[serde(rename = "conversation.item.deleted")]
    ItemDeleted { item_id: String },
    #[serde(rename = "conversation.item.truncated")]
    ItemTruncated { item_id: String, content_index: u32, audio_end_ms: u64 },
    #[serde(rename = "conversation.item.input_audio_transcription.delta")]
    TranscriptionDelta { item_id: String, content_index: u32, delta: Words },
    #[serde(rename = "conversation.item.input_audio_transcription.completed")]
    TranscriptionCompleted { item_id: String, content_index: u32, transcript: Words, usage: Duration },
    #[serde(rename = "conversation.item.input_audio_transcription.failed")]
    TranscriptionFailed { item_id: String, content_index: u32, error: Reason },
    #[serde(rename = "response.created")]
    ResponseCreated { response: Box<Response> },
    #[serde(rename = "response.done")]
    ResponseDone { response: Box<Response> },
    #[serde(rename = "response.output_item.added")]
    OutputItemAdded { response_id: String, output_index: u32, item: Item },
    #[serde(rename = "response.output_item.done")]
    OutputItemDone { response_id: String, output_index: u32, item: Item },
    #[serde(rename = "response.content_part.added")]
    PartAdded {
        #[serde(flatten)]
        place: Place,
        part: Part,
    },
    #[serde(rename = "response.content_part.done")]
    PartDone {
        #[serde(flatten)]
        place: Place,
        part: Part,
    },
    #[serde(rename = "response.output_audio.delta")]
    AudioDelta {
        #[serde(flatten)]
        place: Place,
        delta: Words,
    },
    #[serde(rename = "response.output_audio.done")]
    AudioDone {
        #[serde(flatten)]
        place: Place,
    },
    #[serde(rename = "response.output_audio_transcript.delta")]
    TranscriptDelta {
        #[serde(flatten)]
        place: Place,
        delta: Words,
    },
    #[serde(rename = "response.output_audio_transcript.done")]
    TranscriptDone {
        #[serde(flatten)]
        place: Place,
        transcript: Words,
    },
    #[serde(rename = "response.output_text.delta")]
    TextDelta {
        #[serde(flatten)]
        place: Place,
        delta: Words,
    },
    #[serde(rename = "response.output_text.done")]
    TextDone {
        #[serde(flatten)]
        place: Place,
        text: Words,
    },
    /// One of our own: the stages of an answer, before its first sound.
    #[serde(rename = "x_troth.latency")]
    Latency { response_id: String, stages: Stages },
    /// One of our own: what was recognised so far of somebody who still speaks. Each takes the place of the one
    /// before, so it is no delta.
    #[serde(rename = "x_troth.partial_transcript")]
    PartialTranscript { item_id: String, transcript: Words },
    #[serde(rename = "response.function_call_arguments.delta")]
    ArgumentsDelta { response_id: String, item_id: String, output_index: u32, call_id: String, delta: Words },
    #[serde(rename = "response.function_call_arguments.done")]
    ArgumentsDone {
        response_id: String,
        item_id: String,
        output_index: u32,
        call_id: String,
        name: String,
        arguments: Words,
    },
}

/// How long each stage took before the first sound of an answer, in milliseconds. One that had no part is left out.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Stages {
    #[serde(skip_serializing_if = "Option::is_none")]
    endpointing_ms: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recognition_ms: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_token_ms: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_clause_ms: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tools_ms: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    speech_ms: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_ms: Option<u32>,
}

impl From<Latency> for Stages {
    fn from(stages: Latency) -> Self {
        let Latency {
            endpointing_ms,
            recognition_ms,
            first_token_ms,
            first_clause_ms,
            tools_ms,
            speech_ms,
            total_ms,
        } = stages;
        Self {
            endpointing_ms,
            recognition_ms,
            first_token_ms,
            first_clause_ms,
            tools_ms,
            speech_ms,
            total_ms,
        }
    }
}

/// What went wrong.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Failure {
    pub r#type: &'static str,
    pub code: &'static str,
    pub message: String,
    pub param: Option<String>,
    /// The client's own name of the event at fault.
    pub event_id: Option<String>,
}

/// What failed, where no event of the client did it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Reason {
    pub r#type: &'static str,
    pub code: &'static str,
    pub message: &'static str,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Conversation {
    pub id: String,
    pub object: &'static str,
}

/// How much sound was heard.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Duration {
    pub r#type: &'static str,
    pub seconds: f64,
}

/// Where a piece of an answer belongs.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Place {
    pub response_id: String,
    pub item_id: String,
    pub output_index: u32,
    pub content_index: u32,
}

/// A part of an answer as it is made.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Part {
    Audio { transcript: Words },
    Text { text: Words },
}

/// Something in the conversation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Item {
    pub id: String,
    pub object: &'static str,
    pub status: Status,
    #[serde(flatten)]
    pub kind: Kind,
}

impl Item {
    pub(super) const fn new(id: String, status: Status, kind: Kind) -> Self {
        Self { id, object: "realtime.item", status, kind }
    }
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    InProgress,
    Completed,
    Incomplete,
    Cancelled,
    Failed,
}

/// What it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Kind {
    Message { role: Role, content: Vec<Content> },
    FunctionCall { name: String, call_id: String, arguments: Words },
    FunctionCallOutput { call_id: String, output: Words },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Role {
    System,
    User,
    Assistant,
}

/// What a message is made of.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Content {
    InputText {
        text: Words,
    },
    /// The sound itself is not kept, so it cannot be given back.
    InputAudio {
        transcript: Option<Words>,
    },
    OutputText {
        text: Words,
    },
    OutputAudio {
        transcript: Words,
    },
}

/// An answer, as it begins and as it ends.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Response {
    pub object: &'static str,
    pub id: String,
    pub status: Status,
    pub status_details: Option<Details>,
    pub output: Vec<Item>,
    pub conversation_id: String,
    pub output_modalities: Vec<super::session::Modality>,
    pub max_output_tokens: super::session::MaxTokens,
    pub audio: ResponseAudio,
    pub usage: Option<Usage>,
    pub metadata: Option<serde_json::Map<String, serde_json::Value>>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct ResponseAudio {
    pub output: Spoken,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Spoken {
    pub format: super::session::Format,
    pub voice: String,
}

/// Why an answer ended otherwise than by itself.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Details {
    pub r#type: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Reason>,
}

/// What an answer cost.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Usage {
    pub total_tokens: u32,
    pub input_tokens: u32,
    pub output_tokens: u32,
    pub input_token_details: InputTokens,
    pub output_token_details: OutputTokens,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct InputTokens {
    pub text_tokens: u32,
    pub audio_tokens: u32,
    pub image_tokens: u32,
    pub cached_tokens: u32,
    pub cached_tokens_details: CachedTokens,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct CachedTokens {
    pub text_tokens: u32,
    pub audio_tokens: u32,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct OutputTokens {
    pub text_tokens: u32,
    pub audio_tokens: u32,
}

impl Usage {
    /// Words go in and out of the model as text; sound is made of them here.
    pub(super) fn of(input: u32, output: u32) -> Self {
        Self {
            total_tokens: input.saturating_add(output),
            input_tokens: input,
            output_tokens: output,
            input_token_details: InputTokens { text_tokens: input, ..InputTokens::default() },
            output_token_details: OutputTokens { text_tokens: output, audio_tokens: 0 },
        }
    }
}
