//! What roles and rights are called where people read of them: the pages of roles and of reviews.

use domain::{Action, access::Role};
use identity::{Granted, Held};

/// A built-in role.
#[must_use]
pub const fn role(role: Role) -> &'static str {
    match role {
        Role::Owner => "Owner",
        Role::User => "User",
        Role::Administrator => "Administrator",
        Role::SecurityOfficer => "Security officer",
        Role::Auditor => "Auditor",
        Role::Supervisor => "Supervisor",
    }
}

/// What a built-in role is for.
#[must_use]
pub const fn role_text(role: Role) -> &'static str {
    match role {
        Role::Owner => "Made the instance and answers for it. Gives roles. There is always one.",
        Role::User => "Uses the assistant.",
        Role::Administrator => "Looks after people, groups and settings.",
        Role::SecurityOfficer => {
            "Reads evidence, reviews access, keeps addresses out, asks to read chats when it must be."
        }
        Role::Auditor => "Reads evidence and nothing else.",
        Role::Supervisor => "Leads a voice desk: its calls and its customers.",
    }
}

/// What somebody was given.
#[must_use]
pub fn grant_name(held: &Held, what: Granted) -> String {
    match what {
        Granted::BuiltIn(built_in) => role(built_in).to_owned(),
        Granted::Custom(id) => {
            held.custom(id).map_or_else(|| "A role that is deleted".to_owned(), |role| role.name.clone())
        }
    }
}

/// A right.
#[must_use]
pub const fn right(action: Action) -> &'static str {
    match action {
        Action::ReadChat => "Read one's chats",
        Action::WriteChat => "Write one's chats",
        Action::UseModel => "Ask the models",
        Action::Embed => "Turn texts into vectors",
        Action::ReadAccount => "See one's account",
        Action::WriteAccount => "Change one's account",
        Action::ManageCredentials => "Change how one signs in",
        Action::ReadInstance => "See how the instance is doing",
        Action::WriteInstance => "Change how the instance works",
        Action::Authenticate => "Recognise people",
        Action::ReadPeople => "See who has an account",
        Action::ManagePeople => "Invite people, let them in or not",
        Action::RemovePeople => "Delete people's accounts",
        Action::GrantRoles => "Give and take roles",
        Action::ManageGroups => "Make groups and put people in",
        Action::ReadEvidence => "Read evidence",
        Action::ReviewAccess => "Review who may do what",
        Action::ApproveRecovery => "Agree to give people a way back",
        Action::RequestContent => "Ask to read somebody's chats",
        Action::ApproveContent => "Agree that somebody's chats are read",
        Action::ManageEdge => "Keep addresses out",
        Action::ManageDirectory => "Connect a directory",
        Action::Speech => "Have speech written down and texts spoken",
        Action::ReadCustomers => "Open customers' records",
        Action::ReadRestricted => "Open what is restricted in them",
        Action::ManageCustomers => "Bring customers in, erase them",
        Action::VerifyCustomer => "Find out who calls",
        Action::ServeCustomer => "Serve one customer",
        Action::HoldDesk => "Have calls held by the voice desk",
        Action::SeeCalls => "See which calls run and how they ended",
        Action::WatchCalls => "Read along in calls, take them over",
    }
}
