//! Personal API keys: `troth_`, 43 characters of base62 from 256 random bits, and a checksum.
//!
//! Made, replaced and revoked by their person, recognised for programs under `/v1`. The prefix lets secret
//! scanners find a leaked key; the checksum (CRC-32, as IEEE 802.3) lets them be sure, and lets us turn away
//! nonsense without asking the store. The invariants: the key itself is shown once and never kept, the store
//! holds its SHA-256; every key ends, and none may do more than its scopes and its person.

use std::net::IpAddr;

use domain::{
    Action, Actor, Ctx, Resource, Secret, Timestamp,
    access::{Permit, Rights, Role},
    audit::{Act, Entry},
    authorize, enforced,
    id::ApiKeyId,
};
use store::{
    Tx,
    api_keys::{self, ApiKey, Presented},
};
use zeroize::{Zeroize, Zeroizing};

use crate::{Error, Identity, permits, tokens, touches};

/// What every key begins with.
pub const PREFIX: &str = "troth_";
/// Days a key is good for when nothing else is chosen and the policy allows as many.
const USUAL_DAYS: u32 = 90;
/// Days before its end at which a key is shown as ending.
const ENDING_DAYS: i64 = 14;
/// Days for which a key that ended stays in its person's list.
const ENDED_DAYS: i64 = 30;
/// Keys one account may have, those that ended lately included while there is room.
const MOST_KEYS: u32 = 50;
const MOST_LABEL_CHARS: usize = 60;
const DAY_S: i64 = 24 * 3600;
/// Seconds between two notes about the same key.
const NOTED_EVERY_S: i64 = 60;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 62^43 is more than 2^256, 62^6 more than 2^32.
const RANDOM_CHARS: usize = 43;
const CHECK_CHARS: usize = 6;
/// Characters of a key that lists show: the prefix and four more, which leave 232 bits unsaid.
const SHOWN_CHARS: usize = PREFIX.len() + 4;
/// What a key does when nobody says more.
const EVERY_SCOPE: Rights = Role::User.rights();
/// What a key may be allowed to do: holding calls for the voice desk only when somebody asks for just that.
const ANY_SCOPE: Rights = EVERY_SCOPE.with(Action::HoldDesk);

/// What somebody wants of a key.
#[derive(Clone, Debug)]
pub struct KeyWish {
    /// What they call it.
    pub label: String,
    /// What it may do.
    pub scopes: Rights,
    /// Days it is good for; `None`: the usual number.
    pub days: Option<u32>,
}

impl From<&str> for KeyWish {
    /// A key for everything a key may do, for the usual time.
    fn from(label: &str) -> Self {
        Self { label: label.to_owned(), scopes: EVERY_SCOPE, days: None }
    }
}

impl From<&String> for KeyWish {
    fn from(label: &String) -> Self {
        Self::from(label.as_str())
    }
}

/// A key that was just made.
#[derive(Debug)]
pub struct NewApiKey {
    /// Its identifier.
    pub id: ApiKeyId,
    /// The key itself. This is the only time it is seen.
    pub token: Secret<String>,
    /// What its person calls it.
    pub label: String,
    /// When it ends.
    pub expires: Timestamp,
}

/// What a key is made of.
struct Making {
    label: String,
    scopes: Rights,
    days: u32,
}

/// How a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// It works.
    Good,
    /// It works until its successor is everywhere.
    Replaced,
    /// It works, and ends soon.
    Ending,
    /// It works, and nobody used it for long: it had better go.
    Unused,
    /// It has ended.
    Ended,
}

/// A key as its person sees it in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeyInfo {
    /// Its identifier.
    pub id: ApiKeyId,
    /// What its person calls it.
    pub label: String,
    /// Its first characters, to tell keys apart.
    pub prefix: String,
    /// What it may do.
    pub scopes: Rights,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// When it was last used, to the minute.
    pub last_used: Option<Timestamp>,
    /// From where, when that is known.
    pub used_from: Option<IpAddr>,
    /// How it stands.
    pub state: KeyState,
}

