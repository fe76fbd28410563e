//! Cases of turn-taking: what is said and heard, and what would be wrong of the machine.
//!
//! A caller's turn that ends before its last word is *premature*; one that is still open [`PATIENCE_MS`] after it is
//! *missed*. A voice that falls silent for good because of assent or noise was *falsely interrupted*; one that talks
//! on through a caller who wants something has *missed* it.

use std::ops::Range;

use anyhow::Context;
use providers::speech::RATE;
use serde::Serialize;
use tokio::task::JoinSet;

use super::{
    lab::{Lab, Manner},
    measure::{mixed, noise},
    sound::spoken,
    turns::{Played, play},
};

/// A turn that ends later than this after its last word was not noticed as an end, in milliseconds.
const PATIENCE_MS: u32 = 1_200;
/// Who talks over the agent wants to be heard within this time.
const HEARD_MS: u32 = 1_200;
/// Silence before and behind every sound.
const BEFORE: usize = RATE as usize / 2;
const BEHIND: usize = 3 * RATE as usize;

/// How sentences are said: pace, pitch and what else is to be heard, so many decibels below.
const WAYS: [(Manner, Option<(bool, f32)>); 4] = [
    (Manner::PLAIN, None),
    (Manner { pace: 0.85, deep: true }, Some((false, 30.0))),
    (Manner { pace: 1.2, deep: false }, Some((true, 20.0))),
    (Manner { pace: 1.0, deep: true }, None),
];
const SENTENCES: [&str; 6] = [
    "I would like to change my delivery address, please.",
    "Can you tell me when my order will arrive?",
    "No, the blue one, not the green one.",
    "I ordered two lamps last week and only one came.",
    "Thank you, that is all I wanted to know.",
    "Could I speak to a person about my invoice?",
];
/// Sentences in which somebody stops to think after the comma, said in one breath: the melody says that more comes.
const PAUSED: [&str; 3] = [
    "When I looked this morning, my order had not arrived.",
    "If it is possible, I would like to come on Tuesday.",
    "Because I am travelling, I need it before Friday.",
];
/// The same where what stands before the comma could be all: whoever listened would answer as well.
const COULD_END: [&str; 3] = [
    "I called you yesterday, but nobody could help me.",
    "My name is Anna Miller, and I live in Boston.",
    "I would like the blue one, not the green one.",
];
/// Where in such a sentence the comma is looked for, in hundredths.
const MIDDLE: Range<usize> = 20..75;
const HESITANT: [(&str, &str); 4] = [
    ("I would like to, um,", "change my delivery address."),
    ("My order number is, uh,", "four four one seven."),
    ("Could you tell me, um,", "when it will arrive?"),
    ("It was on, um,", "Tuesday morning."),
];
const ASSENT: [&str; 6] = ["Mm-hmm.", "Yeah.", "Okay.", "Right.", "I see.", "Uh-huh."];
const OBJECTIONS: [&str; 5] = [
    "Wait, that is not my order.",
    "Stop.",
    "No, I meant the other one.",
    "Actually, can I ask you something else?",
    "Hold on a second, please.",
];
/// Pauses inside a sentence, in milliseconds.
const PAUSES: [u32; 2] = [500, 900];
/// How long somebody thinks after "um".
const THINKS_MS: u32 = 1_500;
/// Noise alone: rumbling or white, and how loud.
const NOISES: [(bool, f32); 4] = [(false, 0.02), (true, 0.05), (false, 0.1), (true, 0.2)];

/// What kind of case it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Kind {
    Complete,
    Pause,
    CouldEnd,
    Um,
    Backchannel,
    Noise,
    TalkOver,
}

