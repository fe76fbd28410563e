//! Every route of administration and provisioning that takes an identifier, asked as every role about a record
//! that is there: one of the asker's own, somebody else's, an owner's.
//!
//! A record is made anew whenever an answer may have changed it, so each answer of the snapshot is what the first
//! who asks gets. A new route needs a line in [`ROUTES`]; the test says so.

#[path = "by_id/records.rs"]
mod records;

use std::collections::BTreeSet;

use domain::access::{Role, Roles};
use reqwest::{Method, StatusCode};
use server::Instance;
use testkit::Client;

use self::records::{Of, Record};
use crate::{
    house::Place,
    matrix::{Asker, Maker, trimmed},
    routes::paths,
};

/// What provisioning says about somebody, and about a group.
const USER: &str = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"NAME"}"#;
const GROUP: &str =
    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"NAME","members":[]}"#;
const CLOSE: &str = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","value":{"active":false}}]}"#;
const RENAME: &str = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","value":{"displayName":"NAME"}}]}"#;

/// Each route, what its identifier is of, and what it is sent. `ID` stands for the record, `NAME` for a name
/// nobody has, the other words for what belongs to the record.
const ROUTES: &[(&str, Of, &str)] = &[
    ("POST /admin/addresses/{id}/remove", Of::Rule, ""),
    ("POST /admin/content", Of::Person, "account=ID&reason=A+reason+that+is+long+enough"),
    ("POST /admin/content/{id}/approve", Of::Asked, ""),
    ("POST /admin/content/{id}/refuse", Of::Asked, ""),
    ("POST /admin/content/{id}/end", Of::Agreed, ""),
    ("GET /admin/content/{id}/chats", Of::Agreed, ""),
    ("GET /admin/content/{id}/chats/{chat}", Of::Agreed, ""),
    ("POST /admin/directory/tokens/{id}/revoke", Of::Token, ""),
    ("GET /admin/groups/{id}", Of::Group, ""),
    ("POST /admin/groups/{id}", Of::Group, "name=NAME"),
    ("POST /admin/groups/{id}/delete", Of::Group, ""),
    ("POST /admin/people/invitations/{id}/withdraw", Of::Invitation, ""),
    ("GET /admin/people/{id}", Of::Person, ""),
    ("POST /admin/people/{id}/close", Of::Person, ""),
    ("POST /admin/people/{id}/delete", Of::Person, "sure=yes"),
    ("POST /admin/people/{id}/groups", Of::Person, "group=GROUP&act=in"),
    ("POST /admin/people/{id}/open", Of::Person, ""),
    ("POST /admin/people/{id}/sign-out", Of::Person, ""),
    ("POST /admin/people/{id}/unlink", Of::Person, ""),
    ("POST /admin/recoveries/{id}/agree", Of::Recovery, "word=WORD"),
    ("POST /admin/recoveries/{id}/refuse", Of::Recovery, ""),
    ("GET /admin/reviews/{id}", Of::Review, ""),
    (
        "POST /admin/reviews/{id}/decide",
        Of::Review,
        "account=ACCOUNT&grant=role%2Fsupervisor&verdict=confirm",
    ),
    ("POST /admin/reviews/{id}/decide", Of::Review, "account=ACCOUNT&grant=role%2Fsupervisor&verdict=revoke"),
    ("GET /admin/reviews/{id}/report", Of::Report, ""),
    ("POST /admin/roles/grant", Of::Person, "account=ID&role=auditor"),
    ("POST /admin/roles/take", Of::Person, "account=ID&role=user"),
    ("POST /admin/roles/own/{id}/delete", Of::CustomRole, ""),
    ("GET /scim/v2/Groups/{id}", Of::DirectorysGroup, ""),
    ("PUT /scim/v2/Groups/{id}", Of::DirectorysGroup, GROUP),
    ("PATCH /scim/v2/Groups/{id}", Of::DirectorysGroup, RENAME),
    ("DELETE /scim/v2/Groups/{id}", Of::DirectorysGroup, ""),
    ("GET /scim/v2/Users/{id}", Of::DirectorysPerson, ""),
    ("PUT /scim/v2/Users/{id}", Of::DirectorysPerson, USER),
    ("PATCH /scim/v2/Users/{id}", Of::DirectorysPerson, CLOSE),
    ("DELETE /scim/v2/Users/{id}", Of::DirectorysPerson, ""),
];

