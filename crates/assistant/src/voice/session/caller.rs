//! What the caller's sound means: frames, pauses, words, turns.

use std::{sync::Arc, time::Duration};

use domain::{
    chat::Author,
    enforced,
    id::ItemId,
    model::Place,
    voice::{
        Cause, Event, Failure, Over, ReplyEnd, Trigger, Turns,
        numbers::written,
        turn_taking::{FRAME_MS, Move, Sign, is_nothing},
    },
};
use futures::FutureExt;
use providers::speech::{Decoder, FRAME_SAMPLES, Haste, Heard, Samples, Sound, SpeechKind};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::{ASKED_IN_VAIN, Done, Session};
use crate::{
    turn::AskKind,
    voice::{lines, mouth, reply::Marks, tape::Tape},
};

/// Sound may come twice as fast as it is spoken, and this much at once.
const BURST_MS: u64 = 30_000;
/// Longest piece of sound in one command, in bytes.
const PIECE_BYTES: usize = 16 * 1024 * 1024;
/// New speech after which the words so far are recognised anew; sooner while it is to be known whether the
/// caller interrupts.
const PARTIAL_MS: u32 = 800;
const CONTESTED_MS: u32 = 256;
/// The same in a long utterance, and from how many frames on it is one.
const LONG_MS: u32 = 3_000;
const LONG_FRAMES: usize = 12_000 / FRAME_MS as usize;
/// Frames that are there when the machine says that somebody began.
const BEGINS: usize = 4;
/// How long recognition may take.
const RECOGNITION: Duration = Duration::from_secs(10);
/// Longest sound in one item made by hand, in frames: a minute.
const LONGEST_FRAMES: usize = 60_000 / FRAME_MS as usize;
/// Frames the judge of pauses listens to: eight seconds.
const JUDGED_FRAMES: usize = 8_000 / FRAME_MS as usize;
/// Turns whose words are still to come.
const CLOSING: usize = 4;

/// What the caller is saying.
pub(super) struct Utterance {
    item: ItemId,
    began_ms: u64,
    /// Whether the client knows of it.
    announced: bool,
    /// How much speech there was when the words were last asked for.
    asked_at_ms: u32,
    /// The words of the pause that lasts, once they are known.
    settled: Option<Zeroizing<String>>,
    /// What the client was told of the words.
    told: Zeroizing<String>,
}

/// A turn that is over, whose words are still to come.
pub(super) struct Closing {
    item: ItemId,
    tape: Tape,
    marks: Marks,
}

/// A recognition that is under way.
pub(super) struct Job {
    number: u64,
    what: What,
    since: Instant,
    cancel: CancellationToken,
}

impl Job {
    pub(super) fn patience_ends(&self) -> Instant {
        self.since + RECOGNITION
    }

    pub(super) fn cancel(&self) {
        self.cancel.cancel();
    }
}

/// What a recognition is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    /// The words so far, after so much speech; whether they reach up to a pause.
    Running { voiced_ms: u32, pause: bool },
    /// The words of a turn that is over.
    Closing(ItemId),
}

