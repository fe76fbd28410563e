//! Search over one's own sealed history: a blind index of keyed hashes, and a second look at what it finds.
//!
//! `messages` fills the index (see `pending`), `assistant` asks it. The tables hold numbers only: 64-bit keyed hashes of
//! words and their prefixes (`domain::text`), under a key drawn from the person's DEK. They tell somebody
//! who reads them which messages share a term, never which term. Invariant: what is returned was opened and
//! compared, so a chance collision of hashes is never shown. Titles have no index; the newest are opened.

use std::collections::HashSet;

use domain::{
    Action, Permit,
    chat::Conversation,
    id::{ConversationId, MessageId},
    text::{self, Word},
};
use sqlx::{AssertSqlSafe, Row, any::AnyRow};

use crate::{Error, Store, conversations, messages, row};

pub(crate) mod pending;

/// Words of a query that are looked at.
const WORDS: usize = 8;
/// Conversations whose titles are looked at, the one changed last first.
const TITLES: u32 = 2000;
/// Candidates opened per round.
const ROUND: usize = 64;
/// Characters shown on either side of the first match.
const AROUND: usize = 60;

/// A message that was found, or a conversation by its title.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The conversation it is in.
    pub conversation: Conversation,
    /// The message; of a conversation found by its title, the last one of the branch that is shown.
    pub message: MessageId,
    /// Its text, or the title, around the first match.
    pub snippet: String,
}

/// The person's messages that hold every word of `query`, the last one as the beginning of a word, newest
/// first; before them conversations whose title alone holds them. At most `limit`.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to read conversations.
pub async fn find(store: &Store, permit: &Permit, query: &str, limit: u32) -> Result<Vec<Hit>, Error> {
    let subject = permit.subject(Action::ReadChat)?;
    let mut wanted: Vec<String> = text::words(query).map(|word| word.text).take(WORDS).collect();
    let Some(last) = wanted.pop() else { return Ok(Vec::new()) };
    let dek = store.dek(subject).await?;
    let key = dek.index_key();
    let mut terms: Vec<i64> = wanted.iter().map(|word| key.term(&text::query_term(word))).collect();
    // The first letter of the last word is not indexed; the other words find candidates for it.
    if terms.is_empty() || last.chars().count() >= text::PREFIX_MIN {
        terms.push(key.term(&text::query_term(&last)));
    }
    let wanted = Wanted { whole: wanted, beginning: last };
    let owner = subject.to_string();
    // What is still pending is newer than all that has been sorted in.
    let pending = pending::of(store, &owner).await?;
    let fresh: Vec<i64> = pending.iter().filter(|pending| pending.holds(&terms)).map(|p| p.message).collect();
    let mut below = pending.last().map_or(i64::MAX, |oldest| oldest.message);
    let mut hits = Vec::new();
    for round in fresh.chunks(ROUND) {
        let found = by_number(store, &owner, round).await?;
        open(store, permit, &wanted, &found, limit, &mut hits).await?;
    }
    // The statement has a fixed number of places; a word more often changes nothing.
    terms.resize(WORDS, terms[0]);
    while hits.len() < limit as usize {
        let found = sorted_in(store, &owner, &terms, below).await?;
        let Some(oldest) = found.last() else { break };
        below = oldest.try_get("number")?;
        open(store, permit, &wanted, &found, limit, &mut hits).await?;
    }
    with_titles(store, permit, &wanted, limit, &hits).await
}

/// `hits`, and before them the conversations that are found by their title and by none of these messages.
/// Titles are not indexed: they are few, and opened one by one.
async fn with_titles(
    store: &Store,
    permit: &Permit,
    wanted: &Wanted,
    limit: u32,
    hits: &[Hit],
) -> Result<Vec<Hit>, Error> {
    // What messages leave free, and a fifth in any case: most titles repeat a first message.
    let room = (limit as usize).saturating_sub(hits.len()).max(limit.div_ceil(5) as usize);
    let shown: HashSet<ConversationId> = hits.iter().map(|hit| hit.conversation.id).collect();
    let titled = conversations::newest(store, permit, TITLES).await?.into_iter().filter_map(|conversation| {
        let snippet = wanted.snippet(&conversation.title)?;
        let message = conversation.head?;
        (!shown.contains(&conversation.id)).then_some(Hit { conversation, message, snippet })
    });
    Ok(titled.take(room).chain(hits.iter().cloned()).take(limit as usize).collect())
}

/// Opens what the index found, keeps what does hold the words, up to `limit`.
async fn open(
    store: &Store,
    permit: &Permit,
    wanted: &Wanted,
    found: &[AnyRow],
    limit: u32,
    hits: &mut Vec<Hit>,
) -> Result<(), Error> {
    let dek = store.dek(permit.subject(Action::ReadChat)?).await?;
    for found in found {
        if hits.len() >= limit as usize {
            break;
        }
        let message = messages::read(&dek, found)?;
        if let Some(snippet) = wanted.snippet(&message.body.text) {
            let conversation = conversation(store, permit, found).await?;
            hits.extend(conversation.map(|conversation| Hit { conversation, message: message.id, snippet }));
        }
    }
    Ok(())
}

