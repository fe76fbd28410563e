//! The e-mail address of an account, and telling its person something by mail.
//!
//! Called by the account page, by the page behind the mailed link, and by every flow here that has
//! something to tell. The invariants: an address counts only after its link was followed; the link is kept
//! as a hash, works once and ends with the password or the address it was sent for; what opens an account is told
//! to the old address when it changes, and on the account page where there is none; nobody's mailbox is
//! filled from here.

use domain::{
    Action, Ctx, Resource,
    audit::{Act, Entry},
    authorize, enforced,
    id::{MailId, UserId},
    mail::{Address, Mail},
};
use store::{
    Tx, accounts,
    emails::{self, Purpose},
    notices::{self, Notice},
    outbox::{self, Letter},
};

use crate::{Error, Identity, permits, tokens};

/// Mails that may wait for one account.
const MOST_WAITING: u64 = 20;

impl Identity {
    /// Whether a mail server is configured.
    #[must_use]
    pub fn sends_mail(&self) -> bool {
        self.config().sends_mail
    }

    /// The confirmed address of the person who asks.
    ///
    /// # Errors
    /// [`Error::Denied`] unless a signed-in person asks.
    pub async fn email(&self, ctx: &Ctx) -> Result<Option<Address>, Error> {
        Ok(emails::get(self.store(), &permits::own(ctx, Action::ReadAccount)?).await?)
    }

    /// Mails a link to `typed`; the address becomes that of the person who asks once it is followed.
    /// Whether it is another account's already is not said, nor whether it was mailed a link just before.
    ///
    /// # Errors
    /// [`Error::Email`], [`Error::NoMail`], [`Error::MailWaits`]; [`Error::Denied`] without a fresh
    /// confirmation.
    pub async fn change_email(&self, ctx: &Ctx, typed: &str) -> Result<(), Error> {
        let permit = permits::own(ctx, Action::ManageCredentials)?;
        let address = Address::read(typed)?;
        if !self.sends_mail() {
            return Err(Error::NoMail);
        }
        let user = permit.subject(Action::ManageCredentials)?;
        let pace = self.store().mac("confirmation pace", address.folded().as_bytes());
        if !self.resets().admits(pace, ctx.now()) {
            return Ok(());
        }
        let (token, hash) = tokens::fresh(ctx);
        let minutes = self.numbers().link_minutes;
        let language =
            accounts::get(self.store(), &permits::own(ctx, Action::ReadAccount)?).await?.settings.language;
        let expires = ctx.now().plus_seconds(i64::from(minutes) * 60);
        let mail = Mail::ConfirmAddress { token: token.expose().clone(), minutes };
        let letter = Letter { to: address.clone(), language, mail };
        let mut tx = self.store().begin(ctx).await?;
        if outbox::waiting(&mut tx, &permit).await? >= MOST_WAITING {
            return Err(Error::MailWaits);
        }
        emails::keep_link(&mut tx, &permit, Purpose::Confirm, hash, Some(&address), expires).await?;
        outbox::queue_for(&mut tx, &permit, MailId::fresh(ctx), &letter).await?;
        tx.commit(Entry::new(Act::MailQueued, user)).await?;
        Ok(())
    }

    /// Follows a link that confirms an address. Nobody need be signed in: the link was mailed.
    ///
    /// # Errors
    /// [`Error::Link`] when it is unknown, used, too old, or when the address is another account's.
    pub async fn confirm_email(&self, ctx: &Ctx, token: &str) -> Result<(), Error> {
        let ctx = &permits::authenticating(ctx);
        let (link, hash) = self.living_link(ctx, Purpose::Confirm, token).await?;
        let Some(address) = link.address else { return Err(Error::Link) };
        let permit = authorize(ctx, Action::WriteAccount, Resource::Of(link.user))?;
        let mut tx = self.store().begin(ctx).await?;
        if !emails::use_link(&mut tx, &permit, hash).await? {
            enforced!(ACT01);
            return Err(Error::Link);
        }
        // To the address as it was: the new one is set below.
        self.tell(&mut tx, ctx, link.user, Mail::AddressChanged).await?;
        match emails::set(&mut tx, &permit, &address).await {
            Ok(()) => {}
            Err(store::Error::Conflict) => return Err(Error::Link),
            Err(error) => return Err(error.into()),
        }
        tx.commit(Entry::new(Act::EmailChanged, link.user)).await?;
        Ok(())
    }

