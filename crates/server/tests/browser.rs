//! People's paths through the pages, in a real Chromium against a real instance with the scripted model.
//!
//! Needs `chromium`, `chromedriver` and axe-core; `cargo xtask test --install` brings them. Every page a
//! path visits is held against axe (WCAG 2.2 AA and its good practices) with no violation allowed, and
//! leaves a picture in `target/screenshots`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test whose steps do not succeed has failed")]

#[path = "browser/consents.rs"]
mod consents;
#[path = "browser/customers.rs"]
mod customers;
#[path = "browser/desk.rs"]
mod desk;
#[path = "browser/directory.rs"]
mod directory;
#[path = "browser/factors.rs"]
mod factors;
#[path = "browser/house.rs"]
mod house;
#[path = "browser/leaving.rs"]
mod leaving;
#[path = "api/line.rs"]
mod line;
#[path = "browser/people.rs"]
mod people;
#[path = "browser/recovery.rs"]
mod recovery;
#[path = "browser/service.rs"]
mod service;
#[path = "browser/staff.rs"]
mod staff;
#[path = "browser/two.rs"]
mod two;
#[path = "browser/voice.rs"]
mod voice;

use domain::verifies;
use house::{House, Look};
use service::Service;
use thirtyfour::Key;

#[test]
fn a_first_day() {
    let _disclosed = verifies!(AID01);
    testkit::run(async {
        let house = House::open(Look::Desk).await;
        house.set_up().await;
        house.look_at("begin").await;

        house.say("What do you keep of what I write?").await;
        house.until("document.querySelectorAll('.message.answer .tools').length === 1").await;
        assert!(house.text(".message.answer .by").await.contains("AI"));
        assert_eq!(house.count(".message.answer .by").await, house.count(".message.answer").await);
        house.look_at("answer").await;
        house.until("document.querySelector('#list .row.here') !== null").await;

        // Another wording makes a branch, and so does another answer.
        house.press("ArrowUp").await;
        house.until("document.activeElement.matches('.edit textarea')").await;
        house.look_at("edit").await;
        house.js("document.activeElement.value = 'What do you forget?'").await;
        house.press("Enter").await;
        house.until("document.querySelector('.message.user .branch')?.innerText.trim() === '2/2'").await;
        house.until("document.querySelectorAll('.message.answer .tools').length === 1").await;
        house.click(".message.answer [data-act=regenerate]").await;
        house.until("document.querySelector('.message.answer .branch')?.innerText.trim() === '2/2'").await;
        assert_eq!(house.count(".message").await, 2, "the earlier answer is on its own branch");
        house.click(".message.user [data-act=branch]:not([disabled])").await;
        house.until("document.querySelector('.said').textContent.includes('What do you keep')").await;

        // A reload in the middle of an answer goes on where it was; Escape keeps what was shown.
        house.say("slow 500").await;
        house.until("document.querySelector('.streaming .tail')?.textContent.includes('word5')").await;
        house.look_at("streaming").await;
        house.reload().await;
        house.until("document.querySelector('.streaming .tail')?.textContent.includes('word1 word2')").await;
        house.press("Escape").await;
        house.until("document.querySelector('.message:last-child .ending') !== null").await;
        let shown = house.text(".message:last-child .prose").await;
        assert!(shown.starts_with("word1 word2") && !shown.contains("word500"), "{shown}");

        house.say("fail-midstream").await;
        house.until("document.querySelector('.message:last-child .ending.bad button') !== null").await;
        house.look_at("failed").await;

        house.type_into("#search", "forg").await;
        house.until("document.querySelectorAll('.hit').length > 0").await;
        house.look_at("search").await;
        house.type_into("#search", "\u{E003}\u{E003}\u{E003}\u{E003}").await;
        house.until("document.querySelectorAll('.hit').length === 0").await;

        things_on_top(&house).await;
        the_other_pages(&house).await;
        house.close().await;
    });
}

