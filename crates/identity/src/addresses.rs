//! Addresses that are kept out or let in, whoever comes from there.
//!
//! Called by the admin page, `troth addresses` and the edge, which asks whether anything is new. The
//! invariants: a rule ends when it says, or says that it stays until it is removed; every change stands in
//! the audit log; nobody keeps out the address they act from.

use std::net::IpAddr;

use domain::{
    Action, Ctx, Resource, Timestamp,
    access::Permit,
    audit::{Act, Entry},
    authorize, enforced,
    id::AddressRuleId,
};
use ipnet::IpNet;
use store::addresses::{self, AddressRow};

use crate::{Error, Identity};

/// Rules there may be: each is compared with every request.
const MOST_RULES: u32 = 1_000;
/// Characters of a note.
const MOST_NOTE_CHARS: usize = 200;
/// The longest a rule with an end may run, in seconds.
const LONGEST_S: u32 = 366 * 24 * 3600;

/// What happens to requests from an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They are refused.
    Deny,
    /// They are let in whatever wider range is kept out, and not counted by their address.
    Allow,
}

impl Verdict {
    /// The verdict as the store and the terminal spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Allow => "allow",
        }
    }
}

/// What is said about one network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressRule {
    /// Its identifier.
    pub id: AddressRuleId,
    /// The addresses it is about.
    pub network: IpNet,
    /// What happens to their requests.
    pub verdict: Verdict,
    /// Why, in somebody's words.
    pub note: String,
    /// Since when.
    pub created: Timestamp,
    /// Until when; `None` until somebody removes it.
    pub ends: Option<Timestamp>,
}

/// What somebody wants to be said.
#[derive(Clone, Copy, Debug)]
pub struct NewAddressRule<'a> {
    /// An address or a range, e.g. `192.0.2.0/24`.
    pub network: &'a str,
    /// What happens to its requests.
    pub verdict: Verdict,
    /// Why.
    pub note: &'a str,
    /// How long, in seconds; `None` until somebody removes it.
    pub seconds: Option<u32>,
}

/// Why a rule was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressProblem {
    /// It names no network.
    #[error("Write an address or a range, for example 192.0.2.7 or 2001:db8::/32.")]
    Network,
    /// The note is too long or unprintable.
    #[error("Write a note of at most 200 characters on one line.")]
    Note,
    /// It would end at once, or after more than a year.
    #[error("Choose a time of up to a year, or until it is removed.")]
    Ends,
    /// It would keep out whoever makes it.
    #[error("Your own address is in that range, so you would keep yourself out. Choose a narrower one.")]
    Yourself,
}

/// Whether the rules are still the ones that were read: equal stamps mean that nothing changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressStamp(addresses::Stamp);

impl Identity {
    /// The rules there are, oldest first, those that have ended left out.
    ///
    /// # Errors
    /// [`Error::Denied`] unless the actor may manage the edge.
    pub async fn address_rules(&self, ctx: &Ctx) -> Result<Vec<AddressRule>, Error> {
        let now = ctx.now();
        let rows = addresses::list(self.store(), &permit(ctx)?).await?;
        let rules = rows.into_iter().filter(|row| row.ends.is_none_or(|ends| now < ends));
        rules.map(|row| read(row).ok_or(Error::Broken("a kept address rule cannot be read"))).collect()
    }

    /// Says whether anything changed, cheaply.
    ///
    /// # Errors
    /// [`Error::Denied`] unless the actor may manage the edge.
    pub async fn address_stamp(&self, ctx: &Ctx) -> Result<AddressStamp, Error> {
        Ok(AddressStamp(addresses::stamp(self.store(), &permit(ctx)?).await?))
    }

