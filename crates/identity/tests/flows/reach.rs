//! What somebody's rights are, where others act on them: ended grants and roles of an organisation's own count
//! as they do at the door.

use domain::{
    Action, Actor, Ctx, Timestamp,
    access::{Rights, Role, Roles, Standing},
    audit::Act,
    bounds::Bounds,
    id::SessionId,
    mail::Address,
    verifies,
};
use identity::{Accepted, Config, Error, Granted, Identity, Require, Unfit};
use testkit::{Home, Person, both_engines};

use crate::scene::{App, DEVICE, OTHER_PASSWORD, PASSWORD, config, open, open_with, secret, stranger};

const USER: Roles = Roles::NONE.with(Role::User);
const DAY: i64 = 24 * 3600;

/// Circumstances of `person` with roles of the organisation's own that add `extra`.
fn with_extra(home: &Home, person: &Person, roles: Roles, extra: Rights) -> Ctx {
    let standing = Standing { extra, ..Standing::of(roles).proven(Timestamp(i64::MAX)) };
    home.ctx(Actor::Person { user: person.id, session: SessionId::fresh(&person.ctx), standing })
}

/// Gives `person` a role of the organisation's own with `rights`, and circumstances that have it.
async fn own_role(
    home: &Home,
    identity: &Identity,
    owner: &Person,
    person: &Person,
    rights: Rights,
) -> (Granted, Ctx) {
    let id = identity.save_custom_role(&owner.ctx, None, ("Own", "For a test."), rights).await.unwrap();
    identity.grant_role(&owner.ctx, person.id, Granted::Custom(id), None).await.unwrap();
    (Granted::Custom(id), with_extra(home, person, USER, rights))
}

const INVITES: Rights = Rights::NONE.with(Action::ManagePeople).with(Action::GrantRoles);

both_engines!(nobody_invites_into_what_they_do_not_hold, |home| {
    let _proof = verifies!(ACC04);
    let identity = open(&home);
    let (ann, bob) = (home.owner("Ann").await, home.person("Bob").await);
    let (_, bobs) = own_role(&home, &identity, &ann, &bob, INVITES).await;
    for role in [Role::Owner, Role::Administrator, Role::SecurityOfficer, Role::Auditor] {
        let end = identity.invite(&bobs, None, USER.with(role)).await;
        assert!(matches!(end, Err(Error::Unfit(Unfit::NotHeld))), "{role:?}: {end:?}");
    }
    identity.invite(&bobs, None, USER).await.unwrap();
    identity.invite(&ann.ctx, None, USER.with(Role::Auditor)).await.unwrap();
});

both_engines!(an_invitation_gives_no_more_than_its_inviter_holds_when_it_is_accepted, |home| {
    let _proof = verifies!(ACC04);
    let identity = open(&home);
    let (ann, bob, cy) = (home.owner("Ann").await, home.owner("Bob").await, home.person("Cy").await);
    let invite = async |ctx: &Ctx, roles: Roles| {
        identity.invite(ctx, None, roles).await.unwrap().token.unwrap().expose().clone()
    };
    let offered = async |token: &str| identity.offer(&stranger(&home), token).await.is_ok();
    // Taken with the role that let him invite.
    let one = invite(&bob.ctx, USER.with(Role::Owner)).await;
    assert!(offered(&one).await);
    identity.take_role(&ann.ctx, bob.id, Granted::BuiltIn(Role::Owner)).await.unwrap();
    assert!(!offered(&one).await);
    identity.grant_role(&ann.ctx, bob.id, Granted::BuiltIn(Role::Owner), None).await.unwrap();
    assert!(!offered(&one).await, "it was taken back, not laid aside");
    // Gone with the account that made it, closed or deleted.
    let two = invite(&bob.ctx, USER).await;
    identity.deactivate(&ann.ctx, bob.id).await.unwrap();
    assert!(!offered(&two).await);
    identity.reactivate(&ann.ctx, bob.id).await.unwrap();
    assert!(!offered(&two).await);
    let three = invite(&bob.ctx, USER).await;
    identity.remove_person(&ann.ctx, bob.id).await.unwrap();
    assert!(!offered(&three).await);
    // And when a role ends by itself, or the rights of one are fewer, the link is dead though nobody took it back.
    let supervises = Action::ALL
        .into_iter()
        .filter(|action| Role::Supervisor.rights().minus(Role::User.rights()).has(*action));
    let rights = supervises.fold(INVITES, Rights::with);
    let (own, cys) = own_role(&home, &identity, &ann, &cy, rights).await;
    let four = invite(&cys, USER.with(Role::Supervisor)).await;
    assert!(offered(&four).await);
    let Granted::Custom(id) = own else { panic!("{own:?}") };
    identity.save_custom_role(&ann.ctx, Some(id), ("Own", ""), INVITES).await.unwrap();
    assert!(!offered(&four).await);
    let five = invite(&cys, USER).await;
    identity.grant_role(&ann.ctx, cy.id, own, Some(ann.ctx.now().plus_seconds(DAY))).await.unwrap();
    assert!(offered(&five).await);
    home.clockwork.advance(DAY);
    assert!(!offered(&five).await);
    let end = identity.accept(&stranger(&home), &five, "Eve", &secret(PASSWORD), DEVICE).await;
    assert!(matches!(end, Err(Error::Link)), "{end:?}");
});

