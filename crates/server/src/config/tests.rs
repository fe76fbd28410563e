//! The configuration, read from real files and variables.

use domain::verifies;
use tempfile::TempDir;

use super::*;

struct Place {
    data: TempDir,
    sources: Sources,
}

impl Place {
    fn new(file: &str, variables: &[(&str, &str)]) -> Self {
        let data = tempfile::tempdir().unwrap();
        std::fs::write(data.path().join(folder::CONFIG), file).unwrap();
        let environment =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let sources = Sources { data: Some(data.path().to_owned()), file: None, environment, working: None };
        Self { data, sources }
    }

    fn load(&self) -> Result<Config, Failure> {
        Config::load(&self.sources)
    }

    /// The sentence a wrong configuration is refused with, without this machine's paths.
    fn refusal(&self) -> String {
        let failure = self.load().expect_err("it must be refused");
        assert_eq!(failure.exit, Exit::Configuration);
        failure.to_string().replace(&self.data.path().display().to_string(), "DATA")
    }
}

#[test]
fn nothing_set_means_all_defaults() {
    let config = Place::new("", &[]).load().unwrap();
    assert_eq!(config.web.listen.len(), 2);
    assert_eq!(config.web.listen[0].port(), 8443);
    assert_eq!(config.numbers, Numbers::default());
    assert!(config.models.models_folder.ends_with(folder::MODELS));
}

#[test]
fn the_environment_is_stronger_than_dotenv_and_both_than_the_file() {
    let place = Place::new(
        "[web]\nstreams = 1\nidle_seconds = 1\ndrain_seconds = 1\n",
        &[("TROTH_WEB__STREAMS", "3")],
    );
    let dotenv = "TROTH_WEB__STREAMS=2\nTROTH_WEB__IDLE_SECONDS=2\n";
    std::fs::write(place.data.path().join(folder::DOTENV), dotenv).unwrap();
    let web = place.load().unwrap().web;
    assert_eq!((web.streams, web.idle_seconds, web.drain_seconds), (3, 2, 1));
}

#[test]
fn the_working_folders_dotenv_is_read_as_well() {
    let working = tempfile::tempdir().unwrap();
    std::fs::write(working.path().join(".env"), "TROTH_IDENTITY__ISSUER=Here\nPATH=not ours\n").unwrap();
    let mut place = Place::new("", &[]);
    place.sources.working = Some(working.path().to_owned());
    assert_eq!(place.load().unwrap().identity.issuer, "Here");
}

#[test]
fn a_dotenv_that_others_can_write_is_refused_unless_it_says_nothing_to_us() {
    use std::os::unix::fs::PermissionsExt;
    let working = tempfile::tempdir().unwrap();
    let file = working.path().join(".env");
    let mut place = Place::new("", &[]);
    place.sources.working = Some(working.path().to_owned());
    for (text, mode, is_taken) in [
        ("TROTH_IDENTITY__ISSUER=Here", 0o600, true),
        ("TROTH_IDENTITY__ISSUER=Here", 0o620, false),
        ("TROTH_IDENTITY__ISSUER=Here", 0o602, false),
        ("OTHER=thing", 0o666, true),
    ] {
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        match place.load() {
            Ok(_) => assert!(is_taken, "{text} {mode:o}"),
            Err(failure) => {
                assert!(!is_taken && failure.to_string().contains("another account"), "{failure}");
            }
        }
    }
}

#[test]
fn no_dotenv_names_a_program_to_run() {
    let program = "TROTH_MODELS__SOURCES__PACKAGE_CLIENT";
    let place = Place::new("", &[]);
    std::fs::write(place.data.path().join(folder::DOTENV), format!("{program}=/tmp/x\n")).unwrap();
    assert!(place.refusal().contains(program));
    let working = tempfile::tempdir().unwrap();
    std::fs::write(working.path().join(".env"), format!("{}=/tmp/x\n", program.replace("CLIENT", "client")))
        .unwrap();
    let mut place = Place::new("", &[]);
    place.sources.working = Some(working.path().to_owned());
    assert!(place.refusal().contains("names a program"));
    assert!(Place::new("", &[(program, "/usr/bin/pip")]).load().is_ok(), "the environment may");
}

