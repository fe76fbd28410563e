//! The room as others see it, against servers and programs that behave badly on purpose.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod double;
mod endpoint;
mod endpoint_limits;
mod hub;
mod local;
mod packages;
mod real;
mod samples;
mod speech;
mod tls;
