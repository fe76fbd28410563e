//! E-mail that waits to be sent.
//!
//! Services queue a [`Mail`] in the transaction of what it tells about; the server's mail job takes what is
//! due, tries, and says how it went. Invariants: a mail is sealed under its person's or customer's key, or the
//! system's when there is no person yet, and what has left or was given up keeps its kind alone; a mail is due again
//! later before it is tried, so that a crash repeats it and two replicas do not send it at once; a letter goes
//! with the account or the customer it is for.

use domain::{
    Action, Permit, Timestamp, enforced,
    id::{CustomerId, MailId, UserId},
    mail::{Address, Mail},
};
use serde::{Deserialize, Serialize};
use sqlx::{Row, any::AnyRow};

use crate::{Error, Store, Tx, cell::Cell, row, store::number};

const MAIL: Cell = Cell::new("outbox", "mail");
/// Mails an administrator's page shows.
const LISTED: i64 = 100;

/// A mail with whom it is for, as it is sealed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Letter {
    /// Where it goes.
    pub to: Address,
    /// The language it is worded in, a BCP 47 tag; empty: English.
    pub language: String,
    /// What it says.
    pub mail: Mail,
}

/// How far a mail has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It waits for its time.
    Waiting,
    /// The mail server took it.
    Sent,
    /// It was given up.
    Failed,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Failed => "failed",
        }
    }
}

/// A mail to be tried now.
#[derive(Clone, Debug)]
pub struct Due {
    /// Its identifier; the same at every try.
    pub id: MailId,
    /// How often it was tried, this time included.
    pub tries: u32,
    /// When it was queued.
    pub created: Timestamp,
    /// What it is; `None` when it cannot be opened any more.
    pub letter: Option<Letter>,
}

impl Due {
    /// Whether what it says is of no use any more at `now`, so that it need not be sent.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        match self.letter.as_ref().map(|letter| &letter.mail) {
            Some(Mail::CallerCode { minutes, .. }) => {
                now >= self.created.plus_seconds(i64::from(*minutes) * 60)
            }
            _ => false,
        }
    }
}

/// Whom a letter is for, with whom it goes, and under whose key it is sealed.
#[derive(Clone, Copy)]
enum For {
    /// Nobody with an account.
    Nobody,
    Account(UserId),
    Customer(CustomerId),
}

/// A mail as administrators see it: no address, no content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its identifier.
    pub id: MailId,
    /// What kind it is.
    pub kind: String,
    /// How far it is.
    pub state: State,
    /// How often it was tried.
    pub tries: u32,
    /// When it was queued.
    pub created: Timestamp,
    /// When it is tried next, while it waits.
    pub due: Timestamp,
    /// Why the last try failed, in our own words; empty when it did not.
    pub problem: String,
}

/// Queues `letter` for somebody who has no account, or soon none. The permit is to manage or remove people,
/// or that of a person to manage what opens their account.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn queue(tx: &mut Tx, permit: &Permit, id: MailId, letter: &Letter) -> Result<(), Error> {
    if permit.subject(Action::ManageCredentials).is_err() {
        permit.instance(Action::ManagePeople).or_else(|_| permit.instance(Action::RemovePeople))?;
    }
    let sealed = MAIL.seal_json(tx.store().system_dek(), &id.to_string(), letter, tx.entropy())?;
    insert(tx, id, For::Nobody, letter.mail.kind(), sealed).await
}

/// Queues `letter` with a code for a customer of the voice desk; it goes with the customer. The permit is to
/// verify customers.
///
/// # Errors
/// [`Error::Denied`] for any other permit; [`Error::NotFound`] when there is no such customer.
pub(crate) async fn queue_code(
    tx: &mut Tx,
    permit: &Permit,
    customer: CustomerId,
    id: MailId,
    letter: &Letter,
) -> Result<(), Error> {
    permit.instance(Action::VerifyCustomer)?;
    let dek = tx.dek(customer).await?;
    let sealed = MAIL.seal_json(&dek, &id.to_string(), letter, tx.entropy())?;
    enforced!(CUS08);
    insert(tx, id, For::Customer(customer), letter.mail.kind(), sealed).await
}

