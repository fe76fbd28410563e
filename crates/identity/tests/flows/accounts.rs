//! Invitations, addresses, reset, closing and deleting accounts, groups.

use std::collections::BTreeSet;

use domain::{
    Actor, Ctx, Job,
    access::{Role, Roles},
    bounds::{Bounds, Quota},
    id::UserId,
    mail::Mail,
    verifies,
};
use identity::{Accepted, Config, Error, Identity, NewSession, Next};
use store::outbox::{self, Due};
use testkit::{Home, both_engines};

use crate::scene::{
    App, DEVICE, NAME, OTHER_PASSWORD, Owned, PASSWORD, config, ctx_of, secret, set_up_with, stranger, upkeep,
};

const USER: Roles = Roles::NONE.with(Role::User);
const GRACE: &str = "Grace Hopper";

fn mailing() -> Config {
    Config { sends_mail: true, ..config() }
}

/// The mails that are due, as the mail job finds them.
async fn mails(home: &Home) -> Vec<Due> {
    let ctx = home.ctx(Actor::System(Job::Mail));
    let job = home.instance(Job::Mail, domain::Action::ReadAccount);
    let mut tx = home.store.begin(&ctx).await.unwrap();
    let later = ctx.now().plus_seconds(3600 * 24 * 365);
    let due = outbox::take_due(&mut tx, &job, 100, |_| later).await.unwrap();
    tx.commit(domain::audit::Entry::new(domain::audit::Act::MailTried, "").times(due.len())).await.unwrap();
    due
}

/// The one mail that is due: where it goes and the secret of its link.
async fn mailed(home: &Home) -> (String, String) {
    let due = mails(home).await;
    assert_eq!(due.len(), 1, "{due:?}");
    let letter = due[0].letter.clone().unwrap();
    let token = match letter.mail {
        Mail::Invitation { token, .. } | Mail::Reset { token, .. } | Mail::ConfirmAddress { token, .. } => {
            token
        }
        other => panic!("{other:?} has no link"),
    };
    (letter.to.as_str().to_owned(), token)
}

/// A user who was invited and is in.
async fn user(owned: &Owned, home: &Home, name: &str) -> NewSession {
    let ctx = owned.ctx(home).await;
    let invited = owned.identity.invite(&ctx, None, USER).await.unwrap();
    let token = invited.token.unwrap();
    let accepted = owned
        .identity
        .accept(&stranger(home), token.expose(), name, &secret(PASSWORD), DEVICE)
        .await
        .unwrap();
    let Accepted::Done { session, .. } = accepted else { panic!("a user needs no factor: {accepted:?}") };
    session
}

async fn is_in(identity: &Identity, home: &Home, session: &NewSession) -> bool {
    identity.recognise_session(&stranger(home), &session.tokens).await.unwrap().is_some()
}

both_engines!(an_invitation_makes_one_account_with_its_roles_and_works_once, |home| {
    let _proof = verifies!(ACT01);
    let owned = set_up_with(&home, config()).await;
    let (identity, ctx) = (&owned.identity, owned.ctx(&home).await);
    let invited = identity.invite(&ctx, Some("grace@example.org"), USER).await.unwrap();
    let token = invited.token.expect("without a mail server the link is shown");
    assert!(mails(&home).await.is_empty());
    assert_eq!(identity.invitations(&ctx).await.unwrap()[0].inviter.as_deref(), Some(NAME));
    assert!(!identity.offer(&stranger(&home), token.expose()).await.unwrap().needs_factor);
    let accept = async |name: &str, password: &str| {
        identity.accept(&stranger(&home), token.expose(), name, &secret(password), DEVICE).await
    };
    assert!(matches!(accept(NAME, PASSWORD).await, Err(Error::NameTaken)));
    assert!(matches!(accept(GRACE, "short").await, Err(Error::Password { .. })));
    let (one, two) = tokio::join!(accept(GRACE, PASSWORD), accept("Somebody Else", PASSWORD));
    let made = [one, two].into_iter().filter_map(Result::ok).count();
    assert_eq!(made, 1, "two at once make one account");
    assert!(matches!(accept("A Third", PASSWORD).await, Err(Error::Link)));
    assert!(identity.invitations(&ctx).await.unwrap().is_empty());
    assert_eq!(identity.people(&ctx, "", 0).await.unwrap().found, 2);
    for nonsense in ["", "x", &"A".repeat(43), &"A".repeat(100_000)] {
        assert!(matches!(identity.offer(&stranger(&home), nonsense).await, Err(Error::Link)));
    }
});

