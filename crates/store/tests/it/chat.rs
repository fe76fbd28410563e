//! Conversations, messages and folders: the tree, the borders between people, and deletion.

use domain::{
    Action, Timestamp,
    chat::{Author, Body, Ending},
    id::{ConversationId, FolderId, MessageId},
    model::Usage,
    verifies,
};
use store::{Error, conversations, folders, messages, search};
use testkit::{Home, both_engines};

use crate::{begin_conversation, entry, later, message, say};

both_engines!(a_conversation_is_a_tree, |home| {
    let _proof = verifies!(CRY01);
    let ada = home.person("Ada").await;
    let (read, write) = (ada.permit(Action::ReadChat), ada.permit(Action::WriteChat));
    let conversation = begin_conversation(&home, &ada).await;
    assert!(messages::tree(&home.store, &read, conversation).await.unwrap().messages().is_empty());
    let root = say(&home, &ada, conversation, None, "hello").await;
    let mut answer = message(&ada, Some(root), "good day");
    answer.author = Author::Assistant;
    answer.body = Body {
        text: "good day".into(),
        ending: Ending::Stopped,
        model: Some("scripted".into()),
        place: Some("on this machine".into()),
        usage: Some(Usage { prompt_tokens: 3, completion_tokens: 2 }),
    };
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    messages::append(&mut tx, &write, conversation, &answer).await.unwrap();
    tx.commit(entry()).await.unwrap();
    let branch = say(&home, &ada, conversation, Some(root), "other words").await;

    let home = home.reopen().await;
    let tree = messages::tree(&home.store, &read, conversation).await.unwrap();
    assert_eq!(tree.messages().iter().map(|m| m.id).collect::<Vec<_>>(), [root, answer.id, branch]);
    assert_eq!(tree.get(answer.id), Some(&answer));
    assert_eq!(messages::get(&home.store, &read, conversation, answer.id).await.unwrap(), answer);
    let kept = conversations::get(&home.store, &read, conversation).await.unwrap();
    assert_eq!(kept.head, Some(branch));

    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    conversations::set_head(&mut tx, &write, conversation, answer.id, later(&home, 60)).await.unwrap();
    let nowhere =
        conversations::set_head(&mut tx, &write, conversation, MessageId::fresh(&ada.ctx), later(&home, 60));
    assert!(matches!(nowhere.await, Err(Error::NotFound)));
    tx.commit(entry()).await.unwrap();
    assert_eq!(conversations::get(&home.store, &read, conversation).await.unwrap().head, Some(answer.id));
});

both_engines!(a_message_has_one_place, |home| {
    let ada = home.person("Ada").await;
    let write = ada.permit(Action::WriteChat);
    let (one, other) = (begin_conversation(&home, &ada).await, begin_conversation(&home, &ada).await);
    let root = say(&home, &ada, one, None, "hello").await;
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    let elsewhere = messages::append(&mut tx, &write, other, &message(&ada, Some(root), "stray")).await;
    assert!(matches!(elsewhere, Err(Error::NotFound)), "a parent in another conversation");
    let mut again = message(&ada, None, "twice");
    again.id = root;
    let twice = messages::append(&mut tx, &write, one, &again).await;
    assert!(matches!(twice, Err(Error::Conflict)), "{twice:?}");
    drop(tx);
    let tree = messages::tree(&home.store, &ada.permit(Action::ReadChat), one).await.unwrap();
    assert_eq!(tree.messages().len(), 1);
});

both_engines!(messages_appended_together_are_a_tree_with_its_parents_first, |home| {
    let ada = home.person("Ada").await;
    let write = ada.permit(Action::WriteChat);
    let one = begin_conversation(&home, &ada).await;
    let root = say(&home, &ada, one, None, "hello").await;
    let first = message(&ada, Some(root), "first");
    let second = message(&ada, Some(first.id), "second");
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    let turned = [second.clone(), first.clone()];
    assert!(matches!(messages::append_all(&mut tx, &write, one, &turned).await, Err(Error::NotFound)));
    drop(tx);
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    messages::append_all(&mut tx, &write, one, &[]).await.unwrap();
    messages::append_all(&mut tx, &write, one, &[first, second.clone()]).await.unwrap();
    tx.commit(entry()).await.unwrap();
    let read = ada.permit(Action::ReadChat);
    assert_eq!(messages::tree(&home.store, &read, one).await.unwrap().messages().len(), 3);
    assert_eq!(conversations::get(&home.store, &read, one).await.unwrap().head, Some(second.id));
});

