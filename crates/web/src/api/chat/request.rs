//! What comes in: OpenAI's request, checked and turned into a [`Prompt`].
//!
//! Fields nobody here knows are ignored; a known one that would change the answer and cannot be
//! honoured is refused by name.

use domain::model::{Line, Prompt, Speaker, Tool, ToolCall, ToolChoice};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{Problem, api::error::invalid};

/// Most messages in one request.
const MAX_MESSAGES: usize = 2_000;
/// Most tools in one request.
const MAX_TOOLS: usize = 128;
/// Most stop texts, and the longest, in bytes.
const MAX_STOPS: usize = 4;
const MAX_STOP_BYTES: usize = 256;
/// Longest name of a model or tool call, in bytes.
const MAX_NAME: usize = 256;

/// A question to a model.
#[derive(Deserialize, ToSchema)]
pub(crate) struct ChatRequest {
    /// The model, as in `GET /v1/models`.
    model: String,
    /// What was said, oldest first.
    messages: Vec<Message>,
    /// Whether the answer comes as server-sent events.
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    /// Most tokens of the answer.
    max_completion_tokens: Option<u32>,
    /// The same under its older name.
    max_tokens: Option<u32>,
    /// From 0, always the likeliest, to 2.
    temperature: Option<f32>,
    /// Nucleus sampling, above 0 to 1.
    top_p: Option<f32>,
    /// Makes sampling repeatable.
    seed: Option<i64>,
    stop: Option<Stop>,
    /// Answers wanted; only 1.
    n: Option<u32>,
    /// Tools the model may call.
    tools: Option<Vec<ToolIn>>,
    tool_choice: Option<ToolChoiceIn>,
    response_format: Option<ResponseFormat>,
    /// Not supported; only false.
    logprobs: Option<bool>,
    /// Not supported beyond `text`.
    modalities: Option<Vec<String>>,
}

/// How the stream is sent.
#[derive(Deserialize, ToSchema)]
struct StreamOptions {
    /// Whether a last chunk tells the tokens.
    include_usage: Option<bool>,
}

/// Text at which the answer ends, or up to four of them.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
enum Stop {
    One(String),
    Many(Vec<String>),
}

/// The form of the answer; only `text`.
#[derive(Deserialize, ToSchema)]
struct ResponseFormat {
    r#type: String,
}

/// One message.
#[derive(Deserialize, ToSchema)]
struct Message {
    /// `system`, `developer`, `user`, `assistant` or `tool`.
    role: String,
    content: Option<Content>,
    /// The calls the assistant made.
    tool_calls: Option<Vec<CallIn>>,
    /// Which call a `tool` message answers.
    tool_call_id: Option<String>,
}

/// Text, or parts of text.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

/// A part of a message; only text.
#[derive(Deserialize, ToSchema)]
struct Part {
    /// Only `text`.
    r#type: String,
    text: Option<String>,
}

/// A call the assistant made.
#[derive(Deserialize, ToSchema)]
struct CallIn {
    id: String,
    function: CalledFunction,
}

/// Which function it called, with which arguments.
#[derive(Deserialize, ToSchema)]
struct CalledFunction {
    name: String,
    /// JSON text.
    arguments: String,
}

/// A tool the model may call.
#[derive(Deserialize, ToSchema)]
struct ToolIn {
    /// Only `function`.
    r#type: String,
    function: Option<FunctionIn>,
}

/// A function the model may call.
#[derive(Deserialize, ToSchema)]
struct FunctionIn {
    /// Letters, digits, `_` and `-`, at most 64.
    name: String,
    description: Option<String>,
    /// JSON Schema of its arguments.
    #[schema(value_type = Option<Object>)]
    parameters: Option<Value>,
}

/// Whether tools may be called.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
enum ToolChoiceIn {
    /// `auto`, `none` or `required`.
    Mode(String),
    /// This one.
    Named { function: NamedFunction },
}

