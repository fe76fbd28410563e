//! Groups, what was used, and accounts as those see them who run the instance.

use std::collections::BTreeSet;

use domain::{
    Action, Actor, Denied, Job, Permit, Resource, authorize,
    bounds::{Bounds, Quota},
    id::{GroupId, SessionId},
};
use sqlx::Row;
use store::{
    Engine, Error, groups, people,
    sessions::{self, Beginning},
    usage::{self, Counted, Use, UsedUp},
};
use testkit::{Home, Person, both_engines};

use crate::{begin_conversation, entry, later, say};

fn may(person: &Person, action: Action) -> Permit {
    authorize(&person.ctx, action, Resource::Instance).expect("the role allows it")
}

fn bounds(messages: u64) -> Bounds {
    Bounds { messages: Quota { a_day: Some(messages), a_month: None }, ..Bounds::default() }
}

/// The same, said by groups of these names.
fn named(bounds: Bounds, names: &[&str]) -> Bounds {
    Bounds { groups: names.iter().map(|name| (*name).to_owned()).collect(), ..bounds }
}

both_engines!(groups_hold_people_and_the_strictest_word_counts, |home| {
    let (owner, ada) = (home.owner("Owner").await, home.person("Ada").await);
    let manages = may(&owner, Action::ManageGroups);
    let authenticate = home.instance(Job::Authentication, Action::Authenticate);
    let ids = [GroupId::fresh(&owner.ctx), GroupId::fresh(&owner.ctx)];
    let models =
        Bounds { models: Some(BTreeSet::from(["small".to_owned()])), temporary_only: true, ..bounds(9) };
    let mut tx = home.store.begin(&owner.ctx).await.unwrap();
    groups::create(&mut tx, &manages, ids[0], "Interns", &bounds(3)).await.unwrap();
    groups::create(&mut tx, &manages, ids[1], "Guests", &models).await.unwrap();
    groups::put_in(&mut tx, &manages, ids[0], ada.id).await.unwrap();
    groups::put_in(&mut tx, &manages, ids[0], ada.id).await.unwrap();
    groups::put_in(&mut tx, &manages, ids[1], ada.id).await.unwrap();
    tx.commit(entry()).await.unwrap();
    let mut tx = home.store.begin(&owner.ctx).await.unwrap();
    let taken = groups::create(&mut tx, &manages, GroupId::fresh(&owner.ctx), "INTERNS", &bounds(1)).await;
    assert!(matches!(taken, Err(Error::Conflict)), "{taken:?}");
    drop(tx);

    let held = groups::bounds_of(&home.store, &authenticate, ada.id).await.unwrap();
    assert_eq!(held, named(models.and(&bounds(3)), &["Guests", "Interns"]));
    assert_eq!(held.messages.a_day, Some(3));
    assert_eq!(groups::bounds_of(&home.store, &authenticate, owner.id).await.unwrap(), Bounds::default());
    let listed = groups::list(&home.store, &manages).await.unwrap();
    assert_eq!(
        listed.iter().map(|one| (one.name.as_str(), one.members)).collect::<Vec<_>>(),
        [("Guests", 1), ("Interns", 1)]
    );
    assert_eq!(groups::memberships(&home.store, &manages).await.unwrap()[&ada.id].len(), 2);

    let mut tx = home.store.begin(&owner.ctx).await.unwrap();
    groups::change(&mut tx, &manages, ids[0], "Trainees", &bounds(5)).await.unwrap();
    assert!(groups::take_out(&mut tx, &manages, ids[1], ada.id).await.unwrap());
    tx.commit(entry()).await.unwrap();
    assert_eq!(
        groups::bounds_of(&home.store, &authenticate, ada.id).await.unwrap(),
        named(bounds(5), &["Trainees"])
    );
    let mut tx = home.store.begin(&owner.ctx).await.unwrap();
    groups::delete(&mut tx, &manages, ids[0]).await.unwrap();
    tx.commit(entry()).await.unwrap();
    assert_eq!(groups::bounds_of(&home.store, &authenticate, ada.id).await.unwrap(), Bounds::default());
    let wrong = groups::list(&home.store, &ada.permit(Action::ReadAccount)).await;
    assert!(matches!(wrong, Err(Error::Denied(Denied { .. }))), "{wrong:?}");
});

both_engines!(a_quota_holds_however_many_take_at_once, |home| {
    let ada = home.person("Ada").await;
    let asks = ada.permit(Action::UseModel);
    let limit = Bounds { tokens: Quota { a_day: None, a_month: Some(100) }, ..bounds(5) };
    let one = Use { messages: 1, tokens: 10, voice_seconds: 0 };
    let take = async || {
        let mut tx = home.store.begin(&ada.ctx).await.unwrap();
        let taken = usage::take(&mut tx, &asks, &limit, one).await.unwrap();
        tx.commit(entry()).await.unwrap();
        taken.is_ok()
    };
    let all = tokio::join!(take(), take(), take(), take(), take(), take(), take());
    let taken = [all.0, all.1, all.2, all.3, all.4, all.5, all.6].into_iter().filter(|taken| *taken).count();
    assert_eq!(taken, 5);
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    let day = home.clockwork.now();
    usage::settle(&mut tx, &asks, day, one, Use { messages: 1, tokens: 95, voice_seconds: 0 }).await.unwrap();
    tx.commit(entry()).await.unwrap();
    let used = usage::used(&home.store, &ada.permit(Action::ReadAccount), day).await.unwrap();
    assert_eq!((used.today.messages, used.this_month.tokens), (5, 135));
    home.clockwork.advance(24 * 3600);
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    let next = usage::take(&mut tx, &asks, &limit, one).await.unwrap();
    assert!(matches!(next, Err(UsedUp { what: Counted::Tokens, .. })), "a new day, the same month: {next:?}");
    drop(tx);
    home.clockwork.advance(31 * 24 * 3600);
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    assert!(usage::take(&mut tx, &asks, &limit, one).await.unwrap().is_ok());
    tx.commit(entry()).await.unwrap();
});

