//! The conformance cases everybody measures WebSockets by: the 301 of the Autobahn test suite without
//! compression, under its numbers. Each says what is sent and what has to come back by RFC 6455; every one has to end with a
//! goodbye and a clean end of the connection.
//!
//! The suite itself runs on Python 2 alone; these are its frames, made anew.

use std::{iter, time::Duration};

use tokio::time::timeout;
use web::socket::Limits;

use crate::{
    House,
    wire::{Frame, frame},
};

const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// A word of the stress test, with an accent of three bytes.
const GREEK: &str = "κ\u{1f79}σμε";

/// How one case must end.
#[derive(Debug)]
enum End {
    /// With our goodbye, returned.
    Returned,
    /// With a goodbye of this code.
    Code(u16),
    /// With a goodbye without a code.
    Empty,
    /// With whatever goodbye.
    Some,
}

struct Case {
    name: String,
    /// What is sent, in these pieces.
    sent: Vec<Vec<u8>>,
    /// What comes back before the end.
    back: Vec<Frame>,
    end: End,
}

/// All cases.
#[derive(Default)]
struct Cases(Vec<Case>);

impl Cases {
    /// One that goes well: we say goodbye when all is sent.
    fn well(&mut self, name: &str, mut sent: Vec<Vec<u8>>, back: Vec<Frame>) {
        sent.push(bye(&1000_u16.to_be_bytes()));
        self.0.push(Case { name: name.to_owned(), sent, back, end: End::Returned });
    }

    /// One that breaks the protocol after `back` came.
    fn broken(&mut self, name: &str, sent: Vec<Vec<u8>>, back: Vec<Frame>) {
        self.ends(name, sent, back, End::Code(1002));
    }

    fn ends(&mut self, name: &str, sent: Vec<Vec<u8>>, back: Vec<Frame>, end: End) {
        self.0.push(Case { name: name.to_owned(), sent, back, end });
    }
}

fn bye(payload: &[u8]) -> Vec<u8> {
    frame(true, 0, CLOSE, payload)
}

fn ping(payload: &[u8]) -> Vec<u8> {
    frame(true, 0, PING, payload)
}

/// These frames a byte at a time.
fn bytewise(frames: &[Vec<u8>]) -> Vec<Vec<u8>> {
    frames.concat().into_iter().map(|byte| vec![byte]).collect()
}

/// The same frames in the three ways of the suite: one by one, at once, a byte at a time.
fn cuts(frames: &[Vec<u8>]) -> [Vec<Vec<u8>>; 3] {
    [frames.to_vec(), vec![frames.concat()], bytewise(frames)]
}

/// A message in pieces.
fn fragments(opcode: u8, pieces: &[&[u8]]) -> Vec<Vec<u8>> {
    let last = pieces.len() - 1;
    let one = |(at, piece): (usize, &&[u8])| frame(at == last, 0, if at == 0 { opcode } else { 0 }, piece);
    pieces.iter().enumerate().map(one).collect()
}

fn framing(cases: &mut Cases) {
    for (group, opcode, byte) in [(1, TEXT, b'*'), (2, BINARY, 0xfe)] {
        let lengths = [0, 125, 126, 127, 128, 65_535, 65_536];
        for (at, length) in lengths.into_iter().enumerate() {
            let payload = vec![byte; length];
            let sent = vec![frame(true, 0, opcode, &payload)];
            cases.well(&format!("1.{group}.{}", at + 1), sent, vec![Frame::of(opcode, &payload)]);
        }
        let payload = vec![byte; 65_536];
        let whole = frame(true, 0, opcode, &payload);
        let sent = whole.chunks(997).map(<[u8]>::to_vec).collect();
        cases.well(&format!("1.{group}.8"), sent, vec![Frame::of(opcode, &payload)]);
    }
}

fn pings(cases: &mut Cases) {
    let binary = [0x00, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0x00, 0xff];
    for (name, payload) in
        [("2.1", &b""[..]), ("2.2", b"Hello, world!"), ("2.3", &binary), ("2.4", &[0xfe; 125])]
    {
        cases.well(name, vec![ping(payload)], vec![Frame::of(PONG, payload)]);
    }
    cases.broken("2.5", vec![ping(&[0xfe; 126])], vec![]);
    cases.well("2.6", bytewise(&[ping(&[0xfe; 125])]), vec![Frame::of(PONG, &[0xfe; 125])]);
    cases.well("2.7", vec![frame(true, 0, PONG, b"")], vec![]);
    cases.well("2.8", vec![frame(true, 0, PONG, b"unsolicited")], vec![]);
    let sent = vec![frame(true, 0, PONG, b"unsolicited"), ping(b"ping")];
    cases.well("2.9", sent, vec![Frame::of(PONG, b"ping")]);
    let ten: Vec<String> = (0..10).map(|at| format!("payload-{at}")).collect();
    let sent: Vec<_> = ten.iter().map(|payload| ping(payload.as_bytes())).collect();
    let back = || ten.iter().map(|payload| Frame::of(PONG, payload.as_bytes())).collect();
    cases.well("2.10", sent.clone(), back());
    cases.well("2.11", bytewise(&sent), back());
}

