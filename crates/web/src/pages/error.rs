//! The page that says what went wrong, in a plain sentence, with the way back.

use domain::password::Rules;
use http::StatusCode;
use maud::{Markup, html};

use super::{
    frame::{Frame, Theme},
    words::Words,
};

/// The page for a failure. It knows nobody, so that it can be shown whatever failed.
#[must_use]
pub fn error_page(status: StatusCode, title: &str, detail: &str, reference: &str) -> Markup {
    let frame = Frame {
        nonce: String::new(),
        words: Words::of("en"),
        theme: Theme::Auto,
        name: None,
        idle: None,
        runs_it: false,
        version: env!("CARGO_PKG_VERSION"),
        ways: Vec::new(),
        rules: Rules { min_chars: 0, classes: false },
        notices: None,
    };
    let main = html! {
        div {
            p.stepword { (status.as_u16()) }
            h1 { (title) }
            p { (detail) }
        }
        div.actions { a.button href="/" { "Back to the start" } }
        @if !reference.is_empty() { p.tiny.soft { "Reference " code { (reference) } } }
    };
    frame.single(title, None, &main)
}
