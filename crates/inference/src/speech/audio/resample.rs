//! A stream of samples at another rate.
//!
//! The library filters and converts in blocks; this gathers them, takes away the delay of the filter and
//! gives back as much sound as came in, to the sample.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler as _};
use zeroize::Zeroizing;

use super::super::{Samples, sound};
use crate::Error;

/// The rates streams may have.
const RATES: [u32; 8] = [8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000];
/// Blocks a second: what the stream is held back by.
const BLOCKS: u32 = 100;

/// Converts one stream from one rate to another. Wiped when dropped.
pub struct Resampler {
    from: u32,
    to: u32,
    /// `None` where nothing has to be done.
    inner: Option<Fft<f32>>,
    waiting: Samples,
    /// Samples taken in and given out since the beginning.
    taken: u64,
    given: u64,
    /// Samples of the filter's delay that are still to be thrown away.
    delay: usize,
}

impl Resampler {
    /// A converter at the beginning of a stream.
    ///
    /// # Errors
    /// [`Error::BadRequest`] for a rate no face offers.
    pub fn new(from: u32, to: u32) -> Result<Self, Error> {
        if let Some(rate) = [from, to].into_iter().find(|rate| !RATES.contains(rate)) {
            let what = format!("sound at {rate} samples a second; use 8000, 16000, 24000, 44100 or 48000");
            return Err(Error::BadRequest { what });
        }
        let build = || Fft::new(from as usize, to as usize, (from / BLOCKS) as usize, 1, FixedSync::Input);
        let inner = if from == to { None } else { Some(build().map_err(Error::broken)?) };
        let delay = inner.as_ref().map_or(0, |inner| inner.output_delay());
        Ok(Self { from, to, inner, waiting: Zeroizing::default(), taken: 0, given: 0, delay })
    }

    /// What the next samples give. At most about 20 ms of them wait for more.
    ///
    /// # Errors
    /// [`Error::Broken`] if the library fails.
    pub fn push(&mut self, samples: &[f32]) -> Result<Samples, Error> {
        let samples = sound(samples);
        self.taken += samples.len() as u64;
        if self.inner.is_none() {
            self.given = self.taken;
            return Ok(samples);
        }
        let mut all = Zeroizing::new(Vec::with_capacity(self.waiting.len() + samples.len()));
        all.extend_from_slice(&self.waiting);
        all.extend_from_slice(&samples);
        let ratio = f64::from(self.to) / f64::from(self.from);
        let mut out =
            Zeroizing::new(Vec::with_capacity((all.len() as f64 * ratio) as usize + self.block_out()));
        let mut done = 0;
        while let Some(block) = all.get(done..done + self.block_in()) {
            done += block.len();
            self.convert(block, &mut out)?;
        }
        self.waiting = Zeroizing::new(all.get(done..).unwrap_or_default().to_vec());
        self.given += out.len() as u64;
        Ok(out)
    }

    /// Ends the stream: gives what waited and what the filter still holds, and begins anew.
    ///
    /// # Errors
    /// [`Error::Broken`] if the library fails.
    pub fn finish(&mut self) -> Result<Samples, Error> {
        let mut out = Zeroizing::default();
        if self.inner.is_some() {
            let due = (u128::from(self.taken) * u128::from(self.to)).div_ceil(u128::from(self.from));
            let due = usize::try_from(due.saturating_sub(u128::from(self.given))).map_err(Error::broken)?;
            let (width, mut block) = (self.block_in(), std::mem::take(&mut self.waiting));
            out = Zeroizing::new(Vec::with_capacity(due + self.block_out()));
            while out.len() < due {
                let mut full = Zeroizing::new(vec![0.0; width]);
                full.iter_mut().zip(block.iter()).for_each(|(to, from)| *to = *from);
                self.convert(&full, &mut out)?;
                block = Zeroizing::default();
            }
            out.truncate(due);
        }
        self.reset();
        Ok(out)
    }

    fn block_in(&self) -> usize {
        self.inner.as_ref().map_or(1, |inner| inner.input_frames_next())
    }

    fn block_out(&self) -> usize {
        self.inner.as_ref().map_or(0, |inner| inner.output_frames_max())
    }

