//! Numbers, years, digits and letters as words.

const SMALL: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 10] =
    ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const SCALES: [(u64, &str); 5] = [
    (1_000_000_000_000_000, "quadrillion"),
    (1_000_000_000_000, "trillion"),
    (1_000_000_000, "billion"),
    (1_000_000, "million"),
    (1_000, "thousand"),
];
/// Names of letters, written so that a reader of English says them.
const LETTERS: [&str; 26] = [
    "ay",
    "bee",
    "see",
    "dee",
    "ee",
    "eff",
    "gee",
    "aitch",
    "eye",
    "jay",
    "kay",
    "el",
    "em",
    "en",
    "oh",
    "pee",
    "cue",
    "ar",
    "ess",
    "tee",
    "you",
    "vee",
    "double you",
    "ex",
    "why",
    "zee",
];

/// `1234` as "one thousand two hundred thirty four". Beyond 10^18 its digits.
pub(super) fn cardinal(number: u64) -> String {
    if number >= 1_000_000_000_000_000_000 {
        return digits(&number.to_string());
    }
    let mut words = Vec::new();
    let mut rest = number;
    for (scale, name) in SCALES {
        if rest >= scale {
            words.push(hundreds(rest / scale));
            words.push(name.to_owned());
            rest %= scale;
        }
    }
    if rest > 0 || words.is_empty() {
        words.push(hundreds(rest));
    }
    words.join(" ")
}

/// A number below 1000.
fn hundreds(number: u64) -> String {
    let small = |number: u64| usize::try_from(number).ok().and_then(|at| SMALL.get(at)).copied();
    let tens = |number: u64| usize::try_from(number).ok().and_then(|at| TENS.get(at)).copied();
    let mut words = Vec::new();
    if number >= 100 {
        words.extend([small(number / 100).unwrap_or_default(), "hundred"]);
    }
    let rest = number % 100;
    match small(rest) {
        Some(_) if rest == 0 && number >= 100 => {}
        Some(word) => words.push(word),
        None => {
            words.extend(tens(rest / 10));
            if !rest.is_multiple_of(10) {
                words.extend(small(rest % 10));
            }
        }
    }
    words.join(" ")
}

/// `21` as "twenty first".
pub(super) fn ordinal(number: u64) -> String {
    let words = cardinal(number);
    let (front, last) = words.rsplit_once(' ').map_or(("", words.as_str()), |(front, last)| (front, last));
    let last = match last {
        "one" => "first".to_owned(),
        "two" => "second".to_owned(),
        "three" => "third".to_owned(),
        "five" => "fifth".to_owned(),
        "eight" => "eighth".to_owned(),
        "nine" => "ninth".to_owned(),
        "twelve" => "twelfth".to_owned(),
        tens if tens.ends_with('y') => format!("{}ieth", tens.strip_suffix('y').unwrap_or(tens)),
        other => format!("{other}th"),
    };
    if front.is_empty() { last } else { format!("{front} {last}") }
}

/// `1905` as "nineteen oh five"; four digits expected.
pub(super) fn year(number: u64) -> String {
    let (century, rest) = (number / 100, number % 100);
    match (century % 10, rest) {
        (0, 0..=9) => cardinal(number),
        (_, 0) => format!("{} hundred", cardinal(century)),
        (_, 1..=9) => format!("{} oh {}", cardinal(century), cardinal(rest)),
        _ => format!("{} {}", cardinal(century), cardinal(rest)),
    }
}

/// Every digit of `text` by itself; all else is skipped.
pub(super) fn digits(text: &str) -> String {
    let words: Vec<&str> = text.chars().filter_map(digit).collect();
    words.join(" ")
}

/// The word for a digit.
pub(super) fn digit(character: char) -> Option<&'static str> {
    let value = usize::try_from(character.to_digit(10)?).ok()?;
    SMALL.get(value).copied()
}

/// The name of a letter.
pub(super) fn letter(character: char) -> Option<&'static str> {
    let at = character
        .to_ascii_lowercase()
        .is_ascii_lowercase()
        .then(|| character.to_ascii_lowercase() as u8 - b'a');
    at.and_then(|at| LETTERS.get(usize::from(at))).copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The number a row of words stands for.
    fn read(words: &str) -> u64 {
        let (mut sum, mut part) = (0, 0);
        for word in words.split(' ') {
            if let Some(value) = SMALL.iter().position(|small| *small == word) {
                part += value as u64;
            } else if let Some(value) = TENS.iter().position(|tens| *tens == word) {
                part += 10 * value as u64;
            } else if word == "hundred" {
                part *= 100;
            } else {
                let scale = SCALES.iter().find(|(_, name)| *name == word).expect("a word for a number").0;
                sum += part * scale;
                part = 0;
            }
        }
        sum + part
    }

    proptest! {
        #[test]
        fn numbers_can_be_read_back(number in 0..1_000_000_000_000_000_000_u64, small in 0..2_000_u64) {
            prop_assert_eq!(read(&cardinal(number)), number);
            prop_assert_eq!(read(&cardinal(small)), small);
        }
    }

    #[test]
    fn words_are_those_people_say() {
        assert_eq!(cardinal(1_000_019), "one million nineteen");
        assert_eq!(cardinal(u64::MAX).split(' ').count(), 20);
        let ordinals = [1, 2, 3, 4, 12, 20, 21, 100].map(ordinal);
        assert_eq!(
            ordinals,
            ["first", "second", "third", "fourth", "twelfth", "twentieth", "twenty first", "one hundredth"]
        );
        let years = [1900, 1905, 1999, 2000, 2007, 2024].map(year);
        assert_eq!(
            years,
            [
                "nineteen hundred",
                "nineteen oh five",
                "nineteen ninety nine",
                "two thousand",
                "two thousand seven",
                "twenty twenty four"
            ]
        );
        assert_eq!(digits("0-89"), "zero eight nine");
        assert_eq!((letter('W'), letter('1')), (Some("double you"), None));
    }
}
