//! Giving and taking roles, and roles of an organisation's own.
//!
//! Called by the admin pages, and by whoever recognises somebody for what they may do. The invariants: nobody
//! changes their own roles; nobody but an owner gives or takes a right they do not hold; an instance keeps an
//! owner whose role does not end.

use domain::{
    Action, Actor, Ctx, Permit, Resource, Timestamp,
    access::{Rights, Role, Roles, Standing},
    audit::{Act, Entry},
    authorize, enforced,
    id::{CustomRoleId, UserId},
};
use store::{
    Tx,
    footing::{self, Footing},
    roles::{self, CustomRole, Granted, Holder},
};

use crate::{Error, Identity, Unfit};

/// Longest name of a role.
const MOST_NAME_CHARS: usize = 60;
/// Longest words about what a role is for.
const MOST_ABOUT_CHARS: usize = 200;
/// Roles of its own an organisation may have.
const MOST_ROLES: u32 = 100;

/// Who holds what, and which roles there are.
#[derive(Clone, Debug)]
pub struct Held {
    /// Everybody with their grants.
    pub holders: Vec<Holder>,
    /// The roles of the organisation's own.
    pub custom: Vec<CustomRole>,
}

impl Held {
    /// The custom role with this identifier.
    #[must_use]
    pub fn custom(&self, id: CustomRoleId) -> Option<&CustomRole> {
        self.custom.iter().find(|role| role.id == id)
    }

    /// What a grant allows.
    #[must_use]
    pub fn rights(&self, what: Granted) -> Rights {
        match what {
            Granted::BuiltIn(role) => role.rights(),
            Granted::Custom(id) => self.custom(id).map_or(Rights::NONE, |role| role.rights),
        }
    }
}

impl Identity {
    /// Who holds which roles, and the roles of the organisation's own.
    ///
    /// # Errors
    /// [`Error::Denied`] unless the actor may read people.
    pub async fn held_roles(&self, ctx: &Ctx) -> Result<Held, Error> {
        self.held_under(&authorize(ctx, Action::ReadPeople, Resource::Instance)?).await
    }

    pub(crate) async fn held_under(&self, permit: &Permit) -> Result<Held, Error> {
        Ok(Held {
            holders: roles::holders(self.store(), permit).await?,
            custom: roles::custom_roles(self.store(), permit).await?,
        })
    }

    /// Gives `what` to an account, until `ends` when that is said.
    ///
    /// # Errors
    /// [`Error::Unfit`] when a rule stands against it, [`Error::NotFound`] when there is no such account or role.
    pub async fn grant_role(
        &self,
        ctx: &Ctx,
        user: UserId,
        what: Granted,
        ends: Option<Timestamp>,
    ) -> Result<(), Error> {
        let permit = authorize(ctx, Action::GrantRoles, Resource::Instance)?;
        if ends.is_some_and(|ends| ends <= ctx.now()) {
            return Err(Error::Unfit(Unfit::Past));
        }
        let mut tx = self.store().begin(ctx).await?;
        self.may_change(ctx, &permit, user, what).await?;
        if ends.is_some() && what == Granted::BuiltIn(Role::Owner) {
            keep_an_owner(&mut tx, user).await?;
        }
        roles::give(&mut tx, &permit, user, what, ends).await?;
        Ok(tx.commit(Entry::new(Act::RolesChanged, user)).await?)
    }

    /// Takes `what` from an account. It acts at once: the next request of its person is without it.
    ///
    /// # Errors
    /// As [`Identity::grant_role`].
    pub async fn take_role(&self, ctx: &Ctx, user: UserId, what: Granted) -> Result<(), Error> {
        let permit = authorize(ctx, Action::GrantRoles, Resource::Instance)?;
        let mut tx = self.store().begin(ctx).await?;
        self.may_change(ctx, &permit, user, what).await?;
        if what == Granted::BuiltIn(Role::Owner) {
            keep_an_owner(&mut tx, user).await?;
        }
        if !roles::take(&mut tx, &permit, user, what).await? {
            return Err(Error::NotFound);
        }
        Ok(tx.commit(Entry::new(Act::RolesChanged, user)).await?)
    }

