//! Recovery codes: ten ways in for the day the authenticator is lost, each good once.
//!
//! Called by setup, sign-in and the account page. Each carries 80 random bits, so the keyed hash the
//! store holds cannot be turned back, with or without the key.

use domain::{Ctx, Secret, id::UserId};
use store::Store;
use zeroize::Zeroizing;

use crate::codes;

/// Codes made at a time.
pub(crate) const CODES: usize = 10;
/// Random bytes of a code; 10 bytes are 16 characters of base32 without a rest.
const BYTES: usize = 10;
const CHARS: usize = 16;

/// Fresh codes for the person to keep, and what the store keeps of them.
pub(crate) fn fresh(ctx: &Ctx, store: &Store, user: UserId) -> (Vec<Secret<String>>, Vec<[u8; 32]>) {
    (0..CODES)
        .map(|_| {
            let code = codes::base32(&*Zeroizing::new(ctx.random::<BYTES>()));
            (codes::grouped(&code.to_lowercase(), '-'), hash(store, user, &code))
        })
        .unzip()
}

/// What the store keeps of the code somebody typed; `None` when it cannot be one.
pub(crate) fn hash_typed(store: &Store, user: UserId, typed: &str) -> Option<[u8; 32]> {
    codes::read(typed, CHARS).map(|code| hash(store, user, &code))
}

/// Bound to the account, so that a row moved to another account opens nothing.
fn hash(store: &Store, user: UserId, code: &str) -> [u8; 32] {
    let mut text = Zeroizing::new(Vec::with_capacity(16 + CHARS));
    text.extend_from_slice(user.0.as_bytes());
    text.extend_from_slice(code.as_bytes());
    store.mac("recovery code", &text)
}
