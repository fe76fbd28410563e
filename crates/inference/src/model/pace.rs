//! One thread or all of them? Whichever is faster at the moment.
//!
//! candle shares each product among its threads and lets them wait for each other by spinning, some hundred times per
//! token. On an idle machine that is fastest; on a busy one, where a thread that is waited for may not be running
//! at all, it is several times slower than a single thread (measured: 5 instead of 29 tokens a second with four
//! other programs on two cores). So both ways are timed, the faster is taken, and the other is tried again now and then.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use candle_core::utils::barrier_pool;

use crate::Error;

/// After this many steps the slower way is tried again.
const RETRY: u32 = 24;
/// Steps of at least this many tokens are timed apart: they do more work for each wait.
const BATCH: usize = 8;

/// How to compute a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Together,
    Alone,
}

/// What is known of the two ways.
#[derive(Default)]
pub(super) struct Pace {
    single: Mutex<Known>,
    batch: Mutex<Known>,
}

/// Seconds per token, as last seen, and steps since the slower way was tried.
#[derive(Default)]
struct Known {
    together: Option<f32>,
    alone: Option<f32>,
    steps: u32,
}

impl Pace {
    /// Runs `work`, which computes `tokens` tokens, in the way that is faster now.
    pub(super) fn run<T: Send>(
        &self,
        tokens: usize,
        work: impl FnOnce() -> Result<T, Error> + Send,
    ) -> Result<T, Error> {
        let known = if tokens < BATCH { &self.single } else { &self.batch };
        let way = locked(known).choose();
        let started = Instant::now();
        let result = match way {
            Way::Together => work(),
            Way::Alone => alone(work).unwrap_or_else(|| Err(Error::broken("the thread pool did not run"))),
        };
        locked(known).learn(way, started.elapsed(), tokens);
        result
    }
}

impl Known {
    fn choose(&mut self) -> Way {
        self.steps += 1;
        let (Some(together), Some(alone)) = (self.together, self.alone) else {
            return if self.together.is_none() { Way::Together } else { Way::Alone };
        };
        let retry = self.steps >= RETRY;
        if retry {
            self.steps = 0;
        }
        if (together <= alone) == retry { Way::Alone } else { Way::Together }
    }

    fn learn(&mut self, way: Way, took: Duration, tokens: usize) {
        let seconds = took.as_secs_f32() / tokens.max(1) as f32;
        match way {
            Way::Together => self.together = Some(seconds),
            Way::Alone => self.alone = Some(seconds),
        }
    }
}

/// Runs `work` on one thread of candle's pool, where products are not shared out, and sleeps meanwhile.
///
/// `None` would mean that the pool left out a thread. A panic reaches the caller.
fn alone<R: Send>(work: impl FnOnce() -> R + Send) -> Option<R> {
    let pool = barrier_pool();
    if pool.n_workers() == 0 {
        return Some(work());
    }
    let work = Mutex::new(Some(work));
    let done = Mutex::new(None);
    let changed = Condvar::new();
    pool.execute(|thread| {
        if thread == 0 {
            // A panic must not pass through the pool: it would never run again.
            let work = locked(&work).take();
            let result = catch_unwind(AssertUnwindSafe(|| work.map(|work| work())));
            *locked(&done) = Some(result);
            changed.notify_all();
        } else if thread == pool.n_workers() {
            // The calling thread: asleep instead of spinning until the work is over.
            let mut waiting = locked(&done);
            while waiting.is_none() {
                waiting = changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            }
        }
    });
    match locked(&done).take()? {
        Ok(result) => result,
        Err(panic) => resume_unwind(panic),
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAST: Duration = Duration::from_millis(50);
    const SLOW: Duration = Duration::from_millis(100);

    fn steps(known: &mut Known, together: Duration, alone: Duration, count: u32) -> u32 {
        let mut ways = 0;
        for _ in 0..count {
            let way = known.choose();
            ways += u32::from(way == Way::Together);
            known.learn(way, if way == Way::Together { together } else { alone }, 1);
        }
        ways
    }

    #[test]
    fn the_faster_way_is_taken_and_the_other_retried() {
        let mut known = Known::default();
        assert!(steps(&mut known, FAST, SLOW, 240) >= 225);
        // The machine becomes busy, and idle again.
        assert!(steps(&mut known, SLOW, FAST, 240) <= 40);
        assert!(steps(&mut known, FAST, SLOW, 240) >= 200);
    }

    #[test]
    fn alone_gives_the_same_and_bears_products() {
        let sum = alone(|| {
            let total = Mutex::new(0);
            barrier_pool().execute_chunked(100, |range| *locked(&total) += range.sum::<usize>());
            locked(&total).to_owned()
        });
        assert_eq!(sum, Some(4_950));
    }

    #[test]
    fn a_panic_alone_reaches_the_caller() {
        let caught = catch_unwind(|| alone(|| panic!("as asked")));
        assert!(caught.is_err());
        assert_eq!(alone(|| 5), Some(5));
    }
}
