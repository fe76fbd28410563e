//! From somebody a service has proven to an account here: the one linked to them, one that provisioning made
//! for them, or a new one, as far as the configuration allows; and the roles the service gives them.
//!
//! Called by the sign-in. The invariants: issuer and subject name a person, nothing else does; an account that
//! somebody is linked to is nobody else's, whatever provisioning says about it; a closed account stays closed;
//! roles that came by claims go when the claims do, others stay; nobody becomes owner.

use domain::{
    Action, Actor, Ctx, Job, Resource,
    access::{Role, Roles},
    audit::{Act, Entry},
    authorize, enforced,
    id::UserId,
    mail::Mail,
    name,
};
use store::{Tx, accounts, directory, people};

use super::{SsoProblem, proof::Assertion, provider::Provider};
use crate::{Error, Identity, permits, touches};

/// Names tried for a new account when the first one is taken.
const NAMES_TRIED: u32 = 20;

impl Identity {
    /// The account of somebody who is proven, made if that is allowed, with the roles of today.
    pub(super) async fn admit(
        &self,
        ctx: &Ctx,
        provider: &Provider,
        proven: &Assertion,
    ) -> Result<UserId, Error> {
        let config = provider.config();
        if !proven.is_of(&config.allowed_domains) {
            return Err(Error::Sso(SsoProblem::Elsewhere));
        }
        let ctx = &ctx.acting_as(Actor::System(Job::Provisioning));
        let permit = permits::authenticate(&permits::authenticating(ctx))?;
        // Read while this holds the writers' turn, so that it stands until the commit: of two who claim one
        // account at once, one comes second.
        let tx = self.store().begin(ctx).await?;
        let link = directory::link(self.store(), &permit, &proven.issuer, &proven.subject).await?;
        let (user, given) = match link {
            Some(link) => (link.account, link.given),
            None => match self.provisioned_for(ctx, provider, proven).await? {
                Some(user) => {
                    self.is_nobodys(ctx, provider, user).await?;
                    (user, Roles::NONE)
                }
                None if config.create_accounts => {
                    drop(tx);
                    return self.make(ctx, provider, proven).await;
                }
                None => return Err(Error::Sso(SsoProblem::NoAccount)),
            },
        };
        self.bring_up_to_date(tx, ctx, provider, proven, (user, given)).await?;
        Ok(user)
    }

    /// The connections by whose services an account is known.
    ///
    /// # Errors
    /// [`Error::Denied`] unless the actor may read people.
    pub async fn links_of(&self, ctx: &Ctx, user: UserId) -> Result<Vec<String>, Error> {
        authorize(ctx, Action::ReadPeople, Resource::Instance)?;
        let permit = permits::authenticate(&permits::authenticating(ctx))?;
        Ok(directory::connections_of(self.store(), &permit, user).await?)
    }

    /// Forgets by which identities an account is known at sign-in services, so that the next one its provisioned
    /// identifier names may have it. Its sessions end, and its person is told.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is known by none; [`Error::Denied`] unless the actor may manage the directory and
    /// just confirmed it, also for who holds more rights.
    pub async fn forget_links(&self, ctx: &Ctx, user: UserId) -> Result<(), Error> {
        let permit = authorize(ctx, Action::ManageDirectory, Resource::Instance)?;
        let people = authorize(ctx, Action::ManagePeople, Resource::Instance)?;
        let mut tx = self.store().begin(ctx).await?;
        self.within_reach(ctx, &people, user).await?;
        if directory::unlink(&mut tx, &permit, user).await? == 0 {
            return Err(Error::NotFound);
        }
        people::end_sessions(&mut tx, &people, user).await?;
        self.tell(&mut tx, ctx, user, Mail::FactorsChanged).await?;
        Ok(tx.commit(Entry::new(Act::DirectoryChanged, user)).await?)
    }

    /// Refuses an account that somebody is linked to already. Who holds the directory's token could else give an
    /// account, with all that was written in it, to an identity of their own.
    async fn is_nobodys(&self, ctx: &Ctx, provider: &Provider, user: UserId) -> Result<(), Error> {
        let ctx = &permits::authenticating(ctx);
        let links = directory::connections_of(self.store(), &permits::authenticate(ctx)?, user).await?;
        if links.is_empty() {
            return Ok(());
        }
        enforced!(SSO02);
        let connection = &provider.config().name;
        tracing::warn!(connection, account = %user, "an account that is somebody's already was claimed by another identity");
        Err(Error::Sso(SsoProblem::NoAccount))
    }

