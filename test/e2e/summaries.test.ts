/** Summaries of long transcripts are model calls like any other: kept aside for, asked for, refused and settled. Over the wire. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { z } from "zod";
import { agent, type Agent, type Budgets, type Limits, type RunHandle, tool } from "../../src/index.ts";
import {
  call,
  httpError,
  say,
  type ScriptedModel,
  type ScriptFunction,
  startScriptedModel,
} from "../../src/testing/index.ts";
import { testWorld, untilEvent, type World } from "../support/world.ts";

const WAIT = { timeoutMs: 30_000 };
/** About 1,500 tokens that can only be summed up, and as many of a result that can be left out. */
const thoughts = (page: number): string => Array.from({ length: 700 }, (_, i) => `p${page}n${i}`).join(" ");

const read = tool({
  name: "read_page",
  description: "Reads a page.",
  input: z.object({ page: z.number() }),
  effect: "read",
  execute: ({ page }) => Promise.resolve({ text: thoughts(page) }),
});

const isSummary = ({ body }: { readonly body: unknown }): boolean => /You sum up the work/.test(JSON.stringify(body));
const mostOf = ({ body }: { readonly body: unknown }): number =>
  Number((body as { max_completion_tokens?: number }).max_completion_tokens);

function reader(limits: Partial<Limits> = {}, more: object = {}): Agent {
  return agent({
    name: "reader",
    model: "openai/scripted",
    instructions: "Read.",
    tools: [read],
    input: z.object({}),
    limits: { turns: 60, ...limits },
    ...more,
  });
}

interface Scene extends World {
  readonly model: ScriptedModel;
  readonly run: RunHandle<unknown>;
}

interface Setting {
  readonly script: ScriptFunction;
  readonly of?: Agent;
  readonly budgets?: Budgets;
  readonly profile?: object;
  readonly cheap?: object;
}

/** A model for 20,000 tokens, and a cheap one that sums up where the agent says so. */
async function start(t: TestContext, { script, of = reader(), budgets, profile = {}, cheap }: Setting): Promise<Scene> {
  const model = await startScriptedModel({ script: (request, context) => script(request, context) });
  t.after(() => model.close());
  const one = { apiKey: model.apiKey, baseURL: model.url };
  const models = {
    openai: { ...one, contextTokens: 20_000, maxOutputTokens: 2_000, ...profile },
    ...(cheap !== undefined && { cheap: { ...one, ...cheap } }),
  };
  const world = await testWorld(t, { errand: { agents: [of], models, ...(budgets && { budgets }) } });
  world.errand.worker({ wakeEveryMs: 20 });
  const run = await world.errand.enqueue(of.name, { identifier: "ada", input: {} });
  return { ...world, model, run };
}

/** Reads so many pages, thinking long, then answers. */
function pages(count: number, summary: ScriptFunction = () => say("Read some pages.")): ScriptFunction {
  let made = 0;
  return (request, context) => {
    if (isSummary(request)) return summary(request, context);
    if (request.toolChoice === "none" || made === count) return say("read all");
    return { ...call("read_page", { page: made }), text: thoughts(made++) };
  };
}

test("a summary is kept aside for, by the run's and the day's budgets, and what it has used is counted", async (t) => {
  const seen: { reserved: number; used: number; most: number }[] = [];
  const scenes: Scene[] = [];
  const script = pages(14, async (request) => {
    const { tokens } = await (scenes[0] as Scene).errand.budget({ identifier: "ada" });
    seen.push({ reserved: tokens.reserved, used: tokens.used, most: mostOf(request) });
    return say("Read some pages.");
  });
  const profile = { price: { input: 1, output: 2 } };
  scenes.push(
    await start(t, { script, of: reader({ tokens: 900_000 }), budgets: { identifier: { tokens: 900_000 } }, profile }),
  );
  const { run, errand } = scenes[0] as Scene;
  assert.equal(await run.result(WAIT), "read all");
  const view = await run.get();
  const summaries = view.modelCalls.filter((it) => it.for === "summary");
  assert.equal(seen.length, summaries.length);
  assert.ok(summaries.length > 0, "nothing was summed up");
  for (const { reserved, most } of seen)
    assert.ok(most > 0 && reserved > most, `${reserved} kept aside, ${most} allowed`);
  assert.ok(
    summaries.every(({ costUsd = 0 }) => costUsd > 0),
    "priced as a turn is",
  );
  const bought = view.usage.input + view.usage.output;
  const { tokens } = await errand.budget({ identifier: "ada" });
  assert.deepEqual([view.spent.tokens, tokens.used, tokens.reserved], [bought, bought, 0]);
});

const DEAR = { price: { input: 1_000, output: 1_000 } };
const CHEAP = { price: { input: 1, output: 1 } };

test("a budget that does not pay for the summary: the next rung, and the run goes on without one", async (t) => {
  const of = reader({ costUsd: 5 }, { summariser: "cheap/small" });
  const { run, model } = await start(t, { script: pages(11), of, profile: CHEAP, cheap: DEAR });
  assert.equal(await run.result(WAIT), "read all");
  assert.equal(model.requests.filter(isSummary).length, 0, "nobody was asked for one");
  const how = [];
  for await (const event of run.events()) if (event.type === "run.compacted") how.push(...event.how);
  assert.ok(how.length > 0 && !how.includes("summary"), how.join());
  assert.notEqual((await run.get()).truncated, true);
});

test("where nothing else can be left out either, the run's limit is met: it fails, or waits for the operator", async (t) => {
  const waits = reader({ costUsd: 5, resultChars: 50 }, { summariser: "cheap/small", atLimit: "park" });
  const scene = await start(t, { script: pages(14), of: waits, profile: CHEAP, cheap: DEAR });
  const parked = await untilEvent(scene.run, "run.parked");
  assert.equal(parked.reason, "budget");
  assert.match(parked.message ?? "", /^The run's limit is met: costUsd 5, 0\.\d+ used\. .* does not pay for a summary/);
  await scene.run.raise({ costUsd: 1_000 });
  assert.equal(await scene.run.result(WAIT), "read all");
  assert.ok(scene.model.requests.some(isSummary), "raised, it is summed up");

  const fails = reader({ costUsd: 5, resultChars: 50 }, { summariser: "cheap/small" });
  const other = await start(t, { script: pages(14), of: fails, profile: CHEAP, cheap: DEAR });
  await assert.rejects(other.run.result(WAIT), { code: "run-failed" });
  const { failure, output } = await other.run.get();
  assert.equal(failure?.code, "cost-limit");
  assert.match(failure.message, /too long for the model, and what is left does not pay for a summary/);
  assert.match(JSON.stringify(output), /^"p\d+n0 /, "what text there is, is kept");
});

test("a summary that meets its provider's limit: its profile cools down, the run parks as rate-limit, and it has used nothing", async (t) => {
  let refused = 0;
  const script = pages(9, () => (refused++ === 0 ? httpError(429, { retryAfter: 2 }) : say("Read some pages.")));
  const { run, model } = await start(t, { script, of: reader({}, { summariser: "cheap/small" }), cheap: {} });
  const parked = await untilEvent(run, "run.parked");
  assert.equal(parked.reason, "rate-limit");
  assert.ok((parked.until ?? 0) >= parked.at + 1_900, `${(parked.until ?? 0) - parked.at}`);
  assert.equal(model.requests.filter(isSummary).length, 1);
  assert.equal(await run.result(WAIT), "read all");
  const { spent, usage } = await run.get();
  assert.equal(spent.tokens, usage.input + usage.output);
});
