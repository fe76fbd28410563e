//! How many words are understood wrongly: of a recording, of sentences and of what people read out.

use std::path::Path;

use domain::voice::numbers::written;
use providers::speech::RATE;
use serde::Serialize;

use super::{
    lab::{Lab, Manner},
    measure::{wav, word_errors},
    sound::converted,
};

/// A recording that comes with the recogniser, as `cargo xtask test --install` fetches it, and its words.
const RECORDING: &str = "recording-two-cities.wav";
const TWO_CITIES: &str = "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of \
    foolishness, it was the epoch of belief, it was the epoch of incredulity, it was the season of Light, it was the \
    season of Darkness, it was the spring of hope, it was the winter of despair, we had everything before us, we had \
    nothing before us, we were all going direct to Heaven, we were all going direct the other way, in short, the period \
    was so far like the present period that some of its noisiest authorities insisted on its being received, for good \
    or for evil, in the superlative degree of comparison only";
/// What callers read out, and how it is to be written before a model sees it.
const READ_OUT: [(&str, &str); 10] = [
    ("My order is ORD-0089.", "0089"),
    ("The number is ORD-4417.", "4417"),
    ("It is invoice INV-2026-0031.", "20260031"),
    ("You can call me at 555-0142.", "5550142"),
    ("The reference is B7K 90210.", "790210"),
    ("Four one one one, two two two two.", "41112222"),
    ("My order number is seven three zero five.", "7305"),
    ("It was on the 3rd of March 2026.", "32026"),
    ("I was born on July 14th, 1988.", "141988"),
    ("Tuesday the 24th at half past nine.", "24"),
];

/// What was understood of one kind.
#[derive(Debug, Serialize)]
pub(super) struct Understood {
    pub(super) what: String,
    pub(super) wrong: usize,
    pub(super) of: usize,
    pub(super) unit: &'static str,
    /// What was said and what was understood instead.
    pub(super) mishaps: Vec<String>,
}

/// Measures all three; `recordings` is a folder with WAV files beside `transcription`, as Debian's
/// pocketsphinx-testdata has it.
pub(super) async fn measure(
    lab: &Lab,
    models: &Path,
    recordings: Option<&Path>,
) -> anyhow::Result<Vec<Understood>> {
    let mut found = Vec::new();
    let recording = models.join(RECORDING);
    if recording.is_file() {
        let (wrong, of) = recorded(lab, &recording, TWO_CITIES).await?;
        found.push(words("recorded speech, 44 s at one go", wrong, of));
    }
    if let Some(folder) = recordings {
        let (mut wrong, mut of) = (0, 0);
        for line in std::fs::read_to_string(folder.join("transcription"))?.lines() {
            let Some((text, name)) = line.rsplit_once('(') else { continue };
            let text = text.replace("<s>", "").replace("</s>", "");
            let file = folder.join(format!("{}.wav", name.trim_end_matches(')')));
            let (errors, words) = recorded(lab, &file, &text).await?;
            (wrong, of) = (wrong + errors, of + words);
        }
        found.push(words("recorded speech, of the folder named", wrong, of));
    }
    let (mut wrong, mut of, mut mishaps) = (0, 0, Vec::new());
    for (text, digits) in READ_OUT {
        let heard = lab.words(&lab.say(text, Manner::PLAIN).await?).await?;
        let heard = written(&heard);
        let understood: String = heard.chars().filter(char::is_ascii_digit).collect();
        // Digits are counted as words are.
        let apart = |digits: &str| digits.chars().flat_map(|digit| [digit, ' ']).collect::<String>();
        let (errors, digits) = word_errors(&apart(digits), &apart(&understood));
        mishaps.extend((errors > 0).then(|| format!("{text} Understood: {}", *heard)));
        (wrong, of) = (wrong + errors, of + digits);
    }
    let what = format!("{} numbers and dates read out by the local voice", READ_OUT.len());
    found.push(Understood { what, wrong, of, unit: "digits", mishaps });
    Ok(found)
}

fn words(what: &str, wrong: usize, of: usize) -> Understood {
    Understood { what: what.to_owned(), wrong, of, unit: "words", mishaps: Vec::new() }
}

async fn recorded(lab: &Lab, file: &Path, text: &str) -> anyhow::Result<(usize, usize)> {
    let (samples, rate) = wav(file);
    let heard = lab.words(&converted(&samples, rate, RATE)?).await?;
    Ok(word_errors(text, &heard))
}
