//! Staff of the voice desk and its calls: see those that run, read along, take over, give back, end; and how others ended.
//!
//! `web` calls this for people. Invariants: a right of its own opens what is said, and each beginning of reading along is
//! in the audit log before the first word; at most one person holds a call, and only while they read along in it.

use std::sync::Arc;

use domain::{
    Action, Actor, Ctx, Job, Resource,
    audit::{Act, Entry},
    authorize, enforced,
    id::{CallId, UserId},
    voice::Category,
};
use store::desk_calls::{self, EndedCall};
use tokio::sync::{broadcast::error::RecvError, watch};
use zeroize::Zeroizing;

use super::running::{Line, Look, Order, RunningCall, Words};
use crate::{Assistant, Error, rights};

/// Longest text staff say at once, in bytes.
const MOST_SAID: usize = 2_000;
/// Ended calls a list shows.
const LISTED: u32 = 100;

/// What somebody who reads along is told next.
#[derive(Debug)]
pub enum Seen {
    /// Somebody says something.
    Words(Arc<Words>),
    /// The call does something else now, or somebody else looks on or holds it.
    Changed(RunningCall),
    /// Words went by faster than they were read.
    Missed,
    /// The call has ended. Nothing comes after it.
    Ended,
}

/// Somebody reads along in a call. Dropping it is looking away.
pub struct Watching {
    line: Arc<Line>,
    look: Look,
    ctx: Ctx,
    first: bool,
    ended: bool,
}

impl Watching {
    /// What comes next; `None` after the end.
    pub async fn next(&mut self) -> Option<Seen> {
        if std::mem::take(&mut self.first) {
            return Some(Seen::Changed(seen_by(&self.ctx, self.line.facts())));
        }
        if self.ended {
            return None;
        }
        tokio::select! {
            biased;
            said = self.look.words.recv() => Some(match said {
                Ok(words) => Seen::Words(words),
                Err(RecvError::Lagged(_)) => Seen::Missed,
                Err(RecvError::Closed) => self.end(),
            }),
            () = self.look.over.cancelled() => Some(self.end()),
            Ok(()) = self.look.news.changed() => Some(Seen::Changed(seen_by(&self.ctx, self.line.facts()))),
        }
    }

    const fn end(&mut self) -> Seen {
        self.ended = true;
        Seen::Ended
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.line.look_away(self.look.number);
    }
}

impl Assistant {
    /// The calls of the voice desk that run, the oldest first.
    ///
    /// # Errors
    /// [`Error::Denied`].
    pub fn running_calls(&self, ctx: &Ctx) -> Result<Vec<RunningCall>, Error> {
        authorize(ctx, Action::SeeCalls, Resource::Instance)?;
        let mut calls: Vec<_> = self.0.running.all().iter().map(|line| seen_by(ctx, line.facts())).collect();
        calls.sort_unstable_by_key(|call| (call.since, call.id));
        Ok(calls)
    }

    /// Tells whenever a running call of the desk changes, comes or goes.
    ///
    /// # Errors
    /// [`Error::Denied`].
    pub fn running_calls_change(&self, ctx: &Ctx) -> Result<watch::Receiver<()>, Error> {
        authorize(ctx, Action::SeeCalls, Resource::Instance)?;
        Ok(self.0.running.changes())
    }

    /// One of them.
    ///
    /// # Errors
    /// [`Error::Denied`]; [`Error::NotFound`] when it has ended, or is none of the desk's.
    pub fn running_call(&self, ctx: &Ctx, id: CallId) -> Result<RunningCall, Error> {
        authorize(ctx, Action::SeeCalls, Resource::Instance)?;
        Ok(seen_by(ctx, self.0.running.find(id)?.facts()))
    }

    /// Begins to read along. What was said before is not there any more.
    ///
    /// # Errors
    /// [`Error::Denied`]; [`Error::NotFound`] when the call has ended, or is none of the desk's; [`Error::Full`];
    /// [`Error::Store`] when it cannot be written down.
    pub async fn watch_call(&self, ctx: &Ctx, id: CallId) -> Result<Watching, Error> {
        let (line, user) = self.of_desk(ctx, id)?;
        // Written down before anything is shown.
        enforced!(DSK02);
        self.note(ctx, Act::CallWatched, id).await?;
        let look = line.look(user)?;
        self.0.running.counts_follower();
        Ok(Watching { line, look, ctx: ctx.clone(), first: true, ended: false })
    }

    /// Takes a call over: from now on the agent says what this person writes, and nothing else.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::NotFound`]; [`Error::NotHeld`] for who does not read along;
    /// [`Error::HeldByAnother`]; [`Error::Store`].
    pub async fn hold_call(&self, ctx: &Ctx, id: CallId) -> Result<(), Error> {
        let (line, user) = self.of_desk(ctx, id)?;
        if line.is_held_by(user) {
            return Ok(());
        }
        line.reserve(user).inspect_err(|_| {
            enforced!(DSK03);
        })?;
        if let Err(error) = self.note(ctx, Act::CallTakenOver, id).await {
            line.let_go(user);
            return Err(error);
        }
        line.hold(user);
        Ok(())
    }

