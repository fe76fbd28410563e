//! WAV files: what uploads hold, and the head of what is sent. Reads bytes from outside: no length in a file is
//! believed.

use zeroize::Zeroizing;

use super::{Encoding, Format, RATE, Samples, format::translate};
use crate::Error;
use inference::speech::audio::{self, Resampler};

/// Most channels that are mixed to one.
const MOST_CHANNELS: u16 = 8;

/// How the samples of a file are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Wire(Encoding),
    /// 8 bits, unsigned.
    Byte,
    /// 24 and 32 bits, signed.
    Whole(usize),
    /// 32 bits.
    Real,
}

/// Whether these bytes begin as a WAV file does.
#[must_use]
pub fn is_wav(bytes: &[u8]) -> bool {
    bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WAVE")
}

/// The sound of a WAV file: its channels mixed to one, [`RATE`] samples a second. At most `seconds` of it.
///
/// # Errors
/// [`Error::BadPrompt`] saying what is wrong with it; [`Error::TooLarge`] for more than `seconds`.
pub fn read_wav(bytes: &[u8], seconds: u32) -> Result<Samples, Error> {
    let file = File::of(bytes)?;
    let frames = file.data.len() / file.width();
    if frames as u64 > u64::from(file.rate) * u64::from(seconds) {
        return Err(Error::TooLarge);
    }
    let mixed = file.mixed();
    let mut rate = Resampler::new(file.rate, RATE).map_err(translate)?;
    let mut samples = rate.push(&mixed).map_err(translate)?;
    let rest = rate.finish().map_err(translate)?;
    if rest.is_empty() {
        return Ok(samples);
    }
    let mut all = Zeroizing::new(Vec::with_capacity(samples.len() + rest.len()));
    all.append(&mut samples);
    all.extend_from_slice(&rest);
    Ok(all)
}

/// The head of a WAV file whose length is not known yet, as streams have it, or of one with so many bytes of sound.
#[must_use]
pub fn wav_head(format: Format, bytes: Option<u32>) -> Vec<u8> {
    let width = u16::try_from(format.encoding.width()).unwrap_or(2);
    let code: u16 = match format.encoding {
        Encoding::Pcm16 => 1,
        Encoding::ALaw => 6,
        Encoding::MuLaw => 7,
    };
    let data = bytes.unwrap_or(u32::MAX - 36);
    let mut head = Vec::with_capacity(44);
    head.extend_from_slice(b"RIFF");
    head.extend_from_slice(&data.saturating_add(36).to_le_bytes());
    head.extend_from_slice(b"WAVEfmt ");
    head.extend_from_slice(&16_u32.to_le_bytes());
    head.extend_from_slice(&code.to_le_bytes());
    head.extend_from_slice(&1_u16.to_le_bytes());
    head.extend_from_slice(&format.rate.to_le_bytes());
    head.extend_from_slice(&(format.rate * u32::from(width)).to_le_bytes());
    head.extend_from_slice(&width.to_le_bytes());
    head.extend_from_slice(&(8 * width).to_le_bytes());
    head.extend_from_slice(b"data");
    head.extend_from_slice(&data.to_le_bytes());
    head
}

/// The format of a stream that begins with the head of a WAV file, and where its sound begins.
///
/// # Errors
/// [`Error::BadPrompt`] unless it is one channel of 16-bit PCM, A-law or µ-law.
pub fn wav_stream(bytes: &[u8]) -> Result<(Format, usize), Error> {
    let file = File::of(bytes)?;
    match file.kind {
        Kind::Wire(encoding) if file.channels == 1 => {
            Ok((Format { encoding, rate: file.rate }, bytes.len() - file.data.len()))
        }
        _ => Err(wrong("a stream is one channel of 16-bit PCM, A-law or µ-law")),
    }
}

/// What a file says about itself.
struct File<'a> {
    kind: Kind,
    channels: usize,
    rate: u32,
    data: &'a [u8],
}

