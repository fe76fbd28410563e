//! Parsed Markdown, rewritten before it becomes HTML.
//!
//! Called by [`super::piece`]. Raw HTML turns into text, pictures into links; code, formulas, boxes and
//! the frames of tables are set aside. The marks they leave are made of characters that no text event
//! can hold (see [`unmarked`]), so an answer cannot forge one.

use pulldown_cmark::{CodeBlockKind, CowStr, Event, LinkType, Options, Parser, Tag, TagEnd};

use super::{Labels, Outline, code, escape, formula};

/// Deepest nesting of quotes and lists that is kept; what lies deeper is shown at this depth.
const MAX_DEPTH: usize = 16;
/// Most quotes and list items that the beginning of one line may stand for. The parser goes through all
/// that are open at every line that follows.
const MAX_OPENED: usize = 100;
/// Most formulas in one piece; more are shown as their source.
const MAX_FORMULAS: usize = 400;

/// Most bytes of text without a `>` in them. The sanitiser's writer looks for the next one at every `&`.
const MAX_RUN: usize = 1_024;
/// Longest address of a link, in bytes, for the same reason.
const MAX_ADDRESS: usize = 4_096;

/// Opens and closes a mark. Noncharacters (Unicode 23.7): never legitimate in text.
const OPEN: char = '\u{FDD0}';
const CLOSE: char = '\u{FDD1}';
/// A mark that stands for nothing and holds a `>`.
const BREATH: &str = "\u{FDD0}>\u{FDD1}";

/// The Markdown that answers are written in.
pub(super) fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS | Options::ENABLE_MATH
}

/// HTML made by our own code, waiting for the sanitiser to be done.
#[derive(Default)]
pub(super) struct Aside {
    pieces: Vec<String>,
    formulas: usize,
}

impl Aside {
    /// Sets `html` aside and leaves a mark for it.
    fn keep(&mut self, html: String) -> Event<'static> {
        self.pieces.push(html);
        Event::Text(CowStr::from(format!("{OPEN}{}{CLOSE}", self.pieces.len() - 1)))
    }

    /// `html` with every mark replaced by what it stands for.
    pub(super) fn restore(&self, html: &str) -> String {
        let mut whole =
            String::with_capacity(html.len() + self.pieces.iter().map(String::len).sum::<usize>());
        let mut parts = html.split(OPEN);
        whole.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let Some((number, after)) = part.split_once(CLOSE) else { continue };
            if let Some(piece) = number.parse::<usize>().ok().and_then(|n| self.pieces.get(n)) {
                whole.push_str(piece);
            }
            whole.push_str(after);
        }
        whole
    }
}

/// Whether some line of `text` opens so many quotes and lists inside each other, by marks or by being
/// indented, that reading the text would cost its square.
pub(super) fn too_deep(text: &str) -> bool {
    text.split(['\n', '\r']).any(|line| opened(line.as_bytes()) > MAX_OPENED)
}

/// How many quotes and list items the beginning of a line stands for, counting four spaces as one.
fn opened(line: &[u8]) -> usize {
    let (mut marks, mut spaces, mut rest) = (0, 0, line);
    loop {
        let blank = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let (before, after) = rest.split_at(blank);
        spaces += before.iter().map(|byte| if *byte == b'\t' { 4 } else { 1 }).sum::<usize>();
        let digits = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let ends = matches!(after.get(digits + 1), None | Some(b' ' | b'\t'));
        let is_mark = match (digits, after.get(digits)) {
            (0, Some(b'>')) => true,
            (0, Some(b'-' | b'+' | b'*')) => ends,
            (1.., Some(b'.' | b')')) => ends,
            _ => false,
        };
        if !is_mark {
            return marks + spaces / 4;
        }
        marks += 1;
        rest = after.get(digits + 1..).unwrap_or_default();
    }
}

