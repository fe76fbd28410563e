//! What a group says, kept to in the chat and for programs.

use std::{collections::BTreeSet, sync::Arc};

use assistant::{Assistant, Counted, Error, Limits, Place, TurnEvent};
use domain::{
    Actor, Ctx,
    bounds::{Bounds, Quota},
    id::{ApiKeyId, ConversationId},
    model::{Line, Prompt, Speaker},
    verifies,
};
use futures::StreamExt;
use providers::{Config, speech::SpeechKind};
use testkit::{Home, Person};

use crate::house::{ask, assistant, import, say, scripted, with_config};

fn within(person: &Person, bounds: Bounds) -> Ctx {
    let mut ctx = person.ctx.clone();
    ctx.bounds = Arc::new(bounds);
    ctx
}

fn messages(a_day: u64) -> Bounds {
    Bounds { messages: Quota { a_day: Some(a_day), a_month: None }, ..Bounds::default() }
}

fn left(assistant: &Assistant, ctx: &Ctx, what: Counted) -> impl Future<Output = u64> {
    let (assistant, ctx) = (assistant.clone(), ctx.clone());
    async move {
        let all = assistant.allowances(&ctx).await.unwrap();
        all.into_iter().find(|one| one.what == what).expect("a quota").left
    }
}

#[test]
fn temporary_only_means_nothing_is_kept() {
    let _proof = verifies!(GRP01);
    testkit::run(async {
        let home = Home::sqlite().await;
        let ann = home.person("ann").await;
        let assistant = assistant(&home);
        let kept = assistant.begin(&ann.ctx).await.unwrap();
        let export = ask(&assistant, &ann.ctx, say(Place::Kept(kept), "before")).await;
        assert!(export.error.is_none());
        let ctx = within(&ann, Bounds { temporary_only: true, ..Bounds::default() });
        assert!(matches!(assistant.begin(&ctx).await, Err(Error::TemporaryOnly)));
        let refused = assistant.respond(&ctx, say(Place::Kept(kept), "more")).await;
        assert!(matches!(refused, Err(Error::TemporaryOnly)), "{refused:?}");
        assert!(matches!(import(&assistant, &ctx, b"{}").await.map(drop), Err(Error::TemporaryOnly)));
        assert_eq!(assistant.open(&ctx, kept).await.unwrap().tree.messages().len(), 2, "what was kept stays");
        let fresh = Place::Temporary(assistant.begin_temporary(&ctx).unwrap());
        assert!(ask(&assistant, &ctx, say(fresh, "hello")).await.error.is_none());
    });
}

#[test]
fn a_model_outside_the_group_is_not_there() {
    let _proof = verifies!(GRP01);
    testkit::run(async {
        let home = Home::sqlite().await;
        let ann = home.person("ann").await;
        let assistant = assistant(&home);
        let only = |model: &str| {
            within(&ann, Bounds { models: Some(BTreeSet::from([model.to_owned()])), ..Bounds::default() })
        };
        let (in_it, outside) = (only("scripted"), only("another"));
        assert_eq!(assistant.default_model_for(&in_it).as_deref(), Some("scripted"));
        assert!(
            assistant.models_for(&outside).is_empty() && assistant.embedding_models_for(&outside).is_empty()
        );
        let place = Place::Temporary(assistant.begin_temporary(&outside).unwrap());
        let mut named = say(place, "hello");
        named.model = Some("scripted".to_owned());
        assert!(matches!(assistant.respond(&outside, named).await, Err(Error::UnknownModel)));
        let prompt = Prompt::new("scripted", vec![Line::new(Speaker::User, "hello")]);
        assert!(matches!(
            assistant.complete(&outside, prompt.clone()).await.map(drop),
            Err(Error::UnknownModel)
        ));
        let embedded = assistant.embed(&outside, "scripted", vec!["a".into()]).await;
        assert!(matches!(embedded, Err(Error::UnknownModel)));
        assert!(assistant.complete(&in_it, prompt).await.is_ok());
    });
}

#[test]
fn a_voice_elsewhere_outside_the_group_is_not_there() {
    let _proof = verifies!(GRP01);
    testkit::run(async {
        let home = Home::sqlite().await;
        let ann = home.person("ann").await;
        let endpoint = serde_json::json!({
            "name": "work", "base_url": "https://models.example/v1", "speech_models": ["voice"]
        });
        let endpoints = vec![serde_json::from_value(endpoint).unwrap()];
        let assistant = with_config(&home, Config { endpoints, ..scripted() }, Limits::default());
        let only = |model: &str| {
            within(&ann, Bounds { models: Some(BTreeSet::from([model.to_owned()])), ..Bounds::default() })
        };
        let voice = |ctx: &Ctx| assistant.speech_model(ctx, SpeechKind::Synthesis, Some("work/voice"));
        assert!(matches!(voice(&only("scripted")), Err(Error::UnknownModel)));
        assert_eq!(voice(&only("work/voice")).unwrap().id, "work/voice");
    });
}

