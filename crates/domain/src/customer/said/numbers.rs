//! Spoken numbers: digit by digit ("four double one"), in pairs ("forty two"), or whole ("four hundred").

use crate::number_words::{TEENS, TENS, UNITS};

const ORDINALS: [&str; 19] = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
];

/// Digits, and how many words they were.
pub(super) struct Number {
    pub(super) digits: String,
    pub(super) words: usize,
}

fn place(list: &[&str], word: &str) -> Option<usize> {
    list.iter().position(|known| *known == word)
}

fn unit(word: &str) -> Option<usize> {
    match word {
        "oh" | "o" | "nought" | "naught" | "nil" => Some(0),
        _ => place(&UNITS, word),
    }
}

fn tens(word: &str) -> Option<usize> {
    let word = if word == "fourty" { "forty" } else { word };
    place(&TENS, word).map(|at| (at + 2) * 10)
}

/// The number that `words` begin with; a hyphenated word is one.
pub(super) fn at(words: &[String]) -> Option<Number> {
    let word = words.first()?.as_str();
    if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Number { digits: word.to_owned(), words: 1 });
    }
    if let Some(times) = ["double", "triple"].iter().position(|known| *known == word) {
        let next = words.get(1)?.as_str();
        let digit = unit(next).map(|digit| digit.to_string()).or_else(|| {
            (next.len() == 1 && next.bytes().all(|byte| byte.is_ascii_digit())).then(|| next.to_owned())
        })?;
        return Some(Number { digits: digit.repeat(times + 2), words: 2 });
    }
    if let Some((ten, one)) = word.split_once('-') {
        let value = tens(ten)? + unit(one).filter(|one| *one > 0)?;
        return Some(Number { digits: value.to_string(), words: 1 });
    }
    let (value, taken) = below_hundred(words)?;
    Some(hundreds(words, value, taken))
}

/// "forty two", "nineteen", "oh"; with how many words it took.
fn below_hundred(words: &[String]) -> Option<(usize, usize)> {
    let word = words.first()?.as_str();
    if let Some(ten) = tens(word) {
        let one = words.get(1).and_then(|next| place(&UNITS, next)).filter(|one| *one > 0);
        return Some((ten + one.unwrap_or(0), 1 + usize::from(one.is_some())));
    }
    unit(word).or_else(|| place(&TEENS, word).map(|at| at + 10)).map(|value| (value, 1))
}

/// "four hundred and twelve", "two thousand six" after their first number.
fn hundreds(words: &[String], first: usize, taken: usize) -> Number {
    let (mut value, mut taken) = (first, taken);
    for (scale, each) in [("hundred", 100), ("thousand", 1000)] {
        if words.get(taken).is_none_or(|word| word != scale) {
            continue;
        }
        value *= each;
        taken += 1;
        let and = usize::from(words.get(taken).is_some_and(|word| word == "and"));
        if let Some((more, count)) = words.get(taken + and..).and_then(below_hundred)
            && words.get(taken + and + count).is_none_or(|word| word != "thousand")
        {
            value += more;
            taken += and + count;
        }
    }
    Number { digits: value.to_string(), words: taken }
}

/// All of `words` as one row of digits.
pub(super) fn digits(words: &[String]) -> Option<String> {
    let (mut row, mut next) = (String::new(), 0);
    while next < words.len() {
        let number = at(&words[next..])?;
        row.push_str(&number.digits);
        next += number.words;
    }
    (!row.is_empty()).then_some(row)
}

/// All of `words` as one number.
pub(super) fn whole(words: &[String]) -> Option<u16> {
    let number = at(words)?;
    (number.words == words.len()).then(|| number.digits.parse().ok())?
}

/// "thirty", "oh five", "05".
pub(super) fn minute(words: &[String]) -> Option<u16> {
    let row = digits(words)?;
    if row.len() > 2 { None } else { row.parse().ok() }
}

/// A day of the month and how many words it took: "24", "24th", "twenty fourth", "the fourth".
pub(super) fn ordinal(words: &[String]) -> Option<(u8, usize)> {
    let word = words.first()?.as_str();
    let bare = ["st", "nd", "rd", "th"].iter().find_map(|end| word.strip_suffix(end)).unwrap_or(word);
    if let Ok(day) = bare.parse() {
        return Some((day, 1));
    }
    let day = |value: usize, taken| u8::try_from(value).ok().map(|value| (value, taken));
    if let Some(at) = place(&ORDINALS, word) {
        return day(at + 1, 1);
    }
    match word {
        "twentieth" => return day(20, 1),
        "thirtieth" => return day(30, 1),
        _ => {}
    }
    let (first, second) = match word.split_once('-') {
        Some((first, second)) => (first, Some(second)),
        None => (word, words.get(1).map(String::as_str)),
    };
    let taken = if word.contains('-') { 1 } else { 2 };
    if let (Some(ten), Some(at)) =
        (tens(first), second.and_then(|second| place(&ORDINALS, second)).filter(|at| *at < 9))
    {
        return day(ten + at + 1, taken);
    }
    let (value, taken) = below_hundred(words)?;
    day(value, taken)
}

/// "2026", "nineteen eighty five", "two thousand six".
pub(super) fn year(words: &[String]) -> Option<i32> {
    let row = digits(words)?;
    if row.len() == 4 { row.parse().ok() } else { None }
}
