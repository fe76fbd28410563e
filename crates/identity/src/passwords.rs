//! Password verifiers: Argon2id (RFC 9106) over a peppered password, a few at a time.
//!
//! Called by setup, sign-in and password changes. The invariants: what is hashed is a keyed hash of
//! the password under a pepper from the keyring, so a stolen database cannot be guessed without the key;
//! a verifier says which pepper it was made with, so that peppers can follow one another; every question
//! costs the same work of Argon2, whether the account exists or not, and also when its verifier was made with
//! less than is configured now; never more work at once than configured, and none on the threads that
//! serve requests.

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
/// The salt of work that is done for its time alone.
const DECOY_SALT: &[u8] = b"nobody's salt 16";

/// Makes and checks verifiers.
pub(crate) struct Passwords {
    store: Store,
    params: Params,
    /// The pepper new verifiers are made with.
    pepper: u32,
    /// Verified for accounts that do not exist: same parameters, matches nothing.
    decoy: Arc<str>,
    turns: Turns,
}

impl Passwords {
    /// Prepares hashing with `hashing` and the pepper of this number.
    ///
    /// # Errors
    /// [`Error::Broken`] when Argon2 does not accept the parameters.
    pub(crate) fn new(store: Store, hashing: Hashing, pepper: u32) -> Result<Self, Error> {
        let bad = Error::Broken("the configured password hashing parameters are outside Argon2's limits");
        let params = Params::new(hashing.memory_kib, hashing.passes, hashing.lanes, Some(OUTPUT_BYTES));
        let Ok(params) = params else { return Err(bad) };
        let decoy = decoy(&params)?.into();
        let turns = Turns::new(hashing.at_once, hashing.waiting)?;
        Ok(Self { store, params, pepper, decoy, turns })
    }

    /// How often Argon2 ran since the start.
    pub(crate) fn runs(&self) -> u64 {
        self.turns.runs()
    }

    /// A verifier of `password`: the number of its pepper, then a PHC string with a fresh salt.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many are waiting.
    pub(crate) async fn hash(&self, ctx: &Ctx, password: &str) -> Result<String, Error> {
        let (pepper, peppered) = (self.pepper, self.peppered(password, self.pepper));
        let salt = ctx.random::<16>();
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params.clone());
        let work = move || {
            let hash = argon2.hash_password_with_salt(peppered.as_bytes(), &salt);
            enforced!(AUT02);
            hash.map(|hash| format!("{pepper}{hash}"))
                .map_err(|_| Error::Broken("a password could not be hashed"))
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
        let (pepper, against): (u32, Arc<str>) = match verifier {
            Some(verifier) => {
                let (pepper, hash) = parts(verifier)?;
                (pepper, hash.into())
            }
            None => {
                enforced!(AUT05);
                (self.pepper, Arc::clone(&self.decoy))
            }
        };
        let peppered = self.peppered(if fits { password } else { "" }, pepper);
        let params = self.params.clone();
        let matches = self
            .turns
            .run(move || {
                let damaged = || Error::Broken("a stored password verifier is damaged");
                let hash = PasswordHash::new(&against).map_err(|_| damaged())?;
                let made = Params::try_from(&hash).map_err(|_| damaged())?;
                let matches = Argon2::default().verify_password(peppered.as_bytes(), &hash).is_ok();
                if let Some(rest) = rest_of_work(&made, &params) {
                    enforced!(AUT05);
                    let mut spent = Zeroizing::new([0; OUTPUT_BYTES]);
                    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, rest);
                    let done = argon2.hash_password_into(peppered.as_bytes(), DECOY_SALT, &mut *spent);
                    done.map_err(|_| Error::Broken("a password could not be hashed"))?;
                }
                Ok::<bool, Error>(matches)
            })
            .await??;
        Ok(matches && fits && verifier.is_some())
    }

    /// Whether `verifier` was made with less than is configured now, or with another pepper.
    pub(crate) fn is_weak(&self, verifier: &str) -> bool {
        let Ok((pepper, hash)) = parts(verifier) else { return false };
        let Ok(hash) = PasswordHash::new(hash) else { return false };
        if pepper != self.pepper {
            return true;
        }
        let Ok(made) = Params::try_from(&hash) else { return true };
        hash.algorithm != argon2::ARGON2ID_IDENT
            || made.m_cost() < self.params.m_cost()
            || made.t_cost() < self.params.t_cost()
    }

    /// The password as Argon2 sees it: hex of a keyed hash of its normal form. The key comes from the
    /// keyring; the number of the pepper goes into what is hashed, and 0 is the one before there were numbers.
    fn peppered(&self, password: &str, pepper: u32) -> Zeroizing<String> {
        let normal = password::normalise(password);
        let mut text = Zeroizing::new(Vec::with_capacity(normal.len() + 5));
        if pepper > 0 {
            text.extend_from_slice(&pepper.to_be_bytes());
            text.push(0);
        }
        text.extend_from_slice(normal.as_bytes());
        let keyed = Zeroizing::new(self.store.mac("password pepper", &text));
        Zeroizing::new(hex::encode(*keyed))
    }
}

/// The number of a verifier's pepper, and its PHC string. One without a number has pepper 0.
fn parts(verifier: &str) -> Result<(u32, &str), Error> {
    let damaged = Error::Broken("a stored password verifier is damaged");
    let Some(at) = verifier.find('$') else { return Err(damaged) };
    let (pepper, hash) = verifier.split_at(at);
    match (pepper, pepper.parse()) {
        ("", _) => Ok((0, hash)),
        (_, Ok(pepper)) => Ok((pepper, hash)),
        _ => Err(damaged),
    }
}

