//! Spoken numbers as what they are: "four one one one" is 4111.
//!
//! The engine calls [`written`] on everything that was recognised, before a model, a log, the store or
//! anybody else sees it: what finds card and telephone numbers knows digits, not words. A number word on
//! its own stays a word ("one moment"); two and more become digits. English.

use zeroize::Zeroizing;

use crate::number_words::{TEENS, TENS, UNITS};

/// Before a time of day,
const BEFORE_TIMES: [&str; 8] = ["at", "by", "from", "until", "till", "around", "after", "before"];
/// and after one.
const AFTER_TIMES: [&str; 8] = ["am", "a.m", "pm", "p.m", "in", "tomorrow", "today", "o'clock"];

/// `text` with its numbers in digits. Words, their order and everything else stay as they are.
#[must_use]
pub fn written(text: &str) -> Zeroizing<String> {
    let tokens = tokens(text);
    let mut out = Zeroizing::new(String::with_capacity(text.len() + 8));
    let mut at = 0;
    while at < tokens.len() {
        let run = run(&tokens, at);
        let piece = if run.is_number() {
            let time = run.as_time(&tokens, at);
            time.unwrap_or_else(|| run.digits())
        } else {
            // One token at a time: a run may begin at the next.
            Zeroizing::new(tokens[at].whole.to_owned())
        };
        let taken = if run.is_number() { run.words.len() } else { 1 };
        push(&mut out, &tokens[at], &piece);
        if run.is_number() {
            out.push_str(tokens[at + taken - 1].mark);
        }
        at += taken;
    }
    out
}

/// Adds a piece as its first token was joined to what stands before it; letters spelt out stick to digits.
fn push(out: &mut String, first: &Token<'_>, piece: &str) {
    let digits = piece.starts_with(|one: char| one.is_ascii_digit());
    if digits && last_letter(out).is_some_and(|letter| letter != 'I') {
        join_letters(out);
    } else if !out.is_empty() {
        out.push_str(first.gap);
    }
    out.push_str(piece);
}

/// The single capitals at the end of `out` as one word: "O R D" and "O-R-D" are "ORD".
fn join_letters(out: &mut String) {
    let mut letters = Vec::new();
    while let Some(letter) = last_letter(out) {
        letters.push(letter);
        out.pop();
        if out.is_empty() {
            break;
        }
        let gap = out.pop();
        if last_letter(out).is_none() {
            out.extend(gap);
            break;
        }
    }
    out.extend(letters.into_iter().rev());
}

/// The capital `out` ends in, if it stands alone.
fn last_letter(out: &str) -> Option<char> {
    let last = out.rsplit([' ', '-']).next()?;
    let mut letters = last.chars();
    letters.next().filter(|letter| letter.is_ascii_uppercase() && letters.next().is_none())
}

/// A word, with what joins it to the one before and what follows it.
struct Token<'a> {
    gap: &'static str,
    whole: &'a str,
    word: &'a str,
    mark: &'a str,
    kind: Kind,
}

/// What a word means in a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Digit(u8),
    /// "oh": a zero between digits, and an exclamation elsewhere.
    Oh,
    /// Ten to nineteen.
    Teen(u8),
    /// Twenty, thirty, …
    Ten(u8),
    Hundred,
    Thousand,
    /// "double", "triple": the next digit that often.
    Times(usize),
    And,
    /// Digits already.
    Raw,
    Other,
}

fn kind(word: &str) -> Kind {
    let small = word.to_lowercase();
    let place =
        |list: &[&str]| list.iter().position(|one| *one == small).and_then(|at| u8::try_from(at).ok());
    if let Some(digit) = place(&UNITS) {
        return Kind::Digit(digit);
    }
    if let Some(over) = place(&TEENS) {
        return Kind::Teen(10 + over);
    }
    if let Some(over) = place(&TENS) {
        return Kind::Ten(20 + 10 * over);
    }
    match small.as_str() {
        "oh" | "o" => Kind::Oh,
        "hundred" => Kind::Hundred,
        "thousand" => Kind::Thousand,
        "double" => Kind::Times(2),
        "triple" => Kind::Times(3),
        "and" => Kind::And,
        raw if !raw.is_empty() && raw.bytes().all(|one| one.is_ascii_digit()) => Kind::Raw,
        _ => Kind::Other,
    }
}