/// Menus, the palette, dialogs: opened, looked at, closed.
async fn things_on_top(house: &House) {
    house.click("#options").await;
    house.until("document.querySelector('#menu').matches(':popover-open')").await;
    house.look_at("menu").await;
    house.press("Escape").await;
    house.click(".model-button").await;
    house.until("document.querySelector('#models').matches(':popover-open')").await;
    house.look_at("switcher").await;
    house.press("Escape").await;
    house.click("[data-act=help]").await;
    house.look_at("keys").await;
    house.press("Escape").await;
    house.press("k with Control").await;
    house.until("document.querySelectorAll('.palette [role=option]').length > 8").await;
    house.look_at("palette").await;
    house.press("Escape").await;
}

/// Temporary chat, account, trust, models, what is not there, leaving.
async fn the_other_pages(house: &House) {
    house.go("/chat/temporary").await;
    house.say("a secret word").await;
    house.until("document.querySelectorAll('.message.answer .tools').length === 1").await;
    house.look_at("temporary").await;
    house.click("[data-act=end-temporary]").await;
    house.until("location.pathname === '/chat'").await;
    house.type_into("#search", "secret").await;
    house.until("document.querySelector('#list .none') !== null").await;
    assert_eq!(house.count(".hit").await, 0, "a temporary chat is found nowhere");

    for (path, name) in
        [("/trust", "trust"), ("/models", "models"), ("/nothing", "not-found"), ("/account", "account")]
    {
        house.go(path).await;
        house.look_at(name).await;
    }
    let exported = house.fetch("/chat/api/export?format=json").await;
    assert!(exported.contains("troth.conversations/1") && exported.contains("What do you forget?"));
    assert!(!exported.contains("a secret word"));

    house.js("document.querySelectorAll('details').forEach((one) => { one.open = true; })").await;
    house.look_at("account-open").await;
    house.click("input[name=sure]").await;
    house.click("form[action='/account/delete-chats'] button").await;
    house.until("location.search.includes('deleted')").await;
    house.go("/chat").await;
    assert_eq!(house.count("#list .row").await, 0);
    house.go("/account").await;
    house.click("form[action='/sign-out'] button").await;
    house.until("location.pathname === '/sign-in'").await;
    house.look_at("sign-in").await;
    house.go("/chat").await;
    house.until("location.pathname === '/sign-in'").await;
}

#[test]
fn a_hostile_answer_does_nothing() {
    let _proof = verifies!(WEB06);
    testkit::run(async {
        let house = House::open(Look::Desk).await;
        house.set_up().await;
        house.js("window.ran = []; window.alert = (what) => window.ran.push(what);").await;
        // The scripted model quotes these back, so they arrive as an answer's own Markdown.
        for attack in [
            "<img src=x onerror=alert(1)><script>alert(2)</script>",
            "<svg onload=alert(3)></svg> <iframe srcdoc='<script>parent.alert(4)</script>'></iframe>",
            "[go](javascript:alert(5)) ![see](https://example.com/leak.png) <a href=javascript:alert(6)>x</a>",
            "$\\text{<img src=x onerror=alert(7)>}$ `<script>alert(8)</script>`",
            "<style>*{display:none}</style><form action=https://example.com><input name=q autofocus onfocus=alert(9)>",
        ] {
            let answers = house.count(".message.answer .tools").await;
            house.say(attack).await;
            house
                .until(&format!(
                    "document.querySelectorAll('.message.answer .tools').length === {}",
                    answers + 1
                ))
                .await;
        }
        let found = house
            .js("return document.querySelectorAll('.thread :is(script, img, iframe, form:not(.edit), style, input)').length")
            .await;
        assert_eq!(found, 0);
        let astray = "return [...document.querySelectorAll('.prose a:not([href^=http])')].map((one) => one.outerHTML).join()";
        assert_eq!(house.js(astray).await, "");
        assert_eq!(house.js("return window.ran.length").await, 0);
        house.look_at("hostile").await;
        house.close().await;
    });
}

