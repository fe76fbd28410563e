//! Messages somebody began and did not send, kept when their session is about to end.
//!
//! Called by the chat page, at the warning and when it is hidden, and after the message was sent. The invariant:
//! a draft lives a day at most, a temporary chat has none, because it is never written down, and neither has
//! whoever may have nothing but temporary chats.

use domain::{
    Action, Ctx, Resource,
    audit::{Act, Entry},
    authorize,
    chat::MAX_MESSAGE_BYTES,
    enforced,
    id::ConversationId,
};
use store::drafts;

use crate::{Assistant, Error, rights};

/// Longest draft, in bytes: whatever fits into the fields it comes from, though it may be too long to send.
const LONGEST: usize = 6 * MAX_MESSAGE_BYTES;
/// Seconds a draft is kept.
const KEPT_S: i64 = 24 * 3600;

impl Assistant {
    /// Keeps what the person has written so far, in a conversation or for one that has not begun. Nothing but
    /// blanks is no draft: then what was kept before goes.
    ///
    /// # Errors
    /// [`Error::TooLong`], [`Error::TemporaryOnly`], [`Error::NotFound`], [`Error::Denied`], [`Error::Store`].
    pub async fn keep_draft(
        &self,
        ctx: &Ctx,
        conversation: Option<ConversationId>,
        text: &str,
    ) -> Result<(), Error> {
        if text.trim().is_empty() {
            return self.drop_draft(ctx, conversation).await;
        }
        self.may_keep(ctx)?;
        if text.len() > LONGEST {
            return Err(Error::TooLong { what: "a draft", limit: LONGEST, unit: "bytes" });
        }
        let permit = rights::writes(ctx)?;
        let mut tx = self.0.store.begin(ctx).await?;
        drafts::keep(&mut tx, &permit, conversation, text, ctx.now()).await?;
        let target = conversation.map(|id| id.to_string()).unwrap_or_default();
        tx.commit(Entry::new(Act::DraftKept, target)).await?;
        enforced!(SES06);
        Ok(())
    }

    /// What the person had written, if it was kept less than a day ago.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::Store`].
    pub async fn draft(
        &self,
        ctx: &Ctx,
        conversation: Option<ConversationId>,
    ) -> Result<Option<String>, Error> {
        if ctx.bounds.temporary_only {
            return Ok(None);
        }
        let since = ctx.now().plus_seconds(-KEPT_S);
        Ok(drafts::get(&self.0.store, &rights::reads(ctx)?, conversation, since).await?)
    }

    /// Forgets what the person had written, because it was sent.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::Store`].
    pub async fn drop_draft(&self, ctx: &Ctx, conversation: Option<ConversationId>) -> Result<(), Error> {
        let permit = rights::writes(ctx)?;
        let mut tx = self.0.store.begin(ctx).await?;
        if drafts::drop(&mut tx, &permit, conversation).await? {
            let target = conversation.map(|id| id.to_string()).unwrap_or_default();
            tx.commit(Entry::new(Act::DraftDropped, target)).await?;
        }
        Ok(())
    }

    /// Forgets every draft of yesterday, and says how many.
    ///
    /// # Errors
    /// [`Error::Denied`] unless the actor is the system's upkeep; [`Error::Store`].
    pub async fn sweep_drafts(&self, ctx: &Ctx) -> Result<u64, Error> {
        let permit = authorize(ctx, Action::WriteInstance, Resource::Instance)?;
        let mut tx = self.0.store.begin(ctx).await?;
        let gone = drafts::drop_before(&mut tx, &permit, ctx.now().plus_seconds(-KEPT_S)).await?;
        if gone > 0 {
            let count = usize::try_from(gone).unwrap_or(usize::MAX);
            tx.commit(Entry::new(Act::DraftDropped, "").times(count)).await?;
        }
        Ok(gone)
    }
}
