//! Calls: a person talks, the assistant listens, thinks and talks back.
//!
//! `web` opens one with [`Assistant::call`] and translates between its wire and the closed enums of
//! [`domain::voice`]; [`session`] is the task that holds it. A call is an ordinary conversation whose turns are
//! spoken. Invariants: nothing is opened when there is no room; a call ends with the session it was opened
//! in, and is held only on the basis it was opened on; the first thing anybody hears is that an AI speaks; no stall is silent; sound is wiped when it is not
//! needed any more.

mod clauses;
mod consent;
mod gate;
mod lines;
mod meter;
mod mouth;
mod played;
mod reply;
mod running;
mod session;
mod tape;
mod tools;
mod watching;

use domain::{
    Action, Actor, Ctx, Resource, authorize,
    consent::Basis,
    enforced,
    id::{CallId, ConversationId},
    voice::{Command, Event, Way},
};
pub(crate) use gate::Gate;
pub(crate) use running::Register;
pub use running::{RunningCall, Speaker, Words};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
pub use watching::{Seen, Watching};

use crate::{
    Assistant, Error,
    rights::{self, TurnRights},
    turn::Place,
};
use meter::Meter;
use session::{Hears, Session};

/// Commands that may wait for the engine: some seconds of sound in ordinary pieces.
const COMMANDS: usize = 128;
/// Events that may wait for the client.
const EVENTS: usize = 256;

/// How a call is opened.
pub struct Opening {
    /// Where its conversation is kept.
    pub keeping: Keeping,
    /// Why it may be held at all.
    pub basis: Basis,
    /// Whether it is a call of the voice desk: its tools serve customers, and its staff may follow it. Any other
    /// call has none of these tools and is nobody's but its person's.
    pub desk: bool,
    /// Ends the call when it fires: the session it was opened in has ended, its ticket was withdrawn, or what its
    /// person agreed to was taken back.
    pub ended: CancellationToken,
}

/// Where a call's conversation is kept: an existing one, or a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// Sealed in the store.
    Kept(Option<ConversationId>),
    /// In memory alone. A new one goes with the call.
    Temporary(Option<ConversationId>),
}

/// A call that has been opened. Dropping either end of it hangs up.
#[derive(Debug)]
pub struct Call {
    /// Its name in logs.
    pub id: CallId,
    /// Its conversation.
    pub place: Place,
    /// What the client asks.
    pub commands: mpsc::Sender<Command>,
    /// What the client is told, until [`Event::Ended`].
    pub events: mpsc::Receiver<Event>,
}

/// The chat of a call that has none of its own. It goes with the call, however that ends: nothing of it can be
/// read or watched any more.
struct OwnChat {
    house: Assistant,
    chat: ConversationId,
}

impl Drop for OwnChat {
    fn drop(&mut self) {
        self.house.0.temporary.drop_own(self.chat);
        self.house.0.seats.forget(|turn| turn.conversation == self.chat);
    }
}

impl Assistant {
    /// Opens a call for the person behind `ctx`. It begins with the first [`Command::Configure`].
    ///
    /// # Errors
    /// [`Error::Denied`]; [`Error::NotAgreed`] without the consent it takes; [`Error::Busy`] when there are too many calls; [`Error::UsedUp`] when the person's
    /// quota of voice is; [`Error::Model`] while nothing hears or speaks; [`Error::NotFound`] when the
    /// conversation is not there; [`Error::TemporaryOnly`], [`Error::Full`], [`Error::Closing`].
    pub async fn call(&self, ctx: &Ctx, opening: Opening) -> Result<Call, Error> {
        let listens = rights::speaks(ctx)?;
        self.may_hold(&ctx.actor, &opening.basis, opening.keeping)?;
        if opening.desk {
            authorize(ctx, Action::HoldDesk, Resource::Instance).inspect_err(|_| {
                enforced!(DSK01);
            })?;
        }
        let pass = self.0.calls.enter(rights::person(ctx)?)?;
        let speech = self.speech();
        // One ear follows the sound while the other judges a pause.
        let (ear, judge) = (speech.hearing(&listens).await?, speech.hearing(&listens).await?);
        let hears = Hears { permit: listens, basis: opening.basis, ear, judge: judge.into() };
        // Before there is a place: a refusal leaves no chat behind.
        let meter = Meter::begin(self, ctx).await?;
        let (place, rights) = match self.place_of_call(ctx, opening.keeping).await {
            Ok(found) => found,
            Err(refused) => {
                meter.give_back(self).await;
                return Err(refused);
            }
        };
        let own = matches!(opening.keeping, Keeping::Temporary(None))
            .then(|| OwnChat { house: self.clone(), chat: place.conversation() });
        let (commands, asked) = mpsc::channel(COMMANDS);
        let (told, events) = mpsc::channel(EVENTS);
        let id = CallId::fresh(ctx);
        let way = if matches!(ctx.actor, Actor::ApiKey { .. }) { Way::Program } else { Way::Page };
        let desk = opening.desk.then(|| self.0.running.enter(id, ctx.now(), way));
        let session = Session::new(self.clone(), ctx.clone(), id, place, rights, hears, meter, told, desk);
        self.0.tasks.spawn(async move {
            // In a box: a call is mostly what it holds.
            Box::pin(session.run(asked, opening.ended, &pass)).await;
            drop(own);
            drop(pass);
        });
        Ok(Call { id, place, commands, events })
    }

    /// How many calls are held.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.0.calls.count()
    }

    async fn place_of_call(&self, ctx: &Ctx, keeping: Keeping) -> Result<(Place, TurnRights), Error> {
        match keeping {
            Keeping::Kept(existing) => {
                self.may_keep(ctx)?;
                let id = match existing {
                    Some(id) => self.open(ctx, id).await?.conversation.id,
                    None => self.begin(ctx).await?,
                };
                Ok((Place::Kept(id), TurnRights::of(ctx)?))
            }
            Keeping::Temporary(Some(id)) => {
                self.open_temporary(ctx, id)?;
                Ok((Place::Temporary(id), TurnRights::of(ctx)?))
            }
            // Whoever may ask may ask aloud: nothing of it is kept.
            Keeping::Temporary(None) => {
                let rights = TurnRights::unkept(ctx)?;
                Ok((Place::Temporary(self.0.temporary.begin_own(ctx, rights::person(ctx)?)?), rights))
            }
        }
    }
}
