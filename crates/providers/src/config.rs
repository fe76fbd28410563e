//! What an operator decides about models. `server` fills it from its file and environment.

use std::{path::PathBuf, time::Duration};

use domain::Secret;
use serde::Deserialize;

use crate::{fetch::Sources, speech::SpeechConfig};

/// All decisions about models. Unknown keys are refused.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where model files lie. `server` sets it; empty means the working directory.
    pub models_folder: PathBuf,
    /// The model that answers when nobody chose one; the first there is when absent.
    pub default_model: Option<String>,
    /// The model on this machine.
    pub local: LocalConfig,
    /// OpenAI-compatible endpoints.
    pub endpoints: Vec<EndpointConfig>,
    /// What hears and speaks.
    pub speech: SpeechConfig,
    /// Where model files may be fetched from.
    pub sources: Sources,
    /// Adds models that answer, hear and speak by rote. For tests and measurements.
    pub scripted: bool,
}

/// Decisions about the model on this machine.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LocalConfig {
    /// Whether there is one at all.
    pub enabled: bool,
    /// An id from the catalogue, or the path of a GGUF file; the catalogue's choice for this
    /// machine's memory when absent.
    pub model: Option<String>,
    /// SHA-256 of the file at that path, in hex: the operator's word that it is to be trusted. Not
    /// needed for files of the catalogue.
    pub sha256: Option<String>,
    /// Whether a missing file is fetched without being asked.
    pub fetch: bool,
}

impl Default for LocalConfig {
    fn default() -> Self {
        Self { enabled: true, model: None, sha256: None, fetch: true }
    }
}

/// One OpenAI-compatible endpoint. Its models are called `name/model`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointConfig {
    /// A short name, `[a-z0-9-]{1,32}`.
    pub name: String,
    /// The address before `/chat/completions`, e.g. `https://models.example/v1`. Plain `http` is
    /// taken for loopback addresses alone, and only with `allow_plain_http_loopback`.
    pub base_url: String,
    /// Sent as a bearer token.
    #[serde(default)]
    pub api_key: Option<Secret<String>>,
    /// Models to offer for chat, as the endpoint names them.
    #[serde(default)]
    pub models: Vec<String>,
    /// Models to offer for embeddings.
    #[serde(default)]
    pub embedding_models: Vec<String>,
    /// Models to offer for turning sound into words.
    #[serde(default)]
    pub recognition_models: Vec<String>,
    /// Models to offer for turning words into sound.
    #[serde(default)]
    pub speech_models: Vec<String>,
    /// The voices these have, the usual one first.
    #[serde(default = "default_voices")]
    pub voices: Vec<String>,
    /// Who makes these models, for people to read; the endpoint's host when absent.
    #[serde(default)]
    pub maker: Option<String>,
    /// Tokens these models attend to.
    #[serde(default = "default_context")]
    pub context_tokens: u32,
    /// How the endpoint calls the limit of an answer's length.
    #[serde(default)]
    pub token_limit: TokenLimit,
    /// A PEM file with the certificate authority to trust instead of the public ones.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Whether `http` to this machine itself will do.
    #[serde(default)]
    pub allow_plain_http_loopback: bool,
    /// Times and sizes.
    #[serde(default)]
    pub limits: Limits,
}

fn default_voices() -> Vec<String> {
    vec!["alloy".to_owned()]
}

const fn default_context() -> u32 {
    32_768
}

/// The name of the field that bounds an answer's length; vendors disagree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenLimit {
    /// `max_tokens`, which most servers understand.
    #[default]
    MaxTokens,
    /// `max_completion_tokens`, which newer models of some vendors insist on.
    MaxCompletionTokens,
}

/// Times in milliseconds, sizes in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// For a connection to stand, TLS included.
    pub connect_ms: u64,
    /// From the question to the first byte of the answer's body.
    pub first_byte_ms: u64,
    /// Between two pieces of an answer.
    pub idle_ms: u64,
    /// For an answer as a whole.
    pub answer_ms: u64,
    /// Most bytes of an answer on the wire.
    pub answer_bytes: usize,
    /// Longest line of the event stream.
    pub line_bytes: usize,
    /// Most tries of one question, the first included.
    pub tries: u32,
    /// Failures in a row after which the endpoint is left in peace.
    pub failures_to_open: u32,
    /// For how long.
    pub open_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect_ms: 5_000,
            first_byte_ms: 60_000,
            idle_ms: 30_000,
            answer_ms: 900_000,
            answer_bytes: 16 * 1024 * 1024,
            line_bytes: 1024 * 1024,
            tries: 3,
            failures_to_open: 5,
            open_ms: 30_000,
        }
    }
}

impl Limits {
    pub(crate) const fn connect(&self) -> Duration {
        Duration::from_millis(self.connect_ms)
    }

    pub(crate) const fn first_byte(&self) -> Duration {
        Duration::from_millis(self.first_byte_ms)
    }

    pub(crate) const fn idle(&self) -> Duration {
        Duration::from_millis(self.idle_ms)
    }

    pub(crate) const fn answer(&self) -> Duration {
        Duration::from_millis(self.answer_ms)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn defaults_stand_and_unknown_keys_are_refused() {
        let config: Config = serde_json::from_value(json!({
            "endpoints": [{"name": "work", "base_url": "https://models.example/v1", "limits": {"tries": 1}}],
        }))
        .unwrap();
        assert!(config.local.enabled && config.local.fetch && config.sources.packages && !config.scripted);
        let endpoint = &config.endpoints[0];
        assert!(!endpoint.allow_plain_http_loopback);
        assert_eq!((endpoint.limits.tries, endpoint.limits.connect_ms), (1, 5_000));
        for unknown in [
            json!({"endpoint": []}),
            json!({"local": {"threads": 2}}),
            json!({"sources": {"hub": "x"}}),
            json!({"endpoints": [{"name": "a", "base_url": "b", "limits": {"retries": 3}}]}),
        ] {
            assert!(serde_json::from_value::<Config>(unknown.clone()).is_err(), "{unknown}");
        }
    }
}
