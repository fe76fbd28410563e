//! What was heard, as Deepgram's clients read it.

use assistant::speech::{Heard, Segment, Words};
use domain::{Ctx, Timestamp};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Models here have no identifier of that service's kind.
pub(super) const NO_ID: &str = "00000000-0000-0000-0000-000000000000";

/// What the whole recording says.
pub(super) fn recording(ctx: &Ctx, heard: &Heard) -> Value {
    let words: Vec<Value> = heard.segments.iter().flat_map(words_of).collect();
    let alternative =
        json!({ "transcript": heard.text.as_str(), "confidence": heard.confidence, "words": words });
    json!({
        "metadata": {
            "transaction_key": "deprecated",
            "request_id": ctx.request.to_string(),
            "sha256": "",
            "created": moment(ctx.now()),
            "duration": heard.seconds,
            "channels": 1,
            "models": [NO_ID],
            "model_info": { NO_ID: about(&heard.model) },
        },
        "results": { "channels": [{ "alternatives": [alternative] }] },
    })
}

/// What a stretch of a stream says.
pub(super) fn results(request: &str, model: &str, words: &Words) -> Value {
    let to = words.from + words.seconds;
    let alternative = json!({
        "transcript": words.text.as_str(),
        "confidence": words.confidence,
        "words": spread(&words.text, words.from, to, words.confidence),
    });
    json!({
        "type": "Results",
        "channel_index": [0, 1],
        "start": words.from,
        "duration": words.seconds,
        "is_final": words.is_final,
        "speech_final": words.speech_final,
        "from_finalize": words.from_finalize,
        "channel": { "alternatives": [alternative] },
        "metadata": { "request_id": request, "model_info": about(model), "model_uuid": NO_ID },
    })
}

/// What is said of a stream at its end.
pub(super) fn metadata(ctx: &Ctx, seconds: f64) -> Value {
    json!({
        "type": "Metadata",
        "transaction_key": "deprecated",
        "request_id": ctx.request.to_string(),
        "sha256": "",
        "created": moment(ctx.now()),
        "duration": seconds,
        "channels": 1,
    })
}

fn about(model: &str) -> Value {
    json!({ "name": model, "version": env!("CARGO_PKG_VERSION"), "arch": "local" })
}

fn moment(at: Timestamp) -> String {
    let moment = OffsetDateTime::from_unix_timestamp(at.seconds()).ok();
    moment.and_then(|moment| moment.format(&Rfc3339).ok()).unwrap_or_default()
}

fn words_of(segment: &Segment) -> Vec<Value> {
    spread(&segment.text, segment.from.as_secs_f64(), segment.to.as_secs_f64(), segment.confidence)
}

/// The words of a passage with a time each. Models here know when a passage was said, not each word, so the time
/// is divided by the letters.
fn spread(text: &str, from: f64, to: f64, confidence: f32) -> Vec<Value> {
    let letters = |word: &str| word.chars().count() as f64 + 1.0;
    let all: f64 = text.split_whitespace().map(letters).sum();
    let second = (to - from).max(0.0) / all.max(1.0);
    let mut at = from;
    text.split_whitespace()
        .map(|written| {
            let begins = at;
            at += letters(written) * second;
            let bare = written.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
            json!({
                "word": bare, "start": begins, "end": at, "confidence": confidence, "punctuated_word": written,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_share_the_time_of_their_passage() {
        let words = spread("Yes, three words.", 1.0, 5.0, 0.5);
        let of = |at: usize, name: &str| words[at][name].clone();
        assert_eq!((of(0, "word"), of(0, "punctuated_word")), (json!("yes"), json!("Yes,")));
        assert_eq!(of(0, "start"), json!(1.0));
        let ends: f64 = of(2, "end").as_f64().unwrap();
        assert!((ends - 5.0).abs() < 1e-9, "{ends}");
        assert!(spread("", 0.0, 1.0, 0.5).is_empty());
    }
}
