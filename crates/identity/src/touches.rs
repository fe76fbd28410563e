//! Who was noted as "seen" lately, so that reading stays reading.
//!
//! Called when a session or a key is recognised. A row is written at most once a minute however
//! many requests come at once; a lost note only ends a session a minute early.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use domain::Timestamp;
use store::Tx;
use uuid::Uuid;

/// Seconds after which a note is forgotten here; nothing is noted more seldom.
const LONGEST_S: i64 = 60;
/// Entries after which old ones are swept.
const SWEEP_AT: usize = 4096;

/// The notes of the last minute.
#[derive(Default)]
pub(crate) struct Touches(Mutex<HashMap<Uuid, Timestamp>>);

impl Touches {
    /// Whether `what` should be noted now; at most one caller every `every_s` seconds is told yes.
    pub(crate) fn due(&self, what: Uuid, now: Timestamp, every_s: i64) -> bool {
        let recent = |at: Timestamp| (0..every_s.min(LONGEST_S)).contains(&now.seconds_since(at));
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.get(&what).is_some_and(|at| recent(*at)) {
            return false;
        }
        if noted.len() >= SWEEP_AT {
            noted.retain(|_, at| recent(*at));
        }
        noted.insert(what, now);
        true
    }
}

/// Keeps the note in `tx`. It is no act of anybody's, so the log has no entry for it.
pub(crate) async fn keep(tx: Tx) -> Result<(), store::Error> {
    tx.commit_unaudited("when a session, a key or a link was last seen, or a token followed another").await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_note_a_minute() {
        let touches = Touches::default();
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let at = |s| Timestamp(0).plus_seconds(s);
        assert!(touches.due(one, at(0), 60) && touches.due(other, at(0), 60));
        assert!(!touches.due(one, at(59), 60));
        assert!(touches.due(one, at(60), 60));
        assert!(!touches.due(one, at(74), 15) && touches.due(one, at(75), 15));
        // A clock set back must not silence the notes for as long as it was ahead.
        assert!(touches.due(one, at(-500), 60));
    }
}
