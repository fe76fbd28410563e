//! Whole conversations of a Realtime client, without a socket or an engine: what the client says and the engine
//! tells, and what becomes of it.

use domain::{
    Entropy,
    model::Usage,
    voice::{End, ReplyEnd, Trigger},
};
use serde_json::{Value, json};

use super::*;

/// Names and identifiers that count.
fn names() -> Names {
    let count = std::sync::atomic::AtomicU8::new(0);
    Names(Entropy::new(move |buffer| {
        buffer.fill(0);
        if let Some(last) = buffer.last_mut() {
            *last = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    }))
}

fn house() -> House {
    House {
        models: vec!["small".into(), "large".into()],
        model: "small".into(),
        voices: vec!["amber".into()],
        voice: "amber".into(),
    }
}

fn face() -> Face {
    let (names, house) = (names(), house());
    let session = house.session(&names, None);
    Face::new(names, house, session)
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

fn end(how: ReplyEnd) -> End {
    let usage = Some(Usage { prompt_tokens: 20, completion_tokens: 5 });
    End { how, usage, sent_ms: 100, heard_ms: 100 }
}

/// A conversation as it is written down: `>` the client says, `<` it is told, `!` the engine is asked, `.` goodbye.
#[derive(Default)]
struct Record(String);

impl Record {
    fn says(&mut self, face: &mut Face, message: &Value) {
        self.line('>', message["type"].as_str().unwrap());
        let steps = face.hears(&message.to_string());
        self.took(steps);
    }

    fn tells(&mut self, face: &mut Face, event: Event) {
        let steps = face.tells(event);
        self.took(steps);
    }

    fn took(&mut self, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Text(text) => {
                    let told: Value = serde_json::from_slice(&text).unwrap();
                    self.line('<', &told.to_string());
                }
                Step::Ask(command) => self.line('!', &format!("{command:?}")),
                Step::Leave(reason) => self.line('.', &format!("{reason:?}")),
                Step::Bytes(_) => panic!("this wire has no bytes"),
            }
        }
    }

    fn line(&mut self, who: char, what: &str) {
        self.0.push(who);
        self.0.push(' ');
        self.0.push_str(what);
        self.0.push('\n');
    }
}

/// What was told, by its types.
fn types(steps: &[Step]) -> Vec<String> {
    let told = steps.iter().filter_map(|step| match step {
        Step::Text(text) => serde_json::from_slice::<Value>(text).ok(),
        _ => None,
    });
    told.map(|told| told["type"].as_str().unwrap_or_default().to_owned()).collect()
}

/// The only thing that was told.
fn told(steps: &[Step]) -> Value {
    let [Step::Text(text)] = steps else { panic!("{steps:?}") };
    serde_json::from_slice(text).unwrap()
}

fn asked(steps: Vec<Step>) -> Vec<Command> {
    let asked = steps.into_iter().filter_map(|step| match step {
        Step::Ask(command) => Some(command),
        _ => None,
    });
    asked.collect()
}

/// A face whose session is told and holds.
fn begun(session: Value) -> Face {
    let mut face = face();
    face.hears(&json!({ "type": "session.update", "session": session }).to_string());
    face.tells(Event::Ready);
    face
}

