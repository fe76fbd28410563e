//! The control socket: how commands of the same account ask a running instance, e.g. `troth verify`.
//!
//! A Unix socket in the data folder, which only its own account can enter, and mode 0600 itself. One line
//! in (`verify json`, `addresses {…}`, `customers {…}`, `recover NAME`), an exit code and a text back. What it changes is
//! noted in the audit log, and a way back is shown to the person it is about.

mod addresses;
mod customers;

use std::{os::unix::fs::PermissionsExt, path::Path, time::Duration};

use domain::Job;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    time::timeout,
};
use tokio_util::task::TaskTracker;

use super::House;
use crate::folder;

pub use addresses::Order as AddressOrder;
pub use customers::Order as CustomerOrder;

/// Longest a question may take to arrive, and its answer to be made.
const PATIENCE: Duration = Duration::from_secs(120);
/// Longest question, in bytes; it may hold the name of a file.
const LONGEST: u64 = 8192;

/// What a running instance answered.
#[derive(Debug)]
pub struct Answer {
    /// The exit code the command ends with.
    pub exit: u8,
    /// What it prints.
    pub text: String,
}

/// Answers until the shutdown. Without a socket the instance runs all the same.
pub(super) async fn serve(house: House) {
    let path = house.face.folder.file(folder::SOCKET);
    // We hold the data folder, so a socket that lies here is one of an instance that is gone.
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).and_then(|listener| {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        Ok(listener)
    });
    let listener = match listener {
        Ok(listener) => listener,
        Err(error) => {
            tracing::warn!(%error, "there is no control socket; `troth verify` cannot ask this instance");
            return;
        }
    };
    let talks = TaskTracker::new();
    loop {
        tokio::select! {
            () = house.shutdown.cancelled() => break,
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                talks.spawn(talk(house.clone(), stream));
            },
        }
    }
    let _ = std::fs::remove_file(&path);
}

async fn talk(house: House, stream: UnixStream) {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    let asked = timeout(PATIENCE, (&mut stream).take(LONGEST).read_line(&mut line)).await;
    if !matches!(asked, Ok(Ok(_))) {
        return;
    }
    let answer = match line.trim() {
        "verify json" => verify(&house, Form::Json).await,
        "verify text" => verify(&house, Form::Text).await,
        "verify colour" => verify(&house, Form::Colour).await,
        line if line.starts_with("recover ") => recover(&house, &line["recover ".len()..]).await,
        line if line.starts_with(addresses::WORD) => {
            addresses::answer(&house, &line[addresses::WORD.len()..]).await
        }
        line if line.starts_with(customers::WORD) => {
            customers::answer(&house, &line[customers::WORD.len()..]).await
        }
        _ => Answer { exit: 1, text: "The running instance does not know this command.\n".to_owned() },
    };
    let reply = format!("{}\n{}", answer.exit, answer.text);
    // A command that left does not need its answer.
    let _ = stream.get_mut().write_all(reply.as_bytes()).await;
}

#[derive(Clone, Copy)]
enum Form {
    Json,
    Text,
    Colour,
}

async fn verify(house: &House, form: Form) -> Answer {
    match house.assure.run_checks(&house.outside.ctx(Job::Checks)).await {
        Ok(report) => {
            let text = match form {
                Form::Json => serde_json::to_string_pretty(&report).unwrap_or_default() + "\n",
                Form::Text => assure::text::render(&report, false),
                Form::Colour => assure::text::render(&report, true),
            };
            Answer { exit: if report.exit_code() == 0 { 0 } else { 3 }, text }
        }
        Err(error) => Answer { exit: 1, text: format!("{error}\n") },
    }
}

/// Makes a way back for the account called `name`. Whoever reaches this socket holds the keys already.
async fn recover(house: &House, name: &str) -> Answer {
    match house.identity.operator_recovery(&house.outside.ctx(Job::Authentication), name).await {
        Ok(asked) => Answer {
            exit: 0,
            text: format!(
                "Code: {}\n\nIts person signs in with name and password and types it where the six digits are asked \
                 for;\nthen they add a new authenticator. It works once, for one hour. It is in the audit log, and \
                 every\nsession of the account shows it and can call it off.\n",
                asked.code.expose()
            ),
        },
        Err(identity::Error::NotFound) => {
            Answer { exit: 2, text: "Nobody here is called that. Check the name.\n".to_owned() }
        }
        Err(error) => Answer { exit: 1, text: format!("{error}\n") },
    }
}

/// Asks the instance that runs on the data folder at `folder`; `None` when none does.
pub async fn ask(folder: &Path, question: &str) -> Option<Answer> {
    let mut stream = UnixStream::connect(folder.join(folder::SOCKET)).await.ok()?;
    stream.write_all(format!("{question}\n").as_bytes()).await.ok()?;
    let mut reply = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut reply)).await.ok()?.ok()?;
    let (exit, text) = reply.split_once('\n')?;
    Some(Answer { exit: exit.parse().ok()?, text: text.to_owned() })
}
