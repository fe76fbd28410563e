//! Reading `troth.conversations/1` back: everything is checked before anything is written.
//!
//! Each conversation is written in one transaction, whole or not at all; should a later one fail, the
//! earlier ones of the same file are taken out again. The work is the task tracker's, not the request's: a
//! person who goes away in the middle gets the whole file. Identifiers are made anew, so that importing a
//! file twice, or somebody else's, overwrites nothing.

use std::collections::{HashMap, HashSet};

use domain::{
    Ctx, Permit, Timestamp,
    audit::{Act, Entry},
    chat::{
        Author, Body, Conversation, Folder, MAX_MESSAGE_BYTES, MAX_MESSAGES, MAX_TITLE_CHARS, Message, Tree,
    },
    id::{ConversationId, FolderId, MessageId},
};
use store::{conversations, folders, messages};

use super::{
    format::{ConversationPart, File, MessagePart, NAME},
    from_rfc3339,
    rooms::Room,
};
use crate::{
    Assistant, Error, MAX_ANSWER_BYTES, MAX_CONVERSATIONS, MAX_FOLDERS, MAX_IMPORT_BYTES, rights, title,
};

/// Longest name of a model or a place, in bytes.
const FACT_BYTES: usize = 256;

/// What an import did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Conversations that are there now.
    pub conversations: usize,
    /// Messages in them.
    pub messages: usize,
    /// Conversations without a message, which were left out.
    pub skipped: usize,
}

/// A file that was checked.
#[derive(Debug, Default)]
struct Checked {
    folders: Vec<Folder>,
    conversations: Vec<(Conversation, Vec<Message>)>,
    skipped: usize,
}

/// The right to bring in one file, with the room for it. To be had before any of the file is read.
#[must_use = "dropping it gives the room back"]
pub struct Import {
    assistant: Assistant,
    ctx: Ctx,
    permit: Permit,
    room: Room,
}

impl Import {
    /// Adds the conversations of an exported file to the person's own.
    ///
    /// # Errors
    /// [`Error::TooLong`] beyond [`MAX_IMPORT_BYTES`], [`Error::BadImport`] naming where, [`Error::Full`],
    /// [`Error::Closing`], [`Error::Store`]. Nothing is imported then.
    pub async fn take(self, file: impl AsRef<[u8]> + Send + 'static) -> Result<ImportReport, Error> {
        if file.as_ref().len() > MAX_IMPORT_BYTES {
            return Err(Error::TooLong { what: "a file to import", limit: MAX_IMPORT_BYTES, unit: "bytes" });
        }
        let tasks = self.assistant.0.tasks.clone();
        let taken_in = tasks.spawn(async move {
            let Self { assistant, ctx, permit, room } = self;
            let report = assistant.take_in(&ctx, &permit, file).await;
            drop(room);
            report
        });
        taken_in.await.map_err(|_| Error::Closing)?
    }
}

impl Assistant {
    /// Begins to bring in a file.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::TemporaryOnly`], [`Error::Transferring`].
    pub fn begin_import(&self, ctx: &Ctx) -> Result<Import, Error> {
        let permit = rights::writes(ctx)?;
        self.may_keep(ctx)?;
        let room = self.0.transfers.import(rights::person(ctx)?)?;
        Ok(Import { assistant: self.clone(), ctx: ctx.clone(), permit, room })
    }

    async fn take_in(
        &self,
        ctx: &Ctx,
        permit: &Permit,
        file: impl AsRef<[u8]> + Send + 'static,
    ) -> Result<ImportReport, Error> {
        let reader = ctx.clone();
        // Reading 32 MiB takes a while, in which other people want their answers.
        let checked = self.0.tasks.spawn_blocking(move || check(&reader, file.as_ref()));
        let mut checked = checked.await.map_err(|_| Error::Closing)??;
        self.lay_into_folders(ctx, permit, &mut checked).await?;
        let mut report = ImportReport { skipped: checked.skipped, ..ImportReport::default() };
        let mut written = Vec::new();
        for (facts, tree) in &checked.conversations {
            if let Err(error) = self.write(ctx, permit, facts, tree).await {
                self.take_out(ctx, permit, &written).await;
                return Err(error);
            }
            written.push(facts.id);
            report.conversations += 1;
            report.messages += tree.len();
        }
        Ok(report)
    }