/// Queues `letter` for the permit's person; it goes with the account.
///
/// # Errors
/// [`Error::NotFound`] when there is no such account.
pub async fn queue_for(tx: &mut Tx, permit: &Permit, id: MailId, letter: &Letter) -> Result<(), Error> {
    let subject =
        permit.subject_of(&[Action::ReadAccount, Action::WriteAccount, Action::ManageCredentials])?;
    let dek = tx.dek(subject).await?;
    let sealed = MAIL.seal_json(&dek, &id.to_string(), letter, tx.entropy())?;
    insert(tx, id, For::Account(subject), letter.mail.kind(), sealed).await
}

async fn insert(tx: &mut Tx, id: MailId, to: For, kind: &str, sealed: Vec<u8>) -> Result<(), Error> {
    let now = tx.now();
    let (account, customer) = match to {
        For::Nobody => (None, None),
        For::Account(account) => (Some(account.to_string()), None),
        For::Customer(customer) => (None, Some(customer.to_string())),
    };
    sqlx::query(
        "INSERT INTO outbox (id, account, customer, kind, mail, state, tries, created, due, problem) \
         VALUES ($1, $2, $3, $4, $5, 'waiting', 0, $6, $6, '')",
    )
    .bind(id.to_string())
    .bind(account)
    .bind(customer)
    .bind(kind)
    .bind(sealed)
    .bind(now.0)
    .execute(tx.db())
    .await?;
    Ok(())
}

/// How many mails wait for the permit's person.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change the account.
pub async fn waiting(tx: &mut Tx, permit: &Permit) -> Result<u64, Error> {
    let account = permit.subject_of(&[Action::WriteAccount, Action::ManageCredentials])?.to_string();
    let found = sqlx::query("SELECT COUNT(*) FROM outbox WHERE account = $1 AND state = 'waiting'")
        .bind(account)
        .fetch_one(tx.db())
        .await?;
    Ok(number(&found)?.unsigned_abs())
}

/// Whether a mail is due, without taking it. The permit is the mail job's.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn is_due(store: &Store, permit: &Permit, now: Timestamp) -> Result<bool, Error> {
    permit.instance(Action::ReadAccount)?;
    let found = sqlx::query("SELECT 1 FROM outbox WHERE state = 'waiting' AND due <= $1 LIMIT 1")
        .bind(now.0)
        .fetch_optional(store.readers())
        .await?;
    Ok(found.is_some())
}

/// Takes the mails that are due, `most` at once. Each is due again at what `again` says about the number of
/// its tries, unless it is sent before.
///
/// # Errors
/// [`Error::Denied`] unless the permit is the mail job's.
pub async fn take_due(
    tx: &mut Tx,
    permit: &Permit,
    most: u32,
    again: impl Fn(u32) -> Timestamp,
) -> Result<Vec<Due>, Error> {
    permit.instance(Action::ReadAccount)?;
    let now = tx.now();
    let found = sqlx::query(
        "SELECT id, account, customer, mail, tries, created FROM outbox WHERE state = 'waiting' AND due <= $1 \
         ORDER BY due, id LIMIT $2",
    )
    .bind(now.0)
    .bind(i64::from(most))
    .fetch_all(tx.db())
    .await?;
    let mut taken = Vec::with_capacity(found.len());
    for found in &found {
        let id: MailId = row::id(found, "id")?;
        let tries = count(found, "tries")?.saturating_add(1);
        let letter = open(tx, found, id).await?;
        sqlx::query("UPDATE outbox SET tries = $1, due = $2 WHERE id = $3")
            .bind(i64::from(tries))
            .bind(again(tries).0)
            .bind(id.to_string())
            .execute(tx.db())
            .await?;
        taken.push(Due { id, tries, created: row::time(found, "created")?, letter });
    }
    Ok(taken)
}

