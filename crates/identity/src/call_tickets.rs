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

/// A ticket that was shown and is good, until it is used.
pub struct SeenTicket {
    /// Who acts with it.
    pub actor: Actor,
    /// What the call may be.
    pub terms: CallTerms,
    hash: [u8; 32],
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

    /// Who a presented ticket acts for, and what the call may be. It is not used up by this, but when it was shown
    /// from another origin than its own or its key has ended. `None` when it is none, was used, has ended, or one
    /// of these; nobody learns which.
    ///
    /// # Errors
    /// [`Error::Store`] when the store cannot answer.
    pub async fn see_call_ticket(
        &self,
        ctx: &Ctx,
        token: &str,
        origin: Option<&str>,
    ) -> Result<Option<SeenTicket>, Error> {
        let shaped = token.strip_prefix(TICKET_PREFIX).and_then(tokens::hash_presented).is_some();
        if !shaped {
            return Ok(None);
        }
        let (ctx, hash) = (&permits::authenticating(ctx), tokens::hash(token));
        let permit = permits::authenticate(ctx)?;
        let Some(good) = call_tickets::look(self.store(), &permit, hash, ctx.now()).await? else {
            self.spend_call_ticket(ctx, hash, Act::CallTicketRefused).await?;
            return Ok(None);
        };
        // Terms of another version are none.
        let terms = serde_json::from_slice::<CallTerms>(&good.terms).ok();
        let terms = terms.filter(|terms| terms.origin.is_none() || terms.origin.as_deref() == origin);
        let actor = match api_keys::by_id(self.store(), &permit, good.key).await? {
            Some(held) => self.acting_for_key(ctx, held).await?,
            None => None,
        };
        let (Some(terms), Some(actor)) = (terms, actor) else {
            enforced!(VOI10);
            self.spend_call_ticket(ctx, hash, Act::CallTicketRefused).await?;
            tracing::warn!(
                "a ticket for a call was shown from another origin, or its key has ended; it is used up"
            );
            return Ok(None);
        };
        Ok(Some(SeenTicket { actor, terms, hash }))
    }

    /// Uses up a ticket that was seen, now that its call opens. `false` when somebody else was faster, or it ended
    /// meanwhile.
    ///
    /// # Errors
    /// [`Error::Store`] when the store cannot answer.
    pub async fn use_call_ticket(&self, ctx: &Ctx, ticket: &SeenTicket) -> Result<bool, Error> {
        self.spend_call_ticket(&permits::authenticating(ctx), ticket.hash, Act::CallTicketUsed).await
    }

    /// Uses up the ticket with this hash and writes down why. `false` when it was over before, which is written
    /// down as well.
    async fn spend_call_ticket(&self, ctx: &Ctx, hash: [u8; 32], why: Act) -> Result<bool, Error> {
        let permit = permits::authenticate(ctx)?;
        let mut tx = self.store().begin(ctx).await?;
        let (id, taken) = match call_tickets::present(&mut tx, &permit, hash, ctx.now()).await? {
            Presented::Taken { id } => (id, true),
            Presented::Over(id) => {
                enforced!(VOI10);
                (id, false)
            }
            Presented::Unknown => return Ok(false),
        };
        tx.commit(Entry::new(if taken { why } else { Act::CallTicketRefused }, id)).await?;
        Ok(taken)
    }
}
