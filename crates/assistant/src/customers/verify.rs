//! Finding out whether a caller is the customer they say they are.
//!
//! The tools call this. Invariants: a try is counted for good before it is looked at; known and unknown customers
//! get the same answer and the same writes, at the same lines of a time grid; nothing of a record comes out.

use std::fmt;

use domain::{
    Action, Actor, Ctx, Denied, Job, Permit, Resource,
    audit::{Act, Entry},
    authorize,
    customer::{Day, Series, date, email, phone, reference, said_digits},
    enforced,
    id::{CustomerId, MailId},
    mail::Mail,
};
use serde::Deserialize;
use store::customers::{
    self, Handle,
    verification::{self, Whose},
};
use tokio::time::Instant;

use super::{Caller, Customers, Fact, caller::Code};
use crate::Error;

/// Codes one call may ask for.
const CODES_A_CALL: u32 = 2;
/// Digits of a code.
const CODE_DIGITS: usize = 6;

/// What a caller says about who they are.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Claims {
    customer_id: Option<String>,
    phone: Option<String>,
    email: Option<String>,
    order_number: Option<String>,
    date_of_birth: Option<String>,
    code: Option<String>,
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claims(…)")
    }
}

impl Claims {
    fn said(&self, fact: Fact) -> Option<&str> {
        let said = match fact {
            Fact::CustomerId => &self.customer_id,
            Fact::Phone => &self.phone,
            Fact::Email => &self.email,
            Fact::OrderNumber => &self.order_number,
            Fact::DateOfBirth => &self.date_of_birth,
        };
        given(said)
    }
}

fn given(said: &Option<String>) -> Option<&str> {
    said.as_deref().map(str::trim).filter(|said| !said.is_empty())
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// They are that customer.
    Verified,
    /// They were found to be a customer before in this call.
    Already,
    /// It did not match, or there is no such customer, or too many tried: nobody is told which.
    No {
        /// Tries left in this call.
        left: u32,
    },
    /// No tries are left in this call.
    Over,
    /// This could not be understood.
    Unclear(Fact),
    /// The code could not be understood.
    UnclearCode,
    /// More has to be said.
    Missing,
}

/// What came of asking for a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// It is on its way, if there is somebody to send it to.
    Perhaps,
    /// They were found to be a customer before in this call.
    Already,
    /// No more codes in this call.
    Over,
    /// This could not be understood.
    Unclear(Fact),
    /// Nothing was said by which a customer is found.
    Missing,
}

/// The second fact, as it is looked up.
enum Second {
    Handle(Handle),
    Order(String),
    Born(Day),
}

impl Customers {
    /// Holds what a caller says against the register.
    pub(crate) async fn verify(
        &self,
        ctx: &Ctx,
        caller: &mut Caller,
        claims: &Claims,
    ) -> Result<Verdict, Error> {
        if caller.is_verified() {
            enforced!(CUS04);
            return Ok(Verdict::Already);
        }
        if caller.tries >= self.desk.numbers.caller_tries {
            enforced!(CUS05);
            return Ok(Verdict::Over);
        }
        self.on_grid(async {
            match given(&claims.code) {
                Some(said) => self.by_code(ctx, caller, said).await,
                None => self.by_facts(ctx, caller, claims).await,
            }
        })
        .await
    }

    async fn by_facts(&self, ctx: &Ctx, caller: &mut Caller, claims: &Claims) -> Result<Verdict, Error> {
        let way = self.desk.ways.iter().find(|way| way.iter().all(|fact| claims.said(*fact).is_some()));
        let Some([first, second]) = way.copied() else { return Ok(Verdict::Missing) };
        let Some(handle) = self.handle(first, claims) else { return Ok(Verdict::Unclear(first)) };
        let Some(second) = self.second(ctx, second, claims) else { return Ok(Verdict::Unclear(second)) };
        caller.tries += 1;
        let (ctx, permit) = desk(ctx)?;
        let known = customers::find(&self.store, &permit, &handle).await?;
        let may = self.count(&ctx, &permit, known.map_or(Whose::Unknown(&handle), Whose::Known)).await?;
        // Looked up for nobody as well; what opening a record that is there takes longer, the grid hides.
        let id = known.unwrap_or_else(|| CustomerId::fresh(&ctx));
        let fits = match &second {
            Second::Handle(handle) => customers::find(&self.store, &permit, handle).await? == Some(id),
            Second::Order(reference) => verification::has_order(&self.store, &permit, id, reference).await?,
            Second::Born(day) => verification::was_born_on(&self.store, &permit, id, *day).await?,
        };
        match known.filter(|_| fits && may) {
            Some(customer) => self.is(&ctx, &permit, caller, customer, 1).await,
            None => self.is_not(&ctx, caller, known).await,
        }
    }

