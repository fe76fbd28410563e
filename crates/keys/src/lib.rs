//! Key hierarchy and envelopes: keyring, wrapping, sealing, blind-index keys.
//!
//! One root key (the [`Keyring`]) wraps one data-encryption key ([`Dek`]) per person and per class of
//! system data; a [`Dek`] seals values so that they open only in the place they were sealed for (its
//! [`Binding`]). `store` and `server` call this room. Invariant: no key leaves it unwrapped, except as
//! [`domain::Secret`] made by [`Keyring::derive`] for a named purpose. Why it is built this way:
//! `docs/decisions/0003-sealing.md`.

mod dek;
mod envelope;
mod error;
mod file;
mod keyring;

pub use dek::{Binding, Dek, IndexKey};
pub use error::Error;
pub use keyring::{Keyring, Protector};
