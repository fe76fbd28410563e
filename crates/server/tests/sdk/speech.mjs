// Speech through the released `openai` and `@deepgram/sdk` packages for JavaScript. Run by ../sdk.rs.

import assert from "node:assert/strict";
import { createRequire } from "node:module";

const require = createRequire(`${process.env.TROTH_TEST_PACKAGES}/here.js`);
const { OpenAI, toFile } = require("openai");
const { DeepgramClient } = require("@deepgram/sdk");

const { SPEECH_EAR: EAR, SPEECH_VOICE: VOICE, SPEECH_NAME: NAME, OPENAI_API_KEY: KEY } = process.env;
const TEXT = "Your parcel left the warehouse this morning. It should arrive tomorrow at noon.";
const BASE = process.env.OPENAI_BASE_URL.replace(/\/v1$/, "");
const SOCKETS = BASE.replace("https:", "wss:");

/** At most one word in ten may be missing, and none may be added but one. */
function agree(heard) {
  const words = (text) => text.toLowerCase().replaceAll("-", "").match(/[a-z0-9]+/g) ?? [];
  const [said, got] = [words(TEXT), words(heard)];
  const missing = said.filter((word) => !got.includes(word)).length;
  assert(missing * 10 <= said.length && got.length <= said.length + 1, heard);
}

const client = new OpenAI({ maxRetries: 0, timeout: 120_000 });
const spoken = await client.audio.speech.create({ model: VOICE, voice: NAME, input: TEXT, response_format: "wav" });
const file = Buffer.from(await spoken.arrayBuffer());
const written = await client.audio.transcriptions.create({ model: EAR, file: await toFile(file, "said.wav") });
agree(written.text);
let text = "";
const events = await client.audio.transcriptions.create({
  model: EAR,
  file: await toFile(file, "said.wav"),
  stream: true,
});
for await (const event of events) {
  if (event.type === "transcript.text.delta") text += event.delta;
  if (event.type === "transcript.text.done") agree(event.text);
}
agree(text);
await assert.rejects(client.audio.speech.create({ model: VOICE, voice: NAME, input: "a", response_format: "mp3" }), {
  status: 400,
  param: "response_format",
});

const environment = { base: BASE, production: SOCKETS, agent: SOCKETS, agentRest: BASE };
const deepgram = new DeepgramClient({ apiKey: KEY, environment });
const answer = await deepgram.speak.v1.audio.generate({ text: TEXT, model: "aura-2-thalia-en" });
const sound = Buffer.from(await answer.arrayBuffer());
const heard = await deepgram.listen.v1.media.transcribeFile(sound, { model: "nova-3" });
agree(heard.results.channels[0].alternatives[0].transcript);

const socket = await deepgram.listen.v1.connect({
  Authorization: `Token ${KEY}`,
  model: "nova-3",
  interim_results: "true",
  utterance_end_ms: "1000",
});
const got = [];
const closed = new Promise((resolve) => socket.on("close", resolve));
socket.on("message", (message) => got.push(message));
socket.on("error", (error) => got.push(error));
socket.connect();
await socket.waitForOpen();
for (let at = 0; at < file.length; at += 4800) socket.sendMedia(file.subarray(at, at + 4800));
socket.sendCloseStream({ type: "CloseStream" });
await closed;
const final = got.filter((message) => message.type === "Results" && message.is_final);
agree(final.map((message) => message.channel.alternatives[0].transcript).join(" "));
assert.equal(got.filter((message) => message.type === "Metadata").length, 1);

console.log("the conversation is complete");
process.exit(0);
