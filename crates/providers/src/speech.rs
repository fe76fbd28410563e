//! Speech: words from sound, sound from words, who is speaking and whether they are done.
//!
//! `assistant` asks here for calls and for programs; no sound and no text is asked about without a
//! [`Permit`] for [`Action::Speech`]. Vendors stand behind one closed enum ([`vendor`]), as those of
//! language models do. Invariants: every queue is bounded, sound and texts of ours are wiped when they
//! are dropped, and nothing leaves the machine unless the configuration names where to.

mod config;
mod deepgram;
mod endpoint;
mod format;
mod hearing;
mod line;
mod local;
mod scripted;
mod spoken;
mod vendor;
mod wav;
mod workers;

use std::sync::Arc;

use domain::{
    Action, Clock, Denied, Permit,
    model::{Place, Readiness},
};
pub use inference::speech::{FRAME_SAMPLES, RATE, Samples, Segment};
use serde::Serialize;
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use zeroize::Zeroizing;

use crate::{Config, Error};
pub use config::{DeepgramConfig, SpeechConfig};
pub use format::{Decoder, Encoder, Encoding, Format};
pub use hearing::Hearing;
pub use scripted::marked;
pub use spoken::Spoken;
use vendor::Vendor;
pub use wav::{is_wav, read_wav, wav_head, wav_stream};
use workers::Asker;

/// Longest sound that is recognised at once, in seconds.
pub const LONGEST_SECONDS: u32 = inference::speech::LONGEST_SECONDS;
/// Longest text that is spoken at once, in bytes.
pub const LONGEST_TEXT: usize = inference::speech::LONGEST_TEXT;

/// What a model of speech does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpeechKind {
    /// It turns sound into words.
    Recognition,
    /// It turns words into sound.
    Synthesis,
}

/// What is to be known about a model of speech.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SpeechFacts {
    /// The name requests use.
    pub id: String,
    /// The name people read.
    pub title: String,
    /// Who made it.
    pub maker: String,
    /// What it does.
    pub kind: SpeechKind,
    /// The voices it has; empty where it does not speak.
    pub voices: Vec<String>,
    /// Where it runs: whether sound leaves the machine.
    pub place: Place,
    /// How far it is.
    pub readiness: Readiness,
}

/// Sound to be turned into words.
pub struct Sound {
    /// One channel, [`RATE`] samples a second, of full scale 1.
    pub samples: Samples,
    /// [`SpeechFacts::id`]; the usual one when absent.
    pub model: Option<String>,
    /// Which language is spoken, where somebody said so (`en`).
    pub language: Option<String>,
}

/// What was heard.
pub struct Heard {
    /// All of it; empty where nobody spoke.
    pub text: Zeroizing<String>,
    /// The same, passage by passage, in order.
    pub segments: Vec<Segment>,
    /// How long the sound was.
    pub seconds: f32,
    /// How sure the model was, from 0 to 1.
    pub confidence: f32,
    /// Which model heard it.
    pub model: String,
}

/// A text to be spoken.
pub struct Say {
    /// The text.
    pub text: Zeroizing<String>,
    /// [`SpeechFacts::id`], one of its voices, or both with a slash between; the usual one when absent.
    pub voice: Option<String>,
    /// 1 is natural, 2 twice as fast.
    pub pace: f32,
}

/// How soon it is needed, and so who gives way when many ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Haste {
    /// Somebody is on a call: some places are theirs alone.
    Call,
    /// A program asks; each person's have a share.
    Program,
    /// A program is being listened to, which is let in already: it waits for its turn in the same share.
    Stream,
    /// It will be asked again soon: the first that is not done when many wait.
    Interim,
}

/// All vendors of speech of one instance, asked as a program asks. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Speech(Arc<Inner>, Haste);

struct Inner {
    vendors: Vec<Vendor>,
    recognition: Option<String>,
    voice: Option<String>,
    stop: CancellationToken,
}

