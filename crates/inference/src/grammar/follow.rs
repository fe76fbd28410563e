//! Follows a [`Grammar`] byte by byte: which bytes may come next, and is the value complete?
//!
//! The follower is a set of stacks. Each stack is one way to read what came so far (alternatives of `anyOf`, or
//! keys with the same beginning, make several); a byte that no stack can take is refused. Between values it takes
//! one blank at most, so that nothing can go on for ever.

use super::{DEPTH, Field, Grammar, ITEMS, Node, TEXT};

/// Most ways to read a value that are kept at once.
const WAYS: usize = 512;
/// Most digits of each part of a number; what fits an `f64` exactly.
const DIGITS: u8 = 15;
/// Most bytes of a key that the schema does not list, and most such keys in an object.
const KEY: usize = 64;
const KEYS: u8 = 16;

/// A place in a value of a [`Grammar`].
#[derive(Clone)]
pub(crate) struct Follower<'g> {
    grammar: &'g Grammar,
    ways: Vec<Vec<Frame<'g>>>,
}

#[derive(Clone, PartialEq, Eq)]
enum Frame<'g> {
    /// A value of this node begins here; a blank may come first.
    Value {
        node: &'g Node,
        blank: bool,
    },
    /// What is left of a fixed text.
    Rest(&'g [u8]),
    Text {
        least: usize,
        most: usize,
        inside: Inside,
    },
    Number {
        whole: bool,
        part: Part,
        digits: u8,
    },
    Object {
        fields: &'g [Field],
        extra: Extra,
        seen: u64,
        at: InObject,
    },
    /// A key that the schema does not list, without its opening quote.
    Key {
        fields: &'g [Field],
        text: Vec<u8>,
    },
    List {
        items: Option<usize>,
        least: usize,
        most: usize,
        count: usize,
    },
}

/// Fields of an object that its schema does not list.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Extra {
    /// What they hold; `None` for anything.
    node: Option<usize>,
    /// How many may still come.
    left: u8,
}

/// Where in a string.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Plain,
    Escape,
    /// After `\u`; digits left, and whether a surrogate threatens.
    Hex {
        left: u8,
        surrogate: bool,
    },
    /// Inside a character of several bytes: how many are left, and the range of the next.
    Utf8 {
        left: u8,
        low: u8,
        high: u8,
    },
}

/// Where in a number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Sign,
    Zero,
    Whole,
    Point,
    Fraction,
    E,
    ESign,
    Exponent,
}

impl Part {
    fn may_end(self) -> bool {
        matches!(self, Self::Zero | Self::Whole | Self::Fraction | Self::Exponent)
    }
}

/// Where in an object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum InObject {
    Begin,
    /// After a comma; a blank may come.
    Comma {
        blank: bool,
    },
    /// Before the colon; the value after it.
    Colon {
        node: Option<usize>,
    },
    Value,
}

/// What lists and objects without a schema hold.
static ANYTHING: Node = Node::Anything;

impl<'g> Follower<'g> {
    /// At the beginning of a value.
    pub(crate) fn new(grammar: &'g Grammar) -> Self {
        let node = &grammar.nodes[grammar.root];
        Self { grammar, ways: vec![vec![Frame::Value { node, blank: false }]] }
    }

    /// Whether the value is complete.
    pub(crate) fn is_complete(&self) -> bool {
        self.ways.iter().any(|way| match way.as_slice() {
            [] => true,
            [Frame::Number { part, .. }] => part.may_end(),
            _ => false,
        })
    }

    /// The place after `bytes`, or `None` if they cannot come here. White space may follow a complete value.
    pub(crate) fn after(&self, bytes: &[u8]) -> Option<Self> {
        let mut next = self.clone();
        for byte in bytes {
            next.step(*byte);
            if next.ways.is_empty() {
                return None;
            }
        }
        Some(next)
    }

    fn step(&mut self, byte: u8) {
        let mut next = Vec::new();
        for way in std::mem::take(&mut self.ways) {
            self.advance(way, byte, &mut next);
            if next.len() > WAYS {
                next.truncate(WAYS);
                break;
            }
        }
        if (2..=64).contains(&next.len()) {
            let mut different: Vec<Vec<Frame<'g>>> = Vec::with_capacity(next.len());
            for way in next {
                if !different.contains(&way) {
                    different.push(way);
                }
            }
            next = different;
        }
        self.ways = next;
    }

