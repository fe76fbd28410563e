//! What to say about a key nobody knows: its full name and the nearest known one.

use domain::enforced;

use crate::failure::{Exit, Failure};

/// The failure for an unknown section or key at the top.
pub(super) fn failure(strange: &str, known: &[&str]) -> Failure {
    enforced!(CFG01);
    Failure::new(Exit::Configuration, format!("The configuration has no section `{strange}`."))
        .then(suggest(strange, known, ""))
}

/// The failure for an unknown key in a section.
pub(super) fn failure_in(section: &str, strange: &str, known: &[&str]) -> Failure {
    enforced!(CFG01);
    Failure::new(Exit::Configuration, format!("The configuration has no key `{section}.{strange}`."))
        .then(suggest(strange, known, &format!("{section}.")))
}

/// Words a deserialiser's error in a section, which names unknown keys and wrong kinds in its own way.
pub(super) fn explain(section: &str, error: &toml::de::Error) -> Failure {
    let said = error.message();
    let shown = error.to_string();
    // A nested error is followed by a line "in `a.b`", naming where it happened.
    let inside = shown.lines().rev().find_map(|line| line.strip_prefix("in `")?.strip_suffix('`'));
    let place = inside.map_or_else(|| section.to_owned(), |inside| format!("{section}.{inside}"));
    let quoted: Vec<&str> = said.split('`').skip(1).step_by(2).collect();
    match quoted.split_first() {
        Some((strange, known)) if said.starts_with("unknown field") => {
            // The place of an unknown field ends in the field itself.
            let place = place.strip_suffix(&format!(".{strange}")).unwrap_or(&place);
            failure_in(place, strange, known)
        }
        Some((_, known)) if said.starts_with("unknown variant") => {
            Failure::new(Exit::Configuration, format!("`{place}` cannot be that."))
                .then(format!("It takes one of: {}.", known.join(", ")))
        }
        _ => Failure::new(Exit::Configuration, format!("`{place}` is not right: {}.", without_values(said)))
            .then("docs/configuration.md says what it takes."),
    }
}

/// `invalid type: string "abc", expected u32` without the value, which may be a secret in the wrong place.
fn without_values(said: &str) -> String {
    let (given, expected) = said.split_once(", expected").unwrap_or(("", said));
    let kind = given.split(['"', '`']).next().unwrap_or_default().trim_end();
    let expected = plain(expected.trim_start());
    match kind {
        "" => expected,
        kind => format!("{kind}, expected {expected}"),
    }
}

/// What was expected, in words instead of the names of types.
fn plain(expected: &str) -> String {
    match expected {
        "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a string" => "a text in quotes".to_owned(),
        other => other.to_owned(),
    }
}

fn suggest(strange: &str, known: &[&str], prefix: &str) -> String {
    let nearest = known.iter().map(|key| (distance(strange, key), key)).min();
    match nearest {
        Some((near, key)) if near <= (strange.chars().count() / 3).max(2) => {
            format!("Did you mean `{prefix}{key}`?")
        }
        _ if known.is_empty() => "Remove it.".to_owned(),
        _ => format!("Known are: {}.", known.join(", ")),
    }
}

/// How many letters must change, come or go between two words (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut before = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let changed = before + usize::from(a != *b);
            before = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(before + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_counted_in_letters() {
        assert_eq!(distance("idle", "idle"), 0);
        assert_eq!(distance("idel", "idle"), 2);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("streems", "streams"), 1);
    }

    #[test]
    fn values_are_not_repeated() {
        assert_eq!(
            without_values("invalid type: string \"hunter2\", expected u32"),
            "invalid type: string, expected a whole number, 0 or more"
        );
    }
}
