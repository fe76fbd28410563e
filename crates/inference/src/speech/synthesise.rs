//! Sound from words: hibari, a small network that draws a spectrum, and the wave made of it.
//!
//! Text is first made speakable ([`super::spoken`]), then turned into phonemes, then into sound,
//! a sentence at a time. The noise in a voice comes from a fixed seed, so that the same text always
//! sounds the same. One [`Voice`] serves all calls.

mod phonemes;
mod wave;

use std::{ops::ControlFlow, path::Path};

use rten::NodeId;
use rten_tensor::NdTensorView;
use rten_tensor::prelude::*;
use zeroize::Zeroizing;

use super::graph::{Graph, floats, not_a_model};
use super::{Samples, spoken};
use crate::Error;
use phonemes::Pronouncing;
use wave::Spectrum;

/// Samples a second a voice gives.
pub const VOICE_RATE: u32 = 24_000;
/// Longest text spoken at once, in bytes.
pub const LONGEST_TEXT: usize = 8_192;
/// Longest part shown to the network at once, in phonemes.
const LONGEST_PART: usize = 400;
/// Silence between two sentences.
const PAUSE: usize = VOICE_RATE as usize / 8;
/// The outputs that draw the spectrum: size and phase of the harmonics, size of the noise, size and
/// phase of the rest, and the pitch.
const OUTPUTS: [&str; 6] = ["lh", "theta", "ln", "lr", "phi", "f0"];

/// A loaded voice. Shareable; a call blocks while it computes.
pub struct Voice {
    graph: Graph,
    input: NodeId,
    pace: NodeId,
    outputs: [NodeId; 6],
    pronouncing: Pronouncing,
    wave: wave::Maker,
}

/// The files of a voice.
pub struct VoiceFiles<'a> {
    /// The network that draws spectra.
    pub model: &'a Path,
    /// Numbers of phonemes (JSON).
    pub phonemes: &'a Path,
    /// The network that guesses how unknown words are pronounced.
    pub guesser: &'a Path,
    /// Its letters and sounds (JSON).
    pub guesser_letters: &'a Path,
}

impl Voice {
    /// Reads the files of a voice.
    ///
    /// # Errors
    /// [`Error::Unreadable`] or [`Error::NotAModel`].
    pub fn load(files: &VoiceFiles) -> Result<Self, Error> {
        let graph = Graph::read(files.model)?;
        let mut outputs = Vec::with_capacity(OUTPUTS.len());
        for name in OUTPUTS {
            outputs.push(graph.id(name, files.model)?);
        }
        let outputs = outputs.try_into().map_err(|_| not_a_model(files.model, "its outputs differ"))?;
        let (input, pace) = (graph.id("ids", files.model)?, graph.id("speed", files.model)?);
        let pronouncing = Pronouncing::load(files)?;
        let voice = Self { graph, input, pace, outputs, pronouncing, wave: wave::Maker::new() };
        voice.speak("ok", 1.0)?;
        Ok(voice)
    }

