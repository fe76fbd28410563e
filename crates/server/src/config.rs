//! The configuration: one file, overlaid by `.env` and the environment, read here and nowhere else.
//!
//! Every key is known: one that is not stops the start with a sentence that names it and the nearest
//! known one. Secrets are taken from the environment and `.env` alone. `docs/configuration.md` describes
//! every key and a test holds it against this file.

mod desk;
mod dotenv;
mod overlay;
mod sections;
mod show;
mod unknown;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use domain::{Secret, control::Numbers};
use serde::de::DeserializeOwned;
use toml::{Table, Value};

use dotenv::Owner;

use crate::{
    failure::{Exit, Failure, disk},
    folder,
};

pub use desk::{CountryName, DeskSection};
pub use sections::{
    IdentitySection, KeysSection, LimitsSection, LogFormat, LogSection, MailSection, MailTls, ProtectorKind,
    ProxyHeader, StoreSection, WebSection, addresses,
};
pub use show::show;

/// Everything a deployment decides.
#[derive(Clone, Debug)]
pub struct Config {
    /// The data folder.
    pub data: PathBuf,
    /// `[web]`
    pub web: WebSection,
    /// `[keys]`
    pub keys: KeysSection,
    /// `[store]`
    pub store: StoreSection,
    /// `[identity]`
    pub identity: IdentitySection,
    /// `[mail]`
    pub mail: MailSection,
    /// `[desk]`
    pub desk: DeskSection,
    /// `[models]`
    pub models: providers::Config,
    /// `[policy]`, over the defaults.
    pub numbers: Numbers,
    /// `[log]`
    pub log: LogSection,
    /// Everything that was set, merged, for printing.
    table: Table,
}

/// Where the parts of a configuration come from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// `--data`.
    pub data: Option<PathBuf>,
    /// `--config`.
    pub file: Option<PathBuf>,
    /// The variables whose names begin with `TROTH_`.
    pub environment: Vec<(String, String)>,
    /// The folder whose `.env` is read beside the data folder's; usually the working directory.
    pub working: Option<PathBuf>,
}

/// The sections, in the order in which they are shown.
const SECTIONS: [&str; 9] = ["web", "keys", "store", "identity", "mail", "desk", "models", "policy", "log"];

/// Variables that are read before there is a configuration.
const EARLY: [&str; 3] = ["TROTH_DATA", "TROTH_CONFIG", "TROTH_PASSPHRASE"];

impl Config {
    /// Reads and checks everything.
    ///
    /// # Errors
    /// [`Exit::Configuration`], naming the key and where it stands.
    pub fn load(sources: &Sources) -> Result<Self, Failure> {
        let data = sources.data_folder()?;
        let file = sources.file();
        let mut table = read(file.as_deref(), &data)?;
        show::refuse_secrets(&table, file.as_deref().unwrap_or(&data.join(folder::CONFIG)))?;
        for (name, value) in sources.variables(&data)? {
            if !EARLY.contains(&name.as_str()) {
                overlay::put(&mut table, &name, &value)?;
            }
        }
        let mut config = Self::from_table(table, data)?;
        config.keys.passphrase = sources.early("TROTH_PASSPHRASE").map(Secret::new);
        Ok(config)
    }

    /// The configuration that `table` means, with defaults where it says nothing.
    ///
    /// # Errors
    /// [`Exit::Configuration`].
    pub fn from_table(table: Table, data: PathBuf) -> Result<Self, Failure> {
        if let Some(strange) = table.keys().find(|key| !SECTIONS.contains(&key.as_str())) {
            return Err(unknown::failure(strange, &SECTIONS));
        }
        let mut models: providers::Config = section(&table, "models")?;
        if models.models_folder.as_os_str().is_empty() {
            models.models_folder = data.join(folder::MODELS);
        }
        let identity: IdentitySection = section(&table, "identity")?;
        let config = Self {
            numbers: numbers(&table, identity.password_profile)?,
            identity,
            web: section(&table, "web")?,
            keys: section(&table, "keys")?,
            store: section(&table, "store")?,
            mail: section(&table, "mail")?,
            desk: section(&table, "desk")?,
            log: section(&table, "log")?,
            models,
            data,
            table,
        };
        config.web.validate()?;
        config.mail.validate()?;
        config.identity.validate()?;
        config.desk.desk(&config.numbers, config.mail.server.is_some())?;
        Ok(config)
    }