/// Messages of `owner` with these numbers, newest first.
async fn by_number(store: &Store, owner: &str, numbers: &[i64]) -> Result<Vec<AnyRow>, Error> {
    let places: Vec<String> = (0..numbers.len()).map(|place| format!("${}", place + 2)).collect();
    let mut select = sqlx::query(AssertSqlSafe(format!(
        "SELECT id, conversation, number, parent, author, body, at FROM messages \
         WHERE owner = $1 AND number IN ({}) ORDER BY number DESC",
        places.join(", ")
    )));
    select = select.bind(owner);
    for number in numbers {
        select = select.bind(*number);
    }
    Ok(select.fetch_all(store.readers()).await?)
}

/// Messages of `owner` whose sorted terms hold all `terms`, newest first, older than number `below`.
async fn sorted_in(store: &Store, owner: &str, terms: &[i64], below: i64) -> Result<Vec<AnyRow>, Error> {
    let mut select = sqlx::query(
        "SELECT id, conversation, number, parent, author, body, at FROM messages \
         WHERE owner = $1 AND number < $2 \
         AND number IN (SELECT message FROM search_terms WHERE term = $4) \
         AND number IN (SELECT message FROM search_terms WHERE term = $5) \
         AND number IN (SELECT message FROM search_terms WHERE term = $6) \
         AND number IN (SELECT message FROM search_terms WHERE term = $7) \
         AND number IN (SELECT message FROM search_terms WHERE term = $8) \
         AND number IN (SELECT message FROM search_terms WHERE term = $9) \
         AND number IN (SELECT message FROM search_terms WHERE term = $10) \
         AND number IN (SELECT message FROM search_terms WHERE term = $11) \
         ORDER BY number DESC LIMIT $3",
    )
    .bind(owner)
    .bind(below)
    .bind(ROUND as i64);
    for term in terms {
        select = select.bind(*term);
    }
    Ok(select.fetch_all(store.readers()).await?)
}

/// The conversation of a found message; `None` when it was deleted in between.
async fn conversation(store: &Store, permit: &Permit, found: &AnyRow) -> Result<Option<Conversation>, Error> {
    match conversations::get(store, permit, row::id(found, "conversation")?).await {
        Ok(conversation) => Ok(Some(conversation)),
        Err(Error::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What a query asks for.
struct Wanted {
    whole: Vec<String>,
    beginning: String,
}

impl Wanted {
    /// The text around the first match, when `body` holds everything wanted.
    fn snippet(&self, body: &str) -> Option<String> {
        let words: Vec<Word> = text::words(body).collect();
        let begun = |word: &Word| word.text.starts_with(&self.beginning);
        if !words.iter().any(begun)
            || !self.whole.iter().all(|whole| words.iter().any(|word| word.text == *whole))
        {
            return None;
        }
        let first = words.iter().find(|word| begun(word) || self.whole.contains(&word.text))?;
        Some(excerpt(body, first))
    }
}

/// `word` with some text on either side, on one line.
fn excerpt(body: &str, word: &Word) -> String {
    let start = body[..word.start].char_indices().rev().nth(AROUND - 1).map_or(0, |(at, _)| at);
    let end = body[word.end..].char_indices().nth(AROUND).map_or(body.len(), |(at, _)| word.end + at);
    let text = body[start..end].split_whitespace().collect::<Vec<_>>().join(" ");
    let before = if start > 0 { "…" } else { "" };
    let after = if end < body.len() { "…" } else { "" };
    format!("{before}{text}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(query: &str) -> Wanted {
        let mut whole: Vec<String> = text::words(query).map(|word| word.text).collect();
        let beginning = whole.pop().unwrap();
        Wanted { whole, beginning }
    }

    #[test]
    fn whole_words_must_match_and_the_last_may_go_on() {
        let body = "The encyclopaedia of French cafés";
        assert!(wanted("french CAF").snippet(body).is_some());
        assert!(wanted("encyclopaed").snippet(body).is_some());
        assert!(wanted("fren cafes").snippet(body).is_none());
        assert!(wanted("encyclopedic").snippet(body).is_none());
    }

    #[test]
    fn an_excerpt_keeps_the_match_in_the_middle() {
        let body = format!("{}\n\nthe  needle here {}", "häy ".repeat(100), "straw ".repeat(100));
        let found = wanted("needle").snippet(&body).unwrap();
        assert!(found.starts_with('…') && found.ends_with('…'), "{found}");
        assert!(found.contains("the needle here"), "{found}");
        assert!(found.chars().count() < 2 * AROUND + 20, "{found}");
        assert_eq!(wanted("short").snippet("short").unwrap(), "short");
    }
}
