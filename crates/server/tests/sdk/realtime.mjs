// A whole call with the released `openai` SDK for JavaScript over the Realtime wire.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { Inbox, Microphone } from "./whistle.mjs";

const load = createRequire(`${process.env.TROTH_TEST_PACKAGES}/`);
const { OpenAI } = load("openai");
const { OpenAIRealtimeWS } = load("openai/realtime/ws");

const client = new OpenAI();
const call = new OpenAIRealtimeWS({ model: "scripted" }, client);
const inbox = new Inbox((event) => event.type);
call.on("event", (event) => inbox.put(event));
call.on("error", (error) => inbox.put({ type: "error", error: String(error) }));

const spoken = (seen) =>
  seen.filter((event) => event.type === "response.output_audio_transcript.delta").map((event) => event.delta).join("");

await inbox.until("session.created");
call.send({
  type: "session.update",
  session: {
    type: "realtime",
    tools: [{ type: "function", name: "order", description: "Finds an order.", parameters: { type: "object" } }],
    audio: {
      input: { format: { type: "audio/pcm", rate: 24000 }, transcription: { model: "whisper-1" }, turn_detection: { type: "semantic_vad" } },
      output: { voice: "cedar" },
    },
  },
});
await inbox.until("session.updated");
const microphone = new Microphone(24000, (piece) =>
  call.send({ type: "input_audio_buffer.append", audio: piece.toString("base64") }),
);
await inbox.until("response.done");

microphone.say('call order {"number":7}');
await inbox.until("input_audio_buffer.speech_started");
const heard = await inbox.until("conversation.item.input_audio_transcription.completed");
assert.match(heard.transcript, /call order/);
const called = await inbox.until("response.function_call_arguments.done");
assert.equal(called.name, "order");
await inbox.until("response.done");
call.send({
  type: "conversation.item.create",
  item: { type: "function_call_output", call_id: called.call_id, output: "it is on its way" },
});
call.send({ type: "response.create" });
let seen = [];
await inbox.until("response.done", seen);
assert.match(spoken(seen), /on its way/);

microphone.say("slow 80");
await inbox.until("response.output_audio.delta");
microphone.say("please stop that now");
await inbox.until("input_audio_buffer.speech_started");
const cut = await inbox.until("response.done");
assert.equal(cut.response.status, "cancelled");
seen = [];
await inbox.until("response.done", seen);
assert.match(spoken(seen), /please stop/);
microphone.close();
call.close();
console.log("the conversation is complete");
