//! Those who run an instance, in a real Chromium: roles, a whole access review, and the reading of somebody's
//! chats with all that its person sees of it.

use domain::{
    Action, Job, Permit, Resource,
    access::{Role, Roles},
    audit::{Act, Entry},
    authorize,
    chat::{Author, Body, Ending, Message},
    id::{ConversationId, MessageId, UserId},
};
use server::Outside;
use store::{accounts, conversations, credentials, messages};

use crate::house::{House, Look, NAME, PASSWORD};

pub(crate) fn permit(job: Job, action: Action, user: UserId) -> Permit {
    authorize(&Outside::real().ctx(job), action, Resource::Of(user)).unwrap()
}

pub(crate) async fn find(house: &House, name: &str) -> accounts::Account {
    let ctx = Outside::real().ctx(Job::Authentication);
    let permit = authorize(&ctx, Action::Authenticate, Resource::Instance).unwrap();
    accounts::find(house.instance().store(), &permit, name).await.unwrap().unwrap()
}

/// Makes somebody with the owner's password and authenticator.
pub(crate) async fn person(house: &House, name: &str, roles: &[Role]) -> UserId {
    let (ctx, store) = (Outside::real().ctx(Job::Setup), house.instance().store());
    let known = permit(Job::Authentication, Action::ReadAccount, find(house, NAME).await.id);
    let verifier = credentials::password(store, &known).await.unwrap().unwrap().verifier;
    let totp = credentials::totp(store, &known).await.unwrap().unwrap();
    let id = UserId::fresh(&ctx);
    let writes = permit(Job::Setup, Action::WriteAccount, id);
    let roles: Roles = roles.iter().copied().chain([Role::User]).collect();
    let mut tx = store.begin(&ctx).await.unwrap();
    accounts::create(&mut tx, &writes, id, name, roles).await.unwrap();
    credentials::set_password(&mut tx, &writes, &verifier, ctx.now()).await.unwrap();
    credentials::set_totp(&mut tx, &writes, &totp.secret, true).await.unwrap();
    tx.commit(Entry::new(Act::AccountCreated, id)).await.unwrap();
    id
}

/// Gives somebody a conversation of two messages.
async fn chat(house: &House, user: UserId) {
    let (ctx, store) = (Outside::real().ctx(Job::Turn), house.instance().store());
    let writes = permit(Job::Turn, Action::WriteChat, user);
    let (id, question) = (ConversationId::fresh(&ctx), MessageId::fresh(&ctx));
    let message = |id, parent, author, text: &str| Message {
        id,
        parent,
        author,
        body: Body { text: text.to_owned(), ending: Ending::Complete, ..Body::default() },
        at: ctx.now(),
    };
    let asked = message(question, None, Author::User, "How long do tomatoes keep?");
    let answer = message(
        MessageId::fresh(&ctx),
        Some(question),
        Author::Assistant,
        "About a week, **not** in the fridge.",
    );
    let mut tx = store.begin(&ctx).await.unwrap();
    conversations::create(&mut tx, &writes, id, ctx.now()).await.unwrap();
    conversations::rename(&mut tx, &writes, id, "Tomatoes").await.unwrap();
    messages::append(&mut tx, &writes, id, &asked).await.unwrap();
    messages::append(&mut tx, &writes, id, &answer).await.unwrap();
    tx.commit(Entry::new(Act::ConversationChanged, id)).await.unwrap();
}

/// Signs out whoever is in, and signs in as `name`.
pub(crate) async fn as_person(house: &House, name: &str) {
    sign_out(house).await;
    show_password(house, name).await;
    house.type_into("#digits", &code(house, name).await).await;
    house.click("form[action='/sign-in/factor'] button").await;
    house.until("document.querySelector('#message') !== null").await;
}

/// Signs out whoever is in, if anybody still is, and arrives at the sign-in.
pub(crate) async fn sign_out(house: &House) {
    house.go("/account").await;
    house
        .until("document.querySelector('form[action=\"/sign-out\"], form[action=\"/sign-in\"]') !== null")
        .await;
    if house.count("form[action='/sign-out']").await > 0 {
        house.click("form[action='/sign-out'] button").await;
        house.until("location.pathname === '/sign-in'").await;
    }
    // Wherever that led, with or without a page to come back to.
    house.go("/sign-in").await;
}

/// Gives name and password at the sign-in, and arrives at the question for a factor.
pub(crate) async fn show_password(house: &House, name: &str) {
    house.type_into("#name", name).await;
    house.type_into("#password", PASSWORD).await;
    house.click("form[action='/sign-in'] button[type=submit]").await;
    house.until("document.querySelector('#digits') !== null").await;
}

/// What the authenticator of `name` shows.
async fn code(house: &House, name: &str) -> String {
    let known = permit(Job::Authentication, Action::ReadAccount, find(house, name).await.id);
    let totp = credentials::totp(house.instance().store(), &known).await.unwrap().unwrap();
    let secret = totp_rs::Secret::from(totp.secret.to_vec());
    let shown = totp_rs::Builder::new().with_secret(secret).build().unwrap();
    let now = u64::try_from(house.seconds()).unwrap();
    // Whoever comes back within half a minute takes the next code, which is taken as well.
    let step = (now / 30).max(u64::try_from(totp.last_step).unwrap_or(0) + 1);
    shown.generate(step * 30).to_string()
}

