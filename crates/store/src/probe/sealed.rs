//! Whether what must be sealed is sealed: a look at the newest values of every sealed column.

use domain::{Action, Permit, id::DekId};
use sqlx::AssertSqlSafe;

use super::LOOKED_AT;
use crate::{Error, Store, row};

/// Where the key's identifier stands in a sealed value: after the version byte.
const KEY_ID: std::ops::Range<usize> = 1..17;

/// What a look at values that must be sealed found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sealed {
    /// Values looked at.
    pub looked_at: u64,
    /// Values that are not sealed under the key of whom they belong to.
    pub bare: u64,
}

/// A sealed column: its table and name, whose key seals it, and what is newest.
struct Column(&'static str, &'static str, &'static str, &'static str);

/// Under the key of the whole instance.
const SYSTEM: &str = "'system'";
/// Under the key of the customer the row is, or is about.
const CUSTOMER: &str = "'customer:' || t.id";
const OF_CUSTOMER: &str = "'customer:' || t.customer";

/// Every sealed column. A test holds this against the sources.
const COLUMNS: &[Column] = &[
    Column("accounts", "name", "t.id", "created"),
    Column("accounts", "settings", "t.id", "created"),
    Column("passwords", "verifier", "t.account", "changed"),
    Column("totp", "secret", "t.account", "last_step"),
    Column("passkeys", "name", "t.account", "created"),
    Column("passkeys", "passkey", "t.account", "created"),
    Column("sessions", "device", "t.account", "created"),
    Column("sessions", "begun_from", "t.account", "created"),
    Column("sessions", "seen_from", "t.account", "created"),
    Column("api_keys", "label", "t.account", "created"),
    Column("api_keys", "used_from", "t.account", "created"),
    Column("call_tickets", "terms", "t.account", "created"),
    Column("notices", "notice", "t.account", "at"),
    Column("emails", "address", "t.account", "confirmed"),
    Column("mail_links", "address", "t.account", "created"),
    Column("outbox", "mail", "COALESCE(t.account, 'customer:' || t.customer, 'system')", "created"),
    Column("consents", "consent", "t.account", "at"),
    Column("conversations", "title", "t.owner", "updated"),
    Column("messages", "body", "t.owner", "number"),
    Column("folders", "name", "t.owner", "id"),
    Column("drafts", "draft", "t.account", "at"),
    Column("content_requests", "words", "t.subject", "asked"),
    Column("directory_people", "record", "t.account", "changed"),
    Column("customers", "internal", CUSTOMER, "created"),
    Column("customers", "confidential", CUSTOMER, "created"),
    Column("customers", "restricted", CUSTOMER, "created"),
    Column("customer_orders", "record", OF_CUSTOMER, "created"),
    Column("appointments", "record", OF_CUSTOMER, "created"),
    Column("directory_groups", "record", SYSTEM, "changed"),
    Column("account_groups", "name", SYSTEM, "created"),
    Column("custom_roles", "name", SYSTEM, "created"),
    Column("custom_roles", "about", SYSTEM, "created"),
    Column("invitations", "address", SYSTEM, "created"),
    Column("addresses", "network", SYSTEM, "created"),
    Column("addresses", "note", SYSTEM, "created"),
    Column("settings", "value", SYSTEM, "name"),
    Column("token_keys", "seed", SYSTEM, "created"),
];

/// Looks at the newest values of every sealed column, as the database has them.
///
/// # Errors
/// [`Error::Denied`]; otherwise when the database cannot be read.
pub async fn sealed_values(store: &Store, permit: &Permit) -> Result<Sealed, Error> {
    permit.instance(Action::ReadInstance)?;
    let mut sealed = Sealed::default();
    for Column(table, column, owner, newest) in COLUMNS {
        // Put together from the words above alone.
        let query = AssertSqlSafe(format!(
            "SELECT t.{column} AS value, d.id AS dek FROM {table} t JOIN deks d ON d.subject = {owner} \
             WHERE t.{column} IS NOT NULL ORDER BY t.{newest} DESC LIMIT $1"
        ));
        for found in sqlx::query(query).bind(LOOKED_AT).fetch_all(store.readers()).await? {
            let dek: DekId = row::id(&found, "dek")?;
            let value = row::bytes(&found, "value")?;
            sealed.looked_at += 1;
            if value.get(KEY_ID) != Some(dek.0.as_bytes().as_slice()) || std::str::from_utf8(&value).is_ok() {
                sealed.bare += 1;
            }
        }
    }
    Ok(sealed)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    /// What stands between `Cell::new(` and `)` in the sources of this room.
    fn cells() -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                if entry.path().is_dir() {
                    folders.push(entry.path());
                } else if entry.file_name() != "sealed.rs" {
                    let source = fs::read_to_string(entry.path()).unwrap();
                    let cells =
                        source.split("= Cell::new(\"").skip(1).filter_map(|rest| rest.split_once(')'));
                    found.extend(cells.map(|(cell, _)| cell.replace(['"', ' '], "")));
                }
            }
        }
        found.retain(|cell| !cell.starts_with("probe,"));
        found
    }

    #[test]
    fn every_sealed_column_is_looked_at() {
        let looked_at: BTreeSet<_> =
            COLUMNS.iter().map(|Column(table, name, ..)| format!("{table},{name}")).collect();
        assert_eq!(looked_at.len(), COLUMNS.len());
        assert_eq!(looked_at, cells());
    }
}
