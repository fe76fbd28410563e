//! What the audit log says: content-free entries, and the hash that chains them.

use serde::{Deserialize, Serialize};

/// A kind of act worth remembering. The names are stable: they stand in exported logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Act {
    /// The store was made.
    InstanceCreated,
    /// An account was made.
    AccountCreated,
    /// A password was set or changed.
    PasswordSet,
    /// A factor (TOTP, recovery codes) was added or replaced.
    FactorSet,
    /// A factor was proven on the way to a session, which then waits for a new password.
    FactorUsed,
    /// Somebody signed in.
    SignedIn,
    /// A sign-in failed. Without a target: for names nobody has, at most once a minute, with how many.
    SignInFailed,
    /// A session ended.
    SessionEnded,
    /// An API key was made.
    ApiKeyCreated,
    /// An API key was revoked.
    ApiKeyRevoked,
    /// A conversation was begun, renamed, moved, pinned, archived.
    ConversationChanged,
    /// Conversations were deleted.
    ConversationDeleted,
    /// A message was written.
    MessageWritten,
    /// A message was deleted.
    MessageDeleted,
    /// A folder was made, renamed or deleted.
    FolderChanged,
    /// Conversations were exported.
    Exported,
    /// Conversations were imported.
    Imported,
    /// Settings of the instance were changed.
    SettingsChanged,
    /// Findings were recorded.
    FindingsRecorded,
    /// A check wrote something of its own, to see whether it is noted here.
    Probed,
    /// Sealed rows were re-sealed or keys re-wrapped.
    KeysRotated,
}

impl Act {
    /// The act as the log spells it.
    #[must_use]
    pub fn name(self) -> String {
        serde_json::to_value(self).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
    }
}

/// What a write transaction must leave behind. No content, no names, no addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What was done.
    pub act: Act,
    /// To which record: an identifier without meaning, or empty.
    pub target: String,
    /// How many records, when more than one.
    pub count: u32,
}

impl Entry {
    /// An entry about one record.
    pub fn new(act: Act, target: impl ToString) -> Self {
        Self { act, target: target.to_string(), count: 1 }
    }

    /// The same entry about `count` records.
    #[must_use]
    pub fn times(mut self, count: usize) -> Self {
        self.count = u32::try_from(count).unwrap_or(u32::MAX);
        self
    }
}
