//! Passkeys: made, shown alone, after a password and to confirm; and every way in which one is not believed.

use domain::{Action, Actor, Job, Missing, Secret, audit::Act, verifies};
use identity::{Config, Error, NewSession, Next, Proof};
use testkit::{Home, both_engines};

use crate::{
    authenticator::{Authenticator, HOST, ORIGIN},
    scene::{DEVICE, NAME, Owned, PASSWORD, config, ctx_of, secret, set_up_with, stranger},
};

fn with_passkeys() -> Config {
    Config { passkey_origins: vec![ORIGIN.to_owned()], ..config() }
}

/// The owner with a passkey.
async fn owner(home: &Home) -> (Owned, Authenticator) {
    let owned = set_up_with(home, with_passkeys()).await;
    let device = add(home, &owned, Authenticator::new(7)).await;
    (owned, device)
}

async fn add(home: &Home, owned: &Owned, mut device: Authenticator) -> Authenticator {
    let ctx = owned.ctx(home).await;
    let asked = owned.identity.begin_passkey(&ctx, HOST).await.unwrap();
    let answer = device.make(&asked);
    let codes = owned.identity.finish_passkey(&ctx, &asked.ticket, "my telephone", &answer).await.unwrap();
    assert!(codes.is_none(), "the account had a factor before");
    device
}

async fn alone(home: &Home, owned: &Owned, device: &mut Authenticator) -> Result<NewSession, Error> {
    let asked = owned.identity.begin_passkey_sign_in(&stranger(home), HOST).unwrap();
    let answer = device.show(&asked);
    match owned.identity.sign_in_with_passkey(&stranger(home), &asked.ticket, &answer, DEVICE).await? {
        Next::Done(session) => Ok(session),
        other => panic!("{other:?}"),
    }
}

async fn acts(home: &Home) -> Vec<String> {
    let permit = home.instance(Job::Checks, Action::ReadInstance);
    store::audit::list(&home.store, &permit, 0, 1000).await.unwrap().into_iter().map(|one| one.act).collect()
}

both_engines!(a_passkey_opens_alone_after_the_password_and_confirms, |home| {
    let (owned, mut device) = owner(&home).await;
    let session = alone(&home, &owned, &mut device).await.unwrap();
    let ctx = ctx_of(&owned.identity, &home, &session).await;
    let Actor::Person { standing, .. } = ctx.actor else { panic!() };
    assert!(standing.shown.second_factor);

    let next = owned.identity.sign_in(&stranger(&home), NAME, &secret(PASSWORD), DEVICE).await.unwrap();
    let Next::Factor { ticket, passkey: true } = next else { panic!("{next:?}") };
    let asked = owned.identity.begin_passkey_factor(&stranger(&home), &ticket, HOST).await.unwrap();
    assert_eq!(asked.options["allowCredentials"].as_array().unwrap().len(), 1);
    assert_eq!(asked.options["userVerification"], "required");
    let answer = device.show(&asked);
    let done = owned
        .identity
        .finish_sign_in_with_passkey(&stranger(&home), &ticket, &asked.ticket, &answer, DEVICE)
        .await;
    assert!(matches!(done, Ok(Next::Done(_))), "{done:?}");

    home.clockwork.advance(11 * 60);
    let Error::Denied(denied) = owned.identity.begin_passkey(&ctx, HOST).await.unwrap_err() else { panic!() };
    assert_eq!(denied.missing, Some(Missing::StepUp));
    let asked = owned.identity.begin_passkey_confirmation(&ctx, HOST).await.unwrap();
    let answer = device.show(&asked);
    let proof = || Proof::Passkey { ceremony: asked.ticket.clone(), answer: answer.clone() };
    // Neither somebody else's session nor a second time.
    let elsewhere = owned.ctx(&home).await;
    owned.identity.confirm(&ctx, proof()).await.unwrap();
    assert!(matches!(owned.identity.confirm(&elsewhere, proof()).await, Err(Error::TicketGone)));
    let ctx = ctx_of(&owned.identity, &home, &session).await;
    assert!(owned.identity.begin_passkey(&ctx, HOST).await.is_ok());

    let factors = owned.identity.factors(&ctx).await.unwrap();
    assert_eq!(factors.passkeys[0].name, "my telephone");
    assert!(factors.passkeys[0].last_used.is_some() && factors.authenticator);
});

