//! Access tokens: short-lived, signed with Ed25519 by a key of our own ring (RFC 7519, RFC 8037).
//!
//! Made when a session is opened or refreshed, read at every request of a browser. The invariants: one
//! algorithm, one `typ`, one audience, this instance as issuer, a key the ring holds, and no second of
//! leeway; a token says which session it is of and nothing else, so the session's row has the last word.

mod trial;

use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use domain::{
    Ctx, Secret, Timestamp, enforced,
    id::{SessionId, UserId},
};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use store::{Store, Tx, token_keys};
use zeroize::Zeroizing;

use crate::{Error, Identity, permits, touches};

/// What our tokens say they are, so that no token made for something else is one.
const KIND: &str = "troth-access+jwt";
/// Whom they are for.
const AUDIENCE: &str = "troth-pages";
/// Longest text that is looked at as a token.
const MOST_BYTES: usize = 2048;
/// Seconds between two looks into the store for a key the ring does not know.
const LOOK_AGAIN_S: i64 = 1;
/// Seconds for which the ring is believed as it was read: another replica may have retired a key.
const BELIEVED_S: i64 = 60;
const DAY_S: i64 = 24 * 3600;

/// What a token says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    iss: String,
    aud: String,
    sub: UserId,
    sid: SessionId,
    #[serde(rename = "gen")]
    generation: i64,
    iat: i64,
    exp: i64,
    jti: String,
}

/// A token of ours, perhaps over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Access {
    /// Whose it is.
    pub(crate) user: UserId,
    /// Which session it is of.
    pub(crate) session: SessionId,
    /// The generation of the refresh token it came with.
    pub(crate) generation: i64,
    /// Whether its time is over.
    pub(crate) is_over: bool,
}

/// A key of the ring.
struct Key {
    id: String,
    made: Timestamp,
    signs: EncodingKey,
    verifies: DecodingKey,
}

impl Key {
    fn of(id: String, seed: &[u8], made: Timestamp) -> Result<Self, Error> {
        const BROKEN: Error = Error::Broken("a key that signs access tokens cannot be read");
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| BROKEN)?;
        let signs = EncodingKey::from_ed_der(pair.to_pkcs8v1().map_err(|_| BROKEN)?.as_ref());
        let verifies = DecodingKey::from_ed_der(pair.public_key().as_ref());
        Ok(Self { id, made, signs, verifies })
    }
}

/// The keys, newest first, as they were last read from the store.
#[derive(Default)]
pub(crate) struct Ring(Mutex<Option<Read>>);

#[derive(Clone)]
struct Read {
    keys: Arc<[Arc<Key>]>,
    at: Timestamp,
}

impl Ring {
    fn read(&self) -> Option<Read> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, read: Option<Read>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = read;
    }
}

impl Identity {
    /// A token for a session of `user`. A key that is too old is replaced within `tx`.
    pub(crate) async fn access_token(
        &self,
        ctx: &Ctx,
        tx: &mut Tx,
        user: UserId,
        session: SessionId,
        generation: i64,
    ) -> Result<Secret<String>, Error> {
        let now = ctx.now();
        let newest = self.keys(ctx).await?.keys.first().cloned();
        let key = match newest.filter(|key| self.signs(key, now)) {
            Some(key) => key,
            None => self.new_key(ctx, tx).await?,
        };
        self.signed(ctx, &key, user, session, generation)
    }

    /// A token like [`Identity::access_token`], where nothing else is to be written.
    pub(crate) async fn access_token_again(
        &self,
        ctx: &Ctx,
        user: UserId,
        session: SessionId,
        generation: i64,
    ) -> Result<Secret<String>, Error> {
        let newest = self.keys(ctx).await?.keys.first().cloned();
        if let Some(key) = newest.filter(|key| self.signs(key, ctx.now())) {
            return self.signed(ctx, &key, user, session, generation);
        }
        let mut tx = self.store().begin(ctx).await?;
        let token = self.access_token(ctx, &mut tx, user, session, generation).await?;
        touches::keep(tx).await?;
        Ok(token)
    }

    /// What a presented token says; `None` when it is not one of ours.
    ///
    /// # Errors
    /// [`Error::Store`] when the keys cannot be read.
    pub(crate) async fn read_access_token(&self, ctx: &Ctx, token: &str) -> Result<Option<Access>, Error> {
        if token.len() > MOST_BYTES {
            return Ok(None);
        }
        let Ok(header) = jsonwebtoken::decode_header(token) else { return Ok(None) };
        let ours = header.alg == Algorithm::EdDSA && header.typ.as_deref() == Some(KIND);
        let Some(id) = header.kid.filter(|_| ours) else { return Ok(None) };
        let Some(key) = self.key_named(ctx, &id).await? else { return Ok(None) };
        // A day after it may sign no more nothing of it lives, whatever a replica still holds.
        if ctx.now().seconds_since(key.made) >= (self.key_days() + 1) * DAY_S {
            enforced!(SES08);
            return Ok(None);
        }
        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.leeway = 0;
        // Our own clock decides about the time, below.
        (rules.validate_exp, rules.validate_nbf) = (false, false);
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        rules.set_audience(&[AUDIENCE]);
        rules.set_issuer(&[issuer(self.store())]);
        let Ok(read) = jsonwebtoken::decode::<Claims>(token, &key.verifies, &rules) else {
            enforced!(SES04);
            return Ok(None);
        };
        let Claims { sub: user, sid: session, generation, exp, .. } = read.claims;
        Ok(Some(Access { user, session, generation, is_over: ctx.now().seconds() >= exp }))
    }

