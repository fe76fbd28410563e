//! Passkeys, the authenticator and recovery codes, with the authenticator Chromium brings for tests.

use domain::verifies;
use serde_json::{Value, json};

use crate::house::{House, Look};

/// An authenticator in the machine, whose person is always there and verified.
pub(crate) async fn authenticator(house: &House) -> String {
    house.tell_browser("WebAuthn.enable", json!({})).await;
    let options = json!({ "options": {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": true, "hasUserVerification": true,
        "isUserVerified": true, "automaticPresenceSimulation": true,
    } });
    let made = house.tell_browser("WebAuthn.addVirtualAuthenticator", options).await;
    made["authenticatorId"].as_str().unwrap().to_owned()
}

pub(crate) async fn add_passkey(house: &House) {
    house.go("/account/factors").await;
    house.until("document.querySelector('form.passkey')?.hidden === false").await;
    house.look_at("factors").await;
    house.type_into("#passkey-name", "my notebook").await;
    house.click("form.passkey button").await;
    house.until("location.search === '?done=passkey'").await;
}

async fn sign_out(house: &House) {
    house.go("/account").await;
    house.click("form[action='/sign-out'] button").await;
    house.until("document.querySelector('form.passkey')?.hidden === false").await;
}

#[test]
fn a_passkey_is_added_and_signs_in_alone_and_after_the_password() {
    testkit::run(async {
        let house = House::open(Look::Desk).await;
        house.set_up().await;
        authenticator(&house).await;
        add_passkey(&house).await;
        assert!(house.text("#passkeys .things").await.contains("my notebook"));
        house.look_at("factors-passkey").await;

        sign_out(&house).await;
        house.look_at("sign-in-passkey").await;
        house.click("form.passkey button").await;
        house.until("location.pathname === '/chat'").await;

        house.come_back().await;
        house.until("document.querySelector('form.passkey')?.hidden === false").await;
        house.js("document.querySelector('details').open = true").await;
        house.look_at("factor-passkey").await;
        house.click("form.passkey button").await;
        house.until("location.pathname === '/chat'").await;

        // Browsers give no passkeys to bare addresses, and the page says so.
        house.go_by_address("/sign-in").await;
        house.until("document.querySelector('form.passkey')?.hidden === false").await;
        house.click("form.passkey button").await;
        house.until("document.querySelector('.passkey-word').textContent.includes('proper name')").await;
        house.close().await;
    });
}

#[test]
fn an_answer_played_back_and_a_counter_that_goes_back_open_nothing() {
    let _proof = verifies!(AUT09);
    testkit::run(async {
        let house = House::open(Look::Desk).await;
        let codes = house.set_up().await;
        let device = authenticator(&house).await;
        add_passkey(&house).await;
        sign_out(&house).await;
        // The form is caught on its way and sent twice.
        house.js("HTMLFormElement.prototype.submit = function () { window.sent = new URLSearchParams(new FormData(this)).toString(); }").await;
        house.click("form.passkey button").await;
        house.until("window.sent").await;
        let send = "window.told = 0; fetch('/sign-in/passkey', { method: 'POST', redirect: 'manual', body: window.sent, \
                    headers: { 'content-type': 'application/x-www-form-urlencoded' } }).then((one) => { window.told = one.type === 'opaqueredirect' ? 303 : one.status; })";
        for (times, status) in [("once", 303), ("twice", 401)] {
            house.js(send).await;
            house.until("window.told").await;
            assert_eq!(house.js("return window.told").await, status, "{times}");
        }
        house.go("/chat").await;
        sign_out(&house).await;

        // The same key with an earlier counter, as a copy of it would have.
        let of = json!({ "authenticatorId": device });
        let kept = house.tell_browser("WebAuthn.getCredentials", of.clone()).await;
        let mut credential = kept["credentials"][0].clone();
        assert!(credential["signCount"].as_u64().unwrap() > 0);
        house.tell_browser("WebAuthn.clearCredentials", of).await;
        credential["signCount"] = Value::from(0);
        let copy = json!({ "authenticatorId": device, "credential": credential });
        house.tell_browser("WebAuthn.addCredential", copy).await;
        house.click("form.passkey button").await;
        house.until("document.querySelector('.note.bad') !== null").await;
        house.look_at("passkey-refused").await;

        house.type_into("#name", "Asha").await;
        house.type_into("#password", "Quiet-Harbour-47").await;
        house.click("form[action='/sign-in'] button[type=submit]").await;
        house.until("document.querySelector('#digits') !== null").await;
        house.type_into("#digits", &codes[0]).await;
        house.click("form[action='/sign-in/factor'] button").await;
        house.until("location.pathname === '/chat'").await;
        house.go("/account/factors").await;
        assert!(house.text("#passkeys .things").await.contains("out of use"));
        house.look_at("factors-suspended").await;
        house.close().await;
    });
}

#[test]
fn the_authenticator_and_a_recovery_code_open_once_each() {
    testkit::run(async {
        let house = House::open(Look::PhoneInTheDark).await;
        let codes = house.set_up().await;
        house.come_back().await;
        house.look_at("phone-factor").await;
        house.type_into("#digits", &house.next_digits()).await;
        house.click("form[action='/sign-in/factor'] button").await;
        house.until("location.pathname === '/chat'").await;
        house.come_back().await;
        house.type_into("#digits", &codes[0]).await;
        house.click("form[action='/sign-in/factor'] button").await;
        house.until("location.pathname === '/chat'").await;
        house.come_back().await;
        house.type_into("#digits", &codes[0]).await;
        house.click("form[action='/sign-in/factor'] button").await;
        house.until("document.querySelector('.note.bad') !== null").await;
        house.go("/sign-in").await;
        house.look_at("phone-sign-in").await;
        house.close().await;
    });
}

#[test]
fn with_one_administrator_the_page_says_what_remains() {
    testkit::run(async {
        let house = House::open(Look::Desk).await;
        house.set_up().await;
        house.come_back().await;
        house.js("document.querySelector('details').open = true").await;
        house.click("form[action='/sign-in/lost'] button").await;
        house.until("document.querySelector('.note.due')?.textContent.includes('troth recover')").await;
        house.look_at("lost-nobody").await;
        house.close().await;
    });
}

#[test]
fn the_account_speaks_hindi_and_fits_a_phone() {
    testkit::run(async {
        let house = House::open(Look::PhoneInTheDark).await;
        house.set_up().await;
        house.go("/account").await;
        house.js("document.querySelector('#language').value = 'hi'").await;
        house.click("#looks button[type=submit]").await;
        house.until("document.documentElement.lang === 'hi'").await;
        for (path, name) in [("/account", "hindi-account"), ("/account/factors", "hindi-factors")] {
            house.go(path).await;
            house.look_at(name).await;
            assert_eq!(
                house.js("return document.documentElement.scrollWidth <= innerWidth").await,
                true,
                "nothing makes {path} scroll sideways"
            );
        }
        house.go("/account").await;
        house.js("document.querySelector('#ways').scrollIntoView()").await;
        house.look_at("hindi-account-ways").await;
        house.close().await;
    });
}
