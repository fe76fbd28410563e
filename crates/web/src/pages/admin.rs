//! The rooms of those who run the instance: `/admin`, and the frame its pages stand in.
//!
//! Every such page ends in [`page`], which lists what the rights of its reader allow and nothing else. A
//! new page adds a line to [`ENTRIES`]. Invariant: the list is a courtesy; each page asks for its own
//! permit, and a link that is not shown opens nothing either.

pub mod groups;
pub mod mail;
pub mod people;

use axum::{
    Router,
    extract::State,
    routing::{get, post},
};
use domain::{Action, access::Standing};
use maud::{Markup, html};

use super::{
    addresses,
    frame::{Frame, Place},
    handlers::Looks,
};
use crate::{App, Problem, SignedIn};

/// A page for those who run the instance.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its address.
    pub path: &'static str,
    /// What it is called.
    pub word: &'static str,
    /// What one does there, in a sentence.
    pub text: &'static str,
    /// The right that opens it.
    pub action: Action,
}

/// Every such page, in the order in which they are shown.
pub const ENTRIES: &[Entry] = &[
    Entry {
        path: "/admin/people",
        word: "People",
        text: "Who has an account, in which state; invite, close, delete.",
        action: Action::ReadPeople,
    },
    Entry {
        path: "/admin/groups",
        word: "Groups",
        text: "What holds for the people in them: models, temporary chats only, quotas.",
        action: Action::ManageGroups,
    },
    Entry {
        path: "/admin/mail",
        word: "E-mail",
        text: "What waits, what left, what was given up; without anybody's address.",
        action: Action::ReadPeople,
    },
    Entry {
        path: "/admin/roles",
        word: "Roles",
        text: "Who may do what, given by whom, until when.",
        action: Action::ReadPeople,
    },
    Entry {
        path: "/admin/reviews",
        word: "Access reviews",
        text: "Confirm what people may do, or take it away.",
        action: Action::ReadEvidence,
    },
    Entry {
        path: "/admin/content",
        word: "Reading chats",
        text: "Who asked to read whose chats, why, and who agreed.",
        action: Action::ReadEvidence,
    },
    Entry {
        path: super::recoveries::PATH,
        word: "Lost factors",
        text: "People who lost every factor and ask for a way back; two of you have to agree.",
        action: Action::ApproveRecovery,
    },
    Entry {
        path: addresses::PATH,
        word: "Addresses",
        text: "Who is kept out, who is let in, and until when.",
        action: Action::ManageEdge,
    },
    Entry {
        path: super::calls::PATH,
        word: "Calls",
        text: "Which calls of the voice desk run, how others ended; follow one, take it over.",
        action: Action::SeeCalls,
    },
    Entry {
        path: super::customers::PATH,
        word: "Customers",
        text: "Whom the voice desk serves: find somebody, open a record, erase one.",
        action: Action::ReadCustomers,
    },
    Entry {
        path: "/admin/directory",
        word: "Directory",
        text: "Sign-in through your organisation's own service, and accounts that follow its directory.",
        action: Action::ManageDirectory,
    },
];

/// The routes of these pages.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/admin", get(show))
        .route("/admin/people", get(people::show))
        .route("/admin/people/invite", post(people::invite))
        .route("/admin/people/invitations/{id}/withdraw", post(people::withdraw))
        .route("/admin/people/{id}", get(people::one))
        .route("/admin/people/{id}/close", post(people::close))
        .route("/admin/people/{id}/open", post(people::open))
        .route("/admin/people/{id}/sign-out", post(people::sign_out))
        .route("/admin/people/{id}/unlink", post(people::unlink))
        .route("/admin/people/{id}/delete", post(people::delete))
        .route("/admin/people/{id}/groups", post(people::groups))
        .route("/admin/groups", get(groups::show).post(groups::make))
        .route("/admin/groups/{id}", get(groups::one).post(groups::change))
        .route("/admin/groups/{id}/delete", post(groups::delete))
        .route("/admin/mail", get(mail::show).post(mail::test))
}

/// The pages the rights of `standing` open.
pub fn entries(standing: &Standing) -> impl Iterator<Item = &'static Entry> {
    let rights = standing.rights();
    ENTRIES.iter().filter(move |entry| rights.has(entry.action))
}

/// A page of this part of the house: the list of its neighbours, its title, what it is for, and `main`.
#[must_use]
pub fn page(frame: &Frame, person: &SignedIn, path: &str, title: &str, about: &str, main: &Markup) -> Markup {
    page_with(frame, person, path, title, about, "forms.js", main)
}

/// The same with another script.
#[must_use]
pub fn page_with(
    frame: &Frame,
    person: &SignedIn,
    path: &str,
    title: &str,
    about: &str,
    script: &str,
    main: &Markup,
) -> Markup {
    let inside = html! {
        div.desk.admin lang="en" {
            nav.rooms aria-label="Administration" {
                @for entry in entries(&person.person.standing) {
                    a href=(entry.path) aria-current=[(entry.path == path).then_some("page")] { (entry.word) }
                }
            }
            header { h1 { (title) } p { (about) } }
            (main)
        }
    };
    frame.desk_with(title, Place::Admin, script, &inside)
}

/// `GET /admin`: what there is to do, for those who have something to do.
pub async fn show(State(app): State<App>, person: SignedIn, looks: Looks) -> Result<Markup, Problem> {
    let standing = &person.person.standing;
    if entries(standing).next().is_none() {
        return Err(Problem::forbidden());
    }
    let frame = looks.told(&app, &person).await?;
    let main = html! {
        ul.things {
            @for entry in entries(standing) {
                li { div.what { a href=(entry.path) { (entry.word) } span { (entry.text) } } }
            }
        }
    };
    let about = "What your roles let you do for everybody here. None of it opens anybody's chats.";
    Ok(page(&frame, &person, "/admin", "Administration", about, &main))
}
