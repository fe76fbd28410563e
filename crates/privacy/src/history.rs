//! The ledger as its person reads it: one line for each purpose that was agreed to or taken back.

use domain::{Timestamp, consent::Purpose};
use store::consents::{Consent, Kept};

/// Rows of the ledger that are told at most, the newest.
pub(crate) const MOST_ROWS: u32 = 200;

/// One purpose, agreed to or taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What.
    pub purpose: Purpose,
    /// The version of the letter it was worded in.
    pub version: u32,
    /// Whether it was agreed to; otherwise it was taken back.
    pub given: bool,
    /// When.
    pub at: Timestamp,
    /// The language the letter was read in, `en` or `hi`.
    pub language: String,
    /// The third parties that were named, where this is about them.
    pub shared_with: Vec<String>,
}

/// What changed from row to row of `kept`, the newest first in both.
pub(crate) fn told(kept: &[Kept]) -> Vec<Record> {
    let nothing = Consent::default();
    let told = kept.iter().enumerate().take(MOST_ROWS as usize).flat_map(|(at, now)| {
        let before = kept.get(at + 1).map_or(&nothing, |before| &before.consent);
        changes(before, now)
    });
    told.collect()
}

fn changes(before: &Consent, now: &Kept) -> Vec<Record> {
    let Kept { at, consent, .. } = now;
    let given = |purpose: &Purpose| {
        let is_same_text = consent.version == before.version;
        let is_same_party = *purpose != Purpose::ShareSpeech || consent.shared_with == before.shared_with;
        match (before.agreed.contains(purpose), consent.agreed.contains(purpose)) {
            (true, true) if is_same_text && is_same_party => None,
            (_, true) => Some(true),
            (true, false) => Some(false),
            (false, false) => None,
        }
    };
    let changed = Purpose::ALL.into_iter().filter_map(|purpose| Some((purpose, given(&purpose)?)));
    let record = |(purpose, given): (Purpose, bool)| {
        let named = if given { consent } else { before };
        let is_shared = purpose == Purpose::ShareSpeech;
        Record {
            purpose,
            version: consent.version,
            given,
            at: *at,
            language: consent.language.clone(),
            shared_with: if is_shared { named.shared_with.clone() } else { Vec::new() },
        }
    };
    changed.map(record).collect()
}
