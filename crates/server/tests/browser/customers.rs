//! The customers of the voice desk in a real Chromium: found, opened, erased with a receipt.

use domain::{Job, access::Role};
use server::Outside;

use crate::{
    house::{House, Look},
    staff::{as_person, person},
};

/// Puts the samples in and signs a supervisor in.
async fn at_the_desk(look: Look) -> House {
    let house = House::open(look).await;
    house.set_up().await;
    person(&house, "Sue", &[Role::Supervisor]).await;
    let operator = Outside::real().ctx(Job::Operator);
    house.instance().assistant().customers().fill_with_samples(&operator).await.unwrap();
    as_person(&house, "Sue").await;
    house
}

/// One customer from the search to the receipt; `look` ends the names of the pictures.
async fn walk(house: &House, look: &str) {
    let picture = |name: &str| format!("{name}{look}");
    house.go("/desk/customers").await;
    assert_eq!(house.count("#customers li").await, 24);
    house.look_at(&picture("customers")).await;
    house.type_into("#who", "cust ninety nine").await;
    house.click("#find button").await;
    house.until("document.querySelector('.note.bad') !== null").await;
    house.look_at(&picture("customers-nobody")).await;
    house.js("document.querySelector('#who').value = ''").await;
    house.type_into("#who", "five").await;
    house.click("#find button").await;
    house.until("document.querySelector('#details') !== null").await;
    assert!(house.text("#details").await.contains("Emil Sample"));
    assert!(!house.text("#details").await.contains("Made up, to try things with."), "restricted");
    house.look_at(&picture("customer")).await;
    house.click("#details form button").await;
    house
        .until("location.pathname.endsWith('/restricted') && document.querySelector('#details') !== null")
        .await;
    assert!(house.text("#details").await.contains("Made up, to try things with."));
    house.look_at(&picture("customer-restricted")).await;
    house.js("document.querySelector('#orders').scrollIntoView()").await;
    house.look_at(&picture("customer-orders")).await;
    house.click("#erase input[type=checkbox]").await;
    house.click("#erase button").await;
    house.until("document.querySelector('#receipt') !== null").await;
    assert!(!house.text("main").await.contains("Emil"));
    house.look_at(&picture("customer-erased")).await;
}

#[test]
fn a_supervisor_finds_opens_and_erases_a_customer() {
    testkit::run(async {
        let house = at_the_desk(Look::Desk).await;
        walk(&house, "").await;
        house.close().await;
    });
}

#[test]
fn the_same_on_a_telephone_in_the_dark() {
    testkit::run(async {
        let house = at_the_desk(Look::PhoneInTheDark).await;
        walk(&house, "-dark-phone").await;
        house.close().await;
    });
}
