//! A browser without a screen: goes through the real pages of a running server as a person would.
//!
//! Tests of the server call this to get an account, a session and an API key over TLS, through the
//! forms the pages show. It trusts the instance's own authority and nothing else, keeps the cookies,
//! carries an authenticator, and says where a write came from, as browsers do. What a page did not
//! give as expected fails the test with the page's status and path.

use std::{collections::BTreeMap, path::Path};

use domain::Clock;
use reqwest::{
    Method, Request, RequestBuilder, StatusCode,
    header::{CONTENT_TYPE, COOKIE, HeaderMap, ORIGIN, SET_COOKIE},
};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use totp_rs::Totp;

/// Seconds of a step of the authenticator.
const STEP_S: u64 = 30;

/// One person at one browser.
pub struct Client {
    http: reqwest::Client,
    base: String,
    clock: Clock,
    /// The cookies of the session, by their names.
    cookies: BTreeMap<String, String>,
    authenticator: Option<Authenticator>,
    recovery_codes: Vec<String>,
}

/// What the server answered.
#[derive(Debug)]
pub struct Answer {
    /// The path that was asked for.
    pub path: String,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub text: String,
}

struct Authenticator {
    secret: String,
    totp: Totp,
    /// The last step whose code was used; the server takes none twice.
    used: u64,
}

impl Client {
    /// A browser that opens `base` (`https://localhost:PORT`) and trusts the authority in the file
    /// `authority` alone.
    #[must_use]
    pub fn new(base: &str, authority: &Path) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(authority).expect("the authority's file") {
            roots.add(certificate.expect("a certificate")).expect("a certificate of an authority");
        }
        let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("TLS 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .expect("an HTTP client");
        Self {
            http,
            base: base.trim_end_matches('/').to_owned(),
            clock: system_clock(),
            cookies: BTreeMap::new(),
            authenticator: None,
            recovery_codes: Vec::new(),
        }
    }

    /// The same browser whose authenticator goes by `clock`, as when the server's time is a test's.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Another browser with the same authenticator, for another account that was given the same secret.
    #[must_use]
    pub fn beside(&self) -> Self {
        let authenticator = self.authenticator.as_ref().map(|known| Authenticator::new(&known.secret));
        Self {
            http: self.http.clone(),
            base: self.base.clone(),
            clock: self.clock.clone(),
            cookies: BTreeMap::new(),
            authenticator,
            recovery_codes: Vec::new(),
        }
    }

    /// The same browser with a session's cookie that was come by in another way, as `name=value`.
    #[must_use]
    pub fn with_cookie(mut self, cookie: &str) -> Self {
        if let Some((name, value)) = cookie.split_once('=') {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        self
    }

    /// Where the server is.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The session's cookies as a `Cookie` header has them, to hand to another browser; `None`: there are none.
    #[must_use]
    pub fn cookie(&self) -> Option<String> {
        let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Some(pairs.join("; ")).filter(|_| !self.cookies.is_empty())
    }

    /// The cookies by their names, to look at and to spoil.
    pub fn cookies(&mut self) -> &mut BTreeMap<String, String> {
        &mut self.cookies
    }

    /// The recovery codes that were shown and not used here.
    #[must_use]
    pub fn recovery_codes(&self) -> &[String] {
        &self.recovery_codes
    }

    /// The HTTP client underneath, for requests that are no browser's.
    #[must_use]
    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// Goes through setup: the code, a name and password, the authenticator. Signed in afterwards.
    pub async fn set_up(&mut self, setup_code: &str, name: &str, password: &str) {
        let who = [("code", setup_code), ("name", name), ("password", password)];
        let second = self.submit("/setup", &who).await.expect_status(StatusCode::OK);
        self.authenticator = Some(Authenticator::new(&second.between("class=\"secret\">", "<")));
        let code = self.code();
        let factor = [("ticket", second.ticket()), ("code", code)];
        let third = self.submit("/setup/factor", &factor).await.expect_status(StatusCode::OK);
        self.recovery_codes = third.all_between("<li>", "</li>");
        assert_eq!(self.recovery_codes.len(), 10, "recovery codes on {}", third.path);
        assert!(!self.cookies.is_empty(), "setup begins a session");
    }

    /// Signs in with name, password and the authenticator, or a recovery code when its codes are used up.
    pub async fn sign_in(&mut self, name: &str, password: &str) {
        let who = [("name", name), ("password", password), ("next", "")];
        let second = self.submit("/sign-in", &who).await.expect_status(StatusCode::OK);
        let code = self.code();
        let factor = [("ticket", second.ticket()), ("code", code), ("next", String::new())];
        self.submit("/sign-in/factor", &factor).await.expect_status(StatusCode::SEE_OTHER);
        assert!(!self.cookies.is_empty(), "signing in begins a session");
    }

    /// Signs in here as the person at `other`, with their authenticator.
    pub async fn sign_in_as(&mut self, other: &mut Self, name: &str, password: &str) {
        std::mem::swap(&mut self.authenticator, &mut other.authenticator);
        std::mem::swap(&mut self.recovery_codes, &mut other.recovery_codes);
        self.sign_in(name, password).await;
        std::mem::swap(&mut self.authenticator, &mut other.authenticator);
        std::mem::swap(&mut self.recovery_codes, &mut other.recovery_codes);
    }

    /// Signs out.
    pub async fn sign_out(&mut self) {
        self.submit::<&str, &str>("/sign-out", &[]).await.expect_status(StatusCode::SEE_OTHER);
        assert!(self.cookies.is_empty(), "signing out takes the cookies away");
    }

    /// Makes a personal API key called `label` and returns it.
    pub async fn make_key(&mut self, label: &str) -> String {
        let page = self.submit("/account/keys", &[("label", label)]).await.expect_status(StatusCode::OK);
        page.between("id=\"key\">", "<")
    }

    /// Opens a page.
    pub async fn open(&mut self, path: &str) -> Answer {
        let request = self.request(Method::GET, path);
        self.send(path, request).await
    }

    /// Sends a form, as a page of the server would.
    pub async fn submit<K: AsRef<str>, V: AsRef<str>>(&mut self, path: &str, fields: &[(K, V)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.request(Method::POST, path);
        self.send(path, request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body)).await
    }

    /// Sends JSON, as a script of the server's pages would.
    pub async fn send_json(&mut self, method: Method, path: &str, value: &serde_json::Value) -> Answer {
        let request = self.request(method, path);
        self.send(path, request.header(CONTENT_TYPE, "application/json").body(value.to_string())).await
    }

    /// A request with this browser's cookies; writes say that they come from the server's own pages.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let reads = method == Method::GET || method == Method::HEAD;
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(cookie) = self.cookie() {
            request = request.header(COOKIE, cookie);
        }
        if !reads {
            request = request.header(ORIGIN, &self.base).header("sec-fetch-site", "same-origin");
        }
        request
    }

