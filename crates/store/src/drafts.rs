//! Messages somebody began and did not send: one a conversation, and one for a chat that has not begun.
//!
//! `assistant` calls this. Temporary chats have none, because they are never written down.

use domain::{
    Action, Permit, Timestamp,
    id::{ConversationId, UserId},
};

use crate::{Error, Store, Tx, cell::Cell, row};

const DRAFT: Cell = Cell::new("drafts", "draft");

/// Keeps the draft of the permit's person for a conversation of theirs, in place of an earlier one.
///
/// # Errors
/// [`Error::NotFound`] when the conversation is not theirs.
pub async fn keep(
    tx: &mut Tx,
    permit: &Permit,
    conversation: Option<ConversationId>,
    text: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let subject = permit.subject(Action::WriteChat)?;
    let account = subject.to_string();
    if let Some(id) = conversation {
        let theirs = sqlx::query("SELECT id FROM conversations WHERE id = $1 AND owner = $2")
            .bind(id.to_string())
            .bind(account.as_str())
            .fetch_optional(tx.db())
            .await?;
        theirs.ok_or(Error::NotFound)?;
    }
    let dek = tx.dek(subject).await?;
    let sealed = DRAFT.seal(&dek, &binding(subject, conversation), text.as_bytes(), tx.entropy())?;
    sqlx::query(
        "INSERT INTO drafts (account, place, conversation, draft, at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (account, place) DO UPDATE SET draft = excluded.draft, at = excluded.at",
    )
    .bind(account)
    .bind(place(conversation))
    .bind(conversation.map(|id| id.to_string()))
    .bind(sealed)
    .bind(now.0)
    .execute(tx.db())
    .await?;
    Ok(())
}

/// The draft of the permit's person for a conversation, when it was kept at `since` or later.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to read chats.
pub async fn get(
    store: &Store,
    permit: &Permit,
    conversation: Option<ConversationId>,
    since: Timestamp,
) -> Result<Option<String>, Error> {
    let subject = permit.subject(Action::ReadChat)?;
    let found = sqlx::query("SELECT draft FROM drafts WHERE account = $1 AND place = $2 AND at >= $3")
        .bind(subject.to_string())
        .bind(place(conversation))
        .bind(since.0)
        .fetch_optional(store.readers())
        .await?;
    let Some(found) = found else { return Ok(None) };
    let dek = store.dek(subject).await?;
    Ok(Some(DRAFT.open_text(&dek, &binding(subject, conversation), &row::bytes(&found, "draft")?)?))
}

/// Drops the draft of the permit's person for a conversation. `false`: there was none.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change chats.
pub async fn drop(tx: &mut Tx, permit: &Permit, conversation: Option<ConversationId>) -> Result<bool, Error> {
    let account = permit.subject(Action::WriteChat)?.to_string();
    tx.note_deletion();
    let done = sqlx::query("DELETE FROM drafts WHERE account = $1 AND place = $2")
        .bind(account)
        .bind(place(conversation))
        .execute(tx.db())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Drops every draft of the permit's person.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change chats.
pub async fn drop_all(tx: &mut Tx, permit: &Permit) -> Result<(), Error> {
    let account = permit.subject(Action::WriteChat)?.to_string();
    tx.note_deletion();
    sqlx::query("DELETE FROM drafts WHERE account = $1").bind(account).execute(tx.db()).await?;
    Ok(())
}

/// Drops every draft kept before `moment`; says how many.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change the instance.
pub async fn drop_before(tx: &mut Tx, permit: &Permit, moment: Timestamp) -> Result<u64, Error> {
    permit.instance(Action::WriteInstance)?;
    tx.note_deletion();
    let done = sqlx::query("DELETE FROM drafts WHERE at < $1").bind(moment.0).execute(tx.db()).await?;
    Ok(done.rows_affected())
}

fn place(conversation: Option<ConversationId>) -> String {
    conversation.map(|id| id.to_string()).unwrap_or_default()
}

/// A row of drafts has two parts to its key; its sealed value is bound to both.
fn binding(subject: UserId, conversation: Option<ConversationId>) -> String {
    format!("{subject}/{}", place(conversation))
}
