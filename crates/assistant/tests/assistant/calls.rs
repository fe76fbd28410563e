//! Calls from their opening to their end: turns, interruptions, tools, stalls, bounds.

use std::time::Duration;

use assistant::{Error, Keeping, Limits};
use domain::{
    bounds::{Bounds, Quota},
    chat::Author,
    control::Numbers,
    id::ItemId,
    model::Tool,
    verifies,
    voice::{
        Cause, ClientTool, Command, Event, Failure, NotDone, Over, ReplyEnd, SayWhen, Settings, Spoken,
        TurnRules, Turns, Why,
    },
};
use serde_json::json;
use testkit::Home;
use zeroize::Zeroizing;

use crate::{
    house::with_limits,
    talk::{Talk, answers, house, opening, silent},
};

fn text(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_owned())
}

#[test]
fn a_call_is_a_conversation() {
    let _proof = verifies!(VOI06);
    house(Limits::default(), async |assistant, ann| {
        let id = assistant.begin_temporary(&ann.ctx).unwrap();
        let greeting = Some("Hello, how can I help?".to_owned());
        let settings = Settings { greeting, ..Settings::default() };
        let talk = Talk::begin(&assistant, &ann, Keeping::Temporary(Some(id)), settings).await;
        talk.until(|event| matches!(event, Event::ReplyText { text, .. } if text.contains("help"))).await;
        let greetings = talk.said(|cause| cause == Cause::Greeting);
        assert_eq!(greetings, ["You are speaking with an AI assistant. ", "Hello, how can I help?"]);
        talk.wait(|talk| talk.ends().len() == 2).await;
        talk.talk("long 5").await;
        assert_eq!(talk.heard(), ["long 5"]);
        let said = talk.said(answers);
        assert_eq!(said, ["word1 word2 word3 word4 word5 "]);
        assert_eq!(talk.ends(), [ReplyEnd::Finished; 3]);
        let stages = talk.find(|event| match event {
            Event::Latency { stages, .. } => Some(*stages),
            _ => None,
        });
        let stages = stages.expect("the first sound tells how long it took");
        assert!(stages.endpointing_ms.is_some() && stages.total_ms >= stages.endpointing_ms, "{stages:?}");
        talk.ask(Command::HangUp).await;
        assert_eq!(talk.end().await, Why::HungUp);
        let kept = talk.kept(&assistant, &ann);
        let spoken: Vec<_> = kept.iter().map(|(author, _)| *author).collect();
        assert_eq!(spoken, [Author::Assistant, Author::User, Author::Assistant]);
        assert_eq!((kept[0].1.as_str(), kept[1].1.as_str()), ("Hello, how can I help?", "long 5"));
        assert_eq!(kept[2].1, said[0].trim_end());
    });
}

#[test]
fn numbers_are_written_before_anybody_sees_them() {
    house(Limits::default(), async |assistant, ann| {
        let talk = Talk::begin(&assistant, &ann, Keeping::Temporary(None), silent()).await;
        talk.introduced().await;
        talk.talk("My card is four one one one two two.").await;
        assert_eq!(talk.heard(), ["My card is 411122."]);
        assert!(talk.said(answers)[0].contains("411122"));
    });
}

#[test]
fn an_interruption_keeps_what_was_heard() {
    let _proof = verifies!(VOI07);
    house(Limits::default(), async |assistant, ann| {
        let id = assistant.begin_temporary(&ann.ctx).unwrap();
        let talk = Talk::begin(&assistant, &ann, Keeping::Temporary(Some(id)), Settings::default()).await;
        talk.introduced().await;
        talk.say("long 60").await;
        talk.wait(|talk| talk.count(|event| matches!(event, Event::ReplyAudio { .. })) > 60).await;
        talk.say("long 3").await;
        talk.wait(|talk| talk.ends().len() == 3).await;
        assert_eq!(talk.ends()[1..], [ReplyEnd::Interrupted, ReplyEnd::Finished]);
        let kept = talk.kept(&assistant, &ann);
        assert_eq!(kept[0], (Author::User, "long 60".to_owned()));
        let heard = &kept[1].1;
        assert!(heard.starts_with("word1 word2") && !heard.contains("word40"), "{heard}");
        let sent: String = talk.said(answers)[0].clone();
        assert!(sent.starts_with(heard.as_str()), "{sent} / {heard}");
        let interrupted = talk.find(|event| match event {
            Event::ReplyDone { end, .. } if end.how == ReplyEnd::Interrupted => Some(*end),
            _ => None,
        });
        let end = interrupted.unwrap();
        let share = sent.len() as u64 * end.heard_ms / end.sent_ms.max(1);
        assert!(heard.len() as u64 <= share + 12, "{heard}: {} of {} ms", end.heard_ms, end.sent_ms);
        assert_eq!(kept[2], (Author::User, "long 3".to_owned()));
        let started = talk.count(|event| matches!(event, Event::SpeechStarted { .. }));
        assert_eq!(started, 2);
    });
}

