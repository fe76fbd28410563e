//! What a face does next: say something to its client, ask something of the engine, or leave.
//!
//! Faces are pure: they turn messages and events into steps, and [`super::talk`] takes them.

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{Ctx, Entropy, id::ItemId, voice::Command};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::socket::Reason;

/// What it was for cannot be had: the client asked for what cannot be, or not at this moment.
pub(super) const FAULTY: Reason = Reason::Said(1008, "");
/// More came than may, or a quota is used up.
pub(super) const OVER: Reason = Reason::Said(1008, "more than there may be");
/// Too much is going on here.
pub(super) const BUSY: Reason = Reason::Said(1013, "too busy, try again in a moment");

/// One step.
#[derive(Debug)]
pub(super) enum Step {
    /// Says this to the client, as text.
    Text(Zeroizing<Vec<u8>>),
    /// Says this to the client, as bytes.
    Bytes(Zeroizing<Vec<u8>>),
    /// Asks the engine for this.
    Ask(Command),
    /// Says goodbye.
    Leave(Reason),
}

impl Step {
    /// `value` as a text message of JSON.
    pub(super) fn json(value: &impl Serialize) -> Self {
        // Sized first: a vector that grows leaves shorter copies of what was said in freed memory.
        let mut count = Count(0);
        let counted = serde_json::to_writer(&mut count, value);
        let mut text = Zeroizing::new(Vec::with_capacity(count.0));
        if counted.and_then(|()| serde_json::to_writer(&mut *text, value)).is_err() {
            tracing::error!("a message of a voice connection could not be written");
        }
        Self::Text(text)
    }
}

/// What somebody said, or sound as text, on its way into a message. Wiped when it is dropped, and never printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Words(Zeroizing<String>);

impl From<&str> for Words {
    fn from(words: &str) -> Self {
        Self(Zeroizing::new(words.to_owned()))
    }
}

impl From<String> for Words {
    fn from(words: String) -> Self {
        Self(Zeroizing::new(words))
    }
}

impl Serialize for Words {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl std::fmt::Debug for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Words({} bytes)", self.0.len())
    }
}

/// Counts what is written.
struct Count(usize);

impl std::io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Sound from base64, wiped when it is dropped. `None`: it is none.
pub(super) fn sound(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; base64::decoded_len_estimate(text.len())]);
    let length = STANDARD.decode_slice(text, &mut bytes).ok()?;
    bytes.truncate(length);
    Some(bytes)
}

/// Names for what a face makes: unlike each other and any other call's.
#[derive(Clone, Debug)]
pub(super) struct Names(pub(super) Entropy);

impl Names {
    /// Names made with the randomness of `ctx`.
    pub(super) fn of(ctx: &Ctx) -> Self {
        Self(ctx.entropy().clone())
    }

    /// A fresh name of this kind, e.g. `event_…`.
    pub(super) fn fresh(&self, kind: &str) -> String {
        format!("{kind}_{:032x}", u128::from_be_bytes(self.0.bytes::<16>()))
    }

    /// A fresh identifier of an item.
    pub(super) fn item(&self) -> ItemId {
        ItemId(uuid::Builder::from_random_bytes(self.0.bytes::<16>()).into_uuid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_is_base64_and_nothing_else() {
        assert_eq!(*sound("AAECAw==").unwrap(), [0, 1, 2, 3]);
        assert!(sound("").unwrap().is_empty());
        for none in ["A", "AAA", "AAECAw", "AA=A", "hello world", "AAECAw==\n", "é"] {
            assert!(sound(none).is_none(), "{none:?}");
        }
    }
}