/// A function by its name.
#[derive(Deserialize, ToSchema)]
struct NamedFunction {
    name: String,
}

impl ChatRequest {
    /// Whether the answer is to be streamed.
    pub(super) fn streams(&self) -> bool {
        self.stream.unwrap_or(false)
    }

    /// Whether the stream is to tell the tokens.
    pub(super) fn wants_usage(&self) -> bool {
        self.stream_options.as_ref().and_then(|options| options.include_usage).unwrap_or(false)
    }

    /// Checks everything and makes the prompt of it.
    ///
    /// # Errors
    /// A 400 that names the field.
    pub(super) fn into_prompt(self) -> Result<Prompt, Problem> {
        self.refuse_unsupported()?;
        let stop = stops(self.stop)?;
        let tools = tools(self.tools.unwrap_or_default())?;
        let tool_choice = tool_choice(self.tool_choice, &tools)?;
        let most = self.max_completion_tokens.or(self.max_tokens);
        if most == Some(0) {
            return Err(invalid("max_tokens", "It must be at least 1."));
        }
        if self.temperature.is_some_and(|value| !(0.0..=2.0).contains(&value)) {
            return Err(invalid("temperature", "It must be between 0 and 2."));
        }
        if self.top_p.is_some_and(|value| !(value > 0.0 && value <= 1.0)) {
            return Err(invalid("top_p", "It must be above 0 and at most 1."));
        }
        Ok(Prompt {
            model: self.model,
            lines: lines(self.messages)?,
            tools,
            tool_choice,
            max_tokens: most,
            temperature: self.temperature,
            top_p: self.top_p,
            stop,
            seed: self.seed.map(i64::cast_unsigned),
        })
    }

    fn refuse_unsupported(&self) -> Result<(), Problem> {
        if self.model.is_empty() || self.model.len() > MAX_NAME {
            return Err(invalid("model", "Name a model; GET /v1/models lists them."));
        }
        if self.n.is_some_and(|n| n != 1) {
            return Err(invalid("n", "Only one answer at a time is supported; leave it out or send 1."));
        }
        if self.logprobs == Some(true) {
            return Err(invalid("logprobs", "Probabilities of tokens are not supported; leave it out."));
        }
        if self.response_format.as_ref().is_some_and(|format| format.r#type != "text") {
            let detail = "Only `text` is supported. For JSON of a fixed shape, offer a tool with that schema and \
                          require it with `tool_choice`.";
            return Err(invalid("response_format", detail));
        }
        if self.modalities.iter().flatten().any(|modality| modality != "text") {
            return Err(invalid("modalities", "Only `text` is supported."));
        }
        Ok(())
    }
}

fn lines(messages: Vec<Message>) -> Result<Vec<Line>, Problem> {
    if messages.is_empty() || messages.len() > MAX_MESSAGES {
        return Err(invalid("messages", format!("There must be 1 to {MAX_MESSAGES} messages.")));
    }
    messages.into_iter().enumerate().map(|(n, message)| line(&format!("messages[{n}]"), message)).collect()
}

fn line(at: &str, message: Message) -> Result<Line, Problem> {
    let speaker = match message.role.as_str() {
        "system" | "developer" => Speaker::System,
        "user" => Speaker::User,
        "assistant" => Speaker::Assistant,
        "tool" => Speaker::Tool,
        _ => {
            let detail = "It must be `system`, `developer`, `user`, `assistant` or `tool`.";
            return Err(invalid(format!("{at}.role"), detail));
        }
    };
    let calls = message.tool_calls.unwrap_or_default();
    if !calls.is_empty() && speaker != Speaker::Assistant {
        return Err(invalid(format!("{at}.tool_calls"), "Only the assistant calls tools."));
    }
    if message.content.is_none() && calls.is_empty() {
        return Err(invalid(format!("{at}.content"), "A message needs content."));
    }
    let answers = match (speaker, message.tool_call_id) {
        (Speaker::Tool, Some(id)) if id.len() <= MAX_NAME => Some(id),
        (Speaker::Tool, _) => {
            return Err(invalid(format!("{at}.tool_call_id"), "Say which call this message answers."));
        }
        _ => None,
    };
    let text = match message.content {
        None => String::new(),
        Some(Content::Text(text)) => text,
        Some(Content::Parts(parts)) => text_of(at, parts)?,
    };
    Ok(Line { speaker, text, tool_calls: calls.into_iter().map(ToolCall::from).collect(), answers })
}

