//! Advice while somebody chooses a password: the rules, and how many guesses it would take (zxcvbn).
//!
//! Called by the pages as one types. It decides nothing: the rules in `domain::password` do.

use domain::password::{self, Problem as P, Rules};
use zxcvbn::zxcvbn;

/// Estimates at the same time.
pub(crate) const AT_ONCE: usize = 1;
/// Estimates that may wait; each answers a keystroke, so a late one is worth little.
pub(crate) const WAITING: usize = 16;
/// Characters that are estimated; the estimate's cost grows with the square of the length.
const LOOKED_AT: usize = 100;

/// What is good and bad about a password that is being chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// From 0, guessed at once, to 4, out of a guesser's reach.
    pub score: u8,
    /// Whether it would be accepted.
    pub acceptable: bool,
    /// Whether it has as many characters as the policy wants.
    pub long_enough: bool,
    /// Whether it has all four classes of characters.
    pub mixed: bool,
    /// What must change, one sentence each; empty when acceptable.
    pub problems: Vec<String>,
    /// What makes it easy to guess, when something does.
    pub warning: Option<String>,
    /// What would make it harder to guess.
    pub suggestions: Vec<String>,
}

/// Advice about `password` for an account called `name`.
pub(crate) fn about(typed: &str, name: &str, rules: Rules) -> Advice {
    let problems = password::problems(typed, name, rules);
    let looked_at = typed.char_indices().nth(LOOKED_AT).map_or(typed, |(end, _)| &typed[..end]);
    let name = &name[..name.floor_char_boundary(LOOKED_AT)];
    let estimate = zxcvbn(looked_at, &[name, "troth"]);
    let feedback = estimate.feedback();
    Advice {
        score: u8::from(estimate.score()),
        acceptable: problems.is_empty(),
        long_enough: !problems.iter().any(|p| matches!(p, P::TooShort { .. })),
        mixed: !problems.iter().any(|p| matches!(p, P::NoUpper | P::NoLower | P::NoDigit | P::NoSpecial)),
        problems: problems.iter().map(ToString::to_string).collect(),
        warning: feedback.and_then(|f| f.warning()).map(|w| w.to_string()),
        suggestions: feedback
            .map(|f| f.suggestions().iter().map(ToString::to_string).collect())
            .unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use std::{future::ready, sync::mpsc};

    use domain::Secret;
    use tokio::task::JoinSet;

    use super::*;
    use crate::{Config, Error, Identity};

    const RULES: Rules = Rules { min_chars: 12, classes: true };

    fn of(password: &str) -> Advice {
        about(password, "Ada", RULES)
    }

    #[test]
    fn a_weak_password_is_told_why_and_a_strong_one_is_praised() {
        let weak = of("Password123!");
        assert!(!weak.acceptable && weak.score <= 1 && !weak.problems.is_empty());
        assert!(weak.long_enough && weak.mixed, "it is only common");
        assert!(!of("Aa1!").long_enough);
        let strong = of("Quiet-Harbour-47-lantern");
        assert!(strong.acceptable && strong.score == 4 && strong.problems.is_empty());
    }

    #[test]
    fn the_rules_and_the_estimate_are_two_things() {
        // Hard to guess, yet against the rules: the profile wants four classes.
        let advice = of("quiet harbour lantern bicycle");
        assert!(!advice.acceptable && advice.score == 4 && advice.long_enough && !advice.mixed);
    }

    #[test]
    fn text_of_any_length_is_answered() {
        assert_eq!(of("").score, 0);
        assert!(!of(&"ä1A!".repeat(100_000)).acceptable);
        assert_eq!(about("x", &"é".repeat(1_000), RULES).score, 0);
    }

    #[test]
    fn estimates_take_turns_and_too_many_are_sent_away() {
        testkit::run(async {
            let home = testkit::store().await;
            let identity = Identity::new(home.store.clone(), Config::default()).unwrap();
            let (open, door) = mpsc::channel::<()>();
            tokio::select! {
                biased;
                _ = identity.advice().run(move || door.recv().is_err()) => unreachable!("its door is closed"),
                () = ready(()) => {}
            }
            let mut asking = JoinSet::new();
            for _ in 0..=WAITING {
                let (identity, typed) = (identity.clone(), Secret::new("Quiet-Harbour-47".to_owned()));
                asking.spawn(async move { identity.password_advice(&typed, "Ada").await });
            }
            // Nobody can be answered yet, and one has no place to wait.
            let first = asking.join_next().await.unwrap().unwrap();
            assert!(matches!(first, Err(Error::Busy)), "{first:?}");
            drop(open);
            let others = asking.join_all().await;
            assert_eq!(others.iter().filter(|end| end.is_ok()).count(), WAITING);
        });
    }
}
