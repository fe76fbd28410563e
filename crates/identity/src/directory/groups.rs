//! Groups that come and go as an organisation's directory says: by SCIM, and by the claims of a sign-in.
//!
//! Called by `/scim/v2` and by the sign-in. The invariants: provisioning sees and changes only groups it made,
//! and puts only people into them that it made; a claim moves people only between groups the configuration
//! names; what holds in a group is never the directory's to say.

use std::collections::BTreeSet;

use domain::{
    Action, Ctx, Denied, Permit, Resource,
    audit::{Act, Entry},
    authorize,
    bounds::Bounds,
    id::{GroupId, UserId},
    name,
};
use store::{Tx, directory::groups as rows, groups};

pub use store::directory::groups::ProvisionedGroup;

use super::{config::SsoConfig, proof::Assertion};
use crate::{Error, Identity};

/// Most people of one group that provisioning may name.
pub(crate) const MOST_MEMBERS: usize = 2000;

/// What the directory says about a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupChange {
    /// What it is called.
    pub name: String,
    /// The directory's own identifier.
    pub external: Option<String>,
    /// Who is in it.
    pub members: BTreeSet<UserId>,
}

impl Identity {
    /// Makes a group.
    ///
    /// # Errors
    /// [`Error::Name`]; [`Error::Taken`] when the name or the external identifier is another group's;
    /// [`Error::NotFound`] when somebody in it is not of the directory.
    pub async fn provision_group(&self, ctx: &Ctx, new: &GroupChange) -> Result<ProvisionedGroup, Error> {
        let permit = may_manage(ctx)?;
        let name = name::tidy(&new.name).map_err(Error::Name)?;
        let id = GroupId::fresh(ctx);
        let mut tx = self.store().begin(ctx).await?;
        self.group_is_free(&permit, &name, new.external.as_deref(), None).await?;
        groups::create(&mut tx, &permit, id, &name, &Bounds::default()).await.map_err(taken)?;
        rows::put(&mut tx, &permit, id, new.external.as_deref()).await.map_err(taken)?;
        self.set_members(&mut tx, ctx, &permit, id, &new.members).await?;
        tx.commit(Entry::new(Act::GroupChanged, id)).await?;
        self.provisioned_group(ctx, id).await
    }

    /// One provisioned group.
    ///
    /// # Errors
    /// [`Error::NotFound`] when provisioning did not make it.
    pub async fn provisioned_group(&self, ctx: &Ctx, id: GroupId) -> Result<ProvisionedGroup, Error> {
        Ok(rows::get(self.store(), &may_manage(ctx)?, id).await?)
    }