/// What is missing of the work that `asked` takes when a verifier was made with `made`: as many passes, over
/// the memory that is left. `None` when nothing is.
fn rest_of_work(made: &Params, asked: &Params) -> Option<Params> {
    let work = |params: &Params| u64::from(params.m_cost()) * u64::from(params.t_cost());
    let missing = work(asked).checked_sub(work(made)).filter(|missing| *missing > 0)?;
    let memory = u32::try_from(missing / u64::from(asked.t_cost())).unwrap_or(u32::MAX);
    let least = Params::MIN_M_COST.max(8 * asked.p_cost());
    (memory >= least)
        .then(|| Params::new(memory, asked.t_cost(), asked.p_cost(), Some(OUTPUT_BYTES)).ok())
        .flatten()
}

/// A verifier no password matches: its output is not the hash of anything we could compute.
fn decoy(params: &Params) -> Result<String, Error> {
    let written = || -> argon2::password_hash::Result<PasswordHash> {
        Ok(PasswordHash {
            algorithm: argon2::ARGON2ID_IDENT,
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(params)?,
            salt: Some(Salt::new(DECOY_SALT)?),
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
        let passwords = Passwords::new(home.store.clone(), hashing, 1).unwrap();
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
            let damaged = passwords.verify("x", Some(&verifier[..21])).await;
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
            assert!(!passwords.is_weak(&format!("1{}", passwords.decoy)));
        });
    }

    #[test]
    fn a_verifier_of_before_the_parameters_rose_costs_as_much_as_no_account() {
        let params = |memory, passes| Params::new(memory, passes, 1, Some(OUTPUT_BYTES)).unwrap();
        let work = |one: &Params| u64::from(one.m_cost()) * u64::from(one.t_cost());
        let asked = params(64 * 1024, 3);
        for (memory, passes) in [(19 * 1024, 2), (64 * 1024, 1), (32 * 1024, 3), (8, 1)] {
            let made = params(memory, passes);
            let rest = rest_of_work(&made, &asked).unwrap();
            let apart = work(&asked) - work(&made) - work(&rest);
            assert!(apart <= u64::from(asked.t_cost()), "{memory} {passes}: {apart}");
        }
        for made in [asked.clone(), params(128 * 1024, 3), params(64 * 1024 - 1, 3)] {
            assert!(rest_of_work(&made, &asked).is_none(), "nothing, or too little to be seen");
        }
    }

    #[test]
    fn checking_an_old_verifier_takes_as_long_as_checking_none() {
        let _proof = verifies!(AUT05);
        testkit::run(async {
            let (home, old) = passwords(HASHING).await;
            let verifier = old.hash(&home.ctx(domain::Actor::Anonymous), "Quiet-Harbour-47").await.unwrap();
            let dearer = Hashing { memory_kib: 8 * 1024, passes: 2, ..HASHING };
            let now = Passwords::new(home.store.clone(), dearer, 1).unwrap();
            let timed = async |verifier: Option<&str>| {
                let began = std::time::Instant::now();
                now.verify("Brisk-Lantern-92", verifier).await.unwrap();
                began.elapsed()
            };
            let (mut known, mut unknown) = (Vec::new(), Vec::new());
            for _ in 0..3 {
                known.push(timed(Some(&verifier)).await);
                unknown.push(timed(None).await);
            }
            // A hundredth of the work would show whatever else the machine does.
            assert!(known.iter().max() > unknown.iter().min().map(|one| *one / 4).as_ref());
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
    fn peppers_follow_one_another_and_old_verifiers_still_fit() {
        testkit::run(async {
            let (home, first) = passwords(HASHING).await;
            let ctx = home.ctx(domain::Actor::Anonymous);
            let second = Passwords::new(home.store.clone(), HASHING, 2).unwrap();
            let verifier = first.hash(&ctx, "Quiet-Harbour-47").await.unwrap();
            assert!(verifier.starts_with("1$argon2id$"));
            assert!(second.verify("Quiet-Harbour-47", Some(&verifier)).await.unwrap());
            assert!(second.is_weak(&verifier) && !first.is_weak(&verifier));
            // Under another number the same password is another one.
            let moved = verifier.replacen('1', "2", 1);
            assert!(!second.verify("Quiet-Harbour-47", Some(&moved)).await.unwrap());
            // One from before peppers had numbers.
            let zeroth = Passwords::new(home.store.clone(), HASHING, 0).unwrap();
            let old = zeroth.hash(&ctx, "Quiet-Harbour-47").await.unwrap();
            assert!(first.verify("Quiet-Harbour-47", Some(&old[1..])).await.unwrap());
            assert!(first.is_weak(&old[1..]));
            for damaged in ["", "x$argon2id$", "-1$argon2id$", "99999999999$argon2id$"] {
                assert!(matches!(first.verify("x", Some(damaged)).await, Err(Error::Broken(_))), "{damaged}");
            }
        });
    }

    #[test]
    fn parameters_that_rose_make_a_verifier_weak() {
        testkit::run(async {
            let (home, passwords) = passwords(HASHING).await;
            let ctx = home.ctx(domain::Actor::Anonymous);
            let verifier = passwords.hash(&ctx, "Quiet-Harbour-47").await.unwrap();
            let with = |hashing| Passwords::new(home.store.clone(), hashing, 1).unwrap().is_weak(&verifier);
            assert!(!with(HASHING));
            assert!(with(Hashing { memory_kib: 128, ..HASHING }));
            assert!(with(Hashing { passes: 2, ..HASHING }));
            assert!(!with(Hashing { memory_kib: 32, ..HASHING }), "falling parameters weaken nothing");
            assert!(with(HASHING) == passwords.is_weak(&verifier));
        });
    }
}
