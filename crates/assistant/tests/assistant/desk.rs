//! Calls of the voice desk and its staff: which calls are the desk's, who follows them, who holds one, how they end.

use std::time::Duration;

use assistant::{Assistant, EndedCall, Error, Keeping, Opening, Seen, Speaker, Watching};
use domain::{
    Action, Actor, Ctx, Job, Resource,
    access::{Rights, Role, Roles, Standing},
    audit::Act,
    authorize,
    control::Numbers,
    verifies,
    voice::{
        CallState, Category, Cause, ClientTool, Command, Event, NotDone, Outcome, ReplyEnd, Settings, Spoken,
        Way, Why,
    },
};
use testkit::{Home, Person};
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::{
    house::with_desk,
    talk::{Talk, answers, opening, silent},
};

/// A desk: its assistant, somebody without a role of it, and two who lead it.
struct Desk {
    home: Home,
    assistant: Assistant,
    ann: Person,
    sue: Person,
    sam: Person,
}

fn desk(work: impl AsyncFnOnce(Desk)) {
    desk_with(Numbers::default(), work);
}

fn desk_with(numbers: Numbers, work: impl AsyncFnOnce(Desk)) {
    testkit::run(async {
        let home = Home::sqlite().await;
        let lead = Roles::NONE.with(Role::Supervisor).with(Role::User);
        let (ann, sue, sam) = (
            home.person("ann").await,
            home.person_with("sue", lead).await,
            home.person_with("sam", lead).await,
        );
        let assistant = with_desk(&home, assistant::Desk { numbers, ..assistant::Desk::default() });
        work(Desk { home, assistant, ann, sue, sam }).await;
    });
}

fn text(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_owned())
}

impl Desk {
    async fn call(&self) -> Talk {
        let talk = Talk::at_the_desk(&self.assistant, &self.sue, silent()).await;
        talk.introduced().await;
        talk
    }

    /// How often the log has `act` about `talk`.
    async fn noted(&self, act: Act, talk: &Talk) -> usize {
        let permit = self.home.instance(Job::Checks, Action::ReadInstance);
        let log = store::audit::list(&self.home.store, &permit, 0, 1000).await.unwrap();
        let target = talk.id().to_string();
        log.iter().filter(|record| record.act == act.name() && record.target == target).count()
    }

    /// Hangs up, and gives how the call ended.
    async fn hung_up(&self, talk: &Talk) -> EndedCall {
        talk.ask(Command::HangUp).await;
        self.ended(talk).await
    }

    async fn ended(&self, talk: &Talk) -> EndedCall {
        talk.end().await;
        let mut changes = self.assistant.running_calls_change(&self.sue.ctx).unwrap();
        while self.assistant.running_call(&self.sue.ctx, talk.id()).is_ok() {
            changes.changed().await.unwrap();
        }
        let ended = self.assistant.ended_calls(&self.sue.ctx).await.unwrap();
        *ended.iter().find(|call| call.id == talk.id()).unwrap()
    }
}

