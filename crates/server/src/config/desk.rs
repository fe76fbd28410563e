//! `[desk]`: how the voice desk works: when it is open, for what, and how callers show who they are.

use assistant::{Desk, customers::Fact};
use domain::{
    control::Numbers,
    customer::{Country, Day, Open, QUARTER_MINUTES, Rules, Service, Weekday},
};
use serde::Deserialize;

use super::sections::words;
use crate::failure::{Exit, Failure};

/// Most services, and most opening hours.
const MOST: usize = 100;

/// `[desk]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeskSection {
    /// When it is open: `monday 09:00-17:00`, a day as often as needed.
    #[serde(deserialize_with = "words")]
    pub open: Vec<String>,
    /// Days on which it is not: `2026-12-25`.
    #[serde(deserialize_with = "words")]
    pub closed: Vec<String>,
    /// What it offers, with the minutes it takes: `Consultation 30`.
    #[serde(deserialize_with = "words")]
    pub services: Vec<String>,
    /// How many days ahead may be booked.
    pub days_ahead: u16,
    /// Minutes its clock is ahead of UTC.
    pub utc_offset_minutes: i32,
    /// Where telephone numbers without a country belong.
    pub country: CountryName,
    /// The pairs of facts by which callers show who they are: `phone+order_number`.
    #[serde(deserialize_with = "words")]
    pub verify: Vec<String>,
    /// Whether a code sent by e-mail shows it as well.
    pub codes: bool,
}

/// A country whose telephone numbers are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CountryName {
    /// +1
    NorthAmerica,
    /// +91
    India,
}

impl Default for DeskSection {
    fn default() -> Self {
        let desk = Desk::default();
        let time = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        let open = desk.rules.open.iter();
        let open = open.map(|open| format!("{} {}-{}", open.day.as_str(), time(open.from), time(open.until)));
        let services = desk.rules.services.iter();
        Self {
            open: open.collect(),
            closed: Vec::new(),
            services: services.map(|service| format!("{} {}", service.name, service.minutes)).collect(),
            days_ahead: desk.rules.days_ahead,
            utc_offset_minutes: desk.rules.offset_minutes,
            country: CountryName::NorthAmerica,
            verify: desk
                .ways
                .iter()
                .map(|[one, other]| format!("{}+{}", one.as_str(), other.as_str()))
                .collect(),
            codes: desk.codes,
        }
    }
}

impl DeskSection {
    /// The desk this describes. Codes are sent only where mail is.
    ///
    /// # Errors
    /// [`Exit::Configuration`], naming the key.
    pub fn desk(&self, numbers: &Numbers, sends_mail: bool) -> Result<Desk, Failure> {
        let wrong = |key: &str, takes: &str| {
            Failure::new(Exit::Configuration, format!("`desk.{key}` takes {takes}."))
        };
        if self.open.len() > MOST || self.services.len() > MOST || self.closed.len() > 4 * MOST {
            return Err(wrong("open", "at most a hundred hours, and `desk.services` a hundred services"));
        }
        if self.codes && !sends_mail {
            return Err(Failure::new(
                Exit::Configuration,
                "`desk.codes` needs `mail.server`: codes are sent by e-mail.",
            ));
        }
        if self.verify.is_empty() && !self.codes {
            return Err(wrong(
                "verify",
                "at least one pair while `desk.codes` is off: nobody could be served",
            ));
        }
        if u32::from(self.days_ahead) > numbers.customer_days {
            return Err(wrong(
                "days_ahead",
                "at most `policy.customer_days`: a customer is forgotten after them",
            ));
        }
        let open = self.open.iter().map(|text| hours(text)).collect::<Option<Vec<_>>>();
        let closed = self.closed.iter().map(|text| Day::read(text).ok().map(|day| day.0)).collect();
        let closed: Option<_> = closed;
        let services = self.services.iter().map(|text| service(text)).collect::<Option<Vec<_>>>();
        let services = services.filter(|services| !services.is_empty());
        let ways = self.verify.iter().map(|text| way(text)).collect::<Option<Vec<_>>>();
        // No place on Earth is further from UTC.
        if !(-12 * 60..=14 * 60).contains(&self.utc_offset_minutes) {
            return Err(wrong("utc_offset_minutes", "-720 to 840, for example 330 for India"));
        }
        Ok(Desk {
            rules: Rules {
                open: open.ok_or_else(|| wrong("open", "hours like \"monday 09:00-17:00\""))?,
                closed: closed.ok_or_else(|| wrong("closed", "days like \"2026-12-25\""))?,
                services: services.ok_or_else(|| {
                    wrong("services", "names with minutes, a multiple of 15, like \"Consultation 30\"")
                })?,
                days_ahead: self.days_ahead,
                offset_minutes: self.utc_offset_minutes,
            },
            country: match self.country {
                CountryName::NorthAmerica => Country::NORTH_AMERICA,
                CountryName::India => Country::INDIA,
            },
            ways: ways.ok_or_else(|| {
                wrong(
                    "verify",
                    "pairs like \"phone+order_number\": first customer_id, phone or email, then another fact",
                )
            })?,
            codes: self.codes,
            numbers: numbers.clone(),
            ..Desk::default()
        })
    }
}

