//! What the people pages show.

use std::collections::BTreeMap;

use domain::{
    Action, Timestamp,
    access::{Rights, Role, Roles},
    id::UserId,
};
use identity::{Group, InvitationInfo, PersonInfo, PersonPage};
use maud::{Markup, html};

use super::super::super::{
    frame::{Frame, Kind, note, when},
    icons::Icon,
    outcome::Notice,
    role_words,
};

/// Everything the list shows.
#[derive(Debug)]
pub struct List<'a> {
    /// The people on this page.
    pub found: &'a PersonPage,
    /// What was searched for.
    pub query: &'a str,
    /// Who is in which groups.
    pub groups: &'a BTreeMap<UserId, Vec<String>>,
    /// The open invitations.
    pub invitations: &'a [InvitationInfo],
    /// What the reader may do.
    pub rights: Rights,
    /// Whether invitations can be mailed.
    pub sends_mail: bool,
    /// How the last act went.
    pub notice: Option<(Kind, String)>,
}

/// Everything the page of one person shows.
#[derive(Debug)]
pub struct One<'a> {
    /// The person.
    pub person: &'a PersonInfo,
    /// Whether it is the reader.
    pub is_me: bool,
    /// What the reader may do.
    pub rights: Rights,
    /// Every group, when the reader may fill them.
    pub groups: &'a [Group],
    /// The names of those the person is in.
    pub held: &'a [String],
    /// The connections by whose services the account is known.
    pub links: &'a [String],
    /// How the last act went.
    pub said: Option<Notice>,
}

/// The list.
#[must_use]
pub fn list(shown: &List<'_>) -> Markup {
    let none = Vec::new();
    html! {
        @if let Some((kind, text)) = &shown.notice { (note(*kind, text)) }
        section {
            form.inline method="get" action="/admin/people" role="search" {
                div.field {
                    label for="q" { "Find by name" }
                    input #q name="q" type="search" value=(shown.query) autocomplete="off" maxlength="64";
                }
                button.quiet type="submit" { (Icon::Search.draw()) "Find" }
            }
            @if shown.found.people.is_empty() {
                p.soft { "Nobody is called that." }
            } @else {
                ul.things {
                    @for person in &shown.found.people { (row(person, shown.groups.get(&person.id).unwrap_or(&none))) }
                }
            }
            (pages(shown))
        }
        (invitations(shown))
        @if shown.rights.has(Action::ManagePeople) { (invite(shown)) }
    }
}

fn row(person: &PersonInfo, groups: &[String]) -> Markup {
    html! {
        li {
            div.what {
                a href={ "/admin/people/" (person.id) } { (person.name) }
                span {
                    (roles(person.roles))
                    @for group in groups { " · " (group) }
                    " · " (seen(person))
                }
            }
            (marks(person))
        }
    }
}

fn seen(person: &PersonInfo) -> Markup {
    html! {
        @match person.last_seen {
            Some(at) => { "signed in, last seen " (when(at)) }
            None => { "not signed in" }
        }
    }
}

fn marks(person: &PersonInfo) -> Markup {
    html! {
        span.tags {
            @if !person.active { span.mark.bad { (Icon::Cross.draw()) "Closed" } }
            @if person.has_factor { span.mark.good { (Icon::Check.draw()) "Second factor" } }
            @else { span.mark.due { (Icon::Warn.draw()) "Password only" } }
        }
    }
}

/// Roles in words.
#[must_use]
pub fn roles(held: Roles) -> String {
    let words: Vec<_> = held.iter().map(role_words::role).collect();
    if words.is_empty() { "No role".to_owned() } else { words.join(", ") }
}