both_engines!(an_answer_counts_once, |home| {
    let _proof = verifies!(AUT09);
    let (owned, mut device) = owner(&home).await;
    let asked = owned.identity.begin_passkey_sign_in(&stranger(&home), HOST).unwrap();
    let answer = device.show(&asked);
    let show =
        async || owned.identity.sign_in_with_passkey(&stranger(&home), &asked.ticket, &answer, DEVICE).await;
    assert!(matches!(show().await, Ok(Next::Done(_))));
    assert!(matches!(show().await, Err(Error::TicketGone)));
    // Nor does it answer another question.
    let other = owned.identity.begin_passkey_sign_in(&stranger(&home), HOST).unwrap();
    let end = owned.identity.sign_in_with_passkey(&stranger(&home), &other.ticket, &answer, DEVICE).await;
    assert!(matches!(end, Err(Error::Refused)), "{end:?}");
    // A wrong answer uses the question up as well.
    let right = device.show(&other);
    let end = owned.identity.sign_in_with_passkey(&stranger(&home), &other.ticket, &right, DEVICE).await;
    assert!(matches!(end, Err(Error::TicketGone)), "{end:?}");
    // And a question is over after its time.
    let late = owned.identity.begin_passkey_sign_in(&stranger(&home), HOST).unwrap();
    let answer = device.show(&late);
    home.clockwork.advance(5 * 60);
    let end = owned.identity.sign_in_with_passkey(&stranger(&home), &late.ticket, &answer, DEVICE).await;
    assert!(matches!(end, Err(Error::TicketGone)), "{end:?}");
});

#[test]
fn what_an_authenticator_says_is_not_believed_when_anything_is_wrong() {
    let _proof = verifies!(AUT09);
    testkit::run(async {
        let home = testkit::store().await;
        let (owned, mut device) = owner(&home).await;
        let honest = device.says.clone();
        type Lie = fn(&mut Authenticator);
        let lies: [(&str, Lie); 7] = [
            ("another site", |device| device.says.origin = "https://evil.example".to_owned()),
            ("another port", |device| device.says.origin = "https://localhost:9443".to_owned()),
            ("no encryption", |device| device.says.origin = "http://localhost:8443".to_owned()),
            ("another relying party", |device| device.says.party = "evil.example".to_owned()),
            ("nobody verified", |device| device.says.verified = false),
            ("somebody else's", |device| device.says.user = Some(vec![1; 16])),
            ("nobody's", |device| device.says.user = None),
        ];
        for (what, lie) in lies {
            lie(&mut device);
            let end = alone(&home, &owned, &mut device).await;
            assert!(matches!(end, Err(Error::Refused)), "{what}: {end:?}");
            device.says = honest.clone();
        }
        // Another key under the same name, and an answer that is none.
        let mut other = Authenticator::new(7);
        other.says = honest.clone();
        other.counter = 100;
        assert!(matches!(alone(&home, &owned, &mut other).await, Err(Error::Refused)));
        for text in ["", "{}", "null", &"x".repeat(100_000)] {
            let asked = owned.identity.begin_passkey_sign_in(&stranger(&home), HOST).unwrap();
            let end =
                owned.identity.sign_in_with_passkey(&stranger(&home), &asked.ticket, text, DEVICE).await;
            assert!(matches!(end, Err(Error::Refused)), "{end:?}");
        }
        assert!(alone(&home, &owned, &mut device).await.is_ok(), "the honest one still opens");
        let nowhere = owned.identity.begin_passkey_sign_in(&stranger(&home), "127.0.0.1");
        assert!(matches!(nowhere, Err(Error::NoPasskeysHere)));
    });
}

both_engines!(a_counter_that_goes_back_puts_the_passkey_out_of_use, |home| {
    let _proof = verifies!(AUT09);
    let (owned, mut device) = owner(&home).await;
    for _ in 0..3 {
        alone(&home, &owned, &mut device).await.unwrap();
    }
    // A copy that was made before the last use.
    device.counter = 1;
    assert!(matches!(alone(&home, &owned, &mut device).await, Err(Error::Refused)));
    assert!(acts(&home).await.contains(&Act::PasskeySuspended.name()));
    // From now on neither of the two opens.
    device.counter = 50;
    assert!(matches!(alone(&home, &owned, &mut device).await, Err(Error::Refused)));
    let ctx = owned.ctx(&home).await;
    let factors = owned.identity.factors(&ctx).await.unwrap();
    assert!(factors.passkeys[0].suspended && factors.count() == 1, "the authenticator is left");
    owned.identity.remove_passkey(&ctx, factors.passkeys[0].id).await.unwrap();
    assert!(owned.identity.factors(&ctx).await.unwrap().passkeys.is_empty());
});

