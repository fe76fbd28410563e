//! What rests on somebody's consent here and now, and ends when it is taken back.
//!
//! `lib.rs` enters each call before it looks at what stands, and looks here after every change. Invariant: between
//! a withdrawal and the end of what rested on it nothing has to be waited for.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::{
    Permit,
    consent::{Purpose, Standing},
    enforced,
    id::UserId,
};
use tokio_util::sync::CancellationToken;

/// Everything that rests on a consent in this process.
#[derive(Default)]
pub(crate) struct Holds(Mutex<Entered>);

#[derive(Default)]
struct Entered {
    next: u64,
    held: BTreeMap<u64, Held>,
}

struct Held {
    user: UserId,
    /// Lets what its person agrees to be read again.
    permit: Permit,
    needs: Vec<Purpose>,
    token: CancellationToken,
}

impl Holds {
    /// Enters something of `user` that needs these purposes, and the processing of calls.
    pub(crate) fn enter(all: &Arc<Self>, user: UserId, permit: Permit, needs: &[Purpose]) -> Entry {
        let needs: Vec<_> = std::iter::once(Purpose::ProcessCall).chain(needs.iter().copied()).collect();
        let token = CancellationToken::new();
        let mut entered = all.entered();
        let number = entered.next;
        entered.next += 1;
        entered.held.insert(number, Held { user, permit, needs: needs.clone(), token: token.clone() });
        drop(entered);
        Entry { all: Arc::clone(all), number, needs, token }
    }

    /// Ends everything of the person that needs what they do not agree to any more.
    pub(crate) fn look(&self, standing: &Standing) {
        let entered = self.entered();
        let theirs = entered.held.values().filter(|held| held.user == standing.person());
        for held in theirs {
            if !held.needs.iter().all(|need| standing.allows(*need)) {
                enforced!(CON03);
                held.token.cancel();
            }
        }
    }

    /// Everybody who has something here, each once.
    pub(crate) fn people(&self) -> Vec<(UserId, Permit)> {
        let entered = self.entered();
        let all = entered.held.values().map(|held| (held.user, held.permit.clone()));
        all.collect::<BTreeMap<_, _>>().into_iter().collect()
    }

    fn entered(&self) -> MutexGuard<'_, Entered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something that was entered. Dropped, it is not watched any more.
pub(crate) struct Entry {
    all: Arc<Holds>,
    number: u64,
    needs: Vec<Purpose>,
    token: CancellationToken,
}

impl Entry {
    /// What it needs.
    pub(crate) fn needs(&self) -> impl Iterator<Item = Purpose> + '_ {
        self.needs.iter().copied()
    }

    /// The hold for its keeper.
    pub(crate) fn resting_on(self, standing: Standing) -> Hold {
        Hold { standing, entry: self }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.all.entered().held.remove(&self.number);
    }
}

/// The watch over something that rests on a person's consent. Keep it as long as that lasts.
#[must_use = "dropping it ends the watch"]
pub struct Hold {
    standing: Standing,
    entry: Entry,
}

impl Hold {
    /// Fires when what is needed was taken back.
    #[must_use]
    pub fn token(&self) -> CancellationToken {
        self.entry.token.clone()
    }

    /// What the person agreed to when this began.
    #[must_use]
    pub fn standing(&self) -> &Standing {
        &self.standing
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hold").field("ended", &self.entry.token.is_cancelled()).finish_non_exhaustive()
    }
}
