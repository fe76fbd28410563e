//! The thread that owns the language model and answers one question after the other.

use std::{
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
    thread::sleep,
    time::{Duration, Instant},
};

use domain::{
    enforced,
    model::{Delta, Finish, Line, Prompt, Speaker, ToolCall, ToolChoice, Usage},
};
use inference::{Call, Llm, LoadOptions, Request, Role, Step, Tool, Turn};
use tokio::sync::{mpsc, oneshot};

use crate::{
    Error,
    answer::{Full, Out},
    fetch::Verified,
};

/// How long a reader may let pieces pile up before its answer is given up: others wait.
const PATIENCE: Duration = Duration::from_secs(20);
/// The pause between two tries to hand over a piece.
const NAP: Duration = Duration::from_millis(5);
/// What the makers of small chat models recommend, where the caller does not say.
const TEMPERATURE: f32 = 0.7;
const TOP_P: f32 = 0.8;

/// A question and where its answer goes.
pub(super) struct Job {
    pub(super) request: Request,
    /// What the ids of its tool calls begin with.
    pub(super) call_prefix: String,
    pub(super) out: Out,
}

/// `prompt` in inference's words. `fresh` seeds the sampling where the caller does not.
pub(super) fn request(prompt: &Prompt, fresh: u64) -> Request {
    let tool = |tool: &domain::model::Tool| Tool {
        name: tool.name.clone(),
        description: tool.description.clone(),
        parameters: tool.parameters.clone(),
    };
    Request {
        turns: prompt.lines.iter().map(turn).collect(),
        tools: prompt.tools.iter().map(tool).collect(),
        tool_choice: match &prompt.tool_choice {
            ToolChoice::Auto => inference::ToolChoice::Auto,
            ToolChoice::None => inference::ToolChoice::None,
            ToolChoice::Required => inference::ToolChoice::Required,
            ToolChoice::Named(name) => inference::ToolChoice::Named(name.clone()),
        },
        max_tokens: prompt.max_tokens,
        temperature: prompt.temperature.unwrap_or(TEMPERATURE),
        top_p: prompt.top_p.unwrap_or(TOP_P),
        stop: prompt.stop.clone(),
        seed: prompt.seed.unwrap_or(fresh),
    }
}

fn turn(line: &Line) -> Turn {
    let role = match line.speaker {
        Speaker::System => Role::System,
        Speaker::User => Role::User,
        Speaker::Assistant => Role::Assistant,
        Speaker::Tool => Role::Tool,
    };
    let call = |call: &ToolCall| Call { name: call.name.clone(), arguments: call.arguments.clone() };
    Turn { calls: line.tool_calls.iter().map(call).collect(), ..Turn::new(role, line.text.clone()) }
}

/// Loads the model, says how that went, and answers until the queue is closed. Ends early when the
/// model panics: nothing is known about its state then, and it is loaded anew.
pub(super) fn run(
    model: &Verified,
    options: &LoadOptions,
    loaded: oneshot::Sender<Result<(), inference::Error>>,
    mut jobs: mpsc::Receiver<Job>,
) {
    enforced!(MOD01);
    let llm = match Llm::load(model.path(), options) {
        Ok(llm) => llm,
        Err(error) => return drop(loaded.send(Err(error))),
    };
    if loaded.send(Ok(())).is_err() {
        return;
    }
    while let Some(job) = jobs.blocking_recv() {
        if catch_unwind(AssertUnwindSafe(|| answer(&llm, job))).is_err() {
            return;
        }
    }
}

/// Answers one question.
fn answer(llm: &Llm, job: Job) {
    let Job { request, call_prefix, out } = job;
    let mut calls = 0;
    let mut write = |step| {
        let delta = match step {
            Step::Text(text) => Delta::Text(text),
            Step::Call(Call { name, arguments }) => {
                calls += 1;
                Delta::ToolCall(ToolCall { id: format!("{call_prefix}_{calls}"), name, arguments })
            }
        };
        if hand_over(&out, delta) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    if out.unwanted() {
        return out.fail_now(Error::Cancelled);
    }
    let answered = llm.answer(&request, &|| out.unwanted(), &mut write);
    let summary = match answered {
        Ok(summary) => summary,
        Err(error) => return out.fail_now(translate(error)),
    };
    let finish = match summary.finish {
        inference::Finish::Stop => Finish::Stop,
        inference::Finish::Length => Finish::Length,
        inference::Finish::ToolCalls => Finish::ToolCalls,
        inference::Finish::Cancelled => return out.fail_now(Error::Cancelled),
    };
    tracing::debug!(
        prompt_tokens = summary.prompt_tokens,
        reused_tokens = summary.reused_tokens,
        completion_tokens = summary.completion_tokens,
        first_token_ms = summary.first_token.as_millis(),
        decoding_ms = summary.decoding.as_millis(),
        "the local model answered"
    );
    let usage = Usage { prompt_tokens: summary.prompt_tokens, completion_tokens: summary.completion_tokens };
    hand_over(&out, Delta::Done { finish, usage });
}

/// Hands one piece to the reader, waiting a while if it is slow. `false` when it is given up.
fn hand_over(out: &Out, delta: Delta) -> bool {
    let (mut delta, begun) = (delta, Instant::now());
    loop {
        match out.try_write(delta) {
            Ok(()) => return true,
            Err(Full(Some(again))) if !out.unwanted() && begun.elapsed() < PATIENCE => delta = again,
            Err(Full(_)) => return false,
        }
        sleep(NAP);
    }
}

/// What inference says went wrong, in our words.
fn translate(error: inference::Error) -> Error {
    match error {
        inference::Error::TooLong { .. } | inference::Error::BadRequest { .. } => {
            Error::BadPrompt { why: error.to_string() }
        }
        other => {
            tracing::error!(error = %other, "the local model failed");
            Error::Broke
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_keeps_its_meaning() {
        let mut prompt = Prompt::new("x", vec![Line::new(Speaker::System, "be kind")]);
        prompt.lines.push(Line {
            tool_calls: vec![ToolCall { id: "a".into(), name: "f".into(), arguments: "{}".into() }],
            ..Line::new(Speaker::Assistant, "")
        });
        prompt.lines.push(Line { answers: Some("a".into()), ..Line::new(Speaker::Tool, "42") });
        prompt.tool_choice = ToolChoice::Named("f".into());
        (prompt.temperature, prompt.max_tokens, prompt.stop) = (Some(0.0), Some(9), vec!["END".into()]);
        let request = request(&prompt, 77);
        assert_eq!(request.turns[1].calls, [Call { name: "f".into(), arguments: "{}".into() }]);
        assert_eq!(request.turns[2], Turn::new(Role::Tool, "42"));
        assert_eq!(request.tool_choice, inference::ToolChoice::Named("f".into()));
        assert_eq!((request.temperature, request.top_p, request.seed), (0.0, TOP_P, 77));
        assert_eq!((request.max_tokens, request.stop), (Some(9), vec!["END".to_owned()]));
    }
}
