//! From words to phonemes: a dictionary with rules, and a small network for words it does not know.
//!
//! The dictionary only ever sees speakable text: its link syntax and its own reading of numbers, both
//! open to whoever writes the text, are out of reach.

use std::collections::HashMap;
use std::path::Path;

use misaki_rs::fallback::FallbackError;
use misaki_rs::{Fallback, G2P, Language};
use rten::{NodeId, Value};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensorView, Tensor};
use serde::Deserialize;

use super::VoiceFiles;
use crate::Error;
use crate::speech::graph::{Graph, not_a_model, read};

/// Stands in for what nobody can pronounce.
const UNKNOWN: char = '❓';

/// Words to phonemes to numbers.
pub(super) struct Pronouncing {
    dictionary: G2P,
    numbers: HashMap<char, i32>,
}

impl Pronouncing {
    pub(super) fn load(files: &VoiceFiles) -> Result<Self, Error> {
        let numbers: HashMap<String, i32> = json(files.phonemes)?;
        let numbers = numbers.into_iter().filter_map(|(sign, number)| Some((only(&sign)?, number))).collect();
        let guesser = Guesser::load(files)?;
        let dictionary = G2P::with_fallback(Language::EnglishUS, Some(Box::new(guesser)));
        Ok(Self { dictionary, numbers })
    }

    /// The phonemes of speakable text.
    pub(super) fn phonemes(&self, sentence: &str) -> Result<String, Error> {
        // Its error names the word.
        let (phonemes, _) =
            self.dictionary.g2p(sentence).map_err(|_| Error::broken("a word without sounds"))?;
        Ok(phonemes.replace(UNKNOWN, ""))
    }

    /// The numbers of phonemes, between the two the network expects at the ends.
    pub(super) fn numbers(&self, phonemes: &str) -> Vec<i32> {
        let known = phonemes.chars().filter_map(|sign| self.numbers.get(&sign).copied());
        std::iter::once(0).chain(known).chain([0]).collect()
    }
}

fn json<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<T, Error> {
    serde_json::from_slice(&read(path)?).map_err(|error| not_a_model(path, error))
}

/// The character of a text that holds exactly one.
fn only(text: &str) -> Option<char> {
    let mut characters = text.chars();
    characters.next().filter(|_| characters.next().is_none())
}

/// The network for unknown words.
struct Guesser {
    graph: Graph,
    input: NodeId,
    output: NodeId,
    letters: HashMap<char, i32>,
    sounds: Vec<String>,
    longest: usize,
}

/// What it reads and writes.
#[derive(Deserialize)]
struct Letters {
    #[serde(rename = "in")]
    letters: Vec<String>,
    #[serde(rename = "out")]
    sounds: Vec<String>,
    #[serde(rename = "maxlen")]
    longest: usize,
}

impl Guesser {
    fn load(files: &VoiceFiles) -> Result<Self, Error> {
        let graph = Graph::read(files.guesser)?;
        let (input, output) = (graph.id("chars", files.guesser)?, graph.id("ids", files.guesser)?);
        let Letters { letters, sounds, longest } = json(files.guesser_letters)?;
        let letters =
            (1..).zip(letters).filter_map(|(number, letter)| Some((only(&letter)?, number))).collect();
        Ok(Self { graph, input, output, letters, sounds, longest })
    }

    fn guess(&self, word: &str) -> Result<String, Error> {
        let ids: Vec<i32> =
            word.chars().filter_map(|letter| self.letters.get(&letter).copied()).take(self.longest).collect();
        if ids.is_empty() {
            return Ok(String::new());
        }
        let input = NdTensorView::from_data([1, ids.len()], ids.as_slice());
        let output: Option<Value> = self.graph.run(vec![(self.input, input.into())], &[self.output])?.pop();
        let output: Tensor<i32> =
            output.ok_or_else(|| Error::broken("no output"))?.try_into().map_err(Error::broken)?;
        // The same sound again and again is one sound; 0 parts two.
        let (mut sounds, mut last) = (String::new(), 0);
        for sound in output.iter().copied() {
            let known = usize::try_from(sound).ok().and_then(|sound| self.sounds.get(sound.checked_sub(1)?));
            if let Some(known) = known.filter(|_| sound != last) {
                sounds.push_str(known);
            }
            last = sound;
        }
        Ok(sounds)
    }
}

impl Fallback for Guesser {
    fn phonemize(&self, word: &str) -> Result<String, FallbackError> {
        // Without its word: it must not get into an error.
        self.guess(word).map_err(|_| FallbackError::NoPhonemes { word: String::new() })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::speech::spoken::spoken;

    /// Without the guesser, which needs its file.
    static DICTIONARY: LazyLock<G2P> = LazyLock::new(|| G2P::with_fallback(Language::EnglishUS, None));

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        // Whoever writes the text must not be able to bring the dictionary down.
        #[test]
        fn nothing_speakable_breaks_the_dictionary(
            any in any::<String>(),
            marks in "[A-Za-z'.,!?;: -]{0,60}",
            words in "([A-Z]?[a-z']{1,9}[ .,-]){0,12}",
            written in "[ -~]{0,60}",
        ) {
            for text in [any, marks, words, written] {
                let said = spoken(&text);
                prop_assert!(DICTIONARY.g2p(&said).is_ok(), "{}", said);
            }
        }
    }

    #[test]
    fn links_to_phonemes_are_out_of_reach() {
        let said = spoken("[hello](/wɹˈɔŋ/) [5](#cardinal#)");
        assert_eq!(said, "hello w, five, number cardinal number.");
    }
}
