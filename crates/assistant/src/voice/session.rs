//! The task of one call: everything that happens comes through one `select!`, one after the other.
//!
//! Begun by [`Assistant::call`](crate::Assistant::call). [`caller`] does what the caller's sound means,
//! [`commands`] what the client asks, [`turns`] what the agent says, [`rounds`] what tools do, [`staff`] what the desk's
//! staff ask. Invariants: a call has
//! one end, and says so; no event waits longer than [`UNREAD`] for a client; logs hold names, times and codes.

mod caller;
mod commands;
mod rounds;
mod staff;
mod turns;

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex as Lock},
    time::Duration,
};

use domain::{
    Ctx, Permit,
    consent::Basis,
    enforced,
    id::{CallId, ItemId, MessageId, ReplyId, ToolCallId},
    model,
    voice::{
        Command, Event, Failure, NotDone, Settings, Why,
        turn_taking::{Rules, TurnTaking},
    },
};
use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use providers::speech::{Decoder, Heard, Hearing, Samples};
use tokio::{
    sync::{Mutex, mpsc},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::{
    gate::Pass,
    lines,
    meter::Meter,
    reply::{Next, Reply},
    running::{OnDesk, Order},
    tape::Tape,
};
use crate::{
    Assistant, Caller, Error,
    rights::TurnRights,
    tools::ToolResult,
    turn::{Memory, Place, Turn},
};
use caller::{Closing, Job, Utterance};
use rounds::OpenRound;
use turns::Queued;

/// How long a client may leave its events lying.
const UNREAD: Duration = Duration::from_secs(5);
/// How long the last words of a call may take.
const FAREWELL: Duration = Duration::from_secs(20);
/// How long they may take when a model makes them.
const LAST_WORDS: Duration = Duration::from_secs(60);
/// How long a client may say how much of an interrupted reply was heard, unless a turn begins before.
const SETTLES: Duration = Duration::from_secs(2);
/// How many times nobody may answer whether they are there.
const ASKED_IN_VAIN: u8 = 2;

/// What a call needs to hear.
pub(super) struct Hears {
    pub(super) permit: Permit,
    /// What the person agreed to.
    pub(super) basis: Basis,
    /// Follows the sound.
    pub(super) ear: Hearing,
    /// Judges pauses.
    pub(super) judge: Arc<Hearing>,
}

/// Work that is under way beside the call.
enum Done {
    /// Words were recognised, by the job of this number.
    Recognised(u64, Result<Heard, providers::Error>),
    /// A pause was judged: how much speech there was before it, and how likely it is the end.
    Judged(u32, Result<f32, providers::Error>),
    /// A turn began, for this reply.
    Began(ReplyId, Result<Arc<Turn>, Error>),
    /// Something that was said was kept, as this message.
    Kept(ItemId, Result<MessageId, Error>),
    /// A tool of the desk ran.
    Ran(ToolCallId, Option<ToolResult>),
    /// More of the quota was taken, or was to be.
    Metered(Box<Meter>, Result<(), Error>),
}

/// Everything that can happen to a call.
enum Happening {
    /// The session it was opened in ended, or its person may not any more.
    Ended(Why),
    Command(Option<Command>),
    /// Staff ask something.
    Staff(Order),
    Done(Done),
    /// Of the reply that speaks.
    Speaks(Next),
    /// Of the reply that waits for its turn.
    Waits(Next),
    /// Of the turn whose reply waits for the client's tools.
    Parked(Next),
    /// There is sound to be heard.
    Sound,
    /// Something is due.
    Tick,
}

/// A reply the client asked for while something of the conversation was still on its way.
struct Wanted {
    instructions: Option<Zeroizing<String>>,
    tag: Option<u64>,
}

/// One call.
pub(super) struct Session {
    house: Assistant,
    ctx: Ctx,
    id: CallId,
    place: Place,
    rights: TurnRights,
    hears: Hears,
    events: mpsc::Sender<Event>,
    settings: Option<Arc<Settings>>,
    began: Instant,
    /// `None` while more is being taken.
    meter: Option<Meter>,
    // What is heard.
    decoder: Option<Decoder>,
    /// Sound that came and was not heard yet, and how much of it was. No command is read before it is empty.
    incoming: Option<(Zeroizing<Vec<u8>>, usize)>,
    /// Samples that are no whole frame yet.
    waiting: Samples,
    machine: TurnTaking,
    tape: Tape,
    utterance: Option<Utterance>,
    closing: VecDeque<Closing>,
    job: Option<Job>,
    jobs_begun: u64,
    /// Frames heard so far.
    frames: u64,
    /// Milliseconds of sound that came, whole or not.
    came_ms: u64,
    asked_in_vain: u8,
    // What is said.
    reply: Option<Reply>,
    ahead: Option<Reply>,
    parked: Option<Reply>,
    /// The last reply that was cut short, until it is settled, and since when.
    last: Option<(Reply, Instant)>,
    queue: VecDeque<Queued>,
    wanted: Option<Wanted>,
    memory: Arc<Memory>,
    /// Who the caller proved to be, for the desk's tools.
    caller: Arc<Mutex<Caller>>,
    rounds: Vec<OpenRound>,
    /// Calls of the client's tools that were taken back; their results are not read.
    void_calls: HashSet<ToolCallId>,
    items: HashMap<ItemId, MessageId>,
    /// Items that have had their end.
    ended_items: HashSet<ItemId>,
    /// Whether it was said aloud that an AI speaks.
    introduced: bool,
    head: Option<MessageId>,
    /// How many things that were said are being kept.
    keeping: usize,
    /// Whoever reads or writes the conversation for this call holds it.
    line: Arc<Mutex<()>>,
    /// The last turn that began.
    turn: Arc<Lock<Option<Arc<Turn>>>>,
    jobs: FuturesUnordered<BoxFuture<'static, Done>>,
    /// Why the call ends once nothing is left to be said, and the latest then.
    ending: Option<(Why, Instant)>,
    over: Option<Why>,
    /// What staff have to do with it, in a call of the desk.
    staff: staff::Side,
}

impl Session {
    #[expect(clippy::too_many_arguments, reason = "one caller; each is of another kind")]
    pub(super) fn new(
        house: Assistant,
        ctx: Ctx,
        id: CallId,
        place: Place,
        rights: TurnRights,
        hears: Hears,
        meter: Meter,
        events: mpsc::Sender<Event>,
        desk: Option<OnDesk>,
    ) -> Self {
        Self {
            house,
            ctx,
            id,
            place,
            rights,
            hears,
            events,
            settings: None,
            began: Instant::now(),
            meter: Some(meter),
            decoder: None,
            incoming: None,
            waiting: Samples::default(),
            machine: TurnTaking::new(Rules::default()),
            tape: Tape::default(),
            utterance: None,
            closing: VecDeque::new(),
            job: None,
            jobs_begun: 0,
            frames: 0,
            came_ms: 0,
            asked_in_vain: 0,
            reply: None,
            ahead: None,
            parked: None,
            last: None,
            queue: VecDeque::new(),
            wanted: None,
            memory: Arc::default(),
            // Before a model is asked it is said where it runs.
            caller: Arc::new(Mutex::new(Caller::new(model::Place::ThisMachine))),
            rounds: Vec::new(),
            void_calls: HashSet::new(),
            items: HashMap::new(),
            ended_items: HashSet::new(),
            introduced: false,
            head: None,
            keeping: 0,
            line: Arc::default(),
            turn: Arc::default(),
            jobs: FuturesUnordered::new(),
            ending: None,
            over: None,
            staff: staff::Side::new(desk),
        }
    }

    /// Holds the call to its end.
    pub(super) async fn run(
        mut self,
        mut asked: mpsc::Receiver<Command>,
        ended: CancellationToken,
        pass: &Pass,
    ) {
        tracing::info!(call = %self.id, "a call begins");
        let why = loop {
            if let Some(why) = self.over {
                break why;
            }
            let happening = self.next(&mut asked, &ended, pass).await;
            self.take(happening).await;
        };
        self.end(why).await;
    }

    /// Waits for whatever happens next.
    async fn next(
        &mut self,
        asked: &mut mpsc::Receiver<Command>,
        ended: &CancellationToken,
        pass: &Pass,
    ) -> Happening {
        let due = self.due();
        tokio::select! {
            biased;
            () = ended.cancelled() => {
                enforced!(VOI02);
                Happening::Ended(Why::SessionEnded)
            }
            closing = pass.over() => Happening::Ended(if closing { Why::Closing } else { Why::SessionEnded }),
            Some(done) = self.jobs.next() => Happening::Done(done),
            next = of(&mut self.reply) => Happening::Speaks(next),
            next = of(&mut self.ahead) => Happening::Waits(next),
            next = of(&mut self.parked) => Happening::Parked(next),
            () = tokio::time::sleep_until(due) => Happening::Tick,
            order = self.staff.order() => Happening::Staff(order),
            // Before another command is read, and after everything else that can happen.
            () = std::future::ready(()), if self.incoming.is_some() => Happening::Sound,
            command = asked.recv() => Happening::Command(command),
        }
    }

    async fn take(&mut self, happening: Happening) {
        match happening {
            Happening::Ended(why) => self.over = Some(why),
            Happening::Command(None) => self.over = Some(Why::HungUp),
            Happening::Command(Some(command)) => self.command(command).await,
            Happening::Staff(order) => self.ordered(order).await,
            Happening::Done(done) => self.done(done).await,
            Happening::Speaks(next) => self.speaks(next).await,
            Happening::Waits(next) => self.waits(next).await,
            Happening::Parked(next) => self.parked(next).await,
            Happening::Sound => self.hear_on().await,
            Happening::Tick => self.tick().await,
        }
        self.go_on().await;
        self.show_staff();
    }

    async fn done(&mut self, done: Done) {
        match done {
            Done::Recognised(job, heard) => self.recognised(job, heard).await,
            Done::Judged(voiced_ms, likely) => self.judged(voiced_ms, likely).await,
            Done::Began(reply, turn) => self.turn_began(reply, turn).await,
            Done::Kept(item, kept) => self.was_kept(item, kept).await,
            Done::Ran(call, result) => self.own_ran(call, result).await,
            Done::Metered(meter, more) => {
                self.meter = Some(*meter);
                if more.is_err() {
                    self.say_goodbye(lines::USED_UP, Why::UsedUp).await;
                }
            }
        }
    }

    /// When something is due at the latest.
    fn due(&self) -> Instant {
        let replies = [&self.reply, &self.ahead].into_iter().flatten().filter_map(Reply::patience_ends);
        let recognition = self.job.iter().map(Job::patience_ends);
        let settles = self.last.iter().map(|(_, since)| *since + SETTLES);
        let ends = self.ending.iter().map(|(_, latest)| *latest);
        let meter = self.meter.iter().filter(|_| self.ending.is_none()).filter_map(Meter::due);
        let rounds = self.rounds.iter().filter_map(OpenRound::patience_ends);
        let all = replies.chain(recognition).chain(settles).chain(ends).chain(meter).chain(rounds);
        let all = all.chain(self.gone_for_good());
        all.chain(self.ending.is_none().then(|| self.time_over())).min().unwrap_or_else(|| self.time_over())
    }

    fn time_over(&self) -> Instant {
        self.began + Duration::from_secs(60 * u64::from(self.house.0.limits.call_minutes))
    }

    /// Looks at everything that may be due.
    async fn tick(&mut self) {
        let now = Instant::now();
        if self.ending.as_ref().is_some_and(|(_, latest)| *latest <= now) {
            self.over = self.ending.map(|(why, _)| why);
            return;
        }
        if self.ending.is_none() && self.time_over() <= now {
            enforced!(VOI01);
            self.say_goodbye(lines::TIME_OVER, Why::TooLong).await;
        }
        if self.last.as_ref().is_some_and(|(_, since)| *since + SETTLES <= now) {
            self.settle_last();
        }
        if self.meter.as_ref().and_then(Meter::due).is_some_and(|due| due <= now) {
            self.take_more();
        }
        self.look_at_holder(now).await;
        self.look_at_job(now).await;
        self.look_at_rounds(now).await;
        self.look_at_replies(now).await;
    }

    /// Takes more of the person's quota of voice.
    fn take_more(&mut self) {
        let Some(mut meter) = self.meter.take() else { return };
        let (house, ctx) = (self.house.clone(), self.ctx.clone());
        self.jobs.push(
            async move {
                let more = meter.go_on(&house, &ctx).await;
                Done::Metered(Box::new(meter), more)
            }
            .boxed(),
        );
    }

    /// Says the last words, and ends once they have been heard.
    async fn say_goodbye(&mut self, words: &str, why: Why) {
        if self.ending.is_some() {
            return;
        }
        self.ending = Some((why, Instant::now() + FAREWELL));
        self.queue.clear();
        self.drop_ahead().await;
        self.cut_short(domain::voice::ReplyEnd::Cancelled).await;
        self.say(words, domain::voice::Cause::Engine, true);
    }

    /// Tells the client something. One that does not read ends its call, and holds up nobody else's.
    async fn tell(&mut self, event: Event) {
        if self.over.is_some() {
            return;
        }
        self.caption(&event);
        match tokio::time::timeout(UNREAD, self.events.send(event)).await {
            Ok(Ok(())) => (),
            Ok(Err(_)) => self.over = Some(Why::HungUp),
            Err(_) => {
                enforced!(VOI05);
                self.log(Failure::NotRead);
                self.over = Some(Why::Failed(Failure::NotRead));
            }
        }
    }

    async fn not_done(&mut self, what: NotDone, tag: Option<u64>) {
        self.tell(Event::NotDone { what, tag }).await;
    }

    /// Something broke; the call goes on.
    async fn failed(&mut self, failure: Failure) {
        self.log(failure);
        self.tell(Event::Failed { failure }).await;
    }

    /// Something broke, and the call with it.
    async fn breaks(&mut self, failure: Failure) {
        self.failed(failure).await;
        self.over = Some(Why::Failed(failure));
    }

    fn log(&self, failure: Failure) {
        let seconds = self.began.elapsed().as_secs();
        tracing::warn!(call = %self.id, code = failure.code(), seconds, "something in a call failed");
    }

    /// The end: whatever was heard is kept, whatever was taken and not used is given back.
    async fn end(mut self, why: Why) {
        let now = Instant::now();
        for mut reply in [self.reply.take(), self.ahead.take(), self.parked.take()].into_iter().flatten() {
            reply.stop();
            reply.settle(true, now);
        }
        self.settle_last();
        if let Some(job) = self.job.take() {
            job.cancel();
        }
        let begun = self.turn.lock().map(|turn| turn.clone()).unwrap_or_default();
        // What is being kept is kept; nobody waits for it longer than for a farewell.
        let kept = async {
            while let Some(done) = self.jobs.next().await {
                if let Done::Metered(meter, _) = done {
                    self.meter = Some(*meter);
                } else if let Done::Began(_, Ok(turn)) = done {
                    turn.stop.cancel();
                }
            }
            if let Some(turn) = begun {
                Arc::clone(&turn.transcript).watch(0).over().await;
            }
        };
        if tokio::time::timeout(FAREWELL, kept).await.is_err() {
            self.log(Failure::Keeping);
        }
        if let Some(meter) = self.meter.take() {
            meter.end(&self.house).await;
        }
        let seconds = self.began.elapsed().as_secs();
        tracing::info!(call = %self.id, seconds, ?why, "a call has ended");
        drop(tokio::time::timeout(UNREAD, self.events.send(Event::Ended { why })).await);
        if let Some(call) = self.outcome(why)
            && let Err(error) = self.house.keep_ended(&self.ctx, &call).await
        {
            tracing::warn!(call = %self.id, %error, "how a call of the desk ended could not be kept");
        }
    }
}

/// What a reply does next; nothing, where there is none.
async fn of(reply: &mut Option<Reply>) -> Next {
    match reply {
        Some(reply) => reply.next().await,
        None => std::future::pending().await,
    }
}
