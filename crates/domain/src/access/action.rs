//! What can be done, one word per right. Called wherever a permit is asked for.

/// What somebody wants to do. One word per right, not per route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Read conversations, messages, folders, the search index.
    ReadChat,
    /// Write, change or delete them.
    WriteChat,
    /// Ask a language model, with or without a conversation.
    UseModel,
    /// Turn texts into vectors.
    Embed,
    /// See one's account, sessions, factors, API keys.
    ReadAccount,
    /// Change settings of one's account, end sessions, leave.
    WriteAccount,
    /// Change what opens one's account: password, factors, API keys. Asks for a fresh confirmation.
    ManageCredentials,
    /// See how the instance is doing: models, checks, findings.
    ReadInstance,
    /// Change how the instance works.
    WriteInstance,
    /// Recognise a credential. Only the system, before anybody is known.
    Authenticate,
    /// See who has an account, with which roles, in which state. Never content.
    ReadPeople,
    /// Invite, deactivate, reactivate people; end their sessions.
    ManagePeople,
    /// Delete another person's account and all of its data.
    RemovePeople,
    /// Give and take roles; make roles of one's own.
    GrantRoles,
    /// Make groups, say what holds in them, put people in.
    ManageGroups,
    /// Read the audit log, findings, reviews: evidence without content.
    ReadEvidence,
    /// Begin access reviews and decide about grants.
    ReviewAccess,
    /// Agree to give somebody who lost their factors a way back.
    ApproveRecovery,
    /// Ask to read a person's content, with a written reason.
    RequestContent,
    /// Agree to such a request of somebody else.
    ApproveContent,
    /// Let addresses in or keep them out.
    ManageEdge,
    /// Connect single sign-on and provisioning.
    ManageDirectory,
    /// Have sound turned into words and words into sound. Rights are kept by their place in this list.
    Speech,
    /// See who is a customer of the voice desk, and open a record but for its restricted fields.
    ReadCustomers,
    /// Open the restricted fields of a customer's record.
    ReadRestricted,
    /// Bring customers in, and erase them.
    ManageCustomers,
    /// Find out whether a caller is the customer they say they are. Only the system.
    VerifyCustomer,
    /// Serve one customer, who proved who they are. Only the system.
    ServeCustomer,
    /// Have calls held as the voice desk's: with the tools that serve customers, and open to its staff.
    HoldDesk,
    /// See which calls of the voice desk run and how they ended. Never what was said.
    SeeCalls,
    /// Read along in a running call of the voice desk, take it over, end it.
    WatchCalls,
}

impl Action {
    /// Every action there is, for the matrix test.
    pub const ALL: [Self; 31] = [
        Self::ReadChat,
        Self::WriteChat,
        Self::UseModel,
        Self::Embed,
        Self::ReadAccount,
        Self::WriteAccount,
        Self::ManageCredentials,
        Self::ReadInstance,
        Self::WriteInstance,
        Self::Authenticate,
        Self::ReadPeople,
        Self::ManagePeople,
        Self::RemovePeople,
        Self::GrantRoles,
        Self::ManageGroups,
        Self::ReadEvidence,
        Self::ReviewAccess,
        Self::ApproveRecovery,
        Self::RequestContent,
        Self::ApproveContent,
        Self::ManageEdge,
        Self::ManageDirectory,
        Self::Speech,
        Self::ReadCustomers,
        Self::ReadRestricted,
        Self::ManageCustomers,
        Self::VerifyCustomer,
        Self::ServeCustomer,
        Self::HoldDesk,
        Self::SeeCalls,
        Self::WatchCalls,
    ];

    /// The action as policies and custom roles spell it, e.g. `read_people`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadChat => "read_chat",
            Self::WriteChat => "write_chat",
            Self::UseModel => "use_model",
            Self::Embed => "embed",
            Self::ReadAccount => "read_account",
            Self::WriteAccount => "write_account",
            Self::ManageCredentials => "manage_credentials",
            Self::ReadInstance => "read_instance",
            Self::WriteInstance => "write_instance",
            Self::Authenticate => "authenticate",
            Self::ReadPeople => "read_people",
            Self::ManagePeople => "manage_people",
            Self::RemovePeople => "remove_people",
            Self::GrantRoles => "grant_roles",
            Self::ManageGroups => "manage_groups",
            Self::ReadEvidence => "read_evidence",
            Self::ReviewAccess => "review_access",
            Self::ApproveRecovery => "approve_recovery",
            Self::RequestContent => "request_content",
            Self::ApproveContent => "approve_content",
            Self::ManageEdge => "manage_edge",
            Self::ManageDirectory => "manage_directory",
            Self::Speech => "speech",
            Self::ReadCustomers => "read_customers",
            Self::ReadRestricted => "read_restricted",
            Self::ManageCustomers => "manage_customers",
            Self::VerifyCustomer => "verify_customer",
            Self::ServeCustomer => "serve_customer",
            Self::HoldDesk => "hold_desk",
            Self::SeeCalls => "see_calls",
            Self::WatchCalls => "watch_calls",
        }
    }

    /// The action spelt `name`, as [`Action::as_str`] does.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == name)
    }

    /// Whether it is part of running an instance: only with a second factor shown in this session.
    #[must_use]
    pub const fn is_administrative(self) -> bool {
        matches!(
            self,
            Self::WriteInstance
                | Self::ReadPeople
                | Self::ManagePeople
                | Self::RemovePeople
                | Self::GrantRoles
                | Self::ManageGroups
                | Self::ReadEvidence
                | Self::ReviewAccess
                | Self::ApproveRecovery
                | Self::RequestContent
                | Self::ApproveContent
                | Self::ManageEdge
                | Self::ManageDirectory
                | Self::ReadCustomers
                | Self::ReadRestricted
                | Self::ManageCustomers
                | Self::HoldDesk
                | Self::SeeCalls
                | Self::WatchCalls
        )
    }

    /// Whether it is dangerous enough to be confirmed with a credential shown just now (step-up).
    #[must_use]
    pub const fn needs_step_up(self) -> bool {
        matches!(
            self,
            Self::ManageCredentials
                | Self::RemovePeople
                | Self::GrantRoles
                | Self::ApproveRecovery
                | Self::RequestContent
                | Self::ApproveContent
                | Self::ManageDirectory
                | Self::ReadRestricted
                | Self::ManageCustomers
        )
    }

    /// Whether a role of an organisation's own may carry it.
    #[must_use]
    pub const fn is_grantable(self) -> bool {
        self.is_administrative()
            || matches!(self, Self::ReadInstance | Self::UseModel | Self::Embed | Self::Speech)
    }
}
