//! Taking conversations along, and bringing them back.
//!
//! The format is described for others in `docs/export-format.md`; [`mod@format`] is its one definition.

mod format;
mod import;
mod markdown;
mod rooms;

use domain::{
    Ctx, Timestamp,
    audit::{Act, Entry},
    chat::{Conversation, Folder, Tree},
    id::ConversationId,
};
use store::{conversations, folders, messages};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use rooms::Room;

pub use import::{Import, ImportReport};
pub(crate) use rooms::Gate;

use crate::{Assistant, Error, MAX_EXPORT_BYTES, rights, today};

/// More conversations than a person has.
const EVERYTHING: u32 = 1_000_000;

/// What an export is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `troth.conversations/1`: everything, every branch; can be imported.
    Json,
    /// The shown branches, for reading.
    Markdown,
}

/// A file to be taken along. It keeps its room for as long as it is in memory: who sends it hands it over
/// whole, and does not copy it.
pub struct Export {
    /// What to call it: ASCII, no path.
    pub file_name: String,
    /// Its media type.
    pub media_type: &'static str,
    bytes: Vec<u8>,
    _room: Room,
}

impl AsRef<[u8]> for Export {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// A conversation with all that belongs to it.
struct Whole {
    facts: Conversation,
    tree: Tree,
}

impl Assistant {
    /// One conversation, or all of them, as a file. Temporary chats are not in it.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::TooLong`] beyond [`MAX_EXPORT_BYTES`], [`Error::Denied`],
    /// [`Error::Transferring`], [`Error::Store`].
    pub async fn export(
        &self,
        ctx: &Ctx,
        only: Option<ConversationId>,
        format: Format,
    ) -> Result<Export, Error> {
        let permit = rights::reads(ctx)?;
        let room = self.0.transfers.export(rights::person(ctx)?)?;
        let folders = folders::list(&self.0.store, &permit).await?;
        let chosen = match only {
            Some(id) => vec![conversations::get(&self.0.store, &permit, id).await?],
            None => self.everything(ctx).await?,
        };
        let count = chosen.len();
        let mut file = Writer::begin(format, ctx, &folders)?;
        for facts in chosen {
            let tree = messages::tree(&self.0.store, &permit, facts.id).await?;
            file.add(&Whole { facts, tree })?;
        }
        let bytes = file.finish()?;
        let tx = self.0.store.begin(ctx).await?;
        let target = only.map(|id| id.to_string()).unwrap_or_default();
        tx.commit(Entry::new(Act::Exported, target).times(count)).await?;
        Ok(named(ctx, format, bytes, room))
    }

    /// Every conversation of the person, put away or not.
    async fn everything(&self, ctx: &Ctx) -> Result<Vec<Conversation>, Error> {
        let permit = rights::reads(ctx)?;
        let mut all = Vec::new();
        for archived in [false, true] {
            // In one piece: pages are told apart by time, and imported conversations may share one.
            all.extend(conversations::list(&self.0.store, &permit, archived, EVERYTHING, None).await?);
        }
        Ok(all)
    }
}

/// A file that grows, in either format.
enum Writer {
    Json(format::Json),
    Markdown(String),
}

impl Writer {
    fn begin(format: Format, ctx: &Ctx, folders: &[Folder]) -> Result<Self, Error> {
        Ok(match format {
            Format::Json => Self::Json(format::Json::begin(&rfc3339(ctx.now()), folders)?),
            Format::Markdown => Self::Markdown(String::new()),
        })
    }

    fn add(&mut self, whole: &Whole) -> Result<(), Error> {
        let size = match self {
            Self::Json(json) => json.add(whole)?,
            Self::Markdown(text) => {
                markdown::write(text, whole);
                text.len()
            }
        };
        if size > MAX_EXPORT_BYTES {
            return Err(Error::TooLong { what: "an export", limit: MAX_EXPORT_BYTES, unit: "bytes" });
        }
        Ok(())
    }

    fn finish(self) -> Result<Vec<u8>, Error> {
        match self {
            Self::Json(json) => json.finish(),
            Self::Markdown(text) => Ok(text.into_bytes()),
        }
    }
}

fn named(ctx: &Ctx, format: Format, bytes: Vec<u8>, room: Room) -> Export {
    let (ending, media_type) = match format {
        Format::Json => ("json", "application/json"),
        Format::Markdown => ("md", "text/markdown; charset=utf-8"),
    };
    // No title in the name: file names stand in logs and download lists.
    let file_name = format!("troth-conversations-{}.{ending}", today(ctx));
    Export { file_name, media_type, bytes, _room: room }
}

/// A time as exports spell it: RFC 3339, UTC, to the microsecond.
pub(crate) fn rfc3339(at: Timestamp) -> String {
    let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.0) * 1_000);
    let text = moment.ok().and_then(|moment| moment.format(&Rfc3339).ok());
    text.unwrap_or_else(|| "1970-01-01T00:00:00Z".to_owned())
}

/// A time from RFC 3339, in any offset.
pub(crate) fn from_rfc3339(text: &str) -> Option<Timestamp> {
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    i64::try_from(moment.unix_timestamp_nanos() / 1_000).ok().map(Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_go_there_and_back() {
        for micros in [0, 1, 1_763_847_600_123_456, -5_000_000] {
            assert_eq!(from_rfc3339(&rfc3339(Timestamp(micros))), Some(Timestamp(micros)));
        }
        assert_eq!(rfc3339(Timestamp(0)), "1970-01-01T00:00:00Z");
        assert_eq!(from_rfc3339("2026-01-31T12:00:00+05:30"), from_rfc3339("2026-01-31T06:30:00Z"));
        assert_eq!(from_rfc3339("yesterday"), None);
    }
}