fn text_of(at: &str, parts: Vec<Part>) -> Result<String, Problem> {
    let texts = parts.into_iter().enumerate().map(|(n, part)| match (part.r#type.as_str(), part.text) {
        ("text", Some(text)) => Ok(text),
        _ => Err(invalid(format!("{at}.content[{n}]"), "Only parts of type `text` are supported.")),
    });
    Ok(texts.collect::<Result<Vec<_>, _>>()?.join("\n"))
}

impl From<CallIn> for ToolCall {
    fn from(call: CallIn) -> Self {
        Self { id: call.id, name: call.function.name, arguments: call.function.arguments }
    }
}

fn stops(stop: Option<Stop>) -> Result<Vec<String>, Problem> {
    let stops = match stop {
        None => Vec::new(),
        Some(Stop::One(text)) => vec![text],
        Some(Stop::Many(texts)) => texts,
    };
    let fits = |text: &String| !text.is_empty() && text.len() <= MAX_STOP_BYTES;
    if stops.len() > MAX_STOPS || !stops.iter().all(fits) {
        let detail = format!("There may be at most {MAX_STOPS} texts of 1 to {MAX_STOP_BYTES} bytes.");
        return Err(invalid("stop", detail));
    }
    Ok(stops)
}

fn tools(given: Vec<ToolIn>) -> Result<Vec<Tool>, Problem> {
    if given.len() > MAX_TOOLS {
        return Err(invalid("tools", format!("There may be at most {MAX_TOOLS} tools.")));
    }
    given.into_iter().enumerate().map(|(n, given)| tool(&format!("tools[{n}]"), given)).collect()
}

