//! Sign-in at another service, and provisioning: the honest ways, and every dishonest one.

use std::sync::Mutex;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use domain::{
    Action, Actor, Ctx, Job,
    access::{Role, Roles},
    audit::{Act, Entry},
    verifies,
};
use identity::{
    Config, Error, Fetch, FetchFailed, GroupChange, GroupRule, HttpRequest, HttpResponse, Identity, Next,
    PersonChange, Record, RoleRule, Sso, SsoAnswer, SsoConfig, SsoEnd, SsoProblem,
};
use serde_json::{Value, json};
use std::sync::Arc;
use testkit::Home;

use crate::scene::{App, DEVICE, config, secret, set_up_with, stranger};

const ISSUER: &str = "https://id.example";
const CLIENT: &str = "troth";

/// A sign-in service that says what a test makes it say.
pub(crate) struct Service {
    key: Ed25519KeyPair,
    /// A second key, for ES256.
    curve: EcdsaKeyPair,
    /// Its `kid`.
    kid: Mutex<String>,
    pub(crate) says: Mutex<Says>,
    asked: Mutex<Vec<String>>,
}

/// What the next token says; the nonce is put in by the test.
#[derive(Clone)]
pub(crate) struct Says {
    pub(crate) header: Value,
    pub(crate) claims: Value,
    /// Signs with a key nobody published.
    pub(crate) foreign: bool,
    /// Leaves the signature out.
    unsigned: bool,
    fails: bool,
}

impl Service {
    fn new() -> Arc<Self> {
        let says =
            Says { header: json!({}), claims: json!({}), foreign: false, unsigned: false, fails: false };
        Arc::new(Self {
            key: Ed25519KeyPair::generate().unwrap(),
            curve: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
            kid: Mutex::new("one".to_owned()),
            says: Mutex::new(says),
            asked: Mutex::default(),
        })
    }

    fn fetch(self: &Arc<Self>) -> Fetch {
        let service = self.clone();
        Fetch::new(move |request| {
            let answer = service.answer(&request);
            async move { answer }
        })
    }

    fn asked(&self, what: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|path| path.contains(what)).count()
    }

    fn answer(&self, request: &HttpRequest) -> Result<HttpResponse, FetchFailed> {
        let path = request.uri().path().to_owned();
        self.asked.lock().unwrap().push(path.clone());
        let says = self.says.lock().unwrap().clone();
        if says.fails {
            return Err(FetchFailed);
        }
        let body = match path.as_str() {
            "/.well-known/openid-configuration" => json!({
                "issuer": ISSUER,
                "authorization_endpoint": format!("{ISSUER}/auth"),
                "token_endpoint": format!("{ISSUER}/token"),
                "jwks_uri": format!("{ISSUER}/keys"),
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256", "ES256", "HS256", "none", "EdDSA"],
                "authorization_response_iss_parameter_supported": true,
                "end_session_endpoint": format!("{ISSUER}/out"),
            }),
            "/keys" => json!({ "keys": [{
                "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA",
                "kid": *self.kid.lock().unwrap(),
                "x": B64.encode(self.key.public_key().as_ref()),
            }, {
                "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "curve",
                "x": B64.encode(&self.curve.public_key().as_ref()[1..33]),
                "y": B64.encode(&self.curve.public_key().as_ref()[33..]),
            }] }),
            "/token" => {
                let body = String::from_utf8(request.body().clone()).unwrap();
                assert!(body.contains("code_verifier=") && body.contains("redirect_uri="), "{body}");
                json!({ "access_token": "at", "token_type": "Bearer", "id_token": self.token(&says) })
            }
            other => panic!("nobody asks for {other}"),
        };
        let mut response = HttpResponse::new(serde_json::to_vec(&body).unwrap());
        response.headers_mut().insert("content-type", "application/json".parse().unwrap());
        Ok(response)
    }

    fn token(&self, says: &Says) -> String {
        let mut header = json!({ "alg": "EdDSA", "typ": "JWT", "kid": *self.kid.lock().unwrap() });
        merge(&mut header, &says.header);
        let input = format!("{}.{}", B64.encode(header.to_string()), B64.encode(says.claims.to_string()));
        if says.unsigned {
            return format!("{input}.");
        }
        if header["kid"] == "curve" && !says.foreign {
            let signature = self.curve.sign(&SystemRandom::new(), input.as_bytes()).unwrap();
            return format!("{input}.{}", B64.encode(signature.as_ref()));
        }
        let foreign = Ed25519KeyPair::generate().unwrap();
        let key = if says.foreign { &foreign } else { &self.key };
        format!("{input}.{}", B64.encode(key.sign(input.as_bytes()).as_ref()))
    }
}

