//! Listening to a stream: what was said so far while somebody speaks, and for good when they pause.
//!
//! One task hears one stream. Commands and what was heard go through short channels, so a client that sends faster
//! than is listened, or far faster than it was spoken, waits, and one that does not read stops its own stream alone. Invariant: at most
//! [`LONGEST`] of sound is held, and wiped when it is dropped.

use std::time::Duration;

use domain::{Ctx, enforced};
use providers::speech::{FRAME_SAMPLES, Haste, Heard, Hearing, RATE, Samples, Sound};
use store::usage::Use;
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::{CancellationToken, DropGuard};
use zeroize::Zeroizing;

use super::{SpeechKind, settle_later};
use crate::{Assistant, Error, bounds::Charge, programs::Pass, rights};

/// Commands that wait while something is recognised.
const COMMANDS: usize = 8;
/// What was heard and not yet fetched.
const EVENTS: usize = 16;
/// The longest piece that is recognised as one: 20 s.
const LONGEST: usize = 20 * RATE as usize;
/// What is kept from before somebody was noticed: quiet consonants lie there.
const BEFORE: usize = 3 * RATE as usize / 10;
/// New sound after which what is said so far is told.
const INTERIM: usize = RATE as usize;
/// Frames of speech in a row until somebody speaks.
const FRAMES_TO_BEGIN: usize = 2;
/// How likely a frame is speech that begins it, and that goes on with it.
const BEGINS: f32 = 0.5;
const GOES_ON: f32 = 0.35;
/// How long what is told for good waits for its turn. Far longer than the line ever is: what was said is not lost
/// because many speak.
const PATIENCE: Duration = Duration::from_secs(60);
/// The first pause before a vendor that is too busy is asked again; each one is twice as long.
const BREATH: Duration = Duration::from_millis(250);
/// Sound may come twice as fast as it is spoken, and this much at once; what comes faster waits.
const BURST: Duration = Duration::from_secs(30);
/// Sound that is heard without letting others go on: a second.
const STRETCH: usize = RATE as usize / FRAME_SAMPLES * FRAME_SAMPLES;
/// Seconds of sound that are paid for at a time.
const BLOCK: u64 = 15;

/// How somebody wants to be listened to.
#[derive(Clone, Debug)]
pub struct ListenWish {
    /// The model; the usual one when absent.
    pub model: Option<String>,
    /// The language, where somebody said so.
    pub language: Option<String>,
    /// Whether what is said so far is told, too.
    pub interim: bool,
    /// A pause this long ends what somebody says; `None`: only its longest length does.
    pub endpointing: Option<Duration>,
    /// A pause after which the end of an utterance is told.
    pub utterance_end: Option<Duration>,
    /// Whether the beginning of speech is told.
    pub begins: bool,
}

/// What the stream brings.
pub enum Command {
    /// More sound, [`RATE`] samples a second.
    Sound(Samples),
    /// What was said until now is to be told for good.
    Finalize,
    /// The stream is over: as [`Command::Finalize`], then [`Listened::Ended`].
    Close,
}

/// Words of a stretch of the stream.
pub struct Words {
    /// Where the stretch begins, in seconds.
    pub from: f64,
    /// How long it is.
    pub seconds: f64,
    /// What was said; may be empty.
    pub text: Zeroizing<String>,
    /// How sure the model was.
    pub confidence: f32,
    /// Whether nothing of it changes any more.
    pub is_final: bool,
    /// Whether somebody paused behind it.
    pub speech_final: bool,
    /// Whether [`Command::Finalize`] asked for it.
    pub from_finalize: bool,
}

/// What was heard.
pub enum Listened {
    /// Somebody began to speak, so many seconds into the stream.
    Began(f64),
    /// What they say.
    Words(Words),
    /// They have been silent for the time that was asked for; their last word ended here.
    UtteranceEnd(f64),
    /// The stream was closed; it was this long.
    Ended(f64),
    /// It cannot go on.
    Failed(Error),
}