fn reserved(cases: &mut Cases) {
    let hello = || Frame::of(TEXT, b"Hello, world!");
    let text = |reserved| frame(true, reserved, TEXT, b"Hello, world!");
    cases.broken("3.1", vec![text(1)], vec![]);
    for (name, reserved, sent) in ["3.2", "3.3", "3.4"].into_iter().zip(2..).map(|(name, reserved)| {
        let [apart, at_once, bytewise] = cuts(&[text(0), text(reserved), ping(b"")]);
        (
            name,
            reserved,
            match reserved {
                2 => apart,
                3 => at_once,
                _ => bytewise,
            },
        )
    }) {
        assert!(reserved < 5);
        cases.broken(name, sent, vec![hello()]);
    }
    cases.broken("3.5", vec![frame(true, 5, BINARY, &[0xfe; 8])], vec![]);
    cases.broken("3.6", vec![frame(true, 6, PING, b"hello")], vec![]);
    cases.broken("3.7", vec![frame(true, 7, CLOSE, &1000_u16.to_be_bytes())], vec![]);
}

fn opcodes(cases: &mut Cases) {
    for (group, first) in [(1, 3), (2, 11)] {
        let name = |at: u8| format!("4.{group}.{at}");
        let hello = frame(true, 0, TEXT, b"Hello, world!");
        let back = || vec![Frame::of(TEXT, b"Hello, world!")];
        cases.broken(&name(1), vec![frame(true, 0, first, b"")], vec![]);
        cases.broken(&name(2), vec![frame(true, 0, first + 1, b"reserved")], vec![]);
        let sent = vec![hello.clone(), frame(true, 0, first + 2, b""), ping(b"")];
        cases.broken(&name(3), sent, back());
        let sent = [hello.clone(), frame(true, 0, first + 3, b"reserved"), ping(b"")];
        cases.broken(&name(4), sent.to_vec(), back());
        let sent = [hello, frame(true, 0, first + 4, b"reserved"), ping(b"")];
        cases.broken(&name(5), bytewise(&sent), back());
    }
}

fn fragmentation(cases: &mut Cases) {
    let mut three = |first: usize, frames: &[Vec<u8>], back: Vec<Frame>, is_well: bool| {
        for (at, sent) in cuts(frames).into_iter().enumerate() {
            let name = format!("5.{}", first + at);
            match is_well {
                true => cases.well(&name, sent, back.clone()),
                false => cases.broken(&name, sent, back.clone()),
            }
        }
    };
    let two = fragments(TEXT, &[b"fragment1", b"fragment2"]);
    let whole = || Frame::of(TEXT, b"fragment1fragment2");
    three(3, &two, vec![whole()], true);
    let between = [two[0].clone(), ping(b"ping"), two[1].clone()];
    three(6, &between, vec![Frame::of(PONG, b"ping"), whole()], true);
    let (stray, open) = (frame(true, 0, 0, b"nothing to go on"), frame(false, 0, 0, b"nothing to go on"));
    let hello = frame(true, 0, TEXT, b"Hello, world!");
    three(9, &[stray, hello.clone()], vec![], false);
    three(12, &[open.clone(), hello.clone()], vec![], false);

    for (name, opcode) in [("5.1", PING), ("5.2", PONG)] {
        cases.broken(name, fragments(opcode, &[b"fragment1", b"fragment2"]), vec![]);
    }
    let sent = [two.clone(), vec![open.clone(), hello.clone()]].concat();
    cases.broken("5.15", sent, vec![whole()]);
    let half = frame(false, 0, TEXT, b"fragment2");
    let sent = vec![open, half.clone(), frame(true, 0, 0, b"fragment3")];
    cases.broken("5.16", [sent.clone(), sent].concat(), vec![]);
    let sent = vec![frame(true, 0, 0, b"fragment1"), half, frame(true, 0, 0, b"fragment3")];
    cases.broken("5.17", [sent.clone(), sent].concat(), vec![]);
    cases.broken("5.18", vec![two[0].clone(), hello], vec![]);

    let five = fragments(TEXT, &[b"1", b"22", b"333", b"4444", b"55555"]);
    let mut sent = five;
    sent.insert(4, ping(b"second"));
    sent.insert(2, ping(b"first"));
    let back =
        || vec![Frame::of(PONG, b"first"), Frame::of(PONG, b"second"), Frame::of(TEXT, b"122333444455555")];
    cases.well("5.19", sent.clone(), back());
    cases.well("5.20", vec![sent.concat()], back());
}

