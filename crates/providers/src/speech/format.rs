//! Sound as the wires carry it, to and from what models take and give. A stream has a [`Decoder`] or an
//! [`Encoder`] of its own; both take pieces of any length and wipe what they hold.

pub use inference::speech::audio::Encoding;
use inference::speech::audio::{self, Resampler};
use zeroize::Zeroizing;

use super::{RATE, Samples};
use crate::Error;

/// How a wire writes sound: one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// How a sample is written.
    pub encoding: Encoding,
    /// Samples a second.
    pub rate: u32,
}

impl Format {
    /// 16 bits, signed, the low byte first.
    #[must_use]
    pub const fn pcm(rate: u32) -> Self {
        Self { encoding: Encoding::Pcm16, rate }
    }

    /// Bytes of a second.
    #[must_use]
    pub const fn bytes_a_second(self) -> usize {
        self.encoding.width() * self.rate as usize
    }
}

/// Reads one stream: bytes of the wire into samples for recognition, [`RATE`] a second.
pub struct Decoder {
    bytes: audio::Decoder,
    rate: Resampler,
}

impl Decoder {
    /// A stream of this format, at its beginning.
    ///
    /// # Errors
    /// [`Error::BadPrompt`] for a rate that is not offered.
    pub fn new(format: Format) -> Result<Self, Error> {
        let rate = Resampler::new(format.rate, RATE).map_err(translate)?;
        Ok(Self { bytes: audio::Decoder::new(format.encoding), rate })
    }

    /// What the next bytes give. Part of a sample, and some 20 ms, wait for more.
    ///
    /// # Errors
    /// [`Error::Broke`] if the library fails.
    pub fn decode(&mut self, bytes: &[u8]) -> Result<Samples, Error> {
        self.rate.push(&self.bytes.decode(bytes)).map_err(translate)
    }

    /// Ends the stream: gives what waited.
    ///
    /// # Errors
    /// [`Error::Broke`] if the library fails.
    pub fn finish(&mut self) -> Result<Samples, Error> {
        self.rate.finish().map_err(translate)
    }

    /// Whether the stream so far ends in the middle of a sample.
    #[must_use]
    pub const fn is_in_the_middle(&self) -> bool {
        self.bytes.is_in_the_middle()
    }
}

/// Writes one stream: samples of a voice into bytes of the wire.
pub struct Encoder {
    encoding: Encoding,
    rate: Resampler,
}

impl Encoder {
    /// A stream of this format, from samples of which there are `from` a second.
    ///
    /// # Errors
    /// [`Error::BadPrompt`] for a rate that is not offered.
    pub fn new(from: u32, format: Format) -> Result<Self, Error> {
        Ok(Self { encoding: format.encoding, rate: Resampler::new(from, format.rate).map_err(translate)? })
    }

    /// What the next samples give. Some 20 ms wait for more.
    ///
    /// # Errors
    /// [`Error::Broke`] if the library fails.
    pub fn encode(&mut self, samples: &[f32]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let samples = self.rate.push(samples).map_err(translate)?;
        Ok(audio::encode(self.encoding, &samples))
    }

    /// Ends the stream: gives what waited.
    ///
    /// # Errors
    /// [`Error::Broke`] if the library fails.
    pub fn finish(&mut self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let samples = self.rate.finish().map_err(translate)?;
        Ok(audio::encode(self.encoding, &samples))
    }
}

/// What inference says went wrong, in our words.
pub(super) fn translate(error: inference::Error) -> Error {
    match error {
        inference::Error::BadRequest { .. } => Error::BadPrompt { why: error.to_string() },
        other => {
            tracing::error!(error = %other, "a model of speech failed");
            Error::Broke
        }
    }
}