    /// Makes the folders that are not there yet; those of the same name are used as they are.
    async fn lay_into_folders(&self, ctx: &Ctx, permit: &Permit, checked: &mut Checked) -> Result<(), Error> {
        let mut own = self.folders(ctx).await?;
        let mut now_called = HashMap::new();
        let mut tx = self.0.store.begin(ctx).await?;
        let mut made = 0;
        for folder in &checked.folders {
            let id = match own.iter().find(|own| own.name == folder.name) {
                Some(same) => same.id,
                None if own.len() >= MAX_FOLDERS => {
                    let advice = "delete one you do not need";
                    return Err(Error::Full { what: "the list of folders", limit: MAX_FOLDERS, advice });
                }
                None => {
                    let id = FolderId::fresh(ctx);
                    folders::create(&mut tx, permit, id, &folder.name).await?;
                    own.push(Folder { id, name: folder.name.clone() });
                    made += 1;
                    id
                }
            };
            now_called.insert(folder.id, id);
        }
        if made > 0 {
            tx.commit(Entry::new(Act::FolderChanged, "").times(made)).await?;
        }
        for (facts, _) in &mut checked.conversations {
            facts.folder = facts.folder.and_then(|folder| now_called.get(&folder).copied());
        }
        Ok(())
    }

    async fn write(
        &self,
        ctx: &Ctx,
        permit: &Permit,
        facts: &Conversation,
        tree: &[Message],
    ) -> Result<(), Error> {
        let (id, mut tx) = (facts.id, self.0.store.begin(ctx).await?);
        conversations::create(&mut tx, permit, id, facts.created).await?;
        messages::append_all(&mut tx, permit, id, tree).await?;
        if !facts.title.is_empty() {
            conversations::rename(&mut tx, permit, id, &facts.title).await?;
        }
        if facts.pinned {
            conversations::set_pinned(&mut tx, permit, id, true).await?;
        }
        if facts.archived {
            conversations::set_archived(&mut tx, permit, id, true).await?;
        }
        if facts.folder.is_some() {
            conversations::set_folder(&mut tx, permit, id, facts.folder).await?;
        }
        if let Some(head) = facts.head {
            conversations::set_head(&mut tx, permit, id, head, facts.updated).await?;
        }
        Ok(tx.commit(Entry::new(Act::Imported, id).times(tree.len())).await?)
    }

    /// Takes out what an import that failed had written.
    async fn take_out(&self, ctx: &Ctx, permit: &Permit, written: &[ConversationId]) {
        for id in written {
            let gone = async {
                let mut tx = self.0.store.begin(ctx).await?;
                conversations::delete(&mut tx, permit, *id).await?;
                tx.commit(Entry::new(Act::ConversationDeleted, id)).await
            };
            if let Err(error) = gone.await {
                tracing::warn!(%error, conversation = %id, "an imported conversation could not be taken out again");
            }
        }
    }
}

/// Reads a file and makes every identifier anew.
fn check(ctx: &Ctx, bytes: &[u8]) -> Result<Checked, Error> {
    let file: File = serde_json::from_slice(bytes).map_err(|error| unreadable(&error))?;
    if file.format != NAME {
        return Err(bad("format", format!("it must be \"{NAME}\"")));
    }
    if file.conversations.len() > MAX_CONVERSATIONS {
        return Err(bad("conversations", format!("there may be at most {MAX_CONVERSATIONS}")));
    }
    if file.folders.len() > MAX_FOLDERS {
        return Err(bad("folders", format!("there may be at most {MAX_FOLDERS}")));
    }
    let mut checked = Checked::default();
    let mut folders = HashSet::new();
    for (n, folder) in file.folders.into_iter().enumerate() {
        let at = || format!("folders[{n}]");
        let name = title::checked("a folder's name", &folder.name);
        let name =
            name.map_err(|_| bad(at(), format!("name must have 1 to {MAX_TITLE_CHARS} characters")))?;
        if !folders.insert(folder.id) {
            return Err(bad(at(), "id is used twice"));
        }
        checked.folders.push(Folder { id: folder.id, name });
    }
    let mut ids = HashSet::new();
    for (n, part) in file.conversations.into_iter().enumerate() {
        let at = format!("conversations[{n}]");
        if !ids.insert(part.id) {
            return Err(bad(at, "id is used twice"));
        }
        if part.folder.is_some_and(|id| !folders.contains(&id)) {
            return Err(bad(at, "folder is not in folders"));
        }
        if part.messages.is_empty() {
            checked.skipped += 1;
        } else {
            checked.conversations.push(conversation(ctx, &at, part)?);
        }
    }
    Ok(checked)
}

