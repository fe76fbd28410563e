//! Clauses, controls, checks, findings: whether the published promises are kept, and how one knows.
//!
//! `server` makes one [`Assure`], registers the checks that need other rooms, and lets the scheduler and
//! `troth verify` run them; `web` shows the latest report. Invariants: a clause counts as kept only if
//! every control it names holds and nothing of it is missing; a check that fails, panics or takes too
//! long is a finding against the control, never for it.

mod catalogue;
mod check;
mod checks;
mod error;
mod report;
mod service;
pub mod text;

pub use catalogue::{Catalogue, Clause, Source};
pub use check::{Check, TIME_BOX, Unanswered};
pub use error::Error;
pub use report::{ClauseReport, ClauseState, ControlReport, Counts, DeviationReport, Report, SourceReport};
pub use service::Assure;