impl Says {
    /// An honest token with these claims.
    pub(crate) fn honest(claims: Value) -> Self {
        Self { header: json!({}), claims, foreign: false, unsigned: false, fails: false }
    }
}

fn merge(into: &mut Value, over: &Value) {
    for (key, value) in over.as_object().unwrap() {
        into[key] = value.clone();
    }
}

/// A room with one connection, and its service.
pub(crate) struct Scene {
    pub(crate) home: Home,
    pub(crate) identity: Identity,
    pub(crate) app: App,
    pub(crate) service: Arc<Service>,
}

/// A sign-in under way, as the browser knows it.
pub(crate) struct Begun {
    pub(crate) state: String,
    pub(crate) nonce: String,
    pub(crate) binding: String,
}

impl Scene {
    pub(crate) async fn new(change: impl FnOnce(&mut SsoConfig)) -> Self {
        Self::with(config(), change).await
    }

    pub(crate) async fn with(config: Config, change: impl FnOnce(&mut SsoConfig)) -> Self {
        let home = testkit::store().await;
        let service = Service::new();
        let mut one = SsoConfig {
            name: "work".to_owned(),
            issuer: ISSUER.to_owned(),
            client_id: CLIENT.to_owned(),
            client_secret: Some(secret("a client secret of the test")),
            create_accounts: true,
            roles: vec![
                RoleRule { claim: "groups".into(), value: "auditors".into(), role: Role::Auditor },
                RoleRule { claim: "realm.roles".into(), value: "boss".into(), role: Role::Owner },
            ],
            second_factor_amr: vec!["mfa".to_owned()],
            ..SsoConfig::default()
        };
        change(&mut one);
        let other = SsoConfig { name: "other".to_owned(), issuer: ISSUER.to_owned(), ..one.clone() };
        let sso = [one, other].map(|one| Sso { config: one, fetch: service.fetch() }).to_vec();
        let owned = set_up_with(&home, Config { sso, ..config }).await;
        Self { home, identity: owned.identity, app: owned.app, service }
    }

    pub(crate) fn nobody(&self) -> Ctx {
        stranger(&self.home)
    }

    pub(crate) async fn begin(&self) -> Begun {
        let begun = self.identity.begin_sso(&self.nobody(), "work", None, "/trust").await.unwrap();
        let query = begun.url.split_once('?').unwrap().1.to_owned();
        let part = |name: &str| {
            let found = query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
            found.unwrap_or_else(|| panic!("no {name} in {query}")).to_owned()
        };
        assert_eq!(
            (part("code_challenge_method").as_str(), part("response_type").as_str()),
            ("S256", "code")
        );
        assert!(part("redirect_uri").ends_with("%2Fsign-in%2Fwith%2Fwork%2Fdone"), "{query}");
        assert!(part("scope").starts_with("openid"));
        Begun { state: part("state"), nonce: part("nonce"), binding: begun.binding.expose().clone() }
    }

