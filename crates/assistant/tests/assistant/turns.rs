//! Turns: durable questions, resumed streams, stops, failures, branches, bounds.

use assistant::{Ask, AskKind, Error, Limits, Place, TurnEvent};
use domain::{
    chat::{Author, Ending, MAX_MESSAGE_BYTES},
    id::{MessageId, TurnId},
    model::Readiness,
    verifies,
};
use futures::StreamExt;
use providers::{Config, LocalConfig};
use testkit::{Home, both_engines};

use crate::house::{again, ask, assistant, one_question, say, see, with_config, with_limits};

both_engines!(what_a_question_begins_is_what_is_kept, |home| {
    let person = home.person("ann").await;
    let (ctx, assistant) = (&person.ctx, assistant(&home));
    let (kept, temporary) = (assistant.begin(ctx).await.unwrap(), assistant.begin_temporary(ctx).unwrap());
    for place in [Place::Kept(kept), Place::Temporary(temporary)] {
        let first = ask(&assistant, ctx, say(place, "What is kept?")).await;
        let earlier = first.question.unwrap();
        let other = Ask { kind: AskKind::Edit { message: earlier, text: "hang".into() }, ..say(place, "") };
        for asked in [say(place, "hang"), other] {
            let begun = assistant.respond(ctx, asked).await.unwrap();
            let opened = match place {
                Place::Kept(id) => assistant.open(ctx, id).await.unwrap(),
                Place::Temporary(id) => assistant.open_temporary(ctx, id).unwrap(),
            };
            assert_eq!(begun.opened.conversation, opened.conversation);
            assert_eq!(begun.opened.tree.messages(), opened.tree.messages());
            assert_eq!((begun.opened.running, opened.running), (Some(begun.turn), Some(begun.turn)));
            assert_eq!(begun.opened.temporary, opened.temporary);
            assistant.stop(ctx, begun.turn).unwrap();
            see(&assistant, ctx, begun.turn).await;
        }
    }
});

both_engines!(a_question_is_kept_before_its_answer_and_both_in_the_end, |home| {
    let person = home.person("ann").await;
    let assistant = assistant(&home);
    let id = assistant.begin(&person.ctx).await.unwrap();
    let turn =
        assistant.respond(&person.ctx, say(Place::Kept(id), "Why is the sky blue?")).await.unwrap().turn;
    let kept = assistant.open(&person.ctx, id).await.unwrap();
    assert_eq!(kept.tree.messages()[0].body.text, "Why is the sky blue?", "durable before respond returned");

    let seen = see(&assistant, &person.ctx, turn).await;
    assert_eq!((seen.ending, seen.error), (Ending::Complete, None));
    let kept = assistant.open(&person.ctx, id).await.unwrap();
    assert_eq!(kept.conversation.title, "Why is the sky blue?");
    assert_eq!(kept.conversation.head, Some(seen.answer));
    assert_eq!(kept.running, None);
    let answer = kept.tree.get(seen.answer).unwrap();
    assert_eq!((answer.author, answer.parent), (Author::Assistant, seen.question));
    assert_eq!(answer.body.text, seen.text);
    assert_eq!(answer.body.model.as_deref(), Some("scripted"));
    assert_eq!(answer.body.place.as_deref(), Some("on this machine"));
    assert!(answer.body.usage.unwrap().completion_tokens > 0);
    assert!(home.store.verify_chain().await.unwrap().broken.is_none());
});

