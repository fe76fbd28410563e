//! Sessions: signed-in browsers, with two ends the server enforces.
//!
//! Opened by setup and sign-in, recognised on every request (`recognise.rs`). The invariants: the tokens
//! are known to the browser alone; a session ends after `idle_minutes` without a request and after
//! `absolute_hours` in any case, whether or not anybody has swept it yet.

use std::net::IpAddr;

use domain::{
    Action, Actor, Ctx, Resource, Timestamp,
    access::{Permit, Shown},
    audit::{Act, Entry},
    authorize, enforced,
    id::{SessionId, UserId},
};
use store::{
    Tx, call_tickets, credentials, emails, notices,
    sessions::{self, Beginning, Session},
};

use crate::{Error, Identity, Tokens, permits, refresh_tokens::Refresh, throttle::FORGOTTEN_AFTER_S};

/// Characters kept of what a browser calls itself.
const DEVICE_CHARS: usize = 200;
/// Days after which a browser that did not come back is a new one.
const DEVICE_DAYS: i64 = 180;

/// A session that was just opened.
#[derive(Debug)]
pub struct NewSession {
    /// Its identifier.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// What carries it. This is the only time it is seen.
    pub tokens: Tokens,
    /// When it ends however busy.
    pub expires: Timestamp,
}

/// A session as its person sees it in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionInfo {
    /// Its identifier.
    pub id: SessionId,
    /// What the browser called itself.
    pub device: String,
    /// When it was opened.
    pub created: Timestamp,
    /// When it was last seen, to the minute.
    pub last_seen: Timestamp,
    /// When it ends without another request.
    pub ends: Timestamp,
    /// Where it was opened, when that is known.
    pub begun_from: Option<IpAddr>,
    /// Where it was last used from, when that is known.
    pub seen_from: Option<IpAddr>,
    /// Whether a second factor was shown in it.
    pub second_factor: bool,
    /// Whether it is the one that asks.
    pub current: bool,
}

impl Identity {
    /// Ends the session that asks.
    ///
    /// # Errors
    /// [`Error::Denied`] unless a signed-in person asks.
    pub async fn sign_out(&self, ctx: &Ctx) -> Result<(), Error> {
        let Actor::Person { session, .. } = ctx.actor else {
            return Err(domain::Denied::ANONYMOUS.into());
        };
        match self.end_session(ctx, session).await {
            // Ended meanwhile from elsewhere: what was asked for is so.
            Err(Error::NotFound) => Ok(()),
            other => other,
        }
    }

    /// The living sessions of the person who asks, newest first.
    ///
    /// # Errors
    /// [`Error::Denied`] unless a signed-in person asks.
    pub async fn sessions(&self, ctx: &Ctx) -> Result<Vec<SessionInfo>, Error> {
        let now = ctx.now();
        let mut living: Vec<_> = sessions::list(self.store(), &permits::own(ctx, Action::ReadAccount)?)
            .await?
            .into_iter()
            .filter(|listed| self.lives(&listed.session, now))
            .map(|listed| SessionInfo {
                id: listed.session.id,
                current: matches!(ctx.actor, Actor::Person { session: mine, .. } if mine == listed.session.id),
                created: listed.session.created,
                last_seen: listed.session.last_seen,
                ends: self.idle_end(&listed.session).min(listed.session.expires),
                begun_from: listed.begun_from,
                seen_from: listed.seen_from,
                second_factor: listed.session.second_factor,
                device: listed.device,
            })
            .collect();
        living.sort_by_key(|session| std::cmp::Reverse((session.created, session.id)));
        Ok(living)
    }

    /// Ends one session of the person who asks; its next request is a stranger's.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is not among theirs.
    pub async fn end_session(&self, ctx: &Ctx, id: SessionId) -> Result<(), Error> {
        let permit = permits::own(ctx, Action::WriteAccount)?;
        let mut tx = self.store().begin(ctx).await?;
        if !sessions::end(&mut tx, &permit, id).await? {
            return Err(Error::NotFound);
        }
        tx.commit(Entry::new(Act::SessionEnded, id)).await?;
        Ok(())
    }

    /// Ends every session of the person who asks but the one that asks, and says how many.
    ///
    /// # Errors
    /// [`Error::Denied`] unless a signed-in person asks.
    pub async fn end_other_sessions(&self, ctx: &Ctx) -> Result<u64, Error> {
        let permit = permits::own(ctx, Action::WriteAccount)?;
        let mut tx = self.store().begin(ctx).await?;
        let ended = end_others(&mut tx, ctx, &permit).await?;
        let count = usize::try_from(ended).unwrap_or(usize::MAX);
        let user = permit.subject(Action::WriteAccount)?;
        tx.commit(Entry::new(Act::SessionEnded, user).times(count)).await?;
        Ok(ended)
    }

