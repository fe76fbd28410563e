//! What people agree to, purpose by purpose, and the proof of it that the engine of calls takes.
//!
//! `privacy` keeps the ledger and makes a [`Standing`] from it; `assistant` holds no call without a [`Basis`].
//! Invariant: agreeing to one wording of the letter says nothing about another one.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Actor, id::UserId};

/// What somebody's voice may be used for. The names are stable: they stand in the ledger, in forms and exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To hold the call: to hear, to understand, to answer.
    ProcessCall,
    /// To keep what was said as a conversation.
    KeepTranscript,
    /// To keep the sound.
    KeepAudio,
    /// To have a named third party hear or speak.
    ShareSpeech,
}

impl Purpose {
    /// Every purpose, in the order the letter asks.
    pub const ALL: [Self; 4] = [Self::ProcessCall, Self::KeepTranscript, Self::KeepAudio, Self::ShareSpeech];

    /// The purpose as the ledger and forms spell it, e.g. `keep_transcript`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ProcessCall => "process_call",
            Self::KeepTranscript => "keep_transcript",
            Self::KeepAudio => "keep_audio",
            Self::ShareSpeech => "share_speech",
        }
    }

    /// The purpose spelt `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == name)
    }

    /// Whether there is no call without it.
    #[must_use]
    pub const fn is_required(self) -> bool {
        matches!(self, Self::ProcessCall)
    }
}

/// What one person agrees to now, and to which wording of the letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    person: UserId,
    in_force: u32,
    version: Option<u32>,
    agreed: BTreeSet<Purpose>,
}

impl Standing {
    /// `person` has agreed to nothing. The letter has version `in_force`.
    #[must_use]
    pub fn none(person: UserId, in_force: u32) -> Self {
        Self { person, in_force, version: None, agreed: BTreeSet::new() }
    }

    /// `person` agreed to these purposes as the letter of `version` words them.
    #[must_use]
    pub fn new(
        person: UserId,
        in_force: u32,
        version: u32,
        agreed: impl IntoIterator<Item = Purpose>,
    ) -> Self {
        Self { person, in_force, version: Some(version), agreed: agreed.into_iter().collect() }
    }

    /// Whose it is.
    #[must_use]
    pub fn person(&self) -> UserId {
        self.person
    }

    /// The version of the letter that is asked about now.
    #[must_use]
    pub fn in_force(&self) -> u32 {
        self.in_force
    }

    /// The version that was last agreed to or taken back, if there is one.
    #[must_use]
    pub fn version(&self) -> Option<u32> {
        self.version
    }

    /// Whether this is agreed to, as the letter words it now.
    #[must_use]
    pub fn allows(&self, purpose: Purpose) -> bool {
        self.version == Some(self.in_force) && self.agreed.contains(&purpose)
    }

    /// What was agreed to and not taken back, in whichever wording.
    pub fn agreed(&self) -> impl Iterator<Item = Purpose> + '_ {
        self.agreed.iter().copied()
    }

    /// Whether something was agreed to, but to an earlier wording: it is to be asked again.
    #[must_use]
    pub fn is_superseded(&self) -> bool {
        !self.agreed.is_empty() && self.version != Some(self.in_force)
    }
}

/// On what basis a call is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The person who talks has agreed.
    Consent(Standing),
    /// A program talks, with an API key; whoever made it asks their callers (`docs/voice.md`).
    Program,
}

impl Basis {
    /// Whether `actor` may have voice used for `purpose` on this basis: people by their own consent alone.
    #[must_use]
    pub fn allows(&self, actor: &Actor, purpose: Purpose) -> bool {
        match (self, actor) {
            (Self::Consent(standing), Actor::Person { user, .. }) => {
                standing.person == *user && standing.allows(purpose)
            }
            (Self::Program, Actor::ApiKey { .. }) => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{
        access::Rights,
        id::{ApiKeyId, SessionId},
    };

    fn person(number: u128) -> (UserId, Actor) {
        let user = UserId(Uuid::from_u128(number));
        let session = SessionId(Uuid::nil());
        (user, Actor::Person { user, session, standing: crate::access::Standing::default() })
    }

    #[test]
    fn purposes_are_spelt_as_they_are_kept() {
        for purpose in Purpose::ALL {
            assert_eq!(Purpose::named(purpose.as_str()), Some(purpose));
            assert_eq!(serde_json::to_value(purpose).unwrap(), purpose.as_str());
        }
        assert_eq!(Purpose::named("everything"), None);
    }

    #[test]
    fn an_earlier_wording_allows_nothing() {
        let (ann, actor) = person(1);
        let then = Standing::new(ann, 2, 1, Purpose::ALL);
        assert!(then.is_superseded() && then.agreed().count() == 4);
        let now = Standing::new(ann, 2, 2, [Purpose::ProcessCall]);
        assert!(!now.is_superseded() && !Standing::none(ann, 2).is_superseded());
        for purpose in Purpose::ALL {
            assert!(!Basis::Consent(then.clone()).allows(&actor, purpose));
            assert!(!Basis::Consent(Standing::none(ann, 2)).allows(&actor, purpose));
            let agreed = purpose == Purpose::ProcessCall;
            assert_eq!(Basis::Consent(now.clone()).allows(&actor, purpose), agreed);
        }
    }

    #[test]
    fn nobody_agrees_for_somebody_else() {
        let ((ann, _), (bob, _)) = (person(1), person(2));
        let all = Basis::Consent(Standing::new(ann, 1, 1, Purpose::ALL));
        assert!(!all.allows(&person(2).1, Purpose::ProcessCall));
        let key = Actor::ApiKey { user: ann, key: ApiKeyId(Uuid::nil()), scopes: Rights::NONE };
        assert!(!all.allows(&key, Purpose::ProcessCall), "a program has no consent of its own");
        assert!(Basis::Program.allows(&key, Purpose::ProcessCall));
        assert!(!Basis::Program.allows(&person(1).1, Purpose::ProcessCall), "a person is asked");
        assert_ne!(ann, bob);
    }
}
