//! The caller's sound while it is needed: what was said last, and the running utterance.
//!
//! Held frame by frame, so that nothing is ever copied by growing; each frame is overwritten when it goes.

use std::collections::VecDeque;

use domain::enforced;
use providers::speech::{FRAME_SAMPLES, Samples};
use zeroize::{Zeroize, Zeroizing};

/// One frame of sound. Overwritten when dropped.
struct Frame(Box<[f32; FRAME_SAMPLES]>);

impl Frame {
    fn wipe(&mut self) {
        enforced!(VOI04);
        self.0.as_mut_slice().zeroize();
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        self.wipe();
    }
}

/// Frames in their order.
#[derive(Default)]
pub(super) struct Tape(VecDeque<Frame>);

impl Tape {
    /// Adds a frame.
    pub(super) fn push(&mut self, frame: &[f32; FRAME_SAMPLES]) {
        self.0.push_back(Frame(Box::new(*frame)));
    }

    /// Keeps the last `frames` alone.
    pub(super) fn keep_last(&mut self, frames: usize) {
        while self.0.len() > frames {
            self.0.pop_front();
        }
    }

    /// How many frames there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The samples of the last `frames`.
    pub(super) fn last(&self, frames: usize) -> Samples {
        let skipped = self.0.len().saturating_sub(frames);
        let mut samples = Zeroizing::new(Vec::with_capacity((self.0.len() - skipped) * FRAME_SAMPLES));
        self.0.iter().skip(skipped).for_each(|frame| samples.extend_from_slice(frame.0.as_slice()));
        samples
    }

    /// All samples.
    pub(super) fn all(&self) -> Samples {
        self.last(self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use domain::verifies;

    use super::*;

    #[test]
    fn the_last_frames_are_there_in_their_order() {
        let _proof = verifies!(VOI04);
        let mut tape = Tape::default();
        for value in 0..5_u8 {
            tape.push(&[f32::from(value); FRAME_SAMPLES]);
        }
        tape.keep_last(3);
        assert_eq!((tape.len(), tape.all().len()), (3, 3 * FRAME_SAMPLES));
        assert_eq!(tape.last(2)[0], 3.0);
        assert_eq!(tape.last(99)[0], 2.0);
        assert_eq!(Tape::default().all().len(), 0);
        let mut frame = Frame(Box::new([1.0; FRAME_SAMPLES]));
        frame.wipe();
        assert!(frame.0.iter().all(|sample| *sample == 0.0));
    }
}
