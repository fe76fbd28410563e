//! What was heard, written as OpenAI's clients want it: JSON, text, subtitles.

use assistant::speech::{Heard, Segment};
use serde::Serialize;
use utoipa::ToSchema;

/// What was said.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct Transcription {
    /// The words.
    pub(super) text: String,
    pub(super) usage: Usage,
}

/// What was said, passage by passage.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct VerboseTranscription {
    /// Always `transcribe`.
    task: &'static str,
    /// The language that was listened for.
    language: String,
    /// How long the sound is, in seconds.
    duration: f32,
    /// The words.
    text: String,
    segments: Vec<Passage>,
    usage: Usage,
}

/// A passage of the recording.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct Passage {
    id: usize,
    seek: u32,
    /// Where it begins, in seconds.
    start: f32,
    /// Where it ends.
    end: f32,
    text: String,
    /// Always empty: tokens of another model would mean nothing.
    tokens: Vec<u32>,
    temperature: f32,
    /// The logarithm of how sure the model was.
    avg_logprob: f32,
    compression_ratio: f32,
    no_speech_prob: f32,
}

/// What was counted.
#[derive(Clone, Copy, Serialize, ToSchema)]
pub(in crate::api) struct Usage {
    /// Always `duration`.
    r#type: &'static str,
    /// Seconds of sound.
    seconds: u32,
}

impl Usage {
    pub(super) fn of(heard: &Heard) -> Self {
        Self { r#type: "duration", seconds: heard.seconds.ceil() as u32 }
    }
}

impl Transcription {
    pub(super) fn of(heard: &Heard) -> Self {
        Self { text: heard.text.to_string(), usage: Usage::of(heard) }
    }
}

impl VerboseTranscription {
    pub(super) fn of(heard: &Heard, language: Option<&str>) -> Self {
        let passage = |(id, segment): (usize, &Segment)| Passage {
            id,
            seek: 0,
            start: segment.from.as_secs_f32(),
            end: segment.to.as_secs_f32(),
            text: segment.text.to_string(),
            tokens: Vec::new(),
            temperature: 0.0,
            avg_logprob: segment.confidence.max(1e-6).ln(),
            compression_ratio: 1.0,
            no_speech_prob: 0.0,
        };
        Self {
            task: "transcribe",
            language: language.unwrap_or("en").to_owned(),
            duration: heard.seconds,
            text: heard.text.to_string(),
            segments: heard.segments.iter().enumerate().map(passage).collect(),
            usage: Usage::of(heard),
        }
    }
}

/// Subtitles as `SubRip` has them.
pub(super) fn srt(heard: &Heard) -> String {
    let cue = |(at, segment): (usize, &Segment)| {
        format!(
            "{}\n{} --> {}\n{}\n\n",
            at + 1,
            time(segment.from, ','),
            time(segment.to, ','),
            line(segment)
        )
    };
    heard.segments.iter().enumerate().map(cue).collect()
}

/// Subtitles as `WebVTT` has them.
pub(super) fn vtt(heard: &Heard) -> String {
    let cue = |segment: &Segment| {
        format!("{} --> {}\n{}\n\n", time(segment.from, '.'), time(segment.to, '.'), line(segment))
    };
    std::iter::once("WEBVTT\n\n".to_owned()).chain(heard.segments.iter().map(cue)).collect()
}

/// The words of a cue: an arrow in them would begin another.
fn line(segment: &Segment) -> String {
    segment.text.replace("-->", "->").replace(['\r', '\n'], " ")
}

fn time(at: std::time::Duration, mark: char) -> String {
    let (seconds, millis) = (at.as_secs(), at.subsec_millis());
    format!("{:02}:{:02}:{:02}{mark}{millis:03}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn heard() -> Heard {
        let segment = |text: &str, from, to| Segment {
            text: text.to_owned().into(),
            from: Duration::from_millis(from),
            to: Duration::from_millis(to),
            confidence: 1.0,
        };
        Heard {
            text: "one two".to_owned().into(),
            segments: vec![segment("one", 250, 1_500), segment("two --> x\n", 3_661_002, 3_662_000)],
            seconds: 3_662.4,
            confidence: 1.0,
            model: "m".to_owned(),
        }
    }

    #[test]
    fn subtitles_read_as_players_expect() {
        assert_eq!(
            srt(&heard()),
            "1\n00:00:00,250 --> 00:00:01,500\none\n\n2\n01:01:01,002 --> 01:01:02,000\ntwo -> x \n\n"
        );
        assert_eq!(
            vtt(&heard()),
            "WEBVTT\n\n00:00:00.250 --> 00:00:01.500\none\n\n01:01:01.002 --> 01:01:02.000\ntwo -> x \n\n"
        );
    }

    #[test]
    fn seconds_are_counted_up() {
        let json = serde_json::to_value(Transcription::of(&heard())).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"text": "one two", "usage": {"type": "duration", "seconds": 3663}})
        );
    }
}
