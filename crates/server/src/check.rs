//! The checks that ask the running instance from outside, as a stranger on the network would, and those
//! that look at what the server itself put on disk. `assure` runs them and keeps their findings.

mod disk;
mod edge;
mod probe;
mod wire;

use std::time::Duration;

use assure::{Check, Unanswered};
use domain::{Control, Ctx, check::Finding};

use crate::instance::House;

const HOURLY: Duration = Duration::from_secs(60 * 60);

/// What asks: a question about one control, answered by looking at the house.
type Ask<F> = fn(House, Ctx) -> F;

/// Registers every check of this room.
pub(crate) fn register(house: &House) {
    add(house, Control::CRY04, wire::only_tls_1_3);
    add(house, Control::CRY05, wire::the_certificate_is_fresh);
    add(house, Control::WEB01, wire::plain_http_serves_nothing);
    add(house, Control::WEB02, edge::the_headers_are_there);
    add(house, Control::WEB03, edge::strange_hosts_are_refused);
    add(house, Control::WEB04, edge::strange_writes_are_refused);
    add(house, Control::WEB07, edge::errors_tell_nothing);
    add(house, Control::WEB08, edge::nothing_may_be_kept);
    add(house, Control::WEB09, edge::no_origin_is_let_in);
    add(house, Control::ACC01, edge::nobody_gets_in);
    add(house, Control::DAT01, disk::only_our_account_can_read);
}

fn add<F>(house: &House, control: Control, ask: Ask<F>)
where
    F: Future<Output = Result<Finding, Unanswered>> + Send + 'static,
{
    let house = house.clone();
    house.assure.clone().register(Check::new(control, HOURLY, move |ctx| ask(house.clone(), ctx)));
}

/// The finding for `control`: satisfied with `good`, or not, with the first thing that was wrong.
fn judge(control: Control, ctx: &Ctx, wrong: Option<String>, good: &str) -> Finding {
    match wrong {
        None => Finding::satisfied(control, ctx.now(), good),
        Some(wrong) => Finding::not_satisfied(control, ctx.now(), wrong),
    }
}
