//! Single words: what a written form with or without digits sounds like.

use super::numbers::{cardinal, digit, digits, letter, ordinal, year};
use super::{Around, Said};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// Before a number that is read digit by digit.
const CUES: [&str; 27] = [
    "order",
    "account",
    "number",
    "no",
    "code",
    "id",
    "pin",
    "reference",
    "ref",
    "card",
    "invoice",
    "ticket",
    "phone",
    "dial",
    "call",
    "extension",
    "ext",
    "zip",
    "postcode",
    "policy",
    "booking",
    "confirmation",
    "case",
    "serial",
    "tracking",
    "customer",
    "ending",
];
/// What may stand between such a word and its number.
const FILLERS: [&str; 8] = ["is", "number", "no", "in", "code", "id", "with", "the"];
/// Before a number of four digits that is a year.
const YEAR_CUES: [&str; 10] = ["in", "since", "of", "until", "from", "year", "early", "late", "by", "during"];
const UNITS: [(&str, &str, &str); 26] = [
    ("km", "kilometre", "kilometres"),
    ("m", "metre", "metres"),
    ("cm", "centimetre", "centimetres"),
    ("mm", "millimetre", "millimetres"),
    ("kg", "kilogram", "kilograms"),
    ("g", "gram", "grams"),
    ("mg", "milligram", "milligrams"),
    ("l", "litre", "litres"),
    ("ml", "millilitre", "millilitres"),
    ("kb", "kilobyte", "kilobytes"),
    ("mb", "megabyte", "megabytes"),
    ("gb", "gigabyte", "gigabytes"),
    ("tb", "terabyte", "terabytes"),
    ("ms", "millisecond", "milliseconds"),
    ("s", "second", "seconds"),
    ("min", "minute", "minutes"),
    ("h", "hour", "hours"),
    ("hz", "hertz", "hertz"),
    ("khz", "kilohertz", "kilohertz"),
    ("kw", "kilowatt", "kilowatts"),
    ("kwh", "kilowatt hour", "kilowatt hours"),
    ("°c", "degree Celsius", "degrees Celsius"),
    ("°f", "degree Fahrenheit", "degrees Fahrenheit"),
    ("°", "degree", "degrees"),
    ("am", "ay em", "ay em"),
    ("pm", "pee em", "pee em"),
];
const MONEY: [(char, [&str; 4]); 4] = [
    ('$', ["dollar", "dollars", "cent", "cents"]),
    ('€', ["euro", "euros", "cent", "cents"]),
    ('£', ["pound", "pounds", "penny", "pence"]),
    ('¥', ["yen", "yen", "", ""]),
];
const MAGNITUDES: [&str; 4] = ["thousand", "million", "billion", "trillion"];

/// A word without digits: its letters, and the names of signs within it.
pub(super) fn without_digits(word: &str) -> String {
    let bare = without_scheme(word);
    let address = word.contains('@') || bare != word || word.starts_with("www.");
    let word = bare;
    let mut said = String::new();
    for character in word.chars() {
        match character {
            '@' => said.push_str(" at "),
            '.' if address => said.push_str(" dot "),
            '/' if address => said.push_str(" slash "),
            '&' => said.push_str(" and "),
            '%' => said.push_str(" percent "),
            '$' => said.push_str(" dollars "),
            '€' => said.push_str(" euros "),
            '£' => said.push_str(" pounds "),
            '+' => said.push_str(" plus "),
            '=' => said.push_str(" equals "),
            '°' => said.push_str(" degrees "),
            '—' => said.push_str(", "),
            '\'' | '-' => said.push(character),
            _ if character.is_ascii_alphabetic() => said.push(character),
            _ => said.push(' '),
        }
    }
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An address on the web without what nobody says of it.
fn without_scheme(word: &str) -> &str {
    word.strip_prefix("https://").or_else(|| word.strip_prefix("http://")).unwrap_or(word)
}

/// A word with digits: the first known form that fits all of it, else character by character.
pub(super) fn with_digits(word: &str, around: &Around) -> Said {
    if let Some(said) = money(word, around.after) {
        return said;
    }
    let known = number(word, around)
        .or_else(|| time(word, around.after))
        .or_else(|| date(word))
        .or_else(|| numbered(word))
        .or_else(|| measured(word))
        .or_else(|| range(word));
    Said { words: known.unwrap_or_else(|| one_by_one(without_scheme(word))), taken: 1 }
}

/// A number as it is written: its whole part without separators, and the digits behind the point.
struct Written<'a> {
    whole: String,
    fraction: Option<&'a str>,
    grouped: bool,
    minus: bool,
}

