//! People: the handlers of `/admin/people`. Who has an account and in which state; never content.

pub mod view;

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use domain::{
    Action,
    access::{Role, Roles},
    id::{GroupId, InvitationId, UserId},
};
use http::{HeaderMap, Uri, header};
use identity::Error;
use maud::Markup;
use serde::Deserialize;

use super::super::{
    handlers::{Looks, problems_of},
    outcome::{self, Notice, bad, to_mend},
};
use crate::{
    App, Problem, SignedIn,
    input::{Form, Query},
};

/// Where the list is.
const HERE: &str = "/admin/people";

/// Which people, and how the last act went.
#[derive(Debug, Default, Deserialize)]
pub struct Wish {
    #[serde(default)]
    q: String,
    #[serde(default)]
    page: usize,
    #[serde(default)]
    done: String,
}

/// A group to be put into, or taken out of.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Membership {
    group: GroupId,
    act: Move,
}

/// In or out.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Move {
    In,
    Out,
}

/// The box that must be ticked before an account is deleted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sure {
    sure: String,
}

/// `GET /admin/people`
pub async fn show(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Query(wish): Query<Wish>,
) -> Result<Markup, Problem> {
    let said = outcome::said(
        &wish.done,
        &[
            ("invited", "The invitation is on its way."),
            ("withdrawn", "The invitation is withdrawn. Its link opens nothing any more."),
            ("deleted", "The account and all of its data are deleted."),
        ],
    );
    list(&app, &person, looks, &wish, said).await
}

async fn list(
    app: &App,
    person: &SignedIn,
    looks: Looks,
    wish: &Wish,
    notice: Option<Notice>,
) -> Result<Markup, Problem> {
    let (identity, ctx) = (&app.identity, &person.ctx);
    let found = identity.people(ctx, &wish.q, wish.page).await?;
    let shown = view::List {
        found: &found,
        query: &wish.q,
        groups: &identity.group_names(ctx).await?,
        invitations: &identity.invitations(ctx).await?,
        rights: person.person.standing.rights(),
        sends_mail: identity.sends_mail(),
        notice,
    };
    let about = "Who has an account here. Nobody's chats are shown to anybody on these pages.";
    Ok(super::page(&looks.frame_for(app, person), person, HERE, "People", about, &view::list(&shown)))
}

