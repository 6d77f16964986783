// The OpenAI SDK for Node, its chat completions and responses, with models of every dialect.
import { all, base, breaks, EVENT, EVENT_SCHEMA, fails, holds, key, need, ONE_CITY, PLAIN, run, same, SKIES, THOUGHT, THREE_CITIES, VECTOR, version, WEATHER } from "./dialect_cases.mjs";

const OpenAI = need("openai");
const client = new OpenAI({ baseURL: `${base}/v1`, apiKey: key, maxRetries: 0, timeout: 30000 });
const ask = (text) => [{ role: "developer", content: "Be brief." }, { role: "user", content: text }];
const chatTools = [{ type: "function", function: { name: "get_weather", description: "Weather of a city", strict: true, parameters: WEATHER } }];
const responsesTools = [{ type: "function", name: "get_weather", description: "Weather of a city", strict: true, parameters: WEATHER }];
const chatCalls = (message) => message.tool_calls.map((c) => [c.function.name, JSON.parse(c.function.arguments)]);
const responsesCalls = (answer) => answer.output.filter((o) => o.type === "function_call");

await run(`openai ${version("openai")}`, {
  async chat(model) {
    const answer = await client.chat.completions.create({ model, messages: ask("say something plain"), temperature: 0.5, max_completion_tokens: 100 });
    same([answer.choices[0].message.content, answer.choices[0].finish_reason], [PLAIN, "stop"]);
    same([answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens], [31, 17, 48]);
  },

  async chat_streamed(model) {
    const chunks = await all(await client.chat.completions.create({ model, messages: ask("say something plain"), stream: true }));
    holds(chunks.length > 4, "in one piece");
    same(chunks.map((c) => c.choices[0].delta.content ?? "").join(""), PLAIN);
  },

  async chat_helper(model) {
    const runner = client.chat.completions.stream({ model, messages: ask("say something plain"), stream_options: { include_usage: true } });
    same(await runner.finalContent(), PLAIN);
    holds((await runner.totalUsage()).completion_tokens !== undefined, "no usage");
  },

  async chat_thinks(model) {
    const answer = await client.chat.completions.create({ model, messages: ask("think first"), reasoning_effort: "low" });
    same([answer.choices[0].message.reasoning_content, answer.choices[0].message.content], [THOUGHT, "The Nile."]);
    const chunks = await all(await client.chat.completions.create({ model, messages: ask("think first"), reasoning_effort: "low", stream: true }));
    same(chunks.map((c) => c.choices[0].delta.reasoning_content ?? "").join(""), THOUGHT);
  },

  async chat_calls(model) {
    const messages = ask("weather of one city");
    const first = await client.chat.completions.create({ model, messages, tools: chatTools });
    same([first.choices[0].finish_reason, chatCalls(first.choices[0].message)], ["tool_calls", ONE_CITY]);
    messages.push(first.choices[0].message, { role: "tool", tool_call_id: first.choices[0].message.tool_calls[0].id, content: "sunny" });
    same((await client.chat.completions.create({ model, messages, tools: chatTools })).choices[0].message.content, "It is sunny in Bern.");
    const three = await client.chat.completions.stream({ model, messages: ask("weather of three cities"), tools: chatTools }).finalChatCompletion();
    same([three.choices[0].finish_reason, chatCalls(three.choices[0].message)], ["tool_calls", THREE_CITIES]);
  },

  // The SDK calls the function itself and goes on until there is text.
  async chat_runs_tools(model) {
    const asked = [];
    const weather = (args) => SKIES[asked.push(["get_weather", args]) - 1];
    const tools = [{ type: "function", function: { ...chatTools[0].function, function: weather, parse: JSON.parse } }];
    for (const stream of [false, true]) {
      const runner = client.chat.completions.runTools({ model, messages: ask("weather of three cities"), tools, stream });
      same(await runner.finalContent(), "Sun, rain and snow.");
      same(asked.splice(0), THREE_CITIES);
    }
  },

  async chat_structured(model) {
    const response_format = { type: "json_schema", json_schema: { name: "event", strict: true, schema: EVENT_SCHEMA } };
    same(JSON.parse((await client.chat.completions.create({ model, messages: ask("an event as data"), response_format })).choices[0].message.content), EVENT);
  },

  async chat_refused(model) {
    const limited = await fails(OpenAI.RateLimitError, () => client.chat.completions.create({ model: `${model}-limited-1`, messages: ask("too much") }));
    same([limited.status, limited.headers.get("retry-after")], [429, "7"]);
    const bad = await fails(OpenAI.BadRequestError, () => client.chat.completions.create({ model, messages: ask("too long"), stream: true }));
    holds(bad.message.includes("more than the model can read"), bad.message);
  },

  async chat_broken(model) {
    await breaks(client.chat.completions.create({ model, messages: ask("break off"), stream: true }));
  },

  async responses(model) {
    const answer = await client.responses.create({ model, instructions: "Be brief.", input: "say something plain", store: false });
    same([answer.output_text, answer.status], [PLAIN, "completed"]);
    same([answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.total_tokens], [31, 17, 48]);
  },

  async responses_streamed(model) {
    const runner = client.responses.stream({ model, input: "say something plain", store: false });
    const events = await all(runner);
    same([events[0].type, events.at(-1).type], ["response.created", "response.completed"]);
    same(events.filter((e) => e.type === "response.output_text.delta").map((e) => e.delta).join(""), PLAIN);
    same((await runner.finalResponse()).output_text, PLAIN);
  },

  async responses_thinks(model) {
    const answer = await client.responses.create({ model, input: "think first", reasoning: { effort: "low", summary: "auto" }, store: false });
    same(answer.output.filter((o) => o.type === "reasoning").flatMap((o) => o.summary.map((s) => s.text)).join(""), THOUGHT);
    same(answer.output_text, "The Nile.");
  },

  async responses_calls(model) {
    const input = [{ role: "user", content: "weather of one city" }];
    const first = await client.responses.create({ model, input, tools: responsesTools, store: false });
    same(responsesCalls(first).map((c) => [c.name, JSON.parse(c.arguments)]), ONE_CITY);
    input.push(...first.output, { type: "function_call_output", call_id: responsesCalls(first)[0].call_id, output: "sunny" });
    same((await client.responses.create({ model, input, tools: responsesTools, store: false })).output_text, "It is sunny in Bern.");
    const three = await client.responses.stream({ model, input: "weather of three cities", tools: responsesTools, store: false }).finalResponse();
    same(responsesCalls(three).map((c) => [c.name, JSON.parse(c.arguments)]), THREE_CITIES);
  },

  async responses_refused(model) {
    const limited = await fails(OpenAI.RateLimitError, () => client.responses.create({ model: `${model}-limited-2`, input: "too much", store: false }));
    same(limited.headers.get("retry-after"), "7");
  },

  async responses_broken(model) {
    await breaks(client.responses.create({ model, input: "break off", store: false, stream: true }));
  },

  async embeddings(model) {
    const vectors = await client.embeddings.create({ model, input: ["a river", "a river"], encoding_format: "float" });
    same(vectors.data.map((d) => d.embedding), [VECTOR, VECTOR]);
  },

  // What the SDK asks for by itself: base64.
  async embeddings_packed(model) {
    same([...(await client.embeddings.create({ model, input: "a river" })).data[0].embedding], VECTOR);
  },
});
