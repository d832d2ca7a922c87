/** Answers in the background through whole runs: a worker that dies, stops or is told to stop while it waits, and an answer that is gone. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test, type TestContext } from "node:test";
import { z } from "zod";
import { agent, type RunEvent, type RunHandle, tool } from "../../src/index.ts";
import { call, type Lookup, raw, type RecordedRequest, type Reply, say, type Script } from "../../src/testing/index.ts";
import { compiled } from "../support/compiled.ts";
import { redisUrl } from "../support/store.ts";
import { eventsOf, testWorld, untilEvent, type World } from "../support/world.ts";
import { thinker, thinkerWith } from "./background-agent.ts";

const WAIT = { timeoutMs: 30_000 };
const profile = { protocol: "responses", features: { background: true } } as const;
const budgets = { identifier: { tokens: 1_000_000 } };
const script: Script = (_, { turn }) => (turn === 0 ? call("look_up") : say("done"));

interface Scene extends World {
  readonly run: RunHandle<string>;
  /** From now on the answers are there. */
  readonly release: () => void;
  /** Somebody waits for the nth answer: it was asked for and named, and is looked for. */
  readonly waiting: (nth?: number) => Promise<RecordedRequest>;
  readonly creates: () => RecordedRequest[];
}

/** The provider works on each answer until it is released. */
async function scene(t: TestContext, of = thinker): Promise<Scene> {
  let released = false;
  const lookup = ({ id, what }: Lookup): Reply | undefined =>
    released || what === "cancel"
      ? undefined
      : raw({ body: JSON.stringify({ id, status: "in_progress", output: [] }) });
  const errand = { agents: [of], leaseMs: 2_000, budgets };
  const world = await testWorld(t, {
    protocol: "responses",
    profile,
    script,
    model: { lookup, polls: 0 },
    errand,
  });
  const creates = (): RecordedRequest[] =>
    world.model.requests.filter(({ method, path }) => method === "POST" && path === "/v1/responses");
  return {
    ...world,
    run: await world.errand.enqueue(of, { identifier: "ada", input: {} }),
    release: () => (released = true),
    waiting: (nth = 1) => world.model.waitFor(({ method }) => method === "GET" && creates().length === nth),
    creates,
  };
}

function countOf(events: readonly RunEvent[], type: RunEvent["type"]): number {
  return events.filter((event) => event.type === type).length;
}

/** All that was used is spent, once, and nothing is kept aside. @param lost tokens of a call of which nobody knows what it used */
async function paid({ errand }: World, run: RunHandle<unknown>, lost = 0): Promise<void> {
  const { spent, usage } = await run.get();
  const { tokens } = await errand.budget({ identifier: "ada" });
  assert.deepEqual([tokens.used, tokens.reserved], [spent.tokens, 0]);
  const events = await eventsOf(run);
  // On a machine that is too slow for its leases a worker may lose its run between the question's announcement and the question.
  if (countOf(events, "turn.requested") > countOf(events, "turn.accepted")) return;
  assert.equal(spent.tokens, usage.input + usage.output + lost);
}

