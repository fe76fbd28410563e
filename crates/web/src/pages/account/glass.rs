//! The part of the account page that says who asked to read one's chats. It is always there: a page that
//! showed it only when there is something would be missed when it matters.

use domain::Timestamp;
use identity::{Asked, RequestState};
use maud::{Markup, html};

use super::super::{
    frame::{Kind, note, when},
    words::{Own, filled},
};

/// The section.
#[must_use]
pub fn section(own: &Own, asked: &[Asked], now: Timestamp) -> Markup {
    html! {
        section #glass {
            h2 { (own.glass_title) }
            @if asked.is_empty() {
                p { (own.glass_nobody) }
            } @else {
                @if asked.iter().any(|asked| asked.open_until(now).is_some()) { (note(Kind::Due, own.glass_open)) }
                ul.things { @for one in asked { (request(own, one, now)) } }
            }
        }
    }
}

fn request(own: &Own, asked: &Asked, now: Timestamp) -> Markup {
    let request = &asked.request;
    let decider = [html! { (request.words.decider) }];
    html! {
        li.request {
            div.what {
                (filled(own.glass_asked, &[html! { strong { (request.words.requester) } }, when(request.asked)]))
                blockquote { (request.words.reason) }
                span {
                    @match request.state {
                        RequestState::Asked => (own.glass_waiting),
                        RequestState::Refused => { (filled(own.glass_refused, &decider)) }
                        RequestState::Agreed => {
                            (filled(own.glass_agreed, &decider))
                            @if let Some(ends) = request.ends { " " (filled(if now < ends { own.glass_until } else { own.glass_ended }, &[when(ends)])) }
                        }
                    }
                }
                @if !asked.reads.is_empty() {
                    details {
                        summary { (filled(own.glass_opened, &[html! { (asked.reads.len()) }])) }
                        ul.small {
                            @for read in &asked.reads {
                                li {
                                    (when(read.at)) ": "
                                    @match read.conversation {
                                        Some(chat) => { a href={ "/chat/" (chat) } { (own.glass_chat) } }
                                        None => (own.glass_list)
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
