//! What the trust page shows: every promise on one page, kept or not, and why.

use assure::{ClauseReport, ClauseState, Counts, Report, SourceReport};
use maud::{Markup, html};

use super::super::{
    frame::{Frame, Kind, Place, when},
    icons::Icon,
};

/// What a reader wants to see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// One policy, by its id; empty for all.
    pub policy: String,
    /// One state; empty for all.
    pub state: String,
}

/// The states as the filter spells them.
const STATES: [(&str, &str); 5] = [
    ("kept", "Kept"),
    ("not-met", "Not met"),
    ("unchecked", "Not checked yet"),
    ("not-built", "Not built yet"),
    ("not-applicable", "Not applicable"),
];

/// The page.
#[must_use]
pub fn page(frame: &Frame, report: &Report, filter: &Filter) -> Markup {
    let main = html! {
        div.trust lang="en" {
            header {
                h1 { "We promise" }
                p {
                    "Every promise this server makes about your data, and whether it is kept. A promise counts as kept only "
                    "when code keeps it, a test proves it, and, where that can be asked, the running server said so."
                }
                (tally(&report.counts()))
                p.small.soft { "As of " (when(report.at)) ". The same in a terminal: " code { "troth verify" } "." }
            }
            (filters(report, filter))
            @for source in &report.sources { (policy(report, source, filter)) }
            @if !report.deviations.is_empty() {
                section.source {
                    h2 { "Numbers below a promise" }
                    p { "Whoever runs this server set these lower than a policy promises." }
                    ul.promises { @for deviation in &report.deviations { li { p { (deviation.words) } } } }
                }
            }
        }
    };
    frame.desk("Trust", Place::Trust, &main)
}

fn tally(counts: &Counts) -> Markup {
    let one = |kind: Kind, count: usize, word: &str| {
        html! { div { dt { span class={ "mark " (kind.class()) } { (kind.icon().draw()) (word) } } dd { (count) } } }
    };
    html! {
        dl.tally {
            (one(Kind::Good, counts.kept, "kept"))
            (one(Kind::Bad, counts.not_met, "not met"))
            @if counts.unchecked > 0 { (one(Kind::Plain, counts.unchecked, "being checked")) }
            (one(Kind::Plain, counts.not_built, "not built yet"))
            @if counts.not_applicable > 0 { (one(Kind::Plain, counts.not_applicable, "not applicable")) }
        }
    }
}

fn filters(report: &Report, filter: &Filter) -> Markup {
    let link = |policy: &str, state: &str, word: &str| {
        let here = filter.policy == policy && filter.state == state;
        html! { a href={ "/trust?policy=" (policy) "&state=" (state) } aria-current=[here.then_some("true")] { (word) } }
    };
    html! {
        nav.filters aria-label="Filter" {
            (link(&filter.policy, "", "All"))
            @let unchecked = report.counts().unchecked;
            @for (state, word) in STATES.into_iter().filter(|(state, _)| *state != "unchecked" || unchecked > 0) { (link(&filter.policy, state, word)) }
            span.gap {}
            (link("", &filter.state, "Every policy"))
            @for source in &report.sources { (link(&source.id, &filter.state, &source.title)) }
        }
    }
}

fn policy(report: &Report, source: &SourceReport, filter: &Filter) -> Markup {
    if !filter.policy.is_empty() && filter.policy != source.id {
        return html! {};
    }
    let wanted = |clause: &&ClauseReport| filter.state.is_empty() || filter.state == spelt(&clause.state);
    let clauses: Vec<_> = source.clauses.iter().filter(wanted).collect();
    let kept =
        source.clauses.iter().filter(|clause| matches!(clause.state, ClauseState::Kept { .. })).count();
    html! {
        @if !clauses.is_empty() {
            section.source {
                h2 { (source.title) }
                p { (kept) " of " (source.clauses.len()) " kept" }
                ul.promises { @for clause in clauses { li { (promise(report, clause)) } } }
            }
        }
    }
}

fn promise(report: &Report, clause: &ClauseReport) -> Markup {
    let (kind, word, why) = verdict(&clause.state);
    html! {
        details.promise {
            summary {
                span { (clause.words) }
                span class={ "mark " (kind.class()) } { (kind.icon().draw()) (word) }
                (Icon::Right.classed("icon turn"))
            }
            div.why {
                p { (why) }
                @for control in report.controls.iter().filter(|one| clause.controls.contains(&one.control)) {
                    div.control {
                        strong { (control.title) }
                        p { (control.sentence) }
                        @if let Some(fault) = control.fault.as_ref().filter(|_| !control.unchecked) { p.mark.bad { (Icon::Cross.draw()) (fault) } }
                        @if let Some(finding) = &control.finding { p.soft { (finding.reason) " Asked " (when(finding.at)) "." } }
                        code { (control.control.token()) }
                    }
                }
                p.tiny.soft { code { (clause.id) } @if let Some(at) = clause.checked_at { " · checked " (when(at)) } }
            }
        }
    }
}

fn spelt(state: &ClauseState) -> &'static str {
    match state {
        ClauseState::Kept { .. } => "kept",
        ClauseState::NotBuilt { .. } => "not-built",
        ClauseState::NotMet { .. } => "not-met",
        ClauseState::Unchecked { .. } => "unchecked",
        ClauseState::NotApplicable { .. } => "not-applicable",
    }
}

fn verdict(state: &ClauseState) -> (Kind, &'static str, &str) {
    match state {
        ClauseState::Kept { how } => (Kind::Good, "Kept", how),
        ClauseState::NotBuilt { missing } => (Kind::Plain, "Not built yet", missing),
        ClauseState::NotMet { why } => (Kind::Bad, "Not met", why),
        ClauseState::Unchecked { why } => (Kind::Plain, "Not checked yet", why),
        ClauseState::NotApplicable { why } => (Kind::Plain, "Not applicable", why),
    }
}
