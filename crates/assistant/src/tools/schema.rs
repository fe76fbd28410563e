//! How each tool is described to models: JSON Schema that constrained decoding follows to the letter.

use domain::model;
use serde_json::{Value, json};

use super::Tool;
use crate::customers::{Desk, Fact};

/// Most characters of an argument.
const LONGEST: u32 = 200;

/// The description of `tool` at `desk`.
pub(super) fn of(tool: Tool, desk: &Desk) -> model::Tool {
    let (description, parameters) = match tool {
        Tool::VerifyCustomer => (
            "Find out whether the caller is the customer they say they are. Pass on what they said, word for word; \
             spoken numbers and addresses are understood. Use it before anything about a customer.",
            object(&claims(desk, desk.codes), &[]),
        ),
        Tool::SendCode => (
            "Send a six-digit code to the e-mail address the customer is known by. Then ask the caller to read it \
             out, and pass it to verify_customer.",
            object(&claims_that_find(), &[]),
        ),
        Tool::FindOrders => ("List the orders of the caller.", object(&[], &[])),
        Tool::OrderStatus => (
            "Say how far one order of the caller is.",
            object(&[("order_number", text("The order's number, as it was said."))], &["order_number"]),
        ),
        Tool::ListAppointments => ("List the appointments of the caller.", object(&[], &[])),
        Tool::CheckAvailability => (
            "Say at which times an appointment can be made on a day, or on the next days that have any.",
            object(&[("service", service(desk)), ("date", day())], &["service", "date"]),
        ),
        Tool::MakeAppointment => (
            "Make an appointment for the caller. Only after they have agreed to the day and the time.",
            object(
                &[
                    ("service", service(desk)),
                    ("date", day()),
                    ("time", text("The time, for example 14:30.")),
                ],
                &["service", "date", "time"],
            ),
        ),
        Tool::HandOver => (
            "Hand the call over to a person, when the caller asks for one or you cannot help.",
            object(
                &[("reason", text("Why, in a few words without anything about the caller."))],
                &["reason"],
            ),
        ),
        Tool::EndCall => ("End the call, when the caller has said goodbye.", object(&[], &[])),
    };
    model::Tool { name: tool.name().to_owned(), description: description.to_owned(), parameters }
}

fn object(properties: &[(&str, Value)], required: &[&str]) -> Value {
    let properties: serde_json::Map<String, Value> =
        properties.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    json!({
        "type": "object", "properties": properties, "required": required, "additionalProperties": false,
    })
}

fn text(description: &str) -> Value {
    json!({ "type": "string", "maxLength": LONGEST, "description": description })
}

fn day() -> Value {
    text("The day, for example 2026-11-24, tomorrow or next Tuesday.")
}

fn service(desk: &Desk) -> Value {
    let names: Vec<&str> = desk.rules.services.iter().map(|service| service.name.as_str()).collect();
    json!({ "type": "string", "enum": names })
}

/// The facts that any way of this desk asks for, and the code where there is one.
fn claims(desk: &Desk, codes: bool) -> Vec<(&'static str, Value)> {
    let asked = Fact::ALL.into_iter().filter(|fact| desk.ways.iter().any(|way| way.contains(fact)));
    let mut claims: Vec<_> = asked.map(|fact| (fact.as_str(), text(about(fact)))).collect();
    if codes {
        claims.push(("code", text("The six digits of a code that was sent.")));
    }
    claims
}

fn claims_that_find() -> Vec<(&'static str, Value)> {
    Fact::ALL.into_iter().filter(|fact| fact.finds()).map(|fact| (fact.as_str(), text(about(fact)))).collect()
}

fn about(fact: Fact) -> &'static str {
    match fact {
        Fact::CustomerId => "The caller's customer number, as it was said: forty two, or CUST0042.",
        Fact::Phone => "The caller's telephone number, as it was said.",
        Fact::Email => "The caller's e-mail address, as it was said: john dot smith at example dot com.",
        Fact::OrderNumber => "The number of one of the caller's orders, as it was said.",
        Fact::DateOfBirth => "When the caller was born, for example 1985-07-04 or 4 July 1985.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_tool_takes_a_customer_once_somebody_is_known_as_one() {
        let ways = vec![[Fact::CustomerId, Fact::DateOfBirth]];
        let desk = Desk { codes: true, ways, ..Desk::default() };
        for tool in Tool::ALL {
            let parameters = of(tool, &desk).parameters;
            assert_eq!(parameters["additionalProperties"], false, "{tool:?}");
            let takes_customer = parameters["properties"].get("customer_id").is_some();
            assert_eq!(takes_customer, matches!(tool, Tool::VerifyCustomer | Tool::SendCode), "{tool:?}");
        }
    }
}
