//! How many of something each holder has, so that one cannot take the places of all the others.
//!
//! The listener counts connections by address this way, the edge open streams by person. An entry goes
//! with its holder's last place, so whatever bounds the places bounds this map as well.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use domain::enforced;

type Held<K> = Arc<Mutex<HashMap<K, usize>>>;

/// The places each holder has.
pub(crate) struct Shares<K> {
    most: usize,
    held: Held<K>,
}

impl<K: Copy + Eq + Hash> Shares<K> {
    /// At most `most` places for each.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, held: Held::default() }
    }

    /// One more place for `holder`, given back when it is dropped. `None`: it has its share.
    pub(crate) fn enter(&self, holder: K) -> Option<Share<K>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.get(&holder).is_some_and(|count| *count >= self.most) {
            enforced!(WEB13);
            return None;
        }
        *held.entry(holder).or_default() += 1;
        Some(Share { holder, held: self.held.clone() })
    }
}

/// One place.
pub(crate) struct Share<K: Copy + Eq + Hash> {
    holder: K,
    held: Held<K>,
}

impl<K: Copy + Eq + Hash> Drop for Share<K> {
    fn drop(&mut self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.holder) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.holder);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::verifies;

    use super::*;

    #[test]
    fn each_holds_its_share_and_gives_it_back() {
        let _proof = verifies!(WEB13);
        let shares = Shares::new(2);
        let held: Vec<_> = ["ann", "ann"].map(|holder| shares.enter(holder)).into();
        assert!(held.iter().all(Option::is_some));
        assert!(shares.enter("ann").is_none() && shares.enter("bob").is_some());
        drop(held);
        assert!(shares.enter("ann").is_some());
        assert!(shares.held.lock().unwrap().is_empty(), "nothing is left of those who left");
    }
}
