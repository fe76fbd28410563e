//! The data keys: one per person, one for the system; wrapped in the table, unwrapped in a bounded cache.
//!
//! Invariant: when a person's row here is gone, everything sealed for that person is unreadable.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use domain::{
    Entropy, Timestamp,
    id::{DekId, UserId},
};
use keys::{Dek, Keyring};
use sqlx::{AnyConnection, Row};

use crate::{Error, Store, Tx, row};

/// The subject of the key for instance settings.
pub(crate) const SYSTEM: &str = "system";
/// Unwrapped keys kept at once; the one unused longest goes first.
const KEPT: usize = 1024;

/// Unwrapped keys of people who were here lately.
#[derive(Default)]
pub(crate) struct Cache(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    keys: HashMap<UserId, (Arc<Dek>, u64)>,
    uses: u64,
}

impl Cache {
    fn get(&self, subject: UserId) -> Option<Arc<Dek>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.uses += 1;
        let now = kept.uses;
        kept.keys.get_mut(&subject).map(|(dek, used)| {
            *used = now;
            dek.clone()
        })
    }

    /// Takes the key of `subject` out of memory.
    pub(crate) fn forget(&self, subject: UserId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keys.remove(&subject);
    }

    pub(crate) fn put(&self, subject: UserId, dek: Arc<Dek>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.keys.len() >= KEPT
            && let Some(oldest) = kept.keys.iter().min_by_key(|(_, (_, used))| *used).map(|(id, _)| *id)
        {
            kept.keys.remove(&oldest);
        }
        kept.uses += 1;
        let now = kept.uses;
        kept.keys.insert(subject, (dek, now));
    }
}

impl Store {
    /// The key of `subject`.
    pub(crate) async fn dek(&self, subject: UserId) -> Result<Arc<Dek>, Error> {
        if let Some(dek) = self.cache().get(subject) {
            return Ok(dek);
        }
        let mut connection = self.readers().acquire().await?;
        let dek = Arc::new(load(&mut connection, self.keyring(), &subject.to_string()).await?);
        self.cache().put(subject, dek.clone());
        Ok(dek)
    }
}

impl Tx {
    /// The key of `subject`, also when this transaction made it.
    pub(crate) async fn dek(&mut self, subject: UserId) -> Result<Arc<Dek>, Error> {
        if let Some(dek) =
            self.fresh_deks().get(&subject).cloned().or_else(|| self.store().cache().get(subject))
        {
            return Ok(dek);
        }
        let store = self.store().clone();
        let dek = Arc::new(load(self.db(), store.keyring(), &subject.to_string()).await?);
        self.fresh_deks().insert(subject, dek.clone());
        Ok(dek)
    }

    /// Makes the key of a new `subject`.
    pub(crate) async fn new_dek(&mut self, subject: UserId) -> Result<Arc<Dek>, Error> {
        let (store, id, now, entropy) =
            (self.store().clone(), self.fresh_dek_id(), self.now(), self.entropy().clone());
        let dek = create(self.db(), store.keyring(), id, &subject.to_string(), now, &entropy).await?;
        let dek = Arc::new(dek);
        self.fresh_deks().insert(subject, dek.clone());
        Ok(dek)
    }
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
