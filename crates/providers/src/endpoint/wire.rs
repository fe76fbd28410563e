//! OpenAI's chat completions as endpoints speak them: our question out, their chunks in.
//!
//! Strict in what is sent, tolerant in what is read: unknown fields are passed over, missing ones
//! have defaults, because no two vendors agree.

use domain::model::{Delta, Finish, Line, Prompt, Speaker, ToolCall, ToolChoice, Usage};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{Error, TokenLimit};

/// Most tool calls one answer may make.
const MAX_TOOL_CALLS: usize = 128;

/// The body of a request for `model`, streaming.
pub(super) fn request(prompt: &Prompt, model: &str, token_limit: TokenLimit) -> Value {
    let mut body = Map::new();
    body.insert("model".into(), model.into());
    body.insert("messages".into(), prompt.lines.iter().map(message).collect());
    body.insert("stream".into(), true.into());
    body.insert("stream_options".into(), json!({"include_usage": true}));
    if !prompt.tools.is_empty() {
        let tool = |tool: &domain::model::Tool| {
            let function = json!({
                "name": tool.name, "description": tool.description, "parameters": tool.parameters,
            });
            json!({"type": "function", "function": function})
        };
        body.insert("tools".into(), prompt.tools.iter().map(tool).collect());
        let choice = match &prompt.tool_choice {
            ToolChoice::Auto => json!("auto"),
            ToolChoice::None => json!("none"),
            ToolChoice::Required => json!("required"),
            ToolChoice::Named(name) => json!({"type": "function", "function": {"name": name}}),
        };
        body.insert("tool_choice".into(), choice);
    }
    if let Some(limit) = prompt.max_tokens {
        let field = match token_limit {
            TokenLimit::MaxTokens => "max_tokens",
            TokenLimit::MaxCompletionTokens => "max_completion_tokens",
        };
        body.insert(field.into(), limit.into());
    }
    let mut add = |field: &str, value: Option<Value>| value.map(|value| body.insert(field.into(), value));
    add("temperature", prompt.temperature.map(decimal));
    add("top_p", prompt.top_p.map(decimal));
    add("stop", (!prompt.stop.is_empty()).then(|| json!(prompt.stop)));
    add("seed", prompt.seed.map(Value::from));
    Value::Object(body)
}

/// 0.7 as 0.7, not as the 0.699999988 that widening a float makes of it.
fn decimal(x: f32) -> Value {
    x.to_string().parse::<f64>().map_or(Value::Null, Value::from)
}

fn message(line: &Line) -> Value {
    let role = match line.speaker {
        Speaker::System => "system",
        Speaker::User => "user",
        Speaker::Assistant => "assistant",
        Speaker::Tool => "tool",
    };
    let mut message = json!({"role": role, "content": line.text});
    if !line.tool_calls.is_empty() {
        let call = |call: &ToolCall| {
            let function = json!({"name": call.name, "arguments": call.arguments});
            json!({"id": call.id, "type": "function", "function": function})
        };
        message["tool_calls"] = line.tool_calls.iter().map(call).collect();
        if line.text.is_empty() {
            message["content"] = Value::Null;
        }
    }
    if let Some(id) = &line.answers {
        message["tool_call_id"] = id.as_str().into();
    }
    message
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    #[serde(default)]
    usage: Option<WireUsage>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default, alias = "message")]
    delta: Option<WireDelta>,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct WireDelta {
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    tool_calls: Option<Vec<WireCall>>,
}

#[derive(Deserialize)]
struct WireCall {
    #[serde(default)]
    index: Option<usize>,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    function: Option<WireFunction>,
}

#[derive(Deserialize)]
struct WireFunction {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    arguments: Option<Value>,
}

#[derive(Clone, Copy, Deserialize)]
struct WireUsage {
    #[serde(default)]
    prompt_tokens: u32,
    #[serde(default)]
    completion_tokens: u32,
}

/// Puts an answer together from its chunks.
#[derive(Default)]
pub(super) struct Reader {
    calls: Vec<ToolCall>,
    finish: Option<Finish>,
    usage: Option<WireUsage>,
    text_bytes: usize,
    done: bool,
}

