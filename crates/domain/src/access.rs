//! Who may do what: roles, actions, resources, and the permit that proves the question was asked.

use serde::{Deserialize, Serialize};

use crate::{Actor, Ctx, Job, enforced, id::UserId};

/// A set of rights an account holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Made the instance; administers it.
    Owner,
    /// Uses the assistant.
    User,
}

impl Role {
    /// Every role there is.
    pub const ALL: [Self; 2] = [Self::Owner, Self::User];

    /// The role as the store spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::User => "user",
        }
    }
}

/// The roles of one account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Roles(u32);

impl Roles {
    /// No role at all.
    pub const NONE: Self = Self(0);

    /// These roles and `role`.
    #[must_use]
    pub const fn with(self, role: Role) -> Self {
        Self(self.0 | 1 << role as u32)
    }

    /// Whether `role` is among them.
    #[must_use]
    pub const fn has(self, role: Role) -> bool {
        self.0 & (1 << role as u32) != 0
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        roles.into_iter().fold(Self::NONE, Self::with)
    }
}

/// What somebody wants to do. One word per right, not per route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Read conversations, messages, folders, the search index.
    ReadChat,
    /// Write, change or delete them.
    WriteChat,
    /// Ask a model, with or without a conversation.
    UseModel,
    /// See one's account, sessions, factors, API keys.
    ReadAccount,
    /// Change them.
    WriteAccount,
    /// See how the instance is doing: models, checks, findings.
    ReadInstance,
    /// Change how the instance works.
    WriteInstance,
    /// Recognise a credential. Only the system, before anybody is known.
    Authenticate,
}

impl Action {
    /// Every action there is, for the matrix test.
    pub const ALL: [Self; 8] = [
        Self::ReadChat,
        Self::WriteChat,
        Self::UseModel,
        Self::ReadAccount,
        Self::WriteAccount,
        Self::ReadInstance,
        Self::WriteInstance,
        Self::Authenticate,
    ];
}

/// What it is to be done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resource {
    /// Data of one person.
    Of(UserId),
    /// The instance as a whole.
    Instance,
}

/// The answer was no. It says nothing about whether the resource exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not yours to do")]
pub struct Denied {
    /// Whether signing in might change the answer.
    pub anonymous: bool,
}

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
            _ => Err(Denied { anonymous: false }),
        }
    }

    /// Checks that this permit is for `action` on the instance as a whole.
    ///
    /// # Errors
    /// [`Denied`] when the permit is for another action or for one person's data.
    pub fn instance(&self, action: Action) -> Result<(), Denied> {
        match self.resource {
            Resource::Instance if self.action == action => Ok(()),
            _ => Err(Denied { anonymous: false }),
        }
    }
}

/// Decides whether `ctx.actor` may do `action` to `resource`. What no rule allows is denied.
///
/// # Errors
/// [`Denied`] when no rule allows it.
pub fn authorize(ctx: &Ctx, action: Action, resource: Resource) -> Result<Permit, Denied> {
    let allowed = allows(&ctx.actor, action, resource);
    enforced!(ACC01);
    if !allowed {
        return Err(Denied { anonymous: ctx.actor == Actor::Anonymous });
    }
    Ok(Permit { actor: ctx.actor.clone(), action, resource })
}

/// The rules, as one table: a line per kind of actor.
fn allows(actor: &Actor, action: Action, resource: Resource) -> bool {
    use Action as A;
    match (actor, resource) {
        (Actor::Anonymous, _) => false,
        (Actor::Person { user, .. }, Resource::Of(owner)) => {
            // No role widens this: an owner reaches nobody else's data either.
            enforced!(ACC02);
            *user == owner && action != A::Authenticate
        }
        (Actor::Person { roles, .. }, Resource::Instance) => match action {
            A::ReadInstance | A::UseModel => true,
            A::WriteInstance => roles.has(Role::Owner),
            _ => false,
        },
        (Actor::ApiKey { user, .. }, Resource::Of(owner)) => *user == owner && action == A::UseModel,
        (Actor::ApiKey { .. }, Resource::Instance) => matches!(action, A::UseModel | A::ReadInstance),
        (Actor::System(job), _) => system_allows(*job, action),
    }
}

/// What each job of the system may do; no job may do everything.
fn system_allows(job: Job, action: Action) -> bool {
    use Action as A;
    match job {
        Job::Setup => matches!(action, A::WriteAccount | A::ReadInstance | A::WriteInstance),
        Job::Authentication => matches!(action, A::Authenticate | A::ReadAccount | A::WriteAccount),
        Job::Checks => matches!(action, A::ReadInstance | A::WriteInstance),
        Job::Turn => matches!(action, A::ReadChat | A::WriteChat | A::UseModel),
        Job::Upkeep => matches!(action, A::WriteAccount | A::WriteInstance),
    }
}