    async fn send(&mut self, path: &str, request: RequestBuilder) -> Answer {
        let request: Request = request.build().expect("a request");
        let response = self.http.execute(request).await.expect("an answer");
        let (status, headers) = (response.status(), response.headers().clone());
        for line in headers.get_all(SET_COOKIE) {
            let pair = line.to_str().expect("a readable cookie").split(';').next().unwrap_or_default();
            match pair.split_once('=') {
                Some((name, "")) => self.cookies.remove(name),
                Some((name, value)) => self.cookies.insert(name.to_owned(), value.to_owned()),
                None => None,
            };
        }
        let text = response.text().await.expect("a body");
        Answer { path: path.to_owned(), status, headers, text }
    }

    /// A code the server has not seen: of this step, of the next (which it takes as well), or a recovery code.
    fn code(&mut self) -> String {
        let now = u64::try_from(self.clock.now().seconds()).expect("a time after 1970");
        let authenticator = self.authenticator.as_mut().expect("setup comes first");
        match authenticator.code(now) {
            Some(code) => code,
            None => self.recovery_codes.pop().expect("a recovery code is left"),
        }
    }
}

impl Authenticator {
    /// Reads the secret as a person would who types it.
    fn new(secret_base32: &str) -> Self {
        let secret = totp_rs::Secret::try_from_base32(secret_base32.replace(' ', "")).expect("a secret");
        let totp = totp_rs::Builder::new().with_secret(secret).build().expect("an authenticator");
        Self { secret: secret_base32.to_owned(), totp, used: 0 }
    }

    fn code(&mut self, now: u64) -> Option<String> {
        let step = (now / STEP_S).max(self.used + 1);
        if step > now / STEP_S + 1 {
            return None;
        }
        self.used = step;
        Some(self.totp.generate(step * STEP_S).to_string())
    }
}

impl Answer {
    /// This answer, or a failed test that says what came instead.
    pub fn expect_status(self, status: StatusCode) -> Self {
        assert_eq!(self.status, status, "{} answered:\n{}", self.path, self.words());
        self
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{} is no JSON: {error}", self.path))
    }

    /// The text between two marks.
    #[must_use]
    pub fn between(&self, before: &str, after: &str) -> String {
        self.all_between(before, after)
            .into_iter()
            .next()
            .unwrap_or_else(|| panic!("{} ({}) has no {before:?}:\n{}", self.path, self.status, self.words()))
    }

    /// Every text between `before` and `after`.
    #[must_use]
    pub fn all_between(&self, before: &str, after: &str) -> Vec<String> {
        let rests = self.text.split(before).skip(1);
        rests.filter_map(|rest| Some(rest.split_once(after)?.0.to_owned())).collect()
    }

    fn ticket(&self) -> String {
        self.between("name=\"ticket\" value=\"", "\"")
    }

    /// The page without its markup, for the message of a failed test.
    fn words(&self) -> String {
        let mut words = String::new();
        let mut inside = false;
        for c in self.text.chars() {
            match c {
                '<' => inside = true,
                '>' => inside = false,
                c if !inside => words.push(c),
                _ => {}
            }
        }
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the server under test goes by the real time, and so must codes"
)]
fn system_clock() -> Clock {
    Clock::new(|| {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        domain::Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    })
}
