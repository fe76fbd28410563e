//! `addresses {…}` on the control socket: what `troth addresses` asks a running instance to do.

use std::fmt::Write as _;

use domain::{Ctx, Job, Timestamp};
use identity::{AddressRule, Error, NewAddressRule, Verdict};
use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, macros::format_description};

use super::Answer;
use crate::instance::House;

/// The word such a line begins with.
pub(super) const WORD: &str = "addresses ";

/// What is to be done.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Order {
    /// Say what there is.
    List {
        /// As JSON.
        json: bool,
    },
    /// Say something about a range.
    Set {
        /// Whether it is kept out, else let in.
        deny: bool,
        /// The range.
        network: String,
        /// How long; absent until it is removed.
        seconds: Option<u32>,
        /// Why.
        note: String,
    },
    /// Take back what was said about a range.
    Remove {
        /// The range.
        network: String,
    },
}

/// Does it as the operator of the machine.
pub(super) async fn answer(house: &House, order: &str) -> Answer {
    let Ok(order) = serde_json::from_str(order) else {
        return Answer { exit: 2, text: "The running instance does not understand this.\n".to_owned() };
    };
    let ctx = house.outside.ctx(Job::Operator);
    match obey(house, &ctx, order).await {
        Ok(text) => Answer { exit: 0, text },
        Err(error) => Answer { exit: 2, text: format!("{error}\n") },
    }
}

async fn obey(house: &House, ctx: &Ctx, order: Order) -> Result<String, Error> {
    let identity = &house.identity;
    let said = match order {
        Order::List { json } => return list(house, ctx, json).await,
        Order::Set { deny, network, seconds, note } => {
            let verdict = if deny { Verdict::Deny } else { Verdict::Allow };
            let new = NewAddressRule { network: &network, verdict, note: &note, seconds };
            let rule = identity.set_address_rule(ctx, new).await?;
            let done = if deny { "is kept out" } else { "is let in" };
            format!("{} {done} {}.\n", rule.network, until(&rule))
        }
        Order::Remove { network } => {
            let held = identity.address_rules(ctx).await?;
            let rule =
                held.iter().find(|rule| rule.network.to_string() == network || is_alone(rule, &network));
            let rule = rule.ok_or(Error::NotFound)?;
            identity.remove_address_rule(ctx, rule.id).await?;
            format!("Nothing is said about {} any more.\n", rule.network)
        }
    };
    house.face.lists.refresh(identity, ctx).await?;
    Ok(said)
}

/// `192.0.2.7/32` is also called `192.0.2.7`.
fn is_alone(rule: &AddressRule, text: &str) -> bool {
    rule.network.prefix_len() == rule.network.max_prefix_len() && rule.network.addr().to_string() == text
}

async fn list(house: &House, ctx: &Ctx, json: bool) -> Result<String, Error> {
    let rules = house.identity.address_rules(ctx).await?;
    if json {
        let kept = rules.iter().map(|rule| {
            serde_json::json!({
                "network": rule.network.to_string(), "verdict": rule.verdict.as_str(), "note": rule.note,
                "since": moment(rule.created), "until": rule.ends.map(moment), "from": "kept",
            })
        });
        let fixed = house.face.lists.fixed().iter().map(|(network, verdict)| {
            serde_json::json!({
                "network": network.to_string(), "verdict": verdict.as_str(), "from": "configuration",
            })
        });
        let all: Vec<_> = fixed.chain(kept).collect();
        return Ok(serde_json::to_string_pretty(&all).unwrap_or_default() + "\n");
    }
    let mut text = String::new();
    for (network, verdict) in house.face.lists.fixed() {
        let network = network.to_string();
        let _ = writeln!(text, "{:5}  {network:24}  by the configuration", verdict.as_str());
    }
    for rule in &rules {
        let network = rule.network.to_string();
        let line = format!("{:5}  {network:24}  {}  {}", rule.verdict.as_str(), until(rule), rule.note);
        let _ = writeln!(text, "{}", line.trim_end());
    }
    if text.is_empty() {
        text.push_str("No address is kept out, and none is let in specially.\n");
    }
    Ok(text)
}

fn until(rule: &AddressRule) -> String {
    rule.ends.map_or_else(|| "until removed".to_owned(), |ends| format!("until {}", moment(ends)))
}

fn moment(at: Timestamp) -> String {
    let moment = OffsetDateTime::from_unix_timestamp(at.seconds()).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    moment.format(format_description!("[year]-[month]-[day] [hour]:[minute] UTC")).unwrap_or_default()
}
