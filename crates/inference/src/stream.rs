//! From tokens' bytes to text that may be shown: whole characters, no stop text, no tool marker.
//!
//! Text is held back only as long as it could still become a stop text or the marker of a tool call, or
//! while a character is incomplete.

/// What begins a tool call, at the start of a line.
pub(crate) const MARKER: &str = "TOOL:";

/// Watches the text of one answer.
pub(crate) struct Watch {
    stops: Vec<String>,
    tools: bool,
    /// Bytes of a character that is not complete.
    pending: Vec<u8>,
    /// Complete text not yet released.
    held: String,
    /// Whether `held` begins at the start of a line.
    line_start: bool,
}

/// What came of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Text that may be shown; often empty.
    Text(String),
    /// Text before a stop text; the answer ends.
    Stop(String),
    /// Text before the marker of a tool call.
    Marker(String),
}

impl Watch {
    /// `tools` says whether the marker is looked for.
    pub(crate) fn new(stops: &[String], tools: bool) -> Self {
        let stops = stops.iter().filter(|stop| !stop.is_empty()).cloned().collect();
        Self { stops, tools, pending: Vec::new(), held: String::new(), line_start: true }
    }

    /// Takes the bytes of the next token.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Seen {
        self.pending.extend_from_slice(bytes);
        self.held.push_str(&take_characters(&mut self.pending));
        let stop = self.stops.iter().filter_map(|stop| self.held.find(stop.as_str())).min();
        let marker = if self.tools { self.find_marker() } else { None };
        match (stop, marker) {
            (Some(stop), marker) if marker.is_none_or(|marker| stop <= marker) => {
                Seen::Stop(self.release(stop))
            }
            (_, Some(marker)) => Seen::Marker(self.release(marker)),
            _ => {
                let safe = self.safe_length();
                Seen::Text(self.release(safe))
            }
        }
    }

    /// What is still held when the answer ends; a character that never became whole is left out.
    pub(crate) fn finish(&mut self) -> String {
        self.pending.clear();
        std::mem::take(&mut self.held)
    }

    fn release(&mut self, length: usize) -> String {
        let rest = self.held.split_off(length);
        let text = std::mem::replace(&mut self.held, rest);
        if let Some(last) = text.chars().next_back() {
            self.line_start = last == '\n';
        }
        text
    }

    /// Where the marker begins, if it is there in full.
    fn find_marker(&self) -> Option<usize> {
        self.line_starts().find(|at| self.held[*at..].trim_start_matches(' ').starts_with(MARKER))
    }

    fn line_starts(&self) -> impl Iterator<Item = usize> {
        let first = self.line_start.then_some(0);
        first.into_iter().chain(self.held.match_indices('\n').map(|(at, _)| at + 1))
    }

    /// How much of the held text can no longer become a stop text or the marker.
    fn safe_length(&self) -> usize {
        let stop = self.stops.iter().map(|stop| self.held.len() - overlap(&self.held, stop)).min();
        let marker = self.tools.then(|| {
            let may_begin = |at: &usize| MARKER.starts_with(self.held[*at..].trim_start_matches(' '));
            self.line_starts().find(may_begin).unwrap_or(self.held.len())
        });
        stop.unwrap_or(self.held.len()).min(marker.unwrap_or(self.held.len()))
    }
}

/// Bytes at the end of `text` that are a proper beginning of `stop`.
fn overlap(text: &str, stop: &str) -> usize {
    let most = text.len().min(stop.len() - 1);
    (1..=most)
        .rev()
        .find(|length| stop.is_char_boundary(*length) && text.ends_with(&stop[..*length]))
        .unwrap_or(0)
}

