//! What the groups pages show.

use domain::{
    bounds::{Bounds, Quota},
    id::{GroupId, UserId},
    model::ModelFacts,
};
use identity::Group;
use maud::{Markup, html};

use super::super::super::{
    frame::{Kind, note},
    icons::Icon,
};
use super::{Typed, minutes};

/// The list, and the form of a new group.
#[must_use]
pub fn list(
    groups: &[Group],
    typed: &Typed,
    models: &[ModelFacts],
    notice: Option<(Kind, String)>,
) -> Markup {
    html! {
        @if let Some((kind, text)) = &notice { (note(*kind, text)) }
        section {
            @if groups.is_empty() { p.soft { "No group yet. Without one, everybody may use every model as much as they like." } }
            @else {
                ul.things {
                    @for group in groups {
                        li {
                            div.what {
                                a href={ "/admin/groups/" (group.id) } { (group.name) }
                                span { (sum(&group.bounds)) }
                            }
                            span.mark { (group.members) @if group.members == 1 { " person" } @else { " people" } }
                        }
                    }
                }
            }
        }
        section #new {
            h2 { "A new group" }
            form.narrow method="post" action="/admin/groups" {
                (fields(typed, models))
                div.actions { button.button type="submit" { "Make the group" } }
            }
        }
    }
}

/// One group.
#[must_use]
pub fn one(
    id: GroupId,
    typed: &Typed,
    members: &[UserId],
    models: &[ModelFacts],
    notice: Option<(Kind, String)>,
) -> Markup {
    html! {
        @if let Some((kind, text)) = &notice { (note(*kind, text)) }
        section {
            p.soft {
                @match members.len() { 0 => { "Nobody is in it yet." } 1 => { "One person is in it." } count => { (count) " people are in it." } }
                " People are put in and taken out on their own pages, under " a href="/admin/people" { "People" } "."
            }
            form.narrow method="post" action={ "/admin/groups/" (id) } {
                (fields(typed, models))
                div.actions { button.button type="submit" { "Save" } }
            }
        }
        section {
            h2 { "Delete" }
            p { "The people stay; what this group says holds for them no more." }
            form.actions method="post" action={ "/admin/groups/" (id) "/delete" } {
                button.danger type="submit" { (Icon::Trash.draw()) "Delete the group" }
            }
        }
        div.actions { a.quiet href="/admin/groups" { (Icon::Back.draw()) "All groups" } }
    }
}

fn fields(typed: &Typed, models: &[ModelFacts]) -> Markup {
    let bounds = &typed.bounds;
    html! {
        div.field {
            label for="name" { "Name" }
            input #name name="name" required maxlength="64" autocomplete="off" value=(typed.name);
        }
        label.check {
            input type="checkbox" name="temporary_only" value="yes" checked[bounds.temporary_only];
            span { "Temporary chats only" span.tiny { "Nothing these people write is ever written down." } }
        }
        fieldset.choices {
            legend { "Models" }
            label.check { input type="radio" name="models" value="all" checked[bounds.models.is_none()]; span { "All of them" } }
            label.check { input type="radio" name="models" value="some" checked[bounds.models.is_some()]; span { "Only those ticked here" } }
            @for model in models {
                label.check.inset {
                    input type="checkbox" name="model" value=(model.id) checked[bounds.models.is_some() && bounds.allow_model(&model.id)];
                    span { (model.title) span.tiny { (model.id) } }
                }
            }
            @for gone in bounds.models.iter().flatten().filter(|id| models.iter().all(|model| model.id != **id)) {
                label.check.inset {
                    input type="checkbox" name="model" value=(gone) checked;
                    span { (gone) span.tiny { "Not here at the moment" } }
                }
            }
        }
        (quota("messages", "Messages", bounds.messages))
        (quota("tokens", "Tokens", bounds.tokens))
        (quota("voice", "Minutes of voice", minutes(bounds.voice_seconds)))
    }
}

fn quota(name: &str, word: &str, quota: Quota) -> Markup {
    let field = |span: &str, said: &str, value: Option<u64>| {
        let id = format!("{name}_{span}");
        html! {
            div.field {
                label for=(id) { (word) " " (said) }
                input id=(id) name=(id) type="number" min="0" inputmode="numeric" placeholder="no limit" value=[value];
            }
        }
    };
    html! { div.pair { (field("a_day", "a day", quota.a_day)) (field("a_month", "a month", quota.a_month)) } }
}

/// What a group says, in a line.
fn sum(bounds: &Bounds) -> String {
    let mut said = Vec::new();
    if bounds.temporary_only {
        said.push("temporary chats only".to_owned());
    }
    if let Some(models) = &bounds.models {
        let many = if models.len() == 1 { "1 model".to_owned() } else { format!("{} models", models.len()) };
        said.push(many);
    }
    for (quota, unit) in [
        (bounds.messages, "messages"),
        (bounds.tokens, "tokens"),
        (minutes(bounds.voice_seconds), "minutes of voice"),
    ] {
        for (most, span) in [(quota.a_day, "a day"), (quota.a_month, "a month")] {
            said.extend(most.map(|most| format!("{most} {unit} {span}")));
        }
    }
    if said.is_empty() { "Says nothing yet".to_owned() } else { said.join(" · ") }
}