impl<'a> File<'a> {
    fn of(bytes: &'a [u8]) -> Result<Self, Error> {
        if !is_wav(bytes) {
            return Err(wrong("it is no WAV file"));
        }
        let mut rest = bytes.get(12..).unwrap_or_default();
        let mut format = None;
        while let (Some(name), Some(length)) = (rest.get(..4), le(rest, 4, 4)) {
            let body = rest.get(8..).unwrap_or_default();
            // A stream does not know its length and says the longest; a file may be cut off.
            let length = usize::try_from(length).unwrap_or(usize::MAX).min(body.len());
            let (chunk, later) = body.split_at(length);
            match name {
                b"fmt " => format = Some(chunk),
                b"data" => {
                    let head = format.ok_or_else(|| wrong("its sound comes before its format"))?;
                    return Self::with(head, chunk);
                }
                _ => (),
            }
            rest = later.get(length % 2..).unwrap_or_default();
        }
        Err(wrong("it holds no sound"))
    }

    fn with(head: &[u8], data: &'a [u8]) -> Result<Self, Error> {
        let short = || wrong("its format is cut short");
        let number = |at, width| le(head, at, width).ok_or_else(short);
        let (mut code, channels, rate, bits) = (number(0, 2)?, number(2, 2)?, number(4, 4)?, number(14, 2)?);
        if code == 0xfffe {
            // The extensible form: the code stands at the front of an identifier.
            code = number(24, 2)?;
        }
        let kind = match (code, bits) {
            (1, 8) => Kind::Byte,
            (1, 16) => Kind::Wire(Encoding::Pcm16),
            (1, 24) => Kind::Whole(3),
            (1, 32) => Kind::Whole(4),
            (3, 32) => Kind::Real,
            (6, 8) => Kind::Wire(Encoding::ALaw),
            (7, 8) => Kind::Wire(Encoding::MuLaw),
            _ => return Err(wrong("it holds neither PCM, 32-bit float, A-law nor µ-law")),
        };
        if channels == 0 || channels > u32::from(MOST_CHANNELS) {
            return Err(wrong("it has no channel, or more than eight"));
        }
        Ok(Self { kind, channels: channels as usize, rate, data })
    }

    /// Bytes of one moment, all channels.
    const fn width(&self) -> usize {
        self.channels
            * match self.kind {
                Kind::Wire(encoding) => encoding.width(),
                Kind::Byte => 1,
                Kind::Whole(width) => width,
                Kind::Real => 4,
            }
    }

    fn mixed(&self) -> Samples {
        let all = self.samples();
        if self.channels == 1 {
            return all;
        }
        let mix = |moment: &[f32]| moment.iter().sum::<f32>() / self.channels as f32;
        Zeroizing::new(all.chunks_exact(self.channels).map(mix).collect())
    }

    fn samples(&self) -> Samples {
        let real = |bytes: &[u8]| bytes.try_into().map_or(0.0, f32::from_le_bytes);
        let byte = |byte: &u8| (f32::from(*byte) - 128.0) / 128.0;
        match self.kind {
            Kind::Wire(encoding) => audio::Decoder::new(encoding).decode(self.data),
            Kind::Byte => Zeroizing::new(self.data.iter().map(byte).collect()),
            Kind::Real => Zeroizing::new(self.data.chunks_exact(4).map(real).collect()),
            Kind::Whole(width) => {
                let whole = |bytes: &[u8]| {
                    // The sign stands in the highest byte: shifted up to the top of 32 bits.
                    let value = bytes.iter().rev().fold(0_u32, |value, byte| value << 8 | u32::from(*byte));
                    (value << (32 - 8 * width)).cast_signed() as f32 / 2_147_483_648.0
                };
                Zeroizing::new(self.data.chunks_exact(width).map(whole).collect())
            }
        }
    }
}

/// A number of up to four bytes, the low one first.
fn le(bytes: &[u8], at: usize, width: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + width)?;
    Some(bytes.iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte)))
}