/// `POST /admin/people/invite`
pub async fn invite(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    uri: Uri,
    headers: HeaderMap,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let (mut address, mut roles) = (None, Roles::NONE);
    for (name, value) in fields {
        match name.as_str() {
            "address" if address.is_none() => address = Some(value),
            "role" => {
                let role =
                    Role::named(&value).ok_or_else(|| Problem::invalid("role", "There is no such role."))?;
                roles = roles.with(role);
            }
            _ => return Err(Problem::bad_request("The form has fields this page does not know.")),
        }
    }
    if roles == Roles::NONE {
        return Err(Problem::invalid("role", "Choose at least one role."));
    }
    match app.identity.invite(&person.ctx, address.as_deref(), roles).await {
        Ok(invited) => Ok(match invited.token {
            None => Redirect::to("/admin/people?done=invited#invitations").into_response(),
            Some(token) => {
                let link = format!("{}/invitation#{}", origin(&uri, &headers), token.expose());
                let frame = looks.frame_for(&app, &person);
                view::link(&frame, &link, invited.expires, app.identity.sends_mail()).into_response()
            }
        }),
        Err(error @ (Error::Email(_) | Error::TooMany { .. } | Error::Unfit(_))) => {
            let notice = Some(bad(problems_of(&error).join(" ")));
            let page = list(&app, &person, looks, &Wish::default(), notice).await?;
            Ok(to_mend(page))
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /admin/people/invitations/{id}/withdraw`
pub async fn withdraw(
    State(app): State<App>,
    person: SignedIn,
    Path(id): Path<InvitationId>,
) -> Result<Redirect, Problem> {
    app.identity.withdraw_invitation(&person.ctx, id).await?;
    Ok(Redirect::to("/admin/people?done=withdrawn#invitations"))
}

/// `GET /admin/people/{id}`
pub async fn one(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Path(id): Path<UserId>,
    Query(wish): Query<Wish>,
) -> Result<Markup, Problem> {
    let (identity, ctx) = (&app.identity, &person.ctx);
    let said = outcome::said(
        &wish.done,
        &[
            ("closed", "The account is closed. Its sessions and its API keys are over."),
            ("open", "The account is open again."),
            ("signed-out", "Every session of this person is ended."),
            ("unlinked", "Forgotten. The next identity the directory names for this account may have it."),
            ("groups", "Saved. It holds from their next request on."),
        ],
    );
    let shown = identity.person(ctx, id).await?;
    let rights = person.person.standing.rights();
    let groups = if rights.has(Action::ManageGroups) { identity.groups(ctx).await? } else { Vec::new() };
    let held = identity.group_names(ctx).await?.remove(&id).unwrap_or_default();
    let main = view::one(&view::One {
        person: &shown,
        is_me: person.person.user == id,
        rights,
        groups: &groups,
        held: &held,
        links: &identity.links_of(ctx, id).await?,
        said,
    });
    let about = if shown.active {
        "An account that may sign in."
    } else {
        "A closed account: nobody signs in to it."
    };
    Ok(super::page(&looks.frame_for(&app, &person), &person, HERE, &shown.name, about, &main))
}

/// `POST /admin/people/{id}/close`
pub async fn close(
    State(app): State<App>,
    person: SignedIn,
    Path(id): Path<UserId>,
) -> Result<Redirect, Problem> {
    app.identity.deactivate(&person.ctx, id).await?;
    app.assistant.end_person(&id);
    Ok(Redirect::to(&format!("{HERE}/{id}?done=closed")))
}

/// `POST /admin/people/{id}/open`
pub async fn open(
    State(app): State<App>,
    person: SignedIn,
    Path(id): Path<UserId>,
) -> Result<Redirect, Problem> {
    app.identity.reactivate(&person.ctx, id).await?;
    Ok(Redirect::to(&format!("{HERE}/{id}?done=open")))
}

/// `POST /admin/people/{id}/sign-out`
pub async fn sign_out(
    State(app): State<App>,
    person: SignedIn,
    Path(id): Path<UserId>,
) -> Result<Redirect, Problem> {
    app.identity.end_sessions_of(&person.ctx, id).await?;
    app.assistant.forget_person(&id);
    Ok(Redirect::to(&format!("{HERE}/{id}?done=signed-out")))
}

/// `POST /admin/people/{id}/unlink`
pub async fn unlink(
    State(app): State<App>,
    person: SignedIn,
    Path(id): Path<UserId>,
) -> Result<Redirect, Problem> {
    app.identity.forget_links(&person.ctx, id).await?;
    app.assistant.forget_person(&id);
    Ok(Redirect::to(&format!("{HERE}/{id}?done=unlinked")))
}

/// `POST /admin/people/{id}/delete`
pub async fn delete(
    State(app): State<App>,
    person: SignedIn,
    Path(id): Path<UserId>,
    Form(form): Form<Sure>,
) -> Result<Redirect, Problem> {
    if form.sure != "yes" {
        return Err(Problem::bad_request("Tick the box first."));
    }
    app.identity.remove_person(&person.ctx, id).await?;
    app.assistant.end_person(&id);
    Ok(Redirect::to("/admin/people?done=deleted"))
}

/// `POST /admin/people/{id}/groups`
pub async fn groups(
    State(app): State<App>,
    person: SignedIn,
    Path(id): Path<UserId>,
    Form(form): Form<Membership>,
) -> Result<Redirect, Problem> {
    match form.act {
        Move::In => app.identity.put_in_group(&person.ctx, form.group, id).await?,
        Move::Out => app.identity.take_out_of_group(&person.ctx, form.group, id).await?,
    }
    Ok(Redirect::to(&format!("{HERE}/{id}?done=groups#groups")))
}

/// The address this page was reached by; the edge has checked that it is one of ours.
fn origin(uri: &Uri, headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = uri.authority().map(http::uri::Authority::as_str).or(host).unwrap_or("localhost");
    format!("https://{host}")
}
