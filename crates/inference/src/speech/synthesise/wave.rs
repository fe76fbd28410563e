//! From a drawn spectrum to a wave, column by column.
//!
//! A train of pulses at the drawn pitch is filtered by the harmonic part, shaped noise and a free part
//! are added, and the inverse transform of each column is laid over the last, as the network was
//! trained for (1200-sample windows every 300 samples, Hann, 24 kHz).

use std::f32::consts::PI;
use std::f64::consts::TAU;
use std::sync::Arc;

use rustfft::num_complex::Complex32;
use rustfft::{Fft, FftPlanner};
use zeroize::Zeroizing;

use super::VOICE_RATE;
use crate::speech::Samples;

const WINDOW: usize = 1_200;
const HOP: usize = 300;
const HALF: usize = WINDOW / 2;
const BINS: usize = HALF + 1;
/// Below this pitch a column has no voice.
const LOWEST_PITCH: f32 = 40.0;
/// Harmonics go up to here.
const HIGHEST: f32 = 11_000.0;
/// Sizes are drawn as logarithms; none is larger.
const LOUDEST: f32 = 7.0;
/// The noise begins here for every part.
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// What the network draws: for each part `BINS` rows of as many columns as there are pitches.
pub(super) struct Spectrum {
    pub(super) harmonics: Vec<f32>,
    pub(super) turns: Vec<f32>,
    pub(super) noise: Vec<f32>,
    pub(super) rest: Vec<f32>,
    pub(super) rest_turns: Vec<f32>,
    pub(super) pitch: Vec<f32>,
}

/// What is computed once.
pub(super) struct Maker {
    window: Vec<f32>,
    forward: Arc<dyn Fft<f32>>,
    back: Arc<dyn Fft<f32>>,
}

impl Maker {
    pub(super) fn new() -> Self {
        let mut planner = FftPlanner::new();
        Self {
            window: (0..WINDOW).map(|at| 0.5 - 0.5 * (2.0 * PI * at as f32 / WINDOW as f32).cos()).collect(),
            forward: planner.plan_fft_forward(WINDOW),
            back: planner.plan_fft_inverse(WINDOW),
        }
    }

    /// The wave behind `pause` samples of silence; `None` if the parts do not fit together.
    pub(super) fn wave(&self, drawn: &Spectrum, pause: usize) -> Option<Samples> {
        let columns = drawn.pitch.len();
        let parts = [&drawn.harmonics, &drawn.turns, &drawn.noise, &drawn.rest, &drawn.rest_turns];
        if parts.iter().any(|part| part.len() != BINS * columns) {
            return None;
        }
        if columns == 0 {
            return Some(Samples::default());
        }
        let source = Zeroizing::new(pulses(&drawn.pitch));
        let mut noise = Noise(SEED);
        let mut sum = Zeroizing::new(vec![0.0; (columns + WINDOW / HOP) * HOP]);
        let mut weight = vec![0.0; sum.len()];
        let mut column = vec![Complex32::default(); WINDOW];
        let room = self.forward.get_inplace_scratch_len().max(self.back.get_inplace_scratch_len());
        let mut scratch = vec![Complex32::default(); room];
        for index in 0..columns {
            for (at, (value, window)) in column.iter_mut().zip(&self.window).enumerate() {
                *value = Complex32::new(mirrored(&source, index * HOP + at) * window / HOP as f32, 0.0);
            }
            self.forward.process_with_scratch(&mut column, &mut scratch);
            for bin in 0..BINS {
                let at = |part: &[f32]| part.get(bin * columns + index).copied().unwrap_or_default();
                let size = |part: &[f32]| at(part).min(LOUDEST).exp();
                let shaped = column[bin]
                    * Complex32::from_polar(size(&drawn.harmonics), PI * at(&drawn.turns).tanh())
                    + noise.next() * size(&drawn.noise)
                    + Complex32::from_polar(size(&drawn.rest), at(&drawn.rest_turns));
                column[bin] = shaped;
                if bin > 0 && bin < HALF {
                    column[WINDOW - bin] = shaped.conj();
                }
            }
            column[0].im = 0.0;
            column[HALF].im = 0.0;
            self.back.process_with_scratch(&mut column, &mut scratch);
            let place = index * HOP..index * HOP + WINDOW;
            let places = sum[place.clone()].iter_mut().zip(&mut weight[place]);
            for ((sum, weight), (value, window)) in places.zip(column.iter().zip(&self.window)) {
                *sum += value.re / WINDOW as f32 * window;
                *weight += window * window;
            }
        }
        column.fill(Complex32::default());
        let mut wave = Zeroizing::new(Vec::with_capacity(pause + columns * HOP));
        wave.resize(pause, 0.0);
        let laid = sum.iter().zip(&weight).skip(HALF).take(columns * HOP);
        wave.extend(laid.map(|(sum, weight)| finite(sum / weight.max(1e-11)).clamp(-1.0, 1.0)));
        Some(wave)
    }
}

