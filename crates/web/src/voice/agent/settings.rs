//! The settings of an Agent connection: what a client may ask for, and what that is to the engine.
//!
//! Called by [`super::Face`]. Whatever would send words or sound to an address of the client's choosing is
//! refused, and so are formats nobody here speaks; what does not change the call is ignored.

use domain::{
    chat::MAX_MESSAGE_BYTES,
    model,
    voice::{
        self, Choice, ClientTool, Encoding, MAX_GREETING_BYTES, MAX_INSTRUCTIONS_BYTES, MAX_TOOL_BYTES,
        MAX_TOOLS, Spoken, TurnRules, Turns,
    },
};
use serde::Deserialize;
use serde_json::Value;

use super::fault::Fault;
use crate::voice::{House, realtime::session::is_name};

/// Most messages an earlier conversation may bring along.
const MOST_HISTORY: usize = 100;

/// One, or several to be tried in their order, of which the first is taken.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub(super) enum Several<T> {
    /// Several.
    Many(Vec<T>),
    /// One.
    One(T),
}

impl<T> Several<T> {
    /// The first.
    ///
    /// # Errors
    /// A fault when there is none.
    pub(super) fn first(self) -> Result<T, Fault> {
        match self {
            Self::One(one) => Ok(one),
            Self::Many(many) => {
                many.into_iter().next().ok_or_else(|| Fault::unreadable("A list of providers is empty."))
            }
        }
    }
}

