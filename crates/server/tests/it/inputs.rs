//! Every row of the table of inputs (`web::input::TAKES`) over the real router: wrong, missing, doubled, unknown,
//! huge and hostile fields, from somebody who may use the route. Each is refused with a reference and nothing of
//! what was sent, and changes nothing.

use std::{collections::BTreeSet, fs, path::Path};

use domain::{Action, Ctx, Job, Permit, Resource, authorize, verifies};
use reqwest::{Method, RequestBuilder, StatusCode, header::CONTENT_TYPE};
use serde_json::{Map, Value, json};
use server::{Instance, Outside};
use testkit::Client;
use web::input::{Field, Kind, Need, TAKES, Takes, Way};

use crate::{
    house::Place,
    routes::{filled, paths},
};

/// Stands in everything hostile; no answer may repeat it.
const MARK: &str = "zq7hostile";
const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const NOTHING: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// The owner of an instance, who may use every route, with a key and a token of a directory.
struct Scene {
    _place: Place,
    instance: Instance,
    owner: Client,
    key: String,
    token: String,
}

impl Scene {
    async fn new() -> Self {
        let place = Place::new();
        let instance = place.start("[policy]\ntransfers_a_minute = 100000").await.unwrap();
        let mut owner = Client::new(&instance.url(), &instance.authority().unwrap());
        owner.set_up(instance.setup_code().unwrap().expose(), "Asha", "Quiet-Harbour-47").await;
        let key = owner.make_key("a key").await;
        let made = owner.submit::<&str, &str>("/admin/directory/tokens", &[]).await;
        let token = made.expect_status(StatusCode::OK).between("id=\"key\">", "<");
        Self { _place: place, instance, owner, key, token }
    }

    fn request(&self, takes: &Takes, query: &str) -> RequestBuilder {
        let method = Method::from_bytes(takes.method.as_bytes()).unwrap();
        let request = self.owner.request(method, &format!("{}{query}", filled(takes.path)));
        match takes.path {
            path if path.starts_with("/v1/") => request.bearer_auth(&self.key),
            path if path.starts_with("/scim/") => request.bearer_auth(&self.token),
            _ => request,
        }
    }

    /// Sends something no route may take; gives the name of the field that was to blame, if one was named.
    async fn refused(&self, takes: &Takes, what: &str, request: RequestBuilder) -> Option<String> {
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let text = answer.text().await.unwrap();
        let at = format!("{} {}: {what}: {status}: {text:.300}", takes.method, takes.path);
        assert!(status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS, "{at}");
        assert!(
            status != StatusCode::UNAUTHORIZED && status != StatusCode::FORBIDDEN,
            "not by its right: {at}"
        );
        let reference = headers["x-request-id"].to_str().unwrap();
        assert!(text.contains(reference), "{at}");
        assert!(!text.contains(MARK) && !format!("{headers:?}").contains(MARK), "{at}");
        let problem: Value = serde_json::from_str(&text).unwrap_or_default();
        // Routes of the API name it within their envelope.
        let param = problem["param"].as_str().or_else(|| problem["error"]["param"].as_str());
        param.map(str::to_owned)
    }

    /// What people, programs and directories did to this instance; what it does by itself left out.
    async fn acts(&self) -> usize {
        let ctx: Ctx = Outside::real().ctx(Job::Checks);
        let permit: Permit = authorize(&ctx, Action::ReadInstance, Resource::Instance).unwrap();
        let entries = store::audit::list(self.instance.store(), &permit, 0, 1_000_000).await.unwrap();
        let by_itself = ["system:checks", "system:upkeep", "system:mail"];
        entries.iter().filter(|entry| !by_itself.contains(&entry.actor.as_str())).count()
    }
}

/// Something a field takes.
fn good(kind: Kind) -> Value {
    match kind {
        Kind::Line(_) | Kind::Text(_) | Kind::Free(_) | Kind::Word(_) => json!("word"),
        Kind::Id => json!(NOTHING),
        Kind::Number(_) => json!(1),
        Kind::Flag => json!(true),
        Kind::Object(fields) => object(fields),
    }
}

fn object(fields: &[Field]) -> Value {
    fields.iter().map(|field| (field.name.to_owned(), good(field.kind))).collect::<Map<_, _>>().into()
}

