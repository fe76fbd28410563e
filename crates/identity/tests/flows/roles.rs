//! Giving and taking roles: who may, to whom, and what holds afterwards.

use domain::{
    Action, Actor, Resource,
    access::{Rights, Role, Roles},
    authorize, verifies,
};
use identity::{Error, Granted, Unfit};
use testkit::{Home, Person, both_engines};

use crate::scene::{ctx_of, open, set_up, upkeep};

const OFFICER: Granted = Granted::BuiltIn(Role::SecurityOfficer);
const OWNER: Granted = Granted::BuiltIn(Role::Owner);
const DAY: i64 = 24 * 3600;

fn unfit<T: std::fmt::Debug>(result: Result<T, Error>) -> Unfit {
    match result {
        Err(Error::Unfit(unfit)) => unfit,
        other => panic!("a rule was to stand against it: {other:?}"),
    }
}

/// What `person` holds as the store has it.
async fn held(identity: &identity::Identity, by: &Person, person: &Person) -> Vec<Granted> {
    let held = identity.held_roles(&by.ctx).await.unwrap();
    let holder = held.holders.into_iter().find(|holder| holder.user == person.id).unwrap();
    holder.grants.into_iter().map(|grant| grant.what).collect()
}

async fn holding(home: &Home, name: &str, roles: &[Role]) -> Person {
    home.person_with(name, roles.iter().copied().collect()).await
}

both_engines!(a_role_is_given_for_a_time_and_says_by_whom, |home| {
    let identity = open(&home);
    let (ann, bob) = (home.owner("Ann").await, home.person("Bob").await);
    let ends = ann.ctx.now().plus_seconds(DAY);
    identity.grant_role(&ann.ctx, bob.id, OFFICER, Some(ends)).await.unwrap();
    let all = identity.held_roles(&ann.ctx).await.unwrap();
    let grants = &all.holders.iter().find(|holder| holder.user == bob.id).unwrap().grants;
    let grant = grants.iter().find(|grant| grant.what == OFFICER).unwrap();
    assert_eq!((grant.by.as_str(), grant.ends), (format!("person:{}", ann.id).as_str(), Some(ends)));
    assert_eq!(grants.iter().find(|g| g.what != OFFICER).unwrap().by, "system:setup");

    // It is swept when its time has come, and says so.
    home.clockwork.advance(DAY + 1);
    identity.keep_access(&upkeep(&home)).await.unwrap();
    assert_eq!(held(&identity, &ann, &bob).await, [Granted::BuiltIn(Role::User)]);
    let permit = home.instance(domain::Job::Checks, Action::ReadInstance);
    let records = store::audit::list(&home.store, &permit, 0, 1000).await.unwrap();
    assert!(
        records.iter().any(|r| r.act == "grant-lapsed" && r.target == format!("{}/security_officer", bob.id))
    );
});

both_engines!(nobody_gives_what_they_do_not_hold_nor_to_themselves, |home| {
    let _proof = verifies!(ACC04);
    let identity = open(&home);
    let (ann, bob, eve) = (
        home.owner("Ann").await,
        home.person("Bob").await,
        holding(&home, "Eve", &[Role::Administrator]).await,
    );
    assert_eq!(unfit(identity.grant_role(&ann.ctx, ann.id, OFFICER, None).await), Unfit::OwnRoles);
    assert_eq!(unfit(identity.take_role(&ann.ctx, ann.id, OWNER).await), Unfit::OwnRoles);
    // An administrator may not give roles at all.
    assert!(matches!(identity.grant_role(&eve.ctx, bob.id, OFFICER, None).await, Err(Error::Denied(_))));
    assert!(matches!(identity.grant_role(&bob.ctx, eve.id, OFFICER, None).await, Err(Error::Denied(_))));
    assert!(matches!(identity.held_roles(&bob.ctx).await, Err(Error::Denied(_))));
    // One with a role of the organisation's own that lets them give roles gives only what they hold.
    let giver = Rights::NONE.with(Action::GrantRoles).with(Action::ReadPeople);
    let role = identity.save_custom_role(&ann.ctx, None, (" Giver of roles ", ""), giver).await.unwrap();
    identity.grant_role(&ann.ctx, bob.id, Granted::Custom(role), None).await.unwrap();
    let giving = {
        let mut ctx = bob.ctx.clone();
        if let Actor::Person { standing, .. } = &mut ctx.actor {
            standing.extra = giver;
        }
        ctx
    };
    assert_eq!(unfit(identity.grant_role(&giving, eve.id, OFFICER, None).await), Unfit::NotHeld);
    assert_eq!(unfit(identity.grant_role(&giving, eve.id, OWNER, None).await), Unfit::NotHeld);
    assert_eq!(unfit(identity.take_role(&giving, ann.id, OWNER).await), Unfit::NotHeld);
    assert_eq!(
        unfit(identity.take_role(&giving, eve.id, Granted::BuiltIn(Role::Administrator)).await),
        Unfit::NotHeld
    );
    identity.grant_role(&giving, eve.id, Granted::Custom(role), None).await.unwrap();
    // Nor may they make a role that is more than theirs, or widen the one they hold.
    let more = giver.with(Action::ManageEdge);
    assert_eq!(unfit(identity.save_custom_role(&giving, None, ("More", ""), more).await), Unfit::NotHeld);
    assert_eq!(
        unfit(identity.save_custom_role(&giving, Some(role), ("Same", ""), giver).await),
        Unfit::OwnRoles
    );
    assert_eq!(unfit(identity.delete_custom_role(&giving, role).await), Unfit::OwnRoles);
});

