//! An identity at a sign-in service, in a real Chromium against a certified provider: a passkey as own factor,
//! confirming there, and being forgotten.

use domain::{
    Action, Job, Timestamp,
    audit::{Act, Entry},
    verifies,
};
use server::Outside;
use store::sessions;

use crate::{
    factors::{add_passkey, authenticator},
    house::{House, Look, NAME},
    service::Service,
    sign_in_there,
    staff::{as_person, find, permit, sign_out},
};

/// Forgets when the person called `name` was last confirmed, as if it were long ago.
async fn make_stale(house: &House, name: &str) {
    let (ctx, store, user) =
        (Outside::real().ctx(Job::Setup), house.instance().store(), find(house, name).await.id);
    let (reads, writes) = (
        permit(Job::Authentication, Action::ReadAccount, user),
        permit(Job::Setup, Action::WriteAccount, user),
    );
    let open = sessions::list(store, &reads).await.unwrap();
    let mut tx = store.begin(&ctx).await.unwrap();
    for one in open {
        sessions::confirmed_at(&mut tx, &writes, one.session.id, Timestamp(0)).await.unwrap();
    }
    tx.commit(Entry::new(Act::SignedIn, user)).await.unwrap();
}

/// Goes from the page that asks to the service, and signs in there as `who`, anew.
async fn confirm_there(house: &House, who: &str) {
    house.go("/confirm?next=/account").await;
    house.click(".ways a[href^='/sign-in/with/work/confirm']").await;
    // It knows the browser, and asks all the same.
    house.until("document.querySelector('input[name=login]') !== null").await;
    house.type_into("input[name=login]", who).await;
    house.type_into("input[name=password]", "whatever").await;
    house.click("form button[type=submit]").await;
    house.until("document.querySelector('input[name=login]') === null").await;
    house.until("document.querySelector('form button[type=submit], header') !== null").await;
    if house.js("return location.pathname.startsWith('/interaction')").await == true {
        house.click("form button[type=submit]").await;
    }
}

#[test]
fn an_identity_of_a_service_shows_a_passkey_confirms_there_and_is_forgotten() {
    let _proofs = (verifies!(SSO01), verifies!(AUT08));
    testkit::run(async {
        let mut service = Service::start().await;
        let house = House::open_with(Look::Desk, &service.config()).await;
        service.serve(&house.address("/sign-in/with/work/done")).await;
        house.set_up().await;
        sign_out(&house).await;
        house.click(".ways a").await;
        sign_in_there(&house, "grace").await;
        house.until("document.querySelector('form[action=\"/sign-in/enrol\"]') !== null").await;
        house.add_authenticator().await;
        house.click("main a.button").await;
        house.until("document.querySelector('#message') !== null").await;
        authenticator(&house).await;
        add_passkey(&house).await;

        // The service showed no second factor, so her own is asked for; a passkey is one.
        sign_out(&house).await;
        house.click(".ways a").await;
        house.until("document.querySelector('form.passkey')?.hidden === false").await;
        house.look_at("sso-factor-passkey").await;
        house.click("form.passkey button").await;
        house.until("location.pathname === '/chat'").await;

        // What opens the account takes a fresh confirmation, and the service may be who confirms.
        house.go("/account").await;
        make_stale(&house, "Grace").await;
        house.js("document.querySelector('#totp').value = '123456'").await;
        house.click("form[action='/account/codes'] button").await;
        house.until("location.pathname === '/confirm'").await;
        house.go("/account").await;
        assert_eq!(house.count("form[action='/account/codes']").await, 0);
        house.go("/confirm?next=/account").await;
        house.look_at("confirm-by-service").await;
        confirm_there(&house, "eve").await;
        house.until("document.querySelector('.note')?.textContent.includes('somebody else')").await;
        house.go("/account").await;
        assert_eq!(house.count("form[action='/account/codes']").await, 0, "she confirmed nothing for Grace");
        confirm_there(&house, "grace").await;
        house.until("location.pathname === '/account'").await;
        assert_eq!(house.count("form[action='/account/codes']").await, 1);

        // Once forgotten, the identity is a stranger's, and the account stays as it is.
        as_person(&house, NAME).await;
        let grace = find(&house, "Grace").await.id;
        house.go(&format!("/admin/people/{grace}")).await;
        house.look_at("people-link").await;
        house.click("#links form button").await;
        house.until("location.search === '?done=unlinked'").await;
        assert_eq!(house.count("#links").await, 0);
        sign_out(&house).await;
        house.click(".ways a").await;
        house.until("document.querySelector('form[action=\"/sign-in/enrol\"]') !== null").await;
        house.add_authenticator().await;
        house.click("main a.button").await;
        house.until("document.querySelector('#message') !== null").await;
        house.go("/account").await;
        assert_eq!(house.text("h1").await, "grace@work.example", "an account of its own");
        assert_eq!(house.count("#passkeys .things li").await, 0);
        house.close().await;
    });
}
