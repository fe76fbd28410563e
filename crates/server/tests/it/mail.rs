//! E-mail to a real SMTP server on loopback, with TLS and a sign-in (aiosmtpd).
//!
//! `cargo xtask test --install` puts the server into `target/sdk`; `mail_server.py` beside this file runs it.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use domain::{
    access::{Role, Roles},
    verifies,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::Value;
use server::Instance;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::house::Place;

/// How long a mail may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A mail server on this machine; what it got comes a line at a time.
struct MailServer {
    process: Child,
    said: BufReader<ChildStdout>,
    port: u16,
}

impl MailServer {
    /// Starts on `port` (0: any) with the certificate of `folder`.
    fn start(folder: &Path, port: u16) -> Self {
        let here = std::env::current_exe().unwrap();
        let python = here.ancestors().nth(3).unwrap().join("sdk/python/bin/python");
        assert!(python.exists(), "{} is missing; run `cargo xtask test --install`", python.display());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/mail_server.py");
        let mut process = Command::new(python)
            .arg(script)
            .arg(port.to_string())
            .arg(folder.join("server.pem"))
            .arg(folder.join("server.key"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        let mut first = String::new();
        said.read_line(&mut first).unwrap();
        let port = first.trim().parse().expect("the mail server says its port first");
        Self { process, said, port }
    }

    /// The next mail it got: `to`, `user`, `tls`, `subject`, `id`, `plain`, `html`, `automatic`.
    async fn next(&mut self) -> Value {
        let said = &mut self.said;
        tokio::task::block_in_place(|| {
            let mut line = String::new();
            said.read_line(&mut line).unwrap();
            serde_json::from_str(&line).expect("a mail")
        })
    }

    /// Ends it, and waits until it is gone.
    fn stop(mut self) {
        drop(self.process.stdin.take());
        self.process.wait().unwrap();
    }
}

/// An authority and a certificate for `name`, as PEM files.
fn certificates(name: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let server = params.signed_by(&key, &authority).unwrap();
    let write = |file: &str, text: &str| {
        std::fs::File::create(folder.path().join(file)).unwrap().write_all(text.as_bytes()).unwrap();
    };
    write("authority.pem", &authority.pem());
    write("server.pem", &server.pem());
    write("server.key", &key.serialize_pem());
    folder
}

fn section(port: u16, authority: PathBuf, password: &str) -> String {
    format!(
        "[mail]\nserver = \"localhost\"\nport = {port}\nfrom = \"Troth <troth@example.org>\"\nuser = \"troth\"\n\
         password = {password:?}\nca_file = {:?}\nlinks = \"https://troth.example\"\n",
        authority.display().to_string()
    )
}

/// An owner who may invite, made without a browser.
async fn owner(instance: &Instance) -> domain::Ctx {
    let outside = server::Outside::real();
    let ctx = outside.ctx(domain::Job::Setup).acting_as(domain::Actor::Anonymous);
    let identity = instance.identity();
    let code = instance.setup_code().unwrap().clone();
    let password = domain::Secret::new("Quiet-Harbour-47".to_owned());
    let pending = identity.begin_setup(&ctx, &code, "Asha", &password).await.unwrap();
    let secret = totp_rs::Secret::try_from_base32(pending.secret_base32.expose().replace(' ', "")).unwrap();
    let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
    let digits = totp.generate(u64::try_from(ctx.now().seconds()).unwrap()).to_string();
    let done = identity.finish_setup(&ctx, &pending.ticket, &digits, "a test").await.unwrap();
    let known = identity.recognise_session(&ctx, &done.session.tokens).await.unwrap().unwrap();
    ctx.acting_as(known.actor)
}

/// Waits until the newest mail is in a state and says it.
async fn newest_problem(instance: &Instance, ctx: &domain::Ctx, state: identity::MailState) -> String {
    let last = Instant::now() + PATIENCE;
    loop {
        let mails = instance.identity().outbox(ctx).await.unwrap();
        if let Some(mail) = mails.first().filter(|mail| mail.state == state && mail.tries > 0)
            && (state == identity::MailState::Sent || !mail.problem.is_empty())
        {
            return mail.problem.clone();
        }
        assert!(Instant::now() < last, "the mail never came so far: {mails:?}");
        sleep(Duration::from_millis(50)).await;
    }
}

const USER: Roles = Roles::NONE.with(Role::User);

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_arrives_under_tls_and_signed_in_and_a_refused_one_is_given_up() {
    let _proof = verifies!(MAI01);
    let certificates = certificates("localhost");
    let mut mail = MailServer::start(certificates.path(), 0);
    let place = Place::new();
    let section = section(mail.port, certificates.path().join("authority.pem"), "hunter2-mail");
    let instance = place.start(&section).await.unwrap();
    let ctx = owner(&instance).await;
    let invited = instance.identity().invite(&ctx, Some("grace@example.org"), USER).await.unwrap();
    assert!(invited.token.is_none(), "it is mailed, not shown");
    let got = mail.next().await;
    assert_eq!(
        (&got["to"][0], &got["user"], &got["tls"]),
        (&"grace@example.org".into(), &"troth".into(), &true.into())
    );
    assert_eq!(got["subject"], "Asha invites you to Troth");
    assert_eq!(got["automatic"], "auto-generated");
    let plain = got["plain"].as_str().unwrap();
    let (_, token) = plain.split_once("https://troth.example/invitation#").expect("a link");
    let token = token.split_whitespace().next().unwrap();
    assert!(instance.identity().offer(&ctx, token).await.is_ok());
    assert!(got["html"].as_str().unwrap().contains(token));
    newest_problem(&instance, &ctx, identity::MailState::Sent).await;

    // The double refuses this one for good.
    instance.identity().send_test_mail(&ctx, "refused@example.org").await.unwrap();
    let why = newest_problem(&instance, &ctx, identity::MailState::Failed).await;
    assert!(why.contains("no such recipient") && !why.contains('@'), "{why}");
    let report = serde_json::to_string(&instance.verify().await.unwrap()).unwrap();
    assert!(report.contains("lets us in"), "the check went there as well");
    instance.stop().await;
    mail.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_sent_leaves_when_the_server_is_back() {
    let certificates = certificates("localhost");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let place = Place::new();
    let section = section(free, certificates.path().join("authority.pem"), "hunter2-mail");
    let instance = place.start(&section).await.unwrap();
    let ctx = owner(&instance).await;
    instance.identity().send_test_mail(&ctx, "asha@example.org").await.unwrap();
    let why = newest_problem(&instance, &ctx, identity::MailState::Waiting).await;
    assert!(why.contains("could not be reached"), "{why}");
    let mut mail = MailServer::start(certificates.path(), free);
    // The second try comes after about half a minute.
    let got = mail.next().await;
    assert_eq!(got["subject"], "Mail arrives");
    newest_problem(&instance, &ctx, identity::MailState::Sent).await;
    instance.stop().await;
    mail.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strange_certificate_or_a_wrong_password_gets_no_mail() {
    let _proof = verifies!(MAI01);
    let (ours, other_name) = (certificates("localhost"), certificates("mail.elsewhere.example"));
    let strange = certificates("localhost");
    for (served, trusted, password, says) in [
        (&ours, &strange, "hunter2-mail", "certificate"),
        (&other_name, &other_name, "hunter2-mail", "certificate"),
        (&ours, &ours, "wrong-password", "user and password"),
    ] {
        let mail = MailServer::start(served.path(), 0);
        let place = Place::new();
        let section = section(mail.port, trusted.path().join("authority.pem"), password);
        let instance = place.start(&section).await.unwrap();
        let ctx = owner(&instance).await;
        instance.identity().send_test_mail(&ctx, "asha@example.org").await.unwrap();
        let why = newest_problem(&instance, &ctx, identity::MailState::Waiting).await;
        // A handshake that fails may reach us as a connection that broke off.
        assert!(why.contains(says) || why.contains("broke off"), "{why}");
        instance.stop().await;
        mail.stop();
    }
}

#[tokio::test]
async fn a_mail_section_that_would_be_unsafe_is_refused() {
    let place = Place::new();
    for (section, says) in [
        (
            "[mail]\nserver = \"smtp.example.org\"\nfrom = \"a@b.c\"\ntls = \"none-on-loopback\"\n",
            "another machine",
        ),
        ("[mail]\nserver = \"smtp.example.org\"\n", "mail.from"),
        ("[mail]\nfrom = \"a@b.c\"\n", "mail.server"),
        ("[mail]\nserver = \"localhost\"\nfrom = \"a@b.c\"\nuser = \"a\"\n", "belong together"),
        ("[mail]\nserver = \"localhost\"\nfrom = \"a@b.c\"\nlinks = \"http://x\"\n", "mail.links"),
        ("[mail]\nserver = \"localhost\"\nfrom = \"a@b.c\"\nca_file = \"/nowhere.pem\"\n", "mail.ca_file"),
    ] {
        let refused = place.start(section).await.err().expect("it must be refused").to_string();
        assert!(refused.contains(says), "{section}: {refused}");
    }
}
