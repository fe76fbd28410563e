//! Released `openai` SDKs hold a conversation with a running instance: models, an answer whole and
//! streamed, tools, embeddings, errors; those of OpenAI and Deepgram hold a call. Released scanners look at one: requests made from its own
//! description (schemathesis), its TLS (sslyze), its headers (Mozilla's HTTP observatory). The scripts lie in `sdk/`; `cargo xtask test --install` puts the
//! SDKs into `target/sdk`.

#![expect(clippy::panic, reason = "a test whose steps do not succeed has failed")]

#[path = "api/caller.rs"]
mod caller;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use caller::Caller;
use server::{Config, Instance, Outside};
use testkit::Client;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Where `cargo xtask test --install` puts packages: beside the build's own results.
fn installed(name: &str) -> PathBuf {
    // target/debug/deps/sdk-… → target
    let here = std::env::current_exe().expect("the path of this test");
    let target = here.ancestors().nth(3).expect("a target folder");
    let place = target.join("sdk").join(name);
    assert!(place.exists(), "{} is missing; run `cargo xtask test --install`", place.display());
    place
}

/// Runs one script against an instance; what it prints is shown when it fails.
async fn talks(program: PathBuf, script: &str, packages: Option<PathBuf>) {
    talks_with(Caller::start().await, program, script, packages, SCRIPTED).await;
}

/// The words of the recording that comes with the recogniser.
const TWO_CITIES: &str = "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of \
    foolishness, it was the epoch of belief, it was the epoch of incredulity, it was the season of Light, it was the \
    season of Darkness, it was the spring of hope, it was the winter of despair, we had everything before us, we had \
    nothing before us, we were all going direct to Heaven, we were all going direct the other way, in short, the period \
    was so far like the present period that some of its noisiest authorities insisted on its being received, for good \
    or for evil, in the superlative degree of comparison only";
/// What hears, what speaks, and with which voice.
const SCRIPTED: [&str; 3] = ["scripted-ear", "scripted-voice", "whistle"];
const LOCAL: [&str; 3] = ["moonshine-tiny-en", "hibari-heart", "heart"];

