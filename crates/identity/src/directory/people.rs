//! Accounts that come and go as an organisation's directory says (SCIM 2.0).
//!
//! Called by `/scim/v2`, acting as the directory's job. The invariants: only what provisioning made is seen
//! and changed here; an account that became an owner's is out of reach; closing one ends its sessions and
//! its API keys in the same transaction; deleting closes and forgets, because a directory's word alone is
//! not enough to destroy what a person wrote; nor is it enough to hand that to somebody else: an account comes
//! back to the identifier it went with, never to a name, and who is linked to it at a service stays so.

use domain::{
    Action, Ctx, Denied, Permit, Resource,
    access::{Role, Roles},
    audit::{Act, Entry},
    authorize, enforced,
    id::UserId,
    name,
};
use store::{
    Tx, accounts,
    directory::{people as rows, people::Record},
    people,
};

pub use store::directory::people::Provisioned;

use crate::{Error, Identity};

/// Characters of its name that an account keeps when somebody new takes it.
const NAME_KEPT_CHARS: usize = 40;

/// What the directory says about somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonChange {
    /// The name they sign in with.
    pub name: String,
    /// Whether they may.
    pub active: bool,
    /// The rest.
    pub record: Record,
}

/// The same, for somebody who is new.
pub type NewPerson = PersonChange;

impl Identity {
    /// Makes an account, or opens the one again that the directory had deleted under the same identifier: without
    /// what its person signed in with here and without the roles they were given.
    ///
    /// # Errors
    /// [`Error::Name`]; [`Error::Taken`] when the name or the external identifier is another account's.
    pub async fn provision(&self, ctx: &Ctx, new: &NewPerson) -> Result<Provisioned, Error> {
        let (manage, people) = (may_manage(ctx)?, may_read(ctx)?);
        let name = name::tidy(&new.name).map_err(Error::Name)?;
        let mut tx = self.store().begin(ctx).await?;
        // Read while this holds the writers' turn, so that it stands until the commit.
        self.external_is_free(&people, new, None).await?;
        let back = self.who_comes_back(ctx, &people, new).await?;
        if let Some((other, made_here)) = rows::named(self.store(), &people, &name).await?
            && Some(other) != back
        {
            if !made_here || !self.row(ctx, other).await?.gone {
                return Err(Error::Taken);
            }
            enforced!(SSO02);
            self.free_the_name(&mut tx, ctx, other).await?;
        }
        let user = back.unwrap_or_else(|| UserId::fresh(ctx));
        let permit = authorize(ctx, Action::WriteAccount, Resource::Of(user))?;
        if back.is_some() {
            rows::strip(&mut tx, &permit).await?;
            rows::rename(&mut tx, &permit, &name).await.map_err(taken)?;
        } else {
            let roles = Roles::NONE.with(Role::User);
            accounts::create(&mut tx, &permit, user, &name, roles).await.map_err(taken)?;
        }
        rows::put(&mut tx, &permit, &new.record).await.map_err(taken)?;
        if back.is_some() || !new.active {
            people::set_active(&mut tx, &manage, user, new.active).await?;
        }
        let act = if back.is_some() { Act::AccountReactivated } else { Act::AccountCreated };
        tx.commit(Entry::new(act, user)).await?;
        self.row(ctx, user).await
    }

    /// The account the directory had deleted under the identifier it now makes somebody with.
    async fn who_comes_back(
        &self,
        ctx: &Ctx,
        permit: &Permit,
        new: &NewPerson,
    ) -> Result<Option<UserId>, Error> {
        let Some(external) = &new.record.external else { return Ok(None) };
        let Some((user, true)) = rows::external(self.store(), permit, external).await? else {
            return Ok(None);
        };
        not_an_owner(&self.row(ctx, user).await?)?;
        Ok(Some(user))
    }

    /// Calls an account that the directory deleted something else, so that somebody new may have its name.
    async fn free_the_name(&self, tx: &mut Tx, ctx: &Ctx, gone: UserId) -> Result<(), Error> {
        let permit = authorize(ctx, Action::WriteAccount, Resource::Of(gone))?;
        let before = self.row(ctx, gone).await?.account.name;
        let short: String = before.chars().take(NAME_KEPT_CHARS).collect();
        let digits = gone.to_string().replace('-', "");
        // The end of an identifier is random, its beginning a time.
        let name = format!("{} (left, {})", short.trim_end(), &digits[digits.len() - 12..]);
        rows::rename(tx, &permit, &name).await.map_err(taken)
    }

    /// One provisioned account.
    ///
    /// # Errors
    /// [`Error::NotFound`] when provisioning did not make it, or has deleted it.
    pub async fn provisioned(&self, ctx: &Ctx, user: UserId) -> Result<Provisioned, Error> {
        may_read(ctx)?;
        let found = self.row(ctx, user).await?;
        if found.gone { Err(Error::NotFound) } else { Ok(found) }
    }

