//! The soft lock: after a few wrong tries each further one has to wait, longer each time.
//!
//! Called before a password or a code is looked at. Names that exist and names that do not are
//! counted the same way, by a keyed hash, so the answer says nothing about existence. A try counts
//! as wrong from the moment it is let in and is given back when it was right: a thousand guesses
//! sent at once are counted one by one. The counts of all names are kept in the store as well and
//! brought along as `kept`, so a restart forgets none of them and every replica answers alike. What is
//! shown within a session is counted apart: who knows a name keeps nobody from confirming.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::{Ctx, Timestamp, enforced, id::UserId, name};
use store::credentials;

use crate::{Error, Identity, permits};

/// Names counted at the same time; the one with the fewest failures makes way, of those the one
/// longest left alone. Otherwise a flood of names would wash a count away, and how a name is then
/// answered would tell whether it has an account, whose count the store keeps.
const MOST_NAMES: usize = 10_000;
/// The first wait, in seconds; each further failure doubles it.
const FIRST_WAIT_S: i64 = 2;
/// The longest wait, in seconds.
const LONGEST_WAIT_S: i64 = 15 * 60;
/// Seconds without a failure after which a count is forgotten.
pub(crate) const FORGOTTEN_AFTER_S: i64 = 24 * 3600;

/// A name as it is counted: a keyed hash of its folded form.
pub(crate) type Key = [u8; 32];

/// How often a name was tried wrongly, and when last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// Failures since the last success.
    pub(crate) failures: u32,
    /// When the last one was.
    pub(crate) last: Timestamp,
}

impl Count {
    /// The earliest moment of the next try.
    fn due(self, free: u32) -> Timestamp {
        let Some(beyond) = self.failures.checked_sub(free.max(1)) else { return Timestamp(i64::MIN) };
        let wait = FIRST_WAIT_S.saturating_mul(1_i64 << beyond.min(20)).min(LONGEST_WAIT_S);
        self.last.plus_seconds(wait)
    }

    fn forgotten(self, now: Timestamp) -> bool {
        now.seconds_since(self.last) >= FORGOTTEN_AFTER_S
    }
}

/// One try that was let in and counts as wrong until it is given back.
#[must_use = "give it back when the try was right"]
pub(crate) struct Try {
    key: Key,
    before: Count,
}

/// The counts of all names tried lately.
pub(crate) struct Throttle {
    free: u32,
    counts: Mutex<HashMap<Key, Count>>,
}

impl Throttle {
    /// Lets `free` failures pass before each further try has to wait.
    pub(crate) fn new(free: u32) -> Self {
        Self { free, counts: Mutex::new(HashMap::new()) }
    }

    /// Lets a try in, or says how long to wait.
    ///
    /// # Errors
    /// [`Error::Throttled`] when the next try is not due yet.
    pub(crate) fn admit(&self, key: Key, kept: Count, now: Timestamp) -> Result<Try, Error> {
        let mut counts = self.counts();
        let held = counts.get(&key).copied().unwrap_or_default();
        let mut before = if kept.failures > held.failures { kept } else { held };
        if before.forgotten(now) {
            before = Count::default();
        }
        let due = before.due(self.free);
        if now < due {
            enforced!(AUT06);
            let micros = due.0.saturating_sub(now.0);
            let seconds = micros.div_euclid(1_000_000) + i64::from(micros % 1_000_000 != 0);
            return Err(Error::Throttled { retry_after_s: u32::try_from(seconds).unwrap_or(u32::MAX) });
        }
        make_room(&mut counts, key, now);
        counts.insert(key, Count { failures: before.failures.saturating_add(1), last: now });
        Ok(Try { key, before })
    }

    /// Takes a try back that was right, or could not be looked at.
    pub(crate) fn give_back(&self, one: &Try) {
        let mut counts = self.counts();
        if let Some(count) = counts.get_mut(&one.key) {
            count.failures = count.failures.saturating_sub(1);
            // Another try may have come in meanwhile; then its moment stands.
            if count.failures == one.before.failures {
                count.last = one.before.last;
            }
        }
    }

