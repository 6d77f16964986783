// The OpenAI SDK for Node through the gateway: openai_sdk.mjs BASE_URL KEY. Asserts, and prints one line.
import assert from "node:assert/strict";
import { createRequire } from "node:module";

// The packages lie in the cache, not beside this file.
const require = createRequire(process.env.CLIENT_MODULES + "/");
const OpenAI = require("openai");
const { version } = require("openai/package.json");

const [base, key] = process.argv.slice(2);
const client = new OpenAI({ baseURL: base, apiKey: key, maxRetries: 0, timeout: 30000 });
const say = [{ role: "user", content: "Tell me about rivers." }];
const tool = {
  type: "function",
  function: {
    name: "get_weather",
    description: "Weather of a city",
    parameters: { type: "object", properties: { city: { type: "string" }, days: { type: "integer" } }, required: ["city", "days"] },
  },
};

const plain = await client.chat.completions.create({ model: "m", messages: say, max_tokens: 20 });
assert.ok(plain.choices[0].message.content);
assert.equal(plain.usage.completion_tokens, 20);

let text = "";
for await (const chunk of await client.chat.completions.create({ model: "m", messages: say, max_tokens: 20, stream: true })) {
  text += chunk.choices[0].delta.content ?? "";
}
assert.equal(text, plain.choices[0].message.content);

const runner = client.chat.completions.stream({ model: "m", messages: say, max_tokens: 20 });
assert.equal(await runner.finalContent(), text);

const called = await client.chat.completions.create({ model: "m", messages: [{ role: "user", content: "call the tool" }], tools: [tool] });
const call = called.choices[0].message.tool_calls[0];
assert.equal(call.function.name, "get_weather");
const streamedCall = await client.chat.completions.stream({ model: "m", messages: [{ role: "user", content: "call the tool" }], tools: [tool] }).finalChatCompletion();
assert.equal(streamedCall.choices[0].message.tool_calls[0].function.arguments, call.function.arguments);

const schema = { type: "object", properties: { name: { type: "string" }, attendees: { type: "array", items: { type: "string" } } }, required: ["name", "attendees"], additionalProperties: false };
const structured = await client.chat.completions.create({ model: "m", messages: say, response_format: { type: "json_schema", json_schema: { name: "event", strict: true, schema } } });
const parsed = JSON.parse(structured.choices[0].message.content);
assert.equal(typeof parsed.name, "string");
assert.ok(Array.isArray(parsed.attendees));

const image = { type: "image_url", image_url: { url: "data:image/png;base64," + Buffer.alloc(64).toString("base64") } };
const seen = await client.chat.completions.create({ model: "m", messages: [{ role: "user", content: [{ type: "text", text: "What is this?" }, image] }], max_tokens: 5 });
assert.ok(seen.usage.prompt_tokens >= 256);

const vectors = await client.embeddings.create({ model: "m", input: ["a river", "a mountain"] });
assert.equal(vectors.data.length, 2);
assert.ok(Math.abs(vectors.data[0].embedding.reduce((sum, x) => sum + x * x, 0) - 1) < 1e-3);

const response = await client.responses.create({ model: "m", input: "Tell me about rivers.", max_output_tokens: 20 });
assert.ok(response.output_text);
const kinds = [];
for await (const event of await client.responses.create({ model: "m", input: "Tell me about rivers.", max_output_tokens: 20, stream: true })) kinds.push(event.type);
assert.equal(kinds[0], "response.created");

const heard = await client.audio.transcriptions.create({ model: "m", file: new File([new Uint8Array(2000)], "a.wav") });
assert.ok(heard.text);

await assert.rejects(new OpenAI({ baseURL: base, apiKey: "sk-wrong", maxRetries: 0 }).models.list(), OpenAI.AuthenticationError);
await assert.rejects(client.chat.completions.create({ model: "no-such-model", messages: say }), OpenAI.NotFoundError);

await assert.rejects(async () => {
  const broken = await client.chat.completions.create({ model: "m", messages: say, stream: true }, { headers: { "x-sim-fault": "die-event=3", "x-sim-tokens": "20" } });
  for await (const _ of broken);
}, OpenAI.APIError);

const long = await client.chat.completions.create({ model: "m", messages: say, stream: true }, { headers: { "x-sim-stream": "events=1000,gap=10ms" } });
let count = 0;
for await (const _ of long) if (++count === 5) break;
long.controller.abort();
assert.ok((await client.chat.completions.create({ model: "m", messages: say, max_tokens: 3 })).choices[0].message.content);

console.log(`openai ${version} for Node ${process.version}: ok`);