async fn talks_with(
    caller: Caller,
    program: PathBuf,
    script: &str,
    packages: Option<PathBuf>,
    speech: [&str; 3],
) {
    let mut command = Command::new(program);
    command
        .arg(root().join("crates/server/tests/sdk").join(script))
        .env("OPENAI_BASE_URL", caller.base_url())
        .env("OPENAI_API_KEY", &caller.key)
        .env("SSL_CERT_FILE", caller.authority())
        .env("NODE_EXTRA_CA_CERTS", caller.authority())
        .env("SPEECH_EAR", speech[0])
        .env("SPEECH_VOICE", speech[1])
        .env("SPEECH_NAME", speech[2])
        .env("NO_PROXY", "localhost");
    if speech == LOCAL {
        command.env("SPEECH_RECORDED", TWO_CITIES);
        command.env("SPEECH_RECORDING", installed("../models").join("recording-two-cities.wav"));
    }
    if let Some(packages) = packages {
        command.env("TROTH_TEST_PACKAGES", packages);
    }
    let ran = tokio::task::spawn_blocking(move || command.output()).await.expect("the script was run");
    let output = ran.unwrap_or_else(|error| panic!("{script} could not be started: {error}"));
    let told =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{script} failed:\n{told}");
    assert!(told.contains("the conversation is complete"), "{script} ended early:\n{told}");
    caller.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_sdk_holds_a_conversation() {
    talks(installed("python/bin/python"), "conversation.py", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_sdks_hear_what_they_had_spoken() {
    talks(installed("python/bin/python"), "speech.py", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_javascript_sdks_hear_what_they_had_spoken() {
    let packages = installed("js/node_modules/@deepgram").join("..");
    talks(PathBuf::from("node"), "speech.mjs", Some(packages)).await;
}

/// The same with the models of this machine, whose files `cargo xtask test --install` puts beside the packages.
#[tokio::test(flavor = "multi_thread")]
async fn the_models_of_this_machine_hear_what_they_said() {
    let folder = installed("../models");
    let more = format!("[models]\nmodels_folder = {folder:?}\nlocal.fetch = false\nspeech.enabled = true\n");
    let caller = Caller::start_with(&more).await;
    let ready = async {
        while caller.instance.providers().speech().readiness() != domain::model::Readiness::Ready {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(120), ready).await.expect("the models are there");
    talks_with(caller, installed("python/bin/python"), "speech.py", None, LOCAL).await;
}

/// A SCIM test client tries everything the instance says about itself.
#[tokio::test(flavor = "multi_thread")]
async fn the_scim_tester_finds_nothing_wrong() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let key_file = format!("[keys]\nkey_file = {:?}", folder.path().join("root.key"));
    let config = Config::for_tests(&folder.path().join("data"), &key_file).expect("a configuration");
    let instance = Instance::start(config, Outside::real()).await.expect("an instance that listens");
    let authority = instance.authority().expect("a local authority");
    let mut owner = Client::new(&instance.url(), &authority);
    let code = instance.setup_code().expect("a new instance has a setup code").expose().clone();
    owner.set_up(&code, "ann", "Correct-Horse-7-Battery").await;
    let page = owner.submit::<&str, &str>("/admin/directory/tokens", &[]).await;
    let mut command = Command::new(installed("python/bin/python"));
    command
        .arg(root().join("crates/server/tests/sdk/provisioning.py"))
        .env("SCIM_BASE_URL", format!("{}/scim/v2", instance.url()))
        .env("SCIM_TOKEN", page.between("id=\"key\">", "<"))
        .env("SSL_CERT_FILE", authority)
        .env("NO_PROXY", "localhost");
    let ran = tokio::task::spawn_blocking(move || command.output()).await.expect("the script was run");
    let output = ran.expect("the script could be started");
    let told =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && told.contains("the conversation is complete"), "{told}");
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_javascript_sdk_holds_a_conversation() {
    let packages = installed("js/node_modules/openai").join("..");
    talks(PathBuf::from("node"), "conversation.mjs", Some(packages)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_sdk_holds_a_call_over_the_realtime_wire() {
    let _proof = domain::verifies!(VOI10);
    talks(installed("python/bin/python"), "realtime.py", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_javascript_sdk_holds_a_call_over_the_realtime_wire() {
    let packages = installed("js/node_modules/ws").join("..");
    talks(PathBuf::from("node"), "realtime.mjs", Some(packages)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_sdk_of_deepgram_holds_a_call_over_the_agent_wire() {
    let _proof = domain::verifies!(VOI10);
    talks(installed("python/bin/python"), "agent.py", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_javascript_sdk_of_deepgram_holds_a_call_over_the_agent_wire() {
    let packages = installed("js/node_modules/@deepgram").join("..");
    talks(PathBuf::from("node"), "agent.mjs", Some(packages)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_go_wrong_end_as_their_wire_says_and_alone() {
    let _proof = domain::verifies!(VOI11);
    talks(installed("python/bin/python"), "bad_calls.py", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_made_from_the_published_description_find_no_fault() {
    let _proof = domain::verifies!(WEB14);
    talks(installed("python/bin/python"), "schema.py", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scanner_finds_tls_1_3_alone_and_modern() {
    let _proof = domain::verifies!(CRY04);
    talks(installed("python/bin/python"), "tls.py", None).await;
}

/// By a name that could be public, with a page of somebody who is signed in: its scripts and its cookies.
#[tokio::test(flavor = "multi_thread")]
async fn an_outside_scanner_gives_every_point_there_is_to_get() {
    let _proof = domain::verifies!(WEB02);
    const NAME: &str = "troth.example";
    let folder = tempfile::tempdir().expect("a temporary folder");
    let hosts = format!("[web]\nhosts = [{NAME:?}]");
    let config = Config::for_tests(&folder.path().join("data"), &hosts).expect("a configuration");
    let instance = Instance::start(config, Outside::real()).await.expect("an instance that listens");
    let authority = instance.authority().expect("a local authority");
    let port = instance.addresses()[0].port();
    let mut owner = Client::new(&format!("https://localhost:{port}"), &authority);
    let code = instance.setup_code().expect("a new instance has a setup code").expose().clone();
    owner.set_up(&code, "ann", "Correct-Horse-7-Battery").await;
    let cookies = owner.cookie().expect("a session");
    // Without the access token, as when it is over: the next pair of tokens comes with the page.
    let refresh = cookies.split("; ").find(|cookie| cookie.starts_with("__Host-troth-refresh="));
    let mut command = Command::new("node");
    command
        .arg(root().join("crates/server/tests/sdk/observatory.mjs"))
        .env("TROTH_TEST_PACKAGES", installed("js/node_modules/@mdn").join(".."))
        .env("TROTH_NAME", NAME)
        .env("TROTH_PORT", port.to_string())
        .env("TROTH_COOKIE", refresh.expect("a refresh token"))
        .env("NODE_EXTRA_CA_CERTS", authority)
        .env("NO_PROXY", "localhost,troth.example");
    let ran = tokio::task::spawn_blocking(move || command.output()).await.expect("the script was run");
    let output = ran.expect("the script could be started");
    let told =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && told.contains("the conversation is complete"), "{told}");
    instance.stop().await;
}
