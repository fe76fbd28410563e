//! Access reviews: what is to be confirmed by when, what was decided, and the evidence of it.
//!
//! `identity` calls this. Invariant: what was decided once stays decided, and the report of a closed review
//! is never written again; the audit log holds its hash.

use std::{fmt, str::FromStr};

use aws_lc_rs::digest;
use domain::{
    Action, Permit, Timestamp,
    id::{ApiKeyId, GroupId, ReviewId, UserId},
};
use serde::{Deserialize, Serialize};
use sqlx::{Row, any::AnyRow};

use crate::{
    Error, Store, Tx,
    roles::{Granted, any},
    row,
    store::number,
};

/// What may look at reviews.
const LOOKS: [Action; 3] = [Action::ReviewAccess, Action::ReadEvidence, Action::ReadInstance];

/// A review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// Its identifier.
    pub id: ReviewId,
    /// Who began it, as the audit log names actors.
    pub begun_by: String,
    /// When.
    pub begun: Timestamp,
    /// By when everything is to be decided.
    pub due: Timestamp,
    /// When it was closed.
    pub closed: Option<Timestamp>,
    /// The evidence, once it is closed: JSON without names.
    pub report: Option<String>,
}

/// What is confirmed or revoked: a role, a place in a group, or a key of an account with administrative rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// A grant of a role.
    Role(Granted),
    /// A place in a group.
    Group(GroupId),
    /// An API key.
    Key(ApiKeyId),
}

impl Subject {
    const fn kind(self) -> &'static str {
        match self {
            Self::Role(_) => "role",
            Self::Group(_) => "group",
            Self::Key(_) => "api_key",
        }
    }
}

/// `role/owner`, `group/…`, `api_key/…`, as reports and forms spell it.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(granted) => write!(f, "{}/{granted}", self.kind()),
            Self::Group(group) => write!(f, "{}/{group}", self.kind()),
            Self::Key(key) => write!(f, "{}/{key}", self.kind()),
        }
    }
}

impl FromStr for Subject {
    type Err = domain::id::NotAnId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('/') {
            Some(("role", role)) => role.parse().map(Self::Role),
            Some(("group", group)) => group.parse().map(Self::Group),
            Some(("api_key", key)) => key.parse().map(Self::Key),
            _ => Err(domain::id::NotAnId),
        }
    }
}

/// What became of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A reviewer said that it is still needed.
    Confirmed,
    /// A reviewer took it away.
    Revoked,
    /// Nobody confirmed it in time, so it ended.
    Lapsed,
    /// Nobody confirmed it, and it stays: an instance keeps its last owner.
    KeptLastOwner,
    /// Nobody confirmed it, and it stays: out of that group its person might do more.
    KeptLimits,
    /// It had ended before anybody decided.
    Gone,
}

impl Verdict {
    /// The verdict as tables and reports spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Revoked => "revoked",
            Self::Lapsed => "lapsed",
            Self::KeptLastOwner => "kept_last_owner",
            Self::KeptLimits => "kept_limits",
            Self::Gone => "gone",
        }
    }

    fn named(name: &str) -> Option<Self> {
        use Verdict::{Confirmed, Gone, KeptLastOwner, KeptLimits, Lapsed, Revoked};
        [Confirmed, Revoked, Lapsed, KeptLastOwner, KeptLimits, Gone]
            .into_iter()
            .find(|verdict| verdict.as_str() == name)
    }
}

/// One grant in a review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Whose it is.
    pub account: UserId,
    /// What it is.
    pub subject: Subject,
    /// When it was given.
    pub granted: Timestamp,
    /// When it was last used.
    pub last_used: Option<Timestamp>,
    /// Whether it was so little used that it is proposed for removal.
    pub unused: bool,
    /// What became of it; `None` while nobody has decided.
    pub decision: Option<Decision>,
}

/// Who decided what, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What became of it.
    pub verdict: Verdict,
    /// Who decided, as the audit log names actors.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// Begins a review of `items`. `false`: one is open.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to review access.
