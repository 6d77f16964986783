// The Google Gen AI SDK for Node with models of every dialect.
import { all, base, breaks, EVENT, EVENT_SCHEMA, fails, holds, key, need, ONE_CITY, PLAIN, run, same, SKIES, THOUGHT, THREE_CITIES, VECTOR, version, WEATHER } from "./dialect_cases.mjs";

const { GoogleGenAI, ApiError, createPartFromFunctionResponse } = need("@google/genai");
const { models, chats } = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: base, timeout: 30000 } });
const systemInstruction = "Be brief.";
const tools = [{ functionDeclarations: [{ name: "get_weather", description: "Weather of a city", parametersJsonSchema: WEATHER }] }];
const thinkingConfig = { includeThoughts: true, thinkingBudget: 1024 };
const callsOf = (answer) => (answer.functionCalls ?? []).map((c) => [c.name, c.args]);
const partsOf = (answer) => answer.candidates?.[0].content?.parts ?? [];
const thoughtOf = (answer) => partsOf(answer).filter((p) => p.thought).map((p) => p.text).join("");
const textOf = (answer) => partsOf(answer).filter((p) => p.text && !p.thought).map((p) => p.text).join("");
const user = (...parts) => ({ role: "user", parts });

await run(`@google/genai ${version("@google/genai")}`, {
  async generate(model) {
    const answer = await models.generateContent({ model, contents: "say something plain", config: { systemInstruction, temperature: 0.5, topK: 20 } });
    same([answer.text, answer.candidates[0].finishReason], [PLAIN, "STOP"]);
    same([answer.usageMetadata.promptTokenCount, answer.usageMetadata.candidatesTokenCount], [31, 17]);
  },

  async generate_streamed(model) {
    const chunks = await all(await models.generateContentStream({ model, contents: "say something plain", config: { systemInstruction } }));
    holds(chunks.length > 2, "in one piece");
    same(chunks.map(textOf).join(""), PLAIN);
    same(chunks.map((c) => c.candidates?.[0].finishReason).filter(Boolean), ["STOP"]);
  },

  async generate_thinks(model) {
    const answer = await models.generateContent({ model, contents: "think first", config: { thinkingConfig } });
    same([thoughtOf(answer), textOf(answer)], [THOUGHT, "The Nile."]);
    const chunks = await all(await models.generateContentStream({ model, contents: "think first", config: { thinkingConfig } }));
    same([chunks.map(thoughtOf).join(""), chunks.map(textOf).join("")], [THOUGHT, "The Nile."]);
  },

  async generate_chat(model) {
    const chat = chats.create({ model, config: { systemInstruction } });
    same(textOf(await chat.sendMessage({ message: "think first" })), "The Nile.");
    same((await all(await chat.sendMessageStream({ message: "say something plain" }))).map(textOf).join(""), PLAIN);
  },

  async generate_calls(model) {
    const one = [user({ text: "weather of one city" })];
    const first = await models.generateContent({ model, contents: one, config: { tools } });
    same(callsOf(first), ONE_CITY);
    one.push(first.candidates[0].content, user(createPartFromFunctionResponse(first.functionCalls[0].id ?? "", "get_weather", { result: "sunny" })));
    same((await models.generateContent({ model, contents: one, config: { tools } })).text, "It is sunny in Bern.");

    const three = [user({ text: "weather of three cities" })];
    const chunks = await all(await models.generateContentStream({ model, contents: three, config: { tools } }));
    same(chunks.flatMap(callsOf), THREE_CITIES);
    const results = chunks.flatMap((c) => c.functionCalls ?? []).map((c, i) => ({ functionResponse: { ...(c.id && { id: c.id }), name: c.name, response: { result: SKIES[i] } } }));
    three.push({ role: "model", parts: chunks.flatMap(partsOf) }, user(...results));
    same((await models.generateContent({ model, contents: three, config: { tools } })).text, "Sun, rain and snow.");
  },

  async generate_structured(model) {
    const config = { responseMimeType: "application/json", responseJsonSchema: EVENT_SCHEMA };
    same(JSON.parse((await models.generateContent({ model, contents: "an event as data", config })).text), EVENT);
  },

  async generate_refused(model) {
    same((await fails(ApiError, () => models.generateContent({ model: `${model}-limited-1`, contents: "too much" }))).status, 429);
    same((await fails(ApiError, async () => all(await models.generateContentStream({ model, contents: "too long" })))).status, 400);
  },

  async generate_broken(model) {
    await breaks(models.generateContentStream({ model, contents: "break off" }));
  },

  async count_tokens(model) {
    const { totalTokens } = await models.countTokens({ model, contents: "say something plain" });
    holds(totalTokens > 0 && totalTokens < 1000, `${totalTokens} tokens`);
  },

  async embed(model) {
    same((await models.embedContent({ model, contents: ["a river", "a river"] })).embeddings.map((e) => e.values), [VECTOR, VECTOR]);
  },
});
