//! What ends a connection of the Agent wire: an `Error`, and the goodbye after it.

/// A fault that ends the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// Deepgram's word for it.
    pub code: &'static str,
    /// What happened and what to do. Never repeats what was sent.
    pub description: String,
}

impl Fault {
    /// A fault of these words.
    pub(super) fn new(code: &'static str, description: impl Into<String>) -> Self {
        Self { code, description: description.into() }
    }

    /// A message that cannot be read.
    pub(super) fn unreadable(description: &str) -> Self {
        Self::new("UNPARSABLE_CLIENT_MESSAGE", description)
    }

    /// Settings that cannot be kept.
    pub(super) fn settings(description: impl Into<String>) -> Self {
        Self::new("INVALID_SETTINGS", description)
    }

    /// A field that is missing or of the wrong kind. The parser's own words may quote it, so only the place is told.
    pub(super) fn misshapen(error: &serde_json::Error) -> Self {
        let at = error.column();
        Self::unreadable(&format!(
            "A field is missing or of the wrong kind, at character {at} of the message."
        ))
    }
}
