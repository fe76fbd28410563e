//! Deepgram's service as a vendor: `/v1/listen` for recordings, `/v1/speak` for texts. Opt-in, with a key of the
//! operator's. Invariant: every request says that what it carries may not be kept to train models.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use domain::{Clock, enforced, model::Readiness};
use serde::{Deserialize, Serialize};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use zeroize::Zeroizing;

use super::{
    DeepgramConfig, Heard, RATE, Say, Segment, Sound, SpeechFacts, SpeechKind, Spoken,
    endpoint::{pass_on, pcm, whole, wiped},
    line::{Line, Where, json},
};
use crate::Error;

const NAME: &str = "deepgram";
/// Samples a second that are asked for.
const VOICE_RATE: u32 = 24_000;
/// Characters the service speaks at once.
const LONGEST_PART: usize = 2_000;
/// The paces it offers.
const PACES: [f32; 2] = [0.7, 1.5];

/// The service.
pub(super) struct Deepgram {
    facts: Vec<SpeechFacts>,
    line: Arc<Line>,
    tasks: TaskTracker,
}

impl Deepgram {
    pub(super) fn new(config: &DeepgramConfig, tasks: &TaskTracker, clock: &Clock) -> Result<Self, Error> {
        let Some(key) = &config.api_key else {
            let why = "`models.speech.deepgram` needs a key: set TROTH_MODELS__SPEECH__DEEPGRAM__API_KEY";
            return Err(Error::Config { why: why.to_owned() });
        };
        let leads = Where {
            name: NAME,
            base_url: &config.base_url,
            key: Some(("Token", key)),
            ca_file: config.ca_file.as_deref(),
            allow_plain: config.allow_plain_http_loopback,
        };
        let line = Line::new(&leads, config.limits, clock)?;
        let named = config.recognition_models.iter().chain(&config.speech_models);
        if let Some(strange) = named.into_iter().find(|model| !is_plain(model)) {
            let why = format!("`{strange}` is no name of a model: use letters, digits, points and hyphens");
            return Err(Error::Config { why });
        }
        let facts = |model: &String, kind| SpeechFacts {
            id: format!("{NAME}/{model}"),
            title: model.clone(),
            maker: "Deepgram".to_owned(),
            kind,
            voices: Vec::new(),
            place: line.place(),
            readiness: Readiness::Ready,
        };
        let hear = config.recognition_models.iter().map(|model| facts(model, SpeechKind::Recognition));
        let speak = config.speech_models.iter().map(|model| facts(model, SpeechKind::Synthesis));
        let facts = hear.chain(speak).collect();
        Ok(Self { facts, line: Arc::new(line), tasks: tasks.clone() })
    }

    pub(super) fn facts(&self) -> Vec<SpeechFacts> {
        self.facts.clone()
    }

    pub(super) async fn recognise(&self, id: &str, sound: Sound) -> Result<Heard, Error> {
        let mut wanted = vec![
            ("model", model(id)?.to_owned()),
            ("encoding", "linear16".to_owned()),
            ("sample_rate", RATE.to_string()),
            ("channels", "1".to_owned()),
            ("smart_format", "true".to_owned()),
        ];
        if let Some(language) = sound.language.as_ref().filter(|language| is_plain(language)) {
            wanted.push(("language", language.clone()));
        }
        let body = Bytes::from_owner(pcm(&sound.samples));
        let taken = self.line.post(&path("listen", &wanted), "application/octet-stream", body).await?;
        let answer = taken.whole().await?;
        let answer: Answer = serde_json::from_slice(&answer).map_err(|_| Error::Broke)?;
        let best = answer.results.channels.into_iter().next();
        let best = best.and_then(|channel| channel.alternatives.into_iter().next()).ok_or(Error::Broke)?;
        let seconds = sound.samples.len() as f32 / RATE as f32;
        let place = |seconds: Option<f32>| seconds.and_then(|at| Duration::try_from_secs_f32(at).ok());
        let (from, to) = (best.words.first().map(|word| word.start), best.words.last().map(|word| word.end));
        let mut heard = whole(best.transcript, seconds, best.confidence.clamp(0.0, 1.0), id);
        if let ([segment], Some(from), Some(to)) = (heard.segments.as_mut_slice(), place(from), place(to)) {
            *segment = Segment { text: segment.text.clone(), from, to, confidence: segment.confidence };
        }
        Ok(heard)
    }

