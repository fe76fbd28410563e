//! The second factors of an account: which there are, which must be, adding and taking away.
//!
//! Called by the account page and by sign-in. The invariants: an account that must have a factor keeps its
//! last one; who replaces or removes a factor ends every other session; with the first factor come recovery
//! codes, with the last one they go. Every change takes a fresh confirmation ([`Action::ManageCredentials`]).

use domain::{
    Action, Actor, Ctx, Denied, Missing, Resource, Secret, Timestamp,
    access::{Permit, Rights},
    audit::{Act, Entry},
    authorize, enforced,
    id::{PasskeyId, UserId},
    password::Profile,
};
use store::{Tx, credentials, passkeys};
use zeroize::Zeroizing;

use crate::{Error, Identity, Require, SetupPending, passkeys::tidy_name, permits, recovery, sessions, totp};

/// Seconds from seeing an authenticator's secret to proving it.
pub(crate) const LIFE_S: i64 = 15 * 60;
/// Authenticators being added at the same time.
pub(crate) const MOST: usize = 1024;

/// An authenticator that is being added.
pub(crate) struct Enrolling {
    user: UserId,
    secret: Zeroizing<Vec<u8>>,
}

/// The factors of an account, as its person sees them.
#[derive(Clone, Debug)]
pub struct Factors {
    /// Whether there is an authenticator app.
    pub authenticator: bool,
    /// The passkeys.
    pub passkeys: Vec<PasskeyInfo>,
    /// Recovery codes that were not used.
    pub codes_left: u32,
    /// Whether the account must have a factor, so that its last one stays.
    pub required: bool,
}

/// A passkey in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasskeyInfo {
    /// Its identifier.
    pub id: PasskeyId,
    /// What its person calls it.
    pub name: String,
    /// The host name it works at.
    pub party: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last used.
    pub last_used: Option<Timestamp>,
    /// Whether it may have been copied, and is out of use.
    pub suspended: bool,
}

impl Factors {
    /// How many factors can be shown.
    #[must_use]
    pub fn count(&self) -> usize {
        usize::from(self.authenticator) + self.passkeys.iter().filter(|one| !one.suspended).count()
    }

    /// Whether the password alone is not enough. A passkey that is out of use still guards its account: a
    /// recovery code or a recovery opens it.
    #[must_use]
    pub fn guard(&self) -> bool {
        self.authenticator || !self.passkeys.is_empty()
    }
}

impl Identity {
    /// The factors of the person who asks.
    ///
    /// # Errors
    /// [`Error::Denied`] unless a signed-in person asks.
    pub async fn factors(&self, ctx: &Ctx) -> Result<Factors, Error> {
        let permit = permits::own(ctx, Action::ReadAccount)?;
        self.factors_of(ctx, &permit).await
    }

    /// Begins to add an authenticator, or to replace the one there is.
    ///
    /// # Errors
    /// [`Error::Denied`] when the last confirmation is too long ago.
    pub async fn begin_authenticator(&self, ctx: &Ctx) -> Result<SetupPending, Error> {
        let user = self.managing_factors(ctx).await?.subject(Action::ManageCredentials)?;
        let name = self.account(ctx).await?.name;
        let secret = totp::fresh_secret(ctx);
        let ticket = self.enrolments().issue(ctx, Enrolling { user, secret: secret.clone() });
        totp::pending(ticket, &secret, &name, self.issuer())
    }

    /// Shows the authenticator that is being added again, as after a wrong code.
    ///
    /// # Errors
    /// [`Error::TicketGone`] when it must start again.
    pub async fn pending_authenticator(
        &self,
        ctx: &Ctx,
        ticket: &Secret<String>,
    ) -> Result<SetupPending, Error> {
        let name = self.account(ctx).await?.name;
        let mine = |one: &Enrolling| (Some(one.user) == ctx.actor.user()).then(|| one.secret.clone());
        let secret = self.enrolments().look(ticket.expose(), ctx.now(), mine).flatten();
        totp::pending(ticket.clone(), &secret.ok_or(Error::TicketGone)?, &name, self.issuer())
    }

    /// Adds the authenticator against a code of it. What comes back are recovery codes, when it is the
    /// account's first factor.
    ///
    /// # Errors
    /// [`Error::Refused`] for a wrong code, [`Error::TicketGone`], [`Error::Denied`].
    pub async fn finish_authenticator(
        &self,
        ctx: &Ctx,
        ticket: &Secret<String>,
        code: &str,
    ) -> Result<Option<Vec<Secret<String>>>, Error> {
        let permit = self.managing_factors(ctx).await?;
        let user = permit.subject(Action::ManageCredentials)?;
        let held = self.enrolments().take(ticket.expose(), ctx.now()).ok_or(Error::TicketGone)?;
        if held.value.user != user {
            return Err(Error::TicketGone);
        }
        let Some(step) = totp::check(&held.value.secret, code, ctx.now())? else {
            self.enrolments().put_back_tried(held);
            return Err(Error::Refused);
        };
        let mut tx = self.store().begin(ctx).await?;
        let before = self.factors(ctx).await?;
        let write = permits::own(ctx, Action::WriteAccount)?;
        credentials::set_totp(&mut tx, &permit, &held.value.secret, true).await?;
        credentials::use_totp_step(&mut tx, &write, step).await?;
        let codes = if !before.guard() { Some(self.fresh_codes(&mut tx, ctx, &permit).await?) } else { None };
        if before.authenticator {
            sessions::end_others(&mut tx, ctx, &write).await?;
        }
        tx.commit(Entry::new(Act::FactorSet, user)).await?;
        Ok(codes)
    }

