//! Seconds of voice, taken from the person's quota as a call goes on: a slice ahead, corrected at the end.

use std::time::Duration;

use domain::enforced;
use tokio::time::Instant;

use crate::{Assistant, Error, bounds::Charge};

/// How many seconds are taken at once.
const SLICE_S: u64 = 15;
/// How long before a slice is used up the next is taken.
const AHEAD: Duration = Duration::from_secs(3);

/// The meter of one call.
pub(super) struct Meter {
    began: Instant,
    /// The last slice and how many were taken; `None` for those who have no quota.
    taken: Option<(Charge, u64)>,
}

impl Meter {
    /// Takes the first slice.
    ///
    /// # Errors
    /// [`Error::UsedUp`] when there is nothing left.
    pub(super) async fn begin(house: &Assistant, ctx: &domain::Ctx) -> Result<Self, Error> {
        let charge = taken(house.charge_voice(ctx, SLICE_S).await)?;
        Ok(Self { began: Instant::now(), taken: charge.map(|charge| (charge, 1)) })
    }

    /// When the next slice is due; `None`: never.
    pub(super) fn due(&self) -> Option<Instant> {
        let (_, slices) = self.taken.as_ref()?;
        Some(self.began + Duration::from_secs(SLICE_S * slices) - AHEAD)
    }

    /// Takes the next slice.
    ///
    /// # Errors
    /// [`Error::UsedUp`] when there is nothing left.
    pub(super) async fn go_on(&mut self, house: &Assistant, ctx: &domain::Ctx) -> Result<(), Error> {
        let Some((last, slices)) = &mut self.taken else { return Ok(()) };
        if let Some(charge) = taken(house.charge_voice(ctx, SLICE_S).await)? {
            (*last, *slices) = (charge, *slices + 1);
        }
        Ok(())
    }

    /// Gives back everything: there was no call.
    pub(super) async fn give_back(self, house: &Assistant) {
        if let Some((only, _)) = self.taken {
            house.settle_voice(only, 0).await;
        }
    }

    /// Gives back what of the last slice was not used.
    pub(super) async fn end(self, house: &Assistant) {
        let Some((last, slices)) = self.taken else { return };
        let used = self.began.elapsed().as_secs_f64().ceil() as u64;
        let of_last = used.saturating_sub(SLICE_S * (slices - 1)).min(SLICE_S);
        house.settle_voice(last, of_last).await;
    }
}

/// Notes that there was nothing to be taken.
fn taken(charge: Result<Option<Charge>, Error>) -> Result<Option<Charge>, Error> {
    if matches!(charge, Err(Error::UsedUp { .. })) {
        enforced!(VOI03);
    }
    charge
}
