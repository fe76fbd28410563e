//! Consent as `web` sees it: agreed to, read, taken back; and what rests on it ends.

#![expect(clippy::unwrap_used, reason = "a test whose steps do not succeed has failed")]

use domain::{
    Action, Actor, Denied, Job,
    access::Rights,
    audit::{Act, Entry},
    consent::Purpose,
    id::ApiKeyId,
    verifies,
};
use privacy::{Error, Offer, Privacy};
use testkit::{Home, both_engines};

const CALL: Purpose = Purpose::ProcessCall;
const KEEP: Purpose = Purpose::KeepTranscript;
const SHARE: Purpose = Purpose::ShareSpeech;

fn privacy(home: &Home, vendors: &[&str]) -> Privacy {
    let shares_with = vendors.iter().map(|vendor| (*vendor).to_owned()).collect();
    Privacy::new(home.store.clone(), Offer { shares_with }).unwrap()
}

both_engines!(what_is_agreed_to_stands_until_it_is_taken_back, |home| {
    let privacy = privacy(&home, &["speech.example"]);
    let (ada, eve) = (home.person("Ada").await, home.person("Eve").await);
    let version = privacy.letter("en").version;
    assert!(!privacy.standing(&ada.ctx).await.unwrap().allows(CALL));
    let standing = privacy.agree(&ada.ctx, version, &[SHARE, CALL, KEEP], "hi-IN").await.unwrap();
    assert_eq!(standing, privacy.standing(&ada.ctx).await.unwrap());
    assert!([CALL, KEEP, SHARE].into_iter().all(|purpose| standing.allows(purpose)));
    assert!(!privacy.standing(&eve.ctx).await.unwrap().allows(CALL), "everybody for themselves");

    home.clockwork.advance(60);
    // The whole answer: what is not ticked any more is taken back.
    privacy.agree(&ada.ctx, version, &[CALL, KEEP], "en").await.unwrap();
    assert!(!privacy.standing(&ada.ctx).await.unwrap().allows(SHARE));
    privacy.agree(&ada.ctx, version, &[CALL, KEEP], "hi").await.unwrap();
    home.clockwork.advance(60);
    privacy.withdraw(&ada.ctx, Some(KEEP)).await.unwrap();
    privacy.withdraw(&ada.ctx, Some(KEEP)).await.unwrap();
    let standing = privacy.withdraw(&ada.ctx, Some(CALL)).await.unwrap();
    assert_eq!(standing.agreed().count(), 0);
    let told: Vec<_> = privacy.history(&ada.ctx).await.unwrap();
    let lines: Vec<_> = told.iter().map(|record| (record.purpose, record.given)).collect();
    assert_eq!(
        lines,
        [(CALL, false), (KEEP, false), (SHARE, false), (CALL, true), (KEEP, true), (SHARE, true)]
    );
    assert!(told.iter().all(|record| record.version == version));
    assert_eq!(
        (told[5].language.as_str(), &told[5].shared_with[..]),
        ("hi", &["speech.example".to_owned()][..])
    );
    assert_eq!(told[2].shared_with, told[5].shared_with, "it says with whom, also when it is taken back");
    assert_eq!(told[2].at.seconds_since(told[5].at), 60);
    assert_eq!(privacy.history(&eve.ctx).await.unwrap(), []);
});

both_engines!(all_of_it_is_taken_back_at_once, |home| {
    let privacy = privacy(&home, &[]);
    let ada = home.person("Ada").await;
    assert_eq!(privacy.withdraw(&ada.ctx, None).await.unwrap().version(), None, "there was nothing");
    let version = privacy.letter("en").version;
    for everything in [None, Some(CALL)] {
        privacy.agree(&ada.ctx, version, &[CALL, KEEP], "en").await.unwrap();
        let standing = privacy.withdraw(&ada.ctx, everything).await.unwrap();
        assert_eq!(standing.agreed().count(), 0, "nothing stands without the call itself");
    }
});

#[test]
fn only_the_letter_in_force_can_be_answered() {
    let _proof = verifies!(CON04);
    testkit::run(async {
        let home = Home::sqlite().await;
        let (privacy, ada) = (privacy(&home, &[]), home.person("Ada").await);
        let version = privacy.letter("en").version;
        for other in [0, version + 1, u32::MAX] {
            let refused = privacy.agree(&ada.ctx, other, &[CALL], "en").await;
            assert!(matches!(refused, Err(Error::Superseded)), "{refused:?}");
        }
        for wrong in [&[CALL, CALL][..], &[CALL, SHARE], &[CALL, Purpose::KeepAudio]] {
            let refused = privacy.agree(&ada.ctx, version, wrong, "en").await;
            assert!(matches!(refused, Err(Error::Purposes)), "{wrong:?}: {refused:?}");
        }
        for wrong in [&[][..], &[KEEP]] {
            let refused = privacy.agree(&ada.ctx, version, wrong, "en").await;
            assert!(matches!(refused, Err(Error::Required)), "{refused:?}");
        }
        assert_eq!(privacy.history(&ada.ctx).await.unwrap(), []);
    });
}

