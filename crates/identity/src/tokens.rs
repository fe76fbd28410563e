//! Random bearer tokens and the hash that stands for them at rest.
//!
//! Called wherever something is handed out that opens a door: sessions, tickets. The invariant: a
//! token leaves this process once; what stays is its SHA-256. A plain hash is enough, because the
//! tokens carry 256 random bits and cannot be guessed from it.

use aws_lc_rs::digest;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use domain::{Ctx, Secret};
use zeroize::Zeroizing;

/// Length of a token: 32 bytes in base64url (RFC 4648, section 5) without padding.
pub(crate) const TOKEN_CHARS: usize = 43;

/// What stands for a token in the store.
pub(crate) type Hash = [u8; 32];

/// A fresh token of 256 random bits, and its hash.
pub(crate) fn fresh(ctx: &Ctx) -> (Secret<String>, Hash) {
    let bytes = Zeroizing::new(ctx.random::<32>());
    let token = BASE64_URL_SAFE_NO_PAD.encode(*bytes);
    let hash = hash(&token);
    (Secret::new(token), hash)
}

/// The hash of a token somebody presented; `None` when it cannot be one of ours.
pub(crate) fn hash_presented(token: &str) -> Option<Hash> {
    let shaped = token.len() == TOKEN_CHARS
        && token.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    shaped.then(|| hash(token))
}

/// SHA-256 of the token's text.
pub(crate) fn hash(token: &str) -> Hash {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_sha_256_of_the_text() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex::encode(hash("abc")), expected);
    }

    #[test]
    fn only_what_has_the_shape_of_a_token_is_hashed() {
        let token = "A".repeat(TOKEN_CHARS);
        assert_eq!(hash_presented(&token), Some(hash(&token)));
        for not in ["", &"A".repeat(42), &"A".repeat(44), &format!("{}=", "A".repeat(42)), &"é".repeat(43)] {
            assert_eq!(hash_presented(not), None);
        }
    }
}
