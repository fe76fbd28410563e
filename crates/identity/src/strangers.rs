//! Wrong tries for names nobody has: counted one by one, noted once a minute.
//!
//! Called by sign-in and the sweep. Names can be made up without end, and the audit log is never cut;
//! an entry for each would let anybody fill the disk. The invariants: every such try costs one write
//! of one and the same small row, as a wrong password of an account costs its writes; the log gains at
//! most one entry a minute; the entries together say how many tries there were, restarts included.

use domain::{
    Action, Actor, Ctx, Denied, Job, Resource, Timestamp,
    access::Permit,
    audit::{Act, Entry},
    authorize,
};
use store::{Tx, settings};

use crate::{Error, Identity};

/// Under which key the store keeps the tally.
const KEY: &str = "sign-in tries for unknown names";
/// Seconds between two entries.
const EVERY_S: i64 = 60;

/// What is counted and not in the log yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tally {
    /// Tries since the last entry.
    tries: u32,
    /// When that was.
    noted: Timestamp,
}

impl Tally {
    const NONE: Self = Self { tries: 0, noted: Timestamp(i64::MIN) };

    /// Reads what [`Tally::written`] wrote; anything else counts as nothing.
    fn read(text: &str) -> Self {
        let read = || {
            let (tries, noted) = text.split_once(' ')?;
            Some(Self { tries: tries.parse().ok()?, noted: Timestamp(noted.parse().ok()?) })
        };
        read().unwrap_or(Self::NONE)
    }

    fn written(self) -> String {
        format!("{} {}", self.tries, self.noted.0)
    }

    /// Whether an entry is to be written. A clock set back does not silence the log.
    fn due(self, now: Timestamp) -> bool {
        self.tries > 0 && !(0..EVERY_S).contains(&now.seconds_since(self.noted))
    }
}

impl Identity {
    /// Counts a wrong try for a name nobody has.
    pub(crate) async fn note_stranger(&self, ctx: &Ctx) -> Result<(), Error> {
        let tx = self.store().begin(ctx).await?;
        // Writers are serial and this one holds the turn, so what is read stands until the commit.
        let mut tally = self.strangers().await?;
        tally.tries = tally.tries.saturating_add(1);
        keep(tx, ctx, tally).await
    }

    /// Writes the entry that is due, when nobody came since to bring it along.
    pub(crate) async fn note_last_strangers(&self, ctx: &Ctx) -> Result<(), Error> {
        if !self.strangers().await?.due(ctx.now()) {
            return Ok(());
        }
        let tx = self.store().begin(ctx).await?;
        let tally = self.strangers().await?;
        keep(tx, ctx, tally).await
    }

    async fn strangers(&self) -> Result<Tally, Error> {
        let kept = settings::get(self.store(), KEY).await?;
        Ok(kept.map_or(Tally::NONE, |text| Tally::read(&text)))
    }
}

/// Keeps `tally`, or notes and empties it when its minute is over.
async fn keep(mut tx: Tx, ctx: &Ctx, tally: Tally) -> Result<(), Error> {
    let (permit, now) = (counting(ctx)?, ctx.now());
    if !tally.due(now) {
        settings::set(&mut tx, &permit, KEY, &tally.written()).await?;
        return Ok(tx.commit_unaudited("a wrong try for an unknown name; its entry follows").await?);
    }
    settings::set(&mut tx, &permit, KEY, &Tally { tries: 0, noted: now }.written()).await?;
    let tries = usize::try_from(tally.tries).unwrap_or(usize::MAX);
    Ok(tx.commit(Entry::new(Act::SignInFailed, "").times(tries)).await?)
}

/// The permit to keep the tally, which is the instance's and no person's.
fn counting(ctx: &Ctx) -> Result<Permit, Denied> {
    authorize(&ctx.acting_as(Actor::System(Job::Upkeep)), Action::WriteInstance, Resource::Instance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_is_read_as_it_was_written() {
        let tally = Tally { tries: 7, noted: Timestamp(1_800_000_000_000_000) };
        assert_eq!(Tally::read(&tally.written()), tally);
        assert_eq!(Tally::read(&Tally::NONE.written()), Tally::NONE);
        for damaged in ["", "7", "x 1", "7 x", "-1 1"] {
            assert_eq!(Tally::read(damaged), Tally::NONE, "{damaged}");
        }
    }

    #[test]
    fn an_entry_is_due_after_a_minute_and_when_the_clock_was_set_back() {
        let tally = Tally { tries: 1, noted: Timestamp(0) };
        let at = |seconds| Timestamp(0).plus_seconds(seconds);
        assert!(!tally.due(at(0)) && !tally.due(at(59)));
        assert!(tally.due(at(60)) && tally.due(at(-1)));
        assert!(!Tally { tries: 0, ..tally }.due(at(60)));
        assert!(Tally { tries: 1, ..Tally::NONE }.due(at(0)));
    }
}
