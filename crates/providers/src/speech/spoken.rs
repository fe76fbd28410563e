//! Sound of a voice while it is made. A few pieces are made ahead of whoever listens; dropping it stops the rest.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::Samples;
use crate::Error;

/// Pieces made ahead: the one that is heard and the next.
const AHEAD: usize = 2;
/// How long somebody may leave a piece lying before the rest is given up.
const PATIENCE: Duration = Duration::from_secs(120);

/// Sound as it is made.
pub struct Spoken {
    /// Samples a second.
    pub rate: u32,
    /// Which model speaks.
    pub model: String,
    pieces: mpsc::Receiver<Result<Samples, Error>>,
    /// Whether the rest was given up, which whoever listens is to learn.
    given_up: Arc<AtomicBool>,
    _stop: DropGuard,
}

impl Spoken {
    /// The next piece; `None` after the last. [`Error::Broke`] where the rest was given up, because
    /// nobody fetched a piece for too long.
    pub async fn next(&mut self) -> Option<Result<Samples, Error>> {
        match self.pieces.recv().await {
            Some(piece) => Some(piece),
            None => self.given_up.swap(false, Ordering::AcqRel).then_some(Err(Error::Broke)),
        }
    }

    /// A stream, and where what is spoken goes. It is over when `cancel` fires.
    pub(super) fn channel(rate: u32, model: String, cancel: &CancellationToken) -> (Out, Self) {
        let (sender, pieces) = mpsc::channel(AHEAD);
        let unwanted = cancel.child_token();
        let stop = unwanted.clone().drop_guard();
        let given_up = Arc::new(AtomicBool::new(false));
        let out = Out { sender, unwanted, patience: PATIENCE, given_up: Arc::clone(&given_up) };
        (out, Self { rate, model, pieces, given_up, _stop: stop })
    }
}

/// Where a voice puts what it speaks.
pub(super) struct Out {
    sender: mpsc::Sender<Result<Samples, Error>>,
    unwanted: CancellationToken,
    patience: Duration,
    given_up: Arc<AtomicBool>,
}

impl Out {
    /// Hands over a piece. `false` when nobody wants more.
    pub(super) async fn put(&self, piece: Result<Samples, Error>) -> bool {
        tokio::select! {
            () = self.unwanted.cancelled() => false,
            sent = tokio::time::timeout(self.patience, self.sender.send(piece)) => {
                // There is no room for an error among the pieces; it lies beside them.
                self.given_up.fetch_or(sent.is_err(), Ordering::AcqRel);
                matches!(sent, Ok(Ok(())))
            }
        }
    }

    /// Runs `work` unless nobody wants it any more.
    pub(super) async fn while_wanted<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            () = self.unwanted.cancelled() => None,
            done = work => Some(done),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_voice_that_was_given_up_does_not_look_complete() {
        let (mut out, mut spoken) = Spoken::channel(24_000, "a".to_owned(), &CancellationToken::new());
        out.patience = Duration::from_millis(1);
        for _ in 0..AHEAD {
            assert!(out.put(Ok(Samples::default())).await);
        }
        assert!(!out.put(Ok(Samples::default())).await, "nobody fetches");
        drop(out);
        for _ in 0..AHEAD {
            assert!(spoken.next().await.is_some_and(|piece| piece.is_ok()));
        }
        assert_eq!(spoken.next().await, Some(Err(Error::Broke)));
        assert_eq!(spoken.next().await, None);
    }
}
