//! Who you are: setup, passwords, factors, sessions, API keys.
//!
//! Called by `web` (pages, the API's callers) and `server` (the setup code, the sweep). Every public
//! function takes a [`Ctx`](domain::Ctx); what concerns a person acts for `ctx.actor` alone. The
//! invariants of the room stand at the head of each file; the two that span them: nothing that opens
//! a door (password, code, token, key) is kept in a form that opens it, and a caller learns the same
//! from an unknown name as from a wrong password.

mod access_tokens;
mod account;
mod addresses;
mod advice;
mod api_keys;
mod break_glass;
mod call_tickets;
mod ceremonies;
mod codes;
mod config;
mod directory;
mod emails;
mod error;
mod factors;
mod gate;
mod groups;
mod invitations;
mod notices;
mod passkeys;
mod passwords;
mod people;
mod permits;
mod presence;
mod recognise;
mod recover;
mod recovery;
mod refresh_tokens;
mod reset;
mod reviews;
mod roles;
mod second_person;
mod sessions;
mod setup;
mod sign_in;
mod step_up;
mod strangers;
mod throttle;
mod tickets;
mod tokens;
mod totp;
mod touches;
mod turns;
mod uses;
mod visits;
mod workers;

use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use domain::{access::Gate, control::Numbers};
use store::Store;

pub use addresses::{AddressProblem, AddressRule, AddressStamp, NewAddressRule, Verdict};
pub use advice::Advice;
pub use api_keys::{ApiKeyInfo, KeyState, KeyWish, NewApiKey, PREFIX as API_KEY_PREFIX};
pub use break_glass::{Asked, MIN_REASON_CHARS, MOST_REASON_CHARS};
pub use call_tickets::{CallTerms, NewCallTicket, SeenTicket, TICKET_PREFIX};
pub use config::{Config, Hashing, Require};
pub use directory::{
    Connection, Email, Fetch, FetchFailed, GroupChange, GroupRule, HttpRequest, HttpResponse, NewPerson,
    NewScimToken, PersonChange, Provisioned, ProvisionedGroup, Record, RoleRule, ScimTokenInfo, Sso,
    SsoAnswer, SsoBegun, SsoConfig, SsoEnd, SsoProblem, check_sso, try_tokens,
};
pub use domain::password::Profile;
pub use error::{Error, Unfit, Waiting};
pub use factors::{Factors, PasskeyInfo};
pub use gate::{Policies, PolicyProblem};
pub use groups::Group;
pub use invitations::{Accepted, InvitationInfo, Invited, Offer};
pub use notices::{Notices, RecoveryNotice};
pub use passkeys::Challenge;
pub use people::{PersonInfo, PersonPage};
pub use recognise::{Presented, Recognised, Tokens};
pub use recover::{OpenRecovery, RecoveryAsked};
pub use reviews::{Overview, ReviewPage};
pub use roles::Held;
pub use sessions::{NewSession, SessionInfo};
pub use setup::{SetupDone, SetupPending};
pub use sign_in::Next;
pub use step_up::{Proof, Ways};
pub use store::{
    accounts::{Account, Settings},
    content_requests::{ContentRequest, Opened, State as RequestState},
    notices::Notice as News,
    outbox::{Listed as ListedMail, State as MailState},
    reviews::{Item, Review, Subject, Verdict as ReviewVerdict, hash_of},
    roles::{CustomRole, Grant, Granted, Holder},
};

use access_tokens::Ring;
use ceremonies::Ceremonies;
use directory::Directory;
use passwords::Passwords;
use throttle::Throttle;
use tickets::Tickets;
use touches::Touches;
use turns::Turns;
use uses::Uses;

/// The room's one door. Cheap to clone; all clones share what is under way.
#[derive(Clone)]
pub struct Identity(Arc<Inner>);

