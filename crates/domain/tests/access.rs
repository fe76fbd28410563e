//! Every kind of actor × every action × own, other people's and the instance's resources.
//!
//! The table of expectations is written out here a second time, by hand, so that a change of the
//! rules is a change of this file as well.

use domain::{
    Action, Actor, Clock, Ctx, Entropy, Job, Missing, Resource, Timestamp,
    access::{Gate, Rights, Role, Roles, Standing},
    authorize,
    id::{ApiKeyId, ContentRequestId, CustomerId, SessionId, UserId},
    verifies,
};
use proptest::prelude::*;

/// The moment all of these tests are asked at.
const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

fn ctx(actor: Actor) -> Ctx {
    Ctx::new(actor, Clock::new(|| NOW), Entropy::new(|buffer| buffer.fill(7)))
}

fn user(n: u128) -> UserId {
    UserId(uuid::Uuid::from_u128(n))
}

/// Somebody who has shown everything there is to show, just now.
fn person(n: u128, roles: Roles) -> Actor {
    standing(n, Standing::of(roles).proven(NOW.plus_seconds(60)))
}

fn standing(n: u128, standing: Standing) -> Actor {
    Actor::Person { user: user(n), session: SessionId(uuid::Uuid::from_u128(900)), standing }
}

fn key(n: u128, scopes: Rights) -> Actor {
    Actor::ApiKey { user: user(n), key: ApiKeyId(uuid::Uuid::from_u128(901)), scopes }
}

fn broken_glass(until: Timestamp) -> Actor {
    let request = ContentRequestId(uuid::Uuid::from_u128(902));
    Actor::BreakGlass { user: user(9), subject: user(1), request, until }
}

const JOBS: [Job; 9] = [
    Job::Setup,
    Job::Authentication,
    Job::Checks,
    Job::Turn,
    Job::Upkeep,
    Job::Mail,
    Job::Provisioning,
    Job::Operator,
    Job::Desk,
];

/// Which actions an actor has on its own data, on another's, and on the instance, one letter each
/// (see [`letter`]).
fn expected() -> Vec<(&'static str, Actor, [&'static str; 3])> {
    let with = |roles: &[Role]| roles.iter().copied().collect::<Roles>();
    vec![
        ("nobody", Actor::Anonymous, ["", "", ""]),
        ("a person without a role", person(1, Roles::NONE), ["rwRWC", "", ""]),
        ("a user", person(1, with(&[Role::User])), ["rwmeRWCs", "", "meis"]),
        ("an owner", person(1, with(&[Role::Owner])), ["rwmeRWCs", "", "meiIpPDGgEVFOASskchl"]),
        ("an administrator", person(1, with(&[Role::Administrator])), ["rwmeRWCs", "", "meiIpPDgFSs"]),
        ("a security officer", person(1, with(&[Role::SecurityOfficer])), ["rwmeRWCs", "", "meipEVFBOAs"]),
        ("an auditor", person(1, with(&[Role::Auditor])), ["rwRWC", "", "iE"]),
        ("a supervisor", person(1, with(&[Role::Supervisor])), ["rwmeRWCs", "", "meipskKchlL"]),
        ("an API key", key(1, Role::User.rights()), ["mes", "", "meis"]),
        ("an API key of an owner", key(1, Role::Owner.rights()), ["mes", "", "meish"]),
        ("an API key without scopes", key(1, Rights::NONE), ["", "", ""]),
        ("a broken glass", broken_glass(NOW.plus_seconds(1)), ["r", "", ""]),
        ("a broken glass, too late", broken_glass(NOW), ["", "", ""]),
        ("setup", Actor::System(Job::Setup), ["WCiI", "WCiI", "WCiI"]),
        ("authentication", Actor::System(Job::Authentication), ["RWCa", "RWCa", "RWCa"]),
        ("checks", Actor::System(Job::Checks), ["iI", "iI", "iI"]),
        ("a turn", Actor::System(Job::Turn), ["rwms", "rwms", "rwms"]),
        ("upkeep", Actor::System(Job::Upkeep), ["WIVAc", "WIVAc", "WIVAc"]),
        ("the operator", Actor::System(Job::Operator), ["Ac", "Ac", "Ac"]),
        ("the desk", Actor::System(Job::Desk), ["vh", "vh", "vh"]),
        ("mail", Actor::System(Job::Mail), ["R", "R", "R"]),
        ("provisioning", Actor::System(Job::Provisioning), ["RWpPg", "RWpPg", "RWpPg"]),
    ]
}

