//! Measures a local model: loading, reading a prompt, the first token cold and warm, writing, memory.
//!
//! `cargo run -p inference --example decode -- FILE [QUESTION…]`; each question is answered in full instead of measured.
#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use inference::{Finish, Llm, LoadOptions, Request, Role, Step, Summary, Tool, Turn};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: decode FILE [QUESTION…]")?;
    let started = Instant::now();
    let model = Llm::load(Path::new(&path), &LoadOptions::default())?;
    println!("loaded in {:.2} s, {} MB resident", started.elapsed().as_secs_f64(), resident_mb());

    let questions: Vec<String> = arguments.collect();
    for question in &questions {
        ask(&model, question)?;
    }
    if questions.is_empty() {
        measure(&model)?;
    }
    println!("{} MB resident", resident_mb());
    Ok(())
}

fn measure(model: &Llm) -> Result<(), inference::Error> {
    let story =
        "The harbour office keeps a list of every boat, its length, its owner and the day it came in. ";
    let mut turns = vec![
        Turn::new(Role::System, format!("You help the harbour master. {}", story.repeat(10))),
        Turn::new(Role::User, "Write a long letter to the owners about the new mooring fees."),
    ];
    let (cold, letter) = run(model, &turns, 1)?;
    report("cold", &cold);
    turns.push(Turn::new(Role::Assistant, letter));
    turns.push(Turn::new(Role::User, "Now a letter to the town council about repairing the quay."));
    let (warm, _) = run(model, &turns, 1)?;
    report("warm", &warm);
    for _ in 0..3 {
        let (long, _) = run(model, &turns, 64)?;
        let speed = f64::from(long.completion_tokens.saturating_sub(1)) / long.decoding.as_secs_f64();
        println!("decode: {} tokens, {speed:.1} tokens/s", long.completion_tokens);
    }
    Ok(())
}

fn report(what: &str, summary: &Summary) {
    let read = summary.prompt_tokens - summary.reused_tokens;
    let first = summary.first_token.as_secs_f64();
    println!(
        "{what}: {} tokens of prompt, {} kept, first token after {:.0} ms ({:.1} tokens/s)",
        summary.prompt_tokens,
        summary.reused_tokens,
        first * 1e3,
        f64::from(read) / first
    );
}

fn run(model: &Llm, turns: &[Turn], most: u32) -> Result<(Summary, String), inference::Error> {
    let request = Request { max_tokens: Some(most), ..Request::new(turns.to_vec()) };
    let mut text = String::new();
    let summary = model.answer(&request, &|| false, &mut |step| {
        if let Step::Text(more) = step {
            text.push_str(&more);
        }
        ControlFlow::Continue(())
    })?;
    Ok((summary, text))
}

/// Answers one question, with two tools at hand if it begins with `tools:`.
fn ask(model: &Llm, question: &str) -> Result<(), inference::Error> {
    let (tools, question) = match question.strip_prefix("tools:") {
        Some(question) => (tools(), question),
        None => (Vec::new(), question),
    };
    let request = Request {
        tools,
        max_tokens: Some(400),
        ..Request::new(vec![Turn::new(Role::User, question.trim())])
    };
    println!("\n> {}", question.trim());
    let summary = model.answer(&request, &|| false, &mut |step| {
        match step {
            Step::Text(text) => print!("{text}"),
            Step::Call(call) => println!("[{} {}]", call.name, call.arguments),
        }
        ControlFlow::Continue(())
    })?;
    let note = if summary.finish == Finish::Length { ", cut off" } else { "" };
    println!(
        "\n({} tokens, first after {:.0} ms, then {:.1} tokens/s{note})",
        summary.completion_tokens,
        summary.first_token.as_secs_f64() * 1e3,
        f64::from(summary.completion_tokens.saturating_sub(1)) / summary.decoding.as_secs_f64()
    );
    Ok(())
}

fn tools() -> Vec<Tool> {
    let tool = |name: &str, description: &str, properties: serde_json::Value| {
        let required: Vec<String> =
            properties.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect();
        let parameters =
            serde_json::json!({"type": "object", "properties": properties, "required": required});
        Tool { name: name.into(), description: description.into(), parameters }
    };
    let (text, number) = (serde_json::json!({"type": "string"}), serde_json::json!({"type": "integer"}));
    vec![
        tool("get_weather", "current weather for a city", serde_json::json!({"city": text})),
        tool("set_timer", "start a countdown timer", serde_json::json!({"minutes": number, "label": text})),
        tool("search_files", "search the user's own documents", serde_json::json!({"query": text})),
    ]
}

fn resident_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_whitespace().next().and_then(|number| number.parse::<u64>().ok()));
    kilobytes.unwrap_or_default() / 1024
}
