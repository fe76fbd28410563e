//! "My consents" on the account page: read, taken back, by day and on a phone at night, in Hindi as well.

use domain::{Actor, Job, access::Standing, consent::Purpose, id::SessionId};
use server::Outside;

use crate::{
    house::{House, Look, NAME},
    staff::find,
};

/// The owner agrees to `purposes`, as on the page with the letter.
async fn agree(house: &House, purposes: &[Purpose]) {
    let ctx = Outside::real().ctx(Job::Setup);
    let (user, session) = (find(house, NAME).await.id, SessionId::fresh(&ctx));
    let ctx = ctx.acting_as(Actor::Person { user, session, standing: Standing::default() });
    let privacy = house.instance().privacy();
    privacy.agree(&ctx, privacy.letter("en").version, purposes, "en").await.unwrap();
}

#[test]
fn consents_are_read_and_taken_back_on_the_account_page() {
    testkit::run(async {
        let house = House::open(Look::Desk).await;
        house.set_up().await;
        house.go("/account").await;
        assert!(house.text("#consents").await.contains("You agree to nothing at the moment."));
        agree(&house, &[Purpose::ProcessCall, Purpose::KeepTranscript]).await;
        house.reload().await;
        assert_eq!(house.count("#consents > .things > li").await, 2);
        house.click("#consents summary").await;
        house.js("document.querySelector('#consents').scrollIntoView()").await;
        house.look_at("account-consents").await;
        house.click("#consents li:has([value=keep_transcript]) button").await;
        house.until("document.querySelectorAll('#consents > .things > li').length === 1").await;
        house.click("#consents .danger").await;
        house.until("document.querySelector('#consents > .things') === null").await;
        house.click("#consents summary").await;
        assert_eq!(house.count("#consents details li").await, 4);
        house.close().await;
    });
}

#[test]
fn consents_are_read_in_hindi_on_a_phone() {
    testkit::run(async {
        let house = House::open(Look::PhoneInTheDark).await;
        house.set_up().await;
        agree(&house, &[Purpose::ProcessCall, Purpose::KeepTranscript]).await;
        house.go("/account").await;
        house.js("document.querySelector('#language').value = 'hi'").await;
        house.click("#looks button[type=submit]").await;
        house.until("document.documentElement.lang === 'hi'").await;
        house.click("#consents summary").await;
        house.js("document.querySelector('#consents').scrollIntoView()").await;
        house.look_at("hindi-consents").await;
        assert_eq!(house.js("return document.documentElement.scrollWidth <= innerWidth").await, true);
        assert!(house.text("#consents").await.contains("मेरी सहमतियाँ"));
        house.close().await;
    });
}