fn tool(at: &str, given: ToolIn) -> Result<Tool, Problem> {
    let function = given.function.filter(|_| given.r#type == "function");
    let function = function.ok_or_else(|| invalid(at, "Only tools of type `function` are supported."))?;
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if function.name.is_empty() || function.name.len() > 64 || !function.name.chars().all(letter) {
        let detail = "It must be 1 to 64 letters, digits, `_` or `-`.";
        return Err(invalid(format!("{at}.function.name"), detail));
    }
    let parameters = function.parameters.unwrap_or_else(|| serde_json::json!({"type": "object"}));
    if !parameters.is_object() {
        return Err(invalid(format!("{at}.function.parameters"), "It must be a JSON Schema object."));
    }
    let description = function.description.unwrap_or_default();
    Ok(Tool { name: function.name, description, parameters })
}

fn tool_choice(choice: Option<ToolChoiceIn>, tools: &[Tool]) -> Result<ToolChoice, Problem> {
    let refused = |detail: &str| Err(invalid("tool_choice", detail));
    match choice {
        None => Ok(ToolChoice::Auto),
        Some(ToolChoiceIn::Mode(mode)) => match mode.as_str() {
            "auto" => Ok(ToolChoice::Auto),
            "none" => Ok(ToolChoice::None),
            "required" if tools.is_empty() => refused("`required` needs tools to choose from."),
            "required" => Ok(ToolChoice::Required),
            _ => refused("It must be `auto`, `none`, `required` or a function."),
        },
        Some(ToolChoiceIn::Named { function }) if tools.iter().any(|tool| tool.name == function.name) => {
            Ok(ToolChoice::Named(function.name))
        }
        Some(ToolChoiceIn::Named { .. }) => refused("The function it names is not among the tools."),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(request: Value) -> Result<Prompt, Problem> {
        serde_json::from_value::<ChatRequest>(request).expect("the shape of a request").into_prompt()
    }

    fn with(more: Value) -> Value {
        let mut request = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
        let fields = more.as_object().expect("an object").clone();
        request.as_object_mut().expect("an object").extend(fields);
        request
    }

    #[test]
    fn every_role_and_both_kinds_of_content_are_read() {
        let prompt = read(json!({"model": "m", "unknown": {"ignored": true}, "messages": [
            {"role": "developer", "content": "be brief"},
            {"role": "user", "name": "ann", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "42"},
        ]}))
        .unwrap();
        let speakers: Vec<_> = prompt.lines.iter().map(|line| line.speaker).collect();
        assert_eq!(speakers, [Speaker::System, Speaker::User, Speaker::Assistant, Speaker::Tool]);
        assert_eq!(prompt.lines[1].text, "a\nb");
        assert_eq!(prompt.lines[2].tool_calls[0].name, "look");
        assert_eq!(prompt.lines[3].answers.as_deref(), Some("c1"));
    }

    #[test]
    fn what_shapes_the_answer_arrives() {
        let look =
            json!({"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}});
        let prompt = read(with(json!({
            "max_tokens": 7, "temperature": 0, "top_p": 0.5, "seed": -1, "stop": ["x"], "n": 1,
            "tools": [look], "tool_choice": {"type": "function", "function": {"name": "look"}},
            "response_format": {"type": "text"}, "stream": false,
        })))
        .unwrap();
        assert_eq!(prompt.max_tokens, Some(7));
        assert_eq!(prompt.tool_choice, ToolChoice::Named("look".into()));
        assert_eq!((prompt.seed, prompt.stop), (Some(u64::MAX), vec!["x".to_owned()]));
        let newer = read(with(json!({"max_tokens": 7, "max_completion_tokens": 9, "stop": "y"}))).unwrap();
        assert_eq!((newer.max_tokens, newer.stop), (Some(9), vec!["y".to_owned()]));
    }

    #[test]
    fn what_cannot_be_honoured_is_refused_by_name() {
        let image = json!([{"type": "image_url", "image_url": {"url": "x"}}]);
        let cases = [
            (json!({"n": 2}), "n"),
            (json!({"logprobs": true}), "logprobs"),
            (json!({"response_format": {"type": "json_object"}}), "response_format"),
            (json!({"modalities": ["text", "audio"]}), "modalities"),
            (json!({"temperature": 2.1}), "temperature"),
            (json!({"top_p": 0}), "top_p"),
            (json!({"max_tokens": 0}), "max_tokens"),
            (json!({"stop": ["a", "b", "c", "d", "e"]}), "stop"),
            (json!({"model": ""}), "model"),
            (json!({"messages": []}), "messages"),
            (json!({"messages": [{"role": "robot", "content": "x"}]}), "messages[0].role"),
            (json!({"messages": [{"role": "user"}]}), "messages[0].content"),
            (json!({"messages": [{"role": "user", "content": image}]}), "messages[0].content[0]"),
            (json!({"messages": [{"role": "tool", "content": "x"}]}), "messages[0].tool_call_id"),
            (json!({"tools": [{"type": "web_search"}]}), "tools[0]"),
            (json!({"tools": [{"type": "function", "function": {"name": "a b"}}]}), "tools[0].function.name"),
            (json!({"tool_choice": "required"}), "tool_choice"),
            (json!({"tool_choice": {"function": {"name": "gone"}}}), "tool_choice"),
        ];
        for (more, param) in cases {
            let problem = read(with(more)).expect_err(param);
            assert_eq!(problem.param.as_deref(), Some(param));
            assert_eq!(problem.status, http::StatusCode::BAD_REQUEST);
        }
    }
}
