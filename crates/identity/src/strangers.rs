//! What strangers do without naming anybody we know: counted one by one, noted once a minute.
//!
//! Called by sign-in, by the reset of passwords and by the sweep. Names and addresses can be made up without
//! end, and the audit log is never cut; an entry for each would let anybody fill the disk. The invariants:
//! every such try costs its small write, as one that names somebody costs its writes; the log gains
//! at most one entry of a kind a minute; the entries together say how many there were, restarts included.

use domain::{
    Action, Actor, Ctx, Denied, Job, Resource, Timestamp,
    access::Permit,
    audit::{Act, Entry},
    authorize,
    id::UserId,
};
use store::{Tx, credentials, settings};

use crate::{
    Error, Identity, permits,
    throttle::{FORGOTTEN_AFTER_S, Key},
};

/// What is tallied.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    /// Under which key the store keeps the tally.
    key: &'static str,
    act: Act,
}

/// Wrong tries for names nobody has, and for passkeys and services that name nobody.
pub(crate) const SIGN_INS: Kind = Kind { key: "sign-in tries for unknown names", act: Act::SignInFailed };
/// Resets asked for with addresses nobody has confirmed.
pub(crate) const RESETS: Kind = Kind { key: "resets asked for unknown addresses", act: Act::ResetRequested };
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
    /// Counts something of a stranger's.
    pub(crate) async fn note_stranger(&self, ctx: &Ctx, kind: Kind) -> Result<(), Error> {
        let tx = self.store().begin(ctx).await?;
        self.count_stranger(tx, ctx, kind).await
    }

    /// Writes down a wrong try for a name: in the count that makes further ones wait, and in the log. A name
    /// nobody has costs one durable write as well.
    pub(crate) async fn note_failure(&self, ctx: &Ctx, key: &Key, user: Option<UserId>) -> Result<(), Error> {
        let ctx = &permits::authenticating(ctx);
        let (permit, now) = (permits::authenticate(ctx)?, ctx.now());
        let mut tx = self.store().begin(ctx).await?;
        let forgotten = now.plus_seconds(-FORGOTTEN_AFTER_S);
        credentials::record_failure(&mut tx, &permit, key, forgotten, now).await?;
        match user {
            Some(user) => Ok(tx.commit(Entry::new(Act::SignInFailed, user)).await?),
            None => self.count_stranger(tx, ctx, SIGN_INS).await,
        }
    }

    /// Writes the entries that are due, when nobody came since to bring them along.
    ///
    /// # Errors
    /// [`Error::Store`] when the store cannot answer.
    pub async fn note_last_strangers(&self, ctx: &Ctx) -> Result<(), Error> {
        for kind in [SIGN_INS, RESETS] {
            if self.tally(kind).await?.due(ctx.now()) {
                let tx = self.store().begin(ctx).await?;
                let tally = self.tally(kind).await?;
                keep(tx, ctx, kind, tally).await?;
            }
        }
        Ok(())
    }

    async fn count_stranger(&self, tx: Tx, ctx: &Ctx, kind: Kind) -> Result<(), Error> {
        // Writers are serial and this one holds the turn, so what is read stands until the commit.
        let mut tally = self.tally(kind).await?;
        tally.tries = tally.tries.saturating_add(1);
        keep(tx, ctx, kind, tally).await
    }

    async fn tally(&self, kind: Kind) -> Result<Tally, Error> {
        let kept = settings::get(self.store(), kind.key).await?;
        Ok(kept.map_or(Tally::NONE, |text| Tally::read(&text)))
    }
}

/// Keeps `tally`, or notes and empties it when its minute is over.
async fn keep(mut tx: Tx, ctx: &Ctx, kind: Kind, tally: Tally) -> Result<(), Error> {
    let (permit, now) = (counting(ctx)?, ctx.now());
    if !tally.due(now) {
        settings::set(&mut tx, &permit, kind.key, &tally.written()).await?;
        return Ok(tx.commit_unaudited("something of a stranger's; its entry follows").await?);
    }
    settings::set(&mut tx, &permit, kind.key, &Tally { tries: 0, noted: now }.written()).await?;
    let tries = usize::try_from(tally.tries).unwrap_or(usize::MAX);
    Ok(tx.commit(Entry::new(kind.act, "").times(tries)).await?)
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
