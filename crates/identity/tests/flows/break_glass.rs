//! Reading somebody's chats as staff: the one way, and everything that is none.

use domain::{
    Action, Actor, Ctx, Resource,
    access::{Role, Roles},
    audit::{Act, Entry},
    authorize,
    id::ConversationId,
    mail::Address,
    verifies,
};
use identity::{Config, Error, Granted, Identity, RequestState, Unfit};
use testkit::{Home, Person, both_engines};

use crate::scene::{config, open, open_with};

const REASON: &str = "A report about threats in this account, case 17.";
const HOUR: i64 = 3600;

/// An officer who has been one for long enough to count.
async fn officer(home: &Home, name: &str) -> Person {
    let officer = home.person_with(name, Roles::NONE.with(Role::SecurityOfficer)).await;
    home.clockwork.advance(8 * 24 * HOUR);
    officer
}

fn unfit<T: std::fmt::Debug>(result: Result<T, Error>) -> Unfit {
    match result {
        Err(Error::Unfit(unfit)) => unfit,
        other => panic!("a rule was to stand against it: {other:?}"),
    }
}

/// Makes a conversation of `person`.
async fn chat(home: &Home, person: &Person) -> ConversationId {
    let id = ConversationId::fresh(&person.ctx);
    let mut tx = home.store.begin(&person.ctx).await.unwrap();
    let permit = person.permit(Action::WriteChat);
    store::conversations::create(&mut tx, &permit, id, person.ctx.now()).await.unwrap();
    tx.commit(Entry::new(Act::ConversationChanged, id)).await.unwrap();
    id
}

async fn entries(home: &Home, act: Act) -> Vec<store::Record> {
    let permit = home.instance(domain::Job::Checks, Action::ReadInstance);
    let records = store::audit::list(&home.store, &permit, 0, 1000).await.unwrap();
    records.into_iter().filter(|record| record.act == act.name()).collect()
}

both_engines!(two_agree_and_the_person_sees_all_of_it, |home| {
    let identity = open(&home);
    let (ida, otto, ann) =
        (officer(&home, "Ida").await, officer(&home, "Otto").await, home.person("Ann").await);
    let theirs = chat(&home, &ann).await;
    let id = identity.request_content(&ida.ctx, ann.id, REASON).await.unwrap();
    assert!(matches!(identity.open_content(&ida.ctx, id, None).await, Err(Error::Unfit(Unfit::Over))));
    identity.approve_content(&otto.ctx, id).await.unwrap();

    let glass = identity.open_content(&ida.ctx, id, Some(theirs)).await.unwrap();
    let permit = authorize(&glass, Action::ReadChat, Resource::Of(ann.id)).unwrap();
    assert_eq!(store::conversations::get(&home.store, &permit, theirs).await.unwrap().id, theirs);
    // Nothing but reading, nobody but her.
    assert!(authorize(&glass, Action::WriteChat, Resource::Of(ann.id)).is_err());
    assert!(authorize(&glass, Action::ReadAccount, Resource::Of(ann.id)).is_err());
    assert!(authorize(&glass, Action::ReadChat, Resource::Of(otto.id)).is_err());

    let seen = identity.content_requests_about_me(&ann.ctx).await.unwrap();
    let words = &seen[0].request.words;
    assert_eq!(
        (words.reason.as_str(), words.requester.as_str(), words.decider.as_str()),
        (REASON, "Ida", "Otto")
    );
    assert_eq!((seen.len(), seen[0].reads.len(), seen[0].reads[0].conversation), (1, 1, Some(theirs)));
    let read = entries(&home, Act::ContentRead).await;
    assert_eq!((read.len(), read[0].target.clone()), (1, theirs.to_string()));
    assert_eq!(read[0].actor, format!("break-glass:{id}:{}", ida.id));
    let told: String = entries(&home, Act::ContentRequested).await.iter().map(|r| r.target.clone()).collect();
    assert_eq!(told, id.to_string(), "the log holds no reason and no name");
});

