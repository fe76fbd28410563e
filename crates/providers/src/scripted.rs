//! The model `scripted`: answers by rote, the same every time, without thinking.
//!
//! Always compiled, offered only when the configuration asks for it. Tests and measurements use it;
//! some last lines make it misbehave on purpose (see [`Script::of`]).

use std::time::Duration;

use domain::model::{
    Delta, Finish, Line, ModelFacts, Place, Prompt, Readiness, Speaker, ToolCall, ToolChoice, Usage,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Error,
    answer::{Answer, Out},
};

/// The model's id.
const ID: &str = "scripted";
/// Time between two words of `slow`.
const SLOW: Duration = Duration::from_millis(20);
/// Most words of `long N`.
const MOST_WORDS: usize = 100_000;
/// Length of its embeddings.
const DIMENSIONS: usize = 32;

/// The vendor of `scripted`.
pub(crate) struct Scripted {
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// What it will do.
#[derive(Debug, PartialEq, Eq)]
enum Script {
    /// Says this, a word at a time, pausing between words, then ends or breaks off.
    Say { text: String, pause: Duration, breaks: bool },
    /// Calls this tool.
    Call(ToolCall),
    /// Refuses before the first word.
    Fail,
    /// Says nothing until it is cancelled.
    Hang,
}

impl Scripted {
    pub(crate) fn new(tasks: &TaskTracker, stop: &CancellationToken) -> Self {
        Self { tasks: tasks.clone(), stop: stop.clone() }
    }

    pub(crate) fn models(&self) -> Vec<ModelFacts> {
        vec![ModelFacts {
            id: ID.to_owned(),
            title: "Scripted".to_owned(),
            maker: "Troth".to_owned(),
            licence: Some("Apache-2.0".to_owned()),
            place: Place::ThisMachine,
            context_tokens: 1_000_000,
            bytes: None,
            note: "Answers by rote, for tests; it understands nothing.".to_owned(),
            readiness: Readiness::Ready,
        }]
    }

    pub(crate) fn answer(&self, prompt: &Prompt, cancel: CancellationToken) -> Result<Answer, Error> {
        if self.stop.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let script = Script::of(prompt);
        if script == Script::Fail {
            return Err(Error::Refused { endpoint: ID.to_owned(), status: 500 });
        }
        let prompt_tokens = prompt.lines.iter().map(|line| count(&line.text)).sum();
        let (text_limit, stops) = (prompt.max_tokens, prompt.stop.clone());
        let (out, answer) = Answer::channel(cancel, self.stop.clone());
        self.tasks.spawn(async move {
            if let Err(error) = play(script, &out, prompt_tokens, text_limit, &stops).await {
                out.fail(error).await;
            }
        });
        Ok(answer)
    }

    /// Vectors that are close when texts share words: each word adds to one place of its hash.
    pub(crate) fn embed(&self, inputs: &[String]) -> (Vec<Vec<f32>>, Usage) {
        let usage =
            Usage { prompt_tokens: inputs.iter().map(|text| count(text)).sum(), completion_tokens: 0 };
        (inputs.iter().map(|text| embedding(text)).collect(), usage)
    }
}

impl Script {
    /// Reads the last line: `fail`, `fail-midstream`, `hang`, `slow` (or `slow N`), `long N`, `call TOOL {…}`, the
    /// result of a tool, or anything else, which is quoted back in a fixed piece of Markdown.
    fn of(prompt: &Prompt) -> Self {
        let heard = |line: &&Line| matches!(line.speaker, Speaker::User | Speaker::Tool);
        let Some(line) = prompt.lines.iter().rev().find(heard) else {
            return Self::say("Nobody has said anything yet.");
        };
        if line.speaker == Speaker::Tool {
            return Self::say(&format!("The tool said: {}", line.text));
        }
        let said = line.text.trim();
        let (word, rest) = said.split_once(' ').unwrap_or((said, ""));
        match word {
            "fail" if rest.is_empty() => Self::Fail,
            "hang" if rest.is_empty() => Self::Hang,
            "fail-midstream" => Self::Say { text: words(3), pause: Duration::ZERO, breaks: true },
            "slow" => {
                let count = rest.parse::<usize>().unwrap_or(50).min(MOST_WORDS);
                Self::Say { text: words(count), pause: SLOW, breaks: false }
            }
            "long" if rest.parse::<usize>().is_ok() => {
                Self::say(&words(rest.parse().unwrap_or(0).min(MOST_WORDS)))
            }
            "call" => Self::call(prompt, rest),
            _ => Self::say(&markdown(said)),
        }
    }

