//! What a deployment decides about speech: `[models.speech]`.

use domain::Secret;
use serde::Deserialize;

use crate::Limits;

/// Decisions about speech.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpeechConfig {
    /// Whether this machine hears and speaks with models of its own; as it answers with one when absent.
    pub enabled: Option<bool>,
    /// What turns sound into words when nobody chose; the first there is when absent.
    pub recognition: Option<String>,
    /// What turns words into sound when nobody chose; the first there is when absent.
    pub voice: Option<String>,
    /// Pieces of sound, and as many sentences, that are worked on at once.
    pub workers: usize,
    /// Deepgram as a vendor of both. Only with a key.
    pub deepgram: Option<DeepgramConfig>,
}

impl Default for SpeechConfig {
    fn default() -> Self {
        Self { enabled: None, recognition: None, voice: None, workers: 2, deepgram: None }
    }
}

/// Deepgram's service, or something that speaks as it does. Its models are called `deepgram/NAME`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeepgramConfig {
    /// The address before `/v1/listen`.
    pub base_url: String,
    /// The key: a secret, taken from the environment alone.
    pub api_key: Option<Secret<String>>,
    /// Models that listen.
    pub recognition_models: Vec<String>,
    /// Models that speak.
    pub speech_models: Vec<String>,
    /// A PEM file with the certificate authority to trust instead of the public ones.
    pub ca_file: Option<std::path::PathBuf>,
    /// Whether `http` to this machine itself will do.
    pub allow_plain_http_loopback: bool,
    /// Times and sizes.
    pub limits: Limits,
}

impl Default for DeepgramConfig {
    fn default() -> Self {
        Self {
            base_url: "https://api.deepgram.com".to_owned(),
            api_key: None,
            recognition_models: vec!["nova-3".to_owned()],
            speech_models: vec!["aura-2-thalia-en".to_owned()],
            ca_file: None,
            allow_plain_http_loopback: false,
            limits: Limits::default(),
        }
    }
}
