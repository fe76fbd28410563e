//! The end of a session for want of activity: how long there is left, and how to stay.
//!
//! Every page of a signed-in person carries [`notice`] for `idle.js`, which warns in time. Asking how long
//! there is left is the page's doing and keeps no session alive; staying is its person's.

use domain::{Ctx, Timestamp, control::Numbers, id::UserId};
use maud::Markup;
use serde::Serialize;
use serde_json::json;

use super::{frame::data, words::Words};
use crate::{SignedIn, Unattended, input::Json};

/// What a page knows about the end of its session.
#[derive(Clone, Copy, Debug)]
pub struct Idle {
    /// Whose session it is.
    pub who: UserId,
    /// Seconds until it ends if nothing more happens.
    pub left_s: i64,
    /// Seconds it lasts without a request.
    pub limit_s: i64,
    /// Seconds before the end at which the page warns.
    pub warning_s: i64,
}

impl Idle {
    /// The end of this person's session.
    #[must_use]
    pub fn of(person: &SignedIn, numbers: &Numbers) -> Self {
        let limit_s = i64::from(numbers.idle_minutes) * 60;
        // Where the limit is short, half of it passes unwarned.
        let warning_s = i64::from(numbers.idle_warning_seconds).min(limit_s / 2);
        Self {
            who: person.person.user,
            left_s: left(&person.ctx, person.person.idle_ends),
            limit_s,
            warning_s,
        }
    }
}

/// How long there is left, and of whose session: another person may have signed in beside this page.
#[derive(Serialize)]
pub struct Left {
    left_s: i64,
    who: UserId,
}

impl Left {
    fn of(person: &SignedIn) -> Self {
        Self { left_s: left(&person.ctx, person.person.idle_ends), who: person.person.user }
    }
}

/// `GET /session/left`
pub async fn left_now(Unattended(person): Unattended) -> Json<Left> {
    Json(Left::of(&person))
}

/// `POST /session/stay`: its person is there.
pub async fn stay(person: SignedIn) -> Json<Left> {
    Json(Left::of(&person))
}

fn left(ctx: &Ctx, ends: Timestamp) -> i64 {
    ends.seconds_since(ctx.now()).max(0)
}

/// What `idle.js` reads.
#[must_use]
pub fn notice(idle: Idle, words: &Words) -> Markup {
    data(
        "session",
        &json!({
            "who": idle.who, "left": idle.left_s, "limit": idle.limit_s, "warning": idle.warning_s,
            "title": words.idle_title, "text": words.idle_text, "stay": words.idle_stay, "signOut": words.sign_out,
            "overTitle": words.over_title, "overText": words.over_text, "overLink": words.over_link,
            "minutes": words.idle_minutes, "seconds": words.idle_seconds,
        }),
    )
}
