//! Refresh tokens: a session, a generation, and a keyed hash over both.
//!
//! Called when a session is opened and when its access token is over. Nothing of a token is kept: whoever
//! asks twice for the successor of one gets the same, and the store says which generation is in force.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use domain::{Secret, Timestamp, enforced, id::SessionId};
use store::{Store, sessions::Session};
use uuid::Uuid;

const ID_BYTES: usize = 16;
const GENERATION_BYTES: usize = 8;
const BYTES: usize = ID_BYTES + GENERATION_BYTES + 32;

/// What a token of ours says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refresh {
    /// Which session it is of.
    pub(crate) session: SessionId,
    /// Which generation it is.
    pub(crate) generation: i64,
}

/// What a presented token is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Worth {
    /// It is in force: its successor takes its place.
    Current,
    /// Its successor is in force, and only just: the browser that asked for it gets it again.
    Predecessor,
    /// Its successor is in force for longer and nobody has shown it: the browser gets it again, once.
    Late,
    /// Its successor was in use, was given again before, or went elsewhere: two hold what one should.
    Reused,
    /// It is newer than the store, as after a restore.
    Unknown,
}

impl Refresh {
    /// The token.
    pub(crate) fn token(self, store: &Store) -> Secret<String> {
        let mut bytes = self.named().to_vec();
        bytes.extend_from_slice(&store.mac("refresh token", &bytes));
        Secret::new(BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Reads a presented token; `None` when it is not one of ours.
    pub(crate) fn read(store: &Store, token: &str) -> Option<Self> {
        if token.len() != (BYTES * 4).div_ceil(3) {
            return None;
        }
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).ok().filter(|bytes| bytes.len() == BYTES)?;
        let (named, mac) = bytes.split_at(ID_BYTES + GENERATION_BYTES);
        if verify_slices_are_equal(mac, &store.mac("refresh token", named)).is_err() {
            enforced!(SES03);
            return None;
        }
        let (id, generation) = named.split_at(ID_BYTES);
        let session = SessionId(Uuid::from_bytes(id.try_into().ok()?));
        Some(Self { session, generation: i64::from_be_bytes(generation.try_into().ok()?) })
    }

    /// What this token is worth to `session`, shown from `network`. Two tabs that ask at once are no attack,
    /// nor is a browser that never got the answer: in the network the successor was asked for from, it is given
    /// again for `grace_s`, and once more as long as nobody showed it.
    pub(crate) fn worth(self, session: &Session, network: [u8; 32], now: Timestamp, grace_s: i64) -> Worth {
        let young = (0..grace_s).contains(&now.seconds_since(session.rotated));
        match session.generation.saturating_sub(self.generation) {
            0 => Worth::Current,
            ..0 => Worth::Unknown,
            1 if network != session.rotated_from => Worth::Reused,
            1 if young => Worth::Predecessor,
            1 if session.used < session.generation && !session.given_again => Worth::Late,
            _ => Worth::Reused,
        }
    }

    fn named(self) -> [u8; ID_BYTES + GENERATION_BYTES] {
        let mut bytes = [0; ID_BYTES + GENERATION_BYTES];
        bytes[..ID_BYTES].copy_from_slice(self.session.0.as_bytes());
        bytes[ID_BYTES..].copy_from_slice(&self.generation.to_be_bytes());
        bytes
    }
}
