//! Step-up: somebody who is signed in shows a credential again, before something dangerous.
//!
//! Called by the page `/confirm`. `domain::authorize` asks for it where `Action::needs_step_up` says so.
//! The invariants: a proof counts for the session it was shown in and for `step_up_minutes`; wrong ones
//! are counted with those of the sign-in, so that a stolen session is no place to guess from.

use domain::{
    Action, Actor, Ctx, Denied, Secret,
    access::Permit,
    audit::{Act, Entry},
    id::UserId,
};
use store::{Tx, credentials, sessions};

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
            Proof::Code(code) => (self.prove_code(ctx, &permit, user, code).await?, true),
            Proof::Passkey { ceremony, answer } => {
                let shown = self.verify_one(ctx, user, Some(session), ceremony, answer).await?;
                let mut tx = self.store().begin(ctx).await?;
                self.use_passkey(&mut tx, ctx, user, &shown).await?;
                (tx, true)
            }
        };
        sessions::confirm(&mut tx, &permit, session, second_factor, ctx.now()).await?;
        Ok(tx.commit(Entry::new(Act::StepUpConfirmed, session)).await?)
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

    /// Uses up a right code, counted like a sign-in. What comes back is the transaction that does.
    async fn prove_code(
        &self,
        ctx: &Ctx,
        permit: &Permit,
        user: UserId,
        code: &Secret<String>,
    ) -> Result<Tx, Error> {
        let authenticating = permits::authenticating(ctx);
        let key = self.key_of(&authenticating, user).await?;
        let kept = self.kept_failures(&authenticating, user).await?;
        let one = self.throttle().admit(key, kept, ctx.now())?;
        let mut tx = self.store().begin(ctx).await?;
        if self.use_code(&mut tx, ctx, permit, code.expose()).await? {
            self.throttle().give_back(&one);
            return Ok(tx);
        }
        drop(tx);
        self.note_failure(&authenticating, Some(user)).await?;
        Err(Error::Refused)
    }
}
