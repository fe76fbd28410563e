//! What staff of the voice desk have to do with a call: they read along, hold it in the agent's place, end it.
//!
//! Only in calls that were opened as the desk's; in any other [`Side`] is empty and nothing here does anything.
//! Invariants: the caller is told whenever staff begin or cease to read along or to hold the call; while a call is held
//! the agent answers nothing by itself; one whose holder is gone for [`Side::gone_since`] and some seconds goes on.

use std::time::Duration;

use domain::{
    Actor, Job,
    audit::Act,
    enforced,
    id::{ItemId, ReplyId, ToolCallId, UserId},
    voice::{CallState, Cause, Event, Outcome, ReplyEnd, Spoken, Why},
};
use store::desk_calls::EndedCall;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::Session;
use crate::{
    tools::Tool,
    voice::{
        lines,
        running::{OnDesk, Order, Speaker, Staff},
    },
};

/// The call's side of the desk.
pub(super) struct Side {
    desk: Option<OnDesk>,
    /// What was last acted upon.
    known: Staff,
    /// Since when whoever holds the call is not there.
    gone_since: Option<Instant>,
    /// The reply that says what staff wrote.
    speaks: Option<ReplyId>,
    course: Course,
}

/// What matters of the course of a call for how it ended.
#[derive(Clone, Copy, Default)]
struct Course {
    /// Whether the last thing the caller said was answered to its end.
    answered: bool,
    /// Whether an appointment was made.
    appointment: bool,
    /// Whether staff held the call.
    held: bool,
}

impl Course {
    /// How a call of this course ended, when it did for this reason.
    const fn outcome(self, why: Why) -> Outcome {
        match why {
            Why::Failed(_) | Why::SessionEnded | Why::Closing => Outcome::Failed,
            _ if self.held => Outcome::HandedOver,
            Why::HandedOver | Why::Staff => Outcome::HandedOver,
            _ if self.appointment => Outcome::AppointmentMade,
            Why::Agent => Outcome::Answered,
            _ if self.answered => Outcome::Answered,
            Why::HungUp | Why::Idle => Outcome::EndedByCaller,
            Why::TooLong | Why::UsedUp => Outcome::Failed,
        }
    }
}

impl Side {
    pub(super) fn new(desk: Option<OnDesk>) -> Self {
        Self { desk, known: Staff::default(), gone_since: None, speaks: None, course: Course::default() }
    }

    /// What staff ask next; nothing ever, where there is no desk.
    pub(super) async fn order(&mut self) -> Order {
        if let Some(desk) = &mut self.desk
            && let Some(order) = desk.order().await
        {
            return order;
        }
        std::future::pending().await
    }
}

impl Session {
    /// Whether this is a call of the desk.
    pub(super) const fn is_desk(&self) -> bool {
        self.staff.desk.is_some()
    }

    /// Whether a member of staff holds the call.
    pub(super) const fn is_held(&self) -> bool {
        self.staff.known.holder.is_some()
    }

    /// Staff ask something.
    pub(super) async fn ordered(&mut self, order: Order) {
        self.look_at_staff().await;
        let holder = self.staff.known.holder;
        let holds = |user: UserId| holder == Some(user);
        match order {
            Order::Say(user, text) if holds(user) && self.may_say(&text) => {
                self.say(&text, Cause::Staff, false);
            }
            Order::End(user) if holds(user) => self.say_goodbye(lines::STAFF_ENDS, Why::Staff).await,
            Order::Look | Order::Say(..) | Order::End(_) => (),
        }
    }

    /// Acts upon who reads along and who holds the call now.
    async fn look_at_staff(&mut self) {
        let Some(now) = self.staff.desk.as_ref().map(OnDesk::staff) else { return };
        let before = std::mem::replace(&mut self.staff.known, now);
        if now.watch != before.watch {
            enforced!(DSK02);
            self.tell(Event::Watched { by_staff: now.watch }).await;
        }
        match (before.holder, now.holder) {
            (None, Some(_)) => self.is_taken_over().await,
            (Some(_), None) => self.is_given_back(lines::THE_AGENT).await,
            _ => (),
        }
        let gone = now.holder.is_some() && !now.present;
        self.staff.gone_since = gone.then(|| self.staff.gone_since.unwrap_or_else(Instant::now));
    }

    /// A member of staff takes the agent's place. What must be heard is still heard.
    async fn is_taken_over(&mut self) {
        enforced!(DSK03);
        self.staff.course.held = true;
        self.queue.retain(|queued| queued.insists);
        if let Some(wanted) = self.wanted.take() {
            self.not_done(domain::voice::NotDone::NothingToCancel, wanted.tag).await;
        }
        self.drop_ahead().await;
        if self.reply.as_ref().is_some_and(|reply| !reply.insists) {
            self.cut_short(ReplyEnd::Cancelled).await;
        }
        self.drop_parked();
        // Whom the agent was about to leave, a person has now.
        if matches!(self.ending, Some((Why::Agent | Why::HandedOver, _))) {
            self.ending = None;
        }
        self.tell(Event::Held { by_staff: true }).await;
        self.say(lines::A_PERSON, Cause::Engine, true);
    }