    fn convert(&mut self, block: &[f32], out: &mut Vec<f32>) -> Result<(), Error> {
        let Some(inner) = &mut self.inner else { return Ok(()) };
        let mut result = Zeroizing::new(vec![0.0; inner.output_frames_max()]);
        let room = result.len();
        let input = InterleavedSlice::new(block, 1, block.len()).map_err(Error::broken)?;
        let mut output = InterleavedSlice::new_mut(&mut result, 1, room).map_err(Error::broken)?;
        let (_, made) = inner.process_into_buffer(&input, &mut output, None).map_err(Error::broken)?;
        let skipped = self.delay.min(made);
        self.delay -= skipped;
        out.extend_from_slice(result.get(skipped..made).unwrap_or_default());
        Ok(())
    }

    fn reset(&mut self) {
        self.waiting = Zeroizing::default();
        (self.taken, self.given) = (0, 0);
        if let Some(inner) = &mut self.inner {
            inner.reset();
            self.delay = inner.output_delay();
        }
    }
}

impl Drop for Resampler {
    fn drop(&mut self) {
        // The library does not wipe its own buffers: silence takes the place of what they hold.
        self.reset();
        let silence = vec![0.0; self.block_in()];
        let mut out = Vec::with_capacity(self.block_out());
        for _ in 0..2 {
            // Nothing is left to be done if this fails; the memory is freed either way.
            drop(self.convert(&silence, &mut out));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use super::*;

    const OFFERED: [u32; 5] = [8_000, 16_000, 24_000, 44_100, 48_000];

    fn tone(rate: u32, samples: usize) -> Vec<f32> {
        (0..samples).map(|at| 0.5 * (TAU * 440.0 * at as f32 / rate as f32).sin()).collect()
    }

    fn converted(from: u32, to: u32, samples: &[f32], piece: usize) -> Vec<f32> {
        let mut resampler = Resampler::new(from, to).expect("a rate");
        let mut out = Vec::new();
        for part in samples.chunks(piece) {
            out.extend_from_slice(&resampler.push(part).expect("sound"));
        }
        out.extend_from_slice(&resampler.finish().expect("sound"));
        out
    }

    #[test]
    fn a_tone_stays_the_same_tone_in_the_same_place() {
        for from in OFFERED {
            for to in OFFERED {
                let out = converted(from, to, &tone(from, from as usize), 333);
                assert_eq!(out.len(), to as usize, "{from} to {to}");
                let wanted = tone(to, to as usize);
                let inner = to as usize / 10..to as usize * 9 / 10;
                let worst = inner.map(|at| (out[at] - wanted[at]).abs()).fold(0.0, f32::max);
                // A filter may delay by half a sample, which cannot be thrown away.
                assert!(worst < 0.02, "{from} to {to}: off by {worst}");
            }
        }
    }

    #[test]
    fn pieces_of_any_length_give_the_same_sound() {
        let samples = tone(44_100, 10_000);
        let whole = converted(44_100, 16_000, &samples, 10_000);
        for piece in [1, 7, 441, 4_096] {
            assert_eq!(converted(44_100, 16_000, &samples, piece), whole, "{piece}");
        }
        for length in [0, 1, 2, 80, 441] {
            let wanted = (length as u64 * 16_000).div_ceil(44_100) as usize;
            assert_eq!(converted(44_100, 16_000, &samples[..length], 100).len(), wanted, "{length}");
        }
    }

    #[test]
    fn what_does_not_fit_the_lower_rate_is_filtered_out() {
        let high: Vec<f32> = (0..48_000).map(|at| (TAU * 7_000.0 * at as f32 / 48_000.0).sin()).collect();
        let out = converted(48_000, 8_000, &high, 480);
        let loudest = out[1_000..7_000].iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        assert!(loudest < 0.01, "{loudest}");
    }

    #[test]
    fn a_stream_begins_anew_after_its_end() {
        let mut resampler = Resampler::new(8_000, 16_000).expect("a rate");
        let mut run = || {
            let mut out = resampler.push(&tone(8_000, 1_000)).expect("sound").to_vec();
            out.extend_from_slice(&resampler.finish().expect("sound"));
            out
        };
        assert_eq!(run(), run());
    }

    #[test]
    fn other_rates_and_hostile_numbers() {
        assert!(Resampler::new(0, 16_000).is_err() && Resampler::new(16_000, 96_000).is_err());
        let out = converted(8_000, 48_000, &[f32::NAN, f32::INFINITY, 1e30, -1e30], 1);
        assert!(out.len() == 24 && out.iter().all(|x| x.is_finite()));
    }
}
