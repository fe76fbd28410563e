//! Sessions and what changes them.

use serde_json::json;

use super::*;

fn fresh() -> Session {
    Session::new("sess_1".into(), "small".into(), "amber".into())
}

fn patched(patch: Value) -> Result<Session, String> {
    let patch = serde_json::from_value(patch).map_err(|_| "shape".to_owned())?;
    fresh().with(patch).map_err(|fault| fault.param.unwrap_or_default())
}

#[test]
fn a_fresh_session_tells_everything() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&fresh()).unwrap());
}

#[test]
fn a_change_leaves_what_it_does_not_name() {
    let changed = patched(json!({
        "type": "realtime", "unheard_of": 1, "instructions": "Be brief.", "tool_choice": "none",
        "tools": [{ "type": "function", "name": "order", "description": "Finds one.", "parameters": { "type": "object" } }],
        "audio": {
            "input": {
                "format": { "type": "audio/pcmu" },
                "transcription": { "model": "whisper-1", "prompt": "orders" },
                "turn_detection": { "type": "semantic_vad", "eagerness": "high" },
            },
            "output": { "voice": { "id": "jade" }, "speed": 1.25 },
        },
    }));
    let changed = changed.unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&changed).unwrap());
    let off: Patch =
        serde_json::from_value(json!({ "tools": [], "audio": { "input": { "turn_detection": null } } }))
            .unwrap();
    let off = changed.with(off).unwrap();
    assert_eq!((off.tools.len(), off.audio.input.turn_detection), (0, None));
    assert_eq!(off.audio.input.format, Format::Mulaw, "what was not named stays");
}

#[test]
fn what_cannot_be_is_refused_by_its_name() {
    let tool = |name: &str| json!({ "type": "function", "name": name, "parameters": {} });
    for (patch, param) in [
        (json!({ "output_modalities": ["audio", "text"] }), "session.output_modalities"),
        (json!({ "output_modalities": [] }), "session.output_modalities"),
        (json!({ "instructions": "x".repeat(70_000) }), "session.instructions"),
        (json!({ "tools": [tool("a"), tool("a")] }), "session.tools[1].name"),
        (json!({ "tools": [tool("a b")] }), "session.tools[0]"),
        (json!({ "tools": [{ "type": "mcp" }] }), "session.tools[0]"),
        (json!({ "tools": (0..129).map(|n| tool(&n.to_string())).collect::<Vec<_>>() }), "session.tools"),
        (json!({ "tool_choice": "sometimes" }), "session.tool_choice"),
        (json!({ "tool_choice": { "type": "function", "name": "absent" } }), "session.tool_choice"),
        (json!({ "max_output_tokens": 0 }), "session.max_output_tokens"),
        (
            json!({ "audio": { "input": { "format": { "type": "audio/pcm", "rate": 11025 } } } }),
            "session.audio.input.format.rate",
        ),
        (
            json!({ "audio": { "output": { "format": { "type": "audio/pcm", "rate": 0 } } } }),
            "session.audio.output.format.rate",
        ),
        (json!({ "audio": { "input": { "format": { "type": "audio/mp3" } } } }), "shape"),
        (json!({ "audio": { "input": { "format": "pcm16" } } }), "shape"),
        (json!({ "audio": { "output": { "speed": 9 } } }), "session.audio.output.speed"),
        (json!({ "audio": { "output": { "voice": "" } } }), "session.audio.output.voice"),
        (
            json!({ "audio": { "input": { "turn_detection": { "type": "server_vad", "threshold": 2 } } } }),
            "session.audio.input.turn_detection.threshold",
        ),
        (
            json!({ "audio": { "input": { "turn_detection": { "type": "server_vad", "silence_duration_ms": 1 } } } }),
            "session.audio.input.turn_detection.silence_duration_ms",
        ),
        (json!({ "audio": { "input": { "turn_detection": { "type": "magic" } } } }), "shape"),
    ] {
        assert_eq!(patched(patch.clone()).unwrap_err(), param, "{patch}");
    }
}
