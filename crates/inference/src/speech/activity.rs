//! Whether somebody is speaking, every 16 milliseconds.
//!
//! One [`Activity`] belongs to one stream of 16 000 samples a second. The detector's weights (40 kB) are
//! compiled in, so there is nothing to load and a call costs 10 kB. Docs/decisions/0027 says why this one.

use earshot::Detector;
use zeroize::{Zeroize, Zeroizing};

use super::sound;

/// Samples judged at once: 16 ms.
pub const FRAME_SAMPLES: usize = 256;
/// A frame as likely as this is speech.
const ON: f32 = 0.5;
/// A frame less likely than this is a pause; between the two nothing changes.
const OFF: f32 = 0.35;
/// Frames of speech in a row until it counts as such (48 ms): a click is shorter.
const FRAMES_TO_BEGIN: u32 = 3;
/// Frames of pause in a row until speech has ended (160 ms): a stop consonant is shorter.
const FRAMES_TO_END: u32 = 10;

/// The judgement on one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    /// How likely it holds speech, from 0 to 1.
    pub probability: f32,
    /// Whether somebody is speaking, with the frames before it taken into account.
    pub speaking: bool,
}

/// The detector of one stream. Wiped when dropped.
pub struct Activity {
    detector: Box<Detector>,
    waiting: Zeroizing<Vec<f32>>,
    speaking: bool,
    /// Frames in a row that speak against the present state.
    against: u32,
}

impl Default for Activity {
    fn default() -> Self {
        Self::new()
    }
}

impl Activity {
    /// A detector that has heard nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            detector: Detector::default_boxed(),
            waiting: Zeroizing::new(Vec::with_capacity(FRAME_SAMPLES)),
            speaking: false,
            against: 0,
        }
    }

    /// Judges every frame that is complete with the next samples; the rest waits.
    pub fn hear(&mut self, samples: &[f32]) -> Vec<Frame> {
        let samples = sound(samples);
        let mut rest = samples.as_slice();
        let mut frames = Vec::with_capacity((self.waiting.len() + rest.len()) / FRAME_SAMPLES);
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(FRAME_SAMPLES - self.waiting.len()));
            self.waiting.extend_from_slice(now);
            rest = later;
            if self.waiting.len() == FRAME_SAMPLES {
                let probability = self.detector.predict_f32(&self.waiting);
                self.waiting.clear();
                frames.push(self.judge(probability));
            }
        }
        frames
    }

    fn judge(&mut self, probability: f32) -> Frame {
        let probability = if probability.is_finite() { probability.clamp(0.0, 1.0) } else { 0.0 };
        let (contradicts, needed) = if self.speaking {
            (probability < OFF, FRAMES_TO_END)
        } else {
            (probability >= ON, FRAMES_TO_BEGIN)
        };
        self.against = if contradicts { self.against + 1 } else { 0 };
        if self.against >= needed {
            (self.speaking, self.against) = (!self.speaking, 0);
        }
        Frame { probability, speaking: self.speaking }
    }

    /// Forgets everything heard, as for a new stream.
    pub fn reset(&mut self) {
        self.detector.reset();
        self.waiting.zeroize();
        self.waiting.reserve_exact(FRAME_SAMPLES);
        (self.speaking, self.against) = (false, 0);
    }
}

impl Drop for Activity {
    fn drop(&mut self) {
        self.detector.reset();
        // What the detector computes with is not part of its state: silence takes its place.
        self.detector.predict_f32(&[0.0; FRAME_SAMPLES]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noise from a fixed seed.
    fn noise(samples: usize, loudness: f32) -> Vec<f32> {
        let mut state = 0x9e37_79b9_u32;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            (state as f32 / u32::MAX as f32 - 0.5) * 2.0 * loudness
        };
        (0..samples).map(|_| next()).collect()
    }

    #[test]
    fn silence_and_noise_are_not_speech() {
        for samples in [vec![0.0; 160_000], noise(160_000, 0.01), noise(160_000, 0.3)] {
            let mut activity = Activity::new();
            let frames = activity.hear(&samples);
            assert_eq!(frames.len(), 160_000 / FRAME_SAMPLES);
            assert!(frames.iter().all(|frame| !frame.speaking));
        }
    }

    #[test]
    fn pieces_of_any_length_give_the_same_judgement() {
        let samples = noise(5_000, 0.2);
        let whole = Activity::new().hear(&samples);
        for piece in [1, 255, 256, 257] {
            let mut activity = Activity::new();
            let frames: Vec<Frame> = samples.chunks(piece).flat_map(|part| activity.hear(part)).collect();
            assert_eq!(frames, whole);
            activity.reset();
            assert_eq!(activity.hear(&samples), whole);
        }
    }

    #[test]
    fn it_takes_a_few_frames_to_change_its_mind() {
        let mut activity = Activity::new();
        let mut states = |probability: f32, count: usize| -> Vec<bool> {
            (0..count).map(|_| activity.judge(probability).speaking).collect()
        };
        assert_eq!(states(0.9, 2), [false, false]);
        assert_eq!(states(0.1, 1), [false]);
        assert_eq!(states(0.9, 3), [false, false, true]);
        assert!(states(0.1, 9).iter().all(|speaking| *speaking));
        assert!(states(0.4, 50).iter().all(|speaking| *speaking), "between the thresholds");
        assert_eq!(states(0.1, 10).last(), Some(&false));
    }

    #[test]
    fn hostile_samples_are_heard_out() {
        let mut hostile = vec![f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e38, -1e38];
        hostile.resize(1_000, f32::MIN_POSITIVE);
        let frames = Activity::new().hear(&hostile);
        assert!(frames.iter().all(|frame| (0.0..=1.0).contains(&frame.probability)));
        assert!(Activity::new().hear(&[]).is_empty());
    }
}
