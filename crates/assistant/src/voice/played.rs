//! How much of a reply was sent, and by the clock heard, and which words that is.
//!
//! A client plays what it gets as soon as it can: what is sent after the last sound has ended is heard after a
//! gap. Invariant: never more is heard than was sent, and later never less.

use std::time::Duration;

use tokio::time::Instant;
use zeroize::Zeroizing;

/// How long a letter takes to be said, in microseconds.
const LETTER_US: u64 = 65_000;

/// What was sent of one reply.
#[derive(Default)]
pub(super) struct Played {
    spans: Vec<Span>,
    /// Microseconds of sound sent.
    sent_us: u64,
    /// When the last sound sent has been heard.
    until: Option<Instant>,
    /// What the client says was heard, in milliseconds.
    told_ms: Option<u64>,
}

/// One piece of the text, and the sound of it.
struct Span {
    text: Zeroizing<String>,
    from_us: u64,
    to_us: u64,
    /// Whether all of its sound was sent.
    whole: bool,
}

impl Played {
    /// A piece of text begins to be sent.
    pub(super) fn begin(&mut self, text: Zeroizing<String>) {
        let at = self.sent_us;
        self.spans.push(Span { text, from_us: at, to_us: at, whole: false });
    }

    /// Sound of the last piece was sent, that lasts `duration`.
    pub(super) fn sent(&mut self, duration: Duration, now: Instant) {
        let begins = self.until.map_or(now, |until| until.max(now));
        self.until = Some(begins + duration);
        self.sent_us += u64::try_from(duration.as_micros()).unwrap_or(0);
        if let Some(span) = self.spans.last_mut() {
            span.to_us = self.sent_us;
        }
    }

    /// All sound of the last piece was sent.
    pub(super) fn end(&mut self) {
        if let Some(span) = self.spans.last_mut() {
            span.whole = true;
        }
    }

    /// The client says how much was heard; `false` when that is more than was sent.
    pub(super) fn told(&mut self, ms: u64) -> bool {
        // Clients count whole samples, and round.
        let fits = ms <= self.sent_us / 1000 + 1;
        if fits {
            self.told_ms = Some(ms);
        }
        fits
    }

    /// How much sound was sent, in milliseconds.
    pub(super) const fn sent_ms(&self) -> u64 {
        self.sent_us / 1000
    }

    /// Sound that was sent and not heard yet.
    pub(super) fn ahead(&self, now: Instant) -> Duration {
        self.until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// How much was heard, in milliseconds.
    pub(super) fn heard_ms(&self, now: Instant) -> u64 {
        self.told_ms.unwrap_or_else(|| self.heard_us(now) / 1000)
    }

    fn heard_us(&self, now: Instant) -> u64 {
        let ahead = u64::try_from(self.ahead(now).as_micros()).unwrap_or(u64::MAX);
        self.sent_us.saturating_sub(ahead)
    }

    /// The words that were heard, and whether they are all that was sent as text. Of a piece that was cut, the
    /// words that fit into the part of its sound that was heard.
    pub(super) fn heard(&self, now: Instant) -> (Zeroizing<String>, bool) {
        let heard_us = self.told_ms.map_or_else(|| self.heard_us(now), |ms| ms.saturating_mul(1000));
        let bytes = self.spans.iter().map(|span| span.text.len()).sum();
        let (mut words, mut all) = (Zeroizing::new(String::with_capacity(bytes)), true);
        for span in &self.spans {
            // A millisecond is lost to rounding.
            if span.whole && span.to_us <= heard_us + 1_000 {
                words.push_str(&span.text);
                continue;
            }
            all = false;
            let part = heard_us.saturating_sub(span.from_us);
            words.push_str(beginning(&span.text, part, span.lasts_us()));
            break;
        }
        (words, all)
    }
}

impl Span {
    /// How long its sound lasts: as long as what was sent, or, while more of it is to come, about as long as
    /// somebody needs to say it.
    fn lasts_us(&self) -> u64 {
        let sent = self.to_us - self.from_us;
        let usual = if self.whole { 1 } else { LETTER_US * self.text.chars().count() as u64 };
        sent.max(usual).max(1)
    }
}

/// The whole words in the first `part` of `whole` of a text.
fn beginning(text: &str, part: u64, whole: u64) -> &str {
    let letters = text.chars().count() as u64;
    let said = letters.saturating_mul(part.min(whole)) / whole;
    let end =
        text.char_indices().nth(usize::try_from(said).unwrap_or(usize::MAX)).map_or(text.len(), |(at, _)| at);
    let heard = &text[..end];
    match text[end..].chars().next() {
        // In the middle of a word: it was not heard.
        Some(next) if !next.is_whitespace() => {
            heard.rfind(char::is_whitespace).map_or("", |at| &heard[..=at])
        }
        _ => heard,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.to_owned())
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_heard_words_are_those_whose_sound_was_played() {
        let start = Instant::now();
        let mut played = Played::default();
        played.begin(text("Your order has shipped. "));
        played.sent(SECOND * 2, start);
        played.end();
        played.begin(text("It comes Tuesday."));
        played.sent(SECOND, start);
        let heard = |seconds: f32| played.heard(start + Duration::from_secs_f32(seconds)).0.to_string();
        assert_eq!(heard(0.0), "");
        assert_eq!(heard(1.0), "Your order ");
        assert_eq!(heard(2.0), "Your order has shipped. ");
        assert_eq!(heard(2.5), "Your order has shipped. It ");
        assert_eq!((played.heard_ms(start + SECOND), played.sent_ms()), (1_000, 3_000));
        played.end();
        assert!(played.heard(start + SECOND * 3).1 && !played.heard(start + SECOND * 2).1);
    }

    #[test]
    fn a_gap_in_the_sending_is_a_gap_in_the_hearing() {
        let start = Instant::now();
        let mut played = Played::default();
        played.begin(text("One two."));
        played.sent(SECOND, start);
        assert_eq!(played.heard_ms(start + SECOND * 2), 1_000);
        played.sent(SECOND, start + SECOND * 3);
        assert_eq!(played.ahead(start + SECOND * 3), SECOND);
        assert_eq!(played.heard_ms(start + SECOND * 4), 2_000);
    }

    #[test]
    fn the_client_knows_better_within_what_was_sent() {
        let start = Instant::now();
        let mut played = Played::default();
        played.begin(text("One two three four."));
        played.sent(SECOND * 2, start);
        assert!(!played.told(2_500) && played.told(1_000));
        assert_eq!(played.heard(start + SECOND * 9).0.as_str(), "One two ");
        assert_eq!(played.heard_ms(start + SECOND * 9), 1_000);
    }
}
