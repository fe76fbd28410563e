//! Who a request of a browser comes from: an access token, or a refresh token that brings the next one.
//!
//! Called by `web` for every page and every request of its scripts. The invariants: a token alone opens
//! nothing, the session's row is read each time, so that what ended anywhere has ended everywhere; an access
//! token from before the last confirmation is worth no more than one that is over; a refresh token that is shown after its successor was in use, or from another network, ends its session.

use domain::{
    Action, Actor, Ctx, Resource, Secret, Timestamp,
    access::{Permit, Standing},
    audit::{Act, Entry},
    authorize, enforced,
};
use store::{
    accounts::Settings,
    notices::{self, Notice},
    sessions::{self, Known, Seen, Session},
};

use crate::{
    Error, Identity, permits,
    refresh_tokens::{Refresh, Worth},
    touches,
};

/// Seconds between two notes about the same session, where the idle limit is not short.
const NOTED_EVERY_S: i64 = 60;

/// What carries a session in the browser. Seen here, and never again.
#[derive(Debug)]
pub struct Tokens {
    /// Shown with every request, good for minutes.
    pub access: Secret<String>,
    /// Brings the next pair.
    pub refresh: Secret<String>,
}

/// What a browser presented.
#[derive(Clone, Copy, Debug, Default)]
pub struct Presented<'a> {
    /// An access token, or what is in its place.
    pub access: Option<&'a Secret<String>>,
    /// A refresh token, or what is in its place.
    pub refresh: Option<&'a Secret<String>>,
}

impl<'a> From<&'a Tokens> for Presented<'a> {
    fn from(tokens: &'a Tokens) -> Self {
        Self { access: Some(&tokens.access), refresh: Some(&tokens.refresh) }
    }
}

/// Somebody a request was recognised to come from.
#[derive(Debug)]
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
    /// What the browser is to present from now on, when that changed.
    pub renewed: Option<Tokens>,
}

/// Who makes a request: its person, or the page by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Attention {
    Person,
    Page,
}

/// How a session was shown to be held.
enum Held {
    /// By an access token of this generation that is not over.
    Access(i64),
    /// By a refresh token.
    Refresh(Refresh),
}

impl Identity {
    /// Who presented tokens belong to. `None` when they are unknown, over, of two sessions, or of one that
    /// ended or was idle too long, or when the account may not sign in.
    ///
    /// # Errors
    /// [`Error::Store`] when the store cannot answer.
    pub async fn recognise_session(
        &self,
        ctx: &Ctx,
        presented: impl Into<Presented<'_>>,
    ) -> Result<Option<Recognised>, Error> {
        self.recognise(ctx, presented.into(), Attention::Person).await
    }

    /// The same for what a page asks by itself: it is no sign that its person is there.
    ///
    /// # Errors
    /// As [`Identity::recognise_session`].
    pub async fn recognise_page(
        &self,
        ctx: &Ctx,
        presented: impl Into<Presented<'_>>,
    ) -> Result<Option<Recognised>, Error> {
        self.recognise(ctx, presented.into(), Attention::Page).await
    }

    async fn recognise(
        &self,
        ctx: &Ctx,
        presented: Presented<'_>,
        attention: Attention,
    ) -> Result<Option<Recognised>, Error> {
        let ctx = &permits::authenticating(ctx);
        let access = match presented.access {
            Some(token) => self.read_access_token(ctx, token.expose()).await?,
            None => None,
        };
        let refresh = presented.refresh.and_then(|token| Refresh::read(self.store(), token.expose()));
        let living = access.filter(|access| !access.is_over);
        let id = match (access, living, refresh) {
            // The cookies of two sessions in one browser are no session.
            (Some(access), _, Some(refresh)) if access.session != refresh.session => return Ok(None),
            (_, Some(access), _) => access.session,
            (_, None, Some(refresh)) => refresh.session,
            _ => {
                enforced!(SES04);
                return Ok(None);
            }
        };
        let permit = permits::authenticate(ctx)?;
        let found = sessions::find(self.store(), &permit, id).await?;
        let now = ctx.now();
        let Some(known) = found.filter(|known| self.lives(&known.session, now)) else {
            enforced!(SES04);
            return Ok(None);
        };
        if access.is_some_and(|access| access.user != known.session.user) {
            return Ok(None);
        }
        let held = match (living, refresh) {
            (Some(access), _) if access.generation >= known.session.stepped => {
                Held::Access(access.generation)
            }
            (_, Some(refresh)) => Held::Refresh(refresh),
            // Its person confirmed since who they are; whoever holds this alone gains nothing by that.
            _ => {
                enforced!(AUT08);
                return Ok(None);
            }
        };
        let (generation, renewed) = match held {
            Held::Access(generation) if generation > known.session.generation => return Ok(None),
            Held::Access(generation) => (generation, None),
            Held::Refresh(refresh) => match self.refresh(ctx, &known.session, refresh).await? {
                Some(tokens) => (refresh.generation, Some(tokens)),
                None => return Ok(None),
            },
        };
        let noted = self.note(ctx, &known.session, generation, attention).await?;
        let standing = self.standing_of(ctx, known.session.user, known.roles).await?;
        Ok(Some(self.recognised(known, standing, renewed, noted.then_some(now))))
    }