both_engines!(an_invited_role_says_who_gave_it, |home| {
    let identity = open(&home);
    let ann = home.owner("Ann").await;
    let invited = identity.invite(&ann.ctx, None, USER).await.unwrap();
    let token = invited.token.unwrap();
    let made =
        identity.accept(&stranger(&home), token.expose(), "Eve", &secret(PASSWORD), DEVICE).await.unwrap();
    let Accepted::Done { session, .. } = made else { panic!("{made:?}") };
    let held = identity.held_roles(&ann.ctx).await.unwrap();
    let grants = &held.holders.iter().find(|holder| holder.user == session.user).unwrap().grants;
    assert_eq!(grants[0].by, format!("person:{}", ann.id));
    let permit = home.instance(domain::Job::Checks, Action::ReadInstance);
    let log = store::audit::list(&home.store, &permit, 0, 1000).await.unwrap();
    let entry = log.iter().find(|one| one.act == Act::InvitationAccepted.name()).unwrap();
    assert_eq!(entry.target, format!("{}/{}", invited.id, session.user));
});

both_engines!(where_everybody_needs_a_factor_an_invitation_asks_for_one, |home| {
    let _proof = verifies!(AUT10);
    let identity = open_with(&home, Config { require_second_factor: Require::Everyone, ..config() });
    let ann = home.owner("Ann").await;
    let token = identity.invite(&ann.ctx, None, USER).await.unwrap().token.unwrap();
    assert!(identity.offer(&stranger(&home), token.expose()).await.unwrap().needs_factor);
    let next = identity.accept(&stranger(&home), token.expose(), "Eve", &secret(PASSWORD), DEVICE).await;
    let Ok(Accepted::Factor(pending)) = next else { panic!("{next:?}") };
    let app = App::new(pending.secret_base32.expose());
    let code = app.code(&home);
    let done = identity.finish_acceptance(&stranger(&home), &pending.ticket, &code, DEVICE).await;
    assert!(matches!(done, Ok(Accepted::Done { .. })), "{done:?}");
});

both_engines!(an_address_of_a_closed_account_stands_in_no_invitations_way, |home| {
    let identity = open_with(&home, Config { sends_mail: true, ..config() });
    let (ann, bob) = (home.owner("Ann").await, home.person("Bob").await);
    let address = Address::read("bob@example.org").unwrap();
    let mut tx = home.store.begin(&bob.ctx).await.unwrap();
    store::emails::set(&mut tx, &bob.permit(Action::WriteAccount), &address).await.unwrap();
    tx.commit(domain::audit::Entry::new(Act::EmailChanged, bob.id)).await.unwrap();
    identity.deactivate(&ann.ctx, bob.id).await.unwrap();
    let mut tx = home.store.begin(&ann.ctx).await.unwrap();
    let (token, hash) =
        ("A".repeat(43), aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, "A".repeat(43).as_bytes()));
    let invitation = store::invitations::Invitation {
        id: domain::id::InvitationId::fresh(&ann.ctx),
        address: Some(address),
        roles: USER,
        inviter: Some(ann.id),
        created: ann.ctx.now(),
        expires: ann.ctx.now().plus_seconds(DAY),
    };
    let permit = domain::authorize(&ann.ctx, Action::ManagePeople, domain::Resource::Instance).unwrap();
    let hash = hash.as_ref().try_into().unwrap();
    store::invitations::create(&mut tx, &permit, &invitation, hash).await.unwrap();
    tx.commit(domain::audit::Entry::new(Act::InvitationSent, invitation.id)).await.unwrap();
    let made = identity.accept(&stranger(&home), &token, "Bob again", &secret(OTHER_PASSWORD), DEVICE).await;
    assert!(matches!(made, Ok(Accepted::Done { .. })), "{made:?}");
});