    /// Forgets the address of the person who asks.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none; [`Error::Denied`] without a fresh confirmation.
    pub async fn remove_email(&self, ctx: &Ctx) -> Result<(), Error> {
        let permit = permits::own(ctx, Action::ManageCredentials)?;
        let user = permit.subject(Action::ManageCredentials)?;
        let mut tx = self.store().begin(ctx).await?;
        self.tell(&mut tx, ctx, user, Mail::AddressChanged).await?;
        if !emails::remove(&mut tx, &permit).await? {
            return Err(Error::NotFound);
        }
        tx.commit(Entry::new(Act::EmailChanged, user)).await?;
        Ok(())
    }

    /// Tells `user` within `tx`: by mail, or on their account page where they have no confirmed address, where
    /// no mail is sent, or where too many wait. Called by every flow here; the caller has decided that this
    /// person is to be told.
    pub(crate) async fn tell(&self, tx: &mut Tx, ctx: &Ctx, user: UserId, mail: Mail) -> Result<(), Error> {
        let ctx = permits::authenticating(ctx);
        let permit = authorize(&ctx, Action::WriteAccount, Resource::Of(user))?;
        let notice = on_the_page(&mail);
        let letter = match self.sends_mail() {
            true => self.letter(&ctx, user, mail).await?,
            false => None,
        };
        if let Some(letter) = letter
            && outbox::waiting(tx, &permit).await? < MOST_WAITING
        {
            return Ok(outbox::queue_for(tx, &permit, MailId::fresh(&ctx), &letter).await?);
        }
        if let Some(notice) = notice {
            notices::add(tx, &permit, &notice, ctx.now()).await?;
        }
        Ok(())
    }

    /// `mail` for the confirmed address of `user`, in their language; `None` when there is no address.
    pub(crate) async fn letter(&self, ctx: &Ctx, user: UserId, mail: Mail) -> Result<Option<Letter>, Error> {
        let ctx = permits::authenticating(ctx);
        let permit = authorize(&ctx, Action::ReadAccount, Resource::Of(user))?;
        let Some(to) = emails::get(self.store(), &permit).await? else { return Ok(None) };
        let language = accounts::get(self.store(), &permit).await?.settings.language;
        Ok(Some(Letter { to, language, mail }))
    }

    /// The link behind a presented token, when it is still good.
    pub(crate) async fn living_link(
        &self,
        ctx: &Ctx,
        purpose: Purpose,
        token: &str,
    ) -> Result<(emails::Link, tokens::Hash), Error> {
        let hash = tokens::hash_presented(token.trim()).ok_or(Error::Link)?;
        let link = emails::link(self.store(), &permits::authenticate(ctx)?, purpose, hash).await?;
        let link = link.filter(|link| ctx.now() < link.expires).ok_or_else(|| {
            enforced!(ACT01);
            Error::Link
        })?;
        Ok((link, hash))
    }
}

/// How the account page says what `mail` says; `None` where the page shows it in another way, or need not.
fn on_the_page(mail: &Mail) -> Option<Notice> {
    match mail {
        Mail::PasswordChanged => Some(Notice::PasswordChanged),
        Mail::FactorsChanged => Some(Notice::FactorsChanged),
        Mail::AddressChanged => Some(Notice::AddressChanged),
        Mail::RecoveryAsked { not_before } => Some(Notice::RecoveryAsked { not_before: *not_before }),
        Mail::RecoveryUsed => Some(Notice::RecoveryUsed),
        _ => None,
    }
}
