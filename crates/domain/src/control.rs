//! The controls of the policy, and the marks that tie code and tests to them.
//!
//! `policy/controls/*.toml` hold the words and the numbers; `cargo xtask trace --write` makes
//! `control/generated.rs` from them, so a misspelt control does not compile. [`enforced!`] stands at
//! the line that decides, [`verifies!`] in the test that fails if that line never ran.

mod generated;

use std::sync::atomic::{AtomicU64, Ordering};

pub use generated::{Control, Numbers};

static RUNS: [AtomicU64; Control::ALL.len()] = [const { AtomicU64::new(0) }; Control::ALL.len()];

impl Control {
    /// Notes that the line which keeps this control ran. Called by [`enforced!`].
    #[inline]
    pub fn ran(self) {
        RUNS[self as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How often that line ran in this process.
    #[must_use]
    pub fn runs(self) -> u64 {
        RUNS[self as usize].load(Ordering::Relaxed)
    }
}

impl serde::Serialize for Control {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.token())
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
        $crate::control::Proof::begin($crate::control::Control::$control)
    };
}

/// Fails a test on drop when the control's line never ran since it was made.
#[must_use = "bind it: let _proof = verifies!(…);"]
pub struct Proof {
    control: Control,
    before: u64,
}

impl Proof {
    /// Begins watching `control`.
    pub fn begin(control: Control) -> Self {
        Self { control, before: control.runs() }
    }
}

impl Drop for Proof {
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
