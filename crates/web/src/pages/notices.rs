//! What a person is told on every page: a password that is due, a recovery under way, a missing factor.

use identity::Notices;
use maud::{Markup, html};

use super::frame::{Kind, when};

/// The notices as markup; `None` when there is nothing to tell.
#[must_use]
pub fn shown(notices: &Notices) -> Option<Markup> {
    let Notices { password_due, recovery, news, factor_missing } = *notices;
    if password_due.is_none() && recovery.is_none() && !news && !factor_missing {
        return None;
    }
    Some(html! {
        div.notices lang="en" {
            @if let Some(recovery) = recovery {
                div.note.bad role="alert" {
                    (Kind::Due.icon().draw())
                    div {
                        p {
                            @if recovery.operator { "Whoever runs this server made a way to replace your factors, at " }
                            @else { "Somebody who knows your password asked to replace your factors, at " }
                            (when(recovery.asked)) "."
                            @match recovery.ready {
                                Some(ready) => { " It can be used from " (when(ready)) "." }
                                None => { " Two people have not agreed to it yet." }
                            }
                            " If that was not you, call it off and change your password."
                        }
                        form method="post" action="/account/recovery/off" { button.danger.compact type="submit" { "Call it off" } }
                    }
                }
            }
            @if news {
                div.note.due role="status" {
                    (Kind::Due.icon().draw())
                    p { "Something happened to your sign-ins since your last visit. " a href="/account#told" { "Read it" } }
                }
            }
            @if let Some(due) = password_due {
                div.note.due role="status" {
                    (Kind::Due.icon().draw())
                    p { "Your password must be changed before " (when(due)) ". " a href="/account#ways" { "Change it now" } }
                }
            }
            @if factor_missing {
                div.note.due role="status" {
                    (Kind::Due.icon().draw())
                    p { "Your roles let you administer this server once you have shown a second factor. " a href="/account/factors" { "Ways to sign in" } }
                }
            }
        }
    })
}
