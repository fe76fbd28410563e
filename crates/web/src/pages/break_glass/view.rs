//! What the pages of requests show: who asked for whose chats and why, and, while it is allowed, the chats.

use assistant::Opened;
use domain::{
    Action, Timestamp,
    chat::{Author, Conversation},
    id::ContentRequestId,
};
use identity::{Asked, Holder, MIN_REASON_CHARS, MOST_REASON_CHARS, RequestState};
use maud::{Markup, PreEscaped, html};

use super::super::{
    admin,
    frame::{Frame, Kind, note, when},
    words::Words,
};
use crate::{SignedIn, markdown};

const HERE: &str = "/admin/content";

/// Everything the page of requests shows.
pub(super) struct Page<'a> {
    /// Who looks at it.
    pub(super) person: &'a SignedIn,
    /// The requests.
    pub(super) asked: &'a [Asked],
    /// Whose chats may be asked for.
    pub(super) people: &'a [Holder],
    /// For how long a request is good.
    pub(super) minutes: u32,
    /// What stands against the last act.
    pub(super) notice: Option<(Kind, String)>,
    /// What was typed and refused.
    pub(super) reason: &'a str,
    /// Now.
    pub(super) now: Timestamp,
}

/// The page of requests.
pub(super) fn page(frame: &Frame, page: &Page<'_>) -> Markup {
    let rights = page.person.person.standing.rights();
    let main = html! {
        @if let Some((kind, text)) = &page.notice { div { (note(*kind, text)) } }
        section #requests {
            h2 { "Requests" }
            @if page.asked.is_empty() { p { "Nobody has asked to read anybody's chats." } }
            @else { ul.things { @for asked in page.asked { (request(page, asked)) } } }
        }
        @if rights.has(Action::RequestContent) { (ask(page)) }
    };
    let about = "Chats are closed to everybody but their person. When they must be read, one asks with a reason, \
                 another agrees, and the person sees all of it.";
    admin::page(frame, page.person, HERE, "Reading somebody's chats", about, &main)
}

fn request(page: &Page<'_>, asked: &Asked) -> Markup {
    let (request, rights) = (&asked.request, page.person.person.standing.rights());
    let mine = request.requester == page.person.person.user;
    let about_me = request.subject == page.person.person.user;
    let (waiting, open) = (asked.is_waiting(page.now), asked.open_until(page.now));
    let act = |word: &str, act: &str, class: &str| {
        html! {
            form method="post" action={ (HERE) "/" (request.id) "/" (act) } {
                button class=(class) type="submit" aria-label={ (word) ": the request about " (asked.subject) } { (word) }
            }
        }
    };
    html! {
        li.request {
            div.what {
                (request.words.requester) " asks to read the chats of " strong { (asked.subject) }
                span { "Asked " (when(request.asked)) @if !request.words.decider.is_empty() { " · decided by " (request.words.decider) } }
                blockquote { (request.words.reason) }
                @if !asked.reads.is_empty() { span { (asked.reads.len()) " times something was opened" } }
            }
            (mark(asked, waiting, open))
            div.actions {
                @if waiting && !mine && !about_me && rights.has(Action::ApproveContent) {
                    (act("Agree", "approve", "button compact"))
                    (act("Refuse", "refuse", "quiet compact"))
                }
                @if waiting && mine { (act("Call it off", "refuse", "quiet compact")) }
                @if open.is_some() {
                    @if mine { a.button.compact href={ (HERE) "/" (request.id) "/chats" } { "Read" } }
                    (act("End it now", "end", "quiet compact"))
                }
            }
        }
    }
}

fn mark(asked: &Asked, waiting: bool, open: Option<Timestamp>) -> Markup {
    let one = |kind: Kind, word: &str, until: Option<Timestamp>| {
        html! { span class={ "mark " (kind.class()) } { (kind.icon().draw()) span { (word) @if let Some(at) = until { " " (when(at)) } } } }
    };
    match (asked.request.state, waiting, open) {
        (_, _, Some(until)) => one(Kind::Due, "Open until", Some(until)),
        (RequestState::Asked, true, _) => one(Kind::Due, "Waits for somebody else", None),
        (RequestState::Asked, false, _) => one(Kind::Plain, "Nobody agreed in a day", None),
        (RequestState::Refused, ..) => one(Kind::Plain, "Refused", None),
        (RequestState::Agreed, ..) => one(Kind::Plain, "Over", None),
    }
}

fn ask(page: &Page<'_>) -> Markup {
    let others = page.people.iter().filter(|holder| holder.user != page.person.person.user);
    html! {
        section #ask {
            h2 { "Ask" }
            p { "Somebody else has a day to agree. Then you may read for " (page.minutes) " minutes. The person sees your name and this reason." }
            form.narrow method="post" action=(HERE) {
                div.field {
                    label for="account" { "Whose chats" }
                    select #account name="account" required { @for holder in others { option value=(holder.user) { (holder.name) } } }
                }
                div.field {
                    label for="reason" { "Why it must be" }
                    textarea #reason name="reason" required minlength=(MIN_REASON_CHARS) maxlength=(MOST_REASON_CHARS) rows="4" { (page.reason) }
                }
                div.actions { button.button type="submit" { "Ask" } }
            }
        }
    }
}

/// The conversations of the person, to choose from.
pub(super) fn chats(
    frame: &Frame,
    person: &SignedIn,
    id: ContentRequestId,
    conversations: &[Conversation],
) -> Markup {
    let main = html! {
        (seen())
        @if conversations.is_empty() { p { "There is no conversation." } }
        @else {
            ul.things {
                @for chat in conversations {
                    li {
                        div.what {
                            a href={ (HERE) "/" (id) "/chats/" (chat.id) } { @if chat.title.is_empty() { "Without a title" } @else { (chat.title) } }
                            span { "Last changed " (when(chat.updated)) }
                        }
                    }
                }
            }
        }
    };
    admin::page(frame, person, HERE, "Chats", "Open only what the reason asks for.", &main)
}

/// One conversation, to be read.
pub(super) fn chat(frame: &Frame, person: &SignedIn, id: ContentRequestId, opened: &Opened) -> Markup {
    let title = Some(opened.conversation.title.as_str()).filter(|title| !title.is_empty());
    let shown = opened.conversation.head.map(|head| opened.tree.shown(head)).unwrap_or_default();
    let main = html! {
        (seen())
        div.readonly {
            @for one in &shown {
                article {
                    h2 { (author(one.message.author)) span.small.soft { " · " (when(one.message.at)) } }
                    @if one.message.author == Author::User { p.said { (one.message.body.text) } }
                    @else { div.prose { (PreEscaped(markdown::render(&one.message.body.text, &labels(frame.words)))) } }
                }
            }
        }
        div.actions { a.quiet href={ (HERE) "/" (id) "/chats" } { "Back to the chats" } }
    };
    admin::page(
        frame,
        person,
        HERE,
        title.unwrap_or("Without a title"),
        "To be read, not to be changed.",
        &main,
    )
}

fn labels(words: &Words) -> markdown::Labels {
    words.labels()
}

const fn author(author: Author) -> &'static str {
    match author {
        Author::User => "The person",
        Author::Assistant => "The assistant",
    }
}

fn seen() -> Markup {
    note(Kind::Due, "The person can see that you opened this, and when.")
}
