//! What the pages of customers show: the list without names, a record with the class of each field, a receipt.

use assistant::customers::{Erasure, LISTED, Listed, Record, Turnout};
use domain::{
    Action,
    customer::{Appointment, Class, Field, Moment, Order, Status},
};
use maud::{Markup, html};

use super::{
    super::{
        admin,
        frame::{Frame, Kind, note, when},
        icons::Icon,
        outcome::Notice,
    },
    PATH,
};
use crate::SignedIn;

/// What the list shows.
pub(super) struct List<'a> {
    /// How many there are.
    pub(super) turnout: Turnout,
    /// The newest.
    pub(super) listed: &'a [Listed],
    /// What was looked for and not found.
    pub(super) who: &'a str,
    /// How the last act went.
    pub(super) notices: &'a [Notice],
}

/// The list and the search.
pub(super) fn list(frame: &Frame, person: &SignedIn, page: &List<'_>) -> Markup {
    let Turnout { customers, samples } = page.turnout;
    let main = html! {
        @if !page.notices.is_empty() { div { @for (kind, text) in page.notices { (note(*kind, text)) } } }
        section #find {
            h2 { "Find somebody" }
            form.narrow method="post" action="/desk/customers/find" {
                div.field {
                    label for="who" { "Customer number, telephone or e-mail address" }
                    input #who name="who" required maxlength="300" autocomplete="off" spellcheck="false"
                        autocapitalize="off" placeholder="CUST0042" value=(page.who) aria-describedby="how";
                    p.hint.small.soft #how { "The whole of it: customers are found by keyed hashes, so parts and names find nobody." }
                }
                div.actions { button.button type="submit" { "Open the record" } }
            }
        }
        section #customers {
            h2 { "Newest customers" }
            @if page.listed.is_empty() {
                p { "There are none yet. Whoever runs the machine brings them in with " code { "troth customers import FILE" } ", or " code { "troth demo" } " for made-up ones." }
            } @else {
                p {
                    (customers) @if customers == 1 { " customer" } @else { " customers" }
                    @if samples > 0 { ", " (samples) " of them made up" }
                    "." @if customers > u64::from(LISTED) { " The newest " (LISTED) " are shown." }
                }
                ul.things { @for listed in page.listed { (line(listed)) } }
            }
        }
    };
    let about = "Who the voice desk serves. Each record is sealed under a key of its own, and opening one is written down.";
    admin::page(frame, person, PATH, "Customers", about, &main)
}

fn line(listed: &Listed) -> Markup {
    html! {
        li {
            div.what {
                a href={ (PATH) "/" (listed.id) } { (listed.internal.reference) }
                span {
                    @if let Some(since) = listed.internal.since { "Customer since " (since) " · " }
                    "last heard of " (when(listed.touched))
                }
            }
            @if listed.sample { (sample()) }
        }
    }
}

fn sample() -> Markup {
    html! { span.mark.due { (Icon::Warn.draw()) "Sample" } }
}

/// A record. `now` is what the desk's clock shows.
pub(super) fn record(
    frame: &Frame,
    person: &SignedIn,
    record: &Record,
    now: Moment,
    notice: Option<&Notice>,
) -> Markup {
    let rights = person.person.standing.rights();
    let (known, title) = (&record.confidential, format!("Customer {}", record.internal.reference));
    let main = html! {
        @if let Some((kind, text)) = notice { div { (note(*kind, text)) } }
        @if record.sample { div { (note(Kind::Due, "This customer is made up. The command troth demo --remove takes all samples out.")) } }
        section #details {
            h2 { "What is known" }
            dl.facts {
                (fact(Field::Name, Some(&known.name)))
                (fact(Field::Phone, known.phone.as_ref().map(domain::customer::Phone::as_str)))
                (fact(Field::Email, known.email.as_ref().map(domain::mail::Address::as_str)))
                (fact(Field::Address, known.address.as_deref()))
                (fact(Field::Since, record.internal.since.map(|day| day.to_string()).as_deref()))
                @if let Some(restricted) = &record.restricted {
                    (fact(Field::Born, restricted.born.map(|day| day.to_string()).as_deref()))
                    (fact(Field::Note, restricted.note.as_deref()))
                }
            }
            @if record.restricted.is_none() { (closed(record, rights.has(Action::ReadRestricted))) }
        }
        section #orders {
            h2 { "Orders" }
            @if record.orders.is_empty() { p { "None." } }
            @else { ul.things { @for order in &record.orders { (self::order(order)) } } }
        }
        section #appointments {
            h2 { "Appointments" }
            @if record.appointments.is_empty() { p { "None." } }
            @else { ul.things { @for one in &record.appointments { (appointment(one, now)) } } }
        }
        @if rights.has(Action::ManageCustomers) { (erase(record)) }
        p.small.soft { "Opened just now by you; the audit log has it. Record " code { (record.id) } ", kept since " (when(record.created)) "." }
        p { a href=(PATH) { "All customers" } }
    };
    let about = "Shown for the work at hand. The word beside each field is its class, which says who may see it and where it may go.";
    admin::page(frame, person, PATH, &title, about, &main)
}

