//! What the tests of identity share: a room on a throw-away store, an owner, an authenticator.

use std::time::Duration;

use domain::{Actor, Ctx, Job, Secret};
use identity::{Config, Error, Hashing, Identity, NewSession, Next, SetupDone};
use testkit::Home;
use totp_rs::{Builder, Totp};

pub(crate) const NAME: &str = "Ada Lovelace";
pub(crate) const PASSWORD: &str = "Quiet-Harbour-47";
pub(crate) const OTHER_PASSWORD: &str = "Brisk-Lantern-92";
/// What browsers call themselves here.
pub(crate) const DEVICE: &str = "Firefox on Linux";

/// Parameters that keep tests quick; what is stored says so itself (PHC).
pub(crate) fn config() -> Config {
    Config {
        hashing: Hashing { memory_kib: 64, passes: 1, lanes: 1, at_once: 2, waiting: 64 },
        answer_grid: Duration::ZERO,
        ..Config::default()
    }
}

pub(crate) fn open(home: &Home) -> Identity {
    open_with(home, config())
}

pub(crate) fn open_with(home: &Home, config: Config) -> Identity {
    Identity::new(home.store.clone(), config).unwrap()
}

pub(crate) fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

/// Nobody known yet.
pub(crate) fn stranger(home: &Home) -> Ctx {
    home.ctx(Actor::Anonymous)
}

/// An authenticator app.
pub(crate) struct App(Totp);

impl App {
    /// Reads the secret as a person would who types it.
    pub(crate) fn new(secret_base32: &str) -> Self {
        let typed = secret_base32.replace(' ', "");
        let secret = totp_rs::Secret::try_from_base32(typed).unwrap();
        Self(Builder::new().with_secret(secret).build().unwrap())
    }

    /// The code it shows now. Moves the clock to the next step first, so that each code is fresh.
    pub(crate) fn next_code(&self, home: &Home) -> String {
        home.clockwork.advance(30);
        self.code(home)
    }

    pub(crate) fn code(&self, home: &Home) -> String {
        let seconds = u64::try_from(home.clockwork.now().seconds()).unwrap();
        self.0.generate(seconds).to_string()
    }
}

/// An instance with its owner.
pub(crate) struct Owned {
    pub(crate) identity: Identity,
    pub(crate) app: App,
    pub(crate) done: SetupDone,
}

/// Goes through setup as the owner of [`NAME`] and [`PASSWORD`].
pub(crate) async fn set_up(home: &Home) -> Owned {
    set_up_with(home, config()).await
}

pub(crate) async fn set_up_with(home: &Home, config: Config) -> Owned {
    let identity = open_with(home, config);
    let ctx = stranger(home);
    let code = identity.issue_setup_code(&ctx).await.unwrap().unwrap();
    let pending = identity.begin_setup(&ctx, &code, NAME, &secret(PASSWORD)).await.unwrap();
    let app = App::new(pending.secret_base32.expose());
    let done = identity.finish_setup(&ctx, &pending.ticket, &app.code(home), DEVICE).await.unwrap();
    Owned { identity, app, done }
}

impl Owned {
    /// Shows name and password, and gives back the ticket.
    pub(crate) async fn ticket(&self, home: &Home, password: &str) -> Result<Secret<String>, Error> {
        match self.identity.sign_in(&stranger(home), NAME, &secret(password), DEVICE).await? {
            Next::Factor { ticket, .. } => Ok(ticket),
            other => panic!("a factor was to be asked for, not {other:?}"),
        }
    }

    /// Signs in with a fresh code.
    pub(crate) async fn sign_in(&self, home: &Home, password: &str) -> Result<NewSession, Error> {
        let ticket = self.ticket(home, password).await?;
        let code = self.app.next_code(home);
        match self.identity.finish_sign_in(&stranger(home), &ticket, &code, DEVICE).await? {
            Next::Done(session) => Ok(session),
            other => panic!("the person was to be in, not {other:?}"),
        }
    }

    /// Circumstances of the owner in the session opened by setup, whose browser keeps what it is given.
    pub(crate) async fn browse(&mut self, home: &Home) -> Ctx {
        let (ctx, tokens) = (stranger(home), &mut self.done.session.tokens);
        let known = self.identity.recognise_session(&ctx, &*tokens).await.unwrap().unwrap();
        if let Some(renewed) = known.renewed {
            *tokens = renewed;
        }
        ctx.acting_as(known.actor)
    }

    /// Circumstances of the owner in the session opened by setup.
    pub(crate) async fn ctx(&self, home: &Home) -> Ctx {
        ctx_of(&self.identity, home, &self.done.session).await
    }
}

/// Circumstances of whoever a session belongs to.
pub(crate) async fn ctx_of(identity: &Identity, home: &Home, session: &NewSession) -> Ctx {
    let ctx = stranger(home);
    let known = identity.recognise_session(&ctx, &session.tokens).await.unwrap().unwrap();
    ctx.acting_as(known.actor)
}

pub(crate) fn upkeep(home: &Home) -> Ctx {
    home.ctx(Actor::System(Job::Upkeep))
}
