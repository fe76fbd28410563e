//! What people with a quota have used: a row a person and day, without content.
//!
//! `assistant` takes from it before a question and settles after the answer; account pages show what is
//! left. Invariant: looking and taking are one transaction, and writers are serial, so a quota holds
//! however many ask at once. Days are days of UTC, months the calendar's.

use domain::{
    Action, Permit, Timestamp,
    bounds::{Bounds, Quota},
};
use sqlx::{AnyConnection, Row};

use crate::{Error, Store, Tx};

const DAY_S: i64 = 24 * 60 * 60;
/// What is counted is asked for with a permit for one of these.
const ASKS: [Action; 2] = [Action::UseModel, Action::Speech];

/// How much of everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Use {
    /// Questions asked.
    pub messages: u64,
    /// Tokens of questions and answers.
    pub tokens: u64,
    /// Seconds of voice.
    pub voice_seconds: u64,
}

/// What was used today and this month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Today.
    pub today: Use,
    /// This month, today included.
    pub this_month: Use,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Questions asked.
    Messages,
    /// Tokens of questions and answers.
    Tokens,
    /// Seconds of voice.
    VoiceSeconds,
}

impl Counted {
    /// Everything that is counted.
    pub const ALL: [Self; 3] = [Self::Messages, Self::Tokens, Self::VoiceSeconds];

    /// The quota of it.
    #[must_use]
    pub const fn quota(self, bounds: &Bounds) -> Quota {
        match self {
            Self::Messages => bounds.messages,
            Self::Tokens => bounds.tokens,
            Self::VoiceSeconds => bounds.voice_seconds,
        }
    }

    /// How much of it there is.
    #[must_use]
    pub const fn of(self, used: Use) -> u64 {
        match self {
            Self::Messages => used.messages,
            Self::Tokens => used.tokens,
            Self::VoiceSeconds => used.voice_seconds,
        }
    }
}

/// A quota that is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsedUp {
    /// Of what.
    pub what: Counted,
    /// When there is more.
    pub more_at: Timestamp,
}

/// Whether these bounds hold a quota at all; without one nothing is counted.
#[must_use]
pub fn is_counted(bounds: &Bounds) -> bool {
    Counted::ALL.into_iter().any(|what| what.quota(bounds) != Quota::default())
}

/// Takes `wanted` for the permit's person, who may ask a model or have speech made, unless a quota for any of it is used up.
/// What is left may be less than wanted: the answer's length is not known before, so the last question may
/// go over by one answer.
///
/// # Errors
/// [`Error::NotFound`] when there is no such account.
pub async fn take(
    tx: &mut Tx,
    permit: &Permit,
    bounds: &Bounds,
    wanted: Use,
) -> Result<Result<(), UsedUp>, Error> {
    let account = permit.subject_of(&ASKS)?.to_string();
    let now = tx.now();
    let used = read(tx.db(), &account, now).await?;
    let gone = Counted::ALL
        .into_iter()
        .filter(|what| what.of(wanted) > 0)
        .filter_map(|what| Some(UsedUp { what, more_at: used_up(what, bounds, used, now)? }))
        .max_by_key(|gone| gone.more_at);
    if let Some(gone) = gone {
        return Ok(Err(gone));
    }
    add(tx, &account, day(now), signed(wanted)).await?;
    Ok(Ok(()))
}

/// Corrects what [`take`] took at `taken_at`: `wanted` becomes `had`.
///
/// # Errors
/// [`Error::NotFound`] when there is no such account any more.
pub async fn settle(
    tx: &mut Tx,
    permit: &Permit,
    taken_at: Timestamp,
    wanted: Use,
    had: Use,
) -> Result<(), Error> {
    let account = permit.subject_of(&ASKS)?.to_string();
    let (wanted, had) = (signed(wanted), signed(had));
    let change = [had[0] - wanted[0], had[1] - wanted[1], had[2] - wanted[2]];
    add(tx, &account, day(taken_at), change).await
}

/// Commits what was taken or settled. Without an audit entry: a temporary chat leaves none, and a count a day
/// says less than a list of moments.
///
/// # Errors
/// As [`Tx::commit`].
pub async fn keep(tx: Tx) -> Result<(), Error> {
    tx.commit_unaudited("how much somebody with a quota used today; what they did has its own entry").await
}

/// What the permit's person used, at `now`.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to read the account.
pub async fn used(store: &Store, permit: &Permit, now: Timestamp) -> Result<Used, Error> {
    let account = permit.subject(Action::ReadAccount)?.to_string();
    let mut connection = store.readers().acquire().await?;
    read(&mut connection, &account, now).await
}

