//! What can go wrong, in words fit to show to the person who asked.
//!
//! The invariant: an unknown name, a wrong password and a wrong code are one and the same variant.

use domain::{Denied, mail::NotAnAddress, name::NameProblem, password::Problem};

/// Why identity said no.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The name is unknown, or the password or the code is wrong; nobody learns which.
    #[error("That name, password or code is not right. Check them and try again.")]
    Refused,
    /// Too many wrong tries for this name, whether it exists or not.
    #[error("Too many wrong tries. Wait {retry_after_s} seconds, then try again.")]
    Throttled {
        /// Seconds until the next try is looked at.
        retry_after_s: u32,
    },
    /// As many passwords are being checked as this machine can bear.
    #[error("Many people are signing in at once. Try again in a moment.")]
    Busy,
    /// A step of a flow took too long, was finished already, or was tried too often.
    #[error("This step took too long or was used already. Start again.")]
    TicketGone,
    /// The setup code is not the one Troth gave out.
    #[error("That setup link is not valid. Use the newest one Troth printed when it started.")]
    SetupCode,
    /// There is an owner.
    #[error("Troth has been set up already. Sign in instead.")]
    AlreadySetUp,
    /// The text cannot be a name.
    #[error("{0}")]
    Name(NameProblem),
    /// The password breaks rules; each problem says what to change.
    #[error("Choose another password.")]
    Password {
        /// What to change.
        problems: Vec<Problem>,
    },
    /// It cannot go: without it the account would have fewer factors than it must have.
    #[error("This is the last factor of an account that must have one. Add another one first.")]
    LastFactor,
    /// Passkeys belong to a host name; this one has none.
    #[error("Passkeys work at this server's proper name only. Open it by its name, not by an address.")]
    NoPasskeysHere,
    /// There are not two people who could agree.
    #[error(
        "There are not two other people here who could agree. Use a recovery code, or ask whoever runs this \
         server to type “troth recover” on the machine itself."
    )]
    NobodyToAsk,
    /// The recovery was agreed to, and its delay is not over; or it was not agreed to yet.
    #[error("{0}")]
    NotYet(Waiting),
    /// Somebody agreed to the same thing before.
    #[error("You have agreed to this already. Somebody else has to as well.")]
    AgreedAlready,
    /// The label of an API key is empty, too long or unprintable.
    #[error("Give the key a label of 1 to 60 characters, so that you know it again.")]
    Label,
    /// An API key may do nothing, or more than a key can.
    #[error("Choose at least one thing the key may do, from those this page offers.")]
    Scopes,
    /// An API key is to live too long, or not at all.
    #[error("A key is good for 1 to {most} days. Choose a number in between.")]
    Days {
        /// The longest life, in days.
        most: u32,
    },
    /// A ticket is to live too long, or not at all.
    #[error("A ticket is good for 1 to {most} seconds. Choose a number in between.")]
    Life {
        /// The longest life, in seconds.
        most: u32,
    },
    /// What a call with a ticket is to begin with is too much.
    #[error(
        "What the call begins with is too large. Leave something out, and send it when the call has begun."
    )]
    Terms,
    /// An API key is to live on too long beside its successor.
    #[error("An old key can go on for {most_days} days at most beside the new one.")]
    Overlap {
        /// The longest overlap, in days.
        most_days: u32,
    },
    /// A setting is longer than any value it can have.
    #[error("That setting is not one this page offers. Reload the page and choose again.")]
    Setting,
    /// What was said about an address cannot be.
    #[error("{0}")]
    Address(crate::AddressProblem),
    /// There are as many as there may be.
    #[error("There are {most} {what} already. Remove one first.")]
    TooMany {
        /// Of what, in the plural.
        what: &'static str,
        /// How many there may be.
        most: u32,
    },
    /// Another account is called so.
    #[error("Somebody here is called that already. Choose another name.")]
    NameTaken,
    /// Another group is called so.
    #[error("There is a group of that name already. Choose another one.")]
    GroupTaken,
    /// The text is no e-mail address.
    #[error("{0}")]
    Email(#[from] NotAnAddress),
    /// A link that was mailed or handed over is not good, or not any more.
    #[error("This link is not good any more. Ask for a new one.")]
    Link,
    /// Nothing can be mailed here.
    #[error("No mail server is configured here, so nothing can be sent.")]
    NoMail,
    /// As many mails wait for one account as may.
    #[error("Mails to you are still waiting to be sent. Try again when they have arrived.")]
    MailWaits,
    /// An instance without an owner could not be run.
    #[error("This is the last owner. Make somebody else an owner first.")]
    LastOwner,
    /// A rule about roles, reviews or reading content stands against it.
    #[error("{0}")]
    Unfit(Unfit),
    /// There is no such session or key among one's own.
    #[error("That is not there any more.")]
    NotFound,
    /// The name, or the identifier a directory gave, belongs to another account.
    #[error("That name or identifier belongs to another account already. Choose another.")]
    Taken,
    /// A sign-in at another service did not end in a session.
    #[error("{0}")]
    Sso(crate::directory::SsoProblem),
    /// The actor may not do this.
    #[error("Sign in to do this.")]
    Denied(#[from] Denied),
    /// The store could not answer.
    #[error("Troth could not reach its store. Try again in a moment.")]
    Store(#[source] store::Error),
    /// Something stored or configured for identity cannot be used; the text says what, for the log.
    #[error("Troth could not check this. Tell whoever runs it to look at the log.")]
    Broken(&'static str),
}

/// What a recovery still waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Waiting {
    /// Two people.
    #[error("Two people have not agreed to this yet. Ask them, then come back with this code.")]
    Agreement,
    /// Time.
    #[error("Two people have agreed. This code works in {hours} hours; come back then.")]
    Hours {
        /// How many, rounded up.
        hours: u32,
    },
}

/// What stands against a change of roles, a decision of a review, or a request to read content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Nobody changes their own roles.
    #[error("Nobody changes their own roles. Ask somebody else who may.")]
    OwnRoles,
    /// Nobody gives or takes what they do not hold.
    #[error("You can give and take only what you hold yourself. An owner can do more.")]
    NotHeld,
    /// The last owner stays.
    #[error("This is the last owner without an end date. Make somebody else an owner first.")]
    LastOwner,
    /// The end lies in the past.
    #[error("That end lies in the past. Choose a later day.")]
    Past,
    /// A role needs a name and rights.
    #[error("Give the role a name of 1 to 60 characters and at least one right.")]
    Role,
    /// The reason is too short or too long.
    #[error("Write down why, in 20 to 1000 characters. The person will read it.")]
    Reason,
    /// Nobody decides about their own request, nor about one for their own chats.
    #[error("Somebody else must decide this: it is your own request, or it is about you.")]
    OwnRequest,
    /// There is an open request already.
    #[error("You have asked for this already. Wait until somebody has decided.")]
    AskedAlready,
    /// It was decided, or it is too old.
    #[error("That was decided already, or it has expired.")]
    Decided,
    /// The two who are to agree must be two people who do not stand by each other's word alone.
    #[error(
        "You two cannot decide this together: an account or a role is too new, or one of you was invited or given a \
         role by the other. Ask somebody else."
    )]
    NotSecond,
    /// Its time is over.
    #[error("The time to read is over. Ask again if it is still needed.")]
    Over,
    /// Nobody reviews what they hold themselves.
    #[error("Somebody else must review this: it is yours.")]
    OwnGrant,
    /// A review is open.
    #[error("A review is open already. Finish it first.")]
    ReviewOpen,
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::NotFound => Self::NotFound,
            store::Error::Denied(denied) => Self::Denied(denied),
            other => Self::Store(other),
        }
    }
}
