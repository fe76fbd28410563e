//! `.env` files: lines of `NAME=value`. Only names that begin with `TROTH_` are ours; others are left alone.

use std::{io, path::Path};

use crate::failure::{Exit, Failure, disk};

/// Reads the file at `path`; an absent one is empty.
///
/// # Errors
/// [`Exit::Configuration`] naming the line, never its value.
pub(super) fn read(path: &Path) -> Result<Vec<(String, String)>, Failure> {
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&text).map_err(|line| {
            Failure::new(
                Exit::Configuration,
                format!("Line {line} of {} is not `NAME=value`.", path.display()),
            )
            .then("Correct or remove that line.")
        }),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(Vec::new())
        }
        Err(error) => Err(disk("read", path, &error).exiting(Exit::Configuration)),
    }
}

/// The variables of a text, or the number of the first line that is none.
fn parse(text: &str) -> Result<Vec<(String, String)>, usize> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line.split_once('=').ok_or(number + 1)?;
        let value = unquote(value.trim()).ok_or(number + 1)?;
        if name.trim().starts_with("TROTH_") {
            found.push((name.trim().to_owned(), value));
        }
    }
    Ok(found)
}

/// `'as it stands'`, `"with \n, \t, \" and \\"`, or bare up to ` #`.
fn unquote(value: &str) -> Option<String> {
    if let Some(rest) = value.strip_prefix('\'') {
        return rest.strip_suffix('\'').map(str::to_owned);
    }
    let Some(rest) = value.strip_prefix('"') else {
        let bare = value.split_once(" #").map_or(value, |(bare, _)| bare);
        return Some(bare.trim_end().to_owned());
    };
    let mut out = String::new();
    let mut letters = rest.strip_suffix('"')?.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => out.push(match letters.next()? {
                'n' => '\n',
                't' => '\t',
                same @ ('"' | '\\') => same,
                _ => return None,
            }),
            '"' => return None,
            other => out.push(other),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_forms_are_read() {
        let text = "# a comment\n\nexport TROTH_A=1\nTROTH_B = bare words # note\nTROTH_C='$as \"is\"'\n\
                    TROTH_D=\"two\\nlines \\\"q\\\"\"\nOTHER=left alone\nTROTH_E=\n";
        let pairs = parse(text).unwrap();
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(
            pairs,
            [
                ("TROTH_A", "1"),
                ("TROTH_B", "bare words"),
                ("TROTH_C", "$as \"is\""),
                ("TROTH_D", "two\nlines \"q\""),
                ("TROTH_E", ""),
            ]
        );
    }

    #[test]
    fn a_line_that_is_none_is_named_by_its_number() {
        assert_eq!(parse("TROTH_A=1\nwhat"), Err(2));
        assert_eq!(parse("TROTH_A=\"open"), Err(1));
        assert_eq!(parse("TROTH_A='open"), Err(1));
    }
}
