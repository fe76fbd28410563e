//! The password profiles: pure rules, no hashing.
//!
//! Called by identity before a password is hashed, and by the page that gives advice while one
//! types. The invariant: a password without problems here has at least the characters its [`Rules`] ask
//! for, the classes if they ask for them, and is neither common nor a form of the account's name. Why
//! these rules, and where each profile departs from what: docs/decisions/0007-passwords.md.

mod blocklist;

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use crate::control::Numbers;

/// Longest password, in bytes of UTF-8 as typed. Nothing is ever cut off.
pub const MAX_BYTES: usize = 256;
/// Fewest different characters; below it a password is a pattern.
const MIN_DIFFERENT: usize = 6;
/// Shortest name that is looked for inside a password; shorter ones occur by chance.
const MIN_NAME_CHARS: usize = 3;

/// Which rules passwords follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
pub enum Profile {
    /// What the published policies promise: twelve characters of four classes, changed every 90 days.
    #[default]
    #[serde(rename = "classic")]
    Classic,
    /// NIST SP 800-63B-4: longer when alone, no classes, changed only when compromised.
    #[serde(rename = "nist-800-63b-4")]
    Nist,
}

impl Profile {
    /// The profile as the configuration spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Nist => "nist-800-63b-4",
        }
    }

    /// The numbers this profile sets in place of the policy's own. What is weaker than a clause shows as a
    /// deviation, like every other number.
    #[must_use]
    pub const fn numbers(self) -> &'static [(&'static str, u32)] {
        match self {
            Self::Classic => &[],
            Self::Nist => &[
                ("password_min_chars", 15),
                ("password_min_chars_with_factor", 8),
                ("password_classes", 0),
                ("password_max_days", 0),
            ],
        }
    }
}

/// The rules a password is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Fewest characters.
    pub min_chars: u32,
    /// Whether all four classes of characters must be in it.
    pub classes: bool,
}

impl Rules {
    /// The rules for a password that opens an account alone, or beside a second factor.
    #[must_use]
    pub const fn of(numbers: &Numbers, second_factor: bool) -> Self {
        let alone = numbers.password_min_chars;
        let beside = numbers.password_min_chars_with_factor;
        Self { min_chars: if second_factor { beside } else { alone }, classes: numbers.password_classes > 0 }
    }
}

/// One thing to change about a password. Its words go to the person as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Fewer than `min` characters.
    #[error("Make it at least {min} characters long; a few unrelated words are easy to remember.")]
    TooShort {
        /// [`Rules::min_chars`].
        min: u32,
    },
    /// More than [`MAX_BYTES`] bytes.
    #[error("Make it shorter: at most 256 bytes, which is 256 plain letters.")]
    TooLong,
    /// No capital letter.
    #[error("Add a capital letter.")]
    NoUpper,
    /// No small letter.
    #[error("Add a small letter.")]
    NoLower,
    /// No digit.
    #[error("Add a digit.")]
    NoDigit,
    /// Only letters and digits.
    #[error("Add a character that is neither letter nor digit; a blank counts.")]
    NoSpecial,
    /// A control character, such as a line break that came along with a paste.
    #[error("Leave out tabs and line breaks; they cannot be typed on the sign-in page.")]
    Unprintable,
    /// It holds the account's name.
    #[error("Do not use your name in it.")]
    ContainsName,
    /// It is made of words that guessers try first.
    #[error("Choose something less usual: this is among the first passwords a guesser tries.")]
    Common,
    /// It was the account's password before. Not found here: identity compares the verifiers.
    #[error("Choose one you have not used here before.")]
    Reused,
    /// It repeats a few characters.
    #[error("Use more different characters.")]
    Repetitive,
}

/// The password as it is counted, compared and hashed: Unicode NFKC, so that every keyboard's way
/// of writing the same characters opens the same account (NIST SP 800-63B-4, 3.1.1.2).
#[must_use]
pub fn normalise(password: &str) -> Zeroizing<String> {
    // NFKC can make a text eighteen times longer; room for all of it keeps one copy, which is wiped.
    let mut normal = Zeroizing::new(String::with_capacity(password.len().saturating_mul(18)));
    normal.extend(password.nfkc());
    normal
}

/// What is wrong with `password` for the account called `name`, in the order a person would fix it.
/// Empty when it is acceptable.
#[must_use]
pub fn problems(password: &str, name: &str, rules: Rules) -> Vec<Problem> {
    // Looked at first: nothing else is done with a text of unbounded length.
    if password.len() > MAX_BYTES {
        return vec![Problem::TooLong];
    }
    let password = normalise(password);
    let has = |test: fn(char) -> bool| password.chars().any(test);
    let mut found = Vec::new();
    let mut note = |wrong: bool, problem: Problem| {
        if wrong {
            found.push(problem);
        }
    };
    let Rules { min_chars: min, classes } = rules;
    note(password.chars().count() < min as usize, Problem::TooShort { min });
    note(classes && !has(char::is_uppercase), Problem::NoUpper);
    note(classes && !has(char::is_lowercase), Problem::NoLower);
    note(classes && !has(char::is_numeric), Problem::NoDigit);
    note(classes && !has(|c| !c.is_alphanumeric() && !c.is_control()), Problem::NoSpecial);
    note(has(char::is_control), Problem::Unprintable);
    note(contains_name(&password, name), Problem::ContainsName);
    note(blocklist::is_common(&password), Problem::Common);
    note(different(&password) < MIN_DIFFERENT, Problem::Repetitive);
    found
}

