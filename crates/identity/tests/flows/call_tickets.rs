//! Tickets for voice calls: one call each, soon, from their own origin, for a key that still lives.

use domain::{Action, Actor, Ctx, access::Rights, audit::Act, verifies};
use identity::{CallTerms, Error, KeyWish, TICKET_PREFIX};
use testkit::{Home, both_engines};

use crate::scene::{Owned, set_up, stranger, upkeep};

/// Circumstances of a program with a fresh key of the owner that may do `scopes`.
async fn program(home: &Home, owned: &Owned, scopes: Rights) -> Ctx {
    let wish = KeyWish { label: "app".to_owned(), scopes, days: None };
    let key = owned.identity.create_api_key(&owned.ctx(home).await, wish).await.unwrap();
    let actor = owned.identity.recognise_api_key(&stranger(home), key.token.expose()).await.unwrap();
    stranger(home).acting_as(actor.unwrap())
}

fn speaks() -> Rights {
    Rights::NONE.with(Action::Speech).with(Action::UseModel)
}

/// The acts of the audit log that concern tickets, oldest first.
async fn acts(home: &Home) -> Vec<Act> {
    let ours = [Act::CallTicketGiven, Act::CallTicketUsed, Act::CallTicketRefused];
    let permit = home.instance(domain::Job::Checks, Action::ReadInstance);
    let records = store::audit::list(&home.store, &permit, 0, 100).await.unwrap();
    let ours = |record: &store::Record| ours.into_iter().find(|act| act.name() == record.act);
    records.iter().filter_map(ours).collect()
}

both_engines!(a_ticket_opens_one_call_for_the_key_it_was_made_with, |home| {
    let _proof = verifies!(VOI10);
    let owned = set_up(&home).await;
    let app = program(&home, &owned, speaks()).await;
    let session = Some(serde_json::json!({ "instructions": "Be brief." }));
    let terms = CallTerms { origin: None, longest_s: Some(60), session };
    let ticket = owned.identity.give_call_ticket(&app, 30, &terms).await.unwrap();
    let token = ticket.token.expose();
    assert!(token.starts_with(TICKET_PREFIX) && !format!("{ticket:?}").contains(&token[9..]));
    // The store has neither the ticket nor what the call begins with.
    for part in [&token[..20], &token[token.len() - 20..], "Be brief."] {
        assert!(!home.keeps(part).await, "{part}");
    }
    assert!(home.keeps(&Act::CallTicketGiven.name()).await, "the rows were looked at");
    let nobody = stranger(&home);
    let (first, second) = tokio::join!(
        owned.identity.see_call_ticket(&nobody, token, None),
        owned.identity.see_call_ticket(&nobody, token, None),
    );
    let (first, second) = (first.unwrap().unwrap(), second.unwrap().unwrap());
    assert_eq!((&first.actor, &first.terms), (&app.actor, &terms));
    assert_eq!(acts(&home).await, [Act::CallTicketGiven], "who is shown a ticket has not used it");
    let (one, other) = tokio::join!(
        owned.identity.use_call_ticket(&nobody, &first),
        owned.identity.use_call_ticket(&nobody, &second),
    );
    assert_ne!(one.unwrap(), other.unwrap(), "two at once, as on two replicas");
    assert!(owned.identity.see_call_ticket(&stranger(&home), token, None).await.unwrap().is_none());
    assert_eq!(
        acts(&home).await,
        [Act::CallTicketGiven, Act::CallTicketUsed, Act::CallTicketRefused, Act::CallTicketRefused]
    );
});

both_engines!(a_ticket_is_worth_nothing_late_elsewhere_or_after_its_key, |home| {
    let _proof = verifies!(VOI10);
    let owned = set_up(&home).await;
    let app = program(&home, &owned, speaks()).await;
    let given = async |origin: Option<&str>| {
        let terms = CallTerms { origin: origin.map(str::to_owned), ..CallTerms::default() };
        owned.identity.give_call_ticket(&app, 30, &terms).await.unwrap().token
    };
    let used = async |token: &str, origin: Option<&str>| {
        let seen = owned.identity.see_call_ticket(&stranger(&home), token, origin).await.unwrap();
        match seen {
            Some(ticket) => owned.identity.use_call_ticket(&stranger(&home), &ticket).await.unwrap(),
            None => false,
        }
    };
    let seen = given(None).await;
    let seen = owned.identity.see_call_ticket(&stranger(&home), seen.expose(), None).await.unwrap().unwrap();
    home.clockwork.advance(30);
    assert!(!owned.identity.use_call_ticket(&stranger(&home), &seen).await.unwrap(), "it ended meanwhile");
    let late = given(None).await;
    home.clockwork.advance(30);
    assert!(!used(late.expose(), None).await, "after its end");
    let own = "https://app.example";
    let bound = given(Some(own)).await;
    assert!(!used(bound.expose(), Some("https://evil.example")).await, "from another origin");
    assert!(!used(bound.expose(), Some(own)).await, "it has leaked and is over");
    assert!(!used(given(Some(own)).await.expose(), None).await, "from no page at all");
    assert!(used(given(Some(own)).await.expose(), Some(own)).await);
    let orphan = given(None).await;
    let Actor::ApiKey { key, .. } = app.actor else { panic!("a key") };
    owned.identity.revoke_api_key(&owned.ctx(&home).await, key).await.unwrap();
    assert!(!used(orphan.expose(), None).await, "its key is revoked");
    for not in
        ["", TICKET_PREFIX, "troth_x", &format!("{TICKET_PREFIX}{}", "A".repeat(43)), &"x".repeat(1 << 16)]
    {
        assert!(!used(not, None).await);
    }
});

both_engines!(tickets_are_given_to_keys_that_may_speak_and_not_without_end, |home| {
    let _proof = verifies!(VOI10);
    let owned = set_up(&home).await;
    let give = async |ctx: &Ctx, seconds, terms: &CallTerms| {
        owned.identity.give_call_ticket(ctx, seconds, terms).await.map(|_| ())
    };
    let terms = CallTerms::default();
    let app = program(&home, &owned, speaks()).await;
    for seconds in [0, 7201] {
        assert!(matches!(give(&app, seconds, &terms).await, Err(Error::Life { most: 7200 })));
    }
    let large = CallTerms { session: Some("x".repeat(70_000).into()), ..CallTerms::default() };
    assert!(matches!(give(&app, 30, &large).await, Err(Error::Terms)));
    let mute = program(&home, &owned, Rights::NONE.with(Action::Embed)).await;
    for ctx in [&mute, &stranger(&home), &owned.ctx(&home).await] {
        assert!(matches!(give(ctx, 30, &terms).await, Err(Error::Denied(_))), "{:?}", ctx.actor);
    }
    for _ in 0..200 {
        give(&app, 30, &terms).await.unwrap();
    }
    assert!(matches!(give(&app, 30, &terms).await, Err(Error::TooMany { .. })));
    home.clockwork.advance(31);
    owned.identity.sweep(&upkeep(&home)).await.unwrap();
    give(&app, 30, &terms).await.unwrap();
});
