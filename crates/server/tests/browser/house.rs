//! An instance, a Chromium in front of it, and a person who types.

use std::{
    cell::RefCell,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{Clock, Timestamp};
use serde_json::Value;
use server::{Config, Instance, Outside};
use thirtyfour::{
    By, Capabilities, CapabilitiesHelper, ChromiumLikeCapabilities, DesiredCapabilities, Key, WebDriver,
    common::command::{Command, ExtensionCommand},
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{self, Child},
    time::{Instant, sleep},
};

pub(crate) const NAME: &str = "Asha";
pub(crate) const PASSWORD: &str = "Quiet-Harbour-47";
/// How long a page may take to become what a test waits for, on a machine with much else to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// The file that a browser with a microphone hears.
const MICROPHONE: &str = "microphone.wav";

/// What the browser looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// A wide window by day.
    Desk,
    /// A narrow one by night.
    PhoneInTheDark,
}

/// An instance and a browser.
pub(crate) struct House {
    instance: Instance,
    browser: WebDriver,
    driver: Child,
    /// Where the driver listens.
    port: u16,
    /// What the browser takes the instance's certificate by.
    fingerprint: String,
    axe: String,
    ahead: Arc<AtomicI64>,
    /// The authenticator's secret, once setup showed it.
    secret: RefCell<String>,
    folder: tempfile::TempDir,
}

impl House {
    /// Starts both.
    pub(crate) async fn open(look: Look) -> Self {
        Self::open_with(look, "").await
    }

    /// Starts both, the instance with `more` configuration.
    pub(crate) async fn open_with(look: Look, more: &str) -> Self {
        Self::open_hearing(look, more, false).await
    }

