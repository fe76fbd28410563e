//! What a caller said, as it is kept: numbers, telephones, addresses, days and times out of spoken words.
//!
//! The agent's tools and the search of staff call this, so that "forty two", "42" and "CUST0042" are one
//! customer. Invariant: what is not understood whole is `None`; nothing is guessed from a part of it.

mod numbers;

use time::{Date, Duration, Month};

use super::{Day, Phone, Series, Weekday, weekday};
use crate::mail::Address;

/// Most characters looked at; nobody says more than that.
const LONGEST: usize = 300;
/// Words around what was meant. They mean nothing here.
const FILLERS: [&str; 21] = [
    "my",
    "the",
    "it's",
    "its",
    "it",
    "is",
    "number",
    "customer",
    "order",
    "id",
    "um",
    "uh",
    "please",
    "of",
    "on",
    "a",
    "reference",
    "appointment",
    "phone",
    "email",
    "that's",
];

/// The country a telephone number without one belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Country {
    /// Its calling code, e.g. 1 or 91.
    pub code: u16,
    /// What stands before a number dialled within it, e.g. `0`; empty where nothing does.
    pub trunk: &'static str,
    /// How many digits its numbers have without both.
    pub digits: usize,
}

impl Country {
    /// North America.
    pub const NORTH_AMERICA: Self = Self { code: 1, trunk: "1", digits: 10 };
    /// India.
    pub const INDIA: Self = Self { code: 91, trunk: "0", digits: 10 };
}

