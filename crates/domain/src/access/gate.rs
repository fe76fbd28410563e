//! The gate an organisation may put before what the rules allow: its own policies, asked record by record.
//!
//! `identity` makes one from policy files, the server hands it to every [`Ctx`]. Invariant: a gate only
//! narrows. What the built-in rules refuse never reaches it, and a gate that cannot decide says no.

use std::{fmt, sync::Arc};

use super::{Action, Resource};
use crate::Ctx;

/// What a gate is asked: may this be done, under these circumstances, to this.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Who asks, when, from where.
    pub ctx: &'a Ctx,
    /// What they want to do.
    pub action: Action,
    /// To what.
    pub resource: Resource,
}

/// Says yes or no.
type Decide = dyn Fn(&Question<'_>) -> bool + Send + Sync;

/// An organisation's own policies.
#[derive(Clone, Default)]
pub struct Gate(Option<Arc<Decide>>);

impl Gate {
    /// A gate that lets everything through that the rules allow.
    pub const OPEN: Self = Self(None);

    /// A gate that asks `decide`, which says no whenever it cannot tell.
    pub fn new(decide: impl Fn(&Question<'_>) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(decide)))
    }

    /// Whether the gate lets this through.
    #[must_use]
    pub fn allows(&self, question: &Question<'_>) -> bool {
        self.0.as_ref().is_none_or(|decide| decide(question))
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Gate(policies)" } else { "Gate(open)" })
    }
}