both_engines!(the_person_is_told_by_mail_as_soon_as_somebody_agreed, |home| {
    let identity = open_with(&home, Config { sends_mail: true, ..config() });
    let (ida, otto, ann) =
        (officer(&home, "Ida").await, officer(&home, "Otto").await, home.person("Ann").await);
    let mut tx = home.store.begin(&ann.ctx).await.unwrap();
    let address = Address::read("ann@example.org").unwrap();
    store::emails::set(&mut tx, &ann.permit(Action::WriteAccount), &address).await.unwrap();
    tx.commit(Entry::new(Act::EmailChanged, ann.id)).await.unwrap();
    let job = home.ctx(Actor::System(domain::Job::Mail));
    let permit = authorize(&job, Action::ReadAccount, Resource::Instance).unwrap();
    let waits = async || store::outbox::is_due(&home.store, &permit, job.now()).await.unwrap();
    let id = identity.request_content(&ida.ctx, ann.id, REASON).await.unwrap();
    assert!(!waits().await);
    identity.approve_content(&otto.ctx, id).await.unwrap();
    assert!(waits().await);
});

both_engines!(its_time_ends, |home| {
    let identity = open(&home);
    let (ida, otto, ann) =
        (officer(&home, "Ida").await, officer(&home, "Otto").await, home.person("Ann").await);
    let id = identity.request_content(&ida.ctx, ann.id, REASON).await.unwrap();
    identity.approve_content(&otto.ctx, id).await.unwrap();
    home.clockwork.advance(HOUR - 60);
    let glass = identity.open_content(&ida.ctx, id, None).await.unwrap();
    home.clockwork.advance(61);
    assert_eq!(unfit(identity.open_content(&ida.ctx, id, None).await), Unfit::Over);
    assert!(authorize(&glass, Action::ReadChat, Resource::Of(ann.id)).is_err(), "not even what was open");
    assert_eq!(unfit(identity.approve_content(&otto.ctx, id).await), Unfit::Decided);
    // Somebody may end it before.
    let again = identity.request_content(&ida.ctx, ann.id, REASON).await.unwrap();
    identity.approve_content(&otto.ctx, again).await.unwrap();
    identity.end_content(&otto.ctx, again).await.unwrap();
    assert_eq!(unfit(identity.open_content(&ida.ctx, again, None).await), Unfit::Over);
    assert_eq!(unfit(identity.end_content(&otto.ctx, again).await), Unfit::Over);
    // What nobody agreed to in a day is too old.
    let late = identity.request_content(&ida.ctx, ann.id, REASON).await.unwrap();
    home.clockwork.advance(24 * HOUR);
    assert_eq!(unfit(identity.approve_content(&otto.ctx, late).await), Unfit::Decided);
});

both_engines!(one_alone_gets_nowhere, |home| {
    let _proof = verifies!(ACC05);
    let identity = open(&home);
    let (ida, otto) = (officer(&home, "Ida").await, officer(&home, "Otto").await);
    let (ann, olga) = (home.person("Ann").await, home.owner("Olga").await);
    home.clockwork.advance(8 * 24 * HOUR);
    let id = identity.request_content(&ida.ctx, ann.id, REASON).await.unwrap();
    assert_eq!(unfit(identity.approve_content(&ida.ctx, id).await), Unfit::OwnRequest);
    // Somebody else's request opens nothing for the one who agreed, nor for the owner.
    identity.approve_content(&olga.ctx, id).await.unwrap();
    for other in [&otto, &olga] {
        assert!(identity.open_content(&other.ctx, id, None).await.is_err());
    }
    // The person it is about agrees to nothing, and refuses nothing, even as an officer.
    let about = identity.request_content(&ida.ctx, otto.id, REASON).await.unwrap();
    assert_eq!(unfit(identity.approve_content(&otto.ctx, about).await), Unfit::OwnRequest);
    assert_eq!(unfit(identity.refuse_content(&otto.ctx, about).await), Unfit::OwnRequest);
    assert_eq!(unfit(identity.request_content(&ida.ctx, ida.id, REASON).await), Unfit::OwnRequest);
    // A second request while one waits; a reason that is none; nobody.
    assert_eq!(unfit(identity.request_content(&ida.ctx, otto.id, REASON).await), Unfit::AskedAlready);
    for reason in ["", "because", &" ".repeat(40), &"x".repeat(1001)] {
        assert_eq!(unfit(identity.request_content(&otto.ctx, ann.id, reason).await), Unfit::Reason);
    }
    let nobody = domain::id::UserId::fresh(&ann.ctx);
    assert!(matches!(identity.request_content(&ida.ctx, nobody, REASON).await, Err(Error::NotFound)));
});

