//! Password verifiers: Argon2id (RFC 9106) over a peppered password, a few at a time.
//!
//! Called by setup, sign-in and password changes. The invariants: what is hashed is a keyed hash of
//! the password, so a stolen database cannot be guessed without the key; every question costs exactly
//! one Argon2 run, whether the account exists or not; never more runs at once than configured, and
//! none on the threads that serve requests.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use argon2::{
    Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version,
    password_hash::phc::{Output, ParamsString, Salt},
};
use domain::{Ctx, enforced, password};
use store::Store;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::{Error, Hashing};

const OUTPUT_BYTES: usize = 32;

/// Makes and checks verifiers.
pub(crate) struct Passwords {
    store: Store,
    params: Params,
    /// Verified for accounts that do not exist: same parameters, matches nothing.
    decoy: Arc<str>,
    turns: Semaphore,
    entrance: Semaphore,
    runs: AtomicU64,
}

impl Passwords {
    /// Prepares hashing with `hashing`.
    ///
    /// # Errors
    /// [`Error::Broken`] when Argon2 does not accept the parameters.
    pub(crate) fn new(store: Store, hashing: Hashing) -> Result<Self, Error> {
        let bad = Error::Broken("the configured password hashing parameters are outside Argon2's limits");
        let params = Params::new(hashing.memory_kib, hashing.passes, hashing.lanes, Some(OUTPUT_BYTES));
        let Ok(params) = params else { return Err(bad) };
        let decoy = decoy(&params)?.into();
        let turns = Semaphore::new(hashing.at_once.max(1));
        let entrance = Semaphore::new(hashing.at_once.max(1).saturating_add(hashing.waiting));
        Ok(Self { store, params, decoy, turns, entrance, runs: AtomicU64::new(0) })
    }

    /// How often Argon2 ran since the start.
    pub(crate) fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }

    /// A verifier of `password`, as a PHC string with a fresh salt.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many are waiting.
    pub(crate) async fn hash(&self, ctx: &Ctx, password: &str) -> Result<String, Error> {
        let peppered = self.peppered(password);
        let salt = ctx.random::<16>();
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params.clone());
        self.run(move || {
            enforced!(AUT02);
            let hash = argon2.hash_password_with_salt(peppered.as_bytes(), &salt);
            hash.map(|hash| hash.to_string()).map_err(|_| Error::Broken("a password could not be hashed"))
        })
        .await?
    }

    /// Whether `password` is the one behind `verifier`; for `None`, the same work and no.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many are waiting.
    pub(crate) async fn verify(&self, password: &str, verifier: Option<&str>) -> Result<bool, Error> {
        // A text that could not have been set is hashed cut to nothing, so that it costs the same.
        let fits = password.len() <= password::MAX_BYTES;
        let peppered = self.peppered(if fits { password } else { "" });
        enforced!(AUT05);
        let against: Arc<str> = verifier.map_or_else(|| Arc::clone(&self.decoy), Into::into);
        let matches = self
            .run(move || {
                let hash = PasswordHash::new(&against);
                hash.and_then(|hash| {
                    Ok(Argon2::default().verify_password(peppered.as_bytes(), &hash).is_ok())
                })
                .map_err(|_| Error::Broken("a stored password verifier is damaged"))
            })
            .await??;
        Ok(matches && fits && verifier.is_some())
    }

    /// Whether `verifier` was made with less than is configured now.
    pub(crate) fn is_weak(&self, verifier: &str) -> bool {
        let Ok(hash) = PasswordHash::new(verifier) else { return false };
        let Ok(made) = Params::try_from(&hash) else { return true };
        hash.algorithm != argon2::ARGON2ID_IDENT
            || made.m_cost() < self.params.m_cost()
            || made.t_cost() < self.params.t_cost()
    }

    /// The password as Argon2 sees it: hex of a keyed hash of its normal form.
    fn peppered(&self, password: &str) -> Zeroizing<String> {
        let normal = password::normalise(password);
        let keyed = Zeroizing::new(self.store.mac("password pepper", normal.as_bytes()));
        Zeroizing::new(hex::encode(*keyed))
    }

    /// Runs `work` on a thread that may block, in turn.
    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        let _inside = self.entrance.try_acquire().map_err(|_| Error::Busy)?;
        let _turn = self.turns.acquire().await.map_err(|_| Error::Busy)?;
        self.runs.fetch_add(1, Ordering::Relaxed);
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|_| Error::Broken("a password could not be checked: its thread stopped"))
    }
}

/// A verifier no password matches: its output is not the hash of anything we could compute.
fn decoy(params: &Params) -> Result<String, Error> {
    let wrong = |_| Error::Broken("the configured password hashing parameters cannot be written down");
    let hash = PasswordHash {
        algorithm: argon2::ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(params).map_err(wrong)?,
        salt: Some(Salt::new(b"nobody's salt 16").map_err(|_| Error::Broken("salt"))?),
        hash: Some(Output::new(&[0; OUTPUT_BYTES]).map_err(|_| Error::Broken("output"))?),
    };
    Ok(hash.to_string())
}
