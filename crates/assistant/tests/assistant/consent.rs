//! No call without consent: at its opening, when its settings change, and when consent is taken back.

use assistant::{Error, Keeping, Limits, Opening};
use domain::{
    Actor,
    access::Rights,
    consent::{Basis, Purpose, Standing},
    id::ApiKeyId,
    verifies,
    voice::{Command, Event, Failure, Settings, Why},
};
use providers::{Config, speech::SpeechConfig};
use serde_json::json;
use testkit::{Home, Person};
use tokio_util::sync::CancellationToken;

use crate::{
    house::{scripted, with_config},
    talk::{Talk, house, opening, silent},
};

/// What `person` agreed to in the wording `version`, while `2` is in force.
fn basis(person: &Person, version: u32, purposes: &[Purpose]) -> Basis {
    Basis::Consent(Standing::new(person.id, 2, version, purposes.iter().copied()))
}

fn asked(keeping: Keeping, basis: Basis) -> Opening {
    Opening { keeping, basis, desk: false, ended: CancellationToken::new() }
}

fn missing(refused: Result<assistant::Call, Error>) -> Purpose {
    match refused {
        Err(Error::NotAgreed(purpose)) => purpose,
        other => panic!("not refused for want of consent: {other:?}"),
    }
}

#[test]
fn a_person_is_heard_only_with_their_consent() {
    let _proof = verifies!(CON01);
    testkit::run(async {
        let home = Home::sqlite().await;
        let (ann, bob) = (home.person("ann").await, home.person("bob").await);
        let house = crate::house::assistant(&home);
        let unkept = Keeping::Temporary(None);
        for without in [
            Basis::Consent(Standing::none(ann.id, 2)),
            basis(&ann, 1, &Purpose::ALL),
            basis(&bob, 2, &Purpose::ALL),
            basis(&ann, 2, &[Purpose::KeepTranscript, Purpose::ShareSpeech]),
            Basis::Program,
        ] {
            let refused = house.call(&ann.ctx, asked(unkept, without)).await;
            assert_eq!(missing(refused), Purpose::ProcessCall);
        }
        assert_eq!(house.calls(), 0, "a refusal takes no room");
        let processed = || basis(&ann, 2, &[Purpose::ProcessCall]);
        let refused = house.call(&ann.ctx, asked(Keeping::Kept(None), processed())).await;
        assert_eq!(missing(refused), Purpose::KeepTranscript);
        assert!(house.list(&ann.ctx, false).await.unwrap().is_empty(), "a refusal leaves no chat behind");
        house.call(&ann.ctx, asked(unkept, processed())).await.expect("held, and not kept");
        let kept = basis(&ann, 2, &[Purpose::ProcessCall, Purpose::KeepTranscript]);
        house.call(&ann.ctx, asked(Keeping::Kept(None), kept)).await.expect("held and kept");
    });
}

#[test]
fn a_program_asks_its_callers_itself() {
    house(Limits::default(), async |assistant, ann| {
        let scopes = Rights::NONE.with(domain::Action::UseModel).with(domain::Action::Speech);
        let key = Actor::ApiKey { user: ann.id, key: ApiKeyId::fresh(&ann.ctx), scopes };
        let ctx = ann.ctx.acting_as(key);
        assistant.call(&ctx, asked(Keeping::Temporary(None), Basis::Program)).await.expect("a program calls");
        let refused = assistant.call(&ctx, opening(&ann)).await;
        assert_eq!(missing(refused), Purpose::ProcessCall, "a program does not call with a person's consent");
    });
}

/// A house where somebody elsewhere can be had to hear, and does so for everybody if `usual`.
fn with_vendor(usual: bool) -> Config {
    let endpoint = json!({
        "name": "away", "base_url": "https://speech.example/v1", "recognition_models": ["ear"],
    });
    let recognition = Some(if usual { "away/ear" } else { "scripted-ear" }.to_owned());
    Config {
        endpoints: vec![serde_json::from_value(endpoint).unwrap()],
        speech: SpeechConfig { recognition, ..SpeechConfig::default() },
        ..scripted()
    }
}

#[test]
fn a_third_party_hears_only_whom_it_may() {
    let _proof = verifies!(CON01);
    testkit::run(async {
        let home = Home::sqlite().await;
        let ann = home.person("ann").await;
        let here = [Purpose::ProcessCall, Purpose::KeepTranscript];
        let unkept = Keeping::Temporary(None);
        let usual = with_config(&home, with_vendor(true), Limits::default());
        let refused = usual.call(&ann.ctx, asked(unkept, basis(&ann, 2, &here))).await;
        assert_eq!(missing(refused), Purpose::ShareSpeech);
        usual.call(&ann.ctx, opening(&ann)).await.expect("with consent it is held");

        // Not the usual one: asked for when the call is settled.
        let chosen = with_config(&home, with_vendor(false), Limits::default());
        let mut settings = silent();
        settings.choice.recognition = Some("away/ear".to_owned());
        for (agreed, holds) in [(&here[..], false), (&Purpose::ALL[..], true)] {
            let mut call = chosen.call(&ann.ctx, asked(unkept, basis(&ann, 2, agreed))).await.unwrap();
            let settle = |settings: &Settings| Command::Configure(Box::new(settings.clone()));
            call.commands.send(settle(&settings)).await.unwrap();
            let told = call.events.recv().await;
            match holds {
                true => assert!(matches!(told, Some(Event::Ready)), "{told:?}"),
                false => {
                    assert!(matches!(told, Some(Event::Failed { failure: Failure::Settings })), "{told:?}");
                }
            }
        }
    });
}

#[test]
fn a_call_ends_when_its_ground_is_gone() {
    house(Limits::default(), async |assistant, ann| {
        let talk = Talk::begin(&assistant, &ann, Keeping::Temporary(None), silent()).await;
        talk.until(|event| matches!(event, Event::Ready)).await;
        talk.ended.cancel();
        assert_eq!(talk.end().await, Why::SessionEnded);
    });
}
