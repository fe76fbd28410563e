//! A clock tests can turn, and randomness they can repeat.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicI64, Ordering},
};

use domain::{Actor, Clock, Ctx, Entropy, Timestamp};

/// Where every test clock begins: 2026-01-01T00:00:00Z.
const BEGINNING: i64 = 1_767_225_600_000_000;

/// A clock that stands still but for one microsecond per look, so that what happens later is later.
#[derive(Clone, Debug)]
pub struct Clockwork(Arc<AtomicI64>);

impl Clockwork {
    /// A clock at the beginning of 2026.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(AtomicI64::new(BEGINNING)))
    }

    /// Moves the clock by `seconds`, backwards when negative.
    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    /// Sets the clock.
    pub fn set(&self, to: Timestamp) {
        self.0.store(to.0, Ordering::SeqCst);
    }

    /// The time it shows; the next look shows a microsecond more.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp(self.0.fetch_add(1, Ordering::SeqCst))
    }

    /// The clock as running code takes it.
    #[must_use]
    pub fn clock(&self) -> Clock {
        let clockwork = self.clone();
        Clock::new(move || clockwork.now())
    }

    /// Circumstances under this clock.
    #[must_use]
    pub fn ctx(&self, actor: Actor) -> Ctx {
        Ctx::new(actor, self.clock(), entropy())
    }
}

impl Default for Clockwork {
    fn default() -> Self {
        Self::new()
    }
}

/// Circumstances of `actor` under a clock of their own.
#[must_use]
pub fn ctx(actor: Actor) -> Ctx {
    Clockwork::new().ctx(actor)
}

/// Real randomness.
#[must_use]
pub fn entropy() -> Entropy {
    Entropy::new(|buffer| aws_lc_rs::rand::fill(buffer).expect("randomness"))
}

/// Randomness that is the same for the same `seed` (splitmix64). For tests only, as everything here.
#[must_use]
pub fn seeded(seed: u64) -> Entropy {
    let state = Mutex::new(seed);
    Entropy::new(move |buffer| {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        for chunk in buffer.chunks_mut(8) {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = *state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes()[..chunk.len()]);
        }
    })
}
