//! What a person sees and changes about their own account: settings, password, recovery codes.
//!
//! Called by the account pages. The invariants: a new password keeps the rules and was not used
//! before; changing it takes the current one, and ends every other session.

use domain::{
    Action, Ctx, Resource, Secret, Timestamp,
    audit::{Act, Entry},
    authorize, enforced,
    id::UserId,
    password::{self, Problem, Profile, Rules},
};
use store::{
    accounts::{self, Account, Settings},
    credentials, settings,
};
use zeroize::Zeroizing;

use crate::{Advice, Error, Identity, advice, permits, sessions, throttle::Key};

const DAY_S: i64 = 24 * 3600;
/// Under which key the store keeps the profile of the last start.
const PROFILE: &str = "password profile";
/// Longest value of a setting, in bytes.
const MOST_SETTING_BYTES: usize = 200;

impl Identity {
    /// The account of the person who asks.
    ///
    /// # Errors
    /// [`Error::Denied`] unless a signed-in person asks.
    pub async fn account(&self, ctx: &Ctx) -> Result<Account, Error> {
        Ok(accounts::get(self.store(), &permits::own(ctx, Action::ReadAccount)?).await?)
    }

    /// Keeps how the person who asks likes things.
    ///
    /// # Errors
    /// [`Error::Setting`] when a value is too long to be a setting.
    pub async fn save_settings(&self, ctx: &Ctx, settings: &Settings) -> Result<(), Error> {
        let permit = permits::own(ctx, Action::WriteAccount)?;
        let texts = [Some(&settings.language), Some(&settings.theme), settings.model.as_ref()];
        if texts.into_iter().flatten().any(|text| text.len() > MOST_SETTING_BYTES) {
            return Err(Error::Setting);
        }
        let mut tx = self.store().begin(ctx).await?;
        accounts::save_settings(&mut tx, &permit, settings).await?;
        tx.commit(Entry::new(Act::SettingsChanged, permit.subject(Action::WriteAccount)?)).await?;
        Ok(())
    }

    /// Changes the password of the person who asks and ends their other sessions.
    ///
    /// # Errors
    /// [`Error::Denied`] when the last confirmation is too long ago; [`Error::Refused`] when `current` is wrong, [`Error::Throttled`] after too many of those,
    /// [`Error::Password`] with what to change about `new`, [`Error::Busy`].
    pub async fn change_password(
        &self,
        ctx: &Ctx,
        current: &Secret<String>,
        new: &Secret<String>,
    ) -> Result<(), Error> {
        let permit = permits::managing(ctx)?;
        let user = permit.subject(Action::WriteAccount)?;
        let authenticating = permits::authenticating(ctx);
        self.prove_password(&authenticating, user, current).await?;
        let verifier = self.acceptable(&authenticating, user, new).await?;
        let mut tx = self.store().begin(ctx).await?;
        credentials::set_password(&mut tx, &permit, &verifier, ctx.now()).await?;
        sessions::end_others(&mut tx, ctx, &permit).await?;
        tx.commit(Entry::new(Act::PasswordSet, user)).await?;
        Ok(())
    }

    /// When the password of the person who asks must be changed; `None` when it need not.
    ///
    /// # Errors
    /// [`Error::Denied`] unless a signed-in person asks.
    pub async fn password_expires(&self, ctx: &Ctx) -> Result<Option<Timestamp>, Error> {
        let kept = credentials::password(self.store(), &permits::own(ctx, Action::ReadAccount)?).await?;
        Ok(kept.and_then(|kept| self.expiry(kept.changed)))
    }

    /// How many recovery codes the person who asks has left.
    ///
    /// # Errors
    /// [`Error::Denied`] unless a signed-in person asks.
    pub async fn recovery_codes_left(&self, ctx: &Ctx) -> Result<u32, Error> {
        Ok(credentials::recovery_codes_left(self.store(), &permits::own(ctx, Action::ReadAccount)?).await?)
    }

    /// Replaces the recovery codes of the person who asks, against a code of their authenticator.
    ///
    /// # Errors
    /// [`Error::Denied`] when the last confirmation is too long ago; [`Error::Refused`] for a wrong or used code, [`Error::Throttled`] after too many of those.
    pub async fn new_recovery_codes(&self, ctx: &Ctx, totp_code: &str) -> Result<Vec<Secret<String>>, Error> {
        let permit = permits::managing(ctx)?;
        let user = permit.subject(Action::WriteAccount)?;
        let authenticating = permits::authenticating(ctx);
        let key = self.key_of(&authenticating, user).await?;
        let kept = self.kept_failures(&authenticating, user).await?;
        let one = self.throttle().admit(key, kept, ctx.now())?;
        let mut tx = self.store().begin(ctx).await?;
        if !self.use_totp(&mut tx, ctx, &permit, totp_code).await? {
            drop(tx);
            self.note_failure(&authenticating, Some(user)).await?;
            return Err(Error::Refused);
        }
        self.throttle().give_back(&one);
        let codes = self.fresh_codes(&mut tx, ctx, &permit).await?;
        tx.commit(Entry::new(Act::FactorSet, user)).await?;
        Ok(codes)
    }

