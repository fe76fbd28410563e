//! The account: the handlers of `/account`. All of it works as plain forms.

pub mod consents;
pub mod factors;
pub mod factors_view;
pub mod glass;
pub mod keys;
pub mod me;
pub mod sessions;
pub mod view;

use axum::{
    extract::{FromRequest, Multipart, Request, State},
    response::{IntoResponse, Redirect, Response},
};
use domain::Secret;
use identity::{Error, Settings};
use serde::Deserialize;

use super::{
    handlers::{Looks, problems_of},
    outcome::{Notice, Outcome, bad, status},
};
use crate::{
    App, Problem, SignedIn,
    input::{Form, Query},
};

/// Language and theme.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LooksForm {
    language: String,
    theme: String,
}

/// A new password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasswordForm {
    current: Secret<String>,
    password: Secret<String>,
}

/// A code of the authenticator.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeForm {
    code: String,
}

/// The box that must be ticked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sure {
    sure: String,
}

/// `GET /account`
pub async fn show(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Query(outcome): Query<Outcome>,
) -> Result<Response, Problem> {
    let own = looks.words(Some(&person.person.settings)).own;
    let said = outcome.says(&[
        ("looks", own.done_looks),
        ("password", own.done_password),
        ("session", own.done_session),
        ("key", own.done_key),
        ("address", own.done_address),
        ("no-address", own.done_no_address),
        ("deleted", own.done_deleted),
        ("imported", own.done_imported),
        ("consent", own.done_consent),
    ]);
    page(&app, &person, looks, said.into_iter().collect()).await
}

async fn page(app: &App, person: &SignedIn, looks: Looks, notices: Vec<Notice>) -> Result<Response, Problem> {
    let (identity, ctx) = (&app.identity, &person.ctx);
    let account = identity.account(ctx).await?;
    let (sessions, keys) = (identity.sessions(ctx).await?, identity.api_keys(ctx).await?);
    let confirmed = ctx.now() < person.person.standing.shown.fresh_until;
    let numbers = identity.numbers();
    let status = status(&notices);
    let me = me::Me::of(app, person).await?;
    let own = looks.words(Some(&person.person.settings)).own;
    let shown = view::Account {
        me: &me,
        name: &account.name,
        created: account.created,
        settings: &account.settings,
        password_expires: identity.password_expires(ctx).await?,
        factors: &identity.factors(ctx).await?,
        waiting: sessions::notices(own, &identity.news(ctx).await?, identity.session_begun(ctx).await?),
        sessions: sessions::section(own, &sessions, numbers),
        consents: consents::section(own, &consents::Consents::of(app, person).await?),
        keys: keys::section(
            own,
            &keys,
            confirmed,
            identity.usual_key_days(),
            numbers,
            person.person.standing.rights(),
        ),
        confirmed,
        asked: &identity.content_requests_about_me(ctx).await?,
        now: ctx.now(),
        notices,
    };
    Ok((status, view::page(&looks.told(app, person).await?, &shown)).into_response())
}

/// Shows the page again with what was wrong, when it is something the person can mend.
async fn refused(app: &App, person: &SignedIn, looks: Looks, error: Error) -> Result<Response, Problem> {
    match &error {
        Error::Refused
        | Error::Throttled { .. }
        | Error::Password { .. }
        | Error::Label
        | Error::Scopes
        | Error::Days { .. }
        | Error::Overlap { .. }
        | Error::TooMany { .. } => {
            page(app, person, looks, problems_of(&error).into_iter().map(bad).collect()).await
        }
        _ => Err(error.into()),
    }
}

/// `POST /account/looks`
pub async fn looks(
    State(app): State<App>,
    person: SignedIn,
    Form(form): Form<LooksForm>,
) -> Result<Redirect, Problem> {
    let known = ["", "en", "hi"].contains(&form.language.as_str())
        && ["", "light", "dark"].contains(&form.theme.as_str());
    if !known {
        return Err(Problem::bad_request("Choose a language and a theme from the lists."));
    }
    let model = app.identity.account(&person.ctx).await?.settings.model;
    let settings = Settings { language: form.language, theme: form.theme, model };
    app.identity.save_settings(&person.ctx, &settings).await?;
    Ok(Redirect::to("/account?done=looks"))
}

/// `POST /account/password`
pub async fn password(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Form(form): Form<PasswordForm>,
) -> Result<Response, Problem> {
    match app.identity.change_password(&person.ctx, &form.current, &form.password).await {
        Ok(()) => Ok(Redirect::to("/account?done=password").into_response()),
        Err(error) => refused(&app, &person, looks, error).await,
    }
}

/// `POST /account/codes`: new recovery codes, shown once.
pub async fn codes(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Form(form): Form<CodeForm>,
) -> Result<Response, Problem> {
    match app.identity.new_recovery_codes(&person.ctx, &form.code).await {
        Ok(codes) => Ok(view::new_codes(&looks.frame_for(&app, &person), &codes).into_response()),
        Err(error) => refused(&app, &person, looks, error).await,
    }
}

/// `POST /account/import`: a file of chats. Nothing of it is read before there is room.
pub async fn import(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    request: Request,
) -> Result<Response, Problem> {
    let import = app.assistant.begin_import(&person.ctx)?;
    let missing = || Problem::bad_request("Choose a file first.");
    let mut form = Multipart::from_request(request, &app).await.map_err(|_| missing())?;
    let field = form.next_field().await.map_err(|_| missing())?.ok_or_else(missing)?;
    let bytes = field.bytes().await.map_err(|_| Problem::too_large())?;
    match import.take(bytes).await {
        Ok(_) => Ok(Redirect::to("/account?done=imported#data").into_response()),
        Err(error @ (assistant::Error::BadImport { .. } | assistant::Error::Full { .. })) => {
            page(&app, &person, looks, vec![bad(error)]).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /account/delete-chats`
pub async fn delete_chats(
    State(app): State<App>,
    person: SignedIn,
    Form(form): Form<Sure>,
) -> Result<Redirect, Problem> {
    if form.sure != "yes" {
        return Err(Problem::bad_request("Tick the box first."));
    }
    app.assistant.delete_all(&person.ctx).await?;
    Ok(Redirect::to("/account?done=deleted#data"))
}