    /// How many provisioned accounts there are, and those from the `skip`th on, oldest first.
    ///
    /// # Errors
    /// [`Error::Denied`] unless the actor may see people.
    pub async fn provisioned_list(
        &self,
        ctx: &Ctx,
        skip: u64,
        limit: u32,
    ) -> Result<(u64, Vec<Provisioned>), Error> {
        let permit = may_read(ctx)?;
        let total = rows::count(self.store(), &permit).await?;
        let mut found = Vec::new();
        for user in rows::list(self.store(), &permit, skip, limit).await? {
            match self.row(ctx, user).await {
                Ok(one) => found.push(one),
                // Deleted between the two reads.
                Err(Error::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok((total, found))
    }

    /// The provisioned account called `name`.
    ///
    /// # Errors
    /// [`Error::Denied`] unless the actor may see people.
    pub async fn provisioned_named(&self, ctx: &Ctx, name: &str) -> Result<Option<Provisioned>, Error> {
        let permit = may_read(ctx)?;
        let Ok(name) = name::tidy(name) else { return Ok(None) };
        match rows::named(self.store(), &permit, &name).await? {
            Some((user, true)) => Ok(Some(self.row(ctx, user).await?).filter(|found| !found.gone)),
            _ => Ok(None),
        }
    }

    /// The provisioned account the directory calls `external`.
    ///
    /// # Errors
    /// [`Error::Denied`] unless the actor may see people.
    pub async fn provisioned_external(
        &self,
        ctx: &Ctx,
        external: &str,
    ) -> Result<Option<Provisioned>, Error> {
        let permit = may_read(ctx)?;
        match rows::external(self.store(), &permit, external).await? {
            Some((user, false)) => Ok(Some(self.row(ctx, user).await?)),
            _ => Ok(None),
        }
    }

    /// Replaces what the directory says about somebody. `None` when it changed since `version`.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Name`], [`Error::Taken`]; [`Error::Denied`] for an owner's account.
    pub async fn change_provisioned(
        &self,
        ctx: &Ctx,
        user: UserId,
        to: &PersonChange,
        version: Option<i64>,
    ) -> Result<Option<Provisioned>, Error> {
        let (manage, people) = (may_manage(ctx)?, may_read(ctx)?);
        let name = name::tidy(&to.name).map_err(Error::Name)?;
        let permit = authorize(ctx, Action::WriteAccount, Resource::Of(user))?;
        let mut tx = self.store().begin(ctx).await?;
        let now = self.provisioned(ctx, user).await?;
        if version.is_some_and(|version| version != now.version) {
            return Ok(None);
        }
        not_an_owner(&now)?;
        self.external_is_free(&people, to, Some(user)).await?;
        if name != now.account.name {
            match rows::named(self.store(), &people, &name).await? {
                Some((other, _)) if other != user => return Err(Error::Taken),
                _ => rows::rename(&mut tx, &permit, &name).await.map_err(taken)?,
            }
        }
        rows::put(&mut tx, &permit, &to.record).await.map_err(taken)?;
        let act = match (now.account.active, to.active) {
            (true, false) => Act::AccountDeactivated,
            (false, true) => Act::AccountReactivated,
            _ => Act::DirectoryChanged,
        };
        if act != Act::DirectoryChanged {
            enforced!(SSO02);
            people::set_active(&mut tx, &manage, user, to.active).await?;
        }
        tx.commit(Entry::new(act, user)).await?;
        Ok(Some(self.row(ctx, user).await?))
    }

    /// Deletes somebody from the directory: the account is closed at once, its sessions and keys end, and
    /// provisioning knows it no more. What the person wrote stays until somebody here removes the account.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Denied`] for an owner's account.
    pub async fn unprovision(&self, ctx: &Ctx, user: UserId) -> Result<(), Error> {
        let manage = may_manage(ctx)?;
        let permit = authorize(ctx, Action::WriteAccount, Resource::Of(user))?;
        let mut tx = self.store().begin(ctx).await?;
        not_an_owner(&self.provisioned(ctx, user).await?)?;
        enforced!(SSO02);
        people::set_active(&mut tx, &manage, user, false).await?;
        rows::put_gone(&mut tx, &permit).await?;
        tx.commit(Entry::new(Act::AccountDeactivated, user)).await?;
        Ok(())
    }

    async fn row(&self, ctx: &Ctx, user: UserId) -> Result<Provisioned, Error> {
        let permit = authorize(ctx, Action::ReadAccount, Resource::Of(user))?;
        Ok(rows::get(self.store(), &permit).await?)
    }

    async fn external_is_free(
        &self,
        permit: &Permit,
        person: &PersonChange,
        but: Option<UserId>,
    ) -> Result<(), Error> {
        let Some(external) = &person.record.external else { return Ok(()) };
        match rows::external(self.store(), permit, external).await? {
            Some((other, false)) if Some(other) != but => Err(Error::Taken),
            _ => Ok(()),
        }
    }
}

fn may_manage(ctx: &Ctx) -> Result<Permit, Denied> {
    authorize(ctx, Action::ManagePeople, Resource::Instance)
}

fn may_read(ctx: &Ctx) -> Result<Permit, Denied> {
    authorize(ctx, Action::ReadPeople, Resource::Instance)
}

fn not_an_owner(person: &Provisioned) -> Result<(), Error> {
    if person.account.roles.has(Role::Owner) { Err(Denied::FLAT.into()) } else { Ok(()) }
}

fn taken(error: store::Error) -> Error {
    match error {
        store::Error::Conflict => Error::Taken,
        other => other.into(),
    }
}
