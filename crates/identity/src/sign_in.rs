//! Sign-in: a name and a password, then a factor, then a session; or a passkey alone.
//!
//! Called by the sign-in pages. The invariants: whether a name exists shows neither in the answer nor
//! in its time (as much of Argon2 and one write either way, and answers leave on a grid of time); every
//! wrong password and every wrong code counts; where an account has a second factor, or must have one, a
//! password alone opens nothing; a session says whether a factor was shown on its way.

mod steps;

use domain::{
    Action, Ctx, Resource, Secret, Timestamp,
    access::Permit,
    authorize, enforced,
    id::{RecoveryId, UserId},
    name,
};
use store::{
    Tx, accounts,
    credentials::{self, Password},
};
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::{
    Challenge, Error, Identity, NewSession, SetupPending, permits, recovery, strangers, throttle::Key, totp,
};

/// Seconds from the password to the factor, and from there to each further step.
pub(crate) const LIFE_S: i64 = 5 * 60;
/// Sign-ins under way at the same time; each has shown a right password or passkey.
pub(crate) const MOST: usize = 4096;

/// What the person must do next.
#[derive(Debug)]
#[non_exhaustive]
pub enum Next {
    /// Show a factor: a code of the authenticator, a passkey, a recovery code.
    Factor {
        /// Names this sign-in in the next step.
        ticket: Secret<String>,
        /// Whether the account has a passkey to show.
        passkey: bool,
    },
    /// Choose a new password, because the old one is too old.
    NewPassword {
        /// Names this sign-in in the next step.
        ticket: Secret<String>,
    },
    /// Add an authenticator, because the account must have a factor or its factors were lost.
    Enrol(SetupPending),
    /// Nothing: they are in.
    Done(NewSession),
    /// Nothing: their session, which was there before, counts as just confirmed.
    Confirmed,
}

/// How far a sign-in has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// A factor is to be shown.
    PasswordShown,
    /// A new password is to be chosen.
    Renewing,
    /// An authenticator is to be added.
    Enrolling,
}

/// An authenticator that must be added before the session.
struct Enrol {
    secret: Zeroizing<Vec<u8>>,
    /// The recovery this uses up, when the account had factors that were lost.
    recovery: Option<RecoveryId>,
}

/// What is known between the steps of a sign-in.
pub(crate) struct Pending {
    user: UserId,
    key: Key,
    stage: Stage,
    password_expired: bool,
    /// When the password in force was set; one set since ends this sign-in.
    changed: Option<Timestamp>,
    /// The password hashed anew, when its verifier was made with less than is asked for now.
    stronger: Option<Zeroizing<String>>,
    /// Whether a second factor was shown.
    second_factor: bool,
    enrol: Option<Enrol>,
}

impl Pending {
    /// What is still to be done before the session, once enough was shown.
    fn stage_after(&self) -> Option<Stage> {
        if self.password_expired {
            return Some(Stage::Renewing);
        }
        self.enrol.is_some().then_some(Stage::Enrolling)
    }
}

/// An account somebody wants to sign in to.
struct Known {
    user: UserId,
    password: Password,
}

/// A factor somebody shows.
pub(crate) enum Shown<'a> {
    /// A code of the authenticator, a recovery code, or the code of a recovery.
    Code(&'a str),
    /// The answer of an authenticator to the question `ceremony` names.
    Passkey { ceremony: &'a Secret<String>, answer: &'a str },
}

impl Identity {
    /// The first step: a name and a password.
    ///
    /// # Errors
    /// [`Error::Refused`] when the name is unknown or the password wrong, [`Error::Throttled`] after
    /// too many of either, [`Error::Busy`].
    pub async fn sign_in(
        &self,
        ctx: &Ctx,
        name: &str,
        password: &Secret<String>,
        device: &str,
    ) -> Result<Next, Error> {
        self.on_grid(self.check_password(&permits::authenticating(ctx), name, password, device)).await
    }

