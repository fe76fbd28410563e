//! The audit log: append-only, chained by SHA-256, its end under a keyed hash.
//!
//! `Tx::commit` appends; `assure` and `server` read and verify. Invariants: entries are content-free;
//! `hash` covers the whole entry and the hash before it, so a change anywhere shows at its place; the
//! head's keyed hash shows a log that was cut short or computed anew without the keyring. Nothing is
//! appended to such a log, or its next entry would put a good keyed hash over it.

use aws_lc_rs::{constant_time, digest};
use domain::{Action, Ctx, Permit, Timestamp, audit::Entry, enforced};
use keys::Keyring;
use sqlx::{AnyConnection, Row, any::AnyRow};

use crate::{Error, Store, row};

/// What stands before the first entry's hash.
const GENESIS: &[u8] = b"troth/audit/v1: in the beginning";
/// Entries read at once while verifying.
const BATCH: i64 = 1000;

/// One entry as it stands in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its place, counted from 1 without gaps.
    pub seq: i64,
    /// When it was written.
    pub at: Timestamp,
    /// Who acted, as [`domain::Actor::audit_name`] says it.
    pub actor: String,
    /// What was done, as [`domain::audit::Act::name`] says it.
    pub act: String,
    /// To which record; may be empty.
    pub target: String,
    /// How many records.
    pub count: i64,
    /// The request it belongs to.
    pub request: String,
    /// The hash of the entry before.
    pub prev: Vec<u8>,
    /// SHA-256 over this entry, `prev` included.
    pub hash: Vec<u8>,
}

impl Record {
    /// The hash this entry should have: SHA-256 over its fields, each with its length before it.
    #[must_use]
    pub fn expected_hash(&self) -> [u8; 32] {
        let mut context = digest::Context::new(&digest::SHA256);
        for field in [
            GENESIS,
            &self.seq.to_be_bytes(),
            &self.at.0.to_be_bytes(),
            self.actor.as_bytes(),
            self.act.as_bytes(),
            self.target.as_bytes(),
            &self.count.to_be_bytes(),
            self.request.as_bytes(),
            &self.prev,
        ] {
            context.update(&(field.len() as u64).to_be_bytes());
            context.update(field);
        }
        let mut hash = [0; 32];
        hash.copy_from_slice(context.finish().as_ref());
        hash
    }

    fn read(found: &AnyRow) -> Result<Self, Error> {
        Ok(Self {
            seq: found.try_get("seq")?,
            at: row::time(found, "at")?,
            actor: found.try_get("actor")?,
            act: found.try_get("act")?,
            target: found.try_get("target")?,
            count: found.try_get("count")?,
            request: found.try_get("request")?,
            prev: row::bytes(found, "prev")?,
            hash: row::bytes(found, "hash")?,
        })
    }
}

/// What verifying the chain found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainReport {
    /// Entries that are as they were written, from the first on.
    pub entries: u64,
    /// The hash of the last good entry.
    pub head: [u8; 32],
    /// The first entry that is not as it was written, if any.
    pub broken: Option<Broken>,
}

/// Where the chain breaks, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The entry's place.
    pub seq: i64,
    /// What is wrong, in a few words.
    pub why: &'static str,
}

/// The circumstances of an entry.
pub(crate) struct Stamp {
    at: Timestamp,
    actor: String,
    request: String,
}

impl Stamp {
    pub(crate) fn of(ctx: &Ctx) -> Self {
        Self { at: ctx.now(), actor: ctx.actor.audit_name(), request: ctx.request.to_string() }
    }
}

/// The end of the log.
struct Head {
    seq: i64,
    hash: Vec<u8>,
    mac: Vec<u8>,
}

impl Head {
    fn mac(keyring: &Keyring, seq: i64, hash: &[u8]) -> [u8; 32] {
        keyring.mac("audit-head", &[seq.to_be_bytes().as_slice(), hash].concat())
    }

    /// Whether it was written with this keyring.
    fn is_ours(&self, keyring: &Keyring) -> bool {
        constant_time::verify_slices_are_equal(&Self::mac(keyring, self.seq, &self.hash), &self.mac).is_ok()
    }
}

/// The head and the entry with the highest place, as one moment saw them: every write of everybody waits
/// for this one question.
const READ_END: &str = "SELECT h.seq, h.hash, h.mac, a.seq AS last_seq, a.hash AS last_hash FROM audit_head h \
                        LEFT JOIN audit a ON a.seq = (SELECT MAX(seq) FROM audit) WHERE h.one = 1";

fn read_head(found: &AnyRow) -> Result<Head, Error> {
    Ok(Head { seq: found.try_get("seq")?, hash: row::bytes(found, "hash")?, mac: row::bytes(found, "mac")? })
}

/// Writes the first entry of a new store. The caller's transaction makes it durable.
pub(crate) async fn begin(
    connection: &mut AnyConnection,
    keyring: &Keyring,
    stamp: &Stamp,
    entry: &Entry,
) -> Result<(), Error> {
    write(connection, keyring, stamp, entry, (0, genesis().to_vec())).await
}

/// Appends `entry` to a log whose end is as it was written. The caller's transaction makes it durable.
pub(crate) async fn append(
    connection: &mut AnyConnection,
    keyring: &Keyring,
    stamp: &Stamp,
    entry: &Entry,
) -> Result<(), Error> {
    let head = trusted_head(connection, keyring).await?;
    write(connection, keyring, stamp, entry, (head.seq, head.hash)).await
}

