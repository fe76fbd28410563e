//! Whether somebody is speaking, every 32 milliseconds: the Silero detector.
//!
//! One [`Detector`] serves all calls; each stream of 16 000 samples a second has an [`Activity`] of its own,
//! 6 kB of it, wiped when dropped.

use std::path::Path;

use rten::NodeId;
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, NdTensorView};
use zeroize::{Zeroize, Zeroizing};

use super::graph::{Graph, floats};
use super::{RATE, sound};
use crate::Error;

/// Samples judged at once: 32 ms.
pub const FRAME_SAMPLES: usize = 512;
/// Samples before them the detector looks at too.
const CONTEXT: usize = 64;
/// Numbers the detector remembers from frame to frame.
const MEMORY: [usize; 3] = [2, 1, 128];
/// A frame as likely as this is speech.
const ON: f32 = 0.5;
/// A frame less likely than this is a pause; between the two nothing changes.
const OFF: f32 = 0.35;
/// Frames of speech in a row until it counts as such (64 ms): a click is shorter.
const FRAMES_TO_BEGIN: u32 = 2;
/// Frames of pause in a row until speech has ended (160 ms): the silence within a word is shorter.
const FRAMES_TO_END: u32 = 5;

/// The loaded model. Shareable; a call blocks while it computes.
pub struct Detector {
    graph: Graph,
    input: NodeId,
    rate: NodeId,
    memory: NodeId,
    outputs: [NodeId; 2],
}

/// The judgement on one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    /// How likely it holds speech, from 0 to 1.
    pub probability: f32,
    /// Whether somebody is speaking, with the frames before it taken into account.
    pub speaking: bool,
}

/// What is known of one stream. Wiped when dropped.
pub struct Activity {
    /// The context and the part of a frame that is there.
    waiting: Zeroizing<Vec<f32>>,
    memory: Zeroizing<Vec<f32>>,
    speaking: bool,
    /// Frames in a row that speak against the present state.
    against: u32,
}

impl Detector {
    /// Reads the ONNX file.
    ///
    /// # Errors
    /// [`Error::Unreadable`] or [`Error::NotAModel`].
    pub fn load(path: &Path) -> Result<Self, Error> {
        let graph = Graph::read(path)?;
        let id = |name: &str| graph.id(name, path);
        let (input, rate, memory) = (id("input")?, id("sr")?, id("state")?);
        let outputs = [id("output")?, id("stateN")?];
        let detector = Self { graph, input, rate, memory, outputs };
        Activity::new().hear(&detector, &[0.0; FRAME_SAMPLES])?;
        Ok(detector)
    }

    /// How likely `heard`, context and frame, holds speech; `memory` is what was remembered, and is renewed.
    fn judge(&self, heard: &[f32], memory: &mut [f32]) -> Result<f32, Error> {
        let rate = NdTensor::from(RATE.cast_signed());
        let inputs = vec![
            (self.input, NdTensorView::from_data([1, heard.len()], heard).into()),
            (self.rate, rate.view().into()),
            (self.memory, NdTensorView::from_data(MEMORY, &*memory).into()),
        ];
        let mut outputs = self.graph.run(inputs, &self.outputs)?.into_iter();
        let probability = floats(outputs.next())?.iter().next().copied().unwrap_or_default();
        let renewed = floats(outputs.next())?;
        if renewed.len() != memory.len() {
            return Err(Error::broken("a memory of another shape"));
        }
        memory.iter_mut().zip(renewed.iter()).for_each(|(old, new)| *old = *new);
        Ok(if probability.is_finite() { probability.clamp(0.0, 1.0) } else { 0.0 })
    }
}

impl Default for Activity {
    fn default() -> Self {
        Self::new()
    }
}

impl Activity {
    /// A stream of which nothing has been heard yet.
    #[must_use]
    pub fn new() -> Self {
        let mut waiting = Zeroizing::new(Vec::with_capacity(CONTEXT + FRAME_SAMPLES));
        waiting.resize(CONTEXT, 0.0);
        let memory = Zeroizing::new(vec![0.0; MEMORY.iter().product()]);
        Self { waiting, memory, speaking: false, against: 0 }
    }

    /// Judges every frame that is complete with the next samples; the rest waits.
    ///
    /// # Errors
    /// [`Error::Broken`] if the runtime fails.
    pub fn hear(&mut self, detector: &Detector, samples: &[f32]) -> Result<Vec<Frame>, Error> {
        let samples = sound(samples);
        let mut rest = samples.as_slice();
        let mut frames = Vec::with_capacity(rest.len() / FRAME_SAMPLES + 1);
        while !rest.is_empty() {
            let room = (CONTEXT + FRAME_SAMPLES).saturating_sub(self.waiting.len());
            let (now, later) = rest.split_at(rest.len().min(room));
            self.waiting.extend_from_slice(now);
            rest = later;
            if self.waiting.len() == CONTEXT + FRAME_SAMPLES {
                let probability = detector.judge(&self.waiting, &mut self.memory)?;
                self.waiting.copy_within(FRAME_SAMPLES.., 0);
                self.waiting.truncate(CONTEXT);
                frames.push(self.decide(probability));
            }
        }
        Ok(frames)
    }

    /// Whether somebody is speaking, now that a frame is this likely to be speech.
    fn decide(&mut self, probability: f32) -> Frame {
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
        self.waiting.zeroize();
        self.memory.zeroize();
        *self = Self::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_a_few_frames_to_change_its_mind() {
        let mut activity = Activity::new();
        let mut states = |probability: f32, count: usize| -> Vec<bool> {
            (0..count).map(|_| activity.decide(probability).speaking).collect()
        };
        assert_eq!(states(0.9, 1), [false]);
        assert_eq!(states(0.1, 1), [false]);
        assert_eq!(states(0.9, 2), [false, true]);
        assert_eq!(states(0.1, 4), [true; 4]);
        assert!(states(0.4, 50).iter().all(|speaking| *speaking), "between the thresholds");
        assert_eq!(states(0.1, 5), [true, true, true, true, false]);
    }
}
