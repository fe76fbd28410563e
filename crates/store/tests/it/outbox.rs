//! E-mail that waits, addresses, links, invitations.

use domain::{
    Action, Actor, Job, Resource,
    access::{Role, Roles},
    authorize,
    id::{InvitationId, MailId},
    mail::{Address, Mail},
};
use store::{
    Error,
    emails::{self, Purpose},
    invitations::{self, Invitation},
    outbox::{self, Letter, State},
};
use testkit::{Home, both_engines};

use crate::{entry, later};

fn letter(mail: Mail) -> Letter {
    Letter { to: Address::read("ada@example.org").unwrap(), language: String::new(), mail }
}

fn mail_job(home: &Home) -> domain::Permit {
    home.instance(Job::Mail, Action::ReadAccount)
}

both_engines!(a_mail_waits_sealed_is_tried_later_each_time_and_forgotten_when_it_left, |home| {
    let (owner, ada) = (home.owner("Owner").await, home.person("Ada").await);
    let manages = authorize(&owner.ctx, Action::ManagePeople, Resource::Instance).unwrap();
    let reads = authorize(&owner.ctx, Action::ReadPeople, Resource::Instance).unwrap();
    let (to_stranger, to_ada) = (MailId::fresh(&owner.ctx), MailId::fresh(&owner.ctx));
    let mut tx = home.store.begin(&owner.ctx).await.unwrap();
    let secret = Mail::Reset { token: "a-very-secret-token".into(), minutes: 60 };
    outbox::queue(&mut tx, &manages, to_stranger, &letter(Mail::Test)).await.unwrap();
    outbox::queue_for(&mut tx, &ada.permit(Action::WriteAccount), to_ada, &letter(secret)).await.unwrap();
    tx.commit(entry()).await.unwrap();
    assert!(
        outbox::queue(&mut home.store.begin(&ada.ctx).await.unwrap(), &reads, to_ada, &letter(Mail::Test))
            .await
            .is_err()
    );

    let ctx = home.ctx(Actor::System(Job::Mail));
    let job = mail_job(&home);
    let now = home.clockwork.now();
    assert!(outbox::is_due(&home.store, &job, now).await.unwrap());
    let mut tx = home.store.begin(&ctx).await.unwrap();
    let again = |tries: u32| now.plus_seconds(60 * i64::from(tries));
    let taken = outbox::take_due(&mut tx, &job, 10, again).await.unwrap();
    tx.commit(entry()).await.unwrap();
    let ids: Vec<_> = taken.iter().map(|due| due.id).collect();
    assert!(ids.contains(&to_stranger) && ids.contains(&to_ada) && taken.iter().all(|due| due.tries == 1));
    let opened = taken.iter().find(|due| due.id == to_ada).unwrap().letter.clone().unwrap();
    assert!(matches!(opened.mail, Mail::Reset { token, .. } if token == "a-very-secret-token"));
    assert!(!outbox::is_due(&home.store, &job, now).await.unwrap(), "it was put off before it was tried");
    assert!(outbox::is_due(&home.store, &job, later(&home, 60)).await.unwrap());

    let mut tx = home.store.begin(&ctx).await.unwrap();
    outbox::put_off(&mut tx, &job, to_stranger, "the mail server did not answer").await.unwrap();
    outbox::finish(&mut tx, &job, to_ada, State::Sent, "").await.unwrap();
    tx.commit(entry()).await.unwrap();
    let listed = outbox::list(&home.store, &reads).await.unwrap();
    assert_eq!(listed.len(), 2);
    let one = |id| listed.iter().find(|mail| mail.id == id).unwrap();
    assert_eq!((one(to_ada).state, one(to_ada).kind.as_str()), (State::Sent, "reset"));
    assert_eq!(one(to_stranger).problem, "the mail server did not answer");
    assert_eq!(
        home.spoil("UPDATE outbox SET tries = tries WHERE state = 'sent' AND length(mail) > 0").await,
        0
    );

    let upkeep = home.instance(Job::Upkeep, Action::WriteInstance);
    let mut tx = home.store.begin(&ctx).await.unwrap();
    assert_eq!(outbox::clear(&mut tx, &upkeep, later(&home, 1)).await.unwrap(), 1, "what waits stays");
    tx.commit(entry()).await.unwrap();
});