    /// What an honest service says about Grace.
    pub(crate) fn claims(&self, nonce: &str) -> Value {
        let now = self.home.clockwork.now().seconds();
        json!({
            "iss": ISSUER, "aud": CLIENT, "sub": "grace-1", "nonce": nonce, "iat": now, "exp": now + 300,
            "preferred_username": "Grace", "email": "grace@work.example", "email_verified": true,
        })
    }

    pub(crate) fn answer(&self, begun: &Begun) -> SsoAnswer {
        SsoAnswer {
            code: Some(secret("the code")),
            state: Some(secret(&begun.state)),
            iss: Some(ISSUER.to_owned()),
            declined: false,
        }
    }

    pub(crate) async fn finish(&self, begun: &Begun, answer: SsoAnswer) -> Result<SsoEnd, Error> {
        self.identity.finish_sso(&self.nobody(), "work", answer, Some(&begun.binding), DEVICE).await
    }

    /// Signs in with what `change` makes of an honest answer.
    pub(crate) async fn sign_in(&self, change: impl FnOnce(&mut Says)) -> Result<SsoEnd, Error> {
        let begun = self.begin().await;
        let mut says = Says {
            header: json!({}),
            claims: self.claims(&begun.nonce),
            foreign: false,
            unsigned: false,
            fails: false,
        };
        change(&mut says);
        *self.service.says.lock().unwrap() = says;
        self.finish(&begun, self.answer(&begun)).await
    }

    /// Who a finished sign-in is.
    pub(crate) async fn who(&self, end: SsoEnd) -> (Ctx, String, Roles) {
        let Next::Done(session) = end.next else { panic!("a session was to begin, not {:?}", end.next) };
        let ctx = self.nobody();
        let known = self.identity.recognise_session(&ctx, &session.tokens).await.unwrap().unwrap();
        let Actor::Person { standing, .. } = known.actor else { panic!("a person was to be recognised") };
        (ctx.acting_as(known.actor), known.name, standing.roles)
    }

    /// Circumstances of the owner.
    pub(crate) async fn owner(&self) -> Ctx {
        let authenticate = self.home.instance(Job::Authentication, Action::Authenticate);
        let found = store::accounts::find(&self.home.store, &authenticate, crate::scene::NAME).await;
        let id = found.unwrap().unwrap();
        let standing = domain::access::Standing::of(id.roles).proven(domain::Timestamp(i64::MAX));
        let session = domain::id::SessionId::fresh(&self.nobody());
        self.home.ctx(Actor::Person { user: id.id, session, standing })
    }

    pub(crate) fn provisioning(&self) -> Ctx {
        self.home.ctx(Actor::System(Job::Provisioning))
    }
}

pub(crate) fn problem(result: Result<SsoEnd, Error>) -> SsoProblem {
    match result {
        Err(Error::Sso(problem)) => problem,
        other => panic!("it was to be refused, not {other:?}"),
    }
}

#[tokio::test]
async fn somebody_a_service_proves_gets_an_account_and_keeps_it() {
    let scene = Scene::new(|_| {}).await;
    let end = scene.sign_in(|_| {}).await.unwrap();
    assert_eq!(end.wish, "/trust");
    let (first, name, roles) = scene.who(end).await;
    assert_eq!((name.as_str(), roles), ("Grace", Roles::NONE.with(Role::User)));
    let (second, ..) = scene.who(scene.sign_in(|_| {}).await.unwrap()).await;
    assert_eq!(first.actor.user(), second.actor.user(), "issuer and subject are the person");
    // Another subject with the same name and address is another person.
    let (third, name, _) =
        scene.who(scene.sign_in(|says| says.claims["sub"] = json!("grace-2")).await.unwrap()).await;
    assert_ne!(first.actor.user(), third.actor.user());
    assert_eq!(name, "grace@work.example");
}

