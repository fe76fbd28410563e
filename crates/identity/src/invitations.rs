//! Invitations: how anybody but the owner gets an account.
//!
//! Called by the people page and the page behind the link. The invariants: nobody gives a role they may not
//! grant, neither when they invite nor when it is accepted; a link is kept as a hash, works once and for some
//! days; account, credentials and address come in one transaction that also uses the invitation up; an
//! account that must have a second factor is entered with one or not at all.

use domain::{
    Action, Actor, Ctx, Resource, Secret, Timestamp,
    access::{Role, Roles, Standing},
    audit::{Act, Entry},
    authorize, enforced,
    id::{InvitationId, MailId, UserId},
    mail::{Address, Mail},
    name,
};
use store::{
    accounts, credentials, emails,
    invitations::{self, Invitation},
    outbox::{self, Letter},
    people, roles,
};
use zeroize::Zeroizing;

use crate::{
    Error, Identity, NewSession, SetupPending, permits, recovery,
    roles::{standing, within},
    tokens, totp,
};

/// Acceptances under way at the same time; each needs a good link.
pub(crate) const MOST: usize = 256;
/// Invitations that may be open at once.
const MOST_OPEN: u32 = 1_000;
const DAY_S: i64 = 24 * 60 * 60;

/// An invitation that was just made.
#[derive(Debug)]
pub struct Invited {
    /// Its identifier.
    pub id: InvitationId,
    /// The secret of its link, to hand over; `None` when it was mailed.
    pub token: Option<Secret<String>>,
    /// When it ends.
    pub expires: Timestamp,
}

/// An invitation as the people page lists it.
#[derive(Clone, Debug)]
pub struct InvitationInfo {
    /// The invitation.
    pub invitation: Invitation,
    /// What the person who invited is called, when they are still here.
    pub inviter: Option<String>,
}

/// What an invitation offers to whoever holds its link.
#[derive(Clone, Debug)]
pub struct Offer {
    /// What the account may do.
    pub roles: Roles,
    /// Whether a second factor comes with it.
    pub needs_factor: bool,
}

/// How far an acceptance has come.
#[derive(Debug)]
#[non_exhaustive]
pub enum Accepted {
    /// The role asks for an authenticator; the ticket names this acceptance in the next step.
    Factor(SetupPending),
    /// The account is made and its person signed in.
    Done {
        /// To be kept by the person, when there is a factor; this is the only time they are seen.
        recovery_codes: Vec<Secret<String>>,
        /// The session.
        session: NewSession,
    },
}

/// What is known between the steps of an acceptance.
pub(crate) struct Pending {
    invitation: tokens::Hash,
    name: String,
    verifier: Zeroizing<String>,
    secret: Option<Zeroizing<Vec<u8>>>,
}

impl Identity {
    /// Invites somebody: by mail when there is an address and a mail server, else by a link to hand over.
    ///
    /// # Errors
    /// [`Error::Denied`] unless the actor may manage people, and grant `roles` when they are more than a
    /// user's; [`Error::Unfit`] when they are more than the actor's; [`Error::Email`], [`Error::TooMany`].
    pub async fn invite(&self, ctx: &Ctx, address: Option<&str>, roles: Roles) -> Result<Invited, Error> {
        let permit = authorize(ctx, Action::ManagePeople, Resource::Instance)?;
        if roles.without(Role::User) != Roles::NONE {
            authorize(ctx, Action::GrantRoles, Resource::Instance)?;
        }
        within(&standing(ctx)?, roles.rights())?;
        let address =
            address.map(str::trim).filter(|text| !text.is_empty()).map(Address::read).transpose()?;
        let (token, hash) = tokens::fresh(ctx);
        let days = self.numbers().invitation_days;
        let invitation = Invitation {
            id: InvitationId::fresh(ctx),
            address: address.clone(),
            roles,
            inviter: ctx.actor.user(),
            created: ctx.now(),
            expires: ctx.now().plus_seconds(i64::from(days) * DAY_S),
        };
        let from = self.inviter_name(ctx).await?;
        let mut tx = self.store().begin(ctx).await?;
        if invitations::count(&mut tx).await? >= u64::from(MOST_OPEN) {
            return Err(Error::TooMany { what: "open invitations", most: MOST_OPEN });
        }
        invitations::create(&mut tx, &permit, &invitation, hash).await?;
        let mailed = match address.filter(|_| self.sends_mail()) {
            Some(to) => {
                let mail = Mail::Invitation { from, token: token.expose().clone(), days };
                let letter = Letter { to, language: String::new(), mail };
                outbox::queue(&mut tx, &permit, MailId::fresh(ctx), &letter).await?;
                true
            }
            None => false,
        };
        tx.commit(Entry::new(Act::InvitationSent, invitation.id)).await?;
        Ok(Invited { id: invitation.id, token: (!mailed).then_some(token), expires: invitation.expires })
    }