    /// Starts both; with a microphone in the browser where `talks`, which plays the file [`Self::microphone`].
    pub(crate) async fn open_hearing(look: Look, more: &str, talks: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, fingerprint) = certificate(folder.path());
        let settings =
            format!("[keys]\nkey_file = {:?}\n{certificate}\n{more}", folder.path().join("root.key"));
        let config = Config::for_tests(&folder.path().join("data"), &settings).unwrap();
        let ahead = Arc::new(AtomicI64::new(0));
        let mut outside = Outside::real();
        outside.clock = Clock::new({
            let (clock, ahead) = (outside.clock.clone(), Arc::clone(&ahead));
            move || Timestamp(clock.now().0 + ahead.load(Ordering::SeqCst))
        });
        let instance = Instance::start(config, outside).await.unwrap();
        let (driver, port) = driver().await;
        let microphone = talks.then(|| folder.path().join(MICROPHONE));
        let profile = folder.path().join("browser");
        let browser = browser(port, look, &profile, &fingerprint, microphone.as_deref()).await;
        let axe = std::fs::read_to_string(target().join("sdk/js/node_modules/axe-core/axe.min.js"))
            .expect("axe-core; run `cargo xtask test --install`");
        let secret = RefCell::default();
        Self { instance, browser, driver, port, fingerprint, axe, ahead, secret, folder }
    }

    /// A second browser on the same instance, on a phone. [`House::switch`] goes on in it.
    pub(crate) async fn another_browser(&self) -> WebDriver {
        let profile = self.folder.path().join("another-browser");
        browser(self.port, Look::PhoneInTheDark, &profile, &self.fingerprint, None).await
    }

    /// What the microphone hears, once: it is read when somebody begins to listen.
    pub(crate) fn microphone(&self) -> PathBuf {
        self.folder.path().join(MICROPHONE)
    }

    /// Goes on in the other browser, and leaves this one in its place.
    pub(crate) fn switch(&mut self, other: &mut WebDriver) {
        std::mem::swap(&mut self.browser, other);
    }

    /// Adds the authenticator the page shows; the recovery codes are shown afterwards. Gives back its secret.
    pub(crate) async fn add_authenticator(&self) -> String {
        let secret = self.js("return document.querySelector('.secret').textContent").await;
        let secret = secret.as_str().unwrap().to_owned();
        let ahead = self.ahead.load(Ordering::SeqCst) / 1_000_000;
        self.type_into("#digits", &digits(&secret, u64::try_from(ahead).unwrap())).await;
        self.click("main button[type=submit]").await;
        self.until("document.querySelectorAll('#codes li').length === 10").await;
        secret
    }

    /// Makes the owner, as a person would, and arrives at the chat. What comes back are the recovery codes.
    pub(crate) async fn set_up(&self) -> Vec<String> {
        let code = self.instance.setup_code().unwrap().expose().clone();
        self.go(&format!("/setup#{code}")).await;
        self.until("document.querySelector('#code-field').hidden").await;
        self.type_into("#name", NAME).await;
        self.type_into("#password", PASSWORD).await;
        self.until("document.querySelectorAll('.advice .met').length >= 2").await;
        self.look_at("setup-1").await;
        self.click("main button[type=submit]").await;
        self.until("document.querySelector('#digits') !== null").await;
        self.look_at("setup-2").await;
        *self.secret.borrow_mut() = self.add_authenticator().await;
        self.look_at("setup-3").await;
        let codes =
            self.js("return [...document.querySelectorAll('#codes li')].map((one) => one.textContent)").await;
        self.click("main a.button").await;
        self.until("document.querySelector('#message') !== null").await;
        serde_json::from_value(codes).unwrap()
    }

    /// The instance's time in seconds.
    pub(crate) fn seconds(&self) -> i64 {
        Outside::real().clock.now().seconds() + self.ahead.load(Ordering::SeqCst) / 1_000_000
    }

    /// Moves the instance's clock; the browser's goes on as it was.
    pub(crate) fn pass(&self, seconds: i64) {
        self.ahead.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    /// Signs in with the password and a recovery code.
    pub(crate) async fn sign_in(&self, recovery_code: &str) {
        self.type_into("#name", NAME).await;
        self.type_into("#password", PASSWORD).await;
        self.click("form[action='/sign-in'] button[type=submit]").await;
        self.until("document.querySelector('#digits') !== null").await;
        self.type_into("#digits", recovery_code).await;
        self.click("main form:has(#digits) button[type=submit]").await;
    }

    /// What the authenticator shows in half a minute: setup used up the code of now.
    pub(crate) fn next_digits(&self) -> String {
        digits(&self.secret.borrow(), 30)
    }

    /// Signs out and gives name and password again.
    pub(crate) async fn come_back(&self) {
        self.go("/account").await;
        self.click("form[action='/sign-out'] button").await;
        self.until("location.pathname === '/sign-in'").await;
        self.type_into("#name", NAME).await;
        self.type_into("#password", PASSWORD).await;
        self.click("form[action='/sign-in'] button[type=submit]").await;
        self.until("document.querySelector('#digits') !== null").await;
    }

    /// A command to the browser's own tools.
    pub(crate) async fn tell_browser(&self, command: &str, parameters: Value) -> Value {
        let told = Tell(serde_json::json!({ "cmd": command, "params": parameters }));
        let answer = self.browser.handle().cmd(Command::ExtensionCommand(Box::new(told))).await.unwrap();
        answer.value().unwrap()
    }

    /// The address of a path at another name for the same server.
    pub(crate) async fn go_by_address(&self, path: &str) {
        let url = self.instance.url().replace("localhost", "127.0.0.1");
        self.browser.goto(format!("{url}{path}")).await.unwrap();
    }

    /// The whole address of a path.
    pub(crate) fn address(&self, path: &str) -> String {
        format!("{}{path}", self.instance.url())
    }

    /// The instance, for what nobody clicks together.
    pub(crate) fn instance(&self) -> &Instance {
        &self.instance
    }

    /// Where the browser keeps its own files.
    pub(crate) fn profile(&self) -> PathBuf {
        self.folder.path().join("browser")
    }

    /// Opens a path.
    pub(crate) async fn go(&self, path: &str) {
        self.browser.goto(format!("{}{path}", self.instance.url())).await.unwrap();
    }

    /// Loads the page again.
    pub(crate) async fn reload(&self) {
        self.browser.refresh().await.unwrap();
    }

    /// Opens a path in another tab and stays there.
    pub(crate) async fn second_tab(&self, path: &str) {
        let tab = self.browser.new_tab().await.unwrap();
        self.browser.switch_to_window(tab).await.unwrap();
        self.go(path).await;
    }

    /// Goes back to the first tab.
    pub(crate) async fn first_tab(&self) {
        let tabs = self.browser.windows().await.unwrap();
        self.browser.switch_to_window(tabs[0].clone()).await.unwrap();
    }

    /// Writes a message and sends it.
    pub(crate) async fn say(&self, text: &str) {
        self.until("document.querySelector('.composer.answering') === null").await;
        self.type_into("#message", text).await;
        self.type_into("#message", &Key::Enter.value().to_string()).await;
    }

    /// Types into a field, once it is there.
    pub(crate) async fn type_into(&self, selector: &str, text: &str) {
        self.until_there(selector).await;
        self.browser.find(By::Css(selector)).await.unwrap().send_keys(text).await.unwrap();
    }

    /// Presses a key where the focus is: its name, perhaps ` with Control`.
    pub(crate) async fn press(&self, key: &str) {
        let (name, modifier) =
            key.split_once(" with ").map_or((key, None), |(name, with)| (name, Some(with)));
        let text = match name {
            "Enter" => Key::Enter.value().to_string(),
            "Escape" => Key::Escape.value().to_string(),
            "ArrowUp" => Key::Up.value().to_string(),
            letter => letter.to_owned(),
        };
        let text = if modifier.is_some() { format!("{}{text}", Key::Control.value()) } else { text };
        self.browser.active_element().await.unwrap().send_keys(text).await.unwrap();
    }

    /// Clicks the first element that matches, once it is there, wherever the page has scrolled to.
    pub(crate) async fn click(&self, selector: &str) {
        self.until_there(selector).await;
        let clicked = self
            .browser
            .execute(
                "const one = document.querySelector(arguments[0]); one?.click(); return one !== null;",
                vec![selector.into()],
            )
            .await
            .unwrap();
        assert_eq!(clicked.json(), &Value::Bool(true), "there is no {selector} to click");
    }

    /// Runs a script and gives what it returns.
    pub(crate) async fn js(&self, script: &str) -> Value {
        self.browser.execute(script, vec![]).await.unwrap().json().clone()
    }

    /// What a path of ours answers with, fetched by the page.
    pub(crate) async fn fetch(&self, path: &str) -> String {
        let script = "const done = arguments[1]; fetch(arguments[0]).then((r) => r.text()).then(done);";
        let text = self.browser.execute_async(script, vec![path.into()]).await.unwrap();
        text.json().as_str().unwrap().to_owned()
    }

    /// The names of the cookies of this site, those that scripts do not see as well.
    pub(crate) async fn cookies(&self) -> Vec<String> {
        self.browser.get_all_cookies().await.unwrap().into_iter().map(|cookie| cookie.name).collect()
    }

    /// How many elements match.
    pub(crate) async fn count(&self, selector: &str) -> u64 {
        let found = self.browser.find_all(By::Css(selector)).await.unwrap();
        u64::try_from(found.len()).unwrap()
    }

    /// The text of the last element that matches.
    pub(crate) async fn text(&self, selector: &str) -> String {
        let found = self.browser.find_all(By::Css(selector)).await.unwrap();
        found.last().unwrap().text().await.unwrap()
    }

    async fn until_there(&self, selector: &str) {
        self.until(&format!("document.querySelector({selector:?}) !== null")).await;
    }

    /// Waits until a condition holds of a page that has loaded whole, its scripts included.
    pub(crate) async fn until(&self, condition: &str) {
        let last = Instant::now() + PATIENCE;
        let script = format!("return document.readyState === 'complete' && Boolean({condition})");
        loop {
            // A page that is just being left has no answer; the next one has.
            let held = self.browser.execute(script.as_str(), vec![]).await;
            if held.is_ok_and(|held| held.json() == &Value::Bool(true)) {
                return;
            }
            if Instant::now() >= last {
                self.picture("gave-up").await;
                let page = self.js("return `${location.href}\n${document.body?.innerText}`").await;
                panic!("this never held: {condition}\non {}", page.as_str().unwrap_or_default());
            }
            sleep(Duration::from_millis(25)).await;
        }
    }

    /// Takes a picture and holds the page against axe.
    pub(crate) async fn look_at(&self, name: &str) {
        self.until("document.fonts.status === 'loaded'").await;
        self.until("document.getAnimations().every((one) => one.playState !== 'running' || one.effect.getTiming().iterations === Infinity)").await;
        self.picture(name).await;
        self.browser.execute(format!("{}; return 0", self.axe), vec![]).await.unwrap();
        let script = "const done = arguments[0]; axe.run(document).then((result) => done(result.violations.map(\
             (one) => `${one.id} (${one.impact}): ${one.nodes.slice(0, 5).map((node) => node.target.join(' ')).join(', ')}`)));";
        let found = self.browser.execute_async(script, vec![]).await.unwrap();
        let violations: Vec<String> = serde_json::from_value(found.json().clone()).unwrap();
        assert!(violations.is_empty(), "axe about {name}:\n{}", violations.join("\n"));
    }

    async fn picture(&self, name: &str) {
        let folder = target().join("screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        self.browser.screenshot(&folder.join(format!("{name}.png"))).await.unwrap();
    }

    /// Ends both.
    pub(crate) async fn close(mut self) {
        self.browser.quit().await.unwrap();
        self.driver.kill().await.unwrap();
        self.instance.stop().await;
    }
}

/// A command of the browser's own tools, as its driver passes it on.
#[derive(Debug)]
struct Tell(Value);

impl ExtensionCommand for Tell {
    fn parameters_json(&self) -> Option<Value> {
        Some(self.0.clone())
    }

    fn method(&self) -> reqwest::Method {
        reqwest::Method::POST
    }

    fn endpoint(&self) -> Arc<str> {
        "/goog/cdp/execute".into()
    }
}

/// The folder of the build's results, where the test itself lies.
pub(crate) fn target() -> PathBuf {
    std::env::current_exe().unwrap().ancestors().nth(3).unwrap().to_owned()
}

/// A driver on a port of its own choosing.
async fn driver() -> (Child, u16) {
    let mut child = process::Command::new("chromedriver")
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("chromedriver; run `cargo xtask test --install`");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        let port = line
            .rsplit_once("successfully on port ")
            .and_then(|(_, port)| port.trim_end_matches('.').parse().ok());
        if let Some(port) = port {
            return (child, port);
        }
    }
    panic!("chromedriver ended before it listened");
}

