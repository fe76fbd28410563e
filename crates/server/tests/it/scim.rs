//! Provisioning over HTTP: the exchanges of RFC 7644 as a directory sends them, and what a hostile one sends.

use domain::verifies;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use server::Instance;
use testkit::Client;

use crate::house::{Place, Stranger};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// An instance, and a directory with its token.
struct Scene {
    _place: Place,
    instance: Instance,
    http: Stranger,
    token: String,
}

impl Scene {
    async fn new() -> Self {
        let place = Place::new();
        let instance = place.start("").await.unwrap();
        let mut owner = Client::new(&instance.url(), &instance.authority().unwrap());
        let code = instance.setup_code().unwrap().expose().clone();
        owner.set_up(&code, "Ada", "Quiet-Harbour-47").await;
        let made = owner.submit::<&str, &str>("/admin/directory/tokens", &[]).await;
        let token = made.expect_status(StatusCode::OK).between("id=\"key\">", "<");
        let http = Stranger::at(&instance);
        Self { _place: place, instance, http, token }
    }

    async fn send(&self, method: Method, path: &str, body: Option<String>) -> (StatusCode, Value) {
        let mut request = self
            .http
            .ask(method, &format!("/scim/v2/{path}"))
            .header("authorization", format!("Bearer {}", self.token));
        if let Some(body) = body {
            request = request.header("content-type", "application/scim+json").body(body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let kind = answer.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
        let text = answer.text().await.unwrap();
        assert!(
            text.is_empty() || kind.as_deref() == Some("application/scim+json"),
            "{path}: {kind:?} {text}"
        );
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    async fn ask(&self, path: &str) -> Value {
        let (status, body) = self.send(Method::GET, path, None).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    async fn make(&self, path: &str, body: Value) -> Value {
        let (status, made) = self.send(Method::POST, path, Some(body.to_string())).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        made
    }

    async fn patch(&self, path: &str, changes: Value) -> (StatusCode, Value) {
        let body = json!({ "schemas": [PATCH], "Operations": changes });
        self.send(Method::PATCH, path, Some(body.to_string())).await
    }

    /// The number of hits of a filter on users.
    async fn hits(&self, filter: &str) -> u64 {
        let filter: String = filter.bytes().map(|byte| format!("%{byte:02X}")).collect();
        self.ask(&format!("Users?filter={filter}")).await["totalResults"].as_u64().unwrap()
    }
}

#[tokio::test]
async fn a_directory_makes_finds_changes_and_deletes_people() {
    let _proof = verifies!(SSO02);
    let scene = Scene::new().await;
    let body = json!({
        "schemas": [USER], "userName": "bjensen", "externalId": "bjensen-1", "password": "t1meMa$heen",
        "name": { "formatted": "Ms. Barbara J Jensen III", "familyName": "Jensen", "givenName": "Barbara" },
        "emails": [{ "value": "bjensen@example.com", "type": "work", "primary": true }],
    });
    let made = scene.make("Users", body.clone()).await;
    assert!(!made.to_string().contains("t1meMa"), "a password is never given back");
    assert_eq!((&made["active"], &made["meta"]["resourceType"]), (&json!(true), &json!("User")));
    let id = made["id"].as_str().unwrap().to_owned();
    let place = made["meta"]["location"].as_str().unwrap();
    assert!(place.ends_with(&format!("/scim/v2/Users/{id}")), "{place}");
    assert_eq!(scene.ask(&format!("Users/{id}")).await, made);
    let again = scene.send(Method::POST, "Users", Some(body.to_string())).await;
    assert_eq!((again.0, &again.1["scimType"]), (StatusCode::CONFLICT, &json!("uniqueness")));
    for (filter, hits) in [
        ("userName eq \"BJENSEN\"", 1),
        ("externalId eq \"bjensen-1\"", 1),
        ("externalId eq \"BJENSEN-1\"", 0),
        ("userName eq \"Ada\"", 0),
        ("name.familyName co \"ens\" and active eq true", 1),
        ("emails[type eq \"work\" and value ew \".com\"]", 1),
        ("userName eq \"x\" or externalId pr", 1),
    ] {
        assert_eq!(scene.hits(filter).await, hits, "{filter}");
    }
    let path = format!("Users/{id}");
    let (status, changed) = scene
        .patch(&path, json!([{ "op": "replace", "value": { "active": false } }, { "op": "add", "path": "title", "value": "Guide" }]))
        .await;
    assert_eq!(
        (status, &changed["active"], &changed["title"]),
        (StatusCode::OK, &json!(false), &json!("Guide"))
    );
    let replaced = json!({ "schemas": [USER], "userName": "babs", "active": true }).to_string();
    let (status, replaced) = scene.send(Method::PUT, &path, Some(replaced)).await;
    assert_eq!((status, &replaced["userName"]), (StatusCode::OK, &json!("babs")));
    assert!(replaced.get("title").is_none() && replaced.get("externalId").is_none(), "{replaced}");
    assert_eq!(scene.send(Method::DELETE, &path, None).await.0, StatusCode::NO_CONTENT);
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(scene.send(method, &path, None).await.0, StatusCode::NOT_FOUND);
    }
    assert_eq!(scene.hits("userName eq \"babs\"").await, 0);
    scene.instance.stop().await;
}

#[tokio::test]
async fn groups_hold_people_of_the_directory_and_pages_count_from_one() {
    let scene = Scene::new().await;
    let mut ids = Vec::new();
    for name in ["one", "two", "three"] {
        let made = scene.make("Users", json!({ "schemas": [USER], "userName": name })).await;
        ids.push(made["id"].clone());
    }
    let page = scene.ask("Users?startIndex=2&count=1").await;
    assert_eq!(
        (&page["totalResults"], &page["startIndex"], &page["itemsPerPage"]),
        (&json!(3), &json!(2), &json!(1))
    );
    assert_eq!(page["Resources"][0]["id"], ids[1]);
    assert_eq!(scene.ask("Users?count=0").await["Resources"], json!([]));
    assert_eq!(scene.ask("Users?startIndex=-5&count=9999").await["itemsPerPage"], 3);
    let group = json!({ "schemas": [GROUP], "displayName": "Guides", "members": [{ "value": ids[0] }] });
    let made = scene.make("Groups", group.clone()).await;
    let path = format!("Groups/{}", made["id"].as_str().unwrap());
    assert_eq!(scene.send(Method::POST, "Groups", Some(group.to_string())).await.0, StatusCode::CONFLICT);
    let members = |group: &Value| {
        let list = group["members"].as_array().cloned().unwrap_or_default();
        list.iter().map(|one| one["value"].clone()).collect::<Vec<_>>()
    };
    let (_, changed) =
        scene.patch(&path, json!([{ "op": "add", "path": "members", "value": [{ "value": ids[1] }] }])).await;
    assert_eq!(members(&changed), ids[..2]);
    let remove = format!("members[value eq {}]", ids[0]);
    let (_, changed) = scene.patch(&path, json!([{ "op": "remove", "path": remove }])).await;
    assert_eq!(members(&changed), ids[1..2]);
    let somebody = json!([{ "op": "add", "path": "members", "value": [{ "value": "01890a5d-ac96-774b-bcce-b302099a8057" }] }]);
    let (status, refused) = scene.patch(&path, somebody).await;
    assert_eq!((status, &refused["scimType"]), (StatusCode::BAD_REQUEST, &json!("invalidValue")));
    assert_eq!(members(&scene.ask(&path).await), ids[1..2], "a refused change changes nothing");
    // Who is deleted is in no group any more.
    let gone = format!("Users/{}", ids[1].as_str().unwrap());
    assert_eq!(scene.send(Method::DELETE, &gone, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(members(&scene.ask(&path).await), Vec::<Value>::new());
    assert_eq!(scene.send(Method::DELETE, &path, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(scene.send(Method::GET, &path, None).await.0, StatusCode::NOT_FOUND);
    scene.instance.stop().await;
}

#[tokio::test]
async fn hostile_bodies_are_refused_in_scims_words_and_the_server_lives() {
    let scene = Scene::new().await;
    let made = scene.make("Users", json!({ "schemas": [USER], "userName": "victim" })).await;
    let path = format!("Users/{}", made["id"].as_str().unwrap());
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    for (what, body) in [
        ("nothing", String::new()),
        ("no JSON", "{".to_owned()),
        ("a list", "[]".to_owned()),
        ("too deep", deep),
        ("no schema", json!({ "userName": "x" }).to_string()),
        ("no name", json!({ "schemas": [USER] }).to_string()),
        ("a name that is a number", json!({ "schemas": [USER], "userName": 7 }).to_string()),
        ("a name with a turn", json!({ "schemas": [USER], "userName": "a\u{202E}b" }).to_string()),
        ("a long name", json!({ "schemas": [USER], "userName": "x".repeat(65) }).to_string()),
    ] {
        for (method, at) in [(Method::POST, "Users"), (Method::PUT, path.as_str())] {
            let (status, told) = scene.send(method.clone(), at, Some(body.clone())).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{what} by {method}: {told}");
            assert_eq!(told["status"], "400", "{what}");
            assert_eq!(told["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]), "{what}");
        }
    }
    let (status, _) = scene.send(Method::POST, "Users", Some(" ".repeat(2 << 20))).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    for body in [
        json!({}),
        json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "count": "x" }),
    ] {
        assert_eq!(
            scene.send(Method::POST, "Users/.search", Some(body.to_string())).await.0,
            StatusCode::BAD_REQUEST
        );
    }
    assert_eq!(scene.send(Method::GET, "Users?count=many", None).await.0, StatusCode::BAD_REQUEST);
    for filter in ["", "%27", "userName", "userName%20eq", "(((((", "userName%20eq%20%22x"] {
        let (status, told) = scene.send(Method::GET, &format!("Users?filter={filter}"), None).await;
        assert_eq!(
            (status, &told["scimType"]),
            (StatusCode::BAD_REQUEST, &json!("invalidFilter")),
            "{filter}"
        );
    }
    for id in ["x", "..%2f..", "01890a5d-ac96-774b-bcce-b302099a8057", "%00"] {
        assert_eq!(
            scene.send(Method::GET, &format!("Users/{id}"), None).await.0,
            StatusCode::NOT_FOUND,
            "{id}"
        );
    }
    // Changes that would take what is not theirs.
    for changes in
        [json!([{ "op": "remove", "path": "userName" }]), json!([{ "op": "remove", "path": "id" }])]
    {
        assert_eq!(scene.patch(&path, changes).await.0, StatusCode::BAD_REQUEST);
    }
    let (status, told) =
        scene.patch(&path, json!([{ "op": "replace", "path": "userName", "value": "ADA" }])).await;
    assert_eq!((status, &told["scimType"]), (StatusCode::CONFLICT, &json!("uniqueness")), "the owner's name");
    assert_eq!(scene.ask(&path).await["userName"], "victim");
    // The owner is not there for a directory, by whatever door.
    assert_eq!(scene.ask("Users").await["totalResults"], 1);
    scene.instance.stop().await;
}

#[tokio::test]
async fn only_the_directorys_own_token_opens_it() {
    let _proof = verifies!(SSO02);
    let scene = Scene::new().await;
    let token = scene.token.clone();
    for header in [
        None,
        Some(String::new()),
        Some(format!("Basic {token}")),
        Some(format!("Bearer {token}x")),
        Some(format!("Bearer {}", &token[..token.len() - 1])),
        Some("Bearer troth_abc".to_owned()),
        Some(format!("Bearer troth_scim_{}", "A".repeat(43))),
    ] {
        let mut request = scene.http.get("/scim/v2/Users");
        if let Some(header) = &header {
            request = request.header("authorization", header);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{header:?}");
        assert_eq!(answer.headers()["www-authenticate"], "Bearer");
    }
    // And it opens nothing else.
    for path in ["/v1/models", "/account", "/admin/directory", "/chat"] {
        let asked = scene.http.get(path).header("authorization", format!("Bearer {token}"));
        assert!(!asked.send().await.unwrap().status().is_success(), "{path}");
    }
    scene.instance.stop().await;
}
