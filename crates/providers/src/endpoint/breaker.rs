//! A circuit breaker: an endpoint that keeps failing is left in peace for a while.
//!
//! Closed, it lets everything through; after some failures in a row it opens and refuses; when its
//! time is over it lets one try through and closes again if that one succeeds. Each endpoint owns one.

use std::sync::{Arc, Mutex, PoisonError};

use domain::{Clock, Timestamp, enforced};

use crate::{Error, Limits};

/// The breaker of one endpoint.
pub(crate) struct Breaker {
    clock: Clock,
    failures_to_open: u32,
    open_micros: i64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    failures: u32,
    opened: Option<Timestamp>,
    /// Somebody is trying whether the endpoint is back.
    probing: bool,
}

/// Leave to try the endpoint once. Dropped without a verdict, it counts as neither.
pub(crate) struct Try {
    breaker: Arc<Breaker>,
    probe: bool,
}

impl Breaker {
    pub(crate) fn new(limits: &Limits, clock: Clock) -> Self {
        Self {
            clock,
            failures_to_open: limits.failures_to_open.max(1),
            open_micros: i64::try_from(limits.open_ms.saturating_mul(1_000)).unwrap_or(i64::MAX),
            state: Mutex::default(),
        }
    }

    /// Asks for leave to try.
    pub(crate) fn admit(self: &Arc<Self>) -> Result<Try, Error> {
        let mut state = self.state();
        let Some(opened) = state.opened else { return Ok(Try { breaker: Arc::clone(self), probe: false }) };
        let left = opened.0.saturating_add(self.open_micros).saturating_sub(self.clock.now().0);
        if left > 0 || state.probing {
            enforced!(MOD02);
            let seconds = u64::try_from(left.max(0)).unwrap_or(0).div_ceil(1_000_000).max(1);
            return Err(Error::CircuitOpen { retry_after_s: seconds });
        }
        state.probing = true;
        Ok(Try { breaker: Arc::clone(self), probe: true })
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // The state is three plain values, whole at every moment: a panic elsewhere cannot tear it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Try {
    /// The endpoint took the question: the circuit closes, but earlier failures are forgotten only
    /// when the answer has come whole.
    pub(crate) fn accepted(mut self) -> Self {
        if std::mem::take(&mut self.probe) {
            let mut state = self.breaker.state();
            (state.opened, state.probing) = (None, false);
        }
        self
    }

    /// The endpoint did its part.
    pub(crate) fn succeeded(self) {
        let mut state = self.breaker.state();
        if self.probe || state.opened.is_none() {
            (state.failures, state.opened) = (0, None);
        }
    }

    /// It did not.
    pub(crate) fn failed(self) {
        let mut state = self.breaker.state();
        state.failures = state.failures.saturating_add(1);
        if self.probe || state.failures >= self.breaker.failures_to_open {
            state.opened = Some(self.breaker.clock.now());
        }
    }
}

impl Drop for Try {
    fn drop(&mut self) {
        if self.probe {
            self.breaker.state().probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use domain::verifies;

    use super::*;

    fn breaker() -> (Arc<AtomicI64>, Arc<Breaker>) {
        let now = Arc::new(AtomicI64::new(1_000_000_000));
        let clock = Clock::new({
            let now = Arc::clone(&now);
            move || Timestamp(now.load(Ordering::Relaxed))
        });
        let limits = Limits { failures_to_open: 3, open_ms: 30_000, ..Limits::default() };
        (now, Arc::new(Breaker::new(&limits, clock)))
    }

    #[test]
    fn it_opens_half_opens_and_closes() {
        let _proof = verifies!(MOD02);
        let (now, breaker) = breaker();
        for _ in 0..3 {
            breaker.admit().unwrap().failed();
        }
        assert_eq!(breaker.admit().err(), Some(Error::CircuitOpen { retry_after_s: 30 }));
        now.fetch_add(29_500_000, Ordering::Relaxed);
        assert_eq!(breaker.admit().err(), Some(Error::CircuitOpen { retry_after_s: 1 }));
        now.fetch_add(500_000, Ordering::Relaxed);
        let probe = breaker.admit().unwrap();
        assert!(breaker.admit().is_err(), "only one may try at a time");
        probe.failed();
        assert_eq!(breaker.admit().err(), Some(Error::CircuitOpen { retry_after_s: 30 }));
        now.fetch_add(30_000_000, Ordering::Relaxed);
        breaker.admit().unwrap().succeeded();
        for _ in 0..2 {
            breaker.admit().unwrap().failed();
        }
        assert!(breaker.admit().is_ok(), "closing forgets earlier failures");
    }

    #[test]
    fn a_success_between_failures_starts_the_count_anew() {
        let (_, breaker) = breaker();
        for _ in 0..5 {
            breaker.admit().unwrap().failed();
            breaker.admit().unwrap().failed();
            breaker.admit().unwrap().succeeded();
        }
        assert!(breaker.admit().is_ok());
    }

    #[test]
    fn a_probe_that_is_given_up_lets_the_next_one_try() {
        let (now, breaker) = breaker();
        for _ in 0..3 {
            breaker.admit().unwrap().failed();
        }
        now.fetch_add(30_000_000, Ordering::Relaxed);
        drop(breaker.admit().unwrap());
        assert!(breaker.admit().is_ok());
    }

    #[test]
    fn a_late_success_from_before_does_not_close_it() {
        let (_, breaker) = breaker();
        let early = breaker.admit().unwrap();
        for _ in 0..3 {
            breaker.admit().unwrap().failed();
        }
        early.succeeded();
        assert!(breaker.admit().is_err());
    }

    #[test]
    fn an_endpoint_that_accepts_and_then_breaks_off_opens_it_too() {
        let (now, breaker) = breaker();
        for _ in 0..3 {
            breaker.admit().unwrap().accepted().failed();
        }
        assert!(breaker.admit().is_err());
        now.fetch_add(30_000_000, Ordering::Relaxed);
        let probe = breaker.admit().unwrap().accepted();
        assert!(breaker.admit().is_ok(), "others need not wait for the end of the answer");
        probe.failed();
        assert!(breaker.admit().is_err());
    }
}
