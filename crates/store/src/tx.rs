//! A write, and its one way out.
//!
//! Every function that changes something takes `&mut Tx`. Invariant: what a transaction changed and its
//! audit entry become durable in one commit, or neither does.

use std::{collections::HashMap, sync::Arc, time::Instant};

use domain::{Ctx, Entropy, Timestamp, audit::Entry, enforced, id::DekId};
use keys::Dek;
use sqlx::{Any, AnyConnection, Transaction};

use crate::{
    Error, Store,
    audit::{self, Stamp},
    deks::Subject,
};

/// A running write transaction. Dropped without [`Tx::commit`], it never happened.
pub struct Tx {
    store: Store,
    db: Transaction<'static, Any>,
    ctx: Ctx,
    /// Keys loaded or made here; others see them when this is committed.
    deks: HashMap<Subject, Arc<Dek>>,
    /// Whose key this destroys; it is forgotten when this is committed.
    destroyed: Vec<Subject>,
    deleted: bool,
    indexed: bool,
}

impl Tx {
    pub(crate) fn new(store: Store, db: Transaction<'static, Any>, ctx: &Ctx) -> Self {
        Self {
            store,
            db,
            ctx: ctx.clone(),
            deks: HashMap::new(),
            destroyed: Vec::new(),
            deleted: false,
            indexed: false,
        }
    }

    /// Makes everything durable together with `entry`. When this returns, a crash loses none of it.
    ///
    /// # Errors
    /// [`Error::Full`], [`Error::Unavailable`] and others, [`Error::Damaged`] when the end of the audit log
    /// is not what this program wrote; then nothing of the transaction remains.
    pub async fn commit(mut self, entry: Entry) -> Result<(), Error> {
        enforced!(AUD01);
        audit::append(&mut self.db, self.store.keyring(), &Stamp::of(&self.ctx), &entry)
            .await
            .map_err(|error| error.at(self.store.place()))?;
        let store = entry.act.may_end_access().then(|| self.store.clone());
        self.finish().await?;
        if let Some(store) = store {
            store.note_ending();
        }
        Ok(())
    }

    /// Makes everything durable without an audit entry, for what is no act of anybody ("last seen").
    /// `reason` stands in the code for its readers.
    ///
    /// # Errors
    /// As [`Tx::commit`].
    pub async fn commit_unaudited(self, reason: &'static str) -> Result<(), Error> {
        tracing::trace!(reason, "a write without an audit entry");
        self.finish().await
    }

    async fn finish(self) -> Result<(), Error> {
        let Self { store, db, deks, destroyed, deleted, indexed, .. } = self;
        db.commit().await?;
        enforced!(STO03);
        store.note_commit();
        for (subject, dek) in deks {
            store.cache().put(subject, dek, Instant::now());
        }
        for subject in destroyed {
            store.cache().forget(subject);
        }
        if indexed {
            store.note_written();
        }
        if deleted {
            store.forget_deleted().await;
        }
        Ok(())
    }

    /// Notes that rows were deleted, so that the commit also takes them out of the write-ahead log.
    pub(crate) fn note_deletion(&mut self) {
        self.deleted = true;
    }

    /// Notes that the key of `subject` was destroyed, so that the commit also takes it out of memory.
    pub(crate) fn note_destroyed(&mut self, subject: Subject) {
        self.destroyed.push(subject);
    }

    /// Notes that words were indexed, so that the commit wakes the task which sorts them in.
    pub(crate) fn note_indexing(&mut self) {
        self.indexed = true;
    }

    pub(crate) fn db(&mut self) -> &mut AnyConnection {
        &mut self.db
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn entropy(&self) -> &Entropy {
        self.ctx.entropy()
    }

    /// Who acts, as the audit log names actors.
    pub(crate) fn actor_name(&self) -> String {
        self.ctx.actor.audit_name()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.ctx.now()
    }

    pub(crate) fn fresh_dek_id(&self) -> DekId {
        DekId::fresh(&self.ctx)
    }

    /// A fresh identifier of any kind.
    pub(crate) fn fresh<T>(&self, make: impl FnOnce(&Ctx) -> T) -> T {
        make(&self.ctx)
    }

    pub(crate) fn fresh_deks(&mut self) -> &mut HashMap<Subject, Arc<Dek>> {
        &mut self.deks
    }
}

impl std::fmt::Debug for Tx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tx")
    }
}
