//! The model switcher and the banner that tells how far the model is.

use domain::model::{ModelFacts, Readiness};
use maud::{Markup, html};

use super::super::{
    frame::{Kind, bytes},
    icons::Icon,
    words::Words,
};

/// The button that names the model, and the panel behind it.
#[must_use]
pub fn switcher(words: &Words, models: &[ModelFacts], chosen: Option<&str>) -> Markup {
    let current = models.iter().find(|model| Some(model.id.as_str()) == chosen);
    html! {
        button.model-button type="button" popovertarget="models" aria-label={ (words.choose_model) ": " (current.map_or(words.no_model, |model| &model.title)) } {
            span.name { (current.map_or(words.no_model, |model| &model.title)) }
            (Icon::Down.draw())
        }
        div.panel.models #models popover {
            fieldset {
                legend.sr { (words.choose_model) }
                @for model in models { (choice(words, model, Some(model.id.as_str()) == chosen)) }
                @if models.is_empty() { p.soft.small { (words.no_model) } }
            }
        }
    }
}

fn choice(words: &Words, model: &ModelFacts, chosen: bool) -> Markup {
    html! {
        label.model {
            input type="radio" name="model" value=(model.id) data-title=(model.title) checked[chosen];
            strong { span { (model.title) } (state(words, &model.readiness)) }
            p { (model.note) }
            dl { (facts(words, model)) }
        }
    }
}

/// The facts about a model, as terms and values.
#[must_use]
pub fn facts(words: &Words, model: &ModelFacts) -> Markup {
    let fact = |term: &str, value: &str| html! { div { dt { (term) } dd { (value) } } };
    html! {
        (fact(words.runs, &model.place.to_string()))
        (fact(words.made_by, &model.maker))
        @if let Some(licence) = &model.licence { (fact(words.licence, licence)) }
        (fact(words.context, &format!("{} {}", thousands(model.context_tokens), words.tokens)))
        @if let Some(size) = model.bytes { (fact(words.size, &bytes(size))) }
    }
}

fn thousands(count: u32) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push('\u{202F}');
        }
        out.push(digit);
    }
    out
}

/// Whether a model can answer, as a shape and a word.
#[must_use]
pub fn state(words: &Words, readiness: &Readiness) -> Markup {
    let (kind, word) = match readiness {
        Readiness::Ready => (Kind::Good, words.ready),
        Readiness::Fetching { .. } => (Kind::Due, words.fetching),
        Readiness::Loading => (Kind::Due, words.loading),
        Readiness::Missing { .. } => (Kind::Plain, words.missing),
        Readiness::Failed { .. } => (Kind::Bad, words.model_failed),
    };
    html! { span class={ "mark " (kind.class()) } { (kind.icon().draw()) (word) } }
}

/// How far the default model is; nothing when it answers.
#[must_use]
pub fn banner(words: &Words, readiness: &Readiness) -> Markup {
    let inner = match readiness {
        Readiness::Ready => return html! {},
        Readiness::Fetching { done, total } => html! {
            div { strong { (words.fetching_title) } span.soft { (bytes(*done)) " " (words.of) " " (bytes(*total)) } }
            progress value=(done) max=(total) aria-label=(words.fetching_title) {}
            p.soft { (words.fetching_text) }
        },
        Readiness::Loading => html! { p.waiting-shape { (words.loading_text) } },
        Readiness::Missing { how } => html! {
            p { (words.missing_text) }
            ol.ways {
                @for way in [words.way_fetch, words.way_restart, words.way_file, words.way_endpoint] { li { (way) } }
            }
            @if !how.is_empty() { p.soft { (how) } }
        },
        Readiness::Failed { why } => html! {
            div { (state(words, readiness)) }
            p { (why) }
        },
    };
    html! { section.readiness aria-label=(words.models) { (inner) } }
}
