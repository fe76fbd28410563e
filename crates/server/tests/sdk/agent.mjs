// A whole call with the released `@deepgram/sdk` for JavaScript over the Agent wire.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { Inbox, Microphone } from "./whistle.mjs";

const load = createRequire(`${process.env.TROTH_TEST_PACKAGES}/`);
const { DeepgramClient } = load("@deepgram/sdk");

const host = new URL(process.env.OPENAI_BASE_URL).host;
const environment = { base: `https://${host}`, production: `wss://${host}`, agent: `wss://${host}`, agentRest: `https://${host}` };
const client = new DeepgramClient({ apiKey: process.env.OPENAI_API_KEY, environment });
const call = await client.agent.v1.connect({ Authorization: `Token ${process.env.OPENAI_API_KEY}` });
const inbox = new Inbox((message) => message.type ?? "sound");
call.on("message", (message) => inbox.put(message));
call.on("error", (error) => inbox.put({ type: "Error", error: String(error) }));
call.connect();
await call.waitForOpen();

const said = (seen, role) =>
  seen.filter((one) => one.type === "ConversationText" && one.role === role).map((one) => one.content).join(" ");

await inbox.until("Welcome");
call.sendSettings({
  type: "Settings",
  audio: { input: { encoding: "linear16", sample_rate: 48000 }, output: { encoding: "linear16", sample_rate: 16000, container: "none" } },
  agent: {
    greeting: "Hello there.",
    think: {
      provider: { type: "open_ai", model: "scripted" },
      functions: [{ name: "order", description: "Finds an order.", parameters: { type: "object" } }],
    },
  },
});
await inbox.until("SettingsApplied");
const microphone = new Microphone(48000, (piece) => call.sendMedia(piece));
let seen = [];
while (!said(seen, "assistant").includes("Hello there")) await inbox.until("AgentAudioDone", seen);

microphone.say('call order {"number":7}');
await inbox.until("UserStartedSpeaking");
seen = [];
const request = await inbox.until("FunctionCallRequest", seen);
while (!said(seen, "user").includes("call order")) await inbox.until("ConversationText", seen);
const [wanted] = request.functions;
assert.equal(wanted.name, "order");
call.sendFunctionCallResponse({ type: "FunctionCallResponse", id: wanted.id, name: wanted.name, content: "it is on its way" });
seen = [];
await inbox.until("AgentAudioDone", seen);
assert.match(said(seen, "assistant"), /on its way/);

microphone.say("slow 80");
await inbox.until("AgentStartedSpeaking");
microphone.say("please stop that now");
await inbox.until("UserStartedSpeaking");
seen = [];
await inbox.until("AgentAudioDone", seen);
assert.match(said(seen, "assistant"), /please stop/);
microphone.close();
call.close();
console.log("the conversation is complete");