test("kill -9 while it waits: another worker fetches the answer; it was asked for once, and paid for once", async (t) => {
  const at = await scene(t);
  const { url: envUrl, clientId, clientSecret } = at.scalekit;
  const models = { openai: { ...profile, apiKey: at.model.apiKey, baseURL: at.model.url } };
  const SCENE = {
    redis: redisUrl(),
    prefix: at.prefix,
    scalekit: { envUrl, clientId, clientSecret },
    models,
    budgets,
    leaseMs: 2_000,
  };
  const child = spawn(process.execPath, [await compiled(new URL("background-worker.ts", import.meta.url))], {
    env: { ...process.env, SCENE: JSON.stringify(SCENE) },
    stdio: ["ignore", "ignore", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  await at.waiting();
  child.kill("SIGKILL");
  await once(child, "exit");
  at.release();
  at.errand.worker({ wakeEveryMs: 20 });
  assert.equal(await at.run.result(WAIT), "done");
  assert.deepEqual(
    at.creates().map(({ turn }) => turn),
    [0, 1],
    "one for each turn",
  );
  const events = await eventsOf(at.run);
  assert.deepEqual([countOf(events, "turn.accepted"), countOf(events, "turn.committed")], [2, 2]);
  assert.ok(countOf(events, "run.started") >= 2, "two workers had it");
  assert.equal(countOf(events, "run.parked"), 0);
  await paid(at, at.run);
});

test("a worker that is told to stop leaves at once; the next one fetches", async (t) => {
  const at = await scene(t);
  const first = at.errand.worker({ wakeEveryMs: 20 });
  await at.waiting();
  await first.close();
  await untilEvent(at.run, "run.yielded");
  at.release();
  at.errand.worker({ wakeEveryMs: 20 });
  assert.equal(await at.run.result(WAIT), "done");
  assert.equal(at.creates().length, 2);
  await paid(at, at.run);
});

test("a run that is cancelled cancels its answer", async (t) => {
  const at = await scene(t);
  at.errand.worker({ wakeEveryMs: 20 });
  const { path } = await at.waiting();
  await at.run.cancel();
  const cancel = await at.model.waitFor((request) => request.path === `${path}/cancel`);
  assert.equal(cancel.method, "POST");
  await assert.rejects(at.run.result(WAIT), { code: "run-cancelled" });
  assert.equal(at.creates().length, 1);
});

test("an answer that is gone is asked for anew, once, and it is said", async (t) => {
  const at = await scene(t);
  const first = at.errand.worker({ wakeEveryMs: 20 });
  await at.waiting();
  await first.close();
  at.model.forget();
  at.release();
  const { spent } = await at.run.get();
  at.errand.worker({ wakeEveryMs: 20 });
  assert.equal(await at.run.result(WAIT), "done");
  assert.deepEqual(
    at.creates().map(({ turn }) => turn),
    [0, 0, 1],
  );
  const events = await eventsOf(at.run);
  const asked = events.filter((event) => event.type === "turn.requested");
  const [lost] = events.filter((event) => event.type === "turn.accepted");
  assert.deepEqual(
    asked.map(({ attempt, lost }) => [attempt, lost]),
    [
      [1, undefined],
      [1, lost?.answer],
      [1, undefined],
    ],
  );
  assert.equal(countOf(events, "run.parked"), 0, "no attempt is used up");
  await paid(at, at.run, spent.tokens);
});

test("gone, and a person has stopped the run meanwhile: nobody asks anew", async (t) => {
  const send = tool({
    name: "send_it",
    description: "Sends it.",
    input: z.object({}),
    timeout: 100,
    execute: () => new Promise<string>(() => undefined),
  });
  const sender = agent({
    name: "sender",
    model: "openai/scripted",
    instructions: "Send it.",
    tools: [send],
    input: z.object({}),
  });
  const hold = { open: true };
  const world = await testWorld(t, {
    protocol: "responses",
    profile,
    script: (_, { turn }) => (turn === 0 ? call("send_it") : say("done")),
    model: {
      lookup: ({ id }) => (hold.open ? undefined : raw({ body: JSON.stringify({ id, status: "in_progress" }) })),
    },
    errand: { agents: [sender] },
  });
  const run = await world.errand.enqueue(sender, { identifier: "ada", input: {} });
  const first = world.errand.worker({ wakeEveryMs: 20 });
  await untilEvent(run, "tool.settled");
  hold.open = false;
  await untilEvent(run, "turn.accepted", 2);
  await first.close();
  await run.answer("t0c0", "stop");
  world.model.forget();
  hold.open = true;
  const asked = world.model.requests.filter(({ method }) => method === "POST").length;
  world.errand.worker({ wakeEveryMs: 20 });
  await assert.rejects(run.result(WAIT), { code: "run-cancelled", message: /Stopped by a person at call t0c0/ });
  assert.equal(world.model.requests.filter(({ method }) => method === "POST").length, asked);
});

test("its time is over: the answer is cancelled, and the attempt has failed", async (t) => {
  const at = await scene(t, thinkerWith({ modelTimeoutMs: 3_000, attempts: 1 }));
  at.errand.worker({ wakeEveryMs: 20 });
  const { path } = await at.waiting();
  await at.model.waitFor((request) => request.path === `${path}/cancel`);
  await assert.rejects(at.run.result(WAIT), { code: "run-failed" });
  const { failure, spent } = await at.run.get();
  assert.deepEqual(failure?.code, "model-unavailable");
  assert.ok(spent.tokens > 0, "nobody knows what it used: all that was kept aside counts");
  assert.equal(at.creates().length, 1);
});
