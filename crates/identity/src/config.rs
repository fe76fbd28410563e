//! What a deployment may set about identity. Read by the server alone; numbers of the policy come
//! from `policy/controls`.

use std::time::Duration;

use domain::{control::Numbers, password::Profile};

use crate::Policies;
use crate::directory::Sso;

/// Settings of identity.
#[derive(Clone, Debug)]
pub struct Config {
    /// The numbers of the policy: lengths, limits, histories.
    pub numbers: Numbers,
    /// How passwords are hashed.
    pub hashing: Hashing,
    /// Answers to a sign-in leave only at multiples of this after the question came, so that what
    /// was looked up on the way does not show in the time. Zero turns it off, for tests.
    pub answer_grid: Duration,
    /// What authenticator apps show beside the account's name.
    pub issuer: String,
    /// The address people reach this instance at, `https://host[:port]`.
    pub address: String,
    /// The sign-in services of the organisation.
    pub sso: Vec<Sso>,
    /// Whether a mail server is configured; without one links are shown to whoever makes them.
    pub sends_mail: bool,
    /// The organisation's own policies, which narrow what roles allow.
    pub policies: Option<Policies>,
    /// Whose accounts must have a second factor before they are let in.
    pub require_second_factor: Require,
    /// Which rules passwords follow; the numbers are set accordingly.
    pub password_profile: Profile,
    /// Which pepper new verifiers are made with. Raising it makes every verifier anew, each when its
    /// person signs in.
    pub pepper: u32,
    /// The addresses passkeys are made for and shown at, e.g. `https://localhost:8443`; the host name of
    /// each is its relying party. Without any there are no passkeys.
    pub passkey_origins: Vec<String>,
}

/// Whose accounts must have a second factor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Require {
    /// Those with an administrative role.
    #[default]
    Administrators,
    /// All of them.
    Everyone,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            numbers: Numbers::default(),
            hashing: Hashing::default(),
            answer_grid: Duration::from_millis(200),
            issuer: "Troth".to_owned(),
            address: "https://localhost:8443".to_owned(),
            sso: Vec::new(),
            require_second_factor: Require::default(),
            password_profile: Profile::default(),
            pepper: 1,
            passkey_origins: Vec::new(),
            sends_mail: false,
            policies: None,
        }
    }
}

/// Parameters of Argon2id (RFC 9106) and how much of it may happen at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hashing {
    /// Memory of one hash, in KiB.
    pub memory_kib: u32,
    /// Passes over that memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
    /// Hashes computed at the same time; each holds `memory_kib`.
    pub at_once: usize,
    /// Hashes that may wait for their turn; more are answered with [`crate::Error::Busy`].
    pub waiting: usize,
}

impl Default for Hashing {
    /// The second of the choices OWASP calls equal: 19 MiB, two passes, one lane.
    fn default() -> Self {
        Self { memory_kib: 19 * 1024, passes: 2, lanes: 1, at_once: 2, waiting: 64 }
    }
}
