//! `/v1/listen` as a socket: sound comes, what was said goes, as it is said and for good.

use std::time::Duration;

use assistant::{
    ModelError,
    speech::{Command, Decoder, Format, ListenWish, Listened, Listening, SpeechKind, is_wav, wav_stream},
};
use axum::response::Response;
use bytes::{Buf, Bytes};
use domain::{Ctx, enforced};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};
use zeroize::Zeroizing;

use super::{Wishes, written};
use crate::{
    App, Problem,
    api::error::{invalid, of_assistant, of_model},
    socket::{Message, Opening, Reason, Socket},
};

/// Clients say that they live every few seconds; without a word for so long they are gone.
const PATIENCE: Duration = Duration::from_secs(12);
/// The shortest pause that ends what somebody says: one within a sentence is shorter.
const SHORTEST_PAUSE_MS: u32 = 300;
/// Bytes in which the head of a WAV file is looked for.
const LONGEST_HEAD: usize = 4 << 10;
const NOT_AUDIO: Reason = Reason::Said(1008, "DATA-0000");
const SILENT: Reason = Reason::Said(1011, "NET-0001");
const TOO_LONG: Reason = Reason::Said(1008, "the stream is as long as it may be");

/// What clients say beside sound.
#[derive(Deserialize)]
#[serde(tag = "type")]
enum Said {
    KeepAlive,
    Finalize,
    CloseStream,
}

/// Opens the socket.
pub(super) async fn open(app: App, ctx: Ctx, wishes: &Wishes, opening: Opening) -> Result<Response, Problem> {
    if wishes.number("channels", 1, 8)?.is_some_and(|channels| channels != 1) {
        return Err(invalid("channels", "A stream has one channel here."));
    }
    let format = wishes.format()?;
    let decoder = format.map(Decoder::new).transpose().map_err(|error| of_model(&error))?;
    let pause = match wishes.value("endpointing") {
        Some("false") => None,
        Some("true") | None => Some(SHORTEST_PAUSE_MS),
        Some(_) => wishes.number("endpointing", 0, 60_000)?.map(|pause| pause.max(SHORTEST_PAUSE_MS)),
    };
    let millis = |pause: u32| Duration::from_millis(pause.into());
    let wish = ListenWish {
        model: Some(wishes.model(&app, &ctx, SpeechKind::Recognition)?.id),
        language: wishes.value("language").filter(|language| language.len() <= 16).map(str::to_owned),
        interim: wishes.flag("interim_results")?,
        endpointing: pause.map(millis),
        utterance_end: wishes.number("utterance_end_ms", 1_000, 60_000)?.map(millis),
        begins: wishes.flag("vad_events")?,
    };
    let listening = app.assistant.listen(&ctx, wish).await.map_err(|error| of_assistant(&error))?;
    let minutes = u64::from(app.identity.numbers().speech_stream_minutes);
    let talk = Talk {
        ctx: ctx.clone(),
        listening,
        decoder,
        head: Vec::new(),
        waiting: None,
        unread: Bytes::new(),
        second: format.map_or(1, Format::bytes_a_second),
        closing: false,
        heard_from: Instant::now(),
        ends: Instant::now() + Duration::from_secs(60 * minutes),
    };
    opening.open(&app, ctx, &["token", "bearer"], |socket| talk.run(socket))
}

/// One stream.
struct Talk {
    ctx: Ctx,
    listening: Listening,
    /// `None` until the head of a WAV file has said how the sound is written.
    decoder: Option<Decoder>,
    head: Vec<u8>,
    /// What the ear has no room for yet. Meanwhile nothing is read.
    waiting: Option<Command>,
    /// Sound that came behind it, as it came, and bytes of a second of it: so much becomes a command at a time.
    unread: Bytes,
    second: usize,
    closing: bool,
    heard_from: Instant,
    ends: Instant,
}

/// What happens next.
enum Next {
    Heard(Option<Listened>),
    Sent,
    Came(Option<Message>),
    Over(Reason),
}

impl Talk {
    async fn run(mut self, mut socket: Socket) {
        loop {
            let next = self.next(&mut socket).await;
            let goes_on = match next {
                Next::Sent => {
                    // While nothing was read, nobody was silent.
                    self.heard_from = Instant::now();
                    socket.resume();
                    self.read()
                }
                Next::Came(None) => return,
                Next::Came(Some(message)) => self.take(message),
                Next::Over(reason) => Err((reason, None)),
                Next::Heard(None) => Err((Reason::Broken, None)),
                Next::Heard(Some(heard)) => {
                    let (told, last) = self.told(heard);
                    if socket.send(Message::Text(told.to_string().into())).await.is_err() {
                        return;
                    }
                    last.map_or(Ok(()), |reason| Err((reason, None)))
                }
            };
            if let Err((reason, words)) = goes_on {
                if let Some(words) = words {
                    // Whether it arrives or not, the goodbye follows.
                    let _ = socket.send(Message::Text(words)).await;
                }
                return socket.close(reason).await;
            }
        }
    }

