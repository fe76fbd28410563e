//! The data folder: where everything of an instance lies, readable by its own account alone.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use domain::enforced;

use crate::failure::{Exit, Failure, disk};

/// The keyring, whose presence makes a folder ours.
pub const KEYRING: &str = "keyring.json";
/// The configuration, which may be there before the keyring is.
pub const CONFIG: &str = "troth.toml";
/// Settings and secrets beside it.
pub const DOTENV: &str = ".env";
/// The local certificate authority and the certificate in use.
pub const TLS: &str = "tls";
/// Model files.
pub const MODELS: &str = "models";
/// Where a running instance listens to commands of its own account.
pub const SOCKET: &str = "control.sock";

/// The embedded store; like the keyring it makes a folder ours, and must never meet a new keyring.
pub const STORE: &str = "troth.db";

/// What may lie in a folder that becomes a data folder.
const BEFORE_THE_KEYRING: [&str; 4] = [CONFIG, DOTENV, MODELS, "troth.lock"];

/// An existing data folder with mode 0700.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes the folder at `path`, or takes the one that is there and closes it to other accounts.
    /// A folder that holds other things is left alone.
    ///
    /// # Errors
    /// [`Exit::Disk`]: not writable, somebody else's, or in use for something else.
    pub fn prepare(path: &Path) -> Result<Self, Failure> {
        enforced!(DAT01);
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut builder = fs::DirBuilder::new();
                builder.recursive(true).mode(0o700);
                builder.create(path).map_err(|error| disk("make the data folder", path, &error))?;
            }
            Err(error) => return Err(disk("look at the data folder", path, &error)),
            Ok(_) => Self::take(path)?,
        }
        let path = path.canonicalize().map_err(|error| disk("look at the data folder", path, &error))?;
        let folder = Self(path);
        folder.try_writing()?;
        Ok(folder)
    }

    /// The folder at `path` if an instance was made there already. Nothing about it is changed, not even its mode.
    ///
    /// # Errors
    /// [`Exit::Configuration`] when there is none.
    pub fn existing(path: &Path) -> Result<Self, Failure> {
        if path.join(KEYRING).is_file() {
            let path = path.canonicalize().map_err(|error| disk("look at the data folder", path, &error))?;
            return Ok(Self(path));
        }
        Err(Failure::new(Exit::Configuration, format!("There is no instance in {}.", path.display()))
            .then("Run `troth serve` first, or name its folder with --data."))
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A path in it.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Closes an existing folder to others, unless it is something else than a data folder.
    fn take(path: &Path) -> Result<(), Failure> {
        let meta = fs::metadata(path).map_err(|error| disk("look at the data folder", path, &error))?;
        if !meta.is_dir() {
            return Err(Failure::new(Exit::Disk, format!("{} is not a folder.", path.display()))
                .then("Choose another data folder with --data."));
        }
        let is_ours = [KEYRING, STORE].iter().any(|name| path.join(name).exists());
        let strange = if is_ours { None } else { strange_entry(path)? };
        if let Some(strange) = strange {
            let what = format!("{} holds other things already, {strange:?} for one.", path.display());
            return Err(
                Failure::new(Exit::Disk, what).then("Give Troth an empty folder of its own with --data.")
            );
        }
        if meta.mode() & 0o077 != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(0o700))
                .map_err(|error| disk("close the data folder to other accounts:", path, &error))?;
            tracing::warn!("the data folder could be read by other accounts; it was closed to them");
        }
        Ok(())
    }

    /// Finds out now, and not in the middle of something, whether anything can be written here.
    fn try_writing(&self) -> Result<(), Failure> {
        let probe = self.file(".writable");
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let tried = options.open(&probe).and_then(|mut file| io::Write::write_all(&mut file, b"troth"));
        let removed = fs::remove_file(&probe);
        tried.and(removed).map_err(|error| disk("write to the data folder", &self.0, &error))
    }
}

fn strange_entry(path: &Path) -> Result<Option<String>, Failure> {
    let entries = fs::read_dir(path).map_err(|error| disk("read the data folder", path, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| disk("read the data folder", path, &error))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !BEFORE_THE_KEYRING.contains(&name.as_str()) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// Writes a file of the data folder so that it is whole or not there: a new file beside it, flushed to
/// the disk, then renamed over it. Mode 0600 unless `public`.
///
/// # Errors
/// [`Exit::Disk`].
pub fn write(path: &Path, bytes: &[u8], public: bool) -> Result<(), Failure> {
    let beside = path.with_extension("new");
    let mode = if public { 0o644 } else { 0o600 };
    let written = (|| {
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(mode);
        let mut file = options.open(&beside)?;
        io::Write::write_all(&mut file, bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        fs::File::open(path.parent().unwrap_or(path))?.sync_all()
    })();
    written.map_err(|error| {
        let _ = fs::remove_file(&beside);
        disk("write", path, &error)
    })
}

#[cfg(test)]
mod tests {
    use domain::verifies;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn a_new_folder_belongs_to_its_account_alone() {
        let _proof = verifies!(DAT01);
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::prepare(&home.path().join("a/b")).unwrap();
        assert_eq!(mode(folder.path()), 0o700);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "the probe is gone");
    }

    #[test]
    fn an_open_data_folder_is_closed() {
        let _proof = verifies!(DAT01);
        let home = tempfile::tempdir().unwrap();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(home.path().join(CONFIG), "").unwrap();
        Folder::prepare(home.path()).unwrap();
        assert_eq!(mode(home.path()), 0o700);
    }

    #[test]
    fn a_folder_with_other_things_is_left_alone() {
        let home = tempfile::tempdir().unwrap();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(home.path().join("thesis.odt"), "").unwrap();
        let failure = Folder::prepare(home.path()).unwrap_err();
        assert_eq!(failure.exit, Exit::Disk);
        assert!(failure.to_string().contains("thesis.odt"), "{failure}");
        assert_eq!(mode(home.path()), 0o755);
    }

    #[test]
    fn a_path_that_cannot_be_a_folder_says_so() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("file"), "").unwrap();
        assert_eq!(Folder::prepare(&home.path().join("file")).unwrap_err().exit, Exit::Disk);
        assert_eq!(Folder::prepare(&home.path().join("file/below")).unwrap_err().exit, Exit::Disk);
        assert_eq!(Folder::prepare(Path::new("/proc/troth")).unwrap_err().exit, Exit::Disk);
    }

    #[test]
    fn files_are_whole_and_private() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("server.key");
        write(&path, b"one", false).unwrap();
        write(&path, b"two", false).unwrap();
        assert_eq!((fs::read(&path).unwrap(), mode(&path)), (b"two".to_vec(), 0o600));
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }
}