    fn say(text: &str) -> Self {
        Self::Say { text: text.to_owned(), pause: Duration::ZERO, breaks: false }
    }

    /// `call TOOL {…}`, when that tool is offered and may be called.
    fn call(prompt: &Prompt, rest: &str) -> Self {
        let (name, arguments) = rest.split_once(' ').unwrap_or((rest, "{}"));
        let allowed = match &prompt.tool_choice {
            ToolChoice::None => false,
            ToolChoice::Named(only) => only == name,
            ToolChoice::Auto | ToolChoice::Required => true,
        };
        if allowed && prompt.tools.iter().any(|tool| tool.name == name) {
            let arguments = arguments.trim().to_owned();
            Self::Call(ToolCall { id: "call_1".to_owned(), name: name.to_owned(), arguments })
        } else {
            Self::say("That tool is not offered.")
        }
    }
}

/// Performs `script`.
async fn play(
    script: Script,
    out: &Out,
    prompt_tokens: u32,
    limit: Option<u32>,
    stops: &[String],
) -> Result<(), Error> {
    let (finish, completion_tokens) = match script {
        Script::Fail => return Err(Error::Broke),
        Script::Hang => {
            out.until_unwanted().await;
            return Err(Error::Cancelled);
        }
        Script::Call(call) => {
            let written = count(&call.arguments);
            out.write(Delta::ToolCall(call)).await?;
            (Finish::ToolCalls, written)
        }
        Script::Say { text, pause, breaks } => {
            let text = until_stop(&text, stops);
            let said = say(text, pause, limit, out).await?;
            if breaks {
                return Err(Error::Broke);
            }
            said
        }
    };
    out.write(Delta::Done { finish, usage: Usage { prompt_tokens, completion_tokens } }).await
}

/// Says `text`, a word at a time, at most `limit` words.
async fn say(text: &str, pause: Duration, limit: Option<u32>, out: &Out) -> Result<(Finish, u32), Error> {
    let mut said = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        if limit.is_some_and(|limit| said >= limit) {
            return Ok((Finish::Length, said));
        }
        if !pause.is_zero() {
            tokio::select! {
                () = tokio::time::sleep(pause) => (),
                () = out.until_unwanted() => return Err(Error::Cancelled),
            }
        }
        out.write(Delta::Text(word.to_owned())).await?;
        said += 1;
    }
    Ok((Finish::Stop, said))
}

/// `text` up to the first of `stops`.
fn until_stop<'a>(text: &'a str, stops: &[String]) -> &'a str {
    let first =
        stops.iter().filter(|stop| !stop.is_empty()).filter_map(|stop| text.find(stop.as_str())).min();
    &text[..first.unwrap_or(text.len())]
}

/// The answer to an ordinary line: what was said, quoted, and one of each common piece of Markdown.
fn markdown(said: &str) -> String {
    let quoted: String = said.lines().map(|line| format!("> {line}\n")).collect();
    format!(
        "You said, in {} words:\n\n{quoted}\n\
         1. This answer is **scripted**.\n2. It is the same every time.\n\n\
         ```rust\nfn main() {{\n    println!(\"kept\");\n}}\n```\n\n\
         | promise | kept |\n|---|---|\n| this one | yes |\n\nThat is all.",
        count(said)
    )
}

/// `n` numbered words.
fn words(n: usize) -> String {
    (1..=n).map(|at| format!("word{at} ")).collect()
}

fn count(text: &str) -> u32 {
    u32::try_from(text.split_whitespace().count()).unwrap_or(u32::MAX)
}

/// A unit vector of word counts by hash (FNV-1a).
fn embedding(text: &str) -> Vec<f32> {
    let mut vector = vec![0.0_f32; DIMENSIONS];
    for word in text.to_lowercase().split_whitespace() {
        let hash = word.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        vector[(hash % DIMENSIONS as u64) as usize] += 1.0;
    }
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|x| *x /= length);
    }
    vector
}

