//! Cases of conversation as tables, and what must hold whatever is heard.

use proptest::prelude::*;

use super::{FRAME_MS, Move, Rules, Sign, TurnTaking};
use crate::voice::{Trigger, TurnRules};

/// A conversation as it is written in a table.
#[derive(Clone, Debug)]
enum Part {
    /// That much speech.
    Speech(u32),
    /// That much silence.
    Silence(u32),
    /// Somebody tells the words.
    Says(&'static str),
    /// Somebody judges the pause, words included.
    Judged(f32, &'static str),
    AgentBegins,
    AgentInsists,
    AgentEnds,
    Commit,
}

use Part::{AgentBegins, AgentEnds, AgentInsists, Commit, Judged, Says, Silence, Speech};

fn words(text: &str, settled: bool) -> Sign {
    Sign::Words { text: text.to_owned(), settled }
}

/// Plays a conversation; each move with the millisecond it came at.
fn play_by(rules: TurnRules, parts: &[Part]) -> Vec<(u32, Move)> {
    let mut machine = TurnTaking::new(Rules::of(rules));
    let (mut at, mut moves) = (0, Vec::new());
    for part in parts {
        let (probability, frames) = match part {
            Speech(ms) => (0.9, ms / FRAME_MS),
            Silence(ms) => (0.05, ms / FRAME_MS),
            _ => (0.0, 0),
        };
        for _ in 0..frames {
            at += FRAME_MS;
            moves.extend(machine.hear(Sign::Frame(probability)).into_iter().map(|one| (at, one)));
        }
        let signs = match part {
            Speech(_) | Silence(_) => vec![],
            Says(text) => vec![words(text, false)],
            Judged(likely, text) => vec![words(text, true), Sign::Completeness(*likely)],
            AgentBegins => vec![Sign::AgentBegan { insists: false }],
            AgentInsists => vec![Sign::AgentBegan { insists: true }],
            AgentEnds => vec![Sign::AgentEnded],
            Commit => vec![Sign::Finish],
        };
        moves.extend(signs.into_iter().flat_map(|sign| machine.hear(sign)).map(|one| (at, one)));
    }
    moves
}

fn play(parts: &[Part]) -> Vec<Move> {
    play_by(TurnRules::default(), parts).into_iter().map(|(_, one)| one).collect()
}

const BEGAN: Move = Move::Began { ago_ms: 64 };

#[test]
fn a_complete_sentence_is_answered_soon_and_thought_of_sooner() {
    let moves = play_by(
        TurnRules::default(),
        &[Speech(1600), Silence(160), Judged(0.95, "Where is my order?"), Silence(2000)],
    );
    let expected =
        [(64, BEGAN), (1760, Move::Judge), (1760, Move::ThinkAhead), (1856, Move::Over(Trigger::Judged))];
    assert_eq!(moves, expected);
}

#[test]
fn a_pause_inside_a_sentence_does_not_end_it() {
    let moves = play(&[
        Speech(960),
        Silence(160),
        Judged(0.1, "I would like to know"),
        Silence(1280),
        Speech(960),
        Silence(160),
        Judged(0.9, "I would like to know where it is."),
        Silence(320),
    ]);
    let expected = [BEGAN, Move::Judge, Move::Judge, Move::ThinkAhead, Move::Over(Trigger::Judged)];
    assert_eq!(moves, expected);
}

#[test]
fn going_on_takes_back_what_was_thought_ahead() {
    let moves = play(&[Speech(960), Silence(160), Judged(0.9, "My order"), Silence(64), Speech(320)]);
    assert_eq!(moves, [BEGAN, Move::Judge, Move::ThinkAhead, Move::TakeBack]);
}

#[test]
fn a_click_in_a_pause_changes_nothing() {
    let moves = play(&[Speech(960), Silence(160), Judged(0.9, "Hello."), Speech(32), Silence(320)]);
    assert_eq!(moves, [BEGAN, Move::Judge, Move::ThinkAhead, Move::Over(Trigger::Judged)]);
}

#[test]
fn a_trailing_um_is_waited_for_however_complete_it_sounds() {
    let said = [Speech(960), Silence(160), Judged(0.99, "I need, um"), Silence(1900)];
    assert_eq!(play(&said), [BEGAN, Move::Judge]);
    let at_last = play(&[said.as_slice(), &[Silence(320)]].concat());
    assert_eq!(at_last, [BEGAN, Move::Judge, Move::Over(Trigger::Judged)]);
}

#[test]
fn words_that_stay_open_take_back_what_the_melody_began() {
    let mut machine = TurnTaking::new(Rules::default());
    (0..30).for_each(|_| drop(machine.hear(Sign::Frame(0.9))));
    (0..5).for_each(|_| drop(machine.hear(Sign::Frame(0.0))));
    assert_eq!(machine.hear(words("I need it", true)), []);
    assert_eq!(machine.hear(Sign::Completeness(0.9)), [Move::ThinkAhead]);
    assert_eq!(machine.hear(words("I need it and", true)), [Move::TakeBack]);
}

#[test]
fn nobody_knowing_means_a_longer_wait() {
    let silent = [Speech(960), Silence(4000)];
    let ends = |rules| play_by(rules, &silent).into_iter().find(|(_, one)| matches!(one, Move::Over(_)));
    assert_eq!(ends(TurnRules::default()), Some((960 + 800, Move::Over(Trigger::Silence))));
    let after_500 = ends(TurnRules::by_silence(500));
    assert_eq!(after_500, Some((960 + 512, Move::Over(Trigger::Silence))));
}

#[test]
fn assent_over_the_agents_voice_lets_it_go_on() {
    let short = play(&[AgentBegins, Speech(224), Silence(160), Judged(0.9, "Mm-hmm."), Silence(2000)]);
    assert_eq!(short, [BEGAN, Move::Judge, Move::Forget]);
    let long = play(&[
        AgentBegins,
        Speech(512),
        Says("yeah, okay"),
        Speech(512),
        Silence(160),
        Judged(0.9, "Yeah, okay."),
    ]);
    assert_eq!(long, [BEGAN, Move::Hush, Move::Judge, Move::GoOn, Move::Forget]);
}

#[test]
fn half_of_a_word_of_assent_is_no_interruption() {
    let assent =
        play(&[AgentBegins, Speech(288), Says("I"), Speech(192), Silence(160), Judged(0.9, "I see.")]);
    assert_eq!(assent, [BEGAN, Move::Hush, Move::Judge, Move::GoOn, Move::Forget]);
    let more = play(&[AgentBegins, Speech(288), Says("I"), Speech(256), Says("I want the other")]);
    assert_eq!(more, [BEGAN, Move::Hush, Move::Interrupted]);
}

#[test]
fn a_short_stop_interrupts_too() {
    let moves = play(&[AgentBegins, Speech(224), Silence(160), Judged(0.9, "Stop!"), Silence(96)]);
    let expected = [BEGAN, Move::Judge, Move::Interrupted, Move::ThinkAhead, Move::Over(Trigger::Judged)];
    assert_eq!(moves, expected);
}

#[test]
fn talking_over_the_agent_hushes_and_then_interrupts() {
    let moves = play_by(
        TurnRules::default(),
        &[
            AgentBegins,
            Speech(416),
            Says("no wait I meant"),
            Speech(640),
            Silence(160),
            Judged(0.9, "No, wait, I meant Tuesday."),
            Silence(128),
        ],
    );
    let expected = [
        (64, BEGAN),
        (256, Move::Hush),
        (416, Move::Interrupted),
        (1216, Move::Judge),
        (1216, Move::ThinkAhead),
        (1312, Move::Over(Trigger::Judged)),
    ];
    assert_eq!(moves, expected);
    let unheard = play(&[AgentBegins, Speech(1600)]);
    assert_eq!(unheard, [BEGAN, Move::Hush, Move::Interrupted], "who goes on talking is heard without words");
}

#[test]
fn noise_alone_begins_nothing_that_lasts() {
    assert_eq!(play(&[Speech(32), Silence(960), Speech(32)]), []);
    assert_eq!(play(&[Speech(96), Silence(960)]), [BEGAN, Move::Forget]);
    assert_eq!(
        play(&[Speech(960), Silence(160), Judged(0.9, ""), Silence(960)]),
        [BEGAN, Move::Judge, Move::Forget]
    );
    let over_the_agent = play(&[AgentBegins, Speech(320), Silence(960), Judged(0.9, "")]);
    assert_eq!(over_the_agent, [BEGAN, Move::Hush, Move::Judge, Move::GoOn, Move::Forget]);
}

#[test]
fn what_must_be_heard_is_not_interrupted_and_what_was_said_to_it_is_kept() {
    let moves =
        play(&[AgentInsists, Speech(1600), Silence(160), Judged(0.9, "Where is my order?"), Silence(320)]);
    assert_eq!(moves, [BEGAN, Move::Judge, Move::ThinkAhead, Move::Over(Trigger::Judged)]);
}

#[test]
fn a_client_may_forbid_interruptions() {
    let rules = TurnRules { interrupts: false, ..TurnRules::default() };
    let moves = play_by(rules, &[AgentBegins, Speech(1600), Silence(1600)]);
    assert!(moves.iter().all(|(_, one)| !matches!(one, Move::Hush | Move::Interrupted)), "{moves:?}");
}

#[test]
fn a_client_may_end_a_turn() {
    assert_eq!(play(&[Speech(640), Commit]), [BEGAN, Move::Over(Trigger::Client)]);
    assert_eq!(play(&[Commit]), []);
    let over = play(&[AgentBegins, Speech(320), Commit]);
    assert_eq!(over, [BEGAN, Move::Hush, Move::Interrupted, Move::Over(Trigger::Client)]);
}

#[test]
fn silence_of_both_is_asked_about() {
    let asked = play_by(TurnRules::default(), &[AgentBegins, Silence(60_000), AgentEnds, Silence(31_000)]);
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(asked.iter().all(|(at, one)| *one == Move::AskIfThere && *at > 70_000));
}

/// What a machine may be told.
fn sign() -> impl Strategy<Value = Sign> {
    let said = prop_oneof!["", "mm-hmm", "you", "um", "stop", "I want to", "Where is my order?"];
    prop_oneof![
        20 => prop_oneof![Just(0.0_f32), Just(0.4), Just(0.9), Just(f32::NAN), Just(f32::INFINITY), 0.0..1.0_f32]
            .prop_map(Sign::Frame),
        2 => (said, any::<bool>()).prop_map(|(text, settled)| Sign::Words { text, settled }),
        2 => prop_oneof![0.0..1.0_f32, Just(f32::NAN)].prop_map(Sign::Completeness),
        1 => any::<bool>().prop_map(|insists| Sign::AgentBegan { insists }),
        1 => Just(Sign::AgentEnded),
        1 => prop_oneof![Just(Sign::Finish), Just(Sign::Drop)],
    ]
}

fn rules() -> impl Strategy<Value = TurnRules> {
    (any::<[bool; 3]>(), 0..3_000_u32, 0..3_000_u32, 0..3_000_u32, -1.0..2.0_f32).prop_map(
        |([judged, interrupts, answers], pause_ms, doubt_ms, longest_pause_ms, complete)| TurnRules {
            judged,
            interrupts,
            answers,
            pause_ms,
            doubt_ms,
            longest_pause_ms,
            complete,
            ..TurnRules::default()
        },
    )
}

/// What a reader of the moves knows, and what must never happen to them.
#[derive(Default)]
struct Reader {
    speaking: bool,
    ahead: bool,
    hushed: bool,
    replying: bool,
    insists: bool,
}

impl Reader {
    fn told(&mut self, sign: &Sign) {
        match sign {
            Sign::AgentBegan { insists } => {
                (self.replying, self.insists, self.hushed) = (true, *insists, false);
            }
            Sign::AgentEnded => (self.replying, self.insists, self.hushed) = (false, false, false),
            _ => (),
        }
    }

    fn reads(&mut self, one: Move, rules: &TurnRules) -> Result<(), TestCaseError> {
        match one {
            Move::Began { ago_ms } => {
                prop_assert!(!self.speaking && ago_ms > 0);
                self.speaking = true;
            }
            Move::Judge => prop_assert!(self.speaking),
            Move::ThinkAhead => {
                prop_assert!(self.speaking && !self.ahead && rules.answers);
                self.ahead = true;
            }
            Move::TakeBack => {
                prop_assert!(self.ahead);
                self.ahead = false;
            }
            Move::Over(_) => {
                prop_assert!(self.speaking && !self.hushed);
                (self.speaking, self.ahead) = (false, false);
            }
            Move::Forget => {
                prop_assert!(self.speaking && !self.ahead && !self.hushed);
                self.speaking = false;
            }
            Move::Hush => {
                prop_assert!(
                    self.speaking && self.replying && !self.hushed && !self.insists && rules.interrupts
                );
                self.hushed = true;
            }
            Move::Interrupted => {
                prop_assert!(self.speaking && self.replying && !self.insists && rules.interrupts);
                (self.replying, self.hushed) = (false, false);
            }
            Move::GoOn => {
                prop_assert!(self.hushed);
                self.hushed = false;
            }
            Move::AskIfThere => prop_assert!(!self.speaking && !self.replying),
        }
        Ok(())
    }
}

proptest! {
    #[test]
    fn moves_come_in_an_order_that_makes_sense(
        rules in rules(),
        signs in proptest::collection::vec(sign(), 0..400),
    ) {
        let mut machine = TurnTaking::new(Rules::of(rules));
        let mut again = machine.clone();
        let mut reader = Reader::default();
        for sign in signs {
            let moves = machine.hear(sign.clone());
            prop_assert_eq!(&moves, &again.hear(sign.clone()), "the same twice");
            reader.told(&sign);
            for one in moves {
                reader.reads(one, &rules)?;
            }
            prop_assert_eq!(reader.speaking, machine.is_caller_speaking());
        }
        // Whatever was heard, silence ends it.
        let most = Rules::of(rules).turn.longest_pause_ms / FRAME_MS + 2;
        for _ in 0..most {
            for one in machine.hear(Sign::Frame(0.0)) {
                reader.reads(one, &rules)?;
            }
        }
        prop_assert!(!reader.speaking && !reader.hushed && !reader.ahead);
    }

    #[test]
    fn endless_speech_ends(noise in 0.5..1.0_f32, replying in any::<bool>()) {
        let mut machine = TurnTaking::new(Rules::default());
        if replying {
            machine.hear(Sign::AgentBegan { insists: true });
        }
        let moves: Vec<_> = (0..2_000).flat_map(|_| machine.hear(Sign::Frame(noise))).collect();
        prop_assert!(moves.contains(&Move::Over(Trigger::Silence)));
    }
}

#[test]
fn an_hour_of_silence_is_no_turn_and_is_asked_about_where_that_is_wanted() {
    let hour = 3_600_000;
    let never = TurnRules { idle_ms: None, ..TurnRules::default() };
    assert_eq!(play_by(never, &[Silence(hour)]), []);
    let asked = play_by(TurnRules::default(), &[Silence(hour)]);
    assert!(asked.iter().all(|(_, one)| *one == Move::AskIfThere));
    assert_eq!(asked.len(), (hour / 15_000) as usize - 1, "a frame of 32 ms more than 15 s each");
}
