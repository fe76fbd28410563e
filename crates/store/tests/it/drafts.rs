//! Drafts: kept for their person alone, gone with what they belong to.

use domain::{Action, Job};
use store::{Error, conversations, drafts};
use testkit::both_engines;

use crate::{begin_conversation, entry};

both_engines!(a_draft_is_its_persons_and_goes_with_its_conversation, |home| {
    let (ada, eve) = (home.person("Ada").await, home.person("Eve").await);
    let (write, read) = (ada.permit(Action::WriteChat), ada.permit(Action::ReadChat));
    let conversation = begin_conversation(&home, &ada).await;
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    let now = home.clockwork.now();
    drafts::keep(&mut tx, &write, None, "to nobody yet", now).await.unwrap();
    drafts::keep(&mut tx, &write, Some(conversation), "half", now).await.unwrap();
    drafts::keep(&mut tx, &write, Some(conversation), "half a message", now).await.unwrap();
    let theirs = eve.permit(Action::WriteChat);
    let astray = drafts::keep(&mut tx, &theirs, Some(conversation), "mine?", now).await;
    assert!(matches!(astray, Err(Error::NotFound)), "{astray:?}");
    assert!(!drafts::drop(&mut tx, &theirs, Some(conversation)).await.unwrap());
    tx.commit(entry()).await.unwrap();
    let draft = async |at| drafts::get(&home.store, &read, at, now).await.unwrap();
    assert_eq!(draft(Some(conversation)).await.as_deref(), Some("half a message"));
    assert_eq!(draft(None).await.as_deref(), Some("to nobody yet"));
    let eves = eve.permit(Action::ReadChat);
    assert_eq!(drafts::get(&home.store, &eves, None, now).await.unwrap(), None);
    let older = drafts::get(&home.store, &read, None, now.plus_seconds(1)).await.unwrap();
    assert_eq!(older, None, "too old, though nobody has cleared it away");

    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    conversations::delete(&mut tx, &write, conversation).await.unwrap();
    tx.commit(entry()).await.unwrap();
    assert_eq!(draft(Some(conversation)).await, None);
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    let upkeep = home.instance(Job::Upkeep, Action::WriteInstance);
    assert_eq!(drafts::drop_before(&mut tx, &upkeep, now).await.unwrap(), 0);
    assert_eq!(drafts::drop_before(&mut tx, &upkeep, now.plus_seconds(1)).await.unwrap(), 1);
    tx.commit(entry()).await.unwrap();
    assert_eq!(draft(None).await, None);
});
