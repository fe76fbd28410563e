//! A file its reader has to take at a pace, so that nobody keeps its room, and the memory behind it, for days.
//!
//! Called by the export; the listener cuts who takes nothing at all. Invariant: a file is in memory for no longer
//! than [`GRACE_S`] and the time its size takes at [`BYTES_A_SECOND`].

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use domain::{Clock, Timestamp, enforced};
use hyper::body::{Body, Frame, SizeHint};

/// The pace on average: half a megabit a second, which a telephone in the country reaches.
const BYTES_A_SECOND: i64 = 64 << 10;
/// Seconds before it counts.
const GRACE_S: i64 = 60;
/// How much is handed over at once.
const PIECE: usize = 16 << 10;

/// The file.
pub(super) struct Paced {
    rest: Bytes,
    taken: i64,
    begun: Timestamp,
    clock: Clock,
}

/// Its reader is too slow; what was sent is not the whole file.
#[derive(Debug, thiserror::Error)]
#[error("the reader of a file is too slow")]
pub(super) struct TooSlow;

impl Paced {
    pub(super) fn new(file: Bytes, clock: &Clock) -> Self {
        Self { rest: file, taken: 0, begun: clock.now(), clock: clock.clone() }
    }
}

impl Body for Paced {
    type Data = Bytes;
    type Error = TooSlow;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TooSlow>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let due_s = self.clock.now().seconds_since(self.begun) - GRACE_S;
        if due_s.saturating_mul(BYTES_A_SECOND) > self.taken {
            enforced!(WEB05);
            self.rest.clear();
            return Poll::Ready(Some(Err(TooSlow)));
        }
        let most = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(most);
        self.taken = self.taken.saturating_add(i64::try_from(most).unwrap_or(i64::MAX));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::poll_fn,
        sync::{
            Arc,
            atomic::{AtomicI64, Ordering},
        },
    };

    use domain::verifies;

    use super::*;

    /// What is taken of a file of `size` bytes by who takes a piece every `pause_s`, and whether it was all.
    async fn read(size: usize, pause_s: i64) -> (usize, bool) {
        let time = Arc::new(AtomicI64::new(0));
        let clock = Clock::new({
            let time = time.clone();
            move || Timestamp(time.load(Ordering::SeqCst) * 1_000_000)
        });
        let mut file = Paced::new(vec![7; size].into(), &clock);
        assert_eq!(file.size_hint().exact(), Some(size as u64));
        let mut taken = 0;
        while let Some(frame) = poll_fn(|cx| Pin::new(&mut file).poll_frame(cx)).await {
            let Ok(frame) = frame else { return (taken, false) };
            taken += frame.into_data().map_or(0, |piece| piece.len());
            time.fetch_add(pause_s, Ordering::SeqCst);
        }
        (taken, true)
    }

    #[tokio::test]
    async fn who_takes_a_file_too_slowly_does_not_get_to_its_end() {
        let _proof = verifies!(WEB05);
        const MIB: usize = 1 << 20;
        assert_eq!(read(4 * MIB, 0).await, (4 * MIB, true));
        // A small file may take its minute, whatever the pace.
        assert_eq!(read(PIECE * 3, 20).await, (PIECE * 3, true));
        let (taken, whole) = read(4 * MIB, 1).await;
        assert!(!whole && taken < 2 * MIB, "a quarter of the pace: {taken}");
    }
}
