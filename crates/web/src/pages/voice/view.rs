//! What the page one talks on shows: the letter as a short letter with switches, the call as a circle with captions.

use domain::consent::Standing;
use maud::{Markup, html};
use privacy::Letter;

use super::{
    super::{
        frame::{Frame, Kind, Place, data, note},
        icons::Icon,
        outcome::Notice,
    },
    Ways,
};

/// The letter, and how it was answered before.
pub(super) fn letter(frame: &Frame, letter: &Letter, standing: &Standing, notice: Option<&Notice>) -> Markup {
    let words = frame.words.talk;
    let agreed: Vec<_> = standing.agreed().collect();
    let main = html! {
        div.desk.letter {
            @if let Some((kind, text)) = notice { (note(*kind, text)) }
            header lang=(letter.language) {
                h1 { (letter.title) }
                p { (letter.opening) }
            }
            form method="post" action="/voice/consent" {
                input type="hidden" name="version" value=(letter.version);
                ul.switches lang=(letter.language) {
                    @for asked in &letter.purposes {
                        @let name = asked.purpose.as_str();
                        li {
                            label.check for=(name) {
                                input type="checkbox" id=(name) name=(name) value="yes" required[asked.required]
                                    checked[agreed.contains(&asked.purpose)] aria-describedby={ (name) "-text" };
                                span {
                                    strong { (asked.title) }
                                    @if asked.required { " " span.mark { (words.required) } }
                                }
                            }
                            p id={ (name) "-text" } { (asked.text) }
                        }
                    }
                }
                div.actions {
                    button.button type="submit" { (words.agree) }
                    a.quiet href="/chat" { (words.not_now) }
                }
            }
        }
    };
    page(frame, "forms.js", &main)
}

/// The call.
pub(super) fn call(frame: &Frame, letter: &Letter, standing: &Standing, ways: Ways) -> Markup {
    let words = frame.words.talk;
    let main = html! {
        div.talk #talk data-state="idle" {
            h1.sr { (words.title) }
            p.told { (Icon::Info.draw()) (words.disclosure) " " (words.english_only) }
            noscript { (note(Kind::Due, words.needs_script)) }
            @if ways.hears { (stage(frame, ways)) }
            @else {
                div { (note(Kind::Due, words.nothing_hears)) }
                p { (words.nothing_hears_text) }
                p { a href="/models" { (frame.words.models) } }
            }
            (agreed(frame, letter, standing))
        }
        (data("words", &frame.words.for_calls()))
    };
    page(frame, "voice.js", &main)
}

/// The circle, the captions, and everything to press.
fn stage(frame: &Frame, ways: Ways) -> Markup {
    let words = frame.words.talk;
    html! {
        section.circle aria-label=(words.title) {
            div.orb #orb aria-hidden="true" { i {} i {} }
            p.state #state role="status" { (words.ready) }
            p.trouble #trouble role="alert" {}
            p.mark.due #staff role="status" hidden {}
            div.actions {
                button.button #start type="button" { (words.start) }
                button.quiet #without type="button" { (words.without) }
                button.quiet #mute type="button" aria-pressed="false" hidden { (words.mute) }
                button.quiet #interrupt type="button" hidden { (words.interrupt) }
                button.danger #hang-up type="button" hidden { (words.hang_up) }
            }
            a #transcript href="/chat" hidden { (words.transcript) }
            p.tiny.soft { (words.keys) }
        }
        section.said-here {
            h2 { (words.captions) }
            div.captions #captions role="log" aria-live="polite" tabindex="0" aria-label=(words.captions) {
                ol.lines #lines {}
            }
            form.write #write hidden {
                label.sr for="text" { (words.write) }
                input.input #text name="text" maxlength="8000" autocomplete="off" placeholder=(words.write);
                button.quiet type="submit" { (words.send) }
            }
        }
        section.knobs {
            div.field {
                label for="microphone" { (words.microphone) }
                select.input #microphone { option value="" { (words.usual_microphone) } }
            }
            @if ways.serves {
                div.serves {
                    label.check for="desk" {
                        input type="checkbox" id="desk" aria-describedby="desk-text";
                        span { strong { (words.for_desk) } }
                    }
                    p.small.soft #desk-text { (words.for_desk_text) }
                }
            }
            details {
                summary { (words.details) }
                p.small.soft #no-stages { (words.no_answer_yet) }
                dl.stages #stages hidden {
                    @for (stage, word) in [
                        ("pause", words.stage_pause), ("words", words.stage_words), ("thought", words.stage_thought),
                        ("sentence", words.stage_sentence), ("tools", words.stage_tools), ("voice", words.stage_voice),
                        ("total", words.stage_total),
                    ] {
                        dt { (word) }
                        dd { meter data-stage=(stage) min="0" max="1" value="0" aria-label=(word) {} span data-ms=(stage) {} }
                    }
                }
            }
        }
    }
}

/// What was agreed to, and the way to take it back.
fn agreed(frame: &Frame, letter: &Letter, standing: &Standing) -> Markup {
    let words = frame.words.talk;
    let titles = letter.purposes.iter().filter(|asked| standing.allows(asked.purpose));
    html! {
        section.agreed {
            h2 { (words.agreed) }
            ul.ticks { @for asked in titles { li { (Icon::Check.draw()) (asked.title) } } }
            div.actions {
                a.quiet.compact href="/voice/letter" { (words.change) }
                form method="post" action="/voice/withdraw" {
                    button.danger.compact type="submit" aria-describedby="at-once" { (words.withdraw) }
                }
                span.small.soft #at-once { (words.withdraw_text) }
            }
        }
    }
}

fn page(frame: &Frame, script: &str, main: &Markup) -> Markup {
    frame.desk_sheets(frame.words.talk.title, Place::Talk, &["pages.css", "voice.css"], script, main)
}
