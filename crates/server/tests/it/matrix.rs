//! Every route, asked as every role, with and without a second factor, by an API key, about one's own records
//! and another person's.
//!
//! The routes are read from the sources (`routes::paths`), so that none is missed; the answers stand in a
//! snapshot. A new route that takes a body or an identifier needs a line in [`BODIES`] or [`Records::filled`];
//! the test says so. Where a route of administration takes an identifier, it is one of nothing here; `by_id` asks
//! the same about real records.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use domain::{
    Action, Ctx, Job, Permit, Resource,
    access::{Role, Roles},
    audit::{Act, Entry},
    authorize,
    chat::{Author, Body, Message},
    id::{ApiKeyId, ConversationId, FolderId, MessageId, PasskeyId, SessionId, TurnId, UserId},
};
use reqwest::{Method, StatusCode, header::CONTENT_TYPE};
use serde_json::json;
use server::{Instance, Outside};
use store::{accounts, api_keys, conversations, credentials, folders, messages, passkeys, sessions};
use testkit::Client;

use crate::{
    house::Place,
    routes::{filled, paths},
};

pub(crate) const PASSWORD: &str = "Quiet-Harbour-47";
const METHODS: [Method; 5] = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
/// An identifier of nothing.
const NOTHING: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// What routes are sent that would otherwise be refused for their form before anybody asks who is there.
/// JSON begins with a brace, everything else is a form. `NOTHING` and `ANN` stand for identifiers.
const BODIES: &[(&str, &str)] = &[
    ("PATCH /chat/api/conversations/{id}", "{\"pinned\":true}"),
    ("POST /chat/api/conversations/{id}/branch", "{\"message\":\"MESSAGE\"}"),
    ("PUT /chat/api/draft", "{\"text\":\"half a word\"}"),
    ("POST /account/notices", "until=0"),
    ("POST /account/consents/withdraw", "purpose=keep_transcript"),
    ("POST /account/keys/{id}/replace", "overlap_hours=0"),
    ("PATCH /chat/api/folders/{id}", "{\"name\":\"theirs\"}"),
    ("POST /account/passkeys/{id}/rename", "name=theirs"),
    ("POST /admin/recoveries/{id}/agree", "word=AAAAAA"),
    ("POST /account/address", "address="),
    ("POST /account/leave", "sure=no"),
    ("POST /admin/addresses", "network=nonsense&verdict=deny&time=hour"),
    ("POST /admin/people/invite", "role=user"),
    ("POST /admin/people/{id}/delete", "sure=yes"),
    ("POST /admin/people/{id}/groups", "group=NOTHING&act=in"),
    ("POST /admin/groups", "name="),
    ("POST /admin/groups/{id}", "name="),
    ("POST /admin/mail", "address=nobody"),
    ("POST /admin/addresses", "network=NOTHING&verdict=deny&time=hour&note="),
    ("POST /admin/roles/grant", "account=NOTHING&role=user"),
    ("POST /admin/roles/take", "account=NOTHING&role=user"),
    ("POST /admin/roles/own", "name="),
    ("POST /desk/calls/{id}/say", "text=Hello"),
    ("POST /desk/calls/{id}/sort", "category=order"),
    ("POST /desk/customers/find", "who=CUST0042"),
    ("POST /desk/customers/{id}/erase", "sure=yes"),
    ("POST /admin/content", "account=NOTHING&reason=A+reason+that+is+long+enough"),
    ("POST /admin/reviews/{id}/decide", "account=NOTHING&grant=role%2Fowner&verdict=confirm"),
];

/// Routes that end the session that asks; they are asked last.
const LEAVING: [&str; 1] = ["/sign-out"];

/// What belongs to one person.
struct Records {
    user: UserId,
    conversation: ConversationId,
    message: MessageId,
    folder: FolderId,
    key: ApiKeyId,
    session: SessionId,
    passkey: PasskeyId,
    temporary: ConversationId,
    turn: TurnId,
}

impl Records {
    /// `path` about these records; `None` when it is about nobody's.
    fn filled(&self, path: &str) -> Option<String> {
        let id = match path {
            path if path.starts_with("/account/sessions/{id}") => self.session.to_string(),
            path if path.starts_with("/account/keys/{id}") => self.key.to_string(),
            path if path.starts_with("/chat/api/folders/{id}") => self.folder.to_string(),
            path if path.starts_with("/chat/api/conversations/{id}") => self.conversation.to_string(),
            "/chat/{id}" => self.conversation.to_string(),
            path if path.starts_with("/account/passkeys/{id}") => self.passkey.to_string(),
            path if path.starts_with("/chat/temporary/{id}") => self.temporary.to_string(),
            path if path.starts_with("/chat/api/temporary/{id}") => self.temporary.to_string(),
            "/chat/api/turns/{id}/stop" => self.turn.to_string(),
            _ => return None,
        };
        Some(path.replace("{id}", &id).replace("{message}", &self.message.to_string()))
    }

