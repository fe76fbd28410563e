//! The server as an operator and a stranger meet it: first start, bad input, refusals, limits, the end.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test whose steps do not succeed has failed")]

#[path = "it/addresses.rs"]
mod addresses;
#[path = "it/bad_input.rs"]
mod bad_input;
#[path = "it/by_id.rs"]
mod by_id;
#[path = "it/calls.rs"]
mod calls;
#[path = "it/consents.rs"]
mod consents;
#[path = "it/customers.rs"]
mod customers;
#[path = "it/desk.rs"]
mod desk;
#[path = "it/edge.rs"]
mod edge;
#[path = "it/first_run.rs"]
mod first_run;
#[path = "it/forgets.rs"]
mod forgets;
#[path = "it/house.rs"]
mod house;
#[path = "it/inputs.rs"]
mod inputs;
#[path = "it/limits.rs"]
mod limits;
#[path = "api/line.rs"]
mod line;
#[path = "it/local_call.rs"]
mod local_call;
#[path = "it/mail.rs"]
mod mail;
#[path = "it/matrix.rs"]
mod matrix;
#[path = "it/places.rs"]
mod places;
#[path = "it/recover.rs"]
mod recover;
#[path = "it/routes.rs"]
mod routes;
#[path = "it/scim.rs"]
mod scim;
#[path = "it/speech.rs"]
mod speech;
#[path = "it/streams.rs"]
mod streams;
#[path = "it/transfer.rs"]
mod transfer;
#[path = "it/valkey.rs"]
mod valkey;
#[path = "it/verify.rs"]
mod verify;
