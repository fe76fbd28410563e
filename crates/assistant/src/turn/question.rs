//! From what a person asks to where it goes in the tree: one pure function, for kept and temporary
//! conversations alike.

use domain::{
    Ctx,
    chat::{Author, Body, MAX_MESSAGE_BYTES, MAX_MESSAGES, Message, Tree},
    id::MessageId,
};

use super::AskKind;
use crate::Error;

/// Where a question goes and which message is to be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// The question to be kept; `None` when an answer is made anew.
    pub(crate) question: Option<Message>,
    /// The message to be answered; `None` when nothing has been said yet.
    pub(crate) answers: Option<MessageId>,
}

/// Finds the place of `kind` in `tree`, whose shown branch ends in `head`.
///
/// # Errors
/// [`Error::NotFound`] when it names a message that is not there or is of the wrong author,
/// [`Error::Empty`], [`Error::TooLong`], [`Error::Full`].
pub(crate) fn place(ctx: &Ctx, tree: &Tree, head: Option<MessageId>, kind: AskKind) -> Result<Step, Error> {
    // One for the question, one for the answer.
    if tree.messages().len() + 2 > MAX_MESSAGES {
        let advice = "begin a new one";
        return Err(Error::Full { what: "this conversation", limit: MAX_MESSAGES, advice });
    }
    match kind {
        AskKind::Say { text, after } => {
            let parent = after.or(head).map(|id| find(tree, id)).transpose()?;
            say(ctx, parent.map(|message| message.id), text)
        }
        AskKind::Edit { message, text } => {
            let earlier = find(tree, message)?;
            if earlier.author != Author::User {
                return Err(Error::NotFound);
            }
            say(ctx, earlier.parent, text)
        }
        AskKind::Regenerate { message } => {
            let message = find(tree, message)?;
            let answers = match message.author {
                Author::User => message.id,
                Author::Assistant => message.parent.ok_or(Error::NotFound)?,
            };
            find(tree, answers).map(|_| Step { question: None, answers: Some(answers) })
        }
        AskKind::GoOn => {
            head.map(|id| find(tree, id)).transpose()?;
            Ok(Step { question: None, answers: head })
        }
    }
}

fn find(tree: &Tree, id: MessageId) -> Result<&Message, Error> {
    tree.get(id).ok_or(Error::NotFound)
}

fn say(ctx: &Ctx, parent: Option<MessageId>, text: String) -> Result<Step, Error> {
    if text.trim().is_empty() {
        return Err(Error::Empty);
    }
    if text.len() > MAX_MESSAGE_BYTES {
        return Err(Error::TooLong { what: "a message", limit: MAX_MESSAGE_BYTES, unit: "bytes" });
    }
    let body = Body { text, ..Body::default() };
    let question = Message { id: MessageId::fresh(ctx), parent, author: Author::User, body, at: ctx.now() };
    Ok(Step { answers: Some(question.id), question: Some(question) })
}

#[cfg(test)]
mod tests {
    use domain::{Actor, Clock, Entropy, Timestamp};

    use super::*;

    fn ctx() -> Ctx {
        let entropy = Entropy::new(|bytes| bytes.iter_mut().enumerate().for_each(|(i, b)| *b = i as u8));
        Ctx::new(Actor::Anonymous, Clock::new(|| Timestamp(1_000_000)), entropy)
    }

    fn message(n: u8, parent: Option<u8>, author: Author) -> Message {
        let id = |n: u8| MessageId(uuid(n));
        let body = Body { text: format!("m{n}"), ..Body::default() };
        Message { id: id(n), parent: parent.map(id), author, body, at: Timestamp(i64::from(n)) }
    }

    fn uuid(n: u8) -> uuid::Uuid {
        format!("01890a5d-ac96-774b-bcce-b302099a80{n:02x}").parse().unwrap()
    }

    fn tree() -> Tree {
        let (user, assistant) = (Author::User, Author::Assistant);
        Tree::new(vec![message(1, None, user), message(2, Some(1), assistant), message(3, Some(2), user)])
    }

    fn id(n: u8) -> MessageId {
        MessageId(uuid(n))
    }

    fn say_text(text: &str, after: Option<MessageId>) -> AskKind {
        AskKind::Say { text: text.into(), after }
    }

    #[test]
    fn a_question_follows_the_shown_branch_or_the_message_it_names() {
        let step = place(&ctx(), &tree(), Some(id(3)), say_text("hi", None)).unwrap();
        assert_eq!(step.question.as_ref().unwrap().parent, Some(id(3)));
        assert_eq!(step.answers, step.question.map(|question| question.id));
        let step = place(&ctx(), &tree(), Some(id(3)), say_text("hi", Some(id(2)))).unwrap();
        assert_eq!(step.question.unwrap().parent, Some(id(2)));
        let step = place(&ctx(), &Tree::default(), None, say_text("hi", None)).unwrap();
        assert_eq!(step.question.unwrap().parent, None);
        assert!(matches!(place(&ctx(), &tree(), None, say_text("hi", Some(id(9)))), Err(Error::NotFound)));
    }

    #[test]
    fn an_edit_is_a_sibling_of_the_question_it_edits() {
        let edit = |message| AskKind::Edit { message, text: "again".into() };
        let step = place(&ctx(), &tree(), Some(id(3)), edit(id(3))).unwrap();
        assert_eq!(step.question.unwrap().parent, Some(id(2)));
        let step = place(&ctx(), &tree(), Some(id(3)), edit(id(1))).unwrap();
        assert_eq!(step.question.unwrap().parent, None);
        assert!(matches!(place(&ctx(), &tree(), None, edit(id(2))), Err(Error::NotFound)));
    }

    #[test]
    fn an_answer_is_made_anew_below_the_question() {
        let again = |message| AskKind::Regenerate { message };
        let step = place(&ctx(), &tree(), Some(id(3)), again(id(2))).unwrap();
        assert_eq!(step, Step { question: None, answers: Some(id(1)) });
        let step = place(&ctx(), &tree(), Some(id(3)), again(id(3))).unwrap();
        assert_eq!(step.answers, Some(id(3)));
    }

    #[test]
    fn going_on_follows_whatever_was_said_last() {
        let step = place(&ctx(), &tree(), Some(id(2)), AskKind::GoOn).unwrap();
        assert_eq!(step, Step { question: None, answers: Some(id(2)) });
        let step = place(&ctx(), &Tree::default(), None, AskKind::GoOn).unwrap();
        assert_eq!(step, Step { question: None, answers: None });
    }

    #[test]
    fn questions_are_bounded() {
        assert!(matches!(place(&ctx(), &tree(), None, say_text(" \n", None)), Err(Error::Empty)));
        let long = "x".repeat(MAX_MESSAGE_BYTES + 1);
        assert!(matches!(place(&ctx(), &tree(), None, say_text(&long, None)), Err(Error::TooLong { .. })));
        let full: Vec<_> = (0..MAX_MESSAGES - 1)
            .map(|n| {
                let mut message = message(1, None, Author::User);
                message.id = MessageId(uuid::Uuid::from_u128(n as u128));
                message
            })
            .collect();
        let full = Tree::new(full);
        assert!(matches!(place(&ctx(), &full, None, say_text("hi", None)), Err(Error::Full { .. })));
    }
}
