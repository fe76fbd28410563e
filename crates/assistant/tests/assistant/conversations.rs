//! Conversations, folders, search: done, undone, and never another person's.

use assistant::{Error, Format, MAX_FOLDERS, Place};
use domain::{
    Action,
    chat::Ending,
    id::{FolderId, MessageId},
    verifies,
};
use testkit::{Home, both_engines};

use crate::house::{again, ask, assistant, one_question, say, see};

both_engines!(a_conversation_is_named_pinned_filed_and_put_away, |home| {
    let person = home.person("ann").await;
    let ctx = &person.ctx;
    let assistant = assistant(&home);
    let (id, _) = one_question(&assistant, ctx, "a question").await;
    let folder = assistant.make_folder(ctx, "  Work\n things ").await.unwrap();
    assert_eq!(assistant.folders(ctx).await.unwrap()[0].name, "Work things");
    assistant.rename(ctx, id, "Another name").await.unwrap();
    assistant.pin(ctx, id, true).await.unwrap();
    assistant.file(ctx, id, Some(folder)).await.unwrap();
    let listed = assistant.list(ctx, false).await.unwrap();
    assert_eq!((listed[0].title.as_str(), listed[0].pinned), ("Another name", true));
    assert_eq!(listed[0].folder, Some(folder));
    assistant.archive(ctx, id, true).await.unwrap();
    assert!(assistant.list(ctx, false).await.unwrap().is_empty());
    assert_eq!(assistant.list(ctx, true).await.unwrap().len(), 1);
    assistant.rename_folder(ctx, folder, "Play").await.unwrap();
    assistant.delete_folder(ctx, folder).await.unwrap();
    assert_eq!(assistant.open(ctx, id).await.unwrap().conversation.folder, None);
    let nowhere = assistant.file(ctx, id, Some(FolderId::fresh(ctx))).await;
    assert!(matches!(nowhere, Err(Error::NotFound)));
    assert!(matches!(assistant.rename(ctx, id, " \n").await, Err(Error::Empty)));
    assert!(matches!(assistant.rename(ctx, id, &"x".repeat(121)).await, Err(Error::TooLong { .. })));
});

both_engines!(what_was_not_sent_yet_is_there_again_for_a_day, |home| {
    let _proof = verifies!(SES06);
    let ann = home.person("ann").await;
    let assistant = assistant(&home);
    let kept = assistant.begin(&ann.ctx).await.unwrap();
    for place in [None, Some(kept)] {
        assistant.keep_draft(&ann.ctx, place, "zanzibarquagga, half of it").await.unwrap();
        assert_eq!(assistant.draft(&ann.ctx, place).await.unwrap().unwrap(), "zanzibarquagga, half of it");
    }
    assert!(!home.keeps("zanzibarquagga").await, "it is sealed");
    assistant.drop_draft(&ann.ctx, None).await.unwrap();
    assert_eq!(assistant.draft(&ann.ctx, None).await.unwrap(), None, "it was sent");
    home.clockwork.advance(24 * 3600 + 1);
    assert_eq!(assistant.draft(&ann.ctx, Some(kept)).await.unwrap(), None);
});

both_engines!(what_was_said_is_found_while_one_types, |home| {
    let person = home.person("ann").await;
    let assistant = assistant(&home);
    let (id, seen) = one_question(&assistant, &person.ctx, "Tell me about Herons in winter").await;
    for query in ["heron", "winter her", "HERONS"] {
        let hits = assistant.search(&person.ctx, query).await.unwrap();
        assert!(hits.iter().any(|hit| Some(hit.message) == seen.question), "{query}");
        assert!(hits.iter().all(|hit| hit.conversation.id == id));
    }
    assert!(assistant.search(&person.ctx, "  ").await.unwrap().is_empty());
    assert!(assistant.search(&person.ctx, &"é".repeat(5_000)).await.unwrap().is_empty());
    assistant.delete(&person.ctx, id).await.unwrap();
    assert!(assistant.search(&person.ctx, "heron").await.unwrap().is_empty());
});

both_engines!(a_message_goes_with_everything_below_it, |home| {
    let person = home.person("ann").await;
    let ctx = &person.ctx;
    let assistant = assistant(&home);
    let (id, first) = one_question(&assistant, ctx, "one").await;
    let second = ask(&assistant, ctx, say(Place::Kept(id), "two")).await;
    let other = ask(&assistant, ctx, again(Place::Kept(id), first.answer)).await;
    assistant.choose_branch(ctx, id, first.answer).await.unwrap();

    assert_eq!(assistant.delete_message(ctx, id, first.answer).await.unwrap(), 3);
    let kept = assistant.open(ctx, id).await.unwrap();
    assert_eq!(kept.tree.messages().len(), 2);
    assert!(kept.tree.get(second.answer).is_none());
    assert_eq!(kept.conversation.head, Some(other.answer), "the branch beside it is shown");

    assert_eq!(assistant.delete_message(ctx, id, first.question.unwrap()).await.unwrap(), 2);
    let kept = assistant.open(ctx, id).await.unwrap();
    assert!(kept.tree.messages().is_empty() && kept.conversation.head.is_none());
    let gone = assistant.delete_message(ctx, id, first.answer).await;
    assert!(matches!(gone, Err(Error::NotFound)));
});

