//! What a client changes of a session, and whether that can be.
//!
//! Called by [`super::super::Face`] for `session.update`, and by the route that gives out client secrets.

use domain::voice::{MAX_INSTRUCTIONS_BYTES, MAX_TOOL_BYTES, MAX_TOOLS};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{Audio, Format, Inf, MaxTokens, Modality, Session, Tool, ToolChoice, Transcription, Turns};
use crate::voice::realtime::fault::Fault;

/// Longest name of a tool, a voice or a model.
const LONGEST_NAME: usize = 64;
/// Rates a client may send and ask for. OpenAI itself takes 24,000 alone.
const RATES: [u32; 5] = [8_000, 16_000, 24_000, 44_100, 48_000];

impl Session {
    /// What holds after `patch`.
    ///
    /// # Errors
    /// A fault that names the field which cannot be; then nothing of it holds.
    pub(in crate::voice) fn with(&self, patch: Patch) -> Result<Self, Fault> {
        let mut next = self.clone();
        if let Some(modalities) = patch.output_modalities {
            if modalities.len() != 1 {
                let detail = "Ask for `[\"audio\"]` or `[\"text\"]`; sound comes with its transcript.";
                return Err(Fault::invalid("session.output_modalities", detail));
            }
            next.output_modalities = modalities;
        }
        if let Some(instructions) = patch.instructions {
            if instructions.len() > MAX_INSTRUCTIONS_BYTES {
                return Err(Fault::invalid("session.instructions", "Instructions have at most 64 KiB."));
            }
            next.instructions = instructions;
        }
        if let Some(tools) = patch.tools {
            next.tools = held(tools)?;
        }
        if let Some(choice) = patch.tool_choice {
            next.tool_choice = chosen(choice, &next.tools)?;
        }
        if let Some(most) = patch.max_output_tokens {
            next.max_output_tokens = bound(&most)?;
        }
        if let Some(audio) = patch.audio {
            next.audio.change(audio)?;
        }
        Ok(next)
    }
}

impl Audio {
    fn change(&mut self, patch: AudioPatch) -> Result<(), Fault> {
        if let Some(input) = patch.input {
            if let Some(format) = input.format {
                self.input.format = sound(format, "session.audio.input.format.rate")?;
            }
            if let Some(transcription) = input.transcription {
                self.input.transcription = transcription;
            }
            if let Some(reduction) = input.noise_reduction {
                self.input.noise_reduction = reduction.filter(|value| value.to_string().len() <= 256);
            }
            if let Some(turns) = input.turn_detection {
                self.input.turn_detection = turns.map(within).transpose()?;
            }
        }
        let Some(output) = patch.output else { return Ok(()) };
        if let Some(format) = output.format {
            self.output.format = sound(format, "session.audio.output.format.rate")?;
        }
        if let Some(voice) = output.voice {
            self.output.voice = voice.named()?;
        }
        if let Some(speed) = output.speed {
            if !(0.25..=1.5).contains(&speed) {
                let detail = "The speed is between 0.25 and 1.5.";
                return Err(Fault::invalid("session.audio.output.speed", detail));
            }
            self.output.speed = speed;
        }
        Ok(())
    }
}

fn sound(format: Format, param: &str) -> Result<Format, Fault> {
    match format {
        Format::Pcm { rate } if !RATES.contains(&rate) => {
            Err(Fault::invalid(param, "The rate of PCM is 8000, 16000, 24000, 44100 or 48000."))
        }
        sound => Ok(sound),
    }
}

fn within(turns: Turns) -> Result<Turns, Fault> {
    let refuse = |field: &str, detail: &str| {
        Err(Fault::invalid(&format!("session.audio.input.turn_detection.{field}"), detail))
    };
    if let Turns::ServerVad { threshold, prefix_padding_ms, silence_duration_ms, .. } = turns {
        if !(0.0..=1.0).contains(&threshold) {
            return refuse("threshold", "The threshold is between 0 and 1.");
        }
        if prefix_padding_ms > 5_000 {
            return refuse("prefix_padding_ms", "The padding is at most 5000 ms.");
        }
        if !(50..=10_000).contains(&silence_duration_ms) {
            return refuse("silence_duration_ms", "The silence is between 50 and 10000 ms.");
        }
    }
    Ok(turns)
}

