//! On what basis a call is held, before anything of it is opened and whenever it is changed.
//!
//! [`Assistant::call`](crate::Assistant::call) asks here first, the task of the call when its settings change, and a
//! check of the policy asks the same question. Invariant: what a person has not agreed to is not done.

use domain::{
    Actor,
    consent::{Basis, Purpose},
    enforced,
};
use providers::speech::{SpeechFacts, SpeechKind};

use super::Keeping;
use crate::{Assistant, Error, speech};

impl Assistant {
    /// Whether `actor` may hold a call that is kept like this, on this basis, with the usual models of speech.
    ///
    /// # Errors
    /// [`Error::NotAgreed`] with the first purpose that is missing.
    pub fn may_hold(&self, actor: &Actor, basis: &Basis, keeping: Keeping) -> Result<(), Error> {
        agreed(actor, basis, Purpose::ProcessCall)?;
        if let Keeping::Kept(_) = keeping {
            agreed(actor, basis, Purpose::KeepTranscript)?;
        }
        let usual = [SpeechKind::Recognition, SpeechKind::Synthesis].map(|kind| self.speech().usual(kind));
        usual.iter().flatten().try_for_each(|facts| may_hear_or_speak(actor, basis, facts))
    }
}

/// Whether this model of speech may be used on this basis: one elsewhere only where that was agreed to.
///
/// # Errors
/// [`Error::NotAgreed`].
pub(super) fn may_hear_or_speak(actor: &Actor, basis: &Basis, facts: &SpeechFacts) -> Result<(), Error> {
    if speech::stays(&facts.place) { Ok(()) } else { agreed(actor, basis, Purpose::ShareSpeech) }
}

fn agreed(actor: &Actor, basis: &Basis, purpose: Purpose) -> Result<(), Error> {
    if basis.allows(actor, purpose) {
        return Ok(());
    }
    enforced!(CON01);
    Err(Error::NotAgreed(purpose))
}
