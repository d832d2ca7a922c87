/** Turns, tool calls, time and results of a day, over the wire: whoever has used them up waits where it is, and nobody else does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { agent, type Agent, type AtLimit, type DayLimits } from "../../src/index.ts";
import { call, say, type ScriptFunction } from "../../src/testing/index.ts";
import { giveMail, testWorld, untilEvent } from "../support/world.ts";

function reader(atLimit: AtLimit): Agent {
  return agent({
    name: "reader",
    model: "openai/scripted",
    instructions: "Read.",
    connections: ["gmail"],
    tools: ["gmail_fetch_mails"],
    input: z.object({}),
    atLimit,
  });
}

/** Two calls, each in a turn of its own, then an answer. */
const script: ScriptFunction = (_, { turn }) =>
  turn < 2 ? call("gmail_fetch_mails", { query: "is:unread", max_results: turn + 1 }) : say("read");

const rows: readonly (readonly [keyof DayLimits, DayLimits])[] = [
  ["turns", { turns: 4 }],
  ["toolCalls", { toolCalls: 3 }],
  ["resultChars", { resultChars: 10 }],
  ["activeMs", { activeMs: 1 }],
];

for (const [name, identifier] of rows)
  test(`${name}: a run goes on at the same step once an operator gives more`, async (t) => {
    const of = reader("answer");
    const world = await testWorld(t, { script, errand: { agents: [of], budgets: { identifier } } });
    for (const user of ["ada", "bob"]) {
      await giveMail(world, user);
      world.scalekit.connect(user, "gmail");
    }
    world.errand.worker({ wakeEveryMs: 50 });
    const runs = [];
    for (let i = 0; i < 2; i++) runs.push(await world.errand.enqueue(of, { identifier: "ada", input: {} }));
    // Both may be under way when it is met; at least one has not come to its end.
    const parked = await Promise.race(runs.map((run) => untilEvent(run, "run.parked")));
    assert.equal(parked.reason, "budget");
    assert.match(parked.message ?? "", new RegExp(`^The day's budget is used up: identifier:ada:.* \\(${name}\\)$`));
    assert.ok(
      (parked.until ?? 0) > parked.at && (parked.until ?? 0) - parked.at <= 86_400_000 + 60_000,
      "until it ends",
    );
    const { counts } = await world.errand.budget({ identifier: "ada" });
    const use = counts[name as keyof typeof counts];
    assert.ok(use !== undefined && use.used >= use.limit, JSON.stringify(counts));
    await world.errand.raiseBudget({ identifier: "ada" }, { [name]: 1_000_000 });
    for (const run of runs) assert.equal(await run.result({ timeoutMs: 60_000 }), "read");
    const after = (await world.errand.budget({ identifier: "ada" })).counts;
    if (name === "turns") assert.equal(after.turns?.used, 6, "each turn is counted once");
    if (name === "toolCalls") assert.equal(after.toolCalls?.used, 4);
    if (name === "turns") {
      const bob = await world.errand.enqueue(of, { identifier: "bob", input: {} });
      assert.equal(await bob.result({ timeoutMs: 60_000 }), "read", "another user's day is his own");
    }
  });

test("fail: the run fails with the limit's code, and says whose day it is", async (t) => {
  const of = reader("fail");
  const world = await testWorld(t, { script, errand: { agents: [of], budgets: { tenant: { turns: 2 } } } });
  await giveMail(world, "ada");
  world.scalekit.connect("ada", "gmail");
  world.errand.worker({ wakeEveryMs: 50 });
  const run = await world.errand.enqueue(of, { identifier: "ada", tenant: "acme", input: {} });
  await assert.rejects(run.result({ timeoutMs: 60_000 }), { code: "run-failed" });
  const { failure } = await run.get();
  assert.equal(failure?.code, "turn-limit");
  assert.match(failure?.message ?? "", /^The day's budget is used up: tenant:acme:\d{4}-\d\d-\d\d \(turns\)\.$/);
  assert.equal((await world.errand.budget({ tenant: "acme" })).counts.turns?.used, 2);
});

test("more that is no number is refused", async (t) => {
  const { errand } = await testWorld(t, { script });
  for (const more of [{ turns: -1 }, { toolCalls: 0.5 }, { activeMs: Number.NaN }, { turn: 5 }, {}])
    await assert.rejects(errand.raiseBudget({ identifier: "ada" }, more as never), { code: "option-invalid" });
});

test("what no day has enough of waits as long as an account would be waited for, then it ends as expired", async (t) => {
  const of = agent({
    name: "waiter",
    model: "openai/scripted",
    instructions: "Greet.",
    input: z.object({}),
    expiresAfterMs: 1,
  });
  const budgets = { identifier: { tokens: 10 } };
  const { errand, model } = await testWorld(t, { script: () => say("hello"), errand: { agents: [of], budgets } });
  errand.worker({ wakeEveryMs: 50 });
  const run = await errand.enqueue(of, { identifier: "ada", input: {} });
  assert.equal((await untilEvent(run, "run.parked")).reason, "budget");
  // Too little: it looks again, as it would on the next day.
  await errand.raiseBudget({ identifier: "ada" }, { tokens: 1 });
  await assert.rejects(run.result({ timeoutMs: 60_000 }), { code: "run-expired" });
  assert.match(
    (await run.get()).failure?.message ?? "",
    /^The day's budget is used up: .*\. No day had enough of it\.$/,
  );
  assert.equal(model.requests.length, 0, "nobody was asked");
});
