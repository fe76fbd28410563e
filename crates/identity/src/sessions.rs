//! Sessions: signed-in browsers, with two ends the server enforces.
//!
//! Opened by setup and sign-in, recognised on every request. The invariants: the token is known to
//! the browser alone, the store has its SHA-256; a session ends after `idle_minutes` without a
//! request and after `absolute_hours` in any case, whether or not anybody has swept it yet.

use domain::{
    Action, Actor, Ctx, Resource, Secret, Timestamp,
    access::{Permit, Shown, Standing},
    audit::{Act, Entry},
    authorize, enforced,
    id::{SessionId, UserId},
};
use store::{
    Tx, accounts,
    accounts::Settings,
    sessions::{self, Beginning, Session},
};

use crate::{Error, Identity, permits, tokens, touches};

/// Characters kept of what a browser calls itself.
const DEVICE_CHARS: usize = 200;
/// Seconds a session may have gone without being noted as seen, because notes are a minute apart.
const NOTED_EVERY_S: i64 = 60;

/// A session that was just opened.
#[derive(Debug)]
pub struct NewSession {
    /// Its identifier.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// The cookie's value. This is the only time it is seen.
    pub token: Secret<String>,
    /// When it ends however busy.
    pub expires: Timestamp,
}

/// Somebody a request was recognised to come from.
#[derive(Clone, Debug)]
pub struct Recognised {
    /// The person, their session and roles.
    pub actor: Actor,
    /// What they are called.
    pub name: String,
    /// How they like things.
    pub settings: Settings,
    /// When the session ends however busy.
    pub expires: Timestamp,
    /// When it ends without another request.
    pub idle_ends: Timestamp,
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
    /// Whether it is the one that asks.
    pub current: bool,
}

impl Identity {
    /// Who a presented session token belongs to. `None` when it is unknown, ended or idle too long,
    /// or when the account may not sign in.
    ///
    /// # Errors
    /// [`Error::Store`] when the store cannot answer.
    pub async fn recognise_session(&self, ctx: &Ctx, token: &str) -> Result<Option<Recognised>, Error> {
        let Some(hash) = tokens::hash_presented(token) else { return Ok(None) };
        let ctx = permits::authenticating(ctx);
        let now = ctx.now();
        let found = sessions::by_token(self.store(), &permits::authenticate(&ctx)?, hash).await?;
        let Some((session, roles)) = found.filter(|(session, _)| self.lives(session, now)) else {
            return Ok(None);
        };
        let user = session.user;
        let account =
            accounts::get(self.store(), &authorize(&ctx, Action::ReadAccount, Resource::Of(user))?).await;
        let account = match account {
            Ok(account) => account,
            // Deleted between the two reads.
            Err(store::Error::NotFound) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if now.seconds_since(session.last_seen) >= NOTED_EVERY_S && self.touches().due(session.id.0, now) {
            let permit = authorize(&ctx, Action::WriteAccount, Resource::Of(user))?;
            if let Err(error) = self.touch_session(&ctx, &permit, session.id).await {
                // The answer does not depend on it: at worst the session ends early.
                tracing::warn!(%error, "a session could not be noted as seen");
            }
        }
        let standing = self.standing_of(&ctx, user, roles).await?;
        let standing = Standing { shown: self.shown(&session), ..standing };
        Ok(Some(Recognised {
            actor: Actor::Person { user, session: session.id, standing },
            name: account.name,
            settings: account.settings,
            expires: session.expires,
            idle_ends: now.plus_seconds(self.idle_s()).min(session.expires),
        }))
    }

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
            .filter(|session| self.lives(session, now))
            .map(|session| SessionInfo {
                id: session.id,
                current: matches!(ctx.actor, Actor::Person { session: mine, .. } if mine == session.id),
                created: session.created,
                last_seen: session.last_seen,
                ends: self.idle_end(&session).min(session.expires),
                device: session.device,
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

    /// Removes the sessions of everybody that have ended by themselves, and says how many. They are
    /// refused without this as well; it keeps the table small. Also notes the wrong tries for unknown
    /// names whose entry is due.
    ///
    /// # Errors
    /// [`Error::Denied`] unless the actor may change the instance, as the system's upkeep may.
    pub async fn sweep(&self, ctx: &Ctx) -> Result<u64, Error> {
        let permit = authorize(ctx, Action::WriteInstance, Resource::Instance)?;
        let now = ctx.now();
        let mut tx = self.store().begin(ctx).await?;
        let ended = sessions::end_expired(&mut tx, &permit, now.plus_seconds(-self.idle_s()), now).await?;
        if ended > 0 {
            let count = usize::try_from(ended).unwrap_or(usize::MAX);
            tx.commit(Entry::new(Act::SessionEnded, "").times(count)).await?;
        } else {
            drop(tx);
        }
        self.note_last_strangers(ctx).await?;
        self.end_old_recoveries(ctx).await?;
        self.keep_access(ctx).await?;
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
        let _ = second_factor;
        let (id, now) = (SessionId::fresh(ctx), ctx.now());
        let expires = now.plus_seconds(i64::from(self.numbers().absolute_hours) * 3600);
        enforced!(SES03);
        let (token, token_hash) = tokens::fresh(ctx);
        let device = tidy_device(device);
        let begins = Beginning { id, token_hash, device: &device, second_factor, now, expires };
        sessions::create(tx, permit, begins).await?;
        Ok(NewSession { id, user: permit.subject(Action::WriteAccount)?, token, expires })
    }

    fn lives(&self, session: &Session, now: Timestamp) -> bool {
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
    fn shown(&self, session: &Session) -> Shown {
        let fresh_until = session.confirmed.plus_seconds(i64::from(self.numbers().step_up_minutes) * 60);
        Shown { second_factor: session.second_factor, fresh_until }
    }

    fn idle_end(&self, session: &Session) -> Timestamp {
        session.last_seen.plus_seconds(self.idle_s())
    }

    fn idle_s(&self) -> i64 {
        i64::from(self.numbers().idle_minutes) * 60
    }

    async fn touch_session(&self, ctx: &Ctx, permit: &Permit, id: SessionId) -> Result<(), store::Error> {
        let mut tx = self.store().begin(ctx).await?;
        sessions::touch(&mut tx, permit, id, ctx.now()).await?;
        touches::keep(tx).await
    }
}

/// Ends every session of `permit`'s person but the one that asks.
pub(crate) async fn end_others(tx: &mut Tx, ctx: &Ctx, permit: &Permit) -> Result<u64, Error> {
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