    /// The open invitations, newest first.
    ///
    /// # Errors
    /// [`Error::Denied`] unless the actor may read people.
    pub async fn invitations(&self, ctx: &Ctx) -> Result<Vec<InvitationInfo>, Error> {
        let permit = authorize(ctx, Action::ReadPeople, Resource::Instance)?;
        let now = ctx.now();
        let mut listed = Vec::new();
        for invitation in invitations::list(self.store(), &permit).await? {
            if now < invitation.expires {
                let inviter = match invitation.inviter {
                    Some(id) => Some(people::get(self.store(), &permit, id).await?.name),
                    None => None,
                };
                listed.push(InvitationInfo { invitation, inviter });
            }
        }
        Ok(listed)
    }

    /// Takes an invitation back: its link opens nothing any more.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it was used or withdrawn; [`Error::Denied`].
    pub async fn withdraw_invitation(&self, ctx: &Ctx, id: InvitationId) -> Result<(), Error> {
        let permit = authorize(ctx, Action::ManagePeople, Resource::Instance)?;
        let mut tx = self.store().begin(ctx).await?;
        if !invitations::withdraw(&mut tx, &permit, id).await? {
            return Err(Error::NotFound);
        }
        tx.commit(Entry::new(Act::InvitationWithdrawn, id)).await?;
        Ok(())
    }

    /// What the holder of a link is offered.
    ///
    /// # Errors
    /// [`Error::Link`] when it is unknown, used, withdrawn or too old.
    pub async fn offer(&self, ctx: &Ctx, token: &str) -> Result<Offer, Error> {
        let ctx = permits::authenticating(ctx);
        let hash = tokens::hash_presented(token.trim()).ok_or(Error::Link)?;
        let roles = self.living_invitation(&ctx, hash).await?.roles;
        Ok(Offer { roles, needs_factor: self.must_have_factor(roles.rights()) })
    }

    /// Accepts an invitation with a name and a password.
    ///
    /// # Errors
    /// [`Error::Link`], [`Error::Name`], [`Error::NameTaken`], [`Error::Password`], [`Error::Busy`].
    pub async fn accept(
        &self,
        ctx: &Ctx,
        token: &str,
        name: &str,
        password: &Secret<String>,
        device: &str,
    ) -> Result<Accepted, Error> {
        let ctx = &permits::authenticating(ctx);
        let invitation = tokens::hash_presented(token.trim()).ok_or(Error::Link)?;
        let roles = self.living_invitation(ctx, invitation).await?.roles;
        let name = name::tidy(name).map_err(Error::Name)?;
        if accounts::find(self.store(), &permits::authenticate(ctx)?, &name).await?.is_some() {
            return Err(Error::NameTaken);
        }
        self.check_rules(password, &name)?;
        let verifier = Zeroizing::new(self.passwords().hash(ctx, password.expose()).await?);
        if !self.must_have_factor(roles.rights()) {
            let pending = Pending { invitation, name, verifier, secret: None };
            return self.make_invited(ctx, &pending, None, device).await;
        }
        enforced!(AUT10);
        let secret = totp::fresh_secret(ctx);
        let pending = Pending { invitation, name: name.clone(), verifier, secret: Some(secret.clone()) };
        let ticket = self.acceptances().issue(ctx, pending);
        Ok(Accepted::Factor(totp::pending(ticket, &secret, &name, self.issuer())?))
    }

    /// Shows the authenticator's step again, as after a wrong code.
    ///
    /// # Errors
    /// [`Error::TicketGone`] when the acceptance must start again.
    pub fn acceptance_factor(&self, ctx: &Ctx, ticket: &Secret<String>) -> Result<SetupPending, Error> {
        let known = |pending: &Pending| (pending.secret.clone(), pending.name.clone());
        let known = self.acceptances().look(ticket.expose(), ctx.now(), known);
        let Some((Some(secret), name)) = known else { return Err(Error::TicketGone) };
        totp::pending(ticket.clone(), &secret, &name, self.issuer())
    }

