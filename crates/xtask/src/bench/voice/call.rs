//! A caller: sends sound as fast as it is spoken, hears what comes, and notes when.
//!
//! Invariant: a piece of sound leaves every [`PIECE_MS`], silence when nothing is to be said. Times are taken
//! when the write of a piece is done, so what the caller itself is late counts against the server.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use domain::voice::turn_taking::FRAME_MS;
use serde_json::{Value, json};
use tokio::time::{Interval, MissedTickBehavior, interval_at};

use super::{
    sound::{Sending, Sound},
    wire::{self, Heard, Reader, Writer},
};
use crate::instance::Instance;

/// Nobody waits longer for an answer.
const LONGEST: Duration = Duration::from_secs(30);
/// How long a server may take until it takes calls.
const READY: Duration = Duration::from_secs(120);

/// How a call is held.
#[derive(Clone)]
pub(super) struct Manner {
    /// How sound is sent.
    pub(super) sending: Sending,
    /// The model that answers.
    pub(super) model: &'static str,
    /// What the model is told.
    pub(super) prompt: &'static str,
}

/// One call.
pub(super) struct Call {
    reader: Reader,
    writer: Writer,
    beat: Interval,
    silence: Arc<Sound>,
    saying: VecDeque<(Arc<Sound>, usize)>,
    /// How late each piece left, in milliseconds.
    pub(super) late_ms: Vec<f64>,
}

/// What happened to a call.
enum Happened {
    /// A piece of what is said left, and whether it was the last.
    Said(bool),
    /// A piece of silence left.
    Silence,
    /// The server told something.
    Told(Value),
    /// Sound of the agent.
    Sound,
}

/// What came of one question.
pub(super) struct Answered {
    /// From the last sample of the question to the first sound of the answer; `None`: it came before.
    pub(super) after_ms: Option<f64>,
    /// What the engine itself says about the stages.
    pub(super) stages: Value,
    /// When each piece of the question left,
    pub(super) left: Vec<Instant>,
    /// when the last sound of whatever was said before came,
    pub(super) last_sound: Option<Instant>,
    /// and when the client was told that the caller speaks.
    pub(super) noticed: Option<Instant>,
    /// The words that were understood.
    pub(super) words: String,
}

impl Call {
    /// Opens a call and hears the disclosure to its end. The first piece leaves `phase` later than it could.
    pub(super) async fn open(instance: &Instance, manner: &Manner, phase: Duration) -> anyhow::Result<Self> {
        let (mut reader, mut writer) = opened(instance).await?;
        let settings = json!({
            "type": "Settings",
            "audio": {
                "input": { "encoding": "linear16", "sample_rate": manner.sending.rate },
                "output": { "encoding": "linear16", "sample_rate": 24_000, "container": "none" },
            },
            "agent": { "think": {
                "provider": { "type": "open_ai", "model": manner.model },
                "prompt": manner.prompt,
            } },
        });
        writer.say(&settings).await?;
        while !matches!(&reader.next().await?, Heard::Message(told) if told["type"] == "SettingsApplied") {}
        let mut beat = interval_at(tokio::time::Instant::now() + phase, manner.sending.piece());
        // Sound that was late is made up for, as a sound card's is.
        beat.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let silence = Arc::new(Sound::silence(manner.sending));
        let mut call = Self { reader, writer, beat, silence, saying: VecDeque::new(), late_ms: Vec::new() };
        call.until_quiet(LONGEST).await?;
        Ok(call)
    }

    /// Sends what is due, or takes what comes.
    async fn next(&mut self) -> anyhow::Result<Happened> {
        loop {
            tokio::select! {
                due = self.beat.tick() => {
                    let happened = self.send().await?;
                    self.late_ms.push(due.elapsed().as_secs_f64() * 1e3);
                    return Ok(happened);
                }
                heard = self.reader.next() => match heard? {
                    Heard::Message(told) if told["type"] == "Error" => anyhow::bail!("the server says {told}"),
                    Heard::Message(told) => return Ok(Happened::Told(told)),
                    Heard::Sound => return Ok(Happened::Sound),
                    Heard::Asked(answer) => self.writer.send(&answer).await?,
                },
            }
        }
    }

    async fn send(&mut self) -> anyhow::Result<Happened> {
        let Some((sound, at)) = self.saying.front_mut() else {
            self.writer.send(self.silence.piece(0).context("silence has one piece")?).await?;
            return Ok(Happened::Silence);
        };
        self.writer.send(sound.piece(*at).context("a sound without pieces")?).await?;
        *at += 1;
        let last = *at == sound.len();
        if last {
            self.saying.pop_front();
        }
        Ok(Happened::Said(last))
    }

    /// Says nothing for this many pieces.
    pub(super) async fn pause(&mut self, pieces: usize) -> anyhow::Result<()> {
        let mut left = pieces;
        while left > 0 {
            if let Happened::Silence = self.next().await? {
                left -= 1;
            }
        }
        Ok(())
    }

    /// Waits until the agent has said all it has to say, at most so long. Says whether it has.
    pub(super) async fn until_quiet(&mut self, most: Duration) -> anyhow::Result<bool> {
        let begun = Instant::now();
        while begun.elapsed() < most {
            if let Happened::Told(told) = self.next().await?
                && told["type"] == "AgentAudioDone"
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Asks something, over whatever is being said, and waits for the first sound of the answer.
    pub(super) async fn ask(&mut self, question: &Arc<Sound>) -> anyhow::Result<Answered> {
        let begun = Instant::now();
        self.saying.push_back((Arc::clone(question), 0));
        let mut answered = Answered {
            after_ms: None,
            stages: Value::Null,
            left: Vec::new(),
            last_sound: None,
            noticed: None,
            words: String::new(),
        };
        let mut ended = None;
        loop {
            anyhow::ensure!(begun.elapsed() < LONGEST, "a question without an answer");
            let happened = self.next().await?;
            let now = Instant::now();
            match happened {
                Happened::Said(last) => {
                    answered.left.push(now);
                    ended = last.then_some(now);
                }
                Happened::Told(told) => answered.told(told, now),
                Happened::Sound if answered.noticed.is_none() => answered.last_sound = Some(now),
                Happened::Sound => {
                    if let Some(ended) = ended {
                        answered.after_ms = Some(now.duration_since(ended).as_secs_f64() * 1e3);
                    }
                    return Ok(answered);
                }
                Happened::Silence => (),
            }
        }
    }

    /// Hangs up.
    pub(super) async fn hang_up(self) -> anyhow::Result<()> {
        self.writer.close().await
    }
}

impl Answered {
    fn told(&mut self, told: Value, now: Instant) {
        match told["type"].as_str() {
            Some("UserStartedSpeaking") => self.noticed = self.noticed.or(Some(now)),
            Some("LatencyReport") => self.stages = told,
            Some("ConversationText") if told["role"] == "user" => {
                self.words.push_str(told["content"].as_str().unwrap_or_default());
            }
            _ => (),
        }
    }

    /// When the question had lasted this long, if it was as long: the end of the piece that reaches it.
    pub(super) fn lasted(&self, ms: u32) -> Option<Instant> {
        self.left.get(ms.div_ceil(FRAME_MS) as usize - 1).copied()
    }
}

/// Tries until the server takes calls.
async fn opened(instance: &Instance) -> anyhow::Result<(Reader, Writer)> {
    let begun = Instant::now();
    while begun.elapsed() < READY {
        if let Some(socket) = wire::open(instance).await? {
            return Ok(socket);
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    anyhow::bail!("the server took no call within two minutes")
}
