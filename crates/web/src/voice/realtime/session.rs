//! The session of a Realtime call: what holds, and what that is to the engine. [`patch`] changes it.
//!
//! Called by [`super::Face`] for `session.update`, and by the route that gives out client secrets. Invariant:
//! a change holds as a whole or not at all, and what is told back is what holds.

mod patch;
#[cfg(test)]
mod tests;

use domain::{
    model,
    voice::{self, Choice, ClientTool, Encoding, Settings, TurnRules},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(in crate::voice) use patch::{Patch, is_name};

/// Everything that holds, as `session.created` and `session.updated` tell it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(in crate::voice) struct Session {
    /// Always `realtime`.
    pub r#type: &'static str,
    /// Always `realtime.session`.
    pub object: &'static str,
    /// Its name.
    pub id: String,
    /// The model that answers.
    pub model: String,
    /// `audio` or `text`, and nothing beside it.
    pub output_modalities: Vec<Modality>,
    /// What the model is told.
    pub instructions: String,
    /// The client's tools.
    pub tools: Vec<Tool>,
    /// Whether the model may call them.
    pub tool_choice: ToolChoice,
    /// Longest answer; there is no bound a client could set.
    pub max_output_tokens: MaxTokens,
    /// Sound in and out.
    pub audio: Audio,
    /// Nothing leaves for anybody's dashboard.
    pub tracing: Option<()>,
    /// What happens when the conversation grows too long for the model.
    pub truncation: &'static str,
    /// When the longest call is over, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
}

/// What an answer is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::voice) enum Modality {
    /// Sound and its transcript.
    Audio,
    /// Text alone.
    Text,
}

/// A tool of the client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::voice) struct Tool {
    r#type: Function,
    /// What the model calls it by.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// What it takes, as a JSON schema.
    #[serde(default = "no_parameters")]
    pub parameters: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::voice) enum Function {
    /// `function`
    Function,
}

fn no_parameters() -> Value {
    serde_json::json!({ "type": "object", "properties": {} })
}

/// Whether the model may, must or must not call tools.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(in crate::voice) enum ToolChoice {
    /// By a rule.
    Rule(Rule),
    /// This one.
    Named {
        /// Always `function`.
        r#type: Function,
        /// Which.
        name: String,
    },
}

/// A rule about calling tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::voice) enum Rule {
    /// As it sees fit.
    Auto,
    /// None.
    None,
    /// At least one.
    Required,
}

/// The longest answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(in crate::voice) enum MaxTokens {
    /// As long as the model makes it: `inf`.
    Inf(Inf),
    /// At most so many.
    Tokens(u32),
}

/// The word for no bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::voice) enum Inf {
    /// `inf`
    Inf,
}

/// Sound in and out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(in crate::voice) struct Audio {
    /// What the client sends.
    pub input: Input,
    /// What it gets.
    pub output: Output,
}

/// Sound from the client.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(in crate::voice) struct Input {
    /// How it is written.
    pub format: Format,
    /// Whether the client wants to read what was said.
    pub transcription: Option<Transcription>,
    /// Microphones differ; what the client says is told back and changes nothing.
    pub noise_reduction: Option<Value>,
    /// Who says when a turn is over; `None`: the client.
    pub turn_detection: Option<Turns>,
}

/// Sound to the client.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(in crate::voice) struct Output {
    /// How it is written.
    pub format: Format,
    /// Whose voice.
    pub voice: String,
    /// How fast, 1 being as the voice speaks.
    pub speed: f32,
}

/// How samples are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub(in crate::voice) enum Format {
    /// 16 bits, signed, the low byte first, one channel.
    #[serde(rename = "audio/pcm")]
    Pcm {
        /// Samples a second.
        #[serde(default = "usual_rate")]
        rate: u32,
    },
    /// G.711 µ-law, 8 kHz.
    #[serde(rename = "audio/pcmu")]
    Mulaw,
    /// G.711 A-law, 8 kHz.
    #[serde(rename = "audio/pcma")]
    Alaw,
}

const fn usual_rate() -> u32 {
    24_000
}

impl Format {
    /// Bytes of one sample.
    pub(in crate::voice) const fn width(self) -> usize {
        if let Self::Pcm { .. } = self { 2 } else { 1 }
    }
}

/// That the client wants to read what was said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::voice) struct Transcription {
    /// Which model it asked for; the instance's own hears.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The language it expects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// How the server finds the end of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(in crate::voice) enum Turns {
    /// By silence.
    ServerVad {
        /// How sure it must be that somebody speaks, 0 to 1.
        #[serde(default = "usual_threshold")]
        threshold: f32,
        /// Sound before speech that belongs to it.
        #[serde(default = "usual_padding")]
        prefix_padding_ms: u32,
        /// Silence that ends a turn.
        #[serde(default = "usual_silence")]
        silence_duration_ms: u32,
        /// Whether the end of a turn is answered.
        #[serde(default = "yes")]
        create_response: bool,
        /// Whether speech stops an answer.
        #[serde(default = "yes")]
        interrupt_response: bool,
    },
    /// By what was said and how.
    SemanticVad {
        /// How soon to answer.
        #[serde(default)]
        eagerness: Eagerness,
        /// Whether the end of a turn is answered.
        #[serde(default = "yes")]
        create_response: bool,
        /// Whether speech stops an answer.
        #[serde(default = "yes")]
        interrupt_response: bool,
    },
}

