//! Callers and what they must show; the agent's tools; bringing customers in; samples.

#[path = "customers/files.rs"]
mod files;

use std::time::Duration;

use assistant::{
    Assistant, Caller, Desk, Limits,
    customers::Kind,
    tools::{Effect, Tool, ToolResult},
};
use domain::{
    Action, Actor, Ctx, Job,
    audit::{Act, Entry},
    control::Numbers,
    model::{Place, ToolCall},
    verifies,
};
use providers::Providers;
use serde_json::{Value, json};
use store::{audit, outbox};
use testkit::{Home, both_engines};
use tokio_util::task::TaskTracker;

use crate::house::scripted;

/// Three customers with two orders each, and an appointment of the first.
const FILE: &str = r#"{"customers":[
  {"customer_id":"CUST0001","name":"Ann Marked","phone":"+12025550101","email":"ann@example.com",
   "date_of_birth":"1985-07-04","note":"marked note","address":"1 Marked Street","orders":[
    {"order_number":"ORD0001","placed":"2025-11-02","status":"shipped","expected":"2026-01-05","items":["Ann's lamp"],"total":"42.50 EUR"},
    {"order_number":"ORD0002","placed":"2025-12-02","status":"pending","items":["Ann's shelf"]}],
   "appointments":[{"appointment_number":"APT0007","start":"2026-01-05 10:00","service":"Review"}]},
  {"customer_id":"CUST0002","name":"Bob Marked","phone":"+12025550102","email":"bob@example.com",
   "date_of_birth":"1990-01-31","orders":[{"order_number":"ORD0003","placed":"2025-11-03","status":"delivered","items":["Bob's chair"]}]},{"customer_id":"CUST0003","name":"Cleo Marked"}]}"#;

fn desk() -> Desk {
    Desk { codes: true, answer_grid: Duration::ZERO, ..Desk::default() }
}

fn assistant(home: &Home, desk: Desk) -> Assistant {
    let tasks = TaskTracker::new();
    let providers = Providers::start(scripted(), &tasks, home.clockwork.clock()).unwrap();
    Assistant::with_desk(home.store.clone(), providers, tasks, Limits::default(), desk)
}

fn operator(home: &Home) -> Ctx {
    home.ctx(Actor::System(Job::Operator))
}

async fn filled(home: &Home, desk: Desk) -> Assistant {
    let assistant = assistant(home, desk);
    let report =
        assistant.customers().import(&operator(home), FILE.as_bytes(), Kind::Json, false).await.unwrap();
    assert!(report.taken, "{report:?}");
    assistant
}

/// A call with its caller and a counter for ids.
struct Line {
    assistant: Assistant,
    ctx: Ctx,
    caller: Caller,
    calls: usize,
}

impl Line {
    fn open(home: &Home, assistant: &Assistant) -> Self {
        // Whose session the call runs in does not matter to the desk; a program's would do as well.
        let ctx = home.ctx(Actor::System(Job::Turn));
        let caller = Caller::new(Place::ThisMachine);
        Self { assistant: assistant.clone(), ctx, caller, calls: 0 }
    }

    async fn result(&mut self, tool: &str, arguments: Value) -> ToolResult {
        self.calls += 1;
        let call = ToolCall {
            id: format!("call-{}", self.calls),
            name: tool.to_owned(),
            arguments: arguments.to_string(),
        };
        self.assistant.tools().run(&self.ctx, &mut self.caller, call).await
    }

    async fn ask(&mut self, tool: &str, arguments: Value) -> Value {
        serde_json::from_str(&self.result(tool, arguments).await.output).unwrap()
    }

    async fn is_ann(&mut self) {
        let facts = json!({ "phone": "two oh two, triple five, oh one oh one", "order_number": "order one" });
        assert_eq!(self.ask("verify_customer", facts).await["verified"], true);
    }
}

