//! From an invitation to the first chat, and what a group says, in a real Chromium.

use domain::verifies;

use crate::house::{House, Look};

const GRACE: &str = "Grace";
const PASSWORD: &str = "Brisk-Lantern-92";

/// Makes an invitation to hand over and gives the part of its link after the host.
async fn invite(house: &House) -> String {
    house.go("/admin/people").await;
    house.click("#invite button[type=submit]").await;
    house.until("document.querySelector('#link') !== null").await;
    let link = house.text("#link").await;
    assert!(link.contains("/invitation#"), "{link}");
    link[link.find("/invitation").unwrap()..].to_owned()
}

/// Accepts it in this browser, which nobody is signed in to afterwards but the new person.
async fn accept(house: &House, link: &str, picture: Option<&str>) {
    house.go("/account").await;
    house.click("form[action='/sign-out'] button").await;
    house.until("location.pathname === '/sign-in'").await;
    house.go(link).await;
    house.until("document.querySelector('#code-field').hidden").await;
    assert_eq!(house.js("return location.hash").await, "", "the secret is out of the address");
    if let Some(picture) = picture {
        house.look_at(picture).await;
    }
    house.type_into("#name", GRACE).await;
    house.type_into("#password", PASSWORD).await;
    house.click("main button[type=submit]").await;
    house.until("document.querySelector('main a.button') !== null").await;
    house.click("main a.button").await;
}

#[test]
fn an_invitation_becomes_a_first_chat_within_the_rules_of_a_group() {
    let _proof = verifies!(GRP01);
    testkit::run(async {
        let house = House::open(Look::Desk).await;
        house.set_up().await;
        for (path, name) in [
            ("/admin", "admin"),
            ("/admin/people", "admin-people"),
            ("/admin/groups", "admin-groups"),
            ("/admin/mail", "admin-mail"),
            ("/forgot", "forgot"),
            ("/reset", "reset"),
            ("/confirm-address", "confirm-address"),
        ] {
            house.go(path).await;
            house.look_at(name).await;
        }
        house.go("/admin/groups").await;
        house.type_into("#name", "Interns").await;
        house.click("input[name=temporary_only]").await;
        house.type_into("#messages_a_day", "6").await;
        house.click("#new button[type=submit]").await;
        house.until("location.search.includes('made')").await;
        house.look_at("admin-groups-one").await;
        let link = invite(&house).await;
        house.look_at("invitation-link").await;
        accept(&house, &link, Some("invitation")).await;
        house.until("document.querySelector('#message') !== null").await;
        house.say("hello").await;
        house.until("document.querySelectorAll('.message.answer .tools').length === 1").await;
        assert_eq!(house.js("return location.pathname.startsWith('/chat/temporary')").await, false);
        // A user finds no door to the administration, and none opens.
        house.go("/account").await;
        assert_eq!(house.count("a[href='/admin']").await, 0);
        house.look_at("account-invited").await;
        house.go("/admin/people").await;
        assert_eq!(house.count(".things li").await, 0);
        house.go(&link).await;
        house.close().await;
    });
}

#[test]
fn the_pages_of_those_who_run_it_fit_a_phone_in_the_dark() {
    testkit::run(async {
        let house = House::open(Look::PhoneInTheDark).await;
        house.set_up().await;
        let link = invite(&house).await;
        assert!(!link.is_empty());
        for (path, name) in
            [("/admin/people", "phone-people"), ("/admin/groups", "phone-groups"), ("/admin", "phone-admin")]
        {
            house.go(path).await;
            house.look_at(name).await;
            assert_eq!(
                house.js("return document.documentElement.scrollWidth <= innerWidth").await,
                true,
                "nothing makes {path} scroll sideways"
            );
        }
        house.close().await;
    });
}
