//! What the agent of the voice desk can do for a caller: a closed list of tools that run on the server.
//!
//! The tool loop of a turn offers [`Tools::offered`] to the model and hands its calls to [`Tools::run`]. A tool
//! that is [irreversible](Tool::is_irreversible) waits until the caller's turn is certainly over. Invariants:
//! whose record is opened comes from the [`Caller`]; a result holds the fields its task needs and no others
//! (`domain::customer::Task`); a call that changes something runs once, however often it arrives; what a tool
//! says when it cannot do something says what to do next and tells nothing about anybody.

mod answers;
mod desk;
mod schema;

use domain::{Ctx, enforced, model};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{Caller, Customers, Error, customers::Claims};
use answers::Answer;

/// Longest arguments of a call that are read, in bytes.
const MAX_ARGUMENTS: usize = 4 * 1024;

/// A tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tool {
    /// Finds out whether a caller is the customer they say they are.
    VerifyCustomer,
    /// Sends a code to the customer's e-mail address.
    SendCode,
    /// Lists the caller's orders.
    FindOrders,
    /// Says how far one of them is.
    OrderStatus,
    /// Lists the caller's appointments.
    ListAppointments,
    /// Says when there is time for another.
    CheckAvailability,
    /// Makes one.
    MakeAppointment,
    /// Hands the call over to a person.
    HandOver,
    /// Ends the call.
    EndCall,
}

impl Tool {
    /// Every tool.
    pub const ALL: [Self; 9] = [
        Self::VerifyCustomer,
        Self::SendCode,
        Self::FindOrders,
        Self::OrderStatus,
        Self::ListAppointments,
        Self::CheckAvailability,
        Self::MakeAppointment,
        Self::HandOver,
        Self::EndCall,
    ];

    /// What models call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::VerifyCustomer => "verify_customer",
            Self::SendCode => "send_code",
            Self::FindOrders => "find_orders",
            Self::OrderStatus => "order_status",
            Self::ListAppointments => "list_appointments",
            Self::CheckAvailability => "check_availability",
            Self::MakeAppointment => "make_appointment",
            Self::HandOver => "hand_over",
            Self::EndCall => "end_call",
        }
    }

    /// The tool models call `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }

    /// Whether it cannot be taken back: it runs only when the caller's turn is certainly over, once begun it is
    /// not cancelled, and the same call again is answered and not run. A try to be a customer, and a code that
    /// was sent, are counted for good.
    #[must_use]
    pub const fn is_irreversible(self) -> bool {
        matches!(
            self,
            Self::VerifyCustomer | Self::SendCode | Self::MakeAppointment | Self::HandOver | Self::EndCall
        )
    }

    /// Whether it is the way out of a call: it works when nothing else does any more.
    #[must_use]
    const fn is_way_out(self) -> bool {
        matches!(self, Self::HandOver | Self::EndCall)
    }

    /// Whether it opens a record.
    #[must_use]
    pub const fn needs_customer(self) -> bool {
        matches!(self, Self::FindOrders | Self::OrderStatus | Self::ListAppointments | Self::MakeAppointment)
    }
}

/// What a tool call means for the call it was made in.
#[derive(Clone, PartialEq, Eq)]
pub enum Effect {
    /// A person is to take over, for this reason.
    HandOver {
        /// In the model's words, bounded; for the desk, never for a log.
        reason: String,
    },
    /// The call is to end, after what is being said.
    EndCall,
}

impl std::fmt::Debug for Effect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::HandOver { .. } => "HandOver(…)",
            Self::EndCall => "EndCall",
        })
    }
}

/// What a tool call came to.
#[derive(Clone, PartialEq, Eq)]
pub struct ToolResult {
    /// The call it answers.
    pub id: String,
    /// JSON for the model.
    pub output: String,
    /// Whether it could not be done.
    pub failed: bool,
    /// What it means for the call.
    pub effect: Option<Effect>,
}

impl std::fmt::Debug for ToolResult {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ToolResult(failed: {})", self.failed)
    }
}

/// The tools over one register. Cheap to clone.
#[derive(Clone)]
pub struct Tools(Customers);

/// Arguments of tools that take none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    #[serde(default)]
    reason: String,
}

impl Tools {
    pub(crate) fn new(customers: Customers) -> Self {
        Self(customers)
    }

    /// The tools that make sense for `caller` now: nothing that opens a record before they proved who they are,
    /// nothing that proves it after.
    #[must_use]
    pub fn offered(&self, caller: &Caller) -> Vec<model::Tool> {
        let verified = caller.is_verified();
        let offered = Tool::ALL.into_iter().filter(|tool| match tool {
            Tool::VerifyCustomer => !verified,
            Tool::SendCode => !verified && self.0.desk().codes,
            tool => verified || !tool.needs_customer(),
        });
        offered.map(|tool| schema::of(tool, self.0.desk())).collect()
    }