fn fact(field: Field, value: Option<&str>) -> Markup {
    html! {
        dt { (field.title()) }
        dd.graded { @match value { Some(value) => span { (value) }, None => span.soft { "not known" } } (class(field.class())) }
    }
}

fn class(class: Class) -> Markup {
    html! { span class={ "class " (class.as_str()) } { (class.as_str()) } }
}

/// What is not shown, and the way to it.
fn closed(record: &Record, may: bool) -> Markup {
    html! {
        @if !record.has_restricted { p.small.soft { "Nothing restricted is kept." } }
        @else if may {
            form method="get" action={ (PATH) "/" (record.id) "/restricted" } {
                button.quiet type="submit" { "Open what is restricted" }
            }
            p.hint.small.soft { "Date of birth and notes. You confirm who you are first, and it is written down by itself." }
        } @else { p.small.soft { "Date of birth and notes are restricted; your roles do not open them." } }
    }
}

fn order(order: &Order) -> Markup {
    let (kind, word) = match order.status {
        Status::Pending => (Kind::Plain, "Pending"),
        Status::Shipped => (Kind::Plain, "Shipped"),
        Status::Delivered => (Kind::Good, "Delivered"),
        Status::Cancelled => (Kind::Bad, "Cancelled"),
    };
    html! {
        li {
            div.what {
                (order.reference)
                span {
                    "Placed " (order.placed)
                    @if let Some(expected) = order.expected { " · expected " (expected) }
                    @if let Some(total) = &order.total { " · " (total) }
                }
                @if !order.items.is_empty() { div.graded { span { (order.items.join(" · ")) } (class(Field::Items.class())) } }
            }
            span class={ "mark " (kind.class()) } { (kind.icon().draw()) (word) }
        }
    }
}

fn appointment(appointment: &Appointment, now: Moment) -> Markup {
    html! {
        li {
            div.what { (appointment.start) span { (appointment.service) " · " (appointment.reference) } }
            @if appointment.start > now { span.mark.good { (Icon::Check.draw()) "Ahead" } }
            @else { span.mark { (Icon::Circle.draw()) "Past" } }
        }
    }
}

fn erase(record: &Record) -> Markup {
    html! {
        section #erase {
            h2 { "Erase" }
            p { "Everything above goes, the key of this record is destroyed, and the times of appointments are free again. A copy of the database that somebody made before still holds both." }
            form.narrow method="post" action={ (PATH) "/" (record.id) "/erase" } {
                label.check { input type="checkbox" name="sure" value="yes" required; span { "Yes, erase this customer for good" } }
                div.actions { button.danger type="submit" { "Erase the customer" } }
            }
        }
    }
}

/// What was erased, to be kept or printed. Nothing in it tells of whom.
pub(super) fn receipt(frame: &Frame, person: &SignedIn, erasure: &Erasure) -> Markup {
    let main = html! {
        div { (note(Kind::Good, "The customer is erased, and the key of the record is destroyed.")) }
        section #receipt {
            h2 { "Receipt" }
            dl.facts {
                dt { "Record" } dd { code { (erasure.id) } }
                dt { "Erased" } dd { (when(erasure.at)) }
                dt { "With it" } dd { (counted(erasure.erased.orders, "order")) ", " (counted(erasure.erased.appointments, "appointment")) }
                dt { "Reference" } dd { code { (erasure.request) } }
            }
            p.small.soft { "The audit log holds the same under this reference. Keep or print this page; it cannot be opened again." }
        }
        p { a href=(PATH) { "All customers" } }
    };
    let about = "What is gone, and how to show that it is.";
    admin::page(frame, person, PATH, "Erased", about, &main)
}

fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
