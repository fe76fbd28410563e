//! Personal API keys: a section of the account page.

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use domain::{Action, access::Rights, control::Numbers, id::ApiKeyId};
use identity::{ApiKeyInfo, KeyState, KeyWish, NewApiKey};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    super::{
        frame::{Frame, when},
        handlers::Looks,
        icons::Icon,
    },
    refused, sessions,
    view::confirm_first,
};
use crate::{App, Problem, SignedIn, input::Form};

/// What a key may do: the right, its name in forms, its words.
const SCOPES: [(Action, &str); 4] = [
    (Action::UseModel, "Ask models"),
    (Action::Embed, "Make embeddings"),
    (Action::Speech, "Hear and speak"),
    (Action::ReadInstance, "List the models"),
];

/// A new API key. A box that is not ticked is not sent; a form from before the boxes means all of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    label: String,
    days: Option<u32>,
    /// Present when the form showed the boxes.
    chosen: Option<String>,
    use_model: Option<String>,
    embed: Option<String>,
    speech: Option<String>,
    read_instance: Option<String>,
}

/// How long the old key goes on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overlap {
    overlap_hours: u32,
}

impl From<Wish> for KeyWish {
    fn from(wish: Wish) -> Self {
        let all = Self::from(wish.label.as_str());
        if wish.chosen.is_none() {
            return Self { days: wish.days, ..all };
        }
        let ticked = [
            (Action::UseModel, wish.use_model),
            (Action::Embed, wish.embed),
            (Action::Speech, wish.speech),
            (Action::ReadInstance, wish.read_instance),
        ];
        let scopes: Rights =
            ticked.into_iter().filter_map(|(action, ticked)| ticked.map(|_| action)).collect();
        Self { scopes, days: wish.days, ..all }
    }
}

/// `POST /account/keys`: a new API key, shown once.
pub async fn make(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Form(wish): Form<Wish>,
) -> Result<Response, Problem> {
    match app.identity.create_api_key(&person.ctx, wish).await {
        Ok(key) => Ok(shown(&looks.frame_for(&app, &person), &key).into_response()),
        Err(error) => refused(&app, &person, looks, error).await,
    }
}

/// `POST /account/keys/{id}/replace`: its successor, shown once.
pub async fn replace(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Path(id): Path<ApiKeyId>,
    Form(form): Form<Overlap>,
) -> Result<Response, Problem> {
    match app.identity.rotate_api_key(&person.ctx, id, form.overlap_hours).await {
        Ok(key) => Ok(shown(&looks.frame_for(&app, &person), &key).into_response()),
        Err(error) => refused(&app, &person, looks, error).await,
    }
}

/// `POST /account/keys/{id}/revoke`
pub async fn revoke(
    State(app): State<App>,
    person: SignedIn,
    Path(id): Path<ApiKeyId>,
) -> Result<Redirect, Problem> {
    app.identity.revoke_api_key(&person.ctx, id).await?;
    Ok(Redirect::to("/account?done=key#keys"))
}

/// The section.
#[must_use]
pub fn section(keys: &[ApiKeyInfo], confirmed: bool, usual_days: u32, numbers: &Numbers) -> Markup {
    html! {
        section #keys {
            h2 { "API keys" }
            p { "A key lets a program ask the models in your name, at " code { "/v1" } " in OpenAI's format. It cannot read your chats." }
            @if !keys.is_empty() { ul.things { @for key in keys { (row(key, confirmed, numbers)) } } }
            @if confirmed { (form(usual_days, numbers)) } @else { (confirm_first("Make or replace a key", "keys")) }
        }
    }
}

