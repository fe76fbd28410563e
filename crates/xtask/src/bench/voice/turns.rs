//! Whose turn it is, over real sound: the detector, the end-of-turn model and recognition of this machine lead the
//! pure machine of `domain`, as `assistant` does in a call.
//!
//! Nothing waits for a clock: what the models say reaches the machine [`JUDGED_MS`] and [`RECOGNISED_MS`] of sound
//! after it was asked for, as it does in a call on an idle machine. So a busy machine gives the same rates.

use domain::voice::{
    Trigger,
    turn_taking::{FRAME_MS, Move, Rules, Sign, TurnTaking},
};
use providers::speech::{FRAME_SAMPLES, Hearing, Samples};

use super::lab::Lab;

/// How long the judge of pauses takes, in milliseconds of sound.
const JUDGED_MS: u32 = 64;
/// How long recognition takes.
const RECOGNISED_MS: u32 = 96;
/// Speech after which the words so far are asked for, and while the agent's voice is talked over, as in a call.
const PARTIAL_MS: u32 = 800;
const CONTESTED_MS: u32 = 256;
/// What the judge hears at most: eight seconds.
const JUDGED_FRAMES: usize = 8_000 / FRAME_MS as usize;

/// What became of the sound, in milliseconds from its beginning.
#[derive(Debug, Default)]
pub(super) struct Played {
    /// When turns of the caller ended, and by what.
    pub(super) over: Vec<(u32, Trigger)>,
    pub(super) hushed: Vec<u32>,
    pub(super) interrupted: Vec<u32>,
    /// What was understood, each time,
    pub(super) words: Vec<String>,
    /// and how likely each pause was judged to be the end.
    pub(super) likely: Vec<f32>,
}

/// One listener.
struct Ear<'a> {
    lab: &'a Lab,
    hearing: Hearing,
    judge: Hearing,
    machine: TurnTaking,
    rules: Rules,
    sound: &'a [f32],
    /// Frames heard.
    frames: usize,
    /// The first frame of the utterance, with what belongs to it before.
    from: usize,
    /// Speech when the words were last asked for.
    asked_at_ms: u32,
    /// Whether the agent speaks all the time.
    over_agent: bool,
    /// What the models said, and in which frame it is known.
    due: Vec<(usize, Answer)>,
    played: Played,
}

/// What a model said about an utterance with so much speech.
enum Answer {
    Completeness(u32, f32),
    Words { text: String, voiced_ms: u32, pause: bool },
}

/// Plays `sound` to the end; `over_agent` while the agent speaks.
pub(super) async fn play(lab: &Lab, sound: &[f32], over_agent: bool) -> anyhow::Result<Played> {
    let rules = Rules::default();
    let mut machine = TurnTaking::new(rules);
    if over_agent {
        machine.hear(Sign::AgentBegan { insists: false });
    }
    let mut ear = Ear {
        lab,
        hearing: lab.ear().await?,
        judge: lab.ear().await?,
        machine,
        rules,
        sound,
        frames: 0,
        from: 0,
        asked_at_ms: 0,
        over_agent,
        due: Vec::new(),
        played: Played::default(),
    };
    for frame in sound.as_chunks::<FRAME_SAMPLES>().0 {
        ear.frame(frame).await?;
    }
    Ok(ear.played)
}

impl Ear<'_> {
    async fn frame(&mut self, frame: &[f32; FRAME_SAMPLES]) -> anyhow::Result<()> {
        self.frames += 1;
        let (due, rest) = std::mem::take(&mut self.due).into_iter().partition(|(at, _)| *at <= self.frames);
        self.due = rest;
        let due: Vec<(usize, Answer)> = due;
        for (_, answer) in due {
            let sign = match answer {
                Answer::Completeness(voiced_ms, likely) if voiced_ms == self.machine.voiced_ms() => {
                    Sign::Completeness(likely)
                }
                Answer::Words { text, voiced_ms, pause } if self.machine.is_caller_speaking() => {
                    let settled = pause && voiced_ms == self.machine.voiced_ms();
                    self.played.words.push(text.clone());
                    Sign::Words { text, settled }
                }
                Answer::Completeness(..) | Answer::Words { .. } => continue,
            };
            self.machine_says(sign).await?;
        }
        let likely = self.hearing.hear(frame)?.last().copied().unwrap_or_default();
        self.machine_says(Sign::Frame(likely)).await?;
        self.listen_along().await
    }

    async fn machine_says(&mut self, sign: Sign) -> anyhow::Result<()> {
        let at_ms = self.at_ms();
        for one in self.machine.hear(sign) {
            match one {
                Move::Began { ago_ms } => {
                    let before = (ago_ms + self.rules.turn.before_ms) / FRAME_MS;
                    self.from = self.frames.saturating_sub(before as usize);
                    self.asked_at_ms = 0;
                }
                Move::Judge => self.judge().await?,
                Move::Over(by) => {
                    self.due.clear();
                    self.played.over.push((at_ms, by));
                }
                Move::Forget => self.due.clear(),
                Move::Hush => self.played.hushed.push(at_ms),
                Move::Interrupted => self.played.interrupted.push(at_ms),
                Move::ThinkAhead | Move::TakeBack | Move::GoOn | Move::AskIfThere => (),
            }
        }
        Ok(())
    }

    async fn judge(&mut self) -> anyhow::Result<()> {
        let voiced_ms = self.machine.voiced_ms();
        let tail = self.utterance(self.frames.saturating_sub(JUDGED_FRAMES).max(self.from));
        let likely = self.judge.finished(Samples::new(tail)).await?;
        self.played.likely.push(likely);
        self.due.push((self.after(JUDGED_MS), Answer::Completeness(voiced_ms, likely)));
        self.recognise(true).await
    }

    /// Asks for the words so far, in the place of what was asked before.
    async fn recognise(&mut self, pause: bool) -> anyhow::Result<()> {
        let voiced_ms = self.machine.voiced_ms();
        let text = self.lab.words(&self.utterance(self.from)).await?;
        self.due.retain(|(_, answer)| matches!(answer, Answer::Completeness(..)));
        self.due.push((self.after(RECOGNISED_MS), Answer::Words { text, voiced_ms, pause }));
        Ok(())
    }

    async fn listen_along(&mut self) -> anyhow::Result<()> {
        let contested = self.over_agent && self.played.interrupted.is_empty();
        let every = if contested { CONTESTED_MS } else { PARTIAL_MS };
        let busy = self.due.iter().any(|(_, answer)| matches!(answer, Answer::Words { .. }));
        let voiced_ms = self.machine.voiced_ms();
        if busy || self.machine.silent_ms() > 0 || voiced_ms < self.asked_at_ms + every {
            return Ok(());
        }
        self.asked_at_ms = voiced_ms;
        self.recognise(false).await
    }

    fn utterance(&self, from: usize) -> Vec<f32> {
        self.sound.get(from * FRAME_SAMPLES..self.frames * FRAME_SAMPLES).unwrap_or_default().to_vec()
    }

    fn after(&self, ms: u32) -> usize {
        self.frames + (ms / FRAME_MS) as usize
    }

    const fn at_ms(&self) -> u32 {
        self.frames as u32 * FRAME_MS
    }
}
