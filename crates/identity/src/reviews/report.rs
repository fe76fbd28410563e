//! The evidence of a review: one JSON document without names, whose hash the audit log keeps.

use domain::{Timestamp, id::ReviewId};
use serde::Serialize;
use store::reviews::{Item, Review, Verdict};

/// What a reader checks first.
const FORMAT: &str = "troth.access-review/1";

#[derive(Serialize)]
struct Report<'a> {
    format: &'static str,
    review: ReviewId,
    begun_by: &'a str,
    /// Microseconds since 1970 (UTC), as everywhere here.
    begun: i64,
    due: i64,
    closed: i64,
    confirmed: usize,
    revoked: usize,
    lapsed: usize,
    grants: Vec<Line<'a>>,
}

#[derive(Serialize)]
struct Line<'a> {
    account: String,
    grant: String,
    granted: i64,
    last_used: Option<i64>,
    proposed_for_removal: bool,
    verdict: Option<Verdict>,
    decided_by: Option<&'a str>,
    decided: Option<i64>,
}

/// The report of `review`, closed at `closed`.
pub(super) fn write(review: &Review, items: &[Item], closed: Timestamp) -> String {
    let count = |verdict| {
        items.iter().filter(|item| item.decision.as_ref().is_some_and(|d| d.verdict == verdict)).count()
    };
    let line = |item: &'_ Item| Line {
        account: item.account.to_string(),
        grant: item.subject.to_string(),
        granted: item.granted.0,
        last_used: item.last_used.map(|at| at.0),
        proposed_for_removal: item.unused,
        verdict: item.decision.as_ref().map(|decision| decision.verdict),
        decided_by: None,
        decided: item.decision.as_ref().map(|decision| decision.at.0),
    };
    let mut grants: Vec<Line<'_>> = items.iter().map(line).collect();
    for (line, item) in grants.iter_mut().zip(items) {
        line.decided_by = item.decision.as_ref().map(|decision| decision.by.as_str());
    }
    let report = Report {
        format: FORMAT,
        review: review.id,
        begun_by: &review.begun_by,
        begun: review.begun.0,
        due: review.due.0,
        closed: closed.0,
        confirmed: count(Verdict::Confirmed),
        revoked: count(Verdict::Revoked),
        lapsed: count(Verdict::Lapsed),
        grants,
    };
    serde_json::to_string_pretty(&report).unwrap_or_default()
}
