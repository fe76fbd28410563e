//! The controls of the policy, and the marks that tie code and tests to them.
//!
//! `policy/controls/*.toml` hold the words and the numbers; `cargo xtask trace --write` makes
//! `control/generated.rs` from them, so a misspelt control does not compile. [`enforced!`](crate::enforced) stands at
//! the line that decides, [`verifies!`](crate::verifies) in the test that fails if that line never ran.

mod generated;
mod numbers;

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

pub use generated::{Control, NUMBERS, Numbers};
pub use numbers::{Deviation, Number, Stronger, UnknownNumber};

static RUNS: [AtomicU64; Control::ALL.len()] = [const { AtomicU64::new(0) }; Control::ALL.len()];

/// How a promise or a control is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// Code makes it true on every request, or refuses to run.
    #[serde(rename = "E")]
    Enforced,
    /// The software schedules it, does it or checks it over time.
    #[serde(rename = "W")]
    Watched,
    /// A person must do it; the software holds the register.
    #[serde(rename = "O")]
    Owned,
}

impl Kind {
    /// The kind as the policy files spell it.
    #[must_use]
    pub const fn letter(self) -> &'static str {
        match self {
            Self::Enforced => "E",
            Self::Watched => "W",
            Self::Owned => "O",
        }
    }
}

/// What shows that a control holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "proof", content = "reason", rename_all = "kebab-case")]
pub enum Proof {
    /// A check asks the running system.
    Live,
    /// Tests of the build alone; the sentence says why the running system is not asked.
    Test(&'static str),
}

/// What the policy says about one control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    token: &'static str,
    title: &'static str,
    sentence: &'static str,
    kind: Kind,
    proof: Proof,
}

impl Control {
    /// The token of this control, e.g. `ACC01`: the word to search for.
    #[must_use]
    pub const fn token(self) -> &'static str {
        self.facts().token
    }

    /// A few words, as a heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.facts().title
    }

    /// What it promises, with the numbers that are in force.
    #[must_use]
    pub fn sentence(self, numbers: &Numbers) -> String {
        NUMBERS.iter().filter(|number| number.control == self).fold(
            self.facts().sentence.to_owned(),
            |sentence, number| {
                let value = numbers.get(number.name).unwrap_or(number.value);
                sentence.replace(&format!("{{{}}}", number.name), &value.to_string())
            },
        )
    }

    /// Enforced, watched or owned.
    #[must_use]
    pub const fn kind(self) -> Kind {
        self.facts().kind
    }

    /// Whether the running system is asked, or why only tests are.
    #[must_use]
    pub const fn proof(self) -> Proof {
        self.facts().proof
    }

    /// Notes that the line which keeps this control ran. Called by [`enforced!`](crate::enforced).
    #[inline]
    pub fn ran(self) {
        RUNS[self as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// The control with this token, if there is one.
    #[must_use]
    pub fn from_token(token: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|control| control.token() == token)
    }

    /// How often that line ran in this process.
    #[must_use]
    pub fn runs(self) -> u64 {
        RUNS[self as usize].load(Ordering::Relaxed)
    }
}

impl Serialize for Control {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.token())
    }
}

impl<'de> Deserialize<'de> for Control {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let token = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::from_token(&token)
            .ok_or_else(|| serde::de::Error::custom(format_args!("there is no control {token:?}")))
    }
}

/// Stands at the line that decides: `enforced!(ACC01);`.
#[macro_export]
macro_rules! enforced {
    ($control:ident) => {
        $crate::control::Control::$control.ran()
    };
}

/// Stands in a test: `let _proof = verifies!(ACC01);`. When the test ends without the control's line
/// having run in this process, the test fails.
#[macro_export]
macro_rules! verifies {
    ($control:ident) => {
        $crate::control::Watch::begin($crate::control::Control::$control)
    };
}

/// Fails a test on drop when the control's line never ran since it was made.
#[must_use = "bind it: let _proof = verifies!(…);"]
pub struct Watch {
    control: Control,
    before: u64,
}

impl Watch {
    /// Begins watching `control`.
    pub fn begin(control: Control) -> Self {
        Self { control, before: control.runs() }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(
                self.control.runs() > self.before,
                "{} was to be verified, but its line `enforced!({})` never ran",
                self.control.token(),
                self.control.token()
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_sorted_unique_and_found_again() {
        assert!(Control::ALL.windows(2).all(|pair| pair[0].token() < pair[1].token()));
        assert!(Control::ALL.iter().all(|control| Control::from_token(control.token()) == Some(*control)));
        assert_eq!(Control::from_token("NIX99"), None);
    }

    #[test]
    fn sentences_are_filled_with_the_numbers_in_force() {
        let numbers = Numbers::from_overrides([("idle_minutes", 7)]).unwrap();
        assert!(Control::SES01.sentence(&numbers).contains("for 7 minutes"));
        for control in Control::ALL {
            let sentence = control.sentence(&numbers);
            assert!(!sentence.contains('{'), "{} has an unfilled number: {sentence}", control.token());
        }
    }

    #[test]
    fn a_watch_fails_the_test_whose_control_never_ran() {
        let missed = std::panic::catch_unwind(|| drop(verifies!(WEB09)));
        assert!(missed.is_err());
        let watch = verifies!(WEB09);
        enforced!(WEB09);
        drop(watch);
    }
}