both_engines!(lists_are_in_order_and_paged, |home| {
    let ada = home.person("Ada").await;
    let (read, write) = (ada.permit(Action::ReadChat), ada.permit(Action::WriteChat));
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(begin_conversation(&home, &ada).await);
    }
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    conversations::rename(&mut tx, &write, ids[4], "the fifth").await.unwrap();
    conversations::set_pinned(&mut tx, &write, ids[0], true).await.unwrap();
    conversations::set_archived(&mut tx, &write, ids[1], true).await.unwrap();
    tx.commit(entry()).await.unwrap();
    let page = conversations::list(&home.store, &read, false, 3, None).await.unwrap();
    assert_eq!(page.iter().map(|c| c.id).collect::<Vec<_>>(), [ids[4], ids[3], ids[2]]);
    assert_eq!(page[0].title, "the fifth");
    let rest = conversations::list(&home.store, &read, false, 3, Some(page[2].updated)).await.unwrap();
    assert_eq!(rest.iter().map(|c| c.id).collect::<Vec<_>>(), [ids[0]]);
    assert!(rest[0].pinned);
    let away = conversations::list(&home.store, &read, true, 3, None).await.unwrap();
    assert_eq!(away.iter().map(|c| (c.id, c.archived)).collect::<Vec<_>>(), [(ids[1], true)]);
    assert_eq!(conversations::count(&home.store, &read).await.unwrap(), 5);
});

both_engines!(folders_hold_conversations_and_let_them_fall_out, |home| {
    let (ada, eve) = (home.person("Ada").await, home.person("Eve").await);
    let (read, write) = (ada.permit(Action::ReadChat), ada.permit(Action::WriteChat));
    let conversation = begin_conversation(&home, &ada).await;
    let (work, home_folder, hers) =
        (FolderId::fresh(&ada.ctx), FolderId::fresh(&ada.ctx), FolderId::fresh(&eve.ctx));
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    folders::create(&mut tx, &write, work, "work").await.unwrap();
    folders::create(&mut tx, &write, home_folder, "Home").await.unwrap();
    folders::create(&mut tx, &eve.permit(Action::WriteChat), hers, "hers").await.unwrap();
    conversations::set_folder(&mut tx, &write, conversation, Some(work)).await.unwrap();
    let stolen = conversations::set_folder(&mut tx, &write, conversation, Some(hers)).await;
    assert!(matches!(stolen, Err(Error::NotFound)), "{stolen:?}");
    let renamed = folders::rename(&mut tx, &write, hers, "mine").await;
    assert!(matches!(renamed, Err(Error::NotFound)));
    assert!(matches!(folders::delete(&mut tx, &write, hers).await, Err(Error::NotFound)));
    folders::rename(&mut tx, &write, work, "Labour").await.unwrap();
    tx.commit(entry()).await.unwrap();
    let names: Vec<_> =
        folders::list(&home.store, &read).await.unwrap().into_iter().map(|f| f.name).collect();
    assert_eq!(names, ["Home", "Labour"]);
    assert_eq!(conversations::get(&home.store, &read, conversation).await.unwrap().folder, Some(work));
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    folders::delete(&mut tx, &write, work).await.unwrap();
    tx.commit(entry()).await.unwrap();
    assert_eq!(conversations::get(&home.store, &read, conversation).await.unwrap().folder, None);
});

both_engines!(another_person_finds_nothing_there, |home| {
    let (ada, eve) = (home.owner("Ada").await, home.owner("Eve").await);
    let conversation = begin_conversation(&home, &ada).await;
    let said = say(&home, &ada, conversation, None, "between us").await;
    let (read, write) = (eve.permit(Action::ReadChat), eve.permit(Action::WriteChat));
    assert!(matches!(conversations::get(&home.store, &read, conversation).await, Err(Error::NotFound)));
    assert!(matches!(messages::tree(&home.store, &read, conversation).await, Err(Error::NotFound)));
    assert!(matches!(messages::get(&home.store, &read, conversation, said).await, Err(Error::NotFound)));
    assert!(conversations::list(&home.store, &read, false, 9, None).await.unwrap().is_empty());
    assert!(search::find(&home.store, &read, "between", 9).await.unwrap().is_empty());
    let mut tx = home.store.begin(&eve.ctx).await.unwrap();
    let now = Timestamp(0);
    for refused in [
        messages::append(&mut tx, &write, conversation, &message(&eve, Some(said), "and me")).await,
        messages::delete(&mut tx, &write, conversation, &[said]).await.map(drop),
        conversations::rename(&mut tx, &write, conversation, "mine").await,
        conversations::set_pinned(&mut tx, &write, conversation, true).await,
        conversations::set_archived(&mut tx, &write, conversation, true).await,
        conversations::set_folder(&mut tx, &write, conversation, None).await,
        conversations::set_head(&mut tx, &write, conversation, said, now).await,
        conversations::delete(&mut tx, &write, conversation).await.map(drop),
    ] {
        assert!(matches!(refused, Err(Error::NotFound)), "{refused:?}");
    }
    assert_eq!(conversations::delete_all(&mut tx, &write).await.unwrap(), 0);
    tx.commit(entry()).await.unwrap();
    let tree = messages::tree(&home.store, &ada.permit(Action::ReadChat), conversation).await.unwrap();
    assert_eq!(tree.messages().len(), 1);
    // A permit to read does not write, and one for the account does not open the chat.
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    let reader = conversations::rename(&mut tx, &ada.permit(Action::ReadChat), conversation, "x").await;
    assert!(matches!(reader, Err(Error::Denied(_))));
    let account = conversations::get(&home.store, &ada.permit(Action::ReadAccount), conversation).await;
    assert!(matches!(account, Err(Error::Denied(_))));
});