    async fn by_code(&self, ctx: &Ctx, caller: &mut Caller, said: &str) -> Result<Verdict, Error> {
        let Some(digits) = said_digits(said).filter(|digits| digits.len() == CODE_DIGITS) else {
            return Ok(Verdict::UnclearCode);
        };
        caller.tries += 1;
        let (ctx, permit) = desk(ctx)?;
        let Some(code) = &caller.code else { return self.is_not(&ctx, caller, None).await };
        let known = code.known;
        let may = self.count(&ctx, &permit, known.map_or(Whose::Unknown(&code.handle), Whose::Known)).await?;
        let hash = self.store.mac("caller-code", digits.as_bytes());
        let fits = code.sent && code.hash == hash && ctx.now() < code.until;
        match known.filter(|_| fits && may) {
            // With the try that asking for the code was.
            Some(customer) => self.is(&ctx, &permit, caller, customer, 2).await,
            None => self.is_not(&ctx, caller, known).await,
        }
    }

    /// Counts a try for good, before anything is looked at: whatever comes after, it has been one. Whether there
    /// is room for it, at the whole desk and for `whose`.
    async fn count(&self, ctx: &Ctx, permit: &Permit, whose: Whose<'_>) -> Result<bool, Error> {
        let numbers = &self.desk.numbers;
        let since = |hours: u32| ctx.now().plus_seconds(-i64::from(hours) * 60 * 60);
        let mut tx = self.store.begin(ctx).await?;
        let all = verification::count_try(&mut tx, permit, Whose::Anybody, since(1)).await?;
        let tries =
            verification::count_try(&mut tx, permit, whose, since(numbers.customer_tries_hours)).await?;
        tx.commit(Entry::new(Act::CustomerVerificationTried, String::new())).await?;
        let may = all <= numbers.desk_tries_an_hour && tries <= numbers.customer_tries;
        if !may {
            enforced!(CUS05);
        }
        Ok(may)
    }

    /// They are `customer`, of whose tries `counted` were counted for the desk as a whole.
    async fn is(
        &self,
        ctx: &Ctx,
        permit: &Permit,
        caller: &mut Caller,
        customer: CustomerId,
        counted: u32,
    ) -> Result<Verdict, Error> {
        let mut tx = self.store.begin(ctx).await?;
        verification::succeeded(&mut tx, permit, customer).await?;
        verification::take_back(&mut tx, permit, counted).await?;
        tx.commit(Entry::new(Act::CustomerVerified, customer)).await?;
        caller.becomes(customer);
        Ok(Verdict::Verified)
    }

    /// They are not whom they said, who is `known` or nobody.
    async fn is_not(&self, ctx: &Ctx, caller: &Caller, known: Option<CustomerId>) -> Result<Verdict, Error> {
        enforced!(CUS05);
        let target = known.map(|id| id.to_string()).unwrap_or_default();
        let tx = self.store.begin(ctx).await?;
        tx.commit(Entry::new(Act::CustomerNotVerified, target)).await?;
        Ok(self.no(caller))
    }

    fn no(&self, caller: &Caller) -> Verdict {
        match self.desk.numbers.caller_tries.saturating_sub(caller.tries) {
            0 => Verdict::Over,
            left => Verdict::No { left },
        }
    }

