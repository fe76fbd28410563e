//! The checks against a real store, on both engines, and what becomes of checks that misbehave.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::time::Duration;

use assure::{Assure, Check, ClauseState, Unanswered};
use domain::{
    Action, Actor, Control, Ctx, Job,
    access::Rights,
    audit::{Act, Entry},
    check::{Finding, State},
    control::Numbers,
    id::{ApiKeyId, SessionId},
    verifies,
};
use store::{
    api_keys::{self, Making},
    sessions, token_keys,
};
use testkit::{Home, both_engines};

const HOUR: Duration = Duration::from_secs(3600);

fn job(home: &Home) -> Ctx {
    home.ctx(Actor::System(Job::Checks))
}

fn assure(home: &Home) -> Assure {
    Assure::new(home.store.clone(), Numbers::default()).unwrap()
}

/// Longer than any machine needs for a check that answers at all.
const LONG: Duration = Duration::from_secs(60);

/// Registers one check of `WEB02` and says what became of it.
async fn outcome<F, Fut>(home: &Home, within: Duration, run: F) -> Finding
where
    F: Fn(Ctx) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Finding, Unanswered>> + Send + 'static,
{
    let assure = assure(home);
    assure.register(Check::new(Control::WEB02, HOUR, run).within(within));
    let report = assure.run_checks(&job(home)).await.unwrap();
    report.control(Control::WEB02).finding.clone().unwrap()
}

both_engines!(the_stores_own_checks_hold, |home| {
    let _proof = (verifies!(AUD01), verifies!(AUD02), verifies!(ACC01), verifies!(CRY01));
    let person = home.person("Ada").await;
    drop(person);
    let report = assure(&home).run_checks(&job(&home)).await.unwrap();
    for control in ["ACC01", "ACC02", "AUT01", "CRY01", "CRY02", "CRY03", "AUD01", "AUD02", "STO01"] {
        let control = Control::from_token(control).unwrap();
        let finding = report.control(control).finding.clone().unwrap();
        assert_ne!(finding.state, State::NotSatisfied, "{finding:?}");
    }
    let rows = report.control(Control::CRY01).finding.clone().unwrap();
    assert_ne!(rows.facts[0].1, "0", "the check looked at nothing");
});

both_engines!(a_log_that_is_not_as_written_is_reported_though_nothing_can_be_kept, |home| {
    let _proof = verifies!(AUD02);
    let assure = assure(&home);
    let state = |report: &assure::Report, control| report.control(control).finding.clone().unwrap().state;
    let sound = assure.run_checks(&job(&home)).await.unwrap();
    assert_ne!(state(&sound, Control::AUD02), State::NotSatisfied);
    // Its end under another hash; and an entry nobody committed.
    for spoilt in [
        "UPDATE audit_head SET mac = hash",
        "INSERT INTO audit SELECT seq + 1, at, actor, act, target, count, request, prev, hash FROM audit \
         WHERE seq = (SELECT MAX(seq) FROM audit)",
    ] {
        home.spoil("CREATE TABLE kept_head AS SELECT * FROM audit_head").await;
        home.spoil(spoilt).await;
        let report = assure.run_checks(&job(&home)).await.expect("a report all the same");
        assert_eq!(state(&report, Control::AUD02), State::NotSatisfied, "{spoilt}");
        assert_eq!(report.exit_code(), 1);
        let later = assure.report(&job(&home)).await.unwrap();
        assert_ne!(state(&later, Control::AUD02), State::NotSatisfied, "nothing was written");
        home.spoil("UPDATE audit_head SET mac = (SELECT mac FROM kept_head)").await;
        home.spoil("DROP TABLE kept_head").await;
    }
});

both_engines!(a_signing_key_that_was_not_replaced_in_time_is_found, |home| {
    let person = home.person("Ada").await;
    let assure = assure(&home);
    let asked = async || {
        let report = assure.run_checks(&job(&home)).await.unwrap();
        report.control(Control::SES08).finding.clone().unwrap()
    };
    let (ctx, permit) = (&person.ctx, person.permit(Action::WriteAccount));
    let signs_in = async || {
        let begins = sessions::Beginning {
            id: SessionId::fresh(ctx),
            device: "a test",
            address: None,
            network: [0; 32],
            second_factor: false,
            now: ctx.now(),
            expires: ctx.now().plus_seconds(3600),
        };
        let mut tx = home.store.begin(ctx).await.unwrap();
        sessions::create(&mut tx, &permit, begins).await.unwrap();
        tx.commit(Entry::new(Act::SignedIn, person.id)).await.unwrap();
    };
    let authenticates = home.instance(Job::Authentication, Action::Authenticate);
    let makes = async |id: &str| {
        let mut tx = home.store.begin(ctx).await.unwrap();
        token_keys::add(&mut tx, &authenticates, id, &[7; 32], ctx.now()).await.unwrap();
        tx.commit(Entry::new(Act::KeysRotated, "token")).await.unwrap();
    };
    makes("first").await;
    signs_in().await;
    assert_eq!(asked().await.state, State::Satisfied);
    // Nobody signs in for long: the key is old, and nothing was signed with it. Then somebody does.
    home.clockwork.advance(31 * 24 * 3600);
    assert_eq!(asked().await.state, State::Satisfied);
    signs_in().await;
    let found = asked().await;
    assert!(found.state == State::NotSatisfied && found.reason.contains("replaced before"), "{found:?}");
    // With a new key it holds again, until the old one should have gone.
    makes("second").await;
    assert_eq!(asked().await.state, State::Satisfied);
    home.clockwork.advance(24 * 3600);
    let found = asked().await;
    assert!(found.state == State::NotSatisfied && found.reason.contains("not removed"), "{found:?}");
});