    fn body(&self, route: &str) -> Option<String> {
        let (_, body) = BODIES.iter().find(|(known, _)| *known == route)?;
        Some(body.replace("NOTHING", NOTHING).replace("MESSAGE", &self.message.to_string()))
    }
}

/// Makes people past the pages, with the owner's password and authenticator.
pub(crate) struct Maker<'a> {
    pub(crate) instance: &'a Instance,
    pub(crate) owner: UserId,
    pub(crate) outside: Outside,
}

impl<'a> Maker<'a> {
    /// The owner of a fresh instance, set up through its pages, and who makes everybody else.
    pub(crate) async fn new(instance: &'a Instance) -> (Self, Client) {
        let mut owner = Client::new(&instance.url(), &instance.authority().unwrap());
        owner.set_up(instance.setup_code().unwrap().expose(), "Asha", PASSWORD).await;
        let outside = Outside::real();
        let ctx = outside.ctx(Job::Authentication);
        let known = authorize(&ctx, Action::Authenticate, Resource::Instance).unwrap();
        let asha = accounts::find(instance.store(), &known, "Asha").await.unwrap().unwrap().id;
        (Self { instance, owner: asha, outside }, owner)
    }

    pub(crate) fn ctx(&self, job: Job) -> Ctx {
        self.outside.ctx(job)
    }

    pub(crate) fn permit(&self, job: Job, action: Action, user: UserId) -> Permit {
        authorize(&self.ctx(job), action, Resource::Of(user)).unwrap()
    }

    pub(crate) async fn account(&self, name: &str, roles: Roles) -> UserId {
        let (ctx, store) = (self.ctx(Job::Setup), self.instance.store());
        let known = self.permit(Job::Authentication, Action::ReadAccount, self.owner);
        let verifier = credentials::password(store, &known).await.unwrap().unwrap().verifier;
        let totp = credentials::totp(store, &known).await.unwrap().unwrap();
        let id = UserId::fresh(&ctx);
        let permit = self.permit(Job::Setup, Action::WriteAccount, id);
        let mut tx = store.begin(&ctx).await.unwrap();
        accounts::create(&mut tx, &permit, id, name, roles).await.unwrap();
        credentials::set_password(&mut tx, &permit, &verifier, ctx.now()).await.unwrap();
        credentials::set_totp(&mut tx, &permit, &totp.secret, true).await.unwrap();
        tx.commit(Entry::new(Act::AccountCreated, id)).await.unwrap();
        id
    }

    /// Somebody signed in, with a record of every kind.
    async fn person(&self, like: &Client, name: &str, roles: Roles) -> (Client, Records) {
        let user = self.account(name, roles).await;
        let mut browser = like.beside();
        browser.sign_in(name, PASSWORD).await;
        browser.make_key("a key").await;
        let ctx = self.ctx(Job::Turn);
        let (permit, store) = (self.permit(Job::Turn, Action::WriteChat, user), self.instance.store());
        let (conversation, folder) = (ConversationId::fresh(&ctx), FolderId::fresh(&ctx));
        let body = Body { text: "a word".to_owned(), ..Body::default() };
        let message =
            Message { id: MessageId::fresh(&ctx), parent: None, author: Author::User, body, at: ctx.now() };
        let mut tx = store.begin(&ctx).await.unwrap();
        conversations::create(&mut tx, &permit, conversation, ctx.now()).await.unwrap();
        messages::append(&mut tx, &permit, conversation, &message).await.unwrap();
        folders::create(&mut tx, &permit, folder, "a folder").await.unwrap();
        let passkey = PasskeyId::fresh(&ctx);
        let credential = passkey.to_string();
        let made = passkeys::NewPasskey {
            id: passkey,
            credential: credential.as_bytes(),
            party: "localhost",
            name: "a passkey",
            passkey: b"{}",
            counter: 0,
        };
        let owns = self.permit(Job::Setup, Action::ManageCredentials, user);
        passkeys::create(&mut tx, &owns, &made, ctx.now()).await.unwrap();
        tx.commit(Entry::new(Act::ConversationChanged, conversation)).await.unwrap();
        let known = self.permit(Job::Authentication, Action::ReadAccount, user);
        let key = api_keys::list(store, &known).await.unwrap()[0].id;
        let session = sessions::list(store, &known).await.unwrap()[0].session.id;
        let question = json!({ "temporary": true, "say": { "text": "in passing" } });
        let begun = browser.send_json(Method::POST, "/chat/api/ask", &question).await.json();
        let of = |name: &str| begun[name].as_str().unwrap().to_owned();
        let (temporary, turn) = (of("conversation").parse().unwrap(), of("turn").parse().unwrap());
        let message = message.id;
        (browser, Records { user, conversation, message, folder, key, session, passkey, temporary, turn })
    }