#[tokio::test]
async fn no_dishonest_token_opens_a_session() {
    let _proof = verifies!(SSO01);
    let scene = Scene::new(|_| {}).await;
    type Lie = fn(&mut Says, i64);
    let lies: [(&str, Lie); 17] = [
        ("a foreign key", |says, _| says.foreign = true),
        ("alg none", |says, _| {
            says.header = json!({ "alg": "none" });
            says.unsigned = true;
        }),
        ("alg none, signed", |says, _| says.header = json!({ "alg": "none" })),
        ("HS256 with the client secret", |says, _| says.header = json!({ "alg": "HS256" })),
        ("RS256 claimed", |says, _| says.header = json!({ "alg": "RS256" })),
        ("a key nobody published", |says, _| says.header = json!({ "kid": "two" })),
        ("no signature", |says, _| says.unsigned = true),
        ("a critical header", |says, _| says.header = json!({ "crit": ["exp"] })),
        ("another audience", |says, _| says.claims["aud"] = json!("somebody-else")),
        ("two audiences", |says, _| says.claims["aud"] = json!([CLIENT, "somebody-else"])),
        ("another issuer", |says, _| says.claims["iss"] = json!("https://evil.example")),
        ("another nonce", |says, _| says.claims["nonce"] = json!("x".repeat(43))),
        ("no nonce", |says, _| drop(says.claims.as_object_mut().unwrap().remove("nonce"))),
        ("expired", |says, now| says.claims["exp"] = json!(now - 1)),
        ("made tomorrow", |says, now| says.claims["iat"] = json!(now + 86_400)),
        ("another access token's", |says, _| says.claims["at_hash"] = json!(B64.encode([7; 32]))),
        ("nobody", |says, _| says.claims["sub"] = json!("")),
    ];
    for (what, lie) in lies {
        let now = scene.home.clockwork.now().seconds();
        let told = problem(scene.sign_in(|says| lie(says, now)).await);
        assert_eq!(told, SsoProblem::Unproven, "{what}");
    }
    assert!(scene.sign_in(|_| {}).await.is_ok(), "and the truth still does");
}

#[tokio::test]
async fn an_answer_belongs_to_one_question_of_one_browser_at_one_service() {
    let _proof = verifies!(SSO01);
    let scene = Scene::new(|_| {}).await;
    let honest = |begun: &Begun| {
        let claims = scene.claims(&begun.nonce);
        *scene.service.says.lock().unwrap() =
            Says { header: json!({}), claims, foreign: false, unsigned: false, fails: false };
        scene.answer(begun)
    };
    // Twice.
    let begun = scene.begin().await;
    assert!(scene.finish(&begun, honest(&begun)).await.is_ok());
    assert_eq!(problem(scene.finish(&begun, honest(&begun)).await), SsoProblem::Stray);
    // In another browser, or in none.
    for binding in [Some("A".repeat(43)), Some(String::new()), None] {
        let begun = scene.begin().await;
        let answer = honest(&begun);
        let nobody = scene.nobody();
        let told = scene.identity.finish_sso(&nobody, "work", answer, binding.as_deref(), DEVICE).await;
        assert_eq!(problem(told), SsoProblem::Stray);
    }
    // At another service (mix-up).
    let begun = scene.begin().await;
    let answer = honest(&begun);
    let told =
        scene.identity.finish_sso(&scene.nobody(), "other", answer, Some(&begun.binding), DEVICE).await;
    assert_eq!(problem(told), SsoProblem::Stray);
    // From another issuer, or from one that does not say so although it always does.
    for iss in [Some("https://evil.example".to_owned()), None] {
        let begun = scene.begin().await;
        let answer = SsoAnswer { iss, ..honest(&begun) };
        assert_eq!(problem(scene.finish(&begun, answer).await), SsoProblem::Unproven);
    }
    // With the state of another question.
    let (one, other) = (scene.begin().await, scene.begin().await);
    let answer = SsoAnswer { state: Some(secret(&other.state)), ..honest(&one) };
    assert_eq!(problem(scene.finish(&other, answer).await), SsoProblem::Unproven, "its nonce is another");
    // Too late.
    let begun = scene.begin().await;
    scene.home.clockwork.advance(11 * 60);
    assert_eq!(problem(scene.finish(&begun, honest(&begun)).await), SsoProblem::Stray);
    // Declined, and without a state at all.
    let begun = scene.begin().await;
    let answer = SsoAnswer { declined: true, ..honest(&begun) };
    assert_eq!(problem(scene.finish(&begun, answer).await), SsoProblem::Declined);
    assert_eq!(problem(scene.finish(&begun, SsoAnswer::default()).await), SsoProblem::Stray);
}