#[test]
fn a_stream_cut_anywhere_goes_on_without_loss_or_repetition() {
    testkit::run(async {
        let home = Home::sqlite().await;
        let person = home.person("ann").await;
        let assistant = assistant(&home);
        let id = assistant.begin(&person.ctx).await.unwrap();
        let turn = assistant.respond(&person.ctx, say(Place::Kept(id), "long 20000")).await.unwrap().turn;
        let readers = (0..8_u64).map(|seed| {
            let (assistant, ctx) = (assistant.clone(), person.ctx.clone());
            async move {
                let (mut text, mut at, mut draw) = (String::new(), 0, seed);
                loop {
                    draw =
                        draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let mut events =
                        assistant.watch(&ctx, turn, at).unwrap().take(1 + (draw >> 33) as usize % 40);
                    while let Some(event) = events.next().await {
                        at = event.seq();
                        match event {
                            TurnEvent::Text { text: more, .. } => text.push_str(&more),
                            TurnEvent::Ended { .. } => return text,
                            _ => (),
                        }
                    }
                }
            }
        });
        let texts = futures::future::join_all(readers).await;
        let kept = assistant.open(&person.ctx, id).await.unwrap();
        let answer = &kept.tree.get(kept.conversation.head.unwrap()).unwrap().body.text;
        assert!(answer.len() > 100_000);
        for text in &texts {
            assert!(text == answer, "a reader saw {} bytes of {}", text.len(), answer.len());
        }
    });
}

both_engines!(what_was_shown_is_kept_when_a_person_stops, |home| {
    let person = home.person("ann").await;
    let assistant = assistant(&home);
    let id = assistant.begin(&person.ctx).await.unwrap();
    let turn = assistant.respond(&person.ctx, say(Place::Kept(id), "slow")).await.unwrap().turn;
    assert_eq!(assistant.open(&person.ctx, id).await.unwrap().running, Some(turn));
    let mut events = assistant.watch(&person.ctx, turn, 0).unwrap();
    while !matches!(events.next().await, Some(TurnEvent::Text { .. })) {}
    assistant.stop(&person.ctx, turn).unwrap();
    let seen = see(&assistant, &person.ctx, turn).await;
    assert_eq!((seen.ending, seen.error), (Ending::Stopped, None));
    assert!(seen.text.starts_with("word1") && !seen.text.contains("word50"), "{}", seen.text);
    let kept = assistant.open(&person.ctx, id).await.unwrap();
    assert_eq!(kept.tree.get(seen.answer).unwrap().body.text, seen.text);
    assert_eq!(kept.tree.get(seen.answer).unwrap().body.ending, Ending::Stopped);
    assistant.stop(&person.ctx, turn).unwrap();
});

both_engines!(a_failure_keeps_the_question_and_what_had_come, |home| {
    let person = home.person("ann").await;
    let assistant = assistant(&home);
    for (question, shown) in [("fail-midstream", "word1 word2 word3 "), ("fail", "")] {
        let (id, seen) = one_question(&assistant, &person.ctx, question).await;
        assert_eq!((seen.ending, seen.text.as_str()), (Ending::Failed, shown));
        let error = seen.error.unwrap();
        assert!(error.ends_with('.') && error.starts_with(char::is_uppercase), "{error}");
        let kept = assistant.open(&person.ctx, id).await.unwrap();
        assert_eq!(kept.tree.get(seen.question.unwrap()).unwrap().body.text, question);
        let answer = kept.tree.get(seen.answer).unwrap();
        assert_eq!((answer.body.ending, answer.body.text.as_str()), (Ending::Failed, shown));

        // "Try again" is another answer to the same question.
        let next = ask(&assistant, &person.ctx, again(Place::Kept(id), seen.answer)).await;
        assert_eq!(next.question, None);
        let kept = assistant.open(&person.ctx, id).await.unwrap();
        assert_eq!(kept.tree.get(next.answer).unwrap().parent, seen.question);
        assert_eq!(kept.conversation.head, Some(next.answer));
    }
});

