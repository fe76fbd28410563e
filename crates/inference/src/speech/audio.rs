//! Sound as bytes and as numbers: the formats of the wire, and streams at other rates.
//!
//! Every face of the voice agent speaks through here. A stream keeps its own [`Decoder`] and
//! [`Resampler`]; whatever passes through is wiped when it is dropped. No length of input is wrong: half
//! a sample waits for its other half, and part of a block for the rest of it.

mod resample;

use audio_codec_algorithms::{decode_alaw, decode_ulaw, encode_alaw, encode_ulaw};
use zeroize::{Zeroize, Zeroizing};

use super::Samples;

pub use resample::Resampler;

/// How samples are written as bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// 16 bits, signed, the low byte first.
    Pcm16,
    /// G.711 µ-law, 8 bits.
    MuLaw,
    /// G.711 A-law, 8 bits.
    ALaw,
}

impl Encoding {
    /// Bytes of a sample.
    #[must_use]
    pub const fn width(self) -> usize {
        match self {
            Self::Pcm16 => 2,
            Self::MuLaw | Self::ALaw => 1,
        }
    }
}

/// Reads the bytes of one stream.
pub struct Decoder {
    encoding: Encoding,
    half: Option<u8>,
}

impl Decoder {
    /// A decoder at the beginning of a stream.
    #[must_use]
    pub const fn new(encoding: Encoding) -> Self {
        Self { encoding, half: None }
    }

    /// The samples of the next bytes. Half a sample at the end waits for the next call.
    pub fn decode(&mut self, bytes: &[u8]) -> Samples {
        // Longest first: a vector that grows leaves shorter copies behind in freed memory.
        let mut samples = Zeroizing::new(Vec::with_capacity(bytes.len() / self.encoding.width() + 1));
        match self.encoding {
            Encoding::MuLaw => samples.extend(bytes.iter().map(|byte| real(decode_ulaw(*byte)))),
            Encoding::ALaw => samples.extend(bytes.iter().map(|byte| real(decode_alaw(*byte)))),
            Encoding::Pcm16 => {
                let mut bytes = bytes;
                if let (Some(low), Some((high, rest))) = (self.half, bytes.split_first()) {
                    samples.push(real(i16::from_le_bytes([low, *high])));
                    (self.half, bytes) = (None, rest);
                }
                let (whole, rest) = bytes.as_chunks();
                samples.extend(whole.iter().map(|pair| real(i16::from_le_bytes(*pair))));
                if let [half] = rest {
                    self.half = Some(*half);
                }
            }
        }
        samples
    }

    /// Whether the stream so far ends in the middle of a sample.
    #[must_use]
    pub const fn is_in_the_middle(&self) -> bool {
        self.half.is_some()
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        self.half.zeroize();
    }
}

/// The bytes of `samples`. What is beyond full scale is cut off; what is no number is silence.
#[must_use]
pub fn encode(encoding: Encoding, samples: &[f32]) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(samples.len() * encoding.width()));
    match encoding {
        Encoding::Pcm16 => bytes.extend(samples.iter().flat_map(|x| whole(*x).to_le_bytes())),
        Encoding::MuLaw => bytes.extend(samples.iter().map(|x| encode_ulaw(whole(*x)))),
        Encoding::ALaw => bytes.extend(samples.iter().map(|x| encode_alaw(whole(*x)))),
    }
    bytes
}

fn real(sample: i16) -> f32 {
    f32::from(sample) / 32_768.0
}

/// The nearest 16-bit sample; a cast turns NaN into 0 and stops at the ends of the range.
fn whole(sample: f32) -> i16 {
    (sample * 32_768.0).round() as i16
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Decision values and code words of G.711, tables 1a and 2a (13- and 14-bit scale, here times 8 and 4),
    /// the words as they travel: A-law with its even bits turned, µ-law complemented.
    const A_LAW: [(i16, u8); 10] = [
        (8, 0xd5),
        (248, 0xda),
        (264, 0xc5),
        (528, 0xf5),
        (1_056, 0xe5),
        (2_112, 0x95),
        (4_224, 0x85),
        (8_448, 0xb5),
        (16_896, 0xa5),
        (32_256, 0xaa),
    ];
    const MU_LAW: [(i16, u8); 11] = [
        (0, 0xff),
        (8, 0xfe),
        (120, 0xf0),
        (132, 0xef),
        (396, 0xdf),
        (924, 0xcf),
        (1_980, 0xbf),
        (4_092, 0xaf),
        (8_316, 0x9f),
        (16_764, 0x8f),
        (32_124, 0x80),
    ];

    #[test]
    fn code_words_mean_what_the_standard_says() {
        for (value, word) in A_LAW {
            assert_eq!(decode_alaw(word), value, "A-law {word:#x}");
            assert_eq!(decode_alaw(word ^ 0x80), -value);
            assert_eq!(encode_alaw(value), word);
        }
        for (value, word) in MU_LAW {
            assert_eq!(decode_ulaw(word), value, "µ-law {word:#x}");
            assert_eq!(decode_ulaw(word & 0x7f), -value);
            assert_eq!(encode_ulaw(value), word);
        }
    }

    #[test]
    fn every_code_word_survives_a_round() {
        for encoding in [Encoding::MuLaw, Encoding::ALaw] {
            let words: Vec<u8> = (0..=255).collect();
            let samples = Decoder::new(encoding).decode(&words);
            let again = Decoder::new(encoding).decode(&encode(encoding, &samples));
            assert_eq!(*samples, *again, "{encoding:?}");
        }
        let whole: Vec<u8> = (i16::MIN..=i16::MAX).flat_map(i16::to_le_bytes).collect();
        let samples = Decoder::new(Encoding::Pcm16).decode(&whole);
        assert_eq!(*encode(Encoding::Pcm16, &samples), whole);
    }

    #[test]
    fn hostile_numbers_become_sound() {
        let hostile = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e30, -2.0, 1.0];
        let samples = Decoder::new(Encoding::Pcm16).decode(&encode(Encoding::Pcm16, &hostile));
        let most = f32::from(i16::MAX) / 32_768.0;
        assert_eq!(*samples, [0.0, most, -1.0, most, -1.0, most]);
    }

    proptest! {
        #[test]
        fn cuts_anywhere_change_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..300), cuts in proptest::collection::vec(0..300_usize, 0..6)) {
            let whole = Decoder::new(Encoding::Pcm16).decode(&bytes);
            let (mut decoder, mut parts, mut begin) = (Decoder::new(Encoding::Pcm16), Vec::new(), 0);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.sort_unstable();
            for cut in cuts.into_iter().chain([bytes.len()]) {
                parts.extend_from_slice(&decoder.decode(&bytes[begin..cut]));
                begin = cut;
            }
            prop_assert_eq!(&*whole, &parts);
            prop_assert_eq!(decoder.is_in_the_middle(), bytes.len() % 2 == 1);
        }
    }
}
