//! The policy files as `trace` reads them.
//!
//! `assure` reads the same files inside the product and is the strict judge of them; this reader
//! must also work while the generated code is stale or broken, so it stands on nothing but TOML.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, Result, bail, ensure};
use serde::{Deserialize, de::DeserializeOwned};

/// Everything under `policy/`.
pub(crate) struct Policy {
    /// The controls, in order of their ids.
    pub controls: Vec<Control>,
    /// The published policies, in the order of their files.
    pub sources: Vec<Source>,
}

/// One control.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Control {
    pub id: String,
    pub title: String,
    pub sentence: String,
    pub kind: String,
    pub check: String,
    pub reason: Option<String>,
    #[serde(default)]
    pub numbers: BTreeMap<String, Number>,
}

/// One number of a control.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Number {
    pub value: u32,
    pub doc: String,
    pub unit: String,
    pub stronger: Stronger,
    pub floor: Option<u32>,
    #[serde(default)]
    pub clauses: Vec<String>,
    #[serde(default)]
    pub zero_is_none: bool,
}

/// Which way a number promises more.
#[derive(Deserialize, Debug, Clone, Copy)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stronger {
    Lower,
    Higher,
}

/// One published policy.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Source {
    pub id: String,
    pub title: String,
    #[serde(rename = "clause")]
    pub clauses: Vec<Clause>,
}

/// One promise of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Clause {
    pub id: String,
    pub words: String,
    pub kind: String,
    #[serde(default)]
    pub controls: Vec<String>,
    pub missing: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ControlFile {
    control: Vec<Control>,
}

impl Policy {
    /// Reads and checks `policy/` under `root`.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let mut controls: Vec<Control> = Vec::new();
        for file in read_all::<ControlFile>(&root.join("policy/controls"))? {
            controls.extend(file.control);
        }
        controls.sort_by(|a, b| a.id.cmp(&b.id));
        let policy = Self { controls, sources: read_all(&root.join("policy/sources"))? };
        policy.validate()?;
        Ok(policy)
    }

    fn validate(&self) -> Result<()> {
        for pair in self.controls.windows(2) {
            ensure!(pair[0].id != pair[1].id, "the control {} is defined twice", pair[0].id);
        }
        for control in &self.controls {
            control.validate()?;
        }
        let ids: Vec<&str> = self.sources.iter().flat_map(|s| &s.clauses).map(|c| c.id.as_str()).collect();
        for (control, number) in self.numbers() {
            for clause in &number.1.clauses {
                let known = ids.contains(&clause.as_str());
                ensure!(known, "{control}: {} names the unknown clause {clause}", number.0);
            }
        }
        for clause in self.sources.iter().flat_map(|source| &source.clauses) {
            for id in &clause.controls {
                let known = self.controls.iter().any(|control| control.id == *id);
                ensure!(known, "{}: there is no control {id}", clause.id);
            }
        }
        Ok(())
    }

    /// Every number with its control and name.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = (&str, (&String, &Number))> {
        self.controls.iter().flat_map(|c| c.numbers.iter().map(|number| (c.id.as_str(), number)))
    }
}

impl Control {
    fn validate(&self) -> Result<()> {
        let id = &self.id;
        let shape = id.len() == 5
            && id[..3].bytes().all(|b| b.is_ascii_uppercase())
            && id[3..].bytes().all(|b| b.is_ascii_digit());
        ensure!(shape, "{id:?} is no control id: three capitals and two digits");
        ensure!(matches!(self.kind.as_str(), "E" | "W" | "O"), "{id}: the kind is E, W or O");
        match (self.check.as_str(), &self.reason) {
            ("live", None) => {}
            ("test", Some(reason)) if reason.ends_with('.') => {}
            ("test", _) => bail!("{id}: check = \"test\" needs a reason, a sentence"),
            _ => bail!("{id}: check is \"live\", or \"test\" with a reason"),
        }
        for name in self.numbers.keys() {
            let used = self.sentence.contains(&format!("{{{name}}}"));
            ensure!(used, "{id}: the sentence does not say the number {{{name}}}");
        }
        let placeholders = self.sentence.matches('{').count();
        ensure!(placeholders == self.numbers.len(), "{id}: a placeholder of the sentence has no number");
        Ok(())
    }
}

fn read_all<T: DeserializeOwned>(folder: &Path) -> Result<Vec<T>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("no folder {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    paths
        .iter()
        .map(|path| toml::from_str(&fs::read_to_string(path)?).with_context(|| path.display().to_string()))
        .collect()
}
