//! What the pages of access reviews show: which there were, and what is to be decided in the open one.

use domain::{Action, Timestamp, bounds::Bounds, id::UserId};
use identity::{Item, Overview, Review, ReviewPage, ReviewVerdict, Subject, hash_of};
use maud::{Markup, html};

use super::super::{
    admin,
    frame::{Frame, Kind, note, when},
    icons::Icon,
    role_words,
};
use crate::SignedIn;

const HERE: &str = "/admin/reviews";

/// The reviews there are.
pub(super) fn overview(frame: &Frame, person: &SignedIn, overview: &Overview, now: Timestamp) -> Markup {
    let open = overview.reviews.iter().find(|review| review.closed.is_none());
    let may = person.person.standing.rights().has(Action::ReviewAccess);
    let main = html! {
        section {
            h2 { "Now" }
            @match open {
                Some(review) => {
                    @if now >= review.due { (note(Kind::Bad, "This review is overdue. What nobody confirmed is about to lapse.")) }
                    @else { (note(Kind::Due, "A review is open. What nobody confirms by its end lapses.")) }
                    p { "It is due " (when(review.due)) "." }
                    @if may { div.actions { a.button href={ (HERE) "/" (review.id) } { "Go through it" } } }
                }
                None => {
                    (note(Kind::Good, "Nothing waits for you."))
                    p { "The next review begins by itself on " (when(overview.next)) "." }
                    @if may { form.actions method="post" action=(HERE) { button.quiet type="submit" { "Begin one now" } } }
                }
            }
        }
        section {
            h2 { "Earlier reviews" }
            @if overview.reviews.iter().all(|review| review.closed.is_none()) { p { "There was none yet." } }
            @else {
                ul.things { @for review in overview.reviews.iter().filter(|review| review.closed.is_some()) { (closed(review, may)) } }
            }
        }
    };
    let about = "Every grant beyond an ordinary user's is looked at again by somebody else, or it ends.";
    admin::page(frame, person, HERE, "Access reviews", about, &main)
}

fn closed(review: &Review, may: bool) -> Markup {
    html! {
        li {
            div.what {
                @if may { a href={ (HERE) "/" (review.id) } { "Begun " (when(review.begun)) } } @else { "Begun " (when(review.begun)) }
                @if let Some(at) = review.closed { span { "Closed " (when(at)) } }
            }
            a.quiet.compact href={ (HERE) "/" (review.id) "/report" } download { (Icon::Download.draw()) "Report" }
        }
    }
}

/// One review.
pub(super) fn review(
    frame: &Frame,
    person: &SignedIn,
    page: &ReviewPage,
    notice: Option<(Kind, String)>,
) -> Markup {
    let waiting: Vec<&Item> = page.items.iter().filter(|item| item.decision.is_none()).collect();
    let done: Vec<&Item> = page.items.iter().filter(|item| item.decision.is_some()).collect();
    let main = html! {
        @if let Some((kind, text)) = notice { div { (note(kind, &text)) } }
        @if let (Some(at), Some(report)) = (page.review.closed, &page.review.report) { (evidence(page, at, report)) }
        @else {
            p.progressline {
                progress max=(page.items.len()) value=(done.len()) aria-label="Decided" {}
                span { (done.len()) " of " (page.items.len()) " decided · due " (when(page.review.due)) }
            }
        }
        @if !waiting.is_empty() {
            section #open {
                h2 { "To be decided" }
                ul.things { @for item in &waiting { (undecided(person, page, item)) } }
            }
        }
        @if !done.is_empty() {
            section {
                h2 { "Decided" }
                ul.things { @for item in &done { (decided(page, item)) } }
            }
        }
    };
    let about = "Confirm what is still needed for somebody's task. Revoke the rest; it ends at once.";
    admin::page(frame, person, HERE, "Access review", about, &main)
}

