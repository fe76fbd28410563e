//! Whether a file is the one it should be. Only this file makes a [`Verified`].
//!
//! Hashing a gigabyte takes seconds, so the result is noted beside the file with its size and time of
//! change; a file that changed since is hashed again. Whoever can write that note can replace the
//! program as well, so the note is not signed.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use aws_lc_rs::digest;
use domain::enforced;
use inference::catalog::{self, Entry, File};
use serde::{Deserialize, Serialize};

use super::Error;

/// A file whose SHA-256 was found to be the expected one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified(PathBuf);

impl Verified {
    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

/// What stands beside a verified file.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    bytes: u64,
    changed: u128,
    sha256: String,
}

/// Verifies the file of the catalogue in `folder`. Blocks while it hashes, a few seconds at most.
///
/// # Errors
/// [`Error::NotThere`], [`Error::WrongSize`], [`Error::WrongHash`], [`Error::Io`].
pub fn verify_file(file: &File, folder: &Path) -> Result<Verified, Error> {
    verify_bytes(&folder.join(file.name), Some(file.bytes), file.sha256)
}

/// Verifies any file: its size, where it is known, and its SHA-256 in hex.
///
/// # Errors
/// As [`verify_file`].
pub fn verify_bytes(path: &Path, bytes: Option<u64>, sha256: &str) -> Result<Verified, Error> {
    let now = note(path, sha256)?;
    if let Some(needed) = bytes.filter(|needed| *needed != now.bytes) {
        return Err(Error::WrongSize { path: path.into(), present: now.bytes, needed });
    }
    if read_note(path).as_ref() != Some(&now) {
        check_hash(path, sha256)?;
        write_note(path, &now);
    }
    Ok(Verified(path.into()))
}

