//! From a branch of the tree to what a model is asked: an honest system line, then as much of the
//! history as the model can attend to.

use domain::{
    chat::{Author, Message},
    model::{Line, ModelFacts, Prompt, Speaker, Tool},
};

/// What every model is told first. Short, because small models lose themselves in long instructions.
const SYSTEM: &str = "You are the assistant of Troth. You are an AI, a language model, not a person; say so \
when you are asked or when it matters. Answer in the language of the question, in Markdown where it helps. \
When you do not know something, say that you do not know.";

/// Most bytes of history in one prompt, whatever the model could take.
const MAX_HISTORY_BYTES: u64 = 1024 * 1024;
/// Tokens a line costs beside its words: the marks of its speaker.
const LINE_TOKENS: u64 = 8;

/// The prompt for `model` to answer the last message of `path`.
pub(crate) fn build(model: &ModelFacts, path: &[&Message]) -> Prompt {
    of_lines(model, &system(model), lines(path), &[])
}

/// The prompt of a system line and as much of `history` as `model` can attend to beside `tools`.
pub(super) fn of_lines(model: &ModelFacts, system: &str, history: Vec<Line>, offered: &[Tool]) -> Prompt {
    let from = first_kept(&history, budget(model.context_tokens, tokens(system) + of_tools(offered)));
    let system = Line::new(Speaker::System, system);
    Prompt::new(&model.id, std::iter::once(system).chain(history.into_iter().skip(from)).collect())
}

/// Leaves out the beginning of a prompt that has grown by the results of tools, as far as `model` needs that.
pub(super) fn fit(model: &ModelFacts, prompt: &mut Prompt) {
    let Some((system, history)) = prompt.lines.split_first() else { return };
    let fixed = tokens(&system.text) + of_tools(&prompt.tools);
    let from = first_kept(history, budget(model.context_tokens, fixed));
    drop(prompt.lines.drain(1..=from));
}

/// What it costs to tell a model of tools.
fn of_tools(tools: &[Tool]) -> u64 {
    let words = |tool: &Tool| {
        tokens(&tool.name) + tokens(&tool.description) + tokens(&tool.parameters.to_string()) + LINE_TOKENS
    };
    tools.iter().map(words).sum()
}

/// The system line, with the model's own name in it: asked who made them, models guess, and guess wrong.
fn system(model: &ModelFacts) -> String {
    let maker = if model.maker.is_empty() { String::new() } else { format!(", made by {}", model.maker) };
    format!("{SYSTEM} The model you run on is {}{maker}.", model.title)
}

/// The messages as lines.
fn lines(path: &[&Message]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::with_capacity(path.len());
    path.iter().for_each(|message| add(&mut lines, message.author, &message.body.text));
    lines
}

/// Adds a message. Two of the same speaker in a row become one line, because many models' templates
/// insist on turns; answers that failed before their first word are left out.
pub(super) fn add(lines: &mut Vec<Line>, author: Author, text: &str) {
    if text.is_empty() {
        return;
    }
    let speaker = match author {
        Author::User => Speaker::User,
        Author::Assistant => Speaker::Assistant,
    };
    match lines.last_mut().filter(|last| last.speaker == speaker && last.tool_calls.is_empty()) {
        Some(last) => {
            last.text.push_str("\n\n");
            last.text.push_str(text);
        }
        None => lines.push(Line::new(speaker, text)),
    }
}

/// Tokens left for history: a quarter of what the model attends to is kept free for the answer.
fn budget(context_tokens: u32, system_tokens: u64) -> u64 {
    let context = u64::from(context_tokens);
    let answer = (context / 4).clamp(256, 4096);
    context.saturating_sub(answer + system_tokens).min(MAX_HISTORY_BYTES / 3)
}

/// The first line that is kept. The beginning goes first, in steps of half the budget rather than line
/// by line: between two steps the prompt only grows at its end, so that a model which remembers the
/// prefix it has read need not read it again. The last question and what follows it are always kept, and a
/// history begins with a question.
fn first_kept(lines: &[Line], budget: u64) -> usize {
    let calls = |line: &Line| line.tool_calls.iter().map(|call| tokens(&call.arguments)).sum::<u64>();
    let costs: Vec<u64> = lines.iter().map(|line| tokens(&line.text) + calls(line) + LINE_TOKENS).collect();
    let total: u64 = costs.iter().sum();
    if total <= budget {
        return 0;
    }
    let question = lines.iter().rposition(|line| line.speaker == Speaker::User);
    let last = question.unwrap_or(lines.len().saturating_sub(1));
    let step = (budget / 2).max(1);
    let to_drop = (total - budget).div_ceil(step) * step;
    let (mut dropped, mut at) = (0, 0);
    while at < last && (dropped < to_drop || lines[at].speaker != Speaker::User) {
        dropped += costs[at];
        at += 1;
    }
    at
}