fn evidence(page: &ReviewPage, at: Timestamp, report: &str) -> Markup {
    html! {
        section {
            (note(Kind::Good, "This review is closed. Its report is evidence and does not change any more."))
            p { "Closed " (when(at)) ". The audit log holds this hash of the report:" }
            p.secret { (hash_of(report)) }
            div.actions { a.quiet href={ (HERE) "/" (page.review.id) "/report" } download { (Icon::Download.draw()) "Report (JSON)" } }
        }
    }
}

fn undecided(person: &SignedIn, page: &ReviewPage, item: &Item) -> Markup {
    let (name, what) = (name(page, item.account), grant(page, item));
    let mine = item.account == person.person.user;
    let button = |class: &str, verdict: &str, word: &str| {
        html! {
            button class=(class) type="submit" name="verdict" value=(verdict) aria-label={ (word) " " (what) " of " (name) } { (word) }
        }
    };
    html! {
        li {
            (facts(page, &name, &what, item))
            @if item.unused { span.mark.due { (Icon::Warn.draw()) "Unused: revoke?" } }
            @if mine { span.small.soft { "Yours: somebody else decides" } }
            @else {
                form.deciding method="post" action={ (HERE) "/" (page.review.id) "/decide" } {
                    input type="hidden" name="account" value=(item.account);
                    input type="hidden" name="grant" value=(item.subject);
                    (button("quiet compact", "confirm", "Confirm"))
                    (button("danger compact", "revoke", "Revoke"))
                }
            }
        }
    }
}

fn decided(page: &ReviewPage, item: &Item) -> Markup {
    let verdict = item.decision.as_ref().map(|decision| decision.verdict);
    let (kind, word) = match verdict {
        Some(ReviewVerdict::Confirmed) => (Kind::Good, "Confirmed"),
        Some(ReviewVerdict::Revoked) => (Kind::Bad, "Revoked"),
        Some(ReviewVerdict::Lapsed) => (Kind::Bad, "Lapsed"),
        Some(ReviewVerdict::KeptLastOwner) => (Kind::Due, "Kept: the last owner"),
        Some(ReviewVerdict::KeptLimits) => (Kind::Due, "Kept: it sets limits"),
        Some(ReviewVerdict::Gone) | None => (Kind::Plain, "Had ended before"),
    };
    html! {
        li {
            (facts(page, &name(page, item.account), &grant(page, item), item))
            span class={ "mark " (kind.class()) } { (kind.icon().draw()) (word) }
        }
    }
}

fn facts(page: &ReviewPage, name: &str, what: &str, item: &Item) -> Markup {
    html! {
        div.what {
            (name) ": " strong { (what) }
            span {
                "Since " (when(item.granted))
                @if let Some(at) = item.last_used { " · last used " (when(at)) }
                @else if !matches!(item.subject, Subject::Group(_)) { " · not used yet" }
                @if is_bounded(page, item) { " · out of it, its limits hold no longer" }
            }
        }
    }
}

/// Whether it is a place in a group that sets limits: who leaves it may do more.
fn is_bounded(page: &ReviewPage, item: &Item) -> bool {
    let Subject::Group(id) = item.subject else { return false };
    page.groups.iter().any(|group| group.id == id && group.bounds != Bounds::default())
}

fn name(page: &ReviewPage, account: UserId) -> String {
    let holder = page.held.holders.iter().find(|holder| holder.user == account);
    holder.map_or_else(|| "A deleted account".to_owned(), |holder| holder.name.clone())
}

fn grant(page: &ReviewPage, item: &Item) -> String {
    match item.subject {
        Subject::Role(what) => role_words::grant_name(&page.held, what),
        Subject::Group(id) => page.groups.iter().find(|group| group.id == id).map_or_else(
            || "a group that is deleted".to_owned(),
            |group| format!("in the group {}", group.name),
        ),
        Subject::Key(id) => page.keys.iter().find(|key| key.id == id).map_or_else(
            || "an API key that is revoked".to_owned(),
            |key| format!("API key {}…", key.prefix),
        ),
    }
}
