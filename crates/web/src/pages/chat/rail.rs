//! The rail: one's conversations, folders, and what a search found.
//!
//! Rendered into the chat page, and alone for the script that refreshes it.

use std::fmt::Write as _;

use domain::{
    chat::{Conversation, Folder},
    id::{ConversationId, FolderId, MessageId},
};
use maud::{Markup, PreEscaped, html};

use super::super::{icons::Icon, words::Words};

/// What the list shows.
#[derive(Debug)]
pub struct Rail<'a> {
    /// The conversations, newest first: the archived ones when `archive` is set, else the others.
    pub conversations: &'a [Conversation],
    /// The folders.
    pub folders: &'a [Folder],
    /// The conversation on the page.
    pub here: Option<ConversationId>,
    /// Whether this is the archive.
    pub archive: bool,
}

/// The list of conversations.
#[must_use]
pub fn list(words: &Words, rail: &Rail<'_>) -> Markup {
    if rail.archive {
        return section(words, words.archive, rail, &|_| true, Some(words.no_archive), None);
    }
    let loose = |chat: &Conversation| {
        !chat.pinned && !rail.folders.iter().any(|folder| chat.folder == Some(folder.id))
    };
    let nothing = rail.conversations.is_empty().then_some(words.no_chats);
    html! {
        (section(words, words.pinned, rail, &|chat| chat.pinned, None, None))
        @for folder in rail.folders {
            (section(words, &folder.name, rail, &|chat| !chat.pinned && chat.folder == Some(folder.id), Some(""), Some(folder.id)))
        }
        (section(words, words.recent, rail, &loose, nothing, None))
    }
}

fn section(
    words: &Words,
    title: &str,
    rail: &Rail<'_>,
    belongs: &dyn Fn(&Conversation) -> bool,
    empty: Option<&str>,
    folder: Option<FolderId>,
) -> Markup {
    let chats: Vec<_> = rail.conversations.iter().filter(|chat| belongs(chat)).collect();
    if chats.is_empty() && empty.is_none() {
        return html! {};
    }
    html! {
        h2 {
            span { (title) }
            @if let Some(id) = folder {
                button.bare type="button" data-act="folder-menu" data-folder=(id) data-title=(title)
                    aria-haspopup="menu" aria-expanded="false" aria-label={ (words.folder_options) " " (title) } { (Icon::More.draw()) }
            }
        }
        @if chats.is_empty() {
            @if let Some(text) = empty.filter(|text| !text.is_empty()) { p.none { (text) } }
        } @else {
            ul.rows { @for chat in chats { (row(words, chat, rail.here)) } }
        }
    }
}

fn row(words: &Words, chat: &Conversation, here: Option<ConversationId>) -> Markup {
    let title = title(words, chat);
    let is_here = here == Some(chat.id);
    html! {
        li.row.here[is_here] {
            @if chat.pinned { (Icon::Pin.classed("icon pin")) }
            a href={ "/chat/" (chat.id) } aria-current=[is_here.then_some("page")] title=(title) { (title) }
            button.bare type="button" data-act="chat-menu" data-chat=(chat.id) data-title=(title)
                data-pinned[chat.pinned] data-archived[chat.archived] data-folder=[chat.folder]
                aria-haspopup="menu" aria-expanded="false" aria-label={ (words.options_for) " " (title) } { (Icon::More.draw()) }
        }
    }
}

/// What a conversation is called.
#[must_use]
pub fn title<'a>(words: &'a Words, chat: &'a Conversation) -> &'a str {
    if chat.title.is_empty() { words.untitled } else { &chat.title }
}

/// One thing a search found.
#[derive(Debug)]
pub struct Found<'a> {
    /// The conversation.
    pub conversation: &'a Conversation,
    /// The message.
    pub message: MessageId,
    /// The words around it.
    pub snippet: &'a str,
}

/// What a search found, the words looked for marked.
#[must_use]
pub fn found(words: &Words, query: &str, hits: &[Found<'_>]) -> Markup {
    html! {
        h2 { span { (words.results) } }
        @if hits.is_empty() { p.none { (words.no_hits) } }
        ul.rows {
            @for hit in hits {
                li.row.hit {
                    a href={ "/chat/" (hit.conversation.id) "#m-" (hit.message) } {
                        strong { (title(words, hit.conversation)) }
                        span { (marked(hit.snippet, query)) }
                    }
                }
            }
        }
    }
}

/// `text`, escaped, the words of `query` marked where a word begins with them.
fn marked(text: &str, query: &str) -> Markup {
    let wanted: Vec<String> = query.split_whitespace().map(str::to_lowercase).collect();
    let mut html = String::with_capacity(text.len() * 2);
    for (index, word) in text.split(' ').enumerate() {
        if index > 0 {
            html.push(' ');
        }
        let plain = word.trim_start_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        let word = html! { (word) }.into_string();
        let _ = match wanted.iter().any(|want| plain.starts_with(want.as_str())) {
            true => write!(html, "<mark>{word}</mark>"),
            false => write!(html, "{word}"),
        };
    }
    PreEscaped(html)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn found_words_are_marked_and_escaped() {
        let html = marked("a <b>Rainbow</b> and (rainy) days", "rain").into_string();
        assert_eq!(html, "a &lt;b&gt;Rainbow&lt;/b&gt; and <mark>(rainy)</mark> days");
    }
}
