//! What the audit log says: content-free entries, and the hash that chains them.

use serde::{Deserialize, Serialize};

/// A kind of act worth remembering. The names are stable: they stand in exported logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Act {
    /// The store was made.
    InstanceCreated,
    /// An account was made.
    AccountCreated,
    /// A password was set or changed.
    PasswordSet,
    /// A factor (TOTP, recovery codes) was added or replaced.
    FactorSet,
    /// A factor was proven on the way to a session, which then waits for a new password.
    FactorUsed,
    /// Somebody signed in.
    SignedIn,
    /// A sign-in failed. Without a target: for names nobody has, at most once a minute, with how many.
    SignInFailed,
    /// A session ended.
    SessionEnded,
    /// An API key was made.
    ApiKeyCreated,
    /// An API key was revoked.
    ApiKeyRevoked,
    /// An API key got a successor and an end.
    ApiKeyRotated,
    /// A ticket for a voice call was made.
    CallTicketGiven,
    /// A ticket opened a voice call.
    CallTicketUsed,
    /// A ticket was shown that had been used or had ended, from another origin, or after its key.
    CallTicketRefused,
    /// Somebody confirmed who they are within a session (step-up).
    StepUpConfirmed,
    /// A refresh token was presented again after its successor was in use; its session ended.
    TokenReused,
    /// A factor was taken away.
    FactorRemoved,
    /// The counter of a passkey went back, so there may be two of it; it is out of use.
    PasskeySuspended,
    /// Somebody who lost their factors asked for a way back.
    RecoveryRequested,
    /// Somebody agreed to it.
    RecoveryApproved,
    /// Somebody said no to it, or its person called it off.
    RecoveryRefused,
    /// The way back was used.
    RecoveryUsed,
    /// Somebody was invited.
    InvitationSent,
    /// An invitation became an account.
    InvitationAccepted,
    /// An invitation was taken back.
    InvitationWithdrawn,
    /// An e-mail address was confirmed by its owner, or changed.
    EmailChanged,
    /// A way to a new password was asked for. Without a target: for addresses nobody has, at most once a
    /// minute, with how many.
    ResetRequested,
    /// An account may not sign in any more.
    AccountDeactivated,
    /// An account may sign in again.
    AccountReactivated,
    /// An account and all of its data were deleted.
    AccountDeleted,
    /// The roles of an account changed.
    RolesChanged,
    /// A role of an organisation's own was made, changed or deleted.
    CustomRoleChanged,
    /// A group was made, changed or deleted.
    GroupChanged,
    /// Somebody was put into a group or taken out.
    MembershipChanged,
    /// Somebody asked to read a person's content.
    ContentRequested,
    /// Somebody else agreed to it.
    ContentApproved,
    /// Somebody else refused it, or it was called off.
    ContentRefused,
    /// Content was read under such a request.
    ContentRead,
    /// An access review began.
    ReviewBegun,
    /// A grant was confirmed or revoked in a review.
    ReviewDecided,
    /// An access review ended.
    ReviewClosed,
    /// A grant nobody confirmed in time ended.
    GrantLapsed,
    /// An address was let in or kept out, or that ended.
    AddressesChanged,
    /// The connection to a directory (single sign-on, provisioning) changed.
    DirectoryChanged,
    /// An e-mail was put into the outbox.
    MailQueued,
    /// E-mails are about to be handed to the mail server.
    MailTried,
    /// An e-mail could not be handed over; it will be tried again.
    MailPutOff,
    /// An e-mail was handed to the mail server.
    MailSent,
    /// An e-mail was given up.
    MailFailed,
    /// What had ended by itself (links, invitations, counts of use, sent mail) was cleared away.
    Swept,
    /// A conversation was begun, renamed, moved, pinned, archived.
    ConversationChanged,
    /// Conversations were deleted.
    ConversationDeleted,
    /// A message was written.
    MessageWritten,
    /// A message was deleted.
    MessageDeleted,
    /// A message that was not finished was kept, because a session was about to end.
    DraftKept,
    /// Such a message was sent, or its time was over.
    DraftDropped,
    /// A folder was made, renamed or deleted.
    FolderChanged,
    /// Customers were brought into the register of the voice desk.
    CustomersImported,
    /// Staff looked at the list of customers.
    CustomersListed,
    /// A customer's record was opened.
    CustomerOpened,
    /// The restricted fields of a customer's record were opened.
    RestrictedOpened,
    /// A caller proved to be this customer.
    CustomerVerified,
    /// A caller did not. Without a target: nobody is known by what they said.
    CustomerNotVerified,
    /// Somebody tried to show which customer they are, or asked for a code; what came of it follows.
    CustomerVerificationTried,
    /// A code was sent to a customer, or would have been if there were one.
    CustomerCodeSent,
    /// An appointment was made for a customer.
    AppointmentMade,
    /// Staff began to read along in a call of the voice desk.
    CallWatched,
    /// Staff took a call over from the agent.
    CallTakenOver,
    /// A call went back to the agent: staff gave it, or left.
    CallHandedBack,
    /// Staff ended a call.
    CallEndedByStaff,
    /// A call of the voice desk ended; how is kept.
    CallEnded,
    /// Staff said what a call was about.
    CallSorted,
    /// A customer's record and its key were destroyed.
    CustomerErased,
    /// Restricted fields of customers were removed because their time was over.
    RestrictedRemoved,
    /// Conversations were exported.
    Exported,
    /// Conversations were imported.
    Imported,
    /// A person put notices about their account away.
    NoticesPutAway,
    /// Settings of the instance were changed.
    SettingsChanged,
    /// Findings were recorded.
    FindingsRecorded,
    /// A check wrote something of its own, to see whether it is noted here.
    Probed,
    /// Sealed rows were re-sealed or keys re-wrapped.
    KeysRotated,
    /// Somebody agreed to purposes of the letter about voice.
    ConsentGiven,
    /// Somebody took back what they had agreed to.
    ConsentWithdrawn,
}

impl Act {
    /// The act as the log spells it.
    #[must_use]
    pub fn name(self) -> String {
        serde_json::to_value(self).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// Whether somebody may be let out by it: after it, whatever stays open asks whether it still may.
    #[must_use]
    pub const fn may_end_access(self) -> bool {
        matches!(
            self,
            Self::SessionEnded
                | Self::PasswordSet
                | Self::TokenReused
                | Self::RecoveryUsed
                | Self::ApiKeyRevoked
                | Self::ApiKeyRotated
                | Self::AccountDeactivated
                | Self::AccountDeleted
                | Self::RolesChanged
                | Self::CustomRoleChanged
                | Self::GrantLapsed
                | Self::DirectoryChanged
        )
    }
}

/// What a write transaction must leave behind. No content, no names, no addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What was done.
    pub act: Act,
    /// To which record: an identifier without meaning, or empty.
    pub target: String,
    /// How many records, when more than one.
    pub count: u32,
}

impl Entry {
    /// An entry about one record.
    pub fn new(act: Act, target: impl ToString) -> Self {
        Self { act, target: target.to_string(), count: 1 }
    }

    /// The same entry about `count` records.
    #[must_use]
    pub fn times(mut self, count: usize) -> Self {
        self.count = u32::try_from(count).unwrap_or(u32::MAX);
        self
    }
}
