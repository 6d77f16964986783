// The Anthropic SDK for Node with models of every dialect.
import { all, base, breaks, EVENT, EVENT_SCHEMA, fails, holds, key, need, ONE_CITY, PLAIN, run, same, SKIES, THOUGHT, THREE_CITIES, version, WEATHER } from "./dialect_cases.mjs";

const Anthropic = need("@anthropic-ai/sdk").default;
const client = new Anthropic({ baseURL: base, apiKey: key, maxRetries: 0, timeout: 30000 });
const ask = (text) => ({ system: "Be brief.", max_tokens: 4096, messages: [{ role: "user", content: text }] });
const tools = [{ name: "get_weather", description: "Weather of a city", input_schema: WEATHER }];
const thinking = { type: "enabled", budget_tokens: 1024 };
const callsOf = (message) => message.content.filter((b) => b.type === "tool_use").map((b) => [b.name, b.input]);
const textOf = (message) => message.content.filter((b) => b.type === "text").map((b) => b.text).join("");
const thoughtOf = (message) => message.content.filter((b) => b.type === "thinking").map((b) => b.thinking).join("");

await run(`@anthropic-ai/sdk ${version("@anthropic-ai/sdk")}`, {
  async messages(model) {
    const answer = await client.messages.create({ model, ...ask("say something plain") });
    same([textOf(answer), answer.stop_reason, answer.role], [PLAIN, "end_turn", "assistant"]);
    same([answer.usage.input_tokens, answer.usage.output_tokens], [31, 17]);
  },

  async messages_streamed(model) {
    const events = await all(await client.messages.create({ model, ...ask("say something plain"), stream: true }));
    const deltas = events.filter((e) => e.type === "content_block_delta");
    holds(deltas.length > 2, "in one piece");
    same(deltas.map((e) => e.delta.text).join(""), PLAIN);
    same([events[0].type, events.at(-1).type], ["message_start", "message_stop"]);
  },

  async messages_helper(model) {
    const stream = client.messages.stream({ model, ...ask("say something plain") });
    let said = "";
    stream.on("text", (text) => (said += text));
    const final = await stream.finalMessage();
    same([said, textOf(final), final.stop_reason], [PLAIN, PLAIN, "end_turn"]);
  },

  async messages_thinks(model) {
    const answer = await client.messages.create({ model, ...ask("think first"), thinking });
    same([thoughtOf(answer), textOf(answer)], [THOUGHT, "The Nile."]);
    const final = await client.messages.stream({ model, ...ask("think first"), thinking }).finalMessage();
    same([thoughtOf(final), textOf(final)], [THOUGHT, "The Nile."]);
  },

  async messages_calls(model) {
    const one = ask("weather of one city");
    const first = await client.messages.create({ model, ...one, tools });
    same([first.stop_reason, callsOf(first)], ["tool_use", ONE_CITY]);
    one.messages.push({ role: "assistant", content: first.content }, { role: "user", content: [{ type: "tool_result", tool_use_id: first.content.at(-1).id, content: "sunny" }] });
    same(textOf(await client.messages.create({ model, ...one, tools })), "It is sunny in Bern.");

    const three = ask("weather of three cities");
    const final = await client.messages.stream({ model, ...three, tools }).finalMessage();
    same([final.stop_reason, callsOf(final)], ["tool_use", THREE_CITIES]);
    const results = final.content.filter((b) => b.type === "tool_use").map((b, i) => ({ type: "tool_result", tool_use_id: b.id, content: SKIES[i] }));
    three.messages.push({ role: "assistant", content: final.content }, { role: "user", content: results });
    same(textOf(await client.messages.create({ model, ...three, tools })), "Sun, rain and snow.");
  },

  // The SDK calls the function itself and goes on until there is text.
  async messages_runs_tools(model) {
    for (const stream of [false, true]) {
      const asked = [];
      const tool = { ...tools[0], type: "custom", parse: (input) => input, run: (input) => SKIES[asked.push(["get_weather", input]) - 1] };
      const final = await client.beta.messages.toolRunner({ model, ...ask("weather of three cities"), tools: [tool], stream }).runUntilDone();
      same([textOf(final), asked], ["Sun, rain and snow.", THREE_CITIES]);
    }
  },

  async messages_structured(model) {
    const answer = await client.messages.create({ model, ...ask("an event as data"), output_config: { format: { type: "json_schema", schema: EVENT_SCHEMA } } });
    same(JSON.parse(textOf(answer)), EVENT);
  },

  async messages_refused(model) {
    const limited = await fails(Anthropic.RateLimitError, () => client.messages.create({ model: `${model}-limited-1`, ...ask("too much") }));
    same([limited.headers.get("retry-after"), limited.error.type, limited.error.error.type], ["7", "error", "rate_limit_error"]);
    const bad = await fails(Anthropic.BadRequestError, () => client.messages.create({ model, ...ask("too long"), stream: true }));
    holds(bad.message.includes("more than the model can read"), bad.message);
  },

  async messages_broken(model) {
    await breaks(client.messages.create({ model, ...ask("break off"), stream: true }));
  },

  async count_tokens(model) {
    const { system, messages } = ask("say something plain");
    const counted = await client.messages.countTokens({ model, system, messages, tools });
    holds(counted.input_tokens > 0 && counted.input_tokens < 1000, `${counted.input_tokens} tokens`);
  },
});
