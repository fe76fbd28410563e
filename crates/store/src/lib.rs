//! Rows sealed at rest, on SQLite or PostgreSQL; every write leaves an audit entry.
//!
//! The services (`identity`, `assistant`, `privacy`, `assure`) and `server` call this room. Reads take `&Store` and
//! a [`domain::Permit`]; writes take `&mut Tx` and a permit, and [`Tx::commit`] asks for the audit entry.
//! Invariants: whatever a person wrote or is called is sealed under that person's key before it reaches
//! a database; no function reaches another person's rows; writers are serial on both engines.
//! SQL is written once for both (`docs/decisions/0004-one-writer.md`); what differs stands in `db`.

pub mod accounts;
pub mod addresses;
pub mod api_keys;
pub mod audit;
pub mod call_tickets;
pub mod consents;
pub mod content_requests;
pub mod conversations;
pub mod credentials;
pub mod customers;
pub mod desk_calls;
pub mod directory;
pub mod drafts;
pub mod emails;
pub mod findings;
pub mod folders;
pub mod footing;
pub mod groups;
pub mod invitations;
pub mod messages;
pub mod notices;
pub mod outbox;
pub mod passkeys;
pub mod people;
pub mod probe;
pub mod recoveries;
pub mod reviews;
pub mod roles;
pub mod search;
pub mod sessions;
pub mod settings;
pub mod token_keys;
pub mod usage;

mod cell;
mod checkpoint;
mod db;
mod deks;
mod embedded;
mod error;
mod leaving;
mod lock;
mod postgres;
mod row;
mod schema;
mod store;
mod tx;

pub use audit::{ChainReport, Record};
pub use db::Engine;
pub use error::Error;
pub use lock::FolderLock;
pub use store::{Location, Store};
pub use tx::Tx;
