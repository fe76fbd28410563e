//! What the groups of an account say: which models, temporary chat only, how much.
//!
//! `identity` works them out when it recognises somebody, [`Ctx`](crate::Ctx) carries them, `assistant`
//! keeps to them. Of several groups the strictest word counts.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Most of something a person may use in a calendar day or month (UTC). `None`: no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quota {
    /// A day.
    pub a_day: Option<u64>,
    /// A month.
    pub a_month: Option<u64>,
}

impl Quota {
    /// The stricter of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { a_day: least(self.a_day, other.a_day), a_month: least(self.a_month, other.a_month) }
    }
}

/// What holds for an account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bounds {
    /// The names of the groups that say so; policies may speak of them.
    #[serde(skip)]
    pub groups: BTreeSet<String>,
    /// Only chats that are never written down.
    pub temporary_only: bool,
    /// The models that may be asked; `None`: all of them.
    pub models: Option<BTreeSet<String>>,
    /// Questions asked.
    pub messages: Quota,
    /// Tokens, of questions and answers together.
    pub tokens: Quota,
    /// Seconds of voice.
    pub voice_seconds: Quota,
}

impl Bounds {
    /// What holds when both do: the stricter word of each.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.groups.extend(other.groups.iter().cloned());
        self.temporary_only |= other.temporary_only;
        self.models = match (self.models, &other.models) {
            (Some(mine), Some(theirs)) => Some(mine.intersection(theirs).cloned().collect()),
            (mine, theirs) => mine.or_else(|| theirs.clone()),
        };
        self.messages = self.messages.and(other.messages);
        self.tokens = self.tokens.and(other.tokens);
        self.voice_seconds = self.voice_seconds.and(other.voice_seconds);
        self
    }

    /// Whether `model` may be asked.
    #[must_use]
    pub fn allow_model(&self, model: &str) -> bool {
        self.models.as_ref().is_none_or(|models| models.contains(model))
    }
}

fn least(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