both_engines!(a_caller_proves_who_they_are_by_two_facts_and_is_served_as_that_customer_alone, |home| {
    let _proof = verifies!(CUS04);
    let assistant = filled(&home, desk()).await;
    let mut line = Line::open(&home, &assistant);
    for tool in Tool::ALL.into_iter().filter(|tool| tool.needs_customer()) {
        let refused = line.result(tool.name(), json!({ "order_number": "1" })).await;
        assert!(refused.failed && refused.output.contains("not shown who they are"), "{}", refused.output);
    }
    let offered = |line: &Line| -> Vec<String> {
        line.assistant.tools().offered(&line.caller).into_iter().map(|tool| tool.name).collect()
    };
    assert!(!offered(&line).contains(&"find_orders".to_owned()));
    line.is_ann().await;
    assert!(offered(&line).contains(&"find_orders".to_owned()));
    assert!(!offered(&line).contains(&"verify_customer".to_owned()));
    let orders = line.ask("find_orders", json!({})).await;
    let numbers: Vec<&str> =
        orders["orders"].as_array().unwrap().iter().map(|o| o["order_number"].as_str().unwrap()).collect();
    assert_eq!(numbers, ["ORD0002", "ORD0001"]);

    // Whatever the model asks for, another customer's record is not reached.
    for tool in ["find_orders", "list_appointments"] {
        for key in ["customer_id", "customer", "id"] {
            let refused = line.result(tool, json!({ key: "CUST0002" })).await;
            assert!(refused.failed && !refused.output.contains("Bob"), "{tool} {key}");
        }
    }
    let other = line.ask("order_status", json!({ "order_number": "ORD0003" })).await;
    let nobodys = line.ask("order_status", json!({ "order_number": "ORD0999" })).await;
    assert_eq!(other, nobodys, "another's order and none at all are the same");
    let bob = json!({ "email": "bob@example.com", "order_number": "ORD0003" });
    let again = line.result("verify_customer", bob).await;
    assert!(again.failed && again.output.contains("stays theirs"), "{}", again.output);
    let still = line.ask("order_status", json!({ "order_number": "one" })).await;
    assert_eq!(still["items"][0], "Ann's lamp");
});