    /// Makes a rule; one about the same network makes way for it.
    ///
    /// # Errors
    /// [`Error::Address`], [`Error::TooMany`]; [`Error::Denied`] unless the actor may manage the edge.
    pub async fn set_address_rule(&self, ctx: &Ctx, new: NewAddressRule<'_>) -> Result<AddressRule, Error> {
        let permit = permit(ctx)?;
        let rule = check(ctx, new)?;
        let held = self.address_rules(ctx).await?;
        if held.len() >= MOST_RULES as usize {
            return Err(Error::TooMany { what: "address rules", most: MOST_RULES });
        }
        let mut tx = self.store().begin(ctx).await?;
        for old in held {
            if old.network == rule.network {
                addresses::remove(&mut tx, &permit, old.id).await?;
            }
        }
        let row = AddressRow {
            id: rule.id,
            verdict: rule.verdict.as_str().to_owned(),
            network: rule.network.to_string(),
            note: rule.note.clone(),
            created: rule.created,
            ends: rule.ends,
        };
        addresses::add(&mut tx, &permit, &row).await?;
        enforced!(WEB11);
        tx.commit(Entry::new(Act::AddressesChanged, rule.id)).await?;
        Ok(rule)
    }

    /// Removes a rule.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none; [`Error::Denied`] unless the actor may manage the edge.
    pub async fn remove_address_rule(&self, ctx: &Ctx, id: AddressRuleId) -> Result<(), Error> {
        let permit = permit(ctx)?;
        let mut tx = self.store().begin(ctx).await?;
        if !addresses::remove(&mut tx, &permit, id).await? {
            return Err(Error::NotFound);
        }
        tx.commit(Entry::new(Act::AddressesChanged, id)).await?;
        Ok(())
    }

    /// Clears away the rules that have ended; they count for nothing before that as well.
    ///
    /// # Errors
    /// [`Error::Denied`] unless the actor may manage the edge.
    pub async fn sweep_address_rules(&self, ctx: &Ctx) -> Result<u64, Error> {
        let permit = permit(ctx)?;
        let mut tx = self.store().begin(ctx).await?;
        let ended = addresses::remove_ended(&mut tx, &permit, ctx.now()).await?;
        if ended > 0 {
            let count = usize::try_from(ended).unwrap_or(usize::MAX);
            tx.commit(Entry::new(Act::AddressesChanged, "").times(count)).await?;
        }
        Ok(ended)
    }
}

fn permit(ctx: &Ctx) -> Result<Permit, Error> {
    Ok(authorize(ctx, Action::ManageEdge, Resource::Instance)?)
}

fn check(ctx: &Ctx, new: NewAddressRule<'_>) -> Result<AddressRule, Error> {
    let network = network(new.network).ok_or(Error::Address(AddressProblem::Network))?;
    let note = new.note.trim();
    if note.chars().count() > MOST_NOTE_CHARS || note.chars().any(char::is_control) {
        return Err(Error::Address(AddressProblem::Note));
    }
    if new.seconds.is_some_and(|seconds| seconds == 0 || seconds > LONGEST_S) {
        return Err(Error::Address(AddressProblem::Ends));
    }
    let is_own = ctx.address.is_some_and(|own| network.contains(&own));
    if new.verdict == Verdict::Deny && is_own {
        return Err(Error::Address(AddressProblem::Yourself));
    }
    let created = ctx.now();
    Ok(AddressRule {
        id: AddressRuleId::fresh(ctx),
        network,
        verdict: new.verdict,
        note: note.to_owned(),
        created,
        ends: new.seconds.map(|seconds| created.plus_seconds(seconds.into())),
    })
}

/// A network from an address or a range; an IPv4 address in the clothes of version 6 is one of version 4.
fn network(text: &str) -> Option<IpNet> {
    let text = text.trim();
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address.to_canonical().into());
    }
    let network: IpNet = text.parse().ok()?;
    let is_disguised = matches!(network, IpNet::V6(v6) if v6.addr().to_ipv4_mapped().is_some());
    (!is_disguised).then(|| network.trunc())
}

fn read(row: AddressRow) -> Option<AddressRule> {
    let verdict = [Verdict::Deny, Verdict::Allow].into_iter().find(|one| one.as_str() == row.verdict)?;
    let AddressRow { id, note, created, ends, .. } = row;
    Some(AddressRule { id, network: row.network.parse().ok()?, verdict, note, created, ends })
}
