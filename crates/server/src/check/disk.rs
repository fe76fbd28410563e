//! What lies on disk, as another account of this machine would find it.

use std::{os::unix::fs::MetadataExt, path::Path};

use assure::Unanswered;
use domain::{Control, Ctx, check::Finding};

use super::judge;
use crate::{folder, instance::Face};

pub(super) async fn only_our_account_can_read(face: Face, ctx: Ctx) -> Result<Finding, Unanswered> {
    let mode = |path: &Path| std::fs::metadata(path).map(|meta| meta.mode() & 0o777);
    let folder = mode(face.folder.path())?;
    let keyring = mode(&face.folder.file(folder::KEYRING))?;
    let wrong = if folder != 0o700 {
        Some("Other accounts of this machine can enter the data folder.".to_owned())
    } else if keyring != 0o600 {
        Some("Other accounts of this machine could read the keyring file.".to_owned())
    } else {
        None
    };
    let finding =
        judge(Control::DAT01, &ctx, wrong, "The data folder and the keyring belong to this account alone.");
    Ok(finding.fact("data folder", format!("{folder:04o}")).fact("keyring", format!("{keyring:04o}")))
}
