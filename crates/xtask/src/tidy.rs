//! `cargo xtask tidy`: rules of the tree that no compiler knows.
//!
//! Each rule is a function from a file to what is wrong with it. Exceptions live in
//! `crates/xtask/exceptions.toml`, by number, and may only become fewer.

mod rules;

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Result, bail, ensure};

use crate::workspace::{self, File};

/// How many exceptions of each kind the tree holds at most; the counts are the debt.
const EXCEPTIONS: &str = "crates/xtask/exceptions.toml";

/// Runs every rule over the tree at `root`; says on standard output what may be improved.
pub(crate) fn run(root: &Path) -> Result<()> {
    let files = workspace::files(root)?;
    let mut problems: Vec<String> = files.iter().flat_map(rules::broken_by).collect();
    problems.extend(exceptions(root, &files)?);
    problems.extend(undocumented_commands(root, &files));
    let long = files.iter().filter(|file| rules::is_long(file)).count();
    println!("{} files, {long} of them longer than {} lines", files.len(), rules::AIM);
    if problems.is_empty() {
        return Ok(());
    }
    bail!("{}", problems.join("\n"))
}

/// Counts the exceptions and holds them against the list: more is forbidden, fewer must be written down.
fn exceptions(root: &Path, files: &[File]) -> Result<Vec<String>> {
    let listed: BTreeMap<String, usize> = toml::from_str(&fs::read_to_string(root.join(EXCEPTIONS))?)?;
    let counted = rules::exceptions(files);
    let kinds_match = listed.keys().eq(counted.keys());
    ensure!(kinds_match, "{EXCEPTIONS} must list exactly: {:?}", counted.keys().collect::<Vec<_>>());
    let mut problems = Vec::new();
    for (kind, count) in counted {
        match listed[&kind] {
            most if count > most => {
                problems.push(format!("{count} times {kind}, {EXCEPTIONS} allows {most}: find another way"));
            }
            most if count < most => {
                problems.push(format!("only {count} times {kind} left: lower {most} in {EXCEPTIONS}"));
            }
            _ => {}
        }
    }
    Ok(problems)
}

/// Every command a reader is told to type must be one a test types too, or be listed as not testable.
fn undocumented_commands(root: &Path, files: &[File]) -> Vec<String> {
    let tested = fs::read_to_string(root.join(rules::COMMANDS)).unwrap_or_default();
    let mut problems = Vec::new();
    for file in files.iter().filter(|file| rules::is_documentation(&file.path)) {
        for (line, command) in rules::commands(&file.text) {
            if !tested.lines().any(|tested| tested.trim_start_matches("# ") == command) {
                problems.push(format!("{}:{line}: {command:?} is not in {}", file.path, rules::COMMANDS));
            }
        }
    }
    problems
}