#[test]
fn unknown_keys_are_refused_by_name_with_the_nearest_known_one() {
    let _proof = verifies!(CFG01);
    let cases = [
        ("[wbe]\nstreams = 1", &[][..]),
        ("[web]\nstreems = 1", &[]),
        ("[web]\nfrobnicate = 1", &[]),
        ("[models.local]\nfech = false", &[]),
        ("[[models.endpoints]]\nname = \"a\"\nbase_url = \"https://a.example\"\nmodel = []", &[]),
        ("[policy]\nidle_minute = 5", &[]),
        ("streams = 1", &[]),
        ("", &[("TROTH_WEB__STREEMS", "5")]),
        ("", &[("TROTH_STREAMS", "5")]),
    ];
    let refusals: Vec<String> = cases.iter().map(|(file, vars)| Place::new(file, vars).refusal()).collect();
    insta::assert_snapshot!(refusals.join("\n"));
}

#[test]
fn wrong_values_are_refused_by_the_name_of_their_key_and_not_repeated() {
    let cases = [
        "[web]\nstreams = \"hunter2\"",
        "[web]\nlisten = \"hunter2\"",
        "[web]\nhosts = [\"https://troth.example:8443\"]",
        "[web]\nlisten = []",
        "[web]\nstreams = 0",
        "[web]\ncertificate = \"a.pem\"",
        "[keys]\nprotector = \"hunter2\"",
        "[policy]\nidle_minutes = -5",
        "[web\nstreams = 1",
        "[web]\nstreams = 1\nstreams = 2",
    ];
    let refusals: Vec<String> = cases.iter().map(|file| Place::new(file, &[]).refusal()).collect();
    let refusals = refusals.join("\n");
    assert!(!refusals.contains("hunter2"), "{refusals}");
    insta::assert_snapshot!(refusals);
}

#[test]
fn a_secret_in_a_file_is_refused_and_not_repeated() {
    let _proof = verifies!(CFG02);
    let refusals = [
        Place::new("[store]\npostgres = \"postgres://u:hunter2@db/troth\"", &[]).refusal(),
        Place::new("[[models.endpoints]]\nname = \"at-work\"\nbase_url = \"https://a.example\"\napi_key = \"hunter2\"", &[])
            .refusal(),
    ]
    .join("\n");
    assert!(!refusals.contains("hunter2"), "{refusals}");
    insta::assert_snapshot!(refusals);
}

#[test]
fn secrets_come_by_variable_and_are_printed_as_set() {
    let _proof = verifies!(CFG02);
    let file = "[[models.endpoints]]\nname = \"at-work\"\nbase_url = \"https://models.example/v1\"\nmodels = [\"m\"]\n";
    let variables = [
        ("TROTH_MODELS__ENDPOINTS__AT_WORK__API_KEY", "hunter2-key"),
        ("TROTH_STORE__POSTGRES", "postgres://u:hunter2-pw@127.0.0.1/troth"),
        ("TROTH_PASSPHRASE", "hunter2-phrase"),
        ("TROTH_POLICY__IDLE_MINUTES", "45"),
    ];
    let config = Place::new(file, &variables).load().unwrap();
    let key = config.models.endpoints[0].api_key.as_ref().unwrap();
    assert_eq!(key.expose(), "hunter2-key");
    assert!(config.store.postgres.is_some() && config.keys.passphrase.is_some());
    let lines = show(&config).into_iter().filter(|(key, _)| key != "data");
    let shown: Vec<String> = lines.map(|(key, value)| format!("{key} = {value}")).collect();
    let shown = shown.join("\n");
    assert!(!shown.contains("hunter2") && !format!("{:?}", config.keys).contains("hunter2"), "{shown}");
    insta::assert_snapshot!(shown);
}