    /// The account in a session of its own, which was just confirmed, with a second factor or without.
    pub(crate) async fn session(&self, like: &Client, user: UserId, second_factor: bool) -> Client {
        let ctx = self.ctx(Job::Setup);
        let id = SessionId::fresh(&ctx);
        // The refresh token of the session's first generation, as identity makes it.
        let mut token = [id.0.as_bytes().as_slice(), &[0; 8]].concat();
        let mac = self.instance.store().mac("refresh token", &token);
        token.extend_from_slice(&mac);
        let token = BASE64_URL_SAFE_NO_PAD.encode(token);
        let begins = sessions::Beginning {
            id,
            device: "a test",
            address: None,
            network: [0; 32],
            second_factor,
            now: ctx.now(),
            expires: ctx.now().plus_seconds(3600),
        };
        let permit = self.permit(Job::Setup, Action::WriteAccount, user);
        let mut tx = self.instance.store().begin(&ctx).await.unwrap();
        sessions::create(&mut tx, &permit, begins).await.unwrap();
        tx.commit(Entry::new(Act::SignedIn, user)).await.unwrap();
        let mut browser = like.beside().with_cookie(&format!("{}={token}", web::session::REFRESH_COOKIE));
        // The pair that follows, for the requests that keep nothing of their answers.
        browser.open("/account").await.expect_status(StatusCode::OK);
        browser
    }
}

/// Whether all of it is still as it was made.
async fn is_whole(maker: &Maker<'_>, browser: &Client, ann: &Records) -> bool {
    let path = format!("/chat/temporary/{}", ann.temporary);
    let open = browser.request(Method::GET, &path).send().await.unwrap().status();
    let store = maker.instance.store();
    let reads = maker.permit(Job::Turn, Action::ReadChat, ann.user);
    let known = maker.permit(Job::Authentication, Action::ReadAccount, ann.user);
    let chat = conversations::get(store, &reads, ann.conversation).await.unwrap();
    let folders = folders::list(store, &reads).await.unwrap();
    !chat.pinned
        && open == StatusCode::OK
        && passkeys::list(store, &known).await.unwrap().iter().any(|one| one.name == "a passkey")
        && messages::get(store, &reads, ann.conversation, ann.message).await.is_ok()
        && folders.iter().any(|folder| folder.id == ann.folder && folder.name == "a folder")
        && api_keys::list(store, &known).await.unwrap().iter().any(|key| key.id == ann.key)
        && sessions::list(store, &known).await.unwrap().iter().any(|listed| listed.session.id == ann.session)
}

/// Who asks, and how: as a browser or with a key.
pub(crate) struct Asker {
    pub(crate) name: &'static str,
    pub(crate) browser: Client,
    /// What it shows in the place of cookies, when it is a program.
    pub(crate) key: Option<String>,
}

impl Asker {
    pub(crate) async fn ask(&self, method: &Method, path: &str, body: Option<&str>) -> StatusCode {
        let mut request = self.browser.request(method.clone(), path);
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        if let Some(body) = body {
            let kind = match body.starts_with('{') {
                true if path.starts_with("/scim/") => "application/scim+json",
                true => "application/json",
                false => "application/x-www-form-urlencoded",
            };
            request = request.header(CONTENT_TYPE, kind).body(body.to_owned());
        }
        request.send().await.unwrap().status()
    }
}

/// The askers, in the order of the columns.
async fn askers(maker: &Maker<'_>, owner: &Client) -> Vec<Asker> {
    let mut askers = vec![Asker { name: "nobody", browser: owner.beside(), key: None }];
    let named = [
        ("user", Role::User),
        ("owner", Role::Owner),
        ("admin", Role::Administrator),
        ("officer", Role::SecurityOfficer),
        ("auditor", Role::Auditor),
        ("superv.", Role::Supervisor),
    ];
    for (name, role) in named {
        maker.account(name, Roles::NONE.with(Role::User).with(role)).await;
        let mut browser = owner.beside();
        browser.sign_in(name, PASSWORD).await;
        askers.push(Asker { name, browser, key: None });
    }
    let all = maker.account("everything", Role::ALL.into_iter().collect()).await;
    let browser = maker.session(owner, all, false).await;
    askers.push(Asker { name: "1factor", browser, key: None });
    let mut browser = owner.beside();
    browser.sign_in("everything", PASSWORD).await;
    let key = browser.make_key("all roles").await;
    askers.push(Asker { name: "key", browser: owner.beside(), key: Some(key) });
    askers
}

