//! The report as text: the trust page for a terminal. `troth verify` prints it.

use std::fmt::Write as _;

use crate::{ClauseReport, ClauseState, Counts, Report, SourceReport};

/// How wide a line may become before it is broken.
const WIDTH: usize = 100;

/// Renders `report`, with ANSI colours only when `colour` is set. Never by colour alone: a mark and a
/// word go with each.
#[must_use]
pub fn render(report: &Report, colour: bool) -> String {
    let mut out = String::new();
    for source in &report.sources {
        render_source(&mut out, source, colour);
    }
    if !report.deviations.is_empty() {
        out.push_str("Deviations from the policy\n");
        for deviation in &report.deviations {
            line(&mut out, 2, &format!("{} ({})", deviation.words, deviation.clauses.join(", ")));
        }
        out.push('\n');
    }
    out.push_str(&summary(report.counts()));
    out.push_str(match report.exit_code() {
        0 => "Everything that is built holds.\n",
        _ => "Something that is built does not hold; the lines marked ✗ say what.\n",
    });
    out
}

fn render_source(out: &mut String, source: &SourceReport, colour: bool) {
    let Counts { kept, .. } = source.counts();
    let _ =
        writeln!(out, "{}  {}: {kept} of {} promises kept\n", source.id, source.title, source.clauses.len());
    let widest = source.clauses.iter().map(|clause| clause.id.len()).max().unwrap_or(0);
    for clause in &source.clauses {
        render_clause(out, clause, widest, colour);
    }
    out.push('\n');
}

fn render_clause(out: &mut String, clause: &ClauseReport, widest: usize, colour: bool) {
    let look = Look::of(clause);
    let (on, off) = if colour { (look.colour, "\x1b[0m") } else { ("", "") };
    let indent = widest + 17;
    let head = format!("  {on}{} {:<9}{off}  {:<widest$}  ", look.mark, look.word, clause.id);
    out.push_str(&head);
    line(out, 0, &wrap(&clause.words, indent));
    let mut reason = format!("→ {}", look.reason);
    if !clause.controls.is_empty() {
        let tokens: Vec<_> = clause.controls.iter().map(|control| control.token()).collect();
        let _ = write!(reason, " [{}]", tokens.join(" "));
    }
    line(out, indent, &wrap(&reason, indent));
}

/// How a verdict is shown.
struct Look<'a> {
    mark: char,
    word: &'static str,
    colour: &'static str,
    reason: &'a str,
}

impl<'a> Look<'a> {
    fn of(clause: &'a ClauseReport) -> Self {
        let (mark, word, colour, reason) = match &clause.state {
            ClauseState::Kept { how } => ('✓', "kept", "\x1b[32m", how),
            ClauseState::NotBuilt { missing } if clause.controls.is_empty() => {
                ('·', "not built", "\x1b[2m", missing)
            }
            ClauseState::NotBuilt { missing } => ('·', "partly", "\x1b[2m", missing),
            ClauseState::NotMet { why } => ('✗', "not met", "\x1b[31m", why),
            ClauseState::Unchecked { why } => ('?', "unchecked", "\x1b[33m", why),
            ClauseState::NotApplicable { why } => ('–', "no object", "\x1b[2m", why),
        };
        Self { mark, word, colour, reason }
    }
}

fn summary(counts: Counts) -> String {
    let Counts { kept, not_built, not_met, unchecked, not_applicable } = counts;
    let unchecked = if unchecked > 0 { format!("{unchecked} not checked yet, ") } else { String::new() };
    format!(
        "{kept} kept, {not_built} not built or only in part, {not_met} not met, {unchecked}{not_applicable} without an object.\n"
    )
}

fn line(out: &mut String, indent: usize, text: &str) {
    let _ = writeln!(out, "{:indent$}{text}", "");
}

/// Breaks `text` so that lines indented by `indent` stay within [`WIDTH`].
fn wrap(text: &str, indent: usize) -> String {
    let mut out = String::new();
    let mut column = indent;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > indent && column + 1 + length > WIDTH {
            let _ = write!(out, "\n{:indent$}", "");
            column = indent;
        } else if column > indent {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::{Control, Timestamp, check::Finding, control::Numbers};

    use super::*;
    use crate::{Catalogue, report::Grounds};

    /// A report with every state in it.
    fn report() -> Report {
        let now = Timestamp(1_763_800_000_000_000);
        let mut findings: Vec<_> =
            Control::ALL.into_iter().map(|control| Finding::satisfied(control, now, "It holds.")).collect();
        findings[Control::CRY04 as usize] =
            Finding::not_satisfied(Control::CRY04, now, "The listener accepted TLS 1.2.");
        for control in [Control::ACC01, Control::ACC02] {
            findings[control as usize] = Finding::not_applicable(control, now, "There are no accounts yet.");
        }
        Report::judge(&Grounds {
            catalogue: &Catalogue::embedded().unwrap(),
            numbers: &Numbers::from_overrides([("idle_minutes", 60)]).unwrap(),
            findings: findings.into_iter().map(|finding| (finding.control, finding)).collect(),
            asked_every: Control::ALL.map(|control| (control, Duration::from_secs(60))).into(),
            now,
        })
    }

    #[test]
    fn the_whole_report_reads_well() {
        insta::assert_snapshot!(render(&report(), false));
    }

    #[test]
    fn colour_changes_nothing_but_colour() {
        let coloured = render(&report(), true);
        assert!(coloured.contains("\x1b[31m✗ not met"));
        let bare =
            ["\x1b[0m", "\x1b[2m", "\x1b[31m", "\x1b[32m"].iter().fold(coloured, |s, c| s.replace(c, ""));
        assert_eq!(bare, render(&report(), false));
    }

    #[test]
    fn no_line_is_too_wide() {
        assert!(render(&report(), false).lines().all(|line| line.chars().count() <= WIDTH));
    }
}
