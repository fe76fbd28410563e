//! Requests of staff to read a person's chats: who asked and why, who decided, until when, what was opened.
//!
//! `identity` calls this. Invariants: the words are sealed under the key of the person they are about, who
//! may always read them; a request is decided once; what is opened is written down before it is shown.

use domain::{
    Action, Permit, Timestamp,
    id::{ContentRequestId, ConversationId, UserId},
};
use serde::{Deserialize, Serialize};
use sqlx::{Row, any::AnyRow};

use crate::{Error, Store, Tx, cell::Cell, roles::any, row};

const WORDS: Cell = Cell::new("content_requests", "words");
/// What may look at requests about others.
const LOOKS: [Action; 3] = [Action::RequestContent, Action::ApproveContent, Action::ReadEvidence];
const FIELDS: &str =
    "SELECT id, subject, requester, decider, words, state, asked, decided, ends FROM content_requests";

/// What was written by hand, and the names as they were then.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// Why it is needed.
    pub reason: String,
    /// What the person who asked is called.
    pub requester: String,
    /// What the person who decided is called.
    pub decider: String,
}

/// How far a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Somebody else must decide.
    Asked,
    /// Somebody agreed.
    Agreed,
    /// Somebody refused, or it was called off.
    Refused,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Agreed => "agreed",
            Self::Refused => "refused",
        }
    }
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentRequest {
    /// Its identifier.
    pub id: ContentRequestId,
    /// Whose chats.
    pub subject: UserId,
    /// Who asked.
    pub requester: UserId,
    /// Who decided.
    pub decider: Option<UserId>,
    /// The words.
    pub words: Words,
    /// How far it is.
    pub state: State,
    /// When it was asked.
    pub asked: Timestamp,
    /// When it was decided.
    pub decided: Option<Timestamp>,
    /// Until when it allows reading, once agreed.
    pub ends: Option<Timestamp>,
}

/// Something that was opened under a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// When.
    pub at: Timestamp,
    /// The conversation; `None` for the list of them.
    pub conversation: Option<ConversationId>,
}