/// The events of `text`, made safe and shaped for a page.
pub(super) fn rewritten<'t>(
    text: &'t str,
    labels: &Labels,
    outline: &mut Outline,
    effort: code::Effort,
    aside: &mut Aside,
) -> std::vec::IntoIter<Event<'t>> {
    let mut rewriter = Rewriter {
        labels,
        outline,
        effort,
        aside,
        out: Vec::new(),
        depth: 0,
        level: 3,
        run: 0,
        links: Vec::new(),
        linked: false,
        fence: None,
    };
    for event in Parser::new_ext(text, options()) {
        rewriter.take(event);
    }
    rewriter.out.into_iter()
}

struct Rewriter<'a, 't> {
    labels: &'a Labels,
    outline: &'a mut Outline,
    effort: code::Effort,
    aside: &'a mut Aside,
    out: Vec<Event<'t>>,
    depth: usize,
    level: u8,
    /// Bytes of text since the last [`BREATH`].
    run: usize,
    /// The links and pictures that are open, and whether each became a link.
    links: Vec<bool>,
    /// Whether one of them is a link.
    linked: bool,
    /// The block of code that is being gathered: its info string and its text.
    fence: Option<(String, String)>,
}

impl<'t> Rewriter<'_, 't> {
    fn take(&mut self, event: Event<'t>) {
        match event {
            Event::Text(text) => self.text(text),
            Event::Code(text) => {
                let text = self.breathing(unmarked(text));
                self.out.push(Event::Code(text));
            }
            Event::InlineHtml(html) if is_break(&html) => self.out.push(Event::HardBreak),
            Event::InlineHtml(html) | Event::Html(html) => self.text(html),
            Event::InlineMath(source) => self.formula(&source, false),
            Event::DisplayMath(source) => self.formula(&source, true),
            Event::TaskListMarker(done) => self.marker(done),
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::SoftBreak | Event::HardBreak | Event::Rule => self.out.push(event),
            // Footnotes are not enabled; should they appear, they are nothing.
            Event::FootnoteReference(_) => {}
        }
    }

    fn text(&mut self, text: CowStr<'t>) {
        match &mut self.fence {
            Some((_, code)) => code.push_str(&text),
            None => {
                let text = self.breathing(unmarked(text));
                self.out.push(Event::Text(text));
            }
        }
    }

    /// `text` with a [`BREATH`] wherever [`MAX_RUN`] is over; events that follow each other are one text.
    fn breathing(&mut self, text: CowStr<'t>) -> CowStr<'t> {
        self.run += text.len();
        if self.run <= MAX_RUN {
            return text;
        }
        let mut out = String::with_capacity(text.len() + text.len() / MAX_RUN * BREATH.len() + BREATH.len());
        let mut rest = &*text;
        while !rest.is_empty() {
            let (run, after) = rest.split_at(rest.floor_char_boundary(MAX_RUN));
            out.push_str(BREATH);
            out.push_str(run);
            self.run = run.len();
            rest = after;
        }
        out.into()
    }

    fn formula(&mut self, source: &str, display: bool) {
        self.aside.formulas += 1;
        let html = if self.aside.formulas > MAX_FORMULAS {
            format!("<code>{}</code>", escape(source))
        } else {
            formula::formula(source, display)
        };
        let mark = self.aside.keep(html);
        self.out.push(mark);
    }

    fn marker(&mut self, done: bool) {
        let (shape, word) = if done { ("☑", self.labels.done) } else { ("☐", self.labels.open) };
        let html = format!("<span class=\"box\" role=\"img\" aria-label=\"{word}\">{shape}</span> ");
        let mark = self.aside.keep(html);
        self.out.push(mark);
    }

    /// Begins a link without a title, which is a place to lie in. One that leads nowhere, or stands in
    /// another, is only its words.
    fn begin_link(&mut self, address: CowStr<'t>) {
        let shown = leads_outside(&address) && !self.linked;
        self.linked |= shown;
        self.links.push(shown);
        if shown {
            let dest_url = unmarked(address);
            let link = Tag::Link { link_type: LinkType::Inline, dest_url, title: "".into(), id: "".into() };
            self.out.push(Event::Start(link));
        }
    }

    fn start(&mut self, tag: Tag<'t>) {
        match tag {
            Tag::CodeBlock(kind) => {
                let info = match kind {
                    CodeBlockKind::Fenced(info) => info.to_string(),
                    CodeBlockKind::Indented => String::new(),
                };
                self.fence = Some((info, String::new()));
            }
            Tag::HtmlBlock => self.out.push(Event::Start(Tag::Paragraph)),
            Tag::Image { dest_url, .. } => {
                self.begin_link(dest_url);
                self.out.push(Event::Text(format!("{}: ", self.labels.picture).into()));
            }
            Tag::Link { dest_url, .. } => self.begin_link(dest_url),
            Tag::Heading { level, .. } => {
                self.level = self.outline.place(level as u8);
                self.out.push(Event::Start(heading(self.level)));
            }
            Tag::Table(columns) => {
                let label = self.labels.table;
                let html =
                    format!("<div class=\"table\" role=\"group\" tabindex=\"0\" aria-label=\"{label}\">");
                let mark = self.aside.keep(html);
                self.out.push(mark);
                // Alignment would come out as a style attribute, which the sanitiser drops anyway.
                self.out.push(Event::Start(Tag::Table(
                    columns.iter().map(|_| pulldown_cmark::Alignment::None).collect(),
                )));
            }
            Tag::BlockQuote(_) | Tag::List(_) | Tag::Item => {
                self.depth += 1;
                if self.depth <= MAX_DEPTH {
                    self.out.push(Event::Start(if let Tag::BlockQuote(_) = tag {
                        Tag::BlockQuote(None)
                    } else {
                        tag
                    }));
                }
            }
            tag => self.out.push(Event::Start(tag)),
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::CodeBlock => {
                if let Some((info, text)) = self.fence.take() {
                    let mark = self.aside.keep(code::block(&info, &text, self.labels, self.effort));
                    self.out.push(mark);
                }
            }
            TagEnd::HtmlBlock => self.out.push(Event::End(TagEnd::Paragraph)),
            TagEnd::Image | TagEnd::Link => {
                if self.links.pop() == Some(true) {
                    self.linked = false;
                    self.out.push(Event::End(TagEnd::Link));
                }
            }
            TagEnd::Heading(_) => self.out.push(Event::End(heading(self.level).to_end())),
            TagEnd::Table => {
                self.out.push(Event::End(tag));
                let mark = self.aside.keep("</div>".to_owned());
                self.out.push(mark);
            }
            TagEnd::BlockQuote(_) | TagEnd::List(_) | TagEnd::Item => {
                if self.depth <= MAX_DEPTH {
                    self.out.push(Event::End(if let TagEnd::BlockQuote(_) = tag {
                        TagEnd::BlockQuote(None)
                    } else {
                        tag
                    }));
                }
                self.depth = self.depth.saturating_sub(1);
            }
            tag => self.out.push(Event::End(tag)),
        }
    }
}

fn heading<'t>(level: u8) -> Tag<'t> {
    let level = pulldown_cmark::HeadingLevel::try_from(usize::from(level))
        .unwrap_or(pulldown_cmark::HeadingLevel::H6);
    Tag::Heading { level, id: None, classes: Vec::new(), attrs: Vec::new() }
}

/// Whether an address leads to another page or to a mail program, and nowhere else.
fn leads_outside(address: &str) -> bool {
    if address.len() > MAX_ADDRESS {
        return false;
    }
    let address = address.to_ascii_lowercase();
    ["http://", "https://", "mailto:"].iter().any(|scheme| address.starts_with(scheme))
}

/// `<br>` is the one raw tag that is honoured: models break lines in table cells with it.
fn is_break(html: &str) -> bool {
    matches!(html.to_ascii_lowercase().as_str(), "<br>" | "<br/>" | "<br />")
}

/// `text` without the characters that marks are made of, whichever way they came in.
fn unmarked(text: CowStr<'_>) -> CowStr<'_> {
    if text.contains([OPEN, CLOSE]) { text.replace([OPEN, CLOSE], "\u{FFFD}").into() } else { text }
}
