//! The commands, one file each. Every one returns an exit code or a failure in one sentence.

pub(crate) mod addresses;
pub(crate) mod config;
pub(crate) mod customers;
pub(crate) mod models;
pub(crate) mod recover;
pub(crate) mod serve;
pub(crate) mod verify;

use tokio::runtime::{Builder, Runtime};

use crate::failure::{Exit, Failure};

/// The runtime a command runs on.
fn runtime() -> Result<Runtime, Failure> {
    Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Unforeseen, format!("The system gives no threads ({error}).")))
}

/// One cryptography library for everything in this process; the first call decides, later ones agree.
fn choose_cryptography() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}
