//! People, for those who run the instance: who has an account, closing it, deleting it. Never content.
//!
//! Called by the people page, by directories and by the account page (leaving). The invariants: nobody acts
//! on an account with a right they do not hold themselves; closing an account ends its sessions and keys in
//! the same transaction, deleting it destroys its key; an instance keeps an owner.

use domain::{
    Action, Actor, Ctx, Denied, Permit, Resource,
    access::Role,
    audit::{Act, Entry},
    authorize, enforced,
    id::{MailId, UserId},
    mail::{Address, Mail},
    name,
};
use store::{Tx, emails, invitations, outbox, people, usage};

pub use people::Person as PersonInfo;

use crate::{Error, Identity, permits, roles::is_last_owner};

/// Accounts that are looked through; beyond it the newest are found.
const LOOKED_AT: u32 = 10_000;
/// Accounts on a page.
const A_PAGE: usize = 50;
/// Days a mail that left stays listed.
const MAIL_DAYS: i64 = 30;
const DAY_S: i64 = 24 * 60 * 60;

/// Some people, and how many there are.
#[derive(Clone, Debug)]
pub struct PersonPage {
    /// Those on this page.
    pub people: Vec<PersonInfo>,
    /// How many were found in all.
    pub found: usize,
    /// Which page it is, from 0.
    pub page: usize,
    /// How many pages there are.
    pub pages: usize,
}

impl Identity {
    /// The people whose name holds `query`, in any spelling; page by page, the newest first.
    ///
    /// # Errors
    /// [`Error::Denied`] unless the actor may read people.
    pub async fn people(&self, ctx: &Ctx, query: &str, page: usize) -> Result<PersonPage, Error> {
        let permit = authorize(ctx, Action::ReadPeople, Resource::Instance)?;
        let wanted = name::fold(query);
        let mut found = people::list(self.store(), &permit, LOOKED_AT).await?;
        found.retain(|person| name::fold(&person.name).contains(&wanted));
        let pages = found.len().div_ceil(A_PAGE).max(1);
        let page = page.min(pages - 1);
        let count = found.len();
        let people = found.into_iter().skip(page * A_PAGE).take(A_PAGE).collect();
        Ok(PersonPage { people, found: count, page, pages })
    }

    /// One of them.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Denied`] unless the actor may read people.
    pub async fn person(&self, ctx: &Ctx, id: UserId) -> Result<PersonInfo, Error> {
        let permit = authorize(ctx, Action::ReadPeople, Resource::Instance)?;
        Ok(people::get(self.store(), &permit, id).await?)
    }

    /// Closes an account: nobody signs in to it, its sessions are over, its keys open nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::LastOwner`]; [`Error::Denied`], also for who holds more rights.
    pub async fn deactivate(&self, ctx: &Ctx, id: UserId) -> Result<(), Error> {
        let permit = authorize(ctx, Action::ManagePeople, Resource::Instance)?;
        let mut tx = self.store().begin(ctx).await?;
        let person = self.within_reach(ctx, &permit, id).await?;
        keep_an_owner(&mut tx, &person).await?;
        self.tell(&mut tx, ctx, id, Mail::Deactivated).await?;
        enforced!(ACT02);
        people::set_active(&mut tx, &permit, id, false).await?;
        tx.commit(Entry::new(Act::AccountDeactivated, id)).await?;
        Ok(())
    }

    /// Opens an account again.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Denied`], also for who holds more rights.
    pub async fn reactivate(&self, ctx: &Ctx, id: UserId) -> Result<(), Error> {
        let permit = authorize(ctx, Action::ManagePeople, Resource::Instance)?;
        let mut tx = self.store().begin(ctx).await?;
        self.within_reach(ctx, &permit, id).await?;
        people::set_active(&mut tx, &permit, id, true).await?;
        tx.commit(Entry::new(Act::AccountReactivated, id)).await?;
        Ok(())
    }

    /// Ends every session of an account; says how many.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Denied`], also for who holds more rights.
    pub async fn end_sessions_of(&self, ctx: &Ctx, id: UserId) -> Result<u64, Error> {
        let permit = authorize(ctx, Action::ManagePeople, Resource::Instance)?;
        let mut tx = self.store().begin(ctx).await?;
        self.within_reach(ctx, &permit, id).await?;
        let ended = people::end_sessions(&mut tx, &permit, id).await?;
        let count = usize::try_from(ended).unwrap_or(usize::MAX);
        tx.commit(Entry::new(Act::SessionEnded, id).times(count)).await?;
        Ok(ended)
    }

    /// Deletes another person's account with all of its data.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::LastOwner`]; [`Error::Denied`], also for who holds more rights.
    pub async fn remove_person(&self, ctx: &Ctx, id: UserId) -> Result<(), Error> {
        let permit = authorize(ctx, Action::RemovePeople, Resource::Instance)?;
        self.remove(ctx, &permit, id).await
    }