fn row(key: &ApiKeyInfo, confirmed: bool, numbers: &Numbers) -> Markup {
    let may: Vec<_> =
        SCOPES.iter().filter(|(action, _)| key.scopes.has(*action)).map(|(_, words)| *words).collect();
    html! {
        li {
            div.what {
                (key.label)
                span { code { (key.prefix) "…" } " · " (may.join(", ").to_lowercase()) }
                span {
                    "Made " (when(key.created)) " · " (if key.state == KeyState::Ended { "ended " } else { "good until " }) (when(key.expires))
                }
                span {
                    @if let Some(at) = key.last_used { "Last used " (when(at)) ", from " (sessions::place(key.used_from)) }
                    @else { "Never used" }
                }
            }
            (state(key.state, numbers))
            @if confirmed && matches!(key.state, KeyState::Good | KeyState::Ending) { (replacing(key, numbers)) }
            form method="post" action={ "/account/keys/" (key.id) "/revoke" } {
                button.danger.compact type="submit" aria-label={ "Revoke the key " (key.label) } {
                    (if key.state == KeyState::Ended { "Remove" } else { "Revoke" })
                }
            }
        }
    }
}

fn state(state: KeyState, numbers: &Numbers) -> Markup {
    html! {
        @match state {
            KeyState::Good => {},
            KeyState::Replaced => span.mark.plain { (Icon::Info.draw()) "Replaced" },
            KeyState::Ending => span.mark.due { (Icon::Warn.draw()) "Ends soon" },
            KeyState::Unused => span.mark.due { (Icon::Warn.draw()) "Unused for " (numbers.api_key_unused_days) " days: revoke it?" },
            KeyState::Ended => span.mark.bad { (Icon::Cross.draw()) "Ended" },
        }
    }
}

fn replacing(key: &ApiKeyInfo, numbers: &Numbers) -> Markup {
    let most = numbers.api_key_overlap_days;
    html! {
        details.replacing {
            summary aria-label={ "Replace the key " (key.label) } { "Replace" }
            form.inline method="post" action={ "/account/keys/" (key.id) "/replace" } {
                div.field {
                    label for={ "overlap-" (key.id) } { "The old key goes on for" }
                    select id={ "overlap-" (key.id) } name="overlap_hours" {
                        option value="0" { "not at all" }
                        @if most >= 1 { option value="24" selected { "a day" } }
                        @if most > 1 { option value=(most * 24) { (most) " days" } }
                    }
                }
                button.quiet type="submit" { "Make its successor" }
            }
        }
    }
}

fn form(usual_days: u32, numbers: &Numbers) -> Markup {
    html! {
        form.narrow #new-key method="post" action="/account/keys" {
            input type="hidden" name="chosen" value="1";
            div.pair {
                div.field {
                    label for="label" { "A new key for" }
                    input #label name="label" required maxlength="60" autocomplete="off" placeholder="my notebook";
                }
                div.field {
                    label for="days" { "Good for (days)" }
                    input #days name="days" type="number" required min="1" max=(numbers.api_key_max_days) value=(usual_days);
                }
            }
            fieldset.choices {
                legend { "It may" }
                @for (action, words) in SCOPES {
                    label.check { input type="checkbox" name=(action.as_str()) value="yes" checked; span { (words) } }
                }
            }
            div.actions { button.quiet type="submit" { "Make a key" } }
        }
    }
}

/// A key that was just made, shown this once.
fn shown(frame: &Frame, key: &NewApiKey) -> Markup {
    let main = html! {
        div lang="en" {
            h1 { "Your key for " (key.label) }
            p { "Copy it now. It is shown this one time, and only its hash is kept. It is good until " (when(key.expires)) "." }
        }
        p.secret #key { (key.token.expose()) }
        div.actions { button.button type="button" data-act="copy-text" data-from="key" data-done=(frame.words.copied) { (Icon::Copy.draw()) (frame.words.copy) } }
        a.quiet href="/account#keys" { "Back to the account" }
    };
    frame.single("Your key", Some("setup.js"), &main)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_without_the_boxes_means_all_and_one_without_ticks_none() {
        let wish = |chosen: Option<&str>, embed: Option<&str>| {
            KeyWish::from(Wish {
                label: "x".to_owned(),
                days: Some(7),
                chosen: chosen.map(str::to_owned),
                use_model: None,
                embed: embed.map(str::to_owned),
                speech: None,
                read_instance: None,
            })
        };
        assert_eq!(wish(None, None).scopes.iter().count(), 4);
        assert!(wish(Some("1"), None).scopes.is_empty());
        let one = wish(Some("1"), Some("yes"));
        assert_eq!((one.scopes, one.days), (Rights::NONE.with(Action::Embed), Some(7)));
    }
}
