//! Relying parties and the ceremonies under way: what this server asked an authenticator.
//!
//! Called by [`crate::passkeys`]. The invariants: what was asked never leaves the server and is answered
//! once, rightly or wrongly; a relying party is one of the configured host names, and answers are taken
//! from its configured addresses alone, ports included.

use std::collections::BTreeMap;

use domain::id::{SessionId, UserId};
use webauthn_rs::prelude::{
    DiscoverableAuthentication, PasskeyAuthentication, PasskeyRegistration, Url, Webauthn, WebauthnBuilder,
};

use crate::{Config, Error, tickets::Tickets};

/// Seconds a person has to use their authenticator.
pub(crate) const LIFE_S: i64 = 5 * 60;
/// Ceremonies under way at the same time; anybody may begin one, so the oldest makes way.
const MOST: usize = 4096;

/// What was asked, and of whom.
pub(crate) enum Asked {
    /// To make a passkey for this person.
    Make {
        /// The person.
        user: UserId,
        /// What was asked.
        state: PasskeyRegistration,
    },
    /// To show any passkey that it holds for us: sign-in without a name.
    Any(DiscoverableAuthentication),
    /// To show one of this person's: after their password, or to confirm who they are.
    One {
        /// The person.
        user: UserId,
        /// The session that is to be confirmed; none at a sign-in.
        session: Option<SessionId>,
        /// What was asked.
        state: PasskeyAuthentication,
    },
}

/// A ceremony under way.
pub(crate) struct Ceremony {
    /// The host name it belongs to.
    pub(crate) party: String,
    /// What was asked.
    pub(crate) asked: Asked,
}

/// The relying parties, and what each has asked.
pub(crate) struct Ceremonies {
    parties: BTreeMap<String, Webauthn>,
    /// Held between the question and its one answer.
    pub(crate) under_way: Tickets<Ceremony>,
}

impl Ceremonies {
    /// A relying party for each host name of the configured addresses.
    ///
    /// # Errors
    /// [`Error::Broken`] when an address is none, or has no host name.
    pub(crate) fn new(config: &Config) -> Result<Self, Error> {
        let wrong = || Error::Broken("a configured passkey origin is no https address with a host name");
        let mut origins: BTreeMap<String, Vec<Url>> = BTreeMap::new();
        for text in &config.passkey_origins {
            let origin = Url::parse(text).ok().filter(|url| url.scheme() == "https").ok_or_else(wrong)?;
            let name = origin.domain().ok_or_else(wrong)?.to_owned();
            origins.entry(name).or_default().push(origin);
        }
        let mut parties = BTreeMap::new();
        for (name, origins) in origins {
            let Some((first, more)) = origins.split_first() else { continue };
            let builder = WebauthnBuilder::new(&name, first).map_err(|_| wrong())?;
            let builder = more.iter().fold(builder, WebauthnBuilder::append_allowed_origin);
            let life = std::time::Duration::from_secs(LIFE_S.unsigned_abs());
            let party = builder.rp_name(&config.issuer).timeout(life).build().map_err(|_| wrong())?;
            parties.insert(name, party);
        }
        Ok(Self { parties, under_way: Tickets::new(LIFE_S, MOST) })
    }

    /// The relying party of the host name `host`.
    ///
    /// # Errors
    /// [`Error::NoPasskeysHere`] when there is none, as at an address.
    pub(crate) fn party(&self, host: &str) -> Result<&Webauthn, Error> {
        self.parties.get(host).ok_or(Error::NoPasskeysHere)
    }
}
