//! Policies as organisations write them: what they refuse, what is refused about them, and what happens when
//! one cannot be evaluated.

use std::{collections::BTreeSet, fs, net::IpAddr, path::Path};

use domain::{
    Clock, Denied, Entropy,
    access::{Role, Standing},
    authorize,
    bounds::Bounds,
    id::{ApiKeyId, SessionId},
    verifies,
};

use super::*;

/// A Wednesday, 09:30 UTC.
const WEDNESDAY: i64 = 1_767_778_200;
/// The examples of the documentation.
const DOCUMENT: &str = include_str!("../../../../docs/policies.md");

fn user(n: u128) -> UserId {
    UserId(uuid::Uuid::from_u128(n))
}

/// Who asks, when and from where.
struct Scene {
    roles: Vec<Role>,
    groups: Vec<&'static str>,
    seconds: i64,
    address: Option<&'static str>,
    through_key: bool,
}

impl Default for Scene {
    fn default() -> Self {
        let roles = vec![Role::User, Role::Owner];
        Self { roles, groups: Vec::new(), seconds: WEDNESDAY, address: Some("10.1.2.3"), through_key: false }
    }
}

impl Scene {
    /// Whether this person may do `action` behind `policies`.
    fn may(&self, policies: &Policies, action: Action, resource: Resource) -> Result<(), Denied> {
        let at = Timestamp(self.seconds * 1_000_000);
        let standing = Standing::of(self.roles.iter().copied().collect()).proven(at.plus_seconds(60));
        let actor = match self.through_key {
            true => Actor::ApiKey {
                user: user(1),
                key: ApiKeyId(uuid::Uuid::from_u128(8)),
                scopes: Role::User.rights(),
            },
            false => Actor::Person { user: user(1), session: SessionId(uuid::Uuid::from_u128(9)), standing },
        };
        let mut ctx = Ctx::new(actor, Clock::new(move || at), Entropy::new(|buffer| buffer.fill(3)))
            .behind(gate(Some(policies.clone()), Arc::default()));
        ctx.address = self.address.map(|text| text.parse::<IpAddr>().unwrap());
        let groups: BTreeSet<String> = self.groups.iter().map(|group| (*group).to_owned()).collect();
        ctx.bounds = Arc::new(Bounds { groups, ..Bounds::default() });
        authorize(&ctx, action, resource).map(|_| ())
    }
}

fn load(files: &[(&str, &str)]) -> Result<Policies, Vec<PolicyProblem>> {
    load_at(files, 0)
}

fn load_at(files: &[(&str, &str)], offset: i32) -> Result<Policies, Vec<PolicyProblem>> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    Policies::load(folder.path(), offset)
}

fn right(text: &str) -> Policies {
    load(&[("own.cedar", text)]).unwrap()
}

const MINE: Resource = Resource::Of(UserId(uuid::Uuid::from_u128(1)));

#[test]
fn without_policies_the_rules_alone_decide() {
    let none = load(&[]).unwrap();
    assert!(none.is_empty());
    for (action, resource) in [(Action::ReadChat, MINE), (Action::GrantRoles, Resource::Instance)] {
        assert!(Scene::default().may(&none, action, resource).is_ok(), "{action:?}");
    }
    assert!(Scene::default().may(&none, Action::ReadChat, Resource::Of(user(2))).is_err());
}

#[test]
fn a_policy_that_cannot_be_evaluated_means_no() {
    let _proof = verifies!(ACC06);
    // Nothing is wrong with its types; the sum overflows as soon as it is asked.
    let erring = right(
        "forbid (principal, action == Action::\"read_chat\", resource) \
         when { context.hour + 9223372036854775807 > 0 && false };",
    );
    assert!(Scene::default().may(&erring, Action::ReadChat, MINE).is_err());
    // It is about one action; the others are as they were.
    assert!(Scene::default().may(&erring, Action::WriteChat, MINE).is_ok());
}

#[test]
fn faults_are_told_with_file_and_line() {
    let tell = |text: &str| {
        let problems =
            load(&[("a.cedar", "forbid (principal, action, resource) when { false };"), ("b.cedar", text)]);
        let told: Vec<String> = problems.unwrap_err().iter().map(ToString::to_string).collect();
        told.join(" | ")
    };
    for (text, line, about) in [
        ("\n\nforbid (principal, action, resource) when { context.huor > 3 };", 3, "huor"),
        ("forbid (principal, action,\n resource) when {\n context.hour > \"three\" };", 3, "Long"),
        ("forbid (principal in Role::\"ownr\", action, resource);", 1, "ownr"),
        ("\nforbid (principal, action == Action::\"read_chats\", resource);", 2, "read_chats"),
        ("forbid (principal, action, resource)\nwhen { context.address.isIpv4() };", 2, "address"),
        ("forbid (principal, action, resource) whem { true };", 1, "whem"),
        (
            "forbid (principal, action, resource) when { false };\n\npermit (principal, action, resource);",
            3,
            "permit",
        ),
        ("forbid (principal == ?principal, action, resource);", 1, "template"),
        ("\u{0}", 1, ""),
    ] {
        let told = tell(text);
        assert!(told.contains(&format!("b.cedar, line {line}: ")) && told.contains(about), "{text}\n{told}");
        assert!(!told.contains("a.cedar"), "{told}");
    }
    let nowhere = Policies::load(Path::new("/no/such/folder"), 0).unwrap_err();
    assert!(nowhere[0].to_string().contains("/no/such/folder"));
}