both_engines!(wrong_facts_are_answered_the_same_whoever_they_are_about_and_only_so_often, |home| {
    let _proof = verifies!(CUS05);
    let assistant = filled(&home, desk()).await;
    let wrong_order = json!({ "phone": "+12025550101", "order_number": "ORD0003" });
    let nobody = json!({ "phone": "+12025550199", "order_number": "ORD0001" });
    let wrong_day = json!({ "email": "ann@example.com", "date_of_birth": "1985-07-05" });
    let unknown_day = json!({ "email": "cleo@example.com", "date_of_birth": "1985-07-04" });
    let right = json!({ "phone": "+12025550101", "order_number": "ORD0001" });
    let mut answers = Vec::new();
    for facts in [&wrong_order, &nobody, &wrong_day, &unknown_day] {
        let mut line = Line::open(&home, &assistant);
        let mut said = Vec::new();
        for _ in 0..4 {
            said.push(line.result("verify_customer", facts.clone()).await.output);
        }
        let late = line.ask("verify_customer", right.clone()).await;
        assert_ne!(late["verified"], true, "in this call what is right does not help any more");
        assert!(!line.caller.is_verified());
        answers.push(said);
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    assert!(answers[0][2].contains("No tries are left"), "{answers:?}");

    // Ann has been tried five times and more over all calls: now what is right does not help either.
    let mut line = Line::open(&home, &assistant);
    let refused = line.result("verify_customer", right.clone()).await;
    assert!(refused.failed && refused.output == answers[0][0], "{}", refused.output);
    home.clockwork.advance(25 * 60 * 60);
    let mut line = Line::open(&home, &assistant);
    assert_eq!(line.ask("verify_customer", right).await["verified"], true);

    let mut line = Line::open(&home, &assistant);
    let one = line.result("verify_customer", json!({ "phone": "+12025550101" })).await;
    assert!(one.failed && one.output.contains("this is not enough"), "{}", one.output);
    let unclear = json!({ "phone": "hm", "order_number": "ORD0001" });
    let unclear = line.result("verify_customer", unclear).await;
    assert!(unclear.output.contains("phone could not be understood"), "{}", unclear.output);
    for told in ["2025550199", "2025550101"] {
        assert!(!home.keeps(told).await, "whom they named is kept as a keyed hash");
    }
});

/// The code of the one letter that waits, which is for `to`; it is taken.
async fn mailed(home: &Home, to: &str) -> String {
    let mails = home.instance(Job::Mail, Action::ReadAccount);
    let mut tx = home.store.begin(&operator(home)).await.unwrap();
    let due = outbox::take_due(&mut tx, &mails, 10, |_| home.clockwork.now()).await.unwrap();
    assert_eq!(due.len(), 1, "one is sent, to the one who has an address");
    outbox::finish(&mut tx, &mails, due[0].id, outbox::State::Sent, "").await.unwrap();
    tx.commit(Entry::new(Act::MailSent, "")).await.unwrap();
    let (now, minutes) = (home.clockwork.now(), 10 * 60);
    assert!(!due[0].is_over(now.plus_seconds(minutes - 1)) && due[0].is_over(now.plus_seconds(minutes)));
    let letter = due[0].letter.clone().unwrap();
    assert_eq!(letter.to.as_str(), to);
    let domain::mail::Mail::CallerCode { code, .. } = letter.mail else { panic!("a code") };
    code
}

both_engines!(guesses_of_a_code_count_for_the_customer_and_a_customer_who_is_locked_has_none, |home| {
    let _proof = verifies!(CUS05);
    let numbers = Numbers { customer_tries: 3, ..Numbers::default() };
    let assistant = filled(&home, Desk { numbers, ..desk() }).await;
    let mut line = Line::open(&home, &assistant);
    line.ask("send_code", json!({ "email": "ann@example.com" })).await;
    let code = mailed(&home, "ann@example.com").await;
    let wrong = if code == "123456" { "123457" } else { "123456" };
    for _ in 0..2 {
        assert_eq!(line.ask("verify_customer", json!({ "code": wrong })).await["verified"], false);
    }
    assert_eq!(
        line.ask("verify_customer", json!({ "code": code })).await["verified"],
        false,
        "the fourth try"
    );
    let mut other = Line::open(&home, &assistant);
    let right = json!({ "phone": "+12025550101", "order_number": "ORD0001" });
    assert_eq!(other.ask("verify_customer", right).await["verified"], false, "over all calls");
    let looks = home.instance(Job::Checks, Action::ReadInstance);
    let entries = audit::list(&home.store, &looks, 0, 500).await.unwrap();
    let failed: Vec<_> = entries.iter().filter(|entry| entry.act == "customer-not-verified").collect();
    assert_eq!(failed.len(), 4);
    assert!(failed.iter().all(|entry| entry.target == failed[0].target && !entry.target.is_empty()));
});

both_engines!(a_call_sends_two_codes_at_most, |home| {
    let _proof = verifies!(CUS05);
    let assistant = filled(&home, desk()).await;
    let mut line = Line::open(&home, &assistant);
    for more in [true, true, false, false] {
        let sent = line.result("send_code", json!({ "email": "ann@example.com" })).await;
        assert_eq!(sent.output.contains("no more codes"), !more, "{}", sent.output);
    }
});

both_engines!(one_birthday_is_not_tried_on_everybody, |home| {
    let _proof = verifies!(CUS05);
    let numbers = Numbers { desk_tries_an_hour: 3, ..Numbers::default() };
    let assistant = filled(&home, Desk { numbers, ..desk() }).await;
    let right = json!({ "phone": "+12025550101", "order_number": "ORD0001" });
    // Those who prove to be somebody take their tries back.
    for _ in 0..5 {
        let mut line = Line::open(&home, &assistant);
        assert_eq!(line.ask("verify_customer", right.clone()).await["verified"], true);
    }
    for person in ["ann", "bob", "cleo"] {
        let mut line = Line::open(&home, &assistant);
        let guess = json!({ "email": format!("{person}@example.com"), "date_of_birth": "1971-01-01" });
        assert_eq!(line.ask("verify_customer", guess).await["verified"], false);
    }
    let mut line = Line::open(&home, &assistant);
    assert_eq!(line.ask("verify_customer", right.clone()).await["verified"], false);
    line.ask("send_code", json!({ "phone": "+12025550102" })).await;
    let mails = home.instance(Job::Mail, Action::ReadAccount);
    assert!(!outbox::is_due(&home.store, &mails, home.clockwork.now()).await.unwrap(), "nor is a code sent");
    home.clockwork.advance(60 * 60 + 1);
    assert_eq!(line.ask("verify_customer", right).await["verified"], true);
});

both_engines!(a_try_counts_whatever_comes_of_it_and_every_answer_is_on_the_grid, |home| {
    let _proof = verifies!(CUS05);
    let grid = Duration::from_millis(150);
    let assistant = filled(&home, Desk { answer_grid: grid, ..desk() }).await;
    let ann = json!({ "email": "ann@example.com", "date_of_birth": "1971-01-01" });
    let nobody = json!({ "email": "nobody@example.com", "date_of_birth": "1971-01-01" });
    let timed = async |line: &mut Line, facts: &Value| {
        let begun = std::time::Instant::now();
        let result = line.result("verify_customer", facts.clone()).await;
        assert!(begun.elapsed() >= grid, "an answer came early");
        result.output
    };
    let mut line = Line::open(&home, &assistant);
    let known = timed(&mut line, &ann).await;
    assert_eq!(timed(&mut Line::open(&home, &assistant), &nobody).await, known);
    home.spoil("UPDATE customers SET restricted = internal").await;
    let broken = timed(&mut line, &ann).await;
    assert!(broken.contains("does not work at the moment"), "{broken}");
    let counted = home.spoil("DELETE FROM customer_tries WHERE tries = 2").await;
    assert_eq!(counted, 1, "Ann was tried twice, although the second try failed on the way");
});

both_engines!(the_same_call_is_answered_again_and_another_one_never_is, |home| {
    let assistant = filled(&home, desk()).await;
    let mut line = Line::open(&home, &assistant);
    line.is_ann().await;
    let tools = assistant.tools();
    // As an endpoint numbers its calls: from one, in every answer.
    let call = |name: &str, arguments: Value| ToolCall {
        id: "call_1".to_owned(),
        name: name.to_owned(),
        arguments: arguments.to_string(),
    };
    for (number, status) in [("ORD0001", "shipped"), ("ORD0002", "pending")] {
        let asked = call("order_status", json!({ "order_number": number }));
        let told = tools.run(&line.ctx, &mut line.caller, asked).await.output;
        assert!(told.contains(number) && told.contains(status), "{told}");
    }
    let before = tools.run(&line.ctx, &mut line.caller, call("list_appointments", json!({}))).await.output;
    let wanted = json!({ "service": "Review", "date": "2026-01-06", "time": "9" });
    tools.run(&line.ctx, &mut line.caller, call("make_appointment", wanted)).await;
    let after = tools.run(&line.ctx, &mut line.caller, call("list_appointments", json!({}))).await.output;
    assert_ne!(before, after, "what is read is read again");
    // What a model here was told is not told again to one elsewhere.
    let wanted = call("order_status", json!({ "order_number": "ORD0001" }));
    assert!(tools.run(&line.ctx, &mut line.caller, wanted.clone()).await.output.contains("lamp"));
    line.caller.heard_at(Place::Endpoint { host: "models.example".to_owned(), loopback: false });
    assert!(!tools.run(&line.ctx, &mut line.caller, wanted).await.output.contains("lamp"));

    let over = call("hand_over", json!({ "reason": "wants a person" }));
    let first = tools.run(&line.ctx, &mut line.caller, over.clone()).await;
    let again = tools.run(&line.ctx, &mut line.caller, over.clone()).await;
    assert_eq!((again.output == first.output, again.effect), (true, None), "handed over once");
    let anew = call("hand_over", json!({ "reason": "is angry" }));
    let anew = tools.run(&line.ctx, &mut line.caller, anew).await;
    assert!(anew.effect.is_some() && anew.effect != first.effect, "other arguments are another call");
});

both_engines!(what_failed_on_the_way_may_be_tried_again_under_its_id, |home| {
    let assistant = filled(&home, desk()).await;
    let mut line = Line::open(&home, &assistant);
    line.is_ann().await;
    let call = ToolCall {
        id: "call_1".to_owned(),
        name: "make_appointment".to_owned(),
        arguments: json!({ "service": "Review", "date": "2026-01-06", "time": "9" }).to_string(),
    };
    let tools = assistant.tools();
    home.spoil("ALTER TABLE appointment_slots RENAME TO elsewhere").await;
    let failed = tools.run(&line.ctx, &mut line.caller, call.clone()).await;
    assert!(failed.output.contains("does not work at the moment"), "{}", failed.output);
    home.spoil("ALTER TABLE elsewhere RENAME TO appointment_slots").await;
    let made = tools.run(&line.ctx, &mut line.caller, call).await;
    assert!(made.output.contains("APT0008"), "{}", made.output);
});

both_engines!(a_customer_has_only_so_many_appointments_ahead, |home| {
    let _proof = verifies!(CUS07);
    let numbers = Numbers { appointments_ahead: 2, ..Numbers::default() };
    let assistant = filled(&home, Desk { numbers, ..desk() }).await;
    let mut line = Line::open(&home, &assistant);
    line.is_ann().await;
    let at = |time: &str| json!({ "service": "Review", "date": "2026-01-06", "time": time });
    assert_eq!(
        line.ask("make_appointment", at("9")).await["made"],
        true,
        "the second, with that of the file"
    );
    let third = line.result("make_appointment", at("11")).await;
    assert!(third.failed && third.output.contains("as many appointments ahead"), "{}", third.output);
    assert_eq!(line.ask("list_appointments", json!({})).await["in_all"], 2, "nothing of it remains");
    home.clockwork.advance(5 * 24 * 60 * 60);
    let later = json!({ "service": "Review", "date": "2026-01-12", "time": "11" });
    assert_eq!(line.ask("make_appointment", later).await["made"], true, "the others are over");
});

both_engines!(a_code_goes_to_the_customer_and_works_once_in_its_call, |home| {
    let assistant = filled(&home, desk()).await;
    let mut line = Line::open(&home, &assistant);
    let ann = line.ask("send_code", json!({ "customer_id": "one" })).await;
    let mut other = Line::open(&home, &assistant);
    let nobody = other.ask("send_code", json!({ "customer_id": "ninety nine" })).await;
    let without_address = other.ask("send_code", json!({ "customer_id": "three" })).await;
    assert!(ann == nobody && nobody == without_address, "{ann} {nobody}");
    let code = mailed(&home, "ann@example.com").await;
    // In another call it is worth nothing.
    assert_eq!(other.ask("verify_customer", json!({ "code": code })).await["verified"], false);
    let spoken = code.chars().map(String::from).collect::<Vec<_>>().join(" ");
    assert_eq!(line.ask("verify_customer", json!({ "code": spoken })).await["verified"], true);
    assert_eq!(line.ask("find_orders", json!({})).await["in_all"], 2);

    let mut late = Line::open(&home, &assistant);
    late.ask("send_code", json!({ "phone": "+12025550102" })).await;
    let code = mailed(&home, "bob@example.com").await;
    home.clockwork.advance(10 * 60);
    let over = late.result("verify_customer", json!({ "code": code })).await;
    assert!(over.failed && !late.caller.is_verified(), "its minutes are over");
    late.ask("send_code", json!({ "phone": "+12025550102" })).await;
    let third = late.result("send_code", json!({ "phone": "+12025550102" })).await;
    assert!(third.failed, "two codes a call");
});

both_engines!(tools_tell_what_their_task_needs_and_leave_an_entry, |home| {
    let _proof = verifies!(CUS06);
    let assistant = filled(&home, desk()).await;
    let mut line = Line::open(&home, &assistant);
    line.is_ann().await;
    let told = [
        line.result("find_orders", json!({})).await.output,
        line.result("order_status", json!({ "order_number": "one" })).await.output,
        line.result("list_appointments", json!({})).await.output,
    ];
    assert_eq!(
        told[1],
        r#"{"order_number":"ORD0001","status":"shipped","expected":"2026-01-05","items":["Ann's lamp"]}"#
    );
    let all = told.join(" ");
    for marked in ["Marked", "1202555", "example.com", "1985", "42.50", "note", "CUST0001"] {
        assert!(!all.contains(marked), "{marked}: {all}");
    }
    // A model elsewhere is told less.
    line.caller.heard_at(Place::Endpoint { host: "models.example".to_owned(), loopback: false });
    let away = line.ask("order_status", json!({ "order_number": "one" })).await;
    assert_eq!((away.get("items"), &away["status"]), (None, &json!("shipped")));
    let looks = home.instance(Job::Checks, Action::ReadInstance);
    let entries = audit::list(&home.store, &looks, 0, 500).await.unwrap();
    let opened = entries.iter().filter(|entry| entry.act == "customer-opened");
    assert_eq!(opened.clone().count(), 4);
    assert!(opened.into_iter().all(|entry| entry.actor == "system:desk"));
});

both_engines!(an_appointment_is_made_once_ahead_within_hours_and_where_nobody_else_is, |home| {
    let _proof = verifies!(CUS07);
    let assistant = filled(&home, desk()).await;
    let mut line = Line::open(&home, &assistant);
    line.is_ann().await;
    // The clock of the tests begins on Thursday, 1 January 2026.
    let free = line.ask("check_availability", json!({ "service": "review", "date": "2026-01-05" })).await;
    let free = free["free"].as_array().unwrap().clone();
    assert!(free.contains(&json!("2026-01-05 09:00")) && !free.contains(&json!("2026-01-05 10:00")));
    let wanted = json!({ "service": "Review", "date": "next Friday", "time": "half past two pm" });
    let call = ToolCall {
        id: "once".to_owned(),
        name: "make_appointment".to_owned(),
        arguments: wanted.to_string(),
    };
    let tools = assistant.tools();
    let first = tools.run(&line.ctx, &mut line.caller, call.clone()).await;
    assert!(first.output.contains("APT0008") && first.output.contains("2026-01-02 14:30"), "{first:?}");
    assert_eq!(tools.run(&line.ctx, &mut line.caller, call).await, first, "the same call is one appointment");
    let retold = line.result("make_appointment", wanted.clone()).await;
    assert!(retold.output.contains("APT0008"), "the caller has that time already: {}", retold.output);
    assert_eq!(line.ask("list_appointments", json!({})).await["in_all"], 2);

    let mut bob = Line::open(&home, &assistant);
    let facts = json!({ "email": "bob@example.com", "date_of_birth": "31 January 1990" });
    assert_eq!(bob.ask("verify_customer", facts).await["verified"], true);
    for (date, time, why) in [
        ("2026-01-02", "14:30", "that time is taken"),
        ("2025-12-31", "10:00", "that time is in the past"),
        ("2026-01-03", "10:00", "the desk is not open then"),
        ("2026-01-05", "16:45", "the desk is not open then"),
        ("2026-01-05", "11:05", "appointments begin at a quarter of an hour"),
        ("2026-09-01", "10:00", "that is further ahead than appointments are made"),
    ] {
        let refused =
            bob.ask("make_appointment", json!({ "service": "Review", "date": date, "time": time })).await;
        assert_eq!(refused["error"], why, "{date} {time}");
        assert!(refused["instead"].is_array() && !refused.to_string().contains("APT"), "{refused}");
    }
    let strange = json!({ "service": "Haircut", "date": "2026-01-05", "time": "9" });
    assert!(bob.result("make_appointment", strange).await.output.contains("Consultation"));
});

both_engines!(strange_calls_of_tools_are_refused_in_words_and_bounded, |home| {
    let assistant = filled(&home, desk()).await;
    let mut line = Line::open(&home, &assistant);
    for (name, arguments) in [
        ("delete_everything", "{}"),
        ("verify_customer", "not json"),
        ("verify_customer", "[1]"),
        ("verify_customer", r#"{"phone": 5}"#),
        ("check_availability", "{}"),
        ("hand_over", r#"{"reason":"x","to":"+1900"}"#),
    ] {
        let call = ToolCall {
            id: format!("{name}{arguments}"),
            name: name.to_owned(),
            arguments: arguments.to_owned(),
        };
        let refused = assistant.tools().run(&line.ctx, &mut line.caller, call).await;
        assert!(refused.failed && refused.output.contains("next"), "{name} {arguments}");
    }
    let over = line.result("hand_over", json!({ "reason": "wants a person" })).await;
    assert_eq!(over.effect, Some(Effect::HandOver { reason: "wants a person".to_owned() }));
    assert_eq!(line.result("end_call", json!({})).await.effect, Some(Effect::EndCall));
    let mut refused = 0;
    for _ in 0..200 {
        refused +=
            usize::from(line.result("check_availability", json!({})).await.output.contains("too many"));
    }
    assert!(refused > 0, "a call ends somewhere");
    let over = line.result("hand_over", json!({ "reason": "enough" })).await;
    assert!(matches!(over.effect, Some(Effect::HandOver { .. })), "the way out stays open");
    assert_eq!(line.result("end_call", json!({})).await.effect, Some(Effect::EndCall));
    assert!(!format!("{:?}", over.effect).contains("enough"));
});