/// Removes the days before the month before `now`: no quota looks at them. Says how many.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change the instance.
pub async fn clear(tx: &mut Tx, permit: &Permit, now: Timestamp) -> Result<u64, Error> {
    permit.instance(Action::WriteInstance)?;
    let first = month_begins(month_begins(day(now)) - 1);
    let done = sqlx::query("DELETE FROM usage_days WHERE day < $1").bind(first).execute(tx.db()).await?;
    Ok(done.rows_affected())
}

async fn read(connection: &mut AnyConnection, account: &str, now: Timestamp) -> Result<Used, Error> {
    let today = day(now);
    let found = sqlx::query(
        "SELECT day, messages, tokens, voice_seconds FROM usage_days WHERE account = $1 AND day >= $2 AND day <= $3",
    )
    .bind(account)
    .bind(month_begins(today))
    .bind(today)
    .fetch_all(connection)
    .await?;
    let mut used = Used::default();
    for found in &found {
        let count = |column| -> Result<u64, Error> {
            Ok(u64::try_from(found.try_get::<i64, _>(column)?).unwrap_or(0))
        };
        let of_day = Use {
            messages: count("messages")?,
            tokens: count("tokens")?,
            voice_seconds: count("voice_seconds")?,
        };
        if found.try_get::<i64, _>("day")? == today {
            used.today = of_day;
        }
        used.this_month.messages += of_day.messages;
        used.this_month.tokens += of_day.tokens;
        used.this_month.voice_seconds += of_day.voice_seconds;
    }
    Ok(used)
}

async fn add(tx: &mut Tx, account: &str, day: i64, change: [i64; 3]) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO usage_days (account, day, messages, tokens, voice_seconds) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (account, day) DO UPDATE SET messages = usage_days.messages + excluded.messages, \
         tokens = usage_days.tokens + excluded.tokens, \
         voice_seconds = usage_days.voice_seconds + excluded.voice_seconds",
    )
    .bind(account)
    .bind(day)
    .bind(change[0])
    .bind(change[1])
    .bind(change[2])
    .execute(tx.db())
    .await?;
    Ok(())
}

/// When there is more of it, if its quota is used up.
fn used_up(what: Counted, bounds: &Bounds, used: Used, now: Timestamp) -> Option<Timestamp> {
    let quota = what.quota(bounds);
    let today = day(now);
    if quota.a_month.is_some_and(|most| what.of(used.this_month) >= most) {
        return Some(Timestamp(0).plus_seconds(next_month(today) * DAY_S));
    }
    let is_gone = quota.a_day.is_some_and(|most| what.of(used.today) >= most);
    is_gone.then(|| Timestamp(0).plus_seconds((today + 1) * DAY_S))
}

fn signed(used: Use) -> [i64; 3] {
    [used.messages, used.tokens, used.voice_seconds].map(|count| i64::try_from(count).unwrap_or(i64::MAX / 4))
}

/// Days since 1970 (UTC).
fn day(at: Timestamp) -> i64 {
    at.seconds().div_euclid(DAY_S)
}

/// The first day of the month that `day` lies in.
fn month_begins(day: i64) -> i64 {
    day - (day_of_month(day) - 1)
}

/// The first day of the month after.
fn next_month(day: i64) -> i64 {
    // 31 days after the first is in the next month, whichever month it is.
    month_begins(month_begins(day) + 31)
}

/// The day of the month, from 1: Howard Hinnant's `civil_from_days`.
fn day_of_month(day: i64) -> i64 {
    let shifted = day + 719_468;
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    of_year - (153 * month + 2) / 5 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_months_follow_the_calendar() {
        // 2024-02-29, 2026-11-23 and 1970-01-01.
        for (day, of_month, first, next) in
            [(19_782, 29, 19_754, 19_783), (20_780, 23, 20_758, 20_788), (0, 1, 0, 31)]
        {
            assert_eq!(
                (day_of_month(day), month_begins(day), next_month(day)),
                (of_month, first, next),
                "{day}"
            );
        }
    }

    #[test]
    fn the_quota_that_opens_last_is_named() {
        let bounds = Bounds { messages: Quota { a_day: Some(2), a_month: Some(5) }, ..Bounds::default() };
        let now = Timestamp(0).plus_seconds(10);
        let used = |today, month| Used {
            today: Use { messages: today, ..Use::default() },
            this_month: Use { messages: month, ..Use::default() },
        };
        let more = |used| used_up(Counted::Messages, &bounds, used, now).map(Timestamp::seconds);
        assert_eq!(more(used(1, 4)), None);
        assert_eq!(more(used(2, 4)), Some(DAY_S));
        assert_eq!(more(used(0, 5)), Some(31 * DAY_S));
        assert_eq!(more(used(2, 5)), Some(31 * DAY_S));
        assert!(is_counted(&bounds) && !is_counted(&Bounds::default()));
    }
}
