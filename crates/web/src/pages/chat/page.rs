//! The page of the chat: rail, room, composer, and the few things that lie on top.

use assistant::{Allowance, Counted};
use domain::{
    chat::{Conversation, Tree},
    id::{ConversationId, TurnId},
    model::{ModelFacts, Readiness},
};
use maud::{Markup, html};
use serde_json::json;

use super::{
    super::{
        frame::{Frame, brand, data, toasts},
        icons::Icon,
        words::Words,
    },
    rail::{self, Rail},
    switcher,
    thread::Voice,
};

/// Everything the page shows.
#[derive(Debug)]
pub struct Chat<'a> {
    /// The rail.
    pub rail: Rail<'a>,
    /// The conversation, when there is one.
    pub conversation: Option<&'a Conversation>,
    /// Its messages.
    pub tree: &'a Tree,
    /// The turn that is answering.
    pub running: Option<TurnId>,
    /// Whether this chat is never written down.
    pub temporary: bool,
    /// The models.
    pub models: &'a [ModelFacts],
    /// The one that answers.
    pub chosen: Option<&'a str>,
    /// How far it is.
    pub readiness: &'a Readiness,
    /// A message that was not finished.
    pub draft: Option<&'a str>,
    /// Whether this person has no chats that are kept.
    pub temporary_only: bool,
    /// The quotas of which little is left.
    pub low: Vec<Allowance>,
}

/// The page.
#[must_use]
pub fn page(frame: &Frame, chat: &Chat<'_>) -> Markup {
    let words = frame.words;
    let title = match chat.conversation {
        Some(conversation) => rail::title(words, conversation),
        None if chat.temporary => words.temporary,
        None => words.untitled,
    };
    let body = html! {
        body.chat-page.temporary[chat.temporary] {
            (frame.skip())
            (side(frame, &chat.rail, chat.temporary_only))
            main.room #content tabindex="-1" {
                div { (head(words, chat, title)) @if let Some(notices) = &frame.notices { (notices) } }
                div.scroll #scroll {
                    div.column.thread #thread hidden[chat.conversation.is_none()] {
                        (Voice { words, models: chat.models }.thread(chat.tree, chat.conversation.and_then(|one| one.head), chat.running))
                    }
                    @if chat.conversation.is_none() { (begin(words, chat.temporary)) }
                }
                (foot(words, chat))
                div.panel.menu #menu popover role="menu" aria-label=(words.chat_options) {}
            }
            p.sr #said role="status" aria-live="polite" {}
            (toasts())
            (data("words", &words.for_scripts()))
            (data("chat", &json!({
                "conversation": chat.conversation.map(|one| one.id),
                "temporary": chat.temporary,
                "archive": chat.rail.archive,
                "draft": chat.draft.map(|_| words.draft_back),
                "folders": chat.rail.folders.iter().map(|folder| json!({ "id": folder.id, "name": folder.name })).collect::<Vec<_>>(),
            })))
        }
    };
    frame.document(title, &["prose.css", "chat.css"], Some("chat.js"), &body)
}

fn side(frame: &Frame, rail: &Rail<'_>, temporary_only: bool) -> Markup {
    let words = frame.words;
    let name = frame.name.as_deref().unwrap_or_default();
    let initial: String = name.chars().take(1).flat_map(char::to_uppercase).collect();
    html! {
        nav.rail #rail aria-label=(words.chats) {
            div.rail-head {
                (brand())
                button.bare.menu-button type="button" data-act="close-rail" aria-label=(words.close) { (Icon::Close.draw()) }
            }
            div.rail-acts {
                @if !temporary_only { a href="/chat" { (Icon::Plus.draw()) (words.new_chat) } }
                a href="/chat/temporary" { (Icon::Ghost.draw()) (words.temporary) }
            }
            search.search {
                (Icon::Search.draw())
                input #search type="search" name="q" autocomplete="off" spellcheck="false" maxlength="200" placeholder=(words.search) aria-label=(words.search);
            }
            div.rail-list #list tabindex="-1" { (rail::list(words, rail)) }
            div.rail-acts {
                @if rail.archive { a href="/chat" { (Icon::Back.draw()) (words.chats) } }
                @else { a href="/chat?archive=1" { (Icon::Archive.draw()) (words.archive) } }
            }
            div.rail-foot {
                a.me href="/account" { span.initial aria-hidden="true" { (initial) } span { (name) } }
                a.bare href="/trust" title=(words.trust) aria-label=(words.trust) { (Icon::Shield.draw()) }
                button.bare type="button" data-act="help" title={ (words.shortcuts) " (?)" } aria-label=(words.shortcuts) { (Icon::Help.draw()) }
            }
        }
    }
}

