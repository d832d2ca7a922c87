/** Thirty users lose the same connection at once: an outage for the operator, and no reason to ask thirty users to connect again. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { Redis } from "ioredis";
import { pino } from "pino";
import { z } from "zod";
import { agent, type MassLoss, type RunHandle, type TypedAgent } from "../../src/index.ts";
import { call, say, type Script } from "../../src/testing/index.ts";
import { redisUrl } from "../support/store.ts";
import { testWorld, untilEvent, type World } from "../support/world.ts";

function agentOn(connection: string, tool: string): TypedAgent<object, object, string> {
  return agent({
    name: `on-${connection}`,
    model: "openai/scripted",
    instructions: "Look.",
    connections: [connection],
    tools: [tool],
    input: z.object({}),
  });
}

const onMail = agentOn("gmail", "gmail_get_profile");
const onSlack = agentOn("slack", "slack_auth_test");
const script: Script = ({ tools }, { turn }) => (turn === 0 ? call(tools[0]?.name ?? "") : say("done"));

interface Logged {
  readonly msg: string;
  readonly level: number;
}

interface Lab extends World {
  readonly logged: readonly Logged[];
  readonly redis: Redis;
  readonly runs: readonly RunHandle<string>[];
  /** The tool calls of all runs have reached Scalekit, and wait there. */
  letCallsGo(): void;
  /** As if the moment had come that these runs wait for. */
  momentCame(runs: readonly RunHandle<unknown>[]): Promise<void>;
}

/** So many users, each with a run whose first tool call waits at Scalekit. */
async function midRun(t: TestContext, users: number, massLoss: Partial<MassLoss> | false): Promise<Lab> {
  const logged: Logged[] = [];
  const write = (line: string): void => void logged.push(JSON.parse(line) as Logged);
  const world = await testWorld(t, {
    script,
    scalekit: { connections: ["gmail", "slack"] },
    errand: { agents: [onMail, onSlack], massLoss, logger: pino({ level: "warn" }, { write }) },
  });
  const redis = new Redis(redisUrl());
  t.after(() => redis.disconnect());
  let letCallsGo = (): void => undefined;
  const until = new Promise<void>((resolve) => (letCallsGo = resolve));
  world.scalekit.faults.add({ method: "ExecuteTool", until, times: users });
  let arrived = 0;
  const all = world.scalekit.waitFor("call", ({ method }) => method === "ExecuteTool" && ++arrived === users, 30_000);
  world.errand.worker({ wakeEveryMs: 50, concurrency: 100 });
  const runs: RunHandle<string>[] = [];
  for (let i = 0; i < users; i++) {
    world.scalekit.connect(`user_${i}`, "gmail");
    runs.push(await world.errand.enqueue(onMail, { identifier: `user_${i}`, input: {} }));
  }
  await all;
  return {
    ...world,
    logged,
    redis,
    runs,
    letCallsGo,
    momentCame: async (of) => {
      for (const { id } of of) await redis.zadd(`{${world.prefix}:0}:looks`, "XX", 0, `run:${id}`);
    },
  };
}

/** Until all runs stand as the last one of many will: each is looked at whenever it changes. */
async function untilParked(runs: readonly RunHandle<unknown>[], reason: string): Promise<void> {
  await Promise.all(
    runs.map(async (run) => {
      for await (const event of run.events())
        if (event.type === "run.parked" && event.reason === reason && (await run.get()).parked?.reason === reason)
          return;
    }),
  );
}

/** To its end, without waiting for any moment. */
async function finish(lab: Lab, run: RunHandle<string>): Promise<string> {
  for await (const event of run.events()) if (event.type === "run.parked") await lab.momentCame([run]);
  return run.result();
}

/** How many events of this type the app is told. */
async function told({ redis, prefix }: Lab, type: string): Promise<number> {
  const events = await redis.xrange(`{${prefix}:0}:events`, "-", "+");
  return events.filter(([, fields]) => fields.includes(`authorization.${type}`)).length;
}

const alarms = (lab: Lab): readonly Logged[] => lab.logged.filter(({ msg }) => msg === "accounts.mass-loss");
const waits = async (runs: readonly RunHandle<unknown>[]): Promise<(string | undefined)[]> =>
  Promise.all(runs.map(async (run) => (await run.get()).parked?.reason));