#[tokio::test]
async fn keys_are_read_again_when_they_change_and_not_more_often_than_that() {
    let scene = Scene::new(|_| {}).await;
    assert!(scene.sign_in(|_| {}).await.is_ok());
    *scene.service.kid.lock().unwrap() = "two".to_owned();
    scene.home.clockwork.advance(120);
    assert!(scene.sign_in(|_| {}).await.is_ok(), "the new key is fetched");
    assert_eq!(scene.service.asked("/keys"), 2);
    for _ in 0..5 {
        problem(scene.sign_in(|says| says.header = json!({ "kid": "made up" })).await);
    }
    assert_eq!(scene.service.asked("/keys"), 2, "made-up keys do not make us ask");
    // A service that is away for a while stops nobody whose documents are known.
    scene.home.clockwork.advance(2 * 60 * 60);
    scene.service.says.lock().unwrap().fails = true;
    assert!(scene.identity.begin_sso(&scene.nobody(), "work", None, "/").await.is_ok());
    scene.home.clockwork.advance(48 * 60 * 60);
    let told = scene.identity.begin_sso(&scene.nobody(), "work", None, "/").await;
    assert!(matches!(told, Err(Error::Sso(SsoProblem::Unreachable))));
}

#[tokio::test]
async fn roles_follow_the_claims_and_never_reach_owner() {
    let scene = Scene::new(|_| {}).await;
    let groups = |says: &mut Says| {
        says.claims["groups"] = json!(["staff", "auditors"]);
        says.claims["realm"] = json!({ "roles": ["boss"] });
        says.claims["amr"] = json!(["pwd", "mfa"]);
    };
    let (_, _, roles) = scene.who(scene.sign_in(groups).await.unwrap()).await;
    assert_eq!(roles, Roles::NONE.with(Role::User).with(Role::Auditor));
    let (_, _, roles) = scene.who(scene.sign_in(|_| {}).await.unwrap()).await;
    assert_eq!(roles, Roles::NONE.with(Role::User), "they go when the claim does");
    let (_, _, roles) = scene.who(scene.sign_in(groups).await.unwrap()).await;
    assert!(roles.has(Role::Auditor), "and come back with it");
}

#[tokio::test]
async fn only_those_who_may_come_in_do() {
    let scene = Scene::new(|config| {
        config.create_accounts = false;
        config.allowed_domains = vec!["work.example".to_owned()];
        config.match_provisioned = Some("sub".to_owned());
    })
    .await;
    assert_eq!(problem(scene.sign_in(|_| {}).await), SsoProblem::NoAccount);
    for (email, verified) in
        [("grace@evil.example", true), ("grace@work.example", false), ("work.example", true)]
    {
        let told = scene.sign_in(|says| {
            says.claims["email"] = json!(email);
            says.claims["email_verified"] = json!(verified);
        });
        assert_eq!(problem(told.await), SsoProblem::Elsewhere, "{email}");
    }
    // Provisioned before, matched by the claim the configuration names, closed, and opened again.
    let ctx = scene.provisioning();
    let record = Record { external: Some("grace-1".to_owned()), ..Record::default() };
    let mut grace = PersonChange { name: "Grace H.".to_owned(), active: true, record };
    let made = scene.identity.provision(&ctx, &grace).await.unwrap();
    let (person, name, _) = scene.who(scene.sign_in(|_| {}).await.unwrap()).await;
    assert_eq!((person.actor.user(), name.as_str()), (Some(made.account.id), "Grace H."));
    grace.active = false;
    scene.identity.change_provisioned(&ctx, made.account.id, &grace, None).await.unwrap().unwrap();
    assert_eq!(problem(scene.sign_in(|_| {}).await), SsoProblem::Closed);
    grace.active = true;
    scene.identity.change_provisioned(&ctx, made.account.id, &grace, None).await.unwrap().unwrap();
    assert!(scene.sign_in(|_| {}).await.is_ok());
}

