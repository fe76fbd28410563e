//! Tables of what people say, and what of it is understood.

use proptest::prelude::*;

use super::*;

fn day(text: &str) -> Date {
    Day::read(text).unwrap().0
}

#[test]
fn references_are_understood_however_they_are_said() {
    let customer = |said| reference(Series::Customer, said);
    for said in [
        "42",
        "forty two",
        "Forty-two.",
        "CUST0042",
        "cust 42",
        "cust-0042",
        "c u s t zero zero four two",
        "customer number forty two",
        "it's customer id 0042, please",
        "oh oh four two",
        "#42",
        "four two",
    ] {
        assert_eq!(customer(said).as_deref(), Some("CUST0042"), "{said}");
    }
    for (said, wanted) in [
        ("four hundred and twelve", "CUST0412"),
        ("two thousand six", "CUST2006"),
        ("double seven", "CUST0077"),
        ("triple one four", "CUST1114"),
        ("twelve thousand", "CUST12000"),
        ("nineteen eighty five", "CUST1985"),
    ] {
        assert_eq!(customer(said).as_deref(), Some(wanted), "{said}");
    }
    assert_eq!(reference(Series::Order, "order seven").as_deref(), Some("ORD0007"));
    for strange in ["", "ORD0042", "forty two or so", "cust", "cus 42", "-", "9999999999999"] {
        assert_eq!(customer(strange), None, "{strange}");
    }
}

#[test]
fn telephone_numbers_are_understood_however_they_are_said() {
    let america = |said| phone(Country::NORTH_AMERICA, said).map(String::from);
    for said in [
        "+1 (555) 010-0042",
        "555 010 0042",
        "1-555-010-0042",
        "five five five oh one oh oh oh four two",
        "plus one five five five zero one zero double zero forty two",
        "my phone number is triple five, zero one zero, zero zero four two",
        "0015550100042",
    ] {
        assert_eq!(america(said).as_deref(), Some("+15550100042"), "{said}");
    }
    let india = |said| phone(Country::INDIA, said).map(String::from);
    for said in ["98765 43210", "098765 43210", "+91 98765 43210", "919876543210"] {
        assert_eq!(india(said).as_deref(), Some("+919876543210"), "{said}");
    }
    for strange in ["", "555", "555 010 00421", "call me", "+", "+0123456789", "five five five what"] {
        assert_eq!(america(strange), None, "{strange}");
    }
}

#[test]
fn addresses_are_understood_however_they_are_said() {
    for (said, wanted) in [
        ("john dot smith at example dot com", "john.smith@example.com"),
        ("John.Smith@Example.com", "john.smith@example.com"),
        ("my email is j o h n underscore smith at example dot co dot uk.", "john_smith@example.co.uk"),
        ("customer forty two at example dot com", "customer42@example.com"),
        ("a dash b plus c at x dash y dot org", "a-b+c@x-y.org"),
    ] {
        assert_eq!(email(said).map(String::from).as_deref(), Some(wanted), "{said}");
    }
    for strange in ["", "john", "john at example", "at example dot com", "a at b at c dot com", "a b@", "@"] {
        assert_eq!(email(strange), None, "{strange}");
    }
}

#[test]
fn days_are_understood_however_they_are_said() {
    // A Tuesday.
    let today = day("2026-11-24");
    for (said, wanted) in [
        ("2026-11-25", "2026-11-25"),
        ("today", "2026-11-24"),
        ("tomorrow.", "2026-11-25"),
        ("the day after tomorrow", "2026-11-26"),
        ("next Tuesday", "2026-12-01"),
        ("on Monday", "2026-11-30"),
        ("4 July 1985", "1985-07-04"),
        ("the fourth of July nineteen eighty five", "1985-07-04"),
        ("July 4th, 1985", "1985-07-04"),
        ("november twenty fifth", "2026-11-25"),
        ("3 January", "2027-01-03"),
        ("the thirty first of december", "2026-12-31"),
    ] {
        assert_eq!(date(today, said).map(|day| day.to_string()).as_deref(), Some(wanted), "{said}");
    }
    for strange in ["", "soon", "31 February 2027", "07/04/1985", "July", "13", "2026-02-30"] {
        assert_eq!(date(today, strange), None, "{strange}");
    }
}

#[test]
fn times_are_understood_however_they_are_said() {
    for (said, wanted) in [
        ("14:30", 870),
        ("2:30 pm", 870),
        ("2:30pm", 870),
        ("2 p.m.", 840),
        ("half past two pm", 870),
        ("quarter past nine", 555),
        ("nine", 540),
        ("at ten thirty", 630),
        ("nine oh five am", 545),
        ("noon", 720),
        ("12 am", 0),
    ] {
        assert_eq!(time_of_day(said), Some(wanted), "{said}");
    }
    for strange in
        ["", "24:00", "9:60", "13 pm", "0 am", "later", "9:5", "half past", "1430", "1093:00", "1093"]
    {
        assert_eq!(time_of_day(strange), None, "{strange}");
    }
}

proptest! {
    #[test]
    fn whatever_is_said_is_understood_or_not_and_nothing_breaks(said in "\\PC{0,80}") {
        let _ = (reference(Series::Customer, &said), phone(Country::INDIA, &said), email(&said));
        let _ = (date(day("2026-11-24"), &said), time_of_day(&said));
    }

    #[test]
    fn a_reference_is_understood_as_itself(number in 0_u64..1_000_000_000_000) {
        let written = Series::Order.numbered(number);
        prop_assert_eq!(reference(Series::Order, &written), Some(written.clone()));
        let names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
        let digits = number.to_string();
        let spelt = digits.chars().map(|digit| names[digit.to_digit(10).unwrap() as usize]);
        let spelt = spelt.collect::<Vec<_>>().join(" ");
        prop_assert_eq!(reference(Series::Order, &spelt), Some(written));
    }

    #[test]
    fn a_telephone_number_is_understood_as_itself(digits in "[1-9][0-9]{6,14}") {
        let phone = Phone::from_digits(&digits).unwrap();
        prop_assert_eq!(super::phone(Country::NORTH_AMERICA, phone.as_str()), Some(phone.clone()));
    }

    #[test]
    fn an_address_is_understood_when_it_is_spoken(local in "[a-z]{3,8}[.][b-z]{3,8}", host in "[b-z]{4,9}") {
        let written = format!("{local}@{host}.com");
        let known = ["one", "two", "six", "ten", "dot", "plus", "nil", "email"];
        prop_assume!(!known.iter().any(|word| written.split(['.', '@']).any(|part| part == *word)));
        let said = written.replace('.', " dot ").replace('@', " at ");
        prop_assert_eq!(email(&said).map(String::from), Some(written));
    }
}