both_engines!(a_key_without_an_end_without_bounds_or_beside_its_successor_is_found, |home| {
    let person = home.person("Ada").await;
    let ctx = &person.ctx;
    let assure = assure(&home);
    let (old, new) = (ApiKeyId::fresh(ctx), ApiKeyId::fresh(ctx));
    let permit = person.permit(Action::ManageCredentials);
    let mut tx = home.store.begin(ctx).await.unwrap();
    for (id, hash) in [(old, [1; 32]), (new, [2; 32])] {
        let scopes = Rights::NONE.with(Action::UseModel);
        let expires = ctx.now().plus_seconds(90 * 24 * 3600);
        let making =
            Making { id, hash, prefix: "troth_abcd", label: "a key", scopes, now: ctx.now(), expires };
        api_keys::create(&mut tx, &permit, making).await.unwrap();
    }
    let soon = ctx.now().plus_seconds(24 * 3600);
    assert!(api_keys::replace(&mut tx, &permit, old, new, soon).await.unwrap());
    tx.commit(Entry::new(Act::ApiKeyRotated, old)).await.unwrap();
    let asked = async || {
        let report = assure.run_checks(&job(&home)).await.unwrap();
        report.control(Control::KEY02).finding.clone().unwrap()
    };
    let sound = asked().await;
    assert_eq!((sound.state, sound.facts[0].1.as_str()), (State::Satisfied, "2"), "{sound:?}");
    let kept = "CREATE TABLE kept AS SELECT id, scopes, expires FROM api_keys";
    home.spoil(kept).await;
    for (spoilt, said) in [
        ("UPDATE api_keys SET expires = created", "longer than the policy"),
        ("UPDATE api_keys SET expires = created + 400 * 86400000000", "longer than the policy"),
        ("UPDATE api_keys SET scopes = ''", "more than a key can carry"),
        ("UPDATE api_keys SET scopes = 'use_model,manage_people'", "more than a key can carry"),
        ("UPDATE api_keys SET expires = created + 8 * 86400000000", "beside their successors"),
    ] {
        home.spoil(spoilt).await;
        let found = asked().await;
        assert!(found.state == State::NotSatisfied && found.reason.contains(said), "{spoilt}: {found:?}");
        home.spoil(
            "UPDATE api_keys SET scopes = (SELECT k.scopes FROM kept k WHERE k.id = api_keys.id), \
             expires = (SELECT k.expires FROM kept k WHERE k.id = api_keys.id)",
        )
        .await;
    }
});

both_engines!(findings_are_kept_and_asked_again_when_due, |home| {
    let assure = assure(&home);
    assert!(assure.run_due(&job(&home)).await.unwrap().is_some());
    assert!(assure.run_due(&job(&home)).await.unwrap().is_none());
    home.clockwork.advance(3600);
    let report = assure.run_due(&job(&home)).await.unwrap().unwrap();
    let at = |control| report.control(control).finding.clone().unwrap().at;
    let age = |control| job(&home).now().seconds_since(at(control));
    assert_eq!((age(Control::CRY01), age(Control::ACC01)), (0, 3600), "hourly was due, daily was not");
});

#[test]
fn a_broken_check_is_never_a_pass() {
    testkit::run(async {
        let home = Home::sqlite().await;
        let failed = outcome(&home, LONG, |_| async { Err(Unanswered::because("no route")) }).await;
        assert_eq!(failed.state, State::NotSatisfied);
        assert!(failed.reason.contains("no route"));
        let broke_off = outcome(&home, LONG, |_| async { panic!("on purpose") }).await;
        assert_eq!(
            (broke_off.state, broke_off.reason.as_str()),
            (State::NotSatisfied, "the check itself broke off")
        );
        let late = outcome(&home, Duration::from_millis(50), |_| std::future::pending()).await;
        assert!(late.reason.contains("no answer within"), "{}", late.reason);
        let astray = |ctx: Ctx| async move { Ok(Finding::satisfied(Control::WEB03, ctx.now(), "Fine.")) };
        assert_eq!(outcome(&home, LONG, astray).await.state, State::NotSatisfied);
    });
}

#[test]
fn two_checks_of_one_control_must_both_hold() {
    testkit::run(async {
        let home = Home::sqlite().await;
        let assure = assure(&home);
        for holds in [false, true] {
            assure.register(Check::new(Control::WEB04, HOUR, move |ctx| async move {
                let made = if holds { Finding::satisfied } else { Finding::not_satisfied };
                Ok(made(Control::WEB04, ctx.now(), "Asked."))
            }));
        }
        let report = assure.run_checks(&job(&home)).await.unwrap();
        assert_eq!(report.control(Control::WEB04).finding.clone().unwrap().state, State::NotSatisfied);
        assert_eq!(report.exit_code(), 1);
    });
}

#[test]
fn only_those_who_may_run_checks_do() {
    testkit::run(async {
        let home = Home::sqlite().await;
        let assure = assure(&home);
        let nobody = home.ctx(Actor::Anonymous);
        assert!(matches!(assure.run_checks(&nobody).await, Err(assure::Error::Denied(_))));
        assert!(matches!(assure.report(&nobody).await, Err(assure::Error::Denied(_))));
    });
}

#[test]
fn the_report_goes_out_as_json() {
    testkit::run(async {
        let home = Home::sqlite().await;
        let report = assure(&home).run_checks(&job(&home)).await.unwrap();
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["sources"][0]["id"], "MA");
        assert_eq!(json["sources"][0]["clauses"][1]["state"], "not-built");
        let kept = report.sources.iter().flat_map(|s| &s.clauses).find(|c| c.id == "MA-2.3").unwrap();
        assert!(matches!(kept.state, ClauseState::Kept { .. }), "{:?}", kept.state);
    });
}