impl Speech {
    /// Takes up the configuration. Files of the models on this machine are fetched in the background, once
    /// `language`, how far the language model is, has settled.
    pub(crate) fn start(
        config: &Config,
        tasks: &TaskTracker,
        clock: &Clock,
        stop: &CancellationToken,
        language: Option<watch::Receiver<Readiness>>,
    ) -> Result<Self, Error> {
        let vendors = vendor::all(config, tasks, clock, stop, language)?;
        let (recognition, voice) = (config.speech.recognition.clone(), config.speech.voice.clone());
        let speech =
            Self(Arc::new(Inner { vendors, recognition, voice, stop: stop.clone() }), Haste::Program);
        for (wanted, kind) in
            [(&speech.0.recognition, SpeechKind::Recognition), (&speech.0.voice, SpeechKind::Synthesis)]
        {
            if let Some(name) = wanted
                && speech.find(kind, Some(name)).is_none()
            {
                let why = format!("there is no model of speech `{name}` for that; check its spelling");
                return Err(Error::Config { why });
            }
        }
        Ok(speech)
    }

    /// The same vendors, asked in another haste.
    #[must_use]
    pub fn in_haste(&self, haste: Haste) -> Self {
        Self(Arc::clone(&self.0), haste)
    }

    /// What can hear and what can speak, the usual ones first.
    #[must_use]
    pub fn facts(&self) -> Vec<SpeechFacts> {
        let mut all: Vec<_> = self.0.vendors.iter().flat_map(Vendor::facts).collect();
        let usual = [SpeechKind::Recognition, SpeechKind::Synthesis].map(|kind| self.usual(kind));
        all.sort_by_key(|facts| !usual.iter().flatten().any(|usual| usual.id == facts.id));
        all
    }

    /// The model that is used when nobody chose one.
    #[must_use]
    pub fn usual(&self, kind: SpeechKind) -> Option<SpeechFacts> {
        self.find(kind, None).map(|found| found.facts)
    }

    /// The model of this name, or with a voice of this name.
    #[must_use]
    pub fn named(&self, kind: SpeechKind, name: &str) -> Option<SpeechFacts> {
        self.find(kind, Some(name)).map(|found| found.facts)
    }