#[test]
fn assent_and_knocks_do_not_stop_the_voice() {
    house(Limits::default(), async |assistant, ann| {
        let talk = Talk::begin(&assistant, &ann, Keeping::Temporary(None), Settings::default()).await;
        talk.introduced().await;
        talk.say("long 20").await;
        talk.wait(|talk| !talk.said(answers).concat().is_empty()).await;
        talk.say("uh-huh").await;
        talk.silence(1_500).await;
        talk.say("a").await;
        talk.wait(|talk| talk.ends().len() == 2).await;
        assert_eq!(talk.ends(), [ReplyEnd::Finished; 2]);
        assert_eq!(talk.count(|event| matches!(event, Event::SpeechStarted { .. })), 1);
        assert_eq!(talk.heard(), ["long 20"]);
    });
}

#[test]
fn who_goes_on_is_answered_once() {
    let _proof = verifies!(VOI07);
    house(Limits::default(), async |assistant, ann| {
        let id = assistant.begin_temporary(&ann.ctx).unwrap();
        let talk = Talk::begin(&assistant, &ann, Keeping::Temporary(Some(id)), silent()).await;
        talk.introduced().await;
        talk.say("I would like to know").await;
        talk.silence(190).await;
        talk.talk("where it is.").await;
        assert_eq!(talk.heard(), ["I would like to know where it is."]);
        let kept = talk.kept(&assistant, &ann);
        assert_eq!(kept.len(), 2, "{kept:?}");
        assert_eq!(kept[0].1, "I would like to know where it is.");
    });
}

#[test]
fn the_disclosure_is_heard_to_its_end() {
    let _proof = verifies!(VOI06);
    house(Limits::default(), async |assistant, ann| {
        let talk = Talk::begin(&assistant, &ann, Keeping::Temporary(None), Settings::default()).await;
        talk.say("long 4").await;
        talk.wait(|talk| talk.ends().len() == 2).await;
        assert_eq!(talk.ends(), [ReplyEnd::Finished; 2]);
        assert_eq!(talk.said(|cause| cause == Cause::Greeting).len(), 1);
        assert_eq!(talk.heard(), ["long 4"]);
        assert_eq!(talk.said(answers).len(), 1);
    });
}

fn with_tool(waits: bool) -> Settings {
    let tool =
        Tool { name: "book".into(), description: String::new(), parameters: json!({"type": "object"}) };
    Settings { tools: vec![ClientTool { tool, waits }], ..silent() }
}

fn called(event: &Event) -> Option<domain::id::ToolCallId> {
    match event {
        Event::ToolCall { call, client: true, .. } => Some(*call),
        _ => None,
    }
}

#[test]
fn a_tool_runs_once_and_its_result_is_told() {
    let _proof = verifies!(VOI08);
    house(Limits::default(), async |assistant, ann| {
        let talk = Talk::begin(&assistant, &ann, Keeping::Temporary(None), with_tool(true)).await;
        talk.introduced().await;
        talk.say("call book {\"day\":4}").await;
        talk.until(|event| called(event).is_some()).await;
        let over = talk.when(|event| matches!(event, Event::SpeechStopped { over: Over::Item(_), .. }));
        assert!(talk.when(|event| called(event).is_some()) >= over, "what cannot be undone waits");
        let call = talk.find(called).unwrap();
        talk.until(
            |event| matches!(event, Event::ReplyDone { end, .. } if end.how == ReplyEnd::WaitsForTools),
        )
        .await;
        for _ in 0..2 {
            talk.ask(Command::ToolResult { call, output: text("booked"), answer: true }).await;
        }
        talk.until(|event| matches!(event, Event::ReplyText { text, .. } if text.contains("booked"))).await;
        assert_eq!(talk.count(|event| called(event).is_some()), 1);
        assert_eq!(talk.count(|event| matches!(event, Event::ToolDone { .. })), 1);
        let unknown = |event: &Event| matches!(event, Event::NotDone { what: NotDone::UnknownToolCall, .. });
        assert_eq!(talk.count(unknown), 1);
    });
}

