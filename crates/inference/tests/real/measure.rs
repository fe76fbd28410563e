//! How well speech was understood, and sound to try it with. Also used by the example `speech`.

use std::path::Path;

/// Words that were wrong, missing or too many, and words there were.
pub(crate) fn word_errors(wanted: &str, heard: &str) -> (usize, usize) {
    let (wanted, heard) = (plain(wanted), plain(heard));
    let mut row: Vec<usize> = (0..=heard.len()).collect();
    for (at, word) in wanted.iter().enumerate() {
        let mut corner = row[0];
        row[0] = at + 1;
        for (other, candidate) in heard.iter().enumerate() {
            let same = corner + usize::from(word != candidate);
            corner = row[other + 1];
            row[other + 1] = same.min(corner + 1).min(row[other] + 1);
        }
    }
    (row[heard.len()], wanted.len())
}

/// Small letters and digits only; titles and hyphens as they are said.
fn plain(text: &str) -> Vec<String> {
    let text = text.to_lowercase().replace("mr.", "mister").replace('-', " ");
    let words = text
        .split_whitespace()
        .map(|word| word.chars().filter(|character| character.is_alphanumeric()).collect::<String>());
    words.filter(|word| !word.is_empty()).collect()
}

/// The samples of a WAV file (16 bits, one channel) and how many there are a second.
pub(crate) fn wav(path: &Path) -> (Vec<f32>, u32) {
    let bytes = std::fs::read(path).expect("the recording is there after `cargo xtask test --install`");
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    let (mut at, mut rate) = (12, 0);
    while &bytes[at..at + 4] != b"data" {
        if &bytes[at..at + 4] == b"fmt " {
            rate = number(at + 12);
        }
        at += 8 + number(at + 4) as usize;
    }
    let end = bytes.len().min(at + 8 + number(at + 4) as usize);
    let pairs = bytes[at + 8..end].as_chunks().0.iter();
    (pairs.map(|pair| f32::from(i16::from_le_bytes(*pair)) / 32_768.0).collect(), rate)
}

/// Noise that is the same every time: every sample by itself, or rumbling like traffic.
pub(crate) fn noise(samples: usize, rumbling: bool) -> Vec<f32> {
    let (mut state, mut slow) = (0x2545_f491_u32, 0.0_f32);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let white = state as f32 / u32::MAX as f32 * 2.0 - 1.0;
        slow = 0.97 * slow + 0.03 * white;
        if rumbling { slow * 6.0 } else { white }
    };
    (0..samples).map(|_| next()).collect()
}

/// `samples` with `noise` under it, so many decibels quieter.
pub(crate) fn mixed(samples: &[f32], noise: &[f32], decibels: f32) -> Vec<f32> {
    let power = |sound: &[f32]| sound.iter().map(|x| x * x).sum::<f32>() / sound.len().max(1) as f32;
    let share = (power(samples) / power(noise).max(1e-12) / 10_f32.powf(decibels / 10.0)).sqrt();
    samples.iter().zip(noise).map(|(sample, noise)| (sample + share * noise).clamp(-1.0, 1.0)).collect()
}
