//! What lies on disk, as another account of this machine would find it.

use std::{fs, io, os::unix::fs::MetadataExt, path::PathBuf};

use assure::Unanswered;
use domain::{Control, Ctx, check::Finding};

use super::judge;
use crate::{
    folder::{KEYRING, TLS},
    instance::Face,
    outside, protector,
};

pub(super) async fn only_our_account_can_read(face: Face, ctx: Ctx) -> Result<Finding, Unanswered> {
    // The folder shuts out everybody; what is inside and secret is shut once more, for copies of it.
    let mut wanted = vec![(face.folder.path().to_owned(), "data folder")];
    wanted.push((face.folder.file(KEYRING), "keyring"));
    if face.config.keys.passphrase.is_none() {
        let file = protector::key_file(&face.folder, &face.config.keys);
        wanted.push((file.map_err(|failure| Unanswered::because(failure.to_string()))?, "key file"));
    }
    wanted.extend(tls_keys(&face)?.into_iter().map(|file| (file, "key of a certificate")));
    let (us, mut wrong, mut modes) = (outside::own_uid(), None, Vec::new());
    for (path, what) in &wanted {
        let about = fs::metadata(path)?;
        let mode = about.mode() & 0o777;
        if mode & 0o077 != 0 {
            wrong = Some(format!("Other accounts of this machine can read the {what}."));
        // Whoever is root reads everything anyway, and keeps the secrets of services on some systems.
        } else if about.uid() != 0 && us.is_some_and(|us| us != about.uid()) {
            wrong = Some(format!("The {what} belongs to another account of this machine."));
        }
        modes.push((*what, format!("{mode:04o}")));
    }
    let good = "The data folder and every key in it or beside it belong to this account alone.";
    let finding = judge(Control::DAT01, &ctx, wrong, good);
    Ok(modes.into_iter().fold(finding, |finding, (what, mode)| finding.fact(what, mode)))
}

/// The private keys of certificates of ours.
fn tls_keys(face: &Face) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(face.folder.file(TLS)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let files = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    Ok(files.into_iter().filter(|file| file.to_string_lossy().ends_with(".key.json")).collect())
}