/// One conversation, with new identifiers, its messages so that each comes after its parent.
fn conversation(ctx: &Ctx, at: &str, part: ConversationPart) -> Result<(Conversation, Vec<Message>), Error> {
    if part.messages.len() > MAX_MESSAGES {
        return Err(bad(format!("{at}.messages"), format!("there may be at most {MAX_MESSAGES}")));
    }
    let title = title::one_line(&part.title);
    if title.chars().count() > MAX_TITLE_CHARS {
        return Err(bad(format!("{at}.title"), format!("it may have at most {MAX_TITLE_CHARS} characters")));
    }
    let created = moment(at, "created", &part.created)?;
    let updated = moment(at, "updated", &part.updated)?;
    let mut tree = Vec::with_capacity(part.messages.len());
    for (n, message) in part.messages.into_iter().enumerate() {
        tree.push(self::message(&format!("{at}.messages[{n}]"), message)?);
    }
    let head = part.head.or_else(|| tree.last().map(|last: &Message| last.id));
    let (tree, now_called) = grown(ctx, at, tree)?;
    let head = head.and_then(|head| now_called.get(&head).copied());
    let head = Some(head.ok_or_else(|| bad(at, "head is not among its messages"))?);
    let id = ConversationId::fresh(ctx);
    let (pinned, archived, folder) = (part.pinned, part.archived, part.folder);
    Ok((Conversation { id, title, folder, pinned, archived, head, created, updated }, tree))
}

fn message(at: &str, part: MessagePart) -> Result<Message, Error> {
    let limit = match part.author {
        Author::User => MAX_MESSAGE_BYTES,
        Author::Assistant => MAX_ANSWER_BYTES,
    };
    if part.text.len() > limit {
        return Err(bad(at, format!("text may have at most {limit} bytes")));
    }
    let facts = [&part.model, &part.place];
    if facts.into_iter().flatten().any(|fact| fact.len() > FACT_BYTES) {
        return Err(bad(at, format!("model and place may have at most {FACT_BYTES} bytes")));
    }
    let time = moment(at, "at", &part.at)?;
    let body = Body {
        text: part.text,
        ending: part.ending,
        model: part.model,
        place: part.place,
        usage: part.usage,
    };
    Ok(Message { id: part.id, parent: part.parent, author: part.author, body, at: time })
}

/// Old identifiers and what they are called now.
type NowCalled = HashMap<MessageId, MessageId>;

/// Checks that the messages are a tree, puts each after its parent, and calls them something new.
/// New identifiers sort as the old ones did, so that siblings of one moment keep their order.
fn grown(ctx: &Ctx, at: &str, messages: Vec<Message>) -> Result<(Vec<Message>, NowCalled), Error> {
    let sorted = Tree::new(messages);
    let mut fresh: Vec<_> = sorted.messages().iter().map(|_| MessageId::fresh(ctx)).collect();
    fresh.sort_unstable();
    let now_called: NowCalled = sorted.messages().iter().map(|message| message.id).zip(fresh).collect();
    if now_called.len() != sorted.messages().len() {
        return Err(bad(format!("{at}.messages"), "an id is used twice"));
    }
    let mut placed: HashSet<MessageId> = HashSet::new();
    let mut tree = Vec::with_capacity(now_called.len());
    let mut waiting: HashMap<MessageId, Vec<&Message>> = HashMap::new();
    let mut ready: Vec<&Message> = Vec::new();
    for message in sorted.messages().iter().rev() {
        match message.parent {
            None => ready.push(message),
            Some(parent) if now_called.contains_key(&parent) => {
                waiting.entry(parent).or_default().push(message);
            }
            Some(_) => return Err(bad(format!("{at}.messages"), "a parent is not among the messages")),
        }
    }
    while let Some(message) = ready.pop() {
        placed.insert(message.id);
        ready.extend(waiting.remove(&message.id).unwrap_or_default());
        let parent = message.parent.and_then(|parent| now_called.get(&parent).copied());
        let id = now_called.get(&message.id).copied().unwrap_or(message.id);
        tree.push(Message { id, parent, ..message.clone() });
    }
    if placed.len() < now_called.len() {
        return Err(bad(format!("{at}.messages"), "messages are their own ancestors"));
    }
    Ok((tree, now_called))
}

fn moment(at: &str, field: &str, text: &str) -> Result<Timestamp, Error> {
    from_rfc3339(text)
        .ok_or_else(|| bad(format!("{at}.{field}"), "it must be a time like 2026-01-31T12:00:00Z"))
}

fn bad(at: impl Into<String>, why: impl Into<String>) -> Error {
    Error::BadImport { at: at.into(), why: why.into() }
}

/// Where JSON is broken or of another shape. The parser's own message may quote the file: not repeated.
fn unreadable(error: &serde_json::Error) -> Error {
    let why = match error.classify() {
        serde_json::error::Category::Data => {
            "something is missing, unknown or of the wrong kind here; the format is described in docs/export-format.md"
        }
        serde_json::error::Category::Eof => "the file ends too early; it may have been cut short",
        _ => "this is not JSON",
    };
    bad(format!("line {}, column {}", error.line(), error.column()), why)
}
