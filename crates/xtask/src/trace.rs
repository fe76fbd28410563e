//! `cargo xtask trace`: holds the policy, the code, the tests and the checks against each other.
//!
//! With `--write` it writes the generated module and the table; without, it fails when either is
//! stale. Both ways it names every control that lacks a part.

mod generate;
mod scan;
mod table;

use std::{fs, path::Path};

use anyhow::{Result, bail};

use crate::{policy::Policy, workspace};

/// The module made from the policy.
const MODULE: &str = "crates/domain/src/control/generated.rs";
/// The table made from the policy and the sources.
const TABLE: &str = "policy/TRACE.md";

/// Runs the trace over the tree at `root`.
pub(crate) fn run(root: &Path, write: bool) -> Result<()> {
    let policy = Policy::read(root)?;
    let module = generate::module(root, &policy)?;
    if write {
        update(root, MODULE, &module)?;
    }
    let files = workspace::files(root)?;
    let marks = scan::Marks::of(&files);
    let table = table::document(&policy, &marks);
    if write {
        update(root, TABLE, &table)?;
    }
    let mut problems = gaps(&policy, &marks, &files);
    for (path, fresh) in [(MODULE, &module), (TABLE, &table)] {
        if fs::read_to_string(root.join(path)).ok().as_ref() != Some(fresh) {
            problems.push(format!("{path} is stale: cargo xtask trace --write"));
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    bail!("{}", problems.join("\n"))
}

fn update(root: &Path, path: &str, text: &str) -> Result<()> {
    let path = root.join(path);
    if fs::read_to_string(&path).ok().as_deref() != Some(text) {
        fs::write(path, text)?;
    }
    Ok(())
}

/// What each control lacks, a line per control.
fn gaps(policy: &Policy, marks: &scan::Marks, files: &[workspace::File]) -> Vec<String> {
    let mut gaps = Vec::new();
    for control in &policy.controls {
        let id = control.id.as_str();
        let mut lacks = Vec::new();
        if control.kind == "E" && marks.enforced(id).is_empty() {
            lacks.push(format!("enforced!({id}) in the code"));
        }
        if control.kind == "E" && marks.verifies(id).is_empty() {
            lacks.push(format!("verifies!({id}) in a test"));
        }
        if control.check == "live" && marks.checks(id).is_empty() {
            lacks.push(format!("a Check of Control::{id}"));
        }
        for name in control.numbers.keys() {
            if !scan::reads_number(files, name) {
                lacks.push(format!("code that reads its number {name}"));
            }
        }
        if !lacks.is_empty() {
            gaps.push(format!("{id} ({}) lacks {}", control.title, lacks.join(", ")));
        }
    }
    gaps
}