    /// Removes the keys no token that lives can be signed with.
    ///
    /// # Errors
    /// [`Error::Store`] when the store cannot answer.
    pub async fn retire_keys(&self, ctx: &Ctx) -> Result<(), Error> {
        let authenticating = permits::authenticating(ctx);
        let read = self.keys(&authenticating).await?;
        let before = ctx.now().plus_seconds(-(self.key_days() + 1) * DAY_S);
        // The newest stays, however old: the next session replaces it.
        let newest = read.keys.first().map_or(before, |key| key.made);
        if read.keys.iter().all(|key| key.made >= before.min(newest)) {
            return Ok(());
        }
        let mut tx = self.store().begin(&authenticating).await?;
        let permit = permits::authenticate(&authenticating)?;
        let gone = token_keys::remove_before(&mut tx, &permit, before.min(newest)).await?;
        let count = usize::try_from(gone).unwrap_or(usize::MAX);
        tx.commit(domain::audit::Entry::new(domain::audit::Act::KeysRotated, "token").times(count)).await?;
        self.ring().set(None);
        Ok(())
    }

    fn signed(
        &self,
        ctx: &Ctx,
        key: &Key,
        user: UserId,
        session: SessionId,
        generation: i64,
    ) -> Result<Secret<String>, Error> {
        let iat = ctx.now().seconds();
        let claims = Claims {
            iss: issuer(self.store()),
            aud: AUDIENCE.to_owned(),
            sub: user,
            sid: session,
            generation,
            iat,
            exp: iat + i64::from(self.numbers().access_token_minutes) * 60,
            jti: BASE64_URL_SAFE_NO_PAD.encode(ctx.random::<16>()),
        };
        let mut header = Header::new(Algorithm::EdDSA);
        (header.typ, header.kid) = (Some(KIND.to_owned()), Some(key.id.clone()));
        let token = jsonwebtoken::encode(&header, &claims, &key.signs);
        token.map(Secret::new).map_err(|_| Error::Broken("an access token could not be signed"))
    }

    async fn new_key(&self, ctx: &Ctx, tx: &mut Tx) -> Result<Arc<Key>, Error> {
        let (id, seed) = (hex::encode(ctx.random::<8>()), Zeroizing::new(ctx.random::<32>()));
        enforced!(SES08);
        let key = Key::of(id, &*seed, ctx.now())?;
        let permit = permits::authenticate(&permits::authenticating(ctx))?;
        token_keys::add(tx, &permit, &key.id, &*seed, key.made).await?;
        // Not in the ring before it is in the store.
        self.ring().set(None);
        Ok(Arc::new(key))
    }

    async fn key_named(&self, ctx: &Ctx, id: &str) -> Result<Option<Arc<Key>>, Error> {
        let named = |read: &Read| read.keys.iter().find(|key| key.id == id).cloned();
        let read = self.keys(ctx).await?;
        let found = named(&read);
        if found.is_some() || (0..LOOK_AGAIN_S).contains(&ctx.now().seconds_since(read.at)) {
            return Ok(found);
        }
        // Another replica may have made it.
        self.ring().set(None);
        Ok(named(&self.keys(ctx).await?))
    }

    async fn keys(&self, ctx: &Ctx) -> Result<Read, Error> {
        let at = ctx.now();
        if let Some(read) = self.ring().read()
            && (0..BELIEVED_S).contains(&at.seconds_since(read.at))
        {
            return Ok(read);
        }
        let permit = permits::authenticate(&permits::authenticating(ctx))?;
        let kept = token_keys::list(self.store(), &permit).await?;
        let keys = kept.into_iter().map(|key| Key::of(key.id, &key.seed, key.created).map(Arc::new));
        let read = Read { keys: keys.collect::<Result<_, _>>()?, at };
        self.ring().set(Some(read.clone()));
        Ok(read)
    }

    /// Whether a key is young enough to sign with.
    fn signs(&self, key: &Key, now: Timestamp) -> bool {
        now.seconds_since(key.made) < self.key_days() * DAY_S
    }

    fn key_days(&self) -> i64 {
        i64::from(self.numbers().signing_key_days)
    }
}

/// This instance, as its tokens name it: a keyed hash, so that no other instance has the same name.
fn issuer(store: &Store) -> String {
    format!("troth:{}", hex::encode(&store.mac("issuer of tokens", b"")[..16]))
}