impl Session {
    /// More sound.
    pub(super) async fn audio(&mut self, bytes: Zeroizing<Vec<u8>>) {
        let Some(settings) = &self.settings else { return };
        self.came_ms += settings.input.ms_of(bytes.len());
        let most = BURST_MS + 2 * u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX / 4);
        if self.came_ms > most || bytes.len() > PIECE_BYTES {
            enforced!(VOI01);
            return self.breaks(Failure::TooFast).await;
        }
        self.incoming = Some((bytes, 0));
    }

    /// Hears a second of the sound that came. In between the call may end, and others have their turn.
    pub(super) async fn hear_on(&mut self) {
        let Some((bytes, at)) = self.incoming.take() else { return };
        let Some((settings, decoder)) = self.settings.as_ref().zip(self.decoder.as_mut()) else { return };
        let end = bytes.len().min(at + settings.input.bytes_of(1_000).max(2));
        let Ok(samples) = decoder.decode(&bytes[at..end]) else {
            return self.breaks(Failure::Listening).await;
        };
        if end < bytes.len() {
            self.incoming = Some((bytes, end));
            tokio::task::yield_now().await;
        }
        self.samples(&samples).await;
    }

    /// Hears what still waits for more sound, as if silence came.
    pub(super) async fn flush_sound(&mut self) {
        let Some((settings, decoder)) = self.settings.as_ref().zip(self.decoder.as_mut()) else { return };
        let (Ok(rest), Ok(fresh)) = (decoder.finish(), Decoder::new(mouth::wire(settings.input))) else {
            return self.breaks(Failure::Listening).await;
        };
        self.decoder = Some(fresh);
        self.samples(&rest).await;
        if !self.waiting.is_empty() {
            let silence = FRAME_SAMPLES - self.waiting.len();
            self.samples(&[0.0; FRAME_SAMPLES][..silence]).await;
        }
    }

    async fn samples(&mut self, samples: &[f32]) {
        let mut all = Zeroizing::new(Vec::with_capacity(self.waiting.len() + samples.len()));
        all.extend_from_slice(&self.waiting);
        all.extend_from_slice(samples);
        let (frames, rest) = all.as_chunks::<FRAME_SAMPLES>();
        self.waiting = Samples::new(rest.to_vec());
        for frame in frames {
            if self.over.is_some() {
                return;
            }
            self.frame(frame).await;
        }
    }

    async fn frame(&mut self, frame: &[f32; FRAME_SAMPLES]) {
        self.frames += 1;
        self.tape.push(frame);
        let Turns::Server(rules) = self.turns() else {
            if self.tape.len() >= LONGEST_FRAMES {
                self.close_by_hand(Trigger::Silence).await;
            }
            return;
        };
        let likely = match self.hears.ear.hear(frame) {
            Ok(likely) => likely.last().copied().unwrap_or_default(),
            Err(_) => return self.breaks(Failure::Listening).await,
        };
        self.machine_says(Sign::Frame(likely)).await;
        if self.utterance.is_none() {
            let before = (rules.before_ms / FRAME_MS) as usize;
            self.tape.keep_last(before.max(BEGINS));
        } else {
            self.listen_along();
        }
    }

    /// Milliseconds of sound heard so far.
    fn at_ms(&self) -> u64 {
        self.frames * u64::from(FRAME_MS)
    }

    /// Tells the machine of a sign and does what it says.
    pub(super) async fn machine_says(&mut self, sign: Sign) {
        let silent_ms = self.machine.silent_ms() + if matches!(sign, Sign::Frame(_)) { FRAME_MS } else { 0 };
        for one in self.machine.hear(sign) {
            match one {
                Move::Began { ago_ms } => self.caller_began(ago_ms).await,
                Move::Judge => self.judge(),
                Move::ThinkAhead => self.think_ahead(),
                Move::TakeBack => self.drop_ahead().await,
                Move::Over(by) => self.caller_ended(by, u64::from(silent_ms)).await,
                Move::Forget => self.forget_utterance().await,
                Move::Hush => self.hush().await,
                Move::Interrupted => self.interrupted().await,
                Move::GoOn => self.unhush().await,
                Move::AskIfThere => self.ask_if_there().await,
            }
        }
    }

    async fn caller_began(&mut self, ago_ms: u32) {
        let began_ms = self.at_ms().saturating_sub(u64::from(ago_ms));
        self.asked_in_vain = 0;
        self.utterance = Some(Utterance {
            item: ItemId::fresh(&self.ctx),
            began_ms,
            announced: false,
            asked_at_ms: 0,
            settled: None,
            told: Zeroizing::default(),
        });
        // Over the agent's voice it is not yet known whether this means anything.
        if self.reply.is_none() {
            self.announce().await;
        }
    }

    /// Tells the client that the caller speaks.
    async fn announce(&mut self) {
        let Some(said) = self.utterance.as_mut().filter(|said| !said.announced) else { return };
        said.announced = true;
        let (at_ms, item) = (said.began_ms, said.item);
        self.tell(Event::SpeechStarted { at_ms, item }).await;
    }

    /// A pause: asks whether it is the end, and for the words.
    fn judge(&mut self) {
        let Turns::Server(rules) = self.turns() else { return };
        let voiced_ms = self.machine.voiced_ms();
        if rules.judged {
            let (judge, tail) = (Arc::clone(&self.hears.judge), self.tape.last(JUDGED_FRAMES));
            self.jobs.push(async move { Done::Judged(voiced_ms, judge.finished(tail).await) }.boxed());
        }
        let running = self.job.as_ref().is_some_and(|job| matches!(job.what, What::Closing(_)));
        if !running {
            self.recognise(What::Running { voiced_ms, pause: true }, self.tape.all());
        }
    }

    pub(super) async fn judged(&mut self, voiced_ms: u32, likely: Result<f32, providers::Error>) {
        // Of a pause that is over nobody wants to know; a judge that fails leaves it to the silence.
        if let Ok(likely) = likely
            && self.machine.voiced_ms() == voiced_ms
        {
            self.machine_says(Sign::Completeness(likely)).await;
        }
    }

    /// Recognises the words so far now and then, at most one recognition at a time, and where it costs nothing.
    fn listen_along(&mut self) {
        let voiced_ms = self.machine.voiced_ms();
        let contested = self.reply.as_ref().is_some_and(|reply| !reply.insists);
        let every = match contested {
            true => CONTESTED_MS,
            false if self.tape.len() > LONG_FRAMES => LONG_MS,
            false => PARTIAL_MS,
        };
        let Some(said) = &mut self.utterance else { return };
        if self.job.is_some() || self.machine.silent_ms() > 0 || voiced_ms < said.asked_at_ms + every {
            return;
        }
        said.asked_at_ms = voiced_ms;
        if self.recognises_here() {
            self.recognise(What::Running { voiced_ms, pause: false }, self.tape.all());
        }
    }

    fn recognises_here(&self) -> bool {
        let speech = self.house.speech();
        let named = self.settings.as_ref().and_then(|settings| settings.choice.recognition.clone());
        let facts = match named {
            Some(name) => speech.named(SpeechKind::Recognition, &name),
            None => speech.usual(SpeechKind::Recognition),
        };
        facts.is_some_and(|facts| facts.place == Place::ThisMachine)
    }

    /// Begins a recognition, in the place of one that runs.
    fn recognise(&mut self, what: What, samples: Samples) {
        let Some(settings) = &self.settings else { return };
        if let Some(job) = self.job.take() {
            job.cancel();
        }
        self.jobs_begun += 1;
        let (number, cancel) = (self.jobs_begun, CancellationToken::new());
        self.job = Some(Job { number, what, since: Instant::now(), cancel: cancel.clone() });
        let sound = Sound {
            samples,
            model: settings.choice.recognition.clone(),
            language: settings.language.clone(),
        };
        let (speech, permit) = (self.house.speech().in_haste(Haste::Call), self.hears.permit.clone());
        let job = async move { Done::Recognised(number, speech.recognise(&permit, sound, cancel).await) };
        self.jobs.push(job.boxed());
    }

    pub(super) async fn recognised(&mut self, number: u64, heard: Result<Heard, providers::Error>) {
        let Some(job) = self.job.take_if(|job| job.number == number) else { return };
        let text = heard.map(|heard| written(heard.text.trim()));
        match (job.what, text) {
            (What::Running { voiced_ms, pause }, Ok(text)) => {
                let settled = pause && self.machine.voiced_ms() == voiced_ms;
                self.words(text, settled).await;
            }
            (What::Running { .. }, Err(_)) => (),
            (What::Closing(item), text) => self.closed(item, text.ok()).await,
        }
        self.next_closing();
    }

    async fn words(&mut self, text: Zeroizing<String>, settled: bool) {
        let ms = u64::from(self.machine.voiced_ms());
        let Some(said) = &mut self.utterance else { return };
        said.settled = settled.then(|| text.clone());
        let news = said.announced && *said.told != *text && !text.is_empty();
        if news {
            said.told = text.clone();
            let event = Event::UserText { item: said.item, text: text.clone(), finished: false, ms };
            self.tell(event).await;
        }
        // The machine compares words; what it keeps of them goes with the utterance.
        self.machine_says(Sign::Words { text: text.to_string(), settled }).await;
    }

    /// The caller has probably finished: the answer begins to be made, and waits.
    fn think_ahead(&mut self) {
        let Some(said) = &self.utterance else { return };
        let Some(text) = said.settled.as_ref().map(|text| text.to_string()) else { return };
        if self.ahead.is_none() && self.ending.is_none() && !self.is_held() {
            self.ask(AskKind::Say { text, after: None }, Cause::Turn(said.item), None, false);
        }
    }

    /// The caller's turn is over.
    async fn caller_ended(&mut self, by: Trigger, silent_ms: u64) {
        self.announce().await;
        let Some(said) = self.utterance.take() else { return };
        let now = Instant::now();
        let marks = Marks {
            speech_ended: now.checked_sub(Duration::from_millis(silent_ms)),
            over: Some(now),
            ..Marks::default()
        };
        let at_ms = self.at_ms().saturating_sub(silent_ms);
        self.knows(said.item);
        self.tell(Event::SpeechStopped { at_ms, item: said.item, over: Over::Item(by) }).await;
        let tape = std::mem::take(&mut self.tape);
        let closing = Closing { item: said.item, tape, marks };
        if self.closing.len() >= CLOSING {
            enforced!(VOI05);
            if self.ahead.as_ref().is_some_and(|ahead| ahead.cause == Cause::Turn(said.item)) {
                self.drop_ahead().await;
            }
            return self.not_heard(said.item).await;
        }
        if self.answers() {
            self.machine.hear(Sign::AgentBegan { insists: self.insists() });
        }
        self.closing.push_back(closing);
        if let Some(text) = said.settled {
            return self.closed(said.item, Some(text)).await;
        }
        // The words of this very pause may be on their way.
        if let Some(job) = &mut self.job
            && matches!(job.what, What::Running { pause: true, .. })
        {
            job.what = What::Closing(said.item);
        }
        self.next_closing();
    }

    /// Turns by hand: what was heard so far is an item.
    pub(super) async fn close_by_hand(&mut self, by: Trigger) {
        let item = ItemId::fresh(&self.ctx);
        let now = Instant::now();
        let marks = Marks { speech_ended: Some(now), over: Some(now), ..Marks::default() };
        self.knows(item);
        self.tell(Event::SpeechStopped { at_ms: self.at_ms(), item, over: Over::Item(by) }).await;
        let tape = std::mem::take(&mut self.tape);
        if self.closing.len() >= CLOSING {
            enforced!(VOI01);
            return self.not_heard(item).await;
        }
        self.closing.push_back(Closing { item, tape, marks });
        self.next_closing();
    }

    /// Asks for the words of the oldest turn whose words are not on their way.
    fn next_closing(&mut self) {
        let busy = self.job.as_ref().is_some_and(|job| matches!(job.what, What::Closing(_)));
        if !busy && let Some(closing) = self.closing.front() {
            let (item, samples) = (closing.item, closing.tape.all());
            self.recognise(What::Closing(item), samples);
        }
    }

    /// The words of a turn are there, or will never be.
    async fn closed(&mut self, item: ItemId, text: Option<Zeroizing<String>>) {
        let Some(at) = self.closing.iter().position(|closing| closing.item == item) else { return };
        let Some(mut closing) = self.closing.remove(at) else { return };
        let ms = closing.tape.len() as u64 * u64::from(FRAME_MS);
        closing.marks.recognised = Some(Instant::now());
        let by_hand = self.turns() == Turns::Manual;
        let Some(text) = text else {
            self.drop_ahead().await;
            return self.not_heard(item).await;
        };
        self.tell(Event::UserText { item, text: text.clone(), finished: true, ms }).await;
        if is_nothing(&text, u32::MAX) {
            self.drop_ahead().await;
            return self.agent_is_silent();
        }
        if by_hand || !self.answers() {
            return self.keep(item, Author::User, text);
        }
        if self.ahead.as_ref().is_some_and(|ahead| ahead.cause == Cause::Turn(item)) {
            return self.confirm(closing.marks).await;
        }
        self.drop_ahead().await;
        if self.reply.as_ref().is_some_and(|reply| !reply.insists) && self.interrupts() {
            self.cut_short(ReplyEnd::Interrupted).await;
        }
        self.ask(AskKind::Say { text: text.to_string(), after: None }, Cause::Turn(item), None, true);
        if let Some(ahead) = &mut self.ahead {
            ahead.marks = closing.marks;
        }
    }

    /// The words of an item will never be known, and the caller hears so.
    async fn not_heard(&mut self, item: ItemId) {
        self.log(Failure::Listening);
        self.tell(Event::UserTextFailed { item, failure: Failure::Listening }).await;
        self.say(lines::NOT_HEARD, Cause::Engine, false);
    }

    async fn forget_utterance(&mut self) {
        if let Some(said) = self.utterance.take().filter(|said| said.announced) {
            let at_ms = self.at_ms();
            self.tell(Event::SpeechStopped { at_ms, item: said.item, over: Over::Nothing }).await;
        }
        if let Some(job) = self.job.take_if(|job| matches!(job.what, What::Running { .. })) {
            job.cancel();
        }
    }

    async fn hush(&mut self) {
        let Some(reply) = &mut self.reply else { return };
        reply.hushed = true;
        let reply = reply.id;
        self.tell(Event::Hushed { reply }).await;
    }

    async fn unhush(&mut self) {
        let Some(reply) = self.reply.as_mut().filter(|reply| reply.hushed) else { return };
        reply.hushed = false;
        let reply = reply.id;
        self.tell(Event::WentOn { reply }).await;
    }

    async fn interrupted(&mut self) {
        self.announce().await;
        self.drop_ahead().await;
        self.cut_short(ReplyEnd::Interrupted).await;
    }

    async fn ask_if_there(&mut self) {
        if self.reply.is_some() || self.ahead.is_some() || self.ending.is_some() || self.is_held() {
            return;
        }
        if self.parked.is_some() || !self.closing.is_empty() {
            return;
        }
        self.asked_in_vain += 1;
        if self.asked_in_vain > ASKED_IN_VAIN {
            return self.say_goodbye(lines::IDLE, domain::voice::Why::Idle).await;
        }
        self.say(lines::ARE_YOU_THERE, Cause::Engine, false);
    }

    /// A recognition that takes too long is given up.
    pub(super) async fn look_at_job(&mut self, now: Instant) {
        let Some(job) = self.job.take_if(|job| job.patience_ends() <= now) else { return };
        enforced!(VOI05);
        job.cancel();
        match job.what {
            What::Running { .. } => self.log(Failure::Stalled),
            What::Closing(item) => self.closed(item, None).await,
        }
        self.next_closing();
    }

    fn answers(&self) -> bool {
        matches!(self.turns(), Turns::Server(rules) if rules.answers)
            && self.ending.is_none()
            && !self.is_held()
    }

    fn interrupts(&self) -> bool {
        matches!(self.turns(), Turns::Server(rules) if rules.interrupts)
    }

    fn insists(&self) -> bool {
        self.reply.as_ref().is_some_and(|reply| reply.insists)
    }
}
