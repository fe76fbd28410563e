//! Where a request comes from: the other end of the connection or, behind proxies we were told to trust,
//! the address they saw.
//!
//! The listener puts the [`Peer`] on each request, the edge asks [`Proxies::client`] once and puts the
//! answer into `Ctx`. Invariant: a header is believed only as far as trusted proxies have written it, so
//! nobody can choose the address they are counted and remembered under.

use std::net::{IpAddr, Ipv6Addr};

use domain::enforced;
use http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;

/// Proxies in a row that are looked through at most.
const MOST_HOPS: usize = 16;

/// The other end of the connection a request came over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// Which header the trusted proxies write. Only this one is read: the other would be the caller's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`, what most proxies write.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// The proxies that stand before this server.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    /// Their addresses.
    pub trusted: Vec<IpNet>,
    /// Where they write whom they speak for.
    pub header: ProxyHeader,
}

impl Proxies {
    /// Whether `address` is one of them.
    #[must_use]
    pub fn trust(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|range| range.contains(&address))
    }

    /// Who a request of `peer` with these headers comes from. Walks from the nearest proxy outwards, as
    /// long as each is trusted; what cannot be read ends the walk where it was certain.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        if !self.trust(client) {
            enforced!(WEB12);
            return client;
        }
        let hops = match self.header {
            ProxyHeader::XForwardedFor => hops(headers, &HeaderName::from_static("x-forwarded-for"), plain),
            ProxyHeader::Forwarded => hops(headers, &header::FORWARDED, told),
        };
        for hop in hops {
            let Some(hop) = hop else { break };
            client = hop;
            if !self.trust(client) {
                enforced!(WEB12);
                break;
            }
        }
        client
    }
}