test("all accounts of a connection expire: one alarm, every run waits for the outage, and all complete once they are back", async (t) => {
  const lab = await midRun(t, 30, { accounts: 10 });
  const { scalekit, errand, runs } = lab;
  for (let i = 0; i < runs.length; i++) scalekit.setStatus(`user_${i}`, "gmail", "EXPIRED");
  lab.letCallsGo();
  await untilParked(runs, "outage");

  assert.deepEqual(new Set(await waits(runs)), new Set(["outage"]), "also those that were first");
  const asked = await Promise.all(
    runs.map(async (run) => (await run.get()).waits.some((wait) => wait.reason === "account")),
  );
  assert.ok(asked.filter(Boolean).length < 10, `${asked.filter(Boolean).length} were asked before it was known`);
  assert.equal(alarms(lab).length, 1);
  assert.equal(scalekit.links.length, 0);
  assert.ok((await told(lab, "required")) < 10, "the app hears of no more");
  assert.equal(await told(lab, "granted"), 0, "nobody is said to be back");
  assert.deepEqual((await runs[0]?.get())?.parked?.needs, [{ connection: "gmail", reason: "expired" }]);

  scalekit.connect("user_0", "slack");
  const other = await errand.enqueue(onSlack, { identifier: "user_0", input: {} });
  assert.equal(await other.result({ timeoutMs: 60_000 }), "done", "another connection of the same user");
  const newcomer = await errand.enqueue(onMail, { identifier: "newcomer", input: {} });
  const asks = await untilEvent(newcomer, "run.parked");
  assert.equal(asks.reason, "account", "who never was connected is asked as ever");

  for (let i = 0; i < runs.length; i++) scalekit.connect(`user_${i}`, "gmail");
  assert.deepEqual(new Set(await Promise.all(runs.map((run) => finish(lab, run)))), new Set(["done"]));
  assert.equal(
    scalekit.ledger.filter(({ tool }) => tool === "gmail_get_profile").length,
    runs.length,
    "each call once",
  );
  assert.equal(alarms(lab).length, 1);
  const required = await told(lab, "required");
  assert.equal(
    await told(lab, "granted"),
    required - 1,
    "who was asked is told that it is over; the newcomer still waits",
  );
});

test("still lost when the hold is over: the users are asked as usual, and no other hold begins", async (t) => {
  const lab = await midRun(t, 12, { accounts: 5 });
  for (let i = 0; i < lab.runs.length; i++) lab.scalekit.setStatus(`user_${i}`, "gmail", "DISCONNECTED");
  lab.letCallsGo();
  await untilParked(lab.runs, "outage");
  const parks = await Promise.all(lab.runs.map(async (run) => (await run.get()).waits.length));
  await lab.momentCame(lab.runs);
  await Promise.all(lab.runs.map((run, i) => untilEvent(run, "run.parked", (parks[i] ?? 0) + 1)));
  assert.deepEqual(new Set(await waits(lab.runs)), new Set(["outage"]), "the hold is not over");
  await lab.redis.del(`{${lab.prefix}:0}:held:gmail`);
  await lab.momentCame(lab.runs);
  await untilParked(lab.runs, "account");
  assert.deepEqual(new Set(await waits(lab.runs)), new Set(["account"]));
  assert.equal(alarms(lab).length, 1);
});

test("ACTIVE accounts that all refuse: an outage as well; the calls are made again by themselves, and go through", async (t) => {
  const lab = await midRun(t, 12, { accounts: 5 });
  for (let i = 0; i < lab.runs.length; i++) lab.scalekit.revoke(`user_${i}`, "gmail");
  lab.letCallsGo();
  const parks = await Promise.all(lab.runs.map((run) => untilEvent(run, "run.parked")));
  const reasons = parks.map((park) => park.reason);
  assert.equal(reasons.filter((reason) => reason === "probe").length, 4, "those before it was known");
  assert.equal(reasons.filter((reason) => reason === "outage").length, 8);
  assert.equal(alarms(lab).length, 1);
  for (let i = 0; i < lab.runs.length; i++) lab.scalekit.connect(`user_${i}`, "gmail");
  assert.deepEqual(new Set(await Promise.all(lab.runs.map((run) => finish(lab, run)))), new Set(["done"]));
  assert.equal(lab.scalekit.links.length, 0);
});

test("fewer than that, or turned off: each user is asked for himself", async (t) => {
  for (const massLoss of [{ accounts: 5 }, false] as const) {
    const lab = await midRun(t, massLoss === false ? 8 : 4, massLoss);
    for (let i = 0; i < lab.runs.length; i++) lab.scalekit.setStatus(`user_${i}`, "gmail", "EXPIRED");
    lab.letCallsGo();
    await untilParked(lab.runs, "account");
    assert.deepEqual(alarms(lab), []);
  }
});