    /// The second step: a code of the authenticator. Makes the account and signs its person in.
    ///
    /// # Errors
    /// [`Error::Refused`] for a wrong code, [`Error::TicketGone`], [`Error::Link`], [`Error::NameTaken`].
    pub async fn finish_acceptance(
        &self,
        ctx: &Ctx,
        ticket: &Secret<String>,
        totp_code: &str,
        device: &str,
    ) -> Result<Accepted, Error> {
        let held = self.acceptances().take(ticket.expose(), ctx.now()).ok_or(Error::TicketGone)?;
        let Some(secret) = &held.value.secret else { return Err(Error::TicketGone) };
        let Some(step) = totp::check(secret, totp_code, ctx.now())? else {
            self.acceptances().put_back_tried(held);
            return Err(Error::Refused);
        };
        let made = self.make_invited(&permits::authenticating(ctx), &held.value, Some(step), device).await;
        if matches!(made, Err(Error::Store(_))) {
            // The store could not write: the same ticket may try again.
            self.acceptances().put_back(held);
        }
        made
    }

    /// Makes the account of an invitation, which is used up by that.
    async fn make_invited(
        &self,
        ctx: &Ctx,
        pending: &Pending,
        step: Option<i64>,
        device: &str,
    ) -> Result<Accepted, Error> {
        let user = UserId::fresh(ctx);
        let permit = authorize(ctx, Action::WriteAccount, Resource::Of(user))?;
        let mut tx = self.store().begin(ctx).await?;
        // Writers are serial and this one holds the turn, so what is read stands until the commit.
        let invitation = self.living_invitation(ctx, pending.invitation).await?;
        if self.must_have_factor(invitation.roles.rights()) && step.is_none() {
            return Err(Error::Link);
        }
        if !invitations::use_up(&mut tx, &permit, invitation.id).await? {
            return Err(Error::Link);
        }
        match accounts::create(&mut tx, &permit, user, &pending.name, invitation.roles).await {
            Ok(()) => {}
            Err(store::Error::Conflict) => return Err(Error::NameTaken),
            Err(error) => return Err(error.into()),
        }
        if let Some(inviter) = invitation.inviter {
            roles::given_by(&mut tx, &permit, inviter).await?;
        }
        credentials::set_password(&mut tx, &permit, &pending.verifier, ctx.now()).await?;
        let mut recovery_codes = Vec::new();
        if let (Some(secret), Some(step)) = (&pending.secret, step) {
            credentials::set_totp(&mut tx, &permit, secret, true).await?;
            // The code that proved the authenticator is used up by that.
            credentials::use_totp_step(&mut tx, &permit, step).await?;
            let (codes, hashes) = recovery::fresh(ctx, self.store(), user);
            credentials::set_recovery_codes(&mut tx, &permit, &hashes).await?;
            recovery_codes = codes;
        }
        // Who followed a mailed link has shown that the address is theirs, unless somebody else did before.
        if let Some(address) = invitation.address.as_ref().filter(|_| self.sends_mail()) {
            emails::set_if_free(&mut tx, &permit, address).await?;
        }
        let session = self.open_session(&mut tx, ctx, &permit, device, step.is_some()).await?;
        let entry = Entry::new(Act::InvitationAccepted, format!("{}/{user}", invitation.id));
        tx.commit(entry).await?;
        Ok(Accepted::Done { recovery_codes, session })
    }

    async fn living_invitation(&self, ctx: &Ctx, hash: tokens::Hash) -> Result<Invitation, Error> {
        let found = invitations::by_token(self.store(), &permits::authenticate(ctx)?, hash).await?;
        let found = found.filter(|invitation| ctx.now() < invitation.expires).ok_or_else(|| {
            enforced!(ACT01);
            Error::Link
        })?;
        match found.inviter {
            Some(inviter) if !self.may_still_invite(ctx, inviter, found.roles).await? => {
                enforced!(ACC04);
                Err(Error::Link)
            }
            _ => Ok(found),
        }
    }

    /// Whether somebody who invited could do so now: what they gave away is no more than what they hold.
    async fn may_still_invite(&self, ctx: &Ctx, inviter: UserId, roles: Roles) -> Result<bool, Error> {
        let footing = self.footing(ctx, inviter).await?;
        let more = roles.without(Role::User) != Roles::NONE;
        let standing = Standing { roles: footing.roles(), extra: footing.rights(), ..Standing::default() };
        Ok(footing.may(Action::ManagePeople)
            && (!more || footing.may(Action::GrantRoles))
            && within(&standing, roles.rights()).is_ok())
    }

    /// What the invited reads about who invites.
    async fn inviter_name(&self, ctx: &Ctx) -> Result<String, Error> {
        match ctx.actor {
            Actor::Person { .. } => {
                let permit = permits::own(ctx, Action::ReadAccount)?;
                Ok(accounts::get(self.store(), &permit).await?.name)
            }
            _ => Ok(self.issuer().to_owned()),
        }
    }
}
