//! Tickets: what is known between the steps of a flow, kept here and never in the browser.
//!
//! Called by setup and sign-in. The invariant: a ticket is used by one request at a time, ends after
//! its life, after its last try, or when it has done its work, and what it held is wiped then (its
//! parts are `Secret` or `Zeroizing`); one address pushes out no tickets of others, whatever it begins.
//! Tickets live in memory: a restart starts the flow again.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::{Ctx, Secret, Timestamp};

use crate::tokens::{self, Hash};

/// Wrong tries after which a ticket ends.
const TRIES: u8 = 5;
/// The part of the room one address may take: an office behind one address has many people.
const SHARE: usize = 8;

/// The tickets of one kind of flow.
pub(crate) struct Tickets<T> {
    life_s: i64,
    most: usize,
    held: Mutex<HashMap<Hash, Held<T>>>,
}

/// A ticket in the hands of the one request that uses it. Dropping it ends the ticket.
pub(crate) struct Held<T> {
    key: Hash,
    /// What is known so far.
    pub(crate) value: T,
    made: Timestamp,
    from: Option<IpAddr>,
    tries_left: u8,
}

impl<T> Tickets<T> {
    /// Room for `most` tickets of `life_s` seconds each; the oldest makes way when it is full, and the oldest of
    /// an address when that has its share.
    pub(crate) fn new(life_s: i64, most: usize) -> Self {
        Self { life_s, most, held: Mutex::new(HashMap::new()) }
    }

    /// Keeps `value` and gives out the ticket for it.
    pub(crate) fn issue(&self, ctx: &Ctx, value: T) -> Secret<String> {
        let (ticket, key) = tokens::fresh(ctx);
        let now = ctx.now();
        let mut held = self.held();
        held.retain(|_, one| self.lives(one, now));
        let from = ctx.address.map(neighbourhood);
        if from.is_some() {
            let share = (self.most / SHARE).max(1);
            make_room(&mut held, share, |one| one.from == from);
        }
        make_room(&mut held, self.most, |_| true);
        held.insert(key, Held { key, value, made: now, from, tries_left: TRIES });
        ticket
    }

    /// Takes the ticket out, so that no other request can use it meanwhile.
    pub(crate) fn take(&self, ticket: &str, now: Timestamp) -> Option<Held<T>> {
        let key = tokens::hash_presented(ticket)?;
        self.held().remove(&key).filter(|one| self.lives(one, now))
    }

    /// Gives the ticket back untouched, as when the try was not looked at.
    pub(crate) fn put_back(&self, one: Held<T>) {
        self.held().insert(one.key, one);
    }

    /// Gives the ticket back after a wrong try; after the last one it is gone.
    pub(crate) fn put_back_tried(&self, mut one: Held<T>) {
        one.tries_left = one.tries_left.saturating_sub(1);
        if one.tries_left > 0 {
            self.put_back(one);
        }
    }

    /// Looks at what a living ticket holds, without using it.
    pub(crate) fn look<R>(&self, ticket: &str, now: Timestamp, see: impl FnOnce(&T) -> R) -> Option<R> {
        let key = tokens::hash_presented(ticket)?;
        self.held().get(&key).filter(|one| self.lives(one, now)).map(|one| see(&one.value))
    }

    /// Ends every ticket.
    pub(crate) fn clear(&self) {
        self.held().clear();
    }