both_engines!(what_is_deleted_is_gone_with_its_index, |home| {
    let _proof = verifies!(DAT02);
    let ada = home.person("Ada").await;
    let (read, write) = (ada.permit(Action::ReadChat), ada.permit(Action::WriteChat));
    let kept = begin_conversation(&home, &ada).await;
    let root = say(&home, &ada, kept, None, "apricot").await;
    let below = say(&home, &ada, kept, Some(root), "banana").await;
    let leaf = say(&home, &ada, kept, Some(below), "cherry").await;
    // Some of the index is sorted, some is not; both must go.
    home.store.settle_index(&ada.ctx).await.unwrap();
    let sibling = say(&home, &ada, kept, Some(root), "damson").await;
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    conversations::set_head(&mut tx, &write, kept, leaf, later(&home, 1)).await.unwrap();
    let strange = messages::delete(&mut tx, &write, kept, &[MessageId::fresh(&ada.ctx)]).await;
    assert!(matches!(strange, Err(Error::NotFound)));
    assert_eq!(
        messages::delete(&mut tx, &write, kept, &[below]).await.unwrap(),
        2,
        "what follows it goes too"
    );
    tx.commit(entry()).await.unwrap();
    let tree = messages::tree(&home.store, &read, kept).await.unwrap();
    assert_eq!(tree.messages().iter().map(|m| m.id).collect::<Vec<_>>(), [root, sibling]);
    assert_eq!(conversations::get(&home.store, &read, kept).await.unwrap().head, Some(root));
    assert_eq!(found(&home, &ada, "cherry").await, 0);
    assert_eq!(found(&home, &ada, "apricot").await, 1);

    let gone = begin_conversation(&home, &ada).await;
    say(&home, &ada, gone, None, "elderberry").await;
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    assert_eq!(conversations::delete(&mut tx, &write, gone).await.unwrap(), 1);
    let again = conversations::delete(&mut tx, &write, gone).await;
    assert!(matches!(again, Err(Error::NotFound)));
    tx.commit(entry()).await.unwrap();
    assert!(matches!(messages::tree(&home.store, &read, gone).await, Err(Error::NotFound)));

    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    assert_eq!(conversations::delete_all(&mut tx, &write).await.unwrap(), 1);
    tx.commit(entry()).await.unwrap();
    assert_eq!(home.spoil("UPDATE search_terms SET term = term").await, 0, "no term is left");
    assert_eq!(
        home.spoil("UPDATE search_pending SET moved = moved").await,
        0,
        "nor one that waits to be sorted"
    );
    assert_eq!(home.spoil("UPDATE messages SET at = at").await, 0, "no message is left");
});

async fn found(home: &Home, person: &testkit::Person, query: &str) -> usize {
    search::find(&home.store, &person.permit(Action::ReadChat), query, 9).await.unwrap().len()
}

both_engines!(a_dropped_transaction_never_happened, |home| {
    let ada = home.person("Ada").await;
    let id = ConversationId::fresh(&ada.ctx);
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    conversations::create(&mut tx, &ada.permit(Action::WriteChat), id, home.clockwork.now()).await.unwrap();
    drop(tx);
    let missing = conversations::get(&home.store, &ada.permit(Action::ReadChat), id).await;
    assert!(matches!(missing, Err(Error::NotFound)));
    begin_conversation(&home, &ada).await;
    assert!(home.store.verify_chain().await.unwrap().broken.is_none());
});