    /// Adds to `next` the ways to read `byte` after `way`.
    fn advance(&self, mut way: Vec<Frame<'g>>, byte: u8, next: &mut Vec<Vec<Frame<'g>>>) {
        let Some(frame) = way.pop() else {
            if matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                next.push(way);
            }
            return;
        };
        match frame {
            Frame::Value { node, blank: true } if byte == b' ' => {
                way.push(Frame::Value { node, blank: false });
                next.push(way);
            }
            Frame::Value { node, .. } => self.begin(node, way, byte, next),
            Frame::Rest(text) => {
                if text.first() == Some(&byte) {
                    way.extend((text.len() > 1).then(|| Frame::Rest(&text[1..])));
                    next.push(way);
                }
            }
            Frame::Text { least, most, inside } => text(way, byte, least, most, inside, next),
            Frame::Number { whole, part, digits } => match number(whole, part, digits, byte) {
                Some(frame) => {
                    way.push(frame);
                    next.push(way);
                }
                // The byte is not the number's: it may be what follows.
                None if part.may_end() => {
                    self.advance(way, byte, next);
                }
                None => {}
            },
            Frame::Object { fields, extra, seen, at } => {
                self.object(way, byte, (fields, extra, seen, at), next);
            }
            Frame::Key { fields, text } => key(way, byte, fields, text, next),
            Frame::List { items, least, most, count } => {
                let item = Frame::Value { node: self.node(items), blank: count > 0 };
                let more = count < most && (count == 0 || byte == b',');
                if byte == b']' && count >= least {
                    next.push(way);
                } else if more {
                    way.push(Frame::List { items, least, most, count: count + 1 });
                    way.push(item);
                    if count == 0 { self.advance(way, byte, next) } else { next.push(way) }
                }
            }
        }
    }

    fn node(&self, at: Option<usize>) -> &'g Node {
        at.map_or(&ANYTHING, |at| &self.grammar.nodes[at])
    }

    /// The ways in which `byte` begins a value of `node`.
    fn begin(&self, node: &'g Node, way: Vec<Frame<'g>>, byte: u8, next: &mut Vec<Vec<Frame<'g>>>) {
        let mut push = |frame: Option<Frame<'g>>| {
            let mut way = way.clone();
            way.extend(frame);
            next.push(way);
        };
        let text = |least, most| Frame::Text { least, most, inside: Inside::Plain };
        match node {
            Node::Text { least, most } if byte == b'"' => push(Some(text(*least, *most))),
            Node::Number { whole } => {
                if let Some(part) = first_part(byte) {
                    push(Some(Frame::Number { whole: *whole, part, digits: 1 }));
                }
            }
            Node::Literals(texts) => {
                for text in texts.iter().filter(|text| text.first() == Some(&byte)) {
                    push((text.len() > 1).then(|| Frame::Rest(&text[1..])));
                }
            }
            Node::Object { fields, extra } if byte == b'{' => {
                let extra = Extra { node: *extra, left: if extra.is_some() { KEYS } else { 0 } };
                push(Some(Frame::Object { fields, extra, seen: 0, at: InObject::Begin }));
            }
            Node::List { items, least, most } if byte == b'[' => {
                push(Some(Frame::List { items: Some(*items), least: *least, most: *most, count: 0 }));
            }
            Node::OneOf(nodes) => {
                for node in nodes {
                    self.begin(&self.grammar.nodes[*node], way.clone(), byte, next);
                }
            }
            Node::Anything => match byte {
                b'"' => push(Some(text(0, TEXT))),
                b't' => push(Some(Frame::Rest(b"rue"))),
                b'f' => push(Some(Frame::Rest(b"alse"))),
                b'n' => push(Some(Frame::Rest(b"ull"))),
                b'[' if way.len() < DEPTH => {
                    push(Some(Frame::List { items: None, least: 0, most: ITEMS, count: 0 }));
                }
                b'{' if way.len() < DEPTH => {
                    let extra = Extra { node: None, left: KEYS };
                    push(Some(Frame::Object { fields: &[], extra, seen: 0, at: InObject::Begin }));
                }
                _ => {
                    if let Some(part) = first_part(byte) {
                        push(Some(Frame::Number { whole: false, part, digits: 1 }));
                    }
                }
            },
            _ => {}
        }
    }

    fn object(
        &self,
        mut way: Vec<Frame<'g>>,
        byte: u8,
        (fields, extra, seen, at): (&'g [Field], Extra, u64, InObject),
        next: &mut Vec<Vec<Frame<'g>>>,
    ) {
        let object = |seen, at| Frame::Object { fields, extra, seen, at };
        let whole = || fields.iter().enumerate().all(|(n, field)| !field.required || seen >> n & 1 == 1);
        match (at, byte) {
            (InObject::Begin | InObject::Value, b'}') if whole() => next.push(way),
            (InObject::Begin | InObject::Comma { .. }, b'"') => {
                for (n, field) in fields.iter().enumerate().filter(|(n, _)| seen >> n & 1 == 0) {
                    let mut way = way.clone();
                    way.push(object(seen | 1 << n, InObject::Colon { node: Some(field.node) }));
                    way.push(Frame::Rest(&field.key[1..]));
                    next.push(way);
                }
                if extra.left > 0 {
                    let extra = Extra { left: extra.left - 1, ..extra };
                    way.push(Frame::Object { fields, extra, seen, at: InObject::Colon { node: extra.node } });
                    way.push(Frame::Key { fields, text: Vec::new() });
                    next.push(way);
                }
            }
            (InObject::Value, b',') if extra.left > 0 || (0..fields.len()).any(|n| seen >> n & 1 == 0) => {
                way.push(object(seen, InObject::Comma { blank: true }));
                next.push(way);
            }
            (InObject::Comma { blank: true }, b' ') => {
                way.push(object(seen, InObject::Comma { blank: false }));
                next.push(way);
            }
            (InObject::Colon { node }, b':') => {
                way.push(object(seen, InObject::Value));
                way.push(Frame::Value { node: self.node(node), blank: true });
                next.push(way);
            }
            _ => {}
        }
    }
}

