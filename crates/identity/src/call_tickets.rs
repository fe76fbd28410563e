//! Tickets for voice calls: `ek_troth_` and 256 random bits. Each opens one call, soon, for the key it was
//! made with.
//!
//! An application's server makes one with its API key and hands it to a browser, which shows it at the handshake
//! and never again. The invariants: the store holds its SHA-256; of all who present it one gets in, and nobody
//! once it has ended or when its key has; shown from another origin than its own it has leaked, and is over.

use domain::{
    Action, Actor, Ctx, Secret, Timestamp,
    audit::{Act, Entry},
    enforced,
    id::CallTicketId,
};
use serde::{Deserialize, Serialize};
use store::{
    api_keys,
    call_tickets::{self, Making, Presented},
};
use zeroize::Zeroizing;

use crate::{Error, Identity, permits, tokens};

/// What every ticket begins with. Clients in browsers insist on the first three letters.
pub const TICKET_PREFIX: &str = "ek_troth_";
/// Tickets of one person that may be out at once.
const MOST_TICKETS: u32 = 200;
/// Largest terms of one ticket, in bytes.
const MOST_TERMS: usize = 64 << 10;

/// What a call with a ticket may be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CallTerms {
    /// The origin whose pages may use it; `None`: wherever the server lets a socket open.
    pub origin: Option<String>,
    /// Longest call, in seconds; `None`: as long as the policy lets one be.
    pub longest_s: Option<u32>,
    /// What the call begins with, as its wire says it.
    pub session: Option<serde_json::Value>,
}

/// A ticket that was just made.
#[derive(Debug)]
pub struct NewCallTicket {
    /// The ticket itself. This is the only time it is seen.
    pub token: Secret<String>,
    /// When it ends.
    pub expires: Timestamp,
}

impl Identity {
    /// Makes a ticket for the key that asks, good for `seconds`.
    ///
    /// # Errors
    /// [`Error::Life`], [`Error::Terms`], [`Error::TooMany`]; [`Error::Denied`] unless a key asks that may hear
    /// and speak.
    pub async fn give_call_ticket(
        &self,
        ctx: &Ctx,
        seconds: u32,
        terms: &CallTerms,
    ) -> Result<NewCallTicket, Error> {
        let most = self.numbers().call_ticket_seconds;
        if !(1..=most).contains(&seconds) {
            enforced!(VOI10);
            return Err(Error::Life { most });
        }
        let permit = permits::own(ctx, Action::Speech)?;
        let Actor::ApiKey { key, .. } = ctx.actor else { return Err(domain::Denied::FLAT.into()) };
        let terms = Zeroizing::new(serde_json::to_vec(terms).map_err(|_| Error::Terms)?);
        if terms.len() > MOST_TERMS {
            return Err(Error::Terms);
        }
        let (now, id) = (ctx.now(), CallTicketId::fresh(ctx));
        let expires = now.plus_seconds(i64::from(seconds));
        let (secret, _) = tokens::fresh(ctx);
        let token = format!("{TICKET_PREFIX}{}", secret.expose());
        let mut tx = self.store().begin(ctx).await?;
        if call_tickets::count(&mut tx, &permit, now).await? >= u64::from(MOST_TICKETS) {
            return Err(Error::TooMany { what: "tickets for calls", most: MOST_TICKETS });
        }
        enforced!(VOI10);
        let hash = tokens::hash(&token);
        call_tickets::create(&mut tx, &permit, Making { id, hash, key, terms: &terms, now, expires }).await?;
        tx.commit(Entry::new(Act::CallTicketGiven, id)).await?;
        Ok(NewCallTicket { token: Secret::new(token), expires })
    }

    /// Who a presented ticket acts for, and what the call may be. The ticket is used up by this. `None` when it
    /// is none, was used, has ended, was shown from another origin than its own, or its key opens nothing any
    /// more; nobody learns which.
    ///
    /// # Errors
    /// [`Error::Store`] when the store cannot answer.
    pub async fn use_call_ticket(
        &self,
        ctx: &Ctx,
        token: &str,
        origin: Option<&str>,
    ) -> Result<Option<(Actor, CallTerms)>, Error> {
        let shaped = token.strip_prefix(TICKET_PREFIX).and_then(tokens::hash_presented).is_some();
        if !shaped {
            return Ok(None);
        }
        let ctx = &permits::authenticating(ctx);
        let permit = permits::authenticate(ctx)?;
        let mut tx = self.store().begin(ctx).await?;
        let (id, key, terms) =
            match call_tickets::present(&mut tx, &permit, tokens::hash(token), ctx.now()).await? {
                Presented::Taken { id, key, terms, .. } => (id, key, terms),
                Presented::Over(id) => {
                    enforced!(VOI10);
                    tx.commit(Entry::new(Act::CallTicketRefused, id)).await?;
                    return Ok(None);
                }
                Presented::Unknown => return Ok(None),
            };
        // Terms of another version are none.
        let terms = serde_json::from_slice::<CallTerms>(&terms).ok();
        let terms = terms.filter(|terms| terms.origin.is_none() || terms.origin.as_deref() == origin);
        let held = api_keys::by_id(self.store(), &permit, key).await?;
        let actor = match held {
            Some(held) => self.acting_for_key(ctx, held).await?,
            None => None,
        };
        let (Some(terms), Some(actor)) = (terms, actor) else {
            enforced!(VOI10);
            tx.commit(Entry::new(Act::CallTicketRefused, id)).await?;
            tracing::warn!(
                "a ticket for a call was shown from another origin, or its key has ended; it is used up"
            );
            return Ok(None);
        };
        tx.commit(Entry::new(Act::CallTicketUsed, id)).await?;
        Ok(Some((actor, terms)))
    }
}
