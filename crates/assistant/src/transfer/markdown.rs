//! Conversations as Markdown, for reading: the shown branch of each. Cannot be imported.

use domain::chat::{Author, Ending};

use super::{Whole, rfc3339};

/// Adds one conversation to `out`.
pub(super) fn write(out: &mut String, whole: &Whole) {
    let title = if whole.facts.title.is_empty() { "Untitled" } else { &whole.facts.title };
    if !out.is_empty() {
        out.push_str("\n---\n\n");
    }
    out.push_str(&format!("# {}\n\nBegun {}.\n", escaped(title), rfc3339(whole.facts.created)));
    let shown = whole.facts.head.map(|head| whole.tree.path(head)).unwrap_or_default();
    for message in shown {
        let body = &message.body;
        let who = match message.author {
            Author::User => "You".to_owned(),
            Author::Assistant => answered_by(body.model.as_deref(), body.place.as_deref()),
        };
        out.push_str(&format!("\n## {who}\n\n*{}*\n\n{}\n", rfc3339(message.at), body.text.trim_end()));
        if let Some(note) = note(body.ending) {
            out.push_str(&format!("\n*{note}*\n"));
        }
    }
}

fn answered_by(model: Option<&str>, place: Option<&str>) -> String {
    let facts: Vec<_> = model.into_iter().chain(place).map(escaped).collect();
    if facts.is_empty() { "AI assistant".to_owned() } else { format!("AI assistant ({})", facts.join(", ")) }
}

fn note(ending: Ending) -> Option<&'static str> {
    match ending {
        Ending::Complete => None,
        Ending::Stopped => Some("Stopped here."),
        Ending::Failed => Some("The model failed here."),
        Ending::Length => Some("The answer reached its limit of length here."),
    }
}

/// Text of one line in which no character means anything to Markdown (CommonMark 0.31, 2.4).
fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '&' | '!') {
            out.push('\\');
        }
        out.push(c);
        out
    })
}

#[cfg(test)]
mod tests {
    use domain::{
        Timestamp,
        chat::{Body, Conversation, Message, Tree},
        id::{ConversationId, MessageId},
    };

    use super::*;

    #[test]
    fn a_conversation_reads_as_a_document() {
        let id = |n| MessageId(uuid::Uuid::from_u128(n));
        let asked = Body { text: "What is *this*?".into(), ..Body::default() };
        let answered = Body {
            text: "A test".into(),
            ending: Ending::Stopped,
            model: Some("work/m_1".into()),
            place: Some("on this machine".into()),
            usage: None,
        };
        let message = |n, parent, author, body| Message { id: id(n), parent, author, body, at: Timestamp(0) };
        let tree = Tree::new(vec![
            message(1, None, Author::User, asked),
            message(2, Some(id(1)), Author::Assistant, answered),
        ]);
        let facts = Conversation {
            id: ConversationId(uuid::Uuid::from_u128(9)),
            title: "# A <b>title</b>".into(),
            folder: None,
            pinned: false,
            archived: false,
            head: Some(id(2)),
            created: Timestamp(0),
            updated: Timestamp(0),
        };
        let mut out = String::new();
        write(&mut out, &Whole { facts, tree });
        let expected = "# \\# A \\<b\\>title\\</b\\>\n\nBegun 1970-01-01T00:00:00Z.\n\n\
            ## You\n\n*1970-01-01T00:00:00Z*\n\nWhat is *this*?\n\n\
            ## AI assistant (work/m\\_1, on this machine)\n\n*1970-01-01T00:00:00Z*\n\nA test\n\n*Stopped here.*\n";
        assert_eq!(out, expected);
    }
}
