//! The way back for those who lost their factors, and every way of abusing it.

use domain::{Actor, Ctx, Denied, Missing, access::Role, audit::Act, verifies};
use identity::{Error, Identity, Next, RecoveryAsked, Unfit, Waiting};
use testkit::{Home, both_engines};

use crate::{
    factors::{enrol, somebody},
    scene::{App, DEVICE, NAME, Owned, PASSWORD, ctx_of, secret, set_up, stranger, upkeep},
};

const HOUR: i64 = 3600;

/// Ada, who lost her factors, and two people who may agree.
pub(crate) struct Lost {
    pub(crate) owned: Owned,
    pub(crate) grace: Ctx,
    pub(crate) hedy: Ctx,
}

pub(crate) async fn lost(home: &Home) -> Lost {
    let mut owned = set_up(home).await;
    let people = [("Grace", Role::Administrator), ("Hedy", Role::SecurityOfficer)];
    for (name, role) in people {
        somebody(home, &owned, name, Some(role)).await;
    }
    // So long they are here before they count.
    home.clockwork.advance(8 * 24 * HOUR);
    owned.done.session = owned.sign_in(home, PASSWORD).await.unwrap();
    let mut others = Vec::new();
    for (name, _) in people {
        let (session, _) = enrol(&owned.identity, home, name).await;
        others.push(ctx_of(&owned.identity, home, &session).await);
    }
    let (hedy, grace) = (others.pop().unwrap(), others.pop().unwrap());
    Lost { owned, grace, hedy }
}

impl Lost {
    pub(crate) async fn ask(&self, home: &Home) -> RecoveryAsked {
        let ticket = self.owned.ticket(home, PASSWORD).await.unwrap();
        let asked = self.owned.identity.ask_recovery(&stranger(home), &ticket).await.unwrap();
        // The ticket has done its work.
        let again = self.owned.identity.ask_recovery(&stranger(home), &ticket).await;
        assert!(matches!(again, Err(Error::TicketGone)), "{again:?}");
        asked
    }

    pub(crate) async fn agree(&self, ctx: &Ctx, asked: &RecoveryAsked) -> Result<(), Error> {
        let open = self.owned.identity.recoveries(ctx).await?;
        let id = open.first().ok_or(Error::NotFound)?.id;
        self.owned.identity.approve_recovery(ctx, id, asked.word.expose()).await
    }

    pub(crate) async fn claim(&self, home: &Home, asked: &RecoveryAsked) -> Result<Next, Error> {
        claim(&self.owned, &self.owned.identity, home, asked).await
    }
}

async fn claim(
    owned: &Owned,
    identity: &Identity,
    home: &Home,
    asked: &RecoveryAsked,
) -> Result<Next, Error> {
    let ticket = owned.ticket(home, PASSWORD).await?;
    identity.finish_sign_in(&stranger(home), &ticket, asked.code.expose(), DEVICE).await
}