#[test]
fn a_whole_conversation_is_told_as_six_clients_accept_it() {
    let (mut face, mut record) = (face(), Record::default());
    record.took(face.begins());
    let session = json!({
        "type": "realtime",
        "audio": { "input": { "transcription": { "model": "whisper-1" }, "turn_detection": { "type": "semantic_vad" } } },
        "tools": [{ "type": "function", "name": "order", "description": "", "parameters": {} }],
    });
    record.says(&mut face, &json!({ "type": "session.update", "session": session }));
    record.tells(&mut face, Event::Ready);
    record.says(&mut face, &json!({ "type": "input_audio_buffer.append", "audio": "AAAAAA==" }));
    // The caller asks for an order, and the model for a tool.
    record.tells(&mut face, Event::SpeechStarted { at_ms: 320, item: item(1) });
    record.tells(
        &mut face,
        Event::SpeechStopped { at_ms: 900, item: item(1), over: Over::Item(Trigger::Judged) },
    );
    let words = text("Where is order seven?");
    record.tells(&mut face, Event::UserText { item: item(1), text: words, finished: true, ms: 580 });
    record.tells(&mut face, Event::Thinking);
    let cause = Cause::Turn(item(1));
    record.tells(&mut face, Event::ReplyBegan { reply: reply(1), item: item(2), cause });
    let (name, arguments) = ("order".to_owned(), text("{\"number\":7}"));
    record
        .tells(&mut face, Event::ToolCall { reply: reply(1), call: call(1), name, arguments, client: true });
    record.tells(
        &mut face,
        Event::ReplyDone { reply: reply(1), item: item(2), end: end(ReplyEnd::WaitsForTools) },
    );
    let output = json!({ "type": "function_call_output", "call_id": reply::wire_call(call(1)), "output": "on its way" });
    record.says(&mut face, &json!({ "type": "conversation.item.create", "item": output }));
    record.says(
        &mut face,
        &json!({ "type": "response.create", "response": { "metadata": { "client_event_id": "x7" } } }),
    );
    // The result is spoken of.
    record
        .tells(&mut face, Event::ReplyBegan { reply: reply(2), item: item(3), cause: Cause::Asked(Some(1)) });
    record.tells(&mut face, Event::ReplyText { reply: reply(2), item: item(3), text: text("It is ") });
    let bytes = || Zeroizing::new(vec![0; 6]);
    record.tells(&mut face, Event::ReplyAudio { reply: reply(2), item: item(3), bytes: bytes() });
    record.tells(&mut face, Event::ReplyText { reply: reply(2), item: item(3), text: text("on its way.") });
    record.tells(&mut face, Event::ReplyAudio { reply: reply(2), item: item(3), bytes: bytes() });
    record
        .tells(&mut face, Event::ReplyDone { reply: reply(2), item: item(3), end: end(ReplyEnd::Finished) });
    record.tells(&mut face, Event::Ended { why: Why::HungUp });
    insta::assert_snapshot!(record.0);
}

#[test]
fn who_interrupts_is_heard_and_the_answer_ends_where_they_stopped_listening() {
    let mut face = begun(json!({}));
    let began = Event::ReplyBegan { reply: reply(1), item: item(2), cause: Cause::Greeting };
    face.tells(began);
    face.tells(Event::ReplyText { reply: reply(1), item: item(2), text: text("Once upon a time") });
    face.tells(Event::ReplyAudio { reply: reply(1), item: item(2), bytes: Zeroizing::new(vec![1, 2]) });
    let started = face.tells(Event::SpeechStarted { at_ms: 1000, item: item(3) });
    assert_eq!(types(&started), ["input_audio_buffer.speech_started"]);
    let ended =
        face.tells(Event::ReplyDone { reply: reply(1), item: item(2), end: end(ReplyEnd::Interrupted) });
    assert_eq!(
        types(&ended),
        [
            "response.output_audio.done",
            "response.output_audio_transcript.done",
            "response.content_part.done",
            "conversation.item.done",
            "response.output_item.done",
            "response.done",
        ]
    );
    let Some(Step::Text(last)) = ended.last() else { panic!("{ended:?}") };
    let last: Value = serde_json::from_slice(last).unwrap();
    assert_eq!(last["response"]["status"], "cancelled");
    assert_eq!(last["response"]["status_details"]["reason"], "turn_detected");
    assert_eq!(last["response"]["output"][0]["status"], "incomplete");

    let name = face.items.name(item(2));
    let heard = json!({ "type": "conversation.item.truncate", "item_id": name, "content_index": 0, "audio_end_ms": 60 });
    let commands = asked(face.hears(&heard.to_string()));
    assert!(matches!(commands[..], [Command::Heard { item: cut, ms: 60 }] if cut == item(2)));
    let truncated = told(&face.tells(Event::Truncated { item: item(2), ms: 60 }));
    assert_eq!(
        (&truncated["type"], &truncated["audio_end_ms"]),
        (&json!("conversation.item.truncated"), &json!(60))
    );
    assert!(face.tells(Event::Truncated { item: item(2), ms: 60 }).is_empty(), "told to whom asked, once");
    // Late pieces of what is over reach nobody.
    assert!(face.tells(Event::ReplyText { reply: reply(1), item: item(2), text: text("x") }).is_empty());
    assert!(
        face.tells(Event::ReplyDone { reply: reply(1), item: item(2), end: end(ReplyEnd::Finished) })
            .is_empty()
    );
}

