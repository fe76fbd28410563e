//! The rules of the verdict, one by one.

use domain::control::NUMBERS;

use super::*;

const NOW: Timestamp = Timestamp(1_000_000_000_000_000);
const HOUR: Duration = Duration::from_secs(3600);

/// A policy with the clauses the tests need, and those the policy's numbers insist on.
fn catalogue() -> Catalogue {
    let mut text = String::from("id = \"XX\"\ntitle = \"X\"\n");
    let mut clause = |id: &str, rest: &str| {
        text.push_str(&format!("[[clause]]\nid = \"{id}\"\nkind = \"E\"\nwords = \"W.\"\n{rest}\n"));
    };
    clause("live", "controls = [\"ACC01\"]");
    clause("tested", "controls = [\"SEC01\"]");
    clause("both", "controls = [\"ACC01\", \"SEC01\"]");
    clause("part", "controls = [\"ACC01\"]\nmissing = \"The rest.\"");
    clause("nothing", "");
    clause("database", "controls = [\"STO01\"]");
    // Several numbers may name one clause.
    let named: std::collections::BTreeSet<_> = NUMBERS.iter().flat_map(|number| number.clauses).collect();
    for id in named {
        clause(id, "controls = [\"SEC01\"]");
    }
    Catalogue::parse(&[("x.toml", &text)]).unwrap()
}

fn judge(numbers: &Numbers, findings: Vec<Finding>) -> Report {
    let asked_every = [Control::ACC01, Control::STO01].map(|control| (control, HOUR)).into();
    let findings = findings.into_iter().map(|finding| (finding.control, finding)).collect();
    Report::judge(&Grounds { catalogue: &catalogue(), numbers, findings, asked_every, now: NOW })
}

fn state(report: &Report, id: &str) -> ClauseState {
    report.sources[0].clauses.iter().find(|clause| clause.id == id).unwrap().state.clone()
}

fn not_met(why: &str) -> ClauseState {
    ClauseState::NotMet { why: why.to_owned() }
}

#[test]
fn kept_needs_every_control_and_nothing_missing() {
    let report = judge(&Numbers::default(), vec![Finding::satisfied(Control::ACC01, NOW, "Held.")]);
    let kept = |how: &str| ClauseState::Kept { how: how.to_owned() };
    assert_eq!(state(&report, "live"), kept("checked on the running system"));
    assert_eq!(state(&report, "tested"), kept("kept by test"));
    assert_eq!(state(&report, "both"), kept("checked on the running system, 1 of 2 controls by test"));
    assert_eq!(state(&report, "part"), ClauseState::NotBuilt { missing: "The rest.".to_owned() });
    assert_eq!(state(&report, "nothing"), ClauseState::NotBuilt { missing: "not built yet".to_owned() });
}

#[test]
fn silence_is_never_a_pass() {
    let report = judge(&Numbers::default(), vec![]);
    assert_eq!(
        state(&report, "live"),
        ClauseState::Unchecked { why: "ACC01: it has not been checked yet".to_owned() }
    );
    assert_eq!(report.control(Control::WEB02).fault.as_deref(), Some("this program has no check for it"));
    assert_eq!(report.exit_code(), 1);
}

#[test]
fn a_control_that_does_not_hold_weighs_more_than_what_is_missing() {
    let report = judge(&Numbers::default(), vec![Finding::not_satisfied(Control::ACC01, NOW, "Open door.")]);
    for id in ["live", "both", "part"] {
        assert_eq!(state(&report, id), not_met("ACC01: Open door."));
    }
}

#[test]
fn an_old_finding_is_overdue() {
    let at = |seconds: i64| vec![Finding::satisfied(Control::ACC01, NOW.plus_seconds(-seconds), "Held.")];
    let report = judge(&Numbers::default(), at(7200));
    assert!(matches!(state(&report, "live"), ClauseState::Kept { .. }));
    let report = judge(&Numbers::default(), at(7201));
    assert_eq!(state(&report, "live"), not_met("ACC01: its check is overdue"));
}

#[test]
fn nothing_to_ask_is_neither_kept_nor_broken() {
    let report =
        judge(&Numbers::default(), vec![Finding::not_applicable(Control::STO01, NOW, "No network.")]);
    assert_eq!(state(&report, "database"), ClauseState::NotApplicable { why: "No network.".to_owned() });
    assert_eq!(report.control(Control::STO01).fault, None);
}

#[test]
fn a_weaker_number_shows_at_its_clause() {
    let weaker = Numbers::from_overrides([("idle_minutes", 45)]).unwrap();
    let report = judge(&weaker, vec![]);
    assert_eq!(
        state(&report, "AZ-A4"),
        not_met("idle_minutes is 45 minutes here; the policy promises 30 at most")
    );
    assert!(matches!(state(&report, "AZ-A5"), ClauseState::Kept { .. }));
    assert_eq!(report.exit_code(), 1);
    assert!(report.control(Control::SES01).sentence.contains("45"));
}

#[test]
fn everything_holding_exits_with_zero() {
    let held = |control| Finding::satisfied(control, NOW, "Held.");
    let grounds = Grounds {
        catalogue: &catalogue(),
        numbers: &Numbers::default(),
        findings: Control::ALL.map(|control| (control, held(control))).into(),
        asked_every: Control::ALL.map(|control| (control, HOUR)).into(),
        now: NOW,
    };
    let report = Report::judge(&grounds);
    assert_eq!(report.exit_code(), 0);
    assert_eq!((report.counts().not_built, report.counts().not_met), (2, 0));
}
