//! A turn, by text or by voice: conversations, streaming, calls, search, export; speech for programs; customers of the
//! voice desk and the agent's tools.
//!
//! `web` calls [`Assistant`] for people and for programs. Each function takes [`Ctx`] first, asks for
//! permission before anything else, and reaches the conversations of the acting person alone: what
//! belongs to somebody else is [`Error::NotFound`]. Questions and answers live in the store, except in
//! temporary chats, which live in memory; a turn runs on the instance's task tracker, not on the
//! request that asked for it.

mod bounds;
mod conversations;
pub mod customers;
mod drafts;
mod error;
mod folders;
mod limits;
mod programs;
mod rights;
pub mod speech;
mod temporary;
mod title;
pub mod tools;
mod transfer;
mod turn;
mod voice;

use std::sync::Arc;

use domain::{
    Ctx, Timestamp,
    model::{ModelFacts, Readiness},
};
use providers::Providers;
use store::Store;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

pub use bounds::Allowance;
pub use conversations::Opened;
pub use customers::{Caller, Customers, Desk};
pub use error::Error;
pub use limits::{
    Limits, MAX_ANSWER_BYTES, MAX_CONVERSATIONS, MAX_EXPORT_BYTES, MAX_FOLDERS, MAX_HITS, MAX_IMPORT_BYTES,
};
pub use programs::Completion;
pub use providers::{Error as ModelError, MAX_EMBEDDING_INPUTS};
pub use store::{desk_calls::EndedCall, search::Hit, usage::Counted};
pub use transfer::{Export, Format, Import, ImportReport};
pub use turn::{Ask, AskKind, Begun, Place, TurnEvent, Watch};
pub use voice::{Call, Keeping, Opening, RunningCall, Seen, Speaker, Watching, Words};

/// Conversations with language models. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Assistant(Arc<Inner>);

struct Inner {
    store: Store,
    providers: Providers,
    tasks: TaskTracker,
    seats: Arc<turn::Seats>,
    temporary: temporary::Chats,
    programs: programs::Gate,
    recordings: programs::Gate,
    transfers: transfer::Gate,
    calls: voice::Gate,
    running: Arc<voice::Register>,
    limits: Limits,
    desk: Arc<Desk>,
}

impl Assistant {
    /// An assistant with the default [`Limits`]. Turns run on `tasks`.
    #[must_use]
    pub fn new(store: Store, providers: Providers, tasks: TaskTracker) -> Self {
        Self::with_limits(store, providers, tasks, Limits::default())
    }

    /// An assistant with the operator's own bounds.
    #[must_use]
    pub fn with_limits(store: Store, providers: Providers, tasks: TaskTracker, limits: Limits) -> Self {
        Self::with_desk(store, providers, tasks, limits, Desk::default())
    }

    /// The same with a voice desk that works as the operator says.
    #[must_use]
    pub fn with_desk(
        store: Store,
        providers: Providers,
        tasks: TaskTracker,
        limits: Limits,
        desk: Desk,
    ) -> Self {
        Self(Arc::new(Inner {
            store,
            providers,
            tasks,
            seats: turn::Seats::new(limits),
            temporary: temporary::Chats::default(),
            programs: programs::Gate::new(limits.completions, limits.completions_per_person),
            recordings: programs::Gate::new(limits.recordings, limits.recordings_per_person),
            transfers: transfer::Gate::new(limits),
            calls: voice::Gate::new(limits),
            running: voice::Register::new(),
            limits,
            desk: Arc::new(desk),
        }))
    }

    /// The customers of the voice desk.
    #[must_use]
    pub fn customers(&self) -> Customers {
        Customers::new(self.0.store.clone(), self.0.desk.clone())
    }

    /// What the agent of the voice desk can do for a caller.
    #[must_use]
    pub fn tools(&self) -> tools::Tools {
        tools::Tools::new(self.customers())
    }

    /// The models people can choose from, the default first.
    #[must_use]
    pub fn models(&self) -> Vec<ModelFacts> {
        self.0.providers.models()
    }

    /// The model that answers when nobody chose one.
    #[must_use]
    pub fn default_model(&self) -> Option<String> {
        self.0.providers.default_model()
    }

    /// How far the default model is, as it changes.
    #[must_use]
    pub fn readiness(&self) -> watch::Receiver<Readiness> {
        self.0.providers.readiness()
    }

    /// Takes no more questions and calls, and stops the turns that run; what they have shown is kept. For the end
    /// of the process, before its task tracker is waited for.
    pub fn drain(&self) {
        self.0.calls.close();
        self.0.seats.close();
    }

    /// Wipes temporary chats nobody touched for half an hour and drops turns that ended minutes ago.
    /// Any call does this in passing; an idle instance needs to be told about once a minute.
    pub fn sweep(&self, now: Timestamp) {
        self.0.temporary.sweep(now);
        self.0.seats.sweep(now);
    }
}

/// Today's date at `ctx`, as exports and file names spell it.
pub(crate) fn today(ctx: &Ctx) -> String {
    transfer::rfc3339(ctx.now()).chars().take("2026-01-31".len()).collect()
}
