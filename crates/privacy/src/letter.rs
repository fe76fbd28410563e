//! The letter: what a person is asked, in their language, in the wording of one version.
//!
//! `lib.rs` reads the published letters of `policy/consent/` once, when the room is opened. Invariants: a published
//! letter is never changed (a test holds each against its hash); a letter asks only about what is possible here.

use domain::consent::Purpose;
use serde::Deserialize;

use crate::{Error, Offer};

/// Every letter that was published, as its file says it; the last is in force.
pub(crate) const PUBLISHED: &[&str] = &[include_str!("../../../policy/consent/voice-1.toml")];

/// What a person is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Its version, to be said back with the answer.
    pub version: u32,
    /// The language it is in, `en` or `hi`.
    pub language: &'static str,
    /// Its heading.
    pub title: String,
    /// What stands before the questions.
    pub opening: String,
    /// The questions, in order.
    pub purposes: Vec<Asked>,
}

/// One question of a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What is asked about.
    pub purpose: Purpose,
    /// It in a few words.
    pub title: String,
    /// It in full.
    pub text: String,
    /// Whether there is no call without it.
    pub required: bool,
}

/// A published letter in all its languages.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Published {
    pub(crate) version: u32,
    en: Words,
    hi: Words,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    title: String,
    opening: String,
    purposes: Vec<Question>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    purpose: Purpose,
    title: String,
    text: String,
}

impl Published {
    /// The letter people are asked with now.
    ///
    /// # Errors
    /// [`Error::Letter`] when a file is not what it should be.
    pub(crate) fn in_force() -> Result<Self, Error> {
        Self::all()?.pop().ok_or_else(|| Error::Letter("there is none".to_owned()))
    }

    /// Every letter there is, the one in force last.
    fn all() -> Result<Vec<Self>, Error> {
        let read =
            |text: &&str| toml::from_str(text).map_err(|error| Error::Letter(error.message().to_owned()));
        let all: Vec<Self> = PUBLISHED.iter().map(read).collect::<Result<_, _>>()?;
        let in_order = all.iter().zip(1..).all(|(letter, version)| letter.version == version);
        if !in_order {
            return Err(Error::Letter("its versions do not follow one another".to_owned()));
        }
        Ok(all)
    }

    /// The letter in a language by its tag, English when we do not have it; without what is not possible here.
    pub(crate) fn told(&self, language: &str, offer: &Offer) -> Letter {
        let (language, words) = match known(language) {
            "hi" => ("hi", &self.hi),
            _ => ("en", &self.en),
        };
        let asked = |question: &Question| Asked {
            purpose: question.purpose,
            title: question.title.clone(),
            text: question.text.replace("{}", &offer.shares_with.join(", ")),
            required: question.purpose.is_required(),
        };
        let possible = words.purposes.iter().filter(|question| offer.has(question.purpose));
        Letter {
            version: self.version,
            language,
            title: words.title.clone(),
            opening: words.opening.clone(),
            purposes: possible.map(asked).collect(),
        }
    }
}

/// The language of ours that a tag means.
pub(crate) fn known(tag: &str) -> &'static str {
    let first = tag.split(['-', '_']).next().unwrap_or_default();
    if first.eq_ignore_ascii_case("hi") { "hi" } else { "en" }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest;

    use super::*;

    /// SHA-256 of every letter as it was published. A line is added, never changed.
    const HASHES: &[&str] = &["057356d0963d32ce2aa9e26bc666457cf247acaafa7ad609c1fe4e1511e5b87c"];

    #[test]
    fn a_published_letter_is_never_changed() {
        let hashes: Vec<_> = PUBLISHED
            .iter()
            .map(|text| hex::encode(digest::digest(&digest::SHA256, text.as_bytes())))
            .collect();
        assert_eq!(hashes, HASHES, "another wording is another file with the next version");
    }

    #[test]
    fn letters_say_the_same_in_every_language() {
        for letter in Published::all().unwrap() {
            let purposes = |words: &Words| words.purposes.iter().map(|q| q.purpose).collect::<Vec<_>>();
            assert_eq!(purposes(&letter.en), purposes(&letter.hi));
            assert!(purposes(&letter.en).contains(&Purpose::ProcessCall));
            for (english, hindi) in letter.en.purposes.iter().zip(&letter.hi.purposes) {
                let places = |question: &Question| question.text.matches("{}").count();
                assert_eq!(places(english), places(hindi));
                assert_eq!(places(english) == 1, english.purpose == Purpose::ShareSpeech);
                assert!(hindi.text.chars().any(|c| ('\u{900}'..='\u{97f}').contains(&c)));
            }
        }
    }

    #[test]
    fn a_letter_asks_only_about_what_is_possible() {
        let letter = Published::in_force().unwrap();
        let asked = |offer: &Offer| {
            letter.told("en-GB", offer).purposes.iter().map(|a| a.purpose).collect::<Vec<_>>()
        };
        let nothing = Offer::default();
        assert_eq!(asked(&nothing), [Purpose::ProcessCall, Purpose::KeepTranscript]);
        let vendor = Offer { shares_with: vec!["speech.example".to_owned()] };
        assert_eq!(asked(&vendor), [Purpose::ProcessCall, Purpose::KeepTranscript, Purpose::ShareSpeech]);
        let told = letter.told("hi-IN", &vendor);
        assert_eq!((told.language, told.version), ("hi", letter.version));
        assert!(told.purposes[2].text.contains("speech.example") && !told.purposes[2].required);
        assert!(told.purposes[0].required);
    }
}