impl Reader {
    /// Takes the data of one event, or a whole answer that was not streamed; text is added to `out`.
    ///
    /// # Errors
    /// [`Error::Broke`] for what is not a chunk or says that the endpoint failed.
    pub(super) fn read(&mut self, data: &str, out: &mut Vec<Delta>) -> Result<(), Error> {
        if data.trim() == "[DONE]" {
            self.done = true;
            return Ok(());
        }
        let chunk: Chunk = serde_json::from_str(data).map_err(|_| Error::Broke)?;
        if chunk.error.is_some_and(|error| !error.is_null()) {
            return Err(Error::Broke);
        }
        self.usage = chunk.usage.or(self.usage);
        let Some(choice) = chunk.choices.into_iter().next() else { return Ok(()) };
        if let Some(delta) = choice.delta {
            if let Some(text) = delta.content.filter(|text| !text.is_empty()) {
                self.text_bytes += text.len();
                out.push(Delta::Text(text));
            }
            for call in delta.tool_calls.unwrap_or_default() {
                self.add_call(call)?;
            }
        }
        if let Some(reason) = choice.finish_reason {
            self.finish = Some(finish(&reason));
        }
        Ok(())
    }

    /// Adds a piece of a tool call to the call it belongs to.
    fn add_call(&mut self, piece: WireCall) -> Result<(), Error> {
        // Vendors that send whole calls leave the index out; then a new id begins a new call.
        let fresh = piece.id.as_ref().is_some_and(|id| self.calls.last().is_none_or(|last| last.id != *id));
        let at = match piece.index {
            Some(index) => index,
            None if fresh => self.calls.len(),
            None => self.calls.len().saturating_sub(1),
        };
        if at > self.calls.len() || at >= MAX_TOOL_CALLS {
            return Err(Error::Broke);
        }
        if at == self.calls.len() {
            let id = format!("call_{}", at + 1);
            self.calls.push(ToolCall { id, name: String::new(), arguments: String::new() });
        }
        let call = &mut self.calls[at];
        if let Some(id) = piece.id.filter(|id| !id.is_empty()) {
            call.id = id;
        }
        let Some(function) = piece.function else { return Ok(()) };
        if let Some(name) = function.name {
            call.name.push_str(&name);
        }
        match function.arguments {
            Some(Value::String(more)) => call.arguments.push_str(&more),
            Some(Value::Null) | None => (),
            // Some servers send the arguments as an object.
            Some(whole) => call.arguments = whole.to_string(),
        }
        Ok(())
    }

    /// Whether the endpoint said that this is all.
    pub(super) fn is_done(&self) -> bool {
        self.done
    }

    /// What stands at the end: the tool calls and [`Delta::Done`]. `prompt_tokens` is our estimate,
    /// used when the endpoint did not count.
    ///
    /// # Errors
    /// [`Error::Broke`] when the stream ended before the answer did, or a call has no name.
    pub(super) fn end(self, prompt_tokens: u32) -> Result<Vec<Delta>, Error> {
        let finish = match self.finish {
            Some(Finish::Stop) if !self.calls.is_empty() => Finish::ToolCalls,
            Some(finish) => finish,
            None if self.done && !self.calls.is_empty() => Finish::ToolCalls,
            None if self.done => Finish::Stop,
            None => return Err(Error::Broke),
        };
        if self.calls.iter().any(|call| call.name.is_empty()) {
            return Err(Error::Broke);
        }
        let call_bytes: usize = self.calls.iter().map(|call| call.name.len() + call.arguments.len()).sum();
        let usage = self.usage.map_or_else(
            || Usage { prompt_tokens, completion_tokens: estimate(self.text_bytes + call_bytes) },
            |usage| Usage { prompt_tokens: usage.prompt_tokens, completion_tokens: usage.completion_tokens },
        );
        let mut rest: Vec<_> = self.calls.into_iter().map(with_arguments).map(Delta::ToolCall).collect();
        rest.push(Delta::Done { finish, usage });
        Ok(rest)
    }
}

/// A call without arguments has an empty object of them, so that they are always JSON.
fn with_arguments(mut call: ToolCall) -> ToolCall {
    if call.arguments.trim().is_empty() {
        call.arguments = "{}".to_owned();
    }
    call
}

fn finish(reason: &str) -> Finish {
    match reason {
        "length" | "max_tokens" => Finish::Length,
        "tool_calls" | "function_call" => Finish::ToolCalls,
        "content_filter" => Finish::ContentFilter,
        _ => Finish::Stop,
    }
}

/// Tokens of a prompt, roughly.
pub(super) fn estimate_prompt(prompt: &Prompt) -> u32 {
    prompt.lines.iter().map(|line| estimate(line.text.len()) + 4).sum()
}

