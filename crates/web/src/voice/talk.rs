//! One voice connection from its first word to its last: what the client says goes to its face, what the face
//! asks goes to the engine, and back.
//!
//! Spawned by the routes of [`super`]. Invariants: the socket is asked for its next message whenever nothing else
//! is to be done; the call ends with the socket and the socket with the call; whatever of the client's sound
//! stood in a message of ours is wiped.

use std::{collections::VecDeque, time::Duration};

use assistant::Call;
use bytes::Bytes;
use domain::{
    enforced,
    voice::{Command, Event, Why},
};
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::Utf8Bytes;
use zeroize::{Zeroize, Zeroizing};

use super::{
    agent, page, realtime,
    step::{BUSY, Step},
};
use crate::socket::{Gone, Message, Reason, Socket};

/// How long the engine may take to take a command.
const STUCK: Duration = Duration::from_secs(10);
/// What is larger waits until everything before it was taken. So a client that sends much faster than it may fills a
/// few megabytes, and not as many messages as there are places.
const LARGE: usize = 32 << 10;
/// Most events that are put aside meanwhile.
const MOST_EARLY: usize = 256;
/// Longer than any connection.
const NEVER: Duration = Duration::from_secs(30 * 24 * 3600);

/// The wires.
pub(super) enum Face {
    /// `OpenAI`'s.
    Realtime(Box<realtime::Face>),
    /// Deepgram's.
    Agent(Box<agent::Face>),
    /// Our own page's.
    Page(Box<page::Face>),
}

impl Face {
    fn hears(&mut self, message: Message) -> Vec<Step> {
        let (steps, bytes) = match message {
            Message::Text(text) => {
                let steps = match self {
                    Self::Realtime(face) => face.hears(&text),
                    Self::Agent(face) => face.hears(&text),
                    Self::Page(face) => face.hears(&text),
                };
                (steps, Bytes::from(text))
            }
            Message::Binary(bytes) => {
                let steps = match self {
                    Self::Realtime(face) => face.hears_bytes(),
                    Self::Agent(face) => face.hears_bytes(&bytes),
                    Self::Page(face) => face.hears_bytes(&bytes),
                };
                (steps, bytes)
            }
        };
        wipe(bytes);
        steps
    }

    fn tells(&mut self, event: Event) -> Vec<Step> {
        match self {
            Self::Realtime(face) => face.tells(event),
            Self::Agent(face) => face.tells(event),
            Self::Page(face) => face.tells(event),
        }
    }

    /// How long the client may say nothing.
    const fn patience(&self) -> Duration {
        match self {
            Self::Realtime(_) | Self::Page(_) => NEVER,
            Self::Agent(_) => agent::PATIENCE,
        }
    }
}

/// The engine's end of a connection.
struct Line {
    call: Call,
    /// What the engine said while it was being asked.
    early: VecDeque<Event>,
}

/// The engine takes nothing any more.
struct Stuck;

impl Line {
    async fn event(&mut self) -> Option<Event> {
        match self.early.pop_front() {
            Some(event) => Some(event),
            None => self.call.events.recv().await,
        }
    }

    /// Asks the engine for something, and listens meanwhile: it may wait for us as we for it.
    async fn ask(&mut self, command: Command) -> Result<(), Stuck> {
        let until = Instant::now() + STUCK;
        let Self { call, early } = self;
        let places = if is_large(&command) { call.commands.max_capacity() } else { 1 };
        loop {
            tokio::select! {
                biased;
                room = call.commands.reserve_many(places) => return match room {
                    Ok(mut room) => {
                        if let Some(room) = room.next() {
                            room.send(command);
                        }
                        Ok(())
                    }
                    Err(_) => Err(Stuck),
                },
                Some(event) = call.events.recv(), if early.len() < MOST_EARLY => early.push_back(event),
                () = sleep_until(until) => return Err(Stuck),
            }
        }
    }
}

fn is_large(command: &Command) -> bool {
    match command {
        Command::Audio(bytes) => bytes.len() > LARGE,
        Command::Text { text, .. } => text.len() > LARGE,
        Command::ToolResult { output, .. } => output.len() > LARGE,
        // With its tools.
        Command::Configure(_) => true,
        _ => false,
    }
}

/// What a turn of the loop was about.
enum Next {
    Said(Option<Message>),
    Told(Option<Event>),
    Silent,
    TooLong,
}

/// Holds the conversation; `steps` are what the face begins with, `longest` is how long it may last.
pub(super) async fn talk(
    mut socket: Socket,
    call: Call,
    mut face: Face,
    mut steps: Vec<Step>,
    longest: Option<Duration>,
) {
    let mut line = Line { call, early: VecDeque::new() };
    let end = Instant::now() + longest.unwrap_or(NEVER);
    let mut heard = Instant::now();
    loop {
        match take(&mut socket, &mut line, steps).await {
            Took::On => (),
            Took::Leave(reason) => return socket.close(reason).await,
            Took::Gone => return,
        }
        let patience = heard + face.patience();
        let next = tokio::select! {
            biased;
            () = sleep_until(end) => Next::TooLong,
            // Both in turn, and both before the patience ends: a message that is there was not late, however long
            // it took to do what the one before asked.
            next = async {
                tokio::select! {
                    message = socket.next() => Next::Said(message),
                    event = line.event() => Next::Told(event),
                }
            } => next,
            () = sleep_until(patience) => Next::Silent,
        };
        steps = match next {
            Next::Said(Some(message)) => {
                heard = Instant::now();
                face.hears(message)
            }
            // The socket has said its goodbyes; dropping the line ends the call.
            Next::Said(None) => {
                let _ = line.call.commands.try_send(Command::HangUp);
                return;
            }
            Next::Told(Some(event)) => face.tells(event),
            Next::Told(None) => vec![Step::Leave(Reason::Broken)],
            Next::Silent => {
                enforced!(VOI11);
                agent::Face::silent()
            }
            Next::TooLong => face.tells(Event::Ended { why: Why::TooLong }),
        };
    }
}

/// What came of a few steps.
enum Took {
    On,
    Leave(Reason),
    Gone,
}

async fn take(socket: &mut Socket, line: &mut Line, steps: Vec<Step>) -> Took {
    for step in steps {
        let sent = match step {
            Step::Text(text) => send(socket, text, true).await,
            Step::Bytes(bytes) => send(socket, bytes, false).await,
            Step::Ask(command) => match line.ask(command).await {
                Ok(()) => Ok(()),
                // A call that has ended takes nothing, and has said why.
                Err(Stuck) if line.call.commands.is_closed() => return Took::On,
                Err(Stuck) => return Took::Leave(BUSY),
            },
            Step::Leave(reason) => return Took::Leave(reason),
        };
        if sent.is_err() {
            return Took::Gone;
        }
    }
    Took::On
}

async fn send(socket: &mut Socket, bytes: Zeroizing<Vec<u8>>, is_text: bool) -> Result<(), Gone> {
    // Wiped when the last of it has left.
    let bytes = Bytes::from_owner(Wiped(bytes));
    let message = match is_text {
        true => Message::Text(Utf8Bytes::try_from(bytes).map_err(|_| Gone)?),
        false => Message::Binary(bytes),
    };
    socket.send(message).await
}

struct Wiped(Zeroizing<Vec<u8>>);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Overwrites a message that nobody else holds.
fn wipe(bytes: Bytes) {
    if let Ok(mut bytes) = bytes.try_into_mut() {
        bytes.as_mut().zeroize();
    }
}
