//! What a person is told at their next visit: a sign-in from somewhere new, a session that was ended.
//!
//! Called by sign-in, which notes from where it came, and by the pages. A device is a kind of browser in a
//! network, not a mark left in the browser: nothing of it stays there after signing out.

use std::net::IpAddr;

use domain::{
    Action, Ctx, Denied, Timestamp,
    access::Permit,
    audit::{Act, Entry},
    enforced,
    mail::Mail,
};
use store::{
    Tx,
    notices::{self, Notice},
};

use crate::{Error, Identity, permits};

impl Identity {
    /// What waits for the person who asks, newest first.
    ///
    /// # Errors
    /// [`Error::Denied`] unless a signed-in person asks.
    pub async fn news(&self, ctx: &Ctx) -> Result<Vec<(Timestamp, Notice)>, Error> {
        Ok(notices::list(self.store(), &permits::own(ctx, Action::ReadAccount)?).await?)
    }

    /// Puts away what the person who asks has read, up to `until`. What was told since their session began
    /// stays, and says so: it may be about that very session.
    ///
    /// # Errors
    /// [`Error::Denied`] unless a signed-in person asks.
    pub async fn put_news_away(&self, ctx: &Ctx, until: Timestamp) -> Result<(), Error> {
        let permit = permits::own(ctx, Action::WriteAccount)?;
        let Some(begun) = self.session_begun(ctx).await? else { return Err(Denied::ANONYMOUS.into()) };
        let mut tx = self.store().begin(ctx).await?;
        enforced!(SES07);
        let gone = notices::put_away(&mut tx, &permit, until, begun).await?;
        let count = usize::try_from(gone).unwrap_or(usize::MAX);
        let entry = Entry::new(Act::NoticesPutAway, permit.subject(Action::WriteAccount)?).times(count);
        Ok(tx.commit(entry).await?)
    }

    /// When the session of the person who asks began.
    ///
    /// # Errors
    /// [`Error::Denied`] unless a signed-in person asks.
    pub async fn session_begun(&self, ctx: &Ctx) -> Result<Option<Timestamp>, Error> {
        let sessions = self.sessions(ctx).await?;
        Ok(sessions.into_iter().find(|one| one.current).map(|one| one.created))
    }

    /// Notes from where somebody signs in, and tells them when that is new.
    pub(crate) async fn note_device(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        permit: &Permit,
        device: &str,
    ) -> Result<(), Error> {
        let mark = format!("{device}\n{}", ctx.address.map(network).unwrap_or_default());
        let hash = self.store().mac("known device", mark.as_bytes());
        if !notices::note_device(tx, permit, hash, ctx.now()).await? {
            return Ok(());
        }
        enforced!(SES07);
        let notice = Notice::NewDevice { device: device.to_owned(), address: ctx.address };
        notices::add(tx, permit, &notice, ctx.now()).await?;
        let place = ctx.address.map(|address| address.to_string()).unwrap_or_default();
        let mail = Mail::NewSignIn { device: device.to_owned(), place, at: ctx.now() };
        self.tell(tx, ctx, permit.subject(Action::WriteAccount)?, mail).await
    }

    /// A keyed hash of the network a request comes from.
    pub(crate) fn network_of(&self, ctx: &Ctx) -> [u8; 32] {
        self.store().mac("network of a session", ctx.address.map(network).unwrap_or_default().as_bytes())
    }
}

/// The network an address is in, as coarse as a provider: who moves about in one is not news every day.
fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            format!("{a}.{b}")
        }
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => network(IpAddr::V4(v4)),
            None => {
                let [a, b, ..] = v6.segments();
                format!("{a:x}:{b:x}")
            }
        },
    }
}
