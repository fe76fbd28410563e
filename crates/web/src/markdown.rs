//! Markdown of models, as HTML that is safe to show.
//!
//! Called by the pages for kept answers and by the event stream for growing ones. Everything a model
//! writes is hostile until it has been through here. The order is the safety:
//!
//! 1. [`events`] rewrites the parsed Markdown: raw HTML becomes text, pictures become links, and code,
//!    formulas and table frames are set aside, each leaving a mark that no text can forge;
//! 2. [`clean`] sanitises the HTML of what is left;
//! 3. the set-aside pieces, each built by our own code from escaped text or from an allow-list
//!    ([`code`], [`formula`]), take the places of their marks.
//!
//! Invariant: no element, attribute or address reaches the page that is not on a list in this room.

mod clean;
mod code;
mod events;
mod formula;
mod growing;
mod mathml;

use std::fmt::Write as _;

pub use growing::{Growing, Piece};

/// Longest text that is rendered as Markdown, in bytes; longer text is shown as it is.
pub const MAX_BYTES: usize = 512 * 1024;

/// The few words that appear inside rendered answers, in the reader's language.
#[derive(Clone, Copy, Debug)]
pub struct Labels {
    /// On the button that copies a block of code.
    pub copy: &'static str,
    /// Names a block of code to a screen reader.
    pub code: &'static str,
    /// Names a table to a screen reader.
    pub table: &'static str,
    /// Stands before the name of a picture that was not loaded.
    pub picture: &'static str,
    /// A ticked box in a list.
    pub done: &'static str,
    /// An empty box in a list.
    pub open: &'static str,
}

/// Where headings stand: answers begin below the heading of their message.
#[derive(Clone, Debug, Default)]
struct Outline {
    open: Vec<u8>,
}

impl Outline {
    /// The level at which a heading written at `level` (1–6) is shown, so that no level is skipped.
    fn place(&mut self, level: u8) -> u8 {
        while self.open.last().is_some_and(|last| *last >= level) {
            self.open.pop();
        }
        self.open.push(level);
        u8::try_from(self.open.len()).map_or(6, |depth| depth.saturating_add(2).min(6))
    }
}

/// A whole text as HTML.
#[must_use]
pub fn render(text: &str, labels: &Labels) -> String {
    piece(text, labels, &mut Outline::default(), code::Effort::Whole)
}

/// One piece of a text, its headings following those before it in `outline`.
fn piece(text: &str, labels: &Labels, outline: &mut Outline, effort: code::Effort) -> String {
    if text.len() > MAX_BYTES || events::too_deep(text) {
        return format!("<pre tabindex=\"0\">{}</pre>", escape(text));
    }
    let text = formula::with_dollar_signs(text);
    let mut aside = events::Aside::default();
    let mut html = String::with_capacity(text.len() * 2);
    pulldown_cmark::html::push_html(&mut html, events::rewritten(&text, labels, outline, effort, &mut aside));
    aside.restore(&clean::clean(&html))
}

/// `text` with the five characters that mean something in HTML written as references.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // NUL ends a parser's patience; other controls have no shape.
            c if c.is_control() && c != '\n' && c != '\t' => {
                let _ = write!(safe, "\u{FFFD}");
            }
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
pub(crate) const LABELS: Labels = Labels {
    copy: "Copy code",
    code: "Code",
    table: "Table",
    picture: "Picture",
    done: "done",
    open: "to do",
};

#[cfg(test)]
mod tests;
