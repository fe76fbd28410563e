//! The account in Hindi: no page about oneself says anything in English.

use reqwest::StatusCode;

use crate::house::{House, NAME};

/// What is called the same everywhere, and what its person or their browser said.
const NAMES: [&str; 14] = [
    "Ada",
    "Lovelace",
    "Troth",
    "English",
    "JSON",
    "Markdown",
    "API",
    "OpenAI",
    "NIST",
    "notebook",
    "troth",
    "unknown",
    "browser",
    "JavaScript",
];

/// What a page shows: its text without markup, data for scripts and times, which the browser puts into words
/// itself; and what it says to who cannot see it.
fn shown(page: &str) -> String {
    let mut page = page.to_owned();
    for (begin, end) in
        [("<script", "</script>"), ("<style", "</style>"), ("<time", "</time>"), ("<code", "</code>")]
    {
        while let Some((before, rest)) = page.split_once(begin) {
            let after = rest.split_once(end).map_or("", |(_, after)| after);
            page = format!("{before} {after}");
        }
    }
    let mut text = String::new();
    for part in page.split('<') {
        let (tag, after) = part.split_once('>').unwrap_or(("", part));
        for said in ["aria-label=\"", "placeholder=\"", "title=\""] {
            let value = tag.split(said).nth(1).and_then(|rest| rest.split('"').next());
            text.extend(value.into_iter().flat_map(|value| [value, " "]));
        }
        text.push_str(after);
        text.push(' ');
    }
    text
}

#[test]
fn the_pages_about_oneself_are_in_hindi_whole() {
    testkit::run(async {
        let mut house = House::open("").await;
        let person = &mut house.person;
        person.make_key("notebook").await;
        let looks = [("language", "hi"), ("theme", "")];
        person.submit("/account/looks", &looks).await.expect_status(StatusCode::SEE_OTHER);
        for path in ["/account?done=looks", "/account?done=password", "/account/factors?done=removed"] {
            let page = person.open(path).await.expect_status(StatusCode::OK);
            assert!(page.text.contains("lang=\"hi\""));
            let text = shown(&page.text);
            let words = text.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| word.len() > 2);
            let strange: Vec<&str> = words.filter(|word| !NAMES.contains(word)).collect();
            assert!(strange.is_empty(), "{path} says {strange:?} to {NAME}");
        }
        house.instance.stop().await;
    });
}