/// Sound text comes back; what is none ends with its own code.
fn unicode(cases: &mut Cases, name: &str, sent: Vec<Vec<u8>>, payload: &[u8]) {
    match std::str::from_utf8(payload) {
        Ok(_) => cases.well(name, sent, vec![Frame::of(TEXT, payload)]),
        Err(_) => cases.ends(name, sent, vec![], End::Code(1007)),
    }
}

fn utf_8(cases: &mut Cases) {
    let (greek, odd) =
        (GREEK.as_bytes(), &b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited"[..]);
    let single = |payload: &[u8]| fragments(TEXT, &payload.chunks(1).collect::<Vec<_>>());
    let sentence = "Hello-µ@ßöäüàá-UTF-8!!".as_bytes();
    unicode(cases, "6.1.1", vec![frame(true, 0, TEXT, b"")], b"");
    unicode(cases, "6.1.2", fragments(TEXT, &[b"", b"", b""]), b"");
    let middle = b"middle frame payload";
    unicode(cases, "6.1.3", fragments(TEXT, &[b"", middle, b""]), middle);
    unicode(cases, "6.2.1", vec![frame(true, 0, TEXT, sentence)], sentence);
    unicode(cases, "6.2.2", fragments(TEXT, &[&sentence[..12], &sentence[12..]]), sentence);
    unicode(cases, "6.2.3", single(sentence), sentence);
    unicode(cases, "6.2.4", single(greek), greek);
    unicode(cases, "6.3.1", vec![frame(true, 0, TEXT, odd)], odd);
    unicode(cases, "6.3.2", single(odd), odd);
    for (at, wrong) in [&b"\xf4\x90\x80\x80"[..], b"\xf4\x90"].into_iter().enumerate() {
        let all = [greek, wrong, b"edited"];
        // It must not wait for the end: the last piece is not the last.
        let mut sent = fragments(TEXT, &all);
        sent[2] = frame(false, 0, 0, b"edited");
        unicode(cases, &format!("6.4.{}", at + 1), sent.clone(), &all.concat());
        unicode(cases, &format!("6.4.{}", at + 3), bytewise(&sent), &all.concat());
    }
    for (group, sequences) in (5..).zip(sequences()) {
        for (at, payload) in sequences.iter().enumerate() {
            let sent = vec![frame(true, 0, TEXT, payload)];
            unicode(cases, &format!("6.{group}.{}", at + 1), sent, payload);
        }
    }
}

/// The sequences of groups 6.5 to 6.23, after Markus Kuhn's stress test.
fn sequences() -> Vec<Vec<Vec<u8>>> {
    let list = |texts: &[&[u8]]| texts.iter().map(|text| text.to_vec()).collect::<Vec<_>>();
    let greek = GREEK.as_bytes();
    // Starts, one after the other with a blank between.
    let lonely = |range: std::ops::RangeInclusive<u8>| range.flat_map(|start| [start, b' ']).collect();
    // The sequence of a start and `more` bytes that go on.
    let short = |start: u8, first: u8, more: usize| -> Vec<u8> {
        iter::once(start).chain(iter::repeat_n(first, more)).collect()
    };
    let incomplete: Vec<Vec<u8>> = [
        (0xc0, 0x80, 0),
        (0xe0, 0x80, 1),
        (0xf0, 0x80, 2),
        (0xf8, 0x80, 3),
        (0xfc, 0x80, 4),
        (0xdf, 0xbf, 0),
        (0xef, 0xbf, 1),
        (0xf7, 0xbf, 2),
        (0xfb, 0xbf, 3),
        (0xfd, 0xbf, 4),
    ]
    .map(|(start, first, more)| short(start, first, more))
    .into();
    let strays = (1..=7).map(|length| [0x80, 0xbf].into_iter().cycle().take(length).collect());
    let strays: Vec<Vec<u8>> = iter::once(vec![0x80])
        .chain(iter::once(vec![0xbf]))
        .chain(strays.skip(1))
        .take(7)
        .chain(iter::once((0x80..=0xbf).collect()))
        .collect();
    let surrogates = list(&[
        b"\xed\xa0\x80",
        b"\xed\xad\xbf",
        b"\xed\xae\x80",
        b"\xed\xaf\xbf",
        b"\xed\xb0\x80",
        b"\xed\xbe\x80",
        b"\xed\xbf\xbf",
    ]);
    let high = [&surrogates[0], &surrogates[1], &surrogates[2], &surrogates[3]];
    let pairs = high
        .into_iter()
        .flat_map(|high| [&surrogates[4], &surrogates[6]].map(|low| [&high[..], low].concat()));
    let planes = (0..=16_u32).flat_map(|plane| [0xfffe, 0xffff].map(|end| plane << 16 | end));
    let no_characters = planes.filter_map(char::from_u32).map(|one| one.to_string().into_bytes());
    let specials = ('\u{fff9}'..='\u{ffff}').map(|one| one.to_string().into_bytes());
    vec![
        list(&["hello$world", "hello¢world", "hello€world", "hello𤭢world", GREEK].map(str::as_bytes)),
        (1..=greek.len()).map(|end| greek[..end].to_vec()).collect(),
        list(&[b"\0", b"\xc2\x80", b"\xe0\xa0\x80", b"\xf0\x90\x80\x80"]),
        list(&[b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"]),
        list(&[b"\x7f", b"\xdf\xbf", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf"]),
        list(&[b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf\xbf"]),
        list(&[b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbd", b"\xf4\x8f\xbf\xbf", b"\xf4\x90\x80\x80"]),
        strays,
        vec![
            lonely(0xc0..=0xdf),
            lonely(0xe0..=0xef),
            lonely(0xf0..=0xf7),
            lonely(0xf8..=0xfb),
            lonely(0xfc..=0xfd),
        ],
        incomplete.clone(),
        vec![incomplete.concat()],
        list(&[b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"]),
        list(&[
            b"\xc0\xaf",
            b"\xe0\x80\xaf",
            b"\xf0\x80\x80\xaf",
            b"\xf8\x80\x80\x80\xaf",
            b"\xfc\x80\x80\x80\x80\xaf",
        ]),
        list(&[
            b"\xc1\xbf",
            b"\xe0\x9f\xbf",
            b"\xf0\x8f\xbf\xbf",
            b"\xf8\x87\xbf\xbf\xbf",
            b"\xfc\x83\xbf\xbf\xbf\xbf",
        ]),
        list(&[
            b"\xc0\x80",
            b"\xe0\x80\x80",
            b"\xf0\x80\x80\x80",
            b"\xf8\x80\x80\x80\x80",
            b"\xfc\x80\x80\x80\x80\x80",
        ]),
        surrogates.clone(),
        pairs.collect(),
        no_characters.collect(),
        specials.collect(),
    ]
}

fn goodbyes(cases: &mut Cases) {
    let (done, hello) = (bye(&1000_u16.to_be_bytes()), frame(true, 0, TEXT, b"Hello, world!"));
    let back = || Frame::of(TEXT, b"Hello, world!");
    let mut ends = |name: &str, sent, back| cases.ends(name, sent, back, End::Code(1000));
    ends("7.1.1", vec![hello.clone(), done.clone()], vec![back()]);
    ends("7.1.2", vec![done.clone(), done.clone()], vec![]);
    ends("7.1.3", vec![done.clone(), ping(b"")], vec![]);
    ends("7.1.4", vec![done.clone(), hello.clone()], vec![]);
    let two = fragments(TEXT, &[b"fragment1", b"fragment2"]);
    ends("7.1.5", vec![two[0].clone(), done.clone(), two[1].clone()], vec![]);
    let big = vec![b'*'; 256 << 10];
    let sent = vec![frame(true, 0, TEXT, &big), hello, done, ping(b"")];
    ends("7.1.6", sent, vec![Frame::of(TEXT, &big), back()]);

    cases.ends("7.3.1", vec![bye(b"")], vec![], End::Empty);
    cases.broken("7.3.2", vec![bye(b"a")], vec![]);
    let reason = |length| [&1000_u16.to_be_bytes()[..], &vec![b'*'; length]].concat();
    for (name, length) in [("7.3.3", 0), ("7.3.4", 13), ("7.3.5", 123)] {
        cases.ends(name, vec![bye(&reason(length))], vec![], End::Code(1000));
    }
    cases.broken("7.3.6", vec![bye(&reason(124))], vec![]);
    let odd = [&1000_u16.to_be_bytes()[..], b"\xce\xba\xe1\xbd\xb9\xed\xa0\x80edited"].concat();
    cases.ends("7.5.1", vec![bye(&odd)], vec![], End::Code(1007));
    let sound = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999];
    for (at, code) in sound.into_iter().enumerate() {
        let sent = vec![bye(&u16::to_be_bytes(code))];
        cases.ends(&format!("7.7.{}", at + 1), sent, vec![], End::Code(code));
    }
    let unsound = [0_u16, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999];
    for (at, code) in unsound.into_iter().enumerate() {
        cases.broken(&format!("7.9.{}", at + 1), vec![bye(&code.to_be_bytes())], vec![]);
    }
    for (name, code) in [("7.13.1", 5000_u16), ("7.13.2", 65_535)] {
        cases.ends(name, vec![bye(&code.to_be_bytes())], vec![], End::Some);
    }
}

fn sizes(cases: &mut Cases) {
    for (opcode, byte, group) in [(TEXT, b'*', 0), (BINARY, 0xfe, 1)] {
        let kibibytes = [64, 256, 1024, 4096, 8192, 16_384];
        for (at, size) in kibibytes.into_iter().enumerate() {
            let payload = vec![byte; size << 10];
            let sent = vec![frame(true, 0, opcode, &payload)];
            cases.well(&format!("9.{}.{}", 1 + group, at + 1), sent, vec![Frame::of(opcode, &payload)]);
        }
        let payload = vec![byte; 4 << 20];
        for (at, size) in (0..9).map(|power| 64 << (2 * power)).enumerate() {
            let sent = fragments(opcode, &payload.chunks(size).collect::<Vec<_>>());
            let name = format!("9.{}.{}", 3 + group, at + 1);
            cases.well(&name, vec![sent.concat()], vec![Frame::of(opcode, &payload)]);
        }
        let payload = vec![byte; 1 << 20];
        for (at, cut) in [64, 128, 256, 512, 1024, 2048].into_iter().enumerate() {
            let whole = frame(true, 0, opcode, &payload);
            let sent = whole.chunks(cut).map(<[u8]>::to_vec).collect();
            let name = format!("9.{}.{}", 5 + group, at + 1);
            cases.well(&name, sent, vec![Frame::of(opcode, &payload)]);
        }
        for (at, size) in [0, 16, 64, 256, 1024, 4096].into_iter().enumerate() {
            let payload = vec![byte; size];
            let sent = vec![frame(true, 0, opcode, &payload); 1000];
            let name = format!("9.{}.{}", 7 + group, at + 1);
            cases.well(&name, sent, vec![Frame::of(opcode, &payload); 1000]);
        }
    }
    let payload = vec![b'*'; 65_536];
    let sent = fragments(TEXT, &payload.chunks(1300).collect::<Vec<_>>());
    cases.well("10.1.1", sent, vec![Frame::of(TEXT, &payload)]);
}

/// What is wrong with what came back.
fn judge(case: &Case, came: std::io::Result<Vec<Frame>>) -> Option<String> {
    let mut came = match came {
        Ok(came) => came,
        Err(error) => return Some(format!("it did not end cleanly: {error}")),
    };
    let Some(last) = came.pop().filter(|last| last.opcode == CLOSE) else {
        return Some(format!("no goodbye, after {came:?}"));
    };
    let is_right = match case.end {
        End::Returned => last.code() == Some(1000),
        End::Code(code) => last.code() == Some(code),
        End::Empty => last.payload.is_empty(),
        End::Some => true,
    };
    if !is_right {
        return Some(format!("the goodbye was {last:?} instead of {:?}", case.end));
    }
    (came != case.back).then(|| format!("{} frames came: {:?}", came.len(), came.first()))
}

#[tokio::test(flavor = "multi_thread")]
async fn all_301_conformance_cases_are_passed_and_end_cleanly() {
    let mut cases = Cases::default();
    for make in [framing, pings, reserved, opcodes, fragmentation, utf_8, goodbyes, sizes] {
        make(&mut cases);
    }
    assert_eq!(cases.0.len(), 301);
    let message_bytes = 16 << 20;
    let house =
        House::open(Limits { message_bytes, frames_a_minute: u32::MAX, silent: Duration::from_secs(60) });
    let mut wrong = Vec::new();
    for case in &cases.0 {
        let wire = house.socket().await;
        let fault = match timeout(Duration::from_secs(60), wire.exchange(&case.sent)).await {
            Ok(came) => judge(case, came),
            Err(_) => Some("it did not end".to_owned()),
        };
        wrong.extend(fault.map(|fault| format!("{}: {fault}", case.name)));
    }
    assert!(wrong.is_empty(), "{} of 301:\n{}", wrong.len(), wrong.join("\n"));
    house.close().await;
}
