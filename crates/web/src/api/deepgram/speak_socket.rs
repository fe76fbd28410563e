//! `/v1/speak` as a socket: texts come in pieces, sound goes as it is made.
//!
//! Whole sentences are spoken as soon as they are there; `Flush` says the rest, `Clear` forgets what is not yet said.

use std::collections::VecDeque;
use std::time::Duration;

use assistant::{
    ModelError,
    speech::{Encoding, Format, LONGEST_TEXT, Say, SpeechKind},
};
use axum::response::Response;
use bytes::Bytes;
use domain::{Ctx, enforced};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};
use zeroize::Zeroizing;

use super::{Wishes, speak::pace, written::NO_ID};
use crate::{
    App, Problem,
    api::{
        audio::sending::Sending,
        error::{invalid, of_assistant},
    },
    socket::{Message, Opening, Reason, Socket},
};

/// Texts and flushes that wait for the voice.
const MOST_WAITING: usize = 64;
const NOT_UNDERSTOOD: Reason = Reason::Said(1008, "DATA-0000");
const NOT_TEXT: Reason = Reason::Said(1003, "MESSAGE-0000");
const TOO_MUCH: Reason = Reason::Said(1009, "BIG-0000");
const TOO_LONG: Reason = Reason::Said(1008, "the stream is as long as it may be");

/// What clients say.
#[derive(Deserialize)]
#[serde(tag = "type")]
enum Said {
    Speak { text: Zeroized },
    Flush,
    Clear,
    Close,
    KeepAlive,
}

/// A text that is wiped when it is dropped.
struct Zeroized(Zeroizing<String>);

impl<'de> Deserialize<'de> for Zeroized {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(|text| Self(Zeroizing::new(text)))
    }
}

/// What is to be done next, in order.
enum Job {
    Say(Zeroizing<String>),
    Flushed(u32),
    Close,
}

/// Opens the socket.
pub(super) fn open(app: App, ctx: Ctx, wishes: &Wishes, opening: Opening) -> Result<Response, Problem> {
    let format = wishes.format()?.unwrap_or(Format { encoding: Encoding::Pcm16, rate: 24_000 });
    if wishes.value("container").is_some_and(|container| container != "none") {
        return Err(invalid("container", "A stream has no container."));
    }
    let facts = wishes.model(&app, &ctx, SpeechKind::Synthesis)?;
    let minutes = u64::from(app.identity.numbers().speech_stream_minutes);
    let talk = Talk {
        app: app.clone(),
        ctx: ctx.clone(),
        voice: facts.id,
        pace: pace(wishes)?,
        format,
        text: Zeroizing::default(),
        jobs: VecDeque::new(),
        sending: None,
        sequence: 0,
        has_spoken: false,
        ends: Instant::now() + Duration::from_secs(60 * minutes),
    };
    opening.open(&app, ctx, &["token", "bearer"], |socket| talk.run(socket))
}

/// One stream.
struct Talk {
    app: App,
    ctx: Ctx,
    voice: String,
    pace: f32,
    format: Format,
    /// What is not a whole sentence yet.
    text: Zeroizing<String>,
    jobs: VecDeque<Job>,
    sending: Option<Sending>,
    sequence: u32,
    /// Whether something was said before.
    has_spoken: bool,
    ends: Instant,
}

/// What happens next.
enum Next {
    Made(Option<Result<Bytes, ModelError>>),
    Came(Option<Message>),
    Over,
}

/// Why the socket is closed: the code, and what is said before.
struct Bye(Reason, Option<Value>);

impl Talk {
    async fn run(mut self, mut socket: Socket) {
        let about = json!({
            "type": "Metadata", "request_id": self.ctx.request.to_string(), "model_name": self.voice,
            "model_version": env!("CARGO_PKG_VERSION"), "model_uuid": NO_ID,
        });
        if tell(&mut socket, &about).await.is_err() {
            return;
        }
        let Err(Bye(reason, words)) = self.talk(&mut socket).await else { return };
        if let Some(words) = words {
            // Whether it arrives or not, the goodbye follows.
            let _ = tell(&mut socket, &words).await;
        }
        socket.close(reason).await;
    }

    /// `Ok` when the other side is gone.
    async fn talk(&mut self, socket: &mut Socket) -> Result<(), Bye> {
        loop {
            if self.sending.is_none() && self.begin(socket).await? {
                return Ok(());
            }
            match self.next(socket).await {
                Next::Over => {
                    enforced!(SPE03);
                    return Err(Bye(TOO_LONG, None));
                }
                Next::Came(None) => return Ok(()),
                Next::Came(Some(message)) => {
                    if let Some(answer) = self.take(message)?
                        && tell(socket, &answer).await.is_err()
                    {
                        return Ok(());
                    }
                }
                Next::Made(None) => self.sending = None,
                Next::Made(Some(Ok(bytes))) => {
                    if socket.send(Message::Binary(bytes)).await.is_err() {
                        return Ok(());
                    }
                }
                Next::Made(Some(Err(error))) => return Err(failed(&error.into())),
            }
        }
    }

