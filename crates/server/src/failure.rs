//! Why a command ends early: one sentence, one suggestion, one exit code.

use std::fmt;

/// The exit codes of `troth`, documented in its help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Something unforeseen.
    Unforeseen = 1,
    /// The command line or the configuration is wrong.
    Configuration = 2,
    /// `verify`: a promise that is built is not kept.
    NotKept = 3,
    /// Something is in use: the port or the data folder.
    InUse = 4,
    /// The passphrase, key file or keyring is wrong or damaged.
    Keys = 5,
    /// The store is damaged, belongs to other keys, or cannot be reached.
    Store = 6,
    /// A folder or the disk: not writable, too open, full.
    Disk = 7,
}

/// What ended a command. Free of secrets and of content.
#[derive(Debug)]
pub struct Failure {
    /// How the process ends.
    pub exit: Exit,
    what: String,
    then: Option<String>,
}

impl Failure {
    /// A failure in one sentence.
    pub fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self { exit, what: what.into(), then: None }
    }

    /// The same with another exit code.
    #[must_use]
    pub fn exiting(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    /// The same with a suggestion, an imperative.
    #[must_use]
    pub fn then(mut self, suggestion: impl Into<String>) -> Self {
        self.then = Some(suggestion.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if !self.what.ends_with(['.', '!', '?']) {
            f.write_str(".")?;
        }
        match &self.then {
            Some(then) => write!(f, " {then}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

/// What reaches people begins with a capital; errors of other rooms do not.
fn sentence(error: &dyn fmt::Display) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

impl From<keys::Error> for Failure {
    fn from(error: keys::Error) -> Self {
        let exit = if matches!(error, keys::Error::Io { .. }) { Exit::Disk } else { Exit::Keys };
        Self::new(exit, sentence(&error))
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        use store::Error as E;
        match error {
            E::Keys(error) => error.into(),
            E::InUse { .. } => Self::new(Exit::InUse, sentence(&error)),
            E::Full | E::Io { .. } => Self::new(Exit::Disk, sentence(&error)),
            E::Insecure { .. } => Self::new(Exit::Configuration, sentence(&error)),
            _ => Self::new(Exit::Store, sentence(&error)),
        }
    }
}

impl From<providers::Error> for Failure {
    fn from(error: providers::Error) -> Self {
        let exit = if matches!(error, providers::Error::Config { .. }) {
            Exit::Configuration
        } else {
            Exit::Unforeseen
        };
        Self::new(exit, sentence(&error))
    }
}

impl From<identity::Error> for Failure {
    fn from(error: identity::Error) -> Self {
        Self::new(Exit::Configuration, sentence(&error))
    }
}

impl From<privacy::Error> for Failure {
    fn from(error: privacy::Error) -> Self {
        Self::new(Exit::Unforeseen, sentence(&error))
    }
}

impl From<assure::Error> for Failure {
    fn from(error: assure::Error) -> Self {
        Self::new(Exit::Unforeseen, sentence(&error))
    }
}

/// Names a failure of the file system; a full disk says so.
pub fn disk(doing: &str, path: &std::path::Path, error: &std::io::Error) -> Failure {
    use std::io::ErrorKind as K;
    let path = path.display();
    match error.kind() {
        K::StorageFull | K::QuotaExceeded => {
            Failure::new(Exit::Disk, format!("The disk is full: cannot {doing} {path}."))
                .then("Make room and start again; nothing was lost.")
        }
        K::PermissionDenied | K::ReadOnlyFilesystem => {
            Failure::new(Exit::Disk, format!("Not allowed to {doing} {path}."))
                .then("Give this account write access to it, or choose another folder with --data.")
        }
        _ => Failure::new(Exit::Disk, format!("Cannot {doing} {path} ({}).", error.kind()))
            .then("Check that the path is right and its disk is there."),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::*;

    #[test]
    fn a_full_disk_is_called_by_its_name() {
        let path = std::path::Path::new("/data");
        let full = disk("write to the data folder", path, &Error::from(ErrorKind::StorageFull));
        assert_eq!(full.exit, Exit::Disk);
        let said = "The disk is full: cannot write to the data folder /data. Make room and start again; nothing was lost.";
        assert_eq!(full.to_string(), said);
        assert_eq!(Failure::from(store::Error::Full).exit, Exit::Disk);
    }

    #[test]
    fn every_sentence_begins_with_a_capital_and_ends() {
        let failure = Failure::from(store::Error::InUse { folder: "/data".into() });
        assert!(failure.to_string().starts_with("Another server") && failure.to_string().ends_with('.'));
    }
}