both_engines!(two_people_a_day_and_the_code_lead_to_a_new_factor_once, |home| {
    let _proof = verifies!(AUT11);
    let lost = lost(&home).await;
    let elsewhere = lost.owned.ctx(&home).await;
    let asked = lost.ask(&home).await;
    let end = lost.claim(&home, &asked).await;
    assert!(matches!(end, Err(Error::NotYet(Waiting::Agreement))), "{end:?}");
    lost.agree(&lost.grace, &asked).await.unwrap();
    let end = lost.claim(&home, &asked).await;
    assert!(matches!(end, Err(Error::NotYet(Waiting::Agreement))), "one is not enough: {end:?}");
    lost.agree(&lost.hedy, &asked).await.unwrap();
    // Every session of hers shows it meanwhile.
    let notice = lost.owned.identity.notices(&elsewhere).await.unwrap().recovery.unwrap();
    assert!(notice.ready.is_some() && !notice.operator);
    let end = lost.claim(&home, &asked).await;
    assert!(matches!(end, Err(Error::NotYet(Waiting::Hours { hours: 24 }))), "too early: {end:?}");
    home.clockwork.advance(24 * HOUR);
    let Ok(Next::Enrol(pending)) = lost.claim(&home, &asked).await else { panic!() };
    let app = App::new(pending.secret_base32.expose());
    let code = app.code(&home);
    let done =
        lost.owned.identity.finish_enrolment(&stranger(&home), &pending.ticket, &code, DEVICE).await.unwrap();
    let known = lost.owned.identity.recognise_session(&stranger(&home), &done.session.tokens).await;
    assert_eq!(known.unwrap().unwrap().name, NAME);
    // What was before is over: the old authenticator, the old sessions, the old recovery codes.
    let ticket = lost.owned.ticket(&home, PASSWORD).await.unwrap();
    for old in [lost.owned.app.next_code(&home), lost.owned.done.recovery_codes[0].expose().clone()] {
        let end = lost.owned.identity.finish_sign_in(&stranger(&home), &ticket, &old, DEVICE).await;
        assert!(matches!(end, Err(Error::Refused)), "{end:?}");
    }
    let old = &lost.owned.done.session.tokens;
    assert!(lost.owned.identity.recognise_session(&stranger(&home), old).await.unwrap().is_none());
    // And the code opens nothing a second time.
    let end = lost.claim(&home, &asked).await;
    assert!(matches!(end, Err(Error::Refused)), "replayed: {end:?}");
});

both_engines!(nobody_agrees_twice_nor_to_their_own_nor_without_the_word, |home| {
    let _proof = verifies!(AUT11);
    let lost = lost(&home).await;
    let asked = lost.ask(&home).await;
    let identity = &lost.owned.identity;
    let id = identity.recoveries(&lost.grace).await.unwrap()[0].id;
    // Not her own, though her role would let her; nor with another word.
    let ada = lost.owned.ctx(&home).await;
    let end = identity.approve_recovery(&ada, id, asked.word.expose()).await;
    assert!(matches!(end, Err(Error::Denied(Denied { missing: None }))), "{end:?}");
    assert!(!identity.recoveries(&ada).await.unwrap()[0].open_to_me);
    for word in ["AAAAAA", "", "x"] {
        assert!(
            matches!(identity.approve_recovery(&lost.grace, id, word).await, Err(Error::Refused)),
            "{word}"
        );
    }
    lost.agree(&lost.grace, &asked).await.unwrap();
    let end = lost.agree(&lost.grace, &asked).await;
    assert!(matches!(end, Err(Error::AgreedAlready)), "{end:?}");
    assert_eq!(identity.recoveries(&lost.hedy).await.unwrap()[0].agreed, 1);
    // An account that was made after the request is no second person.
    somebody(&home, &lost.owned, "Puppet", Some(Role::Administrator)).await;
    let (session, _) = enrol(identity, &home, "Puppet").await;
    let puppet = ctx_of(identity, &home, &session).await;
    let end = identity.approve_recovery(&puppet, id, asked.word.expose()).await;
    assert!(matches!(end, Err(Error::Unfit(Unfit::NotSecond))), "{end:?}");
    // Nor somebody without the right, or whose confirmation is old.
    somebody(&home, &lost.owned, "User", None).await;
    let Next::Done(session) =
        identity.sign_in(&stranger(&home), "User", &secret(PASSWORD), DEVICE).await.unwrap()
    else {
        panic!()
    };
    let user = ctx_of(identity, &home, &session).await;
    assert!(matches!(identity.recoveries(&user).await, Err(Error::Denied(_))));
    home.clockwork.advance(11 * 60);
    let end = identity.approve_recovery(&lost.hedy, id, asked.word.expose()).await;
    assert!(matches!(end, Err(Error::Denied(Denied { missing: Some(Missing::StepUp) }))), "{end:?}");
});