    /// Advice about a password that is being chosen for an account called `name`.
    ///
    /// # Errors
    /// [`Error::Busy`] when many are being advised; to ask for it costs nothing and to give it does.
    pub async fn password_advice(&self, password: &Secret<String>, name: &str) -> Result<Advice, Error> {
        let (typed, name) = (Zeroizing::new(password.expose().clone()), name.to_owned());
        let rules = self.password_rules(false);
        self.advice().run(move || advice::about(&typed, &name, rules)).await
    }

    /// Writes down that the password profile is another one than at the last start.
    ///
    /// # Errors
    /// [`Error::Denied`] unless the actor may change the instance.
    pub async fn note_profile(&self, ctx: &Ctx) -> Result<(), Error> {
        let permit = authorize(ctx, Action::WriteInstance, Resource::Instance)?;
        let profile = self.config().password_profile.as_str();
        let before = settings::get(self.store(), PROFILE).await?;
        if before.as_deref().unwrap_or(Profile::default().as_str()) == profile {
            return Ok(());
        }
        let mut tx = self.store().begin(ctx).await?;
        settings::set(&mut tx, &permit, PROFILE, profile).await?;
        Ok(tx.commit(Entry::new(Act::SettingsChanged, "password-profile")).await?)
    }

    /// The rules a new password is held against, alone or beside a second factor.
    #[must_use]
    pub fn password_rules(&self, second_factor: bool) -> Rules {
        Rules::of(self.numbers(), second_factor)
    }

    /// Refuses a password that breaks the rules for one that opens an account alone.
    pub(crate) fn check_rules(&self, password: &Secret<String>, name: &str) -> Result<(), Error> {
        self.check_rules_beside(password, name, false)
    }

    /// Refuses a password that breaks the rules, for an account with or without a second factor.
    pub(crate) fn check_rules_beside(
        &self,
        password: &Secret<String>,
        name: &str,
        second_factor: bool,
    ) -> Result<(), Error> {
        let problems = password::problems(password.expose(), name, self.password_rules(second_factor));
        if problems.is_empty() {
            return Ok(());
        }
        enforced!(AUT01);
        Err(Error::Password { problems })
    }

    /// The verifier of a new password that keeps the rules and was not used before.
    pub(crate) async fn acceptable(
        &self,
        ctx: &Ctx,
        user: UserId,
        new: &Secret<String>,
    ) -> Result<Zeroizing<String>, Error> {
        let permit = authorize(ctx, Action::ReadAccount, Resource::Of(user))?;
        let name = accounts::get(self.store(), &permit).await?.name;
        let second_factor = self.factors_of(ctx, &permit).await?.count() > 0;
        self.check_rules_beside(new, &name, second_factor)?;
        // The one in force comes first in this list, and is not to be "changed" into itself either.
        let history = self.numbers().password_history.saturating_add(1);
        for verifier in credentials::earlier_passwords(self.store(), &permit, history).await? {
            let used = self.passwords().verify(new.expose(), Some(&verifier)).await?;
            if used {
                enforced!(AUT07);
                return Err(Error::Password { problems: vec![Problem::Reused] });
            }
        }
        self.passwords().hash(ctx, new.expose()).await.map(Zeroizing::new)
    }

    /// When a password set at `changed` must be changed; never when the policy sets no limit.
    pub(crate) fn expiry(&self, changed: Timestamp) -> Option<Timestamp> {
        let days = i64::from(self.numbers().password_max_days);
        (days > 0).then(|| changed.plus_seconds(days * DAY_S))
    }

    /// Whether `current` is the account's password, counted like a sign-in.
    pub(crate) async fn prove_password(
        &self,
        ctx: &Ctx,
        user: UserId,
        current: &Secret<String>,
    ) -> Result<(), Error> {
        let permit = authorize(ctx, Action::ReadAccount, Resource::Of(user))?;
        let key = self.key_of(ctx, user).await?;
        let kept = self.kept_failures(ctx, user).await?;
        let one = self.throttle().admit(key, kept, ctx.now())?;
        let verifier = credentials::password(self.store(), &permit).await?.map(|kept| kept.verifier);
        let right = self.passwords().verify(current.expose(), verifier.as_deref()).await;
        if !matches!(right, Ok(false)) {
            self.throttle().give_back(&one);
        }
        if right? {
            return Ok(());
        }
        self.note_failure(ctx, Some(user)).await?;
        Err(Error::Refused)
    }

    pub(crate) async fn key_of(&self, ctx: &Ctx, user: UserId) -> Result<Key, Error> {
        let permit = authorize(ctx, Action::ReadAccount, Resource::Of(user))?;
        Ok(self.throttle_key(&accounts::get(self.store(), &permit).await?.name))
    }
}