/// A browser with a profile of its own, from the driver on this port.
async fn browser(
    port: u16,
    look: Look,
    profile: &Path,
    fingerprint: &str,
    microphone: Option<&Path>,
) -> WebDriver {
    let capabilities = capabilities(look, profile, fingerprint, microphone);
    WebDriver::new(&format!("http://127.0.0.1:{port}"), capabilities).await.unwrap()
}

/// A certificate of the test's own, as configuration, and the fingerprint of its key. Passkeys need a
/// certificate the browser has nothing against; it is told to trust this very key.
fn certificate(folder: &Path) -> (String, String) {
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let (chain, key) = (folder.join("chain.pem"), folder.join("key.pem"));
    std::fs::write(&chain, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let digest = aws_lc_rs::digest::digest(
        &aws_lc_rs::digest::SHA256,
        &rcgen::PublicKeyData::subject_public_key_info(&made.signing_key),
    );
    let settings = format!("[web]\ncertificate = {chain:?}\ncertificate_key = {key:?}\n");
    (settings, STANDARD.encode(digest.as_ref()))
}

fn capabilities(look: Look, profile: &Path, fingerprint: &str, microphone: Option<&Path>) -> Capabilities {
    let mut capabilities = DesiredCapabilities::chrome();
    capabilities.accept_insecure_certs(true).unwrap();
    let size = if look == Look::Desk { "--window-size=1280,900" } else { "--window-size=500,900" };
    let profile = format!("--user-data-dir={}", profile.display());
    let trusted = format!("--ignore-certificate-errors-spki-list={fingerprint}");
    for argument in [
        "--headless=new",
        // Tests may run as root, where Chromium's own sandbox refuses to start.
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--force-prefers-reduced-motion",
        size,
        &profile,
        &trusted,
    ] {
        capabilities.add_arg(argument).unwrap();
    }
    if let Some(file) = microphone {
        let heard = format!("--use-file-for-fake-audio-capture={}%noloop", file.display());
        for argument in ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", &heard] {
            capabilities.add_arg(argument).unwrap();
        }
    }
    if look == Look::PhoneInTheDark {
        capabilities.add_arg("--force-dark-mode").unwrap();
        let phone = serde_json::json!({ "deviceMetrics": { "width": 390, "height": 844, "pixelRatio": 2.0, "touch": true } });
        capabilities.add_experimental_option("mobileEmulation", phone).unwrap();
    }
    capabilities.into()
}

/// The digits an authenticator shows in some seconds.
fn digits(secret_base32: &str, seconds: u64) -> String {
    let secret = totp_rs::Secret::try_from_base32(secret_base32.replace(' ', "")).unwrap();
    let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
    totp.generate(u64::try_from(Outside::real().clock.now().seconds()).unwrap() + seconds).to_string()
}
