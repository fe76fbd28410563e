//! The numbers of the policy: which way is stronger, and what the published clauses ask for at least.
//!
//! `server` overrides them from the deployment's configuration in one place. A value weaker than a
//! clause is allowed, but never silent: `assure` shows it as a deviation and the clause as not met.

use super::{Control, NUMBERS, Numbers};

/// Which way a number makes a promise stronger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stronger {
    /// A smaller value promises more, as with a time limit.
    Lower,
    /// A larger value promises more, as with a length.
    Higher,
}

/// One number of the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// Its name in the configuration and in [`Numbers`].
    pub name: &'static str,
    /// The control whose sentence it stands in.
    pub control: Control,
    /// The value when nothing is overridden.
    pub value: u32,
    /// What it counts.
    pub unit: &'static str,
    /// Which way is stronger.
    pub stronger: Stronger,
    /// The weakest value the clauses allow, if a clause names one.
    pub floor: Option<u32>,
    /// The clauses that name it.
    pub clauses: &'static [&'static str],
    /// Whether 0 stands for no limit at all, which promises nothing.
    pub zero_is_none: bool,
}

impl Number {
    /// Whether `value` promises less than the clauses do.
    #[must_use]
    pub fn is_weaker_than_promised(&self, value: u32) -> bool {
        match (self.floor, self.stronger) {
            (None, _) => false,
            (Some(floor), Stronger::Lower) => value > floor || (self.zero_is_none && value == 0),
            (Some(floor), Stronger::Higher) => value < floor,
        }
    }
}

/// A number of this deployment that promises less than a published clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deviation {
    /// The number.
    pub number: &'static Number,
    /// The value in force.
    pub value: u32,
}

impl std::fmt::Display for Deviation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Number { name, unit, stronger, floor, value: default, .. } = self.number;
        let bound = if *stronger == Stronger::Lower { "most" } else { "least" };
        let floor = floor.unwrap_or(*default);
        if self.number.zero_is_none && self.value == 0 {
            return write!(f, "{name} is without limit here; the policy promises {floor} {unit} at {bound}");
        }
        write!(f, "{name} is {} {unit} here; the policy promises {floor} at {bound}", self.value)
    }
}

/// A deployment tried to override a number that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the policy has no number called {name:?}; policy/controls holds them all")]
pub struct UnknownNumber {
    /// The name that was used.
    pub name: String,
}

impl Numbers {
    /// The policy's numbers with a deployment's own in place of some.
    ///
    /// # Errors
    /// [`UnknownNumber`] names the first override the policy does not know.
    pub fn from_overrides<'a>(
        overrides: impl IntoIterator<Item = (&'a str, u32)>,
    ) -> Result<Self, UnknownNumber> {
        let mut numbers = Self::default();
        for (name, value) in overrides {
            *numbers.get_mut(name).ok_or_else(|| UnknownNumber { name: name.to_owned() })? = value;
        }
        Ok(numbers)
    }

    /// Every number that promises less here than a published clause does.
    #[must_use]
    pub fn deviations(&self) -> Vec<Deviation> {
        NUMBERS
            .iter()
            .filter_map(|number| {
                let value = self.get(number.name)?;
                number.is_weaker_than_promised(value).then_some(Deviation { number, value })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_keeps_its_own_promises() {
        assert_eq!(Numbers::default().deviations(), []);
    }

    #[test]
    fn weaker_values_deviate_and_stronger_ones_do_not() {
        let weaker = Numbers::from_overrides([("idle_minutes", 31), ("password_min_chars", 11)]).unwrap();
        let mut names: Vec<_> = weaker.deviations().iter().map(|d| d.number.name).collect();
        names.sort_unstable();
        assert_eq!(names, ["idle_minutes", "password_min_chars"]);
        let stronger = Numbers::from_overrides([("idle_minutes", 5), ("password_min_chars", 20)]).unwrap();
        assert_eq!(stronger.deviations(), []);
    }

    #[test]
    fn a_deviation_says_what_is_and_what_was_promised() {
        let none = Numbers::from_overrides([("password_max_days", 0)]).unwrap();
        let said = none.deviations()[0].to_string();
        assert_eq!(said, "password_max_days is without limit here; the policy promises 90 days at most");
        let numbers = Numbers::from_overrides([("idle_minutes", 60)]).unwrap();
        let said = numbers.deviations()[0].to_string();
        assert_eq!(said, "idle_minutes is 60 minutes here; the policy promises 30 at most");
    }

    #[test]
    fn unknown_numbers_are_refused_by_name() {
        let refused = Numbers::from_overrides([("idle_minuets", 5)]).unwrap_err();
        assert!(refused.to_string().contains("idle_minuets"));
    }
}
