//! Speech for programs: sound into words, words into sound, as they are sent. Nothing of it is kept.
//!
//! `web` asks here with the caller's circumstances. Each call is permitted, counted against the voice of the
//! caller's quota, and takes a place among the programs that are served; dropping what is returned stops the work.

mod listen;

use domain::{
    Ctx, enforced,
    model::{Place, Readiness},
};
pub use providers::speech::{
    Decoder, Encoder, Encoding, Format, Heard, LONGEST_SECONDS, LONGEST_TEXT, RATE, Samples, Say, Segment,
    Sound, SpeechFacts, SpeechKind, is_wav, read_wav, wav_head, wav_stream,
};
use providers::speech::{Speech, Spoken};
use store::usage::Use;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{Assistant, Error, bounds::Charge, programs::Pass, rights};
pub use listen::{Command, ListenWish, Listened, Listening, Words};

/// Letters of a text that take about a second to speak, where nobody has spoken it yet.
const LETTERS_A_SECOND: usize = 15;

impl Assistant {
    /// What can hear and speak for the actor, the usual ones first.
    #[must_use]
    pub fn speech_models_for(&self, ctx: &Ctx) -> Vec<SpeechFacts> {
        let mut facts = self.speech().facts();
        facts.retain(|facts| may_use(ctx, facts));
        facts
    }

    /// Whether something hears and something speaks for the actor now, so that a call can be held.
    #[must_use]
    pub fn can_talk(&self, ctx: &Ctx) -> bool {
        let ready = self.speech().readiness() == Readiness::Ready;
        let has = |kind| self.speech_models_for(ctx).iter().any(|facts| facts.kind == kind);
        ready && has(SpeechKind::Recognition) && has(SpeechKind::Synthesis)
    }

    /// The model of speech that `name` means for the actor, or a voice of that name; the usual one without a name.
    ///
    /// # Errors
    /// [`Error::UnknownModel`], also where the actor may not use it; [`Error::Model`] where nothing does that.
    pub fn speech_model(
        &self,
        ctx: &Ctx,
        kind: SpeechKind,
        name: Option<&str>,
    ) -> Result<SpeechFacts, Error> {
        let facts = match name {
            Some(name) => self.speech().named(kind, name).ok_or(Error::UnknownModel)?,
            // Nothing does that here at all; the readiness says what to do.
            None => self
                .speech()
                .usual(kind)
                .ok_or_else(|| Error::Model(providers::Error::NotReady(self.speech().readiness())))?,
        };
        if !may_use(ctx, &facts) {
            enforced!(GRP01);
            return Err(Error::UnknownModel);
        }
        Ok(facts)
    }

    /// A room for a recording that is to be received: each is in memory whole. Taken before anything of it is there.
    ///
    /// # Errors
    /// [`Error::Denied`]; [`Error::Busy`] when there are too many, of this person or in all.
    pub fn room_for_recording(&self, ctx: &Ctx) -> Result<Room, Error> {
        rights::speaks(ctx)?;
        Ok(Room { _pass: self.0.recordings.enter(rights::person(ctx)?)? })
    }

    /// The words in `sound`.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::Busy`], [`Error::UnknownModel`], [`Error::UsedUp`], [`Error::Model`].
    pub async fn transcribe(&self, ctx: &Ctx, sound: Sound) -> Result<Heard, Error> {
        let permit = rights::speaks(ctx)?;
        if let Some(model) = &sound.model {
            self.speech_model(ctx, SpeechKind::Recognition, Some(model))?;
        }
        let _pass = self.0.programs.enter(rights::person(ctx)?)?;
        let charge = self.charge_voice(ctx, seconds_of(sound.samples.len(), RATE)).await?;
        match self.speech().recognise(&permit, sound, CancellationToken::new()).await {
            Ok(heard) => Ok(heard),
            Err(refused) => {
                self.give_back(charge).await;
                Err(refused.into())
            }
        }
    }

    /// The sound of a text, as it is made.
    ///
    /// # Errors
    /// As [`Self::transcribe`].
    pub async fn speak(&self, ctx: &Ctx, say: Say) -> Result<Speaking, Error> {
        let permit = rights::speaks(ctx)?;
        if let Some(voice) = &say.voice {
            self.speech_model(ctx, SpeechKind::Synthesis, Some(voice))?;
        }
        let pass = self.0.programs.enter(rights::person(ctx)?)?;
        let estimate = u64::try_from(say.text.chars().count().div_ceil(LETTERS_A_SECOND)).unwrap_or(u64::MAX);
        let charge = self.charge_voice(ctx, estimate).await?;
        let cancel = CancellationToken::new();
        let spoken = match self.speech().speak(&permit, say, cancel.clone()).await {
            Ok(spoken) => spoken,
            Err(refused) => {
                self.give_back(charge).await;
                return Err(refused.into());
            }
        };
        let bill = charge.map(|charge| Bill { assistant: self.clone(), charge });
        Ok(Speaking { spoken, samples: 0, bill, _cancel: cancel.drop_guard(), _pass: pass })
    }

    pub(crate) fn speech(&self) -> &Speech {
        self.0.providers.speech()
    }
}

/// Whether a group that names the models its people may ask lets this one be used. The list keeps what people say
/// from vendors, so what stays on this machine is not held against it.
fn may_use(ctx: &Ctx, facts: &SpeechFacts) -> bool {
    stays(&facts.place) || ctx.bounds.allow_model(&facts.id)
}

/// Whether what is said there stays on this machine.
pub(crate) fn stays(place: &Place) -> bool {
    match place {
        Place::ThisMachine => true,
        Place::Endpoint { loopback, .. } => *loopback,
    }
}

/// Whole seconds that so many samples take.
fn seconds_of(samples: usize, rate: u32) -> u64 {
    u64::try_from(samples).unwrap_or(u64::MAX).div_ceil(u64::from(rate.max(1)))
}

/// A room for one recording, left on drop.
pub struct Room {
    _pass: Pass,
}

/// Sound of a voice, as it is made.
#[must_use = "dropping it stops the voice"]
pub struct Speaking {
    spoken: Spoken,
    samples: usize,
    bill: Option<Bill>,
    _cancel: DropGuard,
    _pass: Pass,
}

/// What somebody with a quota is to be charged once the voice has ended, or was left.
struct Bill {
    assistant: Assistant,
    charge: Charge,
}

impl Speaking {
    /// Samples a second.
    #[must_use]
    pub fn rate(&self) -> u32 {
        self.spoken.rate
    }

    /// Which model speaks.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.spoken.model
    }

    /// The next piece; `None` after the last.
    ///
    /// # Errors
    /// What the voice failed with.
    pub async fn next(&mut self) -> Option<Result<Samples, providers::Error>> {
        let piece = self.spoken.next().await?;
        self.samples += piece.as_ref().map_or(0, |samples| samples.len());
        Some(piece)
    }
}

impl Drop for Speaking {
    fn drop(&mut self) {
        let Some(Bill { assistant, charge }) = self.bill.take() else { return };
        let had = Use { voice_seconds: seconds_of(self.samples, self.spoken.rate), ..Use::default() };
        settle_later(assistant, charge, had);
    }
}

/// Settles in the background. Outside a runtime nobody can; then it stays as estimated.
fn settle_later(assistant: Assistant, charge: Charge, had: Use) {
    if tokio::runtime::Handle::try_current().is_ok() {
        let tasks = assistant.0.tasks.clone();
        tasks.spawn(async move { assistant.settle(Some(charge), had).await });
    }
}