fn contains_name(password: &str, name: &str) -> bool {
    let name = crate::name::fold(name);
    let password = Zeroizing::new(crate::name::fold(password));
    let long_enough = |part: &str| part.chars().count() >= MIN_NAME_CHARS;
    // The whole name, the part before the @ of an address, and each of its words.
    std::iter::once(name.as_str())
        .chain(name.split(|c: char| c.is_whitespace() || c == '@'))
        .any(|part| long_enough(part) && password.contains(part))
}

fn different(password: &str) -> usize {
    let mut seen = Zeroizing::new(password.to_lowercase().chars().collect::<Vec<_>>());
    seen.sort_unstable();
    seen.dedup();
    seen.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CLASSIC: Rules = Rules { min_chars: 12, classes: true };

    fn of(password: &str) -> Vec<Problem> {
        problems(password, "Ada Lovelace", CLASSIC)
    }

    #[test]
    fn nist_wants_length_alone_and_less_of_it_beside_a_factor() {
        let numbers = Numbers::from_overrides(Profile::Nist.numbers().iter().copied()).unwrap();
        let (alone, beside) = (Rules::of(&numbers, false), Rules::of(&numbers, true));
        assert_eq!(problems("quiet harbour", "", alone), [Problem::TooShort { min: 15 }]);
        assert_eq!(problems("quiet harbour", "", beside), []);
        assert_eq!(problems("quietha", "", beside), [Problem::TooShort { min: 8 }]);
        assert_eq!(problems("quiet harbour lantern", "", alone), []);
        // The blocklist and the long passwords are common to both.
        assert_eq!(problems("passwordpassword", "", beside), [Problem::Common]);
        assert_eq!(problems(&"quiet harbour lantern ".repeat(4), "", alone), []);
        let names: Vec<_> = numbers.deviations().iter().map(|one| one.number.name).collect();
        assert_eq!(names, ["password_classes", "password_max_days", "password_min_chars_with_factor"]);
        assert_eq!(Rules::of(&Numbers::default(), false), CLASSIC);
        assert_eq!(Rules::of(&Numbers::default(), true), CLASSIC);
    }

    #[test]
    fn a_good_password_has_no_problems() {
        for good in ["Quiet-Harbour-47", "correct Horse 9 battery", "Zwölf Boxkämpfer 12!", "xK9#mPq2$vLw8"]
        {
            assert_eq!(of(good), [], "{good}");
        }
    }

    #[test]
    fn each_rule_names_what_is_missing() {
        assert_eq!(of("Quiet-Hbr-4"), [Problem::TooShort { min: 12 }]);
        assert_eq!(of("quiet-harbour-47"), [Problem::NoUpper]);
        assert_eq!(of("QUIET-HARBOUR-47"), [Problem::NoLower]);
        assert_eq!(of("Quiet-Harbour-xy"), [Problem::NoDigit]);
        assert_eq!(of("QuietHarbour47xy"), [Problem::NoSpecial]);
        assert_eq!(of("Quiet-Harbour\n47"), [Problem::Unprintable]);
        assert_eq!(of("Quiet-Lovelace-47"), [Problem::ContainsName]);
        assert_eq!(of("P@ssw0rd!P@ssw0rd1"), [Problem::Common]);
        assert_eq!(of("Aa1!Aa1!Aa1!Aa1!"), [Problem::Repetitive]);
    }

    #[test]
    fn the_bound_is_on_bytes_and_nothing_is_cut() {
        let longest = format!("Aa1!{}", "bcdefghi".repeat(31)) + "jklm";
        assert_eq!(longest.len(), MAX_BYTES);
        assert_eq!(of(&longest), []);
        assert_eq!(of(&(longest + "x")), [Problem::TooLong]);
        assert_eq!(of(&"é".repeat(129)), [Problem::TooLong]);
    }

    #[test]
    fn the_shortest_length_is_the_policys_number() {
        let numbers = Numbers { password_min_chars: 15, ..Numbers::default() };
        assert_eq!(
            problems("Quiet-Harb-47", "", Rules::of(&numbers, false)),
            [Problem::TooShort { min: 15 }]
        );
    }

    #[test]
    fn a_name_is_found_however_it_is_written_and_short_ones_are_not_looked_for() {
        let with = |name: &str, password: &str| problems(password, name, CLASSIC);
        assert_eq!(with("ada@harbour.example", "Quiet-ADA-9-boats"), [Problem::ContainsName]);
        assert_eq!(with("ＡＤＡ", "Quiet-ada-9-boats"), [Problem::ContainsName]);
        assert_eq!(with("Al", "Quiet-Also-9-boats"), []);
    }

    #[test]
    fn every_way_of_typing_the_same_characters_is_one_password() {
        assert_eq!(*normalise("Ame\u{301}lie"), *normalise("Am\u{e9}lie"));
        assert_eq!(*normalise("ｐａｓｓ１"), "pass1");
    }

    proptest! {
        #[test]
        fn a_password_without_problems_keeps_every_rule(password in "[ -~äßЖ山]{0,40}") {
            if of(&password).is_empty() {
                prop_assert!(password.chars().count() >= 12);
                prop_assert!(password.chars().any(char::is_uppercase));
                prop_assert!(password.chars().any(char::is_lowercase));
                prop_assert!(password.chars().any(char::is_numeric));
                prop_assert!(password.chars().any(|c| !c.is_alphanumeric()));
            }
        }

        #[test]
        fn no_text_makes_the_rules_stumble(password in "\\PC{0,80}", name in "\\PC{0,20}") {
            let _ = problems(&password, &name, CLASSIC);
        }
    }
}