#[tokio::test]
async fn closing_an_account_ends_its_sessions_and_keys_at_once() {
    let _proof = verifies!(SSO02);
    let scene = Scene::new(|config| config.match_provisioned = Some("sub".to_owned())).await;
    let ctx = scene.provisioning();
    let record = Record { external: Some("grace-1".to_owned()), ..Record::default() };
    let mut grace = PersonChange { name: "Grace".to_owned(), active: true, record };
    let id = scene.identity.provision(&ctx, &grace).await.unwrap().account.id;
    let Next::Done(session) = scene.sign_in(|says| says.claims["amr"] = json!(["mfa"])).await.unwrap().next
    else {
        panic!("a session was to begin")
    };
    let recognised = async || {
        let tokens = &session.tokens;
        scene.identity.recognise_session(&scene.nobody(), tokens).await.unwrap().is_some()
    };
    assert!(recognised().await);
    grace.active = false;
    scene.identity.change_provisioned(&ctx, id, &grace, None).await.unwrap().unwrap();
    assert!(!recognised().await);
    grace.active = true;
    scene.identity.change_provisioned(&ctx, id, &grace, None).await.unwrap().unwrap();
    assert!(!recognised().await, "an ended session does not come back");
    // Deleting closes and forgets; the same person may be made again, and is the same account.
    scene.identity.unprovision(&ctx, id).await.unwrap();
    assert!(matches!(scene.identity.provisioned(&ctx, id).await, Err(Error::NotFound)));
    assert!(matches!(scene.identity.unprovision(&ctx, id).await, Err(Error::NotFound)));
    let again = scene.identity.provision(&ctx, &grace).await.unwrap();
    assert_eq!((again.account.id, again.account.active), (id, true));
}