    /// Clears away what has ended by itself, and says how many sessions: sessions, devices not seen for long,
    /// counts of wrong tries, API keys that ended long ago. All of it is refused without this as well; it keeps
    /// the tables small.
    ///
    /// # Errors
    /// [`Error::Denied`] unless the actor may change the instance, as the system's upkeep may.
    pub async fn sweep(&self, ctx: &Ctx) -> Result<u64, Error> {
        let permit = authorize(ctx, Action::WriteInstance, Resource::Instance)?;
        let now = ctx.now();
        let mut tx = self.store().begin(ctx).await?;
        let ended = sessions::end_expired(&mut tx, &permit, now.plus_seconds(-self.idle_s()), now).await?;
        let forgotten = now.plus_seconds(-DEVICE_DAYS * 24 * 3600);
        let mut others = notices::forget_devices(&mut tx, &permit, forgotten).await?;
        others +=
            credentials::forget_failures(&mut tx, &permit, now.plus_seconds(-FORGOTTEN_AFTER_S)).await?;
        others += self.sweep_keys(&mut tx, &permit, now).await?;
        others += call_tickets::sweep(&mut tx, &permit, now).await?;
        if ended > 0 {
            let count = usize::try_from(ended).unwrap_or(usize::MAX);
            tx.commit(Entry::new(Act::SessionEnded, "").times(count)).await?;
        } else if others > 0 {
            let count = usize::try_from(others).unwrap_or(usize::MAX);
            tx.commit(Entry::new(Act::Swept, "").times(count)).await?;
        }
        Ok(ended)
    }

    /// Opens a session for `permit`'s person within `tx`; `second_factor` says whether one was shown.
    pub(crate) async fn open_session(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        permit: &Permit,
        device: &str,
        second_factor: bool,
    ) -> Result<NewSession, Error> {
        let (id, now) = (SessionId::fresh(ctx), ctx.now());
        let expires = now.plus_seconds(i64::from(self.numbers().absolute_hours) * 3600);
        let (user, device) = (permit.subject(Action::WriteAccount)?, tidy_device(device));
        let (address, network) = (ctx.address, self.network_of(ctx));
        let begins = Beginning { id, device: &device, address, network, second_factor, now, expires };
        sessions::create(tx, permit, begins).await?;
        self.note_device(tx, ctx, permit, &device).await?;
        let access = self.access_token(ctx, tx, user, id, 0).await?;
        let refresh = Refresh { session: id, generation: 0 }.token(self.store());
        Ok(NewSession { id, user, tokens: Tokens { access, refresh }, expires })
    }

    pub(crate) fn lives(&self, session: &Session, now: Timestamp) -> bool {
        // The shorter of what was promised when it was opened and what the policy says now.
        let absolute = session.created.plus_seconds(i64::from(self.numbers().absolute_hours) * 3600);
        if now >= session.expires.min(absolute) {
            enforced!(SES02);
            return false;
        }
        if now >= self.idle_end(session) {
            enforced!(SES01);
            return false;
        }
        true
    }

    /// What has been shown in a session, and until when its last confirmation counts.
    pub(crate) fn shown(&self, session: &Session) -> Shown {
        let fresh_until = session.confirmed.plus_seconds(i64::from(self.numbers().step_up_minutes) * 60);
        Shown { second_factor: session.second_factor, fresh_until }
    }

    fn idle_end(&self, session: &Session) -> Timestamp {
        session.last_seen.plus_seconds(self.idle_s())
    }

    pub(crate) fn idle_s(&self) -> i64 {
        i64::from(self.numbers().idle_minutes) * 60
    }
}

/// Ends every session of `permit`'s person but the one that asks, and every link that was mailed to them:
/// whoever had one of those may have asked for one of these.
pub(crate) async fn end_others(tx: &mut Tx, ctx: &Ctx, permit: &Permit) -> Result<u64, Error> {
    emails::end_links(tx, permit).await?;
    let mine = match ctx.actor {
        Actor::Person { session, .. } => Some(session),
        _ => None,
    };
    Ok(sessions::end_all(tx, permit, mine).await?)
}

/// What a browser calls itself, without control characters and not longer than a list can show.
fn tidy_device(device: &str) -> String {
    device.chars().filter(|c| !c.is_control()).take(DEVICE_CHARS).collect::<String>().trim().to_owned()
}
