//! What a call leaves in memory. A whole call is held in a process of its own, with words and samples that are like no
//! others; then the memory of that process is searched for them.

use std::{
    io::{BufRead, BufReader, Read, Seek, SeekFrom},
    process::{Child, ChildStdout, Stdio},
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use providers::speech::{Decoder, Encoder, Format, marked};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::{
    calls::{Program, REALTIME, Talk},
    house::Place,
};

/// Words nobody else says, and no number among them.
const WORDS: &str = "zanzibar quokka pumpernickel";
/// How long what has ended may take to be gone.
const GONE: Duration = Duration::from_secs(20);
/// Samples in a row that are looked for.
const RUN: usize = 32;
const PAGE: usize = 4096;

/// A running binary; ended with its test.
struct Served {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Served {
    fn at(place: &Place) -> Self {
        let mut command = place.troth(&["serve"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Its port, and the code that sets it up.
    fn setup(&mut self) -> (u16, String) {
        let link = self.lines.find(|line| line.as_ref().unwrap().contains("/setup#")).unwrap().unwrap();
        let (_, after) = link.split_once("https://localhost:").unwrap();
        let (port, code) = after.split_once("/setup#").unwrap();
        (port.parse().unwrap(), code.split_whitespace().next().unwrap().to_owned())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Something that must not be there, and what to call it.
struct Mark {
    name: String,
    bytes: Vec<u8>,
}

/// The whistling of the words at 16 kHz, 16 bits, with a little noise that makes every stretch of it unlike any other.
fn spoken() -> Vec<u8> {
    let mut encoder = Encoder::new(24_000, Format::pcm(16_000)).unwrap();
    let mut bytes = encoder.encode(&marked(WORDS)).unwrap().to_vec();
    bytes.extend_from_slice(&encoder.finish().unwrap());
    let mut seed = 99_u32;
    let noisy = bytes.as_chunks::<2>().0.iter().flat_map(|sample| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = i16::try_from(seed >> 26).unwrap() - 32;
        i16::from_le_bytes(*sample).saturating_add(noise).to_le_bytes()
    });
    noisy.collect()
}

/// What is looked for: the words as text is held, and runs of their sound as it is sent, held and worked with.
fn marks(sound: &[u8], sent: &[String]) -> Vec<Mark> {
    let wide = WORDS.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut marks = vec![
        Mark { name: "the words".to_owned(), bytes: WORDS.into() },
        Mark { name: "the words as UTF-16".to_owned(), bytes: wide },
    ];
    let samples = Decoder::new(Format::pcm(16_000)).unwrap().decode(sound).unwrap();
    for part in 1..8 {
        let at = samples.len() * part / 8;
        let pcm = sound[2 * at..2 * (at + RUN)].to_vec();
        let float = samples[at..at + RUN].iter().flat_map(|sample| sample.to_ne_bytes()).collect();
        marks.push(Mark { name: format!("16-bit samples from {at}"), bytes: pcm });
        marks.push(Mark { name: format!("samples of 32 bits from {at}"), bytes: float });
    }
    // Of what was sent, silence is like any other.
    let wires = sent.iter().filter(|text| !text.contains("AAAAAAAA")).skip(5).step_by(7);
    marks.extend(
        wires
            .map(|text| text[64..128].into())
            .map(|bytes| Mark { name: "sound as base64".to_owned(), bytes }),
    );
    marks
}

/// The marks that are in the memory of a process, and in what kind of area.
fn found(process: u32, marks: &[Mark]) -> Vec<String> {
    let begins: std::collections::HashSet<u16> =
        marks.iter().map(|mark| u16::from_ne_bytes([mark.bytes[0], mark.bytes[1]])).collect();
    let mut may_begin = vec![false; 1 << 16];
    begins.iter().for_each(|begin| may_begin[usize::from(*begin)] = true);
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    let mut memory = std::fs::File::open(format!("/proc/{process}/mem")).unwrap();
    let mut found = Vec::new();
    for area in maps.lines() {
        let mut parts = area.split_whitespace();
        let (range, rights) = (parts.next().unwrap(), parts.next().unwrap());
        let name = parts.nth(3).unwrap_or("anonymous");
        // What cannot be written is what lies in its file.
        if !rights.starts_with("rw") {
            continue;
        }
        let (from, to) = range.split_once('-').unwrap();
        let [from, to] = [from, to].map(|at| usize::from_str_radix(at, 16).unwrap());
        let mut bytes = vec![0; to - from];
        let seeked = memory.seek(SeekFrom::Start(from as u64));
        // Areas come and go, and some belong to the kernel.
        if seeked.is_err() || memory.read_exact(&mut bytes).is_err() {
            continue;
        }
        for (page, start) in bytes.chunks(PAGE).zip((0..).step_by(PAGE)) {
            if page == &[0; PAGE][..page.len()] {
                continue;
            }
            for at in start..start + page.len() {
                let Some(&[first, second]) = bytes.get(at..at + 2) else { continue };
                if !may_begin[usize::from(u16::from_ne_bytes([first, second]))] {
                    continue;
                }
                let here = marks.iter().filter(|mark| bytes[at..].starts_with(&mark.bytes));
                found.extend(here.map(|mark| format!("{} in {name} at {:x}", mark.name, from + at)));
            }
        }
    }
    found
}

/// Says the words, waits for the answer that repeats them, and gives back what was sent.
async fn converse(talk: &mut Talk, sound: &[u8]) -> Vec<String> {
    let input = json!({
        "format": { "type": "audio/pcm", "rate": 16_000 },
        "transcription": { "model": "any" },
        "turn_detection": { "type": "server_vad", "silence_duration_ms": 200 },
    });
    talk.says(&json!({ "type": "session.update", "session": { "audio": { "input": input } } })).await;
    talk.until("session.updated").await;
    talk.until("response.done").await;
    let silence = vec![0; 32_000];
    let pieces = sound.chunks(1_280).chain(silence.chunks(1_280));
    let sent: Vec<String> = pieces.map(|piece| STANDARD.encode(piece)).collect();
    for audio in &sent {
        talk.says(&json!({ "type": "input_audio_buffer.append", "audio": audio })).await;
    }
    let heard = talk.until("conversation.item.input_audio_transcription.completed").await;
    assert_eq!(heard["transcript"], WORDS);
    let said = talk.until("response.output_audio_transcript.done").await;
    assert!(said["transcript"].as_str().unwrap().contains(WORDS), "{said}");
    talk.until("response.done").await;
    sent
}

#[test]
fn nothing_of_a_call_is_left_in_memory() {
    testkit::run(async {
        let place = Place::new();
        let mut served = Served::at(&place);
        let (port, code) = served.setup();
        let program =
            Program::of(([127, 0, 0, 1], port).into(), &place.data().join("tls/ca.pem"), &code).await;
        let sound = spoken();
        let mut talk = program.open(REALTIME).await;
        let sent = converse(&mut talk, &sound).await;
        let marks = marks(&sound, &sent);
        let process = served.child.id();
        assert!(!found(process, &marks).is_empty(), "while it is held, the call knows what was said");

        talk.sends(Message::Close(None)).await;
        talk.end().await;
        let since = Instant::now();
        loop {
            let left = found(process, &marks);
            if left.is_empty() {
                break;
            }
            assert!(since.elapsed() < GONE, "{} left: {left:#?}", left.len());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
}
