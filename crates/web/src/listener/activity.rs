//! Whether a connection is doing something. A request counts until the last byte of its response is
//! handed over, so a streaming answer is work, however quiet it is.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::watch;

#[derive(Clone, Copy, Default)]
struct State {
    begun: u64,
    running: u64,
    /// How often bytes came while nothing ran.
    heard: u64,
}

/// The work of one connection.
#[derive(Clone)]
pub(super) struct Activity(watch::Sender<State>);

impl Activity {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(State::default()))
    }

    /// Notes that a request began; it ends when what this returns is dropped.
    pub(super) fn begin(&self) -> Running {
        self.0.send_modify(|state| {
            state.begun += 1;
            state.running += 1;
        });
        Running(self.0.clone())
    }

    /// Notes that bytes came. While nothing runs they can only be the beginning of a request.
    pub(super) fn heard(&self) {
        self.0.send_if_modified(|state| {
            let idle = state.running == 0;
            state.heard += u64::from(idle);
            idle
        });
    }

    /// Returns when nothing has run for too long: `headers` until the first request and from the first
    /// byte of any other until it has begun, `idle` in between.
    pub(super) async fn fell_idle(&self, headers: Duration, idle: Duration) {
        let mut state = self.0.subscribe();
        loop {
            // The sender lives as long as `self`, so no wait here can fail.
            let Ok(seen) = state.wait_for(|state| state.running == 0).await.map(|state| *state) else {
                return;
            };
            let patience = if seen.begun == 0 { headers } else { idle };
            tokio::select! {
                () = tokio::time::sleep(patience) => return,
                _ = state.wait_for(|now| now.begun > seen.begun || (seen.begun > 0 && now.heard > seen.heard)) => (),
            }
            if state.borrow().begun == seen.begun {
                tokio::select! {
                    () = tokio::time::sleep(headers) => return,
                    _ = state.wait_for(|now| now.begun > seen.begun) => (),
                }
            }
        }
    }
}

/// A request that is being answered.
pub(super) struct Running(watch::Sender<State>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.send_modify(|state| state.running -= 1);
    }
}

/// A response's body, which keeps its request running.
pub(super) struct Counted {
    inner: Body,
    _running: Running,
}

impl Counted {
    pub(super) fn new(inner: Body, running: Running) -> Self {
        Self { inner, _running: running }
    }
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_millis(20);
    const IDLE: Duration = Duration::from_millis(200);

    #[tokio::test]
    async fn a_silent_connection_gets_the_first_limit_and_a_used_one_the_second() {
        let activity = Activity::new();
        let start = tokio::time::Instant::now();
        activity.fell_idle(FIRST, Duration::from_secs(3600)).await;
        assert!(start.elapsed() >= FIRST);

        let used = activity.clone();
        let start = tokio::time::Instant::now();
        let use_it = async { drop(used.begin()) };
        tokio::join!(activity.fell_idle(Duration::from_secs(3600), IDLE), use_it);
        assert!(start.elapsed() >= IDLE);
    }

    #[tokio::test]
    async fn the_first_byte_of_another_request_starts_the_shorter_limit() {
        let activity = Activity::new();
        let start = tokio::time::Instant::now();
        let begin_another = async {
            drop(activity.begin());
            tokio::task::yield_now().await;
            activity.heard();
        };
        tokio::join!(activity.fell_idle(FIRST, Duration::from_secs(3600)), begin_another);
        assert!(start.elapsed() >= FIRST);
    }

    #[tokio::test]
    async fn a_running_request_is_never_idle() {
        let activity = Activity::new();
        let running = activity.begin();
        let idle = activity.fell_idle(FIRST, FIRST);
        assert!(tokio::time::timeout(10 * FIRST, idle).await.is_err());
        drop(running);
    }
}
