//! Who may do what: roles, actions, resources, and the permit that proves the question was asked.

mod action;
mod gate;
mod roles;

use std::fmt;

use crate::{
    Actor, Ctx, Job, Timestamp, enforced,
    id::{CustomerId, UserId},
};

pub use action::Action;
pub use gate::{Gate, Question};
pub use roles::{Rights, Role, Roles};

/// What it is to be done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resource {
    /// Data of one person.
    Of(UserId),
    /// What is known about one customer of the voice desk.
    Customer(CustomerId),
    /// The instance as a whole.
    Instance,
}

/// What a session has shown about its person, beyond the first credential.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Shown {
    /// A second factor, or a passkey that verified its person, was shown in this session.
    pub second_factor: bool,
    /// Until when the last confirmation counts as fresh (step-up); the epoch when there was none.
    pub fresh_until: Timestamp,
}

/// Where a person stands: their roles, what an organisation's own roles add, and what they have shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Standing {
    /// The built-in roles.
    pub roles: Roles,
    /// What roles of an organisation's own add to them.
    pub extra: Rights,
    /// What this session has shown.
    pub shown: Shown,
}

impl Standing {
    /// `roles`, nothing added, nothing shown.
    #[must_use]
    pub fn of(roles: Roles) -> Self {
        Self { roles, ..Self::default() }
    }

    /// The same with a second factor shown, fresh until `fresh_until`.
    #[must_use]
    pub fn proven(mut self, fresh_until: Timestamp) -> Self {
        self.shown = Shown { second_factor: true, fresh_until };
        self
    }

    /// Everything these roles allow to be done to the instance.
    #[must_use]
    pub fn rights(&self) -> Rights {
        self.roles.rights().and(self.extra)
    }
}

/// What would turn a refusal into a yes, when the right itself is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Missing {
    /// Somebody must sign in first.
    SignIn,
    /// The session has shown no second factor.
    SecondFactor,
    /// The last confirmation is too long ago.
    StepUp,
}

/// The answer was no. It says nothing about whether the resource exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denied {
    /// What would help; `None`: nothing would.
    pub missing: Option<Missing>,
}

impl Denied {
    /// Nothing would help.
    pub const FLAT: Self = Self { missing: None };
    /// Signing in might help.
    pub const ANONYMOUS: Self = Self { missing: Some(Missing::SignIn) };
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.missing {
            None | Some(Missing::SignIn) => "this is not yours to do",
            Some(Missing::SecondFactor) => "this needs a second factor",
            Some(Missing::StepUp) => "this needs a fresh confirmation",
        })
    }
}

impl std::error::Error for Denied {}

/// Proof that [`authorize`] said yes to one action on one resource.
///
/// Its fields are private and it has no other maker, so a store function that takes `&Permit`
/// cannot be called by code that forgot to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    actor: Actor,
    action: Action,
    resource: Resource,
}

impl Permit {
    /// Who was permitted.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// What was permitted.
    #[must_use]
    pub fn action(&self) -> Action {
        self.action
    }

    /// The person whose data this permit opens.
    ///
    /// # Errors
    /// [`Denied`] when the permit is for another action or not for a person's data.
    pub fn subject(&self, action: Action) -> Result<UserId, Denied> {
        match self.resource {
            Resource::Of(user) if self.action == action => Ok(user),
            _ => Err(Denied::FLAT),
        }
    }

    /// The person whose data this permit opens, when it is for one of `actions`.
    ///
    /// # Errors
    /// [`Denied`] when the permit is for another action or not for a person's data.
    pub fn subject_of(&self, actions: &[Action]) -> Result<UserId, Denied> {
        if actions.contains(&self.action) { self.subject(self.action) } else { Err(Denied::FLAT) }
    }

    /// The customer whose record this permit opens.
    ///
    /// # Errors
    /// [`Denied`] when the permit is for another action or not for one customer.
    pub fn customer(&self, action: Action) -> Result<CustomerId, Denied> {
        match self.resource {
            Resource::Customer(customer) if self.action == action => Ok(customer),
            _ => Err(Denied::FLAT),
        }
    }

    /// Checks that this permit is for `action` on the instance as a whole.
    ///
    /// # Errors
    /// [`Denied`] when the permit is for another action or for one person's data.
    pub fn instance(&self, action: Action) -> Result<(), Denied> {
        match self.resource {
            Resource::Instance if self.action == action => Ok(()),
            _ => Err(Denied::FLAT),
        }
    }
}