#[test]
fn no_policy_opens_what_the_rules_refuse() {
    // A permit is refused at load; a forbid that never holds opens nothing either.
    let idle = right("forbid (principal, action, resource) when { false };");
    for action in Action::ALL {
        assert!(Scene::default().may(&idle, action, Resource::Of(user(2))).is_err(), "{action:?}");
    }
    let plain = Scene { roles: vec![Role::User], ..Scene::default() };
    assert!(plain.may(&idle, Action::GrantRoles, Resource::Instance).is_err());
}

#[test]
fn every_action_on_everything_can_be_asked() {
    let watching = right("forbid (principal, action, resource) when { principal.through == \"nowhere\" };");
    for action in Action::ALL {
        for resource in [MINE, Resource::Instance] {
            let without = Scene::default().may(&load(&[]).unwrap(), action, resource);
            assert_eq!(Scene::default().may(&watching, action, resource), without, "{action:?} {resource:?}");
        }
    }
}

/// The policies of the document, by the heading they stand under.
fn example(heading: &str) -> String {
    let section = DOCUMENT.split("\n## ").find(|section| section.starts_with(heading));
    let section = section.unwrap_or_else(|| panic!("docs/policies.md has no {heading:?}"));
    section.split("```cedar\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap().to_owned()
}

#[test]
fn office_hours() {
    let policies = load_at(&[("hours.cedar", &example("Office hours"))], 330).unwrap();
    let at = |seconds| {
        Scene { seconds, ..Scene::default() }.may(&policies, Action::ManagePeople, Resource::Instance)
    };
    // Wednesday 15:00 in India; Wednesday 20:30; Saturday 15:00.
    assert!(at(WEDNESDAY).is_ok());
    assert!(at(WEDNESDAY + 5 * 3600 + 1800).is_err());
    assert!(at(WEDNESDAY + 3 * 86_400).is_err());
    let late = Scene { seconds: WEDNESDAY + 6 * 3600, ..Scene::default() };
    assert!(late.may(&policies, Action::ReadChat, MINE).is_ok(), "chatting is not administration");
}

#[test]
fn only_from_the_company_network() {
    let policies = right(&example("Only from the company network"));
    let from = |address| {
        Scene { address, ..Scene::default() }.may(&policies, Action::GrantRoles, Resource::Instance)
    };
    assert!(from(Some("10.1.2.3")).is_ok() && from(Some("2001:db8:7::1")).is_ok());
    assert!(from(Some("203.0.113.9")).is_err());
    assert!(from(None).is_err(), "an address that is not known is not the company's");
    assert!(from(Some("::ffff:10.1.2.3")).is_ok(), "the same address in another spelling");
}

#[test]
fn contractors() {
    let policies = right(&example("Contractors"));
    let contractor =
        |seconds| Scene { groups: vec!["Contractors"], roles: vec![Role::User], seconds, ..Scene::default() };
    assert!(contractor(WEDNESDAY).may(&policies, Action::UseModel, MINE).is_ok());
    assert!(
        contractor(WEDNESDAY + 3 * 86_400).may(&policies, Action::UseModel, MINE).is_err(),
        "on a Saturday"
    );
    assert!(Scene::default().may(&policies, Action::UseModel, MINE).is_ok());
    let key = Scene { through_key: true, ..contractor(WEDNESDAY) };
    assert!(key.may(&policies, Action::UseModel, MINE).is_err());
}

#[test]
fn a_fresh_confirmation_for_evidence() {
    let policies = right(&example("Evidence after a fresh confirmation"));
    assert!(Scene::default().may(&policies, Action::ReadEvidence, Resource::Instance).is_ok());
    let auditor = Scene { roles: vec![Role::Auditor], ..Scene::default() };
    assert!(auditor.may(&policies, Action::ReadEvidence, Resource::Instance).is_ok());
    assert!(policies.len() == 1);
}

#[test]
fn nobody_reads_chats_as_staff() {
    let policies = right(&example("Nobody reads chats as staff"));
    let at = Timestamp(WEDNESDAY * 1_000_000);
    let glass = Actor::BreakGlass {
        user: user(2),
        subject: user(1),
        request: domain::id::ContentRequestId(uuid::Uuid::from_u128(5)),
        until: at.plus_seconds(60),
    };
    let ctx = Ctx::new(glass, Clock::new(move || at), Entropy::new(|buffer| buffer.fill(3)));
    assert!(authorize(&ctx, Action::ReadChat, MINE).is_ok());
    assert!(
        authorize(&ctx.behind(gate(Some(policies.clone()), Arc::default())), Action::ReadChat, MINE).is_err()
    );
    assert!(
        Scene::default().may(&policies, Action::ReadChat, MINE).is_ok(),
        "one's own chats stay one's own"
    );
}
