//! Measures the speech models: words understood, speed, memory, voice activity, ends of turns.
//!
//! `cargo run --release --example speech -- MODELS [RECORDINGS]`; the second folder holds recorded speech as
//! WAV files of 16 000 samples a second beside `transcription`, as Debian's pocketsphinx-testdata has it.
#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use std::path::{Path, PathBuf};
use std::time::Instant;

use inference::catalog;
use inference::speech::audio::Resampler;
use inference::speech::{
    Activity, Detector, FRAME_SAMPLES, RATE, Recogniser, TurnEnd, VOICE_RATE, Voice, VoiceFiles,
};

#[path = "../tests/real/measure.rs"]
mod measure;

type Failure = Box<dyn std::error::Error>;

/// Sentences of a call, all of them whole.
const SENTENCES: [&str; 10] = [
    "I would like to change my delivery address, please.",
    "Can you tell me when my order will arrive?",
    "Thank you, that is all I wanted to know.",
    "My name is Anna and I live in Boston.",
    "No, the blue one, not the green one.",
    "Tuesday at three in the afternoon would be fine.",
    "I ordered two lamps last week and only one came.",
    "Could I speak to a person about my invoice?",
    "Yes.",
    "The package was left at the wrong door again.",
];
/// What people read out letter by letter.
const IDENTIFIERS: [&str; 5] = ["ORD-0089", "ORD-4417", "INV-2026-0031", "555-0142", "B7K 90210"];

struct Speech {
    recogniser: Recogniser,
    voice: Voice,
    turn_end: TurnEnd,
    detector: Detector,
}

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let models = PathBuf::from(arguments.next().ok_or("usage: speech MODELS [RECORDINGS]")?);
    let speech = load(&models)?;
    let recording = models.join("recording-two-cities.wav");
    if recording.is_file() {
        let (samples, rate) = measure::wav(&recording);
        let heard = timed(&speech.recogniser, &converted(&samples, rate, RATE)?)?;
        println!("a recording of {:.1} s: {heard}", samples.len() as f64 / f64::from(rate));
    }
    if let Some(folder) = arguments.next() {
        recorded(&speech.recogniser, Path::new(&folder))?;
    }
    spoken(&speech)?;
    identifiers(&speech)?;
    activity(&speech)?;
    turns(&speech)?;
    println!("{} MB resident", resident_mb());
    Ok(())
}

fn load(folder: &Path) -> Result<Speech, Failure> {
    let files = |id: &str| -> Vec<PathBuf> {
        catalog::find(id)
            .into_iter()
            .flat_map(|entry| entry.files)
            .map(|file| folder.join(file.name))
            .collect()
    };
    let report = |what: &str, began: Instant| {
        println!("{what} loaded in {:.2} s, {} MB resident", began.elapsed().as_secs_f64(), resident_mb());
    };
    let began = Instant::now();
    let own = files("moonshine-tiny-en");
    let recogniser = Recogniser::load(&own[0], &own[1], &own[2])?;
    report("recogniser", began);
    let began = Instant::now();
    let own = files("hibari-heart");
    let voice = Voice::load(&VoiceFiles {
        model: &own[0],
        phonemes: &own[1],
        guesser: &own[2],
        guesser_letters: &own[3],
    })?;
    report("voice", began);
    let began = Instant::now();
    let turn_end = TurnEnd::load(&files("smart-turn-v3.2")[0])?;
    report("turn end", began);
    let began = Instant::now();
    let detector = Detector::load(&files("silero-vad-6.2")[0])?;
    report("activity", began);
    Ok(Speech { recogniser, voice, turn_end, detector })
}

fn converted(samples: &[f32], from: u32, to: u32) -> Result<Vec<f32>, inference::Error> {
    let mut resampler = Resampler::new(from, to)?;
    let mut all = resampler.push(samples)?.to_vec();
    all.extend_from_slice(&resampler.finish()?);
    Ok(all)
}

fn timed(recogniser: &Recogniser, samples: &[f32]) -> Result<String, inference::Error> {
    let began = Instant::now();
    let heard = recogniser.recognise(samples)?;
    let (took, length) = (began.elapsed().as_secs_f64(), samples.len() as f64 / f64::from(RATE));
    Ok(format!(
        "{:.0} ms, {:.2} of real time, sure {:.2}: {}",
        took * 1e3,
        took / length,
        heard.confidence,
        *heard.text
    ))
}

/// Recorded speech with its transcription.
fn recorded(recogniser: &Recogniser, folder: &Path) -> Result<(), Failure> {
    let (mut wrong, mut all) = (0, 0);
    for line in std::fs::read_to_string(folder.join("transcription"))?.lines() {
        let Some((text, name)) = line.rsplit_once('(') else { continue };
        let text = text.replace("<s>", "").replace("</s>", "");
        let (samples, rate) = measure::wav(&folder.join(format!("{}.wav", name.trim_end_matches(')'))));
        let samples = converted(&samples, rate, RATE)?;
        let heard = recogniser.recognise(&samples)?;
        let (errors, words) = measure::word_errors(&text, &heard.text);
        println!("{errors} of {words} wrong; {}", timed(recogniser, &samples)?);
        (wrong, all) = (wrong + errors, all + words);
    }
    println!(
        "recorded speech: {wrong} of {all} words wrong, {:.1} %",
        100.0 * f64::from(wrong as u32) / f64::from(all.max(1) as u32)
    );
    Ok(())
}

