//! `troth addresses`: which addresses are kept out or let in. Asks the running instance over its control
//! socket, so the change counts at once.

use std::process::ExitCode;

use super::runtime;
use crate::{
    cli::{AddressRule, AddressesCommand},
    config::Config,
    failure::{Exit, Failure},
    folder::Folder,
    instance::{self, AddressOrder},
    outside,
};

pub(crate) fn addresses(config: &Config, command: &AddressesCommand) -> Result<ExitCode, Failure> {
    let order = match command {
        AddressesCommand::List { json } => AddressOrder::List { json: *json },
        AddressesCommand::Deny(rule) => set(rule, true)?,
        AddressesCommand::Allow(rule) => set(rule, false)?,
        AddressesCommand::Remove { network } => AddressOrder::Remove { network: network.clone() },
    };
    let folder = Folder::existing(&config.data)?;
    let order = serde_json::to_string(&order).unwrap_or_default();
    let answer = runtime()?.block_on(instance::ask(folder.path(), &format!("addresses {order}")));
    let answer = answer.ok_or_else(|| {
        Failure::new(Exit::Unforeseen, "No instance is running on this data folder.").then(
            "Start it first, or write the range into the configuration, under `web.deny` or `web.allow`.",
        )
    })?;
    let text = answer.text.trim_end();
    if answer.exit == 0 {
        outside::say(text);
    } else {
        outside::warn(text);
    }
    Ok(ExitCode::from(answer.exit))
}

fn set(rule: &AddressRule, deny: bool) -> Result<AddressOrder, Failure> {
    let seconds = rule.time.as_deref().map(|time| {
        seconds(time).ok_or_else(|| {
            Failure::new(Exit::Configuration, "--for takes a number with m, h or d.")
                .then("For example --for 30m, --for 2h or --for 7d.")
        })
    });
    let (network, note) = (rule.network.clone(), rule.note.clone());
    Ok(AddressOrder::Set { deny, network, seconds: seconds.transpose()?, note })
}

/// `30m`, `2h`, `7d` in seconds.
fn seconds(text: &str) -> Option<u32> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let each = match unit {
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        _ => return None,
    };
    number.parse::<u32>().ok()?.checked_mul(each)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_numbers_with_a_unit() {
        assert_eq!((seconds("30m"), seconds("2h"), seconds("7d")), (Some(1800), Some(7200), Some(604_800)));
        for strange in ["", "h", "2", "-2h", "2w", "1.5h", "99999999d", "2\u{e4}"] {
            assert_eq!(seconds(strange), None, "{strange}");
        }
    }
}
