//! Conversations as trees of messages.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    id::{ConversationId, FolderId, MessageId},
    model::Usage,
};

/// Who wrote a message that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Author {
    /// The person.
    User,
    /// The model.
    Assistant,
}

impl Author {
    /// The author as the store spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// How an answer came to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// It is whole.
    #[default]
    Complete,
    /// The person stopped it; what was shown is kept.
    Stopped,
    /// The model failed; what was shown is kept and the person may try again.
    Failed,
    /// It reached the model's limit of length.
    Length,
}

/// The part of a message that is sealed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// What was said, as Markdown.
    pub text: String,
    /// How it ended; for messages of people always [`Ending::Complete`].
    #[serde(default)]
    pub ending: Ending,
    /// The model that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Where it ran, in words, e.g. `on this machine`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Tokens counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its identifier.
    pub id: MessageId,
    /// The message it answers or follows; `None` at the root.
    pub parent: Option<MessageId>,
    /// Who wrote it.
    pub author: Author,
    /// What it says.
    pub body: Body,
    /// When it was written.
    pub at: Timestamp,
}

/// A conversation without its messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// Its identifier.
    pub id: ConversationId,
    /// What the rail calls it; empty until the first message.
    pub title: String,
    /// The folder it lies in.
    pub folder: Option<FolderId>,
    /// Kept at the top.
    pub pinned: bool,
    /// Put away.
    pub archived: bool,
    /// The last message of the branch that is shown.
    pub head: Option<MessageId>,
    /// When it was begun.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
}

/// A folder of conversations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// Its identifier.
    pub id: FolderId,
    /// Its name.
    pub name: String,
}

/// Longest message a person may write, in bytes of UTF-8.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;
/// Longest title of a conversation or folder, in characters.
pub const MAX_TITLE_CHARS: usize = 120;
/// Deepest tree of messages.
pub const MAX_MESSAGES: usize = 10_000;

/// The messages of one conversation, with the branch that is shown.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    messages: Vec<Message>,
    /// Where each message stands in `messages`, so that a walk costs what it is long.
    places: HashMap<MessageId, usize>,
    /// What follows each message (`None`: the roots), oldest first, as places.
    children: HashMap<Option<MessageId>, Vec<usize>>,
}

/// One message of the branch that is shown, with its place among its siblings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown<'a> {
    /// The message.
    pub message: &'a Message,
    /// All answers to the same parent, oldest first, this one included.
    pub siblings: Vec<MessageId>,
}

impl Shown<'_> {
    /// Which of its siblings this is, counted from 1.
    #[must_use]
    pub fn ordinal(&self) -> usize {
        self.siblings.iter().position(|id| *id == self.message.id).map_or(1, |at| at + 1)
    }
}

impl Tree {
    /// A tree of `messages`, in any order.
    #[must_use]
    pub fn new(mut messages: Vec<Message>) -> Self {
        messages.sort_by_key(|message| (message.at, message.id));
        let mut children: HashMap<_, Vec<usize>> = HashMap::new();
        for (at, message) in messages.iter().enumerate() {
            children.entry(message.parent).or_default().push(at);
        }
        let places = messages.iter().enumerate().map(|(at, message)| (message.id, at)).collect();
        Self { messages, places, children }
    }

    /// The tree with one more message.
    #[must_use]
    pub fn with(mut self, message: Message) -> Self {
        self.messages.push(message);
        Self::new(self.messages)
    }

    /// What follows `parent`, oldest first.
    fn children(&self, parent: Option<MessageId>) -> impl DoubleEndedIterator<Item = &Message> {
        self.children.get(&parent).into_iter().flatten().filter_map(|at| self.messages.get(*at))
    }

    /// Every message, oldest first.
    #[must_use]
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// The message called `id`.
    #[must_use]
    pub fn get(&self, id: MessageId) -> Option<&Message> {
        self.places.get(&id).and_then(|at| self.messages.get(*at))
    }

    /// The way from the root to `leaf`, root first. Empty when `leaf` is not here.
    #[must_use]
    pub fn path(&self, leaf: MessageId) -> Vec<&Message> {
        let mut path = Vec::new();
        let mut next = self.get(leaf);
        while let Some(message) = next {
            path.push(message);
            // A damaged tree may run in a circle; no path is longer than the tree.
            if path.len() > self.messages.len() {
                return Vec::new();
            }
            next = message.parent.and_then(|parent| self.get(parent));
        }
        path.reverse();
        path
    }

    /// The newest leaf below `id`: where one arrives when choosing a branch.
    #[must_use]
    pub fn newest_leaf(&self, id: MessageId) -> MessageId {
        let mut leaf = id;
        for _ in 0..self.messages.len() {
            match self.children(Some(leaf)).next_back() {
                Some(child) => leaf = child.id,
                None => break,
            }
        }
        leaf
    }

    /// The branch that ends in `leaf`, each message with its siblings.
    #[must_use]
    pub fn shown(&self, leaf: MessageId) -> Vec<Shown<'_>> {
        self.path(leaf)
            .into_iter()
            .map(|message| Shown {
                message,
                siblings: self
                    .children(message.parent)
                    .filter(|other| other.author == message.author)
                    .map(|other| other.id)
                    .collect(),
            })
            .collect()
    }

    /// `id` and everything below it: what goes when a message is deleted.
    #[must_use]
    pub fn below(&self, id: MessageId) -> Vec<MessageId> {
        let mut found = vec![id];
        // In a damaged tree that runs in a circle, each message is still met once.
        let mut met = HashSet::from([id]);
        let mut at = 0;
        while let Some(&parent) = found.get(at) {
            found.extend(self.children(Some(parent)).map(|m| m.id).filter(|id| met.insert(*id)));
            at += 1;
        }
        found
    }
}