/// Takes the whole characters at the start of `bytes`; what can never become one is replaced by U+FFFD.
fn take_characters(bytes: &mut Vec<u8>) -> String {
    let mut text = String::new();
    let mut taken = 0;
    while taken < bytes.len() {
        match std::str::from_utf8(&bytes[taken..]) {
            Ok(rest) => {
                text.push_str(rest);
                taken = bytes.len();
            }
            Err(error) => {
                let (good, bad) = bytes[taken..].split_at(error.valid_up_to());
                text.push_str(&String::from_utf8_lossy(good));
                taken += good.len();
                let Some(length) = error.error_len() else { break };
                text.push(char::REPLACEMENT_CHARACTER);
                taken += length.min(bad.len());
            }
        }
    }
    bytes.drain(..taken);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Everything shown, and how it ended.
    fn watched(watch: Watch, pieces: &[&[u8]]) -> (Vec<String>, &'static str) {
        let (mut watch, mut shown) = (watch, Vec::new());
        for piece in pieces {
            let (text, end) = match watch.push(piece) {
                Seen::Text(text) => (text, None),
                Seen::Stop(text) => (text, Some("stop")),
                Seen::Marker(text) => (text, Some("marker")),
            };
            shown.extend(Some(text).filter(|text| !text.is_empty()));
            if let Some(end) = end {
                return (shown, end);
            }
        }
        shown.extend(Some(watch.finish()).filter(|text| !text.is_empty()));
        (shown, "end")
    }

    fn stops(list: &[&str]) -> Watch {
        Watch::new(&list.iter().map(|stop| (*stop).to_owned()).collect::<Vec<_>>(), false)
    }

    #[test]
    fn broken_characters_wait_for_their_rest() {
        let horse = "🐎".as_bytes();
        let (shown, _) = watched(stops(&[]), &[b"a", &horse[..1], &horse[1..3], &horse[3..], b"b"]);
        assert_eq!(shown, ["a", "🐎", "b"]);
        assert_eq!(watched(stops(&[]), &[b"x\xff", b"y", &horse[..2]]).0.concat(), "x\u{fffd}y");
    }

    #[test]
    fn a_stop_text_across_tokens_is_not_shown() {
        assert_eq!(watched(stops(&["END"]), &[b"one E", b"N", b"D two"]), (vec!["one ".into()], "stop"));
        let (shown, end) = watched(stops(&["END"]), &[b"one E", b"N", b"O"]);
        assert_eq!((shown.concat().as_str(), end), ("one ENO", "end"));
        assert_eq!(watched(stops(&["b", "a"]), &[b"xab"]), (vec!["x".into()], "stop"));
    }

    #[test]
    fn the_marker_counts_at_the_start_of_a_line_only() {
        let tools = || Watch::new(&[], true);
        assert_eq!(watched(tools(), &[b"TO", b"OL", b": {"]), (vec![], "marker"));
        assert_eq!(watched(tools(), &[b"Sure.\n", b" TOOL", b":"]), (vec!["Sure.\n".into()], "marker"));
        let (shown, end) = watched(tools(), &[b"a TOOL", b": x\nTO", b"P"]);
        assert_eq!((shown.concat().as_str(), end), ("a TOOL: x\nTOP", "end"));
        assert_eq!(watched(Watch::new(&[], false), &[b"TOOL: x"]).1, "end");
    }

    proptest! {
        #[test]
        fn however_text_is_cut_it_comes_out_whole(text in "[a-cTOL:\n é🐎]{0,40}", cuts in prop::collection::vec(1_usize..5, 0..60)) {
            let mut rest = text.as_bytes();
            let mut pieces = Vec::new();
            for cut in cuts {
                let (piece, after) = rest.split_at(cut.min(rest.len()));
                pieces.push(piece);
                rest = after;
            }
            pieces.push(rest);
            let (shown, end) = watched(Watch::new(&["cab".to_owned()], true), &pieces);
            let shown = shown.concat();
            prop_assert!(text.starts_with(&shown));
            prop_assert!(!shown.contains("cab"));
            if end == "end" {
                prop_assert_eq!(shown, text);
            }
        }
    }
}
