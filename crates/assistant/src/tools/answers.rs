//! What tools say to the model: results reduced to what the task needs, and refusals that say what to do next.

use domain::{
    customer::{Appointment, Field, NoTime, Order, Task},
    enforced,
    model::Place,
};
use serde_json::{Map, Value, json};

use super::Effect;
use crate::customers::{Sent, Verdict};

/// What a tool says.
pub(super) struct Answer {
    pub(super) value: Value,
    pub(super) failed: bool,
    pub(super) effect: Option<Effect>,
    /// Whether the tool came to its end: what failed on the way may be tried again.
    pub(super) is_settled: bool,
}

impl Answer {
    /// It was done.
    pub(super) fn yes(value: Value) -> Self {
        Self { value, failed: false, effect: None, is_settled: false }
    }

    /// It was not done: why, and what to do next.
    pub(super) fn no(error: &str, next: &str) -> Self {
        Self { value: json!({ "error": error, "next": next }), failed: true, effect: None, is_settled: false }
    }

    /// It was done and changes the call.
    pub(super) fn effect(value: Value, effect: Effect) -> Self {
        Self { value, failed: false, effect: Some(effect), is_settled: false }
    }
}

/// The part of a record a model at `place` is told for `task`: what the task lists, and of that what its class
/// lets out.
fn told(task: Task, place: &Place, fields: impl IntoIterator<Item = (Field, Value)>) -> Value {
    let mut told = Map::new();
    for (field, value) in fields {
        if !task.fields().contains(&field) || !field.class().may_be_told_at(place) {
            enforced!(CUS06);
            continue;
        }
        if !value.is_null() {
            told.insert(field.name().to_owned(), value);
        }
    }
    Value::Object(told)
}

/// An order as `task` needs it.
pub(super) fn order(task: Task, place: &Place, order: &Order) -> Value {
    told(
        task,
        place,
        [
            (Field::Order, json!(order.reference)),
            (Field::Placed, json!(order.placed.to_string())),
            (Field::Status, json!(order.status.as_str())),
            (Field::Expected, json!(order.expected.map(|day| day.to_string()))),
            (Field::Items, json!(order.items)),
            (Field::Total, json!(order.total)),
        ],
    )
}

/// An appointment as `task` needs it.
pub(super) fn appointment(task: Task, place: &Place, appointment: &Appointment) -> Value {
    told(
        task,
        place,
        [
            (Field::Appointment, json!(appointment.reference)),
            (Field::Start, json!(appointment.start.to_string())),
            (Field::Service, json!(appointment.service)),
        ],
    )
}

/// What came of asking who calls. `ways`: what to ask for.
pub(super) fn verdict(verdict: Verdict, ways: &str) -> Answer {
    match verdict {
        Verdict::Verified => {
            Answer::yes(json!({ "verified": true, "next": "Go on with what the caller wants." }))
        }
        Verdict::Already => Answer::no(
            "the caller has shown who they are, and this call stays theirs",
            "Go on with what the caller wants. For another customer, ask them to call again.",
        ),
        Verdict::No { left } => {
            let tries = if left == 1 { "try is" } else { "tries are" };
            let next = format!(
                "Say that this did not match, without saying what, and ask for it again. {left} {tries} left."
            );
            Answer {
                value: json!({ "verified": false, "next": next }),
                failed: true,
                effect: None,
                is_settled: false,
            }
        }
        Verdict::Over => Answer {
            value: json!({
                "verified": false,
                "next": "No tries are left in this call. Offer to hand the caller over to a person.",
            }),
            failed: true,
            effect: None,
            is_settled: false,
        },
        Verdict::Unclear(fact) => Answer::no(
            &format!("{} could not be understood", fact.as_str()),
            &format!("Ask for {} again, slowly, one character after the other.", fact.words()),
        ),
        Verdict::UnclearCode => {
            Answer::no("the code could not be understood", "Ask for its six digits, one after the other.")
        }
        Verdict::Missing => Answer::no("this is not enough", &format!("Ask for {ways}.")),
    }
}

/// What came of asking for a code.
pub(super) fn sent(sent: Sent) -> Answer {
    match sent {
        Sent::Perhaps => Answer::yes(json!({
            "sent": "if there is such a customer with an e-mail address",
            "next": "Ask the caller to read out the six digits, and pass them to verify_customer as code.",
        })),
        Sent::Already => Answer::no("the caller has shown who they are", "Go on with what the caller wants."),
        Sent::Over => Answer::no(
            "no more codes are sent in this call",
            "Ask for two facts instead, or offer to hand the caller over to a person.",
        ),
        Sent::Unclear(fact) => Answer::no(
            &format!("{} could not be understood", fact.as_str()),
            &format!("Ask for {} again, slowly, one character after the other.", fact.words()),
        ),
        Sent::Missing => Answer::no(
            "nobody is found by that",
            "Ask for the customer number, the telephone number or the e-mail address.",
        ),
    }
}

/// Why there is no appointment then, and when there is.
pub(super) fn no_time(why: NoTime, instead: &[String]) -> Answer {
    let next = if instead.is_empty() {
        "Ask for another day and use check_availability.".to_owned()
    } else {
        "Offer one of the times under `instead`.".to_owned()
    };
    let value = json!({ "error": why.to_string(), "instead": instead, "next": next });
    Answer { value, failed: true, effect: None, is_settled: false }
}
