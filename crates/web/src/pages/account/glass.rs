//! The part of the account page that says who asked to read one's chats. It is always there: a page that
//! showed it only when there is something would be missed when it matters.

use domain::Timestamp;
use identity::{Asked, RequestState};
use maud::{Markup, html};

use super::super::frame::{Kind, note, when};

/// The section.
#[must_use]
pub fn section(asked: &[Asked], now: Timestamp) -> Markup {
    html! {
        section #glass {
            h2 { "Who asked to read your chats" }
            @if asked.is_empty() {
                p { "Nobody. When staff must read them, one asks with a reason, another agrees, and it stands here." }
            } @else {
                @if asked.iter().any(|asked| asked.open_until(now).is_some()) { (note(Kind::Due, "Somebody may read your chats at the moment.")) }
                ul.things { @for one in asked { (request(one, now)) } }
            }
        }
    }
}

fn request(asked: &Asked, now: Timestamp) -> Markup {
    let request = &asked.request;
    html! {
        li.request {
            div.what {
                strong { (request.words.requester) } " asked " (when(request.asked))
                blockquote { (request.words.reason) }
                span {
                    @match request.state {
                        RequestState::Asked => "Nobody has agreed.",
                        RequestState::Refused => { (request.words.decider) " refused or called it off." }
                        RequestState::Agreed => {
                            (request.words.decider) " agreed."
                            @if let Some(ends) = request.ends { @if now < ends { " Open until " } @else { " It ended " } (when(ends)) "." }
                        }
                    }
                }
                @if !asked.reads.is_empty() {
                    details {
                        summary { "Opened: " (asked.reads.len()) }
                        ul.small {
                            @for read in &asked.reads {
                                li {
                                    (when(read.at)) ": "
                                    @match read.conversation {
                                        Some(chat) => { a href={ "/chat/" (chat) } { "this chat" } }
                                        None => "the list of your chats"
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
