//! The closed list of vendors of speech, and the one place where they are told apart.

use domain::{Clock, enforced, model::Readiness};
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Heard, Hearing, Say, Sound, SpeechFacts, Spoken, deepgram::Deepgram, endpoint::SpeechEndpoint,
    local::LocalSpeech, scripted::Scripted, workers::Asker,
};
use crate::{Config, Error};

/// A vendor of speech.
pub(super) enum Vendor {
    /// Models in this process.
    Local(Box<LocalSpeech>),
    /// An OpenAI-compatible endpoint.
    Endpoint(Box<SpeechEndpoint>),
    /// Deepgram's service.
    Deepgram(Box<Deepgram>),
    /// By rote, for tests and measurements.
    Scripted(Scripted),
}

/// The vendors `config` names, in the order in which a usual one is looked for.
pub(super) fn all(
    config: &Config,
    tasks: &TaskTracker,
    clock: &Clock,
    stop: &CancellationToken,
    language: Option<watch::Receiver<Readiness>>,
) -> Result<Vec<Vendor>, Error> {
    let mut vendors = Vec::new();
    if config.speech.enabled.unwrap_or(config.local.enabled) {
        vendors.push(Vendor::Local(Box::new(LocalSpeech::start(config, tasks, stop, language))));
    }
    for endpoint in &config.endpoints {
        if endpoint.recognition_models.is_empty() && endpoint.speech_models.is_empty() {
            // It was named to be asked in writing: no sound and no spoken text goes there.
            enforced!(SPE02);
            continue;
        }
        vendors.push(Vendor::Endpoint(Box::new(SpeechEndpoint::new(endpoint, tasks, clock)?)));
    }
    if let Some(deepgram) = &config.speech.deepgram {
        vendors.push(Vendor::Deepgram(Box::new(Deepgram::new(deepgram, tasks, clock)?)));
    }
    if config.scripted {
        vendors.push(Vendor::Scripted(Scripted::new(tasks)));
    }
    Ok(vendors)
}

impl Vendor {
    /// Its models.
    pub(super) fn facts(&self) -> Vec<SpeechFacts> {
        match self {
            Self::Local(local) => local.facts(),
            Self::Endpoint(endpoint) => endpoint.facts(),
            Self::Deepgram(deepgram) => deepgram.facts(),
            Self::Scripted(_) => Scripted::facts(),
        }
    }

    /// How far what notices speech is, where it has that.
    pub(super) fn attention(&self) -> Option<Readiness> {
        match self {
            Self::Local(local) => Some(local.attention()),
            Self::Scripted(_) => Some(Readiness::Ready),
            Self::Endpoint(_) | Self::Deepgram(_) => None,
        }
    }

    /// The words in `sound`, by its model `id`.
    pub(super) async fn recognise(&self, id: &str, sound: Sound, asker: Asker) -> Result<Heard, Error> {
        match self {
            Self::Local(local) => local.recognise(id, sound, asker).await,
            Self::Endpoint(endpoint) => endpoint.recognise(id, sound).await,
            Self::Deepgram(deepgram) => deepgram.recognise(id, sound).await,
            Self::Scripted(_) => Scripted::recognise(&sound).await,
        }
    }

    /// The sound of a text, by its model `id` with `voice`.
    pub(super) async fn speak(
        &self,
        id: &str,
        voice: Option<String>,
        say: Say,
        asker: Asker,
        cancel: CancellationToken,
    ) -> Result<Spoken, Error> {
        match self {
            Self::Local(local) => local.speak(id, say, asker, &cancel).await,
            Self::Endpoint(endpoint) => endpoint.speak(id, voice, say, &cancel).await,
            Self::Deepgram(deepgram) => deepgram.speak(id, say, &cancel).await,
            Self::Scripted(scripted) => scripted.speak(&say, &cancel),
        }
    }

    /// An ear for one call, where it has one.
    pub(super) async fn hearing(&self) -> Result<Hearing, Error> {
        match self {
            Self::Local(local) => local.hearing().await,
            Self::Scripted(_) => Ok(Hearing::scripted()),
            Self::Endpoint(_) | Self::Deepgram(_) => Err(Error::UnknownModel),
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::{Timestamp, verifies};
    use serde_json::json;

    use super::*;
    use crate::{EndpointConfig, LocalConfig};

    #[test]
    fn nothing_is_made_that_could_send_sound_to_an_endpoint_for_writing() {
        let _proof = verifies!(SPE02);
        let clock = Clock::new(|| Timestamp(0));
        let made = |speech_models: &[&str]| {
            let endpoint = json!({
                "name": "work", "base_url": "https://models.example/v1", "models": ["m"], "speech_models": speech_models
            });
            let endpoint: EndpointConfig = serde_json::from_value(endpoint).unwrap();
            let local = LocalConfig { enabled: false, ..LocalConfig::default() };
            let config = Config { endpoints: vec![endpoint], local, ..Config::default() };
            all(&config, &TaskTracker::new(), &clock, &CancellationToken::new(), None).unwrap().len()
        };
        assert_eq!((made(&[]), made(&["voice"])), (0, 1));
    }
}
