//! Speech in this process: files fetched after the language model, loaded at the first use, shared by all calls.
//!
//! Only files whose hash was verified are loaded. Recognition, voice and the end of a turn each have hands and
//! a line of their own, so that a long recording keeps nobody from being answered.

mod passages;
mod slot;

use std::sync::Arc;

use domain::model::{Place, Readiness};
use inference::{
    catalog::{self, Entry, Kind},
    speech::{Detector, Recogniser, TurnEnd, VOICE_RATE, Voice, VoiceFiles},
};
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Heard, Hearing, Samples, Say, Sound, SpeechFacts, SpeechKind, Spoken,
    format::translate,
    workers::{Asker, Place as WorkPlace, Workers},
};
use crate::{Config, Error, fetch::Verified};
use slot::Slot;

/// Recordings that are worked on or wait; the next one is told that it is busy.
const RECORDINGS: usize = 16;
/// Texts that are being spoken or wait.
const TEXTS: usize = 32;
/// Pauses that are judged or wait.
const PAUSES: usize = 32;

/// The models of this process.
pub(super) struct LocalSpeech {
    recogniser: Slot<Recogniser>,
    voice: Slot<Voice>,
    detector: Slot<Detector>,
    turn_end: Slot<TurnEnd>,
    recordings: Workers,
    texts: Workers,
    pauses: Workers,
    tasks: TaskTracker,
}

impl LocalSpeech {
    pub(super) fn start(
        config: &Config,
        tasks: &TaskTracker,
        stop: &CancellationToken,
        language: Option<watch::Receiver<Readiness>>,
    ) -> Self {
        let workers = config.speech.workers;
        Self {
            recogniser: Slot::new(
                entry(Kind::Recognition),
                config,
                tasks,
                stop,
                language.clone(),
                recogniser,
            ),
            voice: Slot::new(entry(Kind::Synthesis), config, tasks, stop, language.clone(), voice),
            detector: Slot::new(entry(Kind::Activity), config, tasks, stop, language.clone(), detector),
            turn_end: Slot::new(entry(Kind::TurnEnd), config, tasks, stop, language, turn_end),
            recordings: Workers::new(workers, RECORDINGS),
            texts: Workers::new(workers, TEXTS),
            pauses: Workers::new(workers, PAUSES),
            tasks: tasks.clone(),
        }
    }

    pub(super) fn facts(&self) -> Vec<SpeechFacts> {
        let facts = |entry: Option<&Entry>, kind, readiness, voices: &[&str]| {
            entry.map(|entry| SpeechFacts {
                id: entry.id.to_owned(),
                title: entry.title.to_owned(),
                maker: entry.maker.to_owned(),
                kind,
                voices: voices.iter().map(|voice| (*voice).to_owned()).collect(),
                place: Place::ThisMachine,
                readiness,
            })
        };
        let (hears, speaks) = (self.recogniser.readiness(), self.voice.readiness());
        [
            facts(entry(Kind::Recognition), SpeechKind::Recognition, hears, &[]),
            facts(entry(Kind::Synthesis), SpeechKind::Synthesis, speaks, &["heart"]),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// How far what notices speech and the ends of turns is.
    pub(super) fn attention(&self) -> Readiness {
        match self.detector.readiness() {
            Readiness::Ready => self.turn_end.readiness(),
            other => other,
        }
    }

    pub(super) async fn recognise(&self, id: &str, sound: Sound, asker: Asker) -> Result<Heard, Error> {
        let place = self.recordings.place(asker).await?;
        let (recogniser, detector) = (self.recogniser.get().await?, self.detector.get().await?);
        // Dropping this future stops the work before the next window.
        let unwanted = CancellationToken::new();
        let _stop = unwanted.clone().drop_guard();
        let model = id.to_owned();
        let heard = place.work(move || {
            passages::heard(&recogniser, &detector, &sound.samples, model, &|| !unwanted.is_cancelled())
        });
        heard.await?
    }

    pub(super) async fn speak(
        &self,
        id: &str,
        say: Say,
        asker: Asker,
        cancel: &CancellationToken,
    ) -> Result<Spoken, Error> {
        let place = self.texts.enter(asker)?;
        let voice = self.voice.get().await?;
        let sentences = Voice::sentences(&say.text).map_err(translate)?;
        let (out, spoken) = Spoken::channel(VOICE_RATE, id.to_owned(), cancel);
        let texts = self.texts.clone();
        self.tasks.spawn(async move {
            let (mut first, mut place) = (true, Some(place));
            for sentence in sentences {
                // A place and a hand for each sentence: who listens slowly holds neither meanwhile.
                let made = out.while_wanted(async {
                    let place = match place.take() {
                        Some(place) => place,
                        None => texts.wait(asker).await?,
                    };
                    say_one(place, &voice, sentence, say.pace, !first).await
                });
                let Some(made) = made.await else { return };
                let (ended, empty) = (made.is_err(), made.as_ref().is_ok_and(|piece| piece.is_empty()));
                if !empty && !out.put(made).await || ended {
                    return;
                }
                first &= empty;
            }
        });
        Ok(spoken)
    }

    pub(super) async fn hearing(&self) -> Result<Hearing, Error> {
        let (detector, end) = (self.detector.get().await?, self.turn_end.get().await?);
        Ok(Hearing::local(detector, end, self.pauses.clone()))
    }
}

async fn say_one(
    place: WorkPlace,
    voice: &Arc<Voice>,
    sentence: zeroize::Zeroizing<String>,
    pace: f32,
    pause: bool,
) -> Result<Samples, Error> {
    let voice = Arc::clone(voice);
    place.work(move || voice.say(&sentence, pace, pause)).await?.map_err(translate)
}

fn entry(kind: Kind) -> Option<&'static Entry> {
    catalog::speech().iter().find(|entry| entry.kind == kind)
}

/// What is said when the catalogue and this room disagree about the number of files.
fn incomplete() -> inference::Error {
    inference::Error::BadRequest { what: "files of the model are missing; fetch it again".to_owned() }
}

fn recogniser(files: &[Verified]) -> Result<Recogniser, inference::Error> {
    let [encoder, decoder, tokens] = files else { return Err(incomplete()) };
    Recogniser::load(encoder.path(), decoder.path(), tokens.path())
}

fn voice(files: &[Verified]) -> Result<Voice, inference::Error> {
    let [model, phonemes, guesser, guesser_letters] = files else { return Err(incomplete()) };
    Voice::load(&VoiceFiles {
        model: model.path(),
        phonemes: phonemes.path(),
        guesser: guesser.path(),
        guesser_letters: guesser_letters.path(),
    })
}

fn detector(files: &[Verified]) -> Result<Detector, inference::Error> {
    let [model] = files else { return Err(incomplete()) };
    Detector::load(model.path())
}

fn turn_end(files: &[Verified]) -> Result<TurnEnd, inference::Error> {
    let [model] = files else { return Err(incomplete()) };
    TurnEnd::load(model.path())
}