    /// The agent goes on.
    async fn is_given_back(&mut self, words: &str) {
        self.queue.retain(|queued| queued.insists);
        self.tell(Event::Held { by_staff: false }).await;
        if self.ending.is_none() {
            self.say(words, Cause::Engine, true);
            self.memory.note(ItemId::fresh(&self.ctx), self.head, Zeroizing::new(lines::GO_ON.to_owned()));
        }
    }

    /// When a call whose holder is gone goes on without them.
    pub(super) fn gone_for_good(&self) -> Option<Instant> {
        let seconds = self.house.0.desk.numbers.desk_absent_seconds;
        self.staff.gone_since.map(|since| since + Duration::from_secs(seconds.into()))
    }

    /// Goes on without a holder who is gone.
    pub(super) async fn look_at_holder(&mut self, now: Instant) {
        if self.gone_for_good().is_none_or(|at| at > now) {
            return;
        }
        self.staff.gone_since = None;
        let Some(line) = self.staff.desk.as_ref().map(|desk| std::sync::Arc::clone(desk.line())) else {
            return;
        };
        if !line.let_go_of_absent() {
            return;
        }
        enforced!(DSK03);
        let (house, id) = (self.house.clone(), line.id);
        let ctx = self.ctx.acting_as(Actor::System(Job::Desk));
        self.house.0.tasks.spawn(async move {
            if let Err(error) = house.note(&ctx, Act::CallHandedBack, id).await {
                tracing::warn!(call = %id, %error, "a call went on without its holder, and that could not be noted");
            }
        });
        self.staff.known.holder = None;
        self.is_given_back(lines::PERSON_GONE).await;
    }

    /// Shows the desk what the call is doing. Called after everything that happens.
    pub(super) fn show_staff(&self) {
        let Some(desk) = &self.staff.desk else { return };
        desk.does(if self.utterance.is_some() && self.reply.is_none() {
            CallState::Listening
        } else if self.reply.is_some() {
            CallState::Speaking
        } else if self.ahead.is_some() || self.wanted.is_some() || !self.closing.is_empty() {
            CallState::Thinking
        } else {
            CallState::Waiting
        });
    }

    /// A tool of the desk ran: an appointment may have been made, the caller may have proved to be a customer.
    pub(super) fn tool_ran(&mut self, id: ToolCallId, worked: bool) {
        self.staff.course.appointment |= worked && self.is_call_of(id, Tool::MakeAppointment);
        if let Some(desk) = &self.staff.desk
            && let Ok(caller) = self.caller.try_lock()
            && let Some(customer) = caller.customer()
        {
            desk.serves(customer);
        }
    }

    /// How the call ended, when it is the desk's.
    pub(super) fn outcome(&self, why: Why) -> Option<EndedCall> {
        let (began, way) = self.staff.desk.as_ref()?.beginning();
        let course = self.staff.course;
        Some(EndedCall {
            id: self.id,
            began,
            ended: self.ctx.now(),
            way,
            outcome: course.outcome(why),
            category: None,
            held: course.held,
        })
    }

    /// Lets those who read along see what is said.
    pub(super) fn caption(&mut self, event: &Event) {
        let Some(desk) = &self.staff.desk else { return };
        let course = &mut self.staff.course;
        match event {
            Event::UserText { item, text, finished, .. } => {
                course.answered &= !finished;
                desk.says(Speaker::Caller, *item, text);
            }
            Event::ReplyDone { end, .. } if end.usage.is_some() => {
                course.answered = end.how == ReplyEnd::Finished;
            }
            Event::ReplyBegan { reply, cause: Cause::Staff, .. } => self.staff.speaks = Some(*reply),
            Event::ReplyText { reply, item, text } => {
                let staff = self.staff.speaks == Some(*reply);
                desk.says(if staff { Speaker::Staff } else { Speaker::Agent }, *item, text);
            }
            _ => (),
        }
    }

    /// The same for what comes in writing.
    pub(super) fn caption_text(&self, item: ItemId, by: Spoken, text: &Zeroizing<String>) {
        let Some(desk) = &self.staff.desk else { return };
        match by {
            Spoken::Caller => desk.says(Speaker::Caller, item, text),
            Spoken::Agent => desk.says(Speaker::Agent, item, text),
            // Nobody hears it.
            Spoken::Application => (),
        }
    }
}
