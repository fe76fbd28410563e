//! The keyring on disk: refused when damaged, never overwritten, opened by its secret alone.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use domain::{Entropy, Secret, verifies};
use keys::{Error, Keyring, Protector};

/// A folder with a place for a keyring and one for a key file.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn keyring(&self) -> PathBuf {
        self.folder.path().join("keyring.json")
    }

    fn key_file(&self) -> PathBuf {
        self.folder.path().join("root.key")
    }

    fn by_key_file(&self) -> Protector {
        Protector::KeyFile(self.key_file())
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).expect("a listing");
        let mut names: Vec<_> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

fn passphrase(words: &str) -> Protector {
    Protector::Passphrase(Secret::new(words.to_owned()))
}

fn entropy() -> Entropy {
    Entropy::new(|buffer| aws_lc_rs::rand::fill(buffer).expect("randomness"))
}

/// Writes a file only its owner may read, as an administrator's copy would be.
fn write(path: &PathBuf, bytes: &[u8]) {
    fs::write(path, bytes).expect("a file");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("its mode");
}

#[test]
fn a_key_file_opens_what_it_sealed() {
    let _proof = verifies!(CRY03);
    let place = Place::new();
    let made = Keyring::create(&place.keyring(), &place.by_key_file(), &entropy()).unwrap();
    let opened = Keyring::open(&place.keyring(), &place.by_key_file()).unwrap();
    assert_eq!(made.derive("x").expose(), opened.derive("x").expose());
    assert_eq!(place.names(), ["keyring.json", "root.key"], "no draft is left");
    for path in [place.keyring(), place.key_file()] {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let text = fs::read(place.keyring()).unwrap();
    let root = fs::read(place.key_file()).unwrap();
    assert!(!text.windows(32).any(|window| window == root));
}

#[test]
fn a_passphrase_opens_what_it_sealed_and_another_does_not() {
    let place = Place::new();
    let right = passphrase("correct horse battery staple");
    let made = Keyring::create(&place.keyring(), &right, &entropy()).unwrap();
    let opened = Keyring::open(&place.keyring(), &right).unwrap();
    assert_eq!(made.mac("x", b"y"), opened.mac("x", b"y"));
    let before = fs::read(place.keyring()).unwrap();
    let wrong = Keyring::open(&place.keyring(), &passphrase("correct horse battery stable")).unwrap_err();
    assert!(matches!(wrong, Error::WrongPassphrase { .. }), "{wrong:?}");
    let other = Keyring::open(&place.keyring(), &place.by_key_file()).unwrap_err();
    assert!(matches!(other, Error::OtherProtector { sealed_by: "a passphrase", .. }), "{other:?}");
    assert_eq!(fs::read(place.keyring()).unwrap(), before);
    for error in [wrong, other] {
        let said = format!("{error} {error:?}");
        assert!(!said.contains("horse"), "{said}");
    }
}

#[test]
fn a_passphrase_that_could_be_guessed_is_refused() {
    let place = Place::new();
    let short = Keyring::create(&place.keyring(), &passphrase("hunter2"), &entropy());
    assert!(matches!(short, Err(Error::ShortPassphrase { least: 12 })));
    assert_eq!(place.names(), Vec::<String>::new());
}

#[test]
fn an_existing_keyring_is_never_overwritten() {
    let place = Place::new();
    Keyring::create(&place.keyring(), &place.by_key_file(), &entropy()).unwrap();
    let (keyring, key_file) = (fs::read(place.keyring()).unwrap(), fs::read(place.key_file()).unwrap());
    let again = Keyring::create(&place.keyring(), &place.by_key_file(), &entropy());
    assert!(matches!(again, Err(Error::Exists { .. })));
    // Nor is a file that is no keyring at all.
    write(&place.keyring(), b"");
    let again = Keyring::create(&place.keyring(), &place.by_key_file(), &entropy());
    assert!(matches!(again, Err(Error::Exists { .. })));
    assert_eq!(fs::read(place.keyring()).unwrap(), b"");
    assert_eq!(fs::read(place.key_file()).unwrap(), key_file);
    write(&place.keyring(), &keyring);
    Keyring::open(&place.keyring(), &place.by_key_file()).unwrap();
}

#[test]
fn a_damaged_keyring_is_told_from_a_wrong_secret() {
    let place = Place::new();
    Keyring::create(&place.keyring(), &place.by_key_file(), &entropy()).unwrap();
    let whole = fs::read(place.keyring()).unwrap();
    for cut in 0..whole.len() {
        write(&place.keyring(), &whole[..cut]);
        let opened = Keyring::open(&place.keyring(), &place.by_key_file());
        assert!(matches!(opened, Err(Error::Damaged { .. })), "cut at {cut}: {opened:?}");
        assert_eq!(fs::read(place.keyring()).unwrap(), &whole[..cut]);
    }
    for at in 0..whole.len() {
        let mut spoilt = whole.clone();
        spoilt[at] ^= 1;
        write(&place.keyring(), &spoilt);
        let opened = Keyring::open(&place.keyring(), &place.by_key_file());
        let harmless = whole[at].is_ascii_whitespace();
        let refused = matches!(opened, Err(Error::Damaged { .. } | Error::OtherProtector { .. }));
        assert!(refused || (harmless && opened.is_ok()), "byte {at}: {opened:?}");
    }
}

#[test]
fn what_is_missing_is_named() {
    let place = Place::new();
    let missing = Keyring::open(&place.keyring(), &place.by_key_file()).unwrap_err();
    assert!(matches!(&missing, Error::Missing { path } if *path == place.keyring()));
    Keyring::create(&place.keyring(), &place.by_key_file(), &entropy()).unwrap();
    let key = fs::read(place.key_file()).unwrap();
    fs::remove_file(place.key_file()).unwrap();
    let missing = Keyring::open(&place.keyring(), &place.by_key_file()).unwrap_err();
    assert!(matches!(&missing, Error::KeyFileMissing { key_file } if *key_file == place.key_file()));
    assert!(!place.key_file().exists(), "opening makes no key file");
    for wrong_length in [&key[..31], &[key.as_slice(), b"x"].concat(), b""] {
        write(&place.key_file(), wrong_length);
        let damaged = Keyring::open(&place.keyring(), &place.by_key_file());
        assert!(matches!(damaged, Err(Error::KeyFileDamaged { .. })), "{damaged:?}");
    }
    write(&place.key_file(), &[7; 32]);
    let wrong = Keyring::open(&place.keyring(), &place.by_key_file());
    assert!(matches!(wrong, Err(Error::WrongKeyFile { .. })), "{wrong:?}");
    write(&place.key_file(), &key);
    Keyring::open(&place.keyring(), &place.by_key_file()).unwrap();
}

#[test]
fn a_key_others_may_read_is_refused() {
    let place = Place::new();
    Keyring::create(&place.keyring(), &place.by_key_file(), &entropy()).unwrap();
    for (path, mode) in [(place.key_file(), 0o644), (place.keyring(), 0o640)] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let exposed = Keyring::open(&place.keyring(), &place.by_key_file()).unwrap_err();
        assert!(matches!(&exposed, Error::Exposed { path: named } if *named == path), "{exposed:?}");
        assert!(exposed.to_string().contains("chmod 600"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let place = Place::new();
    let nowhere = place.folder.path().join("no/such/keyring.json");
    let error = Keyring::create(&nowhere, &place.by_key_file(), &entropy()).unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error:?}");
}