/// Tokens in so many bytes of text: about four to one in English, and a guess elsewhere.
pub(super) fn estimate(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(4)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use domain::model::Tool;

    use super::*;

    fn read(events: &[&str]) -> Result<Vec<Delta>, Error> {
        let (mut reader, mut out) = (Reader::default(), Vec::new());
        for event in events {
            reader.read(event, &mut out)?;
        }
        out.extend(reader.end(9)?);
        Ok(out)
    }

    #[test]
    fn text_and_usage_are_read() {
        let answer = read(&[
            r#"{"id":"x","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#,
            r#"{"choices":[{"delta":{"content":"Hel","refusal":null},"logprobs":null}],"system_fingerprint":"f"}"#,
            r#"{"choices":[{"delta":{"content":"lo"},"finish_reason":null}],"usage":null}"#,
            r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#,
            r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}"#,
            "[DONE]",
        ]);
        let usage = Usage { prompt_tokens: 3, completion_tokens: 2 };
        let done = Delta::Done { finish: Finish::Stop, usage };
        assert_eq!(answer.unwrap(), [Delta::Text("Hel".into()), Delta::Text("lo".into()), done]);
    }

    #[test]
    fn tool_calls_are_put_together() {
        let answer = read(&[
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"find","arguments":""}}]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"q\":"}}]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":1,"id":"b","function":{"name":"stop"}},{"index":0,"function":{"arguments":"1}"}}]}}]}"#,
            r#"{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#,
        ])
        .unwrap();
        let call = |id: &str, name: &str, arguments: &str| {
            Delta::ToolCall(ToolCall { id: id.into(), name: name.into(), arguments: arguments.into() })
        };
        assert_eq!(answer[..2], [call("a", "find", "{\"q\":1}"), call("b", "stop", "{}")]);
        assert!(
            matches!(answer[2], Delta::Done { finish: Finish::ToolCalls, usage } if usage.prompt_tokens == 9)
        );
    }

    #[test]
    fn whole_calls_without_index_and_with_object_arguments_are_understood() {
        let answer = read(&[
            r#"{"choices":[{"message":{"content":null,"tool_calls":[{"id":"a","function":{"name":"f","arguments":{"x":1}}},{"id":"b","function":{"name":"g"}}]},"finish_reason":"stop"}]}"#,
        ])
        .unwrap();
        assert_eq!(answer.len(), 3);
        assert!(matches!(&answer[0], Delta::ToolCall(call) if call.arguments == "{\"x\":1}"));
        assert!(matches!(answer[2], Delta::Done { finish: Finish::ToolCalls, .. }));
    }

    #[test]
    fn what_breaks_off_or_fails_is_an_error() {
        assert_eq!(read(&[r#"{"choices":[{"delta":{"content":"a"}}]}"#]), Err(Error::Broke));
        assert_eq!(read(&[r#"{"error":{"message":"overloaded"}}"#]), Err(Error::Broke));
        assert_eq!(read(&["<html>"]), Err(Error::Broke));
        let climbing = r#"{"choices":[{"delta":{"tool_calls":[{"index":99999999,"id":"a"}]}}]}"#;
        assert_eq!(read(&[climbing]), Err(Error::Broke));
    }

    #[test]
    fn a_request_says_what_the_prompt_says() {
        let mut prompt = Prompt::new("work/big", vec![Line::new(Speaker::System, "be kind")]);
        prompt.lines.push(Line {
            tool_calls: vec![ToolCall { id: "a".into(), name: "f".into(), arguments: "{}".into() }],
            ..Line::new(Speaker::Assistant, "")
        });
        prompt.lines.push(Line { answers: Some("a".into()), ..Line::new(Speaker::Tool, "42") });
        prompt.tools = vec![Tool { name: "f".into(), description: "d".into(), parameters: json!({}) }];
        prompt.tool_choice = ToolChoice::Named("f".into());
        (prompt.max_tokens, prompt.temperature) = (Some(7), Some(0.7));
        assert_eq!(
            request(&prompt, "big", TokenLimit::MaxCompletionTokens),
            json!({
                "model": "big",
                "messages": [
                    {"role": "system", "content": "be kind"},
                    {"role": "assistant", "content": null, "tool_calls":
                        [{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
                    {"role": "tool", "content": "42", "tool_call_id": "a"},
                ],
                "stream": true,
                "stream_options": {"include_usage": true},
                "tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": {}}}],
                "tool_choice": {"type": "function", "function": {"name": "f"}},
                "max_completion_tokens": 7,
                "temperature": 0.7,
            })
        );
    }
}
