//! The gate: an organisation's own policies, in Cedar, before what the built-in rules allow.
//!
//! The server loads [`Policies`] from a folder at start; [`crate::Identity`] makes the gate of them that every
//! [`Ctx`] of a request stands behind. Invariants: policies that are not right in every word are refused at
//! load, with file and line; they only forbid; one that cannot be evaluated means no, and says so in the log.

mod load;

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::Arc,
};

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicySet, Request,
    RestrictedExpression as Value,
};
use domain::{
    Action, Actor, Ctx, Resource, Timestamp,
    access::{Gate, Question, Roles, Shown},
    enforced,
    id::UserId,
};

pub use load::PolicyProblem;

use crate::uses::Uses;

const DAY_S: i64 = 24 * 60 * 60;

/// Policies that were found right.
#[derive(Clone)]
pub struct Policies(Arc<Inner>);

struct Inner {
    policies: PolicySet,
    authorizer: Authorizer,
    names: Names,
    /// Minutes the clock of policies is ahead of UTC.
    utc_offset_minutes: i64,
}

/// The names of the schema, read once.
struct Names {
    person: EntityTypeName,
    role: EntityTypeName,
    group: EntityTypeName,
    chat: EntityTypeName,
    account: EntityTypeName,
    model: EntityTypeName,
    instance: EntityTypeName,
    action: EntityTypeName,
}

/// Why an evaluation came to nothing. Deliberately without words: the log names the policy.
struct Undecided;

impl<E: std::error::Error> From<E> for Undecided {
    fn from(_: E) -> Self {
        Self
    }
}

/// The gate of `policies`, which also notes the use of administrative rights in `uses`.
pub(crate) fn gate(policies: Option<Policies>, uses: Arc<Uses>) -> Gate {
    Gate::new(move |question| {
        let allowed = policies.as_ref().is_none_or(|policies| policies.allow(question));
        if allowed && question.action.is_administrative() {
            uses.note(question);
        }
        allowed
    })
}

impl Policies {
    /// Whether the policies let this through. What the system does on its own account is not theirs to judge.
    fn allow(&self, question: &Question<'_>) -> bool {
        let Some(asker) = Asker::of(question.ctx) else { return true };
        match self.decide(&asker, question) {
            Ok(allowed) => allowed,
            Err(Undecided) => {
                tracing::error!("a question could not be put to the policies, so the answer was no");
                false
            }
        }
    }

    fn decide(&self, asker: &Asker, question: &Question<'_>) -> Result<bool, Undecided> {
        let Inner { policies, authorizer, names, .. } = &*self.0;
        let person = names.person(asker)?;
        let thing = names.thing(asker.user, question)?;
        let action = uid(&names.action, question.action.as_str());
        let request =
            Request::new(person.uid(), action, thing.uid(), self.circumstances(asker, question.ctx)?, None)?;
        let response =
            authorizer.is_authorized(&request, policies, &Entities::from_entities([person, thing], None)?);
        // A policy that errors is skipped by Cedar; a forbid among those would be an open door.
        let mut errors = response.diagnostics().errors();
        if let Some(cedar_policy::AuthorizationError::PolicyEvaluationError(error)) = errors.next() {
            enforced!(ACC06);
            tracing::error!(policy = %error.policy_id(), "a policy could not be evaluated, so the answer was no");
            return Ok(false);
        }
        Ok(response.decision() == Decision::Allow)
    }

    fn circumstances(&self, asker: &Asker, ctx: &Ctx) -> Result<Context, Undecided> {
        let now = ctx.now();
        let local = now.seconds() + self.0.utc_offset_minutes * 60;
        let (day, second) = (local.div_euclid(DAY_S), local.rem_euclid(DAY_S));
        let mut pairs = vec![
            ("hour".to_owned(), Value::new_long(second / 3600)),
            ("minute".to_owned(), Value::new_long(second % 3600 / 60)),
            // The first of January 1970 was a Thursday.
            ("weekday".to_owned(), Value::new_long((day + 3).rem_euclid(7) + 1)),
            ("fresh".to_owned(), Value::new_bool(is_fresh(asker.shown, now))),
        ];
        if let Some(address) = ctx.address {
            pairs.push(("address".to_owned(), Value::new_ip(address.to_canonical().to_string())));
        }
        Ok(Context::from_pairs(pairs)?)
    }
}

fn is_fresh(shown: Shown, now: Timestamp) -> bool {
    now < shown.fresh_until
}

/// Whoever asks, as policies see them.
struct Asker {
    user: UserId,
    roles: Roles,
    groups: Vec<String>,
    shown: Shown,
    through: &'static str,
}

impl Asker {
    fn of(ctx: &Ctx) -> Option<Self> {
        let (user, roles, shown, through) = match &ctx.actor {
            Actor::Person { user, standing, .. } => (*user, standing.roles, standing.shown, "session"),
            Actor::ApiKey { user, .. } => (*user, Roles::NONE, Shown::default(), "key"),
            Actor::BreakGlass { user, .. } => (*user, Roles::NONE, Shown::default(), "break_glass"),
            Actor::Anonymous | Actor::System(_) => return None,
        };
        Some(Self { user, roles, groups: ctx.bounds.groups.iter().cloned().collect(), shown, through })
    }
}

impl Names {
    fn person(&self, asker: &Asker) -> Result<Entity, Undecided> {
        let attributes = HashMap::from([
            ("second_factor".to_owned(), Value::new_bool(asker.shown.second_factor)),
            ("through".to_owned(), Value::new_string(asker.through.to_owned())),
        ]);
        let roles = asker.roles.iter().map(|role| uid(&self.role, role.as_str()));
        let groups = asker.groups.iter().map(|group| uid(&self.group, group));
        let parents: HashSet<EntityUid> = roles.chain(groups).collect();
        Ok(Entity::new(uid(&self.person, &asker.user.to_string()), attributes, parents)?)
    }

    fn thing(&self, asker: UserId, question: &Question<'_>) -> Result<Entity, Undecided> {
        use Action as A;
        let own = match question.resource {
            Resource::Of(owner) => owner == asker,
            // Customers are no account's own; only the system reaches them one by one.
            Resource::Customer(_) => false,
            Resource::Instance => true,
        };
        let kind = match question.action {
            A::ReadChat | A::WriteChat => &self.chat,
            A::ReadAccount | A::WriteAccount | A::ManageCredentials => &self.account,
            A::UseModel | A::Embed | A::Speech => &self.model,
            _ => return Ok(Entity::new_no_attrs(uid(&self.instance, "this"), HashSet::new())),
        };
        let attributes = HashMap::from([("own".to_owned(), Value::new_bool(own))]);
        Ok(Entity::new(uid(kind, if own { "own" } else { "other" }), attributes, HashSet::new())?)
    }
}

fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

impl fmt::Debug for Policies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Policies({})", self.len())
    }
}

#[cfg(test)]
mod tests;
