//! Words as the search index knows them.
//!
//! `store` calls this when it indexes a message and when it searches, so both sides see the same words.
//! Invariant: two spellings a reader takes for the same word (case, width, accents, composed or not)
//! become the same word. Word borders follow Unicode (UAX 29), so scripts without blanks work too.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

/// Shortest prefix of a word that finds it, in characters.
pub const PREFIX_MIN: usize = 2;
/// Longest prefix that is indexed, in characters; longer words are told apart when they are read.
pub const PREFIX_MAX: usize = 8;
/// A longer run of letters is not a word; only its beginning is looked at.
const WORD_MAX: usize = 64;

/// One word of a text, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The word as it is compared.
    pub text: String,
    /// Its first byte in the text.
    pub start: usize,
    /// The byte after its last.
    pub end: usize,
}

/// The words of `text`, in order.
pub fn words(text: &str) -> impl Iterator<Item = Word> + '_ {
    text.unicode_word_indices()
        .flat_map(|(at, run)| pieces(run).map(move |(offset, piece)| (at + offset, piece)))
        .filter_map(|(start, piece)| {
            let text = fold(piece);
            (!text.is_empty()).then(|| Word { text, start, end: start + piece.len() })
        })
}

/// What the index keeps of `text`: the prefixes of its words, 2 to 8 characters long, and words of one
/// character whole.
#[must_use]
pub fn index_terms(text: &str) -> BTreeSet<String> {
    let mut terms = BTreeSet::new();
    for word in words(text) {
        let length = word.text.chars().count().min(PREFIX_MAX);
        for size in PREFIX_MIN.min(length)..=length {
            terms.insert(word.text.chars().take(size).collect());
        }
    }
    terms
}

/// The term to look up for one word of a query; what it finds must still be compared with the word.
#[must_use]
pub fn query_term(word: &str) -> String {
    word.chars().take(PREFIX_MAX).collect()
}

/// Splits what Unicode calls one word but people search by its parts: `foo_bar`, `example.com`, `don't`.
fn pieces(run: &str) -> impl Iterator<Item = (usize, &str)> {
    run.split(['_', '.', ',', ':', ';', '\'', '\u{2019}', '\u{b7}'])
        .filter(|piece| !piece.is_empty())
        .map(move |piece| (piece.as_ptr() as usize - run.as_ptr() as usize, piece))
}

/// The form words are compared in: lower case, compatibility forms unified, accents taken off.
fn fold(word: &str) -> String {
    let bare: String = word.to_lowercase().nfkd().filter(|c| !is_accent(*c)).collect();
    bare.to_lowercase().nfkd().filter(|c| !is_accent(*c)).nfc().take(WORD_MAX).collect()
}

/// Marks over Latin, Greek and Cyrillic letters. The vowel signs of other scripts are letters to their readers.
fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list(text: &str) -> Vec<String> {
        words(text).map(|word| word.text).collect()
    }

    #[test]
    fn spellings_of_one_word_meet() {
        for (one, other) in [
            ("Café", "cafe"),
            ("Cafe\u{301}", "CAFÉ"),
            ("ＷＩＤＥ", "wide"),
            ("ﬁle", "file"),
            ("İstanbul", "istanbul"),
            ("don\u{2019}t", "don't"),
        ] {
            assert_eq!(list(one), list(other), "{one} and {other}");
        }
    }

    #[test]
    fn words_are_found_in_any_script() {
        assert_eq!(list("Hello, world: 3.14!"), ["hello", "world", "3", "14"]);
        assert_eq!(list("let foo_bar = example.com;"), ["let", "foo", "bar", "example", "com"]);
        assert_eq!(list("हिन्दी में"), ["हिन्दी", "में"]);
        assert_eq!(list("中文"), ["中", "文"]);
        assert_eq!(list("… — 🎉 !"), Vec::<String>::new());
        // A vowel sign that stands without its letter.
        assert_eq!(list("_\u{1133b}ꨀ"), ["\u{1133b}ꨀ"]);
    }

    #[test]
    fn the_index_keeps_prefixes_from_two_to_eight() {
        let terms = index_terms("Encyclopedia a of");
        let expected = ["a", "en", "enc", "ency", "encyc", "encycl", "encyclo", "encyclop", "of"];
        assert_eq!(terms.iter().map(String::as_str).collect::<Vec<_>>(), expected);
        assert_eq!(query_term("encyclopedia"), "encyclop");
    }

    proptest! {
        #[test]
        fn every_word_stands_where_it_says_and_is_indexed(text in "\\PC{0,60}") {
            let terms = index_terms(&text);
            for word in words(&text) {
                prop_assert_eq!(fold(&text[word.start..word.end]), word.text.clone());
                prop_assert!(terms.contains(&query_term(&word.text)));
            }
        }
    }
}
