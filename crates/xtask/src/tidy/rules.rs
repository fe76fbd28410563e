//! The rules of `tidy`, one function each, with the violations each must catch.

use std::collections::BTreeMap;

use crate::workspace::File;

/// Lines a file aims at.
pub(super) const AIM: usize = 300;
/// Lines no file exceeds.
const LIMIT: usize = 600;
/// The commands of the documentation that a test runs; see `crates/server/tests/docs.rs`.
pub(super) const COMMANDS: &str = "docs/commands.txt";
/// How made files begin; their length is nobody's choice.
const MADE: &str = "Made by `cargo xtask";

/// Everything `file` breaks.
pub(super) fn broken_by(file: &File) -> Vec<String> {
    let mut problems = Vec::new();
    let lines = file.text.lines().count();
    if file.path.ends_with(".rs") {
        if lines > LIMIT && !is_made(file) {
            problems.push(format!("{}: {lines} lines; {LIMIT} are the limit", file.path));
        }
        if !file.text.starts_with("//!") {
            problems.push(format!("{}: begins without //!", file.path));
        }
    }
    let in_rust = file.path.ends_with(".rs") && !file.path.starts_with("crates/xtask/src/tidy");
    for (index, line) in file.text.lines().enumerate() {
        let mut broken = |what: &str| problems.push(format!("{}:{}: {what}", file.path, index + 1));
        if in_rust && let Some(mark) = unfinished(line) {
            broken(&format!("{mark} marks what is not finished"));
        }
        if file.path != "Cargo.lock" && !file.path.starts_with("crates/xtask/src/tidy") {
            if let Some(path) = machine_path(line) {
                broken(&format!("{path} is a path of one machine"));
            }
            if let Some(kind) = secret(line) {
                broken(&format!("looks like {kind}; secrets stay out of the tree (SUP02)"));
            }
        }
        if line.ends_with([' ', '\t']) && !file.path.ends_with(".snap") && !file.path.ends_with(".md") {
            broken("blanks at the end of the line");
        }
    }
    problems
}

/// Whether a source file is longer than it aims to be.
pub(super) fn is_long(file: &File) -> bool {
    file.path.ends_with(".rs") && file.text.lines().count() > AIM && !is_made(file)
}

fn is_made(file: &File) -> bool {
    file.text.lines().next().is_some_and(|first| first.contains(MADE))
}

/// A mark of unfinished work.
fn unfinished(line: &str) -> Option<&'static str> {
    ["todo!(", "unimplemented!(", "#[ignore]", "FIXME", "TODO"].into_iter().find(|mark| line.contains(mark))
}

/// A path that exists on the machine of whoever wrote it. A part of a longer path is none.
fn machine_path(line: &str) -> Option<&'static str> {
    let begins = |at: usize| !line[..at].ends_with(|before: char| before.is_alphanumeric() || before == '.');
    ["/work/", "/home/runner", "/Users/", "C:\\Users"]
        .into_iter()
        .find(|path| line.match_indices(path).any(|(at, _)| begins(at)))
}

/// What kind of secret a line seems to hold. Prefixes that exist so that scanners find them.
fn secret(line: &str) -> Option<&'static str> {
    let kinds: [(&str, usize, &'static str); 9] = [
        ("-----BEGIN PRIVATE KEY-----", 0, "a private key"),
        ("-----BEGIN RSA PRIVATE KEY-----", 0, "a private key"),
        ("-----BEGIN EC PRIVATE KEY-----", 0, "a private key"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", 0, "a private key"),
        ("AKIA", 16, "an AWS access key"),
        ("ghp_", 36, "a GitHub token"),
        ("sk-proj-", 40, "an OpenAI key"),
        ("xoxb-", 24, "a Slack token"),
        ("troth_", 43, "a Troth API key"),
    ];
    let is_long_enough = |rest: &str, least: usize| {
        rest.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).count() >= least
    };
    kinds.into_iter().find_map(|(prefix, least, kind)| {
        let found =
            line.match_indices(prefix).any(|(at, _)| is_long_enough(&line[at + prefix.len()..], least));
        found.then_some(kind)
    })
}

