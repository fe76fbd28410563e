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
        words::{Own, filled},
    },
    refused, sessions,
    view::confirm_first,
};
use crate::{App, Problem, SignedIn, input::Form};

/// What a key may do: the right and its words.
fn scopes(own: &Own) -> [(Action, &'static str); 5] {
    [
        (Action::UseModel, own.may_ask),
        (Action::Embed, own.may_embed),
        (Action::Speech, own.may_speak),
        (Action::ReadInstance, own.may_list),
        (Action::HoldDesk, own.may_hold_desk),
    ]
}

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
    hold_desk: Option<String>,
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
            (Action::HoldDesk, wish.hold_desk),
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
pub fn section(
    own: &Own,
    keys: &[ApiKeyInfo],
    confirmed: bool,
    usual_days: u32,
    numbers: &Numbers,
    rights: Rights,
) -> Markup {
    html! {
        section #keys {
            h2 { (own.keys_title) }
            p { (filled(own.keys_text, &[html! { code { "/v1" } }])) }
            @if !keys.is_empty() { ul.things { @for key in keys { (row(own, key, confirmed, numbers)) } } }
            @if confirmed { (form(own, usual_days, numbers, rights)) } @else { (confirm_first(own, own.keys_confirm, "keys")) }
        }
    }
}

fn row(own: &Own, key: &ApiKeyInfo, confirmed: bool, numbers: &Numbers) -> Markup {
    let known = scopes(own);
    let may: Vec<_> =
        known.iter().filter(|(action, _)| key.scopes.has(*action)).map(|(_, words)| *words).collect();
    let is_over = key.state == KeyState::Ended;
    let life = if is_over { own.key_over } else { own.key_good };
    html! {
        li {
            div.what {
                (key.label)
                span { code { (key.prefix) "…" } " · " (may.join(", ").to_lowercase()) }
                span {
                    (filled(life, &[when(key.created), when(key.expires)]))
                }
                span {
                    @if let Some(at) = key.last_used { (filled(own.key_used, &[when(at), html! { (sessions::place(own, key.used_from)) }])) }
                    @else { (own.key_unused) }
                }
            }
            (state(own, key.state, numbers))
            @if confirmed && matches!(key.state, KeyState::Good | KeyState::Ending) { (replacing(own, key, numbers)) }
            form method="post" action={ "/account/keys/" (key.id) "/revoke" } {
                button.danger.compact type="submit" aria-label=(filled(own.key_revoke_named, &[html! { (key.label) }]).into_string()) {
                    (if is_over { own.key_remove } else { own.key_revoke })
                }
            }
        }
    }
}

fn state(own: &Own, state: KeyState, numbers: &Numbers) -> Markup {
    html! {
        @match state {
            KeyState::Good => {},
            KeyState::Replaced => span.mark.plain { (Icon::Info.draw()) (own.key_replaced) },
            KeyState::Ending => span.mark.due { (Icon::Warn.draw()) (own.key_ends_soon) },
            KeyState::Unused => span.mark.due { (Icon::Warn.draw()) (filled(own.key_idle, &[html! { (numbers.api_key_unused_days) }])) },
            KeyState::Ended => span.mark.bad { (Icon::Cross.draw()) (own.key_ended) },
        }
    }
}

fn replacing(own: &Own, key: &ApiKeyInfo, numbers: &Numbers) -> Markup {
    let most = numbers.api_key_overlap_days;
    html! {
        details.replacing {
            summary aria-label=(filled(own.key_replace_named, &[html! { (key.label) }]).into_string()) { (own.key_replace) }
            form.inline method="post" action={ "/account/keys/" (key.id) "/replace" } {
                div.field {
                    label for={ "overlap-" (key.id) } { (own.key_overlap) }
                    select id={ "overlap-" (key.id) } name="overlap_hours" {
                        option value="0" { (own.key_overlap_none) }
                        @if most >= 1 { option value="24" selected { (own.key_overlap_day) } }
                        @if most > 1 { option value=(most * 24) { (filled(own.key_overlap_days, &[html! { (most) }])) } }
                    }
                }
                button.quiet type="submit" { (own.key_successor) }
            }
        }
    }
}

fn form(own: &Own, usual_days: u32, numbers: &Numbers, rights: Rights) -> Markup {
    // Calls for the desk are open to its staff: a key holds them only when somebody asks for just that.
    let usual = |action| action != Action::HoldDesk;
    let shown = scopes(own).into_iter().filter(|(action, _)| usual(*action) || rights.has(*action));
    html! {
        form.narrow #new-key method="post" action="/account/keys" {
            input type="hidden" name="chosen" value="1";
            div.pair {
                div.field {
                    label for="label" { (own.key_new) }
                    input #label name="label" required maxlength="60" autocomplete="off" placeholder=(own.key_new_hint);
                }
                div.field {
                    label for="days" { (own.key_days) }
                    input #days name="days" type="number" required min="1" max=(numbers.api_key_max_days) value=(usual_days);
                }
            }
            fieldset.choices {
                legend { (own.key_may) }
                @for (action, words) in shown {
                    label.check { input type="checkbox" name=(action.as_str()) value="yes" checked[usual(action)]; span { (words) } }
                }
            }
            div.actions { button.quiet type="submit" { (own.key_make) } }
        }
    }
}

/// A key that was just made, shown this once.
fn shown(frame: &Frame, key: &NewApiKey) -> Markup {
    let own = frame.words.own;
    let main = html! {
        div {
            h1 { (filled(own.key_shown_title, &[html! { (key.label) }])) }
            p { (filled(own.key_shown_text, &[when(key.expires)])) }
        }
        p.secret #key { (key.token.expose()) }
        div.actions { button.button type="button" data-act="copy-text" data-from="key" data-done=(frame.words.copied) { (Icon::Copy.draw()) (frame.words.copy) } }
        a.quiet href="/account#keys" { (own.back_to_account) }
    };
    frame.single(own.key_yours, Some("setup.js"), &main)
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
                hold_desk: None,
            })
        };
        assert_eq!(wish(None, None).scopes.iter().count(), 4);
        assert!(wish(Some("1"), None).scopes.is_empty());
        let one = wish(Some("1"), Some("yes"));
        assert_eq!((one.scopes, one.days), (Rights::NONE.with(Action::Embed), Some(7)));
    }
}