    /// Takes the authenticator of the person who asks away.
    ///
    /// # Errors
    /// [`Error::LastFactor`] when it must stay, [`Error::NotFound`], [`Error::Denied`].
    pub async fn remove_authenticator(&self, ctx: &Ctx) -> Result<(), Error> {
        let permit = self.managing_factors(ctx).await?;
        let mut tx = self.store().begin(ctx).await?;
        let factors = self.factors(ctx).await?;
        if !factors.authenticator {
            return Err(Error::NotFound);
        }
        self.may_lose(&factors, true)?;
        credentials::remove_totp(&mut tx, &permit).await?;
        let user = permit.subject(Action::ManageCredentials)?;
        self.removed(tx, ctx, &permit, factors.passkeys.is_empty(), user.to_string()).await
    }

    /// Takes a passkey of the person who asks away.
    ///
    /// # Errors
    /// [`Error::LastFactor`] when it must stay, [`Error::NotFound`], [`Error::Denied`].
    pub async fn remove_passkey(&self, ctx: &Ctx, id: PasskeyId) -> Result<(), Error> {
        let permit = self.managing_factors(ctx).await?;
        let mut tx = self.store().begin(ctx).await?;
        let factors = self.factors(ctx).await?;
        let one = factors.passkeys.iter().find(|one| one.id == id).ok_or(Error::NotFound)?;
        self.may_lose(&factors, !one.suspended)?;
        let last = !factors.authenticator && factors.passkeys.len() == 1;
        passkeys::remove(&mut tx, &permit, id).await?;
        self.removed(tx, ctx, &permit, last, id.to_string()).await
    }

    /// Calls a passkey of the person who asks something else.
    ///
    /// # Errors
    /// [`Error::Label`], [`Error::NotFound`], [`Error::Denied`].
    pub async fn rename_passkey(&self, ctx: &Ctx, id: PasskeyId, name: &str) -> Result<(), Error> {
        let permit = permits::own(ctx, Action::ManageCredentials)?;
        let name = tidy_name(name)?;
        let mut tx = self.store().begin(ctx).await?;
        passkeys::rename(&mut tx, &permit, id, &name).await?;
        Ok(tx.commit(Entry::new(Act::SettingsChanged, id)).await?)
    }

    /// The permit to change factors. Where there are some, one must have been shown: who has only the password
    /// and a browser left open is not to bring a factor of their own.
    pub(crate) async fn managing_factors(&self, ctx: &Ctx) -> Result<Permit, Error> {
        let permit = permits::own(ctx, Action::ManageCredentials)?;
        let Actor::Person { standing, .. } = ctx.actor else { return Err(Denied::FLAT.into()) };
        if !standing.shown.second_factor && self.factors(ctx).await?.guard() {
            return Err(Denied { missing: Some(Missing::SecondFactor) }.into());
        }
        Ok(permit)
    }

    /// The factors of the account `permit` reads.
    pub(crate) async fn factors_of(&self, ctx: &Ctx, permit: &Permit) -> Result<Factors, Error> {
        let user = permit.subject(Action::ReadAccount)?;
        let rights = self.footing(ctx, user).await?.rights();
        let held = passkeys::list(self.store(), permit).await?.into_iter();
        Ok(Factors {
            authenticator: credentials::totp(self.store(), permit).await?.is_some_and(|one| one.confirmed),
            passkeys: held
                .map(|one| PasskeyInfo {
                    id: one.id,
                    name: one.name,
                    party: one.party,
                    created: one.created,
                    last_used: one.last_used,
                    suspended: one.suspended,
                })
                .collect(),
            codes_left: credentials::recovery_codes_left(self.store(), permit).await?,
            required: self.must_have_factor(rights),
        })
    }

    /// Whether `user` has any factor beside the password.
    pub(crate) async fn has_factor(&self, ctx: &Ctx, user: UserId) -> Result<bool, Error> {
        let ctx = permits::authenticating(ctx);
        let permit = authorize(&ctx, Action::ReadAccount, Resource::Of(user))?;
        Ok(self.factors_of(&ctx, &permit).await?.guard())
    }

    /// Whether an account with these rights must have a second factor. The one place that says so.
    pub(crate) fn must_have_factor(&self, rights: Rights) -> bool {
        self.config().require_second_factor == Require::Everyone
            || rights.iter().any(Action::is_administrative)
    }

    /// Fresh recovery codes in the place of all earlier ones.
    pub(crate) async fn fresh_codes(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        permit: &Permit,
    ) -> Result<Vec<Secret<String>>, Error> {
        let user = permit.subject_of(&[Action::ManageCredentials, Action::WriteAccount])?;
        let (codes, hashes) = recovery::fresh(ctx, self.store(), user);
        credentials::set_recovery_codes(tx, permit, &hashes).await?;
        Ok(codes)
    }

    /// Refuses to take a factor, usable or not, from an account that would be left without.
    fn may_lose(&self, factors: &Factors, usable: bool) -> Result<(), Error> {
        // Under the NIST profile a password may be short because a factor stands beside it.
        let leans = self.config().password_profile == Profile::Nist;
        let only = usize::from(factors.authenticator) + factors.passkeys.len() == 1;
        let last = only || (usable && factors.count() == 1);
        if last && (factors.required || leans) {
            enforced!(AUT10);
            return Err(Error::LastFactor);
        }
        Ok(())
    }

    async fn removed(
        &self,
        mut tx: Tx,
        ctx: &Ctx,
        permit: &Permit,
        last: bool,
        target: String,
    ) -> Result<(), Error> {
        if last {
            credentials::set_recovery_codes(&mut tx, permit, &[]).await?;
        }
        sessions::end_others(&mut tx, ctx, &permits::own(ctx, Action::WriteAccount)?).await?;
        Ok(tx.commit(Entry::new(Act::FactorRemoved, target)).await?)
    }
}
