//! How often somebody may ask: per address, per account, per API key, by class of route.
//!
//! The edge charges the address of every request before anything is looked up; the extractors of
//! [`crate::session`] charge the account or the key once it is known. The arithmetic is GCRA: a minute's
//! worth at once, then as fast as it flows back. Each replica always counts for itself; where the
//! replicas share a Redis or Valkey ([`shared`]) they count together as well, and while that is away
//! only the shared part is missing. Invariant: no failure opens the limits, and the memory for counts is
//! bounded whatever addresses a flood brings ([`bounded`]).

mod bounded;
mod class;
mod meter;
pub mod shared;

use std::{net::IpAddr, num::NonZeroU32, sync::Arc};

use domain::{control::Numbers, enforced};
use governor::{
    Quota, RateLimiter,
    clock::{Clock as _, MonotonicClock},
    middleware::StateInformationMiddleware,
};
use uuid::Uuid;

use self::{bounded::Bounded, shared::Shared};
use crate::{Problem, edge::address::counted};

pub use class::Class;
pub use meter::Meter;

/// The span every limit counts over, in seconds.
const WINDOW_S: u32 = 60;

/// Who is counted.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    /// Everybody behind one address, IPv6 by /64.
    Address(IpAddr),
    /// One account, in all of its browsers.
    Account(Uuid),
    /// One API key.
    Key(Uuid),
}

impl Who {
    /// Everybody behind this address.
    #[must_use]
    pub fn at(address: IpAddr) -> Self {
        Self::Address(counted(address))
    }

    /// The name of the limit, as headers and the shared store spell it.
    const fn kind(self) -> &'static str {
        match self {
            Self::Address(_) => "address",
            Self::Account(_) => "account",
            Self::Key(_) => "key",
        }
    }
}

impl std::fmt::Display for Who {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Address(address) => write!(f, "address:{address}"),
            Self::Account(id) | Self::Key(id) => write!(f, "{}:{id}", self.kind()),
        }
    }
}

/// What one limit says after a request was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Its name.
    pub kind: &'static str,
    /// Most requests in a window.
    pub limit: u32,
    /// What is left now.
    pub left: u32,
    /// Seconds until the next request is let in when none is left, else until all is back.
    pub seconds: u32,
    /// Whether this request was let in.
    pub admitted: bool,
}

/// One limiter of this process.
type Local = RateLimiter<Who, Bounded, MonotonicClock, StateInformationMiddleware>;

/// All limits of one instance.
#[derive(Clone)]
pub struct Limits(Arc<Inner>);

struct Inner {
    /// By class, then for addresses and for those who are known.
    local: [[Local; 2]; Class::ALL.len()],
    shared: Option<Shared>,
}

impl Limits {
    /// The limits that `numbers` say, counted here and, where there is one, in a store of all replicas.
    #[must_use]
    pub fn new(numbers: &Numbers, shared: Option<Shared>) -> Self {
        let local = Class::ALL.map(|class| {
            let known = class.a_minute(numbers);
            let address =
                if class == Class::SignIn { known } else { known.saturating_mul(numbers.address_times) };
            [address, known].map(|limit| {
                let quota = Quota::per_minute(NonZeroU32::new(limit).unwrap_or(NonZeroU32::MIN));
                Local::new(quota, Bounded::default(), MonotonicClock)
            })
        });
        Self(Arc::new(Inner { local, shared }))
    }

    /// Counts one request of `who`. Refused here, nobody else is asked.
    pub async fn count(&self, class: Class, who: Who) -> Reading {
        let reading = self.count_here(class, who);
        match &self.0.shared {
            Some(shared) if reading.admitted => {
                let key = format!("{}:{who}", class.as_str());
                shared.count(&key, reading).await.unwrap_or(reading)
            }
            _ => reading,
        }
    }

    fn count_here(&self, class: Class, who: Who) -> Reading {
        let known = usize::from(!matches!(who, Who::Address(_)));
        let limiter = &self.0.local[class as usize][known];
        let kind = who.kind();
        match limiter.check_key(&who) {
            Ok(snapshot) => {
                let limit = snapshot.quota().burst_size().get();
                let left = snapshot.remaining_burst_capacity();
                Reading { kind, limit, left, seconds: until_full(limit, left), admitted: true }
            }
            Err(refused) => {
                enforced!(WEB10);
                let limit = refused.quota().burst_size().get();
                let wait = refused.wait_time_from(limiter.clock().now());
                let seconds = u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1);
                Reading { kind, limit, left: 0, seconds, admitted: false }
            }
        }
    }
}

/// Seconds until a limit of which `left` is left is whole again.
fn until_full(limit: u32, left: u32) -> u32 {
    limit.saturating_sub(left).saturating_mul(WINDOW_S).div_ceil(limit.max(1))
}

/// The refusal, for whoever was over a limit.
fn over(reading: &Reading) -> Problem {
    let detail = match reading.kind {
        "address" => "Too many requests come from your address at once.",
        _ => "That is more at once than one account may ask.",
    };
    let seconds = reading.seconds;
    let mut problem = Problem::throttled(seconds);
    problem.title = "Too many requests";
    problem.detail = format!("{detail} Wait {seconds} seconds, then go on.").into();
    problem
}

#[cfg(test)]
mod tests {
    use domain::verifies;

    use super::*;

    fn limits(overrides: &[(&str, u32)]) -> Limits {
        Limits::new(&Numbers::from_overrides(overrides.iter().copied()).unwrap(), None)
    }

    fn address(text: &str) -> Who {
        Who::at(text.parse().unwrap())
    }

    #[tokio::test]
    async fn a_minutes_worth_passes_at_once_and_the_next_one_waits() {
        let _proof = verifies!(WEB10);
        let limits = limits(&[("asks_a_minute", 3)]);
        let who = Who::Account(Uuid::from_u128(1));
        for left in [2, 1, 0] {
            let reading = limits.count(Class::Ask, who).await;
            assert!(reading.admitted && reading.left == left && reading.limit == 3, "{reading:?}");
        }
        let reading = limits.count(Class::Ask, who).await;
        assert!(!reading.admitted && (1..=20).contains(&reading.seconds), "{reading:?}");
        assert_eq!(over(&reading).retry_after, Some(reading.seconds));
        assert!(limits.count(Class::Page, who).await.admitted, "each class has its own count");
        assert!(limits.count(Class::Ask, Who::Account(Uuid::from_u128(2))).await.admitted);
        assert!(limits.count(Class::Ask, Who::Key(Uuid::from_u128(1))).await.admitted);
    }

    #[tokio::test]
    async fn neighbours_in_one_network_share_a_count_and_strangers_do_not() {
        let _proof = verifies!(WEB10);
        let limits = limits(&[("sign_ins_a_minute", 1)]);
        assert!(limits.count(Class::SignIn, address("2001:db8::1")).await.admitted);
        assert!(!limits.count(Class::SignIn, address("2001:db8::ffff:2")).await.admitted);
        assert!(limits.count(Class::SignIn, address("2001:db8:0:1::1")).await.admitted);
        assert!(limits.count(Class::SignIn, address("192.0.2.1")).await.admitted);
        assert!(!limits.count(Class::SignIn, address("::ffff:192.0.2.1")).await.admitted);
    }

    #[tokio::test]
    async fn an_address_may_be_an_office() {
        let limits = limits(&[("pages_a_minute", 2), ("address_times", 3)]);
        for _ in 0..6 {
            assert!(limits.count(Class::Page, address("192.0.2.1")).await.admitted);
        }
        assert!(!limits.count(Class::Page, address("192.0.2.1")).await.admitted);
    }
}