    /// The second step: a code of the authenticator, a recovery code, or the code of a recovery.
    ///
    /// # Errors
    /// [`Error::Refused`] for a wrong or used code, [`Error::Throttled`]; [`Error::NotYet`] for a recovery
    /// that still waits; [`Error::TicketGone`], also when the password was changed meanwhile or the account
    /// is not active any more.
    pub async fn finish_sign_in(
        &self,
        ctx: &Ctx,
        ticket: &Secret<String>,
        code: &str,
        device: &str,
    ) -> Result<Next, Error> {
        self.on_grid(self.check_factor(&permits::authenticating(ctx), ticket, Shown::Code(code), device))
            .await
    }

    /// Asks for a passkey as the second step, at the host `host`.
    ///
    /// # Errors
    /// [`Error::TicketGone`], [`Error::NoPasskeysHere`].
    pub async fn begin_passkey_factor(
        &self,
        ctx: &Ctx,
        ticket: &Secret<String>,
        host: &str,
    ) -> Result<Challenge, Error> {
        let waiting = |one: &Pending| (one.stage == Stage::PasswordShown).then_some(one.user);
        let user = self.sign_ins().look(ticket.expose(), ctx.now(), waiting).flatten();
        self.ask_for_one(&permits::authenticating(ctx), host, user.ok_or(Error::TicketGone)?, None).await
    }

    /// The second step with a passkey.
    ///
    /// # Errors
    /// As [`Identity::finish_sign_in`].
    pub async fn finish_sign_in_with_passkey(
        &self,
        ctx: &Ctx,
        ticket: &Secret<String>,
        ceremony: &Secret<String>,
        answer: &str,
        device: &str,
    ) -> Result<Next, Error> {
        let shown = Shown::Passkey { ceremony, answer };
        self.on_grid(self.check_factor(&permits::authenticating(ctx), ticket, shown, device)).await
    }

    /// Signing in with a passkey that says whose it is: no name, no password.
    ///
    /// # Errors
    /// [`Error::Refused`] when it is not believed, [`Error::TicketGone`] when its question is over.
    pub async fn sign_in_with_passkey(
        &self,
        ctx: &Ctx,
        ceremony: &Secret<String>,
        answer: &str,
        device: &str,
    ) -> Result<Next, Error> {
        self.on_grid(self.check_passkey(&permits::authenticating(ctx), ceremony, answer, device)).await
    }

    async fn check_password(
        &self,
        ctx: &Ctx,
        name: &str,
        password: &Secret<String>,
        device: &str,
    ) -> Result<Next, Error> {
        // What cannot be a name is a name nobody has.
        let name = name::tidy(name).unwrap_or_default();
        let key = self.throttle_key(&name);
        let known = self.find(ctx, &name).await?;
        let one = self.admit_try(ctx, key).await?;
        let verifier = known.as_ref().map(|known| known.password.verifier.as_str());
        let right = self.passwords().verify(password.expose(), verifier).await;
        if !matches!(right, Ok(false)) {
            // Right, or not looked at: neither counts as a failure.
            self.throttle().give_back(&one);
        }
        match known {
            Some(known) if right? => self.password_was_right(ctx, key, known, password, device).await,
            other => {
                self.note_failure(ctx, &key, other.map(|known| known.user)).await?;
                Err(Error::Refused)
            }
        }
    }