#[test]
fn every_route_answers_every_role_as_written_here() {
    testkit::run(async {
        let place = Place::new();
        let instance = place.start("").await.unwrap();
        let (maker, owner) = Maker::new(&instance).await;
        let (browser, ann) = maker.person(&owner, "Ann", Roles::NONE.with(Role::User)).await;
        let askers = askers(&maker, &owner).await;

        let mut routes: Vec<(String, Method)> = Vec::new();
        for path in paths() {
            for method in METHODS {
                let answer = askers[0].ask(&method, &filled(&path), None).await;
                if answer != StatusCode::METHOD_NOT_ALLOWED {
                    routes.push((path.clone(), method));
                }
            }
        }
        // Whatever ends a session comes last.
        routes.sort_by_key(|(path, method)| {
            (LEAVING.contains(&path.as_str()), path.clone(), method.to_string())
        });
        let mut matrix = format!("{:62}", "");
        for asker in &askers {
            matrix.push_str(&format!(" {:7}", asker.name));
        }
        for (path, method) in &routes {
            let route = format!("{method} {path}");
            let (body, theirs) = (ann.body(&route), ann.filled(path));
            let address = theirs.clone().unwrap_or_else(|| filled(path));
            matrix.push_str(&format!("\n{route:62}"));
            for asker in &askers {
                let status = asker.ask(method, &address, body.as_deref()).await;
                judge(&route, asker, status, theirs.is_some());
                matrix.push_str(&format!(" {:7}", status.as_u16()));
            }
            assert!(is_whole(&maker, &browser, &ann).await, "{route} changed another person's records");
        }
        insta::assert_snapshot!(trimmed(&matrix));
        own_records_answer(&maker, &owner, &routes).await;
        instance.stop().await;
    });
}

/// What must hold whatever the snapshot says.
fn judge(route: &str, asker: &Asker, status: StatusCode, is_anothers: bool) {
    let who = asker.name;
    assert!(
        !status.is_server_error() || status == StatusCode::SERVICE_UNAVAILABLE,
        "{route} as {who}: {status}"
    );
    assert_ne!(status, StatusCode::TOO_MANY_REQUESTS, "{route} as {who}: the test ran into a limit");
    let done = status.is_success() || status.is_redirection();
    assert!(!(is_anothers && done), "{route} reached another person's records as {who}: {status}");
    let of_staff = route.contains(" /admin") || route.contains(" /desk");
    let misshapen = [StatusCode::BAD_REQUEST, StatusCode::UNSUPPORTED_MEDIA_TYPE].contains(&status);
    assert!(
        !((is_anothers || of_staff) && misshapen && who == "user"),
        "{route}: {status} for its form, so nobody was asked for a right; give it a body in BODIES"
    );
    assert!(
        !(of_staff && done && ["nobody", "user", "1factor", "key"].contains(&who)) || route == "GET /admin",
        "{route} was done as {who}"
    );
    assert!(
        !(who == "key" && done) || route.contains(" /v1/") || is_public(route),
        "{route} was done with a key"
    );
}

fn is_public(route: &str) -> bool {
    web::public::PUBLIC.iter().any(|public| route == format!("{} {}", public.method, public.path))
}

/// The same routes about one's own records: they are there.
async fn own_records_answer(maker: &Maker<'_>, owner: &Client, routes: &[(String, Method)]) {
    let (mut browser, mine) = maker.person(owner, "Uma", Roles::NONE.with(Role::User)).await;
    // Another session beside the first, because that is among the records that are ended.
    browser.cookies().clear();
    browser.sign_in("Uma", PASSWORD).await;
    let asker = Asker { name: "own", browser, key: None };
    let mut mine_alone: Vec<_> =
        routes.iter().filter_map(|(path, method)| Some((path, method, mine.filled(path)?))).collect();
    // Reading before changing, the inner before the outer, deleting last.
    mine_alone.sort_by_key(|(path, method, _)| {
        let last = (*method == Method::DELETE, path.contains("passkeys"), path.ends_with("/remove"));
        (*method != Method::GET, last, std::cmp::Reverse(path.len()))
    });
    for (path, method, address) in mine_alone {
        let route = format!("{method} {path}");
        let status = asker.ask(method, &address, mine.body(&route).as_deref()).await;
        assert!(status.is_success() || status.is_redirection(), "{route} about one's own: {status}");
    }
}

pub(crate) fn trimmed(matrix: &str) -> String {
    matrix.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}
