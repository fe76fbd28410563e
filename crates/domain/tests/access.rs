//! Every kind of actor × every action × own, other people's and the instance's resources.
//!
//! The table of expectations is written out here a second time, by hand, so that a change of the
//! rules is a change of this file as well.

use domain::{
    Action, Actor, Clock, Ctx, Entropy, Job, Resource, Timestamp,
    access::{Role, Roles},
    authorize,
    id::{ApiKeyId, SessionId, UserId},
    verifies,
};
use proptest::prelude::*;

fn ctx(actor: Actor) -> Ctx {
    let clock = Clock::new(|| Timestamp(1_800_000_000_000_000));
    Ctx::new(actor, clock, Entropy::new(|buffer| buffer.fill(7)))
}

fn user(n: u128) -> UserId {
    UserId(uuid::Uuid::from_u128(n))
}

fn person(n: u128, roles: Roles) -> Actor {
    Actor::Person { user: user(n), session: SessionId(uuid::Uuid::from_u128(900)), roles }
}

fn key(n: u128) -> Actor {
    Actor::ApiKey { user: user(n), key: ApiKeyId(uuid::Uuid::from_u128(901)) }
}

const JOBS: [Job; 5] = [Job::Setup, Job::Authentication, Job::Checks, Job::Turn, Job::Upkeep];

/// Which actions an actor has on its own data, on another's, and on the instance: `rwmRWiIa` for
/// read chat, write chat, use a model, read account, write account, read instance, write instance,
/// authenticate.
fn expected() -> Vec<(&'static str, Actor, [&'static str; 3])> {
    let user_role = Roles::NONE.with(Role::User);
    let owner = user_role.with(Role::Owner);
    vec![
        ("nobody", Actor::Anonymous, ["", "", ""]),
        ("a person without a role", person(1, Roles::NONE), ["rwmRWiI", "", "mi"]),
        ("a user", person(1, user_role), ["rwmRWiI", "", "mi"]),
        ("an owner", person(1, owner), ["rwmRWiI", "", "miI"]),
        ("an API key", key(1), ["m", "", "mi"]),
        ("setup", Actor::System(Job::Setup), ["WiI", "WiI", "WiI"]),
        ("authentication", Actor::System(Job::Authentication), ["RWa", "RWa", "RWa"]),
        ("checks", Actor::System(Job::Checks), ["iI", "iI", "iI"]),
        ("a turn", Actor::System(Job::Turn), ["rwm", "rwm", "rwm"]),
        ("upkeep", Actor::System(Job::Upkeep), ["WI", "WI", "WI"]),
    ]
}

fn letter(action: Action) -> char {
    match action {
        Action::ReadChat => 'r',
        Action::WriteChat => 'w',
        Action::UseModel => 'm',
        Action::ReadAccount => 'R',
        Action::WriteAccount => 'W',
        Action::ReadInstance => 'i',
        Action::WriteInstance => 'I',
        Action::Authenticate => 'a',
    }
}

#[test]
fn the_whole_matrix_is_as_written_here() {
    let _proof = verifies!(ACC01);
    for (who, actor, [own, other, instance]) in expected() {
        let ctx = ctx(actor);
        let columns = [
            ("own", Resource::Of(user(1)), own),
            ("another's", Resource::Of(user(2)), other),
            ("the instance", Resource::Instance, instance),
        ];
        for (which, resource, allowed) in columns {
            let got: String = Action::ALL
                .into_iter()
                .filter(|a| authorize(&ctx, *a, resource).is_ok())
                .map(letter)
                .collect();
            assert_eq!(got, allowed, "{who} on {which}");
        }
    }
}

#[test]
fn no_role_opens_another_persons_data() {
    let _proof = verifies!(ACC02);
    let every_role: Roles = Role::ALL.into_iter().collect();
    for action in Action::ALL {
        let denied = authorize(&ctx(person(1, every_role)), action, Resource::Of(user(2)));
        assert!(denied.is_err(), "{action:?}");
    }
}

#[test]
fn no_job_of_the_system_may_do_everything_and_none_reads_chats_but_a_turn() {
    for job in JOBS {
        let may = |action| authorize(&ctx(Actor::System(job)), action, Resource::Of(user(1))).is_ok();
        assert!(Action::ALL.into_iter().any(|action| !may(action)), "{job:?}");
        assert_eq!(may(Action::ReadChat), job == Job::Turn, "{job:?}");
    }
}

#[test]
fn a_permit_opens_what_it_was_asked_for_and_nothing_else() {
    let ctx = ctx(person(1, Roles::NONE));
    let permit = authorize(&ctx, Action::ReadChat, Resource::Of(user(1))).unwrap();
    assert_eq!(permit.subject(Action::ReadChat), Ok(user(1)));
    for other in Action::ALL.into_iter().filter(|a| *a != Action::ReadChat) {
        assert!(permit.subject(other).is_err(), "{other:?}");
    }
    let instance = authorize(&ctx, Action::ReadInstance, Resource::Instance).unwrap();
    assert!(instance.subject(Action::ReadInstance).is_err());
}

#[test]
fn a_denial_says_whether_signing_in_might_help_and_nothing_about_what_exists() {
    let anonymous = authorize(&ctx(Actor::Anonymous), Action::ReadChat, Resource::Of(user(1))).unwrap_err();
    let person =
        authorize(&ctx(person(1, Roles::NONE)), Action::ReadChat, Resource::Of(user(2))).unwrap_err();
    assert!(anonymous.anonymous && !person.anonymous);
    assert_eq!(anonymous.to_string(), person.to_string());
}

proptest! {
    #[test]
    fn nobody_but_the_system_reaches_another_person(
        me in 0_u128..8, them in 0_u128..8, roles in proptest::collection::vec(0..Role::ALL.len(), 0..3),
        action in 0..Action::ALL.len(), by_key: bool,
    ) {
        let roles: Roles = roles.into_iter().map(|at| Role::ALL[at]).collect();
        let actor = if by_key { key(me) } else { person(me, roles) };
        let permit = authorize(&ctx(actor), Action::ALL[action], Resource::Of(user(them)));
        if me != them {
            prop_assert!(permit.is_err());
        } else if let Ok(permit) = permit {
            prop_assert_eq!(permit.subject(Action::ALL[action]), Ok(user(me)));
        }
    }
}
