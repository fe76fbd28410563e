//! Conversations: begin, list, open, name, put away, delete.
//!
//! Thin on purpose: permission, one transaction, one audit entry. What deletes something first stops
//! the turn that is answering there and holds its seat, so that no answer arrives in a deleted place.

use domain::{
    Ctx, Timestamp,
    audit::{Act, Entry},
    chat::{Conversation, Tree},
    id::{ConversationId, FolderId, MessageId, TurnId},
};
use store::{conversations, messages};

use crate::{Assistant, Error, rights, title, turn::Place};

/// How many conversations [`Assistant::list`] gives.
const LISTED: u32 = 1_000;

/// A conversation as its page shows it.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Its facts.
    pub conversation: Conversation,
    /// Its messages.
    pub tree: Tree,
    /// The turn that is answering in it.
    pub running: Option<TurnId>,
    /// Whether it is in memory alone.
    pub temporary: bool,
}

impl Assistant {
    /// Begins a conversation that is kept.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::TemporaryOnly`], [`Error::Store`].
    pub async fn begin(&self, ctx: &Ctx) -> Result<ConversationId, Error> {
        let permit = rights::writes(ctx)?;
        self.may_keep(ctx)?;
        let id = ConversationId::fresh(ctx);
        let mut tx = self.0.store.begin(ctx).await?;
        conversations::create(&mut tx, &permit, id, ctx.now()).await?;
        tx.commit(Entry::new(Act::ConversationChanged, id)).await?;
        Ok(id)
    }

    /// The newest conversations, put away or not, the last changed first.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::Store`].
    pub async fn list(&self, ctx: &Ctx, archived: bool) -> Result<Vec<Conversation>, Error> {
        self.list_page(ctx, archived, LISTED, None).await
    }

    /// At most `limit` conversations last changed before `before`.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::Store`].
    pub async fn list_page(
        &self,
        ctx: &Ctx,
        archived: bool,
        limit: u32,
        before: Option<Timestamp>,
    ) -> Result<Vec<Conversation>, Error> {
        let permit = rights::reads(ctx)?;
        Ok(conversations::list(&self.0.store, &permit, archived, limit.min(LISTED), before).await?)
    }

    /// A conversation with its messages and the turn that runs in it.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Denied`], [`Error::Store`].
    pub async fn open(&self, ctx: &Ctx, id: ConversationId) -> Result<Opened, Error> {
        let permit = rights::reads(ctx)?;
        // Before reading: a turn that ends in between is then in the tree as well.
        let running = self.0.seats.running(rights::read(ctx)?, id);
        let conversation = conversations::get(&self.0.store, &permit, id);
        let (conversation, tree) =
            tokio::try_join!(conversation, messages::tree(&self.0.store, &permit, id))?;
        Ok(Opened { conversation, tree, running, temporary: false })
    }

    /// Calls a conversation something else.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::TooLong`], [`Error::NotFound`], [`Error::Denied`], [`Error::Store`].
    pub async fn rename(&self, ctx: &Ctx, id: ConversationId, name: &str) -> Result<(), Error> {
        let permit = rights::writes(ctx)?;
        let name = title::checked("a title", name)?;
        let mut tx = self.0.store.begin(ctx).await?;
        conversations::rename(&mut tx, &permit, id, &name).await?;
        Ok(tx.commit(Entry::new(Act::ConversationChanged, id)).await?)
    }

    /// Keeps a conversation at the top, or no longer.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Denied`], [`Error::Store`].
    pub async fn pin(&self, ctx: &Ctx, id: ConversationId, pinned: bool) -> Result<(), Error> {
        let permit = rights::writes(ctx)?;
        let mut tx = self.0.store.begin(ctx).await?;
        conversations::set_pinned(&mut tx, &permit, id, pinned).await?;
        Ok(tx.commit(Entry::new(Act::ConversationChanged, id)).await?)
    }

    /// Puts a conversation away, or takes it back.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Denied`], [`Error::Store`].
    pub async fn archive(&self, ctx: &Ctx, id: ConversationId, archived: bool) -> Result<(), Error> {
        let permit = rights::writes(ctx)?;
        let mut tx = self.0.store.begin(ctx).await?;
        conversations::set_archived(&mut tx, &permit, id, archived).await?;
        Ok(tx.commit(Entry::new(Act::ConversationChanged, id)).await?)
    }

    /// Lays a conversation into a folder, or out of any.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the conversation or the folder, [`Error::Denied`], [`Error::Store`].
    pub async fn file(&self, ctx: &Ctx, id: ConversationId, folder: Option<FolderId>) -> Result<(), Error> {
        let permit = rights::writes(ctx)?;
        let mut tx = self.0.store.begin(ctx).await?;
        conversations::set_folder(&mut tx, &permit, id, folder).await?;
        Ok(tx.commit(Entry::new(Act::ConversationChanged, id)).await?)
    }

