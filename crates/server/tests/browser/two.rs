//! One person in two browsers.

use domain::verifies;

use crate::house::{House, Look};

#[test]
fn a_session_is_ended_from_another_browser() {
    let _proof = verifies!(SES04);
    testkit::run(async {
        let mut house = House::open(Look::Desk).await;
        let codes = house.set_up().await;
        let mut phone = house.another_browser().await;

        house.switch(&mut phone);
        house.go("/sign-in").await;
        house.sign_in(&codes[0]).await;
        house.until("document.querySelector('#message') !== null").await;
        house.say("Am I still here?").await;
        house.until("document.querySelectorAll('.message.answer .tools').length === 1").await;
        house.type_into("#message", "and what I had not").await;

        house.switch(&mut phone);
        house.go("/account").await;
        house.until("document.querySelectorAll('#sessions li').length === 2").await;
        house.look_at("sessions-two").await;
        house.click("#sessions li form button").await;
        house.until("document.querySelectorAll('#sessions li').length === 1").await;

        // The other page finds out by itself, stays covered for the sake of what was typed, and can do nothing.
        house.switch(&mut phone);
        house.js("document.dispatchEvent(new Event('visibilitychange'))").await;
        house.until("document.querySelector('dialog[role=alertdialog]')?.open || location.pathname === '/sign-in'").await;
        house.look_at("session-ended-elsewhere").await;
        // What was typed keeps its page; another tab has only the sign-in.
        house.second_tab("/chat").await;
        house.until("location.pathname === '/sign-in'").await;

        house.switch(&mut phone);
        house.go("/chat").await;
        house.until("document.querySelector('#message') !== null").await;
        phone.quit().await.unwrap();
        house.close().await;
    });
}
