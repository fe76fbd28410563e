//! Words that decide whose turn it is: assent, and what leaves a sentence open.
//!
//! English, as recognition is. Lists of words are crude; they are here for what the melody of speech does
//! not tell: a caller who says "um" has not finished, and one who says "right" does not interrupt.

/// Says "go on", not "stop": heard over the agent's voice it interrupts nobody.
const ASSENT: [&str; 28] = [
    "ah", "aha", "alright", "cool", "exactly", "gotcha", "great", "hm", "hmm", "huh", "mhm", "mm", "mm-hmm",
    "mmm", "oh", "ok", "okay", "perfect", "right", "sure", "uh", "uh-huh", "um", "wow", "yeah", "yep", "yes",
    "yup",
];
/// The same in more than one word.
const ASSENTS: [&str; 8] =
    ["all right", "got it", "i know", "i see", "mm hmm", "of course", "sounds good", "uh huh"];
/// Who says these is thinking.
const HESITATION: [&str; 8] = ["ah", "er", "erm", "hm", "hmm", "mm", "uh", "um"];
/// After these nobody has finished.
const OPEN: [&str; 14] =
    ["a", "an", "and", "because", "but", "i'd", "i'm", "my", "or", "our", "than", "the", "with", "your"];
/// After these few have, unless recognition heard a sentence end.
const PERHAPS_OPEN: [&str; 22] = [
    "about", "are", "at", "can", "could", "for", "from", "i", "if", "in", "is", "like", "of", "on", "so",
    "that's", "then", "this", "to", "want", "was", "when",
];
/// What recognition makes of a breath or a knock.
const PHANTOMS: [&str; 3] = ["you", "thank you", "bye"];
/// Less speech than this may be a phantom, in milliseconds.
const PHANTOM_MS: u32 = 320;

/// Whether `words` say "go on" and nothing else.
#[must_use]
pub fn is_assent(words: &str) -> bool {
    let words = plain(words);
    let mut rest: Vec<&str> = words.split(' ').filter(|word| !word.is_empty()).collect();
    if rest.is_empty() {
        return false;
    }
    while let Some((last, before)) = rest.split_last() {
        let pair = before.last().map(|first| format!("{first} {last}"));
        let taken = match pair {
            Some(pair) if ASSENTS.contains(&pair.as_str()) => 2,
            _ if ASSENT.contains(last) => 1,
            _ => return false,
        };
        rest.truncate(rest.len() - taken);
    }
    true
}

/// Whether `words`, of somebody who still speaks, may become assent and nothing else: "I" may become "I see".
pub(super) fn may_become_assent(words: &str) -> bool {
    let words = plain(words);
    let (before, last) = words.rsplit_once(' ').unwrap_or(("", &words));
    let begun = ASSENTS.iter().filter_map(|pair| pair.split_once(' ')).any(|(first, _)| first == last);
    is_assent(&words) || (begun && (before.is_empty() || is_assent(before)))
}

/// Whether the last of `words` leaves the sentence open. A lone one does not: "so" may be a whole turn.
#[must_use]
pub fn is_unfinished(words: &str) -> bool {
    let written = words.trim_end();
    // Recognition that hears a trailing off writes it down.
    if written.ends_with(['-', ',', '…']) || written.ends_with("...") {
        return true;
    }
    let ended = written.ends_with(['.', '!', '?']);
    let words = plain(words);
    let last = words.rsplit(' ').next().unwrap_or_default();
    let open = OPEN.contains(&last) || (PERHAPS_OPEN.contains(&last) && !ended);
    HESITATION.contains(&last) || (open && words.contains(' '))
}

/// Whether there are no words, or none that so little speech could be.
#[must_use]
pub fn is_nothing(words: &str, voiced_ms: u32) -> bool {
    let words = plain(words);
    words.is_empty() || (voiced_ms < PHANTOM_MS && PHANTOMS.contains(&words.as_str()))
}

/// The words as they are compared: small letters and single spaces.
fn plain(words: &str) -> String {
    let letters =
        words.chars().map(|one| if one.is_alphanumeric() || one == '\'' || one == '-' { one } else { ' ' });
    let letters: String = letters.flat_map(char::to_lowercase).collect();
    letters.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assent_is_assent_alone() {
        for words in ["Mm-hmm.", "mm hmm", "Yeah, okay.", "Right, right.", "I see. Got it!", "Uh-huh", "OK"] {
            assert!(is_assent(words), "{words}");
        }
        for words in ["", "no", "Stop.", "yeah but", "okay, wait", "right now", "I see it", "?"] {
            assert!(!is_assent(words), "{words}");
        }
    }

    #[test]
    fn half_of_an_assent_may_become_one() {
        for words in ["I", "Yeah, I", "Uh", "mm", "got", "okay"] {
            assert!(may_become_assent(words), "{words}");
        }
        for words in ["", "I want", "no I", "wait", "see"] {
            assert!(!may_become_assent(words), "{words}");
        }
    }

    #[test]
    fn what_trails_off_is_unfinished() {
        for words in
            ["I want to, um", "Um...", "it is the", "my order number is", "for Tuesday and.", "well,"]
        {
            assert!(is_unfinished(words), "{words}");
        }
        for words in
            ["", "So.", "Where is my order?", "Tuesday the fourth", "that is it", "I know where it is."]
        {
            assert!(!is_unfinished(words), "{words}");
        }
    }

    #[test]
    fn phantoms_are_nothing_when_little_was_said() {
        assert!(is_nothing(" .", 5_000) && is_nothing("You.", 160));
        assert!(!is_nothing("You.", 640) && !is_nothing("No.", 160));
    }
}
