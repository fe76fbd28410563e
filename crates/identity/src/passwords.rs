//! Password verifiers: Argon2id (RFC 9106) over a peppered password, a few at a time.
//!
//! Called by setup, sign-in and password changes. The invariants: what is hashed is a keyed hash of
//! the password, so a stolen database cannot be guessed without the key; every question costs exactly
//! one Argon2 run, whether the account exists or not; never more runs at once than configured, and
//! none on the threads that serve requests.

use std::sync::Arc;

use argon2::{
    Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version,
    password_hash::phc::{Output, ParamsString, Salt},
};
use domain::{Ctx, enforced, password};
use store::Store;
use zeroize::Zeroizing;

use crate::{Error, Hashing, turns::Turns};

const OUTPUT_BYTES: usize = 32;

/// Makes and checks verifiers.
pub(crate) struct Passwords {
    store: Store,
    params: Params,
    /// Verified for accounts that do not exist: same parameters, matches nothing.
    decoy: Arc<str>,
    turns: Turns,
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
        let turns = Turns::new(hashing.at_once, hashing.waiting);
        Ok(Self { store, params, decoy, turns })
    }

    /// How often Argon2 ran since the start.
    pub(crate) fn runs(&self) -> u64 {
        self.turns.runs()
    }

    /// A verifier of `password`, as a PHC string with a fresh salt.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many are waiting.
    pub(crate) async fn hash(&self, ctx: &Ctx, password: &str) -> Result<String, Error> {
        let peppered = self.peppered(password);
        let salt = ctx.random::<16>();
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params.clone());
        let work = move || {
            let hash = argon2.hash_password_with_salt(peppered.as_bytes(), &salt);
            enforced!(AUT02);
            hash.map(|hash| hash.to_string()).map_err(|_| Error::Broken("a password could not be hashed"))
        };
        self.turns.run(work).await?
    }

    /// Whether `password` is the one behind `verifier`; for `None`, the same work and no.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many are waiting.
    pub(crate) async fn verify(&self, password: &str, verifier: Option<&str>) -> Result<bool, Error> {
        // A text that could not have been set is hashed cut to nothing, so that it costs the same.
        let fits = password.len() <= password::MAX_BYTES;
        let peppered = self.peppered(if fits { password } else { "" });
        let against: Arc<str> = match verifier {
            Some(verifier) => verifier.into(),
            None => {
                enforced!(AUT05);
                Arc::clone(&self.decoy)
            }
        };
        let matches = self
            .turns
            .run(move || {
                let hash = PasswordHash::new(&against)
                    .map_err(|_| Error::Broken("a stored password verifier is damaged"))?;
                Ok::<bool, Error>(Argon2::default().verify_password(peppered.as_bytes(), &hash).is_ok())
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
}

/// A verifier no password matches: its output is not the hash of anything we could compute.
fn decoy(params: &Params) -> Result<String, Error> {
    let written = || -> argon2::password_hash::Result<PasswordHash> {
        Ok(PasswordHash {
            algorithm: argon2::ARGON2ID_IDENT,
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(params)?,
            salt: Some(Salt::new(b"nobody's salt 16")?),
            hash: Some(Output::new(&[0; OUTPUT_BYTES])?),
        })
    };
    written()
        .map(|hash| hash.to_string())
        .map_err(|_| Error::Broken("the configured password hashing parameters cannot be written down"))
}

#[cfg(test)]
mod tests {
    use domain::verifies;

    use super::*;

    const HASHING: Hashing = Hashing { memory_kib: 64, passes: 1, lanes: 1, at_once: 1, waiting: 1 };

    async fn passwords(hashing: Hashing) -> (testkit::Home, Arc<Passwords>) {
        let home = testkit::store().await;
        let passwords = Passwords::new(home.store.clone(), hashing).unwrap();
        (home, Arc::new(passwords))
    }

    #[test]
    fn a_verifier_fits_its_password_alone() {
        let _proof = verifies!(AUT02);
        testkit::run(async {
            let (home, passwords) = passwords(HASHING).await;
            let ctx = home.ctx(domain::Actor::Anonymous);
            let verifier = passwords.hash(&ctx, "Quiet-Harbour-47").await.unwrap();
            assert!(passwords.verify("Quiet-Harbour-47", Some(&verifier)).await.unwrap());
            assert!(!passwords.verify("quiet-harbour-47", Some(&verifier)).await.unwrap());
            assert_ne!(verifier, passwords.hash(&ctx, "Quiet-Harbour-47").await.unwrap(), "salted");
            let damaged = passwords.verify("x", Some(&verifier[..20])).await;
            assert!(matches!(damaged, Err(Error::Broken(_))));
        });
    }

    #[test]
    fn without_an_account_the_same_work_is_done_and_the_answer_is_no() {
        let _proof = verifies!(AUT05);
        testkit::run(async {
            let (_home, passwords) = passwords(HASHING).await;
            assert!(!passwords.verify("anything", None).await.unwrap());
            assert_eq!(passwords.runs(), 1);
            // The decoy asks Argon2 for what is configured, no less.
            let decoy = PasswordHash::new(&passwords.decoy).unwrap();
            assert_eq!(Params::try_from(&decoy).unwrap(), passwords.params);
            assert!(!passwords.is_weak(&passwords.decoy));
        });
    }

    #[test]
    fn a_text_longer_than_any_password_is_refused_after_the_same_work() {
        testkit::run(async {
            let (home, passwords) = passwords(HASHING).await;
            let ctx = home.ctx(domain::Actor::Anonymous);
            let of_nothing = passwords.hash(&ctx, "").await.unwrap();
            let long = "x".repeat(1 << 20);
            assert!(!passwords.verify(&long, Some(&of_nothing)).await.unwrap());
            assert_eq!(passwords.runs(), 2);
        });
    }

    #[test]
    fn parameters_that_rose_make_a_verifier_weak() {
        testkit::run(async {
            let (home, passwords) = passwords(HASHING).await;
            let ctx = home.ctx(domain::Actor::Anonymous);
            let verifier = passwords.hash(&ctx, "Quiet-Harbour-47").await.unwrap();
            let with = |hashing| Passwords::new(home.store.clone(), hashing).unwrap().is_weak(&verifier);
            assert!(!with(HASHING));
            assert!(with(Hashing { memory_kib: 128, ..HASHING }));
            assert!(with(Hashing { passes: 2, ..HASHING }));
            assert!(!with(Hashing { memory_kib: 32, ..HASHING }), "falling parameters weaken nothing");
            assert!(with(HASHING) == passwords.is_weak(&verifier));
        });
    }
}