both_engines!(of_two_copies_that_answer_at_once_one_is_refused, |home| {
    let _proof = verifies!(AUT09);
    let (owned, mut device) = owner(&home).await;
    let counter = device.counter;
    let mut answers = Vec::new();
    for _ in 0..2 {
        device.counter = counter;
        let asked = owned.identity.begin_passkey_sign_in(&stranger(&home), HOST).unwrap();
        answers.push((device.show(&asked), asked.ticket));
    }
    let show = async |(answer, ticket): &(String, Secret<String>)| {
        owned.identity.sign_in_with_passkey(&stranger(&home), ticket, answer, DEVICE).await
    };
    let (one, two) = tokio::join!(show(&answers[0]), show(&answers[1]));
    assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
    assert!(matches!(one.and(two), Err(Error::Refused)));
});

both_engines!(a_passkey_out_of_use_still_guards_its_account, |home| {
    let owned = set_up_with(&home, with_passkeys()).await;
    crate::factors::somebody(&home, &owned, "Grace", None).await;
    let grace = secret(PASSWORD);
    let Next::Done(session) =
        owned.identity.sign_in(&stranger(&home), "Grace", &grace, DEVICE).await.unwrap()
    else {
        panic!()
    };
    let ctx = ctx_of(&owned.identity, &home, &session).await;
    let mut device = Authenticator::new(3);
    let asked = owned.identity.begin_passkey(&ctx, HOST).await.unwrap();
    let answer = device.make(&asked);
    let codes = owned.identity.finish_passkey(&ctx, &asked.ticket, "first", &answer).await.unwrap().unwrap();
    assert_eq!(codes.len(), 10, "the first factor brings them");
    for counter in [5, 1] {
        device.counter = counter;
        let _ = alone(&home, &owned, &mut device).await;
    }
    let next = owned.identity.sign_in(&stranger(&home), "Grace", &grace, DEVICE).await.unwrap();
    let Next::Factor { ticket, passkey: false } = next else { panic!("{next:?}") };
    let done = owned.identity.finish_sign_in(&stranger(&home), &ticket, codes[0].expose(), DEVICE).await;
    assert!(matches!(done, Ok(Next::Done(_))), "{done:?}");
});

both_engines!(a_registration_is_bound_to_its_person_and_happens_once, |home| {
    let _proof = verifies!(AUT09);
    let (owned, mut device) = owner(&home).await;
    let ctx = owned.ctx(&home).await;
    let asked = owned.identity.begin_passkey(&ctx, HOST).await.unwrap();
    let excluded = asked.options["excludeCredentials"].as_array().unwrap();
    assert_eq!(excluded.len(), 1, "the authenticator is told what it holds already");
    let algorithms = asked.options["pubKeyCredParams"].to_string();
    assert!(algorithms.contains("-7") && !algorithms.contains("-257"), "{algorithms}");
    // The same credential again.
    let again = device.make(&asked);
    let end = owned.identity.finish_passkey(&ctx, &asked.ticket, "again", &again).await;
    assert!(matches!(end, Err(Error::Refused)), "{end:?}");
    // Somebody else's question, and one for a sign-in.
    let grace = home.person("Grace").await;
    let mut other = Authenticator::new(9);
    let asked = owned.identity.begin_passkey(&ctx, HOST).await.unwrap();
    let answer = other.make(&asked);
    let end = owned.identity.finish_passkey(&grace.ctx, &asked.ticket, "mine", &answer).await;
    assert!(matches!(end, Err(Error::TicketGone)), "{end:?}");
    let asked = owned.identity.begin_passkey_sign_in(&stranger(&home), HOST).unwrap();
    let end = owned.identity.finish_passkey(&ctx, &asked.ticket, "x", &answer).await;
    assert!(matches!(end, Err(Error::TicketGone)), "{end:?}");
    // From another site, without verification, with a name that is none.
    type Lie = fn(&mut Authenticator);
    let lies: [Lie; 2] =
        [|one| one.says.origin = "https://evil.example".to_owned(), |one| one.says.verified = false];
    for lie in lies {
        let mut other = Authenticator::new(9);
        lie(&mut other);
        let asked = owned.identity.begin_passkey(&ctx, HOST).await.unwrap();
        let answer = other.make(&asked);
        let end = owned.identity.finish_passkey(&ctx, &asked.ticket, "x", &answer).await;
        assert!(matches!(end, Err(Error::Refused)), "{end:?}");
    }
    let asked = owned.identity.begin_passkey(&ctx, HOST).await.unwrap();
    assert!(matches!(owned.identity.finish_passkey(&ctx, &asked.ticket, " ", "{}").await, Err(Error::Label)));
});
