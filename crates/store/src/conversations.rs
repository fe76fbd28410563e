//! Conversations, without their messages.
//!
//! `assistant` calls this. Invariant: every statement names the owner, so another person's conversation
//! is not there, whatever the identifier.

use domain::{
    Action, Permit, Timestamp,
    chat::Conversation,
    enforced,
    id::{ConversationId, FolderId, MessageId},
};
use keys::Dek;
use sqlx::any::AnyRow;

use crate::{Error, Store, Tx, cell::Cell, drafts, row, store::number};

const TITLE: Cell = Cell::new("conversations", "title");

/// Begins a conversation of the permit's person, without a title.
///
/// # Errors
/// [`Error::NotFound`] when there is no such account.
pub async fn create(tx: &mut Tx, permit: &Permit, id: ConversationId, now: Timestamp) -> Result<(), Error> {
    let subject = permit.subject(Action::WriteChat)?;
    let (dek, key) = (tx.dek(subject).await?, id.to_string());
    let title = TITLE.seal(&dek, &key, b"", tx.entropy())?;
    sqlx::query(
        "INSERT INTO conversations (id, owner, title, pinned, archived, created, updated) \
         VALUES ($1, $2, $3, 0, 0, $4, $4)",
    )
    .bind(key)
    .bind(subject.to_string())
    .bind(title)
    .bind(now.0)
    .execute(tx.db())
    .await?;
    Ok(())
}

/// One conversation.
///
/// # Errors
/// [`Error::NotFound`] when there is none, or it is another person's.
pub async fn get(store: &Store, permit: &Permit, id: ConversationId) -> Result<Conversation, Error> {
    let subject = permit.subject(Action::ReadChat)?;
    let found = sqlx::query(
        "SELECT id, title, folder, pinned, archived, head, created, updated FROM conversations \
         WHERE id = $1 AND owner = $2",
    )
    .bind(id.to_string())
    .bind(subject.to_string())
    .fetch_optional(store.readers())
    .await?
    .ok_or(Error::NotFound)?;
    read(&*store.dek(subject).await?, &found)
}

/// Conversations in use, or those put away; the one changed last first, at most `limit`, only those
/// changed before `before`.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to read conversations.
pub async fn list(
    store: &Store,
    permit: &Permit,
    archived: bool,
    limit: u32,
    before: Option<Timestamp>,
) -> Result<Vec<Conversation>, Error> {
    let subject = permit.subject(Action::ReadChat)?;
    let found = sqlx::query(
        "SELECT id, title, folder, pinned, archived, head, created, updated FROM conversations \
         WHERE owner = $1 AND archived = $2 AND updated < $3 ORDER BY updated DESC, id DESC LIMIT $4",
    )
    .bind(subject.to_string())
    .bind(i64::from(archived))
    .bind(before.map_or(i64::MAX, |before| before.0))
    .bind(i64::from(limit))
    .fetch_all(store.readers())
    .await?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let dek = store.dek(subject).await?;
    found.iter().map(|found| read(&dek, found)).collect()
}

/// Conversations in use and those put away, the one changed last first, at most `limit`.
pub(crate) async fn newest(store: &Store, permit: &Permit, limit: u32) -> Result<Vec<Conversation>, Error> {
    let subject = permit.subject(Action::ReadChat)?;
    let found = sqlx::query(
        "SELECT id, title, folder, pinned, archived, head, created, updated FROM conversations \
         WHERE owner = $1 ORDER BY updated DESC, id DESC LIMIT $2",
    )
    .bind(subject.to_string())
    .bind(i64::from(limit))
    .fetch_all(store.readers())
    .await?;
    let dek = store.dek(subject).await?;
    found.iter().map(|found| read(&dek, found)).collect()
}

/// Gives a conversation a title.
///
/// # Errors
/// [`Error::NotFound`] when there is none, or it is another person's.
pub async fn rename(tx: &mut Tx, permit: &Permit, id: ConversationId, title: &str) -> Result<(), Error> {
    let subject = permit.subject(Action::WriteChat)?;
    let (dek, key) = (tx.dek(subject).await?, id.to_string());
    let title = TITLE.seal(&dek, &key, title.as_bytes(), tx.entropy())?;
    let done = sqlx::query("UPDATE conversations SET title = $1 WHERE id = $2 AND owner = $3")
        .bind(title)
        .bind(key)
        .bind(subject.to_string())
        .execute(tx.db())
        .await?;
    row::exactly_one(&done)
}

/// Keeps a conversation at the top, or not.
///
/// # Errors
/// [`Error::NotFound`] when there is none, or it is another person's.
pub async fn set_pinned(tx: &mut Tx, permit: &Permit, id: ConversationId, pinned: bool) -> Result<(), Error> {
    let owner = permit.subject(Action::WriteChat)?.to_string();
    let done = sqlx::query("UPDATE conversations SET pinned = $1 WHERE id = $2 AND owner = $3")
        .bind(i64::from(pinned))
        .bind(id.to_string())
        .bind(owner)
        .execute(tx.db())
        .await?;
    row::exactly_one(&done)
}