fn wrong(what: &str) -> Error {
    Error::BadPrompt { why: format!("{what}; send a WAV file with PCM, 32-bit float, A-law or µ-law") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(code: u16, bits: u16, channels: u16, rate: u32, data: &[u8]) -> Vec<u8> {
        let mut all = b"RIFF\0\0\0\0WAVELIST\x03\0\0\0abc\0fmt \x10\0\0\0".to_vec();
        all.extend_from_slice(&code.to_le_bytes());
        all.extend_from_slice(&channels.to_le_bytes());
        all.extend_from_slice(&rate.to_le_bytes());
        all.extend_from_slice(&[0; 6]);
        all.extend_from_slice(&bits.to_le_bytes());
        all.extend_from_slice(b"data");
        all.extend_from_slice(&u32::try_from(data.len()).unwrap().to_le_bytes());
        all.extend_from_slice(data);
        all
    }

    #[test]
    fn every_way_to_write_half_of_full_scale_is_read() {
        let half = 0.5_f32.to_le_bytes();
        for (code, bits, sample) in [
            (1, 8, &[192_u8][..]),
            (1, 16, &[0, 0x40]),
            (1, 24, &[0, 0, 0x40]),
            (1, 32, &[0, 0, 0, 0x40]),
            (3, 32, &half),
        ] {
            let data: Vec<u8> = sample.iter().copied().cycle().take(2 * sample.len() * 1_600).collect();
            let samples = read_wav(&file(code, bits, 2, RATE, &data), 1).unwrap();
            assert_eq!(samples.len(), 1_600, "{code} {bits}");
            assert!(samples.iter().all(|sample| (sample - 0.5).abs() < 1e-6), "{code} {bits}");
        }
        for (code, format) in [(6, Encoding::ALaw), (7, Encoding::MuLaw)] {
            let data = audio::encode(format, &vec![0.5; 8_000]);
            let samples = read_wav(&file(code, 8, 1, 8_000, &data), 1).unwrap();
            assert_eq!(samples.len(), 16_000);
            assert!((samples[8_000] - 0.5).abs() < 0.02, "{}", samples[8_000]);
        }
    }

    #[test]
    fn a_head_of_ours_is_read_back() {
        let format = Format::pcm(24_000);
        for length in [None, Some(4_800)] {
            let mut all = wav_head(format, length);
            assert_eq!(all.len(), 44);
            all.extend_from_slice(&[0; 4_800]);
            assert_eq!(read_wav(&all, 1).unwrap().len(), 1_600);
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (bytes, says) in [
            (b"ID3\x04 mp3".to_vec(), "no WAV file"),
            (b"RIFF\0\0\0\0WAVE".to_vec(), "no sound"),
            (b"RIFF\0\0\0\0WAVEdata\0\0\0\0".to_vec(), "before its format"),
            (file(2, 4, 1, 8_000, &[0; 8]), "neither"),
            (file(1, 16, 0, 8_000, &[0; 8]), "channel"),
            (file(1, 16, 1, 7_777, &[0; 8]), "7777 samples"),
        ] {
            let error = read_wav(&bytes, 1).err().unwrap().to_string();
            assert!(error.contains(says), "{error}");
        }
        let long = file(1, 16, 1, 8_000, &[0; 16_002]);
        assert_eq!(read_wav(&long, 1).err(), Some(Error::TooLarge));
    }

    proptest! {
        #[test]
        fn no_bytes_bring_it_down(bytes in proptest::collection::vec(any::<u8>(), 0..200), code in 0..8_u16, bits in 0..40_u16, channels in 0..9_u16, rate in any::<u32>()) {
            let _ = read_wav(&bytes, 1);
            let _ = read_wav(&file(code, bits, channels, rate, &bytes), 1);
            let mut cut = file(code, bits, channels, 8_000, &bytes);
            cut.truncate(bytes.len());
            let _ = read_wav(&cut, 1);
        }
    }
}
