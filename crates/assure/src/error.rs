//! What can go wrong around the checks; a check that goes wrong is a finding instead.

/// The report could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A policy file does not read as one.
    #[error("policy/sources/{file} cannot be read: {why}")]
    Unreadable {
        /// The file.
        file: String,
        /// What the parser said.
        why: String,
    },
    /// Two clauses share an id.
    #[error("the clause {id} is defined twice")]
    Twice {
        /// The id.
        id: String,
    },
    /// A number names a clause that does not exist.
    #[error("the number {number} names the clause {clause}, which no policy holds")]
    UnknownClause {
        /// The number.
        number: &'static str,
        /// The clause.
        clause: &'static str,
    },
    /// A clause says nothing, or says that something is missing without saying what.
    #[error("the clause {id} has an empty sentence")]
    Empty {
        /// The id.
        id: String,
    },
    /// The caller may not see or run checks.
    #[error(transparent)]
    Denied(#[from] domain::Denied),
    /// The findings could not be read or written.
    #[error(transparent)]
    Store(#[from] store::Error),
}
