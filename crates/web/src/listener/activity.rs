//! Whether a connection is doing something. A request counts until the last byte of its response has left
//! the protocol's buffers, so a streaming answer is work, however quiet it is, and so is a long one that
//! its reader takes slowly.
//!
//! A body is handed over in pieces of [`PIECE`]. Whoever holds a piece last, HTTP/1.1's queue or HTTP/2's
//! streams, drops it when it is written; until then its peer owes us room. Invariant: what a peer leaves
//! lying is seen, whether it takes nothing or a byte at a time.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Body;
use bytes::{Buf, Bytes};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::{sync::watch, time::Instant};

/// How much of a response is handed over at once, in bytes: one frame of HTTP/2. Its peer has to take that
/// much within the limit for stalled readers.
const PIECE: usize = 16 << 10;

#[derive(Clone, Copy, Default)]
struct State {
    begun: u64,
    running: u64,
    /// Whether bytes came since the last request ended.
    heard: bool,
}

/// Pieces of one response that were handed over and have not been written.
struct Lying {
    pieces: usize,
    /// When the last one went, or the first one came.
    since: Instant,
}

/// What lies, by number of request.
type Owed = Arc<Mutex<HashMap<u64, Lying>>>;

/// The map is whole at every moment, so a panic elsewhere leaves nothing to mistrust.
fn locked(owed: &Owed) -> MutexGuard<'_, HashMap<u64, Lying>> {
    owed.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The work of one connection.
#[derive(Clone)]
pub(super) struct Activity {
    state: watch::Sender<State>,
    owed: Owed,
    /// Whether something was written that the network has not taken.
    unflushed: Arc<AtomicBool>,
}

impl Activity {
    pub(super) fn new() -> Self {
        let state = watch::Sender::new(State::default());
        Self { state, owed: Owed::default(), unflushed: Arc::default() }
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

    /// Notes that bytes wait for the network, or that it took them all.
    pub(super) fn waits_for_network(&self, waits: bool) {
        self.unflushed.store(waits, Ordering::Relaxed);
    }

    /// Returns when a peer has left something of ours lying for `stalled`. Over HTTP/2 it can do so without
    /// a blocked write, by never widening its window, or by a byte.
    pub(super) async fn left_waiting(&self, stalled: Duration) {
        loop {
            // Looking a few times per limit keeps every response's clock out of the runtime's timers.
            tokio::time::sleep(stalled / 4).await;
            if locked(&self.owed).values().any(|lying| lying.since.elapsed() >= stalled) {
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
                () = tokio::time::sleep(patience) => match self.unflushed.load(Ordering::Relaxed) {
                    // The end of an answer is still on its way; how long that may take is bounded elsewhere.
                    true => continue,
                    false => return,
                },
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
    /// One more piece lies before the peer.
    fn lay(&self) {
        let mut owed = locked(&self.activity.owed);
        let first = || Lying { pieces: 0, since: Instant::now() };
        owed.entry(self.number).or_insert_with(first).pieces += 1;
    }

    /// One piece was written or given up.
    fn took(&self) {
        let mut owed = locked(&self.activity.owed);
        let Some(lying) = owed.get_mut(&self.number) else { return };
        lying.pieces -= 1;
        lying.since = Instant::now();
        if lying.pieces == 0 {
            owed.remove(&self.number);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.activity.state.send_modify(|state| {
            state.running -= 1;
            state.heard &= state.running > 0;
        });
    }
}

/// A part of a response, which keeps its request running until it was written.
pub(super) struct Piece {
    bytes: Bytes,
    running: Arc<Running>,
}

impl Piece {
    fn new(bytes: Bytes, running: &Arc<Running>) -> Self {
        running.lay();
        Self { bytes, running: running.clone() }
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.running.took();
    }
}

impl Buf for Piece {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, by: usize) {
        self.bytes.advance(by);
    }
}

/// A response's body in pieces, which keeps its request running.
pub(super) struct Counted {
    inner: Body,
    /// What came from it and was not handed over yet.
    rest: Bytes,
    running: Arc<Running>,
}

impl Counted {
    pub(super) fn new(inner: Body, running: Running) -> Self {
        Self { inner, rest: Bytes::new(), running: Arc::new(running) }
    }
}

impl HttpBody for Counted {
    type Data = Piece;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Piece>, axum::Error>>> {
        while self.rest.is_empty() {
            let Poll::Ready(polled) = Pin::new(&mut self.inner).poll_frame(cx) else { return Poll::Pending };
            match polled.map(|frame| frame.map(Frame::into_data)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(Ok(data))) => self.rest = data,
                Some(Ok(Err(trailers))) => {
                    let trailers = trailers.map_data(|none| Piece::new(none, &self.running));
                    return Poll::Ready(Some(Ok(trailers)));
                }
            }
        }
        let most = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(most);
        Poll::Ready(Some(Ok(Frame::data(Piece::new(piece, &self.running)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (inner, rest) = (self.inner.size_hint(), self.rest.len() as u64);
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower().saturating_add(rest));
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint
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
        let mut said = Counted::new(Body::from("said"), activity.begin());
        let untaken = std::future::poll_fn(|cx| Pin::new(&mut said).poll_frame(cx)).await;
        drop(said);
        activity.left_waiting(FIRST).await;
        assert_eq!(activity.state.borrow().running, 1, "what was not written is not over");
        drop(untaken);
        assert_eq!(activity.state.borrow().running, 0);

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

    #[tokio::test]
    async fn a_response_is_handed_over_in_pieces_and_whole() {
        let activity = Activity::new();
        let whole: Vec<u8> = (0..40_000_u32).map(|at| at.to_le_bytes()[0]).collect();
        let mut body = Counted::new(Body::from(whole.clone()), activity.begin());
        assert_eq!(body.size_hint().exact(), Some(40_000));
        let (mut came, mut sizes) = (Vec::new(), Vec::new());
        while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            let piece = frame.unwrap().into_data().ok().unwrap();
            sizes.push(piece.remaining());
            came.extend_from_slice(piece.chunk());
            assert_eq!(body.size_hint().exact(), Some(40_000 - came.len() as u64));
        }
        assert_eq!((came, sizes), (whole, vec![PIECE, PIECE, 40_000 - 2 * PIECE]));
        assert!(body.is_end_stream());
    }

    #[tokio::test]
    async fn idleness_waits_for_the_end_of_what_is_on_its_way() {
        let activity = Activity::new();
        drop(activity.begin());
        activity.waits_for_network(true);
        let idle = activity.fell_idle(FIRST, FIRST);
        tokio::pin!(idle);
        assert!(tokio::time::timeout(10 * FIRST, &mut idle).await.is_err());
        activity.waits_for_network(false);
        idle.await;
    }
}
