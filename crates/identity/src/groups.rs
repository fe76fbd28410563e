//! Groups of people with rules of their own, and the rules that hold for whoever asks.
//!
//! Called by the groups pages, and by `web` for every request it recognises. The invariant: what holds is
//! read from the rows with each request, so a changed rule acts on the next one.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    Action, Actor, Ctx, Resource,
    audit::{Act, Entry},
    authorize,
    bounds::Bounds,
    enforced,
    id::{GroupId, UserId},
    name,
};
use store::groups;

pub use groups::Group;

use crate::{Error, Identity, permits};

/// Groups there may be.
const MOST_GROUPS: u32 = 500;

impl Identity {
    /// `ctx` acting as `actor`, within what the groups of the actor's account say.
    ///
    /// # Errors
    /// [`Error::Store`] when they cannot be read: then nobody is let in without them.
    pub async fn acting_within_bounds(&self, ctx: &Ctx, actor: Actor) -> Result<Ctx, Error> {
        let mut acting = ctx.acting_as(actor);
        if let Some(user) = acting.actor.user() {
            let permit = permits::authenticate(&permits::authenticating(ctx))?;
            enforced!(GRP01);
            acting.bounds = Arc::new(groups::bounds_of(self.store(), &permit, user).await?);
        }
        Ok(acting)
    }

    /// Every group.
    ///
    /// # Errors
    /// [`Error::Denied`] unless the actor may manage groups.
    pub async fn groups(&self, ctx: &Ctx) -> Result<Vec<Group>, Error> {
        let permit = authorize(ctx, Action::ManageGroups, Resource::Instance)?;
        Ok(groups::list(self.store(), &permit).await?)
    }

    /// One group.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Denied`] unless the actor may manage groups.
    pub async fn group(&self, ctx: &Ctx, id: GroupId) -> Result<Group, Error> {
        let permit = authorize(ctx, Action::ManageGroups, Resource::Instance)?;
        Ok(groups::get(self.store(), &permit, id).await?)
    }

    /// Who is in one group.
    ///
    /// # Errors
    /// [`Error::Denied`] unless the actor may manage groups.
    pub async fn members(&self, ctx: &Ctx, id: GroupId) -> Result<Vec<UserId>, Error> {
        let permit = authorize(ctx, Action::ManageGroups, Resource::Instance)?;
        Ok(groups::members(self.store(), &permit, id).await?)
    }

    /// The names of the groups people are in.
    ///
    /// # Errors
    /// [`Error::Denied`] unless the actor may read people.
    pub async fn group_names(&self, ctx: &Ctx) -> Result<BTreeMap<UserId, Vec<String>>, Error> {
        let permit = authorize(ctx, Action::ReadPeople, Resource::Instance)?;
        let names: BTreeMap<GroupId, String> = groups::list(self.store(), &permit)
            .await?
            .into_iter()
            .map(|group| (group.id, group.name))
            .collect();
        let named = |held: Vec<GroupId>| held.iter().filter_map(|id| names.get(id).cloned()).collect();
        let held = groups::memberships(self.store(), &permit).await?;
        Ok(held.into_iter().map(|(user, held)| (user, named(held))).collect())
    }

    /// Makes a group.
    ///
    /// # Errors
    /// [`Error::Name`], [`Error::GroupTaken`], [`Error::TooMany`]; [`Error::Denied`].
    pub async fn make_group(&self, ctx: &Ctx, called: &str, bounds: &Bounds) -> Result<GroupId, Error> {
        let permit = authorize(ctx, Action::ManageGroups, Resource::Instance)?;
        let called = name::tidy(called).map_err(Error::Name)?;
        if groups::list(self.store(), &permit).await?.len() >= MOST_GROUPS as usize {
            return Err(Error::TooMany { what: "groups", most: MOST_GROUPS });
        }
        let id = GroupId::fresh(ctx);
        let mut tx = self.store().begin(ctx).await?;
        groups::create(&mut tx, &permit, id, &called, bounds).await.map_err(taken)?;
        tx.commit(Entry::new(Act::GroupChanged, id)).await?;
        Ok(id)
    }

    /// Gives a group another name and other rules; they hold from the next request on.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Name`], [`Error::GroupTaken`]; [`Error::Denied`].
    pub async fn change_group(
        &self,
        ctx: &Ctx,
        id: GroupId,
        called: &str,
        bounds: &Bounds,
    ) -> Result<(), Error> {
        let permit = authorize(ctx, Action::ManageGroups, Resource::Instance)?;
        let called = name::tidy(called).map_err(Error::Name)?;
        let mut tx = self.store().begin(ctx).await?;
        groups::change(&mut tx, &permit, id, &called, bounds).await.map_err(taken)?;
        tx.commit(Entry::new(Act::GroupChanged, id)).await?;
        Ok(())
    }

    /// Deletes a group; its rules hold for nobody any more, the people stay.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Denied`].
    pub async fn delete_group(&self, ctx: &Ctx, id: GroupId) -> Result<(), Error> {
        let permit = authorize(ctx, Action::ManageGroups, Resource::Instance)?;
        let mut tx = self.store().begin(ctx).await?;
        groups::delete(&mut tx, &permit, id).await?;
        tx.commit(Entry::new(Act::GroupChanged, id)).await?;
        Ok(())
    }

    /// Puts somebody into a group.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such group or account; [`Error::Denied`], also for who holds more
    /// rights.
    pub async fn put_in_group(&self, ctx: &Ctx, id: GroupId, user: UserId) -> Result<(), Error> {
        let permit = authorize(ctx, Action::ManageGroups, Resource::Instance)?;
        let mut tx = self.store().begin(ctx).await?;
        self.within_reach(ctx, &permit, user).await?;
        groups::put_in(&mut tx, &permit, id, user).await?;
        tx.commit(Entry::new(Act::MembershipChanged, id)).await?;
        Ok(())
    }

    /// Takes somebody out of a group.
    ///
    /// # Errors
    /// [`Error::NotFound`] when they are not in it; [`Error::Denied`], also for who holds more rights.
    pub async fn take_out_of_group(&self, ctx: &Ctx, id: GroupId, user: UserId) -> Result<(), Error> {
        let permit = authorize(ctx, Action::ManageGroups, Resource::Instance)?;
        let mut tx = self.store().begin(ctx).await?;
        self.within_reach(ctx, &permit, user).await?;
        if !groups::take_out(&mut tx, &permit, id, user).await? {
            return Err(Error::NotFound);
        }
        tx.commit(Entry::new(Act::MembershipChanged, id)).await?;
        Ok(())
    }
}

fn taken(error: store::Error) -> Error {
    match error {
        store::Error::Conflict => Error::GroupTaken,
        other => other.into(),
    }
}