fn pages(shown: &List<'_>) -> Markup {
    let address = |page: usize| {
        let query: String = shown
            .query
            .bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
                other => format!("%{other:02X}"),
            })
            .collect();
        format!("/admin/people?q={query}&page={page}")
    };
    let PersonPage { found, page, pages, .. } = *shown.found;
    html! {
        div.actions {
            span.small.soft { (found) @if found == 1 { " account" } @else { " accounts" } }
            @if page > 0 { a.quiet.compact href=(address(page - 1)) { "Newer" } }
            @if page + 1 < pages { a.quiet.compact href=(address(page + 1)) { "Older" } }
        }
    }
}

fn invitations(shown: &List<'_>) -> Markup {
    html! {
        section #invitations {
            h2 { "Open invitations" }
            @if shown.invitations.is_empty() { p { "None. An invitation works once." } }
            @else {
                ul.things {
                    @for InvitationInfo { invitation, inviter } in shown.invitations {
                        li {
                            div.what {
                                @match &invitation.address { Some(address) => { (address.as_str()) } None => { "A link that was handed over" } }
                                span { (roles(invitation.roles)) @if let Some(name) = inviter { " · by " (name) } " · good until " (when(invitation.expires)) }
                            }
                            @if shown.rights.has(Action::ManagePeople) {
                                form method="post" action={ "/admin/people/invitations/" (invitation.id) "/withdraw" } {
                                    button.danger.compact type="submit" { "Withdraw" }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn invite(shown: &List<'_>) -> Markup {
    let more = shown.rights.has(Action::GrantRoles);
    let offered = Role::ALL.into_iter().filter(|role| more || *role == Role::User);
    html! {
        section #invite {
            h2 { "Invite somebody" }
            @if shown.sends_mail { p { "With an address the link is mailed. Without one you get the link to hand over." } }
            @else { p { "No mail server is configured here, so you get the link to hand over." } }
            form.narrow method="post" action="/admin/people/invite" {
                div.field {
                    label for="address" { "E-mail address" @if !shown.sends_mail { ", for your list alone" } }
                    input #address name="address" type="email" autocomplete="off" maxlength="254";
                }
                fieldset.choices {
                    legend { "What they may do" }
                    @for role in offered {
                        label.check {
                            input type="checkbox" name="role" value=(role.as_str()) checked[role == Role::User];
                            span { (role_words::role(role)) span.tiny { (about(role)) } }
                        }
                    }
                }
                div.actions { button.button type="submit" { "Invite" } }
            }
        }
    }
}

fn about(role: Role) -> &'static str {
    match role {
        Role::Owner => "Answers for the instance; may do everything but read other people's chats.",
        Role::User => "Chats, talks, uses keys.",
        Role::Administrator => "People, groups, settings. Not roles.",
        Role::SecurityOfficer => "Evidence, reviews, addresses, content requests.",
        Role::Auditor => "Reads evidence, nothing else.",
        Role::Supervisor => "Leads a voice desk.",
    }
}

/// The link of an invitation that was just made, shown this once.
#[must_use]
pub fn link(frame: &Frame, link: &str, expires: Timestamp, sends_mail: bool) -> Markup {
    let main = html! {
        div lang="en" {
            h1 { "The link of the invitation" }
            p { "Hand it over on a way you trust. It works once, until " (when(expires)) ", and is shown this one time." }
        }
        @if !sends_mail { (note(Kind::Plain, "No mail server is configured here, so it was not mailed.")) }
        p.secret #link { (link) }
        div.actions { button.button type="button" data-act="copy-text" data-from="link" data-done=(frame.words.copied) { (Icon::Copy.draw()) (frame.words.copy) } }
        a.quiet href="/admin/people#invitations" { "Back to the people" }
    };
    frame.single("The link of the invitation", Some("setup.js"), &main)
}

/// The page of one person.
#[must_use]
pub fn one(shown: &One<'_>) -> Markup {
    let person = shown.person;
    html! {
        @if let Some((kind, said)) = &shown.said { (note(*kind, said)) }
        section {
            (marks(person))
            dl.facts {
                dt { "Roles" } dd { (roles(person.roles)) }
                dt { "Account since" } dd { (when(person.created)) }
                dt { "Sessions" } dd { @if person.sessions == 0 { "None" } @else { (person.sessions) ", " (seen(person)) } }
                dt { "E-mail address" } dd { @if person.has_email { "Confirmed" } @else { "None" } }
                dt { "Groups" } dd { @if shown.held.is_empty() { "None" } @else { (shown.held.join(", ")) } }
            }
        }
        @if shown.rights.has(Action::ManageGroups) { (groups(shown)) }
        @if shown.rights.has(Action::ManagePeople) && !shown.is_me { (state(person)) }
        @if shown.rights.has(Action::ManageDirectory) && !shown.links.is_empty() { (linked(shown)) }
        @if shown.rights.has(Action::RemovePeople) && !shown.is_me { (delete(person)) }
        @if shown.is_me { p.soft { "This is you. Your own account is closed or deleted on your account page alone." } }
        div.actions { a.quiet href="/admin/people" { (Icon::Back.draw()) "All people" } }
    }
}

fn groups(shown: &One<'_>) -> Markup {
    let address = format!("/admin/people/{}/groups", shown.person.id);
    let (held, others): (Vec<_>, Vec<_>) =
        shown.groups.iter().partition(|group| shown.held.contains(&group.name));
    html! {
        section #groups {
            h2 { "Groups" }
            @if shown.groups.is_empty() { p { "There is no group yet. " a href="/admin/groups" { "Make one." } } }
            @if !held.is_empty() {
                ul.things {
                    @for group in held {
                        li {
                            div.what { a href={ "/admin/groups/" (group.id) } { (group.name) } }
                            form method="post" action=(address) {
                                input type="hidden" name="group" value=(group.id);
                                button.quiet.compact type="submit" name="act" value="out" aria-label={ "Take out of " (group.name) } { "Take out" }
                            }
                        }
                    }
                }
            }
            @if !others.is_empty() {
                form.inline method="post" action=(address) {
                    div.field {
                        label for="group" { "Put into" }
                        select #group name="group" { @for group in others { option value=(group.id) { (group.name) } } }
                    }
                    button.quiet type="submit" name="act" value="in" { "Put in" }
                }
            }
        }
    }
}

fn state(person: &PersonInfo) -> Markup {
    let act = |act: &str, class: &str, word: &str| {
        html! { form method="post" action={ "/admin/people/" (person.id) "/" (act) } { button class=(class) type="submit" { (word) } } }
    };
    html! {
        section {
            h2 { "State" }
            @if person.active { p { "A closed account keeps its data. Its sessions and its API keys end at once." } }
            @else { p { "Opened again, its person signs in anew and makes API keys anew." } }
            div.actions {
                @if person.active { (act("close", "danger", "Close the account")) }
                @else { (act("open", "button", "Open it again")) }
                @if person.sessions > 0 { (act("sign-out", "quiet", "End every session")) }
            }
        }
    }
}

/// By which services the account is known, and forgetting that.
fn linked(shown: &One<'_>) -> Markup {
    html! {
        section #links {
            h2 { "Sign-in service" }
            p {
                "This account is known at " (shown.links.join(", ")) ", as one identity there. Forget that when its person "
                "moves to another: the next one the directory names for this account may have it, with all that is in it."
            }
            form method="post" action={ "/admin/people/" (shown.person.id) "/unlink" } {
                button.danger type="submit" { "Forget the identity" }
            }
        }
    }
}

fn delete(person: &PersonInfo) -> Markup {
    html! {
        section {
            h2 { "Delete" }
            p { "Everything that is this person's goes, and the key that opens it is destroyed. No copy of it opens any more." }
            form.narrow method="post" action={ "/admin/people/" (person.id) "/delete" } {
                label.check { input type="checkbox" name="sure" value="yes" required; span { "Delete the account of " (person.name) ". This cannot be undone." } }
                div.actions { button.danger type="submit" { "Delete the account" } }
            }
        }
    }
}
