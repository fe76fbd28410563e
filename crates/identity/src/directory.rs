//! The organisation's directory: sign-in through its own service (OpenID Connect), and accounts that come
//! and go as it says (SCIM 2.0).
//!
//! Called by the sign-in pages, the administration and `/scim/v2`. The invariants: a service proves who
//! somebody is (signature, issuer, audience, nonce, time) before anything here looks at what it says; people
//! are known by issuer and subject, never by e-mail; a directory makes nobody an owner and changes no owner;
//! provisioning sees and changes only what provisioning made.

mod admission;
mod config;
mod confirm;
pub(crate) mod fetch;
mod groups;
mod own_factor;
pub(crate) mod people;
mod proof;
mod provider;
mod sign_in;
pub(crate) mod tokens;
mod trial;

use std::fmt;

use domain::Timestamp;

use crate::{Config, Error, tickets::Tickets};

pub use config::{GroupRule, RoleRule, SsoConfig, check as check_sso};
pub use fetch::{Fetch, FetchFailed, HttpRequest, HttpResponse};
pub use groups::{GroupChange, ProvisionedGroup};
pub use people::{NewPerson, PersonChange, Provisioned};
pub use sign_in::{SsoAnswer, SsoBegun, SsoEnd};
pub use store::directory::people::{Email, Record};
pub use tokens::{NewScimToken, ScimTokenInfo};
pub use trial::try_tokens;

use provider::Provider;

/// Sign-ins under way at other services at once; the oldest makes way.
const MOST_UNDER_WAY: usize = 4096;

/// One sign-in service and how to reach it.
#[derive(Clone, Debug)]
pub struct Sso {
    /// What the configuration says.
    pub config: SsoConfig,
    /// How it is asked.
    pub fetch: Fetch,
}

/// Why a sign-in at another service did not end in a session here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SsoProblem {
    /// There is no such service.
    #[error("There is no such way to sign in. Go back and choose one of those offered.")]
    Unknown,
    /// It could not be asked.
    #[error("The sign-in service does not answer. Try again in a moment, or sign in with a password.")]
    Unreachable,
    /// It said no, or the person did.
    #[error("The sign-in service did not sign you in. Try again, or ask whoever runs it.")]
    Declined,
    /// The answer does not belong to a question this browser asked.
    #[error("This sign-in was not begun in this browser, was used already, or took too long. Start again.")]
    Stray,
    /// What it answered proves nothing.
    #[error(
        "The answer of the sign-in service could not be trusted, so nobody was signed in. Tell whoever runs this server; the log says why."
    )]
    Unproven,
    /// It knows them, we do not.
    #[error("You have no account here yet. Ask whoever runs this server to make one for you.")]
    NoAccount,
    /// Their organisation is not among those let in.
    #[error(
        "Your organisation's address is not among those that may sign in here. Sign in with another account."
    )]
    Elsewhere,
    /// An owner shows a factor of their own, and this one has none.
    #[error(
        "An owner signs in with a password or passkey of their own, or with a second factor they have here. No \
         other service stands in for it."
    )]
    OwnFactor,
    /// A confirmation was somebody else's.
    #[error("The sign-in service named somebody else. Confirm as the person who is signed in here.")]
    SomebodyElse,
    /// The account is closed.
    #[error("Your account here is closed. Ask whoever runs this server to open it again.")]
    Closed,
}

/// How a connection is doing, for the administration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Its name in addresses and variables.
    pub name: String,
    /// What its button says.
    pub label: String,
    /// The issuer.
    pub issuer: String,
    /// Where the service must send people back to.
    pub redirect_uri: String,
    /// When its documents were last read whole.
    pub last_good: Option<Timestamp>,
    /// What stood in the way at the last try.
    pub problem: Option<&'static str>,
    /// Whether people who are new here get an account.
    pub creates_accounts: bool,
    /// Whether some of its claims count as a second factor.
    pub honours_factors: bool,
}

/// What this room keeps for the directory while it runs.
pub(crate) struct Directory {
    providers: Vec<Provider>,
    under_way: Tickets<sign_in::UnderWay>,
    factors: Tickets<own_factor::FactorWanted>,
}

impl Directory {
    pub(crate) fn new(config: &Config) -> Result<Self, Error> {
        let life = i64::from(config.numbers.sso_minutes) * 60;
        let providers = config.sso.iter().map(|sso| Provider::new(sso.clone(), &config.address));
        Ok(Self {
            providers: providers.collect::<Result<_, _>>()?,
            under_way: Tickets::new(life, MOST_UNDER_WAY),
            factors: Tickets::new(life, MOST_UNDER_WAY),
        })
    }

    fn provider(&self, name: &str) -> Result<&Provider, Error> {
        let found = self.providers.iter().find(|provider| provider.config().name == name);
        found.ok_or(Error::Sso(SsoProblem::Unknown))
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Directory")
    }
}