    fn lives(&self, one: &Held<T>, now: Timestamp) -> bool {
        (0..self.life_s).contains(&now.seconds_since(one.made))
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Hash, Held<T>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the oldest of `these` until there are fewer than `most`.
fn make_room<T>(held: &mut HashMap<Hash, Held<T>>, most: usize, these: impl Fn(&Held<T>) -> bool) {
    while held.values().filter(|one| these(one)).count() >= most {
        let oldest = held.values().filter(|one| these(one)).min_by_key(|one| one.made).map(|one| one.key);
        let Some(oldest) = oldest else { break };
        held.remove(&oldest);
    }
}

/// An address as it is counted: of IPv6 the /64 that one line is given.
fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicI64, AtomicU8, Ordering},
    };

    use domain::{Actor, Clock, Entropy};

    use super::*;

    fn circumstances() -> (Ctx, Arc<AtomicI64>) {
        let time = Arc::new(AtomicI64::new(1_000_000_000));
        let count = AtomicU8::new(0);
        let clock = Clock::new({
            let time = Arc::clone(&time);
            move || Timestamp(time.load(Ordering::Relaxed))
        });
        let entropy = Entropy::new(move |buffer| buffer.fill(count.fetch_add(1, Ordering::Relaxed)));
        (Ctx::new(Actor::Anonymous, clock, entropy), time)
    }

    #[test]
    fn a_ticket_is_used_by_one_request_at_a_time_and_then_gone() {
        let (ctx, _) = circumstances();
        let tickets = Tickets::new(60, 8);
        let ticket = tickets.issue(&ctx, "value");
        let taken = tickets.take(ticket.expose(), ctx.now());
        assert_eq!(taken.as_ref().map(|t| t.value), Some("value"));
        assert!(tickets.take(ticket.expose(), ctx.now()).is_none());
        tickets.put_back(taken.unwrap());
        assert_eq!(tickets.look(ticket.expose(), ctx.now(), |v| *v), Some("value"));
    }

    #[test]
    fn a_ticket_ends_with_its_life_and_when_the_clock_runs_back_past_its_birth() {
        let (ctx, time) = circumstances();
        let tickets = Tickets::new(60, 8);
        let ticket = tickets.issue(&ctx, ());
        time.fetch_add(59_000_000, Ordering::Relaxed);
        assert!(tickets.look(ticket.expose(), ctx.now(), |()| ()).is_some());
        time.fetch_add(1_000_000, Ordering::Relaxed);
        assert!(tickets.look(ticket.expose(), ctx.now(), |()| ()).is_none());
        time.fetch_sub(120_000_000, Ordering::Relaxed);
        assert!(tickets.take(ticket.expose(), ctx.now()).is_none());
    }

    #[test]
    fn a_ticket_bears_five_wrong_tries() {
        let (ctx, _) = circumstances();
        let tickets = Tickets::new(60, 8);
        let ticket = tickets.issue(&ctx, ());
        for _ in 0..TRIES {
            tickets.put_back_tried(tickets.take(ticket.expose(), ctx.now()).unwrap());
        }
        assert!(tickets.take(ticket.expose(), ctx.now()).is_none());
    }

    #[test]
    fn the_oldest_makes_way_when_there_is_no_room() {
        let (ctx, time) = circumstances();
        let tickets = Tickets::new(60, 2);
        let all: Vec<_> = (0..3)
            .map(|n| {
                time.fetch_add(1_000_000, Ordering::Relaxed);
                tickets.issue(&ctx, n)
            })
            .collect();
        let living: Vec<_> = all.iter().map(|t| tickets.look(t.expose(), ctx.now(), |n| *n)).collect();
        assert_eq!(living, [None, Some(1), Some(2)]);
        tickets.clear();
        assert!(tickets.take(all[2].expose(), ctx.now()).is_none());
    }

    #[test]
    fn one_address_pushes_out_no_ticket_of_another() {
        let (ctx, time) = circumstances();
        let tickets = Tickets::new(60, 16);
        let from = |address: &str| {
            let mut ctx = ctx.clone();
            ctx.address = Some(address.parse().unwrap());
            time.fetch_add(1_000, Ordering::Relaxed);
            tickets.issue(&ctx, ())
        };
        let mine = from("192.0.2.1");
        let flood: Vec<_> = (0..100).map(|n| from(&format!("2001:db8::{n:x}"))).collect();
        let lives = |ticket: &Secret<String>| tickets.look(ticket.expose(), ctx.now(), |()| ()).is_some();
        assert!(lives(&mine), "a flood from elsewhere");
        assert_eq!(flood.iter().filter(|ticket| lives(ticket)).count(), 2, "its share");
        assert!(lives(flood.last().unwrap()));
    }
}
