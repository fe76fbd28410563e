//! What can go wrong with keys, each with what to do about it.

use std::path::PathBuf;

/// A key could not be made, read or used. Nothing was overwritten.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A keyring stands where a new one was to be made.
    #[error("a keyring already exists at {path}; it was left as it is. Open it instead of making a new one")]
    Exists {
        /// Where.
        path: PathBuf,
    },
    /// There is no keyring.
    #[error("there is no keyring at {path}; restore it from a backup, or start with an empty data folder")]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The passphrase is not the one the keyring was sealed with.
    #[error("the passphrase does not open the keyring at {path}; try again with the right one")]
    WrongPassphrase {
        /// The keyring.
        path: PathBuf,
    },
    /// The key file is not the one the keyring was sealed with.
    #[error(
        "the key file {key_file} does not open the keyring at {path}; put the key file back that was made with it"
    )]
    WrongKeyFile {
        /// The keyring.
        path: PathBuf,
        /// The key file that was tried.
        key_file: PathBuf,
    },
    /// The key file is not there.
    #[error(
        "the key file {key_file} is missing; restore it from a backup, because the data opens with nothing else"
    )]
    KeyFileMissing {
        /// Where it was looked for.
        key_file: PathBuf,
    },
    /// The key file is not 32 bytes.
    #[error("the key file {key_file} is damaged: it must hold exactly 32 bytes. Restore it from a backup")]
    KeyFileDamaged {
        /// The key file.
        key_file: PathBuf,
    },
    /// Others than its owner may read the key file or the keyring.
    #[error("{path} can be read by other accounts of this machine; run `chmod 600` on it and start again")]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// The keyring was sealed by another kind of protector.
    #[error("the keyring at {path} is sealed by {sealed_by}; start with that instead")]
    OtherProtector {
        /// The keyring.
        path: PathBuf,
        /// `a passphrase` or `a key file`.
        sealed_by: &'static str,
    },
    /// The keyring file is cut short or changed.
    #[error("the keyring at {path} is damaged ({why}); it was left as it is. Restore it from a backup")]
    Damaged {
        /// The keyring.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A passphrase that could be guessed at once.
    #[error("the passphrase is too short; use at least {least} characters")]
    ShortPassphrase {
        /// Fewest characters accepted.
        least: usize,
    },
    /// A sealed value did not open: changed, moved, or sealed under another key.
    #[error("a sealed value does not open: it was changed, moved, or sealed under another key")]
    Unsealed,
    /// The cryptographic library refused to work.
    #[error("the cryptographic library refused to work; restart, and if it stays, check the installation")]
    Library,
    /// The file system refused.
    #[error("cannot {doing} {path}; check that the folder exists, is writable and has space")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
}

impl Error {
    /// An [`Error::Io`] about `path`.
    pub(crate) fn io(doing: &'static str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }
}
