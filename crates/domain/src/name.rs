//! Names of accounts: what is accepted, how it is kept, and how it is looked up.
//!
//! Called by identity when an account is made or somebody signs in, and by the store before it
//! makes the lookup key. The invariant: two spellings a person takes for the same name (case, width,
//! composed or decomposed accents, blanks around it) fold to the same text.

use unicode_normalization::UnicodeNormalization;

/// Longest name of an account, in characters after tidying.
pub const MAX_CHARS: usize = 64;
/// Longest raw text that is looked at, in bytes; a name of 64 characters needs at most a part of it.
const MAX_RAW_BYTES: usize = 1024;

/// Why a text cannot be the name of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameProblem {
    /// Nothing is left after trimming.
    #[error("Write a name.")]
    Empty,
    /// More than [`MAX_CHARS`] characters.
    #[error("Choose a name of at most 64 characters.")]
    TooLong,
    /// It holds control characters, line breaks or marks that turn the direction of writing.
    #[error("Choose a name without control characters or line breaks.")]
    Unprintable,
}

/// The name as it is kept and shown: trimmed, runs of blanks made one, Unicode NFKC.
///
/// # Errors
/// [`NameProblem`] when the text cannot be a name.
pub fn tidy(raw: &str) -> Result<String, NameProblem> {
    if raw.len() > MAX_RAW_BYTES {
        return Err(NameProblem::TooLong);
    }
    let normal: String = raw.trim().nfkc().collect();
    if normal.chars().any(|c| c.is_control() || is_invisible(c)) {
        return Err(NameProblem::Unprintable);
    }
    let name = normal.split_whitespace().collect::<Vec<_>>().join(" ");
    match name.chars().count() {
        0 => Err(NameProblem::Empty),
        1..=MAX_CHARS => Ok(name),
        _ => Err(NameProblem::TooLong),
    }
}

/// The form names are compared in: NFKC, case folded. Folding twice changes nothing.
///
/// Upper case first, because `ß` and `SS`, or the two small sigmas, meet only there.
#[must_use]
pub fn fold(name: &str) -> String {
    let normal: String = name.trim().nfkc().collect();
    normal.to_uppercase().to_lowercase().nfkc().collect::<String>().to_lowercase()
}

/// Characters one cannot see but that make two names look the same.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}'
        | '\u{FFF0}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings_of_one_name_fold_together() {
        for (one, other) in [
            ("Ada", "ada"),
            ("  Ada Lovelace ", "ada lovelace"),
            ("Ａｄａ", "ada"),
            ("Ame\u{301}lie", "amélie"),
            ("Straße", "STRASSE"),
            ("ΟΔΟΣ", "οδος"),
        ] {
            let (one, other) = (tidy(one).unwrap(), tidy(other).unwrap());
            assert_eq!(fold(&one), fold(&other), "{one} and {other}");
        }
        assert_ne!(fold("ada"), fold("adam"));
    }

    #[test]
    fn what_cannot_be_a_name_is_refused() {
        assert_eq!(tidy("   "), Err(NameProblem::Empty));
        assert_eq!(tidy(&"a".repeat(65)), Err(NameProblem::TooLong));
        assert_eq!(tidy(&"a".repeat(100_000)), Err(NameProblem::TooLong));
        assert_eq!(tidy("ada\u{202E}nimda"), Err(NameProblem::Unprintable));
        assert_eq!(tidy("ada\u{200B}"), Err(NameProblem::Unprintable));
        assert_eq!(tidy("a\0b"), Err(NameProblem::Unprintable));
        assert_eq!(tidy(&"é".repeat(64)).map(|n| n.chars().count()), Ok(64));
    }

    proptest! {
        #[test]
        fn tidying_and_folding_settle_after_one_round(raw in "\\PC{0,40}") {
            if let Ok(name) = tidy(&raw) {
                prop_assert_eq!(tidy(&name), Ok(name.clone()));
                prop_assert_eq!(fold(&fold(&name)), fold(&name));
            }
        }
    }
}