#[test]
fn a_tool_survives_an_interruption() {
    house(Limits::default(), async |assistant, ann| {
        let talk = Talk::begin(&assistant, &ann, Keeping::Temporary(None), with_tool(false)).await;
        talk.introduced().await;
        talk.say("call book {\"day\":4}").await;
        talk.until(|event| called(event).is_some()).await;
        talk.until(
            |event| matches!(event, Event::ReplyDone { end, .. } if end.how == ReplyEnd::WaitsForTools),
        )
        .await;
        let call = talk.find(called).unwrap();
        talk.talk("Never mind that.").await;
        talk.ask(Command::ToolResult { call, output: text("booked"), answer: true }).await;
        talk.until(|event| matches!(event, Event::ToolDone { .. })).await;
        talk.talk("Are you there?").await;
        assert_eq!(talk.heard().len(), 3);
        assert_eq!(talk.count(|event| called(event).is_some()), 1, "it is not called again");
        assert_eq!(talk.count(|event| matches!(event, Event::NotDone { .. })), 0);
    });
}

#[test]
fn the_agent_ends_the_call_after_its_farewell() {
    house(Limits::default(), async |assistant, ann| {
        let talk = Talk::begin(&assistant, &ann, Keeping::Temporary(None), silent()).await;
        talk.introduced().await;
        talk.say("call end_call {}").await;
        talk.until(|event| matches!(event, Event::Ended { .. })).await;
        assert_eq!(talk.end().await, Why::Agent);
        assert!(talk.said(answers)[0].contains("The tool said"), "{:?}", talk.all());
        assert_eq!(assistant.calls(), 0);
    });
}

#[test]
fn every_stall_is_heard() {
    let _proof = verifies!(VOI05);
    let cases = [
        ("hang", "cannot answer just now", Failure::Stalled),
        ("fail", "cannot answer just now", Failure::Thinking),
        ("fail-midstream", "lost the thread", Failure::Thinking),
    ];
    for (said, apology, failure) in cases {
        house(Limits::default(), async |assistant, ann| {
            let talk = Talk::begin(&assistant, &ann, Keeping::Temporary(None), silent()).await;
            talk.introduced().await;
            talk.talk(said).await;
            let heard = talk.said(answers).concat();
            assert!(heard.contains(apology), "{said}: {heard}");
            assert_eq!(heard.contains("One moment"), said == "hang", "{said}: {heard}");
            assert_eq!(talk.ends().last(), Some(&ReplyEnd::Failed(failure)));
            talk.talk("Still there?").await;
            assert_eq!(talk.ends().last(), Some(&ReplyEnd::Finished), "the call goes on");
        });
    }
}

#[test]
fn without_a_voice_a_tone_is_heard() {
    let _proof = verifies!(VOI05);
    for broken in ["fail", "hang"] {
        house(Limits::default(), async |assistant, ann| {
            let talk = Talk::begin(&assistant, &ann, Keeping::Temporary(None), Settings::default()).await;
            talk.introduced().await;
            let before = talk.count(|event| matches!(event, Event::ReplyAudio { .. }));
            talk.ask(Command::Say { text: text(broken), when: SayWhen::Next }).await;
            let mute = ReplyEnd::Failed(Failure::Speaking);
            talk.until(|event| matches!(event, Event::ReplyDone { end, .. } if end.how == mute)).await;
            assert_eq!(talk.count(|event| matches!(event, Event::ReplyAudio { .. })), before + 1);
        });
    }
}

/// The items whose words could not be had, in that order.
fn unheard(talk: &Talk) -> Vec<ItemId> {
    talk.all_of(|event| match event {
        Event::UserTextFailed { item, .. } => Some(*item),
        _ => None,
    })
}

/// The items the caller spoke, in their order.
fn spoken(talk: &Talk) -> Vec<ItemId> {
    talk.all_of(|event| match event {
        Event::SpeechStopped { item, over: Over::Item(_), .. } => Some(*item),
        _ => None,
    })
}