    /// Deletes the account of the person who asks with all of its data.
    ///
    /// # Errors
    /// [`Error::LastOwner`]; [`Error::Denied`] without a fresh confirmation.
    pub async fn leave(&self, ctx: &Ctx) -> Result<(), Error> {
        let permit = permits::own(ctx, Action::ManageCredentials)?;
        let id = permit.subject(Action::ManageCredentials)?;
        self.remove(ctx, &permit, id).await
    }

    async fn remove(&self, ctx: &Ctx, permit: &Permit, id: UserId) -> Result<(), Error> {
        let mut tx = self.store().begin(ctx).await?;
        let person = if permit.subject(Action::ManageCredentials).is_ok() {
            let reads = authorize(&permits::provisioning(ctx), Action::ReadPeople, Resource::Instance)?;
            people::get(self.store(), &reads, id).await?
        } else {
            self.within_reach(ctx, permit, id).await?
        };
        keep_an_owner(&mut tx, &person).await?;
        // Their key is gone before this leaves, so it waits under the system's.
        let farewell = self.letter(ctx, id, Mail::Deleted).await?.filter(|_| self.sends_mail());
        enforced!(ACT02);
        people::remove(&mut tx, permit, id).await?;
        if let Some(letter) = farewell {
            outbox::queue(&mut tx, permit, MailId::fresh(ctx), &letter).await?;
        }
        tx.commit(Entry::new(Act::AccountDeleted, id)).await?;
        Ok(())
    }

    /// The e-mails that wait, left or were given up; no address, no content.
    ///
    /// # Errors
    /// [`Error::Denied`] unless the actor may read people.
    pub async fn outbox(&self, ctx: &Ctx) -> Result<Vec<outbox::Listed>, Error> {
        let permit = authorize(ctx, Action::ReadPeople, Resource::Instance)?;
        Ok(outbox::list(self.store(), &permit).await?)
    }

    /// Queues a mail that says only that mail arrives.
    ///
    /// # Errors
    /// [`Error::Email`], [`Error::NoMail`]; [`Error::Denied`] unless the actor may manage people.
    pub async fn send_test_mail(&self, ctx: &Ctx, typed: &str) -> Result<(), Error> {
        let permit = authorize(ctx, Action::ManagePeople, Resource::Instance)?;
        let to = Address::read(typed)?;
        if !self.sends_mail() {
            return Err(Error::NoMail);
        }
        let id = MailId::fresh(ctx);
        let mut tx = self.store().begin(ctx).await?;
        let letter = outbox::Letter { to, language: String::new(), mail: Mail::Test };
        outbox::queue(&mut tx, &permit, id, &letter).await?;
        tx.commit(Entry::new(Act::MailQueued, id)).await?;
        Ok(())
    }

    /// Clears away links and invitations that ended, counts of use no quota looks at, and mail that left
    /// long ago; says how many rows. They are refused without this as well.
    ///
    /// # Errors
    /// [`Error::Denied`] unless the actor may change the instance, as the system's upkeep may.
    pub async fn sweep_accounts(&self, ctx: &Ctx) -> Result<u64, Error> {
        let permit = authorize(ctx, Action::WriteInstance, Resource::Instance)?;
        let now = ctx.now();
        let mut tx = self.store().begin(ctx).await?;
        let mut cleared = invitations::clear(&mut tx, &permit, now).await?;
        cleared += emails::clear_links(&mut tx, &permit, now).await?;
        cleared += usage::clear(&mut tx, &permit, now).await?;
        cleared += outbox::clear(&mut tx, &permit, now.plus_seconds(-MAIL_DAYS * DAY_S)).await?;
        if cleared > 0 {
            let count = usize::try_from(cleared).unwrap_or(usize::MAX);
            tx.commit(Entry::new(Act::Swept, "").times(count)).await?;
        }
        Ok(cleared)
    }

    /// The person `id`, unless they hold a right the actor does not. Called with the writers' turn.
    pub(crate) async fn within_reach(
        &self,
        ctx: &Ctx,
        permit: &Permit,
        id: UserId,
    ) -> Result<PersonInfo, Error> {
        let person = people::get(self.store(), permit, id).await?;
        let held = self.footing(ctx, id).await?.rights();
        let beyond = match &ctx.actor {
            Actor::Person { standing, .. } => !held.minus(standing.rights()).is_empty(),
            // A directory closes the accounts it made; those who run the instance are not its to close.
            Actor::System(_) => held.iter().any(Action::is_administrative),
            _ => true,
        };
        if beyond {
            enforced!(ACT02);
            return Err(Denied::FLAT.into());
        }
        Ok(person)
    }
}

/// Refuses what would leave the instance without an owner who may sign in, and whose role does not end. Called
/// with the writers' turn.
async fn keep_an_owner(tx: &mut Tx, person: &PersonInfo) -> Result<(), Error> {
    if person.active && person.roles.has(Role::Owner) && is_last_owner(tx, person.id).await? {
        enforced!(ACT02);
        return Err(Error::LastOwner);
    }
    Ok(())
}
