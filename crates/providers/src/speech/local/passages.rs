//! Recognition of what is speech in a recording, and of nothing else.
//!
//! The recogniser hears words in anything: noise behind the last word becomes a "You". So the detector looks
//! first, and only passages in which somebody speaks are shown to it, with a little around them.

use std::{ops::Range, time::Duration};

use inference::speech::{Activity, Detector, FRAME_SAMPLES, RATE, Recogniser, Segment};
use zeroize::Zeroizing;

use super::super::{Heard, format::translate};
use crate::Error;

const SECOND: usize = RATE as usize;
/// What is kept before the first and behind the last frame of speech: quiet consonants lie there.
const BEFORE: usize = SECOND * 3 / 10;
const BEHIND: usize = SECOND / 4;
/// A pause this long parts two passages.
const PAUSE: usize = SECOND;
/// Samples the detector looks at between two questions whether somebody still waits.
const STRIDE: usize = 10 * SECOND;
/// Frames of speech in a row that a passage needs: what is shorter is no word.
const SHORTEST: usize = 3;

/// What is said in `samples`; what was heard until then when `go_on` says no.
pub(super) fn heard(
    recogniser: &Recogniser,
    detector: &Detector,
    samples: &[f32],
    model: String,
    go_on: &dyn Fn() -> bool,
) -> Result<Heard, Error> {
    let mut activity = Activity::new();
    let mut speaking = Vec::with_capacity(samples.len() / FRAME_SAMPLES + 1);
    for part in samples.chunks(STRIDE) {
        if !go_on() {
            return Err(Error::Cancelled);
        }
        let frames = activity.hear(detector, part).map_err(translate)?;
        speaking.extend(frames.iter().map(|frame| frame.probability));
    }
    let (mut segments, mut certainty, mut length) = (Vec::<Segment>::new(), 0.0, 0.0);
    for passage in passages(&speaking, samples.len()) {
        let begins = Duration::from_secs_f64(passage.start as f64 / SECOND as f64);
        let part = samples.get(passage).unwrap_or_default();
        let heard = recogniser.recognise_while(part, go_on).map_err(translate)?;
        for segment in heard.segments {
            let (from, to) = (begins + segment.from, begins + segment.to);
            let weight = (to - from).as_secs_f32();
            certainty += segment.confidence * weight;
            length += weight;
            segments.push(Segment { from, to, ..segment });
        }
    }
    if !go_on() {
        return Err(Error::Cancelled);
    }
    let texts: Vec<&str> = segments.iter().map(|segment| segment.text.as_str()).collect();
    Ok(Heard {
        text: Zeroizing::new(texts.join(" ")),
        seconds: samples.len() as f32 / SECOND as f32,
        confidence: if length > 0.0 { certainty / length } else { 0.0 },
        segments,
        model,
    })
}

/// Where somebody speaks, with a little around it, given how likely each frame is speech.
fn passages(frames: &[f32], length: usize) -> Vec<Range<usize>> {
    const LIKELY: f32 = 0.5;
    /// Once somebody speaks, a frame as likely as this goes on with it.
    const STILL: f32 = 0.3;
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while at < frames.len() {
        let rest = frames.get(at..).unwrap_or_default();
        let begin = at + rest.iter().take_while(|probability| **probability < LIKELY).count();
        let speech = frames.get(begin..).unwrap_or_default();
        let count = speech.iter().take_while(|probability| **probability >= STILL).count();
        at = begin + count.max(1);
        let (from, to) = (begin * FRAME_SAMPLES, (begin + count) * FRAME_SAMPLES);
        match found.last_mut() {
            Some(last) if count >= SHORTEST - 1 && from < last.end + PAUSE => last.end = to,
            _ if count >= SHORTEST => found.push(from..to),
            _ => (),
        }
    }
    let around = |passage: Range<usize>| {
        passage.start.saturating_sub(BEFORE)..passage.end.saturating_add(BEHIND).min(length)
    };
    found.into_iter().map(around).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(parts: &[(f32, usize)]) -> Vec<f32> {
        parts.iter().flat_map(|(probability, count)| std::iter::repeat_n(*probability, *count)).collect()
    }

    #[test]
    fn only_speech_is_kept_with_a_little_around_it() {
        let found = passages(
            &frames(&[(0.0, 50), (0.9, 20), (0.1, 10), (0.4, 1), (0.9, 5), (0.0, 60)]),
            146 * FRAME_SAMPLES,
        );
        assert_eq!(found, [50 * FRAME_SAMPLES - BEFORE..86 * FRAME_SAMPLES + BEHIND]);
        let apart = passages(&frames(&[(0.9, 20), (0.0, 40), (0.9, 20)]), 80 * FRAME_SAMPLES);
        assert_eq!(apart, [0..20 * FRAME_SAMPLES + BEHIND, 60 * FRAME_SAMPLES - BEFORE..80 * FRAME_SAMPLES]);
    }

    #[test]
    fn clicks_and_silence_are_none() {
        assert!(passages(&[], 0).is_empty());
        assert!(passages(&frames(&[(0.0, 1_000)]), 1_000 * FRAME_SAMPLES).is_empty());
        assert!(passages(&frames(&[(0.0, 10), (0.9, 2), (0.0, 10)]), 22 * FRAME_SAMPLES).is_empty());
    }
}