/// Decides whether `ctx.actor` may do `action` to `resource`. What no rule allows is denied, and what
/// the rules allow is denied when an organisation's own policies ([`Gate`]) forbid it.
///
/// # Errors
/// [`Denied`] when no rule allows it, with what would help when the right itself is there.
pub fn authorize(ctx: &Ctx, action: Action, resource: Resource) -> Result<Permit, Denied> {
    let allowed = allows(&ctx.actor, action, resource, ctx.now());
    enforced!(ACC01);
    if !allowed {
        let missing = (ctx.actor == Actor::Anonymous).then_some(Missing::SignIn);
        return Err(Denied { missing });
    }
    if let Some(missing) = missing(&ctx.actor, action, ctx.now()) {
        return Err(Denied { missing: Some(missing) });
    }
    if !ctx.gate().allows(&Question { ctx, action, resource }) {
        return Err(Denied::FLAT);
    }
    Ok(Permit { actor: ctx.actor.clone(), action, resource })
}

/// What a person who holds the right must show before they may use it.
fn missing(actor: &Actor, action: Action, now: Timestamp) -> Option<Missing> {
    let Actor::Person { standing, .. } = actor else { return None };
    let shown = standing.shown;
    let missing = if action.is_administrative() && !shown.second_factor {
        Missing::SecondFactor
    } else if action.needs_step_up() && now >= shown.fresh_until {
        Missing::StepUp
    } else {
        return None;
    };
    enforced!(AUT08);
    Some(missing)
}

/// The rules, as one table: a line per kind of actor.
fn allows(actor: &Actor, action: Action, resource: Resource, now: Timestamp) -> bool {
    use Action as A;
    match (actor, resource) {
        (Actor::Anonymous, _) => false,
        (Actor::Person { user, standing, .. }, Resource::Of(owner)) => {
            // No role widens this: an owner reaches nobody else's data either.
            enforced!(ACC02);
            *user == owner && is_personal(action, standing.rights())
        }
        (Actor::Person { standing, .. }, Resource::Instance) => {
            action.is_grantable() && standing.rights().has(action)
        }
        (Actor::ApiKey { user, scopes, .. }, Resource::Of(owner)) => {
            *user == owner && matches!(action, A::UseModel | A::Embed | A::Speech) && scopes.has(action)
        }
        (Actor::ApiKey { scopes, .. }, Resource::Instance) => {
            matches!(action, A::UseModel | A::Embed | A::Speech | A::ReadInstance | A::HoldDesk)
                && scopes.has(action)
        }
        // Reading is all that a broken glass allows: one person's chats, until its time is over.
        (Actor::BreakGlass { subject, until, .. }, Resource::Of(owner)) => {
            *subject == owner && action == A::ReadChat && now < *until
        }
        (Actor::BreakGlass { .. }, Resource::Instance) => false,
        // One customer's record is opened for a caller who proved to be that customer, by the desk's own job
        // and by nothing else; staff hold rights on the register as a whole.
        (Actor::System(Job::Desk), Resource::Customer(_)) => {
            enforced!(CUS04);
            action == A::ServeCustomer
        }
        (_, Resource::Customer(_)) => false,
        (Actor::System(job), _) => system_allows(*job, action),
    }
}

/// What people do to what is theirs: asking a model takes the right to use one, the rest is everybody's.
fn is_personal(action: Action, rights: Rights) -> bool {
    use Action as A;
    match action {
        A::UseModel | A::Embed | A::Speech => rights.has(action),
        A::ReadChat | A::WriteChat | A::ReadAccount | A::WriteAccount | A::ManageCredentials => true,
        _ => false,
    }
}

/// What each job of the system may do; no job may do everything.
fn system_allows(job: Job, action: Action) -> bool {
    use Action as A;
    match job {
        Job::Setup => {
            matches!(action, A::WriteAccount | A::ManageCredentials | A::ReadInstance | A::WriteInstance)
        }
        Job::Authentication => {
            matches!(action, A::Authenticate | A::ReadAccount | A::WriteAccount | A::ManageCredentials)
        }
        Job::Checks => matches!(action, A::ReadInstance | A::WriteInstance),
        Job::Turn => matches!(action, A::ReadChat | A::WriteChat | A::UseModel | A::Speech),
        Job::Upkeep => {
            matches!(
                action,
                A::WriteAccount | A::WriteInstance | A::ReviewAccess | A::ManageEdge | A::ManageCustomers
            )
        }
        Job::Operator => matches!(action, A::ManageEdge | A::ManageCustomers),
        Job::Desk => matches!(action, A::VerifyCustomer | A::HoldDesk),
        Job::Mail => matches!(action, A::ReadAccount),
        Job::Provisioning => {
            matches!(
                action,
                A::ReadPeople | A::ManagePeople | A::ManageGroups | A::ReadAccount | A::WriteAccount
            )
        }
    }
}
