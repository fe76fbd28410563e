//! An open socket. Whoever has it asks for the next message again and again; pings, the sign of life, the end of the
//! session and of the server, and the goodbyes that RFC 6455 asks for are seen to meanwhile.

use std::time::Duration;

use bytes::Bytes;
use domain::enforced;
use futures::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, sleep_until, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message as Raw, Utf8Bytes,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};
use tokio_util::sync::CancellationToken;

use super::meter::Metered;
use crate::edge::streams::Ended;

/// How long a goodbye may take, each way.
const GOODBYE: Duration = Duration::from_secs(2);
/// How long one message may take to leave.
const SENDING: Duration = Duration::from_secs(30);
/// What is read and thrown away at most, of a client that goes on talking while it is told goodbye.
const LAST_WORDS: usize = 1 << 20;

type Stream = WebSocketStream<Metered<TokioIo<Upgraded>>>;

/// A whole message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Text, sound UTF-8.
    Text(Utf8Bytes),
    /// Bytes.
    Binary(Bytes),
}

/// Why a socket is closed by us; the codes are those of RFC 6455 §7.4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// What it was for is done.
    Done,
    /// The server ends.
    GoingAway,
    /// The client broke the protocol.
    Protocol,
    /// The client sent text that is none.
    NotText,
    /// A message was too big.
    TooBig,
    /// The session or the key has ended.
    Ended,
    /// Too many frames came.
    TooMany,
    /// Nothing came for too long.
    Silent,
    /// We cannot go on.
    Broken,
    /// What the protocol on the socket says of it: its code, and its words.
    Said(u16, &'static str),
}

impl Reason {
    fn frame(self) -> CloseFrame {
        let (code, words) = match self {
            Self::Done => (CloseCode::Normal, ""),
            Self::GoingAway => (CloseCode::Away, "the server ends"),
            Self::Protocol => (CloseCode::Protocol, ""),
            Self::NotText => (CloseCode::Invalid, ""),
            Self::TooBig => (CloseCode::Size, "the message is too big"),
            Self::Ended => (CloseCode::Policy, "the session or key has ended"),
            Self::TooMany => (CloseCode::Policy, "too many frames"),
            Self::Silent => (CloseCode::Policy, "silent for too long"),
            Self::Broken => (CloseCode::Error, ""),
            Self::Said(code, words) => (CloseCode::from(code), words),
        };
        CloseFrame { code, reason: Utf8Bytes::from_static(words) }
    }
}

/// The other side is gone; there is nobody to send to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the other side of the socket is gone")]
pub struct Gone;

/// An open socket. Dropped, it is cut; [`Socket::close`] says goodbye.
pub struct Socket {
    stream: Stream,
    ended: Ended,
    shutdown: CancellationToken,
    silent: Duration,
    asked: Instant,
    /// Since when it is read again, where for a while it was not.
    resumed: Instant,
    closing: Option<Reason>,
}

/// What happened next.
enum Next {
    Came(Option<Result<Raw, Error>>),
    Over(Reason),
    AskForLife,
}

impl Socket {
    pub(super) fn new(stream: Stream, ended: Ended, shutdown: CancellationToken, silent: Duration) -> Self {
        let now = Instant::now();
        Self { stream, ended, shutdown, silent, asked: now, resumed: now, closing: None }
    }

    /// The next message; `None` when the socket is over, its goodbyes said. Nothing is lost when this is
    /// dropped before it is done, so it may stand in a `select!`. Must be asked again soon: what a socket has to keep
    /// to, it keeps to here.
    pub async fn next(&mut self) -> Option<Message> {
        while self.closing.is_none() {
            match self.event().await {
                Next::Came(Some(Ok(Raw::Text(text)))) => return Some(Message::Text(text)),
                Next::Came(Some(Ok(Raw::Binary(bytes)))) => return Some(Message::Binary(bytes)),
                // Pings are answered, and a goodbye returned, by the next look at the stream.
                Next::Came(Some(Ok(_))) => (),
                Next::Came(None) => {
                    self.leave().await;
                    return None;
                }
                Next::Came(Some(Err(error))) => self.closing = Some(self.fault(&error)),
                Next::Over(reason) => self.closing = Some(reason),
                Next::AskForLife => {
                    self.asked = Instant::now();
                    if self.put(Raw::Ping(Bytes::new())).await.is_err() {
                        return None;
                    }
                }
            }
        }
        let reason = self.closing?;
        self.goodbye(reason).await;
        None
    }