    pub(super) async fn speak(
        &self,
        id: &str,
        say: Say,
        cancel: &CancellationToken,
    ) -> Result<Spoken, Error> {
        let mut wanted = vec![
            ("model", model(id)?.to_owned()),
            ("encoding", "linear16".to_owned()),
            ("sample_rate", VOICE_RATE.to_string()),
            ("container", "none".to_owned()),
        ];
        if (say.pace - 1.0).abs() > 0.01 {
            wanted.push(("speed", format!("{:.2}", say.pace.clamp(PACES[0], PACES[1]))));
        }
        let path = path("speak", &wanted);
        let mut parts = parts(&say.text).into_iter();
        let Some(first) = parts.next() else {
            return Err(Error::BadPrompt { why: "it is empty".to_owned() });
        };
        // The first part is asked for here, so that a refusal is one to whoever asks.
        let mut taken = self.line.post(&path, "application/json", body(&first)?).await?;
        let (out, spoken) = Spoken::channel(VOICE_RATE, id.to_owned(), cancel);
        let line = Arc::clone(&self.line);
        self.tasks.spawn(async move {
            while pass_on(taken, &out).await {
                let Some(part) = parts.next() else { return };
                let next = async { line.post(&path, "application/json", body(&part)?).await };
                taken = match out.while_wanted(next).await {
                    Some(Ok(next)) => next,
                    Some(Err(error)) => {
                        out.put(Err(error)).await;
                        return;
                    }
                    None => return,
                };
            }
        });
        Ok(spoken)
    }
}

/// The path of a request. Whatever is wanted, it opts out of training.
fn path(what: &str, wanted: &[(&str, String)]) -> String {
    let mut path = format!("v1/{what}?");
    enforced!(SPE01);
    path.push_str("mip_opt_out=true");
    for (name, value) in wanted {
        path.extend(["&", name, "=", value.as_str()]);
    }
    path
}

fn model(id: &str) -> Result<&str, Error> {
    id.strip_prefix(NAME).and_then(|rest| rest.strip_prefix('/')).ok_or(Error::UnknownModel)
}

fn body(text: &str) -> Result<Bytes, Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        text: &'a str,
    }
    json(text, &Body { text })
}

/// Letters that mean nothing in an address.
fn is_plain(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    !text.is_empty() && text.len() <= 64 && text.bytes().all(plain)
}

/// `text` in parts the service takes, cut behind sentences or else between words.
fn parts(text: &str) -> Vec<Zeroizing<String>> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    while let Some((end, _)) = rest.char_indices().nth(LONGEST_PART) {
        let front = rest.get(..end).unwrap_or_default();
        let cut = front.rfind(['.', '!', '?']).map(|at| at + 1).or_else(|| front.rfind(' '));
        let (part, later) = rest.split_at(cut.filter(|at| *at > 0).unwrap_or(end));
        parts.push(Zeroizing::new(part.trim().to_owned()));
        rest = later.trim_start();
    }
    parts.push(Zeroizing::new(rest.to_owned()));
    parts.retain(|part| !part.is_empty());
    parts
}

#[derive(Deserialize)]
struct Answer {
    results: Results,
}

#[derive(Deserialize)]
struct Results {
    channels: Vec<Channel>,
}

#[derive(Deserialize)]
struct Channel {
    alternatives: Vec<Alternative>,
}

#[derive(Deserialize)]
struct Alternative {
    #[serde(deserialize_with = "wiped")]
    transcript: Zeroizing<String>,
    #[serde(default)]
    confidence: f32,
    #[serde(default)]
    words: Vec<Word>,
}

#[derive(Deserialize)]
struct Word {
    start: f32,
    end: f32,
}

#[cfg(test)]
mod tests {
    use domain::verifies;

    use super::*;

    #[test]
    fn every_address_opts_out_of_training() {
        let _proof = verifies!(SPE01);
        assert_eq!(path("listen", &[]), "v1/listen?mip_opt_out=true");
        assert!(path("speak", &[("model", "x".to_owned())]).contains("mip_opt_out=true&model=x"));
    }

    #[test]
    fn long_texts_go_in_parts() {
        let text = format!("{}. {} {}", "a".repeat(1_500), "b".repeat(400), "c ".repeat(1_500));
        let found = parts(&text);
        assert!(found.iter().all(|part| part.chars().count() <= LONGEST_PART) && found.len() == 3);
        let kept: usize = found.iter().map(|part| part.matches(['a', 'b', 'c']).count()).sum();
        assert_eq!(kept, 3_400);
        assert!(parts("  ").is_empty());
    }
}
