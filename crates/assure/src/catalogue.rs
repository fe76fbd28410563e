//! The published promises, as the program carries them.
//!
//! The files of `policy/sources` are compiled in. Invariant: a catalogue that exists names known
//! controls only, has no clause twice, and holds every clause the policy's numbers refer to.

use std::collections::BTreeSet;

use domain::{
    Control,
    control::{Kind, NUMBERS},
};
use serde::Deserialize;

use crate::Error;

/// The files of `policy/sources`; a test holds this list against the folder.
const EMBEDDED: [(&str, &str); 5] = [
    ("ma.toml", include_str!("../../../policy/sources/ma.toml")),
    ("ca.toml", include_str!("../../../policy/sources/ca.toml")),
    ("az.toml", include_str!("../../../policy/sources/az.toml")),
    ("cy.toml", include_str!("../../../policy/sources/cy.toml")),
    ("iv.toml", include_str!("../../../policy/sources/iv.toml")),
];

/// All promises, by the policy that makes them.
#[derive(Clone, Debug)]
pub struct Catalogue {
    sources: Vec<Source>,
}

/// One published policy.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Its short name, e.g. `MA`.
    pub id: String,
    /// Its full name.
    pub title: String,
    /// Its promises, in order.
    #[serde(rename = "clause")]
    pub clauses: Vec<Clause>,
}

/// One promise.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    /// Its stable id, e.g. `MA-2.2`.
    pub id: String,
    /// The promise, in a sentence.
    pub words: String,
    /// Enforced, watched or owned.
    pub kind: Kind,
    /// What keeps it; empty when nothing does yet.
    #[serde(default)]
    pub controls: Vec<Control>,
    /// What is not built yet, in a sentence; absent when nothing is missing.
    pub missing: Option<String>,
}

impl Catalogue {
    /// The catalogue of this program.
    ///
    /// # Errors
    /// When a policy file is not as it must be; a test sees to it that the embedded ones are.
    pub fn embedded() -> Result<Self, Error> {
        Self::parse(&EMBEDDED)
    }

    /// Reads a catalogue from files, each a name and its text.
    ///
    /// # Errors
    /// [`Error::Unreadable`] (an unknown control, kind or key among it), [`Error::Twice`],
    /// [`Error::Empty`], [`Error::UnknownClause`].
    pub fn parse(files: &[(&str, &str)]) -> Result<Self, Error> {
        let mut sources = Vec::with_capacity(files.len());
        for (file, text) in files {
            let source: Source = toml::from_str(text).map_err(|error| Error::Unreadable {
                file: (*file).to_owned(),
                why: error.to_string().trim_end().to_owned(),
            })?;
            sources.push(source);
        }
        let catalogue = Self { sources };
        catalogue.validate()?;
        Ok(catalogue)
    }

    /// The policies.
    #[must_use]
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    fn clauses(&self) -> impl Iterator<Item = &Clause> {
        self.sources.iter().flat_map(|source| &source.clauses)
    }

    fn validate(&self) -> Result<(), Error> {
        let mut seen = BTreeSet::new();
        for clause in self.clauses() {
            if !seen.insert(clause.id.as_str()) {
                return Err(Error::Twice { id: clause.id.clone() });
            }
            if clause.words.trim().is_empty()
                || clause.missing.as_deref().is_some_and(|m| m.trim().is_empty())
            {
                return Err(Error::Empty { id: clause.id.clone() });
            }
        }
        for number in &NUMBERS {
            if let Some(clause) = number.clauses.iter().find(|clause| !seen.contains(**clause)) {
                return Err(Error::UnknownClause { number: number.name, clause });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
