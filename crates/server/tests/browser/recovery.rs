//! Somebody who lost every factor, in a real Chromium: two people, a delay, and a person who sees it and may say no.

use domain::{access::Role, verifies};

use crate::{
    house::{House, Look, NAME},
    staff::{as_person, person, show_password, sign_out},
};

const HOUR_S: i64 = 3600;

/// Asks for a way back as somebody who knows the password of `name`; the code and the word.
async fn ask(house: &House, name: &str) -> (String, String) {
    sign_out(house).await;
    show_password(house, name).await;
    house.js("document.querySelector('details').open = true").await;
    house.click("form[action='/sign-in/lost'] button").await;
    house.until("document.querySelector('#word') !== null").await;
    let shown = async |id: &str| {
        let text = house.js(&format!("return document.querySelector('{id}').textContent")).await;
        text.as_str().unwrap().to_owned()
    };
    (shown("#claim").await, shown("#word").await)
}

/// Agrees, as somebody who was told `word`.
async fn agree(house: &House, who: &str, word: &str) {
    as_person(house, who).await;
    house.go("/admin/recoveries").await;
    house.type_into("input[name=word]", word).await;
    house.click("form[action$='/agree'] button").await;
}

/// Shows password and `code`, where a factor is asked for.
async fn use_code(house: &House, name: &str, code: &str) {
    house.go("/sign-in").await;
    show_password(house, name).await;
    house.type_into("#digits", code).await;
    house.click("form[action='/sign-in/factor'] button").await;
}

#[test]
fn a_way_back_takes_two_people_and_a_day_and_its_person_can_call_it_off() {
    let _proof = verifies!(AUT11);
    testkit::run(async {
        // Who was made a moment ago counts here: a week is too long for a test.
        let house = House::open_with(Look::Desk, "[policy]\nsecond_person_days = 0\n").await;
        house.set_up().await;
        person(&house, "Ida", &[Role::SecurityOfficer]).await;
        person(&house, "Ann", &[]).await;

        // Somebody who only knows Ann's password asks. She sees it wherever she is, and calls it off.
        let (theirs, word) = ask(&house, "Ann").await;
        house.look_at("recovery-asked").await;
        agree(&house, "Ida", &word).await;
        house.until("location.search === '?done=agreed'").await;
        as_person(&house, "Ann").await;
        house.until("document.querySelector('.notices .note.bad') !== null").await;
        house.look_at("recovery-notice").await;
        let notice = house.text(".notices .note.bad").await;
        assert!(notice.contains("asked to replace your factors"), "{notice}");
        house.click(".notices form[action='/account/recovery/off'] button").await;
        house.until("location.search === '?done=called-off'").await;
        assert_eq!(house.count(".notices .note.bad").await, 0);
        house.look_at("recovery-called-off").await;
        house.pass(25 * HOUR_S);
        use_code(&house, "Ann", &theirs).await;
        house.until("document.querySelector('.note.bad') !== null").await;

        // Now it is Ann. One person is not enough, nor is a wrong word, nor two without the day.
        let (code, word) = ask(&house, "Ann").await;
        agree(&house, "Ida", "AAAAAA").await;
        house.until("document.querySelector('.note.bad')?.textContent.includes('not the word')").await;
        house.look_at("recovery-wrong-word").await;
        house.type_into("input[name=word]", &word).await;
        house.click("form[action$='/agree'] button").await;
        house.until("location.search === '?done=agreed'").await;
        assert_eq!(house.count("form[action$='/agree']").await, 0, "nobody agrees twice");
        agree(&house, NAME, &word).await;
        house.until("location.search === '?done=agreed'").await;
        house.look_at("recovery-agreed").await;
        assert!(house.text(".things").await.contains("2 of 2 agree"));
        sign_out(&house).await;
        for hours in [0, 23] {
            house.pass(hours * HOUR_S);
            use_code(&house, "Ann", &code).await;
            house.until("document.querySelector('.note')?.textContent.includes('hour')").await;
        }
        house.look_at("recovery-not-yet").await;
        house.pass(HOUR_S);
        use_code(&house, "Ann", &code).await;
        house.until("document.querySelector('form[action=\"/sign-in/enrol\"]') !== null").await;
        house.add_authenticator().await;
        house.click("main a.button").await;
        house.until("document.querySelector('#message') !== null").await;

        // She is told afterwards as well, and the code is used up.
        house.go("/account").await;
        let told = house.text("#told").await;
        assert!(told.contains("through a recovery"), "{told}");
        sign_out(&house).await;
        use_code(&house, "Ann", &code).await;
        house.until("document.querySelector('.note.bad') !== null").await;
        house.close().await;
    });
}