/// Whose identifiers are no records of people: names of the configuration and of the standard.
const NO_RECORDS: [&str; 3] =
    ["/admin/directory/connections/{name}/try", "/scim/v2/ResourceTypes/{id}", "/scim/v2/Schemas/{id}"];

/// Whose record it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    /// The asker's, by the account it is about, the maker, or the place in it.
    Own,
    /// Of somebody with no role but a user's.
    Another,
    /// Of an owner.
    Owners,
    /// Nothing tells records of this kind apart.
    Any,
}

impl Whose {
    const fn word(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Another => "other",
            Self::Owners => "owner's",
            Self::Any => "any",
        }
    }
}

/// The askers, in the order of the columns; none of the first is a person.
const COLUMNS: [(&str, Option<Role>); 11] = [
    ("nobody", None),
    ("key", None),
    ("scim", None),
    ("user", Some(Role::User)),
    ("owner", Some(Role::Owner)),
    ("admin", Some(Role::Administrator)),
    ("officer", Some(Role::SecurityOfficer)),
    ("auditor", Some(Role::Auditor)),
    ("superv.", Some(Role::Supervisor)),
    ("all", None),
    ("1factor", None),
];

/// Somebody who asks, and the account behind it.
struct Somebody {
    asker: Asker,
    user: Option<domain::id::UserId>,
}

struct Scene<'a> {
    maker: Maker<'a>,
    owner: Client,
    key: String,
    token: String,
    made: std::cell::Cell<u32>,
}

impl<'a> Scene<'a> {
    async fn new(instance: &'a Instance) -> Self {
        let (maker, mut owner) = Maker::new(instance).await;
        let key = owner.make_key("a key of the owner's").await;
        let made = owner.submit::<&str, &str>("/admin/directory/tokens", &[]).await;
        let token = made.expect_status(StatusCode::OK).between("id=\"key\">", "<");
        Self { maker, owner, key, token, made: std::cell::Cell::new(0) }
    }

    /// A name nobody has.
    fn name(&self) -> String {
        self.made.set(self.made.get() + 1);
        format!("Somebody-{}", self.made.get())
    }

