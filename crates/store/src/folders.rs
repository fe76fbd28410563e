//! Folders of conversations.
//!
//! `assistant` calls this. Deleting a folder lets its conversations fall out of it.

use domain::{Action, Permit, chat::Folder, id::FolderId};

use crate::{Error, Store, Tx, cell::Cell, row};

const NAME: Cell = Cell::new("folders", "name");

/// Makes a folder of the permit's person.
///
/// # Errors
/// [`Error::NotFound`] when there is no such account.
pub async fn create(tx: &mut Tx, permit: &Permit, id: FolderId, name: &str) -> Result<(), Error> {
    let subject = permit.subject(Action::WriteChat)?;
    let (dek, key) = (tx.dek(subject).await?, id.to_string());
    let name = NAME.seal(&dek, &key, name.as_bytes(), tx.entropy())?;
    sqlx::query("INSERT INTO folders (id, owner, name) VALUES ($1, $2, $3)")
        .bind(key)
        .bind(subject.to_string())
        .bind(name)
        .execute(tx.db())
        .await?;
    Ok(())
}

/// The folders of the permit's person, by name.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to read conversations.
pub async fn list(store: &Store, permit: &Permit) -> Result<Vec<Folder>, Error> {
    let subject = permit.subject(Action::ReadChat)?;
    let found = sqlx::query("SELECT id, name FROM folders WHERE owner = $1")
        .bind(subject.to_string())
        .fetch_all(store.readers())
        .await?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let dek = store.dek(subject).await?;
    let mut folders = Vec::with_capacity(found.len());
    for found in &found {
        let id: FolderId = row::id(found, "id")?;
        folders
            .push(Folder { id, name: NAME.open_text(&dek, &id.to_string(), &row::bytes(found, "name")?)? });
    }
    // The database sees sealed names only, so the order is made here.
    folders.sort_by_cached_key(|folder| (domain::name::fold(&folder.name), folder.id));
    Ok(folders)
}

/// Gives a folder another name.
///
/// # Errors
/// [`Error::NotFound`] when there is none, or it is another person's.
pub async fn rename(tx: &mut Tx, permit: &Permit, id: FolderId, name: &str) -> Result<(), Error> {
    let subject = permit.subject(Action::WriteChat)?;
    let (dek, key) = (tx.dek(subject).await?, id.to_string());
    let name = NAME.seal(&dek, &key, name.as_bytes(), tx.entropy())?;
    let done = sqlx::query("UPDATE folders SET name = $1 WHERE id = $2 AND owner = $3")
        .bind(name)
        .bind(key)
        .bind(subject.to_string())
        .execute(tx.db())
        .await?;
    row::exactly_one(&done)
}

/// Deletes a folder; its conversations stay.
///
/// # Errors
/// [`Error::NotFound`] when there is none, or it is another person's.
pub async fn delete(tx: &mut Tx, permit: &Permit, id: FolderId) -> Result<(), Error> {
    let owner = permit.subject(Action::WriteChat)?.to_string();
    tx.note_deletion();
    let done = sqlx::query("DELETE FROM folders WHERE id = $1 AND owner = $2")
        .bind(id.to_string())
        .bind(owner)
        .execute(tx.db())
        .await?;
    row::exactly_one(&done)
}