    /// Runs a tool call for `caller`. The same call again, same id, tool and arguments, is answered as the first
    /// time and changes nothing, where running it changed something.
    pub async fn run(&self, ctx: &Ctx, caller: &mut Caller, call: model::ToolCall) -> ToolResult {
        if let Some(done) = caller.done(&call) {
            return ToolResult { effect: None, ..done.clone() };
        }
        let tool = Tool::named(&call.name);
        let fits = caller.counts_call();
        let answer = match tool {
            None => Answer::no("there is no such tool", "Use one of the tools that are listed."),
            Some(tool) if fits || tool.is_way_out() => self.answer(ctx, caller, tool, &call).await,
            Some(_) => Answer::no("too many tool calls in this call", "Hand the caller over to a person."),
        };
        let Answer { value, failed, effect, is_settled } = answer;
        let result = ToolResult { id: call.id.clone(), output: value.to_string(), failed, effect };
        if fits && is_settled && tool.is_some_and(Tool::is_irreversible) {
            caller.remember(call, result.clone());
        }
        result
    }

    async fn answer(&self, ctx: &Ctx, caller: &mut Caller, tool: Tool, call: &model::ToolCall) -> Answer {
        let known = tool != Tool::SendCode || self.0.desk().codes;
        if !known {
            return Answer::no("codes are not sent here", "Ask for two facts and use verify_customer.");
        }
        if tool.needs_customer() && !caller.is_verified() {
            enforced!(CUS04);
            return Answer::no(
                "the caller has not shown who they are",
                &format!("Ask for {} and use verify_customer.", self.ways()),
            );
        }
        match self.obey(ctx, caller, tool, &call.arguments).await {
            Ok(answer) => Answer { is_settled: true, ..answer },
            Err(Trouble::Arguments) => Answer::no(
                "the arguments do not fit this tool",
                "Call it again with the arguments it describes, and no others.",
            ),
            Err(Trouble::Error(Error::NotFound)) => {
                Answer::no("this customer is not here any more", "Hand the caller over to a person.")
            }
            Err(Trouble::Error(error)) => {
                tracing::warn!(tool = tool.name(), %error, "a tool of the voice desk failed");
                Answer::no("this does not work at the moment", "Offer to hand the caller over to a person.")
            }
        }
    }

    async fn obey(
        &self,
        ctx: &Ctx,
        caller: &mut Caller,
        tool: Tool,
        arguments: &str,
    ) -> Result<Answer, Trouble> {
        match tool {
            Tool::VerifyCustomer => {
                let claims: Claims = read(arguments)?;
                let verdict = self.0.verify(ctx, caller, &claims).await?;
                Ok(answers::verdict(verdict, &self.ways()))
            }
            Tool::SendCode => {
                let claims: Claims = read(arguments)?;
                Ok(answers::sent(self.0.send_code(ctx, caller, &claims).await?))
            }
            Tool::FindOrders => {
                let Nothing {} = read(arguments)?;
                self.find_orders(ctx, caller).await
            }
            Tool::OrderStatus => self.order_status(ctx, caller, &read(arguments)?).await,
            Tool::ListAppointments => {
                let Nothing {} = read(arguments)?;
                self.list_appointments(ctx, caller).await
            }
            Tool::CheckAvailability => self.check_availability(ctx, &read(arguments)?).await,
            Tool::MakeAppointment => self.make_appointment(ctx, caller, &read(arguments)?).await,
            Tool::HandOver => {
                let Reason { reason } = read(arguments)?;
                let reason = reason.chars().take(domain::customer::MAX_LINE).collect();
                let told =
                    json!({ "handed_over": true, "next": "Tell the caller that a person will take over." });
                Ok(Answer::effect(told, Effect::HandOver { reason }))
            }
            Tool::EndCall => {
                let Reason { .. } = read(arguments)?;
                Ok(Answer::effect(
                    json!({ "ended": true, "next": "Say goodbye in one sentence." }),
                    Effect::EndCall,
                ))
            }
        }
    }

    fn store(&self) -> &store::Store {
        self.0.store()
    }

    fn numbers(&self) -> &domain::control::Numbers {
        &self.0.desk().numbers
    }

    fn rules(&self) -> &domain::customer::Rules {
        &self.0.desk().rules
    }

    /// The pairs of facts to ask for, in words.
    fn ways(&self) -> String {
        let ways = self.0.desk().ways.iter();
        let mut words: Vec<String> =
            ways.map(|[one, other]| format!("{} and {}", one.words(), other.words())).collect();
        words.truncate(3);
        if words.is_empty() { "a code, with send_code".to_owned() } else { words.join(", or ") }
    }
}

/// Why a tool came to nothing.
enum Trouble {
    /// What the model said does not fit.
    Arguments,
    /// Something failed.
    Error(Error),
}

impl<E: Into<Error>> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// Reads what a model put into a call. Fields a tool does not know, a customer's number above all, are refused.
fn read<T: DeserializeOwned>(arguments: &str) -> Result<T, Trouble> {
    let arguments = if arguments.trim().is_empty() { "{}" } else { arguments };
    if arguments.len() > MAX_ARGUMENTS {
        return Err(Trouble::Arguments);
    }
    let value: Value = serde_json::from_str(arguments).map_err(|_| Trouble::Arguments)?;
    serde_json::from_value(value).map_err(|_| Trouble::Arguments)
}
