//! From words as they come to pieces that can be spoken: sentences, and of the first one its first clause, so
//! that a voice begins early. Invariant: the pieces in their order are the text, nothing lost or added.

use zeroize::Zeroizing;

/// Longest piece in bytes; a sentence beyond it is cut at a comma or a space.
const LONGEST: usize = 300;
/// A first clause has at least so many bytes: a shorter one sounds torn off.
const SHORTEST_FIRST: usize = 14;
/// What ends in a point and is no end of a sentence.
const SHORT: [&str; 10] = ["mr", "mrs", "ms", "dr", "prof", "st", "no", "vs", "e.g", "i.e"];

/// Cuts one reply.
#[derive(Default)]
pub(super) struct Clauses {
    waiting: Zeroizing<String>,
    begun: bool,
}

impl Clauses {
    /// Takes more text and gives the pieces that are whole now.
    pub(super) fn push(&mut self, text: &str) -> Vec<Zeroizing<String>> {
        let mut joined = Zeroizing::new(String::with_capacity(self.waiting.len() + text.len()));
        joined.push_str(&self.waiting);
        joined.push_str(text);
        self.waiting = joined;
        let mut pieces = Vec::new();
        while let Some(end) = self.end() {
            let rest = Zeroizing::new(self.waiting[end..].to_owned());
            self.waiting.truncate(end);
            pieces.push(std::mem::replace(&mut self.waiting, rest));
            self.begun = true;
        }
        pieces
    }

    /// The last piece, when there is one.
    pub(super) fn finish(&mut self) -> Option<Zeroizing<String>> {
        let last = std::mem::take(&mut self.waiting);
        (!last.trim().is_empty()).then_some(last)
    }

    /// Where the first piece ends, the space behind it included, if that is known.
    fn end(&self) -> Option<usize> {
        let text = self.waiting.as_str();
        let mut softest = None;
        for (at, mark) in text.char_indices() {
            let after = at + mark.len_utf8();
            let followed = text[after..].chars().next();
            let space = followed.is_some_and(char::is_whitespace);
            // More marks, or a quotation's end, may follow the one that ends a sentence.
            let ends = match mark {
                '\n' => true,
                '.' => space && !is_short(&text[..at]),
                '!' | '?' | '…' => space,
                _ => false,
            };
            let pauses = matches!(mark, ',' | ';' | ':' | '—' | '–') && space;
            let spoken = text[..at].chars().any(char::is_alphanumeric);
            if spoken && (ends || (pauses && !self.begun && at >= SHORTEST_FIRST)) {
                return Some(behind_space(text, after));
            }
            if spoken && (pauses || mark.is_whitespace()) && at <= LONGEST {
                softest = Some(behind_space(text, after));
            }
            if at > LONGEST {
                return Some(softest.unwrap_or(after));
            }
        }
        None
    }
}

/// Whether what stands before a point is an abbreviation, or a number of a list.
fn is_short(before: &str) -> bool {
    let word = before.rsplit(char::is_whitespace).next().unwrap_or_default().to_lowercase();
    SHORT.contains(&word.as_str())
        || (word.len() == 1 && word.starts_with(char::is_alphabetic) && word != "i")
}

fn behind_space(text: &str, at: usize) -> usize {
    let rest = &text[at..];
    at + (rest.len() - rest.trim_start().len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(text: &str) -> Vec<String> {
        let mut clauses = Clauses::default();
        let mut pieces: Vec<_> = text
            .split_inclusive(' ')
            .flat_map(|word| clauses.push(word))
            .map(|piece| piece.to_string())
            .collect();
        pieces.extend(clauses.finish().map(|piece| piece.to_string()));
        pieces
    }

    #[test]
    fn the_first_clause_comes_early_and_then_whole_sentences() {
        let cases: [(&str, &[&str]); 6] = [
            (
                "Your order has shipped, and it arrives on Tuesday. It is two boxes, both small. Bye!",
                &[
                    "Your order has shipped, ",
                    "and it arrives on Tuesday. ",
                    "It is two boxes, both small. ",
                    "Bye!",
                ],
            ),
            ("Yes, it is here.", &["Yes, it is here."]),
            ("Dr. Smith is in at 9.30. Come by.", &["Dr. Smith is in at 9.30. ", "Come by."]),
            ("One\nTwo\n", &["One\n", "Two\n"]),
            ("   ", &[]),
            ("", &[]),
        ];
        for (text, pieces) in cases {
            assert_eq!(cut(text), pieces, "{text}");
        }
    }

    #[test]
    fn endless_words_are_cut() {
        let pieces = cut(&"word ".repeat(200));
        assert!(pieces.len() > 2 && pieces.iter().all(|piece| piece.len() <= LONGEST + 5));
        let mut clauses = Clauses::default();
        assert!(clauses.push(&"ü".repeat(1_000)).len() > 2);
    }

    proptest! {
        #[test]
        fn nothing_is_lost(text in "[a-zü0-9.,!? \n—]{0,900}", at in 0..900_usize) {
            let mut at = at.min(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            let mut clauses = Clauses::default();
            let mut all: String = clauses.push(&text[..at]).iter().map(|piece| piece.as_str()).collect();
            all.extend(clauses.push(&text[at..]).iter().map(|piece| piece.as_str()));
            all.extend(clauses.finish().iter().map(|piece| piece.as_str()));
            prop_assert_eq!(all.trim_end(), text.trim_end());
        }
    }
}
