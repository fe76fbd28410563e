//! What can go wrong with a consent, in variants a caller can act on.

use domain::{Denied, consent::Purpose};

/// Why something was not done. Each message is a sentence for the person.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The actor may not do this at all.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Another wording is in force than the one that was read.
    #[error("the letter has a new wording; read it and choose again")]
    Superseded,
    /// A purpose comes twice, or is none the letter asks about here.
    #[error("a purpose is there twice or is not in the letter; reload the page and choose again")]
    Purposes,
    /// What every call takes was left out.
    #[error(
        "without agreeing that your voice is processed there is no call; agree to that, or agree to nothing"
    )]
    Required,
    /// The person has not agreed to this in the wording in force, or took it back.
    #[error("you have not agreed to this; read the letter and choose first")]
    NotAgreed(Purpose),
    /// A letter that was compiled in cannot be read.
    #[error("the letter about consent cannot be read: {0}; install this version anew")]
    Letter(String),
    /// The store did not do its part.
    #[error(transparent)]
    Store(store::Error),
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Denied(denied) => Self::Denied(denied),
            other => Self::Store(other),
        }
    }
}
