//! What the pages of calls show: those that run, one that is followed, those that ended. Nobody's name, and of what is
//! said nothing: that comes as events.

use assistant::{EndedCall, RunningCall};
use domain::{
    Action, Timestamp,
    voice::{CallState, Category, Outcome, Way},
};
use maud::{Markup, html};

use super::{
    super::{
        admin, customers,
        frame::{Frame, Kind, note, when},
        icons::Icon,
        outcome::Notice,
    },
    PATH,
};
use crate::SignedIn;

/// What the list shows.
pub(super) struct List<'a> {
    /// The calls that run.
    pub(super) running: &'a [RunningCall],
    /// Those that ended last.
    pub(super) ended: &'a [EndedCall],
    /// For how many days these are kept.
    pub(super) days: u32,
    /// How the last act went.
    pub(super) notice: Option<&'a Notice>,
}

/// The list.
pub(super) fn list(frame: &Frame, person: &SignedIn, page: &List<'_>) -> Markup {
    let sorts = person.person.standing.rights().has(Action::WatchCalls);
    let main = html! {
        @if let Some((kind, text)) = page.notice { div { (note(*kind, text)) } }
        section #running {
            h2 { "Running" }
            div #calls data-events={ (PATH) "/events" } { (running(person, page.running)) }
        }
        section #ended {
            h2 { "Ended" }
            p { "How each call ended and how long it lasted, for " (page.days) " days. No word of it is kept." }
            @if page.ended.is_empty() { p { "None yet." } }
            @else { ul.things { @for call in page.ended { (ended(call, sorts)) } } }
        }
    };
    let about = "The voice desk as it works: which calls run, how others ended. Following one is written down, and its caller is told.";
    admin::page_with(frame, person, PATH, "Calls", about, "calls.js", &main)
}

/// The calls that run.
pub(super) fn running(person: &SignedIn, calls: &[RunningCall]) -> Markup {
    let follows = person.person.standing.rights().has(Action::WatchCalls);
    html! {
        @if calls.is_empty() {
            p { "Nobody calls at the moment. Calls appear here by themselves; programs hold them with a key that may " em { "hold calls for the voice desk" } "." }
        } @else {
            ul.things {
                @for call in calls {
                    li {
                        div.what {
                            (lasted(person.ctx.now(), call.since)) " · " (way(call.way))
                            span { (customer(call)) @if call.watchers > 0 { " · " (followers(call.watchers)) } }
                        }
                        (state(call.state))
                        @if call.holder.is_some() { (held(person, call)) }
                        @if follows { a.quiet href={ (PATH) "/" (call.id) } aria-label={ "Follow the call that lasts " (lasted(person.ctx.now(), call.since)) } { "Follow" } }
                    }
                }
            }
        }
    }
}

/// One call, to be followed.
pub(super) fn one(frame: &Frame, person: &SignedIn, call: &RunningCall) -> Markup {
    let follows = person.person.standing.rights().has(Action::WatchCalls);
    let act = |what: &str| format!("{PATH}/{}/{what}", call.id);
    let main = html! {
        div #facts { (facts(person, call)) }
        @if follows {
            section #follow data-events=(act("events")) data-list=(PATH) {
                h2 { "What is said" }
                p { "From the moment you came, and kept nowhere. The caller is told that somebody follows." }
                noscript { (note(Kind::Due, "Following a call needs scripts in this browser.")) }
                div.captions #captions role="log" aria-label="What is said" tabindex="0" {}
                div.callacts {
                    form #hold method="post" action=(act("hold")) { button.button type="submit" { "Take over" } }
                    form #back method="post" action=(act("back")) hidden { button.quiet type="submit" { "Hand back to the agent" } }
                    form #end method="post" action=(act("end")) hidden { button.danger type="submit" { "End the call" } }
                }
                form.saying #say method="post" action=(act("say")) hidden {
                    div.field {
                        label for="text" { "Say this in the agent's voice" }
                        textarea #text name="text" rows="2" required maxlength="1000" autocomplete="off" aria-describedby="how" {}
                        p.hint.small.soft #how { kbd { "Enter" } " says it, " kbd { "Shift" } " " kbd { "Enter" } " breaks the line. The caller hears that a person speaks." }
                    }
                    div.actions { button.button type="submit" { "Say it" } }
                }
                p.small #how-it-went role="status" {}
            }
        } @else { p { "Your roles show that this call runs, and not what is said in it." } }
        p { a href=(PATH) { "All calls" } }
    };
    let about = "A call of the voice desk while it is held.";
    admin::page_with(frame, person, PATH, "A running call", about, "calls.js", &main)
}

