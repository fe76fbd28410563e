//! The calls of the voice desk that run: what staff see of them, and how they reach into one.
//!
//! A call that was opened as the desk's is in [`Register`] from its first moment to its last; [`super::session`] writes
//! down what it does, [`super::watching`] is the side of staff. Invariants: another call is not in here, so that nobody
//! can list it, read along or take it over; nothing that was said is kept; a call waits for nobody who looks on.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use domain::{
    Timestamp,
    id::{CallId, CustomerId, ItemId, UserId},
    voice::{CallState, Way},
};
use tokio::sync::{broadcast, mpsc, watch};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::Error;

/// Words that may wait for whoever reads along. Who is slower misses some; nothing waits for them.
const WORDS: usize = 256;
/// What staff ask of one call that may wait for it.
const ORDERS: usize = 32;
/// Most who read along in one call.
const LOOKERS: usize = 8;

/// A call of the desk, as staff see it in the list. Nothing of what is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningCall {
    /// The call.
    pub id: CallId,
    /// When it began.
    pub since: Timestamp,
    /// How it came in.
    pub way: Way,
    /// What it is doing.
    pub state: CallState,
    /// Whether the caller proved to be a customer.
    pub verified: bool,
    /// Which one, for those who may open customers' records.
    pub customer: Option<CustomerId>,
    /// How many read along.
    pub watchers: usize,
    /// Who of the staff holds it, if anybody does.
    pub holder: Option<UserId>,
}

/// Who says something in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// The caller.
    Caller,
    /// The agent.
    Agent,
    /// A member of staff, in the agent's voice.
    Staff,
}

/// Words of a call as they are said. Wiped when the last who reads along has had them.
pub struct Words {
    /// Who says them.
    pub speaker: Speaker,
    /// What they belong to.
    pub item: ItemId,
    /// The words: all of them so far where the caller speaks, the next ones otherwise.
    pub text: Zeroizing<String>,
}

impl std::fmt::Debug for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Words({:?}, {} bytes)", self.speaker, self.text.len())
    }
}

/// What staff ask of a call.
pub(super) enum Order {
    /// Who looks on or holds it has changed.
    Look,
    /// Say this, for whoever holds it.
    Say(UserId, Zeroizing<String>),
    /// End, for whoever holds it.
    End(UserId),
}

/// Every running call of the desk.
pub(crate) struct Register {
    calls: Mutex<BTreeMap<CallId, Arc<Line>>>,
    /// Told whenever one of them changes.
    changed: watch::Sender<()>,
    /// How often somebody began to read along.
    followed: AtomicU64,
}

impl Register {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            calls: Mutex::default(),
            changed: watch::Sender::default(),
            followed: AtomicU64::new(0),
        })
    }

    /// A call begins.
    pub(super) fn enter(self: &Arc<Self>, id: CallId, since: Timestamp, way: Way) -> OnDesk {
        let (orders, asked) = mpsc::channel(ORDERS);
        let line = Arc::new(Line {
            id,
            since,
            way,
            facts: Mutex::default(),
            words: broadcast::Sender::new(WORDS),
            orders,
            news: watch::Sender::default(),
            all_news: self.changed.clone(),
            over: CancellationToken::new(),
        });
        lock(&self.calls).insert(id, Arc::clone(&line));
        self.changed.send_replace(());
        OnDesk { line, register: Arc::clone(self), asked }
    }

    pub(super) fn find(&self, id: CallId) -> Result<Arc<Line>, Error> {
        lock(&self.calls).get(&id).cloned().ok_or(Error::NotFound)
    }

    pub(super) fn all(&self) -> Vec<Arc<Line>> {
        lock(&self.calls).values().cloned().collect()
    }

    /// Counts that somebody began to read along.
    pub(super) fn counts_follower(&self) {
        self.followed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn followed(&self) -> u64 {
        self.followed.load(Ordering::Relaxed)
    }

    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }
}

/// What changes about a call.
#[derive(Default)]
struct Facts {
    state: CallState,
    customer: Option<CustomerId>,
    /// Who reads along, each time under a number of its own.
    lookers: BTreeMap<u64, UserId>,
    numbers: u64,
    holder: Option<Holder>,
}

/// Who holds a call.
#[derive(Clone, Copy)]
struct Holder {
    user: UserId,
    /// Whether that is written down; before, the call goes on as it was.
    noted: bool,
}

impl Facts {
    fn looks(&self, user: UserId) -> bool {
        self.lookers.values().any(|one| *one == user)
    }
}

/// What the desk means for a call at this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Staff {
    /// Whether anybody reads along.
    pub(super) watch: bool,
    /// Who holds the call.
    pub(super) holder: Option<UserId>,
    /// Whether that person is still there.
    pub(super) present: bool,
}

/// One running call, shared by its task and those who look on.
pub(super) struct Line {
    pub(super) id: CallId,
    since: Timestamp,
    way: Way,
    facts: Mutex<Facts>,
    words: broadcast::Sender<Arc<Words>>,
    orders: mpsc::Sender<Order>,
    news: watch::Sender<()>,
    all_news: watch::Sender<()>,
    over: CancellationToken,
}

impl Line {
    /// The call as it is now, without whom it is about.
    pub(super) fn facts(&self) -> RunningCall {
        let facts = lock(&self.facts);
        RunningCall {
            id: self.id,
            since: self.since,
            way: self.way,
            state: facts.state,
            verified: facts.customer.is_some(),
            customer: facts.customer,
            watchers: facts.lookers.len(),
            holder: facts.holder.map(|holder| holder.user),
        }
    }