/// Texts a field does not take, and what is wrong with each.
fn bad(kind: Kind) -> Vec<(&'static str, String)> {
    let mut all = vec![("NUL", format!("{MARK}\0"))];
    if !matches!(kind, Kind::Free(_)) {
        all.push(("a control character", format!("{MARK}\u{1b}[2J")));
    }
    if !matches!(kind, Kind::Free(_) | Kind::Text(_)) {
        all.push(("a turned line", format!("{MARK}\u{202e}txt.exe")));
        all.push(("an end of line", format!("{MARK}\r\nSet-Cookie: a=b")));
    }
    match kind {
        Kind::Line(most) | Kind::Text(most) | Kind::Free(most) | Kind::Word(most) => {
            all.push(("one byte too many", format!("{MARK}{}", "x".repeat(most + 1 - MARK.len()))));
        }
        Kind::Number(_) | Kind::Id | Kind::Flag | Kind::Object(_) => {
            all.push(("markup", format!("<script>{MARK}</script>")));
            all.push(("a quotation", format!("' OR '{MARK}")));
            all.push(("a large number", format!("9999999999999999999999{MARK}")));
        }
    }
    all
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `name=value`, escaped as browsers do, and a little more.
fn pair(name: &str, value: &str) -> String {
    let escaped = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    format!("{name}={}", value.bytes().map(escaped).collect::<String>())
}

/// A form with all of its fields good but `name`, which has these values.
fn form(takes: &Takes, name: &str, values: &[&str]) -> String {
    let others = takes.fields.iter().filter(|field| field.name != name);
    let others = others.map(|field| pair(field.name, &text(&good(field.kind))));
    others.chain(values.iter().map(|value| pair(name, value))).collect::<Vec<_>>().join("&")
}

async fn forms_and_addresses(scene: &Scene, takes: &Takes) {
    let is_form = takes.way == Way::Form;
    let send = |written: String| match is_form {
        true => scene.request(takes, "").header(CONTENT_TYPE, FORM).body(written),
        false => scene.request(takes, &format!("?{written}")),
    };
    for field in takes.fields {
        let blamed = Some(field.name.to_owned());
        for (what, value) in bad(field.kind) {
            let what = format!("{}: {what}", field.name);
            assert_eq!(
                scene.refused(takes, &what, send(form(takes, field.name, &[&value]))).await,
                blamed,
                "{what}"
            );
        }
        let fine = text(&good(field.kind));
        let most = if let Need::UpTo(most) = field.need { most } else { 1 };
        let more = vec![fine.as_str(); most + 1];
        assert_eq!(scene.refused(takes, "doubled", send(form(takes, field.name, &more))).await, blamed);
        if field.need == Need::Always {
            let missing = scene.refused(takes, "missing", send(form(takes, field.name, &[]))).await;
            assert_eq!(missing, blamed, "{} {}", takes.path, field.name);
        }
        for broken in ["%FF", "%C3%28", "%E2%82", "%", "%zz"] {
            let written = form(takes, field.name, &[]);
            scene.refused(takes, broken, send(format!("{written}&{}={MARK}{broken}", field.name))).await;
        }
    }
    if is_form {
        let all = form(takes, "", &[]);
        scene.refused(takes, "an unknown field", send(format!("{all}&{MARK}=1"))).await;
        scene.refused(takes, "a megabyte", send(format!("{all}&a={}", MARK.repeat(100_000)))).await;
        for kind in [JSON, "text/plain", "multipart/form-data; boundary=x", ""] {
            let request = scene.request(takes, "").header(CONTENT_TYPE, kind).body(all.clone());
            scene.refused(takes, kind, request).await;
        }
    }
}

async fn json_bodies(scene: &Scene, takes: &Takes) {
    let send = |body: String| scene.request(takes, "").header(CONTENT_TYPE, JSON).body(body);
    let whole = object(takes.fields);
    let with = |name: &str, value: Value| {
        let mut whole = whole.clone();
        whole[name] = value;
        whole.to_string()
    };
    for field in takes.fields {
        let blamed = Some(field.name.to_owned());
        let mut wrong = vec![json!([MARK]), json!({ MARK: 1 }), json!(-1.5e300)];
        if !matches!(field.kind, Kind::Number(_)) {
            wrong.push(json!(7));
        }
        if !matches!(field.kind, Kind::Flag) {
            wrong.push(json!(true));
        }
        wrong.extend(bad(field.kind).into_iter().map(|(_, value)| json!(value)));
        if let Kind::Object(inner) = field.kind {
            for one in inner {
                let mut other = good(field.kind);
                other[one.name] = json!([MARK]);
                wrong.push(other);
            }
        }
        for value in wrong {
            let what = format!("{}: {value:.80}", field.name);
            assert_eq!(scene.refused(takes, &what, send(with(field.name, value))).await, blamed, "{what}");
        }
        let rest = whole.to_string();
        let doubled = format!("{{\"{}\":{},{}", field.name, good(field.kind), &rest[1..]);
        scene.refused(takes, "doubled", send(doubled)).await;
        if field.need == Need::Always {
            let mut without = whole.clone();
            without.as_object_mut().unwrap().remove(field.name);
            scene.refused(takes, "missing", send(without.to_string())).await;
        }
    }
    scene.refused(takes, "an unknown field", send(with(MARK, json!(1)))).await;
    hostile_json(scene, takes).await;
}

/// What is no request of any route that takes JSON.
async fn hostile_json(scene: &Scene, takes: &Takes) {
    let send = |body: Vec<u8>| scene.request(takes, "").header(CONTENT_TYPE, JSON).body(body);
    let deep = |open: &str, count: usize| open.repeat(count).into_bytes();
    for (what, body) in [
        ("nothing", Vec::new()),
        ("a list", format!("[\"{MARK}\"]").into_bytes()),
        ("a text", format!("\"{MARK}\"").into_bytes()),
        ("null", b"null".to_vec()),
        ("cut short", format!("{{\"{MARK}\":").into_bytes()),
        ("no UTF-8", [b"{\"a\":\"".as_slice(), b"\xff\xfe", b"\"}"].concat()),
        ("deep lists", deep("[", 100_000)),
        ("deep objects", deep("{\"a\":", 50_000)),
        ("two of them", format!("{{}}{{\"{MARK}\":1}}").into_bytes()),
        ("two megabytes", format!("{{\"a\":\"{}\"}}", MARK.repeat(200_000)).into_bytes()),
    ] {
        scene.refused(takes, what, send(body)).await;
    }
    for kind in ["text/plain", FORM, "multipart/form-data; boundary=x", "text/html"] {
        scene.refused(takes, kind, scene.request(takes, "").header(CONTENT_TYPE, kind).body("{}")).await;
    }
}

/// Markup in every field that may hold it: whatever is answered, it is not the markup.
async fn markup_comes_back_as_text(scene: &Scene, takes: &Takes) {
    let markup = format!("<script>{MARK}</script>");
    let field = |field: &Field| {
        let words = matches!(field.kind, Kind::Line(_) | Kind::Text(_) | Kind::Free(_) | Kind::Word(_));
        let value = if words { markup.clone() } else { text(&good(field.kind)) };
        pair(field.name, &value)
    };
    let form = takes.fields.iter().map(field).collect::<Vec<_>>().join("&");
    let request = scene.request(takes, "").header(CONTENT_TYPE, FORM).header("accept", "text/html");
    let answer = request.body(form).send().await.unwrap();
    let status = answer.status();
    let page = answer.text().await.unwrap();
    assert!(!status.is_server_error(), "{} {}: {status}", takes.method, takes.path);
    assert!(!page.contains(&markup), "{} {}: {status}", takes.method, takes.path);
}

#[test]
fn no_route_takes_what_its_row_does_not_say() {
    let _proof = verifies!(WEB16);
    testkit::run(async {
        let scene = Scene::new().await;
        let before = scene.acts().await;
        for takes in TAKES {
            match takes.way {
                Way::Form | Way::Address => forms_and_addresses(&scene, takes).await,
                Way::Json => json_bodies(&scene, takes).await,
                Way::Elsewhere => hostile_json(&scene, takes).await,
                Way::File => {
                    let huge = scene.request(takes, "").header("content-length", (33 << 20).to_string());
                    scene.refused(takes, "too large", huge.body(vec![0; 33 << 20])).await;
                    let request = scene.request(takes, "").header(CONTENT_TYPE, JSON);
                    scene.refused(takes, "no export", request.body(format!("[\"{MARK}\"]"))).await;
                }
            }
            assert_eq!(scene.acts().await, before, "{} {} did something", takes.method, takes.path);
        }
        for takes in TAKES.iter().filter(|takes| takes.way == Way::Form) {
            markup_comes_back_as_text(&scene, takes).await;
        }
        scene.instance.stop().await;
    });
}

#[test]
fn every_row_is_a_route_and_no_page_reads_past_the_table() {
    let routes = paths();
    let strange: Vec<_> = TAKES.iter().filter(|takes| !routes.contains(takes.path)).collect();
    assert!(strange.is_empty(), "{strange:?}");
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/src/pages")];
    let mut read = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                folders.push(entry.path());
                continue;
            }
            let source = fs::read_to_string(entry.path()).unwrap();
            let named = source.split("axum::").skip(1).filter_map(|rest| rest.split(';').next());
            for name in named.flat_map(|part| part.split(|c: char| !c.is_alphanumeric())) {
                if ["Form", "Json", "Query", "RawForm", "RawQuery"].contains(&name) {
                    read.insert(format!("{}: {name}", entry.path().display()));
                }
            }
        }
    }
    assert_eq!(read, BTreeSet::new(), "take these from `crate::input`");
}