/// The words of `text`; "forty-two" is two, joined by nothing.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    for chunk in text.split_whitespace() {
        let parts: Vec<&str> = chunk.split('-').collect();
        let numbers = parts.len() > 1 && parts.iter().all(|part| kind(bare(part).0) != Kind::Other);
        let parts = if numbers { parts } else { vec![chunk] };
        for (at, part) in parts.into_iter().enumerate() {
            let (word, mark) = bare(part);
            let gap = if at == 0 { " " } else { "-" };
            tokens.push(Token { gap, whole: part, word, mark, kind: kind(word) });
        }
    }
    tokens
}

/// A word without the marks behind it, and these.
fn bare(part: &str) -> (&str, &str) {
    part.split_at(part.trim_end_matches(['.', ',', '!', '?', ';', ':', '"', ')']).len())
}

/// The number words that stand together.
struct Run<'a> {
    words: &'a [Token<'a>],
}

/// Finds the number words from `at` on.
fn run<'a>(tokens: &'a [Token<'a>], at: usize) -> Run<'a> {
    let mut end = at;
    while let Some(token) = tokens.get(end) {
        let next = tokens.get(end + 1).map_or(Kind::Other, |next| next.kind);
        let before = end.checked_sub(1).filter(|before| *before >= at).map(|before| tokens[before].kind);
        let belongs = match token.kind {
            Kind::Digit(_) | Kind::Teen(_) | Kind::Ten(_) | Kind::Raw => true,
            Kind::Oh => before.is_some() || matches!(next, Kind::Digit(_) | Kind::Times(_)),
            Kind::Hundred | Kind::Thousand => before.is_some(),
            Kind::Times(_) => matches!(next, Kind::Digit(_) | Kind::Oh),
            Kind::And => {
                matches!(before, Some(Kind::Hundred | Kind::Thousand))
                    && matches!(next, Kind::Digit(_) | Kind::Teen(_) | Kind::Ten(_))
            }
            Kind::Other => false,
        };
        if !belongs {
            break;
        }
        end += 1;
        if token.mark.contains(['!', '?', ';', ':', '"', ')']) {
            break;
        }
    }
    // Somebody who dictates slowly makes a sentence of each digit; two sentences are not that.
    let words = &tokens[at..end];
    let stop = words.iter().position(|word| word.mark.contains('.')).filter(|_| words.len() < 4);
    Run { words: stop.map_or(words, |stop| &words[..=stop]) }
}

impl Run<'_> {
    /// Whether it is more than a word that happens to be a number.
    fn is_number(&self) -> bool {
        self.words.len() > 1 && self.words.iter().any(|word| word.kind != Kind::Raw)
    }

    /// An hour and its minutes, where the words around it say so.
    fn as_time(&self, tokens: &[Token<'_>], at: usize) -> Option<Zeroizing<String>> {
        let word = |at: usize| tokens.get(at).map(|token| token.word.to_lowercase());
        let before =
            at.checked_sub(1).and_then(word).is_some_and(|word| BEFORE_TIMES.contains(&word.as_str()));
        let after = word(at + self.words.len()).is_some_and(|word| AFTER_TIMES.contains(&word.as_str()));
        if !before && !after {
            return None;
        }
        let (hour, rest) = self.words.split_first()?;
        let hour = match hour.kind {
            Kind::Digit(hour @ 1..) | Kind::Teen(hour @ ..=12) => hour,
            _ => return None,
        };
        let minutes = match (rest.first()?.kind, rest.get(1).map(|word| word.kind), rest.len()) {
            (Kind::Ten(ten @ ..=50), Some(Kind::Digit(one @ 1..)), 2) => ten + one,
            (Kind::Ten(minutes @ ..=50) | Kind::Teen(minutes), None, 1) => minutes,
            (Kind::Oh, Some(Kind::Digit(minutes)), 2) => minutes,
            _ => return None,
        };
        Some(Zeroizing::new(format!("{hour}:{minutes:02}")))
    }

    /// The digits, with a space where the speaker paused.
    fn digits(&self) -> Zeroizing<String> {
        let mut out = Zeroizing::new(String::with_capacity(self.words.len() * 2));
        let mut at = 0;
        while at < self.words.len() {
            let (piece, taken) = self.piece(at);
            if !out.is_empty() && piece.starts_with(char::is_alphabetic) {
                out.push(' ');
            }
            out.push_str(&piece);
            at += taken;
            if at < self.words.len() && !self.words[at - 1].mark.is_empty() {
                out.push(' ');
            }
        }
        out
    }

    /// The number that begins at `at`, and how many words it takes.
    fn piece(&self, at: usize) -> (Zeroizing<String>, usize) {
        if let Some((value, taken)) = self.cardinal(at) {
            return (Zeroizing::new(value.to_string()), taken);
        }
        let next = self.words.get(at + 1).map(|word| word.kind);
        let joined = self.words[at].mark.is_empty();
        let (piece, taken) = match (self.words[at].kind, next) {
            (Kind::Ten(ten), Some(Kind::Digit(one @ 1..))) if joined => ((ten + one).to_string(), 2),
            (Kind::Times(times), Some(Kind::Digit(digit))) => (digit.to_string().repeat(times), 2),
            (Kind::Times(times), Some(Kind::Oh)) => ("0".repeat(times), 2),
            (Kind::Digit(value) | Kind::Teen(value) | Kind::Ten(value), _) => (value.to_string(), 1),
            (Kind::Oh, _) => ("0".to_owned(), 1),
            _ => (self.words[at].word.to_owned(), 1),
        };
        (Zeroizing::new(piece), taken)
    }

    /// A number with hundreds or thousands in it.
    fn cardinal(&self, at: usize) -> Option<(u32, usize)> {
        let kind = |at: usize| self.words.get(at).map(|word| word.kind);
        let (mut total, mut part, mut taken, mut large) = (0_u32, 0_u32, 0, false);
        // What may still be added to `part`: below a hundred after one, below ten after a ten, nothing after a digit.
        let mut room = 1_000_u32;
        while let Some(kind_here) = kind(at + taken) {
            let value = match kind_here {
                Kind::Digit(value @ 1..) | Kind::Teen(value) | Kind::Ten(value) => u32::from(value),
                Kind::Hundred if (1..100).contains(&part) => {
                    (part, room, large) = (part * 100, 100, true);
                    taken += 1;
                    continue;
                }
                Kind::Thousand if part > 0 && total == 0 => {
                    (total, part, room, large) = (part * 1_000, 0, 1_000, true);
                    taken += 1;
                    continue;
                }
                Kind::And if large => {
                    taken += 1;
                    continue;
                }
                _ => break,
            };
            if value >= room {
                break;
            }
            part += value;
            room = if matches!(kind_here, Kind::Ten(_)) { 10 } else { 1 };
            taken += 1;
        }
        large.then_some((total + part, taken))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spoken_numbers_are_written_in_digits() {
        let cases = [
            ("four one one one one one one one", "41111111"),
            ("My card is four one one one, two two two two.", "My card is 4111 2222."),
            ("Four. One. One. One.", "4 1 1 1."),
            ("double five triple one oh seven", "5511107"),
            ("it is oh seven nine three", "it is 0793"),
            ("O R D zero zero eight nine", "ORD0089"),
            ("order O-R-D zero zero eight nine please", "order ORD0089 please"),
            ("forty-two", "42"),
            ("born nineteen eighty four", "born 1984"),
            ("in twenty twenty six", "in 2026"),
            ("one hundred and five", "105"),
            ("two thousand twenty six", "2026"),
            ("three hundred twelve thousand four hundred five", "312405"),
            ("five hundred dollars", "500 dollars"),
            ("at two thirty", "at 2:30"),
            ("ten oh five p.m.", "10:05 p.m."),
            ("eleven fifteen tomorrow", "11:15 tomorrow"),
            ("number 41 11 two two", "number 411122"),
        ];
        for (said, written_) in cases {
            assert_eq!(*written(said), written_, "{said}");
        }
    }

    #[test]
    fn words_that_happen_to_be_numbers_stay() {
        let same = [
            "One moment, please.",
            "I have two. Four of them are late.",
            "Oh, I see.",
            "a hundred",
            "He and I, the one and only.",
            "double the order",
            "",
            "41 11",
            "I need a size O.",
        ];
        for text in same {
            assert_eq!(*written(text), text);
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in "(?s).{0,80}") {
            let _ = written(&text);
        }

        #[test]
        fn every_digit_that_was_said_is_there(digits in proptest::collection::vec(0..10_usize, 2..24)) {
            let said: Vec<_> = digits.iter().map(|digit| UNITS[*digit]).collect();
            let expected: String = digits.iter().map(ToString::to_string).collect();
            prop_assert_eq!(&*written(&said.join(" ")), &expected);
        }

        #[test]
        fn what_holds_no_number_stays(words in proptest::collection::vec("[b-hj-mp-z]{3,9}[.,]?", 0..12)) {
            let known = |word: &String| kind(bare(word).0) != Kind::Other;
            prop_assume!(!words.iter().any(known));
            let text = words.join(" ");
            prop_assert_eq!(&*written(&text), &text);
        }
    }
}
