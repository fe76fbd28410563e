//! Speech: what is said is heard, who speaks is noticed, and whether they are done.

use std::path::PathBuf;
use std::sync::LazyLock;

use inference::speech::audio::Resampler;
use inference::speech::{
    Activity, Detector, FRAME_SAMPLES, Frame, Recogniser, TurnEnd, VOICE_RATE, Voice, VoiceFiles,
};

use crate::measure::{mixed, noise, wav, word_errors};
use crate::{files, folder};

static RECOGNISER: LazyLock<Recogniser> = LazyLock::new(|| {
    let files = files("moonshine-tiny-en");
    Recogniser::load(&files[0], &files[1], &files[2]).expect("the model loads")
});
static VOICE: LazyLock<Voice> = LazyLock::new(|| {
    let files: Vec<PathBuf> = files("hibari-heart");
    let (model, phonemes, guesser, guesser_letters) = (&files[0], &files[1], &files[2], &files[3]);
    Voice::load(&VoiceFiles { model, phonemes, guesser, guesser_letters }).expect("the voice loads")
});
static DETECTOR: LazyLock<Detector> =
    LazyLock::new(|| Detector::load(&files("silero-vad-6.2")[0]).expect("the model loads"));
static TURN_END: LazyLock<TurnEnd> =
    LazyLock::new(|| TurnEnd::load(&files("smart-turn-v3.2")[0]).expect("the model loads"));

fn at_16k(samples: &[f32], rate: u32) -> Vec<f32> {
    let mut resampler = Resampler::new(rate, 16_000).expect("a rate");
    let mut all = resampler.push(samples).expect("sound").to_vec();
    all.extend_from_slice(&resampler.finish().expect("sound"));
    all
}

fn said(text: &str) -> Vec<f32> {
    at_16k(&VOICE.speak(text, 1.0).expect("a voice"), VOICE_RATE)
}

fn heard(samples: &[f32]) -> String {
    RECOGNISER.recognise(samples).expect("words").text.to_string()
}

#[test]
fn what_is_said_is_heard() {
    let sentences = [
        "The appointment is on Tuesday at half past nine.",
        "Your parcel left the warehouse this morning and should arrive tomorrow.",
        "Could you please tell me your name and your address?",
    ];
    let (mut wrong, mut all) = (0, 0);
    for sentence in sentences {
        let heard = heard(&said(sentence));
        let (errors, words) = word_errors(sentence, &heard);
        println!("{errors} of {words}: {heard}");
        (wrong, all) = (wrong + errors, all + words);
    }
    assert!(wrong * 10 <= all, "{wrong} of {all} words");
}

#[test]
fn recorded_speech_is_understood() {
    let (samples, rate) = wav(&folder().join("recording-two-cities.wav"));
    let heard = RECOGNISER.recognise(&at_16k(&samples, rate)).expect("words");
    let (errors, words) = word_errors(TWO_CITIES, &heard.text);
    println!("{errors} of {words}, sure {:.2}: {}", heard.confidence, *heard.text);
    assert!(errors * 10 <= words, "{errors} of {words} words");
    // Longer than a window: cut in quiet places, one after the other.
    assert!(heard.segments.len() >= 2 && heard.segments.windows(2).all(|pair| pair[0].to <= pair[1].from));
    assert!(heard.confidence > 0.7);
}

/// The text of the recording.
const TWO_CITIES: &str = "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of \
    foolishness, it was the epoch of belief, it was the epoch of incredulity, it was the season of Light, it was the \
    season of Darkness, it was the spring of hope, it was the winter of despair, we had everything before us, we had nothing before us, we were \
    all going direct to Heaven, we were all going direct the other way, in short, the period was so far like the present \
    period that some of its noisiest authorities insisted on its being received, for good or for evil, in the \
    superlative degree of comparison only";

#[test]
fn identifiers_are_heard_digit_by_digit() {
    let heard = heard(&said("Your order is ORD-0089.")).to_lowercase();
    let digits: String = heard
        .replace("zero", "0")
        .replace("eight", "8")
        .replace("nine", "9")
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    assert_eq!(digits, "0089", "{heard}");
}

#[test]
fn no_sound_breaks_anything() {
    let ten_minutes = vec![0.0; 600 * 16_000];
    let hostile: [(&str, &[f32]); 6] = [
        ("nothing", &[]),
        ("one sample", &[0.5]),
        ("ten minutes of silence", &ten_minutes),
        ("full scale", &[1.0; 8_000]),
        ("no numbers", &[f32::NAN; 20_000]),
        ("infinite", &[f32::INFINITY, f32::NEG_INFINITY, 1e38]),
    ];
    for (name, samples) in hostile {
        let heard = RECOGNISER.recognise(samples).expect(name);
        assert!(heard.text.is_empty() || name == "full scale", "{name}: {}", *heard.text);
        assert!((0.0..=1.0).contains(&TURN_END.finished(samples).expect(name)), "{name}");
    }
    assert!(RECOGNISER.recognise(&vec![0.1; 601 * 16_000]).is_err(), "more than ten minutes");
    RECOGNISER.recognise(&mixed(&vec![0.1; 32_000], &noise(32_000, false), 0.0)).expect("noise");
}

