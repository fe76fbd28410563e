//! Server-sent events, as endpoints stream them: bytes in, the data of whole events out.
//!
//! Follows the parsing rules of the HTML standard ("Server-sent events", event stream
//! interpretation), less what is of no use here: event names, ids and retry times are passed over.

use crate::Error;

/// A parser with bounded memory: one line and the data of one event.
#[derive(Debug)]
pub(super) struct Parser {
    line: Vec<u8>,
    data: String,
    has_data: bool,
    after_cr: bool,
    at_start: bool,
    limit: usize,
}

impl Parser {
    /// A parser that refuses lines and events of more than `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            line: Vec::new(),
            data: String::new(),
            has_data: false,
            after_cr: false,
            at_start: true,
            limit,
        }
    }

    /// Takes in `bytes` and hands the data of each event that is now whole to `event`.
    ///
    /// # Errors
    /// [`Error::TooLarge`] for a line or event beyond the limit, [`Error::Broke`] for text that is
    /// not UTF-8, and whatever `event` answers.
    pub(super) fn push(
        &mut self,
        mut bytes: &[u8],
        event: &mut dyn FnMut(&str) -> Result<(), Error>,
    ) -> Result<(), Error> {
        while !bytes.is_empty() {
            if std::mem::take(&mut self.after_cr) && bytes[0] == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let part = &bytes[..end.unwrap_or(bytes.len())];
            if self.line.len() + part.len() > self.limit {
                return Err(Error::TooLarge);
            }
            self.line.extend_from_slice(part);
            let Some(end) = end else { return Ok(()) };
            self.after_cr = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
            self.end_line(event)?;
        }
        Ok(())
    }

    /// Interprets the line that has just ended.
    fn end_line(&mut self, event: &mut dyn FnMut(&str) -> Result<(), Error>) -> Result<(), Error> {
        let line = std::mem::take(&mut self.line);
        let mut text = std::str::from_utf8(&line).map_err(|_| Error::Broke)?;
        if std::mem::take(&mut self.at_start) {
            text = text.strip_prefix('\u{feff}').unwrap_or(text);
        }
        if text.is_empty() {
            let data = std::mem::take(&mut self.data);
            return if std::mem::take(&mut self.has_data) { event(&data) } else { Ok(()) };
        }
        let (field, value) = text.split_once(':').unwrap_or((text, ""));
        if field != "data" {
            return Ok(());
        }
        let value = value.strip_prefix(' ').unwrap_or(value);
        if self.data.len() + value.len() > self.limit {
            return Err(Error::TooLarge);
        }
        if self.has_data {
            self.data.push('\n');
        }
        self.has_data = true;
        self.data.push_str(value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(chunks: &[&[u8]]) -> Result<Vec<String>, Error> {
        let (mut parser, mut events) = (Parser::new(64), Vec::new());
        for chunk in chunks {
            parser.push(chunk, &mut |data| {
                events.push(data.to_owned());
                Ok(())
            })?;
        }
        Ok(events)
    }

    #[test]
    fn events_are_read_as_the_standard_says() {
        let text =
            "\u{feff}data: one\n\n: comment\nevent: x\ndata:two\rdata:  2\r\n\r\nid: 7\n\ndata\n\ndata: cut";
        assert_eq!(parse(&[text.as_bytes()]).unwrap(), ["one", "two\n 2", ""]);
    }

    #[test]
    fn long_lines_and_long_events_are_refused() {
        assert_eq!(parse(&[&[b'x'; 40], &[b'x'; 40]]), Err(Error::TooLarge));
        let many = "data: 0123456789\n".repeat(20);
        assert_eq!(parse(&[many.as_bytes()]), Err(Error::TooLarge));
    }

    #[test]
    fn broken_utf8_is_refused() {
        assert_eq!(parse(&[b"data: \xff\xfe\n\n"]), Err(Error::Broke));
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_the_network_cuts(cuts in proptest::collection::vec(0_usize..60, 0..6)) {
            let text = "data: é1\r\n\r\ndata: a\ndata: b\n\ndata: \u{1f600}\r\rdata: end\n\n".as_bytes();
            let mut cuts: Vec<_> = cuts.into_iter().filter(|at| *at < text.len()).collect();
            cuts.sort_unstable();
            let (mut from, mut chunks) = (0, Vec::new());
            for cut in cuts {
                chunks.push(&text[from..cut]);
                from = cut;
            }
            chunks.push(&text[from..]);
            prop_assert_eq!(parse(&chunks).unwrap(), ["é1", "a\nb", "\u{1f600}", "end"]);
        }

        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&[&bytes]);
        }
    }
}