/// What is said is heard: words, and the speed of both.
fn spoken(speech: &Speech) -> Result<(), Failure> {
    let (mut wrong, mut all, mut making, mut length) = (0, 0, 0.0, 0.0);
    for sentence in SENTENCES {
        let began = Instant::now();
        let samples = speech.voice.speak(sentence, 1.0)?;
        making += began.elapsed().as_secs_f64();
        length += samples.len() as f64 / f64::from(VOICE_RATE);
        let samples = converted(&samples, VOICE_RATE, RATE)?;
        let heard = speech.recogniser.recognise(&samples)?;
        let (errors, words) = measure::word_errors(sentence, &heard.text);
        println!("{errors} of {words} wrong; {}", timed(&speech.recogniser, &samples)?);
        (wrong, all) = (wrong + errors, all + words);
    }
    println!(
        "spoken sentences: {wrong} of {all} words wrong; speaking took {:.0} ms each, {:.3} of real time",
        making * 1e3 / SENTENCES.len() as f64,
        making / length
    );
    Ok(())
}

fn identifiers(speech: &Speech) -> Result<(), Failure> {
    for identifier in IDENTIFIERS {
        let samples = speech.voice.speak(&format!("The number is {identifier}."), 1.0)?;
        println!("{identifier}: {}", timed(&speech.recogniser, &converted(&samples, VOICE_RATE, RATE)?)?);
    }
    Ok(())
}

/// Frames with sound that were missed, and frames without that were taken for speech.
fn activity(speech: &Speech) -> Result<(), Failure> {
    let mut clean = vec![0.0; RATE as usize];
    for sentence in SENTENCES {
        clean.extend(converted(&speech.voice.speak(sentence, 1.0)?, VOICE_RATE, RATE)?);
        clean.extend(vec![0.0; RATE as usize]);
    }
    let truth = loud(&clean, FRAME_SAMPLES);
    for (rumbling, decibels) in
        [(false, 60.0), (false, 20.0), (false, 10.0), (true, 20.0), (true, 10.0), (true, 5.0)]
    {
        let samples = measure::mixed(&clean, &measure::noise(clean.len(), rumbling), decibels);
        let began = Instant::now();
        let frames = Activity::new().hear(&speech.detector, &samples)?;
        let cost = began.elapsed().as_secs_f64() * 1e3 / frames.len() as f64;
        let share = |speech: bool, judged: &dyn Fn(usize) -> bool| {
            let of: Vec<usize> = (0..frames.len()).filter(|at| truth[*at] == Some(speech)).collect();
            100.0 * of.iter().filter(|at| judged(**at) != speech).count() as f64 / of.len().max(1) as f64
        };
        let plain = |at: usize| frames[at].probability >= 0.5;
        let held = |at: usize| frames[at].speaking;
        println!(
            "activity, {} noise at {decibels} dB: missed {:.1} % (held {:.1} %), false {:.1} % (held {:.1} %), {cost:.4} ms a frame",
            if rumbling { "rumbling" } else { "white" },
            share(true, &plain),
            share(true, &held),
            share(false, &plain),
            share(false, &held)
        );
    }
    Ok(())
}

/// Whole sentences with a short pause behind them, and the same cut in the middle.
fn turns(speech: &Speech) -> Result<(), Failure> {
    let (mut early, mut late, mut took) = (0, 0, 0.0);
    for sentence in SENTENCES {
        let mut whole = converted(&speech.voice.speak(sentence, 1.0)?, VOICE_RATE, RATE)?;
        let cut = whole[..whole.len() * 55 / 100].to_vec();
        whole.extend(vec![0.0; RATE as usize / 5]);
        let began = Instant::now();
        let (done, open) = (speech.turn_end.finished(&whole)?, speech.turn_end.finished(&cut)?);
        took += began.elapsed().as_secs_f64() / 2.0;
        println!("whole {done:.2}, cut {open:.2}: {sentence}");
        late += u32::from(done < 0.5);
        early += u32::from(open >= 0.5);
    }
    println!(
        "turn end: {late} of 10 whole taken for cut, {early} of 10 cut taken for whole, {:.0} ms",
        took * 1e2
    );
    Ok(())
}

/// For every whole frame whether it clearly holds sound, clearly holds none, or is left out.
fn loud(samples: &[f32], frame: usize) -> Vec<Option<bool>> {
    let level = |part: &[f32]| {
        10.0 * (part.iter().map(|x| x * x).sum::<f32>() / part.len() as f32).max(1e-12).log10()
    };
    let levels: Vec<f32> = samples.chunks_exact(frame).map(level).collect();
    let top = levels.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    levels
        .iter()
        .map(|level| if *level > top - 25.0 { Some(true) } else { (*level < top - 45.0).then_some(false) })
        .collect()
}

fn resident_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_whitespace().next().and_then(|number| number.parse::<u64>().ok()));
    kilobytes.unwrap_or_default() / 1024
}