impl<'a> Written<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (minus, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) =
            text.split_once('.').map_or((text, None), |(whole, part)| (whole, Some(part)));
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let mut groups = whole.split(',');
        let first = groups.next()?;
        let rest: Vec<&str> = groups.collect();
        let grouped = !rest.is_empty();
        let fits = all_digits(first)
            && (!grouped || first.len() <= 3)
            && rest.iter().all(|group| group.len() == 3 && all_digits(group))
            && fraction.is_none_or(all_digits);
        fits.then(|| Self { whole: whole.replace(',', ""), fraction, grouped, minus })
    }

    fn value(&self) -> Option<u64> {
        self.whole.parse().ok()
    }

    /// As a quantity; `None` where it would lose a digit (zeros in front) or is beyond words.
    fn quantity(&self) -> Option<String> {
        let value = self.value().filter(|_| self.whole.len() == 1 || !self.whole.starts_with('0'))?;
        let mut words = if self.minus { format!("minus {}", cardinal(value)) } else { cardinal(value) };
        if let Some(fraction) = self.fraction {
            words = format!("{words} point {}", digits(fraction));
        }
        Some(words)
    }
}

/// The word before, without marks, in small letters.
fn plain(word: &str) -> String {
    word.trim_matches(|character: char| !character.is_ascii_alphanumeric()).to_ascii_lowercase()
}

/// The month a word names, in full or in short; small letters may and march are other words.
fn month(word: &str) -> Option<&'static str> {
    let word = word.trim_matches(|character: char| !character.is_ascii_alphanumeric());
    MONTHS
        .iter()
        .find(|name| **name == word || ((3..=4).contains(&word.len()) && name.starts_with(word)))
        .copied()
}

/// A unit by itself, behind its number.
pub(super) fn unit(word: &str, before: Option<&str>) -> Option<String> {
    let written = Written::parse(before?).filter(|_| word.len() >= 2)?;
    let small = word.to_lowercase();
    let (_, one, many) = UNITS.iter().find(|(sign, ..)| *sign == small)?;
    let single = written.whole == "1" && written.fraction.is_none();
    Some((if single { one } else { many }).to_string())
}

fn number(word: &str, around: &Around) -> Option<String> {
    let written = Written::parse(word)?;
    let bare = written.fraction.is_none() && !written.grouped && !written.minus;
    let value = written.value();
    let mut before = around.before.iter().rev().map(|word| plain(word));
    let last = before.next().unwrap_or_default();
    if bare {
        let cued = CUES.contains(&last.as_str())
            || (FILLERS.contains(&last.as_str())
                && around
                    .before
                    .iter()
                    .rev()
                    .skip(1)
                    .take(2)
                    .any(|word| CUES.contains(&plain(word).as_str())));
        let in_a_row = |word: Option<&str>| {
            word.is_some_and(|word| {
                let word = word.trim_matches(['(', ')', ',', '.', '?', '!']);
                word.len() >= 2 && word.bytes().all(|byte| byte.is_ascii_digit() || b"-+".contains(&byte))
            })
        };
        let neighbours = word.len() >= 2
            && (in_a_row(around.after) || in_a_row(around.before.last().copied()))
            && around.before.iter().rev().take(2).all(|word| month(word).is_none());
        if word.len() >= 7 || (cued && word.len() >= 3) || neighbours {
            return Some(digits(word));
        }
        let near_month = around.before.iter().rev().take(2).any(|word| month(word).is_some());
        if word.len() == 4
            && value.is_some_and(|value| (1_100..2_100).contains(&value))
            && (near_month || YEAR_CUES.contains(&last.as_str()))
        {
            return value.map(year);
        }
        let day = value.filter(|value| (1..=31).contains(value) && !word.starts_with('0'));
        if let (Some(day), Some(_)) = (day, around.before.last().and_then(|word| month(word))) {
            return Some(ordinal(day));
        }
        if let (Some(day), Some(_)) = (day, around.after.and_then(month)) {
            return Some(format!("{} of", ordinal(day)));
        }
    }
    written.quantity()
}

