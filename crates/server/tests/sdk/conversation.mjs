// A conversation through the released `openai` package for JavaScript. Run by ../sdk.rs.

import assert from "node:assert/strict";
import { createRequire } from "node:module";

// A module beside the packages, so that they are found although this file lies elsewhere.
const require = createRequire(`${process.env.TROTH_TEST_PACKAGES}/here.js`);
const { OpenAI } = require("openai");
const client = new OpenAI({ maxRetries: 0, timeout: 30_000 });

const models = [];
for await (const model of client.models.list()) models.push(model.id);
assert(models.includes("scripted"), `${models}`);
assert.equal((await client.models.retrieve("scripted")).owned_by, "Troth");

const messages = [
  { role: "developer", content: "Be brief." },
  { role: "user", content: [{ type: "text", text: "hello from JavaScript" }] },
];
const answer = await client.chat.completions.create({ model: "scripted", messages });
assert.match(answer.choices[0].message.content, /> hello from JavaScript/);
assert.equal(answer.choices[0].finish_reason, "stop");
assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
assert(answer._request_id);

messages.push(answer.choices[0].message, { role: "user", content: "long 20" });
let text = "";
let usage = null;
const stream = await client.chat.completions.create({
  model: "scripted",
  messages,
  stream: true,
  stream_options: { include_usage: true },
});
for await (const chunk of stream) {
  text += chunk.choices[0]?.delta?.content ?? "";
  usage = chunk.usage ?? usage;
}
assert.equal(text.trim(), Array.from({ length: 20 }, (_, n) => `word${n + 1}`).join(" "));
assert.equal(usage.completion_tokens, 20);

const tool = {
  type: "function",
  function: {
    name: "weather",
    description: "The weather in a city.",
    parameters: { type: "object", properties: { city: { type: "string" } } },
  },
};
const question = { role: "user", content: 'call weather {"city": "Pune"}' };
const called = await client.chat.completions
  .stream({ model: "scripted", messages: [question], tools: [tool] })
  .finalMessage();
const [call] = called.tool_calls;
assert.deepEqual(JSON.parse(call.function.arguments), { city: "Pune" });
const told = await client.chat.completions.create({
  model: "scripted",
  messages: [question, called, { role: "tool", tool_call_id: call.id, content: "31 degrees" }],
  tools: [tool],
});
assert.equal(told.choices[0].message.content, "The tool said: 31 degrees");

const { data } = await client.embeddings.create({ model: "scripted", input: ["a heron", "a heron"] });
assert.equal(data[0].embedding.length, 32);
assert.deepEqual(data[0].embedding, data[1].embedding);

const ask = [{ role: "user", content: "hi" }];
const refused = (code, call) => assert.rejects(call, (error) => (assert.equal(error.code, code), true));
await refused("model_not_found", () => client.chat.completions.create({ model: "gone", messages: ask }));
await refused("model_not_found", () => client.embeddings.create({ model: "gone", input: "x" }));
await refused("invalid_value", () => client.chat.completions.create({ model: "scripted", messages: ask, n: 2 }));
await refused("invalid_api_key", () => client.withOptions({ apiKey: "troth_no" }).models.list());
await refused("model_failed", async () => {
  const failing = { model: "scripted", messages: [{ role: "user", content: "fail-midstream" }], stream: true };
  for await (const _ of await client.chat.completions.create(failing));
});

// Leaving in the middle of an answer is not an error on either side.
const left = await client.chat.completions.create({
  model: "scripted",
  messages: [{ role: "user", content: "slow" }],
  stream: true,
});
for await (const _ of left) break;

console.log("the conversation is complete");