fn finite(value: f32) -> f32 {
    if value.is_finite() { value } else { 0.0 }
}

/// Pulses with all harmonics up to [`HIGHEST`] at the drawn pitch, nothing where there is no voice.
fn pulses(pitch: &[f32]) -> Vec<f32> {
    let last = pitch.len().saturating_sub(1);
    let at = |column: usize| finite(pitch.get(column.min(last)).copied().unwrap_or_default());
    let mut phase = 0.0_f64;
    let mut pulses = Vec::with_capacity(pitch.len() * HOP);
    for column in 0..pitch.len() {
        for step in 0..HOP {
            // A drawn pitch belongs to the middle of its column.
            let place = (step as f32 + 0.5) / HOP as f32 - 0.5;
            let (before, after, share) = if place < 0.0 {
                (at(column.saturating_sub(1)), at(column), place + 1.0)
            } else {
                (at(column), at(column + 1), place)
            };
            let drawn = before * (1.0 - share) + after * share;
            let pitch = drawn.max(LOWEST_PITCH);
            phase = (phase + f64::from(pitch) / f64::from(VOICE_RATE)).fract();
            pulses.push(if drawn > LOWEST_PITCH { pulse((phase * TAU) as f32, pitch) } else { 0.0 });
        }
    }
    pulses
}

/// The sum of the cosines of all harmonics at one moment.
fn pulse(angle: f32, pitch: f32) -> f32 {
    let harmonics = (HIGHEST / pitch).floor() + 0.5;
    let half = 2.0 * (angle * 0.5).sin();
    let sum = if half.abs() <= 2e-3 { harmonics } else { (harmonics * angle).sin() / half };
    sum - 0.5
}

/// The sample at `at`, where the first window is centred on the first sample and the ends are mirrored.
fn mirrored(samples: &[f32], at: usize) -> f32 {
    let index = HALF.abs_diff(at);
    let last = samples.len().saturating_sub(1);
    let index = if index > last { (2 * last).saturating_sub(index) } else { index };
    samples.get(index).copied().unwrap_or_default()
}

/// Normally distributed numbers, the same every time: sound, not secrets, is made of them.
struct Noise(u64);

impl Noise {
    fn uniform(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 40) as f32 + 0.5) / (1_u32 << 24) as f32
    }

    fn next(&mut self) -> Complex32 {
        let size = (-2.0 * self.uniform().ln()).sqrt();
        Complex32::from_polar(size, 2.0 * PI * self.uniform())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(columns: usize, pitch: f32, size: f32) -> Spectrum {
        let part = |value: f32| vec![value; BINS * columns];
        Spectrum {
            harmonics: part(size),
            turns: part(0.0),
            noise: part(-20.0),
            rest: part(-20.0),
            rest_turns: part(0.0),
            pitch: vec![pitch; columns],
        }
    }

    #[test]
    fn the_wave_has_the_drawn_pitch() {
        let wave = Maker::new().wave(&drawn(40, 100.0, -4.0), 0).expect("a wave");
        assert_eq!(wave.len(), 40 * HOP);
        // 100 Hz at 24 kHz repeats every 240 samples.
        let likeness = |shift: usize| -> f32 { (2_000..8_000).map(|at| wave[at] * wave[at + shift]).sum() };
        assert!(likeness(240) > 0.9 * likeness(0) && likeness(120) < 0.5 * likeness(0));
    }

    #[test]
    fn whatever_is_drawn_becomes_a_wave() {
        let maker = Maker::new();
        for (pitch, size) in [(f32::NAN, 0.0), (1e30, f32::INFINITY), (-5.0, f32::NAN), (0.0, 100.0)] {
            let wave = maker.wave(&drawn(3, pitch, size), 10).expect("a wave");
            assert!(wave.len() == 10 + 3 * HOP && wave.iter().all(|x| x.is_finite() && x.abs() <= 1.0));
        }
        assert_eq!(maker.wave(&drawn(0, 0.0, 0.0), 10).map(|wave| wave.len()), Some(0));
        let mut short = drawn(3, 100.0, 0.0);
        short.noise.pop();
        assert!(maker.wave(&short, 0).is_none());
    }
}