both_engines!(deleting_stops_the_turn_that_runs_there, |home| {
    let person = home.person("ann").await;
    let ctx = &person.ctx;
    let assistant = assistant(&home);
    let id = assistant.begin(ctx).await.unwrap();
    let turn = assistant.respond(ctx, say(Place::Kept(id), "slow")).await.unwrap().turn;
    let watching = tokio::join!(see(&assistant, ctx, turn), assistant.delete(ctx, id));
    assert_eq!(watching.0.ending, Ending::Stopped);
    watching.1.unwrap();
    assert!(matches!(assistant.open(ctx, id).await, Err(Error::NotFound)));
    assert!(matches!(assistant.watch(ctx, turn, 0).map(drop), Err(Error::NotFound)));

    let id = assistant.begin(ctx).await.unwrap();
    assistant.respond(ctx, say(Place::Kept(id), "hang")).await.unwrap();
    let temporary = assistant.begin_temporary(ctx).unwrap();
    let other = assistant.respond(ctx, say(Place::Temporary(temporary), "hang")).await.unwrap().turn;
    assert_eq!(assistant.delete_all(ctx).await.unwrap(), 1);
    assert!(assistant.list(ctx, false).await.unwrap().is_empty());
    assert!(assistant.watch(ctx, other, 0).is_ok(), "a temporary chat is not among them");
    assistant.end_temporary(ctx, temporary).unwrap();
});

/// Every function that takes an identifier, with somebody else's.
#[test]
fn what_is_another_persons_is_not_found() {
    testkit::run(async {
        let home = Home::sqlite().await;
        // The owner of the instance has no more right to her conversations than anybody.
        let (ann, bob) = (home.person("ann").await, home.owner("bob").await);
        let assistant = assistant(&home);
        let (id, seen) = one_question(&assistant, &ann.ctx, "mine alone").await;
        let folder = assistant.make_folder(&ann.ctx, "Mine").await.unwrap();
        let own = assistant.begin(&bob.ctx).await.unwrap();
        let temporary = assistant.begin_temporary(&ann.ctx).unwrap();
        let ctx = &bob.ctx;
        macro_rules! not_found {
            ($($call:expr),* $(,)?) => {$(
                assert!(matches!($call, Err(Error::NotFound)), stringify!($call));
            )*};
        }
        not_found!(
            assistant.open(ctx, id).await,
            assistant.rename(ctx, id, "his").await,
            assistant.pin(ctx, id, true).await,
            assistant.archive(ctx, id, true).await,
            assistant.file(ctx, id, None).await,
            assistant.file(ctx, own, Some(folder)).await,
            assistant.delete(ctx, id).await,
            assistant.delete_message(ctx, id, seen.answer).await,
            assistant.delete_message(ctx, own, seen.answer).await,
            assistant.choose_branch(ctx, id, seen.answer).await,
            assistant.choose_branch(ctx, own, seen.answer).await,
            assistant.rename_folder(ctx, folder, "his").await,
            assistant.delete_folder(ctx, folder).await,
            assistant.export(ctx, Some(id), Format::Json).await.map(drop),
            assistant.respond(ctx, say(Place::Kept(id), "hello")).await,
            assistant.respond(ctx, again(Place::Kept(id), seen.answer)).await,
            assistant.respond(ctx, again(Place::Kept(own), seen.answer)).await,
            assistant.open_temporary(ctx, temporary),
            assistant.end_temporary(ctx, temporary),
            assistant.respond(ctx, say(Place::Temporary(temporary), "hello")).await,
            assistant.choose_branch(ctx, temporary, MessageId::fresh(ctx)).await,
        );
        assert!(assistant.search(ctx, "mine").await.unwrap().is_empty());
        assert!(assistant.folders(ctx).await.unwrap().is_empty());
        assert_eq!(assistant.list(ctx, false).await.unwrap().len(), 1);
        let kept = assistant.open(&ann.ctx, id).await.unwrap();
        assert_eq!((kept.conversation.title.as_str(), kept.tree.messages().len()), ("mine alone", 2));
    });
}

#[test]
fn a_key_of_the_api_opens_no_conversation() {
    testkit::run(async {
        let home = Home::sqlite().await;
        let ann = home.person("ann").await;
        let assistant = assistant(&home);
        let (id, _) = one_question(&assistant, &ann.ctx, "mine").await;
        let key = domain::id::ApiKeyId::fresh(&ann.ctx);
        let program = home.ctx(domain::Actor::ApiKey {
            user: ann.id,
            key,
            scopes: domain::access::Role::User.rights(),
        });
        assert!(matches!(assistant.open(&program, id).await, Err(Error::Denied(_))));
        assert!(matches!(assistant.list(&program, false).await, Err(Error::Denied(_))));
        assert!(matches!(assistant.delete_all(&program).await, Err(Error::Denied(_))));
        assert!(matches!(assistant.begin_temporary(&program), Err(Error::Denied(_))));
    });
}

#[test]
fn folders_are_bounded() {
    testkit::run(async {
        let home = Home::sqlite().await;
        let ann = home.person("ann").await;
        let assistant = assistant(&home);
        let mut tx = home.store.begin(&ann.ctx).await.unwrap();
        for n in 0..MAX_FOLDERS {
            let permit = ann.permit(Action::WriteChat);
            store::folders::create(&mut tx, &permit, FolderId::fresh(&ann.ctx), &n.to_string())
                .await
                .unwrap();
        }
        tx.commit_unaudited("a test fills the list").await.unwrap();
        assert!(matches!(assistant.make_folder(&ann.ctx, "more").await, Err(Error::Full { .. })));
    });
}