/// `$12.50`, `12€`, `$5` before "million".
fn money(word: &str, after: Option<&str>) -> Option<Said> {
    let (minus, word) = word.strip_prefix('-').map_or(("", word), |rest| ("minus ", rest));
    let (amount, [one, many, small_one, small_many]) = MONEY.iter().find_map(|(sign, names)| {
        word.strip_prefix(*sign).or_else(|| word.strip_suffix(*sign)).map(|amount| (amount, *names))
    })?;
    let (amount, magnitude) = match amount.strip_suffix(['k', 'K']) {
        Some(amount) => (amount, Some("thousand")),
        None => (amount, amount.strip_suffix(['m', 'M']).map(|_| "million")),
    };
    let amount = amount.trim_end_matches(['m', 'M']);
    let written = Written::parse(amount).filter(|written| !written.minus)?;
    let next = after.map(plain).and_then(|after| MAGNITUDES.iter().find(|name| **name == after));
    let taken = if magnitude.is_none() && next.is_some() { 2 } else { 1 };
    if let Some(magnitude) = magnitude.or(next.copied()) {
        let words = format!("{minus}{} {magnitude} {many}", written.quantity()?);
        return Some(Said { words, taken });
    }
    let whole = written.value().filter(|_| written.whole.len() == 1 || !written.whole.starts_with('0'))?;
    let words = match written.fraction {
        Some(cents) if cents.len() == 2 && !small_one.is_empty() => {
            let cents: u64 = cents.parse().ok()?;
            let small = format!("{} {}", cardinal(cents), if cents == 1 { small_one } else { small_many });
            let large = format!("{} {}", cardinal(whole), if whole == 1 { one } else { many });
            match (whole, cents) {
                (_, 0) => large,
                (0, _) => small,
                _ => format!("{large} and {small}"),
            }
        }
        Some(_) => format!("{} {many}", written.quantity()?),
        None => format!("{} {}", cardinal(whole), if whole == 1 { one } else { many }),
    };
    Some(Said { words: format!("{minus}{words}"), taken: 1 })
}

/// `7:05`, `19:30:10`, `7:30pm`.
fn time(word: &str, after: Option<&str>) -> Option<String> {
    let small = word.to_ascii_lowercase();
    let (clock, half) = match (small.strip_suffix("am"), small.strip_suffix("pm")) {
        (Some(clock), _) => (clock, " ay em"),
        (_, Some(clock)) => (clock, " pee em"),
        _ => (small.as_str(), ""),
    };
    let parts: Vec<&str> = clock.split(':').collect();
    let value = |part: &str, most: u64| part.parse().ok().filter(|value: &u64| *value <= most);
    let (hour, minute, second) = match parts.as_slice() {
        [hour, minute] if minute.len() == 2 => (value(hour, 24)?, value(minute, 59)?, None),
        [hour, minute, second] if minute.len() == 2 && second.len() == 2 => {
            (value(hour, 24)?, value(minute, 59)?, Some(value(second, 59)?))
        }
        _ => return None,
    };
    if parts.first().is_none_or(|hour| hour.len() > 2)
        || !parts.concat().bytes().all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    let halved = !half.is_empty()
        || after.is_some_and(|after| matches!(plain(after).as_str(), "am" | "pm" | "a.m" | "p.m"));
    let minutes = match minute {
        0 if halved => String::new(),
        0 => " o'clock".to_owned(),
        1..=9 => format!(" oh {}", cardinal(minute)),
        _ => format!(" {}", cardinal(minute)),
    };
    let seconds = second
        .filter(|second| *second > 0)
        .map(|second| format!(" and {} seconds", cardinal(second)))
        .unwrap_or_default();
    Some(format!("{}{minutes}{seconds}{half}", cardinal(hour)))
}

/// `2024-03-05`, also with a time behind a `T`; other orders of day and month mean different days in different places and are left alone.
fn date(word: &str) -> Option<String> {
    if let Some((day, clock)) = word.split_once('T') {
        return Some(format!("{} at {}", date(day)?, time(clock.trim_end_matches('Z'), None)?));
    }
    let parts: Vec<&str> = word.split('-').collect();
    let [written_year, written_month, written_day] = parts.as_slice() else { return None };
    let value = |part: &str, length: usize| {
        (part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| part.parse::<u64>().ok())?
    };
    let year_number = value(written_year, 4).filter(|year| (1_100..2_100).contains(year))?;
    let month = usize::try_from(value(written_month, 2)?).ok()?.checked_sub(1)?;
    let day = value(written_day, 2).filter(|day| (1..=31).contains(day))?;
    Some(format!("{} {}, {}", MONTHS.get(month)?, ordinal(day), year(year_number)))
}

