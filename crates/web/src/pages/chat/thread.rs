//! The thread: what was said, branch by branch.
//!
//! Rendered into the chat page, and message by message for the script that appends and replaces them.
//! Every answer says that it is an AI's, which model made it and where it ran.

use domain::{
    chat::{Author, Ending, Message, Shown, Tree},
    enforced,
    id::{MessageId, TurnId},
    model::ModelFacts,
};
use maud::{Markup, PreEscaped, html};
use tokio::runtime::{Handle, RuntimeFlavor};

use super::super::{
    frame::Kind,
    icons::{self, Icon},
    words::Words,
};
use crate::markdown;

/// The longest text that is drawn on the thread that answers requests, in bytes.
const LONG: usize = 32 * 1024;

/// In which words, and with which models' names, a thread is told.
#[derive(Clone, Copy, Debug)]
pub struct Voice<'a> {
    /// The words.
    pub words: &'a Words,
    /// The models, for their names.
    pub models: &'a [ModelFacts],
}

impl Voice<'_> {
    /// The branch that ends in `head`, with the answer that is being written below it.
    #[must_use]
    pub fn thread(self, tree: &Tree, head: Option<MessageId>, running: Option<TurnId>) -> Markup {
        let mut shown = head.map(|head| tree.shown(head)).unwrap_or_default();
        // While an answer is made anew, the branch still ends in the one before it.
        if running.is_some() && shown.last().is_some_and(|last| last.message.author == Author::Assistant) {
            shown.pop();
        }
        let asked = shown.last().filter(|last| running.is_none() && last.message.author == Author::User);
        html! {
            @for one in &shown { (self.message(one)) }
            @if let Some(turn) = running { (self.growing(turn)) }
            @if let Some(asked) = asked { (unanswered(self.words, asked.message.id)) }
        }
    }

    /// One message with its tools.
    #[must_use]
    pub fn message(self, one: &Shown<'_>) -> Markup {
        match one.message.author {
            Author::User => question(self.words, one),
            Author::Assistant => self.answer(one, None),
        }
    }

    /// An answer that has come to its end; `error` says why it failed, where that is known.
    #[must_use]
    pub fn answer(self, one: &Shown<'_>, error: Option<&str>) -> Markup {
        let Message { id, body, .. } = one.message;
        html! {
            article.message.answer #{ "m-" (id) } data-message=(id) {
                h2.sr { (self.words.answer) }
                (self.line(body.model.as_deref(), body.place.as_deref()))
                div.prose { (PreEscaped(drawn(&body.text, self.words))) }
                (ending(self.words, one.message, error))
                div.tools {
                    (branches(self.words, one))
                    (tool("copy", self.words.copy, Icon::Copy))
                    (tool("regenerate", self.words.regenerate, Icon::Redo))
                    (tool("delete", self.words.delete, Icon::Trash))
                }
            }
        }
    }

    /// The answer that is being written: the stream fills it.
    #[must_use]
    pub fn growing(self, turn: TurnId) -> Markup {
        html! {
            article.message.answer.streaming data-turn=(turn) aria-busy="true" {
                h2.sr { (self.words.answer) }
                (self.line(None, None))
                div.prose { div.settled {} div.tail {} }
            }
        }
    }

    /// The line over an answer: an AI, which model, where.
    #[must_use]
    pub fn line(self, model: Option<&str>, place: Option<&str>) -> Markup {
        enforced!(AID01);
        let titled =
            |id| self.models.iter().find(|model| model.id == id).map_or(id, |model| model.title.as_str());
        html! {
            p.by {
                span.ai { (icons::rings()) (self.words.ai) }
                @if let Some(model) = model { span { (titled(model)) } }
                @if let Some(place) = place { span { (place) } }
            }
        }
    }
}

/// An answer's text as HTML. A long one must not keep the other requests of this thread waiting.
fn drawn(text: &str, words: &Words) -> String {
    let draw = || markdown::render(text, &words.labels());
    let moves = || Handle::try_current().is_ok_and(|all| all.runtime_flavor() == RuntimeFlavor::MultiThread);
    if text.len() > LONG && moves() { tokio::task::block_in_place(draw) } else { draw() }
}

fn question(words: &Words, one: &Shown<'_>) -> Markup {
    let id = one.message.id;
    html! {
        article.message.user #{ "m-" (id) } data-message=(id) {
            h2.sr { (words.you_said) }
            div.said { (one.message.body.text) }
            div.tools {
                (branches(words, one))
                (tool("copy", words.copy, Icon::Copy))
                (tool("edit", words.edit, Icon::Pencil))
                (tool("delete", words.delete, Icon::Trash))
            }
        }
    }
}