#[test]
fn nobody_else_agrees() {
    testkit::run(async {
        let home = Home::sqlite().await;
        let (privacy, ada) = (privacy(&home, &[]), home.person("Ada").await);
        let key = Actor::ApiKey { user: ada.id, key: ApiKeyId::fresh(&ada.ctx), scopes: Rights::NONE };
        for actor in [Actor::Anonymous, Actor::System(Job::Upkeep), key] {
            let ctx = ada.ctx.acting_as(actor);
            let version = privacy.letter("en").version;
            assert!(matches!(privacy.agree(&ctx, version, &[CALL], "en").await, Err(Error::Denied(_))));
            assert!(matches!(privacy.withdraw(&ctx, None).await, Err(Error::Denied(_))));
            assert!(matches!(privacy.standing(&ctx).await, Err(Error::Denied(_))));
            assert!(matches!(privacy.history(&ctx).await, Err(Error::Denied(_))));
            assert!(matches!(privacy.hold(&ctx, &[]).await, Err(Error::Denied(_))));
        }
        let nobody = ada.ctx.acting_as(Actor::Anonymous);
        assert!(matches!(privacy.standing(&nobody).await, Err(Error::Denied(Denied::ANONYMOUS))));
    });
}

#[test]
fn another_party_is_asked_about_anew() {
    testkit::run(async {
        let home = Home::sqlite().await;
        let ada = home.person("Ada").await;
        let one = privacy(&home, &["one.example", "two.example"]);
        let version = one.letter("en").version;
        one.agree(&ada.ctx, version, &[CALL, SHARE], "en").await.unwrap();
        let fewer = privacy(&home, &["two.example"]).standing(&ada.ctx).await.unwrap();
        assert!(fewer.allows(SHARE), "one of those that were named");
        let other = privacy(&home, &["two.example", "three.example"]);
        let standing = other.standing(&ada.ctx).await.unwrap();
        assert!(standing.allows(CALL) && !standing.allows(SHARE), "nobody was asked about the third");
        other.agree(&ada.ctx, version, &[CALL, SHARE], "en").await.unwrap();
        assert!(other.standing(&ada.ctx).await.unwrap().allows(SHARE));
        let told = other.history(&ada.ctx).await.unwrap();
        assert_eq!((told.len(), told[0].purpose, told[0].given), (3, SHARE, true), "{told:?}");
    });
}

both_engines!(what_rests_on_consent_ends_with_it, |home| {
    let _proof = verifies!(CON03);
    let (privacy, replica) = (privacy(&home, &[]), privacy(&home, &[]));
    let (ada, eve) = (home.person("Ada").await, home.person("Eve").await);
    let version = privacy.letter("en").version;
    let refused = privacy.hold(&ada.ctx, &[]).await;
    assert!(matches!(refused, Err(Error::NotAgreed(CALL))), "{refused:?}");
    for person in [&ada, &eve] {
        privacy.agree(&person.ctx, version, &[CALL], "en").await.unwrap();
    }
    let refused = privacy.hold(&ada.ctx, &[KEEP]).await;
    assert!(matches!(refused, Err(Error::NotAgreed(KEEP))), "{refused:?}");
    privacy.agree(&ada.ctx, version, &[CALL, KEEP], "en").await.unwrap();
    let unkept = privacy.hold(&ada.ctx, &[]).await.unwrap();
    let kept = privacy.hold(&ada.ctx, &[KEEP]).await.unwrap();
    let hers = privacy.hold(&eve.ctx, &[]).await.unwrap();
    let away = replica.hold(&ada.ctx, &[]).await.unwrap();
    assert!(unkept.standing().allows(CALL) && kept.standing().allows(KEEP));
    let ended = || [&unkept, &kept, &hers, &away].map(|hold| hold.token().is_cancelled());
    privacy.agree(&ada.ctx, version, &[CALL, KEEP], "hi").await.unwrap();
    assert_eq!(ended(), [false; 4], "to agree again ends nothing");
    privacy.withdraw(&ada.ctx, Some(KEEP)).await.unwrap();
    assert_eq!(ended(), [false, true, false, false], "what needs it, at once");
    replica.look_again().await.unwrap();
    assert_eq!(ended(), [false, true, false, false]);
    privacy.withdraw(&ada.ctx, Some(CALL)).await.unwrap();
    assert_eq!(ended(), [true, true, false, false]);
    replica.look_again().await.unwrap();
    assert_eq!(ended(), [true, true, false, true], "the other replica looked again");

    // An account that is gone agrees to nothing.
    let mut tx = home.store.begin(&eve.ctx).await.unwrap();
    store::people::remove(&mut tx, &eve.permit(Action::ManageCredentials), eve.id).await.unwrap();
    tx.commit(Entry::new(Act::AccountDeleted, eve.id)).await.unwrap();
    privacy.look_again().await.unwrap();
    assert!(hers.token().is_cancelled());
});

#[test]
fn acts_are_noted_without_content() {
    testkit::run(async {
        let home = Home::sqlite().await;
        let (privacy, ada) = (privacy(&home, &[]), home.person("Ada").await);
        let version = privacy.letter("en").version;
        privacy.agree(&ada.ctx, version, &[CALL, KEEP], "en").await.unwrap();
        privacy.agree(&ada.ctx, version, &[CALL, KEEP], "en").await.unwrap();
        privacy.withdraw(&ada.ctx, None).await.unwrap();
        privacy.withdraw(&ada.ctx, None).await.unwrap();
        let look = home.instance(Job::Checks, Action::ReadInstance);
        let log = store::audit::list(&home.store, &look, 0, 100).await.unwrap();
        let told: Vec<_> = log.iter().skip(2).map(|record| (record.act.as_str(), record.count)).collect();
        assert_eq!(told, [("consent-given", 2), ("consent-withdrawn", 2)], "what changed nothing is no act");
        assert!(log[2..].iter().all(|record| record.target == ada.id.to_string()));
    });
}
