//! When there is an appointment: opening hours, services, and the rules that keep one from being made twice,
//! in the past, or when nobody is there.
//!
//! `assistant` asks before it books; the store keeps [`Slot`]s unique, so that the last word is the database's.
//! Times are those of the desk's own clock, without a zone: an appointment at nine is at nine.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};
use time::{Date, Duration};

use super::Day;
use crate::{Timestamp, enforced};

/// Appointments begin and end on quarters of an hour.
pub const QUARTER_MINUTES: u16 = 15;
const DAY_MINUTES: u16 = 24 * 60;
const QUARTERS_A_DAY: i64 = 24 * 4;

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weekday {
    /// The first day.
    Monday,
    /// The second.
    Tuesday,
    /// The third.
    Wednesday,
    /// The fourth.
    Thursday,
    /// The fifth.
    Friday,
    /// The sixth.
    Saturday,
    /// The last.
    Sunday,
}

impl Weekday {
    /// The days from Monday on.
    pub const ALL: [Self; 7] = [
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
        Self::Sunday,
    ];

    /// Its name in small letters.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Monday => "monday",
            Self::Tuesday => "tuesday",
            Self::Wednesday => "wednesday",
            Self::Thursday => "thursday",
            Self::Friday => "friday",
            Self::Saturday => "saturday",
            Self::Sunday => "sunday",
        }
    }

    /// The day called `name`, in small letters.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|day| day.as_str() == name)
    }
}

/// Which day of the week `date` is.
#[must_use]
pub fn weekday(date: Date) -> Weekday {
    Weekday::ALL[usize::from(date.weekday().number_days_from_monday())]
}

/// A day and a time of day at the desk: `2026-11-24 14:30`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Moment {
    /// The day.
    pub date: Date,
    /// Minutes after midnight.
    pub minute: u16,
}

/// The text is not a day and a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Write a day and a time like 2026-11-24 14:30.")]
pub struct NotAMoment;

impl Moment {
    /// What the desk's clock shows at `now`, `offset_minutes` ahead of UTC.
    #[must_use]
    pub fn of(now: Timestamp, offset_minutes: i32) -> Self {
        let local = now.seconds().saturating_add(i64::from(offset_minutes) * 60);
        let days = local.div_euclid(86_400);
        let minute = u16::try_from(local.rem_euclid(86_400) / 60).unwrap_or(0);
        let date =
            i32::try_from(days).ok().and_then(|days| Date::from_julian_day(EPOCH.saturating_add(days)).ok());
        Self { date: date.unwrap_or(Date::MIN), minute }
    }
}

/// The Julian day of 1970-01-01.
const EPOCH: i32 = 2_440_588;

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:02}:{:02}", Day(self.date), self.minute / 60, self.minute % 60)
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Moment(…)")
    }
}

impl TryFrom<String> for Moment {
    type Error = NotAMoment;

    fn try_from(text: String) -> Result<Self, NotAMoment> {
        let (day, time) = text.split_once([' ', 'T']).ok_or(NotAMoment)?;
        let date = Day::read(day).map_err(|_| NotAMoment)?.0;
        let (hour, minute) = time.split_once(':').ok_or(NotAMoment)?;
        let number = |text: &str| {
            let fits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            fits.then(|| text.parse::<u16>().ok()).flatten().ok_or(NotAMoment)
        };
        let (hour, minute) = (number(hour)?, number(minute)?);
        if hour < 24 && minute < 60 { Ok(Self { date, minute: hour * 60 + minute }) } else { Err(NotAMoment) }
    }
}

impl From<Moment> for String {
    fn from(moment: Moment) -> Self {
        moment.to_string()
    }
}

/// A quarter of an hour of the calendar, as a number the database keeps unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub i64);

impl Slot {
    /// The quarter that `moment` lies in.
    #[must_use]
    pub fn of(moment: Moment) -> Self {
        let day = i64::from(moment.date.to_julian_day());
        Self(day * QUARTERS_A_DAY + i64::from(moment.minute / QUARTER_MINUTES))
    }

    /// Every quarter that the `minutes` from `start` on touch.
    #[must_use]
    pub fn from(start: Moment, minutes: u16) -> Vec<Self> {
        let first = Self::of(start).0;
        let from_first = u32::from(start.minute % QUARTER_MINUTES) + u32::from(minutes);
        (0..i64::from(from_first.div_ceil(u32::from(QUARTER_MINUTES))))
            .map(|more| Self(first + more))
            .collect()
    }

