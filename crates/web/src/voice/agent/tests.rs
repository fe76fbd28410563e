//! Whole conversations of an Agent client, without a socket or an engine: what the client says and the engine
//! tells, and what becomes of it.

use domain::{
    Entropy,
    voice::{Cause, End, Over, Trigger},
};
use serde_json::{Value, json};

use super::*;

fn face() -> Face {
    let count = std::sync::atomic::AtomicU8::new(0);
    let names = Names(Entropy::new(move |buffer| {
        buffer.fill(count.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    }));
    let house = House {
        models: vec!["small".into()],
        model: "small".into(),
        voices: vec!["amber".into()],
        voice: "amber".into(),
    };
    Face::new(names, house)
}

fn settings() -> String {
    json!({
        "type": "Settings",
        "audio": { "input": { "encoding": "linear16", "sample_rate": 48000 } },
        "agent": {
            "greeting": "Hello!",
            "think": {
                "provider": { "type": "open_ai", "model": "small" },
                "functions": [{ "name": "order", "description": "", "parameters": {} }],
            },
        },
    })
    .to_string()
}

/// A face whose settings hold.
fn begun() -> Face {
    let mut face = face();
    face.hears(&settings());
    face.tells(Event::Ready);
    face
}

fn uuid(number: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(number)
}

fn item(number: u128) -> ItemId {
    ItemId(uuid(0xa0 + number))
}

fn reply(number: u128) -> ReplyId {
    ReplyId(uuid(0xb0 + number))
}

fn call(number: u128) -> ToolCallId {
    ToolCallId(uuid(0xc0 + number))
}

fn text(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_owned())
}

fn done(number: u128, how: ReplyEnd) -> Event {
    let end = End { how, usage: None, sent_ms: 100, heard_ms: 100 };
    Event::ReplyDone { reply: reply(number), item: item(9), end }
}

fn written(steps: Vec<Step>) -> String {
    let line = |step| match step {
        Step::Text(text) => format!("< {}\n", String::from_utf8(text.to_vec()).unwrap()),
        Step::Bytes(bytes) => format!("< {} bytes\n", bytes.len()),
        Step::Ask(command) => format!("! {command:?}\n"),
        Step::Leave(reason) => format!(". {reason:?}\n"),
    };
    steps.into_iter().map(line).collect()
}

/// The code of the error that ends the connection.
fn error(steps: &[Step]) -> String {
    let [Step::Text(text), Step::Leave(FAULTY)] = steps else { panic!("{steps:?}") };
    let told: Value = serde_json::from_slice(text).unwrap();
    assert_eq!(told["type"], "Error");
    told["code"].as_str().unwrap().to_owned()
}

