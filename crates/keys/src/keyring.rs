//! The root key in memory: made, opened, and used to wrap data keys and derive others.
//!
//! `server` makes or opens the one [`Keyring`] at start; `store` wraps DEKs with it. Invariant: the root
//! key is on disk only inside the sealed keyring file, and in memory only here.

use std::path::{Path, PathBuf};

use aws_lc_rs::hmac;
use domain::{Entropy, Secret, enforced, id::DekId};
use zeroize::Zeroizing;

use crate::{Dek, Error, envelope, file};

const DERIVE: &[u8] = b"troth/derive/v1";
const WRAP: &[u8] = b"troth/wrap-dek/v1";
/// Format of wrapped keys.
const VERSION: u8 = 1;

/// What seals the keyring file.
#[derive(Clone, Debug)]
pub enum Protector {
    /// A passphrase, stretched by Argon2id.
    Passphrase(Secret<String>),
    /// A file of 32 random bytes outside the data folder. [`Keyring::create`] makes it when it is absent.
    KeyFile(PathBuf),
}

/// The root key-encryption key of an instance; wiped when dropped.
pub struct Keyring {
    root: Box<Zeroizing<[u8; 32]>>,
}

impl Keyring {
    /// Makes a new root key and seals it into a new file at `path` (mode 0600, written whole or not at all).
    ///
    /// # Errors
    /// [`Error::Exists`] when a file is there already; it is left as it is.
    pub fn create(path: &Path, protector: &Protector, entropy: &Entropy) -> Result<Self, Error> {
        let mut root = Box::new(Zeroizing::new([0; 32]));
        root.copy_from_slice(Zeroizing::new(entropy.bytes::<32>()).as_slice());
        file::create(path, protector, &root, entropy)?;
        enforced!(CRY03);
        Ok(Self { root })
    }

    /// Opens the keyring at `path`. With a passphrase this takes a few tenths of a second, on purpose.
    ///
    /// # Errors
    /// Each way it can fail has its own variant, and a sentence that says what to do.
    pub fn open(path: &Path, protector: &Protector) -> Result<Self, Error> {
        let mut root = Box::new(Zeroizing::new([0; 32]));
        root.copy_from_slice(file::open(path, protector)?.as_slice());
        Ok(Self { root })
    }

    /// A 32-byte key for `purpose`: HMAC-SHA256 of the root key over it. The same purpose gives the same
    /// key, and no derived key tells anything about another or about the root.
    #[must_use]
    pub fn derive(&self, purpose: &'static str) -> Secret<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        key.copy_from_slice(
            hmac::sign(&self.root_mac(), &envelope::join(&[DERIVE, purpose.as_bytes()])).as_ref(),
        );
        Secret::new(*key)
    }

    /// HMAC-SHA256 of `data` under the key derived for `purpose`.
    #[must_use]
    pub fn mac(&self, purpose: &'static str, data: &[u8]) -> [u8; 32] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.derive(purpose).expose());
        let mut tag = [0; 32];
        tag.copy_from_slice(hmac::sign(&key, data).as_ref());
        tag
    }

    /// Makes the data key `id` of `subject`, and the wrapped form that may be stored.
    ///
    /// # Errors
    /// [`Error::Library`] when the cryptographic library refuses.
    pub fn new_dek(&self, id: DekId, subject: &str, entropy: &Entropy) -> Result<(Dek, Vec<u8>), Error> {
        let key = Zeroizing::new(entropy.bytes::<32>());
        enforced!(CRY03);
        let wrapped = envelope::seal(
            &self.root,
            &[VERSION],
            entropy.bytes(),
            &[WRAP],
            &bound(id, subject),
            key.as_slice(),
        )?;
        Ok((Dek::new(id, &key), wrapped))
    }

    /// Opens what [`Keyring::new_dek`] wrapped for the same key and subject.
    ///
    /// # Errors
    /// [`Error::Unsealed`] when it was changed, belongs to another subject, or was wrapped by another keyring.
    pub fn unwrap_dek(&self, id: DekId, subject: &str, wrapped: &[u8]) -> Result<Dek, Error> {
        let (version, rest) = wrapped.split_first().ok_or(Error::Unsealed)?;
        if *version != VERSION {
            return Err(Error::Unsealed);
        }
        let key = envelope::open(&self.root, rest, &[WRAP], &bound(id, subject))?;
        let key: &[u8; 32] = key.as_slice().try_into().map_err(|_| Error::Unsealed)?;
        Ok(Dek::new(id, key))
    }

    fn root_mac(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, self.root.as_slice())
    }
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keyring(…)")
    }
}

/// What a wrapped key belongs to.
fn bound(id: DekId, subject: &str) -> Vec<u8> {
    envelope::join(&[id.0.as_bytes(), subject.as_bytes()])
}
