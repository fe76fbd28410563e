//! The words of the recogniser: token numbers to text.
//!
//! The file holds one token after the other, each behind its length: one byte, or two from 128 on
//! (low seven bits first). A `▁` stands for a space, and `<0xE2>` for a single byte.

use zeroize::Zeroizing;

/// What every token stands for, by number.
pub(super) struct Vocabulary {
    tokens: Vec<Vec<u8>>,
}

impl Vocabulary {
    /// Reads the file; `None` if it is cut short or empty.
    pub(super) fn parse(mut bytes: &[u8]) -> Option<Self> {
        let mut tokens = Vec::new();
        while let Some((first, rest)) = bytes.split_first() {
            bytes = rest;
            let mut length = usize::from(*first);
            if length >= 0x80 {
                let (second, rest) = bytes.split_first()?;
                length = length - 0x80 + (usize::from(*second) << 7);
                bytes = rest;
            }
            let (token, rest) = bytes.split_at_checked(length)?;
            tokens.push(meaning(token));
            bytes = rest;
        }
        (!tokens.is_empty()).then_some(Self { tokens })
    }

    pub(super) fn len(&self) -> usize {
        self.tokens.len()
    }

    /// The text of a row of tokens. Numbers nobody knows are skipped.
    pub(super) fn text(&self, tokens: &[usize]) -> Zeroizing<String> {
        // Long enough from the start, so that no shorter copy stays behind in freed memory.
        let most = tokens.iter().map(|token| self.tokens.get(*token).map_or(0, Vec::len)).sum();
        let mut bytes = Zeroizing::new(Vec::with_capacity(most));
        for token in tokens {
            bytes.extend(self.tokens.get(*token).into_iter().flatten());
        }
        let text = Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
        Zeroizing::new(text.trim().to_owned())
    }
}

/// The bytes a token stands for; none for control tokens.
fn meaning(token: &[u8]) -> Vec<u8> {
    if let Some(inner) = token.strip_prefix(b"<").and_then(|rest| rest.strip_suffix(b">")) {
        let byte = inner.strip_prefix(b"0x").and_then(|digits| std::str::from_utf8(digits).ok());
        return byte.and_then(|digits| u8::from_str_radix(digits, 16).ok()).into_iter().collect();
    }
    String::from_utf8_lossy(token).replace('▁', " ").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_become_text() {
        let mut file = vec![3];
        file.extend(b"<s>");
        for token in ["▁Hel", "lo", "<0xC3>", "<0xA9>", "▁there"] {
            file.push(token.len() as u8);
            file.extend(token.as_bytes());
        }
        file.extend([0x80 + 2, 1]); // 130 letters
        file.extend([b'x'; 130]);
        let words = Vocabulary::parse(&file).expect("whole");
        assert_eq!(words.len(), 7);
        assert_eq!(*words.text(&[0, 1, 2, 3, 4, 5, 99]), "Helloé there");
        assert_eq!(words.text(&[6]).len(), 130);
        assert!(Vocabulary::parse(&file[..file.len() - 1]).is_none() && Vocabulary::parse(b"").is_none());
    }
}