/// The words of `said` in small letters, marks of a sentence and fillers left out.
fn words(said: &str) -> Vec<String> {
    let said: String = said.chars().take(LONGEST).collect::<String>().to_lowercase().replace('’', "'");
    let split = said.split(|letter: char| letter.is_whitespace() || matches!(letter, ',' | ';' | '!' | '?'));
    let trimmed = split.map(|word| word.trim_matches(['.', '"', '\'']));
    trimmed.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// The reference of `series` that was said: "forty two", "42", "cust zero zero four two", "CUST0042".
#[must_use]
pub fn reference(series: Series, said: &str) -> Option<String> {
    let prefix = series.prefix().to_lowercase();
    let kept: Vec<String> = words(&said.replace(['#', '-', '_'], " "))
        .into_iter()
        .filter(|word| !FILLERS.contains(&word.as_str()))
        .collect();
    // Letters of the prefix, one by one or together; then the number, perhaps glued to them.
    let mut rest = kept.as_slice();
    let mut spelt = String::new();
    while let Some((word, others)) = rest.split_first() {
        if !prefix.starts_with(&format!("{spelt}{word}")) {
            break;
        }
        spelt.push_str(word);
        rest = others;
    }
    if !spelt.is_empty() && spelt != prefix {
        return None;
    }
    let glued = rest.first().and_then(|word| word.strip_prefix(prefix.as_str())).map(str::to_owned);
    let rest: Vec<String> = match glued {
        Some(number) => std::iter::once(number).chain(rest.iter().skip(1).cloned()).collect(),
        None => rest.to_vec(),
    };
    let digits = numbers::digits(&rest)?;
    let number: u64 = digits.parse().ok().filter(|_| digits.len() <= 12)?;
    Some(series.numbered(number))
}

/// The digits of a code that was said, in their order.
#[must_use]
pub fn said_digits(said: &str) -> Option<String> {
    let kept: Vec<String> =
        words(said).into_iter().filter(|word| word != "code" && !FILLERS.contains(&word.as_str())).collect();
    numbers::digits(&kept)
}

/// The telephone number that was said; one without a country is one of `country`.
#[must_use]
pub fn phone(country: Country, said: &str) -> Option<Phone> {
    let spaced: String =
        said.chars().map(|letter| if "()-./".contains(letter) { ' ' } else { letter }).collect();
    let spaced = spaced.replace('+', " plus ");
    let mut kept: Vec<String> =
        words(&spaced).into_iter().filter(|word| !FILLERS.contains(&word.as_str())).collect();
    let has_plus = kept.first().is_some_and(|word| word == "plus");
    if has_plus {
        kept.remove(0);
    }
    let digits = numbers::digits(&kept)?;
    if has_plus {
        return Phone::from_digits(&digits).ok();
    }
    if let Some(abroad) = digits.strip_prefix("00") {
        return Phone::from_digits(abroad).ok();
    }
    let own = digits.strip_prefix(country.trunk).filter(|own| own.len() == country.digits);
    let own = own.or_else(|| (digits.len() == country.digits).then_some(digits.as_str()));
    match own {
        Some(own) => Phone::from_digits(&format!("{}{own}", country.code)).ok(),
        // With its country but without the plus.
        None => {
            let code = country.code.to_string();
            let whole = digits.len() == code.len() + country.digits && digits.starts_with(&code);
            whole.then(|| Phone::from_digits(&digits).ok())?
        }
    }
}

/// The e-mail address that was said: "john dot smith at example dot com".
#[must_use]
pub fn email(said: &str) -> Option<Address> {
    let spaced = said.replace('@', " at ");
    let mut text = String::new();
    let words = words(&spaced);
    let mut at = 0;
    // Only what stands before the first word of an address may be filler: "my email is …".
    while words.get(at).is_some_and(|word| matches!(word.as_str(), "my" | "email" | "is" | "it's" | "its")) {
        at += 1;
    }
    while let Some(word) = words.get(at) {
        match word.as_str() {
            "at" => text.push('@'),
            "dot" | "point" | "period" => text.push('.'),
            "underscore" => text.push('_'),
            "dash" | "hyphen" | "minus" => text.push('-'),
            "plus" => text.push('+'),
            // Of spelt letters "o" is one.
            letter if letter.len() == 1 => text.push_str(letter),
            word => match numbers::at(&words[at..]) {
                Some(number) => {
                    text.push_str(&number.digits);
                    at += number.words - 1;
                }
                None => text.push_str(word),
            },
        }
        at += 1;
    }
    if text.matches('@').count() != 1 || !text.rsplit_once('@')?.1.contains('.') {
        return None;
    }
    Address::read(&text.to_lowercase()).ok()
}

const MONTHS: [(&str, Month); 12] = [
    ("january", Month::January),
    ("february", Month::February),
    ("march", Month::March),
    ("april", Month::April),
    ("may", Month::May),
    ("june", Month::June),
    ("july", Month::July),
    ("august", Month::August),
    ("september", Month::September),
    ("october", Month::October),
    ("november", Month::November),
    ("december", Month::December),
];

/// The day that was said: "2026-11-24", "tomorrow", "next Tuesday", "4 July 1985", "November 24th". A day
/// without a year is the next such day from `today`.
#[must_use]
pub fn date(today: Date, said: &str) -> Option<Day> {
    let kept: Vec<String> =
        words(said).into_iter().filter(|word| !FILLERS.contains(&word.as_str())).collect();
    let kept: Vec<&str> = kept.iter().map(String::as_str).collect();
    if let [one] = kept.as_slice()
        && let Ok(day) = Day::read(one)
    {
        return Some(day);
    }
    let in_days = |days| today.checked_add(Duration::days(days)).map(Day);
    match kept.as_slice() {
        ["today"] => return in_days(0),
        ["tomorrow"] => return in_days(1),
        ["day", "after", "tomorrow"] => return in_days(2),
        ["next" | "this", day] | [day] => {
            if let Some(wanted) = Weekday::named(day) {
                let ahead = (wanted as i64 - weekday(today) as i64).rem_euclid(7);
                return in_days(if ahead == 0 { 7 } else { ahead });
            }
        }
        _ => {}
    }
    let place = kept.iter().position(|word| MONTHS.iter().any(|(name, _)| name == word))?;
    let month = MONTHS.iter().find(|(name, _)| *name == kept[place])?.1;
    let others: Vec<String> =
        kept.iter().enumerate().filter(|(at, _)| *at != place).map(|(_, word)| (*word).to_owned()).collect();
    let (day, year) = if place == 0 {
        let day = numbers::ordinal(&others)?;
        (day.0, others.get(day.1..)?)
    } else {
        let day = numbers::ordinal(others.get(..place)?).filter(|day| day.1 == place)?;
        (day.0, others.get(place..)?)
    };
    if !year.is_empty() {
        let year: i32 = numbers::year(year)?;
        return Date::from_calendar_date(year, month, day).ok().map(Day);
    }
    let this_year = Date::from_calendar_date(today.year(), month, day).ok().filter(|date| *date >= today);
    this_year.or_else(|| Date::from_calendar_date(today.year() + 1, month, day).ok()).map(Day)
}

/// The time of day that was said, in minutes after midnight: "14:30", "2:30 pm", "half past two pm", "9".
#[must_use]
pub fn time_of_day(said: &str) -> Option<u16> {
    let said = said.to_lowercase().replace("a.m.", " am ").replace("p.m.", " pm ").replace("o'clock", " ");
    let mut kept: Vec<String> =
        words(&said).into_iter().filter(|word| !FILLERS.contains(&word.as_str()) && word != "at").collect();
    match kept.as_slice() {
        [one] if one == "noon" || one == "midday" => return Some(12 * 60),
        [one] if one == "midnight" => return Some(0),
        _ => {}
    }
    // "2:30pm"
    if let [one] = kept.as_slice()
        && let Some(half) = ["am", "pm"].into_iter().find(|half| one.ends_with(half))
    {
        kept = vec![one[..one.len() - 2].to_owned(), half.to_owned()];
    }
    let half = kept.last().filter(|last| ["am", "pm"].contains(&last.as_str())).cloned();
    if half.is_some() {
        kept.pop();
    }
    let (hour, minute) = clock(&kept)?;
    let hour = match half.as_deref() {
        Some("am") if (1..=12).contains(&hour) => hour % 12,
        Some("pm") if (1..=12).contains(&hour) => hour % 12 + 12,
        Some(_) => return None,
        None => hour,
    };
    (hour < 24 && minute < 60).then(|| hour * 60 + minute)
}

/// Hour and minute out of words without "am" and "pm".
fn clock(kept: &[String]) -> Option<(u16, u16)> {
    let past = |words: &[String], minute| Some((numbers::whole(words)?, minute));
    match kept {
        [one] if one.contains(':') => {
            let (hour, minute) = one.split_once(':')?;
            let is_number =
                |text: &str| (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
            (is_number(hour) && minute.len() == 2 && is_number(minute))
                .then_some(())
                .and_then(|()| Some((hour.parse().ok()?, minute.parse().ok()?)))
        }
        [half, past_word, rest @ ..] if half == "half" && past_word == "past" => past(rest, 30),
        [quarter, past_word, rest @ ..] if quarter == "quarter" && past_word == "past" => past(rest, 15),
        [first, rest @ ..] => {
            let hour = numbers::whole(std::slice::from_ref(first))?;
            Some((hour, if rest.is_empty() { 0 } else { numbers::minute(rest)? }))
        }
        [] => None,
    }
}

#[cfg(test)]
mod tests;