/// Puts a conversation away, or takes it out again.
///
/// # Errors
/// [`Error::NotFound`] when there is none, or it is another person's.
pub async fn set_archived(
    tx: &mut Tx,
    permit: &Permit,
    id: ConversationId,
    archived: bool,
) -> Result<(), Error> {
    let owner = permit.subject(Action::WriteChat)?.to_string();
    let done = sqlx::query("UPDATE conversations SET archived = $1 WHERE id = $2 AND owner = $3")
        .bind(i64::from(archived))
        .bind(id.to_string())
        .bind(owner)
        .execute(tx.db())
        .await?;
    row::exactly_one(&done)
}

/// Puts a conversation into a folder of the same person, or out of any.
///
/// # Errors
/// [`Error::NotFound`] when the conversation or the folder is not there, or is another person's.
pub async fn set_folder(
    tx: &mut Tx,
    permit: &Permit,
    id: ConversationId,
    folder: Option<FolderId>,
) -> Result<(), Error> {
    let owner = permit.subject(Action::WriteChat)?.to_string();
    let folder = folder.map(|folder| folder.to_string());
    let done = sqlx::query(
        "UPDATE conversations SET folder = $1 WHERE id = $2 AND owner = $3 \
         AND ($4 = 0 OR EXISTS (SELECT 1 FROM folders f WHERE f.id = $1 AND f.owner = $3))",
    )
    .bind(folder.clone())
    .bind(id.to_string())
    .bind(owner)
    .bind(i64::from(folder.is_some()))
    .execute(tx.db())
    .await?;
    row::exactly_one(&done)
}

/// Shows the branch that ends in `head`, a message of the conversation.
///
/// # Errors
/// [`Error::NotFound`] when the conversation or the message is not there, or is another person's.
pub async fn set_head(
    tx: &mut Tx,
    permit: &Permit,
    id: ConversationId,
    head: MessageId,
    now: Timestamp,
) -> Result<(), Error> {
    let owner = permit.subject(Action::WriteChat)?.to_string();
    let done = sqlx::query(
        "UPDATE conversations SET head = $1, updated = $2 WHERE id = $3 AND owner = $4 \
         AND EXISTS (SELECT 1 FROM messages m WHERE m.id = $1 AND m.conversation = $3)",
    )
    .bind(head.to_string())
    .bind(now.0)
    .bind(id.to_string())
    .bind(owner)
    .execute(tx.db())
    .await?;
    row::exactly_one(&done)
}

/// Deletes a conversation with its messages and their index; says how many messages went.
///
/// # Errors
/// [`Error::NotFound`] when there is none, or it is another person's.
pub async fn delete(tx: &mut Tx, permit: &Permit, id: ConversationId) -> Result<u64, Error> {
    let owner = permit.subject(Action::WriteChat)?.to_string();
    let gone = sqlx::query("SELECT COUNT(*) FROM messages WHERE conversation = $1 AND owner = $2")
        .bind(id.to_string())
        .bind(owner.as_str())
        .fetch_one(tx.db())
        .await?;
    tx.note_deletion();
    enforced!(DAT02);
    let done = sqlx::query("DELETE FROM conversations WHERE id = $1 AND owner = $2")
        .bind(id.to_string())
        .bind(owner)
        .execute(tx.db())
        .await?;
    row::exactly_one(&done)?;
    Ok(number(&gone)?.unsigned_abs())
}

/// Deletes all conversations of the permit's person, archived ones too; says how many.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change conversations.
pub async fn delete_all(tx: &mut Tx, permit: &Permit) -> Result<u64, Error> {
    let owner = permit.subject(Action::WriteChat)?.to_string();
    tx.note_deletion();
    enforced!(DAT02);
    drafts::drop_all(tx, permit).await?;
    let done = sqlx::query("DELETE FROM conversations WHERE owner = $1").bind(owner).execute(tx.db()).await?;
    Ok(done.rows_affected())
}

/// How many conversations the permit's person has, archived ones too.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to read conversations.
pub async fn count(store: &Store, permit: &Permit) -> Result<u64, Error> {
    let owner = permit.subject(Action::ReadChat)?.to_string();
    let found = sqlx::query("SELECT COUNT(*) FROM conversations WHERE owner = $1")
        .bind(owner)
        .fetch_one(store.readers())
        .await?;
    Ok(number(&found)?.unsigned_abs())
}

/// A conversation from its row.
pub(crate) fn read(dek: &Dek, found: &AnyRow) -> Result<Conversation, Error> {
    let id: ConversationId = row::id(found, "id")?;
    Ok(Conversation {
        id,
        title: TITLE.open_text(dek, &id.to_string(), &row::bytes(found, "title")?)?,
        folder: row::maybe_id(found, "folder")?,
        pinned: row::flag(found, "pinned")?,
        archived: row::flag(found, "archived")?,
        head: row::maybe_id(found, "head")?,
        created: row::time(found, "created")?,
        updated: row::time(found, "updated")?,
    })
}
