//! Finding out whether a caller is the customer they say they are.
//!
//! The tools call this. Invariants: a try is counted before it is looked at; known and unknown customers get
//! the same answer, the same writes and the same time; nothing of a record comes out.

use domain::{
    Action, Actor, Ctx, Denied, Job, Permit, Resource, Timestamp,
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
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Claims {
    customer_id: Option<String>,
    phone: Option<String>,
    email: Option<String>,
    order_number: Option<String>,
    date_of_birth: Option<String>,
    code: Option<String>,
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
        let begun = Instant::now();
        let verdict = match given(&claims.code) {
            Some(said) => self.by_code(ctx, caller, said).await?,
            None => self.by_facts(ctx, caller, claims).await?,
        };
        self.answer_on_grid(begun).await;
        Ok(verdict)
    }

    async fn by_facts(&self, ctx: &Ctx, caller: &mut Caller, claims: &Claims) -> Result<Verdict, Error> {
        let way = self.desk.ways.iter().find(|way| way.iter().all(|fact| claims.said(*fact).is_some()));
        let Some([first, second]) = way.copied() else { return Ok(Verdict::Missing) };
        let Some(handle) = self.handle(first, claims) else { return Ok(Verdict::Unclear(first)) };
        let Some(second) = self.second(ctx, second, claims) else { return Ok(Verdict::Unclear(second)) };
        caller.tries += 1;
        let (ctx, permit) = desk(ctx)?;
        let known = customers::find(&self.store, &permit, &handle).await?;
        let whose = known.map_or(Whose::Unknown(&handle), Whose::Known);
        let mut tx = self.store.begin(&ctx).await?;
        let tries = verification::count_try(&mut tx, &permit, whose, self.window(&ctx)).await?;
        // Looked up for nobody as well, so that an unknown customer costs the same.
        let id = known.unwrap_or_else(|| CustomerId::fresh(&ctx));
        let fits = match &second {
            Second::Handle(handle) => customers::find(&self.store, &permit, handle).await? == Some(id),
            Second::Order(reference) => verification::has_order(&self.store, &permit, id, reference).await?,
            Second::Born(day) => verification::was_born_on(&self.store, &permit, id, *day).await?,
        };
        let proven = known.filter(|_| fits && tries <= self.desk.numbers.customer_tries);
        if let Some(customer) = proven {
            verification::succeeded(&mut tx, &permit, customer).await?;
            tx.commit(Entry::new(Act::CustomerVerified, customer)).await?;
            caller.becomes(customer);
            return Ok(Verdict::Verified);
        }
        enforced!(CUS05);
        let target = known.map(|id| id.to_string()).unwrap_or_default();
        tx.commit(Entry::new(Act::CustomerNotVerified, target)).await?;
        Ok(self.no(caller))
    }

    async fn by_code(&self, ctx: &Ctx, caller: &mut Caller, said: &str) -> Result<Verdict, Error> {
        let Some(digits) = said_digits(said).filter(|digits| digits.len() == CODE_DIGITS) else {
            return Ok(Verdict::UnclearCode);
        };
        caller.tries += 1;
        let (ctx, permit) = desk(ctx)?;
        let hash = self.store.mac("caller-code", digits.as_bytes());
        let fits = |code: &&Code| code.hash == hash && ctx.now() < code.until;
        let customer = caller.code.as_ref().filter(fits).and_then(|code| code.customer);
        let mut tx = self.store.begin(&ctx).await?;
        if let Some(customer) = customer {
            verification::succeeded(&mut tx, &permit, customer).await?;
            tx.commit(Entry::new(Act::CustomerVerified, customer)).await?;
            caller.becomes(customer);
            return Ok(Verdict::Verified);
        }
        tx.commit(Entry::new(Act::CustomerNotVerified, "")).await?;
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
        let begun = Instant::now();
        let (ctx, permit) = desk(ctx)?;
        let known = customers::find(&self.store, &permit, &handle).await?;
        let whose = known.map_or(Whose::Unknown(&handle), Whose::Known);
        let minutes = self.desk.numbers.caller_code_minutes;
        let code = six_digits(&ctx);
        let hash = self.store.mac("caller-code", code.as_bytes());
        let mut tx = self.store.begin(&ctx).await?;
        let tries = verification::count_try(&mut tx, &permit, whose, self.window(&ctx)).await?;
        let mut sent_to = None;
        if let Some(customer) = known.filter(|_| tries <= self.desk.numbers.customer_tries) {
            let mail = Mail::CallerCode { code, minutes };
            let id = MailId::fresh(&ctx);
            let queued = verification::queue_code(&mut tx, &permit, customer, id, mail).await?;
            sent_to = queued.then_some(customer);
        }
        let target = known.map(|id| id.to_string()).unwrap_or_default();
        tx.commit(Entry::new(Act::CustomerCodeSent, target)).await?;
        let until = ctx.now().plus_seconds(i64::from(minutes) * 60);
        caller.code = Some(Code { customer: sent_to, hash, until });
        self.answer_on_grid(begun).await;
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

    /// When the window began in which tries are counted together.
    fn window(&self, ctx: &Ctx) -> Timestamp {
        ctx.now().plus_seconds(-i64::from(self.desk.numbers.customer_tries_hours) * 60 * 60)
    }

    /// Waits until the time that has passed since `begun` is a multiple of the grid.
    async fn answer_on_grid(&self, begun: Instant) {
        let grid = self.desk.answer_grid;
        if grid.is_zero() {
            return;
        }
        let steps = begun.elapsed().as_micros() / grid.as_micros().max(1) + 1;
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        tokio::time::sleep_until(begun + grid.saturating_mul(steps)).await;
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