struct Inner {
    store: Store,
    config: Config,
    passwords: Passwords,
    advice: Turns,
    throttle: Throttle,
    setups: Tickets<setup::Pending>,
    sign_ins: Tickets<sign_in::Pending>,
    enrolments: Tickets<factors::Enrolling>,
    ceremonies: Ceremonies,
    acceptances: Tickets<invitations::Pending>,
    resets: reset::Pace,
    /// The hash of the setup code that counts, while there is no account.
    setup_code: Mutex<Option<tokens::Hash>>,
    /// There is an account; stays true, so that setup never opens again while this runs.
    settled: AtomicBool,
    touches: Touches,
    ring: Ring,
    directory: Directory,
    uses: Arc<Uses>,
    gate: Gate,
}

impl Identity {
    /// Opens the room on `store`.
    ///
    /// # Errors
    /// [`Error::Broken`] when Argon2 does not accept the configured parameters, or there is no thread for it.
    pub fn new(store: Store, config: Config) -> Result<Self, Error> {
        let uses = Arc::new(Uses::default());
        Ok(Self(Arc::new(Inner {
            passwords: Passwords::new(store.clone(), config.hashing, config.pepper)?,
            ceremonies: Ceremonies::new(&config)?,
            enrolments: Tickets::new(factors::LIFE_S, factors::MOST),
            advice: Turns::new(advice::AT_ONCE, advice::WAITING)?,
            throttle: Throttle::new(config.numbers.failures_before_throttle),
            setups: Tickets::new(setup::LIFE_S, setup::MOST),
            sign_ins: Tickets::new(sign_in::LIFE_S, sign_in::MOST),
            acceptances: Tickets::new(setup::LIFE_S, invitations::MOST),
            resets: reset::Pace::default(),
            setup_code: Mutex::new(None),
            settled: AtomicBool::new(false),
            touches: Touches::default(),
            ring: Ring::default(),
            directory: Directory::new(&config)?,
            gate: gate::gate(config.policies.clone(), uses.clone()),
            uses,
            store,
            config,
        })))
    }

    /// The numbers of the policy this works by.
    #[must_use]
    pub fn numbers(&self) -> &Numbers {
        &self.0.config.numbers
    }

    /// How passwords are hashed.
    #[must_use]
    pub fn hashing(&self) -> Hashing {
        self.0.config.hashing
    }

    /// How many Argon2 hashes were computed since the start.
    #[must_use]
    pub fn hashes(&self) -> u64 {
        self.0.passwords.runs()
    }

    fn store(&self) -> &Store {
        &self.0.store
    }

    fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    fn advice(&self) -> &Turns {
        &self.0.advice
    }

    fn throttle(&self) -> &Throttle {
        &self.0.throttle
    }

    /// What stands before everything the rules allow: the organisation's own policies. Whoever makes a
    /// [`domain::Ctx`] for a request puts it behind this.
    #[must_use]
    pub fn gate(&self) -> Gate {
        self.0.gate.clone()
    }

    fn uses(&self) -> &Uses {
        &self.0.uses
    }

    fn touches(&self) -> &Touches {
        &self.0.touches
    }

    fn ring(&self) -> &Ring {
        &self.0.ring
    }

    fn directory(&self) -> &Directory {
        &self.0.directory
    }

    fn address(&self) -> &str {
        &self.0.config.address
    }

    fn setups(&self) -> &Tickets<setup::Pending> {
        &self.0.setups
    }

    fn sign_ins(&self) -> &Tickets<sign_in::Pending> {
        &self.0.sign_ins
    }

    fn enrolments(&self) -> &Tickets<factors::Enrolling> {
        &self.0.enrolments
    }

    fn ceremonies(&self) -> &Ceremonies {
        &self.0.ceremonies
    }

    fn acceptances(&self) -> &Tickets<invitations::Pending> {
        &self.0.acceptances
    }

    fn resets(&self) -> &reset::Pace {
        &self.0.resets
    }

    fn config(&self) -> &Config {
        &self.0.config
    }

    fn setup_code(&self) -> &Mutex<Option<tokens::Hash>> {
        &self.0.setup_code
    }

    fn issuer(&self) -> &str {
        &self.0.config.issuer
    }

    fn answer_grid(&self) -> Duration {
        self.0.config.answer_grid
    }

    fn is_settled(&self) -> bool {
        self.0.settled.load(Ordering::Acquire)
    }

    fn set_settled(&self) {
        self.0.settled.store(true, Ordering::Release);
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}
