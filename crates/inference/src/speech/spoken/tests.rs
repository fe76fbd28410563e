//! What is said for what is written.

use proptest::prelude::*;

use super::spoken;

fn says(written: &str, said: &str) {
    assert_eq!(spoken(written), said, "{written:?}");
}

#[test]
fn identifiers_are_said_one_by_one() {
    says("Your order ORD-0089 is ready", "Your order oh ar dee, zero zero eight nine is ready.");
    says("Order 4411 shipped.", "Order four four one one shipped.");
    says("The order number is 1234", "The order number is one two three four.");
    says(
        "Call 555-0100 or +1 555 010 9999.",
        "Call five five five, zero one zero zero or plus one five five five zero one zero nine nine nine nine.",
    );
    says("card ending in 4242", "card ending in four two four two.");
    says("4111 1111 1111 1111", "four one one one one one one one one one one one one one one one.");
    says("room #12b", "room number one two bee.");
    says("007", "zero zero seven.");
}

#[test]
fn amounts_times_and_dates() {
    says("It costs $12.50, or $1.", "It costs twelve dollars and fifty cents, or one dollar.");
    says("$0.99 and £5m", "ninety nine cents and five million pounds.");
    says("$2.5 million!", "two point five million dollars!");
    says("€1,250 is 12€ more", "one thousand two hundred fifty euros is twelve euros more.");
    says("At 7:05, 15:30 or 9:00.", "At seven oh five, fifteen thirty or nine o'clock.");
    says("at 7:30pm or 9 a.m. or 8am", "at seven thirty pee em or nine ay em or eight ay em.");
    says("on 2024-03-05", "on March fifth, twenty twenty four.");
    says("March 3, 2024", "March third, twenty twenty four.");
    says("since 1998 and in the 1990s", "since nineteen ninety eight and in the nineteen nineties.");
    says("the 21st of May", "the twenty first of May.");
    says("50% of 1,234.56", "fifty percent of one thousand two hundred thirty four point five six.");
    says("-5°C to 20°C", "minus five degrees Celsius to twenty degrees Celsius.");
    says(
        "3 March 2026, 14:30–15:00, 9am-5pm",
        "third of March twenty twenty six, fourteen thirty to fifteen o'clock, nine ay em to five pee em.",
    );
    says("2026-11-23T05:30:00Z", "November twenty third, twenty twenty six at five thirty.");
    says(
        "$9.99 / month, 180 cm, 5 may come",
        "nine dollars and ninety nine cents per month, one hundred eighty centimetres, five may come.",
    );
    says("10-12 people, 5km, 1/2", "ten to twelve people, five kilometres, one half.");
}

#[test]
fn signs_marks_and_other_scripts() {
    says("**Dr. Smith** (and Mrs. O’Neil)", "Doctor Smith, and Missus O'Neil.");
    says("# Heading\n- one\n- two", "Heading. one. two.");
    says("e.g. R&D vs. sales", "for example R and D versus sales.");
    says("see https://example.org/help", "see example dot org slash help.");
    says("mail anna@example.org", "mail anna at example dot org.");
    says("café naïve", "cafe naive.");
    says("Привет 12 😀", "twelve.");
    says("wait... what?!", "wait. what?");
    says("", "");
    says("```", "");
}

/// Words that stand for a digit when it is said by itself.
const DIGITS: [&str; 10] = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

fn only_speakable(said: &str) -> bool {
    said.bytes().all(|byte| byte.is_ascii_alphabetic() || b"'- .,!?;:".contains(&byte))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_text_becomes_speakable(text in any::<String>(), ascii in "[ -~\\n]{0,80}") {
        prop_assert!(only_speakable(&spoken(&text)));
        prop_assert!(only_speakable(&spoken(&ascii)), "{:?}", spoken(&ascii));
    }

    #[test]
    fn identifiers_keep_every_digit(id in "[A-Z]{1,3}-?[0-9]{1,9}[A-Z]?(-[0-9]{2,4})?", long in "[0-9]{7,20}", zero in "0[0-9]{1,8}") {
        for written in [id, long, zero] {
            let said = spoken(&format!("it is {written}."));
            let back: String = said
                .split([' ', ',', '.'])
                .filter_map(|word| DIGITS.iter().position(|digit| *digit == word))
                .map(|digit| digit.to_string())
                .collect();
            let digits: String = written.chars().filter(char::is_ascii_digit).collect();
            prop_assert_eq!(back, digits, "{} is said {}", written, said);
        }
    }

    #[test]
    fn no_run_of_digits_is_dropped(text in "[0-9$%#:./,+a-z -]{0,30}") {
        let runs = text.split(|character: char| !character.is_ascii_digit()).filter(|run| !run.is_empty()).count();
        let said = spoken(&text);
        // Zero cents and the full hour are said without a word of their own.
        let silent = text.split(|character: char| !character.is_ascii_digit()).filter(|run| *run == "00").count();
        prop_assert!(words_of_numbers(&said) + silent >= runs, "{:?} is said {:?}", text, said);
    }
}

fn words_of_numbers(said: &str) -> usize {
    let more = [
        "ten", "eleven", "twelve", "half", "quarter", "quarters", "third", "thirds", "first", "second",
        "fifth", "eighth", "ninth", "twelfth", "o'clock",
    ];
    said.split([' ', ',', '.', '-', '!', '?', ';', ':'])
        .filter(|word| {
            DIGITS.contains(word)
                || more.contains(word)
                || ["teen", "ty", "th", "ties", "ieth"].iter().any(|ending| word.ends_with(ending))
        })
        .count()
}
