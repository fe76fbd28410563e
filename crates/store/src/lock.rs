//! The lock of the data folder: one server at a time.
//!
//! `Store::open` takes it for an embedded store; `server` takes it before it touches anything in the folder,
//! wherever the rows are. Invariant: who holds it is the only process that writes there.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
};

use domain::enforced;

use crate::Error;

const LOCK: &str = "troth.lock";

/// The data folder, held for its owner alone until dropped, or until the process ends in whatever way.
#[derive(Debug)]
pub struct FolderLock {
    folder: PathBuf,
    _lock: File,
}

impl FolderLock {
    /// Makes the folder (0700) if need be and takes it.
    ///
    /// # Errors
    /// [`Error::InUse`] when it is held already, in this process or another; [`Error::Io`], [`Error::Full`].
    pub fn take(folder: &Path) -> Result<Self, Error> {
        make_private(folder)?;
        let lock_file = folder.join(LOCK);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        private(&mut options);
        let lock = options.open(&lock_file).map_err(Error::io("open", &lock_file))?;
        enforced!(STO02);
        match lock.try_lock() {
            Ok(()) => Ok(Self { folder: folder.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(Error::InUse { folder: folder.to_owned() }),
            Err(TryLockError::Error(error)) => Err(Error::io("lock", &lock_file)(error)),
        }
    }

    /// The folder, as it was named when it was taken.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

fn make_private(folder: &Path) -> Result<(), Error> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(Error::io("make", folder))
}

/// A file made with these options is for its own account alone.
pub(crate) fn private(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
}
