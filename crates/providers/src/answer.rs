//! An answer on its way: the stream callers read, and the end that vendors write into.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use domain::model::{Delta, Finish, ToolCall, Usage};
use futures::{Stream, StreamExt};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::Error;

/// Pieces that may wait for a reader before the vendor is held back.
const PIECES_AHEAD: usize = 256;

/// The pieces of an answer, as they come. The last item is [`Delta::Done`] or an error; a cancelled
/// answer ends with [`Error::Cancelled`]. Dropping it tells the vendor to stop.
#[derive(Debug)]
pub struct Answer {
    receiver: mpsc::Receiver<Result<Delta, Error>>,
    ended: bool,
}

/// An answer that has come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// All text.
    pub text: String,
    /// All tool calls.
    pub tool_calls: Vec<ToolCall>,
    /// Why it ended.
    pub finish: Finish,
    /// Tokens counted.
    pub usage: Usage,
}

impl Answer {
    /// An answer, and the end to write it with. `caller` and `house` are who may cancel it.
    pub(crate) fn channel(caller: CancellationToken, house: CancellationToken) -> (Out, Self) {
        let (sender, receiver) = mpsc::channel(PIECES_AHEAD);
        (Out { sender, caller, house }, Self { receiver, ended: false })
    }

    /// Waits for the end and gives the whole answer, of at most `max_bytes` of text.
    ///
    /// # Errors
    /// The answer's own error; [`Error::TooLarge`] beyond `max_bytes`.
    pub async fn whole(mut self, max_bytes: usize) -> Result<Whole, Error> {
        let (mut text, mut tool_calls) = (String::new(), Vec::new());
        while let Some(piece) = self.next().await {
            match piece? {
                Delta::Text(more) if text.len() + more.len() > max_bytes => return Err(Error::TooLarge),
                Delta::Text(more) => text.push_str(&more),
                Delta::ToolCall(call) => tool_calls.push(call),
                Delta::Done { finish, usage } => return Ok(Whole { text, tool_calls, finish, usage }),
            }
        }
        Err(Error::Broke)
    }
}

impl Stream for Answer {
    type Item = Result<Delta, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let piece = std::task::ready!(self.receiver.poll_recv(cx));
        // A vendor that vanished without a word broke off.
        let piece = piece.unwrap_or(Err(Error::Broke));
        self.ended = matches!(piece, Ok(Delta::Done { .. }) | Err(_));
        Poll::Ready(Some(piece))
    }
}

/// Where a vendor writes an answer.
pub(crate) struct Out {
    sender: mpsc::Sender<Result<Delta, Error>>,
    caller: CancellationToken,
    house: CancellationToken,
}

impl Out {
    /// Whether nobody wants more of this answer.
    pub(crate) fn unwanted(&self) -> bool {
        self.sender.is_closed() || self.caller.is_cancelled() || self.house.is_cancelled()
    }

    /// Resolves when nobody wants more of this answer.
    pub(crate) async fn until_unwanted(&self) {
        tokio::select! {
            () = self.sender.closed() => (),
            () = self.caller.cancelled() => (),
            () = self.house.cancelled() => (),
        }
    }

    /// Writes one piece.
    ///
    /// # Errors
    /// [`Error::Cancelled`] when nobody wants more.
    pub(crate) async fn write(&self, delta: Delta) -> Result<(), Error> {
        tokio::select! {
            biased;
            () = self.until_unwanted() => Err(Error::Cancelled),
            sent = self.sender.send(Ok(delta)) => sent.map_err(|_| Error::Cancelled),
        }
    }

    /// Writes one piece from a thread without waiting; `false` when the reader is too slow or gone.
    pub(crate) fn try_write(&self, delta: Delta) -> Result<(), Full> {
        self.sender.try_send(Ok(delta)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(Ok(delta)) => Full(Some(delta)),
            _ => Full(None),
        })
    }

    /// Ends the answer with an error. Says nothing when the reader has left.
    pub(crate) async fn fail(self, error: Error) {
        tokio::select! {
            biased;
            () = self.house.cancelled() => drop(self.sender.try_send(Err(error.clone()))),
            _ = self.sender.send(Err(error.clone())) => (),
        }
    }

    /// The same from a thread.
    pub(crate) fn fail_now(self, error: Error) {
        // A reader that left, or that let hundreds of pieces pile up, learns from the missing end.
        drop(self.sender.try_send(Err(error)));
    }
}

/// The piece could not be taken now; `None` when it never will.
pub(crate) struct Full(pub(crate) Option<Delta>);