fn held(tools: Vec<Value>) -> Result<Vec<Tool>, Fault> {
    if tools.len() > MAX_TOOLS {
        return Err(Fault::invalid("session.tools", "A session has at most 128 tools."));
    }
    let tool = |(at, tool): (usize, Value)| {
        let refuse = |detail: &str| Fault::invalid(&format!("session.tools[{at}]"), detail);
        if tool.to_string().len() > MAX_TOOL_BYTES {
            return Err(refuse("A tool has at most 32 KiB."));
        }
        let tool: Tool = serde_json::from_value(tool)
            .map_err(|_| refuse("A tool is a `function` with a `name`, a `description` and `parameters`."))?;
        match is_name(&tool.name) && tool.parameters.is_object() {
            true => Ok(tool),
            false => Err(refuse(
                "The name of a tool has 1 to 64 of a-z, A-Z, 0-9, _ and -; its parameters are an object.",
            )),
        }
    };
    let tools: Vec<Tool> = tools.into_iter().enumerate().map(tool).collect::<Result<_, _>>()?;
    let twice = |at: usize| tools[..at].iter().any(|other| other.name == tools[at].name);
    match (0..tools.len()).find(|at| twice(*at)) {
        Some(at) => {
            Err(Fault::invalid(&format!("session.tools[{at}].name"), "Two tools have the same name."))
        }
        None => Ok(tools),
    }
}

/// Whether a tool may be called this.
pub(in crate::voice) fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(fits)
}

fn chosen(choice: Value, tools: &[Tool]) -> Result<ToolChoice, Fault> {
    let refuse = |detail: &str| Fault::invalid("session.tool_choice", detail);
    let choice = serde_json::from_value(choice)
        .map_err(|_| refuse("Choose `auto`, `none`, `required`, or a `function` by its `name`."))?;
    match &choice {
        ToolChoice::Named { name, .. } if !tools.iter().any(|tool| tool.name == *name) => {
            Err(refuse("There is no tool of that name in the session."))
        }
        _ => Ok(choice),
    }
}

fn bound(most: &Value) -> Result<MaxTokens, Fault> {
    match (most.as_str(), most.as_u64().and_then(|most| u32::try_from(most).ok())) {
        (Some("inf"), _) => Ok(MaxTokens::Inf(Inf::Inf)),
        (_, Some(most @ 1..=4096)) => Ok(MaxTokens::Tokens(most)),
        _ => Err(Fault::invalid("session.max_output_tokens", "It is `inf`, or between 1 and 4096.")),
    }
}

/// What a client changes. A field that is not there stays as it was.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(in crate::voice) struct Patch {
    /// The model; chosen when the call begins.
    pub model: Option<String>,
    output_modalities: Option<Vec<Modality>>,
    instructions: Option<String>,
    tools: Option<Vec<Value>>,
    tool_choice: Option<Value>,
    max_output_tokens: Option<Value>,
    audio: Option<AudioPatch>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct AudioPatch {
    input: Option<InputPatch>,
    output: Option<OutputPatch>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct InputPatch {
    format: Option<Format>,
    #[serde(deserialize_with = "or_null")]
    transcription: Option<Option<Transcription>>,
    #[serde(deserialize_with = "or_null")]
    noise_reduction: Option<Option<Value>>,
    #[serde(deserialize_with = "or_null")]
    turn_detection: Option<Option<Turns>>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct OutputPatch {
    format: Option<Format>,
    voice: Option<Voice>,
    speed: Option<f32>,
}

/// A voice is a name, or an object with one.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum Voice {
    Name(String),
    Custom { id: String },
}

impl Voice {
    fn named(self) -> Result<String, Fault> {
        let (Self::Name(name) | Self::Custom { id: name }) = self;
        match (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic()) {
            true => Ok(name),
            false => {
                Err(Fault::invalid("session.audio.output.voice", "A voice has a name of 1 to 64 letters."))
            }
        }
    }
}

/// `null` says that something is to be off, which is not the same as saying nothing.
fn or_null<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}