both_engines!(invitations_end_by_time_and_by_being_withdrawn, |home| {
    let _proof = verifies!(ACT01);
    let owned = set_up_with(&home, mailing()).await;
    let (identity, ctx) = (&owned.identity, owned.ctx(&home).await);
    let invited = identity.invite(&ctx, Some(" Grace@example.org "), USER).await.unwrap();
    assert!(invited.token.is_none(), "it is mailed");
    let (to, token) = mailed(&home).await;
    assert_eq!(to, "Grace@example.org");
    home.clockwork.advance(7 * 24 * 3600 - 1);
    assert!(identity.offer(&stranger(&home), &token).await.is_ok());
    home.clockwork.advance(1);
    assert!(matches!(identity.offer(&stranger(&home), &token).await, Err(Error::Link)));
    assert!(identity.sweep_accounts(&upkeep(&home)).await.unwrap() >= 1);

    let session = owned.sign_in(&home, PASSWORD).await.unwrap();
    let ctx = ctx_of(identity, &home, &session).await;
    let invited = identity.invite(&ctx, Some("grace@example.org"), USER).await.unwrap();
    let (_, token) = mailed(&home).await;
    identity.withdraw_invitation(&ctx, invited.id).await.unwrap();
    assert!(matches!(identity.offer(&stranger(&home), &token).await, Err(Error::Link)));
    assert!(matches!(identity.withdraw_invitation(&ctx, invited.id).await, Err(Error::NotFound)));
});

both_engines!(an_administrative_role_takes_a_second_factor_and_the_right_to_grant_it, |home| {
    let owned = set_up_with(&home, config()).await;
    let (identity, ctx) = (&owned.identity, owned.ctx(&home).await);
    let administrator = Roles::NONE.with(Role::Administrator).with(Role::User);
    let token = identity.invite(&ctx, None, administrator).await.unwrap().token.unwrap();
    let accepted =
        identity.accept(&stranger(&home), token.expose(), GRACE, &secret(PASSWORD), DEVICE).await.unwrap();
    let Accepted::Factor(pending) = accepted else { panic!("{accepted:?}") };
    assert_eq!(identity.people(&ctx, "", 0).await.unwrap().found, 1, "nothing is written before the factor");
    let app = App::new(pending.secret_base32.expose());
    let wrong = identity.finish_acceptance(&stranger(&home), &pending.ticket, "000000", DEVICE).await;
    assert!(matches!(wrong, Err(Error::Refused)), "{wrong:?}");
    let done = identity.finish_acceptance(&stranger(&home), &pending.ticket, &app.code(&home), DEVICE).await;
    let Ok(Accepted::Done { recovery_codes, session }) = done else { panic!("{done:?}") };
    assert_eq!(recovery_codes.len(), 10);

    // She may invite users, and nobody with more rights than that.
    let grace = ctx_of(identity, &home, &session).await;
    assert!(identity.invite(&grace, None, USER).await.is_ok());
    for role in [Role::Owner, Role::Administrator, Role::Auditor, Role::Supervisor] {
        let refused = identity.invite(&grace, None, USER.with(role)).await;
        assert!(matches!(refused, Err(Error::Denied(_))), "{role:?}: {refused:?}");
    }
    let someone = user(&owned, &home, "Someone").await;
    let refused = identity.invite(&ctx_of(identity, &home, &someone).await, None, USER).await;
    assert!(matches!(refused, Err(Error::Denied(_))), "{refused:?}");
});

