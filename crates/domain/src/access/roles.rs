//! Roles, and the rights each of them carries. Called by [`authorize`](crate::authorize); `identity` and
//! `store` spell and grant them. A role widens what one may do to the instance, never to another person.

use serde::{Deserialize, Serialize};

use super::Action;

/// A set of rights an account holds under a name of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Made the instance; answers for it.
    Owner,
    /// Uses the assistant.
    User,
    /// Runs it from day to day: people, groups, settings.
    Administrator,
    /// Watches over it: evidence, reviews, addresses, break-glass.
    SecurityOfficer,
    /// Reads evidence, never content.
    Auditor,
    /// Leads a voice desk.
    Supervisor,
}

impl Role {
    /// Every role there is.
    pub const ALL: [Self; 6] = [
        Self::Owner,
        Self::User,
        Self::Administrator,
        Self::SecurityOfficer,
        Self::Auditor,
        Self::Supervisor,
    ];

    /// The role as the store and tokens spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::User => "user",
            Self::Administrator => "administrator",
            Self::SecurityOfficer => "security_officer",
            Self::Auditor => "auditor",
            Self::Supervisor => "supervisor",
        }
    }

    /// The role spelt `name`, as [`Role::as_str`] does.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }

    /// Whether it carries a right that is no ordinary user's. Its holder needs a second factor.
    #[must_use]
    pub fn is_administrative(self) -> bool {
        !self.rights().minus(Self::User.rights()).is_empty()
    }

    /// What this role allows to be done to the instance.
    #[must_use]
    pub const fn rights(self) -> Rights {
        use Action as A;
        let everyone = Rights::NONE.with(A::ReadInstance).with(A::UseModel).with(A::Embed).with(A::Speech);
        match self {
            Self::User => everyone,
            Self::Owner => everyone
                .with(A::WriteInstance)
                .with(A::ReadPeople)
                .with(A::ManagePeople)
                .with(A::RemovePeople)
                .with(A::GrantRoles)
                .with(A::ManageGroups)
                .with(A::ReadEvidence)
                .with(A::ReviewAccess)
                .with(A::ApproveRecovery)
                .with(A::ApproveContent)
                .with(A::ManageEdge)
                .with(A::ManageDirectory)
                .with(A::ReadCustomers)
                .with(A::ManageCustomers)
                .with(A::HoldDesk)
                .with(A::SeeCalls),
            Self::Administrator => everyone
                .with(A::WriteInstance)
                .with(A::ReadPeople)
                .with(A::ManagePeople)
                .with(A::RemovePeople)
                .with(A::ManageGroups)
                .with(A::ApproveRecovery)
                .with(A::ManageDirectory),
            Self::SecurityOfficer => everyone
                .with(A::ReadPeople)
                .with(A::ReadEvidence)
                .with(A::ReviewAccess)
                .with(A::ApproveRecovery)
                .with(A::RequestContent)
                .with(A::ApproveContent)
                .with(A::ManageEdge),
            Self::Auditor => Rights::NONE.with(A::ReadInstance).with(A::ReadEvidence),
            Self::Supervisor => everyone
                .with(A::ReadPeople)
                .with(A::ReadCustomers)
                .with(A::ReadRestricted)
                .with(A::ManageCustomers)
                .with(A::HoldDesk)
                .with(A::SeeCalls)
                .with(A::WatchCalls),
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

    /// These roles but `role`.
    #[must_use]
    pub const fn without(self, role: Role) -> Self {
        Self(self.0 & !(1 << role as u32))
    }

    /// Whether `role` is among them.
    #[must_use]
    pub const fn has(self, role: Role) -> bool {
        self.0 & (1 << role as u32) != 0
    }

    /// The roles one by one.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.has(*role))
    }

    /// Whether one of them is administrative.
    #[must_use]
    pub fn are_administrative(self) -> bool {
        self.iter().any(Role::is_administrative)
    }

    /// What they allow together.
    #[must_use]
    pub fn rights(self) -> Rights {
        self.iter().fold(Rights::NONE, |rights, role| rights.and(role.rights()))
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        roles.into_iter().fold(Self::NONE, Self::with)
    }
}

/// A set of actions on the instance: what a role allows, built in or an organisation's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rights(u64);

impl Rights {
    /// No right at all.
    pub const NONE: Self = Self(0);

    /// These rights and `action`.
    #[must_use]
    pub const fn with(self, action: Action) -> Self {
        Self(self.0 | 1 << action as u32)
    }

    /// Whether `action` is among them.
    #[must_use]
    pub const fn has(self, action: Action) -> bool {
        self.0 & (1 << action as u32) != 0
    }

    /// These and those.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These but not those.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The actions one by one.
    pub fn iter(self) -> impl Iterator<Item = Action> {
        Action::ALL.into_iter().filter(move |action| self.has(*action))
    }
}

impl FromIterator<Action> for Rights {
    fn from_iter<I: IntoIterator<Item = Action>>(actions: I) -> Self {
        actions.into_iter().fold(Self::NONE, Self::with)
    }
}
