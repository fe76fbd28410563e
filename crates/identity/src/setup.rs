//! First run: a setup code, printed where only the operator sees it, makes the owner.
//!
//! Called by the server (the code) and the setup pages. The invariants: nothing is written until the
//! authenticator has proven itself; then account, password, factor, recovery codes and session come
//! in one transaction, or none does; there is one owner however many try at once; the code is dead
//! as soon as there is one.

use std::sync::PoisonError;

use aws_lc_rs::constant_time;
use domain::{
    Action, Actor, Ctx, Job, Resource, Secret,
    access::{Permit, Role, Roles},
    audit::{Act, Entry},
    authorize,
    id::UserId,
    name,
};
use store::{Tx, accounts, credentials};
use zeroize::Zeroizing;

use crate::{Error, Identity, NewSession, codes, factors::adopt_authenticator, tickets::Held, tokens, totp};

/// Seconds the person has from choosing a password to proving the authenticator.
pub(crate) const LIFE_S: i64 = 15 * 60;
/// Setups begun at the same time; each needs the setup code.
pub(crate) const MOST: usize = 32;
/// Characters of the code: 28 of base32 are 140 bits.
const CODE_CHARS: usize = 28;

/// What the person needs to add the account to an authenticator.
#[derive(Debug)]
pub struct SetupPending {
    /// Names this setup in the next step.
    pub ticket: Secret<String>,
    /// The address an authenticator opens (`otpauth:`).
    pub otpauth_uri: Secret<String>,
    /// The secret for typing, in groups of four.
    pub secret_base32: Secret<String>,
    /// The address as a QR code: one `<svg>` element.
    pub qr_svg: Secret<String>,
    /// The account's name as it will be kept.
    pub name: String,
}

/// The owner is made.
#[derive(Debug)]
pub struct SetupDone {
    /// To be kept by the person; this is the only time they are seen.
    pub recovery_codes: Vec<Secret<String>>,
    /// The person is signed in.
    pub session: NewSession,
}

/// What is known between the steps of a setup.
pub(crate) struct Pending {
    name: String,
    verifier: Zeroizing<String>,
    secret: Zeroizing<Vec<u8>>,
}

impl Identity {
    /// Whether there is no account yet.
    ///
    /// # Errors
    /// [`Error::Store`] when the store cannot answer.
    pub async fn setup_needed(&self) -> Result<bool, Error> {
        if self.is_settled() {
            return Ok(false);
        }
        let needed = accounts::count(self.store()).await? == 0;
        if !needed {
            self.settle();
        }
        Ok(needed)
    }

    /// Makes the one setup code that counts from now on; `None` when there is an account.
    ///
    /// # Errors
    /// [`Error::Store`] when the store cannot answer.
    pub async fn issue_setup_code(&self, ctx: &Ctx) -> Result<Option<Secret<String>>, Error> {
        if !self.setup_needed().await? {
            return Ok(None);
        }
        let mut code = codes::base32(&*Zeroizing::new(ctx.random::<18>()));
        code.truncate(CODE_CHARS);
        *self.setup_code().lock().unwrap_or_else(PoisonError::into_inner) = Some(tokens::hash(&code));
        Ok(Some(codes::grouped(&code, '-')))
    }

    /// Whether `code` is the setup code that counts. Blanks, hyphens and case do not matter.
    #[must_use]
    pub fn setup_code_is_valid(&self, code: &str) -> bool {
        let Some(typed) = codes::read(code, CODE_CHARS) else { return false };
        let held = *self.setup_code().lock().unwrap_or_else(PoisonError::into_inner);
        held.is_some_and(|held| constant_time::verify_slices_are_equal(&held, &tokens::hash(&typed)).is_ok())
    }