    async fn next(&mut self, socket: &mut Socket) -> Next {
        let reads = self.waiting.is_none() && !self.closing;
        let silent = self.heard_from + PATIENCE;
        tokio::select! {
            biased;
            () = sleep_until(self.ends) => {
                enforced!(SPE03);
                Next::Over(TOO_LONG)
            }
            heard = self.listening.heard.recv() => Next::Heard(heard),
            place = self.listening.commands.reserve(), if self.waiting.is_some() => {
                if let (Ok(place), Some(command)) = (place, self.waiting.take()) {
                    place.send(command);
                }
                Next::Sent
            }
            next = async {
                match reads {
                    true => Next::Came(socket.next().await),
                    false => Next::Over(socket.rest().await),
                }
            } => {
                self.heard_from = Instant::now();
                next
            }
            () = sleep_until(silent), if reads => Next::Over(SILENT),
        }
    }

    /// Takes what the client sent.
    fn take(&mut self, message: Message) -> Result<(), Refusal> {
        match message {
            Message::Text(text) => match serde_json::from_str(&text) {
                Ok(Said::KeepAlive) => (),
                Ok(Said::Finalize) => self.waiting = Some(Command::Finalize),
                Ok(Said::CloseStream) => self.close(),
                Err(_) => {
                    return Err(refusal(
                        "Text is `KeepAlive`, `Finalize` or `CloseStream`; sound is binary.",
                    ));
                }
            },
            // What its older clients close with.
            Message::Binary(bytes) if bytes.is_empty() => self.close(),
            Message::Binary(bytes) => self.sound(bytes)?,
        }
        Ok(())
    }

    fn close(&mut self) {
        (self.waiting, self.closing) = (Some(Command::Close), true);
    }

    fn sound(&mut self, bytes: Bytes) -> Result<(), Refusal> {
        if self.decoder.is_some() {
            self.unread = bytes;
            return self.read();
        }
        self.head.extend_from_slice(&bytes);
        let (format, begins) = match wav_stream(&self.head) {
            Ok(found) => found,
            // The head may be cut in two.
            Err(_) if self.head.len() < 12 || is_wav(&self.head) && self.head.len() < LONGEST_HEAD => {
                return Ok(());
            }
            Err(error) => return Err(unreadable(&error)),
        };
        self.decoder = Some(Decoder::new(format).map_err(|error| unreadable(&error))?);
        self.second = format.bytes_a_second();
        self.unread = Bytes::from_owner(Zeroizing::new(std::mem::take(&mut self.head)));
        self.unread.advance(begins.min(self.unread.len()));
        self.read()
    }

    /// Reads the next second of what came: decoded, much sound of a short frame would be a multiple of it.
    fn read(&mut self) -> Result<(), Refusal> {
        let Some(decoder) = &mut self.decoder else { return Ok(()) };
        while self.waiting.is_none() && !self.unread.is_empty() {
            let piece = self.unread.split_to(self.second.clamp(1, self.unread.len()));
            let samples = decoder.decode(&piece).map_err(|error| unreadable(&error))?;
            self.waiting = (!samples.is_empty()).then_some(Command::Sound(samples));
        }
        Ok(())
    }

    /// What is sent of what was heard, and whether it is the last.
    fn told(&self, heard: Listened) -> (Value, Option<Reason>) {
        let request = self.ctx.request.to_string();
        match heard {
            Listened::Began(at) => {
                (json!({ "type": "SpeechStarted", "channel": [0, 1], "timestamp": at }), None)
            }
            Listened::Words(words) => (written::results(&request, &self.listening.model, &words), None),
            Listened::UtteranceEnd(at) => {
                (json!({ "type": "UtteranceEnd", "channel": [0, 1], "last_word_end": at }), None)
            }
            Listened::Ended(seconds) => (written::metadata(&self.ctx, seconds), Some(Reason::Done)),
            Listened::Failed(error) => {
                let problem = of_assistant(&error);
                let reason = match error {
                    assistant::Error::UsedUp { .. } | assistant::Error::Denied(_) => Reason::Ended,
                    _ => Reason::Broken,
                };
                (fault("ProviderError", &problem.detail), Some(reason))
            }
        }
    }
}

/// Why the socket is closed, and what is said before.
type Refusal = (Reason, Option<tokio_tungstenite::tungstenite::Utf8Bytes>);

fn unreadable(_: &ModelError) -> Refusal {
    refusal("The sound is none this server reads: send WAV, or `encoding` with `sample_rate`.")
}

fn refusal(words: &str) -> Refusal {
    (NOT_AUDIO, Some(fault("SchemaError", words).to_string().into()))
}

fn fault(variant: &str, words: &str) -> Value {
    json!({ "type": "Error", "variant": variant, "description": words, "message": words })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_clients_say_is_understood() {
        assert!(matches!(serde_json::from_str(r#"{"type":"KeepAlive"}"#), Ok(Said::KeepAlive)));
        assert!(serde_json::from_str::<Said>(r#"{"type":"Shout"}"#).is_err());
    }
}