    /// Deletes a conversation and all that was said in it.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Denied`], [`Error::Store`].
    pub async fn delete(&self, ctx: &Ctx, id: ConversationId) -> Result<(), Error> {
        let permit = rights::writes(ctx)?;
        let _seat = self.hush(ctx, id).await?;
        let mut tx = self.0.store.begin(ctx).await?;
        conversations::delete(&mut tx, &permit, id).await?;
        tx.commit(Entry::new(Act::ConversationDeleted, id)).await?;
        self.forget_turns_in(ctx, Some(id))
    }

    /// Deletes a message and everything below it; gives how many messages are gone. When the shown branch
    /// went with it, the newest branch beside it is shown.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Denied`], [`Error::Store`].
    pub async fn delete_message(
        &self,
        ctx: &Ctx,
        id: ConversationId,
        message: MessageId,
    ) -> Result<u64, Error> {
        let permit = rights::writes(ctx)?;
        let _seat = self.hush(ctx, id).await?;
        let Opened { conversation, tree, .. } = self.open(ctx, id).await?;
        let head = head_without(&conversation, &tree, message)?;
        let mut tx = self.0.store.begin(ctx).await?;
        let gone = messages::delete(&mut tx, &permit, id, &[message]).await?;
        if let Some(head) = head {
            conversations::set_head(&mut tx, &permit, id, head, ctx.now()).await?;
        }
        let times = usize::try_from(gone).unwrap_or(usize::MAX);
        tx.commit(Entry::new(Act::MessageDeleted, message).times(times)).await?;
        self.forget_turns_in(ctx, Some(id))?;
        Ok(gone)
    }

    /// Deletes every conversation of the person; gives how many are gone.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::Store`].
    pub async fn delete_all(&self, ctx: &Ctx) -> Result<u64, Error> {
        let permit = rights::writes(ctx)?;
        self.forget_turns_in(ctx, None)?;
        let mut tx = self.0.store.begin(ctx).await?;
        let gone = conversations::delete_all(&mut tx, &permit).await?;
        let times = usize::try_from(gone).unwrap_or(usize::MAX);
        tx.commit(Entry::new(Act::ConversationDeleted, "").times(times)).await?;
        Ok(gone)
    }

    /// Shows the branch of `message`, in a kept or a temporary chat: its newest leaf, which is given back.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Denied`], [`Error::Store`].
    pub async fn choose_branch(
        &self,
        ctx: &Ctx,
        id: ConversationId,
        message: MessageId,
    ) -> Result<MessageId, Error> {
        let permit = rights::writes(ctx)?;
        let temporary = self.0.temporary.has(rights::person(ctx)?, id, ctx.now());
        let place = if temporary { Place::Temporary(id) } else { Place::Kept(id) };
        let (facts, tree) = self.conversation(ctx, place).await?;
        tree.get(message).ok_or(Error::NotFound)?;
        let leaf = tree.newest_leaf(message);
        match place {
            Place::Temporary(id) => self.0.temporary.show(rights::person(ctx)?, id, leaf, ctx.now())?,
            Place::Kept(id) => {
                let mut tx = self.0.store.begin(ctx).await?;
                // Looking at another branch does not make a conversation newer.
                conversations::set_head(&mut tx, &permit, id, leaf, facts.updated).await?;
                tx.commit(Entry::new(Act::ConversationChanged, id)).await?;
            }
        }
        Ok(leaf)
    }

    /// Nothing of what was deleted can be watched any more. `None` is every kept conversation.
    fn forget_turns_in(&self, ctx: &Ctx, id: Option<ConversationId>) -> Result<(), Error> {
        let (person, now) = (rights::person(ctx)?, ctx.now());
        self.0.seats.forget(|turn| {
            let here = match id {
                Some(id) => turn.conversation == id,
                None => !self.0.temporary.has(person, turn.conversation, now),
            };
            turn.person == person && here
        });
        Ok(())
    }
}

/// Where the shown branch ends when `message` and what is below it are gone; `None` when nothing is left.
fn head_without(
    conversation: &Conversation,
    tree: &Tree,
    message: MessageId,
) -> Result<Option<MessageId>, Error> {
    let parent = tree.get(message).ok_or(Error::NotFound)?.parent;
    let gone = tree.below(message);
    if let Some(head) = conversation.head.filter(|head| !gone.contains(head)) {
        return Ok(Some(head));
    }
    let left: Vec<_> = tree.messages().iter().filter(|other| !gone.contains(&other.id)).cloned().collect();
    let newest = left.last().map(|newest| newest.id);
    let left = Tree::new(left);
    Ok(parent.or(newest).map(|beside| left.newest_leaf(beside)))
}
