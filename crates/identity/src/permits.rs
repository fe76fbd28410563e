//! The permits identity asks for, in one place.

use domain::{Action, Actor, Ctx, Denied, Job, Resource, access::Permit, authorize};

/// A permit of the actor on its own account.
pub(crate) fn own(ctx: &Ctx, action: Action) -> Result<Permit, Denied> {
    let user = ctx.actor.user().ok_or(Denied::ANONYMOUS)?;
    authorize(ctx, action, Resource::Of(user))
}

/// The same circumstances, with the system recognising somebody.
pub(crate) fn authenticating(ctx: &Ctx) -> Ctx {
    ctx.acting_as(Actor::System(Job::Authentication))
}

/// The permit to look a credential up; `ctx` is that of [`authenticating`].
pub(crate) fn authenticate(ctx: &Ctx) -> Result<Permit, Denied> {
    authorize(ctx, Action::Authenticate, Resource::Instance)
}

/// The same circumstances, with the system looking up what stands about somebody's account.
pub(crate) fn provisioning(ctx: &Ctx) -> Ctx {
    ctx.acting_as(Actor::System(Job::Provisioning))
}

/// The permit to change what opens the actor's own account. It takes a confirmation that is still fresh.
pub(crate) fn managing(ctx: &Ctx) -> Result<Permit, Denied> {
    own(ctx, Action::ManageCredentials)?;
    own(ctx, Action::WriteAccount)
}