    /// The first step: the code, a name, a password. Nothing is written yet.
    ///
    /// # Errors
    /// [`Error::SetupCode`], [`Error::AlreadySetUp`], [`Error::Name`], [`Error::Password`], [`Error::Busy`].
    pub async fn begin_setup(
        &self,
        ctx: &Ctx,
        code: &Secret<String>,
        name: &str,
        password: &Secret<String>,
    ) -> Result<SetupPending, Error> {
        if !self.setup_needed().await? {
            return Err(Error::AlreadySetUp);
        }
        if !self.setup_code_is_valid(code.expose()) {
            return Err(Error::SetupCode);
        }
        let name = name::tidy(name).map_err(Error::Name)?;
        // Setup does not end without an authenticator.
        self.check_rules_beside(password, &name, true)?;
        let verifier = Zeroizing::new(self.passwords().hash(ctx, password.expose()).await?);
        let pending = Pending { name, verifier, secret: totp::fresh_secret(ctx) };
        let (secret, name) = (pending.secret.clone(), pending.name.clone());
        let ticket = self.setups().issue(ctx, pending);
        totp::pending(ticket, &secret, &name, self.issuer())
    }

    /// Shows the second step again, as after a wrong code.
    ///
    /// # Errors
    /// [`Error::TicketGone`] when the setup must start again.
    pub fn setup_factor(&self, ctx: &Ctx, ticket: &Secret<String>) -> Result<SetupPending, Error> {
        let known = |pending: &Pending| (pending.secret.clone(), pending.name.clone());
        let (secret, name) =
            self.setups().look(ticket.expose(), ctx.now(), known).ok_or(Error::TicketGone)?;
        totp::pending(ticket.clone(), &secret, &name, self.issuer())
    }

    /// The second step: a code of the authenticator. Makes the owner and signs them in.
    ///
    /// # Errors
    /// [`Error::Refused`] for a wrong code, [`Error::TicketGone`], [`Error::AlreadySetUp`].
    pub async fn finish_setup(
        &self,
        ctx: &Ctx,
        ticket: &Secret<String>,
        totp_code: &str,
        device: &str,
    ) -> Result<SetupDone, Error> {
        let setup = self.setups().take(ticket.expose(), ctx.now()).ok_or(Error::TicketGone)?;
        let Some(step) = totp::check(&setup.value.secret, totp_code, ctx.now())? else {
            self.setups().put_back_tried(setup);
            return Err(Error::Refused);
        };
        let ctx = &ctx.acting_as(Actor::System(Job::Setup));
        let made = self.make_owner(ctx, &setup, step, device).await;
        match &made {
            Ok(_) | Err(Error::AlreadySetUp) => self.settle(),
            // The store could not write: the same ticket may try again.
            Err(_) => self.setups().put_back(setup),
        }
        made
    }

    async fn make_owner(
        &self,
        ctx: &Ctx,
        setup: &Held<Pending>,
        step: i64,
        device: &str,
    ) -> Result<SetupDone, Error> {
        let mut tx = self.store().begin(ctx).await?;
        // Writers are serial and this one holds the turn, so the count stands until the commit.
        if accounts::count(self.store()).await? > 0 {
            return Err(Error::AlreadySetUp);
        }
        let user = UserId::fresh(ctx);
        let permit = authorize(ctx, Action::WriteAccount, Resource::Of(user))?;
        let roles = Roles::NONE.with(Role::Owner).with(Role::User);
        accounts::create(&mut tx, &permit, user, &setup.value.name, roles).await?;
        let recovery_codes = self.write_credentials(&mut tx, ctx, &permit, &setup.value, step).await?;
        let session = self.open_session(&mut tx, ctx, &permit, device, true).await?;
        tx.commit(Entry::new(Act::AccountCreated, user)).await?;
        Ok(SetupDone { recovery_codes, session })
    }

    async fn write_credentials(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        permit: &Permit,
        setup: &Pending,
        step: i64,
    ) -> Result<Vec<Secret<String>>, Error> {
        credentials::set_password(tx, permit, &setup.verifier, ctx.now()).await?;
        adopt_authenticator(tx, permit, &setup.secret, step).await?;
        self.fresh_codes(tx, ctx, permit).await
    }

    /// Ends setup for good: there is an account.
    fn settle(&self) {
        self.set_settled();
        *self.setup_code().lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.setups().clear();
    }
}