both_engines!(an_address_counts_once_its_link_was_followed, |home| {
    let _proof = verifies!(ACT01);
    let owned = set_up_with(&home, mailing()).await;
    let (identity, ctx) = (&owned.identity, owned.ctx(&home).await);
    identity.change_email(&ctx, "ada@example.org").await.unwrap();
    assert_eq!(identity.email(&ctx).await.unwrap(), None);
    let (_, token) = mailed(&home).await;
    identity.confirm_email(&stranger(&home), &token).await.unwrap();
    assert_eq!(identity.email(&ctx).await.unwrap().unwrap().as_str(), "ada@example.org");
    assert!(matches!(identity.confirm_email(&stranger(&home), &token).await, Err(Error::Link)), "once");
    // The old address hears of the new one; another account cannot have it.
    identity.change_email(&ctx, "ada@elsewhere.example").await.unwrap();
    let (_, token) = mailed(&home).await;
    identity.confirm_email(&stranger(&home), &token).await.unwrap();
    let told = mails(&home).await.remove(0).letter.unwrap();
    assert_eq!((told.to.as_str(), told.mail), ("ada@example.org", Mail::AddressChanged));
    home.clockwork.advance(5 * 60);
    let grace = ctx_of(identity, &home, &user(&owned, &home, GRACE).await).await;
    // An account without a second factor has one fresh confirmation: its sign-in.
    identity.change_email(&grace, "ADA@elsewhere.example").await.unwrap();
    let (_, token) = mailed(&home).await;
    assert!(matches!(identity.confirm_email(&stranger(&home), &token).await, Err(Error::Link)));
    assert_eq!(identity.email(&grace).await.unwrap(), None);
    assert!(matches!(identity.change_email(&grace, "a\r\nBcc: b@c.d").await, Err(Error::Email(_))));
});

both_engines!(a_mailed_link_followed_twice_at_once_works_once, |home| {
    let _proof = verifies!(ACT01);
    let owned = set_up_with(&home, mailing()).await;
    let (identity, ctx) = (&owned.identity, owned.ctx(&home).await);
    identity.change_email(&ctx, "ada@example.org").await.unwrap();
    let (_, token) = mailed(&home).await;
    let confirm = async || identity.confirm_email(&stranger(&home), &token).await;
    let (one, two) = tokio::join!(confirm(), confirm());
    assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");

    home.clockwork.advance(5 * 60);
    identity.ask_reset(&stranger(&home), "ada@example.org").await.unwrap();
    let (_, token) = mailed(&home).await;
    let reset = async || identity.reset_password(&stranger(&home), &token, &secret(OTHER_PASSWORD)).await;
    let (one, two) = tokio::join!(reset(), reset());
    assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
});

