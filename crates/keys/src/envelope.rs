//! The one way bytes are sealed: a fresh AES-256-GCM key and nonce per value.
//!
//! `dek` and `keyring` call it. The key and the nonce are drawn by HKDF-SHA256 (RFC 5869) from a long
//! key and 24 random bytes, so no key ever seals two values and the limit of 2^32 messages per key
//! that random nonces bring (NIST SP 800-38D §8.3) is never in sight.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, KeyType, Salt},
};
use zeroize::Zeroizing;

use crate::Error;

/// Random bytes each value is salted with.
pub(crate) const SALT: usize = 24;
const KEY: usize = 32;
const TAG: usize = 16;

/// How much key material one value takes.
struct Material;

impl KeyType for Material {
    fn len(&self) -> usize {
        KEY + NONCE_LEN
    }
}

/// Draws the key and nonce of one value.
fn draw(key: &[u8; KEY], salt: &[u8], info: &[&[u8]]) -> Result<(LessSafeKey, Nonce), Error> {
    let mut material = Zeroizing::new([0; KEY + NONCE_LEN]);
    Salt::new(HKDF_SHA256, salt)
        .extract(key)
        .expand(info, Material)
        .and_then(|drawn| drawn.fill(material.as_mut()))
        .map_err(|_| Error::Library)?;
    let (key, nonce) = material.split_at(KEY);
    let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| Error::Library)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Error::Library)?;
    Ok((LessSafeKey::new(key), nonce))
}

/// Seals `plain` behind `head`: the result is `head | salt | ciphertext | tag`.
///
/// `info` names the use and `bound` what the value belongs to; both must be the same to open it.
pub(crate) fn seal(
    key: &[u8; KEY],
    head: &[u8],
    salt: [u8; SALT],
    info: &[&[u8]],
    bound: &[u8],
    plain: &[u8],
) -> Result<Vec<u8>, Error> {
    let (key, nonce) = draw(key, &salt, info)?;
    let mut sealed = Vec::with_capacity(head.len() + SALT + plain.len() + TAG);
    sealed.extend_from_slice(head);
    sealed.extend_from_slice(&salt);
    let start = sealed.len();
    sealed.extend_from_slice(plain);
    let tag = key
        .seal_in_place_separate_tag(nonce, Aad::from(bound), &mut sealed[start..])
        .map_err(|_| Error::Library)?;
    sealed.extend_from_slice(tag.as_ref());
    Ok(sealed)
}

/// Opens what follows the head of a sealed value: `salt | ciphertext | tag`.
pub(crate) fn open(
    key: &[u8; KEY],
    sealed: &[u8],
    info: &[&[u8]],
    bound: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let (salt, body) = sealed.split_at_checked(SALT).ok_or(Error::Unsealed)?;
    if body.len() < TAG {
        return Err(Error::Unsealed);
    }
    let (key, nonce) = draw(key, salt, info)?;
    let mut plain = Zeroizing::new(body.to_vec());
    let length = key.open_in_place(nonce, Aad::from(bound), &mut plain).map_err(|_| Error::Unsealed)?.len();
    plain.truncate(length);
    Ok(plain)
}

/// Joins `parts` so that no two lists of parts give the same bytes: each with its length before it.
pub(crate) fn join(parts: &[&[u8]]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        joined.extend_from_slice(&(part.len() as u64).to_be_bytes());
        joined.extend_from_slice(part);
    }
    joined
}
