//! What the checks found: content-free, kept so that the trust page knows since when a promise holds.
//!
//! `assure` calls this.

use domain::{Action, Control, Permit, Timestamp, check::Finding};
use sqlx::Row;

use crate::{Error, Store, Tx};

/// Keeps `findings`.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to change the instance.
pub async fn record(tx: &mut Tx, permit: &Permit, findings: &[Finding]) -> Result<(), Error> {
    permit.instance(Action::WriteInstance)?;
    for finding in findings {
        let text =
            serde_json::to_string(finding).map_err(|_| Error::damaged("a finding cannot be written"))?;
        sqlx::query(
            "INSERT INTO findings (control, at, finding) VALUES ($1, $2, $3) \
             ON CONFLICT (control, at) DO UPDATE SET finding = excluded.finding",
        )
        .bind(finding.control.token())
        .bind(finding.at.0)
        .bind(text)
        .execute(tx.db())
        .await?;
    }
    Ok(())
}

/// The latest finding about each control, in order of their tokens.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to read the instance.
pub async fn latest(store: &Store, permit: &Permit) -> Result<Vec<Finding>, Error> {
    permit.instance(Action::ReadInstance)?;
    let found = sqlx::query(
        "SELECT f.finding FROM findings f WHERE f.at = (SELECT MAX(g.at) FROM findings g WHERE g.control = f.control) \
         ORDER BY f.control",
    )
    .fetch_all(store.readers())
    .await?;
    texts(&found)
}

/// The findings about one control since a moment, oldest first.
///
/// # Errors
/// [`Error::Denied`] unless the permit is to read the instance.
pub async fn history(
    store: &Store,
    permit: &Permit,
    control: Control,
    since: Timestamp,
) -> Result<Vec<Finding>, Error> {
    permit.instance(Action::ReadInstance)?;
    let found = sqlx::query("SELECT finding FROM findings WHERE control = $1 AND at >= $2 ORDER BY at")
        .bind(control.token())
        .bind(since.0)
        .fetch_all(store.readers())
        .await?;
    texts(&found)
}

/// Findings from their rows. One about a control this version does not know is passed over.
fn texts(found: &[sqlx::any::AnyRow]) -> Result<Vec<Finding>, Error> {
    let mut findings = Vec::with_capacity(found.len());
    for found in found {
        let text: String = found.try_get("finding")?;
        findings.extend(serde_json::from_str::<Finding>(&text).ok());
    }
    Ok(findings)
}
