//! `.env` files: lines of `NAME=value`. Only names that begin with `TROTH_` are ours; others are left alone.

use std::{
    fs::{File, Metadata},
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::Path,
};

use super::overlay;
use crate::{
    failure::{Exit, Failure, disk},
    outside,
};

/// Names a program to be run. A file that lies about in a folder must not choose it.
const PROGRAM: &str = "models.sources.package_client";

/// Whose file it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// Anybody's: it lies where only our account can write.
    Any,
    /// That of this account alone, and nobody else may write to it.
    Us,
}

/// Reads the file at `path`; an absent one is empty.
///
/// # Errors
/// [`Exit::Configuration`] naming the line, never its value, or why the file is not to be trusted.
pub(super) fn read(path: &Path, owner: Owner) -> Result<Vec<(String, String)>, Failure> {
    let failed = |error: &io::Error| disk("read", path, error).exiting(Exit::Configuration);
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(failed(&error)),
    };
    // Of the open file, so that no other can take its place between the look and the reading.
    let about = file.metadata().map_err(|error| failed(&error))?;
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(|error| failed(&error))?;
    let found = parse(&text).map_err(|line| {
        let what = format!("Line {line} of {} is not `NAME=value`.", path.display());
        Failure::new(Exit::Configuration, what).then("Correct or remove that line.")
    })?;
    // A folder people work in may hold the `.env` of something else: it is left alone if nothing is ours.
    if owner == Owner::Us && !found.is_empty() && !is_ours_alone(&about, outside::own_uid()) {
        let what =
            format!("{} can be written by another account, so its settings are not taken.", path.display());
        let then = "Make it your own and close it with `chmod 600`, or start Troth from another folder.";
        return Err(Failure::new(Exit::Configuration, what).then(then));
    }
    if let Some((name, _)) = found.iter().find(|(name, _)| overlay::path(name).join(".") == PROGRAM) {
        let what = format!("{name} names a program to run, which is not taken from {}.", path.display());
        let then = format!("Set `{PROGRAM}` in troth.toml, or the variable in the environment.");
        return Err(Failure::new(Exit::Configuration, what).then(then));
    }
    Ok(found)
}

/// Whether nobody but the account `us` can have written a file. Unknown accounts are strangers.
fn is_ours_alone(about: &Metadata, us: Option<u32>) -> bool {
    us == Some(about.uid()) && about.mode() & 0o022 == 0
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
    fn a_file_is_ours_alone_when_no_other_account_can_have_written_it() {
        use std::os::unix::fs::PermissionsExt;
        let file = tempfile::NamedTempFile::new().unwrap();
        let about = |mode| {
            file.as_file().set_permissions(std::fs::Permissions::from_mode(mode)).unwrap();
            file.as_file().metadata().unwrap()
        };
        let us = outside::own_uid();
        assert!(us.is_some(), "we know who we are");
        assert!(is_ours_alone(&about(0o600), us) && is_ours_alone(&about(0o644), us));
        assert!(!is_ours_alone(&about(0o620), us) && !is_ours_alone(&about(0o602), us));
        assert!(!is_ours_alone(&about(0o600), us.map(|us| us + 1)));
        assert!(!is_ours_alone(&about(0o600), None));
    }

    #[test]
    fn a_line_that_is_none_is_named_by_its_number() {
        assert_eq!(parse("TROTH_A=1\nwhat"), Err(2));
        assert_eq!(parse("TROTH_A=\"open"), Err(1));
        assert_eq!(parse("TROTH_A='open"), Err(1));
    }
}