both_engines!(its_person_calls_it_off_and_somebody_else_may_refuse, |home| {
    let _proof = verifies!(AUT11);
    let lost = lost(&home).await;
    let identity = &lost.owned.identity;
    let asked = lost.ask(&home).await;
    lost.agree(&lost.grace, &asked).await.unwrap();
    lost.agree(&lost.hedy, &asked).await.unwrap();
    home.clockwork.advance(23 * HOUR);
    let session = lost.owned.sign_in(&home, PASSWORD).await.unwrap();
    let ada = ctx_of(identity, &home, &session).await;
    home.clockwork.advance(HOUR);
    // She calls it off while somebody is already choosing a factor.
    let Ok(Next::Enrol(pending)) = lost.claim(&home, &asked).await else { panic!() };
    identity.call_off_recovery(&ada).await.unwrap();
    let app = App::new(pending.secret_base32.expose());
    let code = app.code(&home);
    let end = identity.finish_enrolment(&stranger(&home), &pending.ticket, &code, DEVICE).await;
    assert!(matches!(end, Err(Error::TicketGone)), "{end:?}");
    assert!(matches!(lost.claim(&home, &asked).await, Err(Error::Refused)));
    assert!(matches!(identity.call_off_recovery(&ada).await, Err(Error::NotFound)));
    assert_eq!(identity.notices(&ada).await.unwrap().recovery, None);
    // The factors she has still work.
    assert!(lost.owned.sign_in(&home, PASSWORD).await.is_ok());
});

both_engines!(a_new_request_ends_the_one_before_and_time_ends_every_one, |home| {
    let lost = lost(&home).await;
    let identity = &lost.owned.identity;
    let first = lost.ask(&home).await;
    lost.agree(&lost.grace, &first).await.unwrap();
    let second = lost.ask(&home).await;
    assert_ne!(first.word.expose(), second.word.expose());
    // What was agreed to is gone with it.
    let open = identity.recoveries(&lost.hedy).await.unwrap();
    assert_eq!((open.len(), open[0].agreed), (1, 0));
    assert!(matches!(
        identity.approve_recovery(&lost.hedy, open[0].id, first.word.expose()).await,
        Err(Error::Refused)
    ));
    assert!(matches!(lost.claim(&home, &first).await, Err(Error::Refused)));
    identity.refuse_recovery(&lost.hedy, open[0].id).await.unwrap();
    assert!(matches!(lost.claim(&home, &second).await, Err(Error::Refused)));
    let third = lost.ask(&home).await;
    home.clockwork.advance(7 * 24 * HOUR);
    assert!(matches!(lost.claim(&home, &third).await, Err(Error::Refused)));
    home.clockwork.advance(30 * 24 * HOUR);
    identity.sweep(&upkeep(&home)).await.unwrap();
});

both_engines!(with_one_administrator_the_operator_remains, |home| {
    let owned = set_up(&home).await;
    let ticket = owned.ticket(&home, PASSWORD).await.unwrap();
    let end = owned.identity.ask_recovery(&stranger(&home), &ticket).await;
    assert!(matches!(end, Err(Error::NobodyToAsk)), "{end:?}");
    assert!(Error::NobodyToAsk.to_string().contains("troth recover"));
    let system = home.ctx(Actor::System(domain::Job::Authentication));
    assert!(matches!(owned.identity.operator_recovery(&system, "Nobody").await, Err(Error::NotFound)));
    let asked = owned.identity.operator_recovery(&system, NAME).await.unwrap();
    let ada = owned.ctx(&home).await;
    assert!(owned.identity.notices(&ada).await.unwrap().recovery.unwrap().operator);
    assert!(owned.identity.recoveries(&ada).await.unwrap().is_empty(), "nobody is asked to agree");
    let permit = home.instance(domain::Job::Checks, domain::Action::ReadInstance);
    let log = store::audit::list(&home.store, &permit, 0, 1000).await.unwrap();
    assert!(log.iter().any(|one| one.act == Act::RecoveryRequested.name()));
    let Ok(Next::Enrol(_)) = claim(&owned, &owned.identity, &home, &asked).await else { panic!() };
    home.clockwork.advance(HOUR);
    assert!(matches!(claim(&owned, &owned.identity, &home, &asked).await, Err(Error::Refused)));
});