    /// How many provisioned groups there are, and those from the `skip`th on, oldest first.
    ///
    /// # Errors
    /// [`Error::Denied`] unless the actor may manage groups.
    pub async fn provisioned_groups(
        &self,
        ctx: &Ctx,
        skip: u64,
        limit: u32,
    ) -> Result<(u64, Vec<ProvisionedGroup>), Error> {
        let permit = may_manage(ctx)?;
        let total = rows::count(self.store(), &permit).await?;
        let mut found = Vec::new();
        for id in rows::list(self.store(), &permit, skip, limit).await? {
            match self.provisioned_group(ctx, id).await {
                Ok(one) => found.push(one),
                // Deleted between the two reads.
                Err(Error::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok((total, found))
    }

    /// The people of a provisioned group whom the directory knows, in the order of their identifiers.
    ///
    /// # Errors
    /// [`Error::NotFound`] when provisioning did not make the group.
    pub async fn provisioned_members(&self, ctx: &Ctx, id: GroupId) -> Result<BTreeSet<UserId>, Error> {
        let permit = may_manage(ctx)?;
        rows::get(self.store(), &permit, id).await?;
        let mut known = BTreeSet::new();
        for user in groups::members(self.store(), &permit, id).await? {
            if self.is_provisioned(ctx, user).await? {
                known.insert(user);
            }
        }
        Ok(known)
    }

    /// Replaces what the directory says about a group. `None` when it changed since `version`.
    ///
    /// # Errors
    /// As [`Self::provision_group`].
    pub async fn change_group_provisioned(
        &self,
        ctx: &Ctx,
        id: GroupId,
        to: &GroupChange,
        version: Option<i64>,
    ) -> Result<Option<ProvisionedGroup>, Error> {
        let permit = may_manage(ctx)?;
        let name = name::tidy(&to.name).map_err(Error::Name)?;
        let mut tx = self.store().begin(ctx).await?;
        let now = self.provisioned_group(ctx, id).await?;
        if version.is_some_and(|version| version != now.version) {
            return Ok(None);
        }
        self.group_is_free(&permit, &name, to.external.as_deref(), Some(id)).await?;
        if name != now.group.name {
            groups::change(&mut tx, &permit, id, &name, &now.group.bounds).await.map_err(taken)?;
        }
        rows::put(&mut tx, &permit, id, to.external.as_deref()).await.map_err(taken)?;
        let moved = self.set_members(&mut tx, ctx, &permit, id, &to.members).await?;
        let act = if moved > 0 { Act::MembershipChanged } else { Act::GroupChanged };
        tx.commit(Entry::new(act, id).times(moved.max(1))).await?;
        Ok(Some(self.provisioned_group(ctx, id).await?))
    }

    /// Deletes a provisioned group; the people stay.
    ///
    /// # Errors
    /// [`Error::NotFound`] when provisioning did not make it.
    pub async fn unprovision_group(&self, ctx: &Ctx, id: GroupId) -> Result<(), Error> {
        let permit = may_manage(ctx)?;
        let mut tx = self.store().begin(ctx).await?;
        self.provisioned_group(ctx, id).await?;
        groups::delete(&mut tx, &permit, id).await?;
        tx.commit(Entry::new(Act::GroupChanged, id)).await?;
        Ok(())
    }

    /// Puts `user` into the groups their claims lead to and takes them out of the others the configuration
    /// names; says how many moves that were.
    pub(super) async fn follow_claims(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        config: &SsoConfig,
        proven: &Assertion,
        user: UserId,
    ) -> Result<usize, Error> {
        if config.groups.is_empty() {
            return Ok(0);
        }
        let permit = may_manage(ctx)?;
        let memberships = groups::memberships(self.store(), &permit).await?;
        let mine = memberships.get(&user).cloned().unwrap_or_default();
        let mut moved = 0;
        for group in groups::list(self.store(), &permit).await? {
            let Some(wanted) = wanted(config, &group.name, proven) else { continue };
            match (wanted, mine.contains(&group.id)) {
                (true, false) => groups::put_in(tx, &permit, group.id, user).await?,
                (false, true) => drop(groups::take_out(tx, &permit, group.id, user).await?),
                _ => continue,
            }
            moved += 1;
        }
        Ok(moved)
    }

    /// Makes `members` the people of the group whom the directory knows; others who are in it stay.
    async fn set_members(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        permit: &Permit,
        id: GroupId,
        members: &BTreeSet<UserId>,
    ) -> Result<usize, Error> {
        if members.len() > MOST_MEMBERS {
            return Err(Error::TooMany { what: "people in a group", most: 2000 });
        }
        let now: BTreeSet<UserId> = groups::members(self.store(), permit, id).await?.into_iter().collect();
        let mut moved = 0;
        for user in members.difference(&now) {
            if !self.is_provisioned(ctx, *user).await? {
                return Err(Error::NotFound);
            }
            groups::put_in(tx, permit, id, *user).await?;
            moved += 1;
        }
        for user in now.difference(members) {
            if self.is_provisioned(ctx, *user).await? {
                groups::take_out(tx, permit, id, *user).await?;
                moved += 1;
            }
        }
        Ok(moved)
    }

    async fn is_provisioned(&self, ctx: &Ctx, user: UserId) -> Result<bool, Error> {
        match self.provisioned(ctx, user).await {
            Ok(_) => Ok(true),
            Err(Error::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn group_is_free(
        &self,
        permit: &Permit,
        name: &str,
        external: Option<&str>,
        but: Option<GroupId>,
    ) -> Result<(), Error> {
        let all = groups::list(self.store(), permit).await?;
        let named =
            all.iter().find(|group| name::fold(&group.name) == name::fold(name)).map(|group| group.id);
        let called = match external {
            Some(external) => rows::external(self.store(), permit, external).await?,
            None => None,
        };
        let other = |found: Option<GroupId>| found.is_some() && found != but;
        if other(named) || other(called) { Err(Error::Taken) } else { Ok(()) }
    }
}

/// Whether the claims put somebody into the group called `name`; `None` when no rule names it.
fn wanted(config: &SsoConfig, name: &str, proven: &Assertion) -> Option<bool> {
    let mut rules =
        config.groups.iter().filter(|rule| name::fold(&rule.group) == name::fold(name)).peekable();
    rules.peek()?;
    Some(rules.any(|rule| proven.holds(&rule.claim, &rule.value)))
}

fn may_manage(ctx: &Ctx) -> Result<Permit, Denied> {
    authorize(ctx, Action::ManageGroups, Resource::Instance)
}

fn taken(error: store::Error) -> Error {
    match error {
        store::Error::Conflict => Error::Taken,
        other => other.into(),
    }
}
