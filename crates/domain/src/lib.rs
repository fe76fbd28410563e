//! The nouns and the rules of Troth.
//!
//! Every other room stands on this one. Nothing here does I/O, awaits, or owns a clock: time and
//! randomness arrive in [`Ctx`]. What two services share comes down here as a rule.

pub mod access;
pub mod audit;
pub mod bounds;
pub mod chat;
pub mod check;
pub mod consent;
pub mod control;
pub mod ctx;
pub mod customer;
pub mod id;
pub mod mail;
pub mod model;
pub mod name;
mod number_words;
pub mod password;
pub mod secret;
pub mod text;
pub mod time;
pub mod voice;

pub use access::{Action, Denied, Missing, Permit, Resource, authorize};
pub use control::Control;
pub use ctx::{Actor, Clock, Ctx, Entropy, Job};
pub use secret::Secret;
pub use time::Timestamp;