    /// All quarters of `date`: the first, and the one after the last.
    #[must_use]
    pub fn day(date: Date) -> (Self, Self) {
        let first = i64::from(date.to_julian_day()) * QUARTERS_A_DAY;
        (Self(first), Self(first + QUARTERS_A_DAY))
    }
}

/// When the desk is open on a day of the week, in minutes after midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    /// On which day.
    pub day: Weekday,
    /// From when.
    pub from: u16,
    /// Until when.
    pub until: u16,
}

/// What an appointment may be for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// What it is called.
    pub name: String,
    /// How long it takes.
    pub minutes: u16,
}

/// The rules of the desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// When it is open; a day may stand here more than once.
    pub open: Vec<Open>,
    /// Days on which it is not.
    pub closed: BTreeSet<Date>,
    /// What it offers.
    pub services: Vec<Service>,
    /// How many days ahead may be booked.
    pub days_ahead: u16,
    /// Minutes the desk's clock is ahead of UTC.
    pub offset_minutes: i32,
}

impl Default for Rules {
    /// Nine to five from Monday to Friday, and four services.
    fn default() -> Self {
        let open = |day| Open { day, from: 9 * 60, until: 17 * 60 };
        let service = |name: &str, minutes| Service { name: name.to_owned(), minutes };
        Self {
            open: Weekday::ALL[..5].iter().copied().map(open).collect(),
            closed: BTreeSet::new(),
            services: vec![
                service("Consultation", 30),
                service("Follow-up", 15),
                service("Review", 30),
                service("Planning", 60),
            ],
            days_ahead: 90,
            offset_minutes: 0,
        }
    }
}

/// Why there is no appointment at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoTime {
    /// It is over.
    #[error("that time is in the past")]
    Past,
    /// It is too far ahead.
    #[error("that is further ahead than appointments are made")]
    TooFar,
    /// Nobody is there, at least not until the end of it.
    #[error("the desk is not open then")]
    Closed,
    /// It does not begin on a quarter of an hour.
    #[error("appointments begin at a quarter of an hour")]
    OffQuarter,
    /// There is no such service.
    #[error("there is no such service")]
    NoService,
    /// Somebody else has it.
    #[error("that time is taken")]
    Taken,
}

