//! What a client of the Realtime API says, read strictly where a mistake would change what happens.
//!
//! Called by [`super::Face`] for every text message. Fields nobody here knows are ignored, as OpenAI's own server
//! does; a known field of the wrong kind is refused by its name. Invariant: a refusal repeats nothing of what
//! was sent but the client's own `event_id`.

use std::borrow::Cow;

use domain::{chat::MAX_MESSAGE_BYTES, voice::MAX_INSTRUCTIONS_BYTES};
use serde::{
    Deserialize,
    de::{self, DeserializeOwned},
};

use super::{fault::Fault, session::Patch};

/// Longest identifier a client may make up.
const LONGEST_ID: usize = 128;
/// Longest output of a tool.
const LONGEST_OUTPUT: usize = 128 << 10;
/// Most entries in the metadata of a response, and how long each part of one is; as OpenAI says.
const MOST_METADATA: usize = 16;
const LONGEST_METADATA: usize = 512;

/// What a client says, and what it calls it.
pub(super) struct Event<'a> {
    /// The client's own name for it; errors give it back.
    pub id: Option<String>,
    /// What it says.
    pub said: Result<Said<'a>, Fault>,
}

/// One event of a client.
#[derive(Debug, PartialEq)]
pub(super) enum Said<'a> {
    /// `session.update`
    Session(Box<Patch>),
    /// `input_audio_buffer.append`: base64.
    Append(Cow<'a, str>),
    /// `input_audio_buffer.commit`
    Commit,
    /// `input_audio_buffer.clear`
    Clear,
    /// `conversation.item.create`
    Create(NewItem),
    /// `conversation.item.retrieve`
    Retrieve(String),
    /// `conversation.item.truncate`
    Truncate {
        /// The item that was cut off.
        item: String,
        /// How much of it was heard.
        heard_ms: u64,
    },
    /// `conversation.item.delete`
    Delete(String),
    /// `response.create`
    Respond(Box<Wish>),
    /// `response.cancel`
    Cancel(Option<String>),
}

/// An item a client adds to the conversation.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct NewItem {
    /// What the client calls it.
    pub id: Option<String>,
    /// What it is.
    pub what: What,
}

/// What such an item is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    /// Something its user writes instead of saying it.
    User(String),
    /// Something the application tells the model.
    System(String),
    /// Something the assistant is to have said.
    Assistant(String),
    /// What a tool gave.
    Output {
        /// Which call of it.
        call: String,
        /// What it gave.
        output: String,
    },
}

/// What a client wants of a response.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Wish {
    /// What holds for this one alone.
    pub instructions: Option<String>,
    /// What the client wants to know it by.
    pub metadata: Option<serde_json::Map<String, serde_json::Value>>,
    /// `none` for one outside the conversation.
    pub conversation: Option<String>,
    /// What it is to be made of, instead of the conversation.
    pub input: Option<Vec<serde_json::Value>>,
}

/// Reads one text message.
pub(super) fn read(text: &str) -> Event<'_> {
    let Ok(kind) = serde_json::from_str::<Kind<'_>>(text) else {
        return Event { id: None, said: Err(Fault::new("invalid_json", UNREADABLE, None)) };
    };
    let id = kind.event_id.map(Cow::into_owned).filter(|id| id.len() <= LONGEST_ID);
    Event { id, said: said(&kind.r#type, text) }
}

const UNREADABLE: &str = "The message is not a JSON object with a `type`.";

#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow, default)]
    event_id: Option<Cow<'a, str>>,
}

fn said<'a>(kind: &str, text: &'a str) -> Result<Said<'a>, Fault> {
    Ok(match kind {
        "input_audio_buffer.append" => Said::Append(fields::<Append<'_>>(text, "audio")?.audio),
        "input_audio_buffer.commit" => Said::Commit,
        "input_audio_buffer.clear" => Said::Clear,
        "session.update" => Said::Session(Box::new(owned::<Update>(text, "session")?.session)),
        "conversation.item.create" => Said::Create(item(owned::<Create>(text, "item")?.item)?),
        "conversation.item.retrieve" => Said::Retrieve(named(text)?),
        "conversation.item.delete" => Said::Delete(named(text)?),
        "conversation.item.truncate" => {
            let Truncate { item_id, audio_end_ms } = owned(text, "audio_end_ms")?;
            Said::Truncate { item: short(item_id, "item_id")?, heard_ms: audio_end_ms }
        }
        "response.create" => {
            let wish = owned::<Respond>(text, "response")?.response.unwrap_or_default();
            Said::Respond(Box::new(bounded(wish)?))
        }
        "response.cancel" => Said::Cancel(owned::<Cancel>(text, "response_id")?.response_id),
        _ => {
            let detail = "This server knows no event of this type; docs/voice.md lists those it knows.";
            return Err(Fault::new("unknown_event", detail, Some("type")));
        }
    })
}

/// The fields of an event; `param` is told where one is missing or of the wrong kind.
fn fields<'a, T: Deserialize<'a>>(text: &'a str, param: &'static str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|error| Fault::misshapen(param, &error))
}

