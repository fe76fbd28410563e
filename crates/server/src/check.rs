//! The checks that ask the running instance from outside, as a stranger on the network would, and those
//! that look at what the server itself put on disk. `assure` runs them and keeps their findings.

mod consent;
mod desk;
mod directory;
mod disk;
mod edge;
mod mail;
mod probe;
mod speech;
mod wire;

use std::time::Duration;

use assistant::Assistant;
use assure::{Assure, Check, Unanswered};
use domain::{Control, Ctx, Timestamp, check::Finding};
use identity::Identity;
use providers::speech::Speech;
use store::Store;

use crate::instance::Face;

const HOURLY: Duration = Duration::from_secs(60 * 60);

/// What asks: a question about one control, answered by looking at the face.
type Ask<F> = fn(Face, Ctx) -> F;

/// Registers every check of this room.
pub(crate) fn register(
    assure: &Assure,
    face: &Face,
    identity: &Identity,
    speech: &Speech,
    assistant: &Assistant,
    store: &Store,
    started: Timestamp,
) {
    add(assure, face, Control::CRY04, wire::only_tls_1_3);
    add(assure, face, Control::CRY05, wire::the_certificate_is_fresh);
    add(assure, face, Control::WEB01, wire::plain_http_serves_nothing);
    add(assure, face, Control::WEB02, edge::the_headers_are_there);
    add(assure, face, Control::WEB03, edge::strange_hosts_are_refused);
    add(assure, face, Control::WEB04, edge::strange_writes_are_refused);
    add(assure, face, Control::WEB07, edge::errors_tell_nothing);
    add(assure, face, Control::WEB08, edge::nothing_may_be_kept);
    add(assure, face, Control::WEB09, edge::no_origin_is_let_in);
    let identity = identity.clone();
    assure.register(Check::new(Control::SES04, HOURLY, {
        let face = face.clone();
        move |ctx| edge::forged_tokens_open_nothing(face.clone(), identity.clone(), ctx)
    }));
    add(assure, face, Control::WEB10, edge::everybody_has_a_limit);
    add(assure, face, Control::VOI10, edge::made_up_tickets_open_nothing);
    add(assure, face, Control::WEB16, edge::strange_fields_are_refused);
    add(assure, face, Control::ACC01, edge::nobody_gets_in);
    add(assure, face, Control::SSO01, directory::lies_prove_nothing);
    add(assure, face, Control::SSO02, directory::nobody_provisions);
    add(assure, face, Control::MAI01, mail::the_way_is_under_tls);
    add(assure, face, Control::ACC03, edge::strangers_get_what_is_listed);
    add(assure, face, Control::DAT01, disk::only_our_account_can_read);
    assure.register(Check::new(Control::DSK02, HOURLY, {
        let (assistant, store) = (assistant.clone(), store.clone());
        move |ctx| desk::followers_are_noted(assistant.clone(), store.clone(), started, ctx)
    }));
    let speech = speech.clone();
    assure.register(Check::new(Control::SPE02, HOURLY, move |ctx| {
        std::future::ready(Ok(speech::it_stays_here(&speech, &ctx)))
    }));
    let assistant = assistant.clone();
    assure.register(Check::new(Control::CON01, HOURLY, move |ctx| {
        std::future::ready(Ok(consent::nobody_is_heard_unasked(&assistant, &ctx)))
    }));
}

fn add<F>(assure: &Assure, face: &Face, control: Control, ask: Ask<F>)
where
    F: Future<Output = Result<Finding, Unanswered>> + Send + 'static,
{
    let face = face.clone();
    assure.register(Check::new(control, HOURLY, move |ctx| ask(face.clone(), ctx)));
}

/// The finding for `control`: satisfied with `good`, or not, with the first thing that was wrong.
fn judge(control: Control, ctx: &Ctx, wrong: Option<String>, good: &str) -> Finding {
    match wrong {
        None => Finding::satisfied(control, ctx.now(), good),
        Some(wrong) => Finding::not_satisfied(control, ctx.now(), wrong),
    }
}