    /// How far everything is that a call needs: the usual recognition and voice, and what notices speech. The
    /// first of them that is not ready, or [`Readiness::Ready`].
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        let usual = [SpeechKind::Recognition, SpeechKind::Synthesis].map(|kind| {
            self.usual(kind).map_or_else(|| Readiness::Missing { how: absent(kind) }, |facts| facts.readiness)
        });
        let attention = self.0.vendors.iter().find_map(Vendor::attention);
        let attention = attention.unwrap_or_else(|| Readiness::Missing { how: NO_HEARING.to_owned() });
        let all = usual.into_iter().chain([attention]);
        all.into_iter().find(|readiness| *readiness != Readiness::Ready).unwrap_or(Readiness::Ready)
    }

    /// The words in `sound`. Ends early, with [`Error::Cancelled`], when `cancel` fires; dropping the future
    /// stops the work as well.
    ///
    /// # Errors
    /// [`Error::Denied`] when `permit` is for something else; [`Error::UnknownModel`], [`Error::NotReady`],
    /// [`Error::Busy`], [`Error::TooLarge`], and what a vendor answers.
    pub async fn recognise(
        &self,
        permit: &Permit,
        sound: Sound,
        cancel: CancellationToken,
    ) -> Result<Heard, Error> {
        may(permit)?;
        if sound.samples.len() > LONGEST_SECONDS as usize * RATE as usize {
            return Err(Error::TooLarge);
        }
        let found = self.find(SpeechKind::Recognition, sound.model.as_deref());
        let found = found.ok_or_else(|| self.unknown(SpeechKind::Recognition, sound.model.is_some()))?;
        tokio::select! {
            () = cancel.cancelled() => Err(Error::Cancelled),
            () = self.0.stop.cancelled() => Err(Error::Cancelled),
            heard = found.vendor.recognise(&found.facts.id, sound, self.asker(permit)) => heard,
        }
    }

    /// The sound of a text, sentence by sentence. Ends early when `cancel` fires or the [`Spoken`] is dropped.
    ///
    /// # Errors
    /// As [`Self::recognise`].
    pub async fn speak(&self, permit: &Permit, say: Say, cancel: CancellationToken) -> Result<Spoken, Error> {
        may(permit)?;
        if say.text.len() > LONGEST_TEXT {
            return Err(Error::TooLarge);
        }
        let found = self.find(SpeechKind::Synthesis, say.voice.as_deref());
        let found = found.ok_or_else(|| self.unknown(SpeechKind::Synthesis, say.voice.is_some()))?;
        tokio::select! {
            () = cancel.cancelled() => Err(Error::Cancelled),
            () = self.0.stop.cancelled() => Err(Error::Cancelled),
            spoken = found.vendor.speak(&found.facts.id, found.voice, say, self.asker(permit), cancel.clone()) => spoken,
        }
    }

    /// An ear for one call: it notices speech and the ends of turns, always on this machine.
    ///
    /// # Errors
    /// [`Error::Denied`], and [`Error::NotReady`] where no model for it is here.
    pub async fn hearing(&self, permit: &Permit) -> Result<Hearing, Error> {
        may(permit)?;
        let Some(vendor) = self.0.vendors.iter().find(|vendor| vendor.attention().is_some()) else {
            return Err(Error::NotReady(Readiness::Missing { how: NO_HEARING.to_owned() }));
        };
        tokio::select! {
            () = self.0.stop.cancelled() => Err(Error::Cancelled),
            hearing = vendor.hearing() => hearing,
        }
    }

    fn asker(&self, permit: &Permit) -> Asker {
        Asker { haste: self.1, person: permit.subject(Action::Speech).ok() }
    }

    /// The vendor with a model called `name`, or a voice of that name.
    fn find(&self, kind: SpeechKind, name: Option<&str>) -> Option<Found<'_>> {
        let usual = match kind {
            SpeechKind::Recognition => self.0.recognition.as_deref(),
            SpeechKind::Synthesis => self.0.voice.as_deref(),
        };
        let name = name.or(usual);
        let all = self.0.vendors.iter().flat_map(|vendor| {
            vendor.facts().into_iter().filter(|facts| facts.kind == kind).map(move |facts| (vendor, facts))
        });
        let mut all = all.map(|(vendor, facts)| (vendor, matched(&facts, name), facts));
        all.find_map(|(vendor, voice, facts)| Some(Found { vendor, voice: voice?, facts }))
    }

    fn unknown(&self, kind: SpeechKind, named: bool) -> Error {
        match named || self.usual(kind).is_some() {
            true => Error::UnknownModel,
            false => Error::NotReady(Readiness::Missing { how: absent(kind) }),
        }
    }
}

/// A model, whose it is, and which of its voices was named.
struct Found<'a> {
    vendor: &'a Vendor,
    voice: Option<String>,
    facts: SpeechFacts,
}

/// Whether `name` means this model, and which voice of it: `Some(None)` for its usual one.
fn matched(facts: &SpeechFacts, name: Option<&str>) -> Option<Option<String>> {
    let Some(name) = name else { return Some(None) };
    if facts.id == name {
        return Some(None);
    }
    let voice = name.strip_prefix(facts.id.as_str()).and_then(|rest| rest.strip_prefix('/')).unwrap_or(name);
    facts.voices.iter().find(|known| *known == voice).map(|known| Some(known.clone()))
}

/// What is said where nothing notices speech.
const NO_HEARING: &str = "nothing on this machine notices speech: set `models.speech.enabled = true`";

/// What is said where nothing of `kind` is configured.
fn absent(kind: SpeechKind) -> String {
    let what = match kind {
        SpeechKind::Recognition => "nothing turns speech into words",
        SpeechKind::Synthesis => "nothing turns words into speech",
    };
    format!("{what} here: set `models.speech.enabled = true`, or name a model of an endpoint for it")
}

/// A permit for anything else is not a permit for speech.
fn may(permit: &Permit) -> Result<(), Error> {
    if permit.action() == Action::Speech { Ok(()) } else { Err(Denied::FLAT.into()) }
}
