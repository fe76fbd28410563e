//! The verdict over every promise, from the catalogue, the numbers in force and the latest findings.
//!
//! A pure function, so that its rules can be read and tested in one place. `web` and `text` show it.

use std::{collections::BTreeMap, time::Duration};

use domain::{
    Control, Timestamp,
    check::{Finding, State},
    control::{Kind, Numbers, Proof},
};
use serde::Serialize;

use crate::catalogue::{Catalogue, Clause};

/// What is said when a clause names neither a control nor what is missing.
const NOTHING_YET: &str = "not built yet";

/// The state of every promise at one moment.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// When it was made.
    pub at: Timestamp,
    /// The policies and their promises.
    pub sources: Vec<SourceReport>,
    /// Every control, in order of its token.
    pub controls: Vec<ControlReport>,
    /// Numbers of this deployment that promise less than a clause.
    pub deviations: Vec<DeviationReport>,
}

/// One policy.
#[derive(Clone, Debug, Serialize)]
pub struct SourceReport {
    /// Its short name.
    pub id: String,
    /// Its full name.
    pub title: String,
    /// Its promises, in order.
    pub clauses: Vec<ClauseReport>,
}

/// One promise.
#[derive(Clone, Debug, Serialize)]
pub struct ClauseReport {
    /// Its id.
    pub id: String,
    /// The promise, in a sentence.
    pub words: String,
    /// Enforced, watched or owned.
    pub kind: Kind,
    /// The verdict.
    #[serde(flatten)]
    pub state: ClauseState,
    /// What keeps it.
    pub controls: Vec<Control>,
    /// The oldest finding the verdict rests on, if it rests on any.
    pub checked_at: Option<Timestamp>,
}

/// The verdict on one promise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum ClauseState {
    /// Every control holds and nothing is missing.
    Kept {
        /// What that rests on, in a few words.
        how: String,
    },
    /// Nothing keeps it yet, or a part of it is missing.
    NotBuilt {
        /// What is missing, in a sentence.
        missing: String,
    },
    /// A control that should keep it does not hold, or could not be shown to.
    NotMet {
        /// Why, in a sentence.
        why: String,
    },
    /// A control has a check that was not asked yet, as in the first moments of a new instance.
    Unchecked {
        /// Which, in a sentence.
        why: String,
    },
    /// There is nothing here it could apply to.
    NotApplicable {
        /// Why, in a sentence.
        why: String,
    },
}

/// One control.
#[derive(Clone, Debug, Serialize)]
pub struct ControlReport {
    /// The control.
    pub control: Control,
    /// Its heading.
    pub title: &'static str,
    /// What it promises, with the numbers in force.
    pub sentence: String,
    /// Whether the running system is asked, or why tests alone show it.
    #[serde(flatten)]
    pub proof: Proof,
    /// The latest answer of the running system, if it was ever asked.
    pub finding: Option<Finding>,
    /// Why the control cannot count as holding, if it cannot.
    pub fault: Option<String>,
    /// Whether that is only because its check was not asked yet.
    pub unchecked: bool,
}

/// A number that promises less here than a published clause.
#[derive(Clone, Debug, Serialize)]
pub struct DeviationReport {
    /// The number's name.
    pub number: &'static str,
    /// The clauses it falls short of.
    pub clauses: &'static [&'static str],
    /// What is, and what was promised.
    pub words: String,
}

/// How many promises are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Kept.
    pub kept: usize,
    /// Not built, or only in part.
    pub not_built: usize,
    /// Not met.
    pub not_met: usize,
    /// Not checked yet.
    pub unchecked: usize,
    /// Not applicable here.
    pub not_applicable: usize,
}

/// What a verdict is made from.
pub(crate) struct Grounds<'a> {
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) numbers: &'a Numbers,
    pub(crate) findings: BTreeMap<Control, Finding>,
    /// How often each control that has a check is asked.
    pub(crate) asked_every: BTreeMap<Control, Duration>,
    pub(crate) now: Timestamp,
}

impl Report {
    /// Judges every promise.
    pub(crate) fn judge(grounds: &Grounds<'_>) -> Self {
        let controls: Vec<_> =
            Control::ALL.into_iter().map(|control| ControlReport::judge(control, grounds)).collect();
        let deviations: Vec<_> = grounds
            .numbers
            .deviations()
            .into_iter()
            .map(|deviation| DeviationReport {
                number: deviation.number.name,
                clauses: deviation.number.clauses,
                words: deviation.to_string(),
            })
            .collect();
        let mut report = Self { at: grounds.now, sources: Vec::new(), controls, deviations };
        for source in grounds.catalogue.sources() {
            let clauses = source.clauses.iter().map(|clause| report.clause(clause)).collect();
            report.sources.push(SourceReport { id: source.id.clone(), title: source.title.clone(), clauses });
        }
        report
    }

    /// What the report says about `control`.
    #[must_use]
    pub fn control(&self, control: Control) -> &ControlReport {
        &self.controls[control as usize]
    }

