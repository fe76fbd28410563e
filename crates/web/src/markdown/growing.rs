//! An answer while it is being written: what is settled, and the tail that may still change.
//!
//! Called by the event stream at each tick. A block is settled when a whole line has begun the block
//! after it: from then on Markdown cannot reach back into it. The pieces depend on the text alone, not
//! on how it arrived, so a stream that resumes continues exactly where the reader was.

use pulldown_cmark::{Event, Parser, Tag};

use super::{Labels, Outline, code::Effort, events, formula, piece};

/// What one tick adds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Piece {
    /// HTML of the blocks that became settled: to be appended once.
    pub settled: String,
    /// HTML of the tail: takes the place of the tail before.
    pub tail: String,
}

/// The text so far, and how much of it is settled.
#[derive(Clone, Debug)]
pub struct Growing {
    labels: Labels,
    text: String,
    settled: usize,
    outline: Outline,
}

impl Growing {
    /// An answer of which nothing is there yet.
    #[must_use]
    pub fn new(labels: Labels) -> Self {
        Self { labels, text: String::new(), settled: 0, outline: Outline::default() }
    }

    /// Adds what the model wrote.
    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// The whole text so far.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Moves past what a reader has already been given, without drawing it again.
    pub fn skip_settled(&mut self) {
        let settled = self.boundary();
        // Headings in the skipped part still decide the level of those that follow.
        let _ = piece(&self.text[self.settled..settled], &self.labels, &mut self.outline, Effort::Growing);
        self.settled = settled;
    }

    /// What a reader needs to be up to date.
    #[must_use]
    pub fn tick(&mut self) -> Piece {
        let boundary = self.boundary();
        let settled = if boundary > self.settled {
            piece(&self.text[self.settled..boundary], &self.labels, &mut self.outline, Effort::Whole)
        } else {
            String::new()
        };
        self.settled = boundary;
        let mut outline = self.outline.clone();
        let tail = piece(&self.text[boundary..], &self.labels, &mut outline, Effort::Growing);
        Piece { settled, tail }
    }

    /// The end of the settled part: where the last block begins that has a whole first line.
    fn boundary(&self) -> usize {
        let open = &self.text[self.settled..];
        if events::too_deep(open) {
            return self.settled;
        }
        open.rfind('\n').map_or(self.settled, |at| self.settled + last_block(&open[..=at]))
    }
}

/// Where the last top-level block of `lines` begins, or the block that an open formula begins in:
/// inside a formula over several lines, what looks like a block is none.
fn last_block(lines: &str) -> usize {
    let mut depth = 0_usize;
    let mut last = 0;
    let mut held = None;
    for (event, range) in Parser::new_ext(lines, events::options()).into_offset_iter() {
        let begins = depth == 0 && matches!(event, Event::Start(_) | Event::Rule);
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
        if begins {
            last = held.unwrap_or_else(|| line_start(lines, range.start));
            let is_code = matches!(event, Event::Start(Tag::CodeBlock(_)));
            let open =
                if is_code { held.is_some() } else { formula::left_open(&lines[range], held.is_some()) };
            held = open.then_some(last);
        }
    }
    last
}

/// The beginning of the line that `at` stands in: the indentation belongs to the block.
fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}
