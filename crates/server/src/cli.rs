//! The command line: what can be asked for, and how the answer ends.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use crate::{
    command,
    config::{Config, Sources},
    failure::{Exit, Failure},
    outside,
};

const EXAMPLES: &str = "\
Examples:
  troth serve                          start, on https://localhost:8443
  troth serve --listen localhost:9443  on another port
  troth verify                         which promises are kept, and by what
  troth addresses list                 which addresses are kept out or let in
  troth models fetch                   get the language model before going offline

Exit codes:
  0  done                     4  the port or the data folder is in use
  1  something unforeseen     5  the passphrase, key file or keyring is wrong
  2  command line or          6  the store is damaged or cannot be reached
     configuration            7  a folder or the disk: not writable, full
  3  verify: a promise that is built is not kept

Every setting can also be a variable: TROTH_WEB__STREAMS=500 sets `streams` of `[web]`.";

/// An AI assistant whose published security policy is kept by code and proved by evidence.
#[derive(Parser, Debug)]
#[command(name = "troth", version, after_help = EXAMPLES, max_term_width = 100)]
struct Line {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    command: Command,
}

/// Which instance is meant.
#[derive(Args, Debug)]
struct Place {
    /// The data folder [default: this account's, e.g. ~/.local/share/troth; or TROTH_DATA]
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The configuration file [default: troth.toml in the data folder; or TROTH_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Start the server; the first time this makes everything it needs
    Serve(Serve),
    /// Say which published promises are kept, and what shows it
    Verify(Verify),
    /// Let somebody who lost every factor add a new one; the server must be running on this machine
    Recover(Recover),
    /// Keep addresses out, or let them in, on the running instance
    #[command(subcommand)]
    Addresses(AddressesCommand),
    /// Bring customers of the voice desk in
    #[command(subcommand)]
    Customers(CustomersCommand),
    /// Fill the voice desk with made-up customers, marked as samples, or take them out again
    Demo(Demo),
    /// Look at the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// The models of this machine
    #[command(subcommand)]
    Models(ModelsCommand),
    /// Say the version
    Version {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

/// What `serve` takes.
#[derive(Args, Debug)]
pub(crate) struct Serve {
    /// An address to answer HTTPS on; may be given several times [default: localhost:8443]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Vec<String>,
    /// Seal the keyring with a passphrase, read from the first line of standard input
    #[arg(long)]
    pub(crate) passphrase_stdin: bool,
}

/// What `verify` takes.
#[derive(Args, Debug)]
pub(crate) struct Verify {
    /// The whole report as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Read the passphrase from the first line of standard input, if no instance is running
    #[arg(long)]
    pub(crate) passphrase_stdin: bool,
}

/// What `recover` takes.
#[derive(Args, Debug)]
pub(crate) struct Recover {
    /// The name the person signs in with
    pub(crate) name: String,
}

#[derive(Subcommand, Debug)]
enum ConfigCommand {
    /// Say whether the configuration is right, and where it is weaker than the policy
    Check,
    /// Print what is set, with secrets as "(set)"
    Show {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

/// What `addresses` takes.
#[derive(Subcommand, Debug)]
pub(crate) enum AddressesCommand {
    /// Which are kept out or let in, and until when
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Refuse requests from an address or a range
    Deny(AddressRule),
    /// Let an address or a range in, whatever wider range is kept out
    Allow(AddressRule),
    /// Take back what was said about an address or a range
    Remove {
        /// The address or range, as the list shows it
        network: String,
    },
}

/// What is said about a range.
#[derive(Args, Debug)]
pub(crate) struct AddressRule {
    /// An address or a range, for example 192.0.2.7 or 2001:db8::/32
    pub(crate) network: String,
    /// How long: a number with m, h or d, for example 2h
    #[arg(long = "for", value_name = "TIME", required_unless_present = "until_removed")]
    pub(crate) time: Option<String>,
    /// Until somebody removes it
    #[arg(long, conflicts_with = "time")]
    pub(crate) until_removed: bool,
    /// Why, for whoever reads the list
    #[arg(long, default_value = "")]
    pub(crate) note: String,
}

/// What `customers` takes.
#[derive(Subcommand, Debug)]
pub(crate) enum CustomersCommand {
    /// Take a file of customers, or of orders, into the register: all of it, or none and a report
    Import {
        /// The file; .csv or .json, as docs/customers.md describes them
        file: PathBuf,
        /// Only say whether it is right
        #[arg(long)]
        dry_run: bool,
        /// The report as JSON
        #[arg(long)]
        json: bool,
    },
}

/// What `demo` takes.
#[derive(Args, Debug)]
pub(crate) struct Demo {
    /// Take the samples out again, and nobody else
    #[arg(long)]
    pub(crate) remove: bool,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// What `models` takes.
#[derive(Subcommand, Debug)]
pub(crate) enum ModelsCommand {
    /// Which models are known and which are here
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Get a model's files, or continue getting them
    Fetch {
        /// Its name; the one for this machine's memory when absent
        name: Option<String>,
    },
    /// Take a model file that was brought by other means; its hash must be a known one
    Add {
        /// The file
        file: PathBuf,
    },
}

/// Runs the command line of this process.
#[must_use]
pub fn run() -> ExitCode {
    let line = Line::parse();
    match obey(line) {
        Ok(code) => code,
        Err(failure) => {
            outside::warn(format_args!("troth: {failure}"));
            ExitCode::from(failure.exit as u8)
        }
    }
}

fn obey(line: Line) -> Result<ExitCode, Failure> {
    let Line { place, command } = line;
    match command {
        Command::Serve(serve) => {
            let mut config = read(place)?;
            if !serve.listen.is_empty() {
                config.web.listen = addresses(&serve.listen)?;
            }
            command::serve::serve(config, &serve)
        }
        Command::Verify(verify) => command::verify::verify(read(place)?, &verify),
        Command::Recover(recover) => command::recover::recover(&read(place)?, &recover),
        Command::Addresses(addresses) => command::addresses::addresses(&read(place)?, &addresses),
        Command::Customers(customers) => command::customers::customers(&read(place)?, &customers),
        Command::Demo(demo) => command::customers::demo(&read(place)?, &demo),
        Command::Config(ConfigCommand::Check) => command::config::check(&read(place)?),
        Command::Config(ConfigCommand::Show { json }) => Ok(command::config::show(&read(place)?, json)),
        Command::Models(models) => command::models::models(&read(place)?, &models),
        Command::Version { json } => Ok(command::config::version(json)),
    }
}

fn read(place: Place) -> Result<Config, Failure> {
    Config::load(&Sources {
        data: place.data,
        file: place.config,
        environment: outside::environment(),
        working: std::env::current_dir().ok(),
    })
}

fn addresses(words: &[String]) -> Result<Vec<SocketAddr>, Failure> {
    crate::config::addresses(words).ok_or_else(|| {
        Failure::new(Exit::Configuration, "--listen takes an address with a port.")
            .then("For example --listen localhost:9443 or --listen 0.0.0.0:443.")
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound_and_reads_well() {
        Line::command().debug_assert();
        insta::assert_snapshot!(Line::command().term_width(100).render_help());
    }
}
