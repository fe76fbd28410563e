//! How many connections each address holds.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::edge::{
    address::counted,
    shares::{Share, Shares},
};

/// The connections of each address.
pub(super) struct Peers {
    shares: Shares<IpAddr>,
    proxies: Vec<IpNet>,
}

impl Peers {
    pub(super) fn new(most: usize, proxies: Vec<IpNet>) -> Self {
        Self { shares: Shares::new(most), proxies }
    }

    /// A place for one more connection of `peer`; none is counted for a proxy, which speaks for many.
    ///
    /// # Errors
    /// When it has its share.
    pub(super) fn enter(&self, peer: IpAddr) -> Result<Option<Share<IpAddr>>, Full> {
        let peer = peer.to_canonical();
        if self.proxies.iter().any(|range| range.contains(&peer)) {
            return Ok(None);
        }
        self.shares.enter(counted(peer)).map(Some).ok_or(Full)
    }
}

/// There is no place left for this address.
pub(super) struct Full;

#[cfg(test)]
mod tests {
    use domain::verifies;

    use super::*;

    #[test]
    fn a_network_holds_its_share_and_a_proxy_speaks_for_many() {
        let _proof = verifies!(WEB13);
        let peers = Peers::new(2, vec!["10.0.0.0/8".parse().unwrap()]);
        let enter = |peer: &str| peers.enter(peer.parse().unwrap());
        let held: Vec<_> = ["2001:db8::1", "2001:db8::2"].map(enter).into();
        assert!(held.iter().all(Result::is_ok));
        assert!(enter("2001:db8::3").is_err(), "the same network");
        assert!(enter("2001:db8:0:1::1").is_ok() && enter("192.0.2.1").is_ok());
        let proxied: Vec<_> = (0..9).map(|_| enter("::ffff:10.1.2.3")).collect();
        assert!(proxied.iter().all(Result::is_ok));
    }
}