#[test]
fn a_whole_conversation_is_told_as_released_clients_accept_it() {
    let mut face = face();
    let mut all = written(Face::begins("01890a5d"));
    let mut tell = |face: &mut Face, event| all.push_str(&written(face.tells(event)));
    let steps = face.hears(&settings());
    tell(&mut face, Event::Ready);
    assert!(matches!(steps[..], [Step::Ask(Command::Configure(_))]));
    // The greeting.
    tell(&mut face, Event::ReplyBegan { reply: reply(1), item: item(1), cause: Cause::Greeting });
    tell(&mut face, Event::ReplyText { reply: reply(1), item: item(1), text: text("Hello! ") });
    tell(
        &mut face,
        Event::ReplyAudio { reply: reply(1), item: item(1), bytes: Zeroizing::new(vec![0; 960]) },
    );
    tell(&mut face, done(1, ReplyEnd::Finished));
    // The caller asks for an order.
    assert_eq!(written(face.hears_bytes(&Bytes::from_static(&[0; 1921]))), "! Audio(1921 bytes)\n");
    tell(&mut face, Event::SpeechStarted { at_ms: 10, item: item(2) });
    tell(&mut face, Event::SpeechStopped { at_ms: 90, item: item(2), over: Over::Item(Trigger::Judged) });
    tell(
        &mut face,
        Event::UserText { item: item(2), text: text("Where is order 7?"), finished: true, ms: 80 },
    );
    tell(&mut face, Event::ReplyBegan { reply: reply(2), item: item(3), cause: Cause::Turn(item(2)) });
    let (name, arguments) = ("order".to_owned(), text("{\"number\":7}"));
    tell(&mut face, Event::ToolCall { reply: reply(2), call: call(1), name, arguments, client: true });
    tell(&mut face, done(2, ReplyEnd::WaitsForTools));
    let result = json!({ "type": "FunctionCallResponse", "id": call(1).to_string(), "name": "order", "content": "{}" });
    let steps = face.hears(&result.to_string());
    assert!(matches!(steps[..], [Step::Ask(Command::ToolResult { answer: true, .. })]));
    tell(&mut face, Event::ReplyBegan { reply: reply(3), item: item(4), cause: Cause::Tools });
    tell(&mut face, Event::ReplyText { reply: reply(3), item: item(4), text: text("On its way.") });
    let stages = Latency {
        total_ms: Some(900),
        speech_ms: Some(100),
        first_token_ms: Some(300),
        ..Latency::default()
    };
    tell(&mut face, Event::Latency { reply: reply(3), stages });
    tell(
        &mut face,
        Event::ReplyAudio { reply: reply(3), item: item(4), bytes: Zeroizing::new(vec![0; 960]) },
    );
    tell(
        &mut face,
        Event::ReplyAudio { reply: reply(3), item: item(4), bytes: Zeroizing::new(vec![0; 960]) },
    );
    // Who interrupts hears no end of it.
    tell(&mut face, Event::SpeechStarted { at_ms: 200, item: item(5) });
    tell(&mut face, done(3, ReplyEnd::Interrupted));
    // A tool of the server's own.
    let (name, arguments) = ("find_order".to_owned(), text(""));
    tell(&mut face, Event::ToolCall { reply: reply(4), call: call(2), name, arguments, client: false });
    tell(&mut face, Event::ToolDone { call: call(2), name: "find_order".into(), worked: true });
    let name = "order".to_owned();
    tell(&mut face, Event::ToolCancelled { call: call(3), name });
    tell(&mut face, Event::NotDone { what: NotDone::CallerSpeaks, tag: None });
    tell(&mut face, Event::NotDone { what: NotDone::SlowThinking, tag: None });
    tell(&mut face, done(5, ReplyEnd::Failed(Failure::Thinking)));
    tell(&mut face, Event::Ended { why: Why::Closing });
    insta::assert_snapshot!(all);
}

#[test]
fn each_update_is_answered_by_its_own_word() {
    let mut face = begun();
    for (message, answer) in [
        (json!({ "type": "UpdatePrompt", "prompt": "Be brief." }), "PromptUpdated"),
        (
            json!({ "type": "UpdateSpeak", "speak": { "provider": { "type": "deepgram", "model": "amber" } } }),
            "SpeakUpdated",
        ),
        (
            json!({ "type": "UpdateThink", "think": { "provider": { "type": "open_ai", "model": "small" } } }),
            "ThinkUpdated",
        ),
        (
            json!({ "type": "UpdateListen", "listen": { "provider": { "type": "deepgram", "language": "fr" } } }),
            "ListenUpdated",
        ),
    ] {
        let steps = face.hears(&message.to_string());
        assert!(matches!(steps[..], [Step::Ask(Command::Configure(_))]), "{steps:?}");
        assert_eq!(written(face.tells(Event::Ready)), format!("< {{\"type\":\"{answer}\"}}\n"));
    }
    let held = &face.held.as_ref().unwrap().settings;
    assert_eq!((held.instructions.as_str(), held.language.as_deref()), ("Be brief.", Some("fr")));
    assert_eq!(held.tools.len(), 1, "what was not named stays");
}

