//! Reading policies: every `*.cedar` file of a folder, held against our schema, strictly.

use std::{
    fs,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use cedar_policy::{
    Authorizer, Effect, EntityTypeName, Policy, PolicyId, PolicySet, Schema, ValidationMode, Validator,
};
use miette::Diagnostic;

use super::{Inner, Names, Policies};

/// What policies may speak of.
const SCHEMA: &str = include_str!("schema.cedarschema");
/// What the built-in rules allow is allowed, unless a policy forbids it.
const CEILING: &str = "permit (principal, action, resource);";
/// How files of policies end.
const ENDING: &str = "cedar";
/// Largest file that is read as policies.
const MOST_BYTES: u64 = 1024 * 1024;

/// Why policies were refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyProblem {
    /// The folder or a file cannot be read.
    #[error("{} cannot be read ({why}); check that it is there and that this account may read it", path.display())]
    Unreadable {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// A policy is not right.
    #[error("{}, line {line}: {what}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// The schema this program carries is not right; no folder can mend that.
    #[error("the schema of policies is broken: {0}")]
    Schema(String),
}

/// One file of policies.
struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    fn wrong(&self, error: &dyn Diagnostic) -> PolicyProblem {
        let offset = error.labels().and_then(|mut labels| labels.next()).map_or(0, |label| label.offset());
        let help = error.help().map(|help| format!("; {help}")).unwrap_or_default();
        self.at(offset, format!("{error}{help}"))
    }

    fn at(&self, offset: usize, what: String) -> PolicyProblem {
        let before = self.text.as_bytes().iter().take(offset);
        let line = 1 + before.filter(|byte| **byte == b'\n').count();
        PolicyProblem::Wrong { path: self.path.clone(), line, what }
    }
}

impl Policies {
    /// The policies of `folder`: all of its `*.cedar` files. `utc_offset_minutes` moves their clock.
    ///
    /// # Errors
    /// Everything that is not right, in order of the files.
    pub fn load(folder: &Path, utc_offset_minutes: i32) -> Result<Self, Vec<PolicyProblem>> {
        let sources = read(folder).map_err(|problem| vec![problem])?;
        let schema = Schema::from_cedarschema_str(SCHEMA)
            .map(|(schema, _)| schema)
            .map_err(|error| vec![PolicyProblem::Schema(error.to_string())])?;
        let (mut policies, mut problems) = (PolicySet::new(), Vec::new());
        for (number, source) in sources.iter().enumerate() {
            if let Err(mut found) = add(&mut policies, number, source) {
                problems.append(&mut found);
            }
        }
        let judged = Validator::new(schema).validate(&policies, ValidationMode::Strict);
        for error in judged.validation_errors() {
            let id: &str = error.policy_id().as_ref();
            let source = id.split('#').next().and_then(|number| sources.get(number.parse::<usize>().ok()?));
            problems.push(match source {
                Some(source) => source.wrong(error),
                None => PolicyProblem::Schema(error.to_string()),
            });
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Self::of(policies, utc_offset_minutes).map_err(|problem| vec![problem])
    }

    fn of(mut policies: PolicySet, utc_offset_minutes: i32) -> Result<Self, PolicyProblem> {
        let broken = |error: &dyn std::error::Error| PolicyProblem::Schema(error.to_string());
        let ceiling =
            Policy::parse(Some(PolicyId::new("ceiling")), CEILING).map_err(|error| broken(&error))?;
        policies.add(ceiling).map_err(|error| broken(&error))?;
        let name = |name| EntityTypeName::from_str(name).map_err(|error| broken(&error));
        let names = Names {
            person: name("Person")?,
            role: name("Role")?,
            group: name("Group")?,
            chat: name("Chat")?,
            account: name("Account")?,
            model: name("Model")?,
            instance: name("Instance")?,
            action: name("Action")?,
        };
        let utc_offset_minutes = i64::from(utc_offset_minutes);
        Ok(Self(Arc::new(Inner { policies, authorizer: Authorizer::new(), names, utc_offset_minutes })))
    }

    /// How many policies there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.policies.policies().count() - 1
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Parses one file into `policies`, under names that lead back to it.
fn add(policies: &mut PolicySet, number: usize, source: &Source) -> Result<(), Vec<PolicyProblem>> {
    let parsed = PolicySet::from_str(&source.text)
        .map_err(|errors| errors.iter().map(|error| source.wrong(error)).collect::<Vec<_>>())?;
    if parsed.templates().next().is_some() {
        return Err(vec![
            source.at(0, "templates are not used here; name the person, role or group".to_owned()),
        ]);
    }
    let mut problems = Vec::new();
    for policy in parsed.policies() {
        if policy.effect() == Effect::Permit {
            let text = policy.to_cedar().unwrap_or_default();
            let offset = source.text.find(text.trim()).or_else(|| source.text.find("permit")).unwrap_or(0);
            let what = "a permit has no effect, because policies only narrow what roles allow; write `forbid … unless`";
            problems.push(source.at(offset, what.to_owned()));
            continue;
        }
        let named = policy.new_id(PolicyId::new(format!("{number}#{}#{}", source.name(), policy.id())));
        if let Err(error) = policies.add(named) {
            problems.push(source.at(0, error.to_string()));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

impl Source {
    fn name(&self) -> String {
        self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

/// The files of a folder, in order of their names.
fn read(folder: &Path) -> Result<Vec<Source>, PolicyProblem> {
    let unreadable = |path: &Path, error: &std::io::Error| PolicyProblem::Unreadable {
        path: path.to_owned(),
        why: error.kind().to_string(),
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        if path.extension().is_some_and(|ending| ending == ENDING) {
            paths.push(path);
        }
    }
    paths.sort();
    let mut sources = Vec::new();
    for path in paths {
        let size = fs::metadata(&path).map_err(|error| unreadable(&path, &error))?.len();
        if size > MOST_BYTES {
            return Err(PolicyProblem::Unreadable { path, why: "it is larger than 1 MiB".to_owned() });
        }
        let text = fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
        sources.push(Source { path, text });
    }
    Ok(sources)
}