pub async fn begin(
    tx: &mut Tx,
    permit: &Permit,
    id: ReviewId,
    due: Timestamp,
    items: &[Item],
) -> Result<bool, Error> {
    permit.instance(Action::ReviewAccess)?;
    let now = tx.now();
    let open = sqlx::query("SELECT COUNT(*) FROM reviews WHERE closed IS NULL").fetch_one(tx.db()).await?;
    if number(&open)? > 0 {
        return Ok(false);
    }
    sqlx::query("INSERT INTO reviews (id, begun_by, begun, due) VALUES ($1, $2, $3, $4)")
        .bind(id.to_string())
        .bind(permit.actor().audit_name())
        .bind(now.0)
        .bind(due.0)
        .execute(tx.db())
        .await?;
    for item in items {
        sqlx::query(
            "INSERT INTO review_items (review, account, kind, what, granted, last_used, unused) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(id.to_string())
        .bind(item.account.to_string())
        .bind(item.subject.kind())
        .bind(item.subject.to_string())
        .bind(item.granted.0)
        .bind(item.last_used.map(|at| at.0))
        .bind(i64::from(item.unused))
        .execute(tx.db())
        .await?;
    }
    Ok(true)
}

/// The reviews, the newest first, at most `most`.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to review access, to read evidence or the instance.
pub async fn list(store: &Store, permit: &Permit, most: u32) -> Result<Vec<Review>, Error> {
    any(permit, &LOOKS)?;
    let found = sqlx::query(
        "SELECT id, begun_by, begun, due, closed, report FROM reviews ORDER BY begun DESC, id DESC LIMIT $1",
    )
    .bind(i64::from(most))
    .fetch_all(store.readers())
    .await?;
    found.iter().map(read).collect()
}

/// One review with what is in it.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn get(store: &Store, permit: &Permit, id: ReviewId) -> Result<(Review, Vec<Item>), Error> {
    any(permit, &LOOKS)?;
    let found = sqlx::query("SELECT id, begun_by, begun, due, closed, report FROM reviews WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(store.readers())
        .await?
        .ok_or(Error::NotFound)?;
    let items = sqlx::query(
        "SELECT account, what, granted, last_used, unused, verdict, decided_by, decided FROM review_items \
         WHERE review = $1 ORDER BY account, kind DESC, what",
    )
    .bind(id.to_string())
    .fetch_all(store.readers())
    .await?;
    Ok((read(&found)?, items.iter().map(item).collect::<Result<_, _>>()?))
}

/// Writes down what became of an item of a review that is open. `false`: it was decided before, or is not in it.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to review access.
pub async fn decide(
    tx: &mut Tx,
    permit: &Permit,
    id: ReviewId,
    (account, subject): (UserId, Subject),
    verdict: Verdict,
) -> Result<bool, Error> {
    permit.instance(Action::ReviewAccess)?;
    let now = tx.now();
    let done = sqlx::query(
        "UPDATE review_items SET verdict = $1, decided_by = $2, decided = $3 \
         WHERE review = $4 AND account = $5 AND kind = $6 AND what = $7 AND verdict IS NULL \
         AND EXISTS (SELECT 1 FROM reviews r WHERE r.id = $4 AND r.closed IS NULL)",
    )
    .bind(verdict.as_str())
    .bind(permit.actor().audit_name())
    .bind(now.0)
    .bind(id.to_string())
    .bind(account.to_string())
    .bind(subject.kind())
    .bind(subject.to_string())
    .execute(tx.db())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Closes a review for good. `false`: it was closed before.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to review access.
pub async fn close(tx: &mut Tx, permit: &Permit, id: ReviewId, report: &str) -> Result<bool, Error> {
    permit.instance(Action::ReviewAccess)?;
    let now = tx.now();
    let done = sqlx::query("UPDATE reviews SET closed = $1, report = $2 WHERE id = $3 AND closed IS NULL")
        .bind(now.0)
        .bind(report)
        .bind(id.to_string())
        .execute(tx.db())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// An API key as a reviewer sees it: never its label, which is its person's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its identifier.
    pub id: ApiKeyId,
    /// Whose it is.
    pub account: UserId,
    /// Its first characters.
    pub prefix: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last used.
    pub last_used: Option<Timestamp>,
}

/// Everybody's API keys.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to review access.
pub async fn keys(store: &Store, permit: &Permit) -> Result<Vec<Key>, Error> {
    permit.instance(Action::ReviewAccess)?;
    let found =
        sqlx::query("SELECT id, account, prefix, created, last_used FROM api_keys ORDER BY account, id");
    let read = |found: &AnyRow| {
        Ok(Key {
            id: row::id(found, "id")?,
            account: row::id(found, "account")?,
            prefix: found.try_get("prefix")?,
            created: row::time(found, "created")?,
            last_used: found.try_get::<Option<i64>, _>("last_used")?.map(Timestamp),
        })
    };
    found.fetch_all(store.readers()).await?.iter().map(read).collect()
}

/// Revokes an API key of anybody's. `false`: there was none.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to review access.
pub async fn revoke_key(tx: &mut Tx, permit: &Permit, account: UserId, key: ApiKeyId) -> Result<bool, Error> {
    permit.instance(Action::ReviewAccess)?;
    let done = sqlx::query("DELETE FROM api_keys WHERE id = $1 AND account = $2")
        .bind(key.to_string())
        .bind(account.to_string())
        .execute(tx.db())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// When this instance was made; the first review is due as long after it as any other.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to review access, to read evidence or the instance.
pub async fn beginning(store: &Store, permit: &Permit) -> Result<Timestamp, Error> {
    any(permit, &LOOKS)?;
    let found = sqlx::query("SELECT MIN(at) AS at FROM audit").fetch_one(store.readers()).await?;
    row::time(&found, "at")
}

/// The hashes under which the audit log holds the reports of closed reviews: the texts its entries name.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to review access, to read evidence or the instance.
pub async fn sealed_reports(store: &Store, permit: &Permit) -> Result<Vec<String>, Error> {
    any(permit, &LOOKS)?;
    let found = sqlx::query("SELECT target FROM audit WHERE act = $1 ORDER BY seq")
        .bind(domain::audit::Act::ReviewClosed.name())
        .fetch_all(store.readers())
        .await?;
    found.iter().map(|found| Ok(found.try_get("target")?)).collect()
}

/// SHA-256 of a report, in hexadecimal: what the audit log holds of it.
#[must_use]
pub fn hash_of(report: &str) -> String {
    hex::encode(digest::digest(&digest::SHA256, report.as_bytes()))
}

/// How the audit entry that closes a review names it and its report.
#[must_use]
pub fn sealed_as(id: ReviewId, report: &str) -> String {
    format!("{id}:{}", hash_of(report))
}

fn read(found: &AnyRow) -> Result<Review, Error> {
    Ok(Review {
        id: row::id(found, "id")?,
        begun_by: found.try_get("begun_by")?,
        begun: row::time(found, "begun")?,
        due: row::time(found, "due")?,
        closed: found.try_get::<Option<i64>, _>("closed")?.map(Timestamp),
        report: found.try_get("report")?,
    })
}

fn item(found: &AnyRow) -> Result<Item, Error> {
    let subject: String = found.try_get("what")?;
    let decision = match found.try_get::<Option<String>, _>("verdict")? {
        None => None,
        Some(verdict) => Some(Decision {
            verdict: Verdict::named(&verdict)
                .ok_or_else(|| Error::damaged("a review has a verdict of no kind"))?,
            by: found.try_get::<Option<String>, _>("decided_by")?.unwrap_or_default(),
            at: row::time(found, "decided")?,
        }),
    };
    Ok(Item {
        account: row::id(found, "account")?,
        subject: subject.parse().map_err(|_| Error::damaged("a review is about a grant of no kind"))?,
        granted: row::time(found, "granted")?,
        last_used: found.try_get::<Option<i64>, _>("last_used")?.map(Timestamp),
        unused: row::flag(found, "unused")?,
        decision,
    })
}
