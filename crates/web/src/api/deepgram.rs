//! Speech in Deepgram's format: `/v1/listen` and `/v1/speak`, each asked once over HTTP or as a socket.
//!
//! Its clients name models and options of that service. A model nobody here knows means the usual one, and the
//! answer says which it was; an option that would change the answer and is not there is refused by name; the rest
//! is ignored, as it does. Failures are written as its clients read them ([`error`]).

pub(super) mod error;
pub(super) mod listen;
mod listen_socket;
pub(super) mod speak;
mod speak_socket;
mod written;

use assistant::speech::{Encoding, Format, SpeechFacts, SpeechKind};
use domain::Ctx;
use http::Uri;

use super::error::{invalid, of_assistant};
use crate::{App, Problem, input};

/// Options that change the answer, or send it elsewhere, and are not there.
const NOT_THERE: [&str; 17] = [
    "callback",
    "custom_intent",
    "custom_topic",
    "detect_entities",
    "detect_language",
    "diarize",
    "diarize_model",
    "dictation",
    "intents",
    "measurements",
    "multichannel",
    "redact",
    "replace",
    "search",
    "sentiment",
    "summarize",
    "topics",
];

/// The part of an address after `?`.
struct Wishes(Vec<(String, String)>);

impl Wishes {
    /// # Errors
    /// 400 for what cannot be read, and for options that are not there.
    fn of(uri: &Uri) -> Result<Self, Problem> {
        let wishes = Self(input::pairs(uri.query().unwrap_or_default().as_bytes())?);
        let strange = wishes.0.iter().find(|(name, value)| {
            NOT_THERE.contains(&name.as_str()) && !matches!(value.as_str(), "" | "false")
        });
        match strange {
            Some((name, _)) => {
                Err(invalid(name.clone(), format!("This server has no `{name}`; leave it out.")))
            }
            None => Ok(wishes),
        }
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn flag(&self, name: &str) -> Result<bool, Problem> {
        match self.value(name) {
            None | Some("false" | "False") => Ok(false),
            Some("true" | "True" | "") => Ok(true),
            Some(_) => Err(invalid(name, format!("`{name}` is `true` or `false`."))),
        }
    }

    /// A whole number from `least` to `most`.
    fn number(&self, name: &str, least: u32, most: u32) -> Result<Option<u32>, Problem> {
        let Some(value) = self.value(name) else { return Ok(None) };
        // Some clients write every number as a fraction.
        let number = value
            .strip_suffix(".0")
            .unwrap_or(value)
            .parse()
            .ok()
            .filter(|number| (least..=most).contains(number));
        let wrong = || invalid(name, format!("`{name}` is a whole number from {least} to {most}."));
        number.map(Some).ok_or_else(wrong)
    }

    /// The format that `encoding` and `sample_rate` say; `None` when they say nothing.
    fn format(&self) -> Result<Option<Format>, Problem> {
        let encoding = match self.value("encoding") {
            None => None,
            Some("linear16") => Some(Encoding::Pcm16),
            Some("mulaw") => Some(Encoding::MuLaw),
            Some("alaw") => Some(Encoding::ALaw),
            Some(_) => {
                let known = "This server reads and writes `linear16`, `mulaw` and `alaw`.";
                return Err(invalid("encoding", known));
            }
        };
        let rate = self.number("sample_rate", 8_000, 48_000)?;
        if rate.is_some_and(|rate| ![8_000, 16_000, 24_000, 32_000, 44_100, 48_000].contains(&rate)) {
            let known = "Sound has 8000, 16000, 24000, 32000, 44100 or 48000 samples a second here.";
            return Err(invalid("sample_rate", known));
        }
        let usual = |encoding| if encoding == Encoding::Pcm16 { 24_000 } else { 8_000 };
        Ok(encoding.map(|encoding| Format { encoding, rate: rate.unwrap_or_else(|| usual(encoding)) }))
    }

    /// The model that was asked for, or the usual one where nobody here knows it.
    fn model(&self, app: &App, ctx: &Ctx, kind: SpeechKind) -> Result<SpeechFacts, Problem> {
        let named = self.value("model").map(|name| app.assistant.speech_model(ctx, kind, Some(name)));
        let found = match named {
            Some(Ok(found)) => Ok(found),
            _ => app.assistant.speech_model(ctx, kind, None),
        };
        found.map_err(|error| of_assistant(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wishes(query: &str) -> Result<Wishes, Problem> {
        Wishes::of(&format!("/v1/listen?{query}").parse().unwrap())
    }

    #[test]
    fn what_would_change_the_answer_and_is_not_there_is_refused_by_name() {
        for option in NOT_THERE {
            let refused = wishes(&format!("model=nova-3&{option}=pci")).err().unwrap();
            assert_eq!(refused.param.as_deref(), Some(option));
            assert!(wishes(&format!("{option}=false")).is_ok());
        }
        assert!(wishes("punctuate=true&smart_format=true&tag=a&keyterm=b").is_ok());
    }

    #[test]
    fn formats_are_read_with_their_usual_rates() {
        let format = |query: &str| wishes(query).and_then(|wishes| wishes.format());
        assert_eq!(format("").unwrap(), None);
        assert_eq!(format("encoding=linear16&sample_rate=16000").unwrap(), Some(Format::pcm(16_000)));
        let mulaw = Format { encoding: Encoding::MuLaw, rate: 8_000 };
        assert_eq!(format("encoding=mulaw").unwrap(), Some(mulaw));
        for (query, param) in [
            ("encoding=opus", "encoding"),
            ("encoding=linear16&sample_rate=7999", "sample_rate"),
            ("encoding=linear16&sample_rate=12345", "sample_rate"),
            ("encoding=linear16&sample_rate=fast", "sample_rate"),
        ] {
            assert_eq!(format(query).unwrap_err().param.as_deref(), Some(param), "{query}");
        }
        assert!(wishes("interim_results=maybe").unwrap().flag("interim_results").is_err());
    }
}