#[test]
fn a_quota_of_messages_holds_for_the_chat_and_for_programs_together() {
    let _proof = verifies!(GRP02);
    testkit::run(async {
        let home = Home::sqlite().await;
        let ann = home.person("ann").await;
        let assistant = assistant(&home);
        let ctx = within(&ann, messages(3));
        let key = ApiKeyId::fresh(&ann.ctx);
        let mut program =
            home.ctx(Actor::ApiKey { user: ann.id, key, scopes: domain::access::Role::User.rights() });
        program.bounds = Arc::new(messages(3));
        let chat = assistant.begin(&ctx).await.unwrap();
        assert!(ask(&assistant, &ctx, say(Place::Kept(chat), "one")).await.error.is_none());
        let prompt = Prompt::new("scripted", vec![Line::new(Speaker::User, "two")]);
        let _all: Vec<_> = assistant.complete(&program, prompt.clone()).await.unwrap().collect().await;
        // What was refused for another reason is given back.
        let strange = assistant.respond(&ctx, say(Place::Kept(ConversationId::fresh(&ctx)), "x")).await;
        assert!(matches!(strange, Err(Error::NotFound)), "{strange:?}");
        assert_eq!(left(&assistant, &ctx, Counted::Messages).await, 1);
        let places: Vec<_> =
            (0..4).map(|_| Place::Temporary(assistant.begin_temporary(&ctx).unwrap())).collect();
        let tries = futures::future::join_all(
            places.into_iter().map(|place| assistant.respond(&ctx, say(place, "three"))),
        )
        .await;
        assert_eq!(tries.iter().filter(|tried| tried.is_ok()).count(), 1, "the last one is had once");
        let refused = tries.into_iter().find_map(Result::err).unwrap();
        let Error::UsedUp { what: "messages", retry_after_s, .. } = refused else { panic!("{refused:?}") };
        assert!((1..=24 * 3600).contains(&retry_after_s));
        assert!(matches!(assistant.complete(&program, prompt).await.map(drop), Err(Error::UsedUp { .. })));
        home.clockwork.advance(24 * 3600);
        assert_eq!(left(&assistant, &ctx, Counted::Messages).await, 3);
    });
}

#[test]
fn tokens_are_taken_before_and_settled_after_also_when_a_program_leaves() {
    testkit::run(async {
        let home = Home::sqlite().await;
        let ann = home.person("ann").await;
        let assistant = assistant(&home);
        let ctx =
            within(&ann, Bounds { tokens: Quota { a_day: None, a_month: Some(5_000) }, ..Bounds::default() });
        let prompt = |text: &str| Prompt::new("scripted", vec![Line::new(Speaker::User, text)]);
        let hanging = assistant.complete(&ctx, prompt("hang")).await.unwrap();
        assert!(left(&assistant, &ctx, Counted::Tokens).await <= 5_000 - 512, "set aside for the answer");
        drop(hanging);
        // Settling is a task of its own; writers take turns, so one of these comes after it.
        let mut rest = 0;
        for _ in 0..1_000 {
            drop(home.store.begin(&ctx).await.unwrap());
            rest = left(&assistant, &ctx, Counted::Tokens).await;
            if rest > 4_900 {
                break;
            }
        }
        assert!(rest > 4_900, "{rest}");
        let (_, usage) = assistant.embed(&ctx, "scripted", vec!["a b".into()]).await.unwrap();
        assert_eq!(left(&assistant, &ctx, Counted::Tokens).await, rest - u64::from(usage.prompt_tokens));
        assert!(
            assistant.allowances(&ann.ctx).await.unwrap().is_empty(),
            "without a quota nothing is counted"
        );
        let before = left(&assistant, &ctx, Counted::Tokens).await;
        let _uncounted: Vec<_> = assistant.complete(&ann.ctx, prompt("hello")).await.unwrap().collect().await;
        assert_eq!(left(&assistant, &ctx, Counted::Tokens).await, before);
    });
}

#[test]
fn a_stopped_answer_costs_what_was_read_and_written() {
    testkit::run(async {
        let home = Home::sqlite().await;
        let ann = home.person("ann").await;
        let assistant = assistant(&home);
        let tokens = Bounds { tokens: Quota { a_day: Some(100_000), a_month: None }, ..Bounds::default() };
        let ctx = within(&ann, tokens);
        let chat = Place::Kept(assistant.begin(&ctx).await.unwrap());
        let long = "word ".repeat(8_000);
        let first = ask(&assistant, &ctx, say(chat, &long)).await;
        assert!(first.error.is_none(), "{first:?}");
        let before = left(&assistant, &ctx, Counted::Tokens).await;
        // A short question after a long one: the model reads all of it, and the person stops it at once.
        let turn = assistant.respond(&ctx, say(chat, "slow 2000")).await.unwrap().turn;
        let mut events = assistant.watch(&ctx, turn, 0).unwrap();
        loop {
            match events.next().await.expect("an end") {
                TurnEvent::Began { .. } | TurnEvent::Waiting(_) => (),
                TurnEvent::Text { .. } => assistant.stop(&ctx, turn).unwrap(),
                TurnEvent::Ended { .. } => break,
            }
        }
        let cost = before - left(&assistant, &ctx, Counted::Tokens).await;
        assert!(cost >= 40_000 / 4, "{cost} tokens for a prompt of 10,000");
    });
}