    /// The sound of `text`, [`VOICE_RATE`] samples a second. `pace` 1 is natural, 2 twice as fast.
    ///
    /// # Errors
    /// [`Error::BadRequest`] for text over [`LONGEST_TEXT`], [`Error::Broken`] if the runtime fails.
    pub fn speak(&self, text: &str, pace: f32) -> Result<Samples, Error> {
        let mut parts: Vec<Samples> = Vec::new();
        self.speak_each(text, pace, &mut |part| {
            parts.push(part);
            ControlFlow::Continue(())
        })?;
        let mut all = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len()).sum()));
        parts.iter().for_each(|part| all.extend_from_slice(part));
        Ok(all)
    }

    /// Like [`Self::speak`], but gives each sentence as soon as it is made, until `each` breaks off.
    ///
    /// # Errors
    /// Those of [`Self::speak`].
    pub fn speak_each(
        &self,
        text: &str,
        pace: f32,
        each: &mut dyn FnMut(Samples) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let mut first = true;
        for sentence in Self::sentences(text)? {
            let sound = self.say(&sentence, pace, !first)?;
            first &= sound.is_empty();
            if !sound.is_empty() && each(sound).is_break() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// `text` made speakable, sentence by sentence: what [`Self::say`] takes.
    ///
    /// # Errors
    /// [`Error::BadRequest`] for text over [`LONGEST_TEXT`].
    pub fn sentences(text: &str) -> Result<Vec<Zeroizing<String>>, Error> {
        if text.len() > LONGEST_TEXT {
            let what = format!("a text of more than {LONGEST_TEXT} bytes to speak; send it in parts");
            return Err(Error::BadRequest { what });
        }
        let words = Zeroizing::new(spoken::spoken(text));
        Ok(sentences(&words).map(|sentence| Zeroizing::new(sentence.to_owned())).collect())
    }

    /// The sound of one of [`Self::sentences`], behind a pause where others came before it; nothing where it
    /// holds no word.
    ///
    /// # Errors
    /// [`Error::Broken`] if the runtime fails.
    pub fn say(&self, sentence: &str, pace: f32, pause: bool) -> Result<Samples, Error> {
        let pace = if pace.is_finite() { pace.clamp(0.5, 2.0) } else { 1.0 };
        let phonemes = Zeroizing::new(self.pronouncing.phonemes(sentence)?);
        let mut pause = if pause { PAUSE } else { 0 };
        let mut sounds = Vec::new();
        for part in parts(&phonemes) {
            let sound = self.sound(part, pace, pause)?;
            if !sound.is_empty() {
                pause = PAUSE;
                sounds.push(sound);
            }
        }
        if let [_] = sounds.as_slice() {
            return Ok(sounds.pop().unwrap_or_default());
        }
        let mut all = Zeroizing::new(Vec::with_capacity(sounds.iter().map(|sound| sound.len()).sum()));
        sounds.iter().for_each(|sound| all.extend_from_slice(sound));
        Ok(all)
    }

    /// The sound of some phonemes, behind a pause.
    fn sound(&self, phonemes: &str, pace: f32, pause: usize) -> Result<Samples, Error> {
        let ids = Zeroizing::new(self.pronouncing.numbers(phonemes));
        if ids.len() < 3 {
            return Ok(Samples::default());
        }
        let input = NdTensorView::from_data([1, ids.len()], ids.as_slice());
        let paces = [pace];
        let speed = NdTensorView::from_data([1], paces.as_slice());
        let drawn =
            self.graph.run(vec![(self.input, input.into()), (self.pace, speed.into())], &self.outputs)?;
        let mut drawn = drawn.into_iter();
        let mut next = || -> Result<Vec<f32>, Error> { Ok(floats(drawn.next())?.to_vec()) };
        let spectrum = Spectrum {
            harmonics: next()?,
            turns: next()?,
            noise: next()?,
            rest: next()?,
            rest_turns: next()?,
            pitch: next()?,
        };
        self.wave.wave(&spectrum, pause).ok_or_else(|| Error::broken("a spectrum of another shape"))
    }
}

/// The sentences of speakable text, each with the mark at its end.
fn sentences(words: &str) -> impl Iterator<Item = &str> {
    words.split_inclusive(['.', '!', '?']).map(str::trim).filter(|sentence| !sentence.is_empty())
}

/// Phonemes in parts the network bears, cut behind marks or else between words.
fn parts(phonemes: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = phonemes.trim();
    while let Some((end, _)) = rest.char_indices().nth(LONGEST_PART) {
        let (front, _) = rest.split_at(end);
        let cut =
            front.rfind([',', ';', ':']).map(|at| at + 1).or_else(|| front.rfind(' ')).filter(|at| *at > 0);
        let (part, later) = rest.split_at(cut.unwrap_or(end));
        parts.push(part.trim());
        rest = later.trim_start();
    }
    parts.push(rest);
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_end_with_their_marks() {
        let found: Vec<&str> = sentences("One, two. Three! Is it four? five").collect();
        assert_eq!(found, ["One, two.", "Three!", "Is it four?", "five"]);
        assert_eq!(sentences("").count(), 0);
    }

    #[test]
    fn long_phonemes_are_cut_behind_marks() {
        let long = format!("{}, {} {}", "ə".repeat(300), "ɪ".repeat(50), "ʊ".repeat(900));
        let found = parts(&long);
        assert!(found.iter().all(|part| part.chars().count() <= LONGEST_PART));
        assert!(found[0].ends_with(','));
        let kept: usize = found.iter().map(|part| part.matches(['ə', 'ɪ', 'ʊ']).count()).sum();
        assert_eq!(kept, 1_250);
        assert!(parts("  ").is_empty());
    }
}