fn ending(words: &Words, message: &Message, error: Option<&str>) -> Markup {
    let (kind, text) = match message.body.ending {
        Ending::Complete => return html! {},
        Ending::Stopped => (Kind::Plain, words.stopped),
        Ending::Length => (Kind::Due, words.cut),
        Ending::Failed => (Kind::Bad, error.unwrap_or(words.failed)),
    };
    notice(words, kind, text, message.body.ending == Ending::Failed)
}

/// A notice under an answer, with a way to try again where that helps.
#[must_use]
pub fn notice(words: &Words, kind: Kind, text: &str, retry: bool) -> Markup {
    html! {
        div class={ "ending note " (kind.class()) } {
            (kind.icon().draw())
            p { (text) }
            @if retry { button.quiet.compact type="button" data-act="regenerate" { (words.try_again) } }
        }
    }
}

/// A question that nobody answered: the model was missing, or the server was stopped.
fn unanswered(words: &Words, question: MessageId) -> Markup {
    html! { article.message.answer data-message=(question) { (notice(words, Kind::Due, words.unanswered, true)) } }
}

fn tool(act: &str, word: &str, icon: Icon) -> Markup {
    html! { button.bare type="button" data-act=(act) title=(word) aria-label=(word) { (icon.draw()) } }
}

/// Which of its versions this is, and the way to the others.
fn branches(words: &Words, one: &Shown<'_>) -> Markup {
    let (at, all) = (one.ordinal(), one.siblings.len());
    if all < 2 {
        return html! {};
    }
    let step = |to: usize, word: &str, icon: Icon| {
        let sibling = to.checked_sub(1).and_then(|to| one.siblings.get(to));
        html! {
            button.bare type="button" data-act="branch" data-to=[sibling] disabled[sibling.is_none()] aria-label=(word) { (icon.draw()) }
        }
    };
    html! {
        span.branch role="group" aria-label=(words.versions) {
            (step(at - 1, words.earlier, Icon::Left))
            span { (at) "/" (all) }
            (step(at + 1, words.later, Icon::Right))
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::{Timestamp, chat::Body, verifies};

    use super::*;

    fn id(n: u128) -> MessageId {
        MessageId(uuid(n))
    }

    fn uuid(n: u128) -> uuid::Uuid {
        uuid::Uuid::from_u128(n)
    }

    fn said(n: u128, parent: Option<u128>, author: Author, text: &str) -> Message {
        let body = Body { text: text.to_owned(), model: Some("m".to_owned()), ..Body::default() };
        let at = Timestamp(i64::try_from(n).expect("a small number"));
        Message { id: id(n), parent: parent.map(id), author, body, at }
    }

    fn told(tree: &Tree, head: u128, running: Option<TurnId>) -> String {
        Voice { words: Words::of("en"), models: &[] }.thread(tree, Some(id(head)), running).into_string()
    }

    #[test]
    fn every_answer_says_that_it_is_an_ais_while_it_grows_too() {
        let _proof = verifies!(AID01);
        let tree = Tree::new(vec![
            said(1, None, Author::User, "a"),
            said(2, Some(1), Author::Assistant, "b"),
            said(3, Some(2), Author::User, "c"),
        ]);
        let html = told(&tree, 3, Some(TurnId(uuid(9))));
        assert_eq!(html.matches("message answer").count(), 2);
        assert_eq!(html.matches("class=\"by\"").count(), 2);
        assert_eq!(html.matches(&format!("{}</span>", Words::of("en").ai)).count(), 2, "{html}");
        assert_eq!(html.matches("<span>m</span>").count(), 1, "the one that was given, by its model");
    }

    #[test]
    fn versions_are_counted_and_lead_to_each_other() {
        let tree = Tree::new(vec![
            said(1, None, Author::User, "a"),
            said(2, Some(1), Author::Assistant, "b"),
            said(3, Some(1), Author::Assistant, "c"),
        ]);
        let html = told(&tree, 3, None);
        assert!(html.contains("2/2") && html.contains(&format!("data-to=\"{}\"", id(2))), "{html}");
        let again = told(&tree, 3, Some(TurnId(uuid(9))));
        assert!(!again.contains(">c<"), "the answer that is made anew takes the place of the one before");
    }

    #[test]
    fn what_people_write_is_text() {
        let html = told(&Tree::new(vec![said(1, None, Author::User, "<b onclick=x>")]), 1, None);
        assert!(html.contains("&lt;b onclick=x&gt;") && html.contains(Words::of("en").unanswered));
    }
}