#[tokio::test]
async fn provisioning_sees_only_what_it_made_and_names_stay_unique() {
    let scene = Scene::new(|_| {}).await;
    let ctx = scene.provisioning();
    let named = |name: &str, external: Option<&str>| PersonChange {
        name: name.to_owned(),
        active: true,
        record: Record { external: external.map(str::to_owned), ..Record::default() },
    };
    let (total, all) = scene.identity.provisioned_list(&ctx, 0, 100).await.unwrap();
    assert_eq!((total, all.len()), (0, 0), "the owner is none of its business");
    assert!(scene.identity.provisioned_named(&ctx, crate::scene::NAME).await.unwrap().is_none());
    let taken = scene.identity.provision(&ctx, &named("ADA LOVELACE", None)).await;
    assert!(matches!(taken, Err(Error::Taken)), "{taken:?}");
    let one = scene.identity.provision(&ctx, &named("One", Some("e1"))).await.unwrap();
    let two = scene.identity.provision(&ctx, &named("Two", Some("e2"))).await.unwrap();
    for (name, external) in [("one", None), ("Three", Some("e1"))] {
        let taken = scene.identity.provision(&ctx, &named(name, external)).await;
        assert!(matches!(taken, Err(Error::Taken)), "{name}: {taken:?}");
    }
    let id = two.account.id;
    for to in [named("ONE", None), named("Two", Some("e1"))] {
        let taken = scene.identity.change_provisioned(&ctx, id, &to, None).await;
        assert!(matches!(taken, Err(Error::Taken)), "{taken:?}");
    }
    let renamed =
        scene.identity.change_provisioned(&ctx, id, &named("Zwei", Some("e2")), Some(two.version)).await;
    assert_eq!(renamed.unwrap().unwrap().account.name, "Zwei");
    let stale = scene.identity.change_provisioned(&ctx, id, &named("Deux", None), Some(two.version)).await;
    assert_eq!(stale.unwrap(), None, "somebody changed it meanwhile");
    let found = scene.identity.provisioned_external(&ctx, "e1").await.unwrap().unwrap();
    assert_eq!(found.account.id, one.account.id);
    // Nobody but the directory's job does this.
    for actor in [Actor::Anonymous, Actor::System(Job::Authentication)] {
        let refused = scene.identity.provision(&scene.home.ctx(actor), &named("Four", None)).await;
        assert!(matches!(refused, Err(Error::Denied(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn a_directory_token_is_shown_once_ends_and_gives_way() {
    let _proof = verifies!(SSO02);
    let home = testkit::store().await;
    let owned = set_up_with(&home, config()).await;
    let owner = owned.ctx(&home).await;
    let identity = &owned.identity;
    let first = identity.create_scim_token(&owner).await.unwrap();
    let opens = |token: &str| {
        let (identity, nobody, token) = (identity.clone(), stranger(&home), token.to_owned());
        async move { identity.recognise_scim_token(&nobody, &token).await.unwrap() }
    };
    assert_eq!(opens(first.token.expose()).await, Some(Actor::System(Job::Provisioning)));
    for not in ["", "troth_scim_", "troth_scim_x", &format!("troth_scim_{}", "A".repeat(43)), "troth_x"] {
        assert_eq!(opens(not).await, None, "{not}");
    }
    let second = identity.create_scim_token(&owner).await.unwrap();
    assert!(opens(first.token.expose()).await.is_some(), "the one before has a day");
    home.clockwork.advance(25 * 60 * 60);
    assert!(opens(first.token.expose()).await.is_none());
    assert!(opens(second.token.expose()).await.is_some());
    home.clockwork.advance(180 * 24 * 60 * 60);
    assert!(opens(second.token.expose()).await.is_none(), "and every one has an end");
    let nobody = identity.create_scim_token(&stranger(&home)).await;
    assert!(matches!(nobody, Err(Error::Denied(_))));
}

#[tokio::test]
async fn groups_named_by_a_rule_follow_the_claims_and_others_stay() {
    let rule = GroupRule { claim: "groups".into(), value: "guides".into(), group: "Guides".into() };
    let scene = Scene::new(|config| config.groups = vec![rule]).await;
    let ctx = scene.provisioning();
    let named = |name: &str| GroupChange { name: name.to_owned(), ..GroupChange::default() };
    let guides = scene.identity.provision_group(&ctx, &named("guides")).await.unwrap().group.id;
    let local = scene.identity.provision_group(&ctx, &named("Local")).await.unwrap().group.id;
    let members = |id| {
        let (store, permit) =
            (scene.home.store.clone(), scene.home.instance(Job::Provisioning, Action::ManageGroups));
        async move { store::groups::members(&store, &permit, id).await.unwrap() }
    };
    let (grace, ..) =
        scene.who(scene.sign_in(|says| says.claims["groups"] = json!(["guides"])).await.unwrap()).await;
    let user = grace.actor.user().unwrap();
    assert_eq!(members(guides).await, [user]);
    let permit = scene.home.instance(Job::Provisioning, Action::ManageGroups);
    let mut tx = scene.home.store.begin(&ctx).await.unwrap();
    store::groups::put_in(&mut tx, &permit, local, user).await.unwrap();
    tx.commit(Entry::new(Act::MembershipChanged, local)).await.unwrap();
    scene.sign_in(|_| {}).await.unwrap();
    assert_eq!((members(guides).await, members(local).await), (vec![], vec![user]));
}
