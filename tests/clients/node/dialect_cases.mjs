// What the scripts of this folder share that take an SDK through every dialect of upstreams.
//
// The upstream's answers are those of tests/clients/upstream/fixtures.json. A script is started as SCRIPT BASE_URL KEY MODEL...; each
// of its cases runs with each model and prints `SDK VERSION CASE MODEL: ok`, or what failed. MODEL-limited-1 and
// MODEL-limited-2 are further accounts at the same upstream, for the question that it answers with 429.
import { deepStrictEqual } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";

// The packages lie in the cache, not beside this file.
export const need = createRequire(process.env.CLIENT_MODULES + "/");
export const importPackage = async (name) => import(pathToFileURL(need.resolve(name)));
export const version = (name) => JSON.parse(readFileSync(`${process.env.CLIENT_MODULES}/node_modules/${name}/package.json`)).version;

export const [base, key, ...models] = process.argv.slice(2);
export const PLAIN = 'Rivers: "Rhône", 長江 \\ Đà.\n\tA 🏞️ at the end.';
export const THOUGHT = "Rivers flow to the sea; the longest is wanted.";
export const ONE_CITY = [["get_weather", { city: 'Bern "B"', days: 3 }]];
export const THREE_CITIES = [["Bern", 1], ["Oslo", 2], ["Riga", 3]].map(([city, days]) => ["get_weather", { city, days }]);
export const WEATHER = {
  type: "object",
  properties: { city: { type: "string" }, days: { type: "integer" } },
  required: ["city", "days"],
  additionalProperties: false,
};
export const SKIES = ["sunny", "rain", "snow"];
export const EVENT = { name: "Launch", attendees: ["Ada", "Alan"] };
export const EVENT_SCHEMA = {
  type: "object",
  properties: { name: { type: "string" }, attendees: { type: "array", items: { type: "string" } } },
  required: ["name", "attendees"],
  additionalProperties: false,
};
export const VECTOR = [0.5, -0.25, 0.125, 1.0];

export function same(got, wanted) {
  try {
    deepStrictEqual(got, wanted);
  } catch {
    throw new Error(`got ${inspect(got)}, wanted ${inspect(wanted)}`);
  }
}

export function holds(condition, said) {
  if (!condition) throw new Error(said);
}

export async function all(stream, items = []) {
  for await (const item of stream) items.push(item);
  return items;
}

// The error of that class which the call must end in.
export async function fails(kind, call) {
  try {
    await call();
  } catch (error) {
    if (error instanceof kind) return error;
    throw error;
  }
  throw new Error(`no ${kind.name}`);
}

// Something comes of the stream, and then it must not end as if all were well.
export async function breaks(stream) {
  let seen = 0;
  try {
    for await (const _ of await stream) ++seen;
  } catch {
    holds(seen > 0, "the stream did not even begin");
    return;
  }
  throw new Error("a broken stream looked whole");
}

export async function run(sdk, cases) {
  for (const model of models) {
    for (const [name, test] of Object.entries(cases)) {
      let said = "ok";
      try {
        await test(model);
      } catch (error) {
        const line = /_dialects\.mjs:(\d+)/.exec(error.stack)?.[1];
        said = `FAILED in line ${line}: ${error.name}: ${error.message}`.replaceAll("\n", "\\n").slice(0, 600);
      }
      console.log(`${sdk} ${name} ${model}: ${said}`);
    }
  }
}
