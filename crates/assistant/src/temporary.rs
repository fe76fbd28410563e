//! Temporary chats: in memory alone, wiped when they end.
//!
//! Nothing in this file knows the store; that is the whole of the promise. A chat ends when its person
//! ends it, signs out, or leaves it alone for half an hour; a call's own chat ends with the call.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::{
    Ctx, Timestamp,
    chat::{Conversation, Message, Tree},
    id::{ConversationId, MessageId, UserId},
};
use zeroize::Zeroize;

use crate::{
    Assistant, Error, Opened,
    limits::{TEMPORARY, TEMPORARY_BYTES, TEMPORARY_IDLE_S, TEMPORARY_PER_PERSON},
    rights, title,
};

/// Every temporary chat of the instance.
#[derive(Debug, Default)]
pub(crate) struct Chats(Mutex<HashMap<ConversationId, Chat>>);

/// One temporary chat. Its texts are wiped on drop.
#[derive(Debug)]
struct Chat {
    owner: UserId,
    facts: Conversation,
    messages: Vec<Message>,
    touched: Timestamp,
    /// Whether it is a running call's own: it lasts as long as that.
    own: bool,
}

impl Drop for Chat {
    fn drop(&mut self) {
        self.facts.title.zeroize();
        self.messages.iter_mut().for_each(|message| message.body.text.zeroize());
    }
}

impl Chats {
    fn begin(&self, owner: UserId, id: ConversationId, now: Timestamp, own: bool) -> Result<(), Error> {
        let mut chats = self.swept(now);
        // How many calls there are is bounded where they are let in.
        let others = || chats.values().filter(|chat| !chat.own);
        let of_owner = others().filter(|chat| chat.owner == owner).count();
        if !own && (of_owner >= TEMPORARY_PER_PERSON || others().count() >= TEMPORARY) {
            let advice = "end one of the others first";
            return Err(Error::Full { what: "temporary chat", limit: TEMPORARY_PER_PERSON, advice });
        }
        let facts = Conversation {
            id,
            title: String::new(),
            folder: None,
            pinned: false,
            archived: false,
            head: None,
            created: now,
            updated: now,
        };
        chats.insert(id, Chat { owner, facts, messages: Vec::new(), touched: now, own });
        Ok(())
    }

    /// The chat as it is now.
    pub(crate) fn open(
        &self,
        owner: UserId,
        id: ConversationId,
        now: Timestamp,
    ) -> Result<(Conversation, Tree), Error> {
        let mut chats = self.swept(now);
        let chat = find(&mut chats, owner, id)?;
        chat.touched = now;
        Ok((chat.facts.clone(), Tree::new(chat.messages.clone())))
    }

    /// Adds a message and shows the branch it ends.
    pub(crate) fn append(
        &self,
        owner: UserId,
        id: ConversationId,
        message: Message,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut chats = self.swept(now);
        let chat = find(&mut chats, owner, id)?;
        let bytes: usize = chat.messages.iter().map(|message| message.body.text.len()).sum();
        if bytes + message.body.text.len() > TEMPORARY_BYTES {
            let advice = "begin a new one";
            return Err(Error::Full { what: "this chat", limit: TEMPORARY_BYTES, advice });
        }
        if chat.facts.title.is_empty() {
            chat.facts.title = title::from_question(&message.body.text);
        }
        (chat.facts.head, chat.facts.updated, chat.touched) = (Some(message.id), message.at, now);
        chat.messages.push(message);
        Ok(())
    }

    /// Shows the branch that `leaf` ends.
    pub(crate) fn show(
        &self,
        owner: UserId,
        id: ConversationId,
        leaf: MessageId,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut chats = self.swept(now);
        find(&mut chats, owner, id)?.facts.head = Some(leaf);
        Ok(())
    }

    /// Whether `owner` has a temporary chat called `id`.
    pub(crate) fn has(&self, owner: UserId, id: ConversationId, now: Timestamp) -> bool {
        find(&mut self.swept(now), owner, id).is_ok()
    }

    /// Begins a chat that is somebody's own work's, as a call.
    pub(crate) fn begin_own(&self, ctx: &Ctx, owner: UserId) -> Result<ConversationId, Error> {
        let id = ConversationId::fresh(ctx);
        self.begin(owner, id, ctx.now(), true)?;
        Ok(id)
    }

    /// Wipes such a chat.
    pub(crate) fn drop_own(&self, id: ConversationId) {
        self.lock().remove(&id);
    }

    fn end(&self, owner: UserId, id: ConversationId) -> Result<(), Error> {
        let mut chats = self.lock();
        find(&mut chats, owner, id)?;
        chats.remove(&id);
        Ok(())
    }

    fn forget(&self, owner: UserId) -> Vec<ConversationId> {
        self.lock().extract_if(|_, chat| chat.owner == owner && !chat.own).map(|(id, _)| id).collect()
    }

    /// Wipes what nobody touched for half an hour.
    pub(crate) fn sweep(&self, now: Timestamp) {
        drop(self.swept(now));
    }

    fn swept(&self, now: Timestamp) -> MutexGuard<'_, HashMap<ConversationId, Chat>> {
        let mut chats = self.lock();
        chats.retain(|_, chat| chat.own || now.seconds_since(chat.touched) < TEMPORARY_IDLE_S);
        chats
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ConversationId, Chat>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn find(
    chats: &mut HashMap<ConversationId, Chat>,
    owner: UserId,
    id: ConversationId,
) -> Result<&mut Chat, Error> {
    chats.get_mut(&id).filter(|chat| chat.owner == owner).ok_or(Error::NotFound)
}

impl Assistant {
    /// Begins a chat that is never written down.
    ///
    /// # Errors
    /// [`Error::Denied`]; [`Error::Full`] when the person has too many open.
    pub fn begin_temporary(&self, ctx: &Ctx) -> Result<ConversationId, Error> {
        let owner = rights::writes(ctx).and(rights::person(ctx))?;
        let id = ConversationId::fresh(ctx);
        self.0.temporary.begin(owner, id, ctx.now(), false)?;
        Ok(id)
    }

    /// A temporary chat as it is now.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it has ended or is another's.
    pub fn open_temporary(&self, ctx: &Ctx, id: ConversationId) -> Result<Opened, Error> {
        let owner = rights::reads(ctx).and(rights::person(ctx))?;
        // Before looking at the messages: a turn that ends in between is then in the tree as well.
        let running = self.0.seats.running(owner, id);
        let (conversation, tree) = self.0.temporary.open(owner, id, ctx.now())?;
        Ok(Opened { conversation, tree, running, temporary: true })
    }

    /// Ends a temporary chat: nothing of it is left.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it has ended already or is another's.
    pub fn end_temporary(&self, ctx: &Ctx, id: ConversationId) -> Result<(), Error> {
        let owner = rights::writes(ctx).and(rights::person(ctx))?;
        self.0.temporary.end(owner, id)?;
        self.0.seats.forget(|turn| turn.person == owner && turn.conversation == id);
        Ok(())
    }

    /// Stops every answer of a person whose account is closed or deleted, and ends their temporary chats.
    pub fn end_person(&self, person: &UserId) {
        self.0.calls.end_person(person);
        self.0.temporary.forget(*person);
        self.0.seats.forget(|turn| turn.person == *person);
    }

    /// Ends every temporary chat of a person who signs out.
    pub fn forget_person(&self, person: &UserId) {
        let ended = self.0.temporary.forget(*person);
        self.0.seats.forget(|turn| turn.person == *person && ended.contains(&turn.conversation));
    }
}
