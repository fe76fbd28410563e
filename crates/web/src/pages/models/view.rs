//! What the models page shows: what can answer here, who made it, where it runs.

use assistant::speech::{SpeechFacts, SpeechKind};
use domain::model::{ModelFacts, Readiness};
use maud::{Markup, html};

use super::super::{
    chat::switcher::{facts, state},
    frame::{Frame, Place, bytes},
};

/// The page.
#[must_use]
pub fn page(frame: &Frame, models: &[ModelFacts], default: Option<&str>, speech: &[SpeechFacts]) -> Markup {
    let words = frame.words;
    let main = html! {
        div.desk lang="en" {
            header {
                h1 { "Models" }
                p { "What can answer you here, who made it, and where your words go when you ask it." }
            }
            section {
                @for model in models { (card(frame, model, default == Some(model.id.as_str()))) }
                @if models.is_empty() {
                    p { (words.missing_text) }
                    ul { @for way in [words.way_fetch, words.way_restart, words.way_file, words.way_endpoint] { li { (way) } } }
                }
            }
            @if !speech.is_empty() {
                section {
                    h2 { "Speech" }
                    p { "What turns speech into words and words into speech, and where it is heard." }
                    @for model in speech { (spoken(frame, model)) }
                }
            }
        }
    };
    frame.desk(words.models, Place::Models, &main)
}

fn card(frame: &Frame, model: &ModelFacts, is_default: bool) -> Markup {
    html! {
        article.modelcard {
            h2 { (model.title) (state(frame.words, &model.readiness)) }
            p { (model.note) }
            (progress(&model.title, &model.readiness))
            dl.facts.pairs { (facts(frame.words, model)) }
            p.tiny.soft { "Programs call it " code { (model.id) } @if is_default { ". Answers when nobody chose another." } }
        }
    }
}

/// One that hears or speaks.
fn spoken(frame: &Frame, model: &SpeechFacts) -> Markup {
    let does = match model.kind {
        SpeechKind::Recognition => "Turns speech into words",
        SpeechKind::Synthesis => "Turns words into speech",
    };
    html! {
        article.modelcard {
            h3 { (model.title) " " (state(frame.words, &model.readiness)) }
            p { (does) ", " (model.place) ". Made by " (model.maker) "." }
            (progress(&model.title, &model.readiness))
            p.tiny.soft { "Programs call it " code { (model.id) } @if let Some(voice) = model.voices.first() { ", its voice " code { (voice) } } "." }
        }
    }
}

/// How far it is, and what to do where it does not come by itself.
fn progress(title: &str, readiness: &Readiness) -> Markup {
    html! {
        @match readiness {
            Readiness::Fetching { done, total } => {
                div { p.small.soft { (bytes(*done)) " of " (bytes(*total)) } progress value=(done) max=(total) aria-label=(title) {} }
            }
            Readiness::Missing { how } => { p.small { (how) } }
            Readiness::Failed { why } => { p.small { (why) } }
            Readiness::Loading | Readiness::Ready => {}
        }
    }
}