    /// The configuration of a fresh instance in `data` that listens on free ports of loopback, without a
    /// model of its own but the scripted one. For tests and measurements.
    ///
    /// # Errors
    /// [`Exit::Configuration`] when `more`, a piece of TOML, is not right.
    pub fn for_tests(data: &Path, more: &str) -> Result<Self, Failure> {
        // Whole test-suites come from one address and act as one person.
        let base = "[web]\nlisten = [\"127.0.0.1:0\"]\nconnections_per_address = 4096\n\
                    streams_per_person = 4096\n[models]\nscripted = true\nlocal.enabled = false\n\
                    [identity]\nanswer_grid_ms = 0\n[policy]\nsign_ins_a_minute = 100000\n\
                    pages_a_minute = 100000\nasks_a_minute = 100000\napi_calls_a_minute = 100000\n";
        let mut table = parse(base, "the test's configuration")?;
        let more = parse(more, "the test's configuration")?;
        overlay::merge(&mut table, more);
        let key_file = data.with_file_name("root.key").display().to_string();
        let keys = table.entry("keys").or_insert_with(|| Value::Table(Table::new()));
        if let Value::Table(keys) = keys {
            keys.entry("key_file").or_insert(Value::String(key_file));
        }
        Self::from_table(table, data.to_owned())
    }
}

impl Sources {
    /// The data folder: `--data`, else `TROTH_DATA`, else where the system keeps data of this account.
    ///
    /// # Errors
    /// [`Exit::Configuration`] when nothing says where.
    pub fn data_folder(&self) -> Result<PathBuf, Failure> {
        let named = self.data.clone().or_else(|| self.early("TROTH_DATA").map(PathBuf::from));
        let found = named
            .or_else(|| Some(crate::outside::home_folder("XDG_DATA_HOME", ".local/share")?.join("troth")));
        found.ok_or_else(|| {
            Failure::new(Exit::Configuration, "It is not clear where the data folder is.")
                .then("Name one with --data.")
        })
    }

    fn file(&self) -> Option<PathBuf> {
        self.file.clone().or_else(|| self.early("TROTH_CONFIG").map(PathBuf::from))
    }

    fn early(&self, name: &str) -> Option<String> {
        self.environment.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    /// All settings by variable, the strongest last: the data folder's `.env`, the working folder's, the
    /// environment.
    fn variables(&self, data: &Path) -> Result<BTreeMap<String, String>, Failure> {
        let mut variables = BTreeMap::new();
        let working = self.working.as_ref().filter(|working| working.as_path() != data);
        variables.extend(dotenv::read(&data.join(folder::DOTENV), Owner::Any)?);
        if let Some(working) = working {
            // It may be a folder like /tmp, where anybody can leave a file.
            variables.extend(dotenv::read(&working.join(folder::DOTENV), Owner::Us)?);
        }
        variables.extend(self.environment.iter().cloned());
        Ok(variables)
    }
}

/// The file: the named one must exist, the one in the data folder may.
fn read(named: Option<&Path>, data: &Path) -> Result<Table, Failure> {
    let (path, must) = match named {
        Some(path) => (path.to_owned(), true),
        None => (data.join(folder::CONFIG), false),
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => parse(&text, &path.display().to_string()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !must => Ok(Table::new()),
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory && !must => Ok(Table::new()),
        Err(error) => Err(disk("read the configuration", &path, &error).exiting(Exit::Configuration)),
    }
}

fn parse(text: &str, place: &str) -> Result<Table, Failure> {
    text.parse::<Table>().map_err(|error| {
        let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].lines().count().max(1));
        Failure::new(Exit::Configuration, format!("{place} is not TOML: line {line}: {}", error.message()))
            .then("Correct that line; `troth config check` tells whether it is right.")
    })
}

/// One section, by its own type; absent means all defaults.
fn section<T: DeserializeOwned>(table: &Table, name: &str) -> Result<T, Failure> {
    let value = table.get(name).cloned().unwrap_or_else(|| Value::Table(Table::new()));
    T::deserialize(value).map_err(|error| unknown::explain(name, &error))
}

/// `[policy]`: the numbers of the policy, those the password profile sets, overridden by name.
fn numbers(table: &Table, profile: identity::Profile) -> Result<Numbers, Failure> {
    let overrides: BTreeMap<String, u32> = section(table, "policy")?;
    let known: Vec<&str> = domain::control::NUMBERS.iter().map(|number| number.name).collect();
    if let Some(strange) = overrides.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(unknown::failure_in("policy", strange, &known));
    }
    let pairs = profile.numbers().iter().copied();
    let pairs = pairs.chain(overrides.iter().map(|(name, value)| (name.as_str(), *value)));
    Numbers::from_overrides(pairs).map_err(|error| Failure::new(Exit::Configuration, error.to_string()))
}

#[cfg(test)]
mod tests;