both_engines!(editing_and_asking_again_make_branches, |home| {
    let person = home.person("ann").await;
    let ctx = &person.ctx;
    let assistant = assistant(&home);
    let (id, first) = one_question(&assistant, ctx, "one").await;
    let place = Place::Kept(id);
    let second = ask(&assistant, ctx, say(place, "two")).await;
    let edit = AskKind::Edit { message: second.question.unwrap(), text: "two, in other words".into() };
    let edited = ask(&assistant, ctx, Ask { place, kind: edit, model: None }).await;
    let other = ask(&assistant, ctx, again(place, first.answer)).await;

    let kept = assistant.open(ctx, id).await.unwrap();
    assert_eq!(kept.tree.messages().len(), 7);
    let shown =
        |head| -> Vec<MessageId> { kept.tree.shown(head).iter().map(|shown| shown.message.id).collect() };
    assert_eq!(shown(other.answer), [first.question.unwrap(), other.answer]);
    assert_eq!(
        shown(edited.answer),
        [first.question.unwrap(), first.answer, edited.question.unwrap(), edited.answer]
    );
    assert_eq!(
        kept.tree.shown(second.answer)[2].siblings,
        [second.question.unwrap(), edited.question.unwrap()]
    );

    // Choosing a branch shows its newest leaf, and the next question follows there.
    let leaf = assistant.choose_branch(ctx, id, first.answer).await.unwrap();
    assert_eq!(leaf, edited.answer);
    let next = ask(&assistant, ctx, say(place, "three")).await;
    let kept = assistant.open(ctx, id).await.unwrap();
    assert_eq!(kept.tree.get(next.question.unwrap()).unwrap().parent, Some(edited.answer));

    let answers = Ask {
        place,
        kind: AskKind::Edit { message: first.answer, text: "an answer is not mine to edit".into() },
        model: None,
    };
    assert!(matches!(assistant.respond(ctx, answers).await, Err(Error::NotFound)));
});

#[test]
fn nobody_reaches_another_persons_turn() {
    testkit::run(async {
        let home = Home::sqlite().await;
        let (ann, bob) = (home.person("ann").await, home.owner("bob").await);
        let assistant = assistant(&home);
        let id = assistant.begin(&ann.ctx).await.unwrap();
        let turn = assistant.respond(&ann.ctx, say(Place::Kept(id), "slow")).await.unwrap().turn;
        assert!(matches!(assistant.watch(&bob.ctx, turn, 0).map(drop), Err(Error::NotFound)));
        assert!(matches!(assistant.stop(&bob.ctx, turn), Err(Error::NotFound)));
        // Not even that somebody is being answered there.
        let theirs = assistant.respond(&bob.ctx, say(Place::Kept(id), "hello")).await;
        assert!(matches!(theirs, Err(Error::NotFound)));
        let nobody = home.ctx(domain::Actor::Anonymous);
        assert!(matches!(assistant.watch(&nobody, turn, 0).map(drop), Err(Error::Denied(_))));
        assert!(matches!(assistant.respond(&nobody, say(Place::Kept(id), "x")).await, Err(Error::Denied(_))));
        assistant.stop(&ann.ctx, turn).unwrap();
    });
}

#[test]
fn one_turn_at_a_time_in_a_conversation_and_few_at_once() {
    testkit::run(async {
        let home = Home::sqlite().await;
        let (ann, bob) = (home.person("ann").await, home.person("bob").await);
        let limits = Limits { turns: 3, turns_per_person: 2, ..Limits::default() };
        let assistant = with_limits(&home, limits);
        let mut begun = Vec::new();
        for _ in 0..2 {
            let place = Place::Kept(assistant.begin(&ann.ctx).await.unwrap());
            begun.push((place, assistant.respond(&ann.ctx, say(place, "hang")).await.unwrap().turn));
        }
        let (place, turn) = begun[0];
        let third = Place::Kept(assistant.begin(&ann.ctx).await.unwrap());
        let refused = assistant.respond(&ann.ctx, say(third, "hi")).await;
        assert!(matches!(refused, Err(Error::Busy { .. })), "two of hers are enough");
        let his = Place::Kept(assistant.begin(&bob.ctx).await.unwrap());
        let his_turn = assistant.respond(&bob.ctx, say(his, "hang")).await.unwrap().turn;
        let more = Place::Kept(assistant.begin(&bob.ctx).await.unwrap());
        assert!(matches!(assistant.respond(&bob.ctx, say(more, "hi")).await, Err(Error::Busy { .. })));

        for (ctx, turn) in [(&ann.ctx, begun[1].1), (&bob.ctx, his_turn)] {
            assistant.stop(ctx, turn).unwrap();
            see(&assistant, ctx, turn).await;
        }
        let twice = assistant.respond(&ann.ctx, say(place, "hi")).await;
        assert!(matches!(twice, Err(Error::Answering { turn: running }) if running == turn));
        assistant.stop(&ann.ctx, turn).unwrap();
        see(&assistant, &ann.ctx, turn).await;
        assert_eq!(ask(&assistant, &ann.ctx, say(place, "hi")).await.ending, Ending::Complete);
    });
}

