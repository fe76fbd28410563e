//! What can go wrong with a local model, in words the owner of the machine can act on.
//!
//! No variant carries text of a prompt or of an answer.

use std::path::PathBuf;

/// Why a model could not be loaded or could not answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file could not be opened or read.
    #[error("the model file {} cannot be read: {source}; check that it is there and readable", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not of the expected format.
    #[error("{} is not a model file this program reads ({what}); fetch the model again or choose another file", path.display())]
    NotAModel {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The file ends before its last tensor.
    #[error("the model file {} is cut short: {present} of at least {needed} bytes are there; fetch it again", path.display())]
    CutShort {
        /// The file.
        path: PathBuf,
        /// Bytes in the file.
        present: u64,
        /// Bytes its own table of contents asks for.
        needed: u64,
    },
    /// The file is sound, but of a kind this program does not run.
    #[error("{} holds a model this program cannot run ({what}); choose a Qwen2 or Llama style model", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What is not supported.
        what: String,
    },
    /// The request does not fit the model, whatever is dropped from it.
    #[error("the last message is too long for this model: {needed} tokens, and {room} fit; shorten it")]
    TooLong {
        /// Tokens of the part that may not be dropped.
        needed: usize,
        /// Tokens there is room for.
        room: usize,
    },
    /// The request asks for something that cannot be done.
    #[error("the request cannot be answered: {what}")]
    BadRequest {
        /// What is wrong, without any of its content.
        what: String,
    },
    /// The computation failed: a defect, not a condition of the machine.
    #[error("the model stopped working ({what}); restart the server, and report this if it happens again")]
    Broken {
        /// What the runtime said.
        what: String,
    },
}

impl Error {
    /// A [`Error::Broken`] from anything the runtimes report.
    pub(crate) fn broken(what: impl std::fmt::Display) -> Self {
        Self::Broken { what: what.to_string() }
    }
}

impl From<candle_core::Error> for Error {
    fn from(error: candle_core::Error) -> Self {
        Self::broken(error)
    }
}
