//! Asks the running program to judge access tokens: an honest one, and others that each lie in one thing.
//!
//! Called by the check of the policy. What it makes names a session that never was, so that not even the
//! honest one opens anything; it leaves nothing behind.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use domain::{
    Clock, Ctx,
    id::{SessionId, UserId},
};
use serde_json::{Value, json};

use super::{Access, Key};
use crate::{Error, Identity, Presented};

/// A way to lie.
type Lie = fn(&mut Value, &mut Value);

/// Lies told with the real key and the signature of the honest token.
const LIES: [(Lie, &str); 6] = [
    (|header, _| header["alg"] = "none".into(), "An unsigned token would be read."),
    (|header, _| header["alg"] = "HS256".into(), "A token signed with a shared secret would be read."),
    (|header, _| header["typ"] = "JWT".into(), "A token made for something else would be read."),
    (|header, _| header["kid"] = "0000000000000000".into(), "A token of an unknown key would be read."),
    (
        |_, claims| claims["sub"] = json!(UserId(uuid::Uuid::nil())),
        "A token for somebody else would be read.",
    ),
    (|_, claims| claims["exp"] = i64::MAX.into(), "A token that says it lasts longer would be read."),
];

impl Identity {
    /// How many lying tokens were refused, and that an honest one of a session that never was opens nothing.
    /// `None`: no session has begun yet, so there is no key to lie about.
    ///
    /// # Errors
    /// What was judged wrongly, in words.
    pub async fn try_access_tokens(&self, ctx: &Ctx) -> Result<Option<usize>, &'static str> {
        let broken = |_: Error| "the trial itself could not be held";
        let keys = self.keys(ctx).await.map_err(broken)?.keys;
        let Some(key) = keys.iter().find(|key| self.signs(key, ctx.now())) else { return Ok(None) };
        let (user, session) = (UserId::fresh(ctx), SessionId::fresh(ctx));
        let honest = self.signed(ctx, key, user, session, 0).map_err(broken)?;
        let read = async |token: &str| self.read_access_token(ctx, token).await.map_err(broken);
        let expected = Access { user, session, generation: 0, is_over: false };
        if read(honest.expose()).await? != Some(expected) {
            return Err("An honest token would be refused.");
        }
        for (lie, told) in LIES {
            if read(&told_otherwise(honest.expose(), lie).ok_or("the trial itself could not be held")?)
                .await?
                .is_some()
            {
                return Err(told);
            }
        }
        let foreign = Key::of(key.id.clone(), &ctx.random::<32>(), ctx.now()).map_err(broken)?;
        let forged = self.signed(ctx, &foreign, user, session, 0).map_err(broken)?;
        if read(forged.expose()).await?.is_some() {
            return Err("A token signed with a foreign key would be read.");
        }
        let now = ctx.now();
        let life_s = i64::from(self.numbers().access_token_minutes) * 60;
        let then = Clock::new(move || now.plus_seconds(-life_s));
        let before = Ctx::new(ctx.actor.clone(), then, ctx.entropy().clone());
        let old = self.signed(&before, key, user, session, 0).map_err(broken)?;
        if read(old.expose()).await?.is_none_or(|access| !access.is_over) {
            return Err("A token that is over would count.");
        }
        let presented = Presented { access: Some(&honest), refresh: None };
        if self.recognise_page(ctx, presented).await.map_err(broken)?.is_some() {
            return Err("A token of a session that is over would open a page.");
        }
        Ok(Some(LIES.len() + 3))
    }
}

/// The token with one lie in it, and the signature it had.
fn told_otherwise(token: &str, lie: Lie) -> Option<String> {
    let mut parts = token.split('.');
    let mut read = || -> Option<Value> { serde_json::from_slice(&B64.decode(parts.next()?).ok()?).ok() };
    let (mut header, mut claims) = (read()?, read()?);
    lie(&mut header, &mut claims);
    let coded = |value: &Value| B64.encode(value.to_string());
    Some(format!("{}.{}.{}", coded(&header), coded(&claims), parts.next()?))
}
