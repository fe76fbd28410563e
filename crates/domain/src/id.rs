//! Identifiers: time-ordered UUIDs (version 7, RFC 9562), one type per noun.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Ctx;

/// The text was not an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier: expected 36 characters like 01890a5d-ac96-774b-bcce-b302099a8057")]
pub struct NotAnId;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A fresh identifier, from the clock and randomness of `ctx`.
            #[must_use]
            pub fn fresh(ctx: &Ctx) -> Self {
                let millis = u64::try_from(ctx.now().0 / 1000).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &ctx.random::<10>()).into_uuid())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                if text.len() != 36 { return Err(NotAnId); }
                Uuid::from_str(text).map(Self).map_err(|_| NotAnId)
            }
        }
    )*};
}

ids! {
    /// A person with an account; also the data subject whose key seals what is theirs.
    UserId,
    /// A signed-in browser.
    SessionId,
    /// A personal API key.
    ApiKeyId,
    /// A ticket for one voice call.
    CallTicketId,
    /// A passkey.
    PasskeyId,
    /// A group of people.
    GroupId,
    /// A role of an organisation's own.
    CustomRoleId,
    /// An invitation to make an account.
    InvitationId,
    /// A request to read a person's content (break-glass).
    ContentRequestId,
    /// A request of somebody who lost their factors.
    RecoveryId,
    /// An access review.
    ReviewId,
    /// An e-mail waiting to be sent.
    MailId,
    /// What is said about a network that is kept out or let in.
    AddressRuleId,
    /// A conversation.
    ConversationId,
    /// One message in a conversation.
    MessageId,
    /// A folder of conversations.
    FolderId,
    /// One answer being made.
    TurnId,
    /// A customer of a voice desk; also the data subject whose key seals what is known about them.
    CustomerId,
    /// An order of a customer.
    OrderId,
    /// An appointment of a customer.
    AppointmentId,
    /// A call: one voice connection from its opening to its end.
    CallId,
    /// Something one side of a call said.
    ItemId,
    /// Something the agent says in a call, from the first thought to the last sound.
    ReplyId,
    /// A use of a tool in a call.
    ToolCallId,
    /// A data-encryption key.
    DekId,
    /// One request, shown to people as the reference of an error.
    RequestId,
}
