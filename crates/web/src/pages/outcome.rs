//! How an act went, told on the page it leads back to: what the handlers of all forms share.
//!
//! A form that worked redirects to its page with a word in the address, so that a reload does not repeat the
//! act; one that did not shows its page again, with what stands against it and status 422.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use maud::Markup;
use serde::Deserialize;

use super::frame::Kind;

/// A line above a page's content.
pub type Notice = (Kind, String);

/// How the last act went: a word in the address.
#[derive(Debug, Default, Deserialize)]
pub struct Outcome {
    /// The word.
    #[serde(default)]
    pub done: String,
}

impl Outcome {
    /// What the word means here, by `words` and their sentences; nothing for any other word, which anybody can
    /// put into a link.
    #[must_use]
    pub fn says(&self, words: &[(&str, &str)]) -> Option<Notice> {
        said(&self.done, words)
    }
}

/// The same for a page whose address says more than that.
#[must_use]
pub fn said(done: &str, words: &[(&str, &str)]) -> Option<Notice> {
    let found = words.iter().find(|(word, _)| *word == done);
    found.map(|(_, sentence)| (Kind::Good, (*sentence).to_owned()))
}

/// What stands against an act.
#[must_use]
pub fn bad(text: impl ToString) -> Notice {
    (Kind::Bad, text.to_string())
}

/// The status of a page with these notices above it.
pub fn status<'a>(notices: impl IntoIterator<Item = &'a Notice>) -> StatusCode {
    match notices.into_iter().any(|(kind, _)| *kind == Kind::Bad) {
        true => StatusCode::UNPROCESSABLE_ENTITY,
        false => StatusCode::OK,
    }
}

/// A page with something on it to be mended before it is sent again.
#[must_use]
pub fn to_mend(page: Markup) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_says_its_sentence_and_a_strange_one_nothing() {
        let words = [("saved", "It is saved."), ("gone", "It is gone.")];
        let outcome = |done: &str| Outcome { done: done.to_owned() };
        assert_eq!(outcome("gone").says(&words), Some((Kind::Good, "It is gone.".to_owned())));
        for strange in ["", "Saved", "<b>"] {
            assert_eq!(outcome(strange).says(&words), None);
        }
    }

    #[test]
    fn one_thing_that_is_wrong_makes_the_page_a_refusal() {
        let (good, wrong) = ((Kind::Good, String::new()), bad("Too long."));
        assert_eq!(status([&good]), StatusCode::OK);
        assert_eq!(status(None), StatusCode::OK);
        assert_eq!(status([&good, &wrong]), StatusCode::UNPROCESSABLE_ENTITY);
    }
}
