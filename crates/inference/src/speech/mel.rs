//! The log-mel picture of sound that Whisper-like models look at.
//!
//! 80 bands, a column each 10 ms, windows of 25 ms; Slaney's mel scale, area-normalised. The reference
//! is the feature extractor those models were trained with.

use std::{f32::consts::PI, sync::Arc};

use rustfft::{Fft, FftPlanner, num_complex::Complex32};

/// Bands of the picture.
pub(super) const BANDS: usize = 80;
const WINDOW: usize = 400;
/// Samples between two columns.
pub(super) const HOP: usize = 160;
const BINS: usize = WINDOW / 2 + 1;
const RATE: f32 = 16_000.0;
const FLOOR: f32 = 1e-10;

/// What is computed once: window, bands and transform.
pub(super) struct Mel {
    window: Vec<f32>,
    /// For every band its first bin and its weights.
    bands: Vec<(usize, Vec<f32>)>,
    transform: Arc<dyn Fft<f32>>,
}

impl Mel {
    pub(super) fn new() -> Self {
        let window = (0..WINDOW).map(|at| 0.5 - 0.5 * (2.0 * PI * at as f32 / WINDOW as f32).cos()).collect();
        Self { window, bands: bands(), transform: FftPlanner::new().plan_fft_forward(WINDOW) }
    }

    /// The picture, band by band, `samples.len() / HOP` columns each, scaled as Whisper does.
    pub(super) fn picture(&self, samples: &[f32]) -> Vec<f32> {
        let columns = samples.len() / HOP;
        let mut picture = vec![0.0; BANDS * columns];
        let mut buffer = vec![Complex32::default(); WINDOW];
        let mut scratch = vec![Complex32::default(); self.transform.get_inplace_scratch_len()];
        for column in 0..columns {
            for (at, (value, weight)) in buffer.iter_mut().zip(&self.window).enumerate() {
                *value = Complex32::new(mirrored(samples, column * HOP + at) * weight, 0.0);
            }
            self.transform.process_with_scratch(&mut buffer, &mut scratch);
            for (band, (first, weights)) in self.bands.iter().enumerate() {
                let bins = buffer.iter().skip(*first).zip(weights);
                let energy: f32 = bins.map(|(bin, weight)| bin.norm_sqr() * weight).sum();
                picture[band * columns + column] = energy.max(FLOOR).log10();
            }
        }
        let top = picture.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        for value in &mut picture {
            *value = (value.max(top - 8.0) + 4.0) / 4.0;
        }
        picture
    }
}

/// The sample at `at`, where the first window is centred on the first sample and the ends are mirrored.
fn mirrored(samples: &[f32], at: usize) -> f32 {
    let half = WINDOW / 2;
    let index = half.abs_diff(at);
    let last = samples.len().saturating_sub(1);
    let index = if index > last { (2 * last).saturating_sub(index) } else { index };
    samples.get(index).copied().unwrap_or_default()
}

/// Mels of hertz: straight up to 1000 Hz, logarithmic beyond.
fn mels(hertz: f64) -> f64 {
    if hertz < 1000.0 { 3.0 * hertz / 200.0 } else { 15.0 + (hertz / 1000.0).ln() * 27.0 / 6.4_f64.ln() }
}

fn hertz(mels: f64) -> f64 {
    if mels < 15.0 { 200.0 * mels / 3.0 } else { 1000.0 * ((mels - 15.0) * 6.4_f64.ln() / 27.0).exp() }
}

/// Triangles of equal area, evenly spaced in mels.
fn bands() -> Vec<(usize, Vec<f32>)> {
    let highest = mels(f64::from(RATE) / 2.0);
    let corner = |index: usize| hertz(highest * index as f64 / (BANDS + 1) as f64);
    let frequency = |bin: usize| f64::from(RATE) / 2.0 * bin as f64 / (BINS - 1) as f64;
    let mut bands = Vec::with_capacity(BANDS);
    for band in 0..BANDS {
        let (low, middle, high) = (corner(band), corner(band + 1), corner(band + 2));
        let weight = |bin: usize| {
            let at = frequency(bin);
            let rise = (at - low) / (middle - low);
            let fall = (high - at) / (high - middle);
            (rise.min(fall).max(0.0) * 2.0 / (high - low)) as f32
        };
        let first = (0..BINS).find(|bin| weight(*bin) > 0.0).unwrap_or_default();
        let weights = (first..BINS).map(weight).take_while(|weight| *weight > 0.0).collect();
        bands.push((first, weights));
    }
    bands
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_lights_its_band() {
        let tone = |pitch: f32| -> Vec<f32> {
            (0..16_000).map(|at| (2.0 * PI * pitch * at as f32 / RATE).sin()).collect()
        };
        let mel = Mel::new();
        let brightest = |pitch: f32| {
            let picture = mel.picture(&tone(pitch));
            let column = |band: usize| picture[band * 100 + 50];
            (0..BANDS).max_by(|a, b| column(*a).total_cmp(&column(*b))).expect("bands")
        };
        // Band n is centred on mel (n + 1) * 45.245 / 81.
        assert!((25..=27).contains(&brightest(1000.0)), "{}", brightest(1000.0));
        assert!(brightest(200.0) < brightest(400.0) && brightest(4000.0) < brightest(7000.0));
    }

    #[test]
    fn every_band_sees_something_and_nothing_breaks_it() {
        assert!(bands().iter().all(|(first, weights)| !weights.is_empty() && first + weights.len() <= BINS));
        let mel = Mel::new();
        for samples in [vec![], vec![1.0], vec![0.5; HOP], vec![0.0; 1600]] {
            let picture = mel.picture(&samples);
            assert!(picture.len() == BANDS * (samples.len() / HOP) && picture.iter().all(|x| x.is_finite()));
        }
    }
}