#[test]
fn on_a_phone_and_in_the_dark() {
    testkit::run(async {
        let house = House::open(Look::PhoneInTheDark).await;
        house.set_up().await;
        house.look_at("phone-begin").await;
        house.say("Show me a table").await;
        house.until("document.querySelectorAll('.message.answer .tools').length === 1").await;
        house.look_at("phone-answer").await;
        assert_eq!(
            house.js("return document.documentElement.scrollWidth <= innerWidth").await,
            true,
            "nothing makes the page scroll sideways"
        );
        house.click("[data-act=open-rail]").await;
        house.until("document.activeElement.id === 'search'").await;
        house.until("document.querySelector('.rail').getBoundingClientRect().left === 0").await;
        house.look_at("phone-rail").await;
        house.press("Escape").await;
        house.until("!document.body.classList.contains('drawer')").await;
        for (path, name) in [("/trust", "phone-trust"), ("/account", "phone-account")] {
            house.go(path).await;
            house.look_at(name).await;
        }
        house.close().await;
    });
}

#[test]
fn two_tabs_watch_one_answer() {
    testkit::run(async {
        let house = House::open(Look::Desk).await;
        house.set_up().await;
        house.say("slow 250").await;
        house.until("document.querySelector('.streaming .tail')?.textContent.includes('word3')").await;
        let address = house.js("return location.pathname").await;
        house.second_tab(address.as_str().unwrap()).await;
        house.until("document.querySelector('.message.answer .prose')?.textContent.includes('word5')").await;
        house
            .until("document.querySelector('.message.answer .prose')?.textContent.includes('word250')")
            .await;
        house.first_tab().await;
        house
            .until("document.querySelector('.message.answer .prose')?.textContent.includes('word250')")
            .await;
        house.close().await;
    });
}

#[test]
fn a_dropped_stream_goes_on_where_it_was() {
    testkit::run(async {
        let house = House::open(Look::Desk).await;
        house.set_up().await;
        // The answer to the question breaks off after half a second, as far as the page can tell, and so does
        // the first connection after it.
        house
            .js("const ask = fetch; window.fetch = async (path, options) => { \
                 const answer = await ask(path, options); if (path !== '/chat/api/ask') return answer; \
                 const breaks = { start: (to) => setTimeout(() => to.error(new TypeError('broken')), 500) }; \
                 const body = answer.body.pipeThrough(new TransformStream(breaks)); \
                 return new Response(body, { headers: answer.headers }); }; \
                 window.opened = []; const Real = EventSource; \
                 window.EventSource = class extends Real { constructor(address) { super(address); \
                 if (window.opened.push(address) === 1) setTimeout(() => this.dispatchEvent(new Event('error')), 500); } };")
            .await;
        house.say("slow 400").await;
        house.until("window.opened.length === 2").await;
        house.until("document.querySelector('.streaming .tail')?.textContent.includes('word120')").await;
        assert_eq!(
            house.js("return window.opened.every((address) => /from=[1-9]/.test(address))").await,
            true,
            "it asks for the rest alone"
        );
        let in_order = "return document.querySelector('.streaming .prose').textContent.trim().split(/\\s+/)\
                        .slice(0, 120).every((word, at) => word === `word${at + 1}`)";
        assert_eq!(house.js(in_order).await, true, "nothing is lost and nothing comes twice");
        house.press("Escape").await;
        house.until("document.querySelector('.message:last-child .ending') !== null").await;
        house.close().await;
    });
}