both_engines!(who_holds_more_by_a_role_of_the_organisations_own_is_out_of_reach, |home| {
    let _proof = verifies!(ACT02);
    let identity = open(&home);
    let (ann, bob) = (home.owner("Ann").await, home.person("Bob").await);
    let admin = home.person_with("Admin", USER.with(Role::Administrator)).await;
    let (own, _) = own_role(&home, &identity, &ann, &bob, Rights::NONE.with(Action::ReviewAccess)).await;
    let group = identity.make_group(&ann.ctx, "Some", &Bounds::default()).await.unwrap();
    for refused in [
        identity.deactivate(&admin.ctx, bob.id).await,
        identity.remove_person(&admin.ctx, bob.id).await,
        identity.end_sessions_of(&admin.ctx, bob.id).await.map(drop),
        identity.put_in_group(&admin.ctx, group, bob.id).await,
        identity.put_in_group(&admin.ctx, group, ann.id).await,
    ] {
        assert!(matches!(refused, Err(Error::Denied(_))), "{refused:?}");
    }
    // Once that has ended he is a user like others, though nobody has swept it.
    let soon = ann.ctx.now().plus_seconds(60);
    identity.grant_role(&ann.ctx, bob.id, own, Some(soon)).await.unwrap();
    home.clockwork.advance(61);
    identity.put_in_group(&admin.ctx, group, bob.id).await.unwrap();
    identity.deactivate(&admin.ctx, bob.id).await.unwrap();
});

both_engines!(an_owner_for_a_time_is_not_the_owner_an_instance_keeps, |home| {
    let _proof = verifies!(ACT02);
    let identity = open(&home);
    let (ann, bob) = (home.owner("Ann").await, home.owner("Bob").await);
    let tomorrow = ann.ctx.now().plus_seconds(DAY);
    identity.grant_role(&ann.ctx, bob.id, Granted::BuiltIn(Role::Owner), Some(tomorrow)).await.unwrap();
    // Tomorrow there would be none.
    for refused in [
        identity.deactivate(&bob.ctx, ann.id).await,
        identity.remove_person(&bob.ctx, ann.id).await,
        identity.leave(&ann.ctx).await,
    ] {
        assert!(matches!(refused, Err(Error::LastOwner)), "{refused:?}");
    }
    identity.deactivate(&ann.ctx, bob.id).await.unwrap();
});

both_engines!(a_factor_is_asked_for_by_what_somebody_may_do_now, |home| {
    let identity = open(&home);
    let (ann, bob) = (home.owner("Ann").await, home.person("Bob").await);
    let required = async || identity.factors(&bob.ctx).await.unwrap().required;
    assert!(!required().await);
    let (own, _) = own_role(&home, &identity, &ann, &bob, Rights::NONE.with(Action::ReadEvidence)).await;
    assert!(required().await, "a role of the organisation's own may administer");
    identity.take_role(&ann.ctx, bob.id, own).await.unwrap();
    let soon = ann.ctx.now().plus_seconds(60);
    identity.grant_role(&ann.ctx, bob.id, Granted::BuiltIn(Role::Auditor), Some(soon)).await.unwrap();
    assert!(required().await);
    home.clockwork.advance(61);
    assert!(!required().await, "its time is over");
});

both_engines!(a_key_does_no_more_than_its_person_may_now, |home| {
    let identity = open(&home);
    let (ann, bob) = (home.owner("Ann").await, home.person("Bob").await);
    let key = identity.create_api_key(&bob.ctx, "notebook").await.unwrap();
    let scopes = async || {
        let actor = identity.recognise_api_key(&stranger(&home), key.token.expose()).await.unwrap().unwrap();
        let Actor::ApiKey { scopes, .. } = actor else { panic!("{actor:?}") };
        scopes
    };
    assert!(scopes().await.has(Action::UseModel));
    let soon = ann.ctx.now().plus_seconds(60);
    identity.grant_role(&ann.ctx, bob.id, Granted::BuiltIn(Role::User), Some(soon)).await.unwrap();
    home.clockwork.advance(61);
    assert!(scopes().await.is_empty(), "the role is over, though nobody has swept it");
});