/// Reads on until `what` is seen.
async fn until(watching: &mut Watching, what: impl Fn(&Seen) -> bool) -> Seen {
    let read = async {
        loop {
            let seen = watching.next().await.expect("the call goes on");
            if what(&seen) {
                return seen;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), read).await.expect("it is seen")
}

fn words(speaker: Speaker, text: &str) -> impl Fn(&Seen) -> bool {
    let text = text.to_owned();
    move |seen| matches!(seen, Seen::Words(words) if words.speaker == speaker && words.text.contains(&text))
}

#[test]
fn a_call_of_somebodys_own_is_nobody_elses() {
    let _proof = verifies!(DSK01);
    desk(async |desk| {
        let own = Talk::begin(&desk.assistant, &desk.ann, Keeping::Temporary(None), silent()).await;
        own.introduced().await;
        assert_eq!(desk.assistant.calls(), 1);
        let sue = &desk.sue.ctx;
        assert!(desk.assistant.running_calls(sue).unwrap().is_empty());
        assert!(matches!(desk.assistant.running_call(sue, own.id()), Err(Error::NotFound)));
        assert!(matches!(desk.assistant.watch_call(sue, own.id()).await, Err(Error::NotFound)));
        assert!(matches!(desk.assistant.hold_call(sue, own.id()).await, Err(Error::NotFound)));
        assert!(matches!(desk.assistant.end_call(sue, own.id()).await, Err(Error::NotFound)));
        assert_eq!(own.said(|cause| cause == Cause::Greeting), ["You are speaking with an AI assistant. "]);
        // Not even a supervisor's own, which was not opened as the desk's.
        let own = Talk::begin(&desk.assistant, &desk.sue, Keeping::Temporary(None), silent()).await;
        own.introduced().await;
        assert!(matches!(desk.assistant.watch_call(&desk.sam.ctx, own.id()).await, Err(Error::NotFound)));
        // And it has none of the tools that serve customers.
        let tool = domain::model::Tool {
            name: "find_orders".into(),
            description: String::new(),
            parameters: serde_json::json!({ "type": "object" }),
        };
        own.talk("call check_availability {}").await;
        assert_eq!(own.said(answers), ["That tool is not offered."]);
        assert_eq!(own.count(|event| matches!(event, Event::ToolCall { .. })), 0);
        // A client may bring one of such a name: it is the client's.
        let tools = vec![ClientTool { tool, waits: false }];
        own.configure(Settings { tools, ..silent() }).await;
        own.say("call find_orders {}").await;
        own.until(|event| matches!(event, Event::ToolCall { .. })).await;
        assert_eq!(own.count(|event| matches!(event, Event::ToolCall { client: true, .. })), 1);
    });
}

#[test]
fn a_call_of_the_desk_takes_a_right() {
    let _proof = verifies!(DSK01);
    desk(async |desk| {
        let opening = Opening { desk: true, ..opening(&desk.ann) };
        assert!(matches!(desk.assistant.call(&desk.ann.ctx, opening).await, Err(Error::Denied(_))));
        assert_eq!(desk.assistant.calls(), 0);
        let talk = desk.call().await;
        talk.talk("call check_availability {}").await;
        assert_eq!(talk.count(|event| matches!(event, Event::ToolCall { client: false, .. })), 1);
        let said = talk.said(|cause| cause == Cause::Greeting);
        assert_eq!(said, ["You are speaking with an AI assistant. A member of staff may follow this call. "]);
        let running = desk.assistant.running_calls(&desk.sue.ctx).unwrap();
        assert_eq!((running.len(), running[0].id, running[0].way), (1, talk.id(), Way::Page));
        assert!(!running[0].verified && running[0].customer.is_none() && running[0].holder.is_none());
    });
}

#[test]
fn who_follows_a_call_has_the_right_is_noted_and_announced() {
    let _proof = verifies!(DSK02);
    desk(async |desk| {
        let talk = desk.call().await;
        for role in Role::ALL.into_iter().filter(|role| *role != Role::Supervisor) {
            let somebody = desk.home.person_with(role.as_str(), Roles::NONE.with(role)).await;
            let tried = desk.assistant.watch_call(&somebody.ctx, talk.id()).await;
            assert!(matches!(tried, Err(Error::Denied(_))), "{role:?}");
        }
        assert_eq!(desk.noted(Act::CallWatched, &talk).await, 0);
        let mut watching = desk.assistant.watch_call(&desk.sue.ctx, talk.id()).await.unwrap();
        assert_eq!(desk.noted(Act::CallWatched, &talk).await, 1);
        talk.until(|event| matches!(event, Event::Watched { by_staff: true })).await;
        let seen = until(&mut watching, |seen| matches!(seen, Seen::Changed(_))).await;
        assert!(matches!(seen, Seen::Changed(call) if call.watchers == 1 && call.id == talk.id()));
        talk.talk("What is that?").await;
        until(&mut watching, words(Speaker::Caller, "What is that?")).await;
        until(&mut watching, words(Speaker::Agent, "What is that?")).await;
        drop(watching);
        talk.until(|event| matches!(event, Event::Watched { by_staff: false })).await;
        // What was said while nobody followed is seen by nobody.
        talk.talk("And this?").await;
        let mut watching = desk.assistant.watch_call(&desk.sue.ctx, talk.id()).await.unwrap();
        talk.ask(Command::HangUp).await;
        let mut seen = Vec::new();
        while let Some(next) = watching.next().await {
            seen.push(next);
        }
        assert!(seen.iter().all(|seen| !matches!(seen, Seen::Words(_))), "{seen:?}");
        assert!(matches!(seen.last(), Some(Seen::Ended)));
        assert_eq!(desk.assistant.followed_calls(), 2);
    });
}

#[test]
fn a_call_waits_for_nobody_who_follows_it() {
    desk(async |desk| {
        let talk = desk.call().await;
        let mut watching = desk.assistant.watch_call(&desk.sue.ctx, talk.id()).await.unwrap();
        for _ in 0..300 {
            let by = Spoken::Agent;
            talk.ask(Command::Text { item: None, by, text: text("More."), answer: false }).await;
        }
        talk.wait(|talk| talk.count(|event| matches!(event, Event::TextTaken { .. })) > 256).await;
        until(&mut watching, |seen| matches!(seen, Seen::Missed)).await;
        until(&mut watching, words(Speaker::Agent, "More.")).await;
        assert!(
            !format!("{:?}", until(&mut watching, words(Speaker::Agent, "More.")).await).contains("More")
        );
    });
}

#[test]
fn one_person_takes_over_and_gives_back() {
    let _proof = verifies!(DSK03);
    desk(async |desk| {
        let (house, sue, sam) = (&desk.assistant, &desk.sue.ctx, &desk.sam.ctx);
        let talk = desk.call().await;
        assert!(matches!(house.hold_call(sue, talk.id()).await, Err(Error::NotHeld)), "nobody holds unseen");
        let mut hers = house.watch_call(sue, talk.id()).await.unwrap();
        let _his = house.watch_call(sam, talk.id()).await.unwrap();
        house.hold_call(sue, talk.id()).await.unwrap();
        assert!(matches!(house.hold_call(sam, talk.id()).await, Err(Error::HeldByAnother)));
        assert!(matches!(house.say_in_call(sam, talk.id(), text("Me too")), Err(Error::NotHeld)));
        assert!(matches!(house.hand_call_back(sam, talk.id()).await, Err(Error::NotHeld)));
        assert!(matches!(house.end_call(sam, talk.id()).await, Err(Error::NotHeld)));
        assert_eq!(desk.noted(Act::CallTakenOver, &talk).await, 1);
        talk.until(|event| matches!(event, Event::Held { by_staff: true })).await;
        talk.wait(|talk| talk.ends().len() == 2).await;
        assert_eq!(talk.said(|cause| cause == Cause::Engine), ["You are now talking to a person. "]);

        talk.say("Is anybody there?").await;
        talk.wait(|talk| talk.heard().len() == 1).await;
        until(&mut hers, words(Speaker::Caller, "Is anybody there?")).await;
        talk.silence(20_000).await;
        assert!(talk.said(answers).is_empty(), "the agent answers nothing by itself: {:?}", talk.all());
        talk.ask(Command::Respond { instructions: None, tag: None }).await;
        talk.until(|event| matches!(event, Event::NotDone { what: NotDone::AlreadyReplying, .. })).await;
        for bad in ["", "  "] {
            assert!(matches!(house.say_in_call(sue, talk.id(), text(bad)), Err(Error::Empty)));
        }
        let long = text(&"a".repeat(2_001));
        assert!(matches!(house.say_in_call(sue, talk.id(), long), Err(Error::TooLong { .. })));
        house.say_in_call(sue, talk.id(), text("Yes, I am Sue.")).unwrap();
        until(&mut hers, words(Speaker::Staff, "Yes, I am Sue.")).await;
        talk.wait(|talk| talk.said(|cause| cause == Cause::Staff) == ["Yes, I am Sue."]).await;

        house.hand_call_back(sue, talk.id()).await.unwrap();
        assert_eq!(desk.noted(Act::CallHandedBack, &talk).await, 1);
        talk.until(|event| matches!(event, Event::Held { by_staff: false })).await;
        talk.wait(|talk| talk.said(|cause| cause == Cause::Engine).len() == 2).await;
        talk.say("And now?").await;
        talk.wait(|talk| talk.said(answers).len() == 1).await;
        let ended = desk.hung_up(&talk).await;
        assert_eq!((ended.outcome, ended.held, ended.category), (Outcome::HandedOver, true, None));
    });
}

#[test]
fn taking_over_stops_the_agent_in_its_word() {
    let _proof = verifies!(DSK03);
    desk(async |desk| {
        let talk = Talk::at_the_desk(&desk.assistant, &desk.sue, Settings::default()).await;
        talk.introduced().await;
        let _watching = desk.assistant.watch_call(&desk.sue.ctx, talk.id()).await.unwrap();
        talk.say("long 60").await;
        talk.wait(|talk| !talk.said(answers).concat().is_empty()).await;
        desk.assistant.hold_call(&desk.sue.ctx, talk.id()).await.unwrap();
        talk.wait(|talk| talk.ends().len() == 3).await;
        assert_eq!(talk.ends()[1..], [ReplyEnd::Cancelled, ReplyEnd::Finished]);
        desk.assistant.say_in_call(&desk.sue.ctx, talk.id(), text("Hello.")).unwrap();
        talk.wait(|talk| talk.ends().len() == 4).await;
        desk.assistant.end_call(&desk.sue.ctx, talk.id()).await.unwrap();
        assert_eq!(talk.end().await, Why::Staff);
        assert_eq!(desk.noted(Act::CallEndedByStaff, &talk).await, 1);
        assert_eq!(desk.ended(&talk).await.outcome, Outcome::HandedOver);
    });
}

#[test]
fn a_call_goes_on_without_a_holder_who_is_gone() {
    let _proof = verifies!(DSK03);
    desk_with(Numbers { desk_absent_seconds: 2, ..Numbers::default() }, async |desk| {
        let (house, sue) = (&desk.assistant, &desk.sue.ctx);
        let talk = desk.call().await;
        let watching = house.watch_call(sue, talk.id()).await.unwrap();
        house.hold_call(sue, talk.id()).await.unwrap();
        talk.until(|event| matches!(event, Event::Held { by_staff: true })).await;
        // A page that is loaded again is gone for a moment.
        drop(watching);
        talk.until(|event| matches!(event, Event::Watched { by_staff: false })).await;
        let watching = house.watch_call(sue, talk.id()).await.unwrap();
        let back = Instant::now();
        talk.wait(|_| back.elapsed() > Duration::from_secs(3)).await;
        assert_eq!(talk.count(|event| matches!(event, Event::Held { by_staff: false })), 0);
        drop(watching);
        talk.until(|event| matches!(event, Event::Held { by_staff: false })).await;
        talk.wait(|talk| talk.said(|cause| cause == Cause::Engine).len() == 2).await;
        assert!(talk.said(|cause| cause == Cause::Engine)[1].starts_with("The person has left"));
        talk.say("And now?").await;
        talk.wait(|talk| talk.said(answers).len() == 1).await;
        assert!(matches!(house.say_in_call(sue, talk.id(), text("Still me")), Err(Error::NotHeld)));
    });
}

#[test]
fn how_a_call_ended_is_kept_and_sorted() {
    let _proof = verifies!(DSK04);
    desk(async |desk| {
        let (house, sue) = (&desk.assistant, &desk.sue.ctx);
        let talk = desk.call().await;
        assert_eq!(desk.hung_up(&talk).await.outcome, Outcome::EndedByCaller);
        let talk = desk.call().await;
        talk.talk("Hello.").await;
        assert_eq!(desk.hung_up(&talk).await.outcome, Outcome::Answered);
        let talk = desk.call().await;
        talk.say("call hand_over {}").await;
        talk.until(|event| matches!(event, Event::Ended { .. })).await;
        assert_eq!(desk.ended(&talk).await.outcome, Outcome::HandedOver);
        let talk = desk.call().await;
        talk.ended.cancel();
        let ended = desk.ended(&talk).await;
        assert_eq!((ended.outcome, ended.held), (Outcome::Failed, false));

        house.sort_call(sue, talk.id(), Category::Question).await.unwrap();
        let ended = house.ended_calls(sue).await.unwrap();
        assert_eq!((ended.len(), ended[0].category), (4, Some(Category::Question)));
        let owner = desk.home.owner("asha").await;
        assert_eq!(house.ended_calls(&owner.ctx).await.unwrap().len(), 4, "an owner sees how calls ended");
        let sorted = house.sort_call(&owner.ctx, talk.id(), Category::Order).await;
        assert!(matches!(sorted, Err(Error::Denied(_))));
        for who in [&desk.ann, &desk.home.person_with("ada", Roles::NONE.with(Role::Auditor)).await] {
            assert!(matches!(house.ended_calls(&who.ctx).await, Err(Error::Denied(_))));
            assert!(matches!(house.running_calls(&who.ctx), Err(Error::Denied(_))));
        }

        let upkeep: Ctx = desk.home.ctx(Actor::System(Job::Upkeep));
        assert!(authorize(&upkeep, Action::WriteInstance, Resource::Instance).is_ok());
        assert_eq!(house.sweep_ended_calls(&upkeep).await.unwrap(), 0);
        desk.home.clockwork.advance(91 * 24 * 60 * 60);
        let upkeep = desk.home.ctx(Actor::System(Job::Upkeep));
        assert_eq!(house.sweep_ended_calls(&upkeep).await.unwrap(), 4);
        assert!(house.ended_calls(sue).await.unwrap().is_empty());
    });
}

#[test]
fn the_desk_sees_what_a_call_does() {
    desk(async |desk| {
        let talk = desk.call().await;
        let state = || desk.assistant.running_call(&desk.sue.ctx, talk.id()).unwrap().state;
        talk.wait(|_| state() == CallState::Waiting).await;
        talk.say("hang").await;
        talk.wait(|_| state() == CallState::Thinking || state() == CallState::Speaking).await;
    });
}

#[test]
fn whom_a_call_serves_is_shown_to_those_who_open_records() {
    desk(async |desk| {
        let operator = desk.home.ctx(Actor::System(Job::Operator));
        desk.assistant.customers().fill_with_samples(&operator).await.unwrap();
        let talk = desk.call().await;
        let facts = r#"call verify_customer {"phone":"202 555 0101","order_number":"ORD0001"}"#;
        talk.ask(Command::Text { item: None, by: Spoken::Caller, text: text(facts), answer: true }).await;
        let seen = |ctx: &Ctx| desk.assistant.running_call(ctx, talk.id()).unwrap();
        talk.wait(|_| seen(&desk.sue.ctx).verified).await;
        assert!(seen(&desk.sue.ctx).customer.is_some());
        let Actor::Person { user, session, standing } = desk.ann.ctx.actor.clone() else {
            panic!("a person")
        };
        let standing = Standing { extra: Rights::NONE.with(Action::SeeCalls), ..standing };
        let sees = desk.ann.ctx.acting_as(Actor::Person { user, session, standing });
        assert_eq!((seen(&sees).verified, seen(&sees).customer), (true, None));
        let watched = desk.assistant.watch_call(&sees, talk.id()).await;
        assert!(matches!(watched, Err(Error::Denied(_))));
        let books = r#"call make_appointment {"service":"Review","date":"2026-01-06","time":"9"}"#;
        talk.ask(Command::Text { item: None, by: Spoken::Caller, text: text(books), answer: true }).await;
        let made = |event: &Event| matches!(event, Event::ToolDone { name, worked: true, .. } if name == "make_appointment");
        talk.until(made).await;
        let ended = desk.hung_up(&talk).await;
        assert_eq!((ended.outcome, ended.held), (Outcome::AppointmentMade, false));
    });
}