fn owned<T: DeserializeOwned>(text: &str, param: &'static str) -> Result<T, Fault> {
    fields(text, param)
}

fn named(text: &str) -> Result<String, Fault> {
    short(owned::<Named>(text, "item_id")?.item_id, "item_id")
}

fn short(id: String, param: &'static str) -> Result<String, Fault> {
    if id.is_empty() || id.len() > LONGEST_ID {
        return Err(Fault::invalid(param, "An identifier has 1 to 128 characters."));
    }
    Ok(id)
}

fn bounded(wish: Wish) -> Result<Wish, Fault> {
    if wish.instructions.as_ref().is_some_and(|text| text.len() > MAX_INSTRUCTIONS_BYTES) {
        return Err(Fault::invalid("response.instructions", "Instructions have at most 64 KiB."));
    }
    let fits = |(name, value): (&String, &serde_json::Value)| {
        name.len() <= LONGEST_METADATA && value.as_str().is_some_and(|value| value.len() <= LONGEST_METADATA)
    };
    if wish.metadata.as_ref().is_some_and(|data| data.len() > MOST_METADATA || !data.iter().all(fits)) {
        let detail = "Metadata is at most 16 pairs of short texts.";
        return Err(Fault::invalid("response.metadata", detail));
    }
    if wish.conversation.as_deref() == Some("none") || wish.input.is_some() {
        let detail =
            "A response outside the conversation is not supported; leave `conversation` and `input` out.";
        return Err(Fault::invalid("response.conversation", detail));
    }
    Ok(wish)
}

fn item(item: Item) -> Result<NewItem, Fault> {
    let id = item.id.map(|id| short(id, "item.id")).transpose()?;
    let what = match (item.r#type.as_str(), item.role.as_deref()) {
        ("message", Some("user")) => What::User(words(item.content)?),
        ("message", Some("system")) => What::System(words(item.content)?),
        ("message", Some("assistant")) => What::Assistant(words(item.content)?),
        ("function_call_output", _) => {
            let (Some(call), Some(output)) = (item.call_id, item.output) else {
                return Err(Fault::invalid("item", "The output of a tool has a `call_id` and an `output`."));
            };
            if output.len() > LONGEST_OUTPUT {
                return Err(Fault::invalid("item.output", "The output of a tool has at most 128 KiB."));
            }
            What::Output { call: short(call, "item.call_id")?, output }
        }
        _ => {
            let detail =
                "An item is a message of `user`, `system` or `assistant`, or a `function_call_output`.";
            return Err(Fault::invalid("item.type", detail));
        }
    };
    Ok(NewItem { id, what })
}

/// The words of a message, its parts put together.
fn words(parts: Option<Vec<Part>>) -> Result<String, Fault> {
    let mut all = String::new();
    for part in parts.unwrap_or_default() {
        let text = match part.r#type.as_str() {
            "input_text" | "output_text" | "text" => part.text,
            "output_audio" | "audio" => part.transcript,
            // Sound comes through the buffer, and this server looks at no pictures.
            _ => return Err(Fault::invalid("item.content", "A message made by a client holds text alone.")),
        };
        let text =
            text.ok_or_else(|| Fault::invalid("item.content", "A part of the message has no text."))?;
        all.push_str(&text);
        if all.len() > MAX_MESSAGE_BYTES {
            return Err(Fault::invalid("item.content", "A message has at most 64 KiB."));
        }
    }
    if all.trim().is_empty() {
        return Err(Fault::invalid("item.content", "The message is empty."));
    }
    Ok(all)
}

#[derive(Deserialize)]
struct Append<'a> {
    #[serde(borrow, deserialize_with = "borrowed")]
    audio: Cow<'a, str>,
}

/// Base64 holds nothing that JSON escapes, so sound is not copied before it is decoded.
fn borrowed<'de, D: de::Deserializer<'de>>(deserializer: D) -> Result<Cow<'de, str>, D::Error> {
    struct Text;
    impl<'de> de::Visitor<'de> for Text {
        type Value = Cow<'de, str>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("base64")
        }
        fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
            Ok(Cow::Borrowed(text))
        }
        fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
            Ok(Cow::Owned(text.to_owned()))
        }
    }
    deserializer.deserialize_str(Text)
}

#[derive(Deserialize)]
struct Update {
    session: Patch,
}

#[derive(Deserialize)]
struct Create {
    item: Item,
}

#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    id: Option<String>,
    r#type: String,
    #[serde(default)]
    role: Option<String>,
    #[serde(default)]
    content: Option<Vec<Part>>,
    #[serde(default)]
    call_id: Option<String>,
    #[serde(default)]
    output: Option<String>,
}

#[derive(Deserialize)]
struct Part {
    r#type: String,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    transcript: Option<String>,
}

#[derive(Deserialize)]
struct Named {
    item_id: String,
}

#[derive(Deserialize)]
struct Truncate {
    item_id: String,
    audio_end_ms: u64,
}

#[derive(Deserialize)]
struct Respond {
    #[serde(default)]
    response: Option<Wish>,
}