#[test]
fn who_ends_turns_by_hand_faster_than_they_are_heard_is_told() {
    let _proof = verifies!(VOI01);
    house(Limits::default(), async |assistant, ann| {
        let settings = Settings { turns: Turns::Manual, ..silent() };
        let talk = Talk::begin(&assistant, &ann, Keeping::Temporary(None), settings).await;
        talk.introduced().await;
        for word in ["deaf", "one", "two", "three", "four"] {
            talk.say(word).await;
            talk.ask(Command::Commit).await;
        }
        talk.wait(|talk| !unheard(talk).is_empty()).await;
        assert_eq!(unheard(&talk), spoken(&talk)[4..], "{:?}", talk.all());
    });
}

#[test]
fn a_client_that_does_not_read_is_left() {
    let _proof = verifies!(VOI05);
    house(Limits::default(), async |assistant, ann| {
        let call = assistant.call(&ann.ctx, opening(&ann)).await.unwrap();
        call.commands.send(Command::Configure(Box::default())).await.unwrap();
        for _ in 0..400 {
            drop(call.commands.send(Command::Clear).await);
        }
        tokio::time::timeout(Duration::from_secs(60), call.commands.closed()).await.expect("the call ends");
    });
}

#[test]
fn there_is_no_room_for_everybody() {
    let _proof = verifies!(VOI01);
    let limits = Limits { calls: 1, ..Limits::default() };
    house(limits, async |assistant, ann| {
        let talk = Talk::begin(&assistant, &ann, Keeping::Temporary(None), silent()).await;
        assert!(matches!(assistant.call(&ann.ctx, opening(&ann)).await, Err(Error::Busy { .. })));
        talk.ask(Command::HangUp).await;
        talk.end().await;
        assert!(assistant.call(&ann.ctx, opening(&ann)).await.is_ok(), "room again");
    });
    // Nor has one person all of it.
    house(Limits { calls: 9, calls_per_person: 1, ..Limits::default() }, async |assistant, ann| {
        let _talk = Talk::begin(&assistant, &ann, Keeping::Temporary(None), silent()).await;
        assert!(matches!(assistant.call(&ann.ctx, opening(&ann)).await, Err(Error::Busy { .. })));
    });
}

/// A company's telephones share one key.
#[test]
fn one_person_holds_as_many_calls_as_the_policy_says() {
    const CALLS: usize = 20;
    let numbers = Numbers { calls: 32, calls_per_person: CALLS as u32, ..Numbers::default() };
    let limits = Limits::of(&numbers);
    assert!(limits.turns >= 32 && limits.turns_per_person >= CALLS);
    house(limits, async |assistant, ann| {
        let mut calls = Vec::new();
        for _ in 0..CALLS {
            calls.push(assistant.call(&ann.ctx, opening(&ann)).await.expect("there is room"));
        }
        assert!(matches!(assistant.call(&ann.ctx, opening(&ann)).await, Err(Error::Busy { .. })));
        assert!(assistant.begin_temporary(&ann.ctx).is_ok(), "calls take no place of written chats");
    });
}

#[test]
fn voice_is_counted_as_it_is_used() {
    let _proof = verifies!(VOI03);
    house(Limits::default(), async |assistant, mut ann| {
        let quota = Quota { a_day: Some(1), a_month: None };
        ann.ctx.bounds = Bounds { voice_seconds: quota, ..Bounds::default() }.into();
        let talk = Talk::begin(&assistant, &ann, Keeping::Temporary(None), silent()).await;
        assert!(matches!(
            assistant.call(&ann.ctx, opening(&ann)).await,
            Err(Error::UsedUp { what: "voice", .. })
        ));
        for _ in 0..20 {
            let again = assistant.call(&ann.ctx, opening(&ann)).await;
            assert!(matches!(again, Err(Error::UsedUp { .. })), "a refusal leaves no chat behind");
        }
        talk.ask(Command::HangUp).await;
        talk.end().await;
        let left = assistant.allowances(&ann.ctx).await.unwrap();
        assert_eq!(left[0].left, 0, "what was used was a second at least, and no whole slice was kept");
        let (used, more) = (left[0].most - left[0].left, Quota { a_day: Some(5), a_month: None });
        ann.ctx.bounds = Bounds { voice_seconds: more, ..Bounds::default() }.into();
        assert_eq!((used, assistant.allowances(&ann.ctx).await.unwrap()[0].left > 0), (1, true));
    });
}

#[test]
fn a_call_ends_when_its_time_is_over() {
    let _proof = verifies!(VOI01);
    house(Limits { call_minutes: 0, ..Limits::default() }, async |assistant, ann| {
        let talk = Talk::begin(&assistant, &ann, Keeping::Temporary(None), Settings::default()).await;
        assert_eq!(talk.end().await, Why::TooLong);
        assert!(talk.said(|cause| cause == Cause::Engine)[0].starts_with("The time for this call is over"));
    });
}

