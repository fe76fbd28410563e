//! What tests share: throw-away databases, instances, browsers. Never a dependency of running code.
//!
//! [`Home`] is a store of its own with a clock that obeys the test; [`Home::person`] makes somebody in it.
//! [`both_engines!`] makes two tests of one body, one per database. A machine without PostgreSQL's
//! programs fails those tests with a sentence; it does not skip them.

#![expect(clippy::panic, reason = "a test that cannot be set up has failed")]

mod client;
mod clockwork;
mod home;
mod keeps;
mod postgres;

pub use client::{Answer, Client};
pub use clockwork::{Clockwork, ctx, entropy, seeded};
pub use home::{Home, Person, Shut, store};
pub use postgres::{Database, TlsDatabase};

/// Runs `work` on a runtime of its own, as `#[tokio::test]` would, with four worker threads.
pub fn run<F: Future>(work: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build();
    runtime.expect("a runtime").block_on(work)
}

/// Makes the tests `name::sqlite` and `name::postgres` of one body:
/// `both_engines!(a_name, |home| { … home.store … });`
#[macro_export]
macro_rules! both_engines {
    ($(#[$meta:meta])* $name:ident, |$home:ident| $body:block) => {
        $(#[$meta])*
        mod $name {
            use super::*;

            async fn body($home: $crate::Home) $body

            #[test]
            fn sqlite() {
                $crate::run(async { Box::pin(body($crate::Home::sqlite().await)).await });
            }

            #[test]
            fn postgres() {
                $crate::run(async { Box::pin(body($crate::Home::postgres().await)).await });
            }
        }
    };
}
