//! Speech by rote, for tests and measurements: a voice that whistles its text, and a recogniser that reads the whistling.
//!
//! Each half of a byte is one of sixteen tones, 20 ms long, behind a tone of their own that says so; it survives
//! every format and rate the wires offer. Bursts of other sound count as speech without words. `fail` and `hang`,
//! spoken, misbehave on purpose, and so does `deaf`, heard.

use std::{f32::consts::TAU, time::Duration};

use domain::model::{Place, Readiness};
use inference::speech::FRAME_SAMPLES;
use tokio_util::task::TaskTracker;
use zeroize::Zeroizing;

use super::{Heard, RATE, Samples, Say, Segment, Sound, SpeechFacts, SpeechKind, Spoken};
use crate::Error;

/// What the end of a turn always looks like to the scripted ear.
pub(super) const FINISHED: f32 = 0.9;
/// The name of the recogniser and of the voice.
const HEARS: &str = "scripted-ear";
const SPEAKS: &str = "scripted-voice";
/// What a burst says that is no whistling of ours.
const UNMARKED: &str = "sound";
/// Samples a second of the voice.
const VOICE_RATE: u32 = 24_000;
/// Milliseconds of one tone.
const TONE_MS: u32 = 20;
/// The tone that says that a text follows, and the lowest of the sixteen; the step between them.
const MARK_HZ: f32 = 350.0;
const LOWEST_HZ: f32 = 500.0;
const STEP_HZ: f32 = 150.0;
const LOUDNESS: f32 = 0.3;
/// Sound with less power than this is silence.
const SILENCE: f32 = 4e-4;
/// Silence between two sentences.
const PAUSE: usize = VOICE_RATE as usize / 8;

/// The vendor.
pub(super) struct Scripted {
    tasks: TaskTracker,
}

/// What the scripted ear has not yet a whole frame of.
#[derive(Default)]
pub(super) struct Ear(Zeroizing<Vec<f32>>);

impl Ear {
    pub(super) fn hear(&mut self, samples: &[f32]) -> Vec<f32> {
        let mut all = Zeroizing::new(Vec::with_capacity(self.0.len() + samples.len()));
        all.extend_from_slice(&self.0);
        all.extend_from_slice(samples);
        let (frames, rest) = all.as_chunks::<FRAME_SAMPLES>();
        let judged = frames.iter().map(|frame| if power(frame) > SILENCE { 1.0 } else { 0.0 }).collect();
        self.0 = Zeroizing::new(rest.to_vec());
        judged
    }
}

impl Scripted {
    pub(super) fn new(tasks: &TaskTracker) -> Self {
        Self { tasks: tasks.clone() }
    }

    pub(super) fn facts() -> Vec<SpeechFacts> {
        let facts = |id: &str, title: &str, kind, voices: &[&str]| SpeechFacts {
            id: id.to_owned(),
            title: title.to_owned(),
            maker: "Troth".to_owned(),
            kind,
            voices: voices.iter().map(|voice| (*voice).to_owned()).collect(),
            place: Place::ThisMachine,
            readiness: Readiness::Ready,
        };
        vec![
            facts(HEARS, "Scripted ear", SpeechKind::Recognition, &[]),
            facts(SPEAKS, "Scripted voice", SpeechKind::Synthesis, &["whistle"]),
        ]
    }

    /// What was whistled. `deaf` keeps whoever asks waiting until they give up.
    pub(super) async fn recognise(sound: &Sound) -> Result<Heard, Error> {
        match Self::read(sound) {
            heard if heard.text.as_str() == "deaf" => std::future::pending().await,
            heard => Ok(heard),
        }
    }

    fn read(sound: &Sound) -> Heard {
        let mut segments = Vec::new();
        for (from, to) in bursts(&sound.samples) {
            let place = |at: usize| Duration::from_secs_f64(at as f64 / f64::from(RATE));
            let burst = sound.samples.get(from..to).unwrap_or_default();
            let text = read(burst).unwrap_or_else(|| Zeroizing::new(UNMARKED.to_owned()));
            segments.push(Segment { text, from: place(from), to: place(to), confidence: 1.0 });
        }
        let texts: Vec<&str> = segments.iter().map(|segment| segment.text.as_str()).collect();
        Heard {
            text: Zeroizing::new(texts.join(" ")),
            seconds: sound.samples.len() as f32 / RATE as f32,
            confidence: if segments.is_empty() { 0.0 } else { 1.0 },
            segments,
            model: HEARS.to_owned(),
        }
    }

    pub(super) fn speak(
        &self,
        say: &Say,
        cancel: &tokio_util::sync::CancellationToken,
    ) -> Result<Spoken, Error> {
        let (out, spoken) = Spoken::channel(VOICE_RATE, SPEAKS.to_owned(), cancel);
        match say.text.as_str() {
            "fail" => return Err(Error::Broke),
            "hang" => {
                self.tasks.spawn(async move { out.while_wanted(std::future::pending::<()>()).await });
                return Ok(spoken);
            }
            _ => (),
        }
        let sentences: Vec<Samples> = sentences(&say.text).map(marked).collect();
        self.tasks.spawn(async move {
            for (at, sentence) in sentences.into_iter().enumerate() {
                let pause = if at > 0 { PAUSE } else { 0 };
                let mut piece = Zeroizing::new(vec![0.0; pause + sentence.len()]);
                for (to, from) in piece.iter_mut().skip(pause).zip(sentence.iter()) {
                    *to = *from;
                }
                if !out.put(Ok(piece)).await {
                    return;
                }
            }
        });
        Ok(spoken)
    }
}

