//! Which addresses are kept out and which are let in: those of the configuration, and the kept ones, read
//! again when they changed.
//!
//! The edge asks for every request, the server refreshes. Of several ranges the narrowest decides; of two
//! equal ones, the denial. The machine itself is never kept out by a wider range: whoever runs it must get
//! in to repair a mistake.

use std::{
    net::IpAddr,
    sync::{PoisonError, RwLock},
};

use domain::{Ctx, Timestamp, enforced};
use identity::{AddressRule, AddressStamp, Identity, Verdict};
use ipnet::IpNet;

/// The lists of one instance.
#[derive(Default)]
pub struct Lists {
    fixed: Vec<(IpNet, Verdict)>,
    kept: RwLock<Kept>,
}

#[derive(Default)]
struct Kept {
    stamp: Option<AddressStamp>,
    rules: Vec<AddressRule>,
}

impl Lists {
    /// The lists of the configuration.
    #[must_use]
    pub fn new(deny: &[IpNet], allow: &[IpNet]) -> Self {
        let denied = deny.iter().map(|network| (network.trunc(), Verdict::Deny));
        let allowed = allow.iter().map(|network| (network.trunc(), Verdict::Allow));
        Self { fixed: denied.chain(allowed).collect(), kept: RwLock::default() }
    }

    /// The ranges of the configuration.
    #[must_use]
    pub fn fixed(&self) -> &[(IpNet, Verdict)] {
        &self.fixed
    }

    /// Reads the kept rules anew if they changed, on this replica or another.
    ///
    /// # Errors
    /// When the store cannot answer; what was read before holds on.
    pub async fn refresh(&self, identity: &Identity, ctx: &Ctx) -> Result<(), identity::Error> {
        let stamp = Some(identity.address_stamp(ctx).await?);
        if self.kept.read().unwrap_or_else(PoisonError::into_inner).stamp == stamp {
            return Ok(());
        }
        let rules = identity.address_rules(ctx).await?;
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = Kept { stamp, rules };
        Ok(())
    }

    /// What is said about `address` at `now`; `None`: nothing.
    #[must_use]
    pub fn verdict(&self, address: IpAddr, now: Timestamp) -> Option<Verdict> {
        let address = address.to_canonical();
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let living = kept.rules.iter().filter(|rule| rule.ends.is_none_or(|ends| now < ends));
        let all = self.fixed.iter().copied().chain(living.map(|rule| (rule.network, rule.verdict)));
        let about = all.filter(|(network, _)| network.contains(&address) && !spares(network, address));
        let (_, verdict) =
            about.max_by_key(|(network, verdict)| (network.prefix_len(), *verdict == Verdict::Deny))?;
        if verdict == Verdict::Deny {
            enforced!(WEB11);
        }
        Some(verdict)
    }
}

/// Whether a range is too wide to be about the machine itself.
fn spares(network: &IpNet, address: IpAddr) -> bool {
    address.is_loopback() && !network.network().is_loopback()
}

#[cfg(test)]
mod tests {
    use domain::{id::AddressRuleId, verifies};

    use super::*;

    fn networks(texts: &[&str]) -> Vec<IpNet> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn the_narrowest_range_decides_and_of_two_equal_ones_the_denial() {
        let _proof = verifies!(WEB11);
        let lists = Lists::new(
            &networks(&["0.0.0.0/0", "2001:db8::/32", "198.51.100.7/32"]),
            &networks(&["192.0.2.0/24", "198.51.100.7/32"]),
        );
        let of = |address: &str| lists.verdict(address.parse().unwrap(), Timestamp(0));
        assert_eq!(of("203.0.113.1"), Some(Verdict::Deny));
        assert_eq!(of("192.0.2.9"), Some(Verdict::Allow));
        assert_eq!(of("::ffff:192.0.2.9"), Some(Verdict::Allow));
        assert_eq!(of("198.51.100.7"), Some(Verdict::Deny));
        assert_eq!(of("2001:db8::1"), Some(Verdict::Deny));
        assert_eq!(of("2001:db9::1"), None);
        assert_eq!(of("127.0.0.1"), None, "the machine itself is spared by a wider range");
        let named = Lists::new(&networks(&["127.0.0.1/32"]), &[]);
        assert_eq!(named.verdict("127.0.0.1".parse().unwrap(), Timestamp(0)), Some(Verdict::Deny));
    }

    #[test]
    fn a_rule_ends_when_it_says_whether_or_not_it_was_cleared_away() {
        let _proof = verifies!(WEB11);
        let lists = Lists::default();
        let rule = AddressRule {
            id: "01890a5d-ac96-774b-bcce-b302099a8057".parse::<AddressRuleId>().unwrap(),
            network: "192.0.2.0/24".parse().unwrap(),
            verdict: Verdict::Deny,
            note: String::new(),
            created: Timestamp(0),
            ends: Some(Timestamp(0).plus_seconds(60)),
        };
        lists.kept.write().unwrap().rules = vec![rule];
        let at = |s| lists.verdict("192.0.2.1".parse().unwrap(), Timestamp(0).plus_seconds(s));
        assert_eq!((at(59), at(60)), (Some(Verdict::Deny), None));
    }
}
