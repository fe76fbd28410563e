//! The data keys: one per person, one per customer, one for the system; wrapped in the table, unwrapped in a
//! bounded cache.
//!
//! Invariant: when a subject's row here is gone, everything sealed for that subject is unreadable; a replica
//! that still holds the key in memory forgets it within [`LIFE`].

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use domain::{
    Entropy, Timestamp,
    id::{CustomerId, DekId, UserId},
};
use keys::{Dek, Keyring};
use sqlx::{AnyConnection, Row};

use crate::{Error, Store, Tx, row};

/// The subject of the key for instance settings.
pub(crate) const SYSTEM: &str = "system";
/// What the subjects of customers' keys begin with.
pub(crate) const CUSTOMER: &str = "customer:";
/// Unwrapped keys kept at once; the one unused longest goes first.
const KEPT: usize = 1024;
/// How long one is kept, however often it is used: another replica may have destroyed it.
const LIFE: Duration = Duration::from_secs(3 * 60);

/// Whom data is about, and whose key seals it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    /// A person with an account.
    Person(UserId),
    /// A customer of a voice desk.
    Customer(CustomerId),
}

impl fmt::Display for Subject {
    /// As the table of keys spells it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(user) => user.fmt(f),
            Self::Customer(customer) => write!(f, "{CUSTOMER}{customer}"),
        }
    }
}

impl From<UserId> for Subject {
    fn from(user: UserId) -> Self {
        Self::Person(user)
    }
}

impl From<CustomerId> for Subject {
    fn from(customer: CustomerId) -> Self {
        Self::Customer(customer)
    }
}

/// Unwrapped keys of subjects who were here lately.
#[derive(Default)]
pub(crate) struct Cache(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    keys: HashMap<Subject, Held>,
    uses: u64,
}

/// A key in memory.
struct Held {
    dek: Arc<Dek>,
    used: u64,
    since: Instant,
}

impl Cache {
    fn get(&self, subject: Subject, now: Instant) -> Option<Arc<Dek>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.uses += 1;
        let uses = kept.uses;
        let held = kept.keys.get_mut(&subject).filter(|held| held.lives(now))?;
        held.used = uses;
        Some(held.dek.clone())
    }

    /// Takes the keys out of memory whose time is over.
    pub(crate) fn forget_old(&self, now: Instant) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keys.retain(|_, held| held.lives(now));
    }

    /// Takes the key of `subject` out of memory.
    pub(crate) fn forget(&self, subject: Subject) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keys.remove(&subject);
    }

    /// Keeps the key of `subject`. One that is there already is not kept longer by that.
    pub(crate) fn put(&self, subject: Subject, dek: Arc<Dek>, now: Instant) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = kept.keys.get(&subject).filter(|held| held.lives(now)).map_or(now, |held| held.since);
        if kept.keys.len() >= KEPT
            && let Some(oldest) = kept.keys.iter().min_by_key(|(_, held)| held.used).map(|(id, _)| *id)
        {
            kept.keys.remove(&oldest);
        }
        kept.uses += 1;
        let used = kept.uses;
        kept.keys.insert(subject, Held { dek, used, since });
    }
}

impl Held {
    fn lives(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) < LIFE
    }
}

impl Store {
    /// The key of `subject`.
    pub(crate) async fn dek(&self, subject: impl Into<Subject>) -> Result<Arc<Dek>, Error> {
        let subject = subject.into();
        if let Some(dek) = self.cache().get(subject, Instant::now()) {
            return Ok(dek);
        }
        let mut connection = self.readers().acquire().await?;
        let dek = Arc::new(load(&mut connection, self.keyring(), &subject.to_string()).await?);
        self.cache().put(subject, dek.clone(), Instant::now());
        Ok(dek)
    }

    /// Takes the keys out of memory that were held for some minutes. Called every minute, so that the key of
    /// a person whom another replica deleted is nowhere soon after.
    pub fn forget_old_keys(&self) {
        self.cache().forget_old(Instant::now());
    }
}

