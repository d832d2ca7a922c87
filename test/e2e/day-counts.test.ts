/** Turns, tool calls, time and results of a day, over the wire: whoever has used them up waits where it is, and nobody else does. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { z } from "zod";
import { agent, type Agent, type DayLimits } from "../../src/index.ts";
import { call, calls, say, type ScriptFunction } from "../../src/testing/index.ts";
import { giveMail, mailReader, testWorld, untilEvent, type World } from "../support/world.ts";

type DayCount = Exclude<keyof DayLimits, "runs" | "parked" | "tokens" | "costUsd">;

/** Two calls, each in a turn of its own, then an answer. */
const script: ScriptFunction = ({ body }, { turn }) =>
  turn < 2 && body["tool_choice"] !== "none"
    ? call("gmail_fetch_mails", { query: "is:unread", max_results: turn + 1 })
    : say(turn < 2 ? "as far as I got" : "read");

async function worldOf(t: TestContext, of: Agent, identifier: DayLimits, by: ScriptFunction = script): Promise<World> {
  const world = await testWorld(t, { script: by, errand: { agents: [of], budgets: { identifier } } });
  for (const user of ["ada", "bob"]) {
    await giveMail(world, user);
    world.scalekit.connect(user, "gmail");
  }
  world.errand.worker({ wakeEveryMs: 50 });
  return world;
}

const used = async (world: World, name: DayCount): Promise<number> =>
  (await world.errand.budget({ identifier: "ada" })).counts[name]?.used ?? 0;

const waits: readonly (readonly [DayCount, DayLimits])[] = [
  ["turns", { turns: 4 }],
  ["toolCalls", { toolCalls: 3 }],
  ["resultChars", { resultChars: 10 }],
  ["activeMs", { activeMs: 1 }],
];

for (const [name, identifier] of waits)
  test(`park at ${name}: a run goes on at the same step once an operator gives more`, async (t) => {
    const of = mailReader("park");
    const world = await worldOf(t, of, identifier);
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
    const use = counts[name];
    assert.ok(use !== undefined && use.used >= use.limit, JSON.stringify(counts));
    if (name === "toolCalls") assert.equal(use.used, 3, "never more");
    await world.errand.raiseBudget({ identifier: "ada" }, { [name]: 1_000_000 });
    for (const run of runs) assert.equal(await run.result({ timeoutMs: 60_000 }), "read");
    if (name === "turns") assert.equal(await used(world, name), 6, "each turn is counted once");
    if (name === "toolCalls") assert.equal(await used(world, name), 4, "and each call");
    if (name === "turns") {
      const bob = await world.errand.enqueue(of, { identifier: "bob", input: {} });
      assert.equal(await bob.result({ timeoutMs: 60_000 }), "read", "another user's day is his own");
    }
  });

const answers: readonly (readonly [DayCount, DayLimits, number])[] = [
  ["turns", { turns: 2 }, 1],
  ["toolCalls", { toolCalls: 1 }, 1],
  ["resultChars", { resultChars: 10 }, 1],
];

for (const [name, identifier, made] of answers)
  test(`answer at ${name}: the run answers with what it has, and no further call is made`, async (t) => {
    const of = mailReader("answer");
    const world = await worldOf(t, of, identifier);
    const run = await world.errand.enqueue(of, { identifier: "ada", input: {} });
    assert.equal(await run.result({ timeoutMs: 60_000 }), "as far as I got");
    const { truncated, waits } = await run.get();
    assert.deepEqual([truncated, waits], [true, []]);
    assert.equal(world.scalekit.ledger.length, made);
    assert.equal(world.model.requests.at(-1)?.body["tool_choice"], "none");
  });

test("several calls at once where the day has room for one: the first is made, the model is told of the others, and answers", async (t) => {
  const of = mailReader("answer");
  const three = calls(["a", "b", "c"].map((query) => call("gmail_fetch_mails", { query })));
  const world = await worldOf(t, of, { toolCalls: 1 }, (_, { turn }) => (turn === 0 ? three : say("one of three")));
  const run = await world.errand.enqueue(of, { identifier: "ada", input: {} });
  assert.equal(await run.result({ timeoutMs: 60_000 }), "one of three");
  assert.deepEqual(
    world.scalekit.ledger.map(({ input }) => input["query"]),
    ["a"],
  );
  const told = JSON.stringify(world.model.requests.at(-1)?.body).match(/LimitReached/g);
  assert.equal(told?.length, 2);
  assert.equal(await used(world, "toolCalls"), 1);
});

test("the day's last turn has been used: whoever comes then waits for the next day", async (t) => {
  const of = mailReader("answer");
  const world = await worldOf(t, of, { turns: 1 });
  const first = await world.errand.enqueue(of, { identifier: "ada", input: {} });
  assert.equal(await first.result({ timeoutMs: 60_000 }), "as far as I got", "the one turn was for an answer");
  const second = await world.errand.enqueue(of, { identifier: "ada", input: {} });
  assert.match((await untilEvent(second, "run.parked")).message ?? "", /\(turns\)$/);
  assert.equal(world.model.requests.length, 1);
});

test("fail at toolCalls: what the model wrote is kept, the call is not made; without a further call it may still answer", async (t) => {
  const of = mailReader("fail");
  const world = await worldOf(t, of, { toolCalls: 2 });
  const fits = await world.errand.enqueue(of, { identifier: "ada", input: {} });
  assert.equal(await fits.result({ timeoutMs: 60_000 }), "read", "its two calls fit");
  const run = await world.errand.enqueue(of, { identifier: "ada", input: {} });
  await assert.rejects(run.result({ timeoutMs: 60_000 }), { code: "run-failed" });
  const { failure } = await run.get();
  assert.equal(failure?.code, "tool-call-limit");
  assert.match(failure?.message ?? "", /^The day's budget is used up: identifier:ada:\d{4}-\d\d-\d\d \(toolCalls\)\.$/);
  assert.equal(world.scalekit.ledger.length, 2);
});

test("cancelled while it waits for the day to end: what the model wrote is kept", async (t) => {
  const of = mailReader("park");
  const reading = call("gmail_fetch_mails", { query: "x" });
  const world = await worldOf(t, of, { turns: 1 }, () => say("Half of it", { calls: reading.calls }));
  const run = await world.errand.enqueue(of, { identifier: "ada", input: {} });
  await untilEvent(run, "run.parked");
  await run.cancel();
  await assert.rejects(run.result({ timeoutMs: 60_000 }), { code: "run-cancelled" });
  assert.equal((await run.get()).output, "Half of it");
});

test("fail: the run fails with the limit's code, and says whose day it is", async (t) => {
  const of = mailReader("fail");
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

test("more that is no number is refused, and more of what is not limited", async (t) => {
  const { errand } = await testWorld(t, { script, errand: { budgets: { identifier: { runs: 5 } } } });
  await assert.rejects(errand.raiseBudget({ identifier: "ada" }, { tokens: 5 }), {
    code: "option-invalid",
    message: "budget: tokens: budgets.identifier does not limit it, so there is nothing to raise.",
  });
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