    async fn password_was_right(
        &self,
        ctx: &Ctx,
        key: Key,
        known: Known,
        password: &Secret<String>,
        device: &str,
    ) -> Result<Next, Error> {
        let Known { user, password: kept } = known;
        let stronger = if self.passwords().is_weak(&kept.verifier) {
            Some(Zeroizing::new(self.passwords().hash(ctx, password.expose()).await?))
        } else {
            None
        };
        let permit = authorize(ctx, Action::ReadAccount, Resource::Of(user))?;
        let factors = self.factors_of(ctx, &permit).await?;
        let mut pending = self.pending(ctx, key, user, Some(kept.changed));
        pending.stronger = stronger;
        if factors.guard() {
            let passkey = factors.passkeys.iter().any(|one| !one.suspended);
            return Ok(Next::Factor { ticket: self.sign_ins().issue(ctx, pending), passkey });
        }
        if factors.required {
            enforced!(AUT10);
            pending.enrol = Some(Enrol { secret: totp::fresh_secret(ctx), recovery: None });
        }
        let tx = self.store().begin(ctx).await?;
        let in_force = self.still_stands(ctx, &pending).await?;
        match self.conclude(tx, ctx, &pending, in_force, device).await? {
            Some(session) => Ok(Next::Done(session)),
            None => self.next_step(ctx, pending).await,
        }
    }

    async fn check_passkey(
        &self,
        ctx: &Ctx,
        ceremony: &Secret<String>,
        answer: &str,
        device: &str,
    ) -> Result<Next, Error> {
        let (user, shown) = match self.verify_any(ctx, ceremony, answer).await {
            Err(Error::Refused) => {
                // Whose it would be is only what somebody says.
                self.note_stranger(ctx, strangers::SIGN_INS).await?;
                return Err(Error::Refused);
            }
            other => other?,
        };
        let permit = authorize(ctx, Action::ReadAccount, Resource::Of(user))?;
        let key = self.throttle_key(&accounts::get(self.store(), &permit).await?.name);
        let kept = credentials::password(self.store(), &permit).await?;
        let mut pending = self.pending(ctx, key, user, kept.map(|kept| kept.changed));
        pending.second_factor = true;
        let mut tx = self.store().begin(ctx).await?;
        let in_force = self.still_stands(ctx, &pending).await?;
        self.use_passkey(&mut tx, ctx, user, &shown).await?;
        match self.conclude(tx, ctx, &pending, in_force, device).await? {
            Some(session) => Ok(Next::Done(session)),
            None => self.next_step(ctx, pending).await,
        }
    }

    async fn check_factor(
        &self,
        ctx: &Ctx,
        ticket: &Secret<String>,
        shown: Shown<'_>,
        device: &str,
    ) -> Result<Next, Error> {
        let mut held = self.take(ctx, ticket, Stage::PasswordShown)?;
        let end = match shown {
            Shown::Code(code) => self.try_code(ctx, &mut held.value, code, device).await,
            Shown::Passkey { ceremony, answer } => {
                self.try_passkey(ctx, &mut held.value, ceremony, answer, device).await
            }
        };
        match end {
            Ok(Some(session)) => Ok(Next::Done(session)),
            Ok(None) => self.next_step(ctx, held.value).await,
            Err(Error::Refused) => {
                self.sign_ins().put_back_tried(held);
                Err(Error::Refused)
            }
            Err(Error::TicketGone) => Err(Error::TicketGone),
            Err(not_looked_at) => {
                self.sign_ins().put_back(held);
                Err(not_looked_at)
            }
        }
    }

    /// Opens a session against a right code; `None` when something is to be done first.
    async fn try_code(
        &self,
        ctx: &Ctx,
        pending: &mut Pending,
        code: &str,
        device: &str,
    ) -> Result<Option<NewSession>, Error> {
        let Pending { user, key, .. } = *pending;
        let permit = authorize(ctx, Action::WriteAccount, Resource::Of(user))?;
        // Counts as wrong until it is cleared below, also when the caller goes away meanwhile.
        let one = self.admit_try(ctx, key).await?;
        let mut tx = self.store().begin(ctx).await?;
        let looked_at = async {
            let in_force = self.still_stands(ctx, pending).await?;
            Ok((in_force, self.claim(ctx, user, code).await))
        };
        let (in_force, claim) = match looked_at.await {
            Ok((_, Err(error @ Error::NotYet(_)))) | Err(error) => {
                self.throttle().give_back(&one);
                return Err(error);
            }
            Ok((in_force, claim)) => (in_force, claim),
        };
        if let Ok(Some(recovery)) = claim {
            self.throttle().give_back(&one);
            pending.enrol = Some(Enrol { secret: totp::fresh_secret(ctx), recovery: Some(recovery) });
            return Ok(None);
        }
        if matches!(claim, Err(Error::Refused)) || !self.use_code(&mut tx, ctx, &permit, code).await? {
            drop(tx);
            self.note_failure(ctx, &key, Some(user)).await?;
            return Err(Error::Refused);
        }
        claim?;
        pending.second_factor = true;
        self.conclude(tx, ctx, pending, in_force, device).await
    }