#[test]
fn numbers_of_the_policy_are_overridden_in_one_place_and_weaker_ones_show() {
    let config = Place::new("[policy]\nidle_minutes = 60\npassword_min_chars = 16\n", &[]).load().unwrap();
    assert_eq!((config.numbers.idle_minutes, config.numbers.password_min_chars), (60, 16));
    let deviations: Vec<String> = config.numbers.deviations().iter().map(ToString::to_string).collect();
    assert_eq!(deviations, ["idle_minutes is 60 minutes here; the policy promises 30 at most"]);
}

#[test]
fn a_named_file_must_be_there() {
    let mut place = Place::new("", &[]);
    place.sources.file = Some(place.data.path().join("elsewhere.toml"));
    assert!(place.refusal().contains("elsewhere.toml"));
}

#[test]
fn lists_may_be_written_with_commas() {
    let variables = [("TROTH_WEB__HOSTS", "a.example, b.example"), ("TROTH_WEB__LISTEN", "localhost:9443")];
    let web = Place::new("", &variables).load().unwrap().web;
    assert_eq!(web.hosts, ["a.example", "b.example"]);
    assert_eq!(web.listen, [([127, 0, 0, 1], 9443).into(), (std::net::Ipv6Addr::LOCALHOST, 9443).into()]);
    assert_eq!(web.all_hosts(), ["localhost", "127.0.0.1", "::1", "a.example", "b.example"]);
}

/// What the shipped example shows as defaults are the defaults.
#[test]
fn the_example_is_the_defaults() {
    let example = include_str!("../../../../troth.example.toml");
    let uncommented: String = example
        .lines()
        .map(|line| line.strip_prefix("#: ").unwrap_or(line))
        .fold(String::new(), |text, line| text + line + "\n");
    let config = Place::new(&uncommented, &[]).load().unwrap();
    let defaults = Place::new("", &[]).load().unwrap();
    assert_eq!(format!("{:?}", config.web), format!("{:?}", defaults.web));
    assert_eq!(format!("{:?}", config.identity), format!("{:?}", defaults.identity));
    assert_eq!(config.numbers, defaults.numbers);
    assert_eq!(config.models.local.fetch, defaults.models.local.fetch);
}

/// Every key there is stands in the documentation, and nothing else does.
#[test]
fn the_documentation_names_the_keys_there_are() {
    let documentation = include_str!("../../../../docs/configuration.md");
    let mut known: Vec<String> =
        domain::control::NUMBERS.iter().map(|n| format!("policy.{}", n.name)).collect();
    for section in [
        "web",
        "web.limits",
        "keys",
        "store",
        "identity",
        "mail",
        "desk",
        "models",
        "models.local",
        "models.sources",
        "models.speech",
        "models.speech.deepgram",
        "log",
    ] {
        let refusal = Place::new(&format!("[{section}]\nqqqqqqqqqqqq = 1"), &[]).refusal();
        let keys = refusal.split_once("Known are: ").unwrap().1.trim_end_matches('.').to_owned();
        known.extend(keys.split(", ").map(|key| format!("{section}.{key}")));
    }
    known.retain(|key| {
        let tables = [
            "web.limits",
            "models.local",
            "models.sources",
            "models.speech",
            "models.speech.deepgram",
            "models.endpoints",
            "identity.sso",
        ];
        !tables.contains(&key.as_str())
    });
    let rows = documentation.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let mut documented: Vec<String> = rows
        .map(|(key, _)| key.to_owned())
        .filter(|key| key.trim_start_matches('.').contains('.') && !key.ends_with('*'))
        .collect();
    known.sort();
    documented.sort();
    assert_eq!(documented, known);
}
