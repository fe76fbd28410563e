//! What a client of the Agent wire says: Deepgram's Voice Agent, version 1.
//!
//! Called by [`super::Face`] for every text message. Fields nobody here knows are ignored: released clients send
//! more every month. A known field of the wrong kind ends the connection, as it does there. Invariant: a refusal
//! repeats nothing of what was sent.

use std::borrow::Cow;

use domain::chat::MAX_MESSAGE_BYTES;
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    fault::Fault,
    settings::{Listen, Settings, Several, Speak, Think},
};

/// Longest result of a tool, in bytes.
const LONGEST_OUTPUT: usize = 128 << 10;

/// One message of a client.
#[derive(Debug, PartialEq)]
pub(super) enum Said {
    /// `Settings`
    Settings(Box<Settings>),
    /// `UpdatePrompt`
    Prompt(String),
    /// `UpdateSpeak`
    Speak(Speak),
    /// `UpdateThink`
    Think(Box<Think>),
    /// `UpdateListen`
    Listen(Listen),
    /// `InjectUserMessage`
    UserMessage(String),
    /// `InjectAgentMessage`
    AgentMessage {
        /// What is to be said.
        message: String,
        /// When.
        behavior: Behavior,
    },
    /// `FunctionCallResponse`
    Result {
        /// Which call.
        id: Option<String>,
        /// Of which tool.
        name: String,
        /// What it gave.
        content: String,
    },
    /// `ForceEndTurn`
    EndTurn,
    /// `KeepAlive`
    KeepAlive,
}

/// When an injected message is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Behavior {
    /// Now, unless somebody speaks.
    #[default]
    Default,
    /// After what is being said.
    Queue,
    /// At once.
    Interrupt,
}

/// Reads one text message.
///
/// # Errors
/// A fault that ends the connection.
pub(super) fn read(text: &str) -> Result<Said, Fault> {
    let kind: Kind<'_> = serde_json::from_str(text).map_err(|_| Fault::unreadable(UNREADABLE))?;
    Ok(match &*kind.r#type {
        "Settings" => Said::Settings(Box::new(fields(text)?)),
        "UpdatePrompt" => Said::Prompt(short(fields::<Prompt>(text)?.prompt)?),
        "UpdateSpeak" => Said::Speak(fields::<UpdateSpeak>(text)?.speak.first()?),
        "UpdateThink" => Said::Think(Box::new(fields::<UpdateThink>(text)?.think.first()?)),
        "UpdateListen" => Said::Listen(fields::<UpdateListen>(text)?.listen),
        "InjectUserMessage" => Said::UserMessage(short(fields::<UserMessage>(text)?.content)?),
        "InjectAgentMessage" => {
            let AgentMessage { message, behavior } = fields(text)?;
            Said::AgentMessage { message: short(message)?, behavior: behavior.unwrap_or_default() }
        }
        "FunctionCallResponse" => {
            let Answer { id, name, content } = fields(text)?;
            if content.len() > LONGEST_OUTPUT {
                return Err(Fault::unreadable("The result of a function has at most 128 KiB."));
            }
            Said::Result { id, name, content }
        }
        "ForceEndTurn" => Said::EndTurn,
        "KeepAlive" => Said::KeepAlive,
        _ => return Err(Fault::unreadable("This server knows no message of this type.")),
    })
}

const UNREADABLE: &str = "The message is not a JSON object with a `type`.";

fn fields<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|error| Fault::misshapen(&error))
}

fn short(text: String) -> Result<String, Fault> {
    match text.len() <= MAX_MESSAGE_BYTES {
        true => Ok(text),
        false => Err(Fault::unreadable("A text has at most 64 KiB.")),
    }
}

#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Prompt {
    prompt: String,
}

#[derive(Deserialize)]
struct UpdateSpeak {
    speak: Several<Speak>,
}

#[derive(Deserialize)]
struct UpdateThink {
    think: Several<Think>,
}

#[derive(Deserialize)]
struct UpdateListen {
    listen: Listen,
}

#[derive(Deserialize)]
struct UserMessage {
    content: String,
}

#[derive(Deserialize)]
struct AgentMessage {
    message: String,
    #[serde(default)]
    behavior: Option<Behavior>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    id: Option<String>,
    name: String,
    content: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_of_a_client_is_understood() {
        let said = |text: &str| read(text).unwrap();
        assert!(matches!(said(r#"{"type":"Settings","audio":{},"agent":{}}"#), Said::Settings(_)));
        assert_eq!(said(r#"{"type":"UpdatePrompt","prompt":"Be brief."}"#), Said::Prompt("Be brief.".into()));
        let one = r#"{"type":"UpdateSpeak","speak":{"provider":{"type":"deepgram","model":"amber"}}}"#;
        let many = r#"{"type":"UpdateSpeak","speak":[{"provider":{"type":"deepgram","model":"amber"}},{"provider":{"type":"cartesia"}}]}"#;
        assert_eq!(said(one), said(many));
        let think =
            r#"{"type":"UpdateThink","think":{"provider":{"type":"open_ai","model":"small"},"prompt":"x"}}"#;
        assert!(matches!(said(think), Said::Think(_)));
        assert!(matches!(
            said(r#"{"type":"UpdateListen","listen":{"provider":{"type":"deepgram"}}}"#),
            Said::Listen(_)
        ));
        assert_eq!(said(r#"{"type":"InjectUserMessage","content":"Hi"}"#), Said::UserMessage("Hi".into()));
        assert_eq!(
            said(r#"{"type":"InjectAgentMessage","message":"Hi","behavior":"interrupt"}"#),
            Said::AgentMessage { message: "Hi".into(), behavior: Behavior::Interrupt }
        );
        assert_eq!(
            said(r#"{"type":"FunctionCallResponse","name":"order","content":"{}","more":1}"#),
            Said::Result { id: None, name: "order".into(), content: "{}".into() }
        );
        assert_eq!(said(r#"{"type":"ForceEndTurn"}"#), Said::EndTurn);
        assert_eq!(said(r#"{"type":"KeepAlive"}"#), Said::KeepAlive);
    }

    #[test]
    fn what_is_none_is_refused_and_not_repeated() {
        let long =
            format!(r#"{{"type":"InjectUserMessage","content":"{}"}}"#, "x".repeat(MAX_MESSAGE_BYTES + 1));
        for text in [
            "",
            "hunter2",
            "[]",
            "{}",
            r#"{"type":null}"#,
            r#"{"type":"hunter2"}"#,
            r#"{"type":"SettingsConfiguration"}"#,
            r#"{"type":"UpdatePrompt"}"#,
            r#"{"type":"UpdatePrompt","prompt":7}"#,
            r#"{"type":"UpdateSpeak","speak":[]}"#,
            r#"{"type":"InjectAgentMessage","message":"Hi","behavior":"hunter2"}"#,
            r#"{"type":"FunctionCallResponse","name":"order"}"#,
            r#"{"type":"Settings","audio":7}"#,
            &long,
        ] {
            let fault = read(text).unwrap_err();
            assert_eq!(fault.code, "UNPARSABLE_CLIENT_MESSAGE", "{text}");
            assert!(!fault.description.contains("hunter2"), "{fault:?}");
        }
    }
}
