//! A new password by mail, for somebody who forgot the old one.
//!
//! Called by the reset pages. The invariants: nobody learns whether an address is known, neither from the
//! answer nor from its time; the link works once and opens no session: the second factor is still asked for
//! at the sign-in that follows; every session there was ends.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use domain::{
    Action, Ctx, Resource, Secret, Timestamp,
    audit::{Act, Entry},
    authorize, enforced,
    id::MailId,
    mail::{Address, Mail},
};
use store::{
    accounts, credentials,
    emails::{self, Purpose},
    outbox::{self, Letter},
    sessions,
};

use crate::{Error, Identity, permits, strangers, tokens};

/// Seconds between two mails to one address, so that nobody's mailbox is filled from here.
const PAUSE_S: i64 = 5 * 60;
/// Addresses remembered for that; the oldest makes way.
const REMEMBERED: usize = 4096;

/// When a link was last mailed to an address, known here or not; keys are keyed hashes.
#[derive(Default)]
pub(crate) struct Pace(Mutex<HashMap<[u8; 32], Timestamp>>);

impl Pace {
    /// Whether another mail may go to the address behind `key`.
    pub(crate) fn admits(&self, key: [u8; 32], now: Timestamp) -> bool {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        asked.retain(|_, at| (0..PAUSE_S).contains(&now.seconds_since(*at)));
        if asked.contains_key(&key) {
            return false;
        }
        if asked.len() >= REMEMBERED
            && let Some(oldest) = asked.iter().min_by_key(|(_, at)| **at).map(|(key, _)| *key)
        {
            asked.remove(&oldest);
        }
        asked.insert(key, now);
        true
    }
}

impl Identity {
    /// Mails a link to the person with this confirmed address. The answer is the same when there is none.
    ///
    /// # Errors
    /// [`Error::Email`] for what is no address at all, [`Error::NoMail`].
    pub async fn ask_reset(&self, ctx: &Ctx, typed: &str) -> Result<(), Error> {
        if !self.sends_mail() {
            return Err(Error::NoMail);
        }
        let address = Address::read(typed)?;
        self.on_grid(self.send_reset(&permits::authenticating(ctx), &address)).await
    }

    async fn send_reset(&self, ctx: &Ctx, address: &Address) -> Result<(), Error> {
        let key = self.store().mac("reset pace", address.folded().as_bytes());
        if !self.resets().admits(key, ctx.now()) {
            return Ok(());
        }
        let found = emails::find(self.store(), &permits::authenticate(ctx)?, address).await?;
        let (token, hash) = tokens::fresh(ctx);
        let minutes = self.numbers().link_minutes;
        let Some(user) = found else {
            // One durable write either way, so that the disk does not tell them apart.
            return self.note_stranger(ctx, strangers::RESETS).await;
        };
        let mut tx = self.store().begin(ctx).await?;
        let permit = authorize(ctx, Action::WriteAccount, Resource::Of(user))?;
        let read = authorize(ctx, Action::ReadAccount, Resource::Of(user))?;
        let language = accounts::get(self.store(), &read).await?.settings.language;
        let expires = ctx.now().plus_seconds(i64::from(minutes) * 60);
        emails::keep_link(&mut tx, &permit, Purpose::Reset, hash, None, expires).await?;
        let mail = Mail::Reset { token: token.expose().clone(), minutes };
        let letter = Letter { to: address.clone(), language, mail };
        outbox::queue_for(&mut tx, &permit, MailId::fresh(ctx), &letter).await?;
        tx.commit(Entry::new(Act::ResetRequested, user)).await?;
        Ok(())
    }

    /// Follows such a link: sets the password and ends every session. Nobody is signed in by it.
    ///
    /// # Errors
    /// [`Error::Link`], [`Error::Password`] with what to change, [`Error::Busy`].
    pub async fn reset_password(&self, ctx: &Ctx, token: &str, new: &Secret<String>) -> Result<(), Error> {
        let ctx = &permits::authenticating(ctx);
        let (link, hash) = self.living_link(ctx, Purpose::Reset, token).await?;
        let verifier = self.acceptable(ctx, link.user, new).await?;
        let permit = authorize(ctx, Action::WriteAccount, Resource::Of(link.user))?;
        let mut tx = self.store().begin(ctx).await?;
        if !emails::use_link(&mut tx, &permit, hash).await? {
            enforced!(ACT01);
            return Err(Error::Link);
        }
        credentials::set_password(&mut tx, &permit, &verifier, ctx.now()).await?;
        enforced!(ACT02);
        sessions::end_all(&mut tx, &permit, None).await?;
        self.tell(&mut tx, ctx, link.user, Mail::PasswordChanged).await?;
        tx.commit(Entry::new(Act::PasswordSet, link.user)).await?;
        Ok(())
    }
}