/// `Settings`
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct Settings {
    #[serde(default)]
    audio: Audio,
    agent: Agent,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Audio {
    input: Option<Sound>,
    output: Option<Sound>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Sound {
    encoding: Option<String>,
    sample_rate: Option<u32>,
    container: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum Agent {
    Stored(String),
    Told(Box<Told>),
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Told {
    language: Option<String>,
    greeting: Option<String>,
    context: Option<Context>,
    listen: Option<Listen>,
    think: Option<Several<Think>>,
    speak: Option<Several<Speak>>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Context {
    messages: Vec<History>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct History {
    role: Option<String>,
    content: Option<String>,
}

/// What hears.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Listen {
    provider: Hears,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Hears {
    language: Option<String>,
    eot_threshold: Option<f32>,
    eot_timeout_ms: Option<u32>,
}

/// What thinks.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct Think {
    provider: Thinks,
    #[serde(default)]
    endpoint: Option<Value>,
    #[serde(default)]
    prompt: Option<String>,
    #[serde(default)]
    functions: Option<Vec<Value>>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Thinks {
    model: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Function {
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default = "no_parameters")]
    parameters: Value,
    #[serde(default)]
    endpoint: Option<Value>,
    #[serde(default)]
    defer_until_eot: Option<bool>,
}

fn no_parameters() -> Value {
    serde_json::json!({ "type": "object", "properties": {} })
}

/// What speaks.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct Speak {
    provider: Speaks,
    #[serde(default)]
    endpoint: Option<Value>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Speaks {
    model: Option<String>,
    voice: Option<Value>,
    speed: Option<f32>,
}

/// What a connection is held by.
#[derive(Clone, Debug)]
pub(super) struct Held {
    /// As the engine has it.
    pub settings: voice::Settings,
    /// What was said before, and by whom.
    pub history: Vec<(Spoken, String)>,
    /// What the client asked for and does not get.
    pub replaced: Vec<&'static str>,
}

impl Settings {
    /// What the engine is to do.
    ///
    /// # Errors
    /// A fault when it cannot be done.
    pub(super) fn held(self, house: &House) -> Result<Held, Fault> {
        let Agent::Told(told) = self.agent else {
            let detail = "This server stores no agents; send the agent itself.";
            return Err(Fault::new("AGENT_ID_NOT_SUPPORTED", detail));
        };
        let Told { language, greeting, context, listen, think, speak } = *told;
        // Deepgram's own turns end by what was said and how; nobody is asked whether they are there.
        let turns = Turns::Server(TurnRules { idle_ms: None, ..TurnRules::default() });
        let mut held = Held {
            settings: voice::Settings {
                input: format(self.audio.input, "input")?,
                output: format(self.audio.output, "output")?,
                greeting: greeting
                    .filter(|words| !words.trim().is_empty())
                    .map(|words| bounded(words, MAX_GREETING_BYTES))
                    .transpose()?,
                language,
                turns,
                choice: Choice::default(),
                ..voice::Settings::default()
            },
            history: history(context.unwrap_or_default())?,
            replaced: Vec::new(),
        };
        if let Some(listen) = listen {
            held.listen(listen);
        }
        if let Some(think) = think {
            held.think(think.first()?, house)?;
        }
        if let Some(speak) = speak {
            held.speak(speak.first()?, house)?;
        }
        Ok(held)
    }
}

impl Held {
    /// Another ear.
    pub(super) fn listen(&mut self, Listen { provider }: Listen) {
        if let Some(language) = provider.language.filter(|language| language != "multi") {
            self.settings.language = Some(language);
        }
        if let Turns::Server(rules) = &mut self.settings.turns {
            rules.complete = provider.eot_threshold.unwrap_or(rules.complete);
            rules.longest_pause_ms = provider.eot_timeout_ms.unwrap_or(rules.longest_pause_ms);
            *rules = rules.bounded();
        }
    }

    /// Another mind.
    ///
    /// # Errors
    /// A fault when it is not ours.
    pub(super) fn think(&mut self, think: Think, house: &House) -> Result<(), Fault> {
        elsewhere(think.endpoint.as_ref())?;
        if let Some(model) = think.provider.model {
            self.settings.choice.model = house.model(&model);
            if self.settings.choice.model.is_none() {
                self.replaced.push("The model of `think` is none of this server's; its own model answers.");
            }
        }
        if let Some(prompt) = think.prompt {
            self.settings.instructions = bounded(prompt, MAX_INSTRUCTIONS_BYTES)?;
        }
        if let Some(functions) = think.functions {
            self.settings.tools = tools(functions)?;
        }
        Ok(())
    }

    /// Another voice.
    ///
    /// # Errors
    /// A fault when it is not ours.
    pub(super) fn speak(&mut self, speak: Speak, house: &House) -> Result<(), Fault> {
        elsewhere(speak.endpoint.as_ref())?;
        let named = speak.provider.voice.as_ref().and_then(Value::as_str).map(str::to_owned);
        if let Some(voice) = named.or(speak.provider.model) {
            self.settings.choice.voice = house.voice(&voice);
            if self.settings.choice.voice.is_none() {
                self.replaced.push("The voice of `speak` is none of this server's; its own voice speaks.");
            }
        }
        match speak.provider.speed {
            Some(speed) if !(0.5..=2.0).contains(&speed) => {
                Err(Fault::settings("The speed is between 0.5 and 2."))
            }
            speed => {
                self.settings.pace = speed.unwrap_or(self.settings.pace);
                Ok(())
            }
        }
    }
}

/// This server calls no address a client names: it would be the client's hand inside the house.
fn elsewhere(endpoint: Option<&Value>) -> Result<(), Fault> {
    match endpoint {
        Some(endpoint) if !endpoint.is_null() => {
            let detail = "This server calls no endpoint of a client's; leave `endpoint` out, and answer functions yourself.";
            Err(Fault::settings(detail))
        }
        _ => Ok(()),
    }
}

fn format(sound: Option<Sound>, which: &str) -> Result<voice::Format, Fault> {
    let Sound { encoding, sample_rate, container } = sound.unwrap_or_default();
    if container.is_some_and(|container| container != "none") {
        return Err(Fault::settings(format!("The container of `{which}` is `none`: sound comes as it is.")));
    }
    let format = match encoding.as_deref() {
        None | Some("linear16") => voice::Format {
            encoding: Encoding::Pcm16,
            rate: sample_rate.unwrap_or(voice::Format::DEFAULT.rate),
        },
        Some("mulaw") => voice::Format { encoding: Encoding::MuLaw, rate: sample_rate.unwrap_or(8_000) },
        Some("alaw") => voice::Format { encoding: Encoding::ALaw, rate: sample_rate.unwrap_or(8_000) },
        Some(_) => {
            return Err(Fault::settings(format!("The encoding of `{which}` is linear16, mulaw or alaw.")));
        }
    };
    if !format.is_known() {
        let detail = "The rate of linear16 is 8000, 16000, 24000, 44100 or 48000; of mulaw and alaw 8000.";
        return Err(Fault::settings(format!("`{which}`: {detail}")));
    }
    Ok(format)
}

fn bounded(text: String, most: usize) -> Result<String, Fault> {
    match text.len() <= most {
        true => Ok(text),
        false => Err(Fault::settings(format!("This text has at most {} KiB.", most / 1024))),
    }
}

fn history(context: Context) -> Result<Vec<(Spoken, String)>, Fault> {
    if context.messages.len() > MOST_HISTORY {
        return Err(Fault::settings("The context has at most 100 messages."));
    }
    // Calls of functions in it are of no use without the functions' own state.
    let said = context.messages.into_iter().filter_map(|one| match one.role.as_deref() {
        Some("user") => Some((Spoken::Caller, one.content?)),
        Some("assistant") => Some((Spoken::Agent, one.content?)),
        _ => None,
    });
    let said = said.filter(|(_, text)| !text.trim().is_empty());
    said.map(|(by, text)| Ok((by, bounded(text, MAX_MESSAGE_BYTES)?))).collect()
}

fn tools(functions: Vec<Value>) -> Result<Vec<ClientTool>, Fault> {
    if functions.len() > MAX_TOOLS {
        return Err(Fault::settings("An agent has at most 128 functions."));
    }
    let tool = |function: Value| {
        if function.to_string().len() > MAX_TOOL_BYTES {
            return Err(Fault::settings("A function has at most 32 KiB."));
        }
        let shape =
            "A function has a `name` of 1 to 64 of a-z, A-Z, 0-9, _ and -, a `description` and `parameters`.";
        let function: Function = serde_json::from_value(function).map_err(|_| Fault::settings(shape))?;
        elsewhere(function.endpoint.as_ref())?;
        let Function { name, description, parameters, defer_until_eot, .. } = function;
        if !is_name(&name) || !parameters.is_object() {
            return Err(Fault::settings(shape));
        }
        let waits = defer_until_eot.unwrap_or_default();
        Ok(ClientTool { tool: model::Tool { name, description, parameters }, waits })
    };
    let tools: Vec<ClientTool> = functions.into_iter().map(tool).collect::<Result<_, _>>()?;
    let twice = |at: usize| tools[..at].iter().any(|other| other.tool.name == tools[at].tool.name);
    match (0..tools.len()).any(twice) {
        true => Err(Fault::settings("Two functions have the same name.")),
        false => Ok(tools),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn house() -> House {
        House {
            models: vec!["small".into()],
            model: "small".into(),
            voices: vec!["amber".into()],
            voice: "amber".into(),
        }
    }

    fn held(settings: Value) -> Result<Held, &'static str> {
        let settings: Settings = serde_json::from_value(settings).map_err(|_| "shape")?;
        settings.held(&house()).map_err(|fault| fault.code)
    }

    #[test]
    fn settings_of_the_documentation_are_kept() {
        let held = held(json!({
            "type": "Settings", "tags": ["t"], "experimental": false, "mip_opt_out": true, "flags": { "history": true },
            "audio": {
                "input": { "encoding": "linear16", "sample_rate": 16000 },
                "output": { "encoding": "mulaw", "sample_rate": 8000, "container": "none", "bitrate": 1 },
            },
            "agent": {
                "language": "en", "greeting": "Hello! How may I help you?",
                "context": { "messages": [
                    { "type": "History", "role": "user", "content": "I had a question." },
                    { "type": "History", "function_calls": [] },
                ] },
                "listen": { "provider": { "type": "deepgram", "version": "v2", "model": "flux", "eot_threshold": 0.8, "eot_timeout_ms": 4000, "keyterms": ["a"] } },
                "think": [{
                    "provider": { "type": "open_ai", "model": "small", "temperature": 0.7 },
                    "prompt": "Be brief.", "context_length": "max",
                    "functions": [{ "name": "order", "description": "Finds one.", "parameters": { "type": "object" }, "defer_until_eot": true, "client_side": true }],
                }],
                "speak": { "provider": { "type": "deepgram", "model": "amber", "speed": 1.2 } },
            },
        }));
        let Held { settings, history, replaced } = held.unwrap();
        assert_eq!(settings.input, voice::Format { encoding: Encoding::Pcm16, rate: 16_000 });
        assert_eq!(settings.output, voice::Format { encoding: Encoding::MuLaw, rate: 8_000 });
        assert_eq!(
            (settings.choice.model.as_deref(), settings.choice.voice.as_deref()),
            (Some("small"), Some("amber"))
        );
        assert_eq!((settings.instructions.as_str(), settings.pace), ("Be brief.", 1.2));
        assert_eq!(settings.greeting.as_deref(), Some("Hello! How may I help you?"));
        assert!(settings.tools.len() == 1 && settings.tools[0].waits);
        assert_eq!(history, [(Spoken::Caller, "I had a question.".to_owned())]);
        assert!(replaced.is_empty());
        let Turns::Server(rules) = settings.turns else { panic!("turns of the server") };
        assert_eq!((rules.complete, rules.longest_pause_ms, rules.idle_ms), (0.8, 4_000, None));
    }

    #[test]
    fn little_is_enough_and_what_is_not_ours_is_replaced() {
        let bare = held(json!({ "agent": {} })).unwrap();
        assert_eq!(
            (bare.settings.input, bare.settings.output),
            (voice::Format::DEFAULT, voice::Format::DEFAULT)
        );
        let theirs = held(json!({ "agent": {
            "think": { "provider": { "type": "open_ai", "model": "gpt-4o-mini" } },
            "speak": { "provider": { "type": "deepgram", "model": "aura-2-thalia-en" } },
        } }));
        let theirs = theirs.unwrap();
        assert_eq!(theirs.replaced.len(), 2, "and says so");
        assert_eq!((theirs.settings.choice.model, theirs.settings.choice.voice), (None, None));
    }

    #[test]
    fn what_cannot_be_kept_is_refused() {
        let think = |more: Value| {
            let mut think = json!({ "provider": { "type": "open_ai", "model": "small" } });
            think.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            json!({ "agent": { "think": think } })
        };
        let function = |name: &str| json!({ "name": name, "parameters": {} });
        for (settings, code) in [
            (json!({}), "shape"),
            (json!({ "agent": 7 }), "shape"),
            (json!({ "agent": "01890a5d-ac96-774b-bcce-b302099a8057" }), "AGENT_ID_NOT_SUPPORTED"),
            (json!({ "audio": { "input": { "encoding": "opus" } }, "agent": {} }), "INVALID_SETTINGS"),
            (json!({ "audio": { "input": { "sample_rate": 11025 } }, "agent": {} }), "INVALID_SETTINGS"),
            (json!({ "audio": { "input": { "sample_rate": 0 } }, "agent": {} }), "INVALID_SETTINGS"),
            (json!({ "audio": { "input": { "sample_rate": -1 } }, "agent": {} }), "shape"),
            (
                json!({ "audio": { "output": { "encoding": "mulaw", "sample_rate": 24000 } }, "agent": {} }),
                "INVALID_SETTINGS",
            ),
            (json!({ "audio": { "output": { "container": "wav" } }, "agent": {} }), "INVALID_SETTINGS"),
            (think(json!({ "endpoint": { "url": "http://169.254.169.254/" } })), "INVALID_SETTINGS"),
            (
                think(json!({ "functions": [{ "name": "f", "endpoint": { "url": "http://localhost" } }] })),
                "INVALID_SETTINGS",
            ),
            (think(json!({ "functions": [function("a b")] })), "INVALID_SETTINGS"),
            (think(json!({ "functions": [function("a"), function("a")] })), "INVALID_SETTINGS"),
            (think(json!({ "functions": vec![function("a"); 129] })), "INVALID_SETTINGS"),
            (think(json!({ "prompt": "x".repeat(70_000) })), "INVALID_SETTINGS"),
            (json!({ "agent": { "speak": { "provider": { "speed": 9 } } } }), "INVALID_SETTINGS"),
            (
                json!({ "agent": { "speak": { "provider": {}, "endpoint": { "url": "x" } } } }),
                "INVALID_SETTINGS",
            ),
        ] {
            assert_eq!(held(settings.clone()).unwrap_err(), code, "{settings}");
        }
    }
}