#[test]
fn sound_faster_than_speech_ends_the_call() {
    let _proof = verifies!(VOI01);
    house(Limits::default(), async |assistant, ann| {
        let talk = Talk::begin(&assistant, &ann, Keeping::Temporary(None), silent()).await;
        for _ in 0..4 {
            talk.ask(Command::Audio(Zeroizing::new(vec![0; 10 * 32_000]))).await;
        }
        assert_eq!(talk.end().await, Why::Failed(Failure::TooFast));
    });
}

#[test]
fn a_call_ends_with_its_session() {
    let _proof = verifies!(VOI02);
    house(Limits::default(), async |assistant, ann| {
        let talk = Talk::begin(&assistant, &ann, Keeping::Temporary(None), silent()).await;
        talk.introduced().await;
        talk.ended.cancel();
        assert_eq!(talk.end().await, Why::SessionEnded);
        let talk = Talk::begin(&assistant, &ann, Keeping::Temporary(None), silent()).await;
        assistant.end_person(&ann.id);
        assert_eq!(talk.end().await, Why::SessionEnded);
        let talk = Talk::begin(&assistant, &ann, Keeping::Temporary(None), silent()).await;
        assistant.drain();
        assert_eq!(talk.end().await, Why::Closing);
    });
}

#[test]
fn a_call_keeps_its_own_chat_to_its_end() {
    house(Limits::default(), async |assistant, ann| {
        let talk = Talk::begin(&assistant, &ann, Keeping::Temporary(None), silent()).await;
        talk.introduced().await;
        assistant.forget_person(&ann.id);
        talk.talk("Still there?").await;
        assert_eq!(talk.ends().last(), Some(&ReplyEnd::Finished));
        let chat = talk.chat();
        talk.ask(Command::HangUp).await;
        talk.end().await;
        while assistant.calls() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(assistant.open_temporary(&ann.ctx, chat).is_err(), "and no longer");
    });
}

#[test]
fn who_asks_for_too_much_at_once_is_told() {
    let _proof = verifies!(VOI01);
    house(Limits::default(), async |assistant, ann| {
        let talk = Talk::begin(&assistant, &ann, Keeping::Temporary(None), Settings::default()).await;
        for _ in 0..30 {
            talk.ask(Command::Say { text: text("And then this."), when: SayWhen::Next }).await;
        }
        let by = Spoken::Application;
        for _ in 0..150 {
            talk.ask(Command::Text { item: None, by, text: text("It rains."), answer: false }).await;
        }
        talk.ask(Command::Clear).await;
        talk.until(|event| matches!(event, Event::Cleared)).await;
        let refused =
            |what| talk.count(move |event| matches!(event, Event::NotDone { what: it, .. } if *it == what));
        assert!(refused(NotDone::AgentSpeaks) >= 10, "{:?}", talk.all());
        assert_eq!(refused(NotDone::BadText), 150 - 128);
    });
}

#[test]
fn what_is_typed_faster_than_it_can_be_kept_is_refused() {
    let _proof = verifies!(VOI01);
    testkit::run(async {
        let home = Home::sqlite().await;
        let (ann, assistant) = (home.person("ann").await, with_limits(&home, Limits::default()));
        let talk = Talk::begin(&assistant, &ann, Keeping::Kept(None), silent()).await;
        talk.introduced().await;
        // As long as somebody else writes, nothing of it can be kept.
        let writes = home.store.begin(&ann.ctx).await.unwrap();
        let by = Spoken::Caller;
        for _ in 0..40 {
            talk.ask(Command::Text { item: None, by, text: text("It rains."), answer: false }).await;
        }
        let refused = |event: &Event| matches!(event, Event::NotDone { what: NotDone::AlreadyReplying, .. });
        talk.wait(|talk| talk.count(refused) > 0).await;
        assert_eq!(talk.count(|event| matches!(event, Event::TextTaken { .. })), 32);
        drop(writes);
    });
}

#[test]
fn turning_the_voice_on_discloses_it() {
    let _proof = verifies!(VOI06);
    house(Limits::default(), async |assistant, ann| {
        let talk = Talk::begin(&assistant, &ann, Keeping::Temporary(None), silent()).await;
        talk.introduced().await;
        for _ in 0..2 {
            talk.configure(Settings::default()).await;
        }
        talk.wait(|talk| talk.ends().len() == 2).await;
        talk.talk("Hello.").await;
        let said = talk.said(|cause| cause == Cause::Greeting);
        assert_eq!(said, ["You are speaking with an AI assistant. "; 2]);
    });
}