    /// Somebody begins to read along: their number, what is said from now on, and what changes.
    pub(super) fn look(&self, user: UserId) -> Result<Look, Error> {
        let mut facts = lock(&self.facts);
        if facts.lookers.len() >= LOOKERS {
            return Err(Error::Full { what: "this call", limit: LOOKERS, advice: "ask one who reads along" });
        }
        facts.numbers += 1;
        let number = facts.numbers;
        facts.lookers.insert(number, user);
        drop(facts);
        self.is_news();
        self.order_look();
        Ok(Look {
            number,
            words: self.words.subscribe(),
            news: self.news.subscribe(),
            over: self.over.clone(),
        })
    }

    pub(super) fn look_away(&self, number: u64) {
        lock(&self.facts).lookers.remove(&number);
        self.is_news();
        self.order_look();
    }

    /// Keeps the call for `user` until it is written down that they hold it.
    pub(super) fn reserve(&self, user: UserId) -> Result<(), Error> {
        let mut facts = lock(&self.facts);
        match facts.holder {
            Some(_) => Err(Error::HeldByAnother),
            None if !facts.looks(user) => Err(Error::NotHeld),
            None => {
                facts.holder = Some(Holder { user, noted: false });
                Ok(())
            }
        }
    }

    /// It is written down: they hold it.
    pub(super) fn hold(&self, user: UserId) {
        let mut facts = lock(&self.facts);
        if facts.holder.is_some_and(|holder| holder.user == user) {
            facts.holder = Some(Holder { user, noted: true });
        }
        drop(facts);
        self.is_news();
        self.order_look();
    }

    /// They hold it no more. Says whether they did.
    pub(super) fn let_go(&self, user: UserId) -> bool {
        let held = lock(&self.facts).holder.take_if(|holder| holder.user == user).is_some();
        if held {
            self.is_news();
            self.order_look();
        }
        held
    }

    /// Lets go for a holder who is not there any more. Says whether that was so.
    pub(super) fn let_go_of_absent(&self) -> bool {
        let mut facts = lock(&self.facts);
        let absent = facts.holder.is_some_and(|holder| !facts.looks(holder.user));
        if absent {
            facts.holder = None;
            drop(facts);
            self.is_news();
        }
        absent
    }

    pub(super) fn is_held_by(&self, user: UserId) -> bool {
        lock(&self.facts).holder.is_some_and(|holder| holder.user == user && holder.noted)
    }

    /// Asks something of the call.
    pub(super) fn order(&self, order: Order) -> Result<(), Error> {
        self.orders.try_send(order).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Error::Busy { retry_after_s: 1 },
            mpsc::error::TrySendError::Closed(_) => Error::NotFound,
        })
    }

    /// The call is to look who is there. Where there is no room something else is asked of it, and it looks for that.
    fn order_look(&self) {
        let _ = self.orders.try_send(Order::Look);
    }

    fn is_news(&self) {
        self.news.send_replace(());
        self.all_news.send_replace(());
    }
}

/// What somebody gets who reads along.
pub(super) struct Look {
    pub(super) number: u64,
    pub(super) words: broadcast::Receiver<Arc<Words>>,
    pub(super) news: watch::Receiver<()>,
    pub(super) over: CancellationToken,
}

/// A call's own end of its line. Dropping it takes the call off the desk.
pub(super) struct OnDesk {
    line: Arc<Line>,
    register: Arc<Register>,
    asked: mpsc::Receiver<Order>,
}

impl OnDesk {
    pub(super) fn line(&self) -> &Arc<Line> {
        &self.line
    }

    /// When the call began, and how it came in.
    pub(super) fn beginning(&self) -> (Timestamp, Way) {
        (self.line.since, self.line.way)
    }

    /// What staff ask next. The line holds a sender, so it never ends before the call.
    pub(super) async fn order(&mut self) -> Option<Order> {
        self.asked.recv().await
    }

    /// Writes down what the call is doing.
    pub(super) fn does(&self, state: CallState) {
        let mut facts = lock(&self.line.facts);
        if facts.state != state {
            facts.state = state;
            drop(facts);
            self.line.is_news();
        }
    }

    /// The caller proved to be a customer.
    pub(super) fn serves(&self, customer: CustomerId) {
        if lock(&self.line.facts).customer.replace(customer).is_none() {
            self.line.is_news();
        }
    }

    /// Who looks on, and who holds the call.
    pub(super) fn staff(&self) -> Staff {
        let facts = lock(&self.line.facts);
        let holder = facts.holder.filter(|holder| holder.noted).map(|holder| holder.user);
        let present = holder.is_some_and(|user| facts.looks(user));
        Staff { watch: !facts.lookers.is_empty(), holder, present }
    }

    /// Something is said. Where nobody reads along it is not even copied.
    pub(super) fn says(&self, speaker: Speaker, item: ItemId, text: &Zeroizing<String>) {
        if self.line.words.receiver_count() > 0 {
            let _ = self.line.words.send(Arc::new(Words { speaker, item, text: text.clone() }));
        }
    }
}

impl Drop for OnDesk {
    fn drop(&mut self) {
        lock(&self.register.calls).remove(&self.line.id);
        self.line.over.cancel();
        self.register.changed.send_replace(());
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