impl Identity {
    /// Makes a key for the person who asks.
    ///
    /// # Errors
    /// [`Error::Label`], [`Error::Scopes`], [`Error::Days`], [`Error::TooMany`]; [`Error::Denied`] unless a
    /// person asks who confirmed it lately.
    pub async fn create_api_key(&self, ctx: &Ctx, wish: impl Into<KeyWish>) -> Result<NewApiKey, Error> {
        let KeyWish { label, scopes, days } = wish.into();
        let label = label.trim().to_owned();
        if label.is_empty() || label.chars().count() > MOST_LABEL_CHARS || label.chars().any(char::is_control)
        {
            return Err(Error::Label);
        }
        if scopes.is_empty() || !scopes.minus(ANY_SCOPE).is_empty() {
            enforced!(KEY02);
            return Err(Error::Scopes);
        }
        if scopes.has(Action::HoldDesk) {
            // Nobody puts a right by for the day on which they are given it.
            authorize(ctx, Action::HoldDesk, Resource::Instance)?;
        }
        let days = self.key_life(days)?;
        let permit = permits::own(ctx, Action::ManageCredentials)?;
        let mut tx = self.store().begin(ctx).await?;
        let key = self
            .make_key(&mut tx, ctx, &permit, ApiKeyId::fresh(ctx), Making { label, scopes, days })
            .await?;
        tx.commit(Entry::new(Act::ApiKeyCreated, key.id)).await?;
        Ok(key)
    }

    /// Makes the successor of a key of the person who asks: the same label, scopes and length of life. The
    /// old one goes on for `overlap_hours`, so that programs can be changed over one by one.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is not among theirs, has ended, or has a successor; [`Error::Overlap`],
    /// [`Error::TooMany`] when there is no room beside the old one; [`Error::Denied`] unless a person asks who confirmed it lately.
    pub async fn rotate_api_key(
        &self,
        ctx: &Ctx,
        id: ApiKeyId,
        overlap_hours: u32,
    ) -> Result<NewApiKey, Error> {
        let most_days = self.numbers().api_key_overlap_days;
        if i64::from(overlap_hours) * 3600 > i64::from(most_days) * DAY_S {
            enforced!(KEY02);
            return Err(Error::Overlap { most_days });
        }
        let permit = permits::own(ctx, Action::ManageCredentials)?;
        let reads = permits::own(ctx, Action::ReadAccount)?;
        let held = api_keys::list(self.store(), &reads).await?;
        let now = ctx.now();
        let old = held.into_iter().find(|key| key.id == id && now < self.key_end(key.created, key.expires));
        let ApiKey { label, scopes, created, expires, .. } = old.ok_or(Error::NotFound)?;
        let life = expires.seconds_since(created).div_euclid(DAY_S).max(1);
        let days = u32::try_from(life).unwrap_or(USUAL_DAYS).min(self.numbers().api_key_max_days);
        let mut tx = self.store().begin(ctx).await?;
        let successor = ApiKeyId::fresh(ctx);
        let end = now.plus_seconds(i64::from(overlap_hours) * 3600);
        if !api_keys::replace(&mut tx, &permit, id, successor, end).await? {
            return Err(Error::NotFound);
        }
        let key = self.make_key(&mut tx, ctx, &permit, successor, Making { label, scopes, days }).await?;
        tx.commit(Entry::new(Act::ApiKeyRotated, id)).await?;
        Ok(key)
    }

    /// The keys of the person who asks, newest first.
    ///
    /// # Errors
    /// [`Error::Denied`] unless a signed-in person asks.
    pub async fn api_keys(&self, ctx: &Ctx) -> Result<Vec<ApiKeyInfo>, Error> {
        let permit = permits::own(ctx, Action::ReadAccount)?;
        let now = ctx.now();
        let mut keys: Vec<_> = api_keys::list(self.store(), &permit)
            .await?
            .into_iter()
            .map(|key| ApiKeyInfo {
                state: self.key_state(&key, now),
                expires: self.key_end(key.created, key.expires),
                id: key.id,
                label: key.label,
                prefix: key.prefix,
                scopes: key.scopes,
                created: key.created,
                last_used: key.last_used,
                used_from: key.used_from,
            })
            .collect();
        keys.sort_by_key(|key| std::cmp::Reverse((key.created, key.id)));
        Ok(keys)
    }

    /// Revokes a key of the person who asks; the next request with it is refused.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is not among theirs.
    pub async fn revoke_api_key(&self, ctx: &Ctx, id: ApiKeyId) -> Result<(), Error> {
        let permit = permits::own(ctx, Action::WriteAccount)?;
        let mut tx = self.store().begin(ctx).await?;
        if !api_keys::revoke(&mut tx, &permit, id).await? {
            return Err(Error::NotFound);
        }
        tx.commit(Entry::new(Act::ApiKeyRevoked, id)).await?;
        Ok(())
    }