fn head(words: &Words, chat: &Chat<'_>, title: &str) -> Markup {
    html! {
        header.room-head {
            button.bare.menu-button type="button" data-act="open-rail" aria-controls="rail" aria-expanded="false" aria-label=(words.open_rail) { (Icon::Menu.draw()) }
            (switcher::switcher(words, chat.models, chat.chosen))
            h1 #title { (title) }
            span.spread {}
            @if chat.temporary {
                button.quiet.compact type="button" data-act="end-temporary" { (words.end_temporary) }
            } @else {
                button.bare type="button" #options data-act="chat-menu" data-chat=[chat.conversation.map(|one| one.id)] data-title=(title)
                    data-pinned[chat.conversation.is_some_and(|one| one.pinned)] data-archived[chat.conversation.is_some_and(|one| one.archived)]
                    data-folder=[chat.conversation.and_then(|one| one.folder)] hidden[chat.conversation.is_none()]
                    aria-haspopup="menu" aria-expanded="false" aria-label=(words.chat_options) { (Icon::More.draw()) }
            }
        }
    }
}

fn begin(words: &Words, temporary: bool) -> Markup {
    let (title, text) = if temporary {
        (words.temporary_title, words.temporary_text)
    } else {
        (words.begin_title, words.begin_text)
    };
    html! {
        div.column.begin #begin {
            h2 { (title) }
            p { (text) }
            @if !temporary {
                ul.tries {
                    @for try_this in [words.try_one, words.try_two, words.try_three, words.try_four] {
                        li { button type="button" data-act="try" { (try_this) } }
                    }
                }
            }
        }
    }
}

fn foot(words: &Words, chat: &Chat<'_>) -> Markup {
    let kept = match (chat.temporary, chat.conversation) {
        (true, _) => words.not_kept,
        (false, Some(_)) => words.kept,
        (false, None) => words.kept_new,
    };
    html! {
        div.foot {
            button.bare.latest type="button" data-act="latest" hidden { (Icon::Down.draw()) span.small { (words.latest) } }
            div #readiness { (switcher::banner(words, chat.readiness)) }
            form.column.composer #composer {
                label.sr for="message" { (words.message) }
                textarea #message name="text" rows="1" maxlength="65536" placeholder=(words.placeholder) autocomplete="off" autofocus { (chat.draft.unwrap_or_default()) }
                button.send type="submit" disabled aria-label=(words.send) title=(words.send) {
                    (Icon::Arrow.classed("icon send-shape"))
                    svg.icon.stop-shape viewBox="0 0 24 24" aria-hidden="true" { rect x="7" y="7" width="10" height="10" rx="1.5" fill="currentColor" {} }
                }
            }
            p.kept { span { (words.disclosure) } span #kept { (kept) } @for one in &chat.low { span.low { (low(words, one)) } } }
            noscript { p.kept { (words.needs_script) } }
        }
    }
}

/// How little is left of a quota.
fn low(words: &Words, one: &Allowance) -> String {
    let what = match one.what {
        Counted::Messages => words.left_messages,
        Counted::Tokens => words.left_tokens,
        Counted::VoiceSeconds => words.left_voice,
    };
    let span = if one.monthly { words.this_month } else { words.today };
    format!("{}: {} {what} {span}", words.left, one.left)
}

/// The address of a conversation.
#[must_use]
pub fn address(conversation: ConversationId, temporary: bool) -> String {
    if temporary { format!("/chat/temporary/{conversation}") } else { format!("/chat/{conversation}") }
}
