//! The server: command line, configuration, first run, wiring. The only room that knows all others.
//!
//! The binary `troth` calls [`run`]; tests start the same [`Instance`] in their own process, on a free
//! port. Time, randomness and the environment enter through [`outside`] alone.

mod check;
mod cli;
mod command;
pub mod config;
pub mod failure;
pub mod folder;
pub mod instance;
mod logging;
mod mail;
pub mod outside;
mod protector;
mod tls;

pub use cli::run;
pub use config::Config;
pub use failure::{Exit, Failure};
pub use instance::Instance;
pub use outside::Outside;