fn hours(text: &str) -> Option<Open> {
    let (day, times) = text.split_once(' ')?;
    let (from, until) = times.trim().split_once('-')?;
    let open = Open { day: Weekday::named(day)?, from: minute(from)?, until: minute(until)? };
    (open.from < open.until).then_some(open)
}

fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let minutes = (hour <= 24 && minute < 60).then(|| hour * 60 + minute)?;
    (minutes <= 24 * 60).then_some(minutes)
}

fn service(text: &str) -> Option<Service> {
    let (name, minutes) = text.trim().rsplit_once(' ')?;
    let minutes: u16 = minutes.parse().ok()?;
    let fits = (1..=24 * 60).contains(&minutes) && minutes % QUARTER_MINUTES == 0;
    let name = name.trim();
    (fits && !name.is_empty() && name.len() <= 100).then(|| Service { name: name.to_owned(), minutes })
}

fn way(text: &str) -> Option<[Fact; 2]> {
    let (first, second) = text.split_once('+')?;
    let (first, second) = (Fact::named(first.trim())?, Fact::named(second.trim())?);
    (first.finds() && first != second).then_some([first, second])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_describe_the_desk_that_is_built_in() {
        let desk = DeskSection::default().desk(&Numbers::default(), false).unwrap();
        assert_eq!((desk.rules, desk.ways), (Desk::default().rules, Desk::default().ways));
    }

    #[test]
    fn what_is_not_right_is_named_by_its_key() {
        let section = |change: fn(&mut DeskSection)| {
            let mut section = DeskSection::default();
            change(&mut section);
            section.desk(&Numbers::default(), false).unwrap_err().to_string()
        };
        let one = |text: &str| vec![text.to_owned()];
        assert!(section(|s| s.open = vec!["monday 17:00-09:00".to_owned()]).contains("`desk.open`"));
        assert!(section(|s| s.closed = vec!["christmas".to_owned()]).contains("`desk.closed`"));
        assert!(section(|s| s.services = vec!["Review 20".to_owned()]).contains("`desk.services`"));
        assert!(section(|s| s.services.clear()).contains("`desk.services`"));
        assert!(section(|s| s.verify = vec!["order_number+phone".to_owned()]).contains("`desk.verify`"));
        assert!(section(|s| s.utc_offset_minutes = 900).contains("`desk.utc_offset_minutes`"));
        assert!(section(|s| s.codes = true).contains("`mail.server`"));
        assert!(section(|s| s.open = vec!["monday 1093:00-1094:00".to_owned()]).contains("`desk.open`"));
        assert!(section(|s| s.verify.clear()).contains("`desk.verify`"), "nobody could show who they are");
        assert!(
            section(|s| s.days_ahead = 1096).contains("`desk.days_ahead`"),
            "a customer goes before that"
        );
        assert_eq!(minute("24:00"), Some(24 * 60));
        assert_eq!(way(&one("phone + email")[0]), Some([Fact::Phone, Fact::Email]));
    }
}
