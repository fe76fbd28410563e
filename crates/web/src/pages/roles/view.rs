//! What the page of roles shows: who holds what, a form to give, the organisation's own roles.

use domain::{
    Action, Timestamp,
    access::{Rights, Role},
};
use identity::{CustomRole, Held};
use maud::{Markup, html};

use super::super::{
    admin,
    frame::{Frame, Kind, note, when},
    role_words::{self, grant_name, right, role_text},
};
use crate::SignedIn;

/// Everything the page shows.
pub(super) struct Page<'a> {
    /// Who holds what.
    pub(super) held: &'a Held,
    /// Who looks at it.
    pub(super) person: &'a SignedIn,
    /// How the last act went.
    pub(super) notice: Option<(Kind, String)>,
    /// Now.
    pub(super) now: Timestamp,
}

/// The page.
pub(super) fn page(frame: &Frame, page: &Page<'_>) -> Markup {
    let may = page.person.person.standing.rights().has(Action::GrantRoles);
    let main = html! {
        @if let Some((kind, text)) = &page.notice { div { (note(*kind, text)) } }
        (holders(page, may))
        @if may { (give(page.held, page)) }
        (own_roles(page.held, may))
        section {
            h2 { "The built-in roles" }
            dl.rolelist {
                @for role in Role::ALL { div { dt { (role_words::role(role)) } dd { (role_text(role)) } } }
            }
        }
    };
    let about = "Who may do what here, given by whom, until when. No role opens anybody's chats.";
    admin::page(frame, page.person, "/admin/roles", "Roles", about, &main)
}

fn holders(page: &Page<'_>, may: bool) -> Markup {
    html! {
        section #holders {
            h2 { "Who holds them" }
            ul.things {
                @for holder in &page.held.holders {
                    li.holder {
                        div.what {
                            (holder.name)
                            @if holder.user == page.person.person.user { " (you)" }
                            @if !holder.active { span { "May not sign in" } }
                        }
                        ul.grants {
                            @for grant in &holder.grants {
                                @let name = grant_name(page.held, grant.what);
                                @let over = grant.ends.is_some_and(|ends| page.now >= ends);
                                li {
                                    div {
                                        strong { (name) }
                                        span.small.soft {
                                            "Since " (when(grant.at)) (given_by(page.held, &grant.by))
                                            @if let Some(ends) = grant.ends { @if over { " · over since " } @else { " · until " } (when(ends)) }
                                            @if let Some(at) = grant.last_used { " · last used " (when(at)) }
                                        }
                                    }
                                    @if may && holder.user != page.person.person.user {
                                        form method="post" action="/admin/roles/take" {
                                            input type="hidden" name="account" value=(holder.user);
                                            input type="hidden" name="role" value=(grant.what);
                                            button.quiet.compact type="submit" aria-label={ "Take the role " (name) " from " (holder.name) } { "Take" }
                                        }
                                    }
                                }
                            }
                            @if holder.grants.is_empty() { li { span.small.soft { "No role: this account can only look after itself." } } }
                        }
                    }
                }
            }
        }
    }
}

fn give(held: &Held, page: &Page<'_>) -> Markup {
    let others = || held.holders.iter().filter(|holder| holder.user != page.person.person.user);
    html! {
        section #give {
            h2 { "Give a role" }
            @if others().next().is_none() {
                p { "There is nobody else yet. Nobody changes their own roles." }
            } @else {
                form.narrow method="post" action="/admin/roles/grant" {
                    div.pair {
                        div.field {
                            label for="account" { "To" }
                            select #account name="account" required { @for holder in others() { option value=(holder.user) { (holder.name) } } }
                        }
                        div.field {
                            label for="role" { "Role" }
                            select #role name="role" required {
                                @for role in Role::ALL { option value=(role.as_str()) { (role_words::role(role)) } }
                                @for role in &held.custom { option value=(role.id) { (role.name) } }
                            }
                        }
                    }
                    div.field {
                        label for="until" { "Last day, if it is for a time" }
                        input #until type="date" name="until" aria-describedby="until-hint";
                        p.hint #until-hint { "Left empty, it holds until somebody takes it, or a review does." }
                    }
                    div.actions { button.button type="submit" { "Give it" } }
                }
            }
        }
    }
}

fn own_roles(held: &Held, may: bool) -> Markup {
    html! {
        section #own {
            h2 { "Roles of your own" }
            p { "A named set of rights, for a task none of the built-in roles fits." }
            @if !held.custom.is_empty() {
                ul.things {
                    @for role in &held.custom {
                        li.holder {
                            div.what { (role.name) span { (role.about) } span { (rights(role.rights)) } }
                            @if may { (change(role)) }
                        }
                    }
                }
            }
            @if may {
                details {
                    summary { "Make a role" }
                    (role_form(None))
                }
            }
        }
    }
}

/// Changing a role of one's own, or deleting it.
fn change(role: &CustomRole) -> Markup {
    html! {
        details {
            summary aria-label={ "Change the role " (role.name) } { "Change" }
            (role_form(Some(role)))
            form method="post" action={ "/admin/roles/own/" (role.id) "/delete" } {
                button.danger.compact type="submit" aria-label={ "Delete the role " (role.name) } { "Delete" }
            }
        }
    }
}

/// What a role is called, is for and allows: `role` as it is now, or a new one.
fn role_form(role: Option<&CustomRole>) -> Markup {
    let key = role.map_or_else(|| "new".to_owned(), |role| role.id.to_string());
    let held = role.map_or(Rights::NONE, |role| role.rights);
    html! {
        form.narrow method="post" action="/admin/roles/own" {
            @if let Some(role) = role { input type="hidden" name="id" value=(role.id); }
            div.field {
                label for={ "name-" (key) } { "What it is called" }
                input id={ "name-" (key) } name="name" required maxlength="60" autocomplete="off" value=[role.map(|role| &role.name)];
            }
            div.field {
                label for={ "about-" (key) } { "What it is for" }
                input id={ "about-" (key) } name="about" maxlength="200" autocomplete="off" value=[role.map(|role| &role.about)];
            }
            fieldset.checks {
                legend { "What it allows" }
                @for action in Action::ALL.into_iter().filter(|action| action.is_grantable()) {
                    label.check { input type="checkbox" name="right" value=(action.as_str()) checked[held.has(action)]; span { (right(action)) } }
                }
            }
            div.actions { button.button type="submit" { @if role.is_some() { "Save" } @else { "Make it" } } }
        }
    }
}

/// Who gave it, by name where that is known.
fn given_by(held: &Held, by: &str) -> String {
    let name =
        |holder: &&identity::Holder| by.strip_prefix("person:") == Some(holder.user.to_string().as_str());
    held.holders.iter().find(name).map_or_else(String::new, |giver| format!(" · given by {}", giver.name))
}

fn rights(rights: Rights) -> String {
    rights.iter().map(right).collect::<Vec<_>>().join(" · ")
}
