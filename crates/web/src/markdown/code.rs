//! Blocks of code: escaped, and coloured where that is cheap.
//!
//! Called by [`super::events`]. Colours are classes, never styles, so they pass the content security
//! policy and follow the theme. Invariant: the text inside is escaped whether or not it is coloured.

use std::sync::LazyLock;

use syntect::{
    html::{ClassStyle, ClassedHTMLGenerator},
    parsing::{SyntaxReference, SyntaxSet},
    util::LinesWithEndings,
};

use super::{Labels, escape};

/// Longest block that is coloured, in bytes; longer ones are shown plain.
const MAX_BYTES: usize = 24 * 1024;
/// Longest block that is coloured while it grows, so that a stream's tick stays cheap.
const MAX_GROWING_BYTES: usize = 4 * 1024;
/// Longest line that is coloured: patterns are slow on long lines.
const MAX_LINE_BYTES: usize = 1_500;
/// Longest name of a language that is shown, in characters.
const MAX_NAME_CHARS: usize = 24;

/// How much work a block is worth now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effort {
    /// It will not change any more.
    Whole,
    /// It is drawn many times a second.
    Growing,
}

/// Loading takes some milliseconds and a few megabytes, so it waits for the first block of code.
static SYNTAXES: LazyLock<SyntaxSet> = LazyLock::new(SyntaxSet::load_defaults_newlines);

/// A block of code as HTML, with its language and a button to copy it.
pub(super) fn block(info: &str, text: &str, labels: &Labels, effort: Effort) -> String {
    let word: String = info
        .split([' ', ',', '{', '\t'])
        .next()
        .unwrap_or_default()
        .chars()
        .filter(|c| c.is_alphanumeric() || "+-#._".contains(*c))
        .take(MAX_NAME_CHARS)
        .collect();
    let inner = coloured(&word, text, effort).unwrap_or_else(|| escape(text));
    let (code, copy, name) = (labels.code, labels.copy, escape(&word));
    format!(
        "<div class=\"code\"><div class=\"code-head\"><span>{name}</span>\
         <button type=\"button\" class=\"copy\" data-act=\"copy-code\">{copy}</button></div>\
         <pre tabindex=\"0\" role=\"group\" aria-label=\"{code} {name}\"><code>{inner}</code></pre></div>"
    )
}

fn coloured(word: &str, text: &str, effort: Effort) -> Option<String> {
    let limit = if effort == Effort::Whole { MAX_BYTES } else { MAX_GROWING_BYTES };
    if word.is_empty() || text.len() > limit || text.lines().any(|line| line.len() > MAX_LINE_BYTES) {
        return None;
    }
    let syntax = syntax(word)?;
    let style = ClassStyle::SpacedPrefixed { prefix: "s-" };
    let mut generator = ClassedHTMLGenerator::new_with_class_style(syntax, &SYNTAXES, style);
    for line in LinesWithEndings::from(text) {
        generator.parse_html_for_line_which_includes_newline(line).ok()?;
    }
    Some(generator.finalize())
}

/// The grammar for a language as people and models name it.
fn syntax(word: &str) -> Option<&'static SyntaxReference> {
    let word = word.to_lowercase();
    let word = match word.as_str() {
        "text" | "txt" | "plain" | "plaintext" | "output" | "console" => return None,
        "typescript" | "ts" | "tsx" | "jsx" | "mjs" | "node" => "js",
        "shell" | "zsh" | "shell-session" => "bash",
        "jsonc" | "json5" => "json",
        "toml" | "ini" | "conf" => "properties",
        "c++" => "cpp",
        "c#" | "csharp" => "cs",
        "golang" => "go",
        "dockerfile" => "bash",
        "kotlin" => "java",
        other => other,
    };
    SYNTAXES.find_syntax_by_token(word).filter(|syntax| syntax.name != "Plain Text")
}
