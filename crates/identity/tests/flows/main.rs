//! The flows of identity against a real store, through its public functions.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that meets what it does not expect has failed"
)]

mod account;
mod accounts;
mod api_keys;
mod authenticator;
mod break_glass;
mod call_tickets;
mod directory;
mod factors;
mod linking;
mod passkeys;
mod reach;
mod recovery;
mod reviews;
mod roles;
mod scene;
mod second_person;
mod sessions;
mod setup;
mod sign_in;
mod sso_factor;
mod step_up;
mod tokens;