async fn open(tx: &mut Tx, found: &AnyRow, id: MailId) -> Result<Option<Letter>, Error> {
    let (sealed, place) = (row::bytes(found, "mail")?, id.to_string());
    let account = row::maybe_id::<UserId>(found, "account")?;
    let customer = row::maybe_id::<CustomerId>(found, "customer")?;
    let own = match (account, customer) {
        (Some(account), _) => Some(tx.dek(account).await?),
        (None, Some(customer)) => Some(tx.dek(customer).await?),
        (None, None) => None,
    };
    let dek = own.as_deref().unwrap_or_else(|| tx.store().system_dek());
    let opened = MAIL.open_json(dek, &place, &sealed);
    match opened {
        Ok(letter) => Ok(Some(letter)),
        // One mail that does not open must not hold up the others.
        Err(Error::Damaged { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Notes that a mail left or was given up, and forgets what it said. `problem` is in our own words.
///
/// # Errors
/// [`Error::NotFound`] when it went with its account or customer meanwhile.
pub async fn finish(
    tx: &mut Tx,
    permit: &Permit,
    id: MailId,
    state: State,
    problem: &str,
) -> Result<(), Error> {
    permit.instance(Action::ReadAccount)?;
    tx.note_deletion();
    let done = sqlx::query("UPDATE outbox SET state = $1, mail = $2, problem = $3 WHERE id = $4")
        .bind(state.as_str())
        .bind(Vec::<u8>::new())
        .bind(problem)
        .bind(id.to_string())
        .execute(tx.db())
        .await?;
    row::exactly_one(&done)
}

/// Notes why a try failed; the mail stays due when it is due.
///
/// # Errors
/// [`Error::NotFound`] when it went with its account or customer meanwhile.
pub async fn put_off(tx: &mut Tx, permit: &Permit, id: MailId, problem: &str) -> Result<(), Error> {
    permit.instance(Action::ReadAccount)?;
    let done = sqlx::query("UPDATE outbox SET problem = $1 WHERE id = $2")
        .bind(problem)
        .bind(id.to_string())
        .execute(tx.db())
        .await?;
    row::exactly_one(&done)
}

/// The newest mails, for administrators. The permit is to read people.
///
/// # Errors
/// [`Error::Denied`] for any other permit.
pub async fn list(store: &Store, permit: &Permit) -> Result<Vec<Listed>, Error> {
    permit.instance(Action::ReadPeople)?;
    let found = sqlx::query(
        "SELECT id, kind, state, tries, created, due, problem FROM outbox ORDER BY created DESC, id DESC LIMIT $1",
    )
    .bind(LISTED)
    .fetch_all(store.readers())
    .await?;
    found.iter().map(listed).collect()
}

fn listed(found: &AnyRow) -> Result<Listed, Error> {
    let state: String = found.try_get("state")?;
    let state = [State::Waiting, State::Sent, State::Failed].into_iter().find(|one| one.as_str() == state);
    Ok(Listed {
        id: row::id(found, "id")?,
        kind: found.try_get("kind")?,
        state: state.ok_or_else(|| Error::damaged("a mail is in no known state"))?,
        tries: count(found, "tries")?,
        created: row::time(found, "created")?,
        due: row::time(found, "due")?,
        problem: found.try_get("problem")?,
    })
}

/// Removes what left or was given up before `before`; says how many.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change the instance.
pub async fn clear(tx: &mut Tx, permit: &Permit, before: Timestamp) -> Result<u64, Error> {
    permit.instance(Action::WriteInstance)?;
    let done = sqlx::query("DELETE FROM outbox WHERE state <> 'waiting' AND created < $1")
        .bind(before.0)
        .execute(tx.db())
        .await?;
    Ok(done.rows_affected())
}

fn count(found: &AnyRow, column: &str) -> Result<u32, Error> {
    Ok(u32::try_from(found.try_get::<i64, _>(column)?).unwrap_or(u32::MAX))
}