both_engines!(neither_a_new_account_nor_one_the_other_made_is_a_second_person, |home| {
    let _proof = verifies!(ACC05);
    let identity = open(&home);
    let (olga, otto, ann) = (home.owner("Olga").await, home.person("Otto").await, home.person("Ann").await);
    home.clockwork.advance(30 * 24 * HOUR);
    let ida = officer(&home, "Ida").await;
    // Olga makes an officer of an account and agrees to what it asks: one person.
    let role = Granted::BuiltIn(Role::SecurityOfficer);
    identity.grant_role(&olga.ctx, otto.id, role, None).await.unwrap();
    let asking = home.ctx(Actor::Person {
        user: otto.id,
        session: domain::id::SessionId::fresh(&otto.ctx),
        standing: domain::access::Standing::of(Roles::NONE.with(Role::SecurityOfficer))
            .proven(domain::Timestamp(i64::MAX)),
    });
    let id = identity.request_content(&asking, ann.id, REASON).await.unwrap();
    // Ida is somebody else, and Otto's role is new.
    assert_eq!(unfit(identity.approve_content(&ida.ctx, id).await), Unfit::NotSecond);
    identity.refuse_content(&asking, id).await.unwrap();
    home.clockwork.advance(8 * 24 * HOUR);
    let id = identity.request_content(&asking, ann.id, REASON).await.unwrap();
    assert_eq!(unfit(identity.approve_content(&olga.ctx, id).await), Unfit::NotSecond);
    identity.approve_content(&ida.ctx, id).await.unwrap();
    // An account that is new agrees to nothing, whoever made it.
    let fresh = home.person_with("Fresh", Roles::NONE.with(Role::SecurityOfficer)).await;
    let id = identity.request_content(&ida.ctx, ann.id, REASON).await.unwrap();
    assert_eq!(unfit(identity.approve_content(&fresh.ctx, id).await), Unfit::NotSecond);
});

both_engines!(who_has_no_right_to_it_learns_nothing, |home| {
    let identity = open(&home);
    let (ida, otto, ann) =
        (officer(&home, "Ida").await, officer(&home, "Otto").await, home.person("Ann").await);
    let (bob, olga) = (home.person("Bob").await, home.owner("Olga").await);
    let id = identity.request_content(&ida.ctx, ann.id, REASON).await.unwrap();
    let denied = |result: Result<(), Error>| assert!(matches!(result, Err(Error::Denied(_))), "{result:?}");
    denied(identity.approve_content(&bob.ctx, id).await);
    denied(identity.refuse_content(&bob.ctx, id).await);
    denied(identity.content_requests(&bob.ctx).await.map(|_| ()));
    denied(identity.request_content(&bob.ctx, ann.id, REASON).await.map(|_| ()));
    // An owner may agree and may not ask.
    denied(identity.request_content(&olga.ctx, ann.id, REASON).await.map(|_| ()));
    assert!(identity.content_requests_about_me(&bob.ctx).await.unwrap().is_empty());
    // Without a fresh confirmation, or a second factor, there is nothing either.
    let stale = without_step_up(&otto.ctx);
    denied(identity.approve_content(&stale, id).await);
    denied(identity.request_content(&stale, ann.id, REASON).await.map(|_| ()));
    // Once the role is gone, so is the reading.
    identity.approve_content(&otto.ctx, id).await.unwrap();
    let former = home.ctx(Actor::Person {
        user: ida.id,
        session: domain::id::SessionId::fresh(&ida.ctx),
        standing: domain::access::Standing::of(Roles::NONE.with(Role::User))
            .proven(domain::Timestamp(i64::MAX)),
    });
    denied(identity.open_content(&former, id, None).await.map(|_| ()));
});

fn without_step_up(ctx: &Ctx) -> Ctx {
    let mut ctx = ctx.clone();
    if let Actor::Person { standing, .. } = &mut ctx.actor {
        standing.shown.fresh_until = domain::Timestamp(0);
    }
    ctx
}

both_engines!(a_refusal_is_final_and_seen, |home| {
    let identity: Identity = open(&home);
    let (ida, otto, ann) =
        (officer(&home, "Ida").await, officer(&home, "Otto").await, home.person("Ann").await);
    let id = identity.request_content(&ida.ctx, ann.id, REASON).await.unwrap();
    identity.refuse_content(&otto.ctx, id).await.unwrap();
    assert_eq!(unfit(identity.approve_content(&otto.ctx, id).await), Unfit::Decided);
    assert_eq!(unfit(identity.open_content(&ida.ctx, id, None).await), Unfit::Over);
    let seen = identity.content_requests_about_me(&ann.ctx).await.unwrap();
    assert_eq!(
        (seen[0].request.state, seen[0].request.words.decider.as_str()),
        (RequestState::Refused, "Otto")
    );
});
