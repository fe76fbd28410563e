//! A file on its way: `NAME.part`, the note of what it holds, and the lock that keeps others off.
//!
//! The part always is a beginning of the final file, so any source can continue what another began.
//! The note says for which hash it is and after which pieces its length was certain.

use std::{
    fs::{self, File as Handle, OpenOptions, TryLockError},
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use inference::catalog::File;
use serde::{Deserialize, Serialize};

use super::{Error, Verified, verify};

/// Room that is left to others on the disk.
const SPARE_BYTES: u64 = 64 * 1024 * 1024;

/// A file on its way. The lock is held while this lives.
pub(super) struct Part {
    pub(super) file: &'static File,
    folder: PathBuf,
    path: PathBuf,
    _lock: Handle,
}

/// What is known about a part.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Note {
    sha256: String,
    /// The part's length after each whole piece.
    ends: Vec<u64>,
}

/// `path` with `ending` added to its name.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

impl Part {
    /// Opens or begins the part of `file`. A part that belongs to another hash is begun anew.
    pub(super) fn open(file: &'static File, folder: &Path) -> Result<Self, Error> {
        let path = folder.join(format!("{}.part", file.name));
        let lock_path = folder.join(format!(".{}.lock", file.name));
        let failed = |error| Error::io(&lock_path, error);
        let lock =
            OpenOptions::new().create(true).truncate(false).write(true).open(&lock_path).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => (),
            Err(TryLockError::WouldBlock) => return Err(Error::InUse { file: file.name.to_owned() }),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let part = Self { file, folder: folder.into(), path, _lock: lock };
        if part.note().sha256 != file.sha256 || part.len() > file.bytes {
            part.cut(0)?;
            part.write_note(&[])?;
        }
        Ok(part)
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes here.
    pub(super) fn len(&self) -> u64 {
        fs::metadata(&self.path).map_or(0, |facts| facts.len())
    }

    /// A folder for what a source needs on its way; empty at first, gone with the value.
    pub(super) fn scratch(&self) -> Result<Scratch, Error> {
        let path = self.folder.join(format!(".{}.scratch", self.file.name));
        let failed = |error| Error::io(&path, error);
        if path.exists() {
            fs::remove_dir_all(&path).map_err(failed)?;
        }
        fs::create_dir(&path).map_err(failed)?;
        Ok(Scratch(path))
    }

    /// The lengths after each piece that is certain to be here.
    pub(super) fn ends(&self) -> Vec<u64> {
        let (mut ends, len) = (self.note().ends, self.len());
        ends.retain(|end| *end <= len);
        ends
    }

    /// Cuts the part back to `len` bytes and opens it for adding more.
    pub(super) fn cut(&self, len: u64) -> Result<Handle, Error> {
        let failed = |error| Error::io(&self.path, error);
        let options = OpenOptions::new().create(true).truncate(false).write(true).open(&self.path);
        let mut handle = options.map_err(failed)?;
        handle.set_len(len).map_err(failed)?;
        handle.seek(SeekFrom::End(0)).map_err(failed)?;
        Ok(handle)
    }

    /// Forgets all pieces.
    pub(super) fn restart(&self) -> Result<(), Error> {
        self.write_note(&[])
    }

    /// Adds `piece` after the last whole one; it may be no larger than what is missing.
    ///
    /// # Errors
    /// `None` when the piece itself is no good; [`Error`] for trouble with the disk.
    pub(super) fn add(&self, piece: &mut dyn Read) -> Result<Option<()>, Error> {
        let failed = |error| Error::io(&self.path, error);
        let mut ends = self.ends();
        let start = ends.last().copied().unwrap_or(0);
        let mut handle = self.cut(start)?;
        let room = self.file.bytes.saturating_sub(start);
        let mut bounded = piece.take(room + 1);
        let mut buffer = vec![0; 1 << 18];
        let mut added = 0;
        loop {
            let Ok(read) = bounded.read(&mut buffer) else { return Ok(None) };
            if read == 0 {
                break;
            }
            io::Write::write_all(&mut handle, &buffer[..read]).map_err(failed)?;
            added += read as u64;
        }
        if added == 0 || added > room {
            return Ok(None);
        }
        handle.sync_data().map_err(failed)?;
        ends.push(start + added);
        self.write_note(&ends)?;
        Ok(Some(()))
    }

    /// Whether the rest will fit on the disk.
    pub(super) fn check_room(&self) -> Result<(), Error> {
        let needed = self.missing().saturating_add(SPARE_BYTES);
        match fs4::available_space(&self.folder) {
            Ok(free) if free < needed => {
                Err(Error::Full { folder: self.folder.clone(), needed: needed - free })
            }
            _ => Ok(()),
        }
    }

    /// `error`, with the number of bytes that a full disk could not take.
    pub(super) fn with_need(&self, error: Error) -> Error {
        match error {
            Error::Full { folder, needed: 0 } => Error::Full { folder, needed: self.missing() },
            other => other,
        }
    }

    fn missing(&self) -> u64 {
        self.file.bytes.saturating_sub(self.len())
    }

    /// Verifies what is here and gives it its final name. What is wrong is removed.
    pub(super) async fn finish(&self) -> Result<Verified, Error> {
        let target = self.folder.join(self.file.name);
        let (path, sha256, bytes) = (self.path.clone(), self.file.sha256, self.file.bytes);
        let name = self.file.name.to_owned();
        let settling = tokio::task::spawn_blocking(move || {
            let settled = verify::settle(&path, &target, bytes, sha256);
            let wrong = matches!(settled, Err(Error::WrongSize { .. } | Error::WrongHash { .. }));
            if settled.is_ok() || wrong {
                // Left behind, the note would only cost its reading: its part is gone.
                drop(fs::remove_file(beside(&path, ".json")));
            }
            if wrong {
                fs::remove_file(&path).map_err(|error| Error::io(&path, error))?;
                return Err(Error::WrongFetch { file: name });
            }
            settled
        });
        let settled = settling.await;
        settled
            .unwrap_or(Err(Error::Io { path: self.path.clone(), source: io::ErrorKind::Interrupted.into() }))
    }

    fn note(&self) -> Note {
        let text = fs::read(beside(&self.path, ".json")).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    fn write_note(&self, ends: &[u64]) -> Result<(), Error> {
        let path = beside(&self.path, ".json");
        let note = Note { sha256: self.file.sha256.to_owned(), ends: ends.to_vec() };
        let text = serde_json::to_vec(&note).unwrap_or_default();
        let fresh = beside(&path, ".new");
        fs::write(&fresh, text)
            .and_then(|()| fs::rename(&fresh, &path))
            .map_err(|error| Error::io(&path, error))
    }
}

/// A folder that is removed with this value.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays behind is removed when the next fetch begins.
        drop(fs::remove_dir_all(&self.0));
    }
}
