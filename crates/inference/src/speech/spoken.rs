//! Written text as it is spoken: numbers, times, money, identifiers, abbreviations.
//!
//! What comes out holds only ASCII letters, apostrophes, hyphens, spaces and the marks of a sentence,
//! whatever goes in: the pronouncing dictionary behind it never sees anything else. No digit is
//! dropped: what has digits and is nothing known is read character by character. English only;
//! letters of other scripts have no sound here and are left out.

mod forms;
mod numbers;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use zeroize::Zeroizing;

/// Marks that end or part a sentence, and stay.
const MARKS: [char; 6] = ['.', ',', '!', '?', ';', ':'];
/// What is written with a point at its end, or is no word, and what is said instead.
const SHORT: [(&str, &str); 34] = [
    ("mr.", "Mister"),
    ("mr", "Mister"),
    ("mrs.", "Missus"),
    ("mrs", "Missus"),
    ("ms.", "Miz"),
    ("dr.", "Doctor"),
    ("dr", "Doctor"),
    ("prof.", "Professor"),
    ("jr.", "Junior"),
    ("sr.", "Senior"),
    ("e.g.", "for example"),
    ("eg.", "for example"),
    ("i.e.", "that is"),
    ("etc.", "and so on"),
    ("etc", "and so on"),
    ("vs.", "versus"),
    ("vs", "versus"),
    ("approx.", "approximately"),
    ("incl.", "including"),
    ("ave.", "Avenue"),
    ("rd.", "Road"),
    ("blvd.", "Boulevard"),
    ("dept.", "department"),
    ("tel.", "telephone"),
    ("ext.", "extension"),
    ("a.m.", "ay em"),
    ("p.m.", "pee em"),
    ("pm", "pee em"),
    ("&", "and"),
    ("+", "plus"),
    ("=", "equals"),
    ("@", "at"),
    ("w/", "with"),
    ("/", "or"),
];

/// What may be said of `text`.
#[must_use]
pub fn spoken(text: &str) -> String {
    let mut plain = Zeroizing::new(String::with_capacity(text.len() * 2));
    plain.extend(text.nfkd().filter(|character| !is_combining_mark(*character)).map(simple));
    let mut said = Zeroizing::new(String::with_capacity(plain.len() * 8));
    for line in plain.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let mut at = 0;
        while let Some(word) = words.get(at) {
            let around =
                Around { before: words.get(..at).unwrap_or_default(), after: words.get(at + 1).copied() };
            let Said { words, taken } = say(word, &around);
            push(&mut said, &words);
            at += taken;
        }
        // A line is a sentence, whether it ends like one (a heading, a point of a list) or not.
        let end = said.trim_end_matches([' ', ',']).len();
        said.truncate(end);
        if said.ends_with(|last: char| !MARKS.contains(&last)) {
            said.push('.');
        }
    }
    clean(&said)
}

/// What stands around a word.
struct Around<'a> {
    before: &'a [&'a str],
    after: Option<&'a str>,
}

/// The words for a word, and how many were taken together.
struct Said {
    words: String,
    taken: usize,
}

/// The plain form of typographic characters.
fn simple(character: char) -> char {
    match character {
        '‘' | '’' | '′' | 'ʼ' => '\'',
        '“' | '”' | '„' | '″' => '"',
        '‐' | '‑' | '−' => '-',
        '⁄' => '/',
        '–' | '—' => '—',
        other => other,
    }
}

fn push(said: &mut String, words: &str) {
    if words.is_empty() {
        return;
    }
    if !said.is_empty() && !words.starts_with(MARKS) {
        said.push(' ');
    }
    said.push_str(words);
}

/// One word with what clings to it.
fn say(word: &str, around: &Around) -> Said {
    let one = |words: String| Said { words, taken: 1 };
    let short = |word: &str| {
        let small = word.to_ascii_lowercase();
        SHORT.iter().find(|(written, _)| *written == small).map(|(_, said)| (*said).to_owned())
    };
    // Brackets and quotes part; marks of a sentence stay behind the word; emphasis is silent.
    let opened = word.trim_start_matches(['"', '\'', '(', '[', '{', '<', '*', '_', '~', '`', '|', '>', '—']);
    let closed = opened.trim_end_matches(['"', '\'', ')', ']', '}', '>', '*', '_', '~', '`', '|', '—']);
    let last = around.before.last().copied();
    if closed == "/" && last.is_some_and(|last| last.contains(|digit: char| digit.is_ascii_digit())) {
        return one("per".to_owned());
    }
    if let Some(said) = short(closed) {
        return one(said);
    }
    let core = closed.trim_end_matches(|last: char| {
        !last.is_alphanumeric() && !matches!(last, '%' | '$' | '€' | '£' | '¥' | '+' | '#')
    });
    let tail = closed.get(core.len()..).unwrap_or_default();
    let core = core.trim_end_matches(['"', '\'', ')', ']', '}', '*', '_', '`']);
    let mark = tail.chars().find(|character| MARKS.contains(character));
    let mark =
        mark.or_else(|| (word.ends_with([')', ']', '—']) || word == "-" || word == "—").then_some(','));
    let mut said = match short(core).or_else(|| forms::unit(core, last)) {
        Some(words) => one(words),
        None if core.chars().any(|character| character.is_ascii_digit()) => forms::with_digits(core, around),
        None => one(forms::without_digits(core)),
    };
    if word.starts_with(['(', '[']) && !said.words.is_empty() {
        said.words.insert_str(0, ", ");
    }
    // A word taken together with the next ends with the mark of that one.
    let end = if said.taken == 1 { mark } else { around.after.and_then(|after| after.chars().last()) };
    said.words.extend(end.filter(|mark| MARKS.contains(mark)));
    said
}

/// Leaves only what the pronouncing dictionary may see. A digit still there is said.
fn clean(said: &str) -> String {
    let mut clean = String::with_capacity(said.len());
    for character in said.chars() {
        let space = clean.is_empty() || clean.ends_with(' ');
        match character {
            _ if character.is_ascii_digit() => {
                if !space {
                    clean.push(' ');
                }
                clean.push_str(numbers::digit(character).unwrap_or_default());
                clean.push(' ');
            }
            '\'' | '-' if space => {}
            _ if character.is_ascii_alphabetic() || matches!(character, '\'' | '-') => clean.push(character),
            _ if MARKS.contains(&character) => {
                while clean.ends_with([' ', ',', '-', '\'']) {
                    clean.pop();
                }
                if !clean.is_empty() && !clean.ends_with(MARKS) {
                    clean.push(character);
                }
            }
            _ if !space => clean.push(' '),
            _ => {}
        }
        // A mark parts from the next word.
        if clean.ends_with(MARKS) {
            clean.push(' ');
        }
    }
    clean.trim_end_matches([' ', '-', '\'', ',']).to_owned()
}

#[cfg(test)]
mod tests;
