//! The keyring on disk: a small JSON file that holds the root key, sealed.
//!
//! Called by `keyring` alone. Invariants: an existing file is never overwritten; a new one appears whole
//! or not at all; a file that was changed is told from a wrong passphrase by its checksum.

use std::{
    fs::{self, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::digest;
use domain::Entropy;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{Error, Protector, envelope};

const FORMAT: &str = "troth-keyring/1";
const ROOT: &[u8] = b"troth/wrap-root/v1";
/// A keyring is a few hundred bytes; more is not a keyring.
const MAX_BYTES: u64 = 16 * 1024;
/// Fewest characters of a passphrase that guards everything.
const MIN_PASSPHRASE: usize = 12;
/// Argon2id: 64 MiB and three passes, the second recommendation of RFC 9106.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;

/// The file's content.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    format: String,
    protector: Kind,
    /// Sealed root key, hexadecimal.
    wrapped: String,
    /// SHA-256 over all of the above, hexadecimal: tells a damaged file from a wrong secret.
    check: String,
}

/// How the file is sealed, with what is needed to try again.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
enum Kind {
    Passphrase { memory_kib: u32, passes: u32, salt: String },
    KeyFile,
}

impl Kind {
    const fn words(&self) -> &'static str {
        match self {
            Self::Passphrase { .. } => "a passphrase",
            Self::KeyFile => "a key file",
        }
    }

    /// What the seal is bound to, so that weaker parameters cannot be slipped in.
    fn bound(&self) -> Vec<u8> {
        match self {
            Self::Passphrase { memory_kib, passes, salt } => envelope::join(&[
                b"passphrase",
                &memory_kib.to_be_bytes(),
                &passes.to_be_bytes(),
                salt.as_bytes(),
            ]),
            Self::KeyFile => envelope::join(&[b"key-file"]),
        }
    }
}

impl Sealed {
    fn checksum(&self) -> String {
        let content =
            envelope::join(&[self.format.as_bytes(), &self.protector.bound(), self.wrapped.as_bytes()]);
        hex::encode(digest::digest(&digest::SHA256, &content))
    }
}

/// Seals `root` into a new file.
pub(crate) fn create(
    path: &Path,
    protector: &Protector,
    root: &[u8; 32],
    entropy: &Entropy,
) -> Result<(), Error> {
    if path.try_exists().map_err(Error::io("look for", path))? {
        return Err(Error::Exists { path: path.to_owned() });
    }
    let (kind, secret) = match protector {
        Protector::Passphrase(phrase) => {
            if phrase.expose().chars().count() < MIN_PASSPHRASE {
                return Err(Error::ShortPassphrase { least: MIN_PASSPHRASE });
            }
            let salt = entropy.bytes::<16>();
            let kind = Kind::Passphrase { memory_kib: MEMORY_KIB, passes: PASSES, salt: hex::encode(salt) };
            (kind, stretch(phrase.expose(), &salt, MEMORY_KIB, PASSES)?)
        }
        Protector::KeyFile(key_file) => (Kind::KeyFile, make_key_file(key_file, entropy)?),
    };
    let wrapped = envelope::seal(&secret, &[], entropy.bytes(), &[ROOT], &kind.bound(), root)?;
    let mut sealed = Sealed {
        format: FORMAT.to_owned(),
        protector: kind,
        wrapped: hex::encode(wrapped),
        check: String::new(),
    };
    sealed.check = sealed.checksum();
    let text = serde_json::to_vec_pretty(&sealed).map_err(|_| Error::Library)?;
    write_new(path, &text)
}