    /// Gives a call back to the agent.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::NotFound`], [`Error::NotHeld`], [`Error::Store`].
    pub async fn hand_call_back(&self, ctx: &Ctx, id: CallId) -> Result<(), Error> {
        let (line, user) = self.held(ctx, id)?;
        self.note(ctx, Act::CallHandedBack, id).await?;
        line.let_go(user);
        Ok(())
    }

    /// Has something said in a call that one holds.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::NotFound`], [`Error::NotHeld`]; [`Error::Empty`], [`Error::TooLong`];
    /// [`Error::Busy`] when the call has not said all of what was written before.
    pub fn say_in_call(&self, ctx: &Ctx, id: CallId, text: Zeroizing<String>) -> Result<(), Error> {
        let (line, user) = self.held(ctx, id)?;
        if text.trim().is_empty() {
            return Err(Error::Empty);
        }
        if text.len() > MOST_SAID {
            return Err(Error::TooLong { what: "what is said", limit: MOST_SAID, unit: "bytes" });
        }
        line.order(Order::Say(user, text))
    }

    /// Ends a call that one holds, with a goodbye.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::NotFound`], [`Error::NotHeld`], [`Error::Busy`], [`Error::Store`].
    pub async fn end_call(&self, ctx: &Ctx, id: CallId) -> Result<(), Error> {
        let (line, user) = self.held(ctx, id)?;
        self.note(ctx, Act::CallEndedByStaff, id).await?;
        line.order(Order::End(user))
    }

    /// How often somebody began to read along since this instance was started.
    #[must_use]
    pub fn followed_calls(&self) -> u64 {
        self.0.running.followed()
    }

    /// The calls of the desk that ended last.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::Store`].
    pub async fn ended_calls(&self, ctx: &Ctx) -> Result<Vec<EndedCall>, Error> {
        let permit = authorize(ctx, Action::SeeCalls, Resource::Instance)?;
        Ok(desk_calls::list(&self.0.store, &permit, LISTED).await?)
    }

    /// Says what a call that ended was about.
    ///
    /// # Errors
    /// [`Error::Denied`]; [`Error::NotFound`]; [`Error::Store`].
    pub async fn sort_call(&self, ctx: &Ctx, id: CallId, category: Category) -> Result<(), Error> {
        let permit = authorize(ctx, Action::WatchCalls, Resource::Instance)?;
        let mut tx = self.0.store.begin(ctx).await?;
        desk_calls::sort(&mut tx, &permit, id, category).await?;
        tx.commit(Entry::new(Act::CallSorted, id)).await?;
        Ok(())
    }

    /// Forgets how calls ended whose time is over.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::Store`].
    pub async fn sweep_ended_calls(&self, ctx: &Ctx) -> Result<u64, Error> {
        let permit = authorize(ctx, Action::WriteInstance, Resource::Instance)?;
        let days = i64::from(self.0.desk.numbers.desk_call_days);
        let mut tx = self.0.store.begin(ctx).await?;
        let cleared =
            desk_calls::clear(&mut tx, &permit, ctx.now().plus_seconds(-days * 24 * 60 * 60)).await?;
        if cleared > 0 {
            enforced!(DSK04);
            let count = usize::try_from(cleared).unwrap_or(usize::MAX);
            tx.commit(Entry::new(Act::Swept, "").times(count)).await?;
        }
        Ok(cleared)
    }

    /// Keeps how a call ended.
    pub(super) async fn keep_ended(&self, ctx: &Ctx, call: &EndedCall) -> Result<(), Error> {
        let ctx = ctx.acting_as(Actor::System(Job::Desk));
        let permit = authorize(&ctx, Action::HoldDesk, Resource::Instance)?;
        let mut tx = self.0.store.begin(&ctx).await?;
        desk_calls::keep(&mut tx, &permit, call).await?;
        tx.commit(Entry::new(Act::CallEnded, call.id)).await?;
        Ok(())
    }

    /// A running call of the desk, for who may know what is said in it.
    fn of_desk(&self, ctx: &Ctx, id: CallId) -> Result<(Arc<Line>, UserId), Error> {
        authorize(ctx, Action::WatchCalls, Resource::Instance).inspect_err(|_| {
            enforced!(DSK02);
        })?;
        Ok((self.0.running.find(id)?, rights::person(ctx)?))
    }

    fn held(&self, ctx: &Ctx, id: CallId) -> Result<(Arc<Line>, UserId), Error> {
        let (line, user) = self.of_desk(ctx, id)?;
        if !line.is_held_by(user) {
            enforced!(DSK03);
            return Err(Error::NotHeld);
        }
        Ok((line, user))
    }

    pub(super) async fn note(&self, ctx: &Ctx, act: Act, id: CallId) -> Result<(), Error> {
        let tx = self.0.store.begin(ctx).await?;
        tx.commit(Entry::new(act, id)).await?;
        Ok(())
    }
}

/// A call as whoever acts in `ctx` may see it: which customer it serves is for those who open records.
fn seen_by(ctx: &Ctx, call: RunningCall) -> RunningCall {
    let may = authorize(ctx, Action::ReadCustomers, Resource::Instance).is_ok();
    RunningCall { customer: call.customer.filter(|_| may), ..call }
}
