//! Private keys at rest: sealed under a data key of their own, which the keyring wraps.

use std::path::Path;

use domain::{Ctx, id::DekId};
use keys::{Binding, Keyring};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    failure::{Exit, Failure, disk},
    folder,
};

/// The file, as JSON. Bytes are in hexadecimal.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    dek: DekId,
    wrapped: String,
    sealed: String,
}

const VERSION: u32 = 1;
const SUBJECT: &str = "system:tls";

fn binding(name: &str) -> Binding<'_> {
    Binding { table: "tls", column: "key", row: name }
}

/// Seals the key called `name` into the file at `path`.
pub(super) fn write(
    path: &Path,
    keyring: &Keyring,
    name: &str,
    key: &[u8],
    ctx: &Ctx,
) -> Result<(), Failure> {
    let id = DekId::fresh(ctx);
    let (dek, wrapped) = keyring.new_dek(id, SUBJECT, ctx.entropy())?;
    let sealed = dek.seal(&binding(name), key, ctx.entropy())?;
    let file = File { version: VERSION, dek: id, wrapped: hex::encode(wrapped), sealed: hex::encode(sealed) };
    let text = serde_json::to_vec_pretty(&file).unwrap_or_default();
    folder::write(path, &text, false)
}

/// Opens the key called `name`; `None` when there is no file.
///
/// # Errors
/// [`Exit::Keys`] when it is there and does not open; it is left as it is.
pub(super) fn open(
    path: &Path,
    keyring: &Keyring,
    name: &str,
) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(disk("read", path, &error)),
    };
    let opened = (|| {
        let file: File = serde_json::from_slice(&text).ok().filter(|file: &File| file.version == VERSION)?;
        let dek = keyring.unwrap_dek(file.dek, SUBJECT, &hex::decode(file.wrapped).ok()?).ok()?;
        dek.open(&binding(name), &hex::decode(file.sealed).ok()?).ok()
    })();
    opened.map(Some).ok_or_else(|| {
        Failure::new(Exit::Keys, format!("The key in {} does not open: it is damaged.", path.display())).then(
            "Restore it from a backup, or move it away: a new one is made, and browsers must trust it anew.",
        )
    })
}