fn first_part(byte: u8) -> Option<Part> {
    match byte {
        b'-' => Some(Part::Sign),
        b'0' => Some(Part::Zero),
        b'1'..=b'9' => Some(Part::Whole),
        _ => None,
    }
}

/// The number after `byte`, if it goes on with it.
fn number<'g>(whole: bool, part: Part, digits: u8, byte: u8) -> Option<Frame<'g>> {
    let room = digits < DIGITS;
    let (part, digits) = match (part, byte) {
        // Minus nothing is not a whole number to every reader.
        (Part::Sign, b'0') if !whole => (Part::Zero, 1),
        (Part::Sign, b'1'..=b'9') => (Part::Whole, 1),
        (Part::Whole, b'0'..=b'9') if room => (Part::Whole, digits + 1),
        (Part::Zero | Part::Whole, b'.') if !whole => (Part::Point, 0),
        (Part::Point, b'0'..=b'9') => (Part::Fraction, 1),
        (Part::Fraction, b'0'..=b'9') if room => (Part::Fraction, digits + 1),
        (Part::Zero | Part::Whole | Part::Fraction, b'e' | b'E') if !whole => (Part::E, 0),
        (Part::E, b'+' | b'-') => (Part::ESign, 0),
        (Part::E | Part::ESign, b'0'..=b'9') => (Part::Exponent, 1),
        (Part::Exponent, b'0'..=b'9') if digits < 2 => (Part::Exponent, digits + 1),
        _ => return None,
    };
    Some(Frame::Number { whole, part, digits })
}

/// Adds the string after `byte`; `least` and `most` count the characters still to come.
fn text<'g>(
    mut way: Vec<Frame<'g>>,
    byte: u8,
    least: usize,
    most: usize,
    inside: Inside,
    next: &mut Vec<Vec<Frame<'g>>>,
) {
    let utf8 = |left, low, high| Inside::Utf8 { left, low, high };
    let (counts, inside) = match (inside, byte) {
        (Inside::Plain, b'"') => {
            if least == 0 {
                next.push(way);
            }
            return;
        }
        (Inside::Plain, _) if most == 0 => return,
        (Inside::Plain, b'\\') => (false, Inside::Escape),
        (Inside::Plain, 0x20..=0x7f) => (true, Inside::Plain),
        // The well-formed sequences of UTF-8, Unicode table 3-7.
        (Inside::Plain, 0xc2..=0xdf) => (false, utf8(1, 0x80, 0xbf)),
        (Inside::Plain, 0xe0) => (false, utf8(2, 0xa0, 0xbf)),
        (Inside::Plain, 0xed) => (false, utf8(2, 0x80, 0x9f)),
        (Inside::Plain, 0xe1..=0xef) => (false, utf8(2, 0x80, 0xbf)),
        (Inside::Plain, 0xf0) => (false, utf8(3, 0x90, 0xbf)),
        (Inside::Plain, 0xf1..=0xf3) => (false, utf8(3, 0x80, 0xbf)),
        (Inside::Plain, 0xf4) => (false, utf8(3, 0x80, 0x8f)),
        (Inside::Utf8 { left, low, high }, _) if (low..=high).contains(&byte) => {
            if left == 1 {
                (true, Inside::Plain)
            } else {
                (false, utf8(left - 1, 0x80, 0xbf))
            }
        }
        (Inside::Escape, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => (true, Inside::Plain),
        (Inside::Escape, b'u') => (false, Inside::Hex { left: 4, surrogate: false }),
        (Inside::Hex { left, surrogate }, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
            // Halves of surrogate pairs (D800 to DFFF) are refused; such characters can be written plainly.
            if left == 3 && surrogate && byte > b'7' {
                return;
            }
            let surrogate = left == 4 && matches!(byte, b'd' | b'D');
            if left == 1 { (true, Inside::Plain) } else { (false, Inside::Hex { left: left - 1, surrogate }) }
        }
        _ => return,
    };
    let (least, most) = if counts { (least.saturating_sub(1), most - 1) } else { (least, most) };
    way.push(Frame::Text { least, most, inside });
    next.push(way);
}

/// Adds the unlisted key after `byte`: plain ASCII, and none of the listed ones.
fn key<'g>(
    mut way: Vec<Frame<'g>>,
    byte: u8,
    fields: &'g [Field],
    mut text: Vec<u8>,
    next: &mut Vec<Vec<Frame<'g>>>,
) {
    match byte {
        b'"' if !fields.iter().any(|field| field.key[1..field.key.len() - 1] == text) => next.push(way),
        b'\\' | b'"' => {}
        0x20..=0x7e if text.len() < KEY => {
            text.push(byte);
            way.push(Frame::Key { fields, text });
            next.push(way);
        }
        _ => {}
    }
}
