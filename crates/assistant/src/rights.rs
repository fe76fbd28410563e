//! Asking for permission: every function of this room begins here.
//!
//! A person's conversations belong to the person alone, so the resource is always whoever acts, but for
//! reading under a request somebody else agreed to (break-glass), where it is the person the request is about.

use domain::{Action, Actor, Ctx, Denied, Job, Permit, Resource, authorize, id::UserId};

/// The person behind `ctx`.
///
/// # Errors
/// [`Denied`] when nobody, or the system, acts.
pub(crate) fn person(ctx: &Ctx) -> Result<UserId, Denied> {
    ctx.actor.user().ok_or(if ctx.actor == Actor::Anonymous { Denied::ANONYMOUS } else { Denied::FLAT })
}

/// Whose conversations are read: the person's own, or those a broken glass is about.
///
/// # Errors
/// [`Denied`] when nobody, or the system, acts.
pub(crate) fn read(ctx: &Ctx) -> Result<UserId, Denied> {
    match ctx.actor {
        Actor::BreakGlass { subject, .. } => Ok(subject),
        _ => person(ctx),
    }
}

/// The permit to read these conversations.
pub(crate) fn reads(ctx: &Ctx) -> Result<Permit, Denied> {
    authorize(ctx, Action::ReadChat, Resource::Of(read(ctx)?))
}

/// The permit to change the person's own conversations.
pub(crate) fn writes(ctx: &Ctx) -> Result<Permit, Denied> {
    authorize(ctx, Action::WriteChat, Resource::Of(person(ctx)?))
}

/// The permit to ask a model on the person's behalf.
pub(crate) fn asks(ctx: &Ctx) -> Result<Permit, Denied> {
    authorize(ctx, Action::UseModel, Resource::Of(person(ctx)?))
}

/// The permit to turn texts into vectors on the person's behalf.
pub(crate) fn embeds(ctx: &Ctx) -> Result<Permit, Denied> {
    authorize(ctx, Action::Embed, Resource::Of(person(ctx)?))
}

/// The permit to have sound turned into words, and words into sound, on the person's behalf.
pub(crate) fn speaks(ctx: &Ctx) -> Result<Permit, Denied> {
    authorize(ctx, Action::Speech, Resource::Of(person(ctx)?))
}

/// The permit to see what stands about the person's own account.
pub(crate) fn sees_account(ctx: &Ctx) -> Result<Permit, Denied> {
    authorize(ctx, Action::ReadAccount, Resource::Of(person(ctx)?))
}

/// What a turn may do after its person has left: the system acts, for that person alone.
#[derive(Clone, Debug)]
pub(crate) struct TurnRights {
    /// Circumstances in which the system is the actor.
    pub(crate) ctx: Ctx,
    /// The permit to keep the answer.
    pub(crate) writes: Permit,
    /// The permit to ask the model.
    pub(crate) asks: Permit,
}

impl TurnRights {
    /// The rights of a turn begun by the person behind `ctx`, who must hold them too.
    pub(crate) fn of(ctx: &Ctx) -> Result<Self, Denied> {
        writes(ctx)?;
        Self::unkept(ctx)
    }

    /// The rights of a turn of which nothing is written down, begun by whoever may ask.
    pub(crate) fn unkept(ctx: &Ctx) -> Result<Self, Denied> {
        let owner = Resource::Of(asks(ctx).and(person(ctx))?);
        let ctx = ctx.acting_as(Actor::System(Job::Turn));
        let writes = authorize(&ctx, Action::WriteChat, owner)?;
        let asks = authorize(&ctx, Action::UseModel, owner)?;
        Ok(Self { ctx, writes, asks })
    }
}
