//! The messages of conversations: sealed, indexed blindly, kept as a tree.
//!
//! `assistant` calls this. Invariant: a message, its index, the conversation's head and the audit entry
//! become durable in one commit, and go in one.

use std::collections::{HashMap, HashSet};

use domain::{
    Action, Permit, Timestamp,
    chat::{Author, MAX_MESSAGES, Message, Tree},
    enforced,
    id::{ConversationId, MessageId},
};
use keys::Dek;
use sqlx::{Row, any::AnyRow};

use crate::{Error, Store, Tx, cell::Cell, row, search};

const BODY: Cell = Cell::new("messages", "body");

/// Appends `message` to a conversation, indexes its words, and shows the branch that ends in it.
///
/// # Errors
/// [`Error::NotFound`] when the conversation or the message's parent is not there, or is another
/// person's; [`Error::Conflict`] when the identifier is taken; [`Error::TooMany`] when the conversation is full.
pub async fn append(
    tx: &mut Tx,
    permit: &Permit,
    conversation: ConversationId,
    message: &Message,
) -> Result<(), Error> {
    append_all(tx, permit, conversation, std::slice::from_ref(message)).await
}

/// Appends `messages` in their order, as [`append`] does with one, and counts those that are there once.
/// The parent of the first may be there already; those of the others are before them in `messages`.
///
/// # Errors
/// Those of [`append`].
pub async fn append_all(
    tx: &mut Tx,
    permit: &Permit,
    conversation: ConversationId,
    messages: &[Message],
) -> Result<(), Error> {
    let subject = permit.subject(Action::WriteChat)?;
    let (Some(first), Some(last)) = (messages.first(), messages.last()) else { return Ok(()) };
    let (dek, owner) = (tx.dek(subject).await?, subject.to_string());
    let mut number = room(tx, &owner, conversation, first.parent, messages.len()).await?;
    let mut there: HashSet<MessageId> = first.parent.into_iter().collect();
    for message in messages {
        if message.parent.is_some_and(|parent| !there.contains(&parent)) {
            return Err(Error::NotFound);
        }
        number += 1;
        let key = message.id.to_string();
        let body = BODY.seal_json(&dek, &key, &message.body, tx.entropy())?;
        sqlx::query(
            "INSERT INTO messages (id, conversation, owner, number, parent, author, body, at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(key)
        .bind(conversation.to_string())
        .bind(owner.as_str())
        .bind(number)
        .bind(message.parent.map(|parent| parent.to_string()))
        .bind(message.author.as_str())
        .bind(body)
        .bind(message.at.0)
        .execute(tx.db())
        .await?;
        search::pending::index(tx, &dek, &owner, number, &message.body.text).await?;
        there.insert(message.id);
    }
    sqlx::query("UPDATE conversations SET head = $1, updated = $2 WHERE id = $3")
        .bind(last.id.to_string())
        .bind(last.at.0)
        .bind(conversation.to_string())
        .execute(tx.db())
        .await?;
    Ok(())
}

/// Finds out whether `more` messages after `parent` have room in a conversation of `owner`; gives the
/// highest number of any message.
async fn room(
    tx: &mut Tx,
    owner: &str,
    conversation: ConversationId,
    parent: Option<MessageId>,
    more: usize,
) -> Result<i64, Error> {
    let parent = parent.map(|parent| parent.to_string());
    let state = sqlx::query(
        "SELECT (SELECT COUNT(*) FROM messages m WHERE m.conversation = c.id) AS size, \
         (SELECT COUNT(*) FROM messages m WHERE m.id = $3 AND m.conversation = c.id) AS parents, \
         (SELECT COALESCE(MAX(m.number), 0) FROM messages m) AS number \
         FROM conversations c WHERE c.id = $1 AND c.owner = $2",
    )
    .bind(conversation.to_string())
    .bind(owner)
    .bind(parent.clone())
    .fetch_optional(tx.db())
    .await?
    .ok_or(Error::NotFound)?;
    if parent.is_some() && state.try_get::<i64, _>("parents")? == 0 {
        return Err(Error::NotFound);
    }
    let size = usize::try_from(state.try_get::<i64, _>("size")?).unwrap_or(usize::MAX);
    if size.saturating_add(more) > MAX_MESSAGES {
        return Err(Error::TooMany { what: "messages", limit: MAX_MESSAGES });
    }
    Ok(state.try_get::<i64, _>("number")?)
}

/// All messages of a conversation.
///
/// # Errors
/// [`Error::NotFound`] when the conversation is not there, or is another person's.
pub async fn tree(store: &Store, permit: &Permit, conversation: ConversationId) -> Result<Tree, Error> {
    let subject = permit.subject(Action::ReadChat)?;
    // The outer join gives one row of nulls for an empty conversation and none for a missing one.
    let found = sqlx::query(
        "SELECT m.id, m.parent, m.author, m.body, m.at FROM conversations c \
         LEFT JOIN messages m ON m.conversation = c.id WHERE c.id = $1 AND c.owner = $2",
    )
    .bind(conversation.to_string())
    .bind(subject.to_string())
    .fetch_all(store.readers())
    .await?;
    let first = found.first().ok_or(Error::NotFound)?;
    if row::maybe_id::<MessageId>(first, "id")?.is_none() {
        return Ok(Tree::default());
    }
    let dek = store.dek(subject).await?;
    let messages: Result<_, _> = found.iter().map(|found| read(&dek, found)).collect();
    Ok(Tree::new(messages?))
}

/// One message.
///
/// # Errors
/// [`Error::NotFound`] when it is not in that conversation, or is another person's.
pub async fn get(
    store: &Store,
    permit: &Permit,
    conversation: ConversationId,
    id: MessageId,
) -> Result<Message, Error> {
    let subject = permit.subject(Action::ReadChat)?;
    let found = sqlx::query(
        "SELECT id, parent, author, body, at FROM messages WHERE id = $1 AND conversation = $2 AND owner = $3",
    )
    .bind(id.to_string())
    .bind(conversation.to_string())
    .bind(subject.to_string())
    .fetch_optional(store.readers())
    .await?
    .ok_or(Error::NotFound)?;
    read(&*store.dek(subject).await?, &found)
}

/// Deletes messages, everything below them, and their index; says how many went. When the branch that is
/// shown ended in one of them, it ends above them from now on.
///
/// # Errors
/// [`Error::NotFound`] when the conversation or one of the messages is not there, or is another person's.
pub async fn delete(
    tx: &mut Tx,
    permit: &Permit,
    conversation: ConversationId,
    ids: &[MessageId],
) -> Result<u64, Error> {
    let owner = permit.subject(Action::WriteChat)?.to_string();
    let (head, parents) = shape(tx, &owner, conversation).await?;
    if ids.iter().any(|id| !parents.contains_key(id)) {
        return Err(Error::NotFound);
    }
    let doomed = with_all_below(ids, &parents);
    let mut shown = head;
    while let Some(id) = shown.filter(|id| doomed.contains(id)) {
        shown = parents.get(&id).copied().flatten();
    }
    tx.note_deletion();
    enforced!(DAT02);
    for id in &doomed {
        sqlx::query("DELETE FROM messages WHERE id = $1 AND owner = $2")
            .bind(id.to_string())
            .bind(owner.as_str())
            .execute(tx.db())
            .await?;
    }
    sqlx::query("UPDATE conversations SET head = $1 WHERE id = $2")
        .bind(shown.map(|id| id.to_string()))
        .bind(conversation.to_string())
        .execute(tx.db())
        .await?;
    Ok(doomed.len() as u64)
}

type Parents = HashMap<MessageId, Option<MessageId>>;

/// The head of a conversation, and which message follows which.
async fn shape(
    tx: &mut Tx,
    owner: &str,
    conversation: ConversationId,
) -> Result<(Option<MessageId>, Parents), Error> {
    let found = sqlx::query("SELECT head FROM conversations WHERE id = $1 AND owner = $2")
        .bind(conversation.to_string())
        .bind(owner)
        .fetch_optional(tx.db())
        .await?
        .ok_or(Error::NotFound)?;
    let head = row::maybe_id(&found, "head")?;
    let parents: Result<Parents, Error> =
        sqlx::query("SELECT id, parent FROM messages WHERE conversation = $1")
            .bind(conversation.to_string())
            .fetch_all(tx.db())
            .await?
            .iter()
            .map(|found| Ok((row::id(found, "id")?, row::maybe_id(found, "parent")?)))
            .collect();
    Ok((head, parents?))
}

/// `ids` and every message below one of them.
fn with_all_below(ids: &[MessageId], parents: &Parents) -> HashSet<MessageId> {
    let mut children: HashMap<MessageId, Vec<MessageId>> = HashMap::new();
    for (id, parent) in parents {
        if let Some(parent) = parent {
            children.entry(*parent).or_default().push(*id);
        }
    }
    let mut doomed = HashSet::new();
    let mut next = ids.to_vec();
    while let Some(id) = next.pop() {
        if doomed.insert(id) {
            next.extend(children.get(&id).into_iter().flatten());
        }
    }
    doomed
}

/// A message from its row.
pub(crate) fn read(dek: &Dek, found: &AnyRow) -> Result<Message, Error> {
    let id: MessageId = row::id(found, "id")?;
    Ok(Message {
        id,
        parent: row::maybe_id(found, "parent")?,
        author: author(&found.try_get::<String, _>("author")?)?,
        body: BODY.open_json(dek, &id.to_string(), &row::bytes(found, "body")?)?,
        at: Timestamp(found.try_get("at")?),
    })
}

fn author(spelt: &str) -> Result<Author, Error> {
    [Author::User, Author::Assistant]
        .into_iter()
        .find(|author| author.as_str() == spelt)
        .ok_or_else(|| Error::damaged("a message has an unknown author"))
}