/// The whistling of `text`, 24 000 samples a second: what the scripted ear reads as that text.
#[must_use]
pub fn marked(text: &str) -> Samples {
    let tones = text.bytes().flat_map(|byte| [byte >> 4, byte & 15]).map(hertz);
    let width = (VOICE_RATE * TONE_MS / 1_000) as usize;
    let mut samples = Zeroizing::new(Vec::with_capacity((2 * text.len() + 1) * width));
    for hertz in std::iter::once(MARK_HZ).chain(tones) {
        let wave = |at: usize| LOUDNESS * (TAU * hertz * at as f32 / VOICE_RATE as f32).sin();
        samples.extend((0..width).map(wave));
    }
    samples
}

fn hertz(nibble: u8) -> f32 {
    LOWEST_HZ + STEP_HZ * f32::from(nibble)
}

fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(['.', '!', '?']).map(str::trim).filter(|sentence| !sentence.is_empty())
}

/// Where something sounds, with at least 40 ms of silence between.
fn bursts(samples: &[f32]) -> Vec<(usize, usize)> {
    const LOOK: usize = RATE as usize / 1_000;
    const GAP: usize = 2 * (RATE * TONE_MS / 1_000) as usize;
    let mut bursts: Vec<(usize, usize)> = Vec::new();
    for (at, part) in samples.chunks(LOOK).enumerate().filter(|(_, part)| power(part) > SILENCE) {
        let (from, to) = (at * LOOK, at * LOOK + part.len());
        match bursts.last_mut() {
            Some(last) if from - last.1 < GAP => last.1 = to,
            _ => bursts.push((from, to)),
        }
    }
    bursts.retain(|(from, to)| to - from >= GAP / 2);
    bursts
}

/// The text of one burst, if it is whistling of ours.
fn read(burst: &[f32]) -> Option<Zeroizing<String>> {
    const WIDTH: usize = (RATE * TONE_MS / 1_000) as usize;
    let tones = (burst.len() + WIDTH / 2) / WIDTH;
    let mut nibbles = (0..tones).map(|at| loudest(burst.get(at * WIDTH..).unwrap_or_default()));
    if nibbles.next()?.is_some() {
        return None;
    }
    let nibbles: Option<Vec<u8>> = nibbles.collect();
    let (pairs, rest) = nibbles.as_deref()?.as_chunks::<2>();
    let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
    if !rest.is_empty() || bytes.is_empty() {
        return None;
    }
    String::from_utf8(bytes).ok().map(Zeroizing::new)
}

/// Which of the sixteen tones `samples` begin with; `None` for the mark.
fn loudest(samples: &[f32]) -> Option<u8> {
    // The middle of the tone: filters smear its ends.
    const FROM: usize = RATE as usize / 250;
    const TO: usize = 4 * FROM;
    let middle = samples.get(FROM..TO.min(samples.len())).unwrap_or_default();
    let mut best = (None, strength(middle, MARK_HZ));
    for nibble in 0..16 {
        let strength = strength(middle, hertz(nibble));
        if strength > best.1 {
            best = (Some(nibble), strength);
        }
    }
    best.0
}

/// How much of a tone is in `samples`.
fn strength(samples: &[f32], hertz: f32) -> f32 {
    let (mut real, mut imaginary) = (0.0, 0.0);
    for (at, sample) in samples.iter().enumerate() {
        let (sine, cosine) = (TAU * hertz * at as f32 / RATE as f32).sin_cos();
        real += sample * cosine;
        imaginary += sample * sine;
    }
    real.hypot(imaginary)
}

fn power(samples: &[f32]) -> f32 {
    samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len().max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Decoder, Encoder, Encoding, Format},
        *,
    };

    fn heard(samples: Samples) -> Heard {
        Scripted::read(&Sound { samples, model: None, language: None })
    }

    #[test]
    fn what_is_whistled_is_read_through_every_format() {
        let text = "Order ORD-0089, bitte: grün! 0123456789";
        for rate in [8_000, 16_000, 24_000, 44_100, 48_000] {
            for encoding in [Encoding::Pcm16, Encoding::MuLaw, Encoding::ALaw] {
                let format = Format { encoding, rate };
                let mut encoder = Encoder::new(VOICE_RATE, format).unwrap();
                let mut bytes = encoder.encode(&marked(text)).unwrap().to_vec();
                bytes.extend_from_slice(&encoder.finish().unwrap());
                let mut decoder = Decoder::new(format).unwrap();
                let mut samples = Zeroizing::new(vec![0.0; 777]);
                for piece in bytes.chunks(333) {
                    samples.extend_from_slice(&decoder.decode(piece).unwrap());
                }
                samples.extend_from_slice(&decoder.finish().unwrap());
                assert_eq!(heard(samples).text.as_str(), text, "{format:?}");
            }
        }
    }

    #[test]
    fn silence_says_nothing_and_other_sound_something() {
        assert_eq!(heard(Zeroizing::new(vec![0.001; 16_000])).text.as_str(), "");
        let tone = (0..16_000).map(|at| 0.5 * (TAU * 440.0 * at as f32 / 16_000.0).sin()).collect();
        assert_eq!(heard(Zeroizing::new(tone)).text.as_str(), UNMARKED);
    }

    #[test]
    fn the_ear_waits_for_whole_frames() {
        let mut ear = Ear::default();
        assert!(ear.hear(&[0.5; FRAME_SAMPLES - 1]).is_empty());
        assert_eq!(ear.hear(&[0.5; FRAME_SAMPLES + 1]), [1.0, 1.0]);
        assert_eq!(ear.hear(&[0.0; FRAME_SAMPLES]), [0.0]);
    }
}
