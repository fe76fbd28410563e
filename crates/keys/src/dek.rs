//! Data-encryption keys: what seals the values of one person, or of one class of system data.
//!
//! `store` calls this for every sealed column. Invariant: a value opens only with the key it was sealed
//! under, and only in the table, column and row it was sealed for.

use aws_lc_rs::hmac;
use domain::{Entropy, enforced, id::DekId};
use zeroize::Zeroizing;

use crate::{Error, envelope};

/// Format of the sealed values this build writes.
const VERSION: u8 = 1;
/// Version and key id stand before the salt.
const HEAD: usize = 1 + 16;
const SEAL: &[u8] = b"troth/seal/v1";
const INDEX: &[u8] = b"troth/index/v1";

/// The place a sealed value belongs to. Moved elsewhere, it does not open.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    /// The table.
    pub table: &'a str,
    /// The column.
    pub column: &'a str,
    /// The row's identifier.
    pub row: &'a str,
}

impl Binding<'_> {
    /// The bytes that are authenticated along with the value.
    fn bytes(&self, id: DekId) -> Vec<u8> {
        envelope::join(&[self.table.as_bytes(), self.column.as_bytes(), self.row.as_bytes(), id.0.as_bytes()])
    }
}

/// A data-encryption key in memory; wiped when dropped.
pub struct Dek {
    id: DekId,
    key: Box<Zeroizing<[u8; 32]>>,
}

impl Dek {
    /// A key from its bytes, which stay in the caller's hands to wipe.
    pub(crate) fn new(id: DekId, key: &[u8; 32]) -> Self {
        let mut kept = Box::new(Zeroizing::new([0; 32]));
        kept.copy_from_slice(key);
        Self { id, key: kept }
    }

    /// Which key this is. The identifier stands in every value it seals.
    #[must_use]
    pub fn id(&self) -> DekId {
        self.id
    }

    /// Seals `plain` for the place `binding`: `version | key id | salt | ciphertext | tag`.
    ///
    /// # Errors
    /// [`Error::Library`] when the cryptographic library refuses.
    pub fn seal(&self, binding: &Binding<'_>, plain: &[u8], entropy: &Entropy) -> Result<Vec<u8>, Error> {
        let mut head = [VERSION; HEAD];
        head[1..].copy_from_slice(self.id.0.as_bytes());
        enforced!(CRY01);
        envelope::seal(&self.key, &head, entropy.bytes(), &self.info(), &binding.bytes(self.id), plain)
    }

    /// Opens what [`Dek::seal`] made for the same place.
    ///
    /// # Errors
    /// [`Error::Unsealed`] when the value was changed, cut, moved, or sealed under another key.
    pub fn open(&self, binding: &Binding<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let (head, rest) = sealed.split_at_checked(HEAD).ok_or(Error::Unsealed)?;
        if head[0] != VERSION || head[1..] != *self.id.0.as_bytes() {
            return Err(Error::Unsealed);
        }
        envelope::open(&self.key, rest, &self.info(), &binding.bytes(self.id))
    }

    /// The key of this person's blind index; it goes when the DEK goes.
    #[must_use]
    pub fn index_key(&self) -> IndexKey {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.key.as_slice());
        let drawn = hmac::sign(&key, &envelope::join(&[INDEX, self.id.0.as_bytes()]));
        IndexKey(hmac::Key::new(hmac::HMAC_SHA256, drawn.as_ref()))
    }

    fn info(&self) -> [&[u8]; 2] {
        [SEAL, self.id.0.as_bytes()]
    }
}

impl std::fmt::Debug for Dek {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Dek({})", self.id)
    }
}

/// Turns words into terms that mean nothing without the key.
#[derive(Clone)]
pub struct IndexKey(hmac::Key);

impl IndexKey {
    /// The term of `word`: the first 64 bits of HMAC-SHA256, as a number a database can index.
    #[must_use]
    pub fn term(&self, word: &str) -> i64 {
        enforced!(CRY06);
        let tag = hmac::sign(&self.0, word.as_bytes());
        let mut first = [0; 8];
        first.copy_from_slice(&tag.as_ref()[..8]);
        i64::from_be_bytes(first)
    }
}

impl std::fmt::Debug for IndexKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IndexKey(…)")
    }
}
