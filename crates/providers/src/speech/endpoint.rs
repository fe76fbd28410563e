//! Speech from an OpenAI-compatible endpoint: `/audio/transcriptions` and `/audio/speech`. Opt-in: only an
//! endpoint whose configuration names models for it is ever asked.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use domain::Clock;
use inference::speech::audio;
use serde::{Deserialize, Serialize};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use zeroize::Zeroizing;

use super::{
    Encoding, Format, Heard, RATE, Samples, Say, Segment, Sound, SpeechFacts, SpeechKind, Spoken,
    line::{Line, Taken, Where, json},
    spoken::Out,
    wav::wav_head,
};
use crate::{EndpointConfig, Error};
use domain::model::Readiness;

/// Samples a second of what such endpoints call `pcm`.
const PCM_RATE: u32 = 24_000;
/// What parts the fields of a form. Sound does not hold it by chance, and is looked through all the same.
const BOUNDARY: &str = "troth-5f2c1d7a94e3486bb0a6c8e1d3f7a2b9";

/// One endpoint.
pub(super) struct SpeechEndpoint {
    prefix: String,
    facts: Vec<SpeechFacts>,
    line: Arc<Line>,
    tasks: TaskTracker,
}

#[derive(Deserialize)]
struct Transcription {
    #[serde(deserialize_with = "wiped")]
    text: Zeroizing<String>,
}

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    input: &'a str,
    voice: &'a str,
    response_format: &'a str,
    speed: f32,
}

impl SpeechEndpoint {
    pub(super) fn new(config: &EndpointConfig, tasks: &TaskTracker, clock: &Clock) -> Result<Self, Error> {
        let leads = Where {
            name: &config.name,
            base_url: &config.base_url,
            key: config.api_key.as_ref().map(|key| ("Bearer", key)),
            ca_file: config.ca_file.as_deref(),
            allow_plain: config.allow_plain_http_loopback,
        };
        let line = Line::new(&leads, config.limits, clock)?;
        let facts = |model: &String, kind, voices: &[String]| SpeechFacts {
            id: format!("{}/{model}", config.name),
            title: model.clone(),
            maker: config.maker.clone().unwrap_or_else(|| line.place().to_string()),
            kind,
            voices: voices.to_vec(),
            place: line.place(),
            readiness: Readiness::Ready,
        };
        let hear = config.recognition_models.iter().map(|model| facts(model, SpeechKind::Recognition, &[]));
        let speak = config.speech_models.iter();
        let speak = speak.map(|model| facts(model, SpeechKind::Synthesis, &config.voices));
        let facts = hear.chain(speak).collect();
        let prefix = format!("{}/", config.name);
        Ok(Self { prefix, facts, line: Arc::new(line), tasks: tasks.clone() })
    }

    pub(super) fn facts(&self) -> Vec<SpeechFacts> {
        self.facts.clone()
    }

    pub(super) async fn recognise(&self, id: &str, sound: Sound) -> Result<Heard, Error> {
        let model = id.strip_prefix(&self.prefix).ok_or(Error::UnknownModel)?;
        let body = form(model, sound.language.as_deref(), &sound.samples)?;
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        let answer = self.line.post("audio/transcriptions", &kind, body).await?.whole().await?;
        let answer: Transcription = serde_json::from_slice(&answer).map_err(|_| Error::Broke)?;
        let text = Zeroizing::new(answer.text.trim().to_owned());
        let seconds = sound.samples.len() as f32 / RATE as f32;
        Ok(whole(text, seconds, 1.0, id))
    }

    pub(super) async fn speak(
        &self,
        id: &str,
        voice: Option<String>,
        say: Say,
        cancel: &CancellationToken,
    ) -> Result<Spoken, Error> {
        let model = id.strip_prefix(&self.prefix).ok_or(Error::UnknownModel)?;
        let usual = || self.facts.iter().find(|facts| facts.id == id)?.voices.first().cloned();
        let voice = voice.or_else(usual).unwrap_or_default();
        let request = Request {
            model,
            input: &say.text,
            voice: &voice,
            response_format: "pcm",
            speed: say.pace.clamp(0.25, 4.0),
        };
        let body = json(&say.text, &request)?;
        let taken = self.line.post("audio/speech", "application/json", body).await?;
        let (out, spoken) = Spoken::channel(PCM_RATE, id.to_owned(), cancel);
        self.tasks.spawn(async move {
            pass_on(taken, &out).await;
        });
        Ok(spoken)
    }
}

/// Hands over PCM as it comes. `false` when nobody wants more, or it broke off.
pub(super) async fn pass_on(mut taken: Taken, out: &Out) -> bool {
    let mut decoder = audio::Decoder::new(Encoding::Pcm16);
    loop {
        let Some(next) = out.while_wanted(taken.next()).await else { return false };
        let piece: Result<Samples, Error> = match next {
            Ok(Some(bytes)) => Ok(decoder.decode(&bytes)),
            Ok(None) => return true,
            Err(error) => Err(error),
        };
        let ended = piece.is_err();
        if piece.as_ref().is_ok_and(|samples| samples.is_empty()) {
            continue;
        }
        if !out.put(piece).await || ended {
            return false;
        }
    }
}

/// Reads a text that is wiped when it is dropped.
pub(super) fn wiped<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Zeroizing<String>, D::Error> {
    String::deserialize(from).map(Zeroizing::new)
}

/// What a vendor heard that gives no times: one segment over all of the sound.
pub(super) fn whole(text: Zeroizing<String>, seconds: f32, confidence: f32, id: &str) -> Heard {
    let to = Duration::try_from_secs_f32(seconds).unwrap_or_default();
    let segment = Segment { text: text.clone(), from: Duration::ZERO, to, confidence };
    let segments = if text.is_empty() { Vec::new() } else { vec![segment] };
    Heard { text, segments, seconds, confidence, model: id.to_owned() }
}

/// 16-bit PCM of what is recognised.
pub(super) fn pcm(samples: &[f32]) -> Zeroizing<Vec<u8>> {
    audio::encode(Encoding::Pcm16, samples)
}

/// The form: a WAV file and what is to be done with it.
fn form(model: &str, language: Option<&str>, samples: &[f32]) -> Result<Bytes, Error> {
    let sound = pcm(samples);
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_plain(model) || !language.is_none_or(is_plain) || holds(&sound, BOUNDARY.as_bytes()) {
        return Err(Error::BadPrompt { why: "it cannot be sent as a form".to_owned() });
    }
    let length = u32::try_from(sound.len()).map_err(|_| Error::TooLarge)?;
    let head = wav_head(Format::pcm(RATE), Some(length));
    let mut all = Zeroizing::new(Vec::with_capacity(sound.len() + 1_024));
    let mut field = |name: &str, value: &str| {
        let text =
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        all.extend_from_slice(text.as_bytes());
    };
    field("model", model);
    field("response_format", "json");
    if let Some(language) = language {
        field("language", language);
    }
    let file =
        "Content-Disposition: form-data; name=\"file\"; filename=\"sound.wav\"\r\nContent-Type: audio/wav";
    all.extend_from_slice(format!("--{BOUNDARY}\r\n{file}\r\n\r\n").as_bytes());
    all.extend_from_slice(&head);
    all.extend_from_slice(&sound);
    all.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    Ok(Bytes::from_owner(all))
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|part| part == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out_of_a_field() {
        assert!(form("whisper-1", Some("en"), &[0.0; 16]).is_ok());
        assert!(form("a\r\n--b", None, &[0.0]).is_err() && form("a", Some("e n"), &[0.0]).is_err());
    }
}