    /// Sends a code to whoever is found by what was said, if that is anybody.
    pub(crate) async fn send_code(
        &self,
        ctx: &Ctx,
        caller: &mut Caller,
        claims: &Claims,
    ) -> Result<Sent, Error> {
        if caller.is_verified() {
            return Ok(Sent::Already);
        }
        if caller.codes >= CODES_A_CALL {
            enforced!(CUS05);
            return Ok(Sent::Over);
        }
        let said = Fact::ALL.into_iter().find(|fact| fact.finds() && claims.said(*fact).is_some());
        let Some(fact) = said else { return Ok(Sent::Missing) };
        let Some(handle) = self.handle(fact, claims) else { return Ok(Sent::Unclear(fact)) };
        caller.codes += 1;
        self.on_grid(self.code_for(ctx, caller, handle)).await
    }

    async fn code_for(&self, ctx: &Ctx, caller: &mut Caller, handle: Handle) -> Result<Sent, Error> {
        let (ctx, permit) = desk(ctx)?;
        let known = customers::find(&self.store, &permit, &handle).await?;
        let may = self.count(&ctx, &permit, known.map_or(Whose::Unknown(&handle), Whose::Known)).await?;
        let minutes = self.desk.numbers.caller_code_minutes;
        let code = six_digits(&ctx);
        let hash = self.store.mac("caller-code", code.as_bytes());
        let until = ctx.now().plus_seconds(i64::from(minutes) * 60);
        let mut tx = self.store.begin(&ctx).await?;
        let mut sent = false;
        if let Some(customer) = known.filter(|_| may) {
            let mail = Mail::CallerCode { code, minutes };
            let id = MailId::fresh(&ctx);
            sent = verification::queue_code(&mut tx, &permit, customer, id, mail).await?;
        }
        let target = known.map(|id| id.to_string()).unwrap_or_default();
        // Before the commit: a letter that is queued has its code here, even when nobody waits for the end.
        let before = caller.code.replace(Code { handle, known, sent, hash, until });
        if let Err(error) = tx.commit(Entry::new(Act::CustomerCodeSent, target)).await {
            caller.code = before;
            return Err(error.into());
        }
        Ok(Sent::Perhaps)
    }

    /// What a customer is found by, out of what was said.
    fn handle(&self, fact: Fact, claims: &Claims) -> Option<Handle> {
        let said = claims.said(fact)?;
        match fact {
            Fact::CustomerId => reference(Series::Customer, said).map(Handle::Reference),
            Fact::Phone => phone(self.desk.country, said).map(Handle::Phone),
            Fact::Email => email(said).map(Handle::Email),
            Fact::OrderNumber | Fact::DateOfBirth => None,
        }
    }

    fn second(&self, ctx: &Ctx, fact: Fact, claims: &Claims) -> Option<Second> {
        let said = claims.said(fact)?;
        match fact {
            Fact::OrderNumber => reference(Series::Order, said).map(Second::Order),
            Fact::DateOfBirth => date(self.desk.rules.clock(ctx.now()).date, said).map(Second::Born),
            found_by => self.handle(found_by, claims).map(Second::Handle),
        }
    }

    /// Gives an answer, a failure as well, when the time since it was asked for is a multiple of the grid.
    async fn on_grid<T>(&self, answer: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let answer = answer.await;
        let grid = self.desk.answer_grid;
        if !grid.is_zero() {
            let steps = begun.elapsed().as_micros() / grid.as_micros().max(1) + 1;
            let steps = u32::try_from(steps).unwrap_or(u32::MAX);
            tokio::time::sleep_until(begun + grid.saturating_mul(steps)).await;
        }
        answer
    }
}

/// The desk's own circumstances, and its permit to find out who calls.
pub(crate) fn desk(ctx: &Ctx) -> Result<(Ctx, Permit), Denied> {
    let ctx = ctx.acting_as(Actor::System(Job::Desk));
    let permit = authorize(&ctx, Action::VerifyCustomer, Resource::Instance)?;
    Ok((ctx, permit))
}

/// Six random digits, each as likely as any other: numbers beyond the last whole million are drawn again.
fn six_digits(ctx: &Ctx) -> String {
    const MILLION: u32 = 1_000_000;
    loop {
        let drawn = u32::from_be_bytes(ctx.random::<4>());
        if drawn < u32::MAX - u32::MAX % MILLION {
            return format!("{:06}", drawn % MILLION);
        }
    }
}