impl Kind {
    pub(super) const ALL: [(Self, &'static str); 7] = [
        (Self::Complete, "a complete sentence"),
        (Self::Pause, "a pause inside one"),
        (Self::CouldEnd, "a pause where it could end"),
        (Self::Um, "a trailing \"um\""),
        (Self::Backchannel, "assent over the agent's voice"),
        (Self::Noise, "noise alone, and over its voice"),
        (Self::TalkOver, "an objection over its voice"),
    ];
}

/// One case.
struct Case {
    kind: Kind,
    /// What is said, and how.
    name: String,
    samples: Vec<f32>,
    over_agent: bool,
    /// When the caller's first and last word begin and end, in milliseconds.
    words: Range<u32>,
}

/// What became of all cases of a kind.
#[derive(Debug, Default, Serialize)]
pub(super) struct Rates {
    pub(super) cases: usize,
    pub(super) premature: usize,
    pub(super) missed: usize,
    pub(super) false_interruptions: usize,
    /// Times the voice paused to listen.
    pub(super) hushes: usize,
    /// From the last word to the end of the turn, or from the first to the interruption.
    pub(super) waits_ms: Vec<f64>,
    /// What went wrong, and what was understood.
    pub(super) mishaps: Vec<String>,
}

/// Plays all cases; with `quick` in one way of speaking each.
pub(super) async fn measure(lab: &Lab, quick: bool) -> anyhow::Result<Vec<(Kind, Rates)>> {
    let ways = if quick { &WAYS[..1] } else { &WAYS[..] };
    let mut cases = noises();
    for (manner, behind) in ways {
        for mut case in spoken_cases(lab, *manner).await? {
            case.name =
                format!("{} pace {}, deep: {}, noise: {behind:?}", case.name, manner.pace, manner.deep);
            if let Some((rumbling, decibels)) = behind {
                case.samples = mixed(&case.samples, &noise(case.samples.len(), *rumbling), *decibels);
            }
            cases.push(case);
        }
    }
    let mut rates: Vec<(Kind, Rates)> = Kind::ALL.map(|(kind, _)| (kind, Rates::default())).into();
    let mut playing = JoinSet::new();
    let mut waiting = cases.into_iter();
    loop {
        while playing.len() < 2
            && let Some(case) = waiting.next()
        {
            let lab = lab.clone();
            playing.spawn(async move {
                play(&lab, &case.samples, case.over_agent).await.map(|played| (case, played))
            });
        }
        let Some(ended) = playing.join_next().await else { return Ok(rates) };
        let (case, played) = ended??;
        let of = rates.iter_mut().find(|(kind, _)| *kind == case.kind).context("a kind of case")?;
        of.1.count(&case, &played);
    }
}

impl Rates {
    fn count(&mut self, case: &Case, played: &Played) {
        self.cases += 1;
        self.hushes += played.hushed.len();
        let mut mishap = |what: &str| {
            let Played { words, likely, .. } = played;
            self.mishaps.push(format!("{what}: {}; understood: {words:?}; judged: {likely:.2?}", case.name));
            1
        };
        let early = played.over.iter().find(|(at, _)| *at < case.words.end || case.kind == Kind::Noise);
        match case.kind {
            Kind::Complete | Kind::Pause | Kind::CouldEnd | Kind::Um => {
                self.premature += early.map_or(0, |_| mishap("premature"));
                let end = played.over.iter().find(|(at, _)| *at >= case.words.end);
                match end.map(|(at, _)| at - case.words.end).filter(|wait| *wait <= PATIENCE_MS) {
                    Some(wait) => self.waits_ms.push(f64::from(wait)),
                    None => self.missed += mishap("missed"),
                }
            }
            Kind::Backchannel | Kind::Noise => {
                if !case.over_agent {
                    self.premature += early.map_or(0, |_| mishap("a turn of nobody"));
                }
                let cut = played.interrupted.first();
                self.false_interruptions += cut.map_or(0, |at| mishap(&format!("interrupted at {at} ms")));
            }
            Kind::TalkOver => match played.interrupted.first() {
                Some(at) if *at <= case.words.start + HEARD_MS => {
                    self.waits_ms.push(f64::from(at.saturating_sub(case.words.start)));
                }
                _ => self.missed += mishap("missed"),
            },
        }
    }
}

/// Noise over nothing, and over the agent's voice.
fn noises() -> Vec<Case> {
    let each = |(rumbling, loud): (bool, f32), over_agent| {
        let samples = noise(4 * RATE as usize, rumbling).iter().map(|sample| sample * loud).collect();
        let name = format!("rumbling: {rumbling}, loudness {loud}, over the agent: {over_agent}");
        Case { kind: Kind::Noise, name, samples, over_agent, words: 0..0 }
    };
    NOISES.into_iter().flat_map(|one| [each(one, false), each(one, true)]).collect()
}

async fn spoken_cases(lab: &Lab, manner: Manner) -> anyhow::Result<Vec<Case>> {
    let mut cases = Vec::new();
    for text in SENTENCES {
        cases.push(case(Kind::Complete, text, &[&said(lab, text, manner).await?], 0, false));
    }
    let paused = PAUSED.map(|text| (Kind::Pause, text)).into_iter();
    for (kind, text) in paused.chain(COULD_END.map(|text| (Kind::CouldEnd, text))) {
        let said = said(lab, text, manner).await?;
        let (first, second) = said.split_at(quietest(&said));
        cases.extend(PAUSES.map(|pause| case(kind, text, &[first, second], pause, false)));
    }
    for (first, second) in HESITANT {
        let parts = [said(lab, first, manner).await?, said(lab, second, manner).await?];
        cases.push(case(Kind::Um, first, &[&parts[0], &parts[1]], THINKS_MS, false));
    }
    for text in ASSENT {
        cases.push(case(Kind::Backchannel, text, &[&said(lab, text, manner).await?], 0, true));
    }
    for text in OBJECTIONS {
        cases.push(case(Kind::TalkOver, text, &[&said(lab, text, manner).await?], 0, true));
    }
    Ok(cases)
}

/// What the local voice says, without the silence around it.
async fn said(lab: &Lab, text: &str, manner: Manner) -> anyhow::Result<Vec<f32>> {
    let samples = lab.say(text, manner).await?;
    Ok(samples.get(spoken(&samples, RATE)).unwrap_or_default().to_vec())
}

/// `parts` with silence before and behind them, and `pause` between.
fn case(kind: Kind, text: &str, parts: &[&[f32]], pause_ms: u32, over_agent: bool) -> Case {
    let mut samples = vec![0.0; BEFORE];
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            samples.resize(samples.len() + (pause_ms * RATE / 1_000) as usize, 0.0);
        }
        samples.extend_from_slice(part);
    }
    let ms = |samples: usize| (samples as u64 * 1_000 / u64::from(RATE)) as u32;
    let words = ms(BEFORE)..ms(samples.len());
    samples.resize(samples.len() + BEHIND, 0.0);
    Case { kind, name: format!("{text} (pause {pause_ms} ms)"), samples, over_agent, words }
}

/// The quietest 60 ms about the middle of a sentence: the comma.
fn quietest(samples: &[f32]) -> usize {
    let (width, step) = (RATE as usize * 6 / 100, RATE as usize / 100);
    let from = samples.len() * MIDDLE.start / 100;
    let middle = samples.get(from..samples.len() * MIDDLE.end / 100).unwrap_or_default();
    let power = |part: &[f32]| part.iter().map(|x| x * x).sum::<f32>();
    let places = middle.windows(width).step_by(step).enumerate();
    let least = places.min_by(|one, other| power(one.1).total_cmp(&power(other.1)));
    from + least.map_or(0, |(at, _)| at * step + width / 2)
}