    /// Makes a role of the organisation's own, or changes the one called `id`: its name, what it is for, its
    /// rights. Whoever holds it may do the new from the next request on.
    ///
    /// # Errors
    /// [`Error::Unfit`] when a rule stands against it, [`Error::TooMany`], [`Error::NotFound`].
    pub async fn save_custom_role(
        &self,
        ctx: &Ctx,
        id: Option<CustomRoleId>,
        (name, about): (&str, &str),
        rights: Rights,
    ) -> Result<CustomRoleId, Error> {
        let permit = authorize(ctx, Action::GrantRoles, Resource::Instance)?;
        let (name, about) = (name.trim(), about.trim());
        let fits = (1..=MOST_NAME_CHARS).contains(&name.chars().count())
            && about.chars().count() <= MOST_ABOUT_CHARS
            && !name.chars().chain(about.chars()).any(char::is_control);
        if !fits || rights.is_empty() || rights.iter().any(|right| !right.is_grantable()) {
            return Err(Error::Unfit(Unfit::Role));
        }
        let standing = standing(ctx)?;
        let mut tx = self.store().begin(ctx).await?;
        let held = self.held_under(&permit).await?;
        let before = match id {
            None if held.custom.len() >= MOST_ROLES as usize => {
                return Err(Error::TooMany { what: "roles", most: MOST_ROLES });
            }
            None => Rights::NONE,
            Some(id) => held.custom(id).ok_or(Error::NotFound)?.rights,
        };
        within(&standing, rights.and(before))?;
        let id = id.unwrap_or_else(|| CustomRoleId::fresh(ctx));
        not_ones_own(ctx, &held, id)?;
        roles::save_custom(&mut tx, &permit, id, (name, about), rights).await?;
        tx.commit(Entry::new(Act::CustomRoleChanged, id)).await?;
        Ok(id)
    }

    /// Deletes a role of the organisation's own, and with it every grant of it.
    ///
    /// # Errors
    /// [`Error::Unfit`] when a rule stands against it, [`Error::NotFound`].
    pub async fn delete_custom_role(&self, ctx: &Ctx, id: CustomRoleId) -> Result<(), Error> {
        let permit = authorize(ctx, Action::GrantRoles, Resource::Instance)?;
        let mut tx = self.store().begin(ctx).await?;
        let held = self.held_under(&permit).await?;
        within(&standing(ctx)?, held.custom(id).ok_or(Error::NotFound)?.rights)?;
        not_ones_own(ctx, &held, id)?;
        roles::delete_custom(&mut tx, &permit, id).await?;
        Ok(tx.commit(Entry::new(Act::CustomRoleChanged, id)).await?)
    }

    /// What an account may do now: its built-in `roles` but for those whose time is over, and what roles of
    /// the organisation's own add. `ctx` is that of [`crate::permits::authenticating`].
    pub(crate) async fn standing_of(&self, ctx: &Ctx, user: UserId, roles: Roles) -> Result<Standing, Error> {
        let permit = crate::permits::authenticate(ctx)?;
        let (roles, extra) = roles::effective(self.store(), &permit, user, roles, ctx.now()).await?;
        Ok(Standing { roles, extra, ..Standing::default() })
    }

    /// Where an account stands now. Everything that asks what somebody else may do asks here; a caller that
    /// decides by it holds the writers' turn, so that the answer stands until its commit.
    pub(crate) async fn footing(&self, ctx: &Ctx, user: UserId) -> Result<Footing, Error> {
        let ctx = &crate::permits::authenticating(ctx);
        let permit = crate::permits::authenticate(ctx)?;
        Ok(footing::of(self.store(), &permit, user, ctx.now()).await?)
    }

    /// Whether the actor may give `what` to `user` or take it from them. Called with the writers' turn.
    async fn may_change(&self, ctx: &Ctx, permit: &Permit, user: UserId, what: Granted) -> Result<(), Error> {
        if ctx.actor.user() == Some(user) {
            enforced!(ACC04);
            return Err(Error::Unfit(Unfit::OwnRoles));
        }
        let held = self.held_under(permit).await?;
        if let Granted::Custom(id) = what {
            held.custom(id).ok_or(Error::NotFound)?;
        }
        within(&standing(ctx)?, held.rights(what))
    }
}

pub(crate) fn standing(ctx: &Ctx) -> Result<Standing, Error> {
    match &ctx.actor {
        Actor::Person { standing, .. } => Ok(*standing),
        _ => Err(domain::Denied::FLAT.into()),
    }
}

/// Nobody but an owner hands on what they do not hold.
pub(crate) fn within(standing: &Standing, rights: Rights) -> Result<(), Error> {
    if standing.roles.has(Role::Owner) || rights.minus(standing.rights()).is_empty() {
        return Ok(());
    }
    enforced!(ACC04);
    Err(Error::Unfit(Unfit::NotHeld))
}

/// To change a role one holds is to change one's own roles.
fn not_ones_own(ctx: &Ctx, held: &Held, id: CustomRoleId) -> Result<(), Error> {
    let mine = held.holders.iter().filter(|holder| Some(holder.user) == ctx.actor.user());
    match mine.flat_map(|holder| &holder.grants).any(|grant| grant.what == Granted::Custom(id)) {
        true => Err(Error::Unfit(Unfit::OwnRoles)),
        false => Ok(()),
    }
}

/// Refuses to go on when `user` is the only owner whose role does not end.
async fn keep_an_owner(tx: &mut Tx, user: UserId) -> Result<(), Error> {
    if is_last_owner(tx, user).await? {
        enforced!(ACC04);
        return Err(Error::Unfit(Unfit::LastOwner));
    }
    Ok(())
}

/// Whether nobody but `user` owns the instance for good, as it stands for this transaction.
pub(crate) async fn is_last_owner(tx: &mut Tx, user: UserId) -> Result<bool, Error> {
    Ok(roles::lasting_owners(tx).await?.iter().all(|owner| *owner == user))
}
