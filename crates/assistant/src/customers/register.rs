//! The register as staff use it: list, find, open, erase; and what the system forgets by itself.
//!
//! `web` calls this for people, `server` for the operator and for upkeep. Every function asks for its own
//! permit; what opens a record is noted by the store before anything is shown.

use domain::{
    Action, Ctx, Resource, Timestamp,
    audit::{Act, Entry},
    authorize,
    customer::{Class, Series, email, phone, reference},
    id::{CustomerId, RequestId},
};
use store::customers::{self, Erased, Handle, Listed, Record, verification};

use super::{Customers, LISTED};
use crate::Error;

/// Customers forgotten in one round; the next round takes more.
const A_ROUND: u32 = 100;

/// How many customers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turnout {
    /// All of them.
    pub customers: u64,
    /// Those that are made up.
    pub samples: u64,
}

/// That a customer was erased: what a member of staff may keep as a receipt. It says nothing about anybody.
#[derive(Clone, Copy, Debug)]
pub struct Erasure {
    /// The record's identifier, which means nothing any more.
    pub id: CustomerId,
    /// What went with it.
    pub erased: Erased,
    /// When.
    pub at: Timestamp,
    /// The request, under which the audit log has it.
    pub request: RequestId,
}

/// What was forgotten in one round of upkeep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Customers erased.
    pub customers: u64,
    /// Customers whose restricted fields were removed.
    pub restricted: u64,
}

impl Customers {
    /// How many there are, and the newest, without anything that tells who they are.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::Store`].
    pub async fn list(&self, ctx: &Ctx) -> Result<(Turnout, Vec<Listed>), Error> {
        let permit = authorize(ctx, Action::ReadCustomers, Resource::Instance)?;
        let (all, samples) = customers::count(&self.store, &permit).await?;
        let listed = customers::list(&self.store, ctx, &permit, LISTED).await?;
        Ok((Turnout { customers: all, samples }, listed))
    }

    /// The customer with this number, telephone or e-mail address, written or as it was said.
    ///
    /// # Errors
    /// [`Error::Empty`] when nothing was written, [`Error::Denied`], [`Error::Store`].
    pub async fn find(&self, ctx: &Ctx, said: &str) -> Result<Option<CustomerId>, Error> {
        let permit = authorize(ctx, Action::ReadCustomers, Resource::Instance)?;
        if said.trim().is_empty() {
            return Err(Error::Empty);
        }
        let handles = [
            reference(Series::Customer, said).map(Handle::Reference),
            phone(self.desk.country, said).map(Handle::Phone),
            email(said).map(Handle::Email),
        ];
        for handle in handles.into_iter().flatten() {
            if let Some(found) = customers::find(&self.store, &permit, &handle).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// A record without what is restricted in it.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Denied`], [`Error::Store`].
    pub async fn open(&self, ctx: &Ctx, id: CustomerId) -> Result<Record, Error> {
        let permit = authorize(ctx, Class::Confidential.right(), Resource::Instance)?;
        Ok(customers::open(&self.store, ctx, &permit, id).await?)
    }

    /// A whole record.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Denied`], [`Error::Store`].
    pub async fn open_restricted(&self, ctx: &Ctx, id: CustomerId) -> Result<Record, Error> {
        let permit = authorize(ctx, Class::Restricted.right(), Resource::Instance)?;
        Ok(customers::open(&self.store, ctx, &permit, id).await?)
    }

    /// Erases a customer, and destroys the key of the record.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Denied`], [`Error::Store`].
    pub async fn erase(&self, ctx: &Ctx, id: CustomerId) -> Result<Erasure, Error> {
        let permit = authorize(ctx, Action::ManageCustomers, Resource::Instance)?;
        let mut tx = self.store.begin(ctx).await?;
        let erased = customers::erase(&mut tx, &permit, id).await?;
        tx.commit(Entry::new(Act::CustomerErased, id)).await?;
        Ok(Erasure { id, erased, at: ctx.now(), request: ctx.request })
    }

    /// Forgets what its class says should be forgotten: restricted fields first, whole customers later.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::Store`].
    pub async fn sweep(&self, ctx: &Ctx) -> Result<Swept, Error> {
        let permit = authorize(ctx, Action::ManageCustomers, Resource::Instance)?;
        let numbers = &self.desk.numbers;
        let before = |days: u32| ctx.now().plus_seconds(-i64::from(days) * 24 * 60 * 60);
        let mut tx = self.store.begin(ctx).await?;
        let window = ctx.now().plus_seconds(-i64::from(numbers.customer_tries_hours) * 60 * 60);
        let cleared = verification::clear_tries(&mut tx, &permit, window).await?;
        let restricted = before(Class::Restricted.days(numbers));
        let restricted = customers::remove_restricted(&mut tx, &permit, restricted).await?;
        let (act, count) =
            if restricted > 0 { (Act::RestrictedRemoved, restricted) } else { (Act::Swept, cleared) };
        if count > 0 {
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            tx.commit(Entry::new(act, "").times(count)).await?;
        } else {
            drop(tx);
        }
        let forgotten = before(Class::Internal.days(numbers));
        let mut swept = Swept { customers: 0, restricted };
        for id in customers::unheard_since(&self.store, &permit, forgotten, A_ROUND).await? {
            let mut tx = self.store.begin(ctx).await?;
            match customers::erase_unheard(&mut tx, &permit, id, forgotten).await {
                Ok(_) => {
                    tx.commit(Entry::new(Act::CustomerErased, id)).await?;
                    swept.customers += 1;
                }
                // Somebody else was quicker, or they called just now.
                Err(store::Error::NotFound) => drop(tx),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(swept)
    }
}
