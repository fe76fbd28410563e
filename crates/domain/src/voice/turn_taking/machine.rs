//! The state machine itself.

use super::{
    FRAME_MS, Move, Rules, Sign,
    words::{is_assent, is_nothing, is_unfinished, may_become_assent},
};
use crate::voice::Trigger;

/// Whose turn it is.
#[derive(Clone, Debug)]
pub struct TurnTaking {
    rules: Rules,
    caller: Caller,
    agent: Agent,
    /// Silence of both since the last word of either or the last question whether somebody is there.
    idle_ms: u32,
}

#[derive(Clone, Debug)]
enum Caller {
    /// Silent, or not yet long enough speaking to count.
    Silent {
        voiced_ms: u32,
    },
    Speaking(Utterance),
}

#[derive(Clone, Debug, Default)]
struct Utterance {
    /// Speech in it.
    voiced_ms: u32,
    /// Speech and pauses.
    lasts_ms: u32,
    /// Silence since the last speech.
    silent_ms: u32,
    /// Speech in a row within that silence: soon the pause is over.
    again_ms: u32,
    /// Whether somebody was asked about this silence,
    asked: bool,
    /// and what they said.
    completeness: Option<f32>,
    /// Whether the answer is being thought of already.
    ahead: bool,
    /// The words, once somebody has told them.
    words: Option<String>,
    /// Whether they reach up to this silence.
    settled: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Agent {
    Silent,
    /// Thinks or speaks.
    Replying,
    /// Hushed in the middle of its reply.
    Hushed,
    /// Speaks what must be heard.
    Insisting,
}

impl TurnTaking {
    /// Both silent.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self { rules, caller: Caller::Silent { voiced_ms: 0 }, agent: Agent::Silent, idle_ms: 0 }
    }

    /// Goes by other rules from now on.
    pub fn change(&mut self, rules: Rules) {
        self.rules = rules;
    }

    /// Whether the caller is in the middle of an utterance.
    #[must_use]
    pub const fn is_caller_speaking(&self) -> bool {
        matches!(self.caller, Caller::Speaking(_))
    }

    /// How much speech the running utterance holds.
    #[must_use]
    pub const fn voiced_ms(&self) -> u32 {
        match &self.caller {
            Caller::Speaking(said) => said.voiced_ms,
            Caller::Silent { .. } => 0,
        }
    }

    /// Silence since the last speech of the running utterance.
    #[must_use]
    pub const fn silent_ms(&self) -> u32 {
        match &self.caller {
            Caller::Speaking(said) => said.silent_ms,
            Caller::Silent { .. } => 0,
        }
    }

    /// Takes a sign and gives what is to be done, in order.
    pub fn hear(&mut self, sign: Sign) -> Vec<Move> {
        match sign {
            Sign::Frame(probability) => self.frame(probability),
            Sign::Words { text, settled } => self.words(text, settled),
            Sign::Completeness(probability) => self.judged(probability),
            Sign::AgentBegan { insists } => {
                self.agent = if insists { Agent::Insisting } else { Agent::Replying };
                Vec::new()
            }
            Sign::AgentEnded => {
                (self.agent, self.idle_ms) = (Agent::Silent, 0);
                Vec::new()
            }
            Sign::Finish => self.finish(),
            Sign::Drop => self.forget(),
        }
    }

    fn frame(&mut self, probability: f32) -> Vec<Move> {
        // What is no number is no speech: every comparison with it is false.
        let speech = probability >= self.rules.turn.threshold;
        let still = probability >= self.rules.still_speech;
        match &mut self.caller {
            Caller::Silent { voiced_ms } if speech => {
                *voiced_ms += FRAME_MS;
                let voiced_ms = *voiced_ms;
                if voiced_ms < self.rules.begin_ms { Vec::new() } else { self.begin(voiced_ms) }
            }
            Caller::Silent { voiced_ms } => {
                *voiced_ms = 0;
                self.idle()
            }
            Caller::Speaking(said) => {
                said.lasts_ms += FRAME_MS;
                let pauses = said.silent_ms > 0;
                if !pauses && still {
                    said.voiced_ms += FRAME_MS;
                    self.speech()
                } else if pauses && speech {
                    self.perhaps_again()
                } else {
                    said.again_ms = 0;
                    said.silent_ms += FRAME_MS;
                    self.silence()
                }
            }
        }
    }