/// A stream that is listened to. Dropping it ends that.
pub struct Listening {
    /// Where commands go. Full while something is recognised.
    pub commands: mpsc::Sender<Command>,
    /// Where what was heard comes from.
    pub heard: mpsc::Receiver<Listened>,
    /// Which model listens.
    pub model: String,
    _stop: DropGuard,
}

impl Assistant {
    /// Listens to a stream.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::Busy`], [`Error::UnknownModel`], [`Error::UsedUp`], [`Error::Model`].
    pub async fn listen(&self, ctx: &Ctx, wish: ListenWish) -> Result<Listening, Error> {
        let permit = rights::speaks(ctx)?;
        let model = self.speech_model(ctx, SpeechKind::Recognition, wish.model.as_deref())?.id;
        let pass = self.0.programs.enter(rights::person(ctx)?)?;
        let hearing = self.speech().hearing(&permit).await?;
        let charge = self.charge_voice(ctx, BLOCK).await?;
        let (commands, orders) = mpsc::channel(COMMANDS);
        let (out, heard) = mpsc::channel(EVENTS);
        let stop = CancellationToken::new();
        let ear = Ear {
            assistant: self.clone(),
            ctx: ctx.clone(),
            wish: ListenWish { model: Some(model.clone()), ..wish },
            hearing,
            out,
            stream: Stream::default(),
            began: Instant::now(),
            paid: BLOCK,
            charge,
            stop: stop.clone(),
            _pass: pass,
        };
        let stopped = stop.clone();
        self.0.tasks.spawn(async move {
            tokio::select! {
                () = stopped.cancelled() => (),
                () = ear.listen(orders) => (),
            }
        });
        Ok(Listening { commands, heard, model, _stop: stop.drop_guard() })
    }
}

/// Whoever fetched what was heard has left.
struct Left;

/// One stream being listened to.
struct Ear {
    assistant: Assistant,
    ctx: Ctx,
    wish: ListenWish,
    hearing: Hearing,
    out: mpsc::Sender<Listened>,
    stream: Stream,
    began: Instant,
    /// Seconds paid for, and the last of these payments.
    paid: u64,
    charge: Option<Charge>,
    stop: CancellationToken,
    _pass: Pass,
}

/// What is known of a stream.
#[derive(Default)]
struct Stream {
    /// Samples so far.
    at: usize,
    /// The sound that is not told for good yet, or what may become its beginning.
    held: Samples,
    /// Samples of `held` that were recognised last.
    told: usize,
    speaking: bool,
    /// Frames in a row that are speech, before somebody speaks.
    speech: usize,
    /// Samples since the last speech.
    silent: usize,
    /// Where the last speech ended, until that was told.
    ended: Option<usize>,
}

impl Ear {
    async fn listen(mut self, mut orders: mpsc::Receiver<Command>) {
        // Whether it ended or the other side left, there is nobody to tell.
        let _ = self.obey(&mut orders).await;
    }

    async fn obey(&mut self, orders: &mut mpsc::Receiver<Command>) -> Result<(), Left> {
        while let Some(order) = orders.recv().await {
            let done = match order {
                Command::Sound(samples) => self.take(&samples).await,
                Command::Finalize => self.flush(true).await,
                Command::Close => {
                    let flushed = self.flush(false).await;
                    if flushed.is_ok() {
                        return self.tell(Listened::Ended(seconds(self.stream.at))).await;
                    }
                    flushed
                }
            };
            match done {
                Ok(()) => (),
                Err(Trouble::Left) => return Err(Left),
                Err(Trouble::Failed(error)) => return self.tell(Listened::Failed(error)).await,
            }
        }
        Err(Left)
    }

    async fn tell(&self, heard: Listened) -> Result<(), Left> {
        self.out.send(heard).await.map_err(|_| Left)
    }