#[derive(Deserialize)]
struct Cancel {
    #[serde(default)]
    response_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> (&'static str, Option<String>) {
        match read(text).said {
            Ok(said) => panic!("{text} was taken for {said:?}"),
            Err(fault) => (fault.code, fault.param),
        }
    }

    #[test]
    fn every_event_of_a_client_is_understood() {
        let said = |text: &'static str| read(text).said.unwrap();
        assert_eq!(
            said(r#"{"type":"input_audio_buffer.append","audio":"AAAA"}"#),
            Said::Append("AAAA".into())
        );
        assert!(matches!(
            said(r#"{"type":"input_audio_buffer.append","audio":"AA+/"}"#),
            Said::Append(Cow::Borrowed(_))
        ));
        assert_eq!(said(r#"{"type":"input_audio_buffer.commit"}"#), Said::Commit);
        assert_eq!(said(r#"{"type":"input_audio_buffer.clear"}"#), Said::Clear);
        assert_eq!(
            said(r#"{"type":"conversation.item.retrieve","item_id":"a"}"#),
            Said::Retrieve("a".into())
        );
        assert_eq!(said(r#"{"type":"conversation.item.delete","item_id":"a"}"#), Said::Delete("a".into()));
        let truncate =
            r#"{"type":"conversation.item.truncate","item_id":"a","content_index":0,"audio_end_ms":12}"#;
        assert_eq!(said(truncate), Said::Truncate { item: "a".into(), heard_ms: 12 });
        assert_eq!(said(r#"{"type":"response.create"}"#), Said::Respond(Box::default()));
        assert_eq!(said(r#"{"type":"response.create","response":null}"#), Said::Respond(Box::default()));
        assert_eq!(said(r#"{"type":"response.cancel"}"#), Said::Cancel(None));
        let text = r#"{"type":"conversation.item.create","event_id":"e1","more":[1],"item":{"type":"message","role":"user","content":[{"type":"input_text","text":"Hello"}]}}"#;
        let event = read(text);
        assert_eq!(event.id.as_deref(), Some("e1"));
        assert_eq!(event.said.unwrap(), Said::Create(NewItem { id: None, what: What::User("Hello".into()) }));
        let output = r#"{"type":"conversation.item.create","item":{"id":"i","type":"function_call_output","call_id":"c","output":"{}"}}"#;
        let what = What::Output { call: "c".into(), output: "{}".into() };
        assert_eq!(said(output), Said::Create(NewItem { id: Some("i".into()), what }));
    }

    #[test]
    fn what_is_none_is_refused_by_its_name_and_not_repeated() {
        for (text, code, param) in [
            ("", "invalid_json", None),
            ("hello", "invalid_json", None),
            ("[]", "invalid_json", None),
            ("{}", "invalid_json", None),
            (r#"{"type":7}"#, "invalid_json", None),
            (r#"{"type":"session.update""#, "invalid_json", None),
            (r#"{"type":"hunter2"}"#, "unknown_event", Some("type")),
            (r#"{"type":"session.update"}"#, "invalid_value", Some("session")),
            (r#"{"type":"input_audio_buffer.append"}"#, "invalid_value", Some("audio")),
            (r#"{"type":"input_audio_buffer.append","audio":null}"#, "invalid_value", Some("audio")),
            (r#"{"type":"input_audio_buffer.append","audio":[1,2]}"#, "invalid_value", Some("audio")),
            (r#"{"type":"conversation.item.retrieve"}"#, "invalid_value", Some("item_id")),
            (r#"{"type":"conversation.item.retrieve","item_id":""}"#, "invalid_value", Some("item_id")),
            (
                r#"{"type":"conversation.item.truncate","item_id":"a","audio_end_ms":-1}"#,
                "invalid_value",
                Some("audio_end_ms"),
            ),
            (
                r#"{"type":"conversation.item.create","item":{"type":"mcp_call"}}"#,
                "invalid_value",
                Some("item.type"),
            ),
            (
                r#"{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[]}}"#,
                "invalid_value",
                Some("item.content"),
            ),
            (
                r#"{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_image"}]}}"#,
                "invalid_value",
                Some("item.content"),
            ),
            (
                r#"{"type":"response.create","response":{"conversation":"none"}}"#,
                "invalid_value",
                Some("response.conversation"),
            ),
            (
                r#"{"type":"response.create","response":{"metadata":{"a":7}}}"#,
                "invalid_value",
                Some("response.metadata"),
            ),
        ] {
            assert_eq!(fault(text), (code, param.map(str::to_owned)), "{text}");
            assert!(!format!("{:?}", read(text).said).contains("hunter2"));
        }
        let long = "x".repeat(MAX_MESSAGE_BYTES + 1);
        let text = format!(r#"{{"type":"response.create","response":{{"instructions":"{long}"}}}}"#);
        assert_eq!(fault(&text).1.as_deref(), Some("response.instructions"));
        let deep =
            format!(r#"{{"type":"session.update","session":{}{}}}"#, "[".repeat(9000), "]".repeat(9000));
        assert_eq!(fault(&deep).0, "invalid_value");
    }
}