    /// Somebody fresh for one of [`COLUMNS`].
    async fn somebody(&self, (name, role): (&'static str, Option<Role>)) -> Somebody {
        let program = |key: Option<&String>| Asker { name, browser: self.owner.beside(), key: key.cloned() };
        let (roles, proven) = match (name, role) {
            ("nobody", _) => return Somebody { asker: program(None), user: None },
            ("key", _) => {
                return Somebody { asker: program(Some(&self.key)), user: Some(self.maker.owner) };
            }
            ("scim", _) => return Somebody { asker: program(Some(&self.token)), user: None },
            (_, Some(role)) => (Roles::NONE.with(Role::User).with(role), true),
            (name, None) => (Role::ALL.into_iter().collect(), name != "1factor"),
        };
        let user = self.maker.account(&self.name(), roles).await;
        let browser = self.maker.session(&self.owner, user, proven).await;
        Somebody { asker: Asker { name, browser, key: None }, user: Some(user) }
    }
}

#[test]
fn every_identifier_opens_what_is_written_here() {
    testkit::run(async {
        let place = Place::new();
        // Everybody here is new, and nobody's tokens or confirmation grow old, however slow the machine.
        let numbers = "[policy]\nsecond_person_days = 0\naccess_token_minutes = 55\nstep_up_minutes = 55\n";
        let instance = place.start(numbers).await.unwrap();
        let scene = Scene::new(&instance).await;
        are_complete();
        let mut askers = Vec::new();
        for column in COLUMNS {
            askers.push(scene.somebody(column).await);
        }
        let mut matrix = format!("{:58} {:7}", "", "whose");
        COLUMNS.iter().for_each(|(name, _)| matrix.push_str(&format!(" {name:7}")));
        for (route, of, body) in ROUTES {
            for whose in of.whose() {
                let shown = verdict(route, body);
                matrix.push_str(&format!("\n{shown:58} {:7}", whose.word()));
                let mut kept: Option<Record> = None;
                for (column, somebody) in askers.iter_mut().enumerate() {
                    let record = match (kept.take(), *whose, somebody.user) {
                        (_, Whose::Own, None)
                            if *of != Of::DirectorysPerson && *of != Of::DirectorysGroup =>
                        {
                            matrix.push_str(&format!(" {:7}", "-"));
                            continue;
                        }
                        (Some(kept), ..) => kept,
                        (None, whose, user) => records::make(&scene, *of, whose, user).await,
                    };
                    let (method, path) = route.split_once(' ').unwrap();
                    let method: Method = method.parse().unwrap();
                    let body = record.filled(body, &scene.name());
                    let body = Some(body).filter(|body| !body.is_empty());
                    let status = somebody.asker.ask(&method, &record.path(path), body.as_deref()).await;
                    judge(route, *whose, &somebody.asker, status);
                    matrix.push_str(&format!(" {:7}", status.as_u16()));
                    let done = status.is_success() || status.is_redirection();
                    match (done && method != Method::GET, *whose) {
                        // It may have cost the asker their session, their roles, their account.
                        (true, Whose::Own) => *somebody = scene.somebody(COLUMNS[column]).await,
                        (false, Whose::Another | Whose::Owners | Whose::Any) => kept = Some(record),
                        _ => {}
                    }
                    if kept.is_none() {
                        records::put_away(&scene).await;
                    }
                }
                records::put_away(&scene).await;
            }
        }
        insta::assert_snapshot!(trimmed(&matrix));
        instance.stop().await;
    });
}

/// The route, with the verdict where it takes one.
fn verdict(route: &str, body: &str) -> String {
    match body.split_once("verdict=") {
        Some((_, verdict)) => format!("{route} {verdict}"),
        None => route.to_owned(),
    }
}

/// What must hold whatever the snapshot says.
fn judge(route: &str, whose: Whose, asker: &Asker, status: StatusCode) {
    let (who, whose) = (asker.name, whose.word());
    assert!(!status.is_server_error(), "{route} ({whose}) as {who}: {status}");
    assert_ne!(status, StatusCode::TOO_MANY_REQUESTS, "{route} as {who}: the test ran into a limit");
    let misshapen = [StatusCode::BAD_REQUEST, StatusCode::UNSUPPORTED_MEDIA_TYPE].contains(&status);
    assert!(!misshapen, "{route} ({whose}) as {who}: {status}, so nobody was asked for a right");
    let done = status.is_success() || status.is_redirection();
    let by_directory = who == "scim" && route.contains(" /scim/");
    let strange = ["nobody", "key", "scim", "user", "1factor"].contains(&who);
    assert!(!(strange && done) || by_directory, "{route} ({whose}) was done as {who}");
}

/// Every route with an identifier stands in [`ROUTES`].
fn are_complete() {
    let known: BTreeSet<&str> =
        ROUTES.iter().map(|(route, ..)| route.split_once(' ').unwrap().1).chain(NO_RECORDS).collect();
    let by_id = paths()
        .into_iter()
        .filter(|path| path.contains('{') && (path.starts_with("/admin/") || path.starts_with("/scim/")));
    for path in by_id {
        assert!(known.contains(path.as_str()), "{path} has no line in ROUTES");
    }
}
