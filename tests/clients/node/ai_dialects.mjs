// Vercel's AI SDK, with its providers for OpenAI, Anthropic and Google, with models of every dialect.
import { all, base, EVENT, EVENT_SCHEMA, fails, holds, importPackage, key, ONE_CITY, PLAIN, run, same, SKIES, THOUGHT, THREE_CITIES, VECTOR, version, WEATHER } from "./dialect_cases.mjs";

const { APICallError, embedMany, generateText, isStepCount, jsonSchema, Output, streamText, tool } = await importPackage("ai");
const { createOpenAI } = await importPackage("@ai-sdk/openai");
const { createAnthropic } = await importPackage("@ai-sdk/anthropic");
const { createGoogle } = await importPackage("@ai-sdk/google");

const openai = createOpenAI({ baseURL: `${base}/v1`, apiKey: key });
const anthropic = createAnthropic({ baseURL: `${base}/v1`, apiKey: key });
const google = createGoogle({ baseURL: `${base}/v1beta`, apiKey: key });
// Responses that are translated are not stored; else the SDK sends references to what is.
const store = false;
const providers = {
  chat: { of: (model) => openai.chat(model) },
  responses: {
    of: (model) => openai.responses(model),
    options: { openai: { store } },
    thinks: { openai: { store, reasoningEffort: "low", reasoningSummary: "auto", forceReasoning: true } },
  },
  messages: { of: (model) => anthropic(model), thinks: { anthropic: { thinking: { type: "enabled", budgetTokens: 1024 } } } },
  generate: { of: (model) => google(model), thinks: { google: { thinkingConfig: { includeThoughts: true, thinkingBudget: 1024 } } } },
};
const settings = { maxRetries: 0, maxOutputTokens: 4096 };
const instructions = "Be brief.";
const callsOf = (calls) => calls.map((c) => [c.toolName, c.input]);

const cases = {};
for (const [dialect, { of, options: providerOptions = {}, thinks }] of Object.entries(providers)) {
  cases[`${dialect}_text`] = async (model) => {
    const answer = await generateText({ model: of(model), instructions, prompt: "say something plain", ...settings });
    same([answer.text, answer.finishReason], [PLAIN, "stop"]);
    same([answer.usage.inputTokens, answer.usage.outputTokens], [31, 17]);
  };

  cases[`${dialect}_streamed`] = async (model) => {
    const stream = streamText({ model: of(model), instructions, prompt: "say something plain", ...settings });
    const pieces = await all(stream.textStream);
    holds(pieces.length > 2, "in one piece");
    same([pieces.join(""), await stream.finishReason], [PLAIN, "stop"]);
  };

  // A call and its result, then three at once: the SDK calls the function itself and goes on until there is text.
  cases[`${dialect}_calls`] = async (model) => {
    for (const [generate, question, wanted, text] of [
      [generateText, "weather of one city", ONE_CITY, "It is sunny in Bern."],
      [generateText, "weather of three cities", THREE_CITIES, "Sun, rain and snow."],
      [streamText, "weather of three cities", THREE_CITIES, "Sun, rain and snow."],
    ]) {
      const skies = { "Bern": "sunny", 'Bern "B"': "sunny", "Oslo": "rain", "Riga": "snow" };
      const tools = { get_weather: tool({ description: "Weather of a city", inputSchema: jsonSchema(WEATHER), execute: ({ city }) => skies[city] }) };
      const answer = await generate({ model: of(model), instructions, prompt: question, tools, stopWhen: isStepCount(3), providerOptions, ...settings });
      const steps = await answer.steps;
      same([steps.map((s) => s.finishReason), callsOf(steps[0].toolCalls), await answer.text], [["tool-calls", "stop"], wanted, text]);
    }
  };

  cases[`${dialect}_structured`] = async (model) => {
    const output = Output.object({ schema: jsonSchema(EVENT_SCHEMA) });
    same((await generateText({ model: of(model), prompt: "an event as data", output, ...settings })).output, EVENT);
  };

  cases[`${dialect}_refused`] = async (model) => {
    const bad = await fails(APICallError, () => generateText({ model: of(model), prompt: "too long", ...settings }));
    same(bad.statusCode, 400);
    holds(bad.message.includes("more than the model can read"), bad.message);
  };

  cases[`${dialect}_broken`] = async (model) => {
    const parts = [];
    const stream = streamText({ model: of(model), prompt: "break off", onError() {}, ...settings }).fullStream;
    await all(stream, parts).catch((error) => parts.push({ type: "error", error }));
    holds(parts.some((p) => p.type === "text-delta"), "the stream did not even begin");
    holds(parts.some((p) => p.type === "error"), "a broken stream looked whole");
  };

  if (thinks) {
    cases[`${dialect}_thinks`] = async (model) => {
      const answer = await generateText({ model: of(model), prompt: "think first", providerOptions: thinks, ...settings });
      same([answer.reasoningText, answer.text], [THOUGHT, "The Nile."]);
      const stream = streamText({ model: of(model), prompt: "think first", providerOptions: thinks, ...settings });
      same([await stream.reasoningText, await stream.text], [THOUGHT, "The Nile."]);
    };
  }
}

cases.chat_embeds = async (model) => same((await embedMany({ model: openai.embedding(model), values: ["a river", "a river"], maxRetries: 0 })).embeddings, [VECTOR, VECTOR]);
cases.generate_embeds = async (model) => same((await embedMany({ model: google.embedding(model), values: ["a river", "a river"], maxRetries: 0 })).embeddings, [VECTOR, VECTOR]);

await run(`ai ${version("ai")}`, cases);
