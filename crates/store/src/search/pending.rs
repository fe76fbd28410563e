//! How the blind index is filled: at once, but sorted later.
//!
//! A message of forty words has some 150 terms, and in a grown table each lies on a page of its own: writing
//! them all would cost many times what the message costs. So the commit of a message writes its terms as one
//! packed row, which search reads as well, and a task of the store sorts them in when nobody writes.
//! Invariants: a committed message is found at once; messages are sorted in oldest first, so what is pending
//! is newer than what is sorted; a message's row here goes in the commit that sorts in its last term.

use std::{sync::Weak, time::Duration};

use domain::{Actor, Ctx, Job, enforced, text};
use keys::Dek;
use sqlx::{AssertSqlSafe, Row, any::AnyRow};
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{Error, Store, Tx, row, store::Inner};

/// Terms sorted in by one transaction; other writers wait for it a few milliseconds at most.
const STEP: usize = 200;
/// The task waits until nobody has written for this long …
const QUIET: Duration = Duration::from_secs(1);
/// … but not longer than this.
const PATIENCE: Duration = Duration::from_secs(10);

/// The packed terms of one message.
pub(super) struct Pending {
    pub(super) message: i64,
    terms: Vec<i64>,
}

impl Pending {
    fn read(found: &AnyRow) -> Result<Self, Error> {
        let packed = row::bytes(found, "terms")?;
        let terms = packed.as_chunks().0.iter().map(|term| i64::from_be_bytes(*term)).collect();
        Ok(Self { message: found.try_get("message")?, terms })
    }

    /// Whether the message has all of `terms`.
    pub(super) fn holds(&self, terms: &[i64]) -> bool {
        terms.iter().all(|term| self.terms.binary_search(term).is_ok())
    }
}

/// Indexes the words of message `number` of `owner`.
pub(crate) async fn index(tx: &mut Tx, dek: &Dek, owner: &str, number: i64, body: &str) -> Result<(), Error> {
    let key = dek.index_key();
    enforced!(CRY06);
    let mut terms: Vec<i64> = text::index_terms(body).iter().map(|term| key.term(term)).collect();
    // In order of the sorted table's key, so that neighbouring rows land on the same page later.
    terms.sort_unstable();
    terms.dedup();
    if terms.is_empty() {
        return Ok(());
    }
    let packed: Vec<u8> = terms.iter().flat_map(|term| term.to_be_bytes()).collect();
    sqlx::query("INSERT INTO search_pending (message, owner, terms, moved) VALUES ($1, $2, $3, 0)")
        .bind(number)
        .bind(owner)
        .bind(packed)
        .execute(tx.db())
        .await?;
    tx.note_indexing();
    Ok(())
}

/// The messages of `owner` that are not sorted in yet, newest first.
pub(super) async fn of(store: &Store, owner: &str) -> Result<Vec<Pending>, Error> {
    sqlx::query("SELECT message, terms FROM search_pending WHERE owner = $1 ORDER BY message DESC")
        .bind(owner)
        .fetch_all(store.readers())
        .await?
        .iter()
        .map(Pending::read)
        .collect()
}

/// Sorts in what is pending, in short transactions; says how many terms.
pub(crate) async fn settle(store: &Store, ctx: &Ctx) -> Result<u64, Error> {
    let mut settled = 0;
    loop {
        let mut tx = store.begin(ctx).await?;
        let moved = step(&mut tx).await?;
        if moved == 0 {
            return Ok(settled);
        }
        tx.commit_unaudited("moves terms of the blind index from one table to another").await?;
        settled += moved as u64;
    }
}

/// Sorts in some terms of the oldest pending message; 0 when there is none.
async fn step(tx: &mut Tx) -> Result<usize, Error> {
    let oldest = sqlx::query("SELECT message, terms, moved FROM search_pending ORDER BY message LIMIT 1")
        .fetch_optional(tx.db())
        .await?;
    let Some(oldest) = oldest else { return Ok(0) };
    let pending = Pending::read(&oldest)?;
    let moved = usize::try_from(oldest.try_get::<i64, _>("moved")?).unwrap_or(0).min(pending.terms.len());
    let now = &pending.terms[moved..pending.terms.len().min(moved + STEP)];
    if !now.is_empty() {
        let mut insert = sqlx::query(insert_sql(now.len())).bind(pending.message);
        for term in now {
            insert = insert.bind(*term);
        }
        insert.execute(tx.db()).await?;
    }
    if moved + now.len() == pending.terms.len() {
        sqlx::query("DELETE FROM search_pending WHERE message = $1")
            .bind(pending.message)
            .execute(tx.db())
            .await?;
    } else {
        sqlx::query("UPDATE search_pending SET moved = $1 WHERE message = $2")
            .bind(i64::try_from(moved + now.len()).unwrap_or(i64::MAX))
            .bind(pending.message)
            .execute(tx.db())
            .await?;
    }
    Ok(now.len().max(1))
}

/// One statement for `rows` terms: `$1` is the message, the others are terms.
fn insert_sql(rows: usize) -> AssertSqlSafe<String> {
    let places: Vec<String> = (0..rows).map(|row| format!("($1, ${})", row + 2)).collect();
    AssertSqlSafe(format!("INSERT INTO search_terms (message, term) VALUES {}", places.join(", ")))
}

/// The store's task: sorts in what is pending when writing pauses, and cuts the log when a deletion could not,
/// until `stop`. It does not keep the store open.
pub(crate) async fn keep_settled(store: Weak<Inner>, ctx: Ctx, stop: CancellationToken) {
    let ctx = ctx.acting_as(Actor::System(Job::Upkeep));
    let Some(written) = store.upgrade().map(|store| store.written.clone()) else { return };
    loop {
        let work = async {
            written.notified().await;
            wait_for_quiet(&written).await;
            let Some(store) = store.upgrade().map(Store::from_inner) else { return };
            if let Err(error) = settle(&store, &ctx).await {
                // Nothing is lost: it stays pending, and is found there.
                tracing::warn!(%error, "the search index could not be sorted; it will be tried again");
            }
            store.forget_now().await;
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = work => {}
        }
        if store.strong_count() == 0 {
            return;
        }
    }
}

/// Waits until no commit has added to the index for a while, but not for ever.
async fn wait_for_quiet(written: &Notify) {
    let begun = Instant::now();
    while tokio::time::timeout(QUIET, written.notified()).await.is_ok() && begun.elapsed() < PATIENCE {}
}