    /// Hears more sound, a second at a time, at the pace that is allowed.
    async fn take(&mut self, samples: &[f32]) -> Result<(), Trouble> {
        for stretch in samples.chunks(STRETCH) {
            let early = too_early(self.stream.at, self.began.elapsed());
            if !early.is_zero() {
                tokio::time::sleep(early).await;
            }
            self.hear(stretch).await?;
            // The ear is quick but computes; others are to have their turn.
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Hears a stretch, a frame at a time.
    async fn hear(&mut self, samples: &[f32]) -> Result<(), Trouble> {
        for piece in samples.chunks(FRAME_SAMPLES) {
            self.stream.at += piece.len();
            self.pay().await?;
            self.stream.keep(piece);
            let judged = self.hearing.hear(piece).map_err(|error| Trouble::Failed(error.into()))?;
            for probability in judged {
                self.judge(probability).await?;
            }
            let new = self.stream.held.len().saturating_sub(self.stream.told);
            if self.stream.speaking && self.stream.held.len() >= LONGEST {
                self.recognise(true, false, false).await?;
            } else if self.stream.speaking && self.wish.interim && new >= INTERIM {
                self.recognise(false, false, false).await?;
            }
        }
        Ok(())
    }

    /// Takes a judgement on one frame.
    async fn judge(&mut self, probability: f32) -> Result<(), Trouble> {
        let stream = &mut self.stream;
        let is_speech = probability >= if stream.speaking { GOES_ON } else { BEGINS };
        stream.speech = if is_speech { stream.speech + 1 } else { 0 };
        stream.silent = if is_speech { 0 } else { stream.silent.saturating_add(FRAME_SAMPLES) };
        if !stream.speaking && stream.speech >= FRAMES_TO_BEGIN {
            (stream.speaking, stream.ended) = (true, None);
            let begins = stream.at.saturating_sub(FRAMES_TO_BEGIN * FRAME_SAMPLES);
            if self.wish.begins {
                self.tell(Listened::Began(seconds(begins))).await?;
            }
            return Ok(());
        }
        if stream.speaking && is_speech {
            stream.ended = Some(stream.at);
        }
        let silent = stream.silent;
        let paused = |wanted: Option<Duration>| wanted.is_some_and(|wanted| silent >= samples(wanted));
        if stream.speaking && paused(self.wish.endpointing) {
            self.recognise(true, true, false).await?;
        }
        if paused(self.wish.utterance_end)
            && let Some(ended) = self.stream.ended.take()
        {
            if self.stream.speaking {
                self.recognise(true, true, false).await?;
            }
            self.tell(Listened::UtteranceEnd(seconds(ended))).await?;
        }
        Ok(())
    }

    /// Tells for good what is held.
    async fn flush(&mut self, asked: bool) -> Result<(), Trouble> {
        if self.stream.speaking || asked {
            self.recognise(true, asked, asked).await?;
        }
        Ok(())
    }

    /// Recognises what is held, and tells.
    async fn recognise(
        &mut self,
        is_final: bool,
        speech_final: bool,
        from_finalize: bool,
    ) -> Result<(), Trouble> {
        let stream = &mut self.stream;
        stream.told = stream.held.len();
        let from = stream.at.saturating_sub(stream.held.len());
        let (samples, speaking) = (stream.held.clone(), stream.speaking);
        if is_final {
            // A long piece that is cut goes on; a pause ends it.
            stream.held = Samples::default();
            (stream.told, stream.speaking) = (0, stream.speaking && !speech_final);
        }
        let (length, mut words) = (samples.len(), (Zeroizing::default(), 0.0_f32));
        if speaking {
            let sound =
                Sound { samples, model: self.wish.model.clone(), language: self.wish.language.clone() };
            match self.words_of(sound, is_final).await {
                Ok(heard) => words = (heard.text, heard.confidence),
                // What is said so far is told again soon.
                Err(Error::Model(providers::Error::Busy)) if !is_final => return Ok(()),
                Err(error) => return Err(Trouble::Failed(error)),
            }
        }
        let (text, confidence) = words;
        if text.is_empty() && !is_final {
            return Ok(());
        }
        let (from, length) = (seconds(from), seconds(length));
        let words = Words { from, seconds: length, text, confidence, is_final, speech_final, from_finalize };
        Ok(self.tell(Listened::Words(words)).await?)
    }

    /// The words of a piece. What is told for good waits for its turn, and a vendor that is busy is asked again.
    async fn words_of(&self, sound: Sound, is_final: bool) -> Result<Heard, Error> {
        let permit = rights::speaks(&self.ctx)?;
        let speech = self.assistant.speech();
        if !is_final {
            return Ok(speech.in_haste(Haste::Interim).recognise(&permit, sound, self.stop.clone()).await?);
        }
        let (speech, mut breath) = (speech.in_haste(Haste::Stream), BREATH);
        let recognised = async {
            loop {
                match speech.recognise(&permit, copy(&sound), self.stop.clone()).await {
                    Err(providers::Error::Busy) => tokio::time::sleep(breath).await,
                    done => return done,
                }
                breath *= 2;
            }
        };
        let recognised = tokio::time::timeout(PATIENCE, recognised).await;
        Ok(recognised.unwrap_or(Err(providers::Error::Busy))?)
    }

    /// Pays for the next seconds when those that are paid for are over.
    async fn pay(&mut self) -> Result<(), Trouble> {
        if super::seconds_of(self.stream.at, RATE) > self.paid {
            enforced!(SPE03);
            let charged = self.assistant.charge_voice(&self.ctx, BLOCK).await;
            self.charge = charged.map_err(Trouble::Failed)?;
            self.paid += BLOCK;
        }
        Ok(())
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        let Some(charge) = self.charge.take() else { return };
        let unused = self.paid.saturating_sub(super::seconds_of(self.stream.at, RATE));
        let had = Use { voice_seconds: BLOCK.saturating_sub(unused), ..Use::default() };
        settle_later(self.assistant.clone(), charge, had);
    }
}

impl Stream {
    /// Holds a piece; of what comes before somebody speaks, only the last moment.
    fn keep(&mut self, piece: &[f32]) {
        if self.held.capacity() < LONGEST + FRAME_SAMPLES {
            // At once for all: a vector that grows leaves copies behind in freed memory.
            let mut held = Zeroizing::new(Vec::with_capacity(LONGEST + FRAME_SAMPLES));
            held.extend_from_slice(&self.held);
            self.held = held;
        }
        self.held.extend_from_slice(piece);
        if !self.speaking && self.held.len() > BEFORE {
            let old = self.held.len() - BEFORE;
            self.held.copy_within(old.., 0);
            self.held.truncate(BEFORE);
        }
    }
}

/// Why listening does not go on.
enum Trouble {
    Left,
    Failed(Error),
}

impl From<Left> for Trouble {
    fn from(_: Left) -> Self {
        Self::Left
    }
}

/// How long sound that came after `at` samples waits, so long after the stream began.
fn too_early(at: usize, elapsed: Duration) -> Duration {
    let came = Duration::from_secs_f64(seconds(at));
    let early = came.saturating_sub(BURST).saturating_sub(2 * elapsed) / 2;
    if !early.is_zero() {
        enforced!(SPE03);
    }
    early
}

fn copy(sound: &Sound) -> Sound {
    let Sound { samples, model, language } = sound;
    Sound { samples: samples.clone(), model: model.clone(), language: language.clone() }
}

fn seconds(samples: usize) -> f64 {
    samples as f64 / f64::from(RATE)
}

fn samples(time: Duration) -> usize {
    usize::try_from(time.as_millis()).unwrap_or(usize::MAX / 16).saturating_mul(RATE as usize) / 1_000
}

#[cfg(test)]
mod tests {
    use domain::verifies;

    use super::*;

    #[test]
    fn sound_far_faster_than_it_was_spoken_waits() {
        let _proof = verifies!(SPE03);
        let second = Duration::from_secs(1);
        let at = |seconds: usize| seconds * RATE as usize;
        assert_eq!(too_early(at(30), Duration::ZERO), Duration::ZERO, "a burst");
        assert_eq!(too_early(at(50), Duration::ZERO), 10 * second);
        assert_eq!(too_early(at(50), 10 * second), Duration::ZERO, "twice as fast is well");
    }
}