/// The file of the catalogue that the file at `path` is, by its size and SHA-256, whatever it is called.
/// Leaves nothing behind.
///
/// # Errors
/// [`Error::NotThere`], [`Error::Io`].
pub fn recognise(path: &Path) -> Result<Option<(&'static Entry, &'static File)>, Error> {
    let bytes = fs::metadata(path).map_err(|error| Error::io(path, error))?.len();
    let files = catalog::entries().iter().flat_map(|entry| entry.files.iter().map(move |file| (entry, file)));
    for (entry, file) in files.filter(|(_, file)| file.bytes == bytes) {
        match check_hash(path, file.sha256) {
            Ok(()) => return Ok(Some((entry, file))),
            Err(Error::WrongHash { .. }) => (),
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// [`verify_file`] on a thread that may block.
pub(super) async fn in_background(file: &File, folder: &Path) -> Result<Verified, Error> {
    let (path, bytes, sha256) = (folder.join(file.name), file.bytes, file.sha256);
    let shown = path.clone();
    let verified = tokio::task::spawn_blocking(move || verify_bytes(&path, Some(bytes), sha256)).await;
    verified.unwrap_or(Err(Error::Io { path: shown, source: std::io::ErrorKind::Interrupted.into() }))
}

/// Verifies what was fetched into `part` and, only then, gives it the name `target`. Durable on return.
pub(super) fn settle(part: &Path, target: &Path, bytes: u64, sha256: &str) -> Result<Verified, Error> {
    let failed = |error| Error::io(part, error);
    let present = fs::metadata(part).map_err(failed)?.len();
    if present != bytes {
        return Err(Error::WrongSize { path: part.into(), present, needed: bytes });
    }
    check_hash(part, sha256)?;
    fs::File::open(part).and_then(|file| file.sync_all()).map_err(failed)?;
    fs::rename(part, target).map_err(failed)?;
    // The name is durable when its folder is.
    target.parent().map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all()).map_err(failed)?;
    write_note(target, &note(target, sha256)?);
    Ok(Verified(target.into()))
}

/// Whether the content is the expected one, byte for byte.
fn check_hash(path: &Path, sha256: &str) -> Result<(), Error> {
    let failed = |error| Error::io(path, error);
    let mut file = fs::File::open(path).map_err(failed)?;
    let (mut context, mut buffer) = (digest::Context::new(&digest::SHA256), vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer).map_err(failed)? {
            0 => break,
            read => context.update(&buffer[..read]),
        }
    }
    enforced!(MOD01);
    let right = hex::encode(context.finish()).eq_ignore_ascii_case(sha256);
    if right { Ok(()) } else { Err(Error::WrongHash { path: path.into() }) }
}

/// What the note would say now.
fn note(path: &Path, sha256: &str) -> Result<Note, Error> {
    let facts = fs::metadata(path).map_err(|error| Error::io(path, error))?;
    let changed = facts.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let changed = changed.map_or(0, |since| since.as_nanos());
    Ok(Note { bytes: facts.len(), changed, sha256: sha256.to_ascii_lowercase() })
}

fn note_path(path: &Path) -> PathBuf {
    super::part::beside(path, ".verified")
}

fn read_note(path: &Path) -> Option<Note> {
    serde_json::from_slice(&fs::read(note_path(path)).ok()?).ok()
}

/// A note that cannot be written costs a hash at the next start and nothing else.
fn write_note(path: &Path, note: &Note) {
    let written = serde_json::to_vec(note).map(|text| fs::write(note_path(path), text));
    if !matches!(written, Ok(Ok(()))) {
        tracing::debug!(
            "a verified model file could not be noted; it will be hashed again at the next start"
        );
    }
}

#[cfg(test)]
mod tests {
    use domain::verifies;

    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn only_the_right_file_is_verified() {
        let _proof = verifies!(MOD01);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        assert!(matches!(verify_bytes(&path, Some(3), ABC), Err(Error::NotThere { .. })));
        fs::write(&path, "ab").unwrap();
        assert!(matches!(verify_bytes(&path, Some(3), ABC), Err(Error::WrongSize { present: 2, .. })));
        fs::write(&path, "abd").unwrap();
        assert!(matches!(verify_bytes(&path, Some(3), ABC), Err(Error::WrongHash { .. })));
        assert!(!note_path(&path).exists(), "a wrong file is never noted as verified");
        fs::write(&path, "abc").unwrap();
        assert_eq!(verify_bytes(&path, Some(3), ABC).unwrap().path(), path);
        assert!(verify_bytes(&path, None, &ABC.to_uppercase()).is_ok());
    }

    #[test]
    fn a_verified_file_is_hashed_again_only_when_it_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        fs::write(&path, "abc").unwrap();
        verify_bytes(&path, Some(3), ABC).unwrap();
        let runs = domain::Control::MOD01.runs();
        verify_bytes(&path, Some(3), ABC).unwrap();
        assert_eq!(domain::Control::MOD01.runs(), runs, "the note was enough");
        let later = fs::metadata(&path).unwrap().modified().unwrap() + std::time::Duration::from_secs(5);
        fs::write(&path, "abd").unwrap();
        fs::File::options().write(true).open(&path).unwrap().set_modified(later).unwrap();
        assert!(matches!(verify_bytes(&path, Some(3), ABC), Err(Error::WrongHash { .. })));
    }

    #[test]
    fn the_note_of_another_hash_does_not_count() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        fs::write(&path, "abc").unwrap();
        verify_bytes(&path, Some(3), ABC).unwrap();
        assert!(matches!(verify_bytes(&path, Some(3), &"0".repeat(64)), Err(Error::WrongHash { .. })));
    }

    #[test]
    fn a_stranger_is_not_recognised() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        assert!(matches!(recognise(&path), Err(Error::NotThere { .. })));
        // The size of a known file, as a hole in the disk, and other content.
        let known = catalog::default_embedding().files.last().unwrap();
        fs::File::create(&path).unwrap().set_len(known.bytes).unwrap();
        assert_eq!(recognise(&path).unwrap(), None);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
