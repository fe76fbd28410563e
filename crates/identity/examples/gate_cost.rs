//! What one question costs behind no policies, one, ten and a hundred: `cargo run --example gate_cost`.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "it measures and prints; there is nobody to hand an error to"
)]

use std::{fmt::Write as _, time::Instant};

use domain::{
    Action, Actor, Clock, Ctx, Entropy, Resource, Timestamp,
    access::{Role, Roles, Standing},
    authorize,
    id::{SessionId, UserId},
};
use identity::{Config, Identity, Policies};

const ROUNDS: u32 = 5_000;

fn main() {
    testkit::run(measure());
}

async fn measure() {
    for count in [0, 1, 10, 100] {
        let folder = tempfile::tempdir().unwrap();
        let mut text = String::new();
        for number in 0..count {
            writeln!(
                text,
                "forbid (principal in Group::\"g{number}\", action, resource) unless {{ context.hour >= 8 && \
                 context has address && context.address.isInRange(ip(\"10.{}.0.0/16\")) }};",
                number % 256
            )
            .unwrap();
        }
        std::fs::write(folder.path().join("all.cedar"), text).unwrap();
        let policies = (count > 0).then(|| Policies::load(folder.path(), 0).unwrap());
        let home = testkit::store().await;
        let identity = Identity::new(home.store.clone(), Config { policies, ..Config::default() }).unwrap();
        let user = UserId(uuid::Uuid::from_u128(1));
        let standing = Standing::of(Roles::NONE.with(Role::User));
        let actor = Actor::Person { user, session: SessionId(uuid::Uuid::from_u128(2)), standing };
        let ctx =
            Ctx::new(actor, Clock::new(|| Timestamp(1_767_778_200_000_000)), Entropy::new(|b| b.fill(1)))
                .behind(identity.gate());
        let begun = Instant::now();
        for _ in 0..ROUNDS {
            authorize(&ctx, Action::ReadChat, Resource::Of(user)).unwrap();
        }
        let each = begun.elapsed() / ROUNDS;
        println!("{count:4} policies: {:.2} µs a question", each.as_secs_f64() * 1e6);
    }
}
