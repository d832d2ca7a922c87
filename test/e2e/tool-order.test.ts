/** Reads four at once, everything else one by one in order, results in the order of the calls; within a tool as well. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { agent, type LocalTool, tool } from "../../src/index.ts";
import { call, calls, say } from "../../src/testing/index.ts";
import { testWorld } from "../support/world.ts";

interface Watch {
  most: number;
  now: number;
  readonly order: number[];
}

/** Later calls come back sooner; each is open until those that may be open beside it are. */
function watched(name: string, effect: "read" | "unsafe", watch: Watch): LocalTool {
  return tool({
    name,
    description: `Notes when it runs: ${name}.`,
    input: z.object({ n: z.number() }),
    effect,
    execute: async ({ n }) => {
      watch.most = Math.max(watch.most, ++watch.now);
      watch.order.push(n);
      for (let i = 0; i < 20 - n; i++) await new Promise((resolve) => setImmediate(resolve));
      watch.now--;
      return `${name} ${n}`;
    },
  });
}

const NUMBERS = [0, 1, 2, 3, 4, 5];

test("of a turn", async (t) => {
  const [reads, writes]: [Watch, Watch] = [
    { most: 0, now: 0, order: [] },
    { most: 0, now: 0, order: [] },
  ];
  const made = agent({
    name: "orderly",
    model: "openai/scripted",
    instructions: "Call.",
    tools: [watched("look", "read", reads), watched("write", "unsafe", writes)],
    input: z.object({}),
  });
  const all = [...NUMBERS.map((n) => call("look", { n })), ...NUMBERS.map((n) => call("write", { n }))];
  const world = await testWorld(t, { script: [calls(all), say("done")], errand: { agents: [made] } });
  world.errand.worker({ wakeEveryMs: 20 });
  const run = await world.errand.enqueue(made, { identifier: "ada", input: {} });
  assert.equal(await run.result({ timeoutMs: 60_000 }), "done");
  assert.deepEqual([reads.most, writes.most, writes.order], [4, 1, NUMBERS]);
  const told = world.model.requests.at(-1)?.messages.flatMap((it) => (it.role === "tool" ? [it.text] : []));
  const expected = ["look", "write"].flatMap((name) => NUMBERS.map((n) => `${name} ${n}`));
  assert.deepEqual(
    told?.map((text) => /(?:look|write) \d/.exec(text)?.[0]),
    expected,
  );
});

test("of a tool's own calls", async (t) => {
  const [reads, writes]: [Watch, Watch] = [
    { most: 0, now: 0, order: [] },
    { most: 0, now: 0, order: [] },
  ];
  const all = tool({
    name: "all",
    description: "Calls all of them at once.",
    input: z.object({}),
    effect: "composite",
    uses: [watched("look", "read", reads), watched("write", "unsafe", writes)],
    execute: (_input, { tools }) =>
      Promise.all(
        ["look", "write"].flatMap((name) => NUMBERS.map((n) => tools.execute({ tool: name, parameters: { n } }))),
      ),
  });
  const made = agent({
    name: "orderly",
    model: "openai/scripted",
    instructions: "Call.",
    tools: [all],
    input: z.object({}),
  });
  const world = await testWorld(t, { script: [call("all", {}), say("done")], errand: { agents: [made] } });
  world.errand.worker({ wakeEveryMs: 20 });
  const run = await world.errand.enqueue(made, { identifier: "ada", input: {} });
  assert.equal(await run.result({ timeoutMs: 60_000 }), "done");
  assert.ok(reads.most > 1 && reads.most <= 4, `${reads.most} reads at once`);
  assert.deepEqual([writes.most, writes.order], [1, NUMBERS]);
  const expected = ["look", "write"].flatMap((name) => NUMBERS.map((n) => `${name} ${n}`));
  assert.deepEqual((await run.toolResult("t0c0")).data, expected);
});