/// `21st`, `50%`, `#12`, `1990s`.
fn numbered(word: &str) -> Option<String> {
    if let Some(amount) = word.strip_suffix('%') {
        return Written::parse(amount)?.quantity().map(|words| format!("{words} percent"));
    }
    if let Some(rest) = word.strip_prefix('#') {
        return Some(format!("number {}", one_by_one(rest)));
    }
    let small = word.to_ascii_lowercase();
    if let Some(decade) = small.strip_suffix("0s").filter(|decade| decade.len() == 3) {
        let words = year(format!("{decade}0").parse().ok().filter(|year| (1_100..2_100).contains(year))?);
        return Some(
            words.strip_suffix('y').map_or_else(|| format!("{words}s"), |stem| format!("{stem}ies")),
        );
    }
    let place = ["st", "nd", "rd", "th"].iter().find_map(|ending| small.strip_suffix(ending))?;
    let written = Written::parse(place).filter(|written| written.fraction.is_none() && !written.minus)?;
    written.quantity()?;
    written.value().map(ordinal)
}

/// `5km`, `20°C`, `9am`, `5k`, `2x`.
fn measured(word: &str) -> Option<String> {
    let end = word.find(|character: char| character.is_ascii_alphabetic() || character == '°')?;
    let (amount, unit) = word.split_at_checked(end)?;
    let written = Written::parse(amount)?;
    let small = unit.to_lowercase();
    let one = written.whole == "1" && written.fraction.is_none();
    let name = match small.as_str() {
        "k" => "thousand",
        "x" => "times",
        _ => UNITS
            .iter()
            .find(|(sign, ..)| *sign == small)
            .map(|(_, name, names)| if one { name } else { names })?,
    };
    Some(format!("{} {name}", written.quantity()?))
}

/// `10-12`, `1999-2004`, `1/2`.
fn range(word: &str) -> Option<String> {
    let named = [
        ("1/2", "one half"),
        ("1/4", "one quarter"),
        ("3/4", "three quarters"),
        ("1/3", "one third"),
        ("2/3", "two thirds"),
    ];
    if let Some((_, words)) = named.iter().find(|(written, _)| *written == word) {
        return Some((*words).to_owned());
    }
    let (low, high) = word.split_once(['-', '—'])?;
    let form = |part: &str| time(part, None).or_else(|| measured(part));
    if let (Some(from), Some(to)) = (form(low), form(high)) {
        return Some(format!("{from} to {to}"));
    }
    let value = |part: &str| {
        Written::parse(part)
            .filter(|one| one.fraction.is_none())
            .and_then(|one| one.quantity().and(one.value()))
    };
    let (from, to) = (value(low)?, value(high)?);
    let years = |value: u64| (1_100..2_100).contains(&value);
    match (low.len(), high.len()) {
        (1..=2, 1..=2) if from < to => Some(format!("{} to {}", cardinal(from), cardinal(to))),
        (4, 4) if from < to && years(from) && years(to) => Some(format!("{} to {}", year(from), year(to))),
        _ => None,
    }
}

/// An identifier: every digit, letters by their names where they are few or large, a pause at each break.
fn one_by_one(word: &str) -> String {
    let mut said: Vec<String> = Vec::new();
    let mut rest = word;
    while let Some(first) = rest.chars().next() {
        let letters =
            rest.len() - rest.trim_start_matches(|character: char| character.is_ascii_alphabetic()).len();
        if letters > 0 {
            let (run, after) = rest.split_at(letters);
            if run.len() <= 3 || run.bytes().all(|byte| byte.is_ascii_uppercase()) {
                said.extend(run.chars().filter_map(letter).map(str::to_owned));
            } else {
                said.push(run.to_owned());
            }
            rest = after;
            continue;
        }
        let name = match first {
            '-' | '_' | ':' | ',' | '(' | ')' | '—' => ",",
            '.' => "dot",
            '/' => "slash",
            '@' => "at",
            '+' => "plus",
            '#' => "number",
            '%' => "percent",
            '=' => "equals",
            '&' => "and",
            '$' => "dollars",
            '€' => "euros",
            '£' => "pounds",
            '°' => "degrees",
            _ => digit(first).unwrap_or_default(),
        };
        if !name.is_empty() {
            said.push(name.to_owned());
        }
        rest = rest.get(first.len_utf8()..).unwrap_or_default();
    }
    said.join(" ")
}