#[cfg(test)]
mod tests {
    use domain::model::Tool;
    use futures::StreamExt;

    use super::*;

    fn ask(text: &str) -> Prompt {
        Prompt::new(ID, vec![Line::new(Speaker::User, text)])
    }

    fn scripted() -> Scripted {
        Scripted::new(&TaskTracker::new(), &CancellationToken::new())
    }

    #[tokio::test]
    async fn the_same_question_gets_the_same_answer() {
        let scripted = scripted();
        let mut answers = Vec::new();
        for _ in 0..2 {
            let answer = scripted.answer(&ask("hello <b>you</b>"), CancellationToken::new()).unwrap();
            answers.push(answer.whole(10_000).await.unwrap());
        }
        assert_eq!(answers[0], answers[1]);
        assert!(answers[0].text.contains("> hello <b>you</b>\n"), "{}", answers[0].text);
        assert_eq!(answers[0].finish, Finish::Stop);
        assert_eq!(answers[0].usage.prompt_tokens, 2);
    }

    #[tokio::test]
    async fn it_breaks_off_where_it_is_told_to() {
        let answer = scripted().answer(&ask("fail-midstream"), CancellationToken::new()).unwrap();
        let pieces: Vec<_> = answer.collect().await;
        assert_eq!(pieces.len(), 4);
        assert_eq!(pieces[3], Err(Error::Broke));
        assert_eq!(pieces[0], Ok(Delta::Text("word1 ".to_owned())));
    }

    #[tokio::test]
    async fn it_refuses_before_the_first_word() {
        let refused = scripted().answer(&ask("fail"), CancellationToken::new());
        assert!(matches!(refused, Err(Error::Refused { status: 500, .. })));
    }

    #[tokio::test]
    async fn hanging_and_slow_answers_end_when_cancelled() {
        for script in ["hang", "slow"] {
            let cancel = CancellationToken::new();
            let mut answer = scripted().answer(&ask(script), cancel.clone()).unwrap();
            if script == "slow" {
                assert_eq!(answer.next().await, Some(Ok(Delta::Text("word1 ".to_owned()))));
            }
            cancel.cancel();
            let rest: Vec<_> = answer.collect().await;
            assert_eq!(rest.last(), Some(&Err(Error::Cancelled)), "{script}");
            assert!(rest.len() < 5);
        }
    }

    #[tokio::test]
    async fn limits_and_stop_words_hold() {
        let mut prompt = ask("long 10");
        prompt.max_tokens = Some(4);
        let whole = scripted().answer(&prompt, CancellationToken::new()).unwrap().whole(1_000).await.unwrap();
        assert_eq!((whole.text.as_str(), whole.finish), ("word1 word2 word3 word4 ", Finish::Length));
        prompt.max_tokens = None;
        prompt.stop = vec!["word3".to_owned()];
        let whole = scripted().answer(&prompt, CancellationToken::new()).unwrap().whole(1_000).await.unwrap();
        assert_eq!(whole.text, "word1 word2 ");
    }

    #[tokio::test]
    async fn it_calls_only_tools_that_are_offered() {
        let mut prompt = ask("call weather {\"city\":\"Pune\"}");
        let whole = scripted().answer(&prompt, CancellationToken::new()).unwrap().whole(1_000).await.unwrap();
        assert!(whole.tool_calls.is_empty());
        let parameters = serde_json::json!({"type": "object"});
        prompt.tools = vec![Tool { name: "weather".to_owned(), description: String::new(), parameters }];
        let whole = scripted().answer(&prompt, CancellationToken::new()).unwrap().whole(1_000).await.unwrap();
        assert_eq!(whole.finish, Finish::ToolCalls);
        assert_eq!(whole.tool_calls[0].arguments, "{\"city\":\"Pune\"}");
    }

    #[test]
    fn texts_that_share_words_are_close() {
        let (vectors, usage) =
            scripted().embed(&["a red house".to_owned(), "a red barn".to_owned(), "nine o'clock".to_owned()]);
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
        assert!(dot(&vectors[0], &vectors[1]) > dot(&vectors[0], &vectors[2]));
        assert_eq!(usage.prompt_tokens, 8);
    }
}
