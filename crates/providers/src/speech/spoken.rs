//! Sound of a voice while it is made. A few pieces are made ahead of whoever listens; dropping it stops the rest.

use std::time::Duration;

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
    _stop: DropGuard,
}

impl Spoken {
    /// The next piece; `None` after the last.
    pub async fn next(&mut self) -> Option<Result<Samples, Error>> {
        self.pieces.recv().await
    }

    /// A stream, and where what is spoken goes. It is over when `cancel` fires.
    pub(super) fn channel(rate: u32, model: String, cancel: &CancellationToken) -> (Out, Self) {
        let (sender, pieces) = mpsc::channel(AHEAD);
        let unwanted = cancel.child_token();
        let stop = unwanted.clone().drop_guard();
        (Out { sender, unwanted }, Self { rate, model, pieces, _stop: stop })
    }
}

/// Where a voice puts what it speaks.
pub(super) struct Out {
    sender: mpsc::Sender<Result<Samples, Error>>,
    unwanted: CancellationToken,
}

impl Out {
    /// Hands over a piece. `false` when nobody wants more.
    pub(super) async fn put(&self, piece: Result<Samples, Error>) -> bool {
        tokio::select! {
            () = self.unwanted.cancelled() => false,
            sent = tokio::time::timeout(PATIENCE, self.sender.send(piece)) => matches!(sent, Ok(Ok(()))),
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