#[test]
fn an_answer_is_bounded() {
    let _proof = verifies!(MOD03);
    testkit::run(async {
        let home = Home::sqlite().await;
        let person = home.person("ann").await;
        let assistant = assistant(&home);
        let (id, seen) = one_question(&assistant, &person.ctx, "long 100000").await;
        assert_eq!(seen.ending, Ending::Length);
        assert_eq!(seen.text.len(), assistant::MAX_ANSWER_BYTES);
        let kept = assistant.open(&person.ctx, id).await.unwrap();
        assert_eq!(kept.tree.get(seen.answer).unwrap().body.ending, Ending::Length);
    });
}

#[test]
fn a_refused_question_leaves_nothing() {
    testkit::run(async {
        let home = Home::sqlite().await;
        let person = home.person("ann").await;
        let assistant = assistant(&home);
        let id = assistant.begin(&person.ctx).await.unwrap();
        let place = Place::Kept(id);
        let long = "x".repeat(MAX_MESSAGE_BYTES + 1);
        assert!(matches!(assistant.respond(&person.ctx, say(place, " ")).await, Err(Error::Empty)));
        assert!(matches!(
            assistant.respond(&person.ctx, say(place, &long)).await,
            Err(Error::TooLong { .. })
        ));
        let unknown = Ask { model: Some("gone".into()), ..say(place, "hi") };
        assert!(matches!(assistant.respond(&person.ctx, unknown).await, Err(Error::UnknownModel)));
        let kept = assistant.open(&person.ctx, id).await.unwrap();
        assert!(
            kept.tree.messages().is_empty() && kept.conversation.title.is_empty() && kept.running.is_none()
        );
    });
}

#[test]
fn ended_turns_can_be_watched_for_five_minutes() {
    testkit::run(async {
        let home = Home::sqlite().await;
        let person = home.person("ann").await;
        let assistant = assistant(&home);
        let id = assistant.begin(&person.ctx).await.unwrap();
        let turn = assistant.respond(&person.ctx, say(Place::Kept(id), "hi")).await.unwrap().turn;
        let seen = see(&assistant, &person.ctx, turn).await;
        home.clockwork.advance(290);
        assert_eq!(see(&assistant, &person.ctx, turn).await.text, seen.text);
        home.clockwork.advance(20);
        assert!(matches!(assistant.watch(&person.ctx, turn, 0).map(drop), Err(Error::NotFound)));
        let nobodys = TurnId::fresh(&person.ctx);
        assert!(matches!(assistant.watch(&person.ctx, nobodys, 0).map(drop), Err(Error::NotFound)));
    });
}

#[test]
fn without_a_model_the_question_is_kept_and_the_answer_says_why() {
    testkit::run(async {
        let home = Home::sqlite().await;
        let person = home.person("ann").await;
        let local = LocalConfig { enabled: false, ..LocalConfig::default() };
        let config = Config { local, ..Config::default() };
        let assistant = with_config(&home, config, Limits::default());
        let (id, seen) = one_question(&assistant, &person.ctx, "anybody there?").await;
        assert_eq!(seen.ending, Ending::Failed);
        assert!(seen.error.unwrap().contains("add an endpoint"));
        let kept = assistant.open(&person.ctx, id).await.unwrap();
        assert_eq!(kept.tree.messages()[0].body.text, "anybody there?");
    });
}

