//! The flows of identity against a real store, through its public functions.

mod account;
mod api_keys;
mod common;
mod sessions;
mod setup;
mod sign_in;
