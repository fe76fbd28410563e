//! One answer, token by token: plain text until the model calls a tool, then JSON that fits the tool's schema.

use std::ops::ControlFlow;

use crate::grammar::{Follower, Grammar};
use crate::model::{Model, Sequence};
use crate::sample::{Sampler, ranked};
use crate::stream::{MARKER, Seen, Watch};
use crate::tokens::Tokens;
use crate::{Call, Error, Finish, Request, Step, ToolChoice, prompt};

/// How every call begins after the marker; the grammar takes over from here.
const CALL: &str = "{\"name\": \"";
/// Likeliest tokens tried before the whole vocabulary is put in order.
const TRIED: usize = 64;

/// The state of one answer.
pub(crate) struct Answering<'a> {
    tokens: &'a Tokens,
    model: &'a Model,
    sequence: Sequence,
    sampler: Sampler,
    watch: Watch,
    /// What calls may look like, if tools are offered.
    calls: Option<Grammar>,
    must_call: bool,
    /// Tokens of the prompt.
    prompt: usize,
    /// Tokens of the answer so far.
    written: Vec<u32>,
    limit: usize,
}

/// How a part of the answer ended: with a reason, or with a tool call to come.
enum Part {
    Finished(Finish),
    Calls,
}

impl<'a> Answering<'a> {
    /// `sequence` holds the whole prompt; the answer has at most `limit` tokens.
    pub(crate) fn new(
        tokens: &'a Tokens,
        model: &'a Model,
        request: &Request,
        sequence: Sequence,
        limit: usize,
    ) -> Result<Self, Error> {
        let tools = prompt::offered(request)?;
        let calls = if tools.is_empty() { None } else { Some(Grammar::of_calls(&tools)?) };
        Ok(Self {
            tokens,
            model,
            prompt: sequence.len(),
            sequence,
            sampler: Sampler::new(request.temperature, request.top_p, request.seed),
            watch: Watch::new(&request.stop, calls.is_some()),
            calls,
            must_call: matches!(request.tool_choice, ToolChoice::Required | ToolChoice::Named(_)),
            written: Vec::new(),
            limit,
        })
    }

    /// How many tokens the answer has.
    pub(crate) fn produced(&self) -> usize {
        self.written.len()
    }

    /// The sequence, to be kept for the next turn.
    pub(crate) fn into_sequence(self) -> Sequence {
        self.sequence
    }

    /// Writes the answer; `scores` are those of its first token.
    pub(crate) fn run(
        &mut self,
        scores: Vec<f32>,
        cancel: &dyn Fn() -> bool,
        out: &mut dyn FnMut(Step) -> ControlFlow<()>,
    ) -> Result<Finish, Error> {
        if !self.must_call {
            match self.text(scores, cancel, out)? {
                Part::Finished(finish) => return Ok(finish),
                Part::Calls => {}
            }
        }
        let grammar = self.calls.take().ok_or_else(|| Error::broken("a call without tools"))?;
        self.call(&grammar, cancel, out)
    }

    fn text(
        &mut self,
        mut scores: Vec<f32>,
        cancel: &dyn Fn() -> bool,
        out: &mut dyn FnMut(Step) -> ControlFlow<()>,
    ) -> Result<Part, Error> {
        let mut show =
            |text: String| if text.is_empty() { ControlFlow::Continue(()) } else { out(Step::Text(text)) };
        loop {
            if cancel() {
                return Ok(Part::Finished(Finish::Cancelled));
            }
            let token = self.sampler.pick(scores, &self.written);
            let ends = self.tokens.ends_answer(token);
            if ends || self.written.len() >= self.limit {
                let _ = show(self.watch.finish());
                return Ok(Part::Finished(if ends { Finish::Stop } else { Finish::Length }));
            }
            self.written.push(token);
            let shown = match self.watch.push(self.tokens.bytes(token)) {
                Seen::Text(text) => show(text),
                Seen::Stop(text) => {
                    let _ = show(text);
                    return Ok(Part::Finished(Finish::Stop));
                }
                Seen::Marker(text) => {
                    let _ = show(text);
                    return Ok(Part::Calls);
                }
            };
            if shown.is_break() {
                return Ok(Part::Finished(Finish::Cancelled));
            }
            scores = self.model.extend(&mut self.sequence, &[token])?;
        }
    }

    /// Writes a call: each time the likeliest token that the grammar takes.
    fn call(
        &mut self,
        grammar: &Grammar,
        cancel: &dyn Fn() -> bool,
        out: &mut dyn FnMut(Step) -> ControlFlow<()>,
    ) -> Result<Finish, Error> {
        let mut scores = self.begin_call()?;
        let mut json = CALL.as_bytes().to_vec();
        let mut place =
            Follower::new(grammar).after(&json).ok_or_else(|| Error::broken("a call cannot begin"))?;
        while !place.is_complete() {
            if cancel() {
                return Ok(Finish::Cancelled);
            }
            // A call cut short is not made at all.
            if self.written.len() >= self.limit {
                return Ok(Finish::Length);
            }
            let (token, next) =
                self.fitting(&scores, &place).ok_or_else(|| Error::broken("a call cannot go on"))?;
            self.written.push(token);
            json.extend_from_slice(self.tokens.bytes(token));
            place = next;
            scores = self.model.extend(&mut self.sequence, &[token])?;
        }
        match out(Step::Call(parsed(&json)?)) {
            ControlFlow::Continue(()) => Ok(Finish::ToolCalls),
            ControlFlow::Break(()) => Ok(Finish::Cancelled),
        }
    }

    /// Takes back what the model wrote of the marker and writes it the way it was shown in the examples.
    fn begin_call(&mut self) -> Result<Vec<f32>, Error> {
        let text: Vec<u8> =
            self.written.iter().flat_map(|token| self.tokens.bytes(*token)).copied().collect();
        let marker =
            text.windows(MARKER.len()).rposition(|window| window == MARKER.as_bytes()).unwrap_or(text.len());
        let (mut kept, mut length) = (0, 0);
        for token in &self.written {
            let longer = length + self.tokens.bytes(*token).len();
            if longer > marker {
                break;
            }
            (kept, length) = (kept + 1, longer);
        }
        let before = String::from_utf8_lossy(&text[length..marker]);
        let forced = self.tokens.encode(&format!("{before}{MARKER} {CALL}"))?;
        self.written.truncate(kept);
        self.written.extend_from_slice(&forced);
        self.sequence.truncate(self.prompt + kept);
        self.model.extend(&mut self.sequence, &forced)
    }

    fn fitting<'g>(&self, scores: &[f32], place: &Follower<'g>) -> Option<(u32, Follower<'g>)> {
        let try_all = |tokens: Vec<u32>| {
            tokens.into_iter().find_map(|token| {
                let bytes = self.tokens.bytes(token);
                let usable = !bytes.is_empty() && !self.tokens.ends_answer(token);
                place.after(bytes).filter(|_| usable).map(|next| (token, next))
            })
        };
        try_all(ranked(scores, TRIED)).or_else(|| try_all(ranked(scores, scores.len())))
    }
}

/// The call in `json`, which the grammar has taken.
fn parsed(json: &[u8]) -> Result<Call, Error> {
    let call: serde_json::Value =
        serde_json::from_slice(json).map_err(|_| Error::broken("a call that is not JSON"))?;
    match (call.get("name").and_then(serde_json::Value::as_str), call.get("arguments")) {
        (Some(name), Some(arguments)) => Ok(Call { name: name.to_owned(), arguments: arguments.to_string() }),
        _ => Err(Error::broken("a call without a name")),
    }
}
