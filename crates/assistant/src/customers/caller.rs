//! Whether, and as whom, a caller was recognised. One for each call; it ends with the call.
//!
//! Invariant: a caller is nobody or one customer, and once one, never another. The permit to serve a customer
//! is made here alone.

use std::fmt;

use domain::{
    Action, Actor, Ctx, Denied, Job, Permit, Resource, Timestamp, authorize, enforced,
    id::CustomerId,
    model::{Place, ToolCall},
};
use store::customers::Handle;

use crate::tools::ToolResult;

/// Tool calls one telephone call may make.
const MAX_CALLS: usize = 128;

/// A code that was sent, or would have been if there were such a customer.
pub(super) struct Code {
    /// What was said to find the customer.
    pub(super) handle: Handle,
    /// Whom that finds.
    pub(super) known: Option<CustomerId>,
    /// Whether it was sent.
    pub(super) sent: bool,
    /// Its keyed hash.
    pub(super) hash: [u8; 32],
    /// Until when it is good.
    pub(super) until: Timestamp,
}

/// Somebody at the other end of a call.
pub struct Caller {
    customer: Option<CustomerId>,
    place: Place,
    pub(super) tries: u32,
    pub(super) codes: u32,
    pub(super) code: Option<Code>,
    calls: usize,
    done: Vec<(ToolCall, ToolResult)>,
}

impl Caller {
    /// Nobody yet. `place` is where the model runs that is told what the tools find.
    #[must_use]
    pub fn new(place: Place) -> Self {
        Self { customer: None, place, tries: 0, codes: 0, code: None, calls: 0, done: Vec::new() }
    }

    /// Another model answers from now on. What a model elsewhere was or was not told is not told again.
    pub fn heard_at(&mut self, place: Place) {
        if self.place != place {
            self.done.clear();
        }
        self.place = place;
    }

    /// Where that model runs.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Whether they proved to be a customer.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        self.customer.is_some()
    }

    /// Which one.
    pub(crate) fn customer(&self) -> Option<CustomerId> {
        self.customer
    }

    /// They proved to be `customer`. A second time, or as somebody else, changes nothing.
    pub(super) fn becomes(&mut self, customer: CustomerId) {
        self.customer.get_or_insert(customer);
        self.code = None;
    }

    /// The permit to serve this caller, and the circumstances to do it in.
    ///
    /// # Errors
    /// [`Denied`] until they proved to be a customer.
    pub(crate) fn permit(&self, ctx: &Ctx) -> Result<(Ctx, Permit), Denied> {
        let Some(customer) = self.customer else {
            enforced!(CUS04);
            return Err(Denied::FLAT);
        };
        let ctx = ctx.acting_as(Actor::System(Job::Desk));
        let permit = authorize(&ctx, Action::ServeCustomer, Resource::Customer(customer))?;
        Ok((ctx, permit))
    }

    /// What this very tool call came to, when it was made before. An id alone says little: some endpoints number
    /// their calls from one in every answer, so the loop gives each call an id of its own.
    pub(crate) fn done(&self, call: &ToolCall) -> Option<&ToolResult> {
        self.done.iter().find(|(made, _)| made == call).map(|(_, result)| result)
    }

    /// Remembers what a tool call came to. The caller of this has counted it.
    pub(crate) fn remember(&mut self, call: ToolCall, result: ToolResult) {
        self.done.push((call, result));
    }

    /// Counts a tool call; whether it still fits.
    pub(crate) fn counts_call(&mut self) -> bool {
        self.calls = self.calls.saturating_add(1);
        self.calls <= MAX_CALLS
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_verified() { "Caller(verified)" } else { "Caller(nobody yet)" })
    }
}

#[cfg(test)]
mod tests {
    use domain::verifies;

    use super::*;

    #[test]
    fn nobody_is_served_before_they_are_somebody() {
        let _proof = verifies!(CUS04);
        let (mut caller, ctx) = (Caller::new(Place::ThisMachine), testkit::ctx(Actor::System(Job::Desk)));
        assert!(caller.permit(&ctx).is_err());
        let ann = CustomerId::fresh(&ctx);
        caller.becomes(ann);
        caller.becomes(CustomerId::fresh(&ctx));
        let (_, permit) = caller.permit(&ctx).unwrap();
        assert_eq!(permit.customer(Action::ServeCustomer).unwrap(), ann, "and never anybody else");
    }
}