impl Tx {
    /// The key of `subject`, also when this transaction made it.
    pub(crate) async fn dek(&mut self, subject: impl Into<Subject>) -> Result<Arc<Dek>, Error> {
        let subject = subject.into();
        if let Some(dek) = self
            .fresh_deks()
            .get(&subject)
            .cloned()
            .or_else(|| self.store().cache().get(subject, Instant::now()))
        {
            return Ok(dek);
        }
        let store = self.store().clone();
        let dek = Arc::new(load(self.db(), store.keyring(), &subject.to_string()).await?);
        self.fresh_deks().insert(subject, dek.clone());
        Ok(dek)
    }

    /// Makes the key of a new `subject`.
    pub(crate) async fn new_dek(&mut self, subject: impl Into<Subject>) -> Result<Arc<Dek>, Error> {
        let subject = subject.into();
        let (store, id, now, entropy) =
            (self.store().clone(), self.fresh_dek_id(), self.now(), self.entropy().clone());
        let dek = create(self.db(), store.keyring(), id, &subject.to_string(), now, &entropy).await?;
        let dek = Arc::new(dek);
        self.fresh_deks().insert(subject, dek.clone());
        Ok(dek)
    }
}

/// Destroys the key of `subject`, here at once and elsewhere within [`LIFE`].
pub(crate) async fn destroy(tx: &mut Tx, subject: impl Into<Subject>) -> Result<(), Error> {
    let subject = subject.into();
    tx.note_deletion();
    sqlx::query("DELETE FROM deks WHERE subject = $1").bind(subject.to_string()).execute(tx.db()).await?;
    tx.note_destroyed(subject);
    Ok(())
}

/// Reads and unwraps the key of `subject`.
pub(crate) async fn load(
    connection: &mut AnyConnection,
    keyring: &Keyring,
    subject: &str,
) -> Result<Dek, Error> {
    let found = sqlx::query("SELECT id, wrapped FROM deks WHERE subject = $1")
        .bind(subject)
        .fetch_optional(connection)
        .await?
        .ok_or(Error::NotFound)?;
    let wrapped: Vec<u8> = found.try_get("wrapped")?;
    Ok(keyring.unwrap_dek(row::id(&found, "id")?, subject, &wrapped)?)
}

/// Makes and keeps the key of `subject`.
pub(crate) async fn create(
    connection: &mut AnyConnection,
    keyring: &Keyring,
    id: DekId,
    subject: &str,
    now: Timestamp,
    entropy: &Entropy,
) -> Result<Dek, Error> {
    let (dek, wrapped) = keyring.new_dek(id, subject, entropy)?;
    sqlx::query("INSERT INTO deks (id, subject, wrapped, created) VALUES ($1, $2, $3, $4)")
        .bind(id.to_string())
        .bind(subject)
        .bind(wrapped)
        .bind(now.0)
        .execute(connection)
        .await?;
    Ok(dek)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_leaves_memory_after_its_time_however_often_it_is_used() {
        testkit::run(async {
            let home = testkit::store().await;
            let ctx = home.ctx(domain::Actor::Anonymous);
            let (ada, cache, begun) =
                (Subject::Person(UserId::fresh(&ctx)), Cache::default(), Instant::now());
            let made = home.keyring.new_dek(DekId::fresh(&ctx), "ada", ctx.entropy()).unwrap();
            let dek = Arc::new(made.0);
            let at = |seconds| begun + Duration::from_secs(seconds);
            cache.put(ada, dek.clone(), at(0));
            assert!(cache.get(ada, at(179)).is_some());
            cache.put(ada, dek.clone(), at(179));
            assert!(cache.get(ada, at(180)).is_none(), "to be asked for again, or found destroyed");
            let held = |cache: &Cache| cache.0.lock().unwrap().keys.len();
            assert_eq!(held(&cache), 1);
            cache.forget_old(at(180));
            assert_eq!(held(&cache), 0);
            cache.put(ada, dek, at(200));
            assert!(cache.get(ada, at(379)).is_some() && cache.get(ada, at(380)).is_none());
        });
    }
}
