//! Who acts, when, and under which request: the first argument of every service function.

use std::{fmt, net::IpAddr, sync::Arc};

use crate::{
    Timestamp,
    access::{Gate, Rights, Standing},
    bounds::Bounds,
    id::{ApiKeyId, ContentRequestId, RequestId, SessionId, UserId},
};

/// A source of the current time. The server gives the real one, tests a fixed one.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// A clock that asks `now` each time.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The current time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

/// Fills a buffer with randomness.
type Fill = dyn Fn(&mut [u8]) + Send + Sync;

/// A source of cryptographically secure random bytes.
#[derive(Clone)]
pub struct Entropy(Arc<Fill>);

impl Entropy {
    /// A source that lets `fill` fill a buffer; it must not return when it cannot.
    pub fn new(fill: impl Fn(&mut [u8]) + Send + Sync + 'static) -> Self {
        Self(Arc::new(fill))
    }

    /// `N` fresh random bytes.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut buffer = [0; N];
        (self.0)(&mut buffer);
        buffer
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy")
    }
}

/// Work the system does on its own account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Job {
    /// First start: keys, tables, the first account's setup code.
    Setup,
    /// Looking up who a credential belongs to, before anybody is known.
    Authentication,
    /// Running the checks of the policy.
    Checks,
    /// Finishing an answer after its person has left.
    Turn,
    /// Ending what has expired.
    Upkeep,
    /// Sending what waits in the outbox.
    Mail,
    /// Doing what an organisation's directory says about its people (SCIM, single sign-on).
    Provisioning,
    /// Serving a caller of the voice desk who has to prove, or has proved, which customer they are.
    Desk,
    /// What whoever runs the machine asks a running instance for, over its control socket.
    Operator,
}

/// Who is behind a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Nobody we know.
    Anonymous,
    /// A person in a signed-in browser.
    Person {
        /// The account.
        user: UserId,
        /// The session it acts through.
        session: SessionId,
        /// What the account may do, and what this session has shown.
        standing: Standing,
    },
    /// A program with a personal API key.
    ApiKey {
        /// The account the key belongs to.
        user: UserId,
        /// The key.
        key: ApiKeyId,
        /// What the key may do; never more than its person.
        scopes: Rights,
    },
    /// A member of staff reading one person's chats, with a written reason, another's agreement and a
    /// time limit, and so that the person sees it.
    BreakGlass {
        /// Who reads.
        user: UserId,
        /// Whose chats.
        subject: UserId,
        /// The request that was agreed to.
        request: ContentRequestId,
        /// When it is over.
        until: Timestamp,
    },
    /// The system itself.
    System(Job),
}

impl Actor {
    /// The account behind this actor, if there is one.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        match self {
            Self::Person { user, .. } | Self::ApiKey { user, .. } | Self::BreakGlass { user, .. } => {
                Some(*user)
            }
            Self::Anonymous | Self::System(_) => None,
        }
    }

    /// How the audit log names this actor: a kind and, for accounts, an identifier without meaning.
    #[must_use]
    pub fn audit_name(&self) -> String {
        match self {
            Self::Anonymous => "anonymous".to_owned(),
            Self::Person { user, .. } => format!("person:{user}"),
            Self::ApiKey { key, .. } => format!("key:{key}"),
            Self::BreakGlass { user, request, .. } => format!("break-glass:{request}:{user}"),
            Self::System(job) => format!("system:{job:?}").to_lowercase(),
        }
    }
}

/// The circumstances of one piece of work.
#[derive(Clone, Debug)]
pub struct Ctx {
    /// Who acts.
    pub actor: Actor,
    /// The request this belongs to; people quote it when something fails.
    pub request: RequestId,
    /// When the caller stops waiting, if it will.
    pub deadline: Option<Timestamp>,
    /// Where the request came from, as the edge sees it; `None` for the system's own work.
    pub address: Option<IpAddr>,
    /// What the groups of the actor's account say.
    pub bounds: Arc<Bounds>,
    gate: Gate,
    clock: Clock,
    entropy: Entropy,
}

impl Ctx {
    /// Begins a piece of work for `actor` with a fresh request id.
    #[must_use]
    pub fn new(actor: Actor, clock: Clock, entropy: Entropy) -> Self {
        let millis = u64::try_from(clock.now().0 / 1000).unwrap_or(0);
        let request = uuid::Builder::from_unix_timestamp_millis(millis, &entropy.bytes::<10>()).into_uuid();
        let (deadline, address, bounds, gate) = (None, None, Arc::default(), Gate::OPEN);
        Self { actor, request: RequestId(request), deadline, address, bounds, gate, clock, entropy }
    }

    /// The same circumstances behind `gate`.
    #[must_use]
    pub fn behind(self, gate: Gate) -> Self {
        Self { gate, ..self }
    }

    /// The policies an organisation put before what the rules allow.
    #[must_use]
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// The same circumstances with another actor, as when a credential has been recognised.
    #[must_use]
    pub fn acting_as(&self, actor: Actor) -> Self {
        Self { actor, ..self.clone() }
    }

    /// The current time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// `N` fresh random bytes.
    #[must_use]
    pub fn random<const N: usize>(&self) -> [u8; N] {
        self.entropy.bytes()
    }

    /// The clock, for work that outlives this request.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The randomness, for work that outlives this request.
    #[must_use]
    pub fn entropy(&self) -> &Entropy {
        &self.entropy
    }
}