#[test]
fn a_review_from_its_beginning_to_its_evidence() {
    testkit::run(async {
        let house = House::open(Look::Desk).await;
        house.set_up().await;
        person(&house, "Ida", &[Role::SecurityOfficer]).await;
        let bob = person(&house, "Bob", &[Role::Administrator]).await;

        house.go("/admin/roles").await;
        house.look_at("admin-roles").await;
        house.js(&format!("document.querySelector('#account').value = '{bob}'")).await;
        house.js("document.querySelector('#role').value = 'auditor'").await;
        house.js("document.querySelector('#until').value = '2099-12-31'").await;
        house.click("#give button[type=submit]").await;
        house.until("location.search === '?done=granted'").await;
        house.js("document.querySelectorAll('details').forEach((one) => { one.open = true; })").await;
        house.type_into("#name-new", "Keeper of addresses").await;
        house.click("input[value=manage_edge]").await;
        house.look_at("admin-roles-open").await;
        house.click("#own form button[type=submit]").await;
        house.until("location.search === '?done=saved'").await;
        assert!(house.text("#own .what").await.contains("Keep addresses out"));

        house.go("/admin/reviews").await;
        house.look_at("admin-reviews").await;
        house.click("main form button").await;
        house.until("document.querySelector('#open') !== null").await;
        house.look_at("admin-review").await;
        // Four grants; the owner's own is not hers to decide.
        assert_eq!(house.count("#open li").await, 4);
        assert_eq!(house.count("#open form").await, 3);
        house.click("button[aria-label='Confirm Security officer of Ida']").await;
        house.until("document.querySelectorAll('#open li').length === 3").await;
        house.click("button[aria-label='Confirm Administrator of Bob']").await;
        house.until("document.querySelectorAll('#open li').length === 2").await;
        house.click("button[aria-label='Revoke Auditor of Bob']").await;
        house.until("document.querySelectorAll('#open li').length === 1").await;
        house.go("/admin/roles").await;
        assert_eq!(
            house.count("button[aria-label='Take the role Auditor from Bob']").await,
            0,
            "it ended at once"
        );

        as_person(&house, "Ida").await;
        house.go("/admin/reviews").await;
        house.click("main a.button").await;
        house.until("document.querySelector('#open') !== null").await;
        house.click("button[aria-label='Confirm Owner of Asha']").await;
        house.until("document.querySelector('main .note.good') !== null").await;
        house.look_at("admin-review-closed").await;
        let address = house.js("return location.pathname").await;
        let report = house.fetch(&format!("{}/report", address.as_str().unwrap())).await;
        let json: serde_json::Value = serde_json::from_str(&report).unwrap();
        assert_eq!((&json["confirmed"], &json["revoked"]), (&3.into(), &1.into()), "{report}");
        house.close().await;
    });
}

#[test]
fn chats_are_read_by_two_and_their_person_sees_it() {
    testkit::run(async {
        // Who was made a moment ago counts here: a week is too long for a test.
        let house = House::open_with(Look::Desk, "[policy]\nsecond_person_days = 0\n").await;
        house.set_up().await;
        person(&house, "Ida", &[Role::SecurityOfficer]).await;
        let ann = person(&house, "Ann", &[]).await;
        chat(&house, ann).await;

        as_person(&house, "Ida").await;
        house.go("/admin/content").await;
        house.look_at("admin-content").await;
        house.js(&format!("document.querySelector('#account').value = '{ann}'")).await;
        house.type_into("#reason", "A court asks about this account, case 4711.").await;
        house.click("#ask button[type=submit]").await;
        house.until("document.querySelectorAll('li.request').length === 1").await;
        assert_eq!(house.count("form[action$='/approve']").await, 0, "who asks does not agree");

        as_person(&house, NAME).await;
        house.go("/admin/content").await;
        house.look_at("admin-content-asked").await;
        house.click("form[action$='/approve'] button").await;
        house.until("document.querySelector('form[action$=\"/end\"]') !== null").await;
        assert_eq!(house.count("a[href$='/chats']").await, 0, "who agrees does not read");

        as_person(&house, "Ida").await;
        house.go("/admin/content").await;
        house.click("a[href$='/chats']").await;
        house.until("document.querySelector('a[href*=\"/chats/\"]') !== null").await;
        house.look_at("admin-content-chats").await;
        house.click(".things a[href*='/chats/']").await;
        house.until("document.querySelector('.readonly') !== null").await;
        house.look_at("admin-content-chat").await;
        assert!(house.text(".readonly").await.contains("About a week, not in the fridge."));
        assert_eq!(house.count(".readonly :is(form, button, textarea)").await, 0);

        as_person(&house, "Ann").await;
        house.go("/account").await;
        let told = house.text("#glass").await;
        assert!(told.contains("Ida") && told.contains("case 4711") && told.contains("Asha agreed"), "{told}");
        house.click("#glass summary").await;
        house.js("document.querySelector('#glass').scrollIntoView()").await;
        house.look_at("account-glass").await;
        assert_eq!(house.count("#glass details li").await, 2);
        house.close().await;
    });
}