    /// How many promises are in which state, over all policies.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts::of(self.sources.iter().flat_map(|source| &source.clauses))
    }

    /// 0 when everything that is built holds, 1 when something does not.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let holds = self.deviations.is_empty() && self.controls.iter().all(|control| control.fault.is_none());
        u8::from(!holds)
    }

    fn clause(&self, clause: &Clause) -> ClauseReport {
        let on: Vec<&ControlReport> = clause.controls.iter().map(|control| self.control(*control)).collect();
        ClauseReport {
            id: clause.id.clone(),
            words: clause.words.clone(),
            kind: clause.kind,
            state: self.clause_state(clause, &on),
            controls: clause.controls.clone(),
            checked_at: on
                .iter()
                .filter_map(|control| control.finding.as_ref())
                .map(|finding| finding.at)
                .min(),
        }
    }

    /// The rules, worst first: what does not hold weighs more than what is not built.
    fn clause_state(&self, clause: &Clause, on: &[&ControlReport]) -> ClauseState {
        let fault = |unchecked: bool| {
            let wanted = on.iter().filter(|control| control.unchecked == unchecked);
            let mut faults = wanted.filter_map(|control| Some((control.control, control.fault.as_ref()?)));
            faults.next().map(|(control, why)| format!("{}: {why}", control.token()))
        };
        if let Some(why) = fault(false) {
            return ClauseState::NotMet { why };
        }
        let falls_short = |deviation: &&DeviationReport| deviation.clauses.contains(&clause.id.as_str());
        if let Some(deviation) = self.deviations.iter().find(falls_short) {
            return ClauseState::NotMet { why: deviation.words.clone() };
        }
        if clause.missing.is_some() || on.is_empty() {
            let missing = clause.missing.clone().unwrap_or_else(|| NOTHING_YET.to_owned());
            return ClauseState::NotBuilt { missing };
        }
        if let Some(why) = fault(true) {
            return ClauseState::Unchecked { why };
        }
        match on.iter().map(|control| control.not_applicable()).collect::<Option<Vec<_>>>() {
            Some(mut reasons) => {
                reasons.dedup();
                ClauseState::NotApplicable { why: reasons.join(" ") }
            }
            None => ClauseState::Kept { how: how(on) },
        }
    }
}

/// What a kept promise rests on.
fn how(on: &[&ControlReport]) -> String {
    let asked = on.iter().filter(|control| control.finding.is_some()).count();
    match (asked, on.len() - asked) {
        (_, 0) => "checked on the running system".to_owned(),
        (0, _) => "kept by test".to_owned(),
        (_, by_test) => format!("checked on the running system, {by_test} of {} controls by test", on.len()),
    }
}

impl ControlReport {
    fn judge(control: Control, grounds: &Grounds<'_>) -> Self {
        let finding = grounds.findings.get(&control).cloned();
        let fault = fault(control, finding.as_ref(), grounds);
        let unchecked = finding.is_none() && grounds.asked_every.contains_key(&control);
        Self {
            control,
            title: control.title(),
            sentence: control.sentence(grounds.numbers),
            proof: control.proof(),
            finding,
            fault,
            unchecked,
        }
    }

    fn not_applicable(&self) -> Option<&str> {
        self.finding.as_ref().filter(|f| f.state == State::NotApplicable).map(|f| f.reason.as_str())
    }
}

/// Why `control` cannot count as holding. Silence is a fault, except where only tests speak.
fn fault(control: Control, finding: Option<&Finding>, grounds: &Grounds<'_>) -> Option<String> {
    let Some(every) = grounds.asked_every.get(&control) else {
        return match control.proof() {
            Proof::Live => Some("this program has no check for it".to_owned()),
            Proof::Test(_) => None,
        };
    };
    let Some(finding) = finding else { return Some("it has not been checked yet".to_owned()) };
    if finding.state == State::NotSatisfied {
        return Some(finding.reason.clone());
    }
    // Twice the interval: a check that is merely late is not yet an alarm.
    let patience = i64::try_from(every.as_secs().saturating_mul(2)).unwrap_or(i64::MAX);
    if grounds.now.seconds_since(finding.at) > patience {
        return Some("its check is overdue".to_owned());
    }
    None
}

impl SourceReport {
    /// How many of its promises are in which state.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts::of(&self.clauses)
    }
}

impl Counts {
    fn of<'a>(clauses: impl IntoIterator<Item = &'a ClauseReport>) -> Self {
        clauses.into_iter().fold(Self::default(), |mut counts, clause| {
            *match clause.state {
                ClauseState::Kept { .. } => &mut counts.kept,
                ClauseState::NotBuilt { .. } => &mut counts.not_built,
                ClauseState::NotMet { .. } => &mut counts.not_met,
                ClauseState::Unchecked { .. } => &mut counts.unchecked,
                ClauseState::NotApplicable { .. } => &mut counts.not_applicable,
            } += 1;
            counts
        })
    }
}

#[cfg(test)]
mod tests;