/// About how many tokens `text` is, on the high side: three ASCII characters or one other each.
fn tokens(text: &str) -> u64 {
    let ascii = text.bytes().filter(u8::is_ascii).count() as u64;
    let others = text.chars().filter(|c| !c.is_ascii()).count() as u64;
    ascii.div_ceil(3) + others
}

#[cfg(test)]
mod tests {
    use domain::{
        Timestamp,
        chat::Body,
        id::MessageId,
        model::{Place, Readiness},
    };

    use super::*;

    fn model(context_tokens: u32) -> ModelFacts {
        ModelFacts {
            id: "m".into(),
            title: "M".into(),
            maker: String::new(),
            licence: None,
            place: Place::ThisMachine,
            context_tokens,
            bytes: None,
            note: String::new(),
            readiness: Readiness::Ready,
        }
    }

    fn message(n: usize, text: impl Into<String>) -> Message {
        let author = if n.is_multiple_of(2) { Author::User } else { Author::Assistant };
        let id = MessageId(uuid::Uuid::from_u128(n as u128));
        let body = Body { text: text.into(), ..Body::default() };
        Message { id, parent: None, author, body, at: Timestamp(n as i64) }
    }

    fn texts(prompt: &Prompt) -> Vec<&str> {
        prompt.lines.iter().map(|line| line.text.as_str()).collect()
    }

    #[test]
    fn a_prompt_says_first_that_this_is_an_ai() {
        let question = message(0, "hello");
        let prompt = build(&model(4096), &[&question]);
        assert_eq!(prompt.lines[0].speaker, Speaker::System);
        assert!(prompt.lines[0].text.contains("You are an AI"));
        assert_eq!(texts(&prompt)[1..], ["hello"]);
    }

    #[test]
    fn empty_answers_are_left_out_and_speakers_take_turns() {
        let messages = [message(0, "a"), message(1, ""), message(2, "b"), message(3, "c")];
        let path: Vec<_> = messages.iter().collect();
        assert_eq!(texts(&build(&model(4096), &path))[1..], ["a\n\nb", "c"]);
    }

    #[test]
    fn a_long_history_keeps_its_end_and_moves_in_steps() {
        let messages: Vec<_> = (0..201).map(|n| message(n, format!("{n} {}", "word ".repeat(30)))).collect();
        let mut starts = Vec::new();
        for end in (1..=201).step_by(2) {
            let path: Vec<_> = messages[..end].iter().collect();
            let prompt = build(&model(4096), &path);
            let cost: u64 = prompt.lines.iter().map(|l| tokens(&l.text) + LINE_TOKENS).sum();
            assert!(cost <= 4096 * 3 / 4, "{cost} tokens at {end}");
            assert_eq!(prompt.lines.last().unwrap().text, messages[end - 1].body.text);
            assert_eq!(prompt.lines[1].speaker, Speaker::User);
            starts.push(prompt.lines[1].text.clone());
        }
        starts.dedup();
        assert!(starts.len() < 20, "the beginning moved {} times in 100 questions", starts.len());
    }

    #[test]
    fn a_question_too_long_for_the_model_is_still_asked() {
        let messages = [message(0, "a"), message(1, "b"), message(2, "x".repeat(60_000))];
        let path: Vec<_> = messages.iter().collect();
        let prompt = build(&model(2048), &path);
        assert_eq!(prompt.lines.len(), 2);
        assert_eq!(prompt.lines[1].text.len(), 60_000);
    }

    #[test]
    fn tools_and_their_results_take_room_from_the_beginning() {
        let messages: Vec<_> = (0..21).map(|n| message(n, format!("{n} {}", "word ".repeat(30)))).collect();
        let path: Vec<_> = messages.iter().collect();
        let tool = Tool {
            name: "find".into(),
            description: "d".repeat(6_000),
            parameters: serde_json::json!({"type": "object"}),
        };
        let whole = of_lines(&model(4096), "s", lines(&path), &[]);
        let mut beside = of_lines(&model(4096), "s", lines(&path), &[tool]);
        assert!(beside.lines.len() < whole.lines.len());
        beside.lines.push(Line::new(Speaker::Tool, "r".repeat(60_000)));
        fit(&model(4096), &mut beside);
        let speakers: Vec<_> = beside.lines.iter().map(|line| line.speaker).collect();
        assert_eq!(speakers, [Speaker::System, Speaker::User, Speaker::Tool]);
        assert!(beside.lines[1].text.starts_with("20 "));
    }
}