both_engines!(an_address_belongs_to_one_account_and_is_found_in_any_case, |home| {
    let (ada, eve) = (home.person("Ada").await, home.person("Eve").await);
    let authenticate = home.instance(Job::Authentication, Action::Authenticate);
    let (typed, folded) =
        (Address::read("Ada@Example.org").unwrap(), Address::read("ada@example.ORG").unwrap());
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    emails::set(&mut tx, &ada.permit(Action::WriteAccount), &typed).await.unwrap();
    tx.commit(entry()).await.unwrap();
    assert_eq!(emails::find(&home.store, &authenticate, &folded).await.unwrap(), Some(ada.id));
    assert_eq!(
        emails::get(&home.store, &ada.permit(Action::ReadAccount)).await.unwrap(),
        Some(typed.clone())
    );
    assert_eq!(emails::get(&home.store, &eve.permit(Action::ReadAccount)).await.unwrap(), None);
    let mut tx = home.store.begin(&eve.ctx).await.unwrap();
    let taken = emails::set(&mut tx, &eve.permit(Action::WriteAccount), &folded).await;
    assert!(matches!(taken, Err(Error::Conflict)), "{taken:?}");
    drop(tx);
    home.spoil("UPDATE accounts SET active = 0").await;
    assert_eq!(emails::find(&home.store, &authenticate, &typed).await.unwrap(), None);
});

both_engines!(a_link_is_good_once_and_a_new_one_ends_the_old, |home| {
    let (ada, eve) = (home.person("Ada").await, home.person("Eve").await);
    let write = ada.permit(Action::WriteAccount);
    let authenticate = home.instance(Job::Authentication, Action::Authenticate);
    let address = Address::read("ada@example.org").unwrap();
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    for token in [1, 2] {
        emails::keep_link(&mut tx, &write, Purpose::Confirm, [token; 32], Some(&address), later(&home, 60))
            .await
            .unwrap();
    }
    emails::keep_link(&mut tx, &write, Purpose::Reset, [3; 32], None, later(&home, 60)).await.unwrap();
    tx.commit(entry()).await.unwrap();
    let look = async |purpose, token: u8| {
        emails::link(&home.store, &authenticate, purpose, [token; 32]).await.unwrap()
    };
    assert!(look(Purpose::Confirm, 1).await.is_none(), "its successor ended it");
    assert!(look(Purpose::Reset, 2).await.is_none(), "it is for something else");
    let link = look(Purpose::Confirm, 2).await.expect("a link");
    assert_eq!((link.user, link.address), (ada.id, Some(address)));
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    assert!(!emails::use_link(&mut tx, &eve.permit(Action::WriteAccount), [2; 32]).await.unwrap());
    assert!(emails::use_link(&mut tx, &write, [2; 32]).await.unwrap());
    assert!(!emails::use_link(&mut tx, &write, [2; 32]).await.unwrap());
    tx.commit(entry()).await.unwrap();
    let upkeep = home.instance(Job::Upkeep, Action::WriteInstance);
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    assert_eq!(emails::clear_links(&mut tx, &upkeep, later(&home, 61)).await.unwrap(), 1);
    tx.commit(entry()).await.unwrap();
});

both_engines!(an_invitation_is_listed_used_once_and_withdrawn, |home| {
    let owner = home.owner("Owner").await;
    let manages = authorize(&owner.ctx, Action::ManagePeople, Resource::Instance).unwrap();
    let reads = authorize(&owner.ctx, Action::ReadPeople, Resource::Instance).unwrap();
    let authenticate = home.instance(Job::Authentication, Action::Authenticate);
    let invitation = |address: Option<&str>| Invitation {
        id: InvitationId::fresh(&owner.ctx),
        address: address.map(|address| Address::read(address).unwrap()),
        roles: Roles::NONE.with(Role::User),
        inviter: Some(owner.id),
        created: home.clockwork.now(),
        expires: later(&home, 60),
    };
    let (by_mail, by_link) = (invitation(Some("new@example.org")), invitation(None));
    let mut tx = home.store.begin(&owner.ctx).await.unwrap();
    invitations::create(&mut tx, &manages, &by_mail, [1; 32]).await.unwrap();
    invitations::create(&mut tx, &manages, &by_link, [2; 32]).await.unwrap();
    tx.commit(entry()).await.unwrap();
    let found = invitations::by_token(&home.store, &authenticate, [1; 32]).await.unwrap();
    assert_eq!(found.as_ref(), Some(&by_mail));
    assert_eq!(invitations::list(&home.store, &reads).await.unwrap().len(), 2);
    let mut tx = home.store.begin(&owner.ctx).await.unwrap();
    let write = owner.permit(Action::WriteAccount);
    assert!(invitations::use_up(&mut tx, &write, by_mail.id).await.unwrap());
    assert!(!invitations::use_up(&mut tx, &write, by_mail.id).await.unwrap());
    assert!(invitations::withdraw(&mut tx, &manages, by_link.id).await.unwrap());
    tx.commit(entry()).await.unwrap();
    assert_eq!(invitations::by_token(&home.store, &authenticate, [2; 32]).await.unwrap(), None);
});