    fn begin(&mut self, voiced_ms: u32) -> Vec<Move> {
        self.idle_ms = 0;
        self.caller = Caller::Speaking(Utterance { voiced_ms, lasts_ms: voiced_ms, ..Utterance::default() });
        let mut moves = vec![Move::Began { ago_ms: voiced_ms }];
        moves.extend(self.speech());
        moves
    }

    /// Speech within a pause: the pause is over once it is too long for a click.
    fn perhaps_again(&mut self) -> Vec<Move> {
        let Caller::Speaking(said) = &mut self.caller else { return Vec::new() };
        said.again_ms += FRAME_MS;
        said.silent_ms += FRAME_MS;
        if said.again_ms < self.rules.begin_ms {
            return Vec::new();
        }
        said.voiced_ms += said.again_ms;
        (said.silent_ms, said.again_ms) = (0, 0);
        (said.asked, said.completeness, said.settled) = (false, None, false);
        let mut moves: Vec<_> =
            std::mem::take(&mut said.ahead).then_some(Move::TakeBack).into_iter().collect();
        moves.extend(self.speech());
        moves
    }

    /// The caller is speaking.
    fn speech(&mut self) -> Vec<Move> {
        let Caller::Speaking(said) = &self.caller else { return Vec::new() };
        if said.lasts_ms >= self.rules.longest_ms {
            return self.finish_by(Trigger::Silence);
        }
        self.talk_over().into_iter().collect()
    }

    /// What speech over the agent's voice does to it.
    fn talk_over(&mut self) -> Option<Move> {
        let Caller::Speaking(said) = &self.caller else { return None };
        let rules = &self.rules;
        if !rules.turn.interrupts {
            return None;
        }
        let meant = match &said.words {
            Some(words) => {
                let known = said.settled || said.voiced_ms >= rules.insist_ms;
                let assent = if known { is_assent(words) } else { may_become_assent(words) };
                let long_enough = said.voiced_ms >= rules.interrupt_ms || said.settled;
                long_enough && !assent && !is_nothing(words, said.voiced_ms)
            }
            None => said.voiced_ms >= rules.insist_ms,
        };
        match self.agent {
            Agent::Replying | Agent::Hushed if meant => {
                self.agent = Agent::Silent;
                Some(Move::Interrupted)
            }
            Agent::Replying if said.voiced_ms >= rules.hush_ms && said.silent_ms == 0 => {
                self.agent = Agent::Hushed;
                Some(Move::Hush)
            }
            _ => None,
        }
    }

    fn silence(&mut self) -> Vec<Move> {
        let rules = self.rules;
        let contested = self.is_contested();
        let Caller::Speaking(said) = &mut self.caller else { return Vec::new() };
        if said.silent_ms < rules.judge_ms {
            return Vec::new();
        }
        if said.voiced_ms < rules.least_ms && said.words.is_none() {
            return self.forget();
        }
        if said.lasts_ms >= rules.longest_ms {
            return self.finish_by(Trigger::Silence);
        }
        let mut moves = Vec::new();
        if !said.asked {
            said.asked = true;
            moves.push(Move::Judge);
        }
        if contested {
            moves.extend(self.let_go_on());
            return moves;
        }
        if said.silent_ms >= said.patience(&rules) {
            let complete = said.completeness.is_some_and(|p| p >= rules.turn.complete);
            let by = if complete && rules.turn.judged { Trigger::Judged } else { Trigger::Silence };
            moves.extend(self.finish_by(by));
        }
        moves
    }

    /// Whether the caller speaks over a voice that may be interrupted.
    fn is_contested(&self) -> bool {
        self.rules.turn.interrupts && matches!(self.agent, Agent::Replying | Agent::Hushed)
    }

