//! Threads for work that takes a whole core for a while. Everything else goes before them.
//!
//! Called by [`Turns`](crate::turns::Turns), which sees to it that no more work comes than there are threads.
//! Somebody who tries passwords by the thousand can keep these threads busy; they cannot keep the others waiting
//! for a core. Invariant: a thread that was started works until [`Workers`] is dropped, whatever its work does.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

use tokio::sync::oneshot;

use crate::Error;

/// How far these threads stand behind the others, on the scale of `nice`: a step is about a fifth less of
/// a core that others want too.
#[cfg(target_os = "linux")]
const BEHIND: i32 = 10;
/// The end of that scale.
#[cfg(target_os = "linux")]
const LAST: i32 = 19;

type Job = Box<dyn FnOnce() + Send>;

/// A fixed number of threads.
pub(crate) struct Workers(mpsc::Sender<Job>);

impl Workers {
    /// Starts `many` threads.
    ///
    /// # Errors
    /// [`Error::Broken`] when the system gives no more threads.
    pub(crate) fn start(many: usize) -> Result<Self, Error> {
        let (sender, jobs) = mpsc::channel::<Job>();
        let jobs = Arc::new(Mutex::new(jobs));
        for _ in 0..many {
            let jobs = Arc::clone(&jobs);
            let thread = thread::Builder::new().name("passwords".to_owned());
            let started = thread.spawn(move || work(&jobs));
            started.map_err(|_| Error::Broken("no thread could be started for passwords"))?;
        }
        Ok(Self(sender))
    }

    /// Runs `work` on one of the threads. It is done even when nobody waits for its end any more.
    ///
    /// # Errors
    /// [`Error::Broken`] when it panicked.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let stopped = || Error::Broken("a password could not be checked: its thread stopped");
        let (done, result) = oneshot::channel();
        // Whoever asked may have gone; that is no news.
        let job = Box::new(move || drop(done.send(work())));
        self.0.send(job).map_err(|_| stopped())?;
        result.await.map_err(|_| stopped())
    }
}

/// One thread's life.
fn work(jobs: &Mutex<mpsc::Receiver<Job>>) {
    stand_behind();
    loop {
        // Held while waiting: the others wait for the lock instead of for the job.
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        if catch_unwind(AssertUnwindSafe(job)).is_err() {
            tracing::error!("work on a password panicked");
        }
    }
}

/// On Linux a priority is a thread's own. It can be lowered by anybody and raised by few: a reason for
/// threads that do nothing else.
#[cfg(target_os = "linux")]
fn stand_behind() {
    let this = Some(rustix::thread::gettid());
    let behind = |here: i32| rustix::process::setpriority_process(this, (here + BEHIND).min(LAST));
    if let Err(error) = rustix::process::getpriority_process(this).and_then(behind) {
        tracing::warn!(%error, "work on passwords takes its share of the cores like everything else");
    }
}

/// Elsewhere a priority is the whole process's.
#[cfg(not(target_os = "linux"))]
fn stand_behind() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_outlives_what_panics_on_it() {
        testkit::run(async {
            let workers = Workers::start(1).unwrap();
            assert!(workers.run(|| panic!("on purpose")).await.map(|()| true).is_err());
            assert_eq!(workers.run(|| 7).await.unwrap(), 7, "the one thread there is still works");
        });
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn others_go_first() {
        testkit::run(async {
            let workers = Workers::start(1).unwrap();
            let nice = || rustix::process::getpriority_process(Some(rustix::thread::gettid())).unwrap();
            let here = nice();
            assert_eq!(workers.run(nice).await.unwrap(), (here + BEHIND).min(LAST));
            assert_eq!(nice(), here, "only the threads for it stand behind");
        });
    }
}
