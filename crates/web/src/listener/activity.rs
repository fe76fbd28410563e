//! Whether a connection is doing something. A request counts until the last byte of its response is
//! handed over, so a streaming answer is work, however quiet it is.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::{sync::watch, time::Instant};

#[derive(Clone, Copy, Default)]
struct State {
    begun: u64,
    running: u64,
    /// Whether bytes came since the last request ended.
    heard: bool,
}

/// Since when each response that has something to say waits for its peer to take it, by number of request.
type Owed = Arc<Mutex<HashMap<u64, Instant>>>;

/// The map is whole at every moment, so a panic elsewhere leaves nothing to mistrust.
fn locked(owed: &Owed) -> MutexGuard<'_, HashMap<u64, Instant>> {
    owed.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The work of one connection.
#[derive(Clone)]
pub(super) struct Activity {
    state: watch::Sender<State>,
    owed: Owed,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self { state: watch::Sender::new(State::default()), owed: Owed::default() }
    }

    /// Notes that a request began; it ends when what this returns is dropped.
    pub(super) fn begin(&self) -> Running {
        let mut number = 0;
        self.state.send_modify(|state| {
            state.begun += 1;
            state.running += 1;
            number = state.begun;
        });
        Running { activity: self.clone(), number }
    }

    /// Notes that bytes came. While nothing runs they can only be the beginning of a request.
    pub(super) fn heard(&self) {
        self.state.send_if_modified(|state| {
            let is_news = state.running == 0 && !state.heard;
            state.heard |= is_news;
            is_news
        });
    }

    /// Returns when a peer has left something of ours lying for `stalled`. Over HTTP/2 it can do so without
    /// a blocked write, by never widening its window.
    pub(super) async fn left_waiting(&self, stalled: Duration) {
        loop {
            // Looking a few times per limit keeps every response's clock out of the runtime's timers.
            tokio::time::sleep(stalled / 4).await;
            if locked(&self.owed).values().any(|since| since.elapsed() >= stalled) {
                return;
            }
        }
    }

    /// Returns when nothing has run for too long: `headers` until the first request and from the first
    /// byte of any other until it has begun, `idle` in between.
    pub(super) async fn fell_idle(&self, headers: Duration, idle: Duration) {
        let mut state = self.state.subscribe();
        loop {
            // The sender lives as long as `self`, so no wait here can fail.
            let Ok(seen) = state.wait_for(|state| state.running == 0).await.map(|state| *state) else {
                return;
            };
            let patience = if seen.begun == 0 { headers } else { idle };
            tokio::select! {
                () = tokio::time::sleep(patience) => return,
                _ = state.wait_for(|now| now.begun > seen.begun || (seen.begun > 0 && now.heard)) => (),
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
pub(super) struct Running {
    activity: Activity,
    number: u64,
}

impl Running {
    /// From now on it is the peer who has to take something.
    fn waits_for_peer(&self) {
        locked(&self.activity.owed).insert(self.number, Instant::now());
    }

    /// From now on it is we who have to say something.
    fn waits_for_us(&self) {
        locked(&self.activity.owed).remove(&self.number);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.waits_for_us();
        self.activity.state.send_modify(|state| {
            state.running -= 1;
            state.heard &= state.running > 0;
        });
    }
}

/// A response's body, which keeps its request running and notes whose turn it is: HTTP/2 asks a body
/// for more only when its peer has made room for it.
pub(super) struct Counted {
    inner: Body,
    running: Running,
}

impl Counted {
    pub(super) fn new(inner: Body, running: Running) -> Self {
        running.waits_for_peer();
        Self { inner, running }
    }
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(_)) => self.running.waits_for_peer(),
            Poll::Ready(None) | Poll::Pending => self.running.waits_for_us(),
        }
        polled
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
        let start = Instant::now();
        activity.fell_idle(FIRST, Duration::from_secs(3600)).await;
        assert!(start.elapsed() >= FIRST);

        let used = activity.clone();
        let start = Instant::now();
        let use_it = async { drop(used.begin()) };
        tokio::join!(activity.fell_idle(Duration::from_secs(3600), IDLE), use_it);
        assert!(start.elapsed() >= IDLE);
    }

    #[tokio::test]
    async fn the_first_byte_of_another_request_starts_the_shorter_limit() {
        let activity = Activity::new();
        let start = Instant::now();
        drop(activity.begin());
        activity.heard();
        activity.fell_idle(FIRST, Duration::from_secs(3600)).await;
        assert!(start.elapsed() >= FIRST);
    }

    #[tokio::test]
    async fn a_response_nobody_takes_is_noticed_and_a_quiet_one_is_not() {
        let activity = Activity::new();
        let untaken = Counted::new(Body::from("said"), activity.begin());
        activity.left_waiting(FIRST).await;
        drop(untaken);

        let silence = Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>());
        let mut quiet = Counted::new(silence, activity.begin());
        let asked =
            std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut quiet).poll_frame(cx).is_pending())).await;
        assert!(asked, "the body has something to say");
        assert!(tokio::time::timeout(10 * FIRST, activity.left_waiting(FIRST)).await.is_err());
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