both_engines!(a_closed_account_has_no_session_and_comes_back_without_one, |home| {
    let (owner, ada) = (home.owner("Owner").await, home.person("Ada").await);
    let manages = may(&owner, Action::ManagePeople);
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    let write = ada.permit(Action::WriteAccount);
    let now = home.clockwork.now();
    let begins = Beginning {
        id: SessionId::fresh(&ada.ctx),
        device: "",
        address: None,
        second_factor: true,
        now,
        expires: later(&home, 60),
    };
    sessions::create(&mut tx, &write, begins).await.unwrap();
    tx.commit(entry()).await.unwrap();
    let reads = may(&owner, Action::ReadPeople);
    let seen = people::get(&home.store, &reads, ada.id).await.unwrap();
    assert_eq!((seen.name.as_str(), seen.active, seen.sessions, seen.has_factor), ("Ada", true, 1, false));
    let mut tx = home.store.begin(&owner.ctx).await.unwrap();
    people::set_active(&mut tx, &manages, ada.id, false).await.unwrap();
    tx.commit(entry()).await.unwrap();
    let seen = people::get(&home.store, &reads, ada.id).await.unwrap();
    assert_eq!((seen.active, seen.sessions), (false, 0));
    let mut tx = home.store.begin(&owner.ctx).await.unwrap();
    people::set_active(&mut tx, &manages, ada.id, true).await.unwrap();
    tx.commit(entry()).await.unwrap();
    assert_eq!(people::list(&home.store, &reads, 10).await.unwrap().len(), 2);
});

both_engines!(a_deleted_person_is_in_no_table_and_has_no_key, |home| {
    let (ada, eve) = (home.person("Ada").await, home.person("Eve").await);
    for person in [&ada, &eve] {
        let conversation = begin_conversation(&home, person).await;
        say(&home, person, conversation, None, "a sentence about glaciers").await;
    }
    home.store.settle_index(&ada.ctx).await.unwrap();
    let own = ada.permit(Action::ManageCredentials);
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    assert!(people::remove(&mut tx, &own, eve.id).await.is_err(), "only one's own");
    people::remove(&mut tx, &own, ada.id).await.unwrap();
    tx.commit(entry()).await.unwrap();
    assert_eq!(mentions(&home, &ada).await, Vec::<String>::new());
    assert!(!mentions(&home, &eve).await.is_empty());
    let again = home.store.begin(&ada.ctx).await.unwrap();
    drop(again);
    let reads = home.instance(Job::Checks, Action::ReadInstance);
    let left = people::leftovers(&home.store, &reads, later(&home, 60)).await.unwrap();
    assert_eq!(left, people::Leftovers::default());
    let ctx = home.ctx(Actor::System(Job::Authentication));
    let read = authorize(&ctx, Action::ReadAccount, Resource::Of(ada.id)).unwrap();
    assert!(matches!(store::accounts::get(&home.store, &read).await, Err(Error::NotFound)));
});

/// The columns of text, over every table but the audit log, in which a person is named.
async fn mentions(home: &Home, person: &Person) -> Vec<String> {
    let mut raw = home.raw().await;
    let columns = match home.store.engine() {
        Engine::Sqlite => {
            "SELECT m.name AS t, p.name AS c FROM sqlite_master m, pragma_table_info(m.name) p \
             WHERE m.type = 'table' AND p.type = 'TEXT'"
        }
        Engine::Postgres => {
            "SELECT CAST(table_name AS TEXT) AS t, CAST(column_name AS TEXT) AS c FROM information_schema.columns \
             WHERE table_schema = 'public' AND data_type = 'text'"
        }
    };
    let columns = sqlx::query(columns).fetch_all(&mut raw).await.unwrap();
    assert!(columns.len() > 20, "the columns were not found");
    let mut found = Vec::new();
    for column in &columns {
        let (table, name): (String, String) = (column.get("t"), column.get("c"));
        if table == "audit" {
            continue;
        }
        let query = format!("SELECT COUNT(*) FROM {table} WHERE {name} LIKE '%' || $1 || '%'");
        let count = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(person.id.to_string())
            .fetch_one(&mut raw)
            .await
            .unwrap();
        if count.get::<i64, _>(0) > 0 {
            found.push(format!("{table}.{name}"));
        }
    }
    found
}