both_engines!(nobodys_mailbox_is_filled_and_no_account_queues_without_end, |home| {
    let owned = set_up_with(&home, mailing()).await;
    let (identity, ctx) = (&owned.identity, owned.ctx(&home).await);
    identity.change_email(&ctx, "victim@example.org").await.unwrap();
    let grace = ctx_of(identity, &home, &user(&owned, &home, GRACE).await).await;
    for who in [&ctx, &grace, &grace] {
        identity.change_email(who, "VICTIM@example.org").await.unwrap();
    }
    assert_eq!(mails(&home).await.len(), 1, "one in five minutes, whoever asks and however it is spelled");
    // With the mail server away, what waits for one account is bounded.
    let mut refused = 0;
    for n in 0..30 {
        match identity.change_email(&grace, &format!("somebody{n}@example.org")).await {
            Ok(()) => assert_eq!(refused, 0),
            Err(Error::MailWaits) => refused += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(refused, 10);
    assert!(identity.change_email(&ctx, "ada@example.org").await.is_ok(), "others are not held up");
});

both_engines!(strangers_who_ask_for_resets_fill_no_log, |home| {
    let owned = set_up_with(&home, mailing()).await;
    let asked = async || {
        let permit = home.instance(Job::Checks, domain::Action::ReadInstance);
        let log = store::audit::list(&home.store, &permit, 0, 1000).await.unwrap();
        let asked = domain::audit::Act::ResetRequested.name();
        log.into_iter().filter(|entry| entry.act == asked).map(|entry| entry.count).collect::<Vec<_>>()
    };
    for n in 0..20 {
        owned.identity.ask_reset(&stranger(&home), &format!("nobody{n}@example.org")).await.unwrap();
    }
    assert_eq!(asked().await, [1], "the first at once, then a minute of silence");
    home.clockwork.advance(60);
    for _ in 0..2 {
        owned.identity.note_last_strangers(&upkeep(&home)).await.unwrap();
        assert_eq!(asked().await, [1, 19]);
    }
});

both_engines!(a_mailed_link_ends_with_the_password_and_with_the_other_sessions, |home| {
    let _proof = verifies!(ACT01);
    let owned = set_up_with(&home, mailing()).await;
    let (identity, ctx) = (&owned.identity, owned.ctx(&home).await);
    identity.change_email(&ctx, "ada@example.org").await.unwrap();
    let (_, token) = mailed(&home).await;
    identity.confirm_email(&stranger(&home), &token).await.unwrap();
    let third = "Amber-Railway-18";
    for act in ["password", "sessions", "address"] {
        home.clockwork.advance(5 * 60);
        identity.ask_reset(&stranger(&home), "ada@example.org").await.unwrap();
        let (_, token) = mailed(&home).await;
        let session = owned.sign_in(&home, if act == "password" { PASSWORD } else { OTHER_PASSWORD }).await;
        let ctx = ctx_of(identity, &home, &session.unwrap()).await;
        match act {
            "password" => {
                identity.change_password(&ctx, &secret(PASSWORD), &secret(OTHER_PASSWORD)).await.unwrap();
            }
            "sessions" => drop(identity.end_other_sessions(&ctx).await.unwrap()),
            _ => identity.remove_email(&ctx).await.unwrap(),
        }
        let end = identity.reset_password(&stranger(&home), &token, &secret(third)).await;
        assert!(matches!(end, Err(Error::Link)), "{act}: {end:?}");
        mails(&home).await;
    }
});

both_engines!(what_opens_an_account_is_told_by_mail_and_else_on_the_page, |home| {
    let owned = set_up_with(&home, mailing()).await;
    let (identity, ctx) = (&owned.identity, owned.ctx(&home).await);
    let kinds = async || {
        let due = mails(&home).await.into_iter();
        due.map(|one| one.letter.unwrap().mail.kind().to_owned()).collect::<Vec<_>>()
    };
    // Without an address it waits on the page.
    identity.new_recovery_codes(&ctx, &owned.app.next_code(&home)).await.unwrap();
    identity.change_password(&ctx, &secret(PASSWORD), &secret(OTHER_PASSWORD)).await.unwrap();
    assert!(kinds().await.is_empty());
    let told: Vec<_> = identity.news(&ctx).await.unwrap().into_iter().map(|(_, one)| one).collect();
    assert_eq!(told, [identity::News::PasswordChanged, identity::News::FactorsChanged]);
    // With one it is mailed.
    identity.change_email(&ctx, "ada@example.org").await.unwrap();
    let (_, token) = mailed(&home).await;
    identity.confirm_email(&stranger(&home), &token).await.unwrap();
    identity.new_recovery_codes(&ctx, &owned.app.next_code(&home)).await.unwrap();
    identity.change_password(&ctx, &secret(OTHER_PASSWORD), &secret("Amber-Railway-18")).await.unwrap();
    assert_eq!(kinds().await, ["factors-changed", "password-changed"]);
    identity.operator_recovery(&stranger(&home), NAME).await.unwrap();
    assert_eq!(kinds().await, ["recovery-asked"]);
    assert_eq!(identity.news(&ctx).await.unwrap().len(), 3, "the address itself was told, and no more");
});

both_engines!(a_password_that_is_due_is_mailed_once, |home| {
    let _proof = verifies!(AUT12);
    let owned = set_up_with(&home, mailing()).await;
    let (identity, ctx) = (&owned.identity, owned.ctx(&home).await);
    let (set, day) = (home.clockwork.now(), 24 * 3600);
    identity.change_email(&ctx, "ada@example.org").await.unwrap();
    let (_, token) = mailed(&home).await;
    identity.confirm_email(&stranger(&home), &token).await.unwrap();
    let due = async || {
        identity.tell_passwords_due(&upkeep(&home)).await.unwrap();
        let due = mails(&home).await.into_iter();
        due.map(|one| one.letter.unwrap().mail).collect::<Vec<_>>()
    };
    home.clockwork.advance(75 * day);
    assert!(due().await.is_empty());
    home.clockwork.advance(day);
    let told = due().await;
    let [Mail::PasswordDue { by }] = told.as_slice() else { panic!("{told:?}") };
    assert!((0..60).contains(&by.seconds_since(set.plus_seconds(90 * day)).abs()));
    assert!(due().await.is_empty(), "once for each password");
});

both_engines!(a_reset_sets_the_password_ends_sessions_and_asks_for_the_factor_all_the_same, |home| {
    let _proof = (verifies!(ACT01), verifies!(ACT02));
    let owned = set_up_with(&home, mailing()).await;
    let (identity, ctx) = (&owned.identity, owned.ctx(&home).await);
    identity.change_email(&ctx, "ada@example.org").await.unwrap();
    let (_, token) = mailed(&home).await;
    identity.confirm_email(&stranger(&home), &token).await.unwrap();

    identity.ask_reset(&stranger(&home), "nobody@example.org").await.unwrap();
    assert!(mails(&home).await.is_empty());
    identity.ask_reset(&stranger(&home), "ADA@example.org").await.unwrap();
    let (to, token) = mailed(&home).await;
    assert_eq!(to, "ADA@example.org");
    identity.ask_reset(&stranger(&home), "ada@example.org").await.unwrap();
    assert!(mails(&home).await.is_empty(), "not every few seconds");
    assert!(
        matches!(identity.confirm_email(&stranger(&home), &token).await, Err(Error::Link)),
        "for a reset"
    );
    let weak = identity.reset_password(&stranger(&home), &token, &secret("short")).await;
    assert!(matches!(weak, Err(Error::Password { .. })), "{weak:?}");
    identity.reset_password(&stranger(&home), &token, &secret(OTHER_PASSWORD)).await.unwrap();
    assert!(!is_in(identity, &home, &owned.done.session).await);
    let again = identity.reset_password(&stranger(&home), &token, &secret("Amber-Railway-18")).await;
    assert!(matches!(again, Err(Error::Link)), "{again:?}");
    assert!(matches!(mails(&home).await.remove(0).letter.unwrap().mail, Mail::PasswordChanged));
    let next = identity.sign_in(&stranger(&home), NAME, &secret(OTHER_PASSWORD), DEVICE).await.unwrap();
    assert!(matches!(next, Next::Factor { .. }), "the second factor stands: {next:?}");

    home.clockwork.advance(5 * 60);
    identity.ask_reset(&stranger(&home), "ada@example.org").await.unwrap();
    let (_, token) = mailed(&home).await;
    home.clockwork.advance(60 * 60);
    let late = identity.reset_password(&stranger(&home), &token, &secret("Amber-Railway-18")).await;
    assert!(matches!(late, Err(Error::Link)), "{late:?}");
});

both_engines!(a_closed_account_opens_nothing_until_it_is_opened_again, |home| {
    let _proof = verifies!(ACT02);
    let owned = set_up_with(&home, config()).await;
    let (identity, ctx) = (&owned.identity, owned.ctx(&home).await);
    let session = user(&owned, &home, GRACE).await;
    let grace: UserId = session.user;
    assert!(is_in(identity, &home, &session).await);
    identity.deactivate(&ctx, grace).await.unwrap();
    assert!(!is_in(identity, &home, &session).await);
    let refused = identity.sign_in(&stranger(&home), GRACE, &secret(PASSWORD), DEVICE).await;
    assert!(matches!(refused, Err(Error::Refused)), "{refused:?}");
    identity.reactivate(&ctx, grace).await.unwrap();
    assert!(!is_in(identity, &home, &session).await, "she signs in anew");
    assert!(identity.sign_in(&stranger(&home), GRACE, &secret(PASSWORD), DEVICE).await.is_ok());

    let last = identity.deactivate(&ctx, owned.done.session.user).await;
    assert!(matches!(last, Err(Error::LastOwner)), "{last:?}");
    assert!(matches!(identity.leave(&ctx).await, Err(Error::LastOwner)));
});

both_engines!(nobody_closes_an_account_with_more_rights_than_their_own, |home| {
    let _proof = verifies!(ACT02);
    let owned = set_up_with(&home, config()).await;
    let identity = &owned.identity;
    let ada = owned.done.session.user;
    let administrator = home.person_with("Admin", Roles::NONE.with(Role::Administrator)).await;
    for refused in [
        identity.deactivate(&administrator.ctx, ada).await,
        identity.remove_person(&administrator.ctx, ada).await,
        identity.end_sessions_of(&administrator.ctx, ada).await.map(drop),
    ] {
        assert!(matches!(refused, Err(Error::Denied(_))), "{refused:?}");
    }
    let directory = home.ctx(Actor::System(Job::Provisioning));
    assert!(matches!(identity.deactivate(&directory, administrator.id).await, Err(Error::Denied(_))));
    let grace = home.person(GRACE).await;
    identity.deactivate(&directory, grace.id).await.unwrap();
    assert!(matches!(identity.people(&grace.ctx, "", 0).await, Err(Error::Denied(_))));
});

both_engines!(deleting_takes_everything_and_leaves_the_others, |home| {
    let _proof = verifies!(ACT02);
    let owned = set_up_with(&home, mailing()).await;
    let (identity, ctx) = (&owned.identity, owned.ctx(&home).await);
    let session = user(&owned, &home, GRACE).await;
    let grace = ctx_of(identity, &home, &session).await;
    identity.change_email(&grace, "grace@example.org").await.unwrap();
    let (_, token) = mailed(&home).await;
    identity.confirm_email(&stranger(&home), &token).await.unwrap();
    identity.leave(&grace).await.unwrap();
    assert!(!is_in(identity, &home, &session).await);
    assert_eq!(identity.people(&ctx, "", 0).await.unwrap().found, 1);
    let farewell = mails(&home).await.remove(0).letter.expect("it opens though her key is gone");
    assert_eq!((farewell.to.as_str(), farewell.mail), ("grace@example.org", Mail::Deleted));
    let other = user(&owned, &home, "Other").await;
    identity.remove_person(&ctx, other.user).await.unwrap();
    assert!(matches!(identity.person(&ctx, other.user).await, Err(Error::NotFound)));
    let eleven_minutes = 11 * 60;
    home.clockwork.advance(eleven_minutes);
    let stale = identity.remove_person(&ctx_of(identity, &home, &owned.done.session).await, other.user).await;
    assert!(matches!(stale, Err(Error::Denied(denied)) if denied.missing.is_some()), "{stale:?}");
});

both_engines!(what_a_group_says_holds_for_the_next_request, |home| {
    let _proof = verifies!(GRP01);
    let owned = set_up_with(&home, config()).await;
    let (identity, ctx) = (&owned.identity, owned.ctx(&home).await);
    let session = user(&owned, &home, GRACE).await;
    let bounds = async || -> Bounds {
        let known = identity.recognise_session(&stranger(&home), &session.tokens).await.unwrap().unwrap();
        let ctx: Ctx = identity.acting_within_bounds(&stranger(&home), known.actor).await.unwrap();
        (*ctx.bounds).clone()
    };
    assert_eq!(bounds().await, Bounds::default());
    let rules = Bounds {
        temporary_only: true,
        models: Some(BTreeSet::from(["small".to_owned()])),
        messages: Quota { a_day: Some(3), a_month: None },
        ..Bounds::default()
    };
    let group = identity.make_group(&ctx, "Interns", &rules).await.unwrap();
    identity.put_in_group(&ctx, group, session.user).await.unwrap();
    let groups = BTreeSet::from(["Interns".to_owned()]);
    assert_eq!(bounds().await, Bounds { groups: groups.clone(), ..rules.clone() });
    identity.change_group(&ctx, group, "Interns", &Bounds::default()).await.unwrap();
    assert_eq!(bounds().await, Bounds { groups, ..Bounds::default() });
    assert!(matches!(identity.make_group(&ctx, "INTERNS", &rules).await, Err(Error::GroupTaken)));
    assert_eq!(identity.group_names(&ctx).await.unwrap()[&session.user], ["Interns"]);
    identity.take_out_of_group(&ctx, group, session.user).await.unwrap();
    assert!(matches!(identity.take_out_of_group(&ctx, group, session.user).await, Err(Error::NotFound)));
    identity.delete_group(&ctx, group).await.unwrap();
    let grace = ctx_of(identity, &home, &session).await;
    assert!(matches!(identity.make_group(&grace, "Mine", &rules).await, Err(Error::Denied(_))));
});
