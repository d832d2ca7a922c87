/** A hundred users wait, and webhooks are lost, late, doubled and out of order: a webhook is only a hint, and a round is the net. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import fc from "fast-check";
import type { RunHandle } from "../../src/index.ts";
import { say } from "../../src/testing/index.ts";
import { SECRET } from "../scalekit/webhook-support.ts";
import { rollDice } from "../simulation/dice.ts";
import { untilEvent } from "../support/world.ts";
import { NEVER_MS, serve, simpleAgent, stage, type Stage, startWorker } from "./field-stage.ts";

const USERS = 100;
const answers = simpleAgent({ name: "answers" });

interface Waiting extends Stage {
  readonly runs: ReadonlyMap<string, RunHandle<string>>;
}

async function allWait(t: TestContext): Promise<Waiting> {
  const errand = { agents: [answers], sweepMs: NEVER_MS, webhook: { secrets: [SECRET] } };
  const on = await stage(t, answers, { script: () => say("done"), errand });
  startWorker(on);
  const runs = new Map<string, RunHandle<string>>();
  for (let i = 0; i < USERS; i++)
    runs.set(`user_${i}`, await on.errand.enqueue(answers, { identifier: `user_${i}`, input: {} }));
  await Promise.all(Array.from(runs.values(), (run) => untilEvent(run, "run.parked")));
  return { ...on, runs };
}

async function allDone({ runs, model }: Waiting): Promise<void> {
  const results = await Promise.all(Array.from(runs.values(), (run) => run.result({ timeoutMs: 60_000 })));
  assert.deepEqual(new Set(results), new Set(["done"]));
  assert.equal(model.requests.length, USERS, "each was worked once");
}

const seed = (): number => fc.readConfigureGlobal()?.seed ?? Math.floor(Math.random() * 2 ** 31);

test("half of the webhooks are lost: those that come wake their runs at once, and one round wakes all others", async (t) => {
  const dice = rollDice(seed());
  t.diagnostic(`seed ${seed()}`);
  const on = await allWait(t);
  const receive = on.errand.webhookHandler();
  const lost = new Set(Array.from(on.runs.keys()).filter(() => dice.chance(0.5)));
  const url = await serve(t, async (request) => {
    const { data } = (await request.clone().json()) as { data: { identifier: string } };
    return lost.has(data.identifier) ? new Response("", { status: 200 }) : receive(request);
  });
  on.scalekit.webhooks.add({ url, secrets: [SECRET] });
  for (const user of on.runs.keys()) on.scalekit.connect(user, "gmail");
  await on.scalekit.webhooks.drained();
  const told = Array.from(on.runs).filter(([user]) => !lost.has(user));
  await Promise.all(told.map(([, run]) => run.result({ timeoutMs: 60_000 })));
  const waiting = Array.from(on.runs).filter(([user]) => lost.has(user));
  assert.ok(waiting.length > 20 && told.length > 20, `${waiting.length} are lost`);
  for (const [, run] of waiting) assert.equal((await run.get()).status, "parked");
  await on.roundCame("gmail");
  await allDone(on);
});

test("late, doubled and out of order: each run goes on once, and none while its account is not ACTIVE", async (t) => {
  const dice = rollDice(seed());
  const on = await allWait(t);
  const users = Array.from(on.runs.keys());
  // Nobody hears of all this yet.
  for (const user of users) {
    on.scalekit.connect(user, "gmail");
    on.scalekit.setStatus(user, "gmail", "EXPIRED");
  }
  const past = [...on.scalekit.webhooks.log];
  const deliver = async (): Promise<void> => {
    const twice = past.flatMap((event) => (dice.chance(0.3) ? [event, event] : [event]));
    const order = twice.map((event) => ({ event, at: dice.random() })).toSorted((a, b) => a.at - b.at);
    await Promise.all(order.map(({ event }) => on.scalekit.webhooks.send(event)));
  };
  on.scalekit.webhooks.add({ url: await serve(t, on.errand.webhookHandler()), secrets: [SECRET] });
  await deliver();
  await on.round();
  for (const run of on.runs.values()) assert.equal((await run.get()).status, "parked");
  assert.equal(on.model.requests.length, 0);

  for (const user of users) on.scalekit.connect(user, "gmail");
  past.push(...on.scalekit.webhooks.log.slice(past.length));
  await deliver();
  await allDone(on);
  await deliver();
  assert.equal(on.model.requests.length, USERS, "nothing is left that they could wake");
});