    /// The account provisioning made for somebody, by the claim the configuration names for that.
    async fn provisioned_for(
        &self,
        ctx: &Ctx,
        provider: &Provider,
        proven: &Assertion,
    ) -> Result<Option<UserId>, Error> {
        let claim = provider.config().match_provisioned.as_deref();
        let Some(external) = claim.and_then(|claim| proven.text(claim)) else { return Ok(None) };
        let permit = authorize(ctx, Action::ReadPeople, Resource::Instance)?;
        let found = directory::people::external(self.store(), &permit, external).await?;
        Ok(found.map(|(user, _)| user))
    }

    /// Gives an account that is there the roles of today and notes that its link was used.
    async fn bring_up_to_date(
        &self,
        mut tx: Tx,
        ctx: &Ctx,
        provider: &Provider,
        proven: &Assertion,
        (user, given): (UserId, Roles),
    ) -> Result<(), Error> {
        let read = authorize(ctx, Action::ReadAccount, Resource::Of(user))?;
        let permit = authorize(ctx, Action::WriteAccount, Resource::Of(user))?;
        let account = accounts::get(self.store(), &read).await?;
        if !account.active {
            tx.commit(Entry::new(Act::SignInFailed, user)).await?;
            return Err(Error::Sso(SsoProblem::Closed));
        }
        let own = account.roles.iter().filter(|role| !given.has(*role)).collect::<Roles>();
        let now_given = proven.roles.iter().filter(|role| !own.has(*role)).collect::<Roles>();
        // What was given and is not held any more, somebody here took away: it stays away until the claim
        // has gone and come back.
        let stays = now_given.iter().filter(|role| account.roles.has(*role) || !given.has(*role));
        let roles = own.iter().chain(stays).collect::<Roles>();
        let changed = roles != account.roles;
        if changed {
            directory::set_roles(&mut tx, &permit, roles).await?;
        }
        put_link(&mut tx, &permit, provider, proven, now_given).await?;
        let moved = self.follow_claims(&mut tx, ctx, provider.config(), proven, user).await?;
        let act = match (changed, moved) {
            (true, _) => Act::RolesChanged,
            (false, 0) => Act::DirectoryChanged,
            (false, _) => Act::MembershipChanged,
        };
        if changed || moved > 0 || now_given != given {
            tx.commit(Entry::new(act, user)).await?;
        } else {
            touches::keep(tx).await?;
        }
        Ok(())
    }

    /// Makes an account for somebody who is new.
    async fn make(&self, ctx: &Ctx, provider: &Provider, proven: &Assertion) -> Result<UserId, Error> {
        let roles = proven.roles.with(Role::User);
        for number in 1..=NAMES_TRIED {
            let Some(name) = name_for(proven, number) else { continue };
            let user = UserId::fresh(ctx);
            let permit = authorize(ctx, Action::WriteAccount, Resource::Of(user))?;
            let mut tx = self.store().begin(ctx).await?;
            match accounts::create(&mut tx, &permit, user, &name, roles).await {
                Ok(()) => {}
                Err(store::Error::Conflict) => continue,
                Err(error) => return Err(error.into()),
            }
            let given = proven.roles.without(Role::User);
            put_link(&mut tx, &permit, provider, proven, given).await?;
            self.follow_claims(&mut tx, ctx, provider.config(), proven, user).await?;
            tx.commit(Entry::new(Act::AccountCreated, user)).await?;
            return Ok(user);
        }
        Err(Error::Sso(SsoProblem::NoAccount))
    }
}

async fn put_link(
    tx: &mut Tx,
    permit: &domain::Permit,
    provider: &Provider,
    proven: &Assertion,
    given: Roles,
) -> Result<(), Error> {
    let connection = &provider.config().name;
    Ok(directory::put_link(tx, permit, &proven.issuer, &proven.subject, connection, given).await?)
}

/// What a new account may be called: what the person goes by at the service, then their verified address,
/// then the first with a number.
fn name_for(proven: &Assertion, number: u32) -> Option<String> {
    let first = proven.preferred.as_deref().or(proven.email.as_deref()).unwrap_or("guest");
    let first = name::tidy(first).ok();
    match number {
        1 => first,
        2 => proven.email.as_deref().and_then(|email| name::tidy(email).ok()),
        more => name::tidy(&format!("{} {}", first.as_deref().unwrap_or("guest"), more - 1)).ok(),
    }
}
