//! What a client of the Realtime API did wrong, as `error` events say it. The session goes on.

/// A fault of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::voice) struct Fault {
    /// A stable word; clients tell some of them apart.
    pub code: &'static str,
    /// What happened and what to do. Never repeats what was sent.
    pub message: String,
    /// The field at fault.
    pub param: Option<String>,
}

impl Fault {
    /// A fault of these words.
    pub(in crate::voice) fn new(code: &'static str, message: impl Into<String>, param: Option<&str>) -> Self {
        Self { code, message: message.into(), param: param.map(str::to_owned) }
    }

    /// A field whose value is refused.
    pub(in crate::voice) fn invalid(param: &str, message: impl Into<String>) -> Self {
        Self::new("invalid_value", message, Some(param))
    }

    /// A field that is missing or of the wrong kind. The parser's own words may quote it, so only the place is told.
    pub(in crate::voice) fn misshapen(param: &str, error: &serde_json::Error) -> Self {
        match error.classify() {
            serde_json::error::Category::Data => {
                let at = error.column();
                let detail =
                    format!("A field is missing or of the wrong kind, at character {at} of the message.");
                Self::invalid(param, detail)
            }
            _ => Self::new("invalid_json", "The message is not JSON.", None),
        }
    }
}