    /// Who a presented key acts for. `None` when it is not a key, was revoked, has ended, or its account may
    /// not sign in.
    ///
    /// # Errors
    /// [`Error::Store`] when the store cannot answer.
    pub async fn recognise_api_key(&self, ctx: &Ctx, token: &str) -> Result<Option<Actor>, Error> {
        if !is_well_formed(token) {
            return Ok(None);
        }
        let ctx = permits::authenticating(ctx);
        let found =
            api_keys::by_hash(self.store(), &permits::authenticate(&ctx)?, tokens::hash(token)).await?;
        let Some(key) = found else { return Ok(None) };
        let Some(actor) = self.acting_for_key(&ctx, key).await? else { return Ok(None) };
        if self.touches().due(key.id.0, ctx.now(), NOTED_EVERY_S) {
            let permit = authorize(&ctx, Action::WriteAccount, Resource::Of(key.user))?;
            if let Err(error) = self.touch_key(&ctx, &permit, key.id).await {
                tracing::warn!(%error, "the last use of an API key could not be noted");
            }
        }
        Ok(Some(actor))
    }

    /// Who a key acts for, now; `None` when it has ended. `ctx` is that of authentication.
    pub(crate) async fn acting_for_key(&self, ctx: &Ctx, key: Presented) -> Result<Option<Actor>, Error> {
        if ctx.now() >= self.key_end(key.created, key.expires) {
            enforced!(KEY02);
            return Ok(None);
        }
        // Never more than its person may do now, with roles of the organisation's own and ends of grants.
        let person = self.standing_of(ctx, key.user, key.roles).await?.rights();
        let beyond = ANY_SCOPE.minus(person);
        if !beyond.is_empty() {
            enforced!(KEY02);
        }
        let scopes = key.scopes.minus(beyond);
        Ok(Some(Actor::ApiKey { user: key.user, key: key.id, scopes }))
    }

    /// Days a key is good for when nothing else is chosen.
    #[must_use]
    pub fn usual_key_days(&self) -> u32 {
        USUAL_DAYS.min(self.numbers().api_key_max_days)
    }

    fn key_life(&self, wished: Option<u32>) -> Result<u32, Error> {
        let most = self.numbers().api_key_max_days;
        match wished.unwrap_or_else(|| self.usual_key_days()) {
            days if (1..=most).contains(&days) => Ok(days),
            _ => Err(Error::Days { most }),
        }
    }

    /// When a key ends: as it was said when it was made, or sooner where the policy says so now.
    pub(crate) fn key_end(&self, created: Timestamp, expires: Timestamp) -> Timestamp {
        expires.min(created.plus_seconds(i64::from(self.numbers().api_key_max_days) * DAY_S))
    }

    fn key_state(&self, key: &ApiKey, now: Timestamp) -> KeyState {
        let end = self.key_end(key.created, key.expires);
        let idle_s = now.seconds_since(key.last_used.unwrap_or(key.created));
        if now >= end {
            KeyState::Ended
        } else if key.successor.is_some() {
            KeyState::Replaced
        } else if idle_s >= i64::from(self.numbers().api_key_unused_days) * DAY_S {
            KeyState::Unused
        } else if end.seconds_since(now) < ENDING_DAYS * DAY_S {
            KeyState::Ending
        } else {
            KeyState::Good
        }
    }

    /// Makes a key within `tx`. Keys that have ended make room.
    async fn make_key(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        permit: &Permit,
        id: ApiKeyId,
        making: Making,
    ) -> Result<NewApiKey, Error> {
        let Making { label, scopes, days } = making;
        let now = ctx.now();
        if api_keys::count(tx, permit).await? >= u64::from(MOST_KEYS) {
            api_keys::remove_ended(tx, permit, now, self.oldest_key(now)).await?;
            if api_keys::count(tx, permit).await? >= u64::from(MOST_KEYS) {
                return Err(Error::TooMany { what: "API keys", most: MOST_KEYS });
            }
        }
        let token = fresh(ctx);
        enforced!(KEY01);
        let hash = tokens::hash(&token);
        let expires = now.plus_seconds(i64::from(days) * DAY_S);
        let row =
            api_keys::Making { id, hash, prefix: &token[..SHOWN_CHARS], label: &label, scopes, now, expires };
        api_keys::create(tx, permit, row).await?;
        Ok(NewApiKey { id, token: Secret::new(token.to_string()), label, expires })
    }