    /// The caller fell silent without having interrupted: the voice goes on, and the words are waited for
    /// as long as for a turn of which nobody knows.
    fn let_go_on(&mut self) -> Vec<Move> {
        let Caller::Speaking(said) = &self.caller else { return Vec::new() };
        if said.silent_ms >= self.rules.turn.longest_pause_ms {
            return self.forget();
        }
        let hushed_long = self.agent == Agent::Hushed && said.silent_ms >= self.rules.resume_ms;
        if hushed_long {
            self.agent = Agent::Replying;
        }
        hushed_long.then_some(Move::GoOn).into_iter().collect()
    }

    /// The utterance comes to nothing.
    fn forget(&mut self) -> Vec<Move> {
        let Caller::Speaking(said) = &self.caller else { return Vec::new() };
        let mut moves: Vec<_> = said.ahead.then_some(Move::TakeBack).into_iter().collect();
        if self.agent == Agent::Hushed {
            self.agent = Agent::Replying;
            moves.push(Move::GoOn);
        }
        self.caller = Caller::Silent { voiced_ms: 0 };
        moves.push(Move::Forget);
        moves
    }

    fn finish(&mut self) -> Vec<Move> {
        if !self.is_caller_speaking() {
            return Vec::new();
        }
        self.finish_by(Trigger::Client)
    }

    /// The turn is over. Over the agent's voice that means to interrupt it.
    fn finish_by(&mut self, by: Trigger) -> Vec<Move> {
        let mut moves = Vec::new();
        if self.is_contested() {
            self.agent = Agent::Silent;
            moves.push(Move::Interrupted);
        }
        self.caller = Caller::Silent { voiced_ms: 0 };
        self.idle_ms = 0;
        moves.push(Move::Over(by));
        moves
    }

    fn judged(&mut self, probability: f32) -> Vec<Move> {
        let Caller::Speaking(said) = &mut self.caller else { return Vec::new() };
        // An answer about a silence that is over says nothing about this one.
        if !said.asked || said.completeness.is_some() {
            return Vec::new();
        }
        said.completeness = Some(if probability.is_finite() { probability } else { 0.0 });
        self.think_ahead()
    }

    /// Whether what is known of this pause is enough to begin the answer.
    fn think_ahead(&mut self) -> Vec<Move> {
        let (rules, contested) = (self.rules, self.is_contested());
        let Caller::Speaking(said) = &mut self.caller else { return Vec::new() };
        let complete = said.completeness.is_some_and(|p| p >= rules.turn.complete);
        let open = said.words.as_deref().is_some_and(is_unfinished);
        if said.ahead && open {
            said.ahead = false;
            return vec![Move::TakeBack];
        }
        if said.ahead || contested || open || !complete || !said.settled || !rules.turn.answers {
            return Vec::new();
        }
        said.ahead = true;
        vec![Move::ThinkAhead]
    }

    fn words(&mut self, text: String, settled: bool) -> Vec<Move> {
        let contested = self.is_contested();
        let Caller::Speaking(said) = &mut self.caller else { return Vec::new() };
        // Words of a pause that is over reach only so far.
        let settled = settled && said.asked;
        let nothing = is_nothing(&text, said.voiced_ms) || (contested && is_assent(&text));
        (said.words, said.settled) = (Some(text), settled);
        if settled && nothing {
            return self.forget();
        }
        let mut moves: Vec<_> = self.talk_over().into_iter().collect();
        moves.extend(self.think_ahead());
        moves
    }

    fn idle(&mut self) -> Vec<Move> {
        let Some(most) = self.rules.turn.idle_ms.filter(|_| self.agent == Agent::Silent) else {
            return Vec::new();
        };
        self.idle_ms += FRAME_MS;
        if self.idle_ms < most {
            return Vec::new();
        }
        self.idle_ms = 0;
        vec![Move::AskIfThere]
    }
}

impl Utterance {
    /// How long the silence after it must be.
    fn patience(&self, rules: &Rules) -> u32 {
        let turn = &rules.turn;
        if !turn.judged {
            return turn.pause_ms;
        }
        match self.completeness {
            _ if self.words.as_deref().is_some_and(is_unfinished) => turn.longest_pause_ms,
            Some(probability) if probability >= turn.complete => turn.pause_ms,
            Some(probability) if probability < rules.doubtful => turn.longest_pause_ms,
            Some(_) | None => turn.doubt_ms,
        }
    }
}