/// Reads the file and opens the root key in it.
pub(crate) fn open(path: &Path, protector: &Protector) -> Result<Zeroizing<Vec<u8>>, Error> {
    let damaged = |why| Error::Damaged { path: path.to_owned(), why };
    let text = read_private(path, MAX_BYTES, || Error::Missing { path: path.to_owned() })?;
    let sealed: Sealed =
        serde_json::from_slice(&text).map_err(|_| damaged("it is not a whole keyring file"))?;
    if sealed.format != FORMAT {
        return Err(damaged("its format is not one this version knows"));
    }
    if sealed.check != sealed.checksum() {
        return Err(damaged("its checksum does not match"));
    }
    let wrapped = hex::decode(&sealed.wrapped).map_err(|_| damaged("its key is not hexadecimal"))?;
    let (secret, refusal) = match (&sealed.protector, protector) {
        (Kind::Passphrase { memory_kib, passes, salt }, Protector::Passphrase(phrase)) => {
            let salt = hex::decode(salt).map_err(|_| damaged("its salt is not hexadecimal"))?;
            let secret = stretch(phrase.expose(), &salt, *memory_kib, *passes)?;
            (secret, Error::WrongPassphrase { path: path.to_owned() })
        }
        (Kind::KeyFile, Protector::KeyFile(key_file)) => (
            read_key_file(key_file)?,
            Error::WrongKeyFile { path: path.to_owned(), key_file: key_file.clone() },
        ),
        (kind, _) => return Err(Error::OtherProtector { path: path.to_owned(), sealed_by: kind.words() }),
    };
    let root = envelope::open(&secret, &wrapped, &[ROOT], &sealed.protector.bound()).map_err(|_| refusal)?;
    if root.len() != 32 {
        return Err(damaged("its key has the wrong length"));
    }
    Ok(root)
}

/// Argon2id (RFC 9106) over a passphrase.
fn stretch(
    phrase: &str,
    salt: &[u8],
    memory_kib: u32,
    passes: u32,
) -> Result<Box<Zeroizing<[u8; 32]>>, Error> {
    let params = Params::new(memory_kib, passes, 1, Some(32)).map_err(|_| Error::Library)?;
    let mut secret = Box::new(Zeroizing::new([0; 32]));
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(phrase.as_bytes(), salt, secret.as_mut_slice())
        .map_err(|_| Error::Library)?;
    Ok(secret)
}

/// Reads the key file, or makes it when there is none.
fn make_key_file(path: &Path, entropy: &Entropy) -> Result<Box<Zeroizing<[u8; 32]>>, Error> {
    match read_key_file(path) {
        Err(Error::KeyFileMissing { .. }) => {
            let fresh = Zeroizing::new(entropy.bytes::<32>());
            write_new(path, fresh.as_slice())?;
            read_key_file(path)
        }
        read => read,
    }
}

fn read_key_file(path: &Path) -> Result<Box<Zeroizing<[u8; 32]>>, Error> {
    let bytes = read_private(path, 33, || Error::KeyFileMissing { key_file: path.to_owned() })?;
    if bytes.len() != 32 {
        return Err(Error::KeyFileDamaged { key_file: path.to_owned() });
    }
    let mut key = Box::new(Zeroizing::new([0; 32]));
    key.copy_from_slice(&bytes);
    Ok(key)
}

/// Reads at most `limit` bytes of a file that nobody else may read.
fn read_private(
    path: &Path,
    limit: u64,
    missing: impl FnOnce() -> Error,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(missing()),
        Err(error) => return Err(Error::io("open", path)(error)),
    };
    refuse_exposed(path, &file)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(1024));
    file.take(limit).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    Ok(bytes)
}

#[cfg(unix)]
fn refuse_exposed(path: &Path, file: &fs::File) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.metadata().map_err(Error::io("look at", path))?.permissions().mode();
    if mode & 0o077 == 0 { Ok(()) } else { Err(Error::Exposed { path: path.to_owned() }) }
}

#[cfg(not(unix))]
fn refuse_exposed(_path: &Path, _file: &fs::File) -> Result<(), Error> {
    Ok(())
}

/// Writes a file that is not there yet: whole, on disk and private, or not at all.
fn write_new(path: &Path, content: &[u8]) -> Result<(), Error> {
    let draft = beside(path);
    // A draft left by a crash was never used.
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(Error::io("remove", &draft)(error));
        }
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&draft).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    // A hard link refuses to replace what is there, which a rename would not.
    let placed = written.and_then(|()| fs::hard_link(&draft, path));
    let _ = fs::remove_file(&draft);
    match placed {
        Ok(()) => sync_folder(path),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(Error::Exists { path: path.to_owned() })
        }
        Err(error) => Err(Error::io("write", path)(error)),
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".draft");
    path.with_file_name(name)
}

/// Makes the new name itself durable.
fn sync_folder(path: &Path) -> Result<(), Error> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::io("write", folder))
}
