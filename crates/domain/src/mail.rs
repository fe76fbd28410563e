//! E-mail: what may be said to somebody, and what may be an address.
//!
//! Services queue a [`Mail`] in the outbox, the store keeps it sealed, the server words and sends it. A
//! mail is a kind and its few facts, never finished text: what has left is forgotten down to its kind.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Longest address, in bytes (RFC 5321, 4.5.3.1.3).
const MAX_BYTES: usize = 254;
/// Longest part before the `@` (RFC 5321, 4.5.3.1.1).
const MAX_LOCAL: usize = 64;

/// One e-mail, as it waits.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Mail {
    /// Somebody may make an account here.
    Invitation {
        /// What the person who invites is called.
        from: String,
        /// The secret of the link; its hash alone is kept elsewhere.
        token: String,
        /// Days it is good for.
        days: u32,
    },
    /// Is this address yours?
    ConfirmAddress {
        /// The secret of the link.
        token: String,
        /// Minutes it is good for.
        minutes: u32,
    },
    /// A way to a new password.
    Reset {
        /// The secret of the link.
        token: String,
        /// Minutes it is good for.
        minutes: u32,
    },
    /// The address of the account is another one now; goes to the old one.
    AddressChanged,
    /// The password was changed.
    PasswordChanged,
    /// The password must be changed soon.
    PasswordDue {
        /// By when.
        by: Timestamp,
    },
    /// A factor was added, replaced or taken away.
    FactorsChanged,
    /// Somebody signed in from a device that was not seen before.
    NewSignIn {
        /// The browser in a few words.
        device: String,
        /// Where it was, as far as it is known.
        place: String,
        /// When.
        at: Timestamp,
    },
    /// Somebody asked for a way back into the account without its factors.
    RecoveryAsked {
        /// Before then nothing happens, and it can be called off.
        not_before: Timestamp,
    },
    /// The way back was used.
    RecoveryUsed,
    /// Staff may read, or did read, this person's chats.
    ContentRead,
    /// The account may not sign in any more.
    Deactivated,
    /// The account and all of its data were deleted.
    Deleted,
    /// A code that a caller of the voice desk reads out to show who they are.
    CallerCode {
        /// Six digits.
        code: String,
        /// Minutes it is good for.
        minutes: u32,
    },
    /// An administrator tries whether mail arrives.
    Test,
}

impl Mail {
    /// The kind, which stays when the rest is forgotten.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Invitation { .. } => "invitation",
            Self::ConfirmAddress { .. } => "confirm-address",
            Self::Reset { .. } => "reset",
            Self::AddressChanged => "address-changed",
            Self::PasswordChanged => "password-changed",
            Self::PasswordDue { .. } => "password-due",
            Self::FactorsChanged => "factors-changed",
            Self::NewSignIn { .. } => "new-sign-in",
            Self::RecoveryAsked { .. } => "recovery-asked",
            Self::RecoveryUsed => "recovery-used",
            Self::ContentRead => "content-read",
            Self::Deactivated => "deactivated",
            Self::Deleted => "deleted",
            Self::CallerCode { .. } => "caller-code",
            Self::Test => "test",
        }
    }
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mail({})", self.kind())
    }
}

/// An e-mail address. Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address(String);

/// The text is not an e-mail address we can send to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Write an e-mail address like name@example.org.")]
pub struct NotAnAddress;

impl Address {
    /// The address somebody typed, without blanks around it.
    ///
    /// Plain addresses only: ASCII, no quoting, no comments, no address literals. Nothing that could
    /// begin another header or another recipient gets through.
    ///
    /// # Errors
    /// [`NotAnAddress`].
    pub fn read(typed: &str) -> Result<Self, NotAnAddress> {
        let text = typed.trim();
        let (local, host) = text.rsplit_once('@').ok_or(NotAnAddress)?;
        let local_fits = !local.is_empty()
            && local.len() <= MAX_LOCAL
            && local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atom));
        let label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let host_fits = host.split('.').all(label);
        if text.len() <= MAX_BYTES && local_fits && host_fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAnAddress)
        }
    }

    /// The address itself. Never for a log, an error or a URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form addresses are compared in: all lower case. Nearly every host treats the part before the
    /// `@` so, and two accounts on one mailbox would be worse than one on two.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

/// RFC 5322 `atext`.
fn is_atom(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

impl TryFrom<String> for Address {
    type Error = NotAnAddress;

    fn try_from(text: String) -> Result<Self, NotAnAddress> {
        Self::read(&text)
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.0
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_addresses_are_taken_and_nothing_else() {
        for good in ["ada@example.org", "a.b+c@x.co", "A'B@localhost", " ada@example.org\n"] {
            assert!(Address::read(good).is_ok(), "{good:?}");
        }
        let long = format!("{}@example.org", "a".repeat(65));
        for bad in [
            "",
            "ada",
            "@example.org",
            "ada@",
            "a@@b",
            "a b@c.d",
            ".a@b.c",
            "a..b@c.d",
            "a@b..c",
            "a@-b.c",
            "a@b\r\nBcc: x@y.z",
            "a,b@c.d",
            "\"a\"@b.c",
            "a@[127.0.0.1]",
            "<a@b.c>",
            "é@b.c",
            &long,
        ] {
            assert!(Address::read(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn neither_a_mail_nor_an_address_prints_what_it_holds() {
        let mail = Mail::Reset { token: "hunter2".to_owned(), minutes: 60 };
        let address = Address::read("ada@example.org").unwrap();
        assert_eq!(format!("{mail:?} {address:?}"), "Mail(reset) Address(…)");
        assert_eq!(serde_json::to_value(&mail).unwrap()["kind"], mail.kind());
    }
}
