//! Folders, and finding what was said.

use domain::{
    Ctx,
    audit::{Act, Entry},
    chat::Folder,
    id::FolderId,
};
use store::{folders, search};

use crate::{
    Assistant, Error, Hit,
    limits::{MAX_FOLDERS, MAX_HITS},
    rights, title,
};

/// Longest search that is looked up, in bytes; the rest of a longer one is not read.
const QUERY_BYTES: usize = 512;

impl Assistant {
    /// The person's folders.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::Store`].
    pub async fn folders(&self, ctx: &Ctx) -> Result<Vec<Folder>, Error> {
        Ok(folders::list(&self.0.store, &rights::reads(ctx)?).await?)
    }

    /// Makes a folder.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::TooLong`], [`Error::Full`], [`Error::Denied`], [`Error::Store`].
    pub async fn make_folder(&self, ctx: &Ctx, name: &str) -> Result<FolderId, Error> {
        let permit = rights::writes(ctx)?;
        let name = title::checked("a folder's name", name)?;
        if self.folders(ctx).await?.len() >= MAX_FOLDERS {
            let advice = "delete one you do not need";
            return Err(Error::Full { what: "the list of folders", limit: MAX_FOLDERS, advice });
        }
        let id = FolderId::fresh(ctx);
        let mut tx = self.0.store.begin(ctx).await?;
        folders::create(&mut tx, &permit, id, &name).await?;
        tx.commit(Entry::new(Act::FolderChanged, id)).await?;
        Ok(id)
    }

    /// Calls a folder something else.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Empty`], [`Error::TooLong`], [`Error::Denied`], [`Error::Store`].
    pub async fn rename_folder(&self, ctx: &Ctx, id: FolderId, name: &str) -> Result<(), Error> {
        let permit = rights::writes(ctx)?;
        let name = title::checked("a folder's name", name)?;
        let mut tx = self.0.store.begin(ctx).await?;
        folders::rename(&mut tx, &permit, id, &name).await?;
        Ok(tx.commit(Entry::new(Act::FolderChanged, id)).await?)
    }

    /// Deletes a folder; the conversations in it stay.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Denied`], [`Error::Store`].
    pub async fn delete_folder(&self, ctx: &Ctx, id: FolderId) -> Result<(), Error> {
        let permit = rights::writes(ctx)?;
        let mut tx = self.0.store.begin(ctx).await?;
        folders::delete(&mut tx, &permit, id).await?;
        Ok(tx.commit(Entry::new(Act::FolderChanged, id)).await?)
    }

    /// Messages with all words of `query`, the last one perhaps unfinished, the newest first; before them
    /// conversations found by their title alone. At most [`MAX_HITS`]; nothing for an empty query.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::Store`].
    pub async fn search(&self, ctx: &Ctx, query: &str) -> Result<Vec<Hit>, Error> {
        let permit = rights::reads(ctx)?;
        let mut end = query.len().min(QUERY_BYTES);
        while !query.is_char_boundary(end) {
            end -= 1;
        }
        if query[..end].trim().is_empty() {
            return Ok(Vec::new());
        }
        Ok(search::find(&self.0.store, &permit, &query[..end], MAX_HITS).await?)
    }
}