    /// Forgets the failures of a name, once its person is in.
    pub(crate) fn clear(&self, key: &Key) {
        self.counts().remove(key);
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<Key, Count>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Identity {
    /// Lets a try in, or says how long to wait.
    ///
    /// # Errors
    /// [`Error::Throttled`] when the next try is not due yet.
    pub(crate) async fn admit_try(&self, ctx: &Ctx, key: Key) -> Result<Try, Error> {
        let kept = self.kept_failures(ctx, &key).await?;
        self.throttle().admit(key, kept, ctx.now())
    }

    /// Under which key the tries for a name are counted.
    pub(crate) fn throttle_key(&self, name: &str) -> Key {
        self.store().mac("sign-in throttle", name::fold(name).as_bytes())
    }

    /// Under which key the tries within the sessions of `user` are counted.
    pub(crate) fn proof_key(&self, user: UserId) -> Key {
        self.store().mac("step-up throttle", user.0.as_bytes())
    }

    /// How often a name was tried wrongly, as the store remembers it.
    async fn kept_failures(&self, ctx: &Ctx, key: &Key) -> Result<Count, Error> {
        let permit = permits::authenticate(&permits::authenticating(ctx))?;
        let (failures, last) = credentials::failures(self.store(), &permit, key).await?;
        Ok(Count { failures, last })
    }
}

fn make_room(counts: &mut HashMap<Key, Count>, key: Key, now: Timestamp) {
    if counts.len() < MOST_NAMES || counts.contains_key(&key) {
        return;
    }
    counts.retain(|_, count| !count.forgotten(now));
    while counts.len() >= MOST_NAMES {
        let least = counts.iter().min_by_key(|(_, count)| (count.failures, count.last)).map(|(key, _)| *key);
        let Some(least) = least else { break };
        counts.remove(&least);
    }
}

#[cfg(test)]
mod tests {
    use domain::verifies;

    use super::*;

    const KEY: Key = [1; 32];

    fn at(seconds: i64) -> Timestamp {
        Timestamp(1_800_000_000_000_000).plus_seconds(seconds)
    }

    fn wait(throttle: &Throttle, now: Timestamp) -> Option<u32> {
        match throttle.admit(KEY, Count::default(), now) {
            Ok(_) => None,
            Err(Error::Throttled { retry_after_s }) => Some(retry_after_s),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn after_the_free_failures_each_try_waits_twice_as_long_up_to_a_quarter_of_an_hour() {
        let _proof = verifies!(AUT06);
        let throttle = Throttle::new(5);
        let mut now = at(0);
        for _ in 0..5 {
            assert_eq!(wait(&throttle, now), None);
        }
        for expected in [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
            assert_eq!(wait(&throttle, now), Some(expected));
            now = now.plus_seconds(i64::from(expected) - 1);
            assert_eq!(wait(&throttle, now), Some(1));
            now = now.plus_seconds(1);
            assert_eq!(wait(&throttle, now), None);
        }
    }

    #[test]
    fn guesses_sent_at_once_are_counted_one_by_one() {
        let throttle = Throttle::new(5);
        let admitted = (0..1000).filter(|_| wait(&throttle, at(0)).is_none()).count();
        assert_eq!(admitted, 5);
    }

    #[test]
    fn a_right_try_leaves_the_count_as_it_was_and_success_clears_it() {
        let throttle = Throttle::new(2);
        for _ in 0..3 {
            let one = throttle.admit(KEY, Count::default(), at(0)).unwrap();
            throttle.give_back(&one);
        }
        assert_eq!(wait(&throttle, at(0)), None);
        assert_eq!(wait(&throttle, at(0)), None);
        assert_eq!(wait(&throttle, at(0)), Some(2));
        let one = throttle.admit(KEY, Count::default(), at(2)).unwrap();
        throttle.give_back(&one);
        // The wait before it is over, so the next step of the same person is let in at once.
        assert!(throttle.admit(KEY, Count::default(), at(2)).is_ok());
        throttle.clear(&KEY);
        assert_eq!(wait(&throttle, at(3)), None);
    }

    #[test]
    fn what_the_store_kept_counts_after_a_restart() {
        let throttle = Throttle::new(5);
        let kept = Count { failures: 9, last: at(0) };
        assert!(matches!(throttle.admit(KEY, kept, at(1)), Err(Error::Throttled { retry_after_s: 31 })));
    }

    #[test]
    fn a_day_without_failures_forgets() {
        let throttle = Throttle::new(1);
        let kept = Count { failures: 30, last: at(0) };
        assert!(throttle.admit(KEY, kept, at(24 * 3600 - 1)).is_ok());
        let throttle = Throttle::new(1);
        let one = throttle.admit(KEY, kept, at(24 * 3600)).unwrap();
        assert_eq!(one.before, Count::default());
    }

    #[test]
    fn memory_is_bounded_however_many_names_are_tried() {
        let throttle = Throttle::new(5);
        for n in 0..(MOST_NAMES as u64 + 50) {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&n.to_be_bytes());
            let _ = throttle.admit(key, Count::default(), at(i64::try_from(n).unwrap_or(0)));
        }
        assert_eq!(throttle.counts().len(), MOST_NAMES);
    }

    #[test]
    fn a_flood_of_names_does_not_wash_away_the_count_of_one_that_waits() {
        let throttle = Throttle::new(5);
        while wait(&throttle, at(0)).is_none() {}
        for n in 1..=(MOST_NAMES as u64 + 50) {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&n.to_be_bytes());
            let _ = throttle.admit(key, Count::default(), at(1));
        }
        assert_eq!(wait(&throttle, at(1)), Some(1), "still waiting");
        assert_eq!(throttle.counts().len(), MOST_NAMES);
    }
}