/// The end of the log, when it stands under this keyring's hash and is the last entry.
async fn trusted_head(connection: &mut AnyConnection, keyring: &Keyring) -> Result<Head, Error> {
    enforced!(AUD02);
    let found = sqlx::query(READ_END)
        .fetch_optional(connection)
        .await?
        .ok_or_else(|| Error::damaged("the head of its audit log is gone"))?;
    let head = read_head(&found)?;
    if !head.is_ours(keyring) {
        return Err(Error::damaged("its audit log was written without this keyring"));
    }
    let Some(last) = found.try_get::<Option<i64>, _>("last_seq")? else {
        return Err(Error::damaged("its audit log is empty"));
    };
    if last != head.seq || row::bytes(&found, "last_hash")? != head.hash {
        return Err(Error::damaged("the end of its audit log is not the entry that was written last"));
    }
    Ok(head)
}

/// Writes `entry` after the one with place `last` and hash `prev`, and moves the head to it.
async fn write(
    connection: &mut AnyConnection,
    keyring: &Keyring,
    stamp: &Stamp,
    entry: &Entry,
    (last, prev): (i64, Vec<u8>),
) -> Result<(), Error> {
    let mut record = Record {
        seq: last + 1,
        at: stamp.at,
        actor: stamp.actor.clone(),
        act: entry.act.name(),
        target: entry.target.clone(),
        count: i64::from(entry.count),
        request: stamp.request.clone(),
        prev,
        hash: Vec::new(),
    };
    let hash = record.expected_hash();
    record.hash = hash.to_vec();
    let mac = Head::mac(keyring, record.seq, &hash);
    sqlx::query(
        "INSERT INTO audit (seq, at, actor, act, target, count, request, prev, hash) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(record.seq)
    .bind(record.at.0)
    .bind(record.actor)
    .bind(record.act)
    .bind(record.target)
    .bind(record.count)
    .bind(record.request)
    .bind(record.prev)
    .bind(record.hash)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO audit_head (one, seq, hash, mac) VALUES (1, $1, $2, $3) \
         ON CONFLICT (one) DO UPDATE SET seq = excluded.seq, hash = excluded.hash, mac = excluded.mac",
    )
    .bind(record.seq)
    .bind(hash.to_vec())
    .bind(mac.to_vec())
    .execute(&mut *connection)
    .await?;
    Ok(())
}

/// Up to `limit` entries after place `after`, oldest first.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to read the instance.
pub async fn list(store: &Store, permit: &Permit, after: i64, limit: u32) -> Result<Vec<Record>, Error> {
    permit.instance(Action::ReadInstance)?;
    read(store, after, i64::from(limit)).await
}

async fn read(store: &Store, after: i64, limit: i64) -> Result<Vec<Record>, Error> {
    sqlx::query(
        "SELECT seq, at, actor, act, target, count, request, prev, hash FROM audit \
         WHERE seq > $1 ORDER BY seq LIMIT $2",
    )
    .bind(after)
    .bind(limit)
    .fetch_all(store.readers())
    .await?
    .iter()
    .map(Record::read)
    .collect()
}

/// Recomputes the chain up to the head that stood when this began.
pub(crate) async fn verify(store: &Store) -> Result<ChainReport, Error> {
    enforced!(AUD02);
    let found = sqlx::query(READ_END).fetch_optional(store.readers()).await?;
    let mut report = ChainReport { entries: 0, head: genesis(), broken: None };
    let Some(found) = found else {
        report.broken = Some(Broken { seq: 1, why: "the head of the log is gone" });
        return Ok(report);
    };
    let (head, end) = (read_head(&found)?, found.try_get::<Option<i64>, _>("last_seq")?);
    let mut last = 0;
    while last < head.seq {
        let batch = read(store, last, BATCH.min(head.seq - last)).await?;
        if batch.is_empty() {
            report.broken = Some(Broken { seq: last + 1, why: "the end of the log is missing" });
            return Ok(report);
        }
        for record in &batch {
            if let Some(why) = fault(record, last, &report.head) {
                report.broken = Some(Broken { seq: last + 1, why });
                return Ok(report);
            }
            report.head.copy_from_slice(&record.hash);
            report.entries += 1;
            last = record.seq;
        }
    }
    if report.head.as_slice() != head.hash || !head.is_ours(store.keyring()) {
        report.broken = Some(Broken { seq: head.seq, why: "the log was written without this keyring" });
    } else if end.is_some_and(|end| end > head.seq) {
        report.broken = Some(Broken { seq: head.seq + 1, why: "an entry stands after the end of the log" });
    }
    Ok(report)
}

/// What is wrong with `record`, which should follow entry `last` with hash `prev`.
fn fault(record: &Record, last: i64, prev: &[u8]) -> Option<&'static str> {
    if record.seq != last + 1 {
        Some("an entry is missing")
    } else if record.prev != prev {
        Some("it does not follow the entry before it")
    } else if record.hash != record.expected_hash() {
        Some("it was changed")
    } else {
        None
    }
}

/// The hash that stands before the first entry.
fn genesis() -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, GENESIS).as_ref());
    hash
}