#[test]
fn items_that_had_their_end_can_be_cut_and_forgotten() {
    house(Limits::default(), async |assistant, ann| {
        let talk = Talk::begin(&assistant, &ann, Keeping::Temporary(None), silent()).await;
        talk.introduced().await;
        talk.talk("Hello.").await;
        let items: Vec<_> = talk.all_of(|event| match event {
            Event::ReplyDone { item, .. } | Event::UserText { item, finished: true, .. } => Some(*item),
            _ => None,
        });
        assert_eq!(items.len(), 3);
        for item in items {
            talk.ask(Command::Heard { item, ms: 0 }).await;
            talk.ask(Command::Forget { item }).await;
        }
        talk.wait(|talk| talk.count(|event| matches!(event, Event::Forgotten { .. })) == 3).await;
        assert_eq!(talk.count(|event| matches!(event, Event::Truncated { .. })), 3);
        assert_eq!(talk.count(|event| matches!(event, Event::NotDone { .. })), 0);
    });
}

#[test]
fn nobody_there_is_asked_and_then_left() {
    house(Limits::default(), async |assistant, ann| {
        let rules = TurnRules { idle_ms: Some(3_000), ..TurnRules::default() };
        let settings = Settings { turns: Turns::Server(rules), ..silent() };
        let talk = Talk::begin(&assistant, &ann, Keeping::Temporary(None), settings).await;
        talk.until(|event| matches!(event, Event::Ended { .. })).await;
        assert_eq!(talk.end().await, Why::Idle);
        let asked = talk.said(|cause| cause == Cause::Engine);
        assert_eq!(asked.len(), 3, "{asked:?}");
        assert!(asked[0].starts_with("Are you still there") && asked[2].contains("Goodbye"));
    });
}

#[test]
fn turns_by_hand_are_the_clients() {
    house(Limits::default(), async |assistant, ann| {
        let id = assistant.begin_temporary(&ann.ctx).unwrap();
        let settings = Settings { turns: Turns::Manual, ..silent() };
        let talk = Talk::begin(&assistant, &ann, Keeping::Temporary(Some(id)), settings).await;
        talk.ask(Command::Commit).await;
        talk.silence(3_000).await;
        talk.ask(Command::Clear).await;
        talk.say("What is kept?").await;
        talk.ask(Command::Commit).await;
        talk.ask(Command::Respond { instructions: Some("Be brief.".into()), tag: Some(7) }).await;
        talk.ask(Command::Respond { instructions: None, tag: Some(8) }).await;
        talk.until(|event| matches!(event, Event::ReplyDone { end, .. } if end.usage.is_some())).await;
        assert_eq!(talk.heard(), ["What is kept?"]);
        assert_eq!(talk.said(|cause| cause == Cause::Asked(Some(7))).len(), 1);
        let refused =
            |what| talk.count(move |event| matches!(event, Event::NotDone { what: it, .. } if *it == what));
        assert_eq!((refused(NotDone::NothingToCommit), refused(NotDone::AlreadyReplying)), (1, 1));
        assert_eq!(talk.count(|event| matches!(event, Event::SpeechStarted { .. })), 0);
        talk.ask(Command::Cancel { tag: None }).await;
        talk.ask(Command::HangUp).await;
        talk.end().await;
        assert_eq!(talk.kept(&assistant, &ann).len(), 2);
        assert_eq!(refused(NotDone::NothingToCancel), 1);
    });
}

#[test]
fn what_is_not_settled_first_is_refused() {
    house(Limits::default(), async |assistant, ann| {
        let mut call = assistant.call(&ann.ctx, opening(&ann)).await.unwrap();
        call.commands.send(Command::Audio(Zeroizing::new(vec![0; 960]))).await.unwrap();
        let mut told = Vec::new();
        while let Some(event) = call.events.recv().await {
            told.push(format!("{event:?}"));
        }
        assert_eq!(told, ["Failed(Order)", "Ended(Failed(Order))"]);
        let mut unknown = Settings::default();
        unknown.choice.voice = Some("nobody".to_owned());
        let talk = Talk::begin(&assistant, &ann, Keeping::Temporary(None), unknown).await;
        assert_eq!(talk.end().await, Why::Failed(Failure::Settings));
    });
}