#[test]
fn turns_by_hand_commit_what_was_heard_and_are_answered_on_request() {
    let mut face = begun(json!({ "audio": { "input": { "turn_detection": null, "transcription": {} } } }));
    let commit = asked(face.hears(r#"{"type":"input_audio_buffer.commit"}"#));
    assert!(matches!(commit[..], [Command::Commit]));
    let over = Over::Item(Trigger::Client);
    let stopped = face.tells(Event::SpeechStopped { at_ms: 10, item: item(1), over });
    let expected = ["input_audio_buffer.committed", "conversation.item.added", "conversation.item.done"];
    assert_eq!(types(&stopped), expected, "nobody was told that speech had started");
    let heard = face.tells(Event::UserText { item: item(1), text: text("Hello."), finished: true, ms: 10 });
    let expected = [
        "conversation.item.input_audio_transcription.delta",
        "conversation.item.input_audio_transcription.completed",
    ];
    assert_eq!(types(&heard), expected);
    let name = face.items.name(item(1));
    let back =
        told(&face.hears(&json!({ "type": "conversation.item.retrieve", "item_id": name }).to_string()));
    assert_eq!(back["item"]["content"][0], json!({ "type": "input_audio", "transcript": "Hello." }));
    let respond = asked(face.hears(r#"{"type":"response.create","response":{"instructions":"Be brief."}}"#));
    assert!(
        matches!(&respond[..], [Command::Respond { instructions: Some(told), tag: Some(_) }] if told == "Be brief.")
    );
    // Sound nobody spoke in.
    let empty = told(&face.tells(Event::NotDone { what: NotDone::NothingToCommit, tag: None }));
    assert_eq!(empty["error"]["code"], "input_audio_buffer_commit_empty");
    assert!(face.tells(Event::SpeechStopped { at_ms: 20, item: item(4), over: Over::Nothing }).is_empty());
}

#[test]
fn a_tool_the_engine_called_ahead_belongs_to_the_answer_that_follows() {
    let mut face = begun(json!({}));
    let ahead = |number| {
        let (name, arguments) = ("order".to_owned(), text("{}"));
        Event::ToolCall { reply: reply(1), call: call(number), name, arguments, client: true }
    };
    assert!(face.tells(ahead(1)).is_empty() && face.tells(ahead(2)).is_empty());
    face.tells(Event::ToolCancelled { call: call(2), name: "order".into() });
    let began = Event::ReplyBegan { reply: reply(1), item: item(2), cause: Cause::Turn(item(1)) };
    let told = types(&face.tells(began));
    assert_eq!(
        told.iter().filter(|kind| *kind == "response.function_call_arguments.done").count(),
        1,
        "{told:?}"
    );
    assert_eq!(told[0], "response.created");
}

#[test]
fn what_is_written_has_its_place_under_the_name_its_client_gave() {
    let mut face = begun(json!({ "output_modalities": ["text"] }));
    let create = json!({
        "type": "conversation.item.create",
        "item": { "id": "mine", "type": "message", "role": "user", "content": [{ "type": "input_text", "text": "Hello" }] },
    });
    let commands = asked(face.hears(&create.to_string()));
    let [Command::Text { item: Some(named), by: Spoken::Caller, answer: false, .. }] = &commands[..] else {
        panic!("{commands:?}")
    };
    let taken = face.tells(Event::TextTaken { item: *named, by: Spoken::Caller });
    assert_eq!(types(&taken), ["conversation.item.added", "conversation.item.done"]);
    let again = told(&face.hears(&create.to_string()));
    assert_eq!(again["error"]["param"], "item.id", "two of one name");
    let reply1 = Event::ReplyBegan { reply: reply(1), item: item(2), cause: Cause::Asked(None) };
    face.tells(reply1);
    let words = face.tells(Event::ReplyText { reply: reply(1), item: item(2), text: text("Hi.") });
    let expected = [
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_text.delta",
    ];
    assert_eq!(types(&words), expected);
    let done = face.tells(Event::ReplyDone { reply: reply(1), item: item(2), end: end(ReplyEnd::Finished) });
    assert_eq!(types(&done)[0], "response.output_text.done");
    let delete = asked(face.hears(r#"{"type":"conversation.item.delete","item_id":"mine"}"#));
    assert!(matches!(delete[..], [Command::Forget { item }] if item == *named));
    let deleted = told(&face.tells(Event::Forgotten { item: *named }));
    assert_eq!(
        (&deleted["type"], &deleted["item_id"]),
        (&json!("conversation.item.deleted"), &json!("mine"))
    );
    let gone = told(&face.hears(r#"{"type":"conversation.item.retrieve","item_id":"mine"}"#));
    assert_eq!(gone["error"]["param"], "item_id");
}

#[test]
fn what_was_not_done_is_said_in_the_words_clients_go_on_after() {
    let mut face = begun(json!({}));
    for (message, what, code) in [
        ("response.create", NotDone::AlreadyReplying, "conversation_already_has_active_response"),
        ("response.cancel", NotDone::NothingToCancel, "response_cancel_not_active"),
    ] {
        let message = json!({ "type": message, "event_id": "mine" });
        let commands = asked(face.hears(&message.to_string()));
        let [Command::Respond { tag, .. } | Command::Cancel { tag }] = &commands[..] else {
            panic!("{commands:?}")
        };
        let error = told(&face.tells(Event::NotDone { what, tag: *tag }));
        assert_eq!((&error["error"]["code"], &error["error"]["event_id"]), (&json!(code), &json!("mine")));
    }
    // What was cancelled in good order leaves nothing behind, however often.
    for _ in 0..500 {
        face.hears(r#"{"type":"response.cancel"}"#);
    }
    assert!(face.asked.len() <= MOST_WAITING);
}

#[test]
fn a_session_that_cannot_be_held_leaves_the_one_before() {
    let mut face = begun(json!({ "instructions": "Be brief.", "model": "large" }));
    assert_eq!(face.session.model, "large");
    face.hears(r#"{"type":"session.update","session":{"instructions":"Be long.","model":"small","audio":{"output":{"voice":"marin"}}}}"#);
    let error = told(&face.tells(Event::Failed { failure: Failure::Settings }));
    assert_eq!(error["error"]["code"], "invalid_session");
    assert_eq!(face.wanted.instructions, "Be brief.");
    face.hears(r#"{"type":"session.update","session":{}}"#);
    let updated = told(&face.tells(Event::Ready));
    assert_eq!(
        (&updated["session"]["model"], &updated["session"]["audio"]["output"]["voice"]),
        (&json!("large"), &json!("amber"))
    );
}

#[test]
fn a_format_that_came_too_late_leaves_the_one_before_and_what_was_asked_since() {
    let mut face = begun(json!({}));
    let update = |session: Value| json!({ "type": "session.update", "session": session }).to_string();
    face.hears(&update(json!({ "audio": { "input": { "format": { "type": "audio/pcmu" } } } })));
    let error = told(&face.tells(Event::Failed { failure: Failure::Order }));
    assert_eq!(error["error"]["code"], "invalid_session");
    assert_eq!(face.wanted, face.session);
    face.hears(&update(json!({ "instructions": "Be brief." })));
    let updated = told(&face.tells(Event::Ready));
    assert_eq!(updated["session"]["instructions"], "Be brief.");
    assert_eq!(updated["session"]["audio"]["input"]["format"]["type"], "audio/pcm");
    // One that fails between two takes neither away.
    face.hears(&update(json!({ "instructions": "First." })));
    face.hears(&update(json!({ "audio": { "output": { "speed": 1.5 } } })));
    face.tells(Event::Failed { failure: Failure::Order });
    assert_eq!((face.wanted.audio.output.speed, face.waiting.len()), (1.5, 1));
    // However many are sent at once, few wait.
    for _ in 0..100 {
        face.hears(&update(json!({})));
    }
    assert_eq!(face.waiting.len(), MOST_SESSIONS);
}

#[test]
fn events_of_our_own_are_told_to_whom_asked_for_them() {
    let stages =
        domain::voice::Latency { total_ms: Some(900), first_token_ms: Some(0), ..Default::default() };
    let events = || {
        let partial = Event::UserText { item: item(1), text: text("Where is"), finished: false, ms: 300 };
        [partial, Event::Latency { reply: reply(1), stages }]
    };
    let mut plain = begun(json!({}));
    assert!(events().into_iter().all(|event| plain.tells(event).is_empty()));
    let mut face = begun(json!({})).extended(true);
    let [partial, latency] = events().map(|event| told(&face.tells(event)));
    assert_eq!(
        (&partial["type"], &partial["transcript"]),
        (&json!("x_troth.partial_transcript"), &json!("Where is"))
    );
    assert_eq!(
        (&latency["type"], &latency["stages"]),
        (&json!("x_troth.latency"), &json!({ "first_token_ms": 0, "total_ms": 900 }))
    );
}

#[test]
fn what_cannot_be_written_leaves_no_name_and_no_place_behind() {
    let mut face = begun(json!({}));
    let create = json!({
        "type": "conversation.item.create",
        "item": { "id": "mine", "type": "message", "role": "user", "content": [{ "type": "input_text", "text": "Hello" }] },
    });
    for what in [NotDone::BadText, NotDone::AlreadyReplying] {
        assert_eq!(asked(face.hears(&create.to_string())).len(), 1);
        let error = told(&face.tells(Event::NotDone { what, tag: None }));
        assert_eq!(error["type"], "error");
        assert!(face.texts.is_empty() && face.items.find("mine").is_none());
    }
}

#[test]
fn calls_of_two_answers_are_not_mixed_up_and_end_with_their_results() {
    let mut face = begun(json!({}));
    let ahead = |of, number| {
        let (name, arguments) = ("order".to_owned(), text("{}"));
        Event::ToolCall { reply: reply(of), call: call(number), name, arguments, client: true }
    };
    face.tells(ahead(1, 1));
    face.tells(ahead(2, 2));
    face.tells(ahead(3, 3));
    let began = |of| Event::ReplyBegan { reply: reply(of), item: item(2), cause: Cause::Turn(item(1)) };
    let done = |steps: &[Step]| {
        types(steps).iter().filter(|kind| *kind == "response.function_call_arguments.done").count()
    };
    assert_eq!(done(&face.tells(began(1))), 1);
    face.tells(Event::ReplyDone { reply: reply(1), item: item(2), end: end(ReplyEnd::WaitsForTools) });
    assert_eq!(done(&face.tells(began(2))), 1, "what belongs to another answer stays for it");
    // The third never began, and its tool is given up.
    face.tells(Event::ToolDone { call: call(3), name: "order".into(), worked: false });
    assert!(face.early.is_empty() && !face.calls.contains(&call(3)));
    let late = json!({ "type": "function_call_output", "call_id": reply::wire_call(call(3)), "output": "" });
    let error = told(&face.hears(&json!({ "type": "conversation.item.create", "item": late }).to_string()));
    assert_eq!(error["error"]["param"], "item.call_id");
}

#[test]
fn bad_messages_end_in_an_error_and_the_call_goes_on() {
    let _proof = domain::verifies!(VOI11);
    let mut face = begun(json!({}));
    for (message, param) in [
        (json!({ "type": "input_audio_buffer.append", "audio": "hunter2!" }), json!("audio")),
        (json!({ "type": "input_audio_buffer.append", "audio": "AAAA" }), json!("audio")),
        (json!({ "type": "conversation.item.retrieve", "item_id": "hunter2" }), json!("item_id")),
        (json!({ "type": "hunter2" }), json!("type")),
        (
            json!({ "type": "session.update", "session": { "audio": { "input": { "format": { "type": "audio/pcm", "rate": 7 } } } } }),
            json!("session.audio.input.format.rate"),
        ),
        (
            json!({ "type": "conversation.item.create", "item": { "type": "function_call_output", "call_id": "call_hunter2", "output": "" } }),
            json!("item.call_id"),
        ),
    ] {
        let steps = face.hears(&message.to_string());
        let error = told(&steps);
        assert_eq!((&error["type"], &error["error"]["param"]), (&json!("error"), &param), "{message}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    assert_eq!(told(&face.hears_bytes())["type"], "error");
    assert!(matches!(
        asked(face.hears(r#"{"type":"input_audio_buffer.append","audio":"AAAAAA=="}"#))[..],
        [Command::Audio(_)]
    ));
    assert!(face.hears(r#"{"type":"input_audio_buffer.append","audio":""}"#).is_empty());
}

#[test]
fn who_says_nothing_about_the_session_gets_the_usual_one() {
    let mut face = face();
    let refused = face.hears(r#"{"type":"input_audio_buffer.append","audio":"AA"}"#);
    assert_eq!(told(&refused)["type"], "error", "which begins no call");
    let steps = asked(face.hears(r#"{"type":"input_audio_buffer.append","audio":"AAAAAA=="}"#));
    assert!(matches!(steps[..], [Command::Configure(_), Command::Audio(_)]));
    assert!(face.tells(Event::Ready).is_empty(), "nobody asked");
}

#[test]
fn answers_that_break_off_and_calls_that_end_say_why() {
    let mut face = begun(json!({}));
    face.tells(Event::ReplyBegan { reply: reply(1), item: item(2), cause: Cause::Turn(item(1)) });
    let how = ReplyEnd::Failed(Failure::Thinking);
    let done = told(&face.tells(Event::ReplyDone { reply: reply(1), item: item(2), end: end(how) }));
    assert_eq!((&done["response"]["status"], &done["response"]["output"]), (&json!("failed"), &json!([])));
    assert_eq!(done["response"]["status_details"]["error"]["code"], "thinking");
    for (why, said, reason) in [
        (Why::HungUp, 0, Reason::Done),
        (Why::Agent, 0, Reason::Done),
        (Why::TooLong, 1, Reason::Done),
        (Why::UsedUp, 1, OVER),
        (Why::SessionEnded, 0, Reason::Ended),
        (Why::Closing, 0, Reason::GoingAway),
        (Why::Failed(Failure::TooFast), 0, OVER),
        (Why::Failed(Failure::Busy), 0, BUSY),
        (Why::Failed(Failure::Speaking), 1, Reason::Broken),
    ] {
        let steps = face.tells(Event::Ended { why });
        assert_eq!(types(&steps).len(), said, "{why:?}");
        assert!(matches!(steps.last(), Some(Step::Leave(left)) if *left == reason), "{why:?}");
    }
}