#[test]
fn no_text_breaks_the_voice() {
    let long = "word ".repeat(100);
    let consonants = "bcdfghjklmnpqrstvwxz".repeat(10);
    for text in ["", " ", "```", "😀", "Привет", "'", "-", "a", ". . .", "[x](/y/)", &long, &consonants]
    {
        let samples = VOICE.speak(text, 1.0).expect("sound or silence");
        assert!(samples.iter().all(|x| x.is_finite() && x.abs() <= 1.0), "{text}");
    }
    assert!(VOICE.speak("😀", 1.0).expect("silence").is_empty());
    assert!(VOICE.speak(&"x".repeat(10_000), 1.0).is_err());
    let (slow, fast) = (VOICE.speak("Good morning.", 0.5), VOICE.speak("Good morning.", f32::INFINITY));
    assert!(slow.expect("sound").len() > fast.expect("sound").len());
    assert_eq!(*VOICE.speak("Again.", 1.0).expect("sound"), *VOICE.speak("Again.", 1.0).expect("sound"));
}

fn judged(samples: &[f32]) -> Vec<Frame> {
    Activity::new().hear(&DETECTOR, samples).expect("a judgement")
}

/// The share of frames between two samples in which somebody speaks.
fn share(frames: &[Frame], from: usize, to: usize) -> f32 {
    let part = &frames[from / FRAME_SAMPLES..to / FRAME_SAMPLES];
    part.iter().filter(|frame| frame.speaking).count() as f32 / part.len() as f32
}

#[test]
fn speech_is_noticed_in_quiet_and_in_noise() {
    let mut samples = vec![0.0; 16_000];
    samples.extend(said("I would like to book an appointment for next week."));
    let end = samples.len();
    samples.extend(vec![0.0; 16_000]);
    let noisy = |rumbling| mixed(&samples, &noise(samples.len(), rumbling), 10.0);
    for (name, sound) in [("quiet", samples.clone()), ("white", noisy(false)), ("rumbling", noisy(true))] {
        let frames = judged(&sound);
        let shares = [
            share(&frames, 0, 15_000),
            share(&frames, 19_200, end - 4_800),
            share(&frames, end + 9_600, samples.len()),
        ];
        println!("{name}: {shares:?}");
        assert!(shares[0] < 0.05 && shares[1] > 0.85 && shares[2] < 0.05, "{name}: {shares:?}");
    }
}

#[test]
fn silence_noise_and_music_are_not_speech() {
    let loud =
        |rumbling, loudness: f32| noise(160_000, rumbling).iter().map(|x| x * loudness).collect::<Vec<f32>>();
    let chord = |at: usize| {
        let time = at as f32 / 16_000.0;
        let pitch = [220.0, 277.0, 330.0, 247.0][(time * 2.0) as usize % 4] * std::f32::consts::TAU;
        let tones =
            (pitch * time).sin() + 0.5 * (2.0 * pitch * time).sin() + 0.3 * (3.0 * pitch * time).sin();
        0.3 * (1.0 - (time * 2.0).fract()) * tones
    };
    let sounds = [
        ("silence", vec![0.0; 160_000]),
        ("quiet noise", loud(false, 0.01)),
        ("loud noise", loud(false, 0.3)),
        ("traffic", loud(true, 0.5)),
        ("music", (0..160_000).map(chord).collect()),
        ("no numbers", vec![f32::NAN; 16_000]),
    ];
    for (name, sound) in sounds {
        let frames = judged(&sound);
        assert_eq!(frames.len(), sound.len() / FRAME_SAMPLES);
        assert!(share(&frames, 0, sound.len()) < 0.02, "{name}: {}", share(&frames, 0, sound.len()));
    }
}

#[test]
fn pieces_of_any_length_give_the_same_judgement() {
    let samples = &said("Good morning.")[..8_000];
    let whole = judged(samples);
    assert!(judged(&[]).is_empty() && judged(&[0.1; FRAME_SAMPLES - 1]).is_empty());
    let mut activity = Activity::new();
    for piece in [1, 511, 512, 513] {
        let parts =
            samples.chunks(piece).flat_map(|part| activity.hear(&DETECTOR, part).expect("a judgement"));
        assert_eq!(parts.collect::<Vec<Frame>>(), whole, "{piece}");
        activity.reset();
    }
}

#[test]
fn a_finished_sentence_is_told_from_a_cut_one() {
    let sentences = [
        "I would like to change my delivery address, please.",
        "Can you tell me when my order will arrive?",
        "Thank you, that is all I wanted to know.",
        "My name is Anna and I live in Boston.",
    ];
    let (mut right, mut all) = (0, 0);
    for sentence in sentences {
        let whole = said(sentence);
        let mut quiet = whole.clone();
        quiet.extend(vec![0.0; 3_200]);
        let cut = &whole[..whole.len() * 55 / 100];
        let (done, open) =
            (TURN_END.finished(&quiet).expect("a judgement"), TURN_END.finished(cut).expect("a judgement"));
        println!("{done:.2} {open:.2} {sentence}");
        right += usize::from(done > 0.5) + usize::from(open < 0.5);
        all += 2;
    }
    assert!(right * 4 >= all * 3, "{right} of {all}");
}

#[test]
fn broken_model_files_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = files("moonshine-tiny-en");
    let bytes = std::fs::read(&whole[0]).expect("readable");
    let cut = folder.path().join("cut.ort");
    for length in [0, 8, 1_000, bytes.len() / 2, bytes.len() - 1_000] {
        std::fs::write(&cut, &bytes[..length]).expect("written");
        assert!(Recogniser::load(&cut, &whole[1], &whole[2]).is_err(), "{length} bytes");
    }
    assert!(Recogniser::load(&whole[1], &whole[0], &whole[2]).is_err(), "the wrong way round");
    assert!(TurnEnd::load(&whole[0]).is_err() && TurnEnd::load(&folder.path().join("none")).is_err());
}
