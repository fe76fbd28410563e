//! What opens the keyring: the key file outside the data folder, or a passphrase somebody gives.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use domain::{Entropy, Secret};
use keys::{Keyring, Protector};
use zeroize::Zeroizing;

use crate::{
    config::{KeysSection, ProtectorKind},
    failure::{Exit, Failure, disk},
    folder::{self, Folder},
    outside,
};

/// Opens the keyring of the folder, or makes one where there is no store yet.
///
/// # Errors
/// [`Exit::Keys`], [`Exit::Disk`]; what is there is left as it is.
pub(crate) fn keyring(
    folder: &Folder,
    config: &KeysSection,
    entropy: &Entropy,
) -> Result<(Keyring, bool), Failure> {
    let path = folder.file(folder::KEYRING);
    let is_new = !path.exists();
    if is_new && folder.file(folder::STORE).exists() {
        return Err(keys::Error::Missing { path }.into());
    }
    let protector = protector(folder, config)?;
    if is_new {
        make_place_for(&protector)?;
        Ok((Keyring::create(&path, &protector, entropy)?, true))
    } else {
        Ok((Keyring::open(&path, &protector)?, false))
    }
}

fn protector(folder: &Folder, config: &KeysSection) -> Result<Protector, Failure> {
    if let Some(passphrase) = &config.passphrase {
        return Ok(Protector::Passphrase(passphrase.clone()));
    }
    key_file(folder, config).map(Protector::KeyFile)
}

/// Where the key file is, when no passphrase opens the keyring.
///
/// # Errors
/// [`Exit::Keys`] when it takes a passphrase, [`Exit::Configuration`] when there is no place for the file.
pub(crate) fn key_file(folder: &Folder, config: &KeysSection) -> Result<PathBuf, Failure> {
    if config.protector == ProtectorKind::Passphrase {
        return Err(Failure::new(
            Exit::Keys,
            "The keyring of this instance opens with a passphrase, and none was given.",
        )
        .then("Start it on a terminal, give it with --passphrase-stdin, or set TROTH_PASSPHRASE."));
    }
    let file = match &config.key_file {
        Some(file) => file.clone(),
        None => outside::home_folder("XDG_CONFIG_HOME", ".config")
            .ok_or_else(|| {
                Failure::new(Exit::Configuration, "It is not clear where the key file is to be kept.")
                    .then("Name a file outside the data folder as `keys.key_file`.")
            })?
            .join("troth")
            .join(key_file_name(folder)),
    };
    if resolved(&file).starts_with(folder.path()) {
        let what = "The key file lies in the data folder, so that a copy of the folder would open itself.";
        return Err(Failure::new(Exit::Configuration, what).then("Name a file elsewhere as `keys.key_file`."));
    }
    Ok(file)
}

/// The path with every link and `..` of the part that exists followed.
fn resolved(path: &Path) -> PathBuf {
    let existing = path.ancestors().find_map(|part| Some((part, part.canonicalize().ok()?)));
    match existing {
        Some((part, real)) => real.join(path.strip_prefix(part).unwrap_or(path)),
        None => path.to_owned(),
    }
}

/// `root.key` for the usual folder; other data folders of the same account get a name of their own.
fn key_file_name(folder: &Folder) -> String {
    let usual = outside::home_folder("XDG_DATA_HOME", ".local/share").map(|home| home.join("troth"));
    if usual.as_deref() == Some(folder.path()) {
        return "root.key".to_owned();
    }
    let path = folder.path().as_os_str().as_encoded_bytes();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, path);
    format!("root-{}.key", hex::encode(&digest.as_ref()[..8]))
}

fn make_place_for(protector: &Protector) -> Result<(), Failure> {
    let Protector::KeyFile(file) = protector else { return Ok(()) };
    let Some(parent) = file.parent().filter(|parent| !parent.exists()) else { return Ok(()) };
    let mut builder = std::fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .recursive(true)
        .create(parent)
        .map_err(|error| disk("make the folder of the key file,", parent, &error))
}

/// Reads a passphrase from standard input up to the end of the line.
///
/// # Errors
/// [`Exit::Keys`] when there is none.
pub(crate) fn passphrase_from_input() -> Result<Secret<String>, Failure> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(1024));
    let read = std::io::stdin().lock().take(1024).read_to_end(&mut bytes);
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let text = std::str::from_utf8(line).map(|text| text.trim_end_matches('\r')).unwrap_or_default();
    if read.is_err() || text.is_empty() {
        return Err(Failure::new(Exit::Keys, "No passphrase came by standard input.")
            .then("Pipe it in, for example `pass show troth | troth serve --passphrase-stdin`."));
    }
    Ok(Secret::new(text.to_owned()))
}

/// Asks for the passphrase on the terminal, twice when it is a new one; `None` when there is no terminal.
///
/// # Errors
/// [`Exit::Keys`] when the two differ.
pub(crate) fn passphrase_from_terminal(data: &Path) -> Result<Option<Secret<String>>, Failure> {
    use std::io::IsTerminal;
    if !std::io::stdin().is_terminal() {
        return Ok(None);
    }
    let ask = |prompt: &str| {
        rpassword::prompt_password(prompt)
            .map(Secret::new)
            .map_err(|_| Failure::new(Exit::Keys, "The passphrase could not be read from the terminal."))
    };
    if data.join(folder::KEYRING).exists() {
        return ask("Passphrase: ").map(Some);
    }
    let first = ask("New passphrase (there is no way back without it): ")?;
    let second = ask("Once more: ")?;
    if first.expose() != second.expose() {
        return Err(Failure::new(Exit::Keys, "The two passphrases are not the same.").then("Start again."));
    }
    Ok(Some(first))
}