    fn recognised(
        &self,
        known: Known,
        standing: Standing,
        renewed: Option<Tokens>,
        noted: Option<Timestamp>,
    ) -> Recognised {
        let Known { session, name, settings, .. } = known;
        let standing = Standing { shown: self.shown(&session), ..standing };
        let idle_ends = noted.unwrap_or(session.last_seen).plus_seconds(self.idle_s());
        Recognised {
            actor: Actor::Person { user: session.user, session: session.id, standing },
            name,
            settings,
            expires: session.expires,
            idle_ends: idle_ends.min(session.expires),
            renewed,
        }
    }

    /// The pair that follows a refresh token; `None` when it is worth nothing.
    async fn refresh(&self, ctx: &Ctx, session: &Session, shown: Refresh) -> Result<Option<Tokens>, Error> {
        let grace_s = i64::from(self.numbers().refresh_grace_seconds);
        let permit = authorize(ctx, Action::WriteAccount, Resource::Of(session.user))?;
        match shown.worth(session, self.network_of(ctx), ctx.now(), grace_s) {
            Worth::Current => self.follow(ctx, &permit, session, shown).await.map(Some),
            Worth::Predecessor => self.pair_again(ctx, session, session.generation).await.map(Some),
            Worth::Late => {
                let mut tx = self.store().begin(ctx).await?;
                let given = sessions::give_again(&mut tx, &permit, session.id, session.generation, ctx.now());
                if given.await? {
                    touches::keep(tx).await?;
                } // Else another tab was given it in this very moment.
                self.pair_again(ctx, session, session.generation).await.map(Some)
            }
            Worth::Reused => {
                enforced!(SES05);
                self.end_reused(ctx, &permit, session).await?;
                Ok(None)
            }
            Worth::Unknown => Ok(None),
        }
    }

    /// Puts the next generation in force. Of two requests at once one does; both get the same refresh token.
    async fn follow(
        &self,
        ctx: &Ctx,
        permit: &Permit,
        session: &Session,
        shown: Refresh,
    ) -> Result<Tokens, Error> {
        let generation = shown.generation + 1;
        let mut tx = self.store().begin(ctx).await?;
        let network = self.network_of(ctx);
        if !sessions::rotate(&mut tx, permit, session.id, shown.generation, network, ctx.now()).await? {
            drop(tx);
            return self.pair_again(ctx, session, generation).await;
        }
        let access = self.access_token(ctx, &mut tx, session.user, session.id, generation).await?;
        touches::keep(tx).await?;
        Ok(Tokens { access, refresh: Refresh { generation, ..shown }.token(self.store()) })
    }

    async fn pair_again(&self, ctx: &Ctx, session: &Session, generation: i64) -> Result<Tokens, Error> {
        let access = self.access_token_again(ctx, session.user, session.id, generation).await?;
        let refresh = Refresh { session: session.id, generation }.token(self.store());
        Ok(Tokens { access, refresh })
    }

    /// Ends a session whose refresh token two hold, and tells its person.
    async fn end_reused(&self, ctx: &Ctx, permit: &Permit, session: &Session) -> Result<(), Error> {
        let reads = authorize(ctx, Action::ReadAccount, Resource::Of(session.user))?;
        let listed = sessions::list(self.store(), &reads).await?;
        let device = listed.into_iter().find(|one| one.session.id == session.id).map(|one| one.device);
        let mut tx = self.store().begin(ctx).await?;
        if !sessions::end(&mut tx, permit, session.id).await? {
            return Ok(());
        }
        let notice = Notice::TokenReused { device: device.unwrap_or_default() };
        notices::add(&mut tx, permit, &notice, ctx.now()).await?;
        tx.commit(Entry::new(Act::TokenReused, session.id)).await?;
        tracing::warn!(
            "a refresh token was shown again after its successor was in use; its session is ended"
        );
        Ok(())
    }

    /// Notes that a session is in use, where that is due: that its person is there, once a minute, and which
    /// generation its browser holds, at once, also when only the page asks. Whether its person's presence was
    /// noted. A note that fails changes no answer: at worst the session ends early.
    async fn note(
        &self,
        ctx: &Ctx,
        session: &Session,
        generation: i64,
        attention: Attention,
    ) -> Result<bool, Error> {
        let (now, every_s) = (ctx.now(), NOTED_EVERY_S.min(self.idle_s() / 4));
        let person = attention == Attention::Person
            && now.seconds_since(session.last_seen) >= every_s
            && self.touches().due(session.id.0, now, every_s);
        if !person && session.used >= generation {
            return Ok(false);
        }
        let permit = authorize(ctx, Action::WriteAccount, Resource::Of(session.user))?;
        let noted = async {
            let mut tx = self.store().begin(ctx).await?;
            if person {
                let seen = Seen { now, address: ctx.address, generation };
                sessions::touch(&mut tx, &permit, session.id, seen).await?;
            } else {
                sessions::note_used(&mut tx, &permit, session.id, generation).await?;
            }
            touches::keep(tx).await
        };
        let noted: Result<(), store::Error> = noted.await;
        if let Err(error) = &noted {
            tracing::warn!(%error, "a session could not be noted as seen");
        }
        Ok(person && noted.is_ok())
    }
}