impl Rules {
    /// The service called `name`, in any case.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<&Service> {
        let name = name.trim();
        self.services.iter().find(|service| service.name.eq_ignore_ascii_case(name))
    }

    /// What the desk's clock shows at `now`.
    #[must_use]
    pub fn clock(&self, now: Timestamp) -> Moment {
        Moment::of(now, self.offset_minutes)
    }

    /// Whether `service` may begin at `start`, as far as the rules know; the quarters it takes.
    ///
    /// # Errors
    /// [`NoTime`], but never [`NoTime::Taken`].
    pub fn quarters(&self, now: Moment, start: Moment, service: &Service) -> Result<Vec<Slot>, NoTime> {
        let refused = |why| {
            enforced!(CUS07);
            Err(why)
        };
        if start <= now {
            return refused(NoTime::Past);
        }
        if start.date - now.date > Duration::days(i64::from(self.days_ahead)) {
            return refused(NoTime::TooFar);
        }
        if start.minute % QUARTER_MINUTES != 0 {
            return refused(NoTime::OffQuarter);
        }
        let (day, end) = (weekday(start.date), start.minute.saturating_add(service.minutes));
        let is_open = self
            .open
            .iter()
            .any(|open| open.day == day && open.from <= start.minute && end <= open.until.min(DAY_MINUTES));
        if !is_open || self.closed.contains(&start.date) {
            return refused(NoTime::Closed);
        }
        Ok(Slot::from(start, service.minutes))
    }

    /// When `service` may begin on `date`, with the quarters of `taken` out of the question. In order.
    #[must_use]
    pub fn free(&self, now: Moment, date: Date, service: &Service, taken: &BTreeSet<Slot>) -> Vec<Moment> {
        let starts = (0..DAY_MINUTES / QUARTER_MINUTES)
            .map(|quarter| Moment { date, minute: quarter * QUARTER_MINUTES });
        let is_free = |start: &Moment| {
            self.quarters(now, *start, service)
                .is_ok_and(|quarters| quarters.iter().all(|quarter| !taken.contains(quarter)))
        };
        starts.filter(is_free).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::verifies;

    fn at(text: &str) -> Moment {
        Moment::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn an_appointment_is_ahead_within_hours_and_on_a_quarter() {
        let _proof = verifies!(CUS07);
        let mut rules = Rules::default();
        rules.closed.insert(at("2026-11-26 00:00").date);
        let (now, hour) = (at("2026-11-24 10:00"), Service { name: "Planning".to_owned(), minutes: 60 });
        let asked = |start: &str| rules.quarters(now, at(start), &hour).map(|quarters| quarters.len());
        assert_eq!(asked("2026-11-24 10:15"), Ok(4));
        assert_eq!(asked("2026-11-24 16:00"), Ok(4), "it ends when the desk closes");
        for (start, why) in [
            ("2026-11-24 10:00", NoTime::Past),
            ("2026-11-23 11:00", NoTime::Past),
            ("2026-11-24 16:15", NoTime::Closed),
            ("2026-11-25 08:45", NoTime::Closed),
            ("2026-11-28 10:00", NoTime::Closed),
            ("2026-11-26 10:00", NoTime::Closed),
            ("2026-11-25 10:05", NoTime::OffQuarter),
            ("2027-11-25 10:00", NoTime::TooFar),
        ] {
            assert_eq!(asked(start), Err(why), "{start}");
        }
    }

    #[test]
    fn free_times_leave_out_what_is_taken() {
        let rules = Rules::default();
        let service = rules.service("planning").unwrap();
        let date = at("2026-11-24 00:00").date;
        let taken: BTreeSet<Slot> = Slot::from(at("2026-11-24 11:00"), 30).into_iter().collect();
        let free = rules.free(at("2026-11-24 09:50"), date, service, &taken);
        let free: Vec<String> = free.iter().map(ToString::to_string).collect();
        assert_eq!(free[0], "2026-11-24 10:00");
        assert_eq!(free[1], "2026-11-24 11:30");
        assert_eq!(free.last().map(String::as_str), Some("2026-11-24 16:00"));
    }

    #[test]
    fn every_quarter_that_is_touched_is_taken() {
        let taken = |start: &str, minutes| {
            let first = Slot::of(at("2026-11-24 14:00")).0;
            Slot::from(at(start), minutes).into_iter().map(|slot| slot.0 - first).collect::<Vec<_>>()
        };
        assert_eq!(taken("2026-11-24 14:00", 30), [0, 1]);
        assert_eq!(taken("2026-11-24 14:05", 30), [0, 1, 2], "until 14:35");
        assert_eq!(taken("2026-11-24 14:14", 1), [0]);
    }

    #[test]
    fn the_clock_of_the_desk_is_ahead_of_utc_or_behind() {
        // 2026-01-01T00:00:00Z
        let now = Timestamp(1_767_225_600_000_000);
        assert_eq!(Moment::of(now, 330).to_string(), "2026-01-01 05:30");
        assert_eq!(Moment::of(now, -60).to_string(), "2025-12-31 23:00");
    }

    proptest! {
        #[test]
        fn moments_go_there_and_back_and_slots_keep_their_order(
            day in 2_400_000_i32..2_500_000, minute in 0_u16..1440, later in 0_u16..3000,
        ) {
            let date = Date::from_julian_day(day).unwrap();
            let moment = Moment { date, minute };
            prop_assert_eq!(Moment::try_from(moment.to_string()), Ok(moment));
            let first = Slot::of(moment);
            let (from, to) = Slot::day(date);
            prop_assert!(from <= first && first < to);
            let next = Moment {
                date: date.saturating_add(Duration::days(i64::from((minute + later) / 1440))),
                minute: (minute + later) % 1440,
            };
            prop_assert!(Slot::of(next) >= first);
            prop_assert_eq!(Slot::of(next).0 - first.0, i64::from((minute + later) / 15 - minute / 15));
        }

        #[test]
        fn whatever_is_free_may_be_booked_and_what_is_taken_may_not(
            others in prop::collection::vec((0_u16..1440, 1_u16..120), 0..12), which in 0_usize..4,
        ) {
            let rules = Rules::default();
            let date = at("2026-11-24 00:00").date;
            let now = at("2026-11-23 12:00");
            let taken: BTreeSet<Slot> = others
                .iter()
                .flat_map(|(minute, minutes)| Slot::from(Moment { date, minute: *minute }, *minutes))
                .collect();
            let service = &rules.services[which];
            for start in rules.free(now, date, service, &taken) {
                let quarters = rules.quarters(now, start, service).unwrap();
                prop_assert!(quarters.iter().all(|quarter| !taken.contains(quarter)));
                let end = start.minute + service.minutes;
                let meets = others.iter().find(|(from, minutes)| *from < end && start.minute < from + minutes);
                prop_assert_eq!(meets, None, "{}", start);
            }
        }
    }
}