    /// Opens a session against a passkey; `None` when something is to be done first.
    async fn try_passkey(
        &self,
        ctx: &Ctx,
        pending: &mut Pending,
        ceremony: &Secret<String>,
        answer: &str,
        device: &str,
    ) -> Result<Option<NewSession>, Error> {
        let user = pending.user;
        let shown = match self.verify_one(ctx, user, None, ceremony, answer).await {
            Err(Error::Refused) => {
                self.note_failure(ctx, &pending.key, Some(user)).await?;
                return Err(Error::Refused);
            }
            other => other?,
        };
        let mut tx = self.store().begin(ctx).await?;
        let in_force = self.still_stands(ctx, pending).await?;
        self.use_passkey(&mut tx, ctx, user, &shown).await?;
        pending.second_factor = true;
        self.conclude(tx, ctx, pending, in_force, device).await
    }

    /// Uses up a code of the authenticator or a recovery code; false when it is neither, or used.
    pub(crate) async fn use_code(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        permit: &Permit,
        code: &str,
    ) -> Result<bool, Error> {
        let user = permit.subject(Action::WriteAccount)?;
        if let Some(hash) = recovery::hash_typed(self.store(), user, code) {
            let used_up = credentials::use_recovery_code(tx, permit, &hash).await?;
            if !used_up {
                enforced!(AUT04);
            }
            return Ok(used_up);
        }
        self.use_totp(tx, ctx, permit, code).await
    }

    /// Uses up a code of the authenticator; false when it is wrong or its step was used before.
    pub(crate) async fn use_totp(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        permit: &Permit,
        code: &str,
    ) -> Result<bool, Error> {
        let user = permit.subject(Action::WriteAccount)?;
        let read = authorize(&permits::authenticating(ctx), Action::ReadAccount, Resource::Of(user))?;
        let Some(factor) = credentials::totp(self.store(), &read).await?.filter(|f| f.confirmed) else {
            return Ok(false);
        };
        let Some(step) = totp::check(&factor.secret, code, ctx.now())? else { return Ok(false) };
        let used_up = credentials::use_totp_step(tx, permit, step).await?;
        if !used_up {
            enforced!(AUT03);
        }
        Ok(used_up)
    }

    async fn find(&self, ctx: &Ctx, name: &str) -> Result<Option<Known>, Error> {
        let found = accounts::find(self.store(), &permits::authenticate(ctx)?, name).await?;
        let Some(account) = found.filter(|account| account.active) else { return Ok(None) };
        let permit = authorize(ctx, Action::ReadAccount, Resource::Of(account.id))?;
        let password = credentials::password(self.store(), &permit).await?;
        Ok(password.map(|password| Known { user: account.id, password }))
    }

    /// Gives an answer at the next line of the time grid, so that its time says less about its way.
    pub(crate) async fn on_grid<T>(&self, answer: impl Future<Output = T>) -> T {
        let came = Instant::now();
        let answer = answer.await;
        let grid = self.answer_grid().as_nanos();
        if grid > 0 {
            let over = came.elapsed().as_nanos() % grid;
            let rest = u64::try_from(grid - over).unwrap_or(0);
            tokio::time::sleep(std::time::Duration::from_nanos(rest)).await;
        }
        answer
    }
}
