//! Writes `policy/TRACE.md`: from each promise to the lines, tests and checks that keep it.

use std::fmt::Write as _;

use super::scan::{Marks, Place};
use crate::policy::{Clause, Policy};

/// How many places of one kind a cell names before it only counts.
const SHOWN: usize = 3;

/// The whole document.
pub(super) fn document(policy: &Policy, marks: &Marks) -> String {
    let mut out = String::from(
        "# From promise to proof\n\n\
         Made by `cargo xtask trace --write`. Do not edit.\n\n\
         Kinds: **E** enforced by code, **W** watched over time, **O** owned by a person.\n\
         A clause without controls is not built yet; one with controls and a *missing* part is not kept yet.\n",
    );
    for source in &policy.sources {
        let _ = write!(
            out,
            "\n## {}: {}\n\n| clause | kind | promise | controls | missing |\n|---|---|---|---|---|\n",
            source.id, source.title
        );
        for clause in &source.clauses {
            let Clause { id, kind, words, .. } = clause;
            let controls: Vec<_> =
                clause.controls.iter().map(|c| format!("[{c}](#{})", c.to_lowercase())).collect();
            let _ =
                writeln!(out, "| {id} | {kind} | {words} | {} | {} |", controls.join(" "), missing(clause));
        }
    }
    out.push_str("\n## Controls\n");
    for control in &policy.controls {
        let id = &control.id;
        let _ = write!(out, "\n### {id}\n\n**{}.** {}\n\n", control.title, sentence(control));
        let _ = writeln!(out, "- enforced at {}", places(marks.enforced(id)));
        let _ = writeln!(out, "- verified by {}", places(marks.verifies(id)));
        match &control.reason {
            None => {
                let _ = writeln!(out, "- checked live by {}", places(&marks.checks(id)));
            }
            Some(reason) => {
                let _ = writeln!(out, "- kept by test: {reason}");
            }
        }
    }
    out
}

fn missing(clause: &Clause) -> String {
    match (&clause.missing, clause.controls.is_empty()) {
        (Some(missing), _) => missing.clone(),
        (None, true) => "not built yet".to_owned(),
        (None, false) => String::new(),
    }
}

fn sentence(control: &crate::policy::Control) -> String {
    control.numbers.iter().fold(control.sentence.clone(), |sentence, (name, number)| {
        sentence.replace(&format!("{{{name}}}"), &format!("**{}**", number.value))
    })
}

fn places(places: &[Place]) -> String {
    if places.is_empty() {
        return "nothing yet".to_owned();
    }
    let mut shown: Vec<String> =
        places.iter().take(SHOWN).map(|place| format!("`{}:{}`", place.path, place.line)).collect();
    if places.len() > SHOWN {
        shown.push(format!("and {} more", places.len() - SHOWN));
    }
    shown.join(", ")
}
