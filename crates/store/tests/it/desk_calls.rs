//! How calls of the desk ended: kept, listed, sorted, cleared, each with a right of its own.

use domain::{
    Action, Ctx, Job, Permit, Resource,
    access::{Role, Roles},
    authorize,
    id::CallId,
    voice::{Category, Outcome, Way},
};
use store::{Error, desk_calls};
use testkit::both_engines;

use crate::entry;

fn on_instance(ctx: &Ctx, action: Action) -> Permit {
    authorize(ctx, action, Resource::Instance).unwrap()
}

both_engines!(how_a_call_ended_is_kept_without_anybody_in_it_and_goes_in_time, |home| {
    let sue = home.person_with("Sue", Roles::NONE.with(Role::Supervisor).with(Role::User)).await;
    let now = home.clockwork.now();
    let holds = home.instance(Job::Desk, Action::HoldDesk);
    let (sees, sorts) = (on_instance(&sue.ctx, Action::SeeCalls), on_instance(&sue.ctx, Action::WatchCalls));
    let mut calls = Vec::new();
    for (at, outcome) in (0..).zip(Outcome::ALL) {
        let call = desk_calls::EndedCall {
            id: CallId::fresh(&sue.ctx),
            began: now.plus_seconds(at),
            ended: now.plus_seconds(100 * at + 60),
            way: Way::ALL[usize::try_from(at % 2).unwrap()],
            outcome,
            category: None,
            held: at == 2,
        };
        let mut tx = home.store.begin(&sue.ctx).await.unwrap();
        assert!(matches!(desk_calls::keep(&mut tx, &sees, &call).await, Err(Error::Denied(_))));
        desk_calls::keep(&mut tx, &holds, &call).await.unwrap();
        tx.commit(entry()).await.unwrap();
        calls.insert(0, call);
    }
    assert_eq!(desk_calls::list(&home.store, &sees, 9).await.unwrap(), calls);
    assert_eq!(desk_calls::list(&home.store, &sees, 2).await.unwrap(), calls[..2]);
    assert!(matches!(desk_calls::list(&home.store, &holds, 9).await, Err(Error::Denied(_))));

    let mut tx = home.store.begin(&sue.ctx).await.unwrap();
    let nobodys = desk_calls::sort(&mut tx, &sorts, CallId::fresh(&sue.ctx), Category::Order).await;
    assert!(matches!(nobodys, Err(Error::NotFound)), "{nobodys:?}");
    assert!(matches!(
        desk_calls::sort(&mut tx, &sees, calls[0].id, Category::Order).await,
        Err(Error::Denied(_))
    ));
    desk_calls::sort(&mut tx, &sorts, calls[0].id, Category::Complaint).await.unwrap();
    tx.commit(entry()).await.unwrap();
    let first = desk_calls::list(&home.store, &sees, 1).await.unwrap()[0];
    assert_eq!((first.category, first.seconds()), (Some(Category::Complaint), 456));

    let upkeep = home.instance(Job::Upkeep, Action::WriteInstance);
    let looks = home.instance(Job::Checks, Action::ReadInstance);
    let before = now.plus_seconds(200);
    let looked = desk_calls::look(&home.store, &looks, before, now).await.unwrap();
    assert_eq!((looked.kept, looked.overdue, looked.watched), (5, 2, 0));
    let mut tx = home.store.begin(&sue.ctx).await.unwrap();
    assert!(matches!(desk_calls::clear(&mut tx, &sorts, before).await, Err(Error::Denied(_))));
    assert_eq!(desk_calls::clear(&mut tx, &upkeep, before).await.unwrap(), 2);
    tx.commit(entry()).await.unwrap();
    assert_eq!(desk_calls::list(&home.store, &sees, 9).await.unwrap().len(), 3);
});