    async fn next(&mut self, socket: &mut Socket) -> Next {
        let made = async {
            match &mut self.sending {
                Some(sending) => sending.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = sleep_until(self.ends) => Next::Over,
            // Both are kept where they were when the other comes first.
            came = socket.next() => Next::Came(came),
            made = made => Next::Made(made),
        }
    }

    /// Begins the next jobs, until one of them speaks. `true` when the other side is gone.
    async fn begin(&mut self, socket: &mut Socket) -> Result<bool, Bye> {
        while self.sending.is_none() {
            match self.jobs.pop_front() {
                None => return Ok(false),
                Some(Job::Close) => return Err(Bye(Reason::Done, None)),
                Some(Job::Flushed(sequence)) => {
                    if tell(socket, &json!({ "type": "Flushed", "sequence_id": sequence })).await.is_err() {
                        return Ok(true);
                    }
                }
                Some(Job::Say(text)) => {
                    let say = Say { text, voice: Some(self.voice.clone()), pace: self.pace };
                    let speaking = self.app.assistant.speak(&self.ctx, say).await;
                    let sending = Sending::new(speaking.map_err(|error| failed(&error))?, self.format);
                    let sending = sending.map_err(|error| failed(&error.into()))?;
                    let follows = std::mem::replace(&mut self.has_spoken, true);
                    self.sending = Some(if follows { sending.behind_a_pause() } else { sending });
                }
            }
        }
        Ok(false)
    }

    /// Takes what the client sent; what is answered at once.
    fn take(&mut self, message: Message) -> Result<Option<Value>, Bye> {
        let Message::Text(text) = message else {
            return Err(Bye(NOT_TEXT, Some(fault("MESSAGE-0000", "Texts come as text."))));
        };
        let said = serde_json::from_str(&text);
        let said = said.map_err(|_| {
            Bye(NOT_UNDERSTOOD, Some(fault("DATA-0000", "Send `Speak`, `Flush`, `Clear` or `Close`.")))
        })?;
        match said {
            Said::KeepAlive => (),
            Said::Speak { text } => self.add(&text.0)?,
            Said::Flush => {
                self.flush()?;
                self.sequence += 1;
                self.put(Job::Flushed(self.sequence - 1))?;
            }
            Said::Clear => {
                self.text = Zeroizing::default();
                self.jobs.clear();
                self.sending = None;
                self.sequence += 1;
                return Ok(Some(json!({ "type": "Cleared", "sequence_id": self.sequence - 1 })));
            }
            Said::Close => {
                self.flush()?;
                self.put(Job::Close)?;
            }
        }
        Ok(None)
    }

    /// Adds a piece of text, and lets whole sentences be spoken.
    fn add(&mut self, piece: &str) -> Result<(), Bye> {
        if self.text.len() + piece.len() > LONGEST_TEXT {
            enforced!(SPE03);
            return Err(Bye(TOO_MUCH, Some(fault("BIG-0000", "That is more text than is spoken at once."))));
        }
        let mut text = Zeroizing::new(String::with_capacity(LONGEST_TEXT));
        text.push_str(&self.text);
        text.push_str(piece);
        let ends = text.rmatch_indices(['.', '!', '?']).map(|(at, _)| at + 1);
        let end = ends
            .into_iter()
            .find(|end| text.get(*end..).is_some_and(|rest| rest.starts_with(char::is_whitespace)));
        if let Some(end) = end {
            let (whole, rest) = text.split_at(end);
            self.put(Job::Say(Zeroizing::new(whole.to_owned())))?;
            self.text = Zeroizing::new(rest.trim_start().to_owned());
        } else {
            self.text = text;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Bye> {
        let text = std::mem::take(&mut self.text);
        if text.trim().is_empty() { Ok(()) } else { self.put(Job::Say(text)) }
    }

    fn put(&mut self, job: Job) -> Result<(), Bye> {
        if self.jobs.len() >= MOST_WAITING {
            enforced!(SPE03);
            return Err(Bye(TOO_MUCH, Some(fault("BIG-0001", "Too much waits to be spoken."))));
        }
        self.jobs.push_back(job);
        Ok(())
    }
}

async fn tell(socket: &mut Socket, told: &Value) -> Result<(), crate::socket::Gone> {
    socket.send(Message::Text(told.to_string().into())).await
}

fn failed(error: &assistant::Error) -> Bye {
    let reason = match error {
        assistant::Error::UsedUp { .. } | assistant::Error::Denied(_) => Reason::Ended,
        _ => Reason::Broken,
    };
    Bye(reason, Some(fault("NET-0000", &of_assistant(error).detail)))
}

fn fault(code: &str, words: &str) -> Value {
    json!({ "type": "Error", "err_code": code, "err_msg": words, "description": words, "code": code })
}