/// The exceptions of the tree, by kind.
pub(crate) fn exceptions(files: &[File]) -> BTreeMap<String, usize> {
    let kinds: [(&str, &str); 4] = [
        ("#[allow(", "crates/"),
        ("#![allow(", "crates/"),
        ("#[ignore = ", "crates/"),
        ("commit_unaudited(\"", "/src/"),
    ];
    let count = |kind: &str, within: &str| {
        let ours = |f: &&File| {
            f.path.ends_with(".rs") && f.path.contains(within) && !f.path.contains("xtask/src/tidy")
        };
        files.iter().filter(ours).map(|file| file.text.matches(kind).count()).sum()
    };
    kinds.into_iter().map(|(kind, within)| (kind.to_owned(), count(kind, within))).collect()
}

/// Whether people read this file to learn what to type.
pub(super) fn is_documentation(path: &str) -> bool {
    path.ends_with(".md") && !path.starts_with("policy/")
}

/// The commands in the ```sh blocks of a document, with their lines. A line ending in `\` goes on.
pub(super) fn commands(text: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let (mut in_block, mut goes_on) = (false, false);
    for (index, line) in text.lines().enumerate() {
        let bare = line.trim();
        if bare.starts_with("```") {
            in_block = bare == "```sh";
            continue;
        }
        let command = bare.split(" # ").next().unwrap_or_default().trim();
        if !in_block || command.is_empty() || command.starts_with('#') {
            continue;
        }
        let (part, more) =
            command.strip_suffix('\\').map_or((command, false), |part| (part.trim_end(), true));
        match found.last_mut() {
            Some((_, last)) if goes_on => *last = format!("{last} {part}"),
            _ => found.push((index + 1, part.to_owned())),
        }
        goes_on = more;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(path: &str, text: &str) -> String {
        broken_by(&File { path: path.to_owned(), text: text.to_owned() }).join("\n")
    }

    #[test]
    fn a_good_file_breaks_nothing() {
        assert_eq!(broken("crates/a/src/lib.rs", "//! What it is for.\n\nfn f() {}\n"), "");
    }

    #[test]
    fn long_files_and_files_without_a_word_are_named() {
        let long = format!("//! Long.\n{}", "fn f() {}\n".repeat(600));
        assert!(broken("a.rs", &long).contains("601 lines"));
        assert_eq!(broken("a.rs", &long.replace("Long.", "Made by `cargo xtask trace`")), "");
        assert!(broken("a.rs", "fn f() {}\n").contains("begins without //!"));
    }

    #[test]
    fn unfinished_work_is_named_with_its_line() {
        assert_eq!(broken("a.rs", "//! A.\ntodo!()\n"), "a.rs:2: todo!( marks what is not finished");
        assert!(broken("a.rs", "//! A.\n#[ignore]\n").contains("#[ignore]"));
    }

    #[test]
    fn machine_paths_and_secrets_are_named_in_every_file() {
        assert!(broken("notes.md", "see /work/x").contains("path of one machine"));
        assert_eq!(broken("a.md", "GET /models/work/x"), "");
        assert!(broken("a.toml", "key = \"AKIAABCDEFGHIJKLMNOP\"").contains("AWS access key"));
        assert!(broken("a.pem", "-----BEGIN PRIVATE KEY-----").contains("private key"));
        assert_eq!(broken("a.md", "Keys begin with troth_ and are shown once."), "");
    }

    #[test]
    fn exceptions_are_counted_by_kind() {
        let text = "//! A.\n#[ignore = \"x\"]\n#[allow(y)]\n#[allow(z)]\n".to_owned();
        let counts = exceptions(&[File { path: "crates/a/src/lib.rs".to_owned(), text }]);
        assert_eq!((counts["#[allow("], counts["#[ignore = "], counts["#![allow("]), (2, 1, 0));
    }

    #[test]
    fn commands_are_read_from_shell_blocks_alone() {
        let text =
            "```sh\n# a comment\ntroth version   # shown\ncurl a \\\n  b\n```\n```text\nnot this\n```\n";
        let found: Vec<String> = commands(text).into_iter().map(|(_, command)| command).collect();
        assert_eq!(found, ["troth version", "curl a b"]);
    }
}
