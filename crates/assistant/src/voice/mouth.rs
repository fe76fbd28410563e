//! Words into sound for one reply: a task that speaks piece after piece, a little ahead of whoever listens.
//!
//! Ends when the reply is cancelled or dropped. Invariant: at most [`AHEAD`] chunks are made ahead, and all of
//! them are wiped when nobody takes them.

use std::time::Duration;

use domain::{Permit, voice::Format};
use providers::speech::{Encoder, Encoding, Say, Speech};
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use zeroize::Zeroizing;

/// How long one chunk sounds, in milliseconds: short enough to stop at once.
const CHUNK_MS: u64 = 60;
/// Chunks made ahead.
const AHEAD: usize = 16;
/// Pieces of text that wait to be spoken. A reply is bounded, so it never waits long for room.
const PIECES: usize = 64;

/// How somebody shall speak.
#[derive(Clone)]
pub(super) struct Manner {
    pub(super) speech: Speech,
    pub(super) permit: Permit,
    pub(super) voice: Option<String>,
    pub(super) pace: f32,
    pub(super) format: Format,
}

/// What the mouth says next.
pub(super) enum Uttered {
    /// This text begins.
    Begins(Zeroizing<String>),
    /// Some of its sound, and how long it lasts.
    Sound(Zeroizing<Vec<u8>>, Duration),
    /// It is all said.
    Said,
    /// It cannot be said.
    Failed,
}

/// Both ends of a mouth.
pub(super) struct Mouth {
    /// Text goes in; dropping it says that no more will come.
    pub(super) text: Option<mpsc::Sender<Zeroizing<String>>>,
    /// Sound comes out, until all is said.
    pub(super) sound: mpsc::Receiver<Uttered>,
}

impl Mouth {
    /// Opens a mouth.
    pub(super) fn open(tasks: &TaskTracker, manner: Manner, cancel: CancellationToken) -> Self {
        let (text, pieces) = mpsc::channel(PIECES);
        let (out, sound) = mpsc::channel(AHEAD);
        tasks.spawn(async move {
            let stop = cancel.clone();
            let speaks = Speaks { manner, encoder: None, out, cancel };
            tokio::select! {
                biased;
                () = stop.cancelled() => (),
                () = speaks.all(pieces) => (),
            }
        });
        Self { text: Some(text), sound }
    }
}

struct Speaks {
    manner: Manner,
    /// For the rate of the voice it was made for.
    encoder: Option<(u32, Encoder)>,
    out: mpsc::Sender<Uttered>,
    cancel: CancellationToken,
}

/// Nobody listens any more, or the voice failed and that was said.
struct Over;

impl Speaks {
    async fn all(mut self, mut pieces: mpsc::Receiver<Zeroizing<String>>) {
        let mut last = None;
        while let Some(text) = pieces.recv().await {
            // The end of a piece is said when the next begins: until then some of its sound waits in the encoder.
            if last.is_some() && self.put(Uttered::Said).await.is_err() {
                return;
            }
            last = Some(());
            if self.piece(text).await.is_err() {
                return;
            }
        }
        if let Some((_, encoder)) = &mut self.encoder
            && let Ok(rest) = encoder.finish()
            && self.sound(rest).await.is_err()
        {
            return;
        }
        drop(self.put(Uttered::Said).await);
    }

    async fn piece(&mut self, text: Zeroizing<String>) -> Result<(), Over> {
        let say = Say { text: text.clone(), voice: self.manner.voice.clone(), pace: self.manner.pace };
        self.put(Uttered::Begins(text)).await?;
        let spoken = self.manner.speech.speak(&self.manner.permit, say, self.cancel.child_token()).await;
        let Ok(mut spoken) = spoken else { return self.fails().await };
        while let Some(samples) = spoken.next().await {
            let Ok(samples) = samples else { return self.fails().await };
            let Ok(bytes) = self.encode(spoken.rate, &samples) else { return self.fails().await };
            self.sound(bytes).await?;
        }
        Ok(())
    }

    fn encode(&mut self, rate: u32, samples: &[f32]) -> Result<Zeroizing<Vec<u8>>, providers::Error> {
        let encoder = match &mut self.encoder {
            Some((known, encoder)) if *known == rate => encoder,
            other => &mut other.insert((rate, Encoder::new(rate, wire(self.manner.format))?)).1,
        };
        encoder.encode(samples)
    }

    async fn sound(&self, bytes: Zeroizing<Vec<u8>>) -> Result<(), Over> {
        let format = self.manner.format;
        for chunk in bytes.chunks(format.bytes_of(CHUNK_MS).max(format.encoding.width())) {
            let samples = chunk.len() / format.encoding.width();
            let lasts = Duration::from_micros(samples as u64 * 1_000_000 / u64::from(format.rate));
            self.put(Uttered::Sound(Zeroizing::new(chunk.to_vec()), lasts)).await?;
        }
        Ok(())
    }

    async fn fails(&self) -> Result<(), Over> {
        self.put(Uttered::Failed).await?;
        Err(Over)
    }

    async fn put(&self, what: Uttered) -> Result<(), Over> {
        self.out.send(what).await.map_err(|_| Over)
    }
}

/// A tone that says that there is no voice; `None` when not even that can be made.
pub(super) fn tone(format: Format) -> Option<Zeroizing<Vec<u8>>> {
    const RATE: u32 = 24_000;
    const HERTZ: f32 = 330.0;
    let wave = |at: u32| 0.2 * (std::f32::consts::TAU * HERTZ * at as f32 / RATE as f32).sin();
    let samples: Vec<f32> = (0..RATE * 2 / 5).map(wave).collect();
    let mut encoder = Encoder::new(RATE, wire(format)).ok()?;
    let mut bytes = encoder.encode(&samples).ok()?;
    bytes.extend_from_slice(&encoder.finish().ok()?);
    Some(bytes)
}

/// A format as `providers` spells it.
pub(super) fn wire(format: Format) -> providers::speech::Format {
    let encoding = match format.encoding {
        domain::voice::Encoding::Pcm16 => Encoding::Pcm16,
        domain::voice::Encoding::MuLaw => Encoding::MuLaw,
        domain::voice::Encoding::ALaw => Encoding::ALaw,
    };
    providers::speech::Format { encoding, rate: format.rate }
}