#[test]
fn what_is_written_is_said_or_asked() {
    let mut face = begun();
    let steps = face.hears(r#"{"type":"InjectUserMessage","content":"Hello"}"#);
    let [Step::Ask(Command::Text { item: Some(item), by: Spoken::Caller, answer: true, .. })] = &steps[..]
    else {
        panic!("{steps:?}")
    };
    let taken = written(face.tells(Event::TextTaken { item: *item, by: Spoken::Caller }));
    assert!(taken.contains(r#""role":"user","content":"Hello""#), "{taken}");
    for (behavior, when) in
        [("default", SayWhen::Quiet), ("queue", SayWhen::Next), ("interrupt", SayWhen::Now)]
    {
        let message = json!({ "type": "InjectAgentMessage", "message": "One moment.", "behavior": behavior });
        let steps = face.hears(&message.to_string());
        assert!(matches!(&steps[..], [Step::Ask(Command::Say { when: asked, .. })] if *asked == when));
    }
    assert!(matches!(face.hears(r#"{"type":"ForceEndTurn"}"#)[..], [Step::Ask(Command::Commit)]));
    assert!(face.hears(r#"{"type":"KeepAlive"}"#).is_empty());
}

#[test]
fn results_find_their_calls_once() {
    let mut face = begun();
    let calls = |face: &mut Face, number| {
        let (name, arguments) = ("order".to_owned(), text("{}"));
        face.tells(Event::ToolCall { reply: reply(1), call: call(number), name, arguments, client: true });
    };
    calls(&mut face, 1);
    calls(&mut face, 2);
    let by_name = r#"{"type":"FunctionCallResponse","name":"order","content":"x"}"#;
    assert!(
        matches!(face.hears(by_name)[..], [Step::Ask(Command::ToolResult { call: first, .. })] if first == call(1))
    );
    let cancelled = face.tells(Event::ToolCancelled { call: call(2), name: "order".into() });
    assert!(written(cancelled).contains("FunctionCallCancelled"));
    calls(&mut face, 3);
    calls(&mut face, 4);
    face.tells(Event::ToolDone { call: call(3), name: "order".into(), worked: false });
    assert!(
        matches!(face.hears(by_name)[..], [Step::Ask(Command::ToolResult { call: fourth, .. })] if fourth == call(4)),
        "one that is not waited for any more takes no other's result"
    );
    for late in [
        by_name.to_owned(),
        json!({ "type": "FunctionCallResponse", "id": call(1).to_string(), "name": "order", "content": "x" })
            .to_string(),
    ] {
        let warned = written(face.hears(&late));
        assert!(warned.contains("\"Warning\"") && warned.contains("FUNCTION_CALL_FAILED"), "{warned}");
    }
}

#[test]
fn what_breaks_the_rules_ends_in_its_error() {
    let _proof = domain::verifies!(VOI11);
    assert_eq!(error(&face().hears_bytes(&Bytes::from_static(b"x"))), "NON_SETTINGS_MESSAGE_BEFORE_SETTINGS");
    assert_eq!(
        error(&face().hears(r#"{"type":"UpdatePrompt","prompt":"x"}"#)),
        "NON_SETTINGS_MESSAGE_BEFORE_SETTINGS"
    );
    assert!(face().hears(r#"{"type":"KeepAlive"}"#).is_empty());
    assert_eq!(error(&begun().hears(&settings())), "SETTINGS_ALREADY_APPLIED");
    assert_eq!(error(&begun().hears("hunter2")), "UNPARSABLE_CLIENT_MESSAGE");
    assert_eq!(error(&begun().hears(r#"{"type":"hunter2"}"#)), "UNPARSABLE_CLIENT_MESSAGE");
    let wrong =
        r#"{"type":"Settings","audio":{"input":{"encoding":"mulaw","sample_rate":16000}},"agent":{}}"#;
    assert_eq!(error(&face().hears(wrong)), "INVALID_SETTINGS");
    assert_eq!(error(&face().hears(r#"{"type":"Settings","agent":"stored"}"#)), "AGENT_ID_NOT_SUPPORTED");
    assert_eq!(error(&face().tells(Event::Failed { failure: Failure::Settings })), "INVALID_SETTINGS");
    assert_eq!(error(&Face::silent()), "CLIENT_MESSAGE_TIMEOUT");
}
