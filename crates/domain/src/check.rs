//! Checks and findings: what a question to the running system looks like, in OSCAL's words.

use serde::{Deserialize, Serialize};

use crate::{Control, Timestamp};

/// What a check found (OSCAL assessment results: `satisfied`, `not-satisfied`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The control holds.
    Satisfied,
    /// The control does not hold.
    NotSatisfied,
    /// The control has nothing to act on here; the reason says why.
    NotApplicable,
}

/// One answer of the running system about one control.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The control that was asked about.
    pub control: Control,
    /// The verdict.
    pub state: State,
    /// One sentence for a person; content-free.
    pub reason: String,
    /// What was observed, by name; content-free.
    pub facts: Vec<(String, String)>,
    /// When.
    pub at: Timestamp,
}

impl Finding {
    /// A finding that the control holds.
    pub fn satisfied(control: Control, at: Timestamp, reason: impl Into<String>) -> Self {
        Self { control, state: State::Satisfied, reason: reason.into(), facts: Vec::new(), at }
    }

    /// A finding that the control does not hold.
    pub fn not_satisfied(control: Control, at: Timestamp, reason: impl Into<String>) -> Self {
        Self { control, state: State::NotSatisfied, reason: reason.into(), facts: Vec::new(), at }
    }

    /// A finding that there is nothing to ask here.
    pub fn not_applicable(control: Control, at: Timestamp, reason: impl Into<String>) -> Self {
        Self { control, state: State::NotApplicable, reason: reason.into(), facts: Vec::new(), at }
    }

    /// The same finding with one more observation.
    #[must_use]
    pub fn fact(mut self, name: &str, value: impl ToString) -> Self {
        self.facts.push((name.to_owned(), value.to_string()));
        self
    }
}
