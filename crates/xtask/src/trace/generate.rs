//! Writes `crates/domain/src/control/generated.rs` from the policy.

use std::{
    fmt::Write as _,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};

use crate::policy::{Number, Policy};

/// The generated module, formatted as `cargo fmt` would.
pub(super) fn module(root: &Path, policy: &Policy) -> Result<String> {
    let mut out = String::from(
        "//! Made by `cargo xtask trace --write` from policy/controls. Do not edit.\n\n\
         use super::{Facts, Kind, Number, Proof, Stronger};\n\n",
    );
    controls(&mut out, policy)?;
    numbers(&mut out, policy)?;
    format(root, &out)
}

fn controls(out: &mut String, policy: &Policy) -> Result<()> {
    writeln!(out, "/// A control of the policy.")?;
    writeln!(out, "#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]")?;
    writeln!(out, "#[repr(usize)]\npub enum Control {{")?;
    for control in &policy.controls {
        writeln!(out, "/// {}\n{},", doc(&control.sentence), control.id)?;
    }
    writeln!(out, "}}\n\nimpl Control {{\n/// Every control, in order of its token.")?;
    writeln!(out, "pub const ALL: [Self; {}] = [", policy.controls.len())?;
    for control in &policy.controls {
        writeln!(out, "Self::{},", control.id)?;
    }
    writeln!(
        out,
        "];\n\npub(super) const fn facts(self) -> &'static Facts {{ &FACTS[self as usize] }}\n}}\n"
    )?;
    writeln!(out, "static FACTS: [Facts; {}] = [", policy.controls.len())?;
    for control in &policy.controls {
        let kind = match control.kind.as_str() {
            "W" => "Watched",
            "O" => "Owned",
            _ => "Enforced",
        };
        let proof = match &control.reason {
            Some(reason) => format!("Proof::Test({reason:?})"),
            None => "Proof::Live".to_owned(),
        };
        let (id, title, sentence) = (&control.id, &control.title, &control.sentence);
        writeln!(
            out,
            "Facts {{ token: {id:?}, title: {title:?}, sentence: {sentence:?}, kind: Kind::{kind}, proof: {proof} }},"
        )?;
    }
    writeln!(out, "];\n")?;
    Ok(())
}

fn numbers(out: &mut String, policy: &Policy) -> Result<()> {
    writeln!(
        out,
        "/// The numbers of the policy: defaults from policy/controls, overridden by the deployment."
    )?;
    writeln!(out, "#[derive(Clone, Debug, PartialEq, Eq)]\npub struct Numbers {{")?;
    for (control, (name, number)) in policy.numbers() {
        writeln!(out, "/// {} ({control}).\npub {name}: u32,", number.doc)?;
    }
    writeln!(out, "}}\n\nimpl Default for Numbers {{\nfn default() -> Self {{\nSelf {{")?;
    for (_, (name, number)) in policy.numbers() {
        writeln!(out, "{name}: {},", number.value)?;
    }
    writeln!(out, "}}\n}}\n}}\n\nimpl Numbers {{")?;
    writeln!(out, "/// The number with this name, if there is one.\n#[must_use]")?;
    writeln!(out, "pub fn get(&self, name: &str) -> Option<u32> {{\nmatch name {{")?;
    for (_, (name, _)) in policy.numbers() {
        writeln!(out, "{name:?} => Some(self.{name}),")?;
    }
    writeln!(out, "_ => None,\n}}\n}}\n")?;
    writeln!(out, "pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut u32> {{\nmatch name {{")?;
    for (_, (name, _)) in policy.numbers() {
        writeln!(out, "{name:?} => Some(&mut self.{name}),")?;
    }
    writeln!(out, "_ => None,\n}}\n}}\n}}\n")?;
    writeln!(out, "/// What the policy says about each number.")?;
    writeln!(out, "pub static NUMBERS: [Number; {}] = [", policy.numbers().count())?;
    for (control, (name, number)) in policy.numbers() {
        let Number { value, unit, stronger, floor, clauses, zero_is_none, .. } = number;
        writeln!(
            out,
            "Number {{ name: {name:?}, control: Control::{control}, value: {value}, unit: {unit:?}, \
             stronger: Stronger::{stronger:?}, floor: {floor:?}, clauses: &{clauses:?}, \
             zero_is_none: {zero_is_none} }},"
        )?;
    }
    writeln!(out, "];")?;
    Ok(())
}

/// A sentence as a doc comment: its number placeholders are no links and no format arguments there.
fn doc(sentence: &str) -> String {
    sentence.replace(['{', '}'], "`")
}

/// Sends `source` through rustfmt, with the settings of the tree.
fn format(root: &Path, source: &str) -> Result<String> {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--emit", "stdout", "--quiet", "--config-path"])
        .arg(root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("rustfmt is needed: rustup component add rustfmt")?;
    rustfmt.stdin.take().context("rustfmt takes no input")?.write_all(source.as_bytes())?;
    let formatted = rustfmt.wait_with_output()?;
    ensure!(formatted.status.success(), "rustfmt refused the generated module");
    Ok(String::from_utf8(formatted.stdout)?)
}