    /// Removes everybody's keys that ended some time ago; their people have seen that.
    pub(crate) async fn sweep_keys(
        &self,
        tx: &mut Tx,
        permit: &Permit,
        now: Timestamp,
    ) -> Result<u64, Error> {
        let seen = now.plus_seconds(-ENDED_DAYS * DAY_S);
        Ok(api_keys::sweep(tx, permit, seen, self.oldest_key(seen)).await?)
    }

    /// Keys made until then have ended at `now`, whatever was said when they were made.
    fn oldest_key(&self, now: Timestamp) -> Timestamp {
        now.plus_seconds(-i64::from(self.numbers().api_key_max_days) * DAY_S)
    }

    async fn touch_key(&self, ctx: &Ctx, permit: &Permit, key: ApiKeyId) -> Result<(), store::Error> {
        let mut tx = self.store().begin(ctx).await?;
        api_keys::touch(&mut tx, permit, key, ctx.address, ctx.now()).await?;
        touches::keep(tx).await
    }
}

/// A fresh key.
fn fresh(ctx: &Ctx) -> Zeroizing<String> {
    let mut token = Zeroizing::new(String::with_capacity(PREFIX.len() + RANDOM_CHARS + CHECK_CHARS));
    token.push_str(PREFIX);
    token.push_str(&base62(&mut ctx.random::<32>(), RANDOM_CHARS));
    let check = check_of(&token);
    token.push_str(&check);
    token
}

/// Whether this has the form of a key and its checksum is right.
fn is_well_formed(token: &str) -> bool {
    let Some(rest) = token.strip_prefix(PREFIX) else { return false };
    rest.len() == RANDOM_CHARS + CHECK_CHARS
        && rest.bytes().all(|b| b.is_ascii_alphanumeric())
        && token.ends_with(check_of(&token[..PREFIX.len() + RANDOM_CHARS]).as_str())
}

fn check_of(text: &str) -> Zeroizing<String> {
    base62(&mut crc32fast::hash(text.as_bytes()).to_be_bytes(), CHECK_CHARS)
}

/// `number`, big-endian, in base 62 with leading zeros. Wipes `number`.
fn base62(number: &mut [u8], chars: usize) -> Zeroizing<String> {
    let mut digits = Zeroizing::new(vec![b'0'; chars]);
    for digit in digits.iter_mut().rev() {
        let mut rest = 0_u32;
        for byte in number.iter_mut() {
            let value = rest << 8 | u32::from(*byte);
            // Below 62 × 256 by construction, so the quotient is a byte.
            *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
            rest = value % 62;
        }
        *digit = ALPHABET[rest as usize];
    }
    number.zeroize();
    Zeroizing::new(digits.iter().map(|d| char::from(*d)).collect())
}

#[cfg(test)]
mod tests {
    use domain::{Clock, Entropy, Timestamp};

    use super::*;

    fn ctx(fill: u8) -> Ctx {
        Ctx::new(Actor::Anonymous, Clock::new(|| Timestamp(0)), Entropy::new(move |buffer| buffer.fill(fill)))
    }

    #[test]
    fn numbers_are_written_in_base_62() {
        assert_eq!(*base62(&mut [0], 2), "00");
        assert_eq!(*base62(&mut [61], 2), "0z");
        assert_eq!(*base62(&mut [62], 2), "10");
        assert_eq!(*base62(&mut [0xFF; 4], CHECK_CHARS), "4gfFC3");
        // The greatest number of 256 bits still fits.
        assert_eq!(*base62(&mut [0xFF; 32], RANDOM_CHARS), "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1");
    }

    #[test]
    fn a_key_has_its_prefix_length_and_checksum() {
        for fill in [0, 1, 0x7F, 0xFF] {
            let key = fresh(&ctx(fill));
            assert_eq!(key.len(), 6 + 43 + 6);
            assert!(is_well_formed(&key), "{}", *key);
        }
    }

    #[test]
    fn one_wrong_character_anywhere_is_noticed() {
        let key = fresh(&ctx(0x5A)).to_string();
        for at in 0..key.len() {
            let mut other = key.clone().into_bytes();
            other[at] = if other[at] == b'x' { b'y' } else { b'x' };
            assert!(!is_well_formed(std::str::from_utf8(&other).unwrap()), "{at}");
        }
        for not in ["", "troth_", &format!("{key}0"), &key[..key.len() - 1], &key.to_uppercase(), "sk-abc"] {
            assert!(!is_well_formed(not), "{not}");
        }
    }
}
