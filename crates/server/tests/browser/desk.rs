//! The live desk with two parties: a program that calls over the Agent wire, and a supervisor in a real Chromium who follows
//! the call, takes it over, speaks, gives it back, ends it and sorts it.

use domain::access::Role;

use crate::{
    house::{House, Look},
    line::Line,
    staff::{as_person, person},
};

/// Makes a key that holds calls for the desk, as the owner does on the account page.
async fn key(house: &House) -> String {
    house.go("/account").await;
    house.type_into("#label", "The desk").await;
    house.js("document.querySelector('input[name=hold_desk]').click()").await;
    house.click("#new-key button").await;
    house.until("document.querySelector('#key') !== null").await;
    house.text("#key").await
}

async fn walk(look: Look, suffix: &str) {
    let picture = |name: &str| format!("{name}{suffix}");
    let house = House::open(look).await;
    house.set_up().await;
    let key = key(&house).await;
    person(&house, "Sue", &[Role::Supervisor]).await;
    as_person(&house, "Sue").await;
    house.go("/desk/calls").await;
    house.until("document.querySelector('#calls p') !== null").await;
    house.look_at(&picture("calls-none")).await;

    let authority = house.profile().with_file_name("chain.pem");
    let line = Line::call(house.instance(), &authority, key.trim()).await;
    // It appears by itself.
    house.until("document.querySelector('#calls a') !== null").await;
    house.look_at(&picture("calls")).await;
    house.click("#calls a").await;
    house.until("document.querySelector('#follow')?.dataset.held === 'nobody'").await;
    line.warned("STAFF_FOLLOWS").await;
    line.write("Where is my parcel?");
    let caller = "document.querySelector('#captions .caller')?.textContent.includes('Where is my parcel?')";
    house.until(caller).await;
    let answered = "[...document.querySelectorAll('#captions .agent')].some((one) => one.textContent.includes('parcel'))";
    house.until(answered).await;
    house.look_at(&picture("call")).await;

    house.click("#hold button").await;
    house.until("document.querySelector('#follow').dataset.held === 'mine'").await;
    house.until("document.activeElement === document.querySelector('#text')").await;
    line.hears("You are now talking to a person").await;
    house.type_into("#text", "This is Sue. I am looking for it.").await;
    house.press("Enter").await;
    line.hears("I am looking for it.").await;
    house.until("document.querySelector('#captions .staff')?.textContent.includes('This is Sue.')").await;
    house.until("document.querySelector('#text').value === ''").await;
    house.look_at(&picture("call-held")).await;

    house.click("#back button").await;
    line.hears("You are talking to the AI assistant again").await;
    house.until("document.querySelector('#follow').dataset.held === 'nobody'").await;
    house.click("#hold button").await;
    house.until("document.querySelector('#follow').dataset.held === 'mine'").await;
    house.click("#end button").await;
    line.ends().await;
    house.until("document.querySelector('#follow').dataset.held === 'over'").await;

    house.go("/desk/calls").await;
    house.until("document.querySelector('#ended select') !== null").await;
    house.js("document.querySelector('#ended select').value = 'complaint'").await;
    house.click("#ended form button").await;
    house.until("location.search === '?done=sorted'").await;
    assert!(house.text("#ended .what").await.contains("Complaint"));
    assert!(!house.text("main").await.contains("parcel"), "of what was said nothing is kept");
    house.look_at(&picture("calls-ended")).await;
    house.close().await;
}

#[test]
fn a_supervisor_follows_a_call_takes_it_over_and_ends_it() {
    testkit::run(walk(Look::Desk, ""));
}

#[test]
fn the_same_on_a_telephone_in_the_dark() {
    testkit::run(walk(Look::PhoneInTheDark, "-dark-phone"));
}
