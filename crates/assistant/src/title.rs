//! What a conversation is called: the first words of its first question, or what the person writes.

use domain::chat::MAX_TITLE_CHARS;

use crate::Error;

/// Where a title made from a question is cut, in characters.
const CUT_AT: usize = 60;

/// A title from the first words of `question`; empty when it has none.
pub(crate) fn from_question(question: &str) -> String {
    let line = one_line(question);
    let line = line.trim_start_matches(['#', '>', '*', '-', '`', ' ']);
    if line.chars().count() <= CUT_AT {
        return line.to_owned();
    }
    let cut: String = line.chars().take(CUT_AT).collect();
    // Between words where there are words; scripts without spaces are cut where they must be.
    let end = cut.rfind(' ').filter(|at| *at > CUT_AT / 2).unwrap_or(cut.len());
    format!("{}…", cut[..end].trim_end_matches([' ', ',', ';', ':', '.', '-']))
}

/// A title or folder name as a person wrote it, on one line.
///
/// # Errors
/// [`Error::Empty`], or [`Error::TooLong`] beyond [`MAX_TITLE_CHARS`].
pub(crate) fn checked(what: &'static str, title: &str) -> Result<String, Error> {
    let title = one_line(title);
    if title.is_empty() {
        return Err(Error::Empty);
    }
    if title.chars().count() > MAX_TITLE_CHARS {
        return Err(Error::TooLong { what, limit: MAX_TITLE_CHARS, unit: "characters" });
    }
    Ok(title)
}

/// White space joined to single spaces; control characters and direction marks, which could make a
/// list lie about its order, left out.
pub(crate) fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let clean = words.map(|word| word.chars().filter(|c| !is_direction(*c)).collect::<String>());
    clean.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The characters that turn the direction of what follows (UAX #9).
const fn is_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_the_first_words_of_the_question() {
        assert_eq!(from_question("How do tides work?"), "How do tides work?");
        assert_eq!(from_question("  ## Plan\n\n* one\t two"), "Plan * one two");
        assert_eq!(from_question("\n\u{202e} "), "");
        let long = from_question(&"several words ".repeat(20));
        assert_eq!(long, "several words several words several words several words…");
        assert_eq!(from_question(&"あ".repeat(200)).chars().count(), CUT_AT + 1);
    }

    #[test]
    fn a_title_is_bounded_and_on_one_line() {
        assert_eq!(checked("a title", " a\nb ").unwrap(), "a b");
        assert!(matches!(checked("a title", " \u{0} "), Err(Error::Empty)));
        assert!(matches!(checked("a title", &"x".repeat(121)), Err(Error::TooLong { limit: 120, .. })));
    }
}
