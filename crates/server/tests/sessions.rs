//! What a signed-in browser may rely on, and what a stolen one may not: over TLS, at the real pages.

#![expect(clippy::unwrap_used, reason = "a test that meets what it does not expect has failed")]

#[path = "sessions/cookies.rs"]
mod cookies;
#[path = "sessions/hindi.rs"]
mod hindi;
#[path = "sessions/house.rs"]
mod house;
#[path = "sessions/step_up.rs"]
mod step_up;