#[test]
fn a_turn_waits_for_a_model_that_is_not_here_and_gives_up_in_the_end() {
    testkit::run(async {
        let home = Home::sqlite().await;
        let person = home.person("ann").await;
        let local = LocalConfig { fetch: false, ..LocalConfig::default() };
        let models_folder = home.folder().join("models");
        let config = Config { models_folder, local, ..Config::default() };
        let assistant = with_config(&home, config, Limits::default());
        let id = assistant.begin(&person.ctx).await.unwrap();
        let turn = assistant.respond(&person.ctx, say(Place::Kept(id), "anybody there?")).await.unwrap().turn;
        let mut events = assistant.watch(&person.ctx, turn, 1).unwrap();
        let waiting = events.next().await;
        assert!(matches!(waiting, Some(TurnEvent::Waiting(Readiness::Missing { .. }))), "{waiting:?}");
        home.clockwork.advance(11 * 60);
        let seen = see(&assistant, &person.ctx, turn).await;
        assert_eq!((seen.ending, seen.text.as_str()), (Ending::Failed, ""));
        assert!(seen.error.is_some());
    });
}

/// With a real, small model, whose file is put in its place only after the question was asked.
#[test]
fn a_turn_that_waits_begins_by_itself_when_the_model_is_there() {
    const FILE: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";
    let model = std::env::current_exe().unwrap().ancestors().nth(3).unwrap().join("models").join(FILE);
    assert!(model.exists(), "{} is missing; run `cargo xtask test --install`", model.display());
    testkit::run(async {
        let home = Home::sqlite().await;
        let person = home.person("ann").await;
        let models_folder = home.folder().join("models");
        let local = LocalConfig {
            fetch: false,
            model: Some("smollm2-135m-instruct".into()),
            ..LocalConfig::default()
        };
        let config = Config { models_folder: models_folder.clone(), local, ..Config::default() };
        let assistant = with_config(&home, config, Limits::default());
        let id = assistant.begin(&person.ctx).await.unwrap();
        let turn = assistant.respond(&person.ctx, say(Place::Kept(id), "Say hello.")).await.unwrap().turn;
        let mut events = assistant.watch(&person.ctx, turn, 1).unwrap();
        let waiting = events.next().await;
        assert!(matches!(waiting, Some(TurnEvent::Waiting(_))), "{waiting:?}");
        std::fs::create_dir_all(&models_folder).unwrap();
        std::fs::copy(&model, models_folder.join(FILE)).unwrap();
        loop {
            match events.next().await {
                Some(TurnEvent::Waiting(_)) => (),
                Some(TurnEvent::Text { .. }) => break,
                other => panic!("the model was there, and then: {other:?}"),
            }
        }
        assistant.stop(&person.ctx, turn).unwrap();
        assert!(!see(&assistant, &person.ctx, turn).await.text.is_empty());
    });
}

#[test]
fn draining_ends_every_turn_and_keeps_what_it_showed() {
    testkit::run(async {
        let home = Home::sqlite().await;
        let person = home.person("ann").await;
        let assistant = assistant(&home);
        let id = assistant.begin(&person.ctx).await.unwrap();
        let turn = assistant.respond(&person.ctx, say(Place::Kept(id), "hang")).await.unwrap().turn;
        assistant.drain();
        let seen = see(&assistant, &person.ctx, turn).await;
        assert_eq!(seen.ending, Ending::Stopped);
        let late = assistant.respond(&person.ctx, say(Place::Kept(id), "hi")).await;
        assert!(matches!(late, Err(Error::Closing)));
    });
}
