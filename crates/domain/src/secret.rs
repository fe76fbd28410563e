//! Values that must not be printed, logged or serialised.

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

/// A value that is wiped on drop and cannot be printed by accident.
///
/// There is no `Debug` that shows it, no `Display`, no `Serialize` and no `Deref`: the only way to
/// the value is [`Secret::expose`], which is easy to grep for.
#[derive(Clone)]
pub struct Secret<T: Zeroize>(Zeroizing<T>);

impl<T: Zeroize> Secret<T> {
    /// Takes a value into keeping. The caller's copy is moved, but earlier copies are not wiped.
    pub fn new(value: T) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The value itself. Never pass the result to a log, an error or a URL.
    #[must_use]
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::enforced!(SEC01);
        f.write_str("Secret(…)")
    }
}

impl<'de> serde::Deserialize<'de> for Secret<String> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_nothing_of_itself() {
        let _proof = crate::verifies!(SEC01);
        let secret = Secret::new("hunter2-hunter2".to_owned());
        assert!(!format!("{secret:?} {:#?}", Some(&secret)).contains("hunter2"));
    }
}
