//! Sound ready to be sent: pieces as whole frames of the wire, made once and used by all calls.

use std::time::Duration;

use domain::voice::turn_taking::FRAME_MS;
use providers::speech::{Encoder, Format, RATE};

use super::wire::Frame;

/// How a client sends its sound.
#[derive(Clone, Copy)]
pub(super) struct Sending {
    /// Samples a second.
    pub(super) rate: u32,
    /// How long a piece is, in milliseconds.
    pub(super) piece_ms: u32,
}

impl Sending {
    /// As the engine cuts sound itself: nothing waits for a frame to be whole, and nothing is converted.
    pub(super) const EVEN: Self = Self { rate: RATE, piece_ms: FRAME_MS };
    /// As released clients send it.
    pub(super) const USUAL: Self = Self { rate: 24_000, piece_ms: 20 };

    pub(super) const fn piece(self) -> Duration {
        Duration::from_millis(self.piece_ms as u64)
    }

    const fn bytes(self) -> usize {
        (self.rate * self.piece_ms / 1_000) as usize * 2
    }
}

/// Pieces of one sound.
pub(super) struct Sound(Vec<Frame>);

impl Sound {
    /// One piece of silence.
    pub(super) fn silence(sending: Sending) -> Self {
        Self(vec![Frame::sound(&vec![0; sending.bytes()])])
    }

    /// `samples`, of which there are `rate` a second. Silence before them makes the last one end a piece.
    pub(super) fn of(samples: &[f32], rate: u32, sending: Sending) -> anyhow::Result<Self> {
        let mut encoder = Encoder::new(rate, Format::pcm(sending.rate))?;
        let mut bytes = encoder.encode(samples)?.to_vec();
        bytes.extend_from_slice(&encoder.finish()?);
        let before = bytes.len().next_multiple_of(sending.bytes()) - bytes.len();
        bytes.splice(..0, std::iter::repeat_n(0, before));
        Ok(Self(bytes.chunks(sending.bytes()).map(Frame::sound).collect()))
    }

    pub(super) fn piece(&self, number: usize) -> Option<&Frame> {
        self.0.get(number)
    }

    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }
}

/// `samples` at another rate.
pub(super) fn converted(samples: &[f32], from: u32, to: u32) -> anyhow::Result<Vec<f32>> {
    let mut encoder = Encoder::new(from, Format::pcm(to))?;
    let mut bytes = encoder.encode(samples)?.to_vec();
    bytes.extend_from_slice(&encoder.finish()?);
    let samples = bytes.as_chunks().0.iter().map(|pair| f32::from(i16::from_le_bytes(*pair)) / 32_768.0);
    Ok(samples.collect())
}

/// Where in `samples` somebody speaks: without the silence around it, 35 dB below the loudest 10 ms.
pub(super) fn spoken(samples: &[f32], rate: u32) -> std::ops::Range<usize> {
    let width = (rate / 100) as usize;
    let power = |part: &[f32]| part.iter().map(|x| x * x).sum::<f32>() / part.len() as f32;
    let levels: Vec<f32> = samples.chunks(width).map(power).collect();
    let floor = levels.iter().copied().fold(0.0, f32::max) / 3_200.0;
    let first = levels.iter().position(|level| *level > floor).unwrap_or_default();
    let last = levels.iter().rposition(|level| *level > floor).unwrap_or_default();
    first * width..((last + 1) * width).min(samples.len())
}