/// Keeps a new request about `subject`.
///
/// # Errors
/// [`Error::NotFound`] when there is no such account.
pub async fn create(
    tx: &mut Tx,
    permit: &Permit,
    id: ContentRequestId,
    subject: UserId,
    words: &Words,
) -> Result<(), Error> {
    permit.instance(Action::RequestContent)?;
    let (dek, key, now) = (tx.dek(subject).await?, id.to_string(), tx.now());
    let requester = permit.actor().user().ok_or(domain::Denied::FLAT)?;
    let words = WORDS.seal_json(&dek, &key, words, tx.entropy())?;
    sqlx::query(
        "INSERT INTO content_requests (id, subject, requester, words, state, asked) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(key)
    .bind(subject.to_string())
    .bind(requester.to_string())
    .bind(words)
    .bind(State::Asked.as_str())
    .bind(now.0)
    .execute(tx.db())
    .await?;
    Ok(())
}

/// Agrees to a request until `ends`, or refuses it. `false`: it was decided before.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to approve or to request content.
pub async fn decide(
    tx: &mut Tx,
    permit: &Permit,
    request: &ContentRequest,
    decider: &str,
    ends: Option<Timestamp>,
) -> Result<bool, Error> {
    let may = [Action::ApproveContent, Action::RequestContent];
    any(permit, if ends.is_some() { &may[..1] } else { &may })?;
    let (dek, key, now) = (tx.dek(request.subject).await?, request.id.to_string(), tx.now());
    let words = Words { decider: decider.to_owned(), ..request.words.clone() };
    let words = WORDS.seal_json(&dek, &key, &words, tx.entropy())?;
    let by = permit.actor().user().ok_or(domain::Denied::FLAT)?;
    let state = if ends.is_some() { State::Agreed } else { State::Refused };
    let done = sqlx::query(
        "UPDATE content_requests SET state = $1, decider = $2, decided = $3, ends = $4, words = $5 \
         WHERE id = $6 AND state = 'asked'",
    )
    .bind(state.as_str())
    .bind(by.to_string())
    .bind(now.0)
    .bind(ends.map(|ends| ends.0))
    .bind(words)
    .bind(key)
    .execute(tx.db())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends the reading of an agreed request now. `false`: it was over already.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to approve or to request content.
pub async fn end(tx: &mut Tx, permit: &Permit, id: ContentRequestId) -> Result<bool, Error> {
    any(permit, &LOOKS[..2])?;
    let now = tx.now();
    let done =
        sqlx::query("UPDATE content_requests SET ends = $1 WHERE id = $2 AND state = 'agreed' AND ends > $1")
            .bind(now.0)
            .bind(id.to_string())
            .execute(tx.db())
            .await?;
    Ok(done.rows_affected() == 1)
}

/// One request. The permit is to request or approve content, or to read evidence.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn get(store: &Store, permit: &Permit, id: ContentRequestId) -> Result<ContentRequest, Error> {
    any(permit, &LOOKS)?;
    let found = sqlx::query(sqlx::AssertSqlSafe(format!("{FIELDS} WHERE id = $1")))
        .bind(id.to_string())
        .fetch_optional(store.readers())
        .await?
        .ok_or(Error::NotFound)?;
    read(store, &found).await
}

/// The requests about everybody, the newest first, at most `most`.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to request or approve content, or to read evidence.
pub async fn list(store: &Store, permit: &Permit, most: u32) -> Result<Vec<ContentRequest>, Error> {
    any(permit, &LOOKS)?;
    let found = sqlx::query(sqlx::AssertSqlSafe(format!("{FIELDS} ORDER BY asked DESC, id DESC LIMIT $1")))
        .bind(i64::from(most))
        .fetch_all(store.readers())
        .await?;
    all(store, &found).await
}

/// The requests about the permit's person, the newest first.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to read the account.
pub async fn about(store: &Store, permit: &Permit) -> Result<Vec<ContentRequest>, Error> {
    let subject = permit.subject(Action::ReadAccount)?;
    let found =
        sqlx::query(sqlx::AssertSqlSafe(format!("{FIELDS} WHERE subject = $1 ORDER BY asked DESC, id DESC")))
            .bind(subject.to_string())
            .fetch_all(store.readers())
            .await?;
    all(store, &found).await
}

/// Writes down that something is about to be shown. The permit is that of the broken glass.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to read chats of the request's person.
pub async fn note_read(
    tx: &mut Tx,
    permit: &Permit,
    request: ContentRequestId,
    conversation: Option<ConversationId>,
) -> Result<(), Error> {
    let subject = permit.subject(Action::ReadChat)?;
    let now = tx.now();
    let done = sqlx::query(
        "INSERT INTO content_reads (request, at, conversation) SELECT r.id, $1, $2 FROM content_requests r \
         WHERE r.id = $3 AND r.subject = $4 AND r.state = 'agreed' AND r.ends > $1",
    )
    .bind(now.0)
    .bind(conversation.map(|id| id.to_string()).unwrap_or_default())
    .bind(request.to_string())
    .bind(subject.to_string())
    .execute(tx.db())
    .await?;
    row::exactly_one(&done)
}

/// What was opened under a request, the first first. The permit is to look at requests, or that of the
/// person it is about to read the account.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn reads(store: &Store, permit: &Permit, id: ContentRequestId) -> Result<Vec<Opened>, Error> {
    let subject = permit.subject(Action::ReadAccount).map(|subject| subject.to_string()).ok();
    if subject.is_none() {
        any(permit, &LOOKS)?;
    }
    let found = sqlx::query(
        "SELECT o.at, o.conversation FROM content_reads o JOIN content_requests r ON r.id = o.request \
         WHERE o.request = $1 AND ($2 = '' OR r.subject = $2) ORDER BY o.at",
    )
    .bind(id.to_string())
    .bind(subject.unwrap_or_default())
    .fetch_all(store.readers())
    .await?;
    let read = |found: &AnyRow| {
        let conversation: String = found.try_get("conversation")?;
        Ok(Opened { at: row::time(found, "at")?, conversation: conversation.parse().ok() })
    };
    found.iter().map(read).collect()
}

async fn all(store: &Store, found: &[AnyRow]) -> Result<Vec<ContentRequest>, Error> {
    let mut requests = Vec::with_capacity(found.len());
    for found in found {
        requests.push(read(store, found).await?);
    }
    Ok(requests)
}

async fn read(store: &Store, found: &AnyRow) -> Result<ContentRequest, Error> {
    let (id, subject): (ContentRequestId, UserId) = (row::id(found, "id")?, row::id(found, "subject")?);
    let dek = store.dek(subject).await?;
    let state = match found.try_get::<String, _>("state")?.as_str() {
        "asked" => State::Asked,
        "agreed" => State::Agreed,
        "refused" => State::Refused,
        _ => return Err(Error::damaged("a request to read content has a state of no kind")),
    };
    Ok(ContentRequest {
        id,
        subject,
        requester: row::id(found, "requester")?,
        decider: row::maybe_id(found, "decider")?,
        words: WORDS.open_json(&dek, &id.to_string(), &row::bytes(found, "words")?)?,
        state,
        asked: row::time(found, "asked")?,
        decided: found.try_get::<Option<i64>, _>("decided")?.map(Timestamp),
        ends: found.try_get::<Option<i64>, _>("ends")?.map(Timestamp),
    })
}
