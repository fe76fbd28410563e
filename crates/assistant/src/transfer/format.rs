//! `troth.conversations/1`, the one definition of the format that `docs/export-format.md` describes.
//!
//! Written by [`Json`], read by [`super::import`]. Unknown fields are refused, so that a misspelt one
//! is noticed instead of lost.

use domain::{
    chat::{Author, Body, Ending, Folder, Message},
    id::{ConversationId, FolderId, MessageId},
    model::Usage,
};
use serde::{Deserialize, Serialize};

use super::{Whole, rfc3339};
use crate::Error;

/// The name and version of the format.
pub(super) const NAME: &str = "troth.conversations/1";

/// A whole file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) format: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) exported: Option<String>,
    #[serde(default)]
    pub(super) folders: Vec<FolderPart>,
    pub(super) conversations: Vec<ConversationPart>,
}

/// A folder.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FolderPart {
    pub(super) id: FolderId,
    pub(super) name: String,
}

/// A conversation.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConversationPart {
    pub(super) id: ConversationId,
    #[serde(default)]
    pub(super) title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) folder: Option<FolderId>,
    #[serde(default)]
    pub(super) pinned: bool,
    #[serde(default)]
    pub(super) archived: bool,
    pub(super) created: String,
    pub(super) updated: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) head: Option<MessageId>,
    pub(super) messages: Vec<MessagePart>,
}

/// A message.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MessagePart {
    pub(super) id: MessageId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) parent: Option<MessageId>,
    pub(super) author: Author,
    pub(super) at: String,
    pub(super) text: String,
    #[serde(default, skip_serializing_if = "is_complete")]
    pub(super) ending: Ending,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) place: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) usage: Option<Usage>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_complete(ending: &Ending) -> bool {
    *ending == Ending::Complete
}

impl ConversationPart {
    fn of(whole: &Whole) -> Self {
        let facts = &whole.facts;
        Self {
            id: facts.id,
            title: facts.title.clone(),
            folder: facts.folder,
            pinned: facts.pinned,
            archived: facts.archived,
            created: rfc3339(facts.created),
            updated: rfc3339(facts.updated),
            head: facts.head,
            messages: whole.tree.messages().iter().map(MessagePart::of).collect(),
        }
    }
}

impl MessagePart {
    fn of(message: &Message) -> Self {
        let Body { text, ending, model, place, usage } = message.body.clone();
        Self {
            id: message.id,
            parent: message.parent,
            author: message.author,
            at: rfc3339(message.at),
            text,
            ending,
            model,
            place,
            usage,
        }
    }
}

/// A file being written, conversation by conversation, so that only one is in memory twice.
pub(super) struct Json {
    bytes: Vec<u8>,
    first: bool,
}

impl Json {
    pub(super) fn begin(exported: &str, folders: &[Folder]) -> Result<Self, Error> {
        let folders: Vec<_> =
            folders.iter().map(|folder| FolderPart { id: folder.id, name: folder.name.clone() }).collect();
        let mut bytes = b"{\n\"format\": ".to_vec();
        write(&mut bytes, NAME)?;
        bytes.extend_from_slice(b",\n\"exported\": ");
        write(&mut bytes, exported)?;
        bytes.extend_from_slice(b",\n\"folders\": ");
        write(&mut bytes, &folders)?;
        bytes.extend_from_slice(b",\n\"conversations\": [");
        Ok(Self { bytes, first: true })
    }

    /// Adds a conversation; gives the bytes so far.
    pub(super) fn add(&mut self, whole: &Whole) -> Result<usize, Error> {
        self.bytes.extend_from_slice(if self.first { b"\n" } else { b",\n" });
        self.first = false;
        write(&mut self.bytes, &ConversationPart::of(whole))?;
        Ok(self.bytes.len())
    }

    pub(super) fn finish(mut self) -> Result<Vec<u8>, Error> {
        self.bytes.extend_from_slice(b"\n]\n}\n");
        Ok(self.bytes)
    }
}

/// Fails only for data that JSON cannot say; this format has none.
fn write<T: Serialize + ?Sized>(bytes: &mut Vec<u8>, part: &T) -> Result<(), Error> {
    serde_json::to_writer(bytes, part).map_err(|_| Error::Unwritable)
}
