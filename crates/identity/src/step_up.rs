//! Step-up: somebody who is signed in shows a credential again, before something dangerous.
//!
//! Called by the page `/confirm`. `domain::authorize` asks for it where `Action::needs_step_up` says so.
//! The invariants: a proof counts for the session it was shown in and for `step_up_minutes`, and not for an
//! access token from before it, which may be in other hands; wrong ones are counted over all sessions of their person, so that a stolen one is no place to guess from, and apart
//! from those of the sign-in, so that who only knows a name keeps nobody from confirming.

use domain::{
    Action, Actor, Ctx, Denied, Secret, Timestamp,
    access::Permit,
    audit::{Act, Entry},
};
use store::{
    Tx, credentials,
    sessions::{self, Confirmation},
};

use crate::{Error, Identity, permits};

/// What somebody shows.
#[derive(Debug)]
pub enum Proof {
    /// The password.
    Password(Secret<String>),
    /// A code of the authenticator, or a recovery code. It counts as a second factor.
    Code(Secret<String>),
    /// The answer of an authenticator. It counts as a second factor.
    Passkey {
        /// Names the question.
        ceremony: Secret<String>,
        /// What the authenticator said.
        answer: String,
    },
}

/// Which codes count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codes {
    /// Those of the authenticator alone.
    Authenticator,
    /// Recovery codes as well.
    Any,
}

/// What somebody has to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ways {
    /// A password.
    pub password: bool,
    /// An authenticator or recovery codes.
    pub code: bool,
    /// A passkey.
    pub passkey: bool,
}

impl Identity {
    /// Confirms that the person of this session is who asks.
    ///
    /// # Errors
    /// [`Error::Refused`] for a wrong proof, [`Error::Throttled`] after too many of those, [`Error::Busy`];
    /// [`Error::Denied`] unless a signed-in person asks.
    pub async fn confirm(&self, ctx: &Ctx, proof: Proof) -> Result<(), Error> {
        let Actor::Person { user, session, .. } = ctx.actor else { return Err(Denied::ANONYMOUS.into()) };
        let permit = permits::own(ctx, Action::WriteAccount)?;
        let (mut tx, second_factor) = match &proof {
            Proof::Password(password) => {
                self.prove_password(&permits::authenticating(ctx), user, password).await?;
                (self.store().begin(ctx).await?, false)
            }
            Proof::Code(code) => (self.prove_code(ctx, &permit, code.expose(), Codes::Any).await?, true),
            Proof::Passkey { ceremony, answer } => {
                let shown = self.verify_one(ctx, user, Some(session), ceremony, answer).await?;
                let mut tx = self.store().begin(ctx).await?;
                self.use_passkey(&mut tx, ctx, user, &shown).await?;
                (tx, true)
            }
        };
        let shown = self.confirmation(ctx, ctx.now(), second_factor);
        sessions::confirm(&mut tx, &permit, session, shown).await?;
        Ok(tx.commit(Entry::new(Act::StepUpConfirmed, session)).await?)
    }

    /// What was shown to confirm, since when it counts.
    pub(crate) fn confirmation(&self, ctx: &Ctx, at: Timestamp, second_factor: bool) -> Confirmation {
        let grace_s = i64::from(self.numbers().refresh_grace_seconds);
        Confirmation { at, second_factor, network: self.network_of(ctx), grace_s }
    }

    /// What the person who asks has to show.
    ///
    /// # Errors
    /// [`Error::Denied`] unless a signed-in person asks.
    pub async fn ways_to_confirm(&self, ctx: &Ctx) -> Result<Ways, Error> {
        let permit = permits::own(ctx, Action::ReadAccount)?;
        let password = credentials::password(self.store(), &permit).await?.is_some();
        let factors = self.factors_of(ctx, &permit).await?;
        let passkey = factors.passkeys.iter().any(|one| !one.suspended);
        Ok(Ways { password, code: factors.authenticator || factors.codes_left > 0, passkey })
    }

    /// Uses up a right code of `permit`'s person; wrong ones are counted. What comes back is the transaction
    /// that does.
    pub(crate) async fn prove_code(
        &self,
        ctx: &Ctx,
        permit: &Permit,
        code: &str,
        codes: Codes,
    ) -> Result<Tx, Error> {
        let user = permit.subject(Action::WriteAccount)?;
        let key = self.proof_key(user);
        let one = self.admit_try(ctx, key).await?;
        let mut tx = self.store().begin(ctx).await?;
        let right = match codes {
            Codes::Authenticator => self.use_totp(&mut tx, ctx, permit, code).await?,
            Codes::Any => self.use_code(&mut tx, ctx, permit, code).await?,
        };
        if right {
            self.throttle().give_back(&one);
            return Ok(tx);
        }
        drop(tx);
        self.note_failure(ctx, &key, Some(user)).await?;
        Err(Error::Refused)
    }
}
