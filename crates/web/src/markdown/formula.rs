//! Formulas: LaTeX in, MathML out.
//!
//! Called by [`super::events`]. A formula that cannot be read, is too long, or comes out with anything
//! that is not on the list of [`super::mathml`], is shown as its source instead.

use std::{borrow::Cow, io, panic};

use pulldown_latex::{
    Event, Parser, Storage,
    config::{DisplayMode, RenderConfig},
    mathml::write_mathml,
};

use super::{escape, mathml};

/// Longest source of one formula, in bytes.
const MAX_SOURCE: usize = 2_000;
/// Longest MathML of one formula, in bytes: macros may multiply.
const MAX_OUTPUT: usize = 60_000;
/// Most steps of one formula: macros may call themselves.
const MAX_EVENTS: usize = 5_000;
/// Commands that define others.
const DEFINING: [&str; 6] =
    ["def", "\\let", "\\futurelet", "\\newcommand", "\\renewcommand", "\\providecommand"];

/// One formula as HTML.
pub(super) fn formula(source: &str, display: bool) -> String {
    let kind = if display { "formula block" } else { "formula" };
    match rendered(source, display) {
        Some(math) if display => {
            format!("<span class=\"{kind}\" role=\"group\" tabindex=\"0\">{math}</span>")
        }
        Some(math) => format!("<span class=\"{kind}\">{math}</span>"),
        None => format!("<code class=\"{kind}\">{}</code>", escape(source)),
    }
}

fn rendered(source: &str, display: bool) -> Option<String> {
    // Definitions can loop without end; answers do not need them.
    if source.len() > MAX_SOURCE || DEFINING.iter().any(|word| source.contains(word)) {
        return None;
    }
    // The library has some `expect`s; a formula that trips one is shown as its source.
    let html = panic::catch_unwind(|| markup(source, display)).ok().flatten()?;
    mathml::admitted(&html)
}

fn markup(source: &str, display: bool) -> Option<String> {
    let storage = Storage::new();
    let mut events: Vec<Result<Event<'_>, io::Error>> = Vec::new();
    for event in Parser::new(source, &storage) {
        events.push(Ok(event.ok()?));
        if events.len() > MAX_EVENTS {
            return None;
        }
    }
    let mode = if display { DisplayMode::Block } else { DisplayMode::Inline };
    let config = RenderConfig { display_mode: mode, ..RenderConfig::default() };
    let mut html = Bounded(Vec::new());
    write_mathml(&mut html, events.into_iter(), config).ok()?;
    String::from_utf8(html.0).ok()
}

/// A buffer that refuses to grow past [`MAX_OUTPUT`].
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_OUTPUT {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `text` with `\\(…\\)` and `\\[…\\]` written as `$…$` and `$$…$$`, each on one line, outside code.
///
/// Models use both ways of writing; Markdown would take the backslashes for escapes, and a line that
/// begins with a minus for a list.
pub(super) fn with_dollar_signs(text: &str) -> Cow<'_, str> {
    if !["\\(", "\\[", "$$"].iter().any(|open| text.contains(open)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['`', '\\', '~', '$']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let taken = match rest.as_bytes().first() {
            Some(b'`' | b'~') => code_span(rest, &mut out),
            _ => escape_or_formula(rest, &mut out),
        };
        rest = &rest[taken..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Copies an escape, or a formula with its delimiters changed; returns the bytes read.
fn escape_or_formula(rest: &str, out: &mut String) -> usize {
    for (open, close, dollars) in [("\\(", "\\)", "$"), ("\\[", "\\]", "$$"), ("$$", "$$", "$$")] {
        let Some(body) = rest.strip_prefix(open) else { continue };
        // No further than a formula can reach: else a text of nothing but openings costs its square.
        let body = &body[..body.floor_char_boundary(MAX_SOURCE + close.len())];
        let Some(end) = body.find(close) else { break };
        let source = body[..end].trim();
        if end > MAX_SOURCE || source.is_empty() || source.contains(['$', '`']) || source.contains("\n\n") {
            break;
        }
        for part in [dollars, &source.replace('\n', " "), dollars] {
            out.push_str(part);
        }
        return open.len() + end + close.len();
    }
    let mut chars = rest.chars();
    let length = match chars.next() {
        Some('\\') => 1 + chars.next().map_or(0, char::len_utf8),
        _ => rest.len() - rest.trim_start_matches('$').len(),
    };
    out.push_str(&rest[..length]);
    length
}

/// Whether a formula over several lines is open after `text`, when `open` says whether one was before.
pub(super) fn left_open(text: &str, mut open: bool) -> bool {
    for (at, mark) in text.char_indices().filter(|(_, c)| matches!(c, '\\' | '$')) {
        let pair = &text[at..];
        open = match mark {
            '\\' if pair.starts_with("\\[") => true,
            '\\' if pair.starts_with("\\]") => false,
            '$' if pair.starts_with("$$") && !text[..at].ends_with('$') => !open,
            _ => open,
        };
    }
    open
}

/// Copies a run of backticks or tildes and, when it closes again, the code between; returns the bytes read.
fn code_span(rest: &str, out: &mut String) -> usize {
    let mark = if rest.starts_with('`') { '`' } else { '~' };
    let run = rest.len() - rest.trim_start_matches(mark).len();
    let fence = &rest[..run];
    let end = match rest[run..].find(fence) {
        Some(at) if mark == '`' || run >= 3 => run + at + run,
        // A fence that is not closed yet runs to the end; a lone tick is only a tick.
        None if run >= 3 => rest.len(),
        _ => run,
    };
    out.push_str(&rest[..end]);
    end
}
