//! Where sound goes that nobody sent elsewhere on purpose.

use domain::{Control, Ctx, check::Finding, model::Place};
use providers::speech::{Speech, SpeechKind};

/// The usual models of speech are on this machine; vendors are those of the configuration, by name.
pub(super) fn it_stays_here(speech: &Speech, ctx: &Ctx) -> Finding {
    let facts = speech.facts();
    let mut vendors: Vec<String> = facts
        .iter()
        .filter_map(|facts| match &facts.place {
            Place::Endpoint { host, loopback: false } => Some(host.clone()),
            _ => None,
        })
        .collect();
    vendors.sort_unstable();
    vendors.dedup();
    let named = if vendors.is_empty() { "none".to_owned() } else { vendors.join(", ") };
    let usual =
        [SpeechKind::Recognition, SpeechKind::Synthesis].into_iter().filter_map(|kind| speech.usual(kind));
    let away = usual.into_iter().find(|facts| matches!(facts.place, Place::Endpoint { loopback: false, .. }));
    let finding = match (facts.is_empty(), away) {
        (true, _) => {
            let why = "Nothing here hears or speaks.";
            Finding::not_applicable(Control::SPE02, ctx.now(), why)
        }
        (false, None) => {
            let good = "What hears and speaks is on this machine unless somebody chooses a vendor by name.";
            Finding::satisfied(Control::SPE02, ctx.now(), good)
        }
        (false, Some(facts)) => {
            let wrong = format!(
                "`{}` hears or speaks for everybody, {}. Name a model of this machine as the usual one.",
                facts.id, facts.place
            );
            Finding::not_satisfied(Control::SPE02, ctx.now(), wrong)
        }
    };
    finding.fact("vendors", named)
}