#[test]
fn a_session_about_to_end_warns_and_an_unfinished_message_survives_it() {
    let _proofs = (verifies!(SES06), verifies!(SES01));
    testkit::run(async {
        let house = House::open_with(Look::Desk, "[policy]\nidle_minutes = 1\n").await;
        let codes = house.set_up().await;
        let looks = "document.dispatchEvent(new Event('visibilitychange'))";
        house.type_into("#message", "half a thought, and then").await;
        house.pass(40);
        house.js(looks).await;
        house.until("document.querySelector('dialog[role=alertdialog]')?.open").await;
        house.until("document.activeElement.textContent === 'Stay signed in'").await;
        house.look_at("idle-warning").await;
        // Enter on the focused button: somebody is there, and the clock starts again.
        house.press("Enter").await;
        house.until("document.querySelector('dialog[role=alertdialog]') === null").await;
        house.pass(40);
        house.js(looks).await;
        house.until("document.querySelector('dialog[role=alertdialog]')?.open").await;
        let mut saved = String::new();
        while !saved.contains("half a thought") {
            saved = house.fetch("/chat").await;
        }
        house.pass(60);
        house.js(looks).await;
        house.until("location.pathname === '/sign-in'").await;
        let kept = "return localStorage.length + sessionStorage.length + document.cookie.length";
        assert_eq!(house.js(kept).await, 0, "nothing stays in the browser");
        house.sign_in(&codes[0]).await;
        house.until("document.querySelector('#message')?.value === 'half a thought, and then'").await;
        house.until("document.querySelector('.toast') !== null").await;
        house.look_at("draft-restored").await;
        // Sent, it is unfinished no more.
        house.type_into("#message", &Key::Enter.value().to_string()).await;
        house.until("document.querySelectorAll('.message.answer .tools').length === 1").await;
        while saved.contains("half a thought, and then</textarea>") {
            saved = house.fetch("/chat").await;
        }
        house.close().await;
    });
}

#[test]
fn a_person_comes_in_with_the_account_of_their_organisation() {
    testkit::run(async {
        let mut service = Service::start().await;
        let house = House::open_with(Look::Desk, &service.config()).await;
        service.serve(&house.address("/sign-in/with/work/done")).await;
        house.set_up().await;
        house.go("/admin/directory").await;
        house.click("#connections form button").await;
        house.until("document.querySelector('.mark.good') !== null").await;
        house.look_at("directory").await;
        house.click("#provisioning form button").await;
        house.until("document.querySelector('#key')?.textContent.startsWith('troth_scim_')").await;
        house.look_at("directory-token").await;
        house.go("/account").await;
        house.click("form[action='/sign-out'] button").await;
        house.until("document.querySelector('.ways a') !== null").await;
        house.look_at("signed-out-there-too").await;

        house.go("/sign-in?next=/models").await;
        house.until("document.querySelector('.ways a') !== null").await;
        house.look_at("sign-in-with").await;
        house.click(".ways a").await;
        sign_in_there(&house, "grace").await;
        // Her claim makes her an auditor, and the service showed no second factor: she adds one on the way in.
        house.until("document.querySelector('form[action=\"/sign-in/enrol\"]') !== null").await;
        house.add_authenticator().await;
        house.click("main a.button").await;
        house.until("location.pathname === '/models'").await;
        house.go("/account").await;
        assert_eq!(house.text("h1").await, "Grace");

        // Somebody whose address is elsewhere is told so, in words.
        house.click("form[action='/sign-out'] button").await;
        house.until("document.querySelector('.ways a') !== null").await;
        house.click(".ways a").await;
        house.until("document.querySelector('button[name=logout]') !== null").await;
        house.click("button[name=logout]").await;
        house.until("location.pathname === '/sign-in'").await;
        house.click(".ways a").await;
        sign_in_there(&house, "eve").await;
        house.until("document.querySelector('.note')?.textContent.includes('organisation')").await;
        house.look_at("sign-in-elsewhere").await;

        // The answer in the address bar was good once.
        house.reload().await;
        house.until("document.querySelector('.note')?.textContent.includes('used already')").await;
        house.close().await;
    });
}

/// Types a name into the provider's own pages and agrees.
async fn sign_in_there(house: &House, who: &str) {
    house.until("document.querySelector('input[name=login]') !== null").await;
    house.type_into("input[name=login]", who).await;
    house.type_into("input[name=password]", "whatever").await;
    house.click("form button[type=submit]").await;
    house.until("document.querySelector('input[name=login]') === null && document.querySelector('form button[type=submit]') !== null").await;
    house.click("form button[type=submit]").await;
}
