//! Whether each member of staff who follows a call of the desk stands in the audit log.

use assistant::Assistant;
use assure::Unanswered;
use domain::{Action, Control, Ctx, Resource, Timestamp, access::Role, authorize, check::Finding};
use store::{Store, desk_calls};

use super::judge;

/// The audit log has an entry for each time somebody began to follow a call here since `started`, and no built-in role
/// but a supervisor's carries the right to.
pub(super) async fn followers_are_noted(
    assistant: Assistant,
    store: Store,
    started: Timestamp,
    ctx: Ctx,
) -> Result<Finding, Unanswered> {
    let permit = authorize(&ctx, Action::ReadInstance, Resource::Instance)?;
    // Counted before: whoever begins in between is in the log by then.
    let followed = assistant.followed_calls();
    let looked = desk_calls::look(&store, &permit, started, started).await?;
    let others = Role::ALL.into_iter().filter(|role| *role != Role::Supervisor);
    let open = others.filter(|role| role.rights().has(Action::WatchCalls)).count();
    let wrong = if looked.watched < followed {
        Some("Somebody followed a call, and the audit log does not say so.".to_owned())
    } else if open > 0 {
        Some("A role other than the supervisor's follows calls.".to_owned())
    } else {
        None
    };
    let good = "The audit log has an entry for each time somebody began to follow a call.";
    Ok(judge(Control::DSK02, &ctx, wrong, good).fact("times", followed).fact("entries", looked.watched))
}