    /// Instead of [`Socket::next`] while there is no room for another message: returns when the socket has to end
    /// all the same. [`Socket::resume`] says that it is read again.
    pub async fn rest(&mut self) -> Reason {
        tokio::select! {
            biased;
            () = self.shutdown.cancelled() => Reason::GoingAway,
            () = self.ended.as_mut() => {
                // Asked once more it must not be polled again.
                self.ended = Box::pin(std::future::ready(()));
                Reason::Ended
            }
        }
    }

    /// It is read again: what was not looked at meanwhile was no silence.
    pub fn resume(&mut self) {
        self.resumed = Instant::now();
    }

    async fn event(&mut self) -> Next {
        let asks = self.silent / 3;
        let heard = self.stream.get_ref().heard().max(self.resumed);
        let due = heard.max(self.asked) + asks;
        tokio::select! {
            // In this order: who sends without a pause must not keep the rest from being seen.
            biased;
            () = self.shutdown.cancelled() => Next::Over(Reason::GoingAway),
            () = self.ended.as_mut() => {
                enforced!(WEB15);
                // Asked once more it must not be polled again.
                self.ended = Box::pin(std::future::ready(()));
                Next::Over(Reason::Ended)
            }
            () = sleep_until(due) => match heard.elapsed() >= self.silent {
                true => {
                    enforced!(WEB15);
                    Next::Over(Reason::Silent)
                }
                false => Next::AskForLife,
            },
            came = self.stream.next() => Next::Came(came),
        }
    }

    /// What is to be said to a client that did this.
    fn fault(&self, error: &Error) -> Reason {
        if self.stream.get_ref().is_over() {
            return Reason::TooMany;
        }
        match error {
            Error::Utf8(_) => Reason::NotText,
            Error::Capacity(_) => {
                enforced!(WEB15);
                Reason::TooBig
            }
            _ => Reason::Protocol,
        }
    }

    /// Sends a message; it has left when this returns.
    ///
    /// # Errors
    /// [`Gone`] when it cannot leave.
    pub async fn send(&mut self, message: Message) -> Result<(), Gone> {
        self.put(match message {
            Message::Text(text) => Raw::Text(text),
            Message::Binary(bytes) => Raw::Binary(bytes),
        })
        .await
    }

    async fn put(&mut self, message: Raw) -> Result<(), Gone> {
        match timeout(SENDING, self.stream.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone),
        }
    }

    /// Closes it, and waits a moment for the other side to agree.
    pub async fn close(mut self, reason: Reason) {
        self.goodbye(reason).await;
    }

    /// Says goodbye and waits for the answer, as long as it can be understood.
    async fn goodbye(&mut self, reason: Reason) {
        let said = timeout(GOODBYE, self.stream.close(Some(reason.frame()))).await;
        if !matches!(said, Ok(Ok(()))) {
            return;
        }
        // After a fault the stream gives nothing more, and what comes cannot be trusted to be frames.
        let answered = async { while let Some(Ok(_)) = self.stream.next().await {} };
        let _ = timeout(GOODBYE, answered).await;
        self.leave().await;
    }

    /// Ends the connection so that what was said last is not lost: a socket that is closed with something
    /// unread takes back what was sent.
    async fn leave(&mut self) {
        let stream = self.stream.get_mut().stream();
        let mut sink = vec![0; 4 << 10];
        let last = async {
            if stream.shutdown().await.is_err() {
                return;
            }
            let mut left = LAST_WORDS;
            while let Ok(length @ 1..) = stream.read(&mut sink).await {
                left = left.saturating_sub(length);
                if left == 0 {
                    return;
                }
            }
        };
        // Whether it went well or took too long, the connection is over.
        let _ = timeout(GOODBYE, last).await;
    }
}

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Socket")
    }
}