/// How soon to answer somebody who may not be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::voice) enum Eagerness {
    /// As `medium`.
    #[default]
    Auto,
    /// Late.
    Low,
    /// In between.
    Medium,
    /// Soon.
    High,
}

const fn usual_threshold() -> f32 {
    0.5
}
const fn usual_padding() -> u32 {
    300
}
const fn usual_silence() -> u32 {
    500
}
const fn yes() -> bool {
    true
}

impl Session {
    /// What holds before a client has said anything.
    pub(in crate::voice) fn new(id: String, model: String, voice: String) -> Self {
        Self {
            r#type: "realtime",
            object: "realtime.session",
            id,
            model,
            output_modalities: vec![Modality::Audio],
            instructions: String::new(),
            tools: Vec::new(),
            tool_choice: ToolChoice::Rule(Rule::Auto),
            max_output_tokens: MaxTokens::Inf(Inf::Inf),
            audio: Audio {
                input: Input {
                    format: Format::Pcm { rate: usual_rate() },
                    transcription: None,
                    noise_reduction: None,
                    turn_detection: Some(Turns::ServerVad {
                        threshold: usual_threshold(),
                        prefix_padding_ms: usual_padding(),
                        silence_duration_ms: usual_silence(),
                        create_response: true,
                        interrupt_response: true,
                    }),
                },
                output: Output { format: Format::Pcm { rate: usual_rate() }, voice, speed: 1.0 },
            },
            tracing: None,
            truncation: "auto",
            expires_at: None,
        }
    }

    /// Whether answers are spoken.
    pub(in crate::voice) fn speaks(&self) -> bool {
        self.output_modalities.contains(&Modality::Audio)
    }
}

impl From<&Session> for Settings {
    fn from(session: &Session) -> Self {
        let Audio { input, output } = &session.audio;
        let tool = |tool: &Tool| {
            let Tool { name, description, parameters, .. } = tool.clone();
            // This wire cannot take a call back, so none is made before the turn is over for certain.
            ClientTool { tool: model::Tool { name, description, parameters }, waits: true }
        };
        Self {
            instructions: session.instructions.clone(),
            choice: Choice {
                model: Some(session.model.clone()),
                recognition: None,
                voice: Some(output.voice.clone()).filter(|voice| !voice.is_empty()),
            },
            language: input.transcription.as_ref().and_then(|one| one.language.clone()),
            input: input.format.into(),
            output: output.format.into(),
            pace: output.speed,
            speaks: session.speaks(),
            turns: input
                .turn_detection
                .map_or(voice::Turns::Manual, |turns| voice::Turns::Server(turns.into())),
            tools: session.tools.iter().map(tool).collect(),
            tool_choice: match &session.tool_choice {
                ToolChoice::Rule(Rule::Auto) => model::ToolChoice::Auto,
                ToolChoice::Rule(Rule::None) => model::ToolChoice::None,
                ToolChoice::Rule(Rule::Required) => model::ToolChoice::Required,
                ToolChoice::Named { name, .. } => model::ToolChoice::Named(name.clone()),
            },
            max_tokens: match session.max_output_tokens {
                MaxTokens::Inf(_) => None,
                MaxTokens::Tokens(most) => Some(most),
            },
            greeting: None,
        }
    }
}

impl From<Format> for voice::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::Pcm { rate } => Self { encoding: Encoding::Pcm16, rate },
            Format::Mulaw => Self { encoding: Encoding::MuLaw, rate: 8_000 },
            Format::Alaw => Self { encoding: Encoding::ALaw, rate: 8_000 },
        }
    }
}

impl From<Turns> for TurnRules {
    fn from(turns: Turns) -> Self {
        // Nobody is asked whether they are there: these clients have no word for it.
        let rules = match turns {
            Turns::ServerVad {
                threshold,
                prefix_padding_ms,
                silence_duration_ms,
                create_response,
                interrupt_response,
            } => Self {
                threshold,
                before_ms: prefix_padding_ms,
                answers: create_response,
                interrupts: interrupt_response,
                ..Self::by_silence(silence_duration_ms)
            },
            // The longest waits are those OpenAI gives for each.
            Turns::SemanticVad { eagerness, create_response, interrupt_response } => Self {
                answers: create_response,
                interrupts: interrupt_response,
                ..Self::judged(match eagerness {
                    Eagerness::Low => 8_000,
                    Eagerness::Auto | Eagerness::Medium => 4_000,
                    Eagerness::High => 2_000,
                })
            },
        };
        Self { idle_ms: None, ..rules }.bounded()
    }
}