/// The address somebody is counted by: IPv4 as it is, IPv6 by the /64 that one customer is given.
#[must_use]
pub fn counted(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// The hops a header names, nearest first.
fn hops(headers: &HeaderMap, name: &HeaderName, read: fn(&str) -> Option<IpAddr>) -> Vec<Option<IpAddr>> {
    let mut lines: Vec<&str> =
        headers.get_all(name).iter().map(|line| line.to_str().unwrap_or_default()).collect();
    lines.reverse();
    let elements = lines.into_iter().flat_map(nearest_first);
    elements.take(MOST_HOPS).map(read).collect()
}

/// The elements of a list, last first. Read from its end, where the trusted proxy wrote, so that a quote
/// somebody left open further left cannot swallow what stands right of it.
fn nearest_first(line: &str) -> Vec<&str> {
    let (mut elements, mut end, mut quoted) = (Vec::new(), line.len(), false);
    for (at, byte) in line.bytes().enumerate().rev() {
        match byte {
            b'"' => quoted = !quoted,
            b',' if !quoted => {
                elements.push(line[at + 1..end].trim());
                end = at;
            }
            _ => (),
        }
    }
    elements.push(line[..end].trim());
    elements
}

/// `192.0.2.7`, `192.0.2.7:4711`, `2001:db8::1`, `[2001:db8::1]:4711`.
fn plain(element: &str) -> Option<IpAddr> {
    let address = match element.strip_prefix('[') {
        Some(rest) => {
            let (inside, port) = rest.split_once(']')?;
            is_port(port).then_some(inside)?
        }
        None => match element.split_once(':') {
            // One colon parts a port; several are an address of version 6.
            Some((address, port)) if !port.contains(':') => {
                is_port(&element[address.len()..]).then_some(address)?
            }
            _ => element,
        },
    };
    address.parse().ok().map(|address: IpAddr| address.to_canonical())
}

fn is_port(text: &str) -> bool {
    text.is_empty() || text.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
}

/// The `for` of one element of `Forwarded`; hidden and unknown ones are none.
fn told(element: &str) -> Option<IpAddr> {
    let mut named = element.split(';').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(value.trim())
    });
    let value = named.next()?;
    if named.next().is_some() {
        return None;
    }
    plain(value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use domain::verifies;

    use super::*;

    fn proxies(header: ProxyHeader) -> Proxies {
        let trusted = ["10.0.0.0/8", "2001:db8:ffff::/48"].map(|range| range.parse().unwrap()).into();
        Proxies { trusted, header }
    }

    fn client(header: ProxyHeader, peer: &str, lines: &[&str]) -> String {
        let name = match header {
            ProxyHeader::XForwardedFor => HeaderName::from_static("x-forwarded-for"),
            ProxyHeader::Forwarded => header::FORWARDED,
        };
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(&name, line.parse().unwrap());
        }
        proxies(header).client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn a_stranger_cannot_say_where_it_comes_from() {
        let _proof = verifies!(WEB12);
        for header in [ProxyHeader::XForwardedFor, ProxyHeader::Forwarded] {
            for forged in ["192.0.2.1", "for=192.0.2.1", "10.0.0.1", "127.0.0.1", ""] {
                assert_eq!(client(header, "198.51.100.7", &[forged]), "198.51.100.7", "{forged}");
            }
        }
        assert_eq!(client(ProxyHeader::XForwardedFor, "::ffff:198.51.100.7", &["192.0.2.1"]), "198.51.100.7");
    }

    #[test]
    fn the_nearest_hop_that_is_no_proxy_of_ours_is_the_client() {
        let _proof = verifies!(WEB12);
        let ask = |lines: &[&str]| client(ProxyHeader::XForwardedFor, "10.1.2.3", lines);
        assert_eq!(ask(&["192.0.2.1"]), "192.0.2.1");
        assert_eq!(
            ask(&["203.0.113.99, 192.0.2.1"]),
            "192.0.2.1",
            "what stands further left is the caller's own"
        );
        assert_eq!(ask(&["203.0.113.99, 192.0.2.1, 10.9.9.9"]), "192.0.2.1", "two proxies in a row");
        assert_eq!(ask(&["203.0.113.99", "192.0.2.1, 10.9.9.9"]), "192.0.2.1", "two lines are one list");
        assert_eq!(ask(&["::ffff:192.0.2.1"]), "192.0.2.1");
        assert_eq!(ask(&["192.0.2.1:4711"]), "192.0.2.1");
        assert_eq!(ask(&["[2001:db8::1]:4711"]), "2001:db8::1");
        assert_eq!(client(ProxyHeader::XForwardedFor, "::ffff:10.1.2.3", &["192.0.2.1"]), "192.0.2.1");
        assert_eq!(client(ProxyHeader::XForwardedFor, "2001:db8:ffff::1", &["192.0.2.1"]), "192.0.2.1");
    }

    #[test]
    fn what_cannot_be_read_leaves_the_last_hop_that_is_certain() {
        let ask = |lines: &[&str]| client(ProxyHeader::XForwardedFor, "10.1.2.3", lines);
        for strange in ["", "unknown", "192.0.2.1:http", "1.2.3", "192.0.2.1, ", "\u{e9}", "10.0.0.1x"] {
            assert_eq!(ask(&[strange]), "10.1.2.3", "{strange:?}");
        }
        assert_eq!(ask(&["192.0.2.1, nonsense, 10.9.9.9"]), "10.9.9.9");
        assert_eq!(ask(&[]), "10.1.2.3");
        let long = vec!["10.0.0.1"; 1000].join(", ");
        assert_eq!(ask(&[&long]), "10.0.0.1");
    }

    #[test]
    fn the_standard_header_is_read_when_it_is_the_one() {
        let ask = |lines: &[&str]| client(ProxyHeader::Forwarded, "10.1.2.3", lines);
        assert_eq!(ask(&["for=192.0.2.1;proto=https;by=10.1.2.3"]), "192.0.2.1");
        assert_eq!(ask(&["for=203.0.113.9, For=\"[2001:db8:cafe::17]:4711\""]), "2001:db8:cafe::17");
        assert_eq!(ask(&["for=\"open, for=192.0.2.1"]), "192.0.2.1", "an open quote swallows nothing");
        for strange in
            ["for=_hidden", "for=unknown", "by=192.0.2.1", "for=1.2.3.4;for=192.0.2.1", "192.0.2.1"]
        {
            assert_eq!(ask(&[strange]), "10.1.2.3", "{strange:?}");
        }
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "192.0.2.1".parse().unwrap());
        let client = proxies(ProxyHeader::Forwarded).client("10.1.2.3".parse().unwrap(), &headers);
        assert_eq!(client.to_string(), "10.1.2.3", "the header the proxies do not write is not read");
    }

    #[test]
    fn one_customer_is_counted_as_one() {
        let of = |text: &str| counted(text.parse().unwrap()).to_string();
        assert_eq!(of("192.0.2.1"), "192.0.2.1");
        assert_eq!(of("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    }
}