/// What is known about a running call.
pub(super) fn facts(person: &SignedIn, call: &RunningCall) -> Markup {
    html! {
        ul.things {
            li {
                div.what {
                    (lasted(person.ctx.now(), call.since)) " · " (way(call.way))
                    span { "Since " (when(call.since)) " · " (customer(call)) " · " (followers(call.watchers)) }
                }
                (state(call.state))
                @if call.holder.is_some() { (held(person, call)) }
            }
        }
    }
}

fn ended(call: &EndedCall, sorts: bool) -> Markup {
    let (kind, word) = match call.outcome {
        Outcome::Answered => (Kind::Good, "Answered"),
        Outcome::AppointmentMade => (Kind::Good, "Appointment made"),
        Outcome::HandedOver => (Kind::Plain, "Handed over"),
        Outcome::EndedByCaller => (Kind::Plain, "Ended by the caller"),
        Outcome::Failed => (Kind::Bad, "Failed"),
    };
    html! {
        li {
            div.what {
                (when(call.ended))
                span {
                    (length(call.seconds())) " · " (way(call.way))
                    @if call.held { " · held by staff" }
                    @if let Some(category) = call.category { " · " (about(category)) }
                }
            }
            span class={ "mark " (kind.class()) } { (kind.icon().draw()) (word) }
            @if sorts {
                form.inline method="post" action={ (PATH) "/" (call.id) "/sort" } {
                    label.sr for={ "about-" (call.id) } { "What the call was about" }
                    select.input id={ "about-" (call.id) } name="category" {
                        @for category in Category::ALL {
                            option value=(category.as_str()) selected[call.category == Some(category)] { (about(category)) }
                        }
                    }
                    button.quiet.compact type="submit" { "Note" }
                }
            }
        }
    }
}

fn state(state: CallState) -> Markup {
    let word = match state {
        CallState::Waiting => "Nobody speaks",
        CallState::Listening => "Caller speaks",
        CallState::Thinking => "Thinking",
        CallState::Speaking => "Agent speaks",
    };
    html! { span.mark.plain data-state=(state.as_str()) { (Icon::Circle.draw()) (word) } }
}

fn held(person: &SignedIn, call: &RunningCall) -> Markup {
    let word = if call.holder == Some(person.person.user) { "You hold it" } else { "Held by staff" };
    html! { span.mark.due { (Icon::Info.draw()) (word) } }
}

fn customer(call: &RunningCall) -> Markup {
    html! {
        @match (call.verified, call.customer) {
            (true, Some(customer)) => { a href={ (customers::PATH) "/" (customer) } { "Customer verified" } }
            (true, None) => { "Customer verified" }
            (false, _) => { "Nobody verified" }
        }
    }
}

const fn way(way: Way) -> &'static str {
    match way {
        Way::Program => "through a program",
        Way::Page => "through the voice page",
    }
}

const fn about(category: Category) -> &'static str {
    match category {
        Category::Order => "Order",
        Category::Appointment => "Appointment",
        Category::Question => "Question",
        Category::Complaint => "Complaint",
        Category::Other => "Something else",
    }
}

fn followers(count: usize) -> String {
    match count {
        0 => "nobody follows".to_owned(),
        1 => "1 follows".to_owned(),
        more => format!("{more} follow"),
    }
}

fn lasted(now: Timestamp, since: Timestamp) -> String {
    length(now.seconds_since(since))
}

fn length(seconds: i64) -> String {
    match seconds.max(0) {
        under @ 0..60 => format!("{under} s"),
        more => format!("{} min {} s", more / 60, more % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_read_well() {
        assert_eq!(
            [length(-3), length(59), length(61), length(3_600)],
            ["0 s", "59 s", "1 min 1 s", "60 min 0 s"]
        );
        assert_eq!([followers(0), followers(1), followers(2)], ["nobody follows", "1 follows", "2 follow"]);
    }
}