fn letter(action: Action) -> char {
    match action {
        Action::ReadChat => 'r',
        Action::WriteChat => 'w',
        Action::UseModel => 'm',
        Action::Embed => 'e',
        Action::ReadAccount => 'R',
        Action::WriteAccount => 'W',
        Action::ManageCredentials => 'C',
        Action::ReadInstance => 'i',
        Action::WriteInstance => 'I',
        Action::Authenticate => 'a',
        Action::ReadPeople => 'p',
        Action::ManagePeople => 'P',
        Action::RemovePeople => 'D',
        Action::GrantRoles => 'G',
        Action::ManageGroups => 'g',
        Action::ReadEvidence => 'E',
        Action::ReviewAccess => 'V',
        Action::ApproveRecovery => 'F',
        Action::RequestContent => 'B',
        Action::ApproveContent => 'O',
        Action::ManageEdge => 'A',
        Action::ManageDirectory => 'S',
        Action::Speech => 's',
        Action::ReadCustomers => 'k',
        Action::ReadRestricted => 'K',
        Action::ManageCustomers => 'c',
        Action::VerifyCustomer => 'v',
        Action::ServeCustomer => 'x',
        Action::HoldDesk => 'h',
        Action::SeeCalls => 'l',
        Action::WatchCalls => 'L',
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
fn one_customer_is_served_by_the_desk_and_opened_by_nobody_else() {
    let _proof = verifies!(CUS04);
    let (one, other) = (CustomerId(uuid::Uuid::from_u128(7)), CustomerId(uuid::Uuid::from_u128(8)));
    for (who, actor, _) in expected() {
        for action in Action::ALL {
            let allowed = authorize(&ctx(actor.clone()), action, Resource::Customer(one)).is_ok();
            let wanted = actor == Actor::System(Job::Desk) && action == Action::ServeCustomer;
            assert_eq!(allowed, wanted, "{who}: {action:?}");
        }
    }
    let permit = authorize(&ctx(Actor::System(Job::Desk)), Action::ServeCustomer, Resource::Customer(one));
    let permit = permit.unwrap();
    assert_eq!(permit.customer(Action::ServeCustomer), Ok(one));
    assert_ne!(permit.customer(Action::ServeCustomer), Ok(other));
    assert!(permit.customer(Action::ReadCustomers).is_err());
    assert!(permit.instance(Action::ServeCustomer).is_err(), "no permit serves all of them");
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
    let ctx = ctx(person(1, Roles::NONE.with(Role::User)));
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
    assert_eq!((anonymous.missing, person.missing), (Some(Missing::SignIn), None));
    assert_eq!(anonymous.to_string(), person.to_string());
}

#[test]
fn administration_takes_a_second_factor_and_danger_a_fresh_one() {
    let _proof = verifies!(AUT08);
    let roles: Roles = Role::ALL.into_iter().collect();
    let unproven = standing(1, Standing::of(roles));
    let stale = standing(1, Standing::of(roles).proven(NOW));
    for action in Action::ALL {
        let resource =
            if action == Action::ManageCredentials { Resource::Of(user(1)) } else { Resource::Instance };
        let missing =
            |actor: &Actor| authorize(&ctx(actor.clone()), action, resource).err().map(|no| no.missing);
        if !roles.rights().has(action) && action != Action::ManageCredentials {
            assert_eq!(missing(&stale), Some(None), "{action:?}");
            continue;
        }
        let first = action.is_administrative().then_some(Missing::SecondFactor);
        let first = first.or(action.needs_step_up().then_some(Missing::StepUp));
        assert_eq!(missing(&unproven), first.map(Some), "{action:?}");
        let then = action.needs_step_up().then_some(Missing::StepUp);
        assert_eq!(missing(&stale), then.map(Some), "{action:?}");
    }
}

#[test]
fn a_gate_narrows_and_never_widens() {
    let shut = Gate::new(|question| question.action != Action::ReadChat);
    let ann = ctx(person(1, Roles::NONE)).behind(shut);
    assert_eq!(authorize(&ann, Action::ReadChat, Resource::Of(user(1))), Err(domain::Denied::FLAT));
    assert!(authorize(&ann, Action::WriteChat, Resource::Of(user(1))).is_ok());
    let generous = ctx(person(1, Roles::NONE)).behind(Gate::new(|_| true));
    assert!(authorize(&generous, Action::WriteChat, Resource::Of(user(2))).is_err());
}

#[test]
fn what_a_role_may_carry_is_never_a_persons_data_nor_recognising_people() {
    for action in Action::ALL.into_iter().filter(|action| !action.is_grantable()) {
        let extra = Rights::NONE.with(action);
        let odd = standing(1, Standing { extra, ..Standing::default() }.proven(NOW.plus_seconds(60)));
        assert!(authorize(&ctx(odd), action, Resource::Instance).is_err(), "{action:?}");
    }
}

proptest! {
    #[test]
    fn nobody_but_the_system_reaches_another_person(
        me in 0_u128..8, them in 0_u128..8, roles in proptest::collection::vec(0..Role::ALL.len(), 0..3),
        action in 0..Action::ALL.len(), by_key: bool,
    ) {
        let roles: Roles = roles.into_iter().map(|at| Role::ALL[at]).collect();
        let actor = if by_key { key(me, roles.rights()) } else { person(me, roles) };
        let permit = authorize(&ctx(actor), Action::ALL[action], Resource::Of(user(them)));
        if me != them {
            prop_assert!(permit.is_err());
        } else if let Ok(permit) = permit {
            prop_assert_eq!(permit.subject(Action::ALL[action]), Ok(user(me)));
        }
    }
}