both_engines!(the_last_owner_stays, |home| {
    let _proof = verifies!(ACC04);
    let identity = open(&home);
    let (ann, bob) = (home.owner("Ann").await, home.owner("Bob").await);
    let tomorrow = ann.ctx.now().plus_seconds(DAY);
    // Bob becomes an owner for a day; then Ann is the only one for good.
    identity.grant_role(&ann.ctx, bob.id, OWNER, Some(tomorrow)).await.unwrap();
    assert_eq!(unfit(identity.take_role(&bob.ctx, ann.id, OWNER).await), Unfit::LastOwner);
    assert_eq!(unfit(identity.grant_role(&bob.ctx, ann.id, OWNER, Some(tomorrow)).await), Unfit::LastOwner);
    identity.grant_role(&ann.ctx, bob.id, OWNER, None).await.unwrap();
    identity.take_role(&bob.ctx, ann.id, OWNER).await.unwrap();
    assert!(matches!(identity.take_role(&bob.ctx, ann.id, OWNER).await, Err(Error::NotFound)));
});

both_engines!(a_role_of_ones_own_holds_from_the_next_request_on, |home| {
    let owned = set_up(&home).await;
    let (identity, ann) = (&owned.identity, owned.done.session.user);
    let bob = home.owner("Bob").await;
    let rights = Rights::NONE.with(Action::RequestContent);
    let role = identity.save_custom_role(&bob.ctx, None, ("Asks", ""), rights).await.unwrap();
    let may = async || {
        let ctx = ctx_of(identity, &home, &owned.done.session).await;
        authorize(&ctx, Action::RequestContent, Resource::Instance).is_ok()
    };
    assert!(!may().await);
    let ends = bob.ctx.now().plus_seconds(60);
    identity.grant_role(&bob.ctx, ann, Granted::Custom(role), Some(ends)).await.unwrap();
    assert!(may().await);
    // Past its end it gives nothing, though nobody has swept it.
    home.clockwork.advance(61);
    assert!(!may().await);
    identity.grant_role(&bob.ctx, ann, Granted::Custom(role), None).await.unwrap();
    assert!(may().await);
    identity.delete_custom_role(&bob.ctx, role).await.unwrap();
    assert!(!may().await);
    // So it is with a built-in role.
    identity.grant_role(&bob.ctx, ann, OWNER, Some(bob.ctx.now().plus_seconds(60))).await.unwrap();
    home.clockwork.advance(61);
    let Actor::Person { standing, .. } = ctx_of(identity, &home, &owned.done.session).await.actor else {
        panic!()
    };
    assert_eq!(standing.roles, Roles::NONE.with(Role::User));
});

both_engines!(administrative_use_is_noted_once_an_hour, |home| {
    let owned = set_up(&home).await;
    let identity = &owned.identity;
    let ctx = owned.ctx(&home).await.behind(identity.gate());
    let used = async || {
        let held = identity.held_roles(&home_owner(&home, &ctx)).await.unwrap();
        held.holders[0].grants.iter().find(|grant| grant.what == OWNER).unwrap().last_used
    };
    identity.account(&ctx).await.unwrap();
    identity.keep_access(&upkeep(&home)).await.unwrap();
    assert_eq!(used().await, None, "looking after oneself is no administration");
    identity.held_roles(&ctx).await.unwrap();
    identity.keep_access(&upkeep(&home)).await.unwrap();
    let first = used().await.unwrap();
    identity.held_roles(&ctx).await.unwrap();
    identity.keep_access(&upkeep(&home)).await.unwrap();
    assert_eq!(used().await, Some(first));
    home.clockwork.advance(3601);
    identity.held_roles(&ctx).await.unwrap();
    identity.keep_access(&upkeep(&home)).await.unwrap();
    assert!(used().await.unwrap() > first);
});

/// The same person without the gate, so that looking does not count.
fn home_owner(home: &Home, ctx: &domain::Ctx) -> domain::Ctx {
    home.ctx(ctx.actor.clone())
}

both_engines!(roles_that_make_no_sense_are_refused, |home| {
    let identity = open(&home);
    let (ann, bob) = (home.owner("Ann").await, home.person("Bob").await);
    let some = Rights::NONE.with(Action::ReadPeople);
    for name in ["", "  ", "a\nb", &"x".repeat(61)] {
        assert_eq!(unfit(identity.save_custom_role(&ann.ctx, None, (name, ""), some).await), Unfit::Role);
    }
    for rights in [Rights::NONE, some.with(Action::ReadChat), Rights::NONE.with(Action::Authenticate)] {
        assert_eq!(unfit(identity.save_custom_role(&ann.ctx, None, ("Odd", ""), rights).await), Unfit::Role);
    }
    let past = ann.ctx.now();
    assert_eq!(unfit(identity.grant_role(&ann.ctx, bob.id, OFFICER, Some(past)).await), Unfit::Past);
    let nobody = domain::id::UserId::fresh(&ann.ctx);
    assert!(matches!(identity.grant_role(&ann.ctx, nobody, OFFICER, None).await, Err(Error::NotFound)));
    let no_role = Granted::Custom(domain::id::CustomRoleId::fresh(&ann.ctx));
    assert!(matches!(identity.grant_role(&ann.ctx, bob.id, no_role, None).await, Err(Error::NotFound)));
});
