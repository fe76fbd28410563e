//! What a person is told on every page: a password that is due, a recovery under way, a missing factor.

use identity::Notices;
use maud::{Markup, html};

use super::{
    frame::{Kind, when},
    words::{Own, filled},
};

/// The notices as markup; `None` when there is nothing to tell.
#[must_use]
pub fn shown(own: &Own, notices: &Notices) -> Option<Markup> {
    let Notices { password_due, recovery, news, factor_missing } = *notices;
    if password_due.is_none() && recovery.is_none() && !news && !factor_missing {
        return None;
    }
    Some(html! {
        div.notices {
            @if let Some(recovery) = recovery {
                div.note.bad role="alert" {
                    (Kind::Due.icon().draw())
                    div {
                        p {
                            (filled(if recovery.operator { own.notice_operator } else { own.notice_asked }, &[when(recovery.asked)])) " "
                            @match recovery.ready {
                                Some(ready) => { (filled(own.notice_ready, &[when(ready)])) }
                                None => { (own.notice_waits) }
                            }
                            " " (own.notice_not_you)
                        }
                        form method="post" action="/account/recovery/off" { button.danger.compact type="submit" { (own.call_off) } }
                    }
                }
            }
            @if news {
                div.note.due role="status" {
                    (Kind::Due.icon().draw())
                    p { (own.notice_news) " " a href="/account#told" { (own.read_it) } }
                }
            }
            @if let Some(due) = password_due {
                div.note.due role="status" {
                    (Kind::Due.icon().draw())
                    p { (filled(own.notice_due, &[when(due)])) " " a href="/account#ways" { (own.change_now) } }
                }
            }
            @if factor_missing {
                div.note.due role="status" {
                    (Kind::Due.icon().draw())
                    p { (own.notice_factor) " " a href="/account/factors" { (own.ways_title) } }
                }
            }
        }
    })
}
