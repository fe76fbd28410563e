//! Where the limits of this process keep their counts: a map that cannot grow for ever.
//!
//! Two generations: what was counted lately is young; when the young are many, the old go and the young
//! become the old. Whoever still asks is carried along, so a flood of other addresses pushes out only
//! those who have stopped asking, and they begin anew with a whole limit at most.

use std::{
    collections::HashMap,
    mem,
    sync::{Mutex, PoisonError},
};

use governor::{nanos::Nanos, state::StateStore};

use super::Who;

/// Counts in one generation; the map holds two.
const GENERATION: usize = 8192;

#[derive(Default)]
struct Generations {
    young: HashMap<Who, Nanos>,
    old: HashMap<Who, Nanos>,
}

/// The counts of one limiter.
#[derive(Default)]
pub(super) struct Bounded(Mutex<Generations>);

impl StateStore for Bounded {
    type Key = Who;

    fn measure_and_replace<T, F, E>(&self, who: &Who, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let held = counts.young.get(who).or_else(|| counts.old.get(who)).copied();
        let measured = measure(held);
        // One that is refused is carried along as well: to be pushed out would free it.
        let next = measured.as_ref().ok().map(|(_, next)| *next).or(held);
        if let Some(next) = next {
            if counts.young.len() >= GENERATION && !counts.young.contains_key(who) {
                counts.old = mem::take(&mut counts.young);
            }
            counts.young.insert(*who, next);
        }
        measured.map(|(outcome, _)| outcome)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn who(number: u32) -> Who {
        Who::Address(Ipv4Addr::from_bits(number).into())
    }

    #[test]
    fn a_flood_of_addresses_stays_bounded_and_does_not_free_whoever_is_refused() {
        let store = Bounded::default();
        let full = |_: Option<Nanos>| Ok::<_, ()>(((), Nanos::new(7)));
        store.measure_and_replace(&who(0), full).unwrap();
        for number in 1..100_000 {
            store.measure_and_replace(&who(number), full).unwrap();
            // The one that asks on and on is refused each time, and remembered.
            let refused = store.measure_and_replace(&who(0), |held| match held {
                Some(_) => Err(()),
                None => Ok(((), Nanos::new(7))),
            });
            assert!(refused.is_err(), "forgotten after {number}");
        }
        let counts = store.0.lock().unwrap();
        assert!(counts.young.len() <= GENERATION && counts.old.len() <= GENERATION);
    }
}
