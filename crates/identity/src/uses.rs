//! Which administrative rights were used lately, so that a review can say what is needed.
//!
//! The gate notes, the sweep writes down. At most one note an hour for each person and right; a note lost with
//! the process costs an hour of "last used" and nothing else.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use domain::{Action, Actor, Ctx, Resource, Timestamp, access::Question, authorize, id::UserId};
use store::roles;

use crate::{Error, Identity, touches};

/// Seconds between two notes about the same person and right.
const EVERY_S: i64 = 60 * 60;

/// One use.
#[derive(Clone, Copy, Debug)]
struct Use {
    user: UserId,
    action: Action,
    at: Timestamp,
}

/// What was noted within the last hour, and what of it is not written down yet.
#[derive(Default)]
pub(crate) struct Uses(Mutex<Notes>);

#[derive(Default)]
struct Notes {
    noted: HashMap<(UserId, Action), Timestamp>,
    waiting: Vec<Use>,
}

impl Uses {
    /// Notes that the person who asks used an administrative right.
    pub(crate) fn note(&self, question: &Question<'_>) {
        let Actor::Person { user, .. } = question.ctx.actor else { return };
        let (action, at) = (question.action, question.ctx.now());
        let recent = |noted: Timestamp| (0..EVERY_S).contains(&at.seconds_since(noted));
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if notes.noted.get(&(user, action)).is_some_and(|noted| recent(*noted)) {
            return;
        }
        notes.noted.retain(|_, noted| recent(*noted));
        notes.noted.insert((user, action), at);
        notes.waiting.push(Use { user, action, at });
    }

    fn take(&self) -> Vec<Use> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).waiting)
    }
}

impl Identity {
    /// Writes down which administrative rights were used since the last round.
    ///
    /// # Errors
    /// [`Error::Store`]; what was to be written is then lost, and the next use says it again in an hour.
    pub(crate) async fn write_uses(&self, ctx: &Ctx) -> Result<(), Error> {
        let uses = self.uses().take();
        if uses.is_empty() {
            return Ok(());
        }
        let permit = authorize(ctx, Action::WriteInstance, Resource::Instance)?;
        let mut tx = self.store().begin(ctx).await?;
        for one in uses {
            roles::note_use(&mut tx, &permit, one.user, one.action, one.at).await?;
        }
        Ok(touches::keep(tx).await?)
    }
}
